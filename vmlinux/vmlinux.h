/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel types that the BPF programs touch, and no others: each struct
 * names only the members used, CO-RE finds their places in the running kernel.
 * Kept by hand because a full dump of a 7.3 kernel needs -fms-extensions and
 * silently loses fields without it. To see a struct as a kernel has it:
 *
 *	bpftool btf dump file /sys/kernel/btf/vmlinux format c | less
 *
 * Members that come and go between versions are read under
 * bpf_core_field_exists(); the flavours at the end hold the older shapes.
 */
#ifndef VFIOTRACE_VMLINUX_H
#define VFIOTRACE_VMLINUX_H
#define __VMLINUX_H__	/* bpf_tracing.h: registers by their names in the kernel */

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef signed short __s16;
typedef unsigned int __u32;
typedef signed int __s32;
typedef unsigned long long __u64;
typedef signed long long __s64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

enum {
	BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1024 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

/* Registers at a kprobe: their names are in lib/arch.bpf.h, which includes this. */
struct pt_regs;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head { struct list_head *next, *prev; };
typedef struct { s64 counter; } atomic64_t;
typedef struct { int counter; } atomic_t;
typedef struct refcount_struct { atomic_t refs; } refcount_t;
struct kref { refcount_t refcount; };
struct qstr { const unsigned char *name; };
struct file_system_type { const char *name; };
struct super_block { struct file_system_type *s_type; unsigned long s_magic; };
struct rb_node { unsigned long __rb_parent_color; struct rb_node *rb_right, *rb_left; };
struct rb_root { struct rb_node *rb_node; };
struct rb_root_cached { struct rb_root rb_root; };
struct address_space { struct inode *host; struct rb_root_cached i_mmap; unsigned long nrpages; };
struct cdev;
struct inode {
	struct super_block *i_sb;
	struct address_space *i_mapping;
	unsigned long i_ino;
	u32 i_rdev;
	u16 i_mode;
	s64 i_size;
	struct cdev *i_cdev;
};
struct dentry { struct qstr d_name; };
struct path { struct dentry *dentry; };
typedef struct { atomic64_t refcnt; } file_ref_t;	/* since 6.13 */
struct file {
	const void *f_op;
	struct address_space *f_mapping;
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
	file_ref_t f_ref;
};
struct file___old { atomic64_t f_count; };		/* until 6.12 */
struct vm_area_struct { unsigned long vm_start, vm_end, vm_pgoff; struct file *vm_file; };
struct signal_struct { int nr_threads; };
struct task_struct { struct signal_struct *signal; int pid, tgid; u64 start_boottime; char comm[16]; };
struct kmem_cache { const char *name; };
struct kobject { const char *name; struct kref kref; };
struct device { struct kobject kobj; };
enum module_state { MODULE_STATE_LIVE, MODULE_STATE_COMING, MODULE_STATE_GOING, MODULE_STATE_UNFORMED };
struct module { enum module_state state; atomic_t refcnt; char name[56]; };
enum pageflags { PG_head };	/* CO-RE: its number is the running kernel's */
typedef struct { unsigned long f; } memdesc_flags_t;
struct folio {
	memdesc_flags_t flags;
	unsigned long _flags_1;
};
struct page {
	struct list_head lru;
	struct address_space *mapping;
	atomic_t _refcount;
};
struct shmem_inode_info { unsigned int seals; unsigned long alloced; struct inode vfs_inode; };

/* kernel/liveupdate, include/linux/liveupdate.h */
struct liveupdate_file_ops { struct module *owner; };
struct liveupdate_file_handler {
	const struct liveupdate_file_ops *ops;
	const char compatible[48];
	struct list_head flb_list;
};
struct luo_flb_private_state { refcount_t count; };
struct luo_flb_private { struct luo_flb_private_state outgoing, incoming; };
struct liveupdate_flb_ops { struct module *owner; };
struct liveupdate_flb { const char compatible[48]; const struct liveupdate_flb_ops *ops; struct luo_flb_private private; };
struct luo_flb_link { struct liveupdate_flb *flb; struct list_head list; };
struct liveupdate_file_op_args {
	struct liveupdate_file_handler *handler;
	int retrieve_status;
	struct file *file;
	u64 serialized_data;
};
struct liveupdate_file_op_args___old { bool retrieved; };	/* 6.19 */
struct luo_file {
	struct liveupdate_file_handler *fh;
	struct file *file;
	u64 serialized_data;
	int retrieve_status;
	struct list_head list;
	u64 token;
};
struct luo_file_set { struct list_head files_list; u64 count; };
struct luo_session {
	char name[64];
	bool retrieved;
	struct luo_file_set file_set;
};

union kho_vmalloc_ptr { u64 phys; };
struct kho_vmalloc { union kho_vmalloc_ptr first; };

/* include/linux/kexec.h */
struct kimage { struct { u64 fdt; } kho; };

#pragma clang attribute pop

#endif
