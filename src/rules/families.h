/* SPDX-License-Identifier: GPL-2.0 */
/* Families of memory: what an object is, and which functions may free it. */
#ifndef VT_RULES_FAMILIES_H
#define VT_RULES_FAMILIES_H

#include <stdbool.h>
#include <stdint.h>

#include "vfiotrace/vocab.h"

/* Whether memory of FAMILY may be given to the free function CALLEE. */
enum vt_family_verdict { VT_FAMILY_LEGAL, VT_FAMILY_ILLEGAL, VT_FAMILY_UNKNOWN };
enum vt_family_verdict vt_pair_verdict(const char *family, const char *callee);
/* Made for memory that may come from vmalloc; kvfree_call_rcu() is what kfree_rcu() became. */
bool vt_is_kvfree(const char *callee);
/* What an object of that class (enum vt_class) is called in a sentence. */
const char *vt_memory_of(uint64_t cls);

#endif
