// SPDX-License-Identifier: GPL-2.0
/* struct file: made by anon_inode_getfile*() inside a traced call, ended by __fput(). */
#include "vfiotrace.bpf.h"

/* Any file that ends comes by here, on any machine: one lookup, then out. */
SEC("fentry") int BPF_PROG(e_fput, struct file *file)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || tracked((u64)file) != VT_C_FILE)
		return 0;
	untrack((u64)file);
	w = wire_new(FILE_FPUT, ENTER);
	if (!w)
		return 0;
	slot_file_dying(w, file);
	wire_send(c, w);
	return 0;
}

static __always_inline int anon_exit(u32 variant, const char *name, struct file *file)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	/* Only for calls that LUO or vfio made: every epoll and eventfd comes by here too. */
	if (!c || !task_get() || !(w = wire_new(FILE_ANON, EXIT)))
		return 0;
	w->variant = variant;
	text_str(w, VT_TEXT_NAME, name);
	if (IS_ERR_VALUE(file)) {
		slot(w, VT_S_RET, (s64)file);
	} else {
		slot(w, VT_S_RET, 0);
		slot_file(w, file);
	}
	wire_send(c, w);
	return 0;
}

SEC("fexit") int BPF_PROG(x_anon_getfile, const char *name, const void *fops, void *priv, int flags, struct file *ret)
{
	return anon_exit(0, name, ret);
}

SEC("fexit") int BPF_PROG(x_anon_getfile_fmode, const char *name, const void *fops, void *priv, int flags,
			  unsigned int mode, struct file *ret)
{
	return anon_exit(1, name, ret);
}

/* unmap_mapping_range() is how BAR mappings are zapped; seen for vfio devices' own mappings only. */
SEC("fentry") int BPF_PROG(e_unmap, struct address_space *mapping)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || tracked((u64)mapping) != VT_C_MAPPING || !(w = wire_new(VFIO_ZAP, ENTER)))
		return 0;
	slot(w, VT_S_MAPPING, (u64)mapping);
	wire_send(c, w);
	return 0;
}
