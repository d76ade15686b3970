/* SPDX-License-Identifier: GPL-2.0 */
/* Slices, instants and arrows of a trace or two; in which form they are written is another's. */
#ifndef VT_CMD_SHOW_PERFETTO_H
#define VT_CMD_SHOW_PERFETTO_H

#include "cmd/show.h"

/* Where something is drawn, and when. Processes of the second kernel are others, even where their numbers are the same. */
struct vt_mark {
	uint64_t ts_ns;		/* on the clock of the first kernel */
	uint32_t tgid, tid;
};

struct vt_drawing {
	void *to;
	/* E of the trace OF has the fields; NULL at the end of some slices. FLOW names the file that goes OUT or comes in, or is NULL. */
	void (*begin)(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e, const char *flow, bool out);
	void (*end)(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e);
	void (*instant)(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e);
	/* The thread has this name from now on; the process has it, too. */
	void (*name)(void *to, const struct vt_mark *at, const char *name);
	/* What lies between the two kernels, on a track of its own. */
	void (*jump)(void *to, uint64_t from_ns, uint64_t to_ns);
};

int vt_show__draw(FILE *f, struct vt_shown *s, size_t nr, const struct vt_drawing *d);

#endif
