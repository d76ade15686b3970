/* SPDX-License-Identifier: GPL-2.0 */
/* Which LUO sessions are open: while one is, there is something to record. */
#include <stdlib.h>
#include <string.h>

#include "capture/record/private.h"

static size_t find(const struct open_sessions *s, const char *name)
{
	size_t i = 0;

	while (i < s->nr && strncmp(s->name[i], name, VT_SESSION_LEN))
		i++;
	return i;
}

static void opened(struct open_sessions *s, const char *name)
{
	if (find(s, name) < s->nr)
		return;
	if (s->nr == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;
		void *grown = realloc(s->name, cap * sizeof(*s->name));

		if (!grown) {
			s->unsure = true;
			return;
		}
		s->name = grown;
		s->cap = cap;
	}
	memcpy(s->name[s->nr++], name, VT_SESSION_LEN);
}

static void closed(struct open_sessions *s, const char *name)
{
	size_t i = find(s, name);

	if (i < s->nr)
		memmove(s->name[i], s->name[--s->nr], VT_SESSION_LEN);
}

/* What was open before us is nobody's that we know: it is not waited for. Nor is the one that carries the trace. */
void sessions__note(struct open_sessions *s, const struct vt_wire *w)
{
	if (!w->has_session || !strncmp(w->session, VT_OWN_SESSION, VT_SESSION_LEN))
		return;
	if (w->type == VT_EV_SESSION_RELEASE)
		closed(s, w->session);
	else if ((w->type == VT_EV_SESSION_CREATE || w->type == VT_EV_SESSION_RETRIEVE) && w->phase == VT_EXIT && !w->slot[VT_S_RET])
		opened(s, w->session);
}

void sessions__free(struct open_sessions *s)
{
	free(s->name);
}
