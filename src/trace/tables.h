/* SPDX-License-Identifier: GPL-2.0 */
/* What a trace says about itself: meta, schema, probes, loss, end. */
#ifndef VT_TRACE_TABLES_H
#define VT_TRACE_TABLES_H

#include "trace/frame.h"

#define VT_NAMES_NONE	0xffff

/* The names of one sort of id, and where each leads in this program. */
struct vt_names {
	uint16_t *map;		/* id in the file -> index here; VT_NAMES_NONE = not declared */
	uint32_t nr_ids;	/* length of map */
	uint32_t known;		/* indexes below this are the vocabulary's */
	char **extra;		/* names of the indexes from `known` on */
	uint8_t *extra_kind;	/* as the file says */
	uint32_t nr_extra;
};

struct vt_meta {
	char *key, *value;
};

struct vt_tables {
	struct vt_names events, fields, classes;
	uint8_t kind[VTF_FIELD_IDS];	/* by id in the file: how to read a value (a kind of newer tools is VT_HEX) */
	uint8_t known_kind[VT_F_MAX];	/* by index, for known fields: as the file says, or 0 */

	struct vt_meta *meta;
	size_t nr_meta, meta_bytes;
	struct vt_probe *probes;
	size_t nr_probes;
	char *probe_strings;
	struct vt_loss *loss;
	size_t nr_loss;
	bool loss_full;
	bool ended;
	char *how;
	uint64_t end_events;
};

int vt_tables__init(struct vt_tables *t);
/* Takes in one block that is not events. 0, -EBADMSG when its content is impossible, -EPROTO, -ENOMEM. */
int vt_tables__take(struct vt_tables *t, const struct vtf_block *h, const char *payload);
void vt_tables__free(struct vt_tables *t);

#endif
