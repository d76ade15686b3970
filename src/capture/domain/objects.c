/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who allocates what with which function, and who frees it with which: struct
 * luo_file and struct luo_session in LUO's own text, and whatever a handler's
 * callbacks allocate. Seen at the calls: nobody else's memory is looked at.
 */
#include "capture/attach/method.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/kernel.h"

/* Functions that allocate or free nothing but one struct, with what the compiler may have cut out of them. */
static const char *const with_files[] = {
	"luo_preserve_file", "luo_file_unpreserve_files", "luo_file_finish", "luo_file_deserialize", "luo_file_deserialize_one", NULL,
};
static const char *const with_sessions[] = {
	"luo_session_create", "luo_session_release", "luo_session_deserialize", "luo_session_deserialize_one",
	"luo_session_alloc", "luo_session_free", NULL,
};

/* KHO blocks are paired by their physical address: in LUO's functions they are not the object that is looked for. */
static bool other_family(const struct found_site *f)
{
	return !strcmp(f->callee->family, "kho") || !strcmp(f->callee->name, "kho_restore_vmalloc");
}

/* The plan says which call it is whose result cannot be seen. */
static int no_result(struct engine *e, const struct found_site *f, const struct site_use *use, int err)
{
	char where[160];

	kernel__site(e->k, f->addr, where, sizeof(where));
	where[strcspn(where, " ")] = 0;
	return callsites__none(e, use, where, err == -EBUSY ? "another probe stands where its result is tested" :
			       "its result is tested where no kprobe may stand that must never be optimized", 0);
}

/* A kprobe where the result is tested, and one on the call where that alone could be something else's. */
static int attach_alloc(struct engine *e, struct found_site *f, const struct site_use *use)
{
	struct site_use call = *use;
	int err = sites__find_result(e->k, f, engine__reader, e), before = 0, at;

	if (err == -ENOMEM)
		return err;
	if (err)
		return no_result(e, f, use, err);
	call.kind = VT_SITE_OBJ_CALL;
	if (f->joined)
		before = callsites__attach(e, f, &call);
	at = before < 0 ? before : callsites__attach(e, f, use);
	return at < 0 ? at : before + at;
}

static int attach_call(struct engine *e, struct found_site *f, const struct site_use *use)
{
	return use->kind == VT_SITE_OBJ_ALLOC ? attach_alloc(e, f, use) : callsites__attach(e, f, use);
}

static int attach_unless_kho(struct engine *e, struct found_site *f, const struct site_use *use)
{
	return other_family(f) ? 0 : attach_call(e, f, use);
}

static int attach_in(struct engine *e, const char *const *names, enum sites_kind kind, const struct site_use *use)
{
	struct found_site *found;
	int nr = sites__scan_functions(e->k, names, kind, engine__reader, e, &found);

	if (nr <= 0)
		return callsites__none(e, use, names[0], nr ? "LUO's text could not be searched for calls" :
				       "no call of an allocator or free function found in LUO's text", nr);
	return callsites__attach_all(e, found, nr, use, attach_unless_kho);
}

static int attach_class(struct engine *e, const char *const *names, enum vt_class cls)
{
	const struct site_use alloc = { .kind = VT_SITE_OBJ_ALLOC, .event = VT_EV_OBJ_ALLOC, .module = "vmlinux", .cls = cls };
	const struct site_use free_ = { .kind = VT_SITE_OBJ_FREE, .event = VT_EV_OBJ_FREE, .module = "vmlinux", .cls = cls };
	int a = attach_in(e, names, SITES_ALLOC, &alloc);
	int f = a < 0 ? a : attach_in(e, names, SITES_FREE, &free_);

	return f < 0 ? f : a + f;
}

int objects__attach_luo(struct engine *e)
{
	int files = attach_class(e, with_files, VT_C_LUO_FILE);
	int sessions = files < 0 ? files : attach_class(e, with_sessions, VT_C_SESSION);

	return sessions < 0 ? sessions : files + sessions;
}

/* A callback that allocates nothing is no blind spot: no row then. */
int objects__attach_handler(struct engine *e, const char *module, const uint64_t *addr, size_t nr)
{
	const struct site_use alloc = { .kind = VT_SITE_OBJ_ALLOC, .event = VT_EV_OBJ_ALLOC, .module = module, .cls = VT_C_OTHER };
	const struct site_use free_ = { .kind = VT_SITE_OBJ_FREE, .event = VT_EV_OBJ_FREE, .module = module };
	struct found_site *found;
	int n, a, f;

	n = sites__scan_at(e->k, addr, nr, SITES_ALLOC, engine__reader, e, &found);
	a = n < 0 ? 0 : callsites__attach_all(e, found, n, &alloc, attach_call);
	if (a < 0)
		return a;
	n = sites__scan_at(e->k, addr, nr, SITES_FREE, engine__reader, e, &found);
	f = n < 0 ? 0 : callsites__attach_all(e, found, n, &free_, attach_call);
	return f < 0 ? f : a + f;
}
