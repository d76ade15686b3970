/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vocabulary of a trace: event types, fields, object classes.
 *
 * One table each; enums, the names stored in the file's own schema, and the
 * documentation are all made from it. A trace carries the names, so a reader
 * of another version maps by name and never by number, and nothing compares by
 * it: entries may be added anywhere, renamed never.
 *
 * An event type says what happened, not which function showed it: the
 * function name of the kernel at hand travels in the field `func`.
 */
#ifndef VFIOTRACE_VOCAB_H
#define VFIOTRACE_VOCAB_H

/* How a value is stored and printed. */
enum vt_kind {
	VT_U64 = 1,	/* unsigned, decimal */
	VT_HEX,		/* unsigned, hexadecimal: tokens, physical addresses, flags */
	VT_S64,		/* signed; return values */
	VT_STR,		/* text */
	VT_OBJ,		/* class#n, see vt_obj() */
};

/* When, within the traced function, the event was taken. */
enum vt_phase {
	VT_POINT = 0,	/* a moment of its own (snapshot, call site, recorder mark) */
	VT_ENTER,	/* on entry: arguments */
	VT_EXIT,	/* on return: result, and what the call left behind */
};

/* What an event is about. */
enum vt_area {
	VT_AREA_NONE = 0,
	VT_AREA_SESSION,	/* LUO's sessions */
	VT_AREA_LUO,		/* the files of a session */
	VT_AREA_FD,		/* file descriptors that LUO hands out */
	VT_AREA_MODULE,		/* references on handlers' modules */
	VT_AREA_OP,		/* callbacks of handlers */
	VT_AREA_FLB,		/* file-lifecycle-bound global data */
	VT_AREA_REBOOT,
	VT_AREA_FILE,		/* struct file */
	VT_AREA_VFIO,
	VT_AREA_DF,		/* memory of struct vfio_device_file */
	VT_AREA_IOMMUFD,	/* devices that vfio binds to an iommufd */
	VT_AREA_OBJ,		/* memory of LUO and of callbacks */
	VT_AREA_KHO,
	VT_AREA_INJECT,		/* fault injection */
	VT_AREA_REC,		/* the recorder itself */
	VT_AREA_MAX
};

/* How it is read, see src/model/kinds.h for the questions. */
enum {
	VT_K_CALL = 1,			/* entry and exit, and others happen in between */
	VT_K_ANEW = 1 << 1,		/* a call that no callback makes, nor another call of LUO on files */
	VT_K_TEARS = 1 << 2,		/* where one is lost, what follows may be taken for another call's */
	VT_K_EACH_ROW = 1 << 3,		/* each hooked place shows its own: with one more or less it means another thing */
	VT_K_RIDES = 1 << 4,		/* shown by the hooks of others, not by one of its own */
	VT_K_LATER = 1 << 5,		/* recorders of before it was added have no row for it */
	VT_K_MAY_LACK = 1 << 6,		/* there are kernels without it, where nothing is missed */
	/* the calls of LUO that make this callback, the first of them the usual one */
	VT_K_BY_PRESERVE = 1 << 8,
	VT_K_BY_UNPRESERVE = 1 << 9,
	VT_K_BY_FREEZE = 1 << 10,
	VT_K_BY_UNFREEZE = 1 << 11,
	VT_K_BY_RETRIEVE = 1 << 12,
	VT_K_BY_FINISH = 1 << 13,
	VT_K_POINTER = 1 << 14,		/* the function returns a pointer; ret says only that it is one, or which error it stands for */
	VT_K_NULL = 1 << 15,		/* and NULL where it fails */
	VT_K_CALLBACK = VT_K_CALL | VT_K_TEARS | VT_K_EACH_ROW,
};

/*
 * X(ID, "name", AREA, FLAGS, "what it shows; the kernel function it rests on")
 * Every op.* event has session, handler, compatible, file, data, status, and ret on exit.
 */
#define VT_EVENTS(X) \
	/* sessions */ \
	X(SESSION_CREATE, "session.create", SESSION, 0, "luo_session_create(): session, ret") \
	X(SESSION_RETRIEVE, "session.retrieve", SESSION, 0, "luo_session_retrieve(): session, ret") \
	X(SESSION_RELEASE, "session.release", SESSION, VT_K_CALL | VT_K_ANEW | VT_K_TEARS, "luo_session_release(): session file closed; session, retrieved (0 outgoing, 1 incoming), ret") \
	X(SESSION_DESERIALIZE, "session.deserialize", SESSION, VT_K_TEARS, "luo_session_deserialize(): first open of /dev/liveupdate; ret") \
	X(SESSION_THERE, "session.there", SESSION, VT_K_RIDES, "a session that had arrived before the recording began, on luo_session_global.incoming: session, retrieved, count") \
	/* the files of a session */ \
	X(LUO_PRESERVE, "luo.preserve", LUO, VT_K_CALL | VT_K_ANEW | VT_K_TEARS, "luo_preserve_file(): session, token, fd; on exit ret and, on success, luo_file, file, file_ref, handler, compatible, data") \
	X(LUO_RETRIEVE, "luo.retrieve", LUO, VT_K_CALL | VT_K_TEARS, "luo_retrieve_file(): session, token; on exit ret and, on success, luo_file, file, file_ref, handler, compatible, data, status") \
	X(LUO_FREEZE, "luo.freeze", LUO, VT_K_CALL | VT_K_ANEW | VT_K_TEARS, "luo_file_freeze(): session, count; on exit ret") \
	X(LUO_UNFREEZE, "luo.unfreeze", LUO, VT_K_CALL | VT_K_ANEW | VT_K_TEARS, "luo_file_unfreeze(): session") \
	X(LUO_UNPRESERVE, "luo.unpreserve", LUO, VT_K_CALL | VT_K_ANEW | VT_K_TEARS, "luo_file_unpreserve_files(): session, count") \
	X(LUO_FINISH, "luo.finish", LUO, VT_K_CALL | VT_K_ANEW | VT_K_TEARS, "luo_file_finish(): session, count; on exit ret") \
	X(LUO_DESERIALIZE, "luo.deserialize", LUO, VT_K_CALL | VT_K_ANEW | VT_K_TEARS, "luo_file_deserialize(): session; on exit ret, count") \
	X(LUO_FILE, "luo.file", LUO, VT_K_TEARS | VT_K_RIDES, "one file on a session's list after deserialize: session, token, compatible, data, luo_file, handler") \
	X(LUO_IOCTL, "luo.ioctl", FD, VT_K_TEARS | VT_K_EACH_ROW | VT_K_LATER, "an ioctl of LUO fails after it installed a file descriptor (fd), after the call named worked (name: luo_preserve_file, luo_file_finish), or (neither) marked a session retrieved: luo_session_ioctl(), luo_ioctl(): session, fd, file, name, ret") \
	X(FD_INSTALL, "fd.install", FD, VT_K_TEARS | VT_K_EACH_ROW | VT_K_LATER, "LUO about to call fd_install(): fd, file, site") \
	X(MODULE_GET, "module.get", MODULE, VT_K_TEARS | VT_K_EACH_ROW | VT_K_LATER | VT_K_MAY_LACK, "LUO about to call try_module_get() on a handler's module: name, mod_ref before, site") \
	X(MODULE_PUT, "module.put", MODULE, VT_K_TEARS | VT_K_EACH_ROW | VT_K_LATER | VT_K_MAY_LACK, "LUO about to call module_put() on a handler's module: name, mod_ref before, site") \
	X(FLB_PIN, "flb.pin", FLB, VT_K_TEARS | VT_K_EACH_ROW | VT_K_LATER | VT_K_MAY_LACK, "LUO about to call try_module_get() on the module of an FLB's owner: name, mod_ref before, site") \
	X(FLB_UNPIN, "flb.unpin", FLB, VT_K_TEARS | VT_K_EACH_ROW | VT_K_LATER | VT_K_MAY_LACK, "LUO about to call module_put() on the module of an FLB's owner: name, mod_ref before, site") \
	/* handler callbacks, whoever the handler is */ \
	X(OP_CAN_PRESERVE, "op.can_preserve", OP, VT_K_CALLBACK | VT_K_BY_PRESERVE, "ops->can_preserve: file; ret 0/1") \
	X(OP_PRESERVE, "op.preserve", OP, VT_K_CALLBACK | VT_K_BY_PRESERVE, "ops->preserve") \
	X(OP_UNPRESERVE, "op.unpreserve", OP, VT_K_CALLBACK | VT_K_BY_UNPRESERVE, "ops->unpreserve") \
	X(OP_FREEZE, "op.freeze", OP, VT_K_CALLBACK | VT_K_BY_FREEZE, "ops->freeze") \
	X(OP_UNFREEZE, "op.unfreeze", OP, VT_K_CALLBACK | VT_K_BY_FREEZE | VT_K_BY_UNFREEZE, "ops->unfreeze") \
	X(OP_RETRIEVE, "op.retrieve", OP, VT_K_CALLBACK | VT_K_BY_RETRIEVE, "ops->retrieve: on exit file is the one it made") \
	X(OP_CAN_FINISH, "op.can_finish", OP, VT_K_CALLBACK | VT_K_BY_FINISH, "ops->can_finish: ret 0/1") \
	X(OP_FINISH, "op.finish", OP, VT_K_CALLBACK | VT_K_BY_FINISH, "ops->finish") \
	/* file-lifecycle-bound global data */ \
	X(FLB_PRESERVE, "flb.preserve", FLB, VT_K_MAY_LACK, "luo_flb_file_preserve(): handler, compatible; ret") \
	X(FLB_UNPRESERVE, "flb.unpreserve", FLB, VT_K_MAY_LACK, "luo_flb_file_unpreserve(): handler, compatible") \
	X(FLB_FINISH, "flb.finish", FLB, VT_K_MAY_LACK, "luo_flb_file_finish(): handler, compatible") \
	X(FLB_GET, "flb.get", FLB, VT_K_EACH_ROW | VT_K_LATER | VT_K_MAY_LACK, "liveupdate_flb_get_{outgoing,incoming}(): flb, name, mod_ref of its owner, ret, and after it flb_count or flb_count_in") \
	X(FLB_PUT, "flb.put", FLB, VT_K_EACH_ROW | VT_K_LATER | VT_K_MAY_LACK, "liveupdate_flb_put_{outgoing,incoming}(): flb, name, mod_ref of its owner, and after it flb_count or flb_count_in") \
	X(FLB_STATE, "flb.state", FLB, VT_K_RIDES, "an FLB of the handler at hand, sampled around luo_flb_file_*() and at the end of a failing luo_preserve_file(): flb, name, mod_ref of its owner, handler, flb_count, flb_count_in") \
	/* the reboot */ \
	X(REBOOT, "reboot", REBOOT, VT_K_CALL | VT_K_ANEW, "liveupdate_reboot(): on exit ret; 0 means the old kernel will jump, and handover tells whether anything goes with it") \
	X(SERIALIZE, "reboot.serialize", REBOOT, VT_K_CALL | VT_K_ANEW, "luo_session_serialize(): ret") \
	X(SHUTDOWN, "reboot.device_shutdown", REBOOT, 0, "device_shutdown() on the way to the jump: last point at which storage surely works") \
	X(JUMP, "reboot.machine_shutdown", REBOOT, 0, "machine_shutdown(): other CPUs stop, then the jump") \
	/* struct file */ \
	X(FILE_SNAP, "file.snap", FILE, VT_K_RIDES, "struct file, whole, at a lifecycle point: point, file, file_ref, and every member as file.<member>; for a vfio file also df, device, dev_mapping") \
	X(FILE_ANON, "file.anon", FILE, VT_K_POINTER | VT_K_EACH_ROW | VT_K_MAY_LACK, "anon_inode_getfile(_fmode)() inside a traced call: name, ret, file") \
	X(FILE_FPUT, "file.fput", FILE, 0, "__fput() of a file seen before: file") \
	X(FILE_LET_GO, "file.let_go", FILE, 0, "LUO has let go of a file, after unpreserve or finish: file, file_ref, threads") \
	/* vfio */ \
	X(VFIO_CDEV_OPEN, "vfio.cdev_open", VFIO, VT_K_CALL | VT_K_TEARS, "vfio_device_fops_cdev_open(): device, bdf, file, vfio_ref, dev_kref; on exit ret, and df on success") \
	X(VFIO_LU_OPEN, "vfio.lu_open", VFIO, VT_K_CALL | VT_K_TEARS | VT_K_POINTER, "vfio_device_liveupdate_cdev_open(): device, bdf, vfio_ref, dev_kref; on exit ret (0 or -errno), file, df") \
	X(VFIO_OPEN_COMMON, "vfio.open_common", VFIO, VT_K_CALL | VT_K_TEARS, "vfio_device_cdev_open() where it exists as a function, but for a call by vfio_device_fops_cdev_open(), of which vfio.cdev_open tells the same: device; on exit ret, file, df") \
	X(VFIO_GROUP_OPEN, "vfio.group_open", VFIO, VT_K_CALL | VT_K_TEARS, "vfio_device_open_file(): a device file opened through the group: device, ret, file, df") \
	X(VFIO_RELEASE, "vfio.release", VFIO, VT_K_CALL | VT_K_TEARS, "vfio_device_fops_release(): file, df (absent when private_data was NULL), device, bdf, vfio_ref, dev_kref; on exit device, vfio_ref") \
	X(VFIO_DF_ALLOC, "vfio.df_alloc", VFIO, VT_K_TEARS | VT_K_POINTER, "vfio_allocate_device_file(): device, ret; on success df, callee (allocator), family, site") \
	X(VFIO_GET_REG, "vfio.get_reg", VFIO, VT_K_TEARS, "vfio_device_try_get_registration(): device, vfio_ref, ret 0/1; site (caller)") \
	X(VFIO_PUT_REG, "vfio.put_reg", VFIO, VT_K_TEARS, "vfio_device_put_registration(): device, vfio_ref after; site (caller)") \
	X(VFIO_FIND, "vfio.find", VFIO, VT_K_TEARS | VT_K_POINTER | VT_K_NULL, "vfio_find_device(): on exit device (or none), vfio_ref, dev_kref") \
	X(VFIO_BIND, "vfio.bind", VFIO, VT_K_TEARS, "vfio_df_ioctl_bind_iommufd(): df, device, ret") \
	X(VFIO_DF_OPEN, "vfio.df_open", VFIO, VT_K_TEARS, "vfio_df_open(): df, device, open_count, ret") \
	X(VFIO_DF_CLOSE, "vfio.df_close", VFIO, VT_K_TEARS | VT_K_LATER, "vfio_df_close(): df, device, open_count") \
	X(VFIO_DEVICE, "vfio.device", VFIO, VT_K_RIDES, "a device that was there as the recording began: device, bdf, vfio_ref, dev_kref, open_count") \
	X(VFIO_REGISTER, "vfio.register", VFIO, VT_K_TEARS, "vfio_register_group_dev() and kin: device, bdf, ret") \
	X(VFIO_UNREGISTER, "vfio.unregister", VFIO, VT_K_CALL | VT_K_TEARS, "vfio_unregister_group_dev(): device, bdf; vfio_ref") \
	X(VFIO_MMAP, "vfio.mmap", VFIO, 0, "vfio_device_fops_mmap(): file, device, vma, vma_start, vma_pgoff, pages, vma_mapping (vma->vm_file->f_mapping), ret") \
	X(VFIO_ZAP, "vfio.zap", VFIO, 0, "BAR mappings zapped (vfio_pci_zap_bars()): mapping, and vmas: how many VMAs hang in it") \
	/* iommufd */ \
	X(IOMMUFD_BIND, "iommufd.bind", IOMMUFD, VT_K_LATER | VT_K_MAY_LACK | VT_K_POINTER, "iommufd_device_bind(): bdf, ret, idev on success") \
	X(IOMMUFD_UNBIND, "iommufd.unbind", IOMMUFD, VT_K_LATER | VT_K_MAY_LACK, "iommufd_device_unbind(): idev") \
	X(IOMMUFD_ATTACH, "iommufd.attach", IOMMUFD, VT_K_LATER | VT_K_MAY_LACK, "iommufd_device_attach(): idev, pasid, ret") \
	X(IOMMUFD_DETACH, "iommufd.detach", IOMMUFD, VT_K_LATER | VT_K_MAY_LACK, "iommufd_device_detach(): idev, pasid") \
	/* memory families at call sites */ \
	X(MEM_FREE, "mem.free", DF, VT_K_EACH_ROW, "a free function about to be called on a tracked object: obj, callee, family, site, caller") \
	X(OBJ_ALLOC, "obj.alloc", OBJ, VT_K_EACH_ROW | VT_K_LATER, "an allocation in LUO's text or in a handler's callback: obj (luo_file, session, or anything else), callee, family, site") \
	X(OBJ_FREE, "obj.free", OBJ, VT_K_EACH_ROW | VT_K_LATER, "a free function about to be called on one of these: obj, callee, family, site") \
	/* KHO memory, paired by physical address */ \
	X(KHO_ALLOC_PRESERVE, "kho.alloc_preserve", KHO, VT_K_POINTER, "kho_alloc_preserve(): size; on exit phys, ret") \
	X(KHO_UNPRESERVE_FREE, "kho.unpreserve_free", KHO, 0, "kho_unpreserve_free(): phys") \
	X(KHO_RESTORE_FREE, "kho.restore_free", KHO, 0, "kho_restore_free(): phys") \
	X(KHO_PRESERVE_FOLIO, "kho.preserve_folio", KHO, 0, "kho_preserve_folio(): phys, order; ret") \
	X(KHO_UNPRESERVE_FOLIO, "kho.unpreserve_folio", KHO, 0, "kho_unpreserve_folio(): phys, order") \
	X(KHO_RESTORE_FOLIO, "kho.restore_folio", KHO, VT_K_POINTER | VT_K_NULL, "kho_restore_folio(): phys; ret 0 or -ENOENT, order") \
	X(KHO_PRESERVE_PAGES, "kho.preserve_pages", KHO, 0, "kho_preserve_pages(): phys, pages; ret") \
	X(KHO_UNPRESERVE_PAGES, "kho.unpreserve_pages", KHO, 0, "kho_unpreserve_pages(): phys, pages") \
	X(KHO_RESTORE_PAGES, "kho.restore_pages", KHO, VT_K_POINTER | VT_K_NULL, "kho_restore_pages(): phys, pages; ret") \
	X(KHO_PRESERVE_VMALLOC, "kho.preserve_vmalloc", KHO, 0, "kho_preserve_vmalloc(): phys (first chunk), ret") \
	X(KHO_UNPRESERVE_VMALLOC, "kho.unpreserve_vmalloc", KHO, 0, "kho_unpreserve_vmalloc(): phys (first chunk)") \
	X(KHO_RESTORE_VMALLOC, "kho.restore_vmalloc", KHO, VT_K_POINTER | VT_K_NULL, "kho_restore_vmalloc(): phys (first chunk), ret") \
	X(KHO_MEMORY, "kho.memory", KHO, VT_K_RIDES, "all blocks of one order that a call preserved, took back or restored, told when it ends: name (which of these), order (absent: pages that are no folio), count, pages, digest, untold (how many of count have no record of their own)") \
	X(KHO_FOLIOS, "kho.folios", KHO, VT_K_RIDES, "what became of the folios that a failed retrieve, or a finish, restored, as luo_retrieve_file() or luo_file_finish() returns: count, freed, held, cached, untold") \
	X(KHO_FOLIO, "kho.folio", KHO, VT_K_RIDES, "one of them that is not free, then and again when the recording ends: phys, name (held, cached, free), folio_ref; in a page cache: cached, accounted. At the jump, of a folio that others than LUO gave to KHO: free, or reused") \
	/* fault injection (sweep, record --fail) */ \
	X(INJECT, "inject.fail", INJECT, 0, "the kernel was told that this allocation failed: count (its number in the call), name (slab cache) or order (pages), site, stack") \
	/* the recorder itself */ \
	X(REC_ARMED, "rec.armed", REC, 0, "everything is attached and the gate is open") \
	X(REC_CHILD, "rec.child", REC, 0, "CMD started: name") \
	X(REC_CHILD_EXIT, "rec.child_exit", REC, 0, "CMD ended: ret is its exit status, or minus the signal") \
	X(REC_MODULE, "rec.module", REC, 0, "a module was loaded (name), or what came late was attached (ret: how many hooks)") \
	X(REC_HANDLER, "rec.handler", REC, 0, "a file handler was registered: handler, compatible; its ops are attached then") \
	X(REC_DRAINED, "rec.drained", REC, 0, "everything up to here was on stable storage while the kernel waited in reboot(2)") \
	X(REC_STOP, "rec.stop", REC, 0, "the gate closed: name (why), numbers")

/* X(ID, "name", KIND, "meaning") */
#define VT_FIELDS(X) \
	X(FUNC, "func", VT_STR, "kernel function that showed the event") \
	X(SESSION, "session", VT_STR, "session name; on any event inside a LUO call: that call's session") \
	X(TOKEN, "token", VT_HEX, "token of the file within its session") \
	X(WITHIN, "within", VT_STR, "innermost traced call of this task that encloses the event (an event type name)") \
	X(RET, "ret", VT_S64, "return value; pointers are 0 or -errno") \
	X(FD, "fd", VT_S64, "file descriptor") \
	X(STATUS, "status", VT_S64, "retrieve_status: 0 not tried, > 0 retrieved, < 0 errno") \
	X(DATA, "data", VT_HEX, "serialized_data, the handler's handle (usually a physical address)") \
	X(COUNT, "count", VT_U64, "files in the session; of memory: blocks of this order, side by side from phys on, that one record stands for") \
	X(DIGEST, "digest", VT_HEX, "of a set of blocks, whatever their order: the sum of vt_block_digest() of each") \
	X(RETRIEVED, "retrieved", VT_U64, "session is incoming and was retrieved") \
	X(COMPATIBLE, "compatible", VT_STR, "compatible string of the handler") \
	X(NAME, "name", VT_STR, "a name: anon inode, module, command") \
	X(POINT, "point", VT_STR, "lifecycle point of a snapshot: open, preserve, retrieve, finish, release, ...") \
	X(LUO_FILE, "luo_file", VT_OBJ, "struct luo_file") \
	X(HANDLER, "handler", VT_OBJ, "struct liveupdate_file_handler") \
	X(FILE, "file", VT_OBJ, "struct file") \
	X(DF, "df", VT_OBJ, "struct vfio_device_file") \
	X(DEVICE, "device", VT_OBJ, "struct vfio_device") \
	X(IDEV, "idev", VT_OBJ, "struct iommufd_device") \
	X(PASID, "pasid", VT_U64, "address space of the device; 0 for all that it does without one") \
	X(OBJ, "obj", VT_OBJ, "the object a memory event is about") \
	X(MAPPING, "mapping", VT_OBJ, "file->f_mapping") \
	X(INODE_MAPPING, "inode_mapping", VT_OBJ, "file->f_inode->i_mapping") \
	X(DEV_MAPPING, "dev_mapping", VT_OBJ, "device->inode->i_mapping") \
	X(VMA_MAPPING, "vma_mapping", VT_OBJ, "vma->vm_file->f_mapping at mmap") \
	X(BDF, "bdf", VT_STR, "PCI domain:bus:device.function") \
	X(FILE_REF, "file_ref", VT_S64, "references on struct file (1 = one holder); <= 0 dead") \
	X(VFIO_REF, "vfio_ref", VT_S64, "vfio_device.refcount (registration)") \
	X(DEV_KREF, "dev_kref", VT_S64, "kref of vfio_device.device") \
	X(MOD_REF, "mod_ref", VT_S64, "struct module.refcnt of the handler's module: 1 while loaded, and 1 per reference") \
	X(OPEN_COUNT, "open_count", VT_U64, "vfio_device.open_count") \
	X(CALLEE, "callee", VT_STR, "allocation or free function called") \
	X(FAMILY, "family", VT_STR, "kmalloc, kvmalloc, vmalloc, kmem_cache, rcu, folio") \
	X(SITE, "site", VT_STR, "call site, symbol+0xoff [module]") \
	X(STACK, "stack", VT_STR, "kernel stack, innermost first, symbol+0xoff separated by ' < '") \
	X(PHYS, "phys", VT_HEX, "physical address") \
	X(ORDER, "order", VT_U64, "page order") \
	X(PAGES, "pages", VT_U64, "number of pages") \
	X(SIZE, "size", VT_U64, "bytes") \
	X(DEPTH, "depth", VT_U64, "nesting of KHO calls: > 0 when made by another traced KHO call") \
	X(FREED, "freed", VT_U64, "folios that are free, or somebody else's by now") \
	X(HELD, "held", VT_U64, "folios that are referenced and in no page cache") \
	X(CACHED, "cached", VT_U64, "folios in a page cache; on one folio: pages in that page cache") \
	X(ACCOUNTED, "accounted", VT_U64, "pages that the file of that page cache accounts for (shmem's alloced)") \
	X(UNTOLD, "untold", VT_U64, "how many more there were than could be looked at") \
	X(FOLIO_REF, "folio_ref", VT_S64, "references on a folio") \
	X(FLB_COUNT, "flb_count", VT_S64, "files that depend on the FLB, and other holders; of those to be handed over") \
	X(FLB, "flb", VT_OBJ, "struct liveupdate_flb") \
	X(FLB_COUNT_IN, "flb_count_in", VT_S64, "the same of those that arrived") \
	X(VMA, "vma", VT_OBJ, "struct vm_area_struct") \
	X(VMA_START, "vma_start", VT_HEX, "its first address, in the task's address space") \
	X(VMA_PGOFF, "vma_pgoff", VT_HEX, "page offset within the file at which it begins") \
	X(VMAS, "vmas", VT_U64, "number of VMAs in the address space's tree (i_mmap)") \
	X(THREADS, "threads", VT_U64, "threads of the task's process: with one, nobody there takes a reference for a moment") \
	X(HANDOVER, "handover", VT_U64, "1: the image that is jumped into was told of KHO when it was loaded; 0: it was not, and nothing reaches it") \
	X(NUMBERS, "numbers", VT_STR, "CPU:NUMBER ...: the last number that each CPU gave to a record") \
	X(OTHERS, "others", VT_U64, "records that others made between the time of this one and its end: its counts may be of any moment between")

/* X(ID, "name", "kernel type") */
#define VT_CLASSES(X) \
	X(SESSION, "session", "struct luo_session") \
	X(LUO_FILE, "luo_file", "struct luo_file") \
	X(HANDLER, "handler", "struct liveupdate_file_handler") \
	X(FILE, "file", "struct file") \
	X(DF, "df", "struct vfio_device_file") \
	X(DEVICE, "device", "struct vfio_device") \
	X(INODE, "inode", "struct inode") \
	X(MAPPING, "mapping", "struct address_space") \
	X(FLB, "flb", "struct liveupdate_flb") \
	X(VMA, "vma", "struct vm_area_struct") \
	X(IDEV, "idev", "struct iommufd_device") \
	X(OTHER, "ptr", "anything else")

#define VT_ENUM5(id, name, a, b, c) VT_EV_##id,
enum vt_event_type { VT_EV_UNKNOWN = 0, VT_EVENTS(VT_ENUM5) VT_EV_MAX };
#undef VT_ENUM5

#define VT_ENUM4(id, name, kind, a) VT_F_##id,
enum vt_field { VT_F_NONE = 0, VT_FIELDS(VT_ENUM4) VT_F_MAX };
#undef VT_ENUM4

#define VT_ENUM3(id, name, a) VT_C_##id,
enum vt_class { VT_C_NONE = 0, VT_CLASSES(VT_ENUM3) VT_C_MAX };
#undef VT_ENUM3

#endif
