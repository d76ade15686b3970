/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few pieces of kernel interface the agent needs and that the C library's
 * kernel headers are too old for. Numbers and layouts are those of the named
 * headers of the kernel; they are interface and do not change.
 */
#ifndef LAB_UAPI_H
#define LAB_UAPI_H

#include <linux/types.h>
#include <sys/ioctl.h>

/* uapi/linux/liveupdate.h */
#define LUO_TYPE			0xBA
#define LUO_SESSION_NAME_LENGTH		64

struct luo_session_arg {		/* create and retrieve: one layout */
	__u32 size;
	__s32 fd;
	__u8 name[LUO_SESSION_NAME_LENGTH];
};

struct luo_fd_arg {			/* preserve and retrieve: one layout */
	__u32 size;
	__s32 fd;
	__aligned_u64 token;
};

struct luo_finish_arg {
	__u32 size;
	__u32 reserved;
};

#define LUO_CREATE_SESSION		_IO(LUO_TYPE, 0x00)
#define LUO_RETRIEVE_SESSION		_IO(LUO_TYPE, 0x01)
#define LUO_PRESERVE_FD			_IO(LUO_TYPE, 0x40)
#define LUO_RETRIEVE_FD			_IO(LUO_TYPE, 0x41)
#define LUO_FINISH			_IO(LUO_TYPE, 0x42)

/* uapi/linux/vfio.h */
#define LAB_VFIO_TYPE			';'

struct lab_vfio_region_info {
	__u32 argsz;
	__u32 flags;
	__u32 index;
	__u32 cap_offset;
	__aligned_u64 size;
	__aligned_u64 offset;
};

struct lab_vfio_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
	__aligned_u64 token_uuid_ptr;
};

struct lab_vfio_attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

struct lab_vfio_irq_set {
	__u32 argsz;
	__u32 flags;
	__u32 index;
	__u32 start;
	__u32 count;
	__s32 eventfd;			/* stands for data[], with one entry */
};

#define LAB_VFIO_IRQ_SET_DATA_NONE	(1 << 0)
#define LAB_VFIO_IRQ_SET_DATA_EVENTFD	(1 << 2)
#define LAB_VFIO_IRQ_SET_ACTION_TRIGGER	(1 << 5)

#define LAB_VFIO_GROUP_SET_CONTAINER	_IO(LAB_VFIO_TYPE, 104)
#define LAB_VFIO_GROUP_GET_DEVICE_FD	_IO(LAB_VFIO_TYPE, 106)
#define LAB_VFIO_GET_REGION_INFO	_IO(LAB_VFIO_TYPE, 108)
#define LAB_VFIO_SET_IRQS		_IO(LAB_VFIO_TYPE, 110)
#define LAB_VFIO_RESET			_IO(LAB_VFIO_TYPE, 111)
#define LAB_VFIO_BIND_IOMMUFD		_IO(LAB_VFIO_TYPE, 118)
#define LAB_VFIO_ATTACH_PT		_IO(LAB_VFIO_TYPE, 119)

/* uapi/linux/iommufd.h */
struct lab_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define LAB_IOAS_ALLOC			_IO(';', 0x81)

#endif /* LAB_UAPI_H */
