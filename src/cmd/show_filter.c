// SPDX-License-Identifier: GPL-2.0
/* Which events show shows. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/show.h"

static bool fits(const char *glob, const char *s)
{
	return !glob || (s && !fnmatch(glob, s, 0));
}

static bool is_task(const char *glob, const struct vt_event *e)
{
	char number[16];

	if (fits(glob, e->comm))
		return true;
	snprintf(number, sizeof(number), "%" PRIu32, e->tid);
	return !strcmp(glob, number);
}

static bool in_index(const struct vt_filter *f, uint64_t index)
{
	for (size_t i = 0; i < f->nr_index; i++) {
		if (index >= f->index[i].from && index <= f->index[i].to)
			return true;
	}
	return !f->nr_index;
}

bool vt_filter__takes(const struct vt_filter *f, const struct vt_event *e)
{
	uint64_t token;

	if (e->ts_ns < f->from_ns || e->ts_ns > f->to_ns || !in_index(f, e->index))
		return false;
	if (f->has_token && (!vt_ev_u64(e, VT_F_TOKEN, &token) || token != f->token))
		return false;
	return fits(f->session, vt_ev_str(e, VT_F_SESSION)) && fits(f->type, e->type_name) && fits(f->func, vt_ev_str(e, VT_F_FUNC)) && is_task(f->task, e);
}

static bool number(const char **at, uint64_t *n)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*n = strtoull(*at, &end, 10);
	*at = end;
	return !errno;
}

bool vt_filter__index(struct vt_filter *f, const char *text, uint64_t context)
{
	for (const char *at = text; ; at++) {
		uint64_t from, to;

		if (*at == '#')
			at++;
		if (!number(&at, &from))
			return false;
		to = from;
		if (*at == '-') {
			at++;
			if (!number(&at, &to) || to < from)
				return false;
		}
		if (f->nr_index == VT_RANGES_MAX || (*at && *at != ','))
			return false;
		f->index[f->nr_index].from = from > context ? from - context : 0;
		f->index[f->nr_index++].to = to < UINT64_MAX - context ? to + context : UINT64_MAX;
		if (!*at)
			return true;
	}
}

/* What is told to the microsecond means all of it: an end reaches to the last nanosecond of the last digit. */
bool vt_filter__time(const char *text, bool end, uint64_t *ns)
{
	uint64_t seconds, unit = 1000000000;

	if (!number(&text, &seconds) || seconds > UINT64_MAX / 1000000000 - 1)
		return false;
	*ns = seconds * unit;
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9' && unit > 1; text++) {
			unit /= 10;
			*ns += (uint64_t)(*text - '0') * unit;
		}
	}
	if (end && unit < 1000000000)
		*ns += unit - 1;
	return !*text;
}
