// SPDX-License-Identifier: GPL-2.0
/*
 * struct file, field by field: the file as it was preserved against the file
 * that retrieve made. For each member stands here whether a difference is by
 * design, and why; what stands nowhere is shown and not judged.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/crossing.h"
#include "rules/finding.h"
#include "rules/reach.h"

/* include/linux/fs.h; the bits below are the same since 6.14, before every LUO. */
#define FMODE_READ	0x1
#define FMODE_WRITE	0x2
#define FMODE_LSEEK	0x4
#define FMODE_PREAD	0x8
#define FMODE_PWRITE	0x10
#define FMODE_CAN_READ	(1u << 17)
#define FMODE_CAN_WRITE	(1u << 18)
#define FMODE_OPENED	(1u << 19)
#define FMODE_NONOTIFY	((1u << 25) | (1u << 26))
#define FMODE_NOACCOUNT	(1u << 29)
#define FMODE_DESIGN	(FMODE_NONOTIFY | FMODE_NOACCOUNT)
/* What user space may do with the file. The rest says how it came to be, and do_dentry_open() or alloc_file() set it. */
#define FMODE_ACCESS	(FMODE_READ | FMODE_WRITE | FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_CAN_READ | FMODE_CAN_WRITE)

static const struct {
	uint32_t bit;
	const char *name;
} mode_bits[] = {
	{ FMODE_READ, "READ" }, { FMODE_WRITE, "WRITE" }, { FMODE_LSEEK, "LSEEK" }, { FMODE_PREAD, "PREAD" },
	{ FMODE_PWRITE, "PWRITE" }, { 1u << 5, "EXEC" }, { 1u << 15, "ATOMIC_POS" }, { 1u << 16, "WRITER" },
	{ FMODE_CAN_READ, "CAN_READ" }, { FMODE_CAN_WRITE, "CAN_WRITE" }, { FMODE_OPENED, "OPENED" },
	{ 1u << 21, "STREAM" }, { 1u << 22, "CAN_ODIRECT" }, { 1u << 27, "NOWAIT" },
};

enum how { MUST, MODE, FLAGS, KEPT, DESIGN };

static const struct {
	const char *name;	/* member, or member before its first dot */
	enum how how;
	const char *same, *reason;	/* when equal and worth a word; when it differs */
} policy[] = {
	{ "f_op", MUST, NULL, "the operations are what the file is: they must be the same" },
	{ "f_mode", MODE, NULL, NULL },
	{ "f_mapping", MUST, "every mapping of the device hangs on one address space, so that a reset can zap them all",
	  "must be the mapping of the device's own inode: a reset finds the BAR mappings through it" },
	{ "private_data", MUST, NULL, "must be the vfio_device_file of the same device" },
	{ "f_inode.i_size", KEPT, NULL, "memfd's handler promises the size" },
	{ "f_inode.seals", KEPT, NULL, "memfd's handler promises the seals" },
	{ "f_inode", DESIGN, NULL, "retrieve uses the anonymous inode: no cdev inode is opened, and vfio never looks at it" },
	{ "f_path", DESIGN, NULL, "a pseudo dentry instead of the cdev's; shows in /proc/PID/fd only" },
	{ "f_flags", FLAGS, NULL, NULL },
	{ "f_iocb_flags", DESIGN, NULL, "derived from f_flags (iocb_flags())" },
	{ "f_cred", DESIGN, NULL, "credentials of whoever retrieves; vfio checks none after open" },
	{ "f_owner", DESIGN, NULL, "SIGIO owner: not preserved, set again with fcntl(F_SETOWN)" },
	{ "f_lock", DESIGN, NULL, "lock state of the moment" },
	{ "f_pos_lock", DESIGN, NULL, "lock state of the moment" },
	{ "f_pipe", DESIGN, NULL, "shares its place with f_pos_lock" },
	{ "f_pos", DESIGN, NULL, "file position: vfio users give offsets (pread, pwrite)" },
	{ "f_security", DESIGN, NULL, "LSM blob, allocated with each struct file" },
	{ "f_wb_err", DESIGN, NULL, "writeback error sequence, sampled when the file is made" },
	{ "f_sb_err", DESIGN, NULL, "superblock error sequence, sampled when the file is made" },
	{ "f_ep", DESIGN, NULL, "epoll watches: not preserved, added again by user space" },
	{ "f_ra", DESIGN, NULL, "readahead state: no page cache is behind this file" },
	{ "f_task_work", DESIGN, NULL, "shares its place with f_ra" },
	{ "f_llist", DESIGN, NULL, "shares its place with f_ra" },
	{ "f_freeptr", DESIGN, NULL, "shares its place with f_ra" },
	{ "f_ref", DESIGN, NULL, "reference count: judged by the rule file-ref" },
	{ "f_count", DESIGN, NULL, "reference count: judged by the rule file-ref" },
	{ "f_version", DESIGN, NULL, "directory position cookie: not used by devices" },
};

/* The same for files of other handlers: what retrieve makes is up to them. */
static const char *const for_any_handler[][2] = {
	{ "f_inode", "retrieve makes a new file; on which inode is up to the handler" },
	{ "f_path", "retrieve makes a new file; its name shows in /proc/PID/fd only" },
	{ "f_cred", "credentials of whoever retrieves" },
	{ "f_pos", "file position: preserved only where the handler says so" },
	{ "f_ra", "readahead state: starts anew" },
};

static const char *reason_of(const struct vt_life *in, size_t p)
{
	for (size_t i = 0; !in->is_vfio && i < sizeof(for_any_handler) / sizeof(for_any_handler[0]); i++) {
		if (!strcmp(for_any_handler[i][0], policy[p].name))
			return for_any_handler[i][1];
	}
	return policy[p].reason;
}

/* Bits that are the business of whoever makes the file: a handler that is not vfio's makes another one, in its own way. */
static uint32_t mode_of_making(const struct vt_life *in)
{
	return in->is_vfio ? FMODE_DESIGN : ~(uint32_t)FMODE_ACCESS;
}

/* mm/memfd_luo.c makes every file anew, to be read and written: it keeps seals and the position, and no access mode. */
static bool opens_for_all(const struct vt_life *in)
{
	return in->compatible && !strncmp(in->compatible, "memfd", 5);
}

/* mm/memfd_luo.c promises the size, the seals, and the position as it is at freeze. */
static bool keeps_more(const struct vt_life *in)
{
	return in->compatible && !strncmp(in->compatible, "memfd", 5);
}

static size_t policy_of(const char *name)
{
	size_t len = strcspn(name, "."), i;

	for (i = 0; i < sizeof(policy) / sizeof(policy[0]); i++) {
		if (!strcmp(policy[i].name, name))
			return i;
	}
	for (i = 0; i < sizeof(policy) / sizeof(policy[0]); i++) {
		if (strlen(policy[i].name) == len && !strncmp(policy[i].name, name, len))
			break;
	}
	return i;
}

static void value_str(struct vt_ctx *c, char **to, const struct vt_member *m)
{
	if (!m)
		vt_text(c, to, "no such member");
	else if (m->err)
		vt_text(c, to, "unreadable (%s)", strerrorname_np(m->err) ?: "?");
	else if (m->kind == VT_STR)
		vt_text(c, to, "%s", m->str);
	else if (m->kind == VT_S64)
		vt_text(c, to, "%" PRId64, (int64_t)m->num);
	else if (m->kind == VT_U64)
		vt_text(c, to, "%" PRIu64, m->num);
	else
		vt_text(c, to, "0x%" PRIx64, m->num);
}

static bool number(const struct vt_member *m, uint64_t *out)
{
	char *end;

	if (!m || m->err)
		return false;
	if (m->kind != VT_STR) {
		*out = m->num;
		return true;
	}
	errno = 0;
	*out = strtoull(m->str, &end, 0);
	return !errno && end != m->str && !*end;
}

static bool equal(const struct vt_member *a, const struct vt_member *b)
{
	uint64_t x, y;

	if (number(a, &x) && number(b, &y))
		return x == y;
	return a->kind == VT_STR && b->kind == VT_STR && !strcmp(a->str, b->str);
}

static void bit_names(uint32_t bits, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = 0;
	for (size_t i = 0; i < sizeof(mode_bits) / sizeof(mode_bits[0]) && n < size; i++) {
		if (!(bits & mode_bits[i].bit))
			continue;
		n += (size_t)snprintf(buf + n, size - n, "%sFMODE_%s", n ? " | " : "", mode_bits[i].name);
		bits &= ~mode_bits[i].bit;
	}
	if (bits && n < size)
		snprintf(buf + n, size - n, "%s0x%x", n ? " | " : "", bits);
}

/* ---- the table ---- */

#define SEAL_WRITE 0x08
#define SEAL_FUTURE_WRITE 0x10
#define SEALS_OF_WRITING (SEAL_WRITE | SEAL_FUTURE_WRITE)

/* With those that say no more than the others: who may not write now may not later. */
static uint64_t all_seals(uint64_t seals)
{
	return seals & SEAL_WRITE ? seals | SEAL_FUTURE_WRITE : seals;
}

static enum vt_same compare(const struct vt_life *in, size_t p, const struct vt_member *a, const struct vt_member *b, const char **reason)
{
	uint64_t x, y;

	*reason = "not known to this version of vfiotrace";
	if (!a || !b) {
		*reason = "exists in one of the two kernels only";
		return VT_UNJUDGED;
	}
	if (a->err || b->err) {
		*reason = "could not be read";
		return VT_UNJUDGED;
	}
	if (p < sizeof(policy) / sizeof(policy[0]))
		*reason = reason_of(in, p);
	/* All that the recorder tells of a pointer to nothing it knows. */
	if (a->kind == VT_STR && b->kind == VT_STR && !strcmp(a->str, "set") && !strcmp(b->str, "set")) {
		*reason = "not null on either side; what it points to is not compared";
		return VT_UNJUDGED;
	}
	if (equal(a, b)) {
		*reason = p < sizeof(policy) / sizeof(policy[0]) ? policy[p].same : NULL;
		return VT_SAME;
	}
	if (p >= sizeof(policy) / sizeof(policy[0]))
		return VT_UNJUDGED;
	switch (policy[p].how) {
	case MUST:
		/* What another handler's private_data or f_mapping points to is its own business. */
		if (!in->is_vfio && strcmp(policy[p].name, "f_op")) {
			*reason = "known to the handler only";
			return VT_UNJUDGED;
		}
		return VT_DIFFERS;
	case MODE:
		if (!number(a, &x) || !number(b, &y))
			return VT_UNJUDGED;
		*reason = "fsnotify and accounting bits: anonymous files take part in neither";
		if (!((x ^ y) & ~(uint64_t)FMODE_DESIGN))
			return VT_BY_DESIGN;
		*reason = "bits of how the file was opened: retrieve makes a new one";
		if (!((uint32_t)(x ^ y) & ~mode_of_making(in)))
			return VT_BY_DESIGN;
		*reason = "the handler makes every file anew, to be read and written";
		if (opens_for_all(in) && !((uint32_t)(x & ~y) & ~mode_of_making(in)))
			return VT_BY_DESIGN;
		*reason = "the file can do other things than the preserved one";
		return VT_DIFFERS;
	case KEPT:
		if (!keeps_more(in)) {
			*reason = "known to the handler only";
			return VT_UNJUDGED;
		}
		if (strcmp(policy[p].name, "f_inode.seals") || !number(a, &x) || !number(b, &y) || all_seals(x) != all_seals(y))
			return VT_DIFFERS;
		*reason = "F_SEAL_FUTURE_WRITE beside F_SEAL_WRITE says no more";
		return VT_BY_DESIGN;
	case FLAGS:
		if (!number(a, &x) || !number(b, &y))
			return VT_UNJUDGED;
		*reason = "flags of open(2) and fcntl(F_SETFL) are not preserved; only the access mode has to be";
		return (x ^ y) & 3 && !(opens_for_all(in) && (y & 3) == 2) ? VT_DIFFERS : VT_BY_DESIGN;
	default:
		return VT_BY_DESIGN;
	}
}

static void table_row(struct vt_ctx *c, struct vt_field_table *t, const struct vt_life *in, const char *name,
		      const struct vt_member *a, const struct vt_member *b)
{
	struct vt_field_row *r = &t->rows[t->nr++];

	r->name = name;
	r->same = compare(in, policy_of(name), a, b, &r->reason);
	value_str(c, &r->pre, a);
	value_str(c, &r->post, b);
}

static struct vt_field_table *table_of(struct vt_ctx *c, const struct vt_life *in)
{
	struct vt_judgement *j = c->j;

	for (size_t i = 0; i < j->nr_tables; i++) {
		struct vt_field_table *t = &j->tables[i];

		if (t->who.compatible == in->compatible || (t->who.compatible && in->compatible && !strcmp(t->who.compatible, in->compatible))) {
			t->others++;
			return NULL;
		}
	}
	{
		struct vt_field_table *g = realloc(j->tables, (j->nr_tables + 1) * sizeof(*g));

		if (!g) {
			c->err = -ENOMEM;
			return NULL;
		}
		j->tables = g;
		memset(&g[j->nr_tables], 0, sizeof(*g));
		return &g[j->nr_tables++];
	}
}

static void make_table(struct vt_ctx *c, size_t sa, const struct vt_snap *a, size_t sb, const struct vt_snap *b, const struct vt_life *in)
{
	struct vt_field_table *t = table_of(c, in);

	if (!t)
		return;
	t->who = vt_who_of(in);
	t->side[0] = c->j->side[sa];
	t->side[1] = c->j->side[sb];
	t->at[0] = a->at;
	t->at[1] = b->at;
	t->pt[0] = vt_pt_name(a->pt);
	t->pt[1] = vt_pt_name(b->pt);
	t->rows = calloc(a->nr + b->nr + 1, sizeof(*t->rows));
	if (!t->rows) {
		c->err = -ENOMEM;
		return;
	}
	for (unsigned int i = 0; i < a->nr; i++)
		table_row(c, t, in, a->m[i].name, &a->m[i], vt_snap__member(b, a->m[i].name));
	for (unsigned int i = 0; i < b->nr; i++) {
		if (!vt_snap__member(a, b->m[i].name))
			table_row(c, t, in, b->m[i].name, NULL, &b->m[i]);
	}
}

/* ---- findings ---- */

static struct vt_finding *differs(struct vt_ctx *c, enum vt_severity sev, size_t sa, const struct vt_snap *a, size_t sb,
				  const struct vt_snap *b, const struct vt_life *in, const char *member, const char *key)
{
	struct vt_who who = vt_who_of(in);
	struct vt_finding *f = vt_find(c, sev, sb, &who, "%s|%s", in->compatible ? in->compatible : "", key);
	char *v[2] = {};

	if (!f)
		return NULL;
	value_str(c, &v[0], vt_snap__member(a, member));
	value_str(c, &v[1], vt_snap__member(b, member));
	f->func = vt_at_func(&in->at[VT_STEP_RETRIEVE]);
	vt_text(c, &f->seen[sa == sb ? sb : 0], "%s = %s (at %s)", member, v[0] ? v[0] : "?", vt_pt_name(a->pt));
	if (sa != sb)
		vt_text(c, &f->seen[1], "%s = %s (at %s)", member, v[1] ? v[1] : "?", vt_pt_name(b->pt));
	vt_proof(c, f, sa, &a->at, "%s = %s, at %s", member, v[0] ? v[0] : "?", vt_pt_name(a->pt));
	vt_proof(c, f, sb, &b->at, "%s = %s, at %s", member, v[1] ? v[1] : "?", vt_pt_name(b->pt));
	vt_text(c, &f->expected, "the same %s as the file that was preserved", member);
	free(v[0]);
	free(v[1]);
	return f;
}

/* Inside of open(2) the VFS has not set all of them yet: do_dentry_open() does when ->open() has returned. */
static uint32_t mode_design(const struct vt_snap *a, const struct vt_life *in)
{
	return mode_of_making(in) | (a->pt == VT_PT_OPEN ? FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_CAN_READ | FMODE_CAN_WRITE | FMODE_OPENED : 0);
}

/* That is how the handler is meant, and no news to a kernel; to whoever granted less it is. */
static void note_more(struct vt_ctx *c, size_t sa, const struct vt_snap *a, size_t sb, const struct vt_snap *b, const struct vt_life *in, uint32_t won)
{
	struct vt_finding *f = differs(c, VT_NOTE, sa, a, sb, b, in, "f_mode", "opened-for-all");
	char bits[200];

	if (!f)
		return;
	bit_names(won, bits, sizeof(bits));
	vt_text(c, &f->title, "the retrieved file can do more than the preserved one: %s", bits);
	vt_text(c, &f->expected, "allowed");
	vt_text(c, &f->meaning, "Accepted: memfd's handler preserves memory, seals and position, and makes every file to be read and written. A seal keeps a file from being written.");
}

static void judge_mode(struct vt_ctx *c, size_t sa, const struct vt_snap *a, size_t sb, const struct vt_snap *b, const struct vt_life *in)
{
	char lost[200], won[200], key[64];
	struct vt_finding *f;
	uint64_t x, y;
	uint32_t l, w;

	if (!number(vt_snap__member(a, "f_mode"), &x) || !number(vt_snap__member(b, "f_mode"), &y))
		return;
	l = (uint32_t)(x & ~y) & ~mode_design(a, in);
	w = (uint32_t)(y & ~x) & ~mode_design(a, in);
	if (!l && !w)
		return;
	if (!l && opens_for_all(in)) {
		note_more(c, sa, a, sb, b, in, w);
		return;
	}
	bit_names(l, lost, sizeof(lost));
	bit_names(w, won, sizeof(won));
	snprintf(key, sizeof(key), "f_mode-%x+%x", l, w);
	f = differs(c, l & (FMODE_READ | FMODE_WRITE | FMODE_PREAD | FMODE_PWRITE | FMODE_CAN_READ | FMODE_CAN_WRITE | FMODE_OPENED) ?
		    VT_ERROR : VT_WARNING, sa, a, sb, b, in, "f_mode", key);
	if (!f)
		return;
	vt_text(c, &f->title, "the retrieved file's f_mode %s%s%s%s%s", l ? "lacks " : "", lost, l && w ? " and " : "", w ? "has in addition " : "", won);
	if (l & (FMODE_PREAD | FMODE_PWRITE))
		vt_text(c, &f->meaning, "pread(2) and pwrite(2), with which user space reaches a device's regions, fail with ESPIPE on the retrieved file.");
	else if (l)
		vt_text(c, &f->meaning, "The retrieved file can do less than the one that was preserved.");
	else
		vt_text(c, &f->meaning, "The retrieved file can do more than the one that was preserved: its holder gains what nobody granted.");
}

static void judge_must(struct vt_ctx *c, size_t sa, const struct vt_snap *a, size_t sb, const struct vt_snap *b, const struct vt_life *in)
{
	const struct vt_member *x, *y;
	struct vt_finding *f;
	const char *r;
	uint64_t fx, fy;

	x = vt_snap__member(a, "f_op");
	y = vt_snap__member(b, "f_op");
	if (x && y && compare(in, policy_of("f_op"), x, y, &r) == VT_DIFFERS) {
		f = differs(c, VT_ERROR, sa, a, sb, b, in, "f_op", "f_op");
		if (f) {
			vt_text(c, &f->title, "the retrieved file has other file operations than the preserved one");
			vt_text(c, &f->meaning, "Whatever user space does with the file goes to another driver's functions.");
		}
	}
	x = vt_snap__member(a, "private_data");
	y = vt_snap__member(b, "private_data");
	/* With another BDF the device is another one: that is said by the rule identity. */
	if (x && y && !x->err && !y->err && in->is_vfio && x->kind == VT_STR && y->kind == VT_STR &&
	    strncmp(x->str, y->str, strcspn(x->str, " #"))) {
		f = differs(c, VT_ERROR, sa, a, sb, b, in, "private_data", "private_data");
		if (f) {
			vt_text(c, &f->title, "the retrieved file's private_data is no vfio_device_file");
			vt_text(c, &f->meaning, "Every operation on the file takes private_data for a struct vfio_device_file.");
		}
	}
	if (number(vt_snap__member(a, "f_flags"), &fx) && number(vt_snap__member(b, "f_flags"), &fy) && ((fx ^ fy) & 3) &&
	    !(opens_for_all(in) && (fy & 3) == 2)) {
		f = differs(c, VT_WARNING, sa, a, sb, b, in, "f_flags", "access-mode");
		if (f) {
			vt_text(c, &f->title, "the retrieved file was opened with another access mode");
			vt_text(c, &f->meaning, "fcntl(F_GETFL) tells user space another access mode than it had.");
		}
	}
}

static void judge_position(struct vt_ctx *c, size_t sa, const struct vt_snap *a, size_t sb, const struct vt_snap *b, const struct vt_life *in)
{
	const struct vt_member *x = vt_snap__member(a, "f_pos"), *y = vt_snap__member(b, "f_pos");
	struct vt_finding *f;

	if (!keeps_more(in) || a->pt != VT_PT_FREEZE || !x || !y || x->err || y->err || equal(x, y))
		return;
	f = differs(c, VT_WARNING, sa, a, sb, b, in, "f_pos", "f_pos");
	if (!f)
		return;
	vt_text(c, &f->title, "the retrieved memfd does not stand where the preserved one stood");
	vt_text(c, &f->meaning, "read(2) and write(2) go on at another position.");
}

static void seal_names(uint32_t seals, char *buf, size_t size)
{
	static const char *const name[] = { "SEAL", "SHRINK", "GROW", "WRITE", "FUTURE_WRITE", "EXEC" };
	size_t n = 0;

	buf[0] = 0;
	for (size_t i = 0; i < 32 && n < size; i++) {
		if (!(seals >> i & 1))
			continue;
		if (i < sizeof(name) / sizeof(name[0]))
			n += (size_t)snprintf(buf + n, size - n, "%sF_SEAL_%s", n ? " | " : "", name[i]);
		else
			n += (size_t)snprintf(buf + n, size - n, "%s0x%x", n ? " | " : "", 1u << i);
	}
}

static void judge_seals(struct vt_ctx *c, size_t sa, const struct vt_snap *a, size_t sb, const struct vt_snap *b, const struct vt_life *in)
{
	char lost[120], won[120];
	struct vt_finding *f;
	uint64_t x, y;

	if (!keeps_more(in) || !number(vt_snap__member(a, "f_inode.seals"), &x) || !number(vt_snap__member(b, "f_inode.seals"), &y))
		return;
	x = all_seals(x);
	y = all_seals(y);
	if (x == y)
		return;
	seal_names((uint32_t)(x & ~y), lost, sizeof(lost));
	seal_names((uint32_t)(y & ~x), won, sizeof(won));
	f = differs(c, VT_ERROR, sa, a, sb, b, in, "f_inode.seals", x & ~y ? "seals-lost" : "seals-won");
	if (!f)
		return;
	vt_text(c, &f->title, "the retrieved memory file %s%s%s%s%s", x & ~y ? "lacks " : "", lost, x & ~y && y & ~x ? " and " : "",
		y & ~x ? "has in addition " : "", won);
	if (y & ~x & SEALS_OF_WRITING)
		vt_text(c, &f->meaning, "Nobody can write to the memory any more: write(2) and a shared mapping to be written fail with EPERM. A seal cannot be taken off.");
	else if (x & ~y)
		vt_text(c, &f->meaning, "What the seal ruled out is possible again: whoever relied on it is deceived.");
	else
		vt_text(c, &f->meaning, "What was possible before the update is not any more, and a seal cannot be taken off.");
}

static void judge_size(struct vt_ctx *c, size_t sa, const struct vt_snap *a, size_t sb, const struct vt_snap *b, const struct vt_life *in)
{
	struct vt_finding *f;
	uint64_t x, y;

	if (!keeps_more(in) || !number(vt_snap__member(a, "f_inode.i_size"), &x) || !number(vt_snap__member(b, "f_inode.i_size"), &y) || x == y)
		return;
	f = differs(c, VT_ERROR, sa, a, sb, b, in, "f_inode.i_size", y < x ? "smaller" : "larger");
	if (!f)
		return;
	vt_text(c, &f->title, "the retrieved memory file is %s than the preserved one", y < x ? "smaller" : "larger");
	vt_text(c, &f->meaning, y < x ? "The end of the memory is lost: access to it is SIGBUS." : "User space finds bytes that it never wrote.");
}

static void judge_pair(struct vt_ctx *c, size_t sa, const struct vt_snap *a, size_t sb, const struct vt_snap *b, const struct vt_life *in)
{
	vt_judged(c, 1);
	make_table(c, sa, a, sb, b, in);
	judge_mode(c, sa, a, sb, b, in);
	judge_must(c, sa, a, sb, b, in);
	judge_position(c, sa, a, sb, b, in);
	judge_seals(c, sa, a, sb, b, in);
	judge_size(c, sa, a, sb, b, in);
}

static void fields(struct vt_ctx *c)
{
	size_t last = c->j->nr_sides - 1;
	const struct vt_side *post = c->j->side[last];

	for (const struct vt_session *v = post->sessions; v; v = v->next) {
		for (const struct vt_life *in = v->lives; in && v->dir == VT_INCOMING; in = in->next) {
			const struct vt_life *out = NULL;
			const struct vt_snap *a = NULL;

			if (!in->snap || vt_life_torn(c, last, in))
				continue;
			if (vt_pair_fits(c))
				out = vt_side__life(c->j->side[0], VT_OUTGOING, v->name, in->token);
			if (out)
				a = out->snap ? out->snap : out->open_snap;
			if (a && vt_life_torn(c, 0, out))
				continue;
			if (a)
				judge_pair(c, 0, a, last, in->snap, in);
			else if (in->is_vfio && post->example_open)
				judge_pair(c, last, post->example_open, last, in->snap, in);
		}
	}
}

const struct vt_rule vt_rule_file_fields = {
	.id = "file-fields", .name = "struct file differs", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.judges = { "file", "files" },
	.needs = { { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_FILE_SNAP, VT_ANY } },
	.run = fields,
};
