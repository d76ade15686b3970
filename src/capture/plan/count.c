/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/plan/count.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t count__recursion_misses(int prog_fd, uint64_t *hits)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (prog_fd < 0 || bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return 0;
	/* Only where the machine's owner has BPF statistics on. */
	if (hits && info.run_cnt)
		*hits = info.run_cnt;
	return info.recursion_misses;
}

/*
 * The part of struct bpf_link_info (since 6.7) that tells the misses of a
 * kprobe; libbpf's own copy of the header may be older.
 */
struct kprobe_link_info {
	__u32 type, id, prog_id, pad;
	struct {
		__u32 type, pad;
		__u64 func_name;
		__u32 name_len, offset;
		__u64 addr, missed, cookie;
	} perf;
};
#define LINK_KPROBE 3		/* BPF_PERF_EVENT_KPROBE */
#define LINK_KRETPROBE 4

uint64_t count__kprobe_misses(int link_fd)
{
	struct kprobe_link_info info;
	union bpf_attr attr;

	if (link_fd < 0)
		return 0;
	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = link_fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		return 0;
	return info.perf.type == LINK_KPROBE || info.perf.type == LINK_KRETPROBE ? info.perf.missed : 0;
}
