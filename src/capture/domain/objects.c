/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who allocates what with which function, and who frees it with which: struct
 * luo_file and struct luo_session in LUO's own text, and whatever a handler's
 * callbacks allocate. Seen at the calls: nobody else's memory is looked at.
 */
#include "capture/domain/domain.h"

#include <errno.h>
#include <string.h>

#include "capture/kernel/calls.h"
#include "capture/kernel/kernel.h"
#include "capture/object/object.h"

/* Functions that allocate or free nothing but one struct, with what the compiler may have cut out of them. */
static const char *const with_files[] = {
	"luo_preserve_file", "luo_file_unpreserve_files", "luo_file_finish", "luo_file_deserialize", "luo_file_deserialize_one", NULL,
};
static const char *const with_sessions[] = {
	"luo_session_create", "luo_session_release", "luo_session_deserialize", "luo_session_deserialize_one",
	"luo_session_alloc", "luo_session_free", NULL,
};

/* KHO blocks are paired by their physical address: in LUO's functions they are not the object that is looked for. */
static bool other_family(const struct call *c)
{
	return !strcmp(c->callee->family, "kho") || !strcmp(c->callee->name, "kho_restore_vmalloc");
}

/* The plan says which call it is whose result cannot be seen. */
static int no_result(struct domains *d, const struct call *c, const struct site_use *use, int err)
{
	char where[160];

	kernel__site(d->k, c->addr, where, sizeof(where));
	where[strcspn(where, " ")] = 0;
	return attach__no_call(d->attach, use, where, err == -EBUSY ? "another probe stands where its result is tested" :
			       "its result is tested where no kprobe may stand that must never be optimized", 0);
}

/* A kprobe where the result is tested, and one on the call where that alone could be something else's. */
static int attach_alloc(struct domains *d, struct call *c, const struct site_use *use)
{
	struct site_use call = *use;
	int err = calls__find_result(d->k, c, object__reader, d->obj), before = 0, at;

	if (err == -ENOMEM)
		return err;
	if (err)
		return no_result(d, c, use, err);
	call.kind = VT_SITE_OBJ_CALL;
	if (c->joined)
		before = attach__call(d->attach, c, &call);
	at = before < 0 ? before : attach__call(d->attach, c, use);
	return at < 0 ? at : before + at;
}

static int attach_call(void *arg, struct call *c, const struct site_use *use)
{
	struct domains *d = arg;

	return use->kind == VT_SITE_OBJ_ALLOC ? attach_alloc(d, c, use) : attach__call(d->attach, c, use);
}

/* ---- in LUO's text ---- */

static int attach_unless_kho(void *arg, struct call *c, const struct site_use *use)
{
	return other_family(c) ? 0 : attach_call(arg, c, use);
}

static int attach_in(struct domains *d, const char *const *names, enum calls_of what, const struct site_use *use)
{
	struct call *found;
	int nr = calls__in_functions(d->k, names, what, object__reader, d->obj, &found);

	if (nr <= 0)
		return attach__no_call(d->attach, use, names[0], nr ? "LUO's text could not be searched for calls" :
				       "no call of an allocator or free function found in LUO's text", nr);
	return attach__calls(d->attach, found, nr, use, attach_unless_kho, d);
}

static int attach_class(struct domains *d, const char *const *names, enum vt_class cls)
{
	const struct site_use alloc = { .kind = VT_SITE_OBJ_ALLOC, .event = VT_EV_OBJ_ALLOC, .module = "vmlinux", .cls = cls };
	const struct site_use free_ = { .kind = VT_SITE_OBJ_FREE, .event = VT_EV_OBJ_FREE, .module = "vmlinux", .cls = cls };
	int a = attach_in(d, names, CALLS_OF_ALLOC, &alloc);
	int f = a < 0 ? a : attach_in(d, names, CALLS_OF_FREE, &free_);

	return f < 0 ? f : a + f;
}

static int attach_luo(struct domains *d)
{
	int files = attach_class(d, with_files, VT_C_LUO_FILE);
	int sessions = files < 0 ? files : attach_class(d, with_sessions, VT_C_SESSION);

	return sessions < 0 ? sessions : files + sessions;
}

/* ---- in callbacks ---- */

static int no_text(struct domains *d, const struct site_use *use, int err)
{
	return attach__no_call(d->attach, use, "a callback", err == -ENOENT ? "no symbol at the callback's address" :
			       "the callbacks' text could not be searched for calls", err);
}

/* One that allocates nothing is no blind spot: no row then. */
static int attach_callbacks(struct domains *d, const struct callbacks *cb)
{
	const struct site_use alloc = { .kind = VT_SITE_OBJ_ALLOC, .event = VT_EV_OBJ_ALLOC, .module = cb->module, .cls = VT_C_OTHER };
	const struct site_use free_ = { .kind = VT_SITE_OBJ_FREE, .event = VT_EV_OBJ_FREE, .module = cb->module };
	struct call *found;
	int n, a, f;

	n = calls__at(d->k, cb->addr, cb->nr, CALLS_OF_ALLOC, object__reader, d->obj, &found);
	a = n < 0 ? no_text(d, &alloc, n) : attach__calls(d->attach, found, n, &alloc, attach_call, d);
	if (a < 0)
		return a;
	n = calls__at(d->k, cb->addr, cb->nr, CALLS_OF_FREE, object__reader, d->obj, &found);
	f = n < 0 ? no_text(d, &free_, n) : attach__calls(d->attach, found, n, &free_, attach_call, d);
	return f < 0 ? f : a + f;
}

struct state {
	bool luo_done;
	size_t callbacks_done;
};

static int attach(struct domains *d, void *state)
{
	struct state *s = state;
	int attached = s->luo_done ? 0 : attach_luo(d);

	s->luo_done = true;
	while (attached >= 0 && s->callbacks_done < d->nr_callbacks) {
		int ret = attach_callbacks(d, &d->callbacks[s->callbacks_done++]);

		attached = ret < 0 ? ret : attached + ret;
	}
	return attached;
}

/* ---- its events ---- */

static const enum vt_event_type sites[] = { VT_EV_OBJ_ALLOC, VT_EV_OBJ_FREE, 0 };

static const struct domain_life births[] = {
	{ VT_EV_OBJ_ALLOC, VT_S_OBJ_LUO_FILE, 0 },
	{ VT_EV_OBJ_ALLOC, VT_S_OBJ_SESSION, 0 },
	{ VT_EV_OBJ_ALLOC, VT_S_OBJ_OTHER, 0 },
	{ 0 },
};

static const struct domain_life deaths[] = {
	{ VT_EV_OBJ_FREE, VT_S_OBJ_LUO_FILE, 0 },
	{ VT_EV_OBJ_FREE, VT_S_OBJ_SESSION, 0 },
	{ VT_EV_OBJ_FREE, VT_S_OBJ_OTHER, 0 },
	{ 0 },
};

static const struct domain_parting parting[] = {
	{ VT_EV_OBJ_FREE, VT_P_NONE },
	{ 0 },
};

static const struct domain_memory remembered[] = {
	{ VT_C_LUO_FILE, VT_EV_OBJ_FREE },
	{ VT_C_SESSION, VT_EV_OBJ_FREE },
	{ 0 },
};

const struct domain domain_objects = {
	.phase = "attach objects",
	.state = sizeof(struct state),
	.attach = attach,
	.sites = sites,
	.births = births,
	.deaths = deaths,
	.parting = parting,
	.remembered = remembered,
};
