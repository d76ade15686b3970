// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways in which /dev/labstate can be preserved: wrong ones, and beside each of
 * them one that looks much the same and is right.
 *
 * Chosen by the module's parameter mode=<name>, before it is loaded. The empty name,
 * the default, is what labstate_main.c does.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/luo_seed_bug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "labstate.h"

static struct labstate_ser *ser_of(struct liveupdate_file_op_args *args)
{
	return phys_to_virt(args->serialized_data);
}

/*
 * pages: three of them are preserved one by one, the value is in the first.
 */
#define PAGES	3
#define ORDER	2	/* what they are allocated as */

static int pages_preserve(struct liveupdate_file_op_args *args)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	int i, ret;

	if (!page)
		return -ENOMEM;
	split_page(page, ORDER);
	ret = kho_preserve_pages(page, PAGES);
	if (!ret) {
		args->serialized_data = page_to_phys(page);
		return 0;
	}
	for (i = 0; i < 1 << ORDER; i++)
		__free_page(page + i);
	return ret;
}

static void pages_free(struct page *page, int nr)
{
	int i;

	for (i = 0; page && i < nr; i++)
		__free_page(page + i);
}

static void pages_unpreserve(struct liveupdate_file_op_args *args)
{
	struct page *page = virt_to_page(ser_of(args));

	kho_unpreserve_pages(page, PAGES);
	pages_free(page, 1 << ORDER);
}

/* The fourth page was never given to KHO. */
static void pages_unpreserve_too_many(struct liveupdate_file_op_args *args)
{
	struct page *page = virt_to_page(ser_of(args));

	kho_unpreserve_pages(page, PAGES);
	kho_unpreserve_pages(page + PAGES, 1);
	pages_free(page, 1 << ORDER);
}

static int pages_retrieve_nr(struct liveupdate_file_op_args *args, int nr)
{
	struct page *page = kho_restore_pages(args->serialized_data, nr);
	u64 value;

	if (!page)
		return -EINVAL;
	value = ser_of(args)->value;
	pages_free(page, nr);
	args->file = labstate_getfile(value);
	return PTR_ERR_OR_ZERO(args->file);
}

static int pages_retrieve(struct liveupdate_file_op_args *args)
{
	return pages_retrieve_nr(args, PAGES);
}

static int pages_retrieve_short(struct liveupdate_file_op_args *args)
{
	return pages_retrieve_nr(args, PAGES - 1);
}

static void pages_finish(struct liveupdate_file_op_args *args)
{
	if (!args->retrieve_status)
		pages_free(kho_restore_pages(args->serialized_data, PAGES), PAGES);
}

/*
 * no-data: there is nothing to hand over but that the file was there.
 */
static int no_data_preserve(struct liveupdate_file_op_args *args)
{
	args->serialized_data = 0;
	return 0;
}

static void no_data_unpreserve(struct liveupdate_file_op_args *args)
{
}

static int no_data_freeze(struct liveupdate_file_op_args *args)
{
	return labstate_freeze_fails() ? -EBUSY : 0;
}

static void no_data_unfreeze(struct liveupdate_file_op_args *args)
{
}

static int no_data_retrieve(struct liveupdate_file_op_args *args)
{
	args->file = labstate_getfile(0);
	return PTR_ERR_OR_ZERO(args->file);
}

static void no_data_finish(struct liveupdate_file_op_args *args)
{
}

/*
 * freeze-preserves: the memory is given to KHO in freeze, and kept for the next one
 * when the update is aborted.
 */
static int late_freeze(struct liveupdate_file_op_args *args, bool keep, bool forget)
{
	struct labstate *state = args->file->private_data;
	struct labstate_ser *ser;

	if (keep && args->serialized_data)
		ser = ser_of(args);
	else
		ser = kho_alloc_preserve(sizeof(*ser));
	if (IS_ERR(ser))
		return PTR_ERR(ser);

	if (labstate_freeze_fails()) {
		if (!forget)
			kho_unpreserve_free(ser);
		return -EBUSY;
	}
	ser->value = state->value;
	args->serialized_data = virt_to_phys(ser);
	return 0;
}

static int late_freeze_right(struct liveupdate_file_op_args *args)
{
	return late_freeze(args, true, false);
}

/* A freeze that fails forgets what it gave to KHO. */
static int late_freeze_forgets(struct liveupdate_file_op_args *args)
{
	return late_freeze(args, true, true);
}

/* The second freeze forgets what the first one gave. */
static int late_freeze_again(struct liveupdate_file_op_args *args)
{
	return late_freeze(args, false, false);
}

static void late_unpreserve(struct liveupdate_file_op_args *args)
{
	if (args->serialized_data)
		kho_unpreserve_free(ser_of(args));
}

/*
 * shared: all files have one folio. Counted, the first gives it to KHO and the last
 * takes it back; not counted, each file does both.
 */
static DEFINE_MUTEX(shared_lock);
static struct labstate_ser *shared_ser;		/* old kernel */
static struct folio *shared_arrived;		/* new kernel */

static int shared_preserve_folio(struct liveupdate_file_op_args *args, bool counted)
{
	int ret = 0;

	guard(mutex)(&shared_lock);
	if (!shared_ser) {
		ret = labstate_preserve(args);
		if (ret)
			return ret;
		shared_ser = ser_of(args);
	} else if (!counted) {
		ret = kho_preserve_folio(virt_to_folio(shared_ser));
	}
	if (ret)
		return ret;
	shared_ser->users++;
	args->serialized_data = virt_to_phys(shared_ser);
	return 0;
}

static void shared_unpreserve_folio(struct liveupdate_file_op_args *args, bool counted)
{
	struct labstate_ser *ser = ser_of(args);
	bool last;

	guard(mutex)(&shared_lock);
	last = !--ser->users;
	if (last)
		shared_ser = NULL;
	if (!counted || last)
		kho_unpreserve_folio(virt_to_folio(ser));
	if (last)
		folio_put(virt_to_folio(ser));
}

static int shared_preserve(struct liveupdate_file_op_args *args)
{
	return shared_preserve_folio(args, false);
}

static void shared_unpreserve(struct liveupdate_file_op_args *args)
{
	shared_unpreserve_folio(args, false);
}

static int counted_preserve(struct liveupdate_file_op_args *args)
{
	return shared_preserve_folio(args, true);
}

static void counted_unpreserve(struct liveupdate_file_op_args *args)
{
	shared_unpreserve_folio(args, true);
}

static struct labstate_ser *counted_arrive(struct liveupdate_file_op_args *args)
{
	if (!shared_arrived)
		shared_arrived = kho_restore_folio(args->serialized_data);
	return shared_arrived ? folio_address(shared_arrived) : NULL;
}

static int counted_retrieve(struct liveupdate_file_op_args *args)
{
	struct labstate_ser *ser;

	guard(mutex)(&shared_lock);
	ser = counted_arrive(args);
	if (!ser)
		return -EINVAL;
	args->file = labstate_getfile(ser->value);
	return PTR_ERR_OR_ZERO(args->file);
}

static void counted_finish(struct liveupdate_file_op_args *args)
{
	struct labstate_ser *ser;

	guard(mutex)(&shared_lock);
	ser = counted_arrive(args);
	if (!ser || --ser->users)
		return;
	folio_put(shared_arrived);
	shared_arrived = NULL;
}

/*
 * unpreserve-frees, unpreserve-restores: unpreserve is wrong about what it undoes.
 */
static void frees_unpreserve(struct liveupdate_file_op_args *args)
{
	folio_put(virt_to_folio(ser_of(args)));
}

static void restores_unpreserve(struct liveupdate_file_op_args *args)
{
	kho_restore_free(ser_of(args));
}

/*
 * restore-foreign: first tries an address at which nothing was preserved.
 */
static int foreign_retrieve(struct liveupdate_file_op_args *args)
{
	struct folio *folio = kho_restore_folio(args->serialized_data + PAGE_SIZE);

	if (folio)
		folio_put(folio);
	return labstate_retrieve(args);
}

/*
 * freeze-keeps-file, freeze-holds-file: a freeze takes a reference of its file and
 * fails, or succeeds and has no unfreeze. With -right, it is given back in time.
 */
static int keeps_freeze(struct liveupdate_file_op_args *args)
{
	int ret;

	get_file(args->file);
	ret = labstate_freeze(args);
	if (!ret)
		fput(args->file);
	return ret;
}

static int keeps_freeze_right(struct liveupdate_file_op_args *args)
{
	int ret;

	get_file(args->file);
	ret = labstate_freeze(args);
	fput(args->file);
	return ret;
}

static int holds_freeze(struct liveupdate_file_op_args *args)
{
	int ret = labstate_freeze(args);

	if (!ret)
		get_file(args->file);
	return ret;
}

static void holds_unfreeze(struct liveupdate_file_op_args *args)
{
	fput(args->file);
	labstate_unfreeze(args);
}

/*
 * nested: files say by their value which one they need: "2..." needs token 1, and
 * gets it within its own retrieve. nested-keeps does not give it back.
 */
static int nested_retrieve_one(struct liveupdate_file_op_args *args, bool keep)
{
	struct file *other;
	int ret;

	if ((ser_of(args)->value & 0xff) == '2') {
		ret = luo_lab_get_incoming(1, &other);
		if (ret)
			return ret;
		if (!keep)
			fput(other);
	}
	return labstate_retrieve(args);
}

static int nested_retrieve(struct liveupdate_file_op_args *args)
{
	return nested_retrieve_one(args, false);
}

static int nested_retrieve_keeps(struct liveupdate_file_op_args *args)
{
	return nested_retrieve_one(args, true);
}

/*
 * error-swallowed: without memory for the value the file is handed over without it.
 * error-made-good: a second attempt is made, and only its error counts.
 */
static int swallowed_preserve(struct liveupdate_file_op_args *args)
{
	if (labstate_preserve(args))
		args->serialized_data = 0;
	return 0;
}

static int made_good_preserve(struct liveupdate_file_op_args *args)
{
	return labstate_preserve(args) ? labstate_preserve(args) : 0;
}

static void swallowed_unpreserve(struct liveupdate_file_op_args *args)
{
	if (args->serialized_data)
		labstate_unpreserve(args);
}

static int swallowed_freeze(struct liveupdate_file_op_args *args)
{
	return args->serialized_data ? labstate_freeze(args) : 0;
}

static void swallowed_unfreeze(struct liveupdate_file_op_args *args)
{
	if (args->serialized_data)
		labstate_unfreeze(args);
}

static int swallowed_retrieve(struct liveupdate_file_op_args *args)
{
	return args->serialized_data ? labstate_retrieve(args) : no_data_retrieve(args);
}

static void swallowed_finish(struct liveupdate_file_op_args *args)
{
	if (args->serialized_data)
		labstate_finish(args);
}

/*
 * finish-refused: a file whose retrieve failed keeps its whole session from being
 * finished. finish-never: so does any file. finish-asked: none does.
 */
static bool refused_can_finish(struct liveupdate_file_op_args *args)
{
	return args->retrieve_status >= 0;
}

static bool never_can_finish(struct liveupdate_file_op_args *args)
{
	return false;
}

static bool asked_can_finish(struct liveupdate_file_op_args *args)
{
	return true;
}

/*
 * id-by-value: what LUO knows the file by changes with every write. id-by-state: it
 * stays as long as the file is open.
 */
static unsigned long value_get_id(struct file *file)
{
	struct labstate *state = file->private_data;

	return state->value & 0xff;
}

static unsigned long state_get_id(struct file *file)
{
	return (unsigned long)file->private_data;
}

/*
 * own-folio: the module gives a folio of its own to KHO, without LUO, and forgets it
 * when it goes. own-folio-right takes it back.
 */
#define OWN_ORDER 6	/* large, so that it stays free for a while */

static struct folio *own_folio;

static int own_init(void)
{
	int ret;

	own_folio = folio_alloc(GFP_KERNEL, OWN_ORDER);
	ret = own_folio ? kho_preserve_folio(own_folio) : -ENOMEM;
	if (ret && own_folio)
		folio_put(own_folio);
	return ret;
}

static void own_exit(void)
{
	folio_put(own_folio);
}

static void own_exit_right(void)
{
	kho_unpreserve_folio(own_folio);
	folio_put(own_folio);
}

#define PAGES_MODE							\
	.preserve = pages_preserve, .unpreserve = pages_unpreserve,	\
	.retrieve = pages_retrieve, .finish = pages_finish
#define LATE_MODE							\
	.preserve = no_data_preserve, .unpreserve = late_unpreserve,	\
	.unfreeze = no_data_unfreeze
#define SWALLOWED_MODE							\
	.unpreserve = swallowed_unpreserve, .freeze = swallowed_freeze,	\
	.unfreeze = swallowed_unfreeze, .retrieve = swallowed_retrieve,	\
	.finish = swallowed_finish

/* The one list. */
static const struct labstate_mode labstate_modes[] = {
	{ .name = "" },
	{ .name = "pages", PAGES_MODE },
	{ .name = "pages-short", .preserve = pages_preserve, .unpreserve = pages_unpreserve,
	  .retrieve = pages_retrieve_short, .finish = pages_finish },
	{ .name = "pages-as-folio", .preserve = pages_preserve, .unpreserve = pages_unpreserve,
	  .finish = pages_finish },
	{ .name = "unpreserve-too-many", .preserve = pages_preserve,
	  .unpreserve = pages_unpreserve_too_many, .retrieve = pages_retrieve, .finish = pages_finish },
	{ .name = "no-data", .preserve = no_data_preserve, .unpreserve = no_data_unpreserve,
	  .freeze = no_data_freeze, .unfreeze = no_data_unfreeze, .retrieve = no_data_retrieve,
	  .finish = no_data_finish },
	{ .name = "freeze-preserves", LATE_MODE, .freeze = late_freeze_right },
	{ .name = "freeze-forgets", LATE_MODE, .freeze = late_freeze_forgets },
	{ .name = "freeze-again", LATE_MODE, .freeze = late_freeze_again },
	{ .name = "shared", .preserve = shared_preserve, .unpreserve = shared_unpreserve },
	{ .name = "shared-counted", .preserve = counted_preserve, .unpreserve = counted_unpreserve,
	  .retrieve = counted_retrieve, .finish = counted_finish },
	{ .name = "unpreserve-frees", .unpreserve = frees_unpreserve },
	{ .name = "unpreserve-restores", .unpreserve = restores_unpreserve },
	{ .name = "restore-foreign", .retrieve = foreign_retrieve },
	{ .name = "freeze-keeps-file", .freeze = keeps_freeze },
	{ .name = "freeze-keeps-file-right", .freeze = keeps_freeze_right },
	{ .name = "freeze-holds-file", .freeze = holds_freeze, .no_unfreeze = true },
	{ .name = "freeze-holds-file-right", .freeze = holds_freeze, .unfreeze = holds_unfreeze },
	{ .name = "nested", .retrieve = nested_retrieve },
	{ .name = "nested-keeps", .retrieve = nested_retrieve_keeps },
	{ .name = "error-swallowed", .preserve = swallowed_preserve, SWALLOWED_MODE },
	{ .name = "error-made-good", .preserve = made_good_preserve, SWALLOWED_MODE },
	{ .name = "finish-refused", .can_finish = refused_can_finish },
	{ .name = "finish-never", .can_finish = never_can_finish },
	{ .name = "finish-asked", .can_finish = asked_can_finish },
	{ .name = "id-by-value", .get_id = value_get_id },
	{ .name = "id-by-state", .get_id = state_get_id },
	{ .name = "own-folio", .init = own_init, .exit = own_exit },
	{ .name = "own-folio-right", .init = own_init, .exit = own_exit_right },
};

const struct labstate_mode *labstate_mode = &labstate_modes[0];

static int labstate_mode_set(const char *val, const struct kernel_param *kp)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(labstate_modes); i++) {
		if (sysfs_streq(val, labstate_modes[i].name)) {
			labstate_mode = &labstate_modes[i];
			return 0;
		}
	}
	return -EINVAL;
}

static int labstate_mode_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", labstate_mode->name);
}

static const struct kernel_param_ops labstate_mode_ops = {
	.set = labstate_mode_set,
	.get = labstate_mode_get,
};
module_param_cb(mode, &labstate_mode_ops, NULL, 0444);
MODULE_PARM_DESC(mode, "Name of the one way to be preserved (default: the right one)");
