/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of LUO's user interface the tool itself speaks, for systems whose
 * headers are older than it. Numbers and layouts are those of the kernel's
 * uapi/linux/liveupdate.h: interface, so they do not change.
 */
#ifndef VT_CAPTURE_LUO_UAPI_H
#define VT_CAPTURE_LUO_UAPI_H

#include <linux/types.h>
#include <sys/ioctl.h>

#define LUO_DEVICE "/dev/liveupdate"
#define LUO_NAME_LENGTH 64

struct luo_session_args {	/* create and retrieve alike */
	__u32 size;
	__s32 fd;
	__u8 name[LUO_NAME_LENGTH];
};

struct luo_fd_args {		/* preserve and retrieve alike */
	__u32 size;
	__s32 fd;
	__aligned_u64 token;
};

struct luo_finish_args {
	__u32 size;
	__u32 reserved;
};

#define LUO_CREATE_SESSION	_IO(0xBA, 0x00)
#define LUO_RETRIEVE_SESSION	_IO(0xBA, 0x01)
#define LUO_PRESERVE_FD		_IO(0xBA, 0x40)
#define LUO_RETRIEVE_FD		_IO(0xBA, 0x41)
#define LUO_FINISH		_IO(0xBA, 0x42)

#endif
