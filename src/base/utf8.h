/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of a string may reach a terminal or a parser as it is: the one decoder
 * and the one policy of all that prints.
 */
#ifndef VT_BASE_UTF8_H
#define VT_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of the character at S and its code point; 0 when this is no UTF-8 (overlong forms and surrogates included). */
unsigned int vt_utf8__next(const char *s, uint32_t *code);

/*
 * Shows as itself and moves nothing else: no controls, no marks that turn the
 * direction of text around, that break a line or that cannot be seen, and
 * neither of the two that XML forbids.
 */
bool vt_utf8__harmless(uint32_t code);

#endif
