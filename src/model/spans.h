/* SPDX-License-Identifier: GPL-2.0 */
/* Stretches of time. */
#ifndef VT_MODEL_SPANS_H
#define VT_MODEL_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_spans {
	struct vt_span {
		uint64_t from_ns, to_ns;
	} *s;
	size_t nr, cap;
};

/* -ENOMEM or 0. */
int vt_spans__add(struct vt_spans *l, uint64_t from_ns, uint64_t to_ns);
/* After the last one was added: in order, with room between any two. */
void vt_spans__join(struct vt_spans *l);
/* Whether one of them (joined) reaches into that time; both ends count. */
bool vt_spans__reach(const struct vt_spans *l, uint64_t from_ns, uint64_t to_ns);
void vt_spans__free(struct vt_spans *l);

#endif
