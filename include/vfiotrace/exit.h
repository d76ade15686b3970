/* SPDX-License-Identifier: GPL-2.0 */
/* Exit codes: one meaning each, see docs/man/exit-status. 2 and 3 are never used. */
#ifndef VFIOTRACE_EXIT_H
#define VFIOTRACE_EXIT_H

enum vt_exit {
	VT_EXIT_CLEAN = 0,
	VT_EXIT_FINDINGS = 1,
	VT_EXIT_NOTHING = 4,		/* nothing to judge: kernel without LUO or handler */
	VT_EXIT_INCONCLUSIVE = 5,	/* events lost, a needed probe missing, trace incomplete */
	VT_EXIT_USAGE = 64,
	VT_EXIT_BAD_TRACE = 65,
	VT_EXIT_UNSUPPORTED = 69,	/* this kernel cannot do it */
	VT_EXIT_IO = 74,
	VT_EXIT_PERMISSION = 77,
};

#endif
