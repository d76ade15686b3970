// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

/* ---- sessions ---- */

struct vt_session *session_find(struct vt_build *b, enum vt_dir dir, const char *name)
{
	struct vt_session *s = vt_map__get(&b->sessions.by_name[dir], vt_hash_str(name));

	return s && !strcmp(s->name, name) ? s : NULL;
}

struct vt_session *session_get(struct vt_build *b, enum vt_dir dir, const char *name)
{
	struct vt_session *s;

	if (!name)
		return NULL;
	s = session_find(b, dir, name);
	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		goto nomem;
	s->name = strdup(name);
	if (!s->name || vt_map__put(&b->sessions.by_name[dir], vt_hash_str(name), s))
		goto nomem;
	s->dir = dir;
	s->early = true;
	s->since_ns = 0;
	s->prev = b->sessions.last;
	*(s->prev ? &s->prev->next : &b->side->sessions) = s;
	b->sessions.last = s;
	return s;
nomem:
	if (s)
		free(s->name);
	free(s);
	b->err = -ENOMEM;
	return NULL;
}

struct vt_session *session_next(struct vt_build *b, enum vt_dir dir, size_t *i)
{
	return vt_map__next(&b->sessions.by_name[dir], i);
}

const char *session_of_file(const char *file_name)
{
	static const char prefix[] = "[luo_session] ";

	return file_name && !strncmp(file_name, prefix, sizeof(prefix) - 1) ? file_name + sizeof(prefix) - 1 : NULL;
}

void session_close(struct vt_build *b, struct vt_session *s)
{
	vt_map__del(&b->sessions.by_name[s->dir], vt_hash_str(s->name));
}

void session_unlink(struct vt_build *b, struct vt_session *s)
{
	*(s->prev ? &s->prev->next : &b->side->sessions) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		b->sessions.last = s->prev;
}

bool session_unsettled(const struct vt_session *s, bool have_count, uint64_t count, int32_t *files, int32_t *owned)
{
	*files = *owned = 0;
	for (const struct vt_life *l = s ? s->lives : NULL; l; l = l->next) {
		*files += !life_of(l)->settled;
		*owned += !life_of(l)->settled && life_of(l)->owned;
	}
	return s && have_count && (uint64_t)*files == count;
}

/* ---- lives ---- */

struct vt_life *life_find(struct vt_build *b, const struct vt_session *s, uint64_t token)
{
	struct vt_life *l = s ? vt_map__get(&b->sessions.lives[s->dir], vt_hash_mix((uintptr_t)s, token)) : NULL;

	return l && l->session == s && l->token == token ? l : NULL;
}

struct vt_life *life_named(struct vt_build *b, enum vt_dir dir, const char *session, uint64_t token)
{
	return life_find(b, session_find(b, dir, session), token);
}

struct vt_life *life_by_data(struct vt_build *b, const struct vt_session *s, const struct vt_event *e)
{
	struct vt_life *l;
	uint64_t data;

	if (!s || !vt_ev_u64(e, VT_F_DATA, &data) || !data)
		return NULL;
	l = vt_map__get(&b->sessions.by_data[s->dir], vt_hash_mix((uintptr_t)s, data));
	return l && l->session == s && l->has_data && l->data == data ? l : NULL;
}

struct vt_life *life_new(struct vt_build *b, struct vt_session *s, uint64_t token, enum vt_life_state state)
{
	struct life *own = vt_pool__get(&b->sessions.spare, sizeof(*own));
	struct vt_life *l = (struct vt_life *)own;

	if (!l || vt_map__put(&b->sessions.lives[s->dir], vt_hash_mix((uintptr_t)s, token), l)) {
		vt_pool__put(&b->sessions.spare, own);
		b->err = -ENOMEM;
		return NULL;
	}
	memset(own, 0, sizeof(*own));
	l->session = s;
	l->token = token;
	l->dir = s->dir;
	l->state = state;
	l->finish_ok = -1;
	/* Callbacks name the file, and a session may have it twice: what was lost of the session before counts, too. */
	l->since_ns = s->since_ns;
	l->until_ns = UINT64_MAX;
	own->prev = s->last;
	if (s->last)
		s->last->next = l;
	else
		s->lives = l;
	s->last = l;
	s->nr_lives++;
	return l;
}

void life_unlink(struct vt_life *l)
{
	struct vt_life *prev = life_of(l)->prev;

	*(prev ? &prev->next : &l->session->lives) = l->next;
	if (l->next)
		life_of(l->next)->prev = prev;
	else
		l->session->last = prev;
	l->session->nr_lives--;
}

static uint64_t data_key(const struct vt_life *l)
{
	return vt_hash_mix((uintptr_t)l->session, l->data);
}

static void drop_data(struct vt_build *b, struct vt_life *l)
{
	if (l->has_data && vt_map__get(&b->sessions.by_data[l->dir], data_key(l)) == l)
		vt_map__del(&b->sessions.by_data[l->dir], data_key(l));
}

void life_set_data(struct vt_build *b, struct vt_life *l, uint64_t data)
{
	drop_data(b, l);
	l->data = data;
	l->has_data = true;
	if (data && vt_map__put(&b->sessions.by_data[l->dir], data_key(l), l))
		b->err = -ENOMEM;
}

void life_free(struct vt_build *b, struct vt_life *l)
{
	drop_data(b, l);
	vt_map__del(&b->sessions.lives[l->dir], vt_hash_mix((uintptr_t)l->session, l->token));
	snap_free(l->snap);
	snap_free(l->open_snap);
	vt_pool__put(&b->sessions.spare, life_of(l));
}

/* ---- by name, when all is read ---- */

static uint64_t life_key(enum vt_dir dir, const char *session, uint64_t token)
{
	return vt_hash_mix(vt_hash_str(session) + dir, token);
}

struct vt_life *vt_side__life(const struct vt_side *s, enum vt_dir dir, const char *session, uint64_t token)
{
	struct vt_life *hit = vt_map__get(&build_of(s)->sessions.index, life_key(dir, session, token));

	if (!hit || (hit->dir == dir && hit->token == token && !strcmp(hit->session->name, session)))
		return hit;
	/* Two names of one hash. */
	hit = NULL;
	for (struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->dir != dir || strcmp(v->name, session))
			continue;
		for (struct vt_life *l = v->lives; l; l = l->next) {
			if (l->token == token)
				hit = l;	/* the newest of that name */
		}
	}
	return hit;
}

void reg_sessions_finalize(struct vt_build *b)
{
	for (struct vt_session *v = b->side->sessions; v; v = v->next) {
		for (struct vt_life *l = v->lives; l; l = l->next) {
			if (vt_map__put(&b->sessions.index, life_key(v->dir, v->name, l->token), l))
				b->err = -ENOMEM;
		}
	}
}

void reg_sessions_free(struct vt_build *b)
{
	vt_pool__free(&b->sessions.spare);
	for (int d = 0; d < 2; d++) {
		vt_map__free(&b->sessions.by_name[d]);
		vt_map__free(&b->sessions.lives[d]);
		vt_map__free(&b->sessions.by_data[d]);
	}
	vt_map__free(&b->sessions.index);
}
