/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exit codes: one meaning each, the same for every command. This table is the
 * only one: --help prints it. 2 and 3 are never used: runners of kernel
 * selftests count them as not failed.
 */
#ifndef VFIOTRACE_EXIT_H
#define VFIOTRACE_EXIT_H

#define VT_EXITS(X) \
	X(CLEAN, 0, "clean") \
	X(FINDINGS, 1, "findings") \
	X(NOTHING, 4, "nothing to judge here: a kernel without LUO, or no file preserved") \
	X(INCONCLUSIVE, 5, "inconclusive: evidence is missing") \
	X(USAGE, 64, "a mistake in the command line, or in a policy or baseline") \
	X(BAD_TRACE, 65, "a file that is no trace, or a damaged one") \
	X(TWO_UPDATES, 66, "the traces are not of one live update") \
	X(UNSUPPORTED, 69, "this kernel or this build cannot do it") \
	X(IO, 74, "a file cannot be found, read or written") \
	X(PERMISSION, 77, "no permission")

enum vt_exit {
#define VT_EXIT_ENUM(id, code, meaning) VT_EXIT_##id = code,
	VT_EXITS(VT_EXIT_ENUM)
#undef VT_EXIT_ENUM
};

/* Of a file that could not be opened, read or written: ERR is a negative errno, as vt_trace__open() returns it, too. */
enum vt_exit vt_exit_of(int err);

#endif
