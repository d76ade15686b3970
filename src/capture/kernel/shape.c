/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/shape.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>

/* ---- as the kernel has it ---- */

static const struct btf_type *plain(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static const char *number(const struct btf_type *t)
{
	if (btf_is_int(t) && btf_int_encoding(t) & BTF_INT_BOOL)
		return "bool";
	return t->size == 8 ? "long" : t->size == 4 ? "int" : "small";
}

static void describe(const struct btf *btf, __u32 id, char *buf, size_t len)
{
	const struct btf_type *t = plain(btf, id);
	char stars[8] = "";
	size_t depth = 0;

	for (; t && btf_is_ptr(t); t = plain(btf, t->type))
		if (depth + 1 < sizeof(stars))
			stars[depth++] = '*';
	if (!t)
		snprintf(buf, len, "?");
	else if (!depth && (btf_is_int(t) || btf_is_any_enum(t)))
		snprintf(buf, len, "%s", number(t));
	else if (!depth && btf_is_void(t))
		snprintf(buf, len, "%s", "");
	else if (!depth)
		snprintf(buf, len, "struct %s", btf__name_by_offset(btf, t->name_off));
	else
		snprintf(buf, len, "%s%s", t->name_off ? btf__name_by_offset(btf, t->name_off) : "void", stars);
}

void shape__of(const struct btf *btf, uint32_t func_id, char *buf, size_t len)
{
	const struct btf_type *proto = btf__type_by_id(btf, btf__type_by_id(btf, func_id)->type);
	const struct btf_param *p = btf_params(proto);
	char type[96];
	size_t used = 0;

	*buf = 0;
	for (int i = 0; i < btf_vlen(proto) && used < len; i++) {
		describe(btf, p[i].type, type, sizeof(type));
		used += snprintf(buf + used, len - used, "%s,", type);
	}
	describe(btf, proto->type, type, sizeof(type));
	if (used < len)
		snprintf(buf + used, len - used, ">%s", type);
}

/* ---- against what a hook expects ---- */

int shape__args(const char *shape)
{
	int nr = 0;

	for (; *shape; shape++)
		nr += *shape == ',';
	return nr;
}

/* The next type of C, up to a comma or the end, in the words of describe(). */
static const char *take_c(const char *c, char *buf, size_t len)
{
	size_t n = 0;

	for (const char *const *w = (const char *const []){ "const ", "struct ", NULL }; *w; w++)
		if (!strncmp(c, *w, strlen(*w)))
			c += strlen(*w);
	for (; *c && *c != ','; c++)
		if (*c != ' ' && n + 1 < len)
			buf[n++] = *c;
	buf[n] = 0;
	if (!strcmp(buf, "u64"))
		snprintf(buf, len, "long");
	else if (!strcmp(buf, "u32"))
		snprintf(buf, len, "int");
	return c + (*c == ',');
}

static const char *take(const char *func, char *buf, size_t len)
{
	size_t n = strcspn(func, ",");

	snprintf(buf, len, "%.*s", (int)n, func);
	return func + n + (func[n] == ',');
}

static bool same(const char *has, const char *wanted)
{
	size_t len = strlen(has);

	return !strcmp(has, wanted) || (!strcmp(wanted, "void*") && len && has[len - 1] == '*');
}

static const char *or_nothing(const char *type)
{
	return *type ? type : "nothing";
}

static bool returns_fit(const char *func, const char *hook, char *why, size_t len)
{
	const char *has = strchr(func, '>'), *gives = strchr(hook, '>');
	char wanted[96];

	take_c(gives ? gives + 1 : "", wanted, sizeof(wanted));
	if (has && same(has + 1, wanted))
		return true;
	snprintf(why, len, "returns %s here, %s is expected", or_nothing(has ? has + 1 : "?"), or_nothing(wanted));
	return false;
}

bool shape__fits(const char *func, const char *hook, char *why, size_t len)
{
	int args = shape__args(func), expected = shape__args(hook);
	const char *has_at = func, *wanted_at = hook;

	if (args != expected) {
		snprintf(why, len, "takes %d arguments here, %d are expected", args, expected);
		return false;
	}
	for (int i = 0; i < args; i++) {
		char has[96], wanted[96];

		has_at = take(has_at, has, sizeof(has));
		wanted_at = take_c(wanted_at, wanted, sizeof(wanted));
		if (same(has, wanted))
			continue;
		snprintf(why, len, "argument %d is %s here, %s is expected", i + 1, has, wanted);
		return false;
	}
	return returns_fit(func, hook, why, len);
}
