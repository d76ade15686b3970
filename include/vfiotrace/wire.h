/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records on the wire: what the BPF programs put into the ring and what the
 * recorder takes out. Shared by bpf/ and src/capture/ and by nobody else; it
 * never reaches a file, so it may change freely.
 *
 * A record has one slot per thing a hook may know; MASK says which are
 * filled, FAULT which could not be read (the slot then holds the errno). The
 * recorder turns slots into trace fields by the table below, pointers into
 * class#n.
 */
#ifndef VFIOTRACE_WIRE_H
#define VFIOTRACE_WIRE_H

#include "vocab.h"

#define VT_SESSION_LEN	64	/* LIVEUPDATE_SESSION_NAME_LENGTH */
#define VT_TEXT_LEN	64	/* compatible strings (48), anon inode names, module names */
#define VT_FILE_RAW	256	/* struct file is 184..232 bytes on the kernels seen */

/* X(SLOT, trace field, object class or NONE) */
#define VT_SLOTS(X) \
	X(RET, RET, NONE) \
	X(TOKEN, TOKEN, NONE) \
	X(FD, FD, NONE) \
	X(STATUS, STATUS, NONE) \
	X(DATA, DATA, NONE) \
	X(COUNT, COUNT, NONE) \
	X(DIGEST, DIGEST, NONE) \
	X(RETRIEVED, RETRIEVED, NONE) \
	X(LUO_FILE, LUO_FILE, LUO_FILE) \
	X(HANDLER, HANDLER, HANDLER) \
	X(FILE, FILE, FILE) \
	X(DF, DF, DF) \
	X(DEVICE, DEVICE, DEVICE) \
	X(IDEV, IDEV, IDEV) \
	X(PASID, PASID, NONE) \
	X(OBJ, OBJ, DF) \
	X(OBJ_LUO_FILE, OBJ, LUO_FILE) \
	X(OBJ_SESSION, OBJ, SESSION) \
	X(OBJ_OTHER, OBJ, OTHER) \
	X(MAPPING, MAPPING, MAPPING) \
	X(INODE_MAPPING, INODE_MAPPING, MAPPING) \
	X(DEV_MAPPING, DEV_MAPPING, MAPPING) \
	X(VMA_MAPPING, VMA_MAPPING, MAPPING) \
	X(FILE_REF, FILE_REF, NONE) \
	X(VFIO_REF, VFIO_REF, NONE) \
	X(DEV_KREF, DEV_KREF, NONE) \
	X(MOD_REF, MOD_REF, NONE) \
	X(OPEN_COUNT, OPEN_COUNT, NONE) \
	X(PHYS, PHYS, NONE) \
	X(ORDER, ORDER, NONE) \
	X(PAGES, PAGES, NONE) \
	X(SIZE, SIZE, NONE) \
	X(DEPTH, DEPTH, NONE) \
	X(FREED, FREED, NONE) \
	X(HELD, HELD, NONE) \
	X(CACHED, CACHED, NONE) \
	X(ACCOUNTED, ACCOUNTED, NONE) \
	X(UNTOLD, UNTOLD, NONE) \
	X(FOLIO_REF, FOLIO_REF, NONE) \
	X(FLB_COUNT, FLB_COUNT, NONE) \
	X(FLB, FLB, FLB) \
	X(FLB_COUNT_IN, FLB_COUNT_IN, NONE) \
	X(VMA, VMA, VMA) \
	X(VMA_START, VMA_START, NONE) \
	X(VMA_PGOFF, VMA_PGOFF, NONE) \
	X(VMAS, VMAS, NONE) \
	X(THREADS, THREADS, NONE) \
	X(HANDOVER, HANDOVER, NONE)

#define VT_SLOT_ENUM(slot, field, cls) VT_S_##slot,
enum vt_slot { VT_SLOTS(VT_SLOT_ENUM) VT_S_MAX };
#undef VT_SLOT_ENUM

/* The text slot of a record belongs to one of these. */
enum vt_text { VT_TEXT_NONE, VT_TEXT_COMPATIBLE, VT_TEXT_NAME, VT_TEXT_BDF };

struct vt_wire {
	unsigned long long ts_ns;	/* bpf_ktime_get_boot_ns() */
	unsigned long long seq;		/* per CPU, counts attempts: a gap is a loss */
	unsigned int tgid, tid;
	unsigned short type;		/* enum vt_event_type */
	unsigned short cpu;
	unsigned int phase;		/* enum vt_phase */
	union {
		unsigned long long optional;	/* all of these */
		struct {
			unsigned short within;	/* enum vt_event_type of the enclosing traced call, 0 = none */
			unsigned short variant;	/* which of the functions that feed this event type, by order in the plan */
			unsigned char text_is;	/* enum vt_text */
			unsigned char has_session;
			unsigned char point;	/* enum vt_point for a snapshot */
		};
	};
	unsigned int site;		/* call-site records: index of the site */
	unsigned int others;		/* records submitted since TS_NS, as it is submitted itself; until then the count of them */
	unsigned long long mask, fault;	/* bit per slot */
	char comm[16];
	char session[VT_SESSION_LEN];
	char text[VT_TEXT_LEN];
	unsigned long long slot[VT_S_MAX];
};

/* Lifecycle points of a snapshot. X(ID, "name") */
#define VT_POINTS(X) \
	X(OPEN, "open") X(PRESERVE, "preserve") X(PRESERVED, "preserved") \
	X(FREEZE, "freeze") X(RETRIEVE, "retrieve") X(RETRIEVED, "retrieved") \
	X(FINISH, "finish") X(FINISHED, "finished") X(UNPRESERVED, "unpreserved") \
	X(RELEASE, "release")
#define VT_POINT_ENUM(id, name) VT_P_##id,
enum vt_point { VT_P_NONE, VT_POINTS(VT_POINT_ENUM) VT_P_MAX };
#undef VT_POINT_ENUM

/* What an inode pointer points to. */
struct vt_inode {
	unsigned long long ptr, i_mapping, ino;
	char fs[16];		/* superblock type */
	unsigned int rdev, mode;
	unsigned int seals;	/* of a memory file, or VT_NO_SEALS */
	unsigned int pad;
	unsigned long long size;
};
#define VT_NO_SEALS (~0u)

struct vt_wire_snap {
	struct vt_wire w;
	unsigned int file_size;		/* bytes of struct file that are valid */
	unsigned int same_device;	/* the device is the other record's: not told twice */
	struct vt_inode inode;		/* file->f_inode */
	struct vt_inode host;		/* file->f_mapping->host */
	char dentry[48];		/* file->f_path.dentry's name */
	unsigned char file[VT_FILE_RAW];
};

/*
 * A snapshot comes in one piece with the record of the call that it is taken
 * in: time, task, session and token are the same, and so are these two in the
 * ring what costs most. The recorder makes two of it again. snap.w.point 0: no
 * snapshot was taken.
 */
struct vt_wire_pair {
	struct vt_wire w;
	struct vt_wire_snap snap;
};

/* A record with the kernel stack of the traced task. */
#define VT_STACK_MAX 24
struct vt_wire_stack {
	struct vt_wire w;
	long long depth;		/* bytes of ip[] filled, or -errno */
	unsigned long long ip[VT_STACK_MAX];
};

/* Loss per CPU and event type. */
struct vt_wire_loss {
	unsigned long long count, first_ns, last_ns;
};

#define VT_KNOWN_BITS 4
struct vt_wire_cpu {
	unsigned long long seq;		/* records attempted */
	unsigned long long last_file;	/* objects.bpf.h: that was found among the objects last */
	unsigned long long known[1 << VT_KNOWN_BITS];	/* the same of several, by address */
	struct vt_wire_loss loss[VT_EV_MAX];	/* no room in the ring */
	struct vt_wire_loss spared[VT_EV_MAX];	/* VT_SPARE_AFTER: counted, not recorded one by one */
	struct vt_wire_loss half[VT_EV_MAX];	/* calls of which one end alone was seen */
	struct vt_wire_loss unknown[VT_C_MAX];	/* objects that there was no room to remember, by enum vt_class */
};

/* What is called at a call site. */
enum vt_site_kind { VT_SITE_FREE, VT_SITE_MODULE_GET, VT_SITE_MODULE_PUT, VT_SITE_FLB_PIN, VT_SITE_FLB_UNPIN, VT_SITE_FD_INSTALL,
		    VT_SITE_OBJ_CALL, VT_SITE_OBJ_ALLOC, VT_SITE_OBJ_FREE, VT_SITE_KINDS };

/* A call site of a function of interest. */
struct vt_site {
	unsigned int kind;	/* enum vt_site_kind */
	unsigned int reg;	/* argument that holds the object: 0 = first, 1 = second */
	unsigned int cls;	/* enum vt_class of what is allocated, or of what alone is freed here; 0 = told by the pointer */
	unsigned int df_only;	/* the enclosing function frees nothing but a df here */
	unsigned int joined;	/* the place of a result that counts only behind the call, which is the site before this one */
};

/*
 * A preserve that takes back more than it gave has lost its loop: after so
 * many calls too many no more records are made of it, or the trace is full of
 * them.
 */
#define VT_SPARE_AFTER 64

/* Records of blocks that lie side by side within one call; the rest is counted and summed up. */
#define VT_RUNS_TOLD 1024

#define VT_OBJECTS 65536	/* files, df and the like that live at one time */
#define VT_SUSPECTS 256
#define VT_SIEVE_BITS 12
#define VT_SITES_MAX 512
#define VT_RDONLY_CAST 0x7ffffff1	/* in programs: a call of bpf_rdonly_cast() */
#define VT_PEEK_MAX 4096
#define VT_LOADERS 8	/* udev loads several modules at a time */
#define VT_PASSED_BITS 11
#define VT_PASSED_WAYS 2
#define VT_DEPUTIES 64	/* of either end of a module's functions; 0 is nobody's number */

/* What the recorder's thread does that is rung for (src/capture/record/bell.h). */
enum vt_bell {
	VT_BELL_NOBODY,
	VT_BELL_FETCHES,	/* brings the recorder to another CPU */
	VT_BELL_HOLDS,		/* there is no other: keeps it from who is about to jump */
};

/*
 * Shared page, mapped by the recorder. Offsets of vfio's private structures
 * come from here and not by CO-RE: their BTF exists only once vfio.ko is
 * loaded, which may be after the programs that sample them. -1 = unknown.
 */
struct vt_control {
	unsigned int gate;		/* 0: programs return at once */
	unsigned int wake_bytes;	/* ring fill at which the recorder is woken */
	unsigned int awake;		/* it is taking records: it need not be woken for a full ring */
	unsigned int will_jump;		/* liveupdate_reboot() succeeded */
	unsigned long long gate_ns;	/* when it was opened */
	unsigned long long produced;	/* records submitted */
	unsigned long long synced;	/* records on stable storage */
	unsigned long long losses;	/* counted in `cpus` so far: that table is dear to read on machines with many CPUs */
	unsigned long long losses_synced;	/* of them: told on stable storage, since the kernel is about to jump */
	unsigned long long folios_next;	/* folios remembered so far */
	unsigned long long untracked;	/* objects that were looked for and ended */
	unsigned int calls;		/* threads that are inside of traced calls; those that were not seen to leave stay in it */
	unsigned int installed;		/* what ioctls at hand cannot take back, at most (maps.bpf.h) */
	unsigned int runs_told;		/* of blocks side by side, by one call; the rest is in its sums */
	unsigned int suspects;		/* of them: to be looked at again, VT_SUSPECTS at most */
	unsigned int outside;		/* folios that were given to KHO by others than LUO and its handlers */
	int recorder_cpu;		/* the recorder stays on this CPU; -1 = anywhere */
	unsigned int bell;		/* enum vt_bell: what comes of ringing it (maps.bpf.h) */
	unsigned int jumper;		/* the thread whose liveupdate_reboot() succeeded */
	unsigned long long wait_ns;	/* how long device_shutdown() may be held for that */
	unsigned long long held_ns;	/* how long the thread that jumps was kept from the only CPU before that */
	unsigned long long waited_ns;	/* how long it was, both together */
	unsigned long long modules_seen, modules_done;	/* modules that matter, loaded and attached */
	unsigned long long module_wait_ns;	/* how long a module's loader may be held for that */
	unsigned int handlers_pending;	/* registered by a module that is not through with its init: not attached yet */
	unsigned int handlers_late;	/* registered by others since then: may be attached at once */
	unsigned int loader[VT_LOADERS];	/* threads that load modules that matter, 0 = none */
	unsigned long long page_offset, vmemmap;	/* 0 = unknown */
	unsigned int page_shift, pad3;
	unsigned long long kexec_image;	/* address of the variable, 0 = unknown */
	unsigned long long vfio_fops;	/* &vfio_device_fops, 0 = not loaded */
	int df_device;			/* offsetof(struct vfio_device_file, device) */
	int dev_inode, dev_refcount, dev_kref, dev_dev, dev_open_count, dev_cdev;
	unsigned int dev_low, dev_high;	/* of its three counts the first and the last; high 0 = not all are known */
	/* fault injection: inject.bpf.c */
	unsigned int inject_section;	/* enum vt_event_type of the call, 0 = off */
	unsigned int inject_nth;	/* which allocation fails, once; 0 = ladder */
	unsigned int inject_nofail;	/* mask of __GFP_NOFAIL */
	unsigned int inject_done;
	unsigned int inject_calls;	/* calls of the section so far */
	unsigned int pad2;
	/* peek: read kernel memory for the recorder (SEC("syscall")) */
	unsigned long long peek_addr, peek_task;	/* what is asked for; struct task_struct of who asks */
	unsigned int peek_tgid;	/* and its process, as records have it: by the initial pid namespace */
	unsigned int peek_len;
	int peek_err;
	unsigned char peek[VT_PEEK_MAX];
	unsigned int sieve[1 << VT_SIEVE_BITS];	/* tracked objects by hash of their address */
	/* deputy.bpf.h: the word that was left, for entries and exits, by hash of the place on the stack; and what each deputy did */
	unsigned long long passed[2][1 << VT_PASSED_BITS][VT_PASSED_WAYS];
	unsigned long long crowded;	/* words that took the place of others */
	unsigned long long deputized[VT_DEPUTIES];
};

#endif
