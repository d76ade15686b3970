// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexec_load(2), the older of the two system calls that load the next kernel: user space says
 * what goes where. x86-64 only, and as much of it as a guest needs that QEMU has booted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#ifdef __x86_64__
#include <asm/bootparam.h>
#include <linux/kexec.h>

/* Where a guest of 1 GiB and more has memory, and enough of it. */
#define AT_START	0x10000000ul
#define AT_PARAMS	0x10001000ul
#define AT_CMDLINE	0x10002000ul
#define AT_KERNEL	0x12000000ul
#define AT_INITRD	0x20000000ul

#define ENTRY_64	0x200	/* Documentation/arch/x86/boot.rst: 64-bit boot protocol */

static void *whole_file(int fd, size_t *len)
{
	struct stat st;
	char *buf;
	ssize_t n;

	if (fstat(fd, &st))
		script_error("kexec_load: %s", strerror(errno));
	*len = st.st_size;
	buf = malloc(*len);
	if (!buf)
		script_error("kexec_load: out of memory");
	for (size_t done = 0; done < *len; done += n) {
		n = pread(fd, buf + done, *len - done, done);
		if (n <= 0)
			script_error("kexec_load: cannot read");
	}
	return buf;
}

/* The next kernel's map of memory is this one's. */
static void memory_map(struct boot_params *p)
{
	FILE *f = fopen("/proc/iomem", "re");
	unsigned long long start, end;
	char line[200], what[100];

	if (!f)
		script_error("/proc/iomem: %s", strerror(errno));
	while (fgets(line, sizeof(line), f) && p->e820_entries < E820_MAX_ENTRIES_ZEROPAGE) {
		struct boot_e820_entry *e = &p->e820_table[p->e820_entries];

		if (*line == ' ' || sscanf(line, "%llx-%llx : %99[^\n]", &start, &end, what) != 3)
			continue;
		if (strcmp(what, "System RAM") && strcmp(what, "Reserved") && strncmp(what, "ACPI", 4))
			continue;
		*e = (struct boot_e820_entry){ .addr = start, .size = end - start + 1, .type = strcmp(what, "System RAM") ? 2 : 1 };
		p->e820_entries++;
	}
	fclose(f);
}

/* The kernel wants its parameters in %rsi: movabs $params, %rsi; movabs $entry, %rax; jmp *%rax */
static size_t start_code(unsigned char *code)
{
	const uint64_t params = AT_PARAMS, entry = AT_KERNEL + ENTRY_64;

	memcpy(code, "\x48\xbe", 2);
	memcpy(code + 2, &params, 8);
	memcpy(code + 10, "\x48\xb8", 2);
	memcpy(code + 12, &entry, 8);
	memcpy(code + 20, "\xff\xe0", 2);
	return 22;
}

static size_t pages(size_t len)
{
	return (len + 4095) & ~4095ul;
}

int kexec_load_files(int kernel_fd, int initrd_fd, const char *cmdline)
{
	static struct boot_params params;
	size_t kernel_len, initrd_len, setup, len = strlen(cmdline) + 1;
	unsigned char *kernel = whole_file(kernel_fd, &kernel_len), *initrd = whole_file(initrd_fd, &initrd_len);
	struct setup_header *hdr = &params.hdr;
	unsigned char code[32];
	int ret;

	memset(&params, 0, sizeof(params));
	memcpy(hdr, kernel + 0x1f1, 0x202 + kernel[0x201] - 0x1f1);
	setup = (hdr->setup_sects + 1) * 512;
	hdr->type_of_loader = 0xff;
	hdr->cmd_line_ptr = AT_CMDLINE;
	hdr->ramdisk_image = AT_INITRD;
	hdr->ramdisk_size = initrd_len;
	memory_map(&params);

	struct kexec_segment seg[] = {
		{ code, start_code(code), (void *)AT_START, 4096 },
		{ &params, sizeof(params), (void *)AT_PARAMS, 4096 },
		{ cmdline, len, (void *)AT_CMDLINE, pages(len) },
		{ kernel + setup, kernel_len - setup, (void *)AT_KERNEL, pages(hdr->init_size) },
		{ initrd, initrd_len, (void *)AT_INITRD, pages(initrd_len) },
	};

	ret = KERNEL_CALL(syscall(SYS_kexec_load, AT_START, sizeof(seg) / sizeof(seg[0]), seg, 0UL));
	free(kernel);
	free(initrd);
	return ret;
}
#else
int kexec_load_files(int kernel_fd, int initrd_fd, const char *cmdline)
{
	(void)kernel_fd;
	(void)initrd_fd;
	(void)cmdline;
	script_error("load-segments: for x86-64 only");
}
#endif
