// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "vfiotrace/exit.h"

enum vt_exit vt_exit_of(int err)
{
	switch (err) {
	case -EBADMSG:
	case -EPROTO:
		return VT_EXIT_BAD_TRACE;
	case -EACCES:
	case -EPERM:
		return VT_EXIT_PERMISSION;
	default:
		return VT_EXIT_IO;
	}
}
