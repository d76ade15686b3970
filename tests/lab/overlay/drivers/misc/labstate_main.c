// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/labstate: the smallest thing that can be preserved across a live update.
 *
 * An open file is eight bytes, written and read with write(2) and read(2). It
 * exists so that the lab has a handler which a tracer has never heard of, and
 * one that fails when asked to: to preserve, to freeze, to retrieve. Told to, it
 * registers late, and a second time with the same callbacks, as a new ABI does.
 *
 * How else it can go about being preserved, wrong or only different, is in
 * labstate_modes.c. What is here is right.
 */
#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/luo_seed_bug.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "labstate.h"

static int fail_freeze;
module_param(fail_freeze, int, 0644);
MODULE_PARM_DESC(fail_freeze, "The freeze call, counted from 1, that fails with -EBUSY (default: none)");

static int fail_preserve;
module_param(fail_preserve, int, 0644);
MODULE_PARM_DESC(fail_preserve, "The preserve call, counted from 1, that fails with -ENOSPC (default: none)");

static int fail_retrieve;
module_param(fail_retrieve, int, 0644);
MODULE_PARM_DESC(fail_retrieve, "The retrieve call, counted from 1, that fails with -EIO (default: none)");

static bool late;
module_param(late, bool, 0444);
MODULE_PARM_DESC(late, "Register no handler in init: \"handlers\" does (default: no)");

static atomic_t labstate_freezes = ATOMIC_INIT(0);
static atomic_t labstate_preserves = ATOMIC_INIT(0);
static atomic_t labstate_retrieves = ATOMIC_INIT(0);

static int labstate_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct labstate), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int labstate_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t labstate_read(struct file *file, char __user *buf, size_t count,
			     loff_t *ppos)
{
	struct labstate *state = file->private_data;

	return simple_read_from_buffer(buf, count, ppos, &state->value,
				       sizeof(state->value));
}

static ssize_t labstate_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *ppos)
{
	struct labstate *state = file->private_data;

	return simple_write_to_buffer(&state->value, sizeof(state->value), ppos,
				      buf, count);
}

static const struct file_operations labstate_fops = {
	.owner		= THIS_MODULE,
	.open		= labstate_open,
	.release	= labstate_release,
	.read		= labstate_read,
	.write		= labstate_write,
	.llseek		= default_llseek,
};

static struct miscdevice labstate_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "labstate",
	.fops	= &labstate_fops,
	.mode	= 0600,
};

static bool labstate_liveupdate_can_preserve(struct liveupdate_file_handler *handler,
					     struct file *file)
{
	return file->f_op == &labstate_fops;
}

int labstate_preserve(struct liveupdate_file_op_args *args)
{
	struct labstate_ser *ser = kho_alloc_preserve(sizeof(*ser));

	if (IS_ERR(ser))
		return PTR_ERR(ser);

	if (atomic_inc_return(&labstate_preserves) == fail_preserve) {
		kho_unpreserve_free(ser);
		return -ENOSPC;
	}

	args->serialized_data = virt_to_phys(ser);
	return 0;
}

void labstate_unpreserve(struct liveupdate_file_op_args *args)
{
	/* Called for a retrieved file, whose memory is long gone. */
	if (luo_seeded(LUO_SEED_UNPRESERVE_RETRIEVED))
		return;

	kho_unpreserve_free(phys_to_virt(args->serialized_data));
}

bool labstate_freeze_fails(void)
{
	return atomic_inc_return(&labstate_freezes) == fail_freeze;
}

/* The value may change until the very end, so it is copied here. */
int labstate_freeze(struct liveupdate_file_op_args *args)
{
	struct labstate_ser *ser = phys_to_virt(args->serialized_data);
	struct labstate *state = args->file->private_data;

	if (labstate_freeze_fails())
		return -EBUSY;

	ser->value = state->value;
	return 0;
}

void labstate_unfreeze(struct liveupdate_file_op_args *args)
{
	struct labstate_ser *ser = phys_to_virt(args->serialized_data);

	ser->value = 0;
}

struct file *labstate_getfile(u64 value)
{
	struct labstate *state;
	struct file *file;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return ERR_PTR(-ENOMEM);
	state->value = value;

	file = anon_inode_getfile_fmode("[labstate]", &labstate_fops, state,
					O_RDWR,
					FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE);
	if (IS_ERR(file))
		kfree(state);
	return file;
}

/* What was handed over is taken here, and finish has nothing left to do. */
int labstate_retrieve(struct liveupdate_file_op_args *args)
{
	struct folio *folio = kho_restore_folio(args->serialized_data);
	struct labstate_ser *ser;
	struct file *file;

	if (!folio)
		return -EINVAL;

	/* Time for a second caller to come in. */
	if (luo_seeded(LUO_SEED_RETRIEVE_UNLOCKED))
		msleep(1000);

	ser = folio_address(folio);
	if (atomic_inc_return(&labstate_retrieves) == fail_retrieve)
		file = ERR_PTR(-EIO);
	else
		file = labstate_getfile(ser->value);
	folio_put(folio);
	if (IS_ERR(file))
		return PTR_ERR(file);

	args->file = file;
	return 0;
}

void labstate_finish(struct liveupdate_file_op_args *args)
{
	/* Retrieved, or as good as: see above. */
	if (args->retrieve_status)
		return;
	kho_restore_free(phys_to_virt(args->serialized_data));
}

/*
 * What LUO calls: the mode's callback where it has one, else the right one.
 */
#define MODE_OR(callback) (labstate_mode->callback ?: labstate_##callback)

static int labstate_liveupdate_preserve(struct liveupdate_file_op_args *args)
{
	return MODE_OR(preserve)(args);
}

static void labstate_liveupdate_unpreserve(struct liveupdate_file_op_args *args)
{
	MODE_OR(unpreserve)(args);
}

static int labstate_liveupdate_freeze(struct liveupdate_file_op_args *args)
{
	return MODE_OR(freeze)(args);
}

static void labstate_liveupdate_unfreeze(struct liveupdate_file_op_args *args)
{
	MODE_OR(unfreeze)(args);
}

static int labstate_liveupdate_retrieve(struct liveupdate_file_op_args *args)
{
	return MODE_OR(retrieve)(args);
}

static bool labstate_liveupdate_can_finish(struct liveupdate_file_op_args *args)
{
	return labstate_mode->can_finish(args);
}

static void labstate_liveupdate_finish(struct liveupdate_file_op_args *args)
{
	MODE_OR(finish)(args);
}

static unsigned long labstate_liveupdate_get_id(struct file *file)
{
	return labstate_mode->get_id(file);
}

/* The same callbacks twice: LUO has one handler for each set of them. */
#define LABSTATE_OPS {							\
	.can_preserve	= labstate_liveupdate_can_preserve,		\
	.preserve	= labstate_liveupdate_preserve,			\
	.unpreserve	= labstate_liveupdate_unpreserve,		\
	.freeze		= labstate_liveupdate_freeze,			\
	.unfreeze	= labstate_liveupdate_unfreeze,			\
	.retrieve	= labstate_liveupdate_retrieve,			\
	.can_finish	= labstate_liveupdate_can_finish,		\
	.finish		= labstate_liveupdate_finish,			\
	.get_id		= labstate_liveupdate_get_id,			\
	.owner		= THIS_MODULE,					\
}

static struct liveupdate_file_ops labstate_ops[] = { LABSTATE_OPS, LABSTATE_OPS };

/* What the mode does not have, LUO must not see. */
static void labstate_fit_ops(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(labstate_ops); i++) {
		if (labstate_mode->no_unfreeze)
			labstate_ops[i].unfreeze = NULL;
		if (!labstate_mode->can_finish)
			labstate_ops[i].can_finish = NULL;
		if (!labstate_mode->get_id)
			labstate_ops[i].get_id = NULL;
	}
}

static struct liveupdate_file_handler labstate_handlers[] = {
	{ .ops = &labstate_ops[0], .compatible = "lab-state-v1" },
	{ .ops = &labstate_ops[1], .compatible = "lab-state-v2" },
};
static unsigned int labstate_nr;	/* registered */

static int labstate_register(unsigned int nr)
{
	int ret = 0;

	while (!ret && labstate_nr < nr && labstate_nr < ARRAY_SIZE(labstate_handlers)) {
		ret = liveupdate_register_file_handler(&labstate_handlers[labstate_nr]);
		if (!ret)
			labstate_nr++;
	}
	return ret == -EOPNOTSUPP ? 0 : ret;
}

static void labstate_unregister(void)
{
	while (labstate_nr)
		liveupdate_unregister_file_handler(&labstate_handlers[--labstate_nr]);
}

static int labstate_set_handlers(const char *val, const struct kernel_param *kp)
{
	unsigned int nr;
	int ret = kstrtouint(val, 0, &nr);

	return ret ?: labstate_register(nr);
}

static const struct kernel_param_ops labstate_handlers_ops = {
	.set = labstate_set_handlers,
	.get = param_get_uint,
};
module_param_cb(handlers, &labstate_handlers_ops, &labstate_nr, 0600);
MODULE_PARM_DESC(handlers, "How many of the two handlers are registered; more can be, fewer cannot");

static int __init labstate_init(void)
{
	int ret;

	labstate_fit_ops();
	ret = labstate_mode->init ? labstate_mode->init() : 0;
	if (ret)
		return ret;

	ret = late ? 0 : labstate_register(1);
	if (ret)
		goto err_exit;

	ret = misc_register(&labstate_misc);
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	labstate_unregister();
err_exit:
	if (labstate_mode->exit)
		labstate_mode->exit();
	return ret;
}
module_init(labstate_init);

static void __exit labstate_exit(void)
{
	misc_deregister(&labstate_misc);
	labstate_unregister();
	if (labstate_mode->exit)
		labstate_mode->exit();
}
module_exit(labstate_exit);

MODULE_DESCRIPTION("The smallest preservable file, for the lab of vfiotrace");
MODULE_LICENSE("GPL");
