// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "model/strings.h"

#define STRINGS_MAX_BYTES (16u << 20)

/* Eight bytes at a time, and with a secret: whose names fall together is nobody's to choose. */
static uint64_t hash_of(const char *s, size_t len)
{
	uint64_t secret = vt_hash_secret(), h = len * secret, word;

	for (; len >= sizeof(word); len -= sizeof(word), s += sizeof(word)) {
		memcpy(&word, s, sizeof(word));
		h = vt_hash_mix(h ^ secret, word);
	}
	word = 0;
	for (size_t i = 0; i < len; i++)
		word = word << 8 | (unsigned char)s[i];
	return vt_hash_mix(h ^ secret, word);
}

static const char *look_up(struct vt_strings *p, const char *s)
{
	size_t len = strlen(s);
	uint64_t h = hash_of(s, len);
	char *copy;

	/* Two strings of one hash: step until one is equal or the place is free. */
	for (;; h++) {
		copy = vt_map__get(&p->map, h);
		if (!copy)
			break;
		if (!strcmp(copy, s))
			return copy;
	}
	copy = p->bytes > STRINGS_MAX_BYTES ? NULL : strdup(s);
	if (!copy || vt_map__put(&p->map, h, copy)) {
		free(copy);
		p->full = true;
		return "...";
	}
	p->bytes += len + 32;
	return copy;
}

const char *vt_strings__get(struct vt_strings *p, const char *s)
{
	size_t i = vt_strings__place(s);

	/* What lies at the place may have changed since: the text decides. */
	if (p->recent[i].from != s || strcmp(p->recent[i].kept, s)) {
		p->recent[i].kept = look_up(p, s);
		p->recent[i].from = s;
	}
	p->recent[i].text = 0;
	return p->recent[i].kept;
}

const char *vt_strings__learn_of(struct vt_strings *p, const char *s)
{
	const char *kept = vt_strings__get(p, s);

	p->recent[vt_strings__place(s)].text = p->text;
	return kept;
}

void vt_strings__next_text(struct vt_strings *p)
{
	p->text++;	/* from 1 on */
}

void vt_strings__free(struct vt_strings *p)
{
	vt_map__free_all(&p->map);
	memset(p, 0, sizeof(*p));
}
