/* SPDX-License-Identifier: GPL-2.0 */
/* Names that clang's LTO gives: what is static in one file and used by code that went into others is name.llvm.123 to all of them. */
#ifndef VT_BASE_LTO_H
#define VT_BASE_LTO_H

#include <string.h>

/* Length of the name that SYMBOL has in the source: all of it where it has no such suffix. */
static inline size_t lto_name_len(const char *symbol)
{
	const char *at = strstr(symbol, ".llvm.");
	size_t len = at ? at - symbol + 6 : 0;

	return at && !symbol[len + strspn(symbol + len, "0123456789")] ? (size_t)(at - symbol) : strlen(symbol);
}

#endif
