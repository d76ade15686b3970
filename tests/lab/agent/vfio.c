// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps on vfio devices and iommufd.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent.h"
#include "lab_uapi.h"

#define DRIVER_DIR	"/sys/bus/pci/drivers/vfio-pci"

static int is_pci_address(const struct dirent *entry)
{
	return strchr(entry->d_name, ':') != NULL;
}

static int is_vfio_name(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "vfio", 4);
}

/* The INDEX-th device that vfio-pci drives, by address. */
static void device_address(int index, char *address, size_t size)
{
	struct dirent **list;
	int count = scandir(DRIVER_DIR, &list, is_pci_address, alphasort);

	if (index >= count)
		script_error("vfio-pci has %d devices, no number %d",
			     count < 0 ? 0 : count, index);
	snprintf(address, size, "%s", list[index]->d_name);
	for (int i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

static void device_path(int index, char *path, size_t size)
{
	struct dirent **list;
	char address[256], dir[320];
	int count;

	device_address(index, address, sizeof(address));
	snprintf(dir, sizeof(dir), DRIVER_DIR "/%s/vfio-dev", address);
	count = scandir(dir, &list, is_vfio_name, alphasort);
	if (count != 1)
		script_error("%s: expected one vfio device", dir);
	snprintf(path, size, "/dev/vfio/devices/%s", list[0]->d_name);
	free(list[0]);
	free(list);
}

static int run_cdev(int argc, char **argv)
{
	char path[300];
	int fd;

	(void)argc;
	device_path(number(argv[2]), path, sizeof(path));
	fd = KERNEL_CALL(open(path, O_RDWR | O_CLOEXEC));
	if (fd >= 0)
		var_set(argv[1], fd);
	return fd;
}

/* unbind INDEX: takes the driver away. Waits until nobody has the device open. */
static int run_unbind(int argc, char **argv)
{
	char address[256];
	int fd, ret;

	(void)argc;
	device_address(number(argv[1]), address, sizeof(address));
	fd = open(DRIVER_DIR "/unbind", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		script_error(DRIVER_DIR "/unbind: %s", strerror(errno));
	ret = KERNEL_CALL(write(fd, address, strlen(address)));
	close(fd);
	return ret;
}

/* group VAR INDEX: the IOMMU group of a device. */
static int run_group(int argc, char **argv)
{
	char address[256], link[320], target[256] = "", path[300];
	int fd;

	(void)argc;
	device_address(number(argv[2]), address, sizeof(address));
	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", address);
	if (readlink(link, target, sizeof(target) - 1) < 0)
		script_error("%s: %s", link, strerror(errno));
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(target, '/') + 1);
	fd = KERNEL_CALL(open(path, O_RDWR | O_CLOEXEC));
	if (fd >= 0)
		var_set(argv[1], fd);
	return fd;
}

/* group-iommufd GROUP IOMMUFD */
static int run_group_iommufd(int argc, char **argv)
{
	int iommufd = var_fd(argv[2]);
	int group = var_fd(argv[1]);

	(void)argc;
	return KERNEL_CALL(ioctl(group, LAB_VFIO_GROUP_SET_CONTAINER, &iommufd));
}

/* group-device VAR GROUP INDEX: a device by way of its group. */
static int run_group_device(int argc, char **argv)
{
	int group = var_fd(argv[2]);
	char address[256];
	int fd;

	(void)argc;
	device_address(number(argv[3]), address, sizeof(address));
	fd = KERNEL_CALL(ioctl(group, LAB_VFIO_GROUP_GET_DEVICE_FD, address));
	if (fd >= 0)
		var_set(argv[1], fd);
	return fd;
}

static int run_iommufd(int argc, char **argv)
{
	int fd = KERNEL_CALL(open("/dev/iommu", O_RDWR | O_CLOEXEC));

	(void)argc;
	if (fd >= 0)
		var_set(argv[1], fd);
	return fd;
}

static int run_bind(int argc, char **argv)
{
	struct lab_vfio_bind_iommufd arg = {
		.argsz = sizeof(arg),
		.iommufd = var_fd(argv[2]),
	};
	int fd = var_fd(argv[1]);

	(void)argc;
	return KERNEL_CALL(ioctl(fd, LAB_VFIO_BIND_IOMMUFD, &arg));
}

/* attach VAR IOMMUFDVAR: to an address space made for it. */
static int run_attach(int argc, char **argv)
{
	struct lab_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct lab_vfio_attach_pt arg = { .argsz = 12 };
	int fd = var_fd(argv[1]);

	(void)argc;
	if (ioctl(var_fd(argv[2]), LAB_IOAS_ALLOC, &ioas))
		script_error("attach: no address space: %s", strerror(errno));
	arg.pt_id = ioas.out_ioas_id;
	return KERNEL_CALL(ioctl(fd, LAB_VFIO_ATTACH_PT, &arg));
}

/* mmap VAR REGION: and read it once, so that the page is really mapped. */
static int run_mmap(int argc, char **argv)
{
	struct lab_vfio_region_info info = {
		.argsz = sizeof(info),
		.index = number(argv[2]),
	};
	int fd = var_fd(argv[1]);
	void *addr;
	int ret = 0;

	(void)argc;
	if (ioctl(fd, LAB_VFIO_GET_REGION_INFO, &info))
		script_error("region %s: %s", argv[2], strerror(errno));

	inject_begin();
	addr = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    info.offset);
	if (addr == MAP_FAILED)
		ret = -errno;
	inject_end();
	if (ret)
		return ret;

	say("  region %s: 0x%08x", argv[2], *(volatile unsigned int *)addr);
	var_map(argv[1], addr, info.size);
	return 0;
}

static int run_reset(int argc, char **argv)
{
	int fd = var_fd(argv[1]);

	(void)argc;
	return KERNEL_CALL(ioctl(fd, LAB_VFIO_RESET));
}

/* irq VAR INDEX on|off: one interrupt, signalled to nobody in particular. */
static int run_irq(int argc, char **argv)
{
	bool on = !strcmp(argv[3], "on");
	struct lab_vfio_irq_set arg = {
		.argsz = on ? sizeof(arg) : offsetof(struct lab_vfio_irq_set,
						     eventfd),
		.flags = LAB_VFIO_IRQ_SET_ACTION_TRIGGER |
			 (on ? LAB_VFIO_IRQ_SET_DATA_EVENTFD :
			       LAB_VFIO_IRQ_SET_DATA_NONE),
		.index = number(argv[2]),
		.count = on,
	};
	int fd = var_fd(argv[1]);

	(void)argc;
	if (on)
		arg.eventfd = eventfd(0, EFD_CLOEXEC);
	return KERNEL_CALL(ioctl(fd, LAB_VFIO_SET_IRQS, &arg));
}

const struct step vfio_steps[] = {
	{ "cdev",	2, 2, run_cdev },
	{ "unbind",	1, 1, run_unbind },
	{ "group",	2, 2, run_group },
	{ "group-iommufd", 2, 2, run_group_iommufd },
	{ "group-device", 3, 3, run_group_device },
	{ "iommufd",	1, 1, run_iommufd },
	{ "bind",	2, 2, run_bind },
	{ "attach",	2, 2, run_attach },
	{ "mmap",	2, 2, run_mmap },
	{ "reset",	1, 1, run_reset },
	{ "irq",	3, 3, run_irq },
	{ NULL, 0, 0, NULL }
};
