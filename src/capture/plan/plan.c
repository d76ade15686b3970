/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/plan/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/arch/arch.h"
#include "capture/kernel/kernel.h"

enum { ENTER = 1, EXIT = 2, BOTH = ENTER | EXIT };
enum { OWN, SHARED, HOT, WIDE, SLEEPS };

const struct hook plan_hooks[VT_HOOKS] = {
#define ARG(type, name) #type ","
#define RET(type) ">" #type
#define ROW(in, when, name, ends, type, functions, share, flag, args...) [VT_HOOK_##name] = { \
	.group = PLAN_##when, .domain = #in, .prog = #name, .enter = (ends) & ENTER, .exit = (ends) & EXIT, .event = VT_EV_##type, \
	.funcs = functions, .shared = (share) != OWN && (share) != SLEEPS, .hot = (share) == HOT || (share) == WIDE, .wide = (share) == WIDE, .flags = flag, .shape = "" args },
#include "vfiotrace/hooks/all.def"
#undef ARG
#undef RET
};

struct plan_row *plan__add(struct plan *p)
{
	struct plan_row *r;

	if (p->nr == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 128;
		struct plan_row *grown = realloc(p->rows, cap * sizeof(*grown));

		if (!grown)
			return NULL;
		p->rows = grown;
		p->cap = cap;
	}
	r = &p->rows[p->nr++];
	memset(r, 0, sizeof(*r));
	r->prog_fd = r->link_fd = r->aux_fd = -1;
	p->indexed = false;
	return r;
}

/* Takes the next of "one|other" off *AT. */
static bool next_name(const char **at, char *func, size_t len)
{
	size_t n = strcspn(*at, "|");

	if (!n)
		return false;
	snprintf(func, len, "%s%.*s", strncmp(*at, "sys_", 4) ? "" : arch.syscall_prefix, (int)n, *at);
	*at += n + ((*at)[n] == '|');
	return true;
}

/* Picks the candidate: FUNC gets its name. One that BTF knows as it must be is best, and one that only has a symbol is last. */
static struct func_info pick(struct kernel *k, const struct hook *h, const char *module, char *func, size_t len)
{
	struct func_info fi = { 0 };
	char why[160];
	const char *at;

	for (int any = 0; any < 2; any++) {
		for (at = h->funcs; next_name(&at, func, len);) {
			fi = kernel__func(k, func, module);
			if (fi.found && (any || shape__fits(fi.shape, h->shape, why, sizeof(why))))
				return fi;
		}
	}
	memset(&fi, 0, sizeof(fi));
	for (at = h->funcs; next_name(&at, func, len);)
		if (kernel__addr(k, func, module ? module : "vmlinux"))
			return fi;
	at = h->funcs;
	next_name(&at, func, len);
	return fi;
}

/* Tells it in REASON. */
static void absent(struct plan_row *r, struct kernel *k, const struct plan_scope *s)
{
	if (s->module && !kernel__module_btf(k, s->module) && !kernel__addr(k, s->witness, NULL))
		snprintf(r->reason, sizeof(r->reason), "module %s is not loaded", s->module);
	else
		snprintf(r->reason, sizeof(r->reason), "this kernel has no such function (or it was inlined)");
}

const struct hook *plan__hook(const char *prog)
{
	for (size_t i = 0; i < VT_HOOKS; i++)
		if (!strcmp(plan_hooks[i].prog, prog + 2) && (*prog == 'e' ? plan_hooks[i].enter : plan_hooks[i].exit))
			return &plan_hooks[i];
	return NULL;
}

void plan__aim(struct plan_row *r, const struct hook *h, const struct func_info *fi)
{
	r->method = PLAN_FENTRY;
	r->btf_id = fi->btf_id;
	r->args = fi->found ? fi->args : shape__args(h->shape);
	r->possible = fi->found && shape__fits(fi->shape, h->shape, r->reason, sizeof(r->reason));
}

/* A kprobe takes arguments from the registers: where the ABI says, but a function that BTF leaves out may be called in a way of its own. */
static void aim_by_symbol(struct plan_row *r, struct kernel *k, const struct hook *h)
{
	bool known = h->flags & VT_HOOK_CALLBACK || kernel__global(k, r->func, r->module);

	r->only_kprobe = r->possible = known;
	if (known)
		r->method = PLAN_KPROBE;
	snprintf(r->reason, sizeof(r->reason), "in the symbol table but not in BTF%s",
		 known ? "" : "; it is static, and the compiler may hand over its arguments in another way");
}

static int add_row(struct plan *p, struct kernel *k, const struct hook *h, bool exit, const struct plan_scope *s)
{
	const char *module = s->module ? s->module : "vmlinux";
	struct plan_row *r = plan__add(p);
	struct func_info fi;

	if (!r)
		return -ENOMEM;
	fi = pick(k, h, s->module, r->func, sizeof(r->func));
	r->group = h->group;
	r->event = h->event;
	r->exit = exit;
	snprintf(r->prog, sizeof(r->prog), "%c_%s", exit ? 'x' : 'e', h->prog);
	snprintf(r->module, sizeof(r->module), "%s", fi.found ? fi.module : module);
	plan__aim(r, h, &fi);
	r->addr = fi.found ? 0 : kernel__addr(k, r->func, r->module);
	if (r->addr)
		aim_by_symbol(r, k, h);
	else if (!fi.found)
		absent(r, k, s);
	return 0;
}

static bool is_there(struct kernel *k, const struct hook *h, const char *module)
{
	char func[96];

	return pick(k, h, module, func, sizeof(func)).found || kernel__addr(k, func, module ? module : "vmlinux");
}

/* Of two forms of a hook the one that this kernel has, or else the newer one: it has the reason. */
static bool is_passed_over(struct kernel *k, const struct hook *h, const char *module)
{
	if (h->flags & VT_HOOK_OLDER)
		return is_there(k, h - 1, module) || !is_there(k, h, module);
	return h + 1 < plan_hooks + VT_HOOKS && h[1].flags & VT_HOOK_OLDER && !is_there(k, h, module) && is_there(k, h + 1, module);
}

int plan__resolve(struct plan *p, struct kernel *k, const struct plan_scope *s)
{
	for (size_t i = 0; i < VT_HOOKS; i++) {
		const struct hook *h = &plan_hooks[i];
		int err = 0;

		if (h->group != s->group || is_passed_over(k, h, s->module))
			continue;
		/* The end first: a call that is seen to begin must be seen to end. */
		if (h->exit)
			err = add_row(p, k, h, true, s);
		if (!err && h->enter)
			err = add_row(p, k, h, false, s);
		if (err)
			return err;
	}
	return 0;
}

void plan__give_up(struct plan_row *r, const char *what, int err)
{
	r->possible = false;
	if (err)
		snprintf(r->reason, sizeof(r->reason), "%s: %s", what, strerror(err < 0 ? -err : err));
	else
		snprintf(r->reason, sizeof(r->reason), "%.*s", (int)sizeof(r->reason) - 1, what);
}

void plan__drop_rows(struct plan *p, enum plan_group group, uint64_t key)
{
	size_t keep_nr = 0;

	for (size_t i = 0; i < p->nr; i++) {
		struct plan_row *r = &p->rows[i];

		if (r->group != group || r->key != key) {
			p->rows[keep_nr++] = *r;
			continue;
		}
		plan__detach(r);
	}
	p->nr = keep_nr;
	p->indexed = false;
}

bool plan__asks_for_kprobe(const struct plan *p, const char *func)
{
	const char *at = p->force_kprobe;
	size_t len = strlen(func);

	for (; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == len && !strncmp(at, func, len))
			return true;
	return false;
}

size_t plan__attached(const struct plan *p)
{
	size_t nr = 0;

	for (size_t i = 0; i < p->nr; i++)
		nr += p->rows[i].attached;
	return nr;
}

static void index_rows(struct plan *p)
{
	memset(p->first, 0, sizeof(p->first));
	for (size_t i = p->nr; i > 0; i--) {
		struct plan_row *r = &p->rows[i - 1];

		r->next = p->first[r->event];
		p->first[r->event] = i;
	}
	p->indexed = true;
}

struct plan_row *plan__source(struct plan *p, enum vt_event_type event, bool exit, uint64_t key, unsigned int variant)
{
	struct plan_row *r, *other = NULL;

	if (event >= VT_EV_MAX)
		return NULL;
	if (!p->indexed)
		index_rows(p);
	for (uint32_t at = p->first[event]; at; at = r->next) {
		r = &p->rows[at - 1];
		if (r->key && r->key != key)
			continue;
		if (variant && r->exit == exit) {
			variant--;
			continue;
		}
		if (!r->attached)
			continue;
		if (r->exit == exit)
			return r;
		/* A point event comes from the first of its functions. */
		if (!other)
			other = r;
	}
	return other;
}

struct plan_row *plan__by_prog(struct plan *p, enum plan_group group, uint64_t key, const char *prog)
{
	for (size_t i = 0; i < p->nr; i++)
		if (p->rows[i].group == group && p->rows[i].key == key && !strcmp(p->rows[i].prog, prog))
			return &p->rows[i];
	return NULL;
}

const char *plan__method_name(const struct plan_row *r)
{
	switch (r->method) {
	case PLAN_ABSENT: break;
	case PLAN_MULTI: case PLAN_FENTRY: return r->exit ? "fexit" : "fentry";
	case PLAN_KPROBE: return r->exit ? "kretprobe" : "kprobe";
	case PLAN_CALL_SITE: return "site";
	case PLAN_FMOD_RET: return "fmod_ret";
	}
	return "absent";
}

struct vt_probe *plan__probes(const struct plan *p)
{
	struct vt_probe *out = calloc(p->nr + 1, sizeof(*out));

	for (size_t i = 0; out && i < p->nr; i++) {
		const struct plan_row *r = &p->rows[i];

		out[i] = (struct vt_probe){
			.func = r->func, .module = r->module,
			.event = vt_event_name(r->event),
			.method = r->attached || r->method == PLAN_ABSENT ? plan__method_name(r) : "none",
			.reason = r->reason, .attached = r->attached,
			.attach_ns = r->attach_ns, .hits = r->hits,
			.misses = r->misses, .recursion_misses = r->recursion_misses,
		};
	}
	return out;
}

void plan__shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void plan__detach(struct plan_row *r)
{
	plan__shut(&r->link_fd);
	plan__shut(&r->aux_fd);
	plan__shut(&r->prog_fd);
	r->deputy = 0;
}

void plan__clear(struct plan *p)
{
	free(p->rows);
	memset(p, 0, sizeof(*p));
}
