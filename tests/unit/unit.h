/* SPDX-License-Identifier: GPL-2.0 */
/* What every unit test includes: cmocka, and how a test binary ends. */
#ifndef VT_TESTS_UNIT_H
#define VT_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
