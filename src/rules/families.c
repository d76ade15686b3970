// SPDX-License-Identifier: GPL-2.0
/* Families of memory: what an object is, and which functions may free it. */
#include <stdio.h>
#include <string.h>

#include "rules/families.h"

/* What a family may be freed with (mm/slab_common.c, mm/vmalloc.c, mm/util.c: kvfree()). */
static const struct {
	const char *family, *frees;
} legal[] = {
	{ "kmalloc", " kfree kfree_sensitive kvfree kvfree_sensitive kvfree_call_rcu kfree_call_rcu " },
	{ "kmem_cache", " kmem_cache_free kfree kvfree kvfree_call_rcu kfree_call_rcu " },
	{ "vmalloc", " vfree vfree_atomic kvfree kvfree_call_rcu kfree_call_rcu " },
	{ "kvmalloc", " kvfree kvfree_sensitive kvfree_call_rcu kfree_call_rcu " },
	{ "kho", " kho_unpreserve_free kho_restore_free " },
};

enum vt_family_verdict vt_pair_verdict(const char *family, const char *callee)
{
	char word[64];

	if (!family || !callee)
		return VT_FAMILY_UNKNOWN;
	snprintf(word, sizeof(word), " %s ", callee);
	for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
		if (!strcmp(legal[i].family, family))
			return strstr(legal[i].frees, word) ? VT_FAMILY_LEGAL : VT_FAMILY_ILLEGAL;
	}
	return VT_FAMILY_UNKNOWN;
}

bool vt_is_kvfree(const char *callee)
{
	return callee && !strncmp(callee, "kvfree", 6) && strcmp(callee, "kvfree_call_rcu");
}

const char *vt_memory_of(uint64_t cls)
{
	return cls == VT_C_LUO_FILE ? "struct luo_file" : cls == VT_C_SESSION ? "struct luo_session" : "memory of a handler's callback";
}
