// SPDX-License-Identifier: GPL-2.0
/*
 * Where a function can only be hooked by a kprobe, its exit program needs the
 * arguments that the registers held on entry (src/capture/object/prologue.h).
 */
#include "lib/maps.bpf.h"

struct saved_key {
	u32 tid, hook;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct saved_key);
	__type(value, u64[REG_ARGS]);
} saved_args SEC(".maps");

SEC("kprobe") int save_args(struct pt_regs *ctx)
{
	struct saved_key key = { .tid = (u32)bpf_get_current_pid_tgid(), .hook = (u32)bpf_get_attach_cookie(ctx) };
	u64 args[REG_ARGS] = {
		PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx), PT_REGS_PARM4(ctx), PT_REGS_PARM5(ctx), PT_REGS_PARM6(ctx),
	};

	/* Without them there will be no record. The key begins with the type of that, see kprobe.c. */
	if (ctl_open() && bpf_map_update_elem(&saved_args, &key, args, BPF_ANY))
		loss_count(key.hook >> 16);
	return 0;
}
