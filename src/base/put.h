/* SPDX-License-Identifier: GPL-2.0 */
/* Names come from traces, traces from anywhere: what could move or hide other text does not get through (trace/utf8.h). JSON: trace/print.h. */
#ifndef VT_BASE_PUT_H
#define VT_BASE_PUT_H

#include <stdio.h>

/* For people and for lines of a protocol: a '?' for each such character, and for each byte that is no UTF-8. No newline gets through. */
void vt_put_plain(FILE *f, const char *s);
/* The same as text or attribute of XML; a newline stays. NULL is empty. */
void vt_put_xml(FILE *f, const char *s);

#endif
