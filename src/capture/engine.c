/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/engine_private.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "capture/kernel.h"
#include "capture/tracefs.h"
#include "capture/phase.h"

static const char *const shared_maps[NR_MAPS] = { "ring", ".data.control", "cpus", "objects", "sites" };
_Static_assert(sizeof(struct vt_wire_cpu) % 8 == 0, "per-CPU values are padded to 8 bytes by the kernel");

uint64_t engine__now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}
/* ---- kernel memory ---- */

int engine__peek(struct engine *e, uint64_t addr, void *buf, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err;

	if (len > VT_PEEK_MAX)
		return -E2BIG;
	e->ctl->peek_addr = addr;
	e->ctl->peek_len = len;
	err = bpf_prog_test_run_opts(e->peek_fd, &opts);
	if (err)
		return err;
	if (e->ctl->peek_err)
		return e->ctl->peek_err;
	memcpy(buf, e->ctl->peek, len);
	return 0;
}

int engine__reader(void *engine, uint64_t addr, void *buf, size_t len)
{
	return engine__peek(engine, addr, buf, len);
}

uint64_t engine__peek_u64(struct engine *e, uint64_t addr)
{
	uint64_t v = 0;

	return addr && !engine__peek(e, addr, &v, sizeof(v)) ? v : 0;
}

/*
 * Where the direct map and the page array begin: variables when the layout is
 * randomized, else the fixed places of Documentation/arch/x86/x86_64/mm.rst.
 */
static void find_memory_layout(struct engine *e)
{
	uint64_t po = kernel__addr(e->k, "page_offset_base", NULL);
	uint64_t vm = kernel__addr(e->k, "vmemmap_base", NULL);

	e->ctl->page_offset = po ? engine__peek_u64(e, po) : 0xffff888000000000ULL;
	e->ctl->vmemmap = vm ? engine__peek_u64(e, vm) : 0xffffea0000000000ULL;
}

/* ---- the whole ---- */

static int map_control(struct engine *e)
{
	long page = sysconf(_SC_PAGESIZE);

	e->ctl_len = (sizeof(struct vt_control) + page - 1) & ~(page - 1);
	e->ctl = mmap(NULL, e->ctl_len, PROT_READ | PROT_WRITE, MAP_SHARED, e->map_fd[MAP_CONTROL], 0);
	if (e->ctl == MAP_FAILED) {
		e->ctl = NULL;
		return -errno;
	}
	e->ctl->df_device = e->ctl->dev_inode = e->ctl->dev_refcount = e->ctl->dev_kref = -1;
	e->ctl->dev_dev = e->ctl->dev_open_count = e->ctl->dev_cdev = -1;
	e->ctl->wake_bytes = e->opt.ring_bytes / 4;
	e->ctl->recorder_cpu = -1;
	e->ctl->wait_ns = e->opt.jump_wait_ns;
	e->ctl->module_wait_ns = e->opt.module_wait_ns;
	e->ctl->inject_section = e->opt.fail_section;
	e->ctl->inject_nth = e->opt.fail_nth;
	e->ctl->inject_nofail = e->nofail;
	return 0;
}

static int load_core(struct engine *e)
{
	int err;

	phase__begin("load");
	err = load__object(e);

	if (err)
		return err;
	for (size_t i = 0; i < NR_MAPS; i++)
		e->map_fd[i] = bpf_map__fd(bpf_object__find_map_by_name(e->obj, shared_maps[i]));
	e->peek_fd = bpf_program__fd(bpf_object__find_program_by_name(e->obj, "peek"));
	e->last_look_fd = bpf_program__fd(bpf_object__find_program_by_name(e->obj, "last_look"));
	phase__begin("layout");
	handlers__prepare(e);
	err = map_control(e);
	if (err)
		return err;
	find_memory_layout(e);
	phase__begin("attach core");
	err = load__attach_core(e);
	return err < 0 ? err : 0;
}

int engine__open(struct engine **out, struct kernel *k, const struct engine_options *o, const char **why)
{
	struct engine *e = calloc(1, sizeof(*e));
	int err;

	*why = "out of memory";
	if (!e)
		return -ENOMEM;
	e->k = k;
	e->opt = *o;
	phase__begin("plan");
	err = plan__resolve(&e->plan, k, PLAN_CORE);
	if (!err && o->fail_section)
		err = inject__plan(e, why);
	if (!err)
		err = plan__resolve(&e->plan, k, PLAN_VFIO);
	if (err)
		goto fail;
	if (o->dry && !engine__has_luo(e)) {
		/* Nothing would be attached, and an older kernel has not what the programs need. */
		*out = e;
		return 0;
	}
	err = load_core(e);
	if (err) {
		*why = err == -EPERM ? "the kernel refuses BPF tracing programs (missing capability, lockdown, or a sandbox)" :
		       *load__complaint() ? load__complaint() : "the BPF programs could not be loaded";
		goto fail;
	}
	err = engine__catch_up(e);
	if (err < 0) {
		*why = *load__complaint() ? load__complaint() : "attaching failed";
		goto fail;
	}
	*out = e;
	return 0;
fail:
	engine__free(e);
	return err;
}

int engine__catch_up(struct engine *e)
{
	int luo, vfio, handlers, err;

	if (e->caught_up) {
		/* New modules brought new symbols. */
		err = kernel__refresh(e->k);
		if (err)
			return err;
	}
	e->caught_up = true;
	phase__begin("attach luo");
	luo = luo__attach(e);
	if (luo < 0)
		return luo;
	phase__begin("attach vfio");
	vfio = vfio__attach(e);
	if (vfio < 0)
		return vfio;
	phase__begin("attach handlers");
	handlers = handlers__attach(e);
	return handlers < 0 ? handlers : luo + vfio + handlers;
}

void engine__free(struct engine *e)
{
	if (!e)
		return;
	if (e->ctl)
		e->ctl->gate = 0;
	for (size_t i = 0; i < e->plan.nr; i++)
		plan__detach(&e->plan.rows[i]);
	if (e->ctl)
		munmap(e->ctl, e->ctl_len);
	for (size_t i = 0; i < e->nr_btf_fds; i++)
		close(e->btf_fds[i].fd);
	free(e->btf_fds);
	bpf_object__close(e->obj);
	load__free_templates(e);
	tracefs__free(e->tracefs);
	free(e->handlers);
	free(e->sites);
	plan__clear(&e->plan);
	free(e);
}

struct vt_control *engine__control(struct engine *e)
{
	return e->ctl;
}

struct plan *engine__plan(struct engine *e)
{
	return &e->plan;
}

int engine__ring_fd(const struct engine *e)
{
	return e->map_fd[MAP_RING];
}

const struct site *engine__site(const struct engine *e, uint32_t index)
{
	return index < e->nr_sites ? &e->sites[index] : NULL;
}

const struct site *engine__df_alloc(const struct engine *e)
{
	return e->df_alloc.addr ? &e->df_alloc : NULL;
}

bool engine__has_luo(const struct engine *e)
{
	return kernel__addr(e->k, "liveupdate_reboot", NULL) && kernel__addr(e->k, "luo_preserve_file", NULL);
}

const char *engine__handlers(const struct engine *e)
{
	return e->handler_list;
}

static void add_loss(struct vt_wire_loss *sum, const struct vt_wire_loss *l)
{
	if (!l->count)
		return;
	if (!sum->count || l->first_ns < sum->first_ns)
		sum->first_ns = l->first_ns;
	if (l->last_ns > sum->last_ns)
		sum->last_ns = l->last_ns;
	sum->count += l->count;
}

int engine__losses(struct engine *e, struct engine_losses *out)
{
	int cpus = libbpf_num_possible_cpus();
	struct vt_wire_cpu *buf = cpus > 0 ? calloc(cpus, sizeof(*buf)) : NULL;
	uint32_t zero = 0;
	int err = 0;

	memset(out, 0, sizeof(*out));
	if (!buf)
		return -ENOMEM;
	if (bpf_map_lookup_elem(e->map_fd[MAP_CPUS], &zero, buf))
		err = -errno;
	for (int i = 0; !err && i < cpus; i++) {
		for (int t = 0; t < VT_EV_MAX; t++) {
			add_loss(&out->ring[t], &buf[i].loss[t]);
			add_loss(&out->spared[t], &buf[i].spared[t]);
			add_loss(&out->half[t], &buf[i].half[t]);
		}
		for (int cls = 0; cls < VT_C_MAX; cls++)
			add_loss(&out->unknown[cls], &buf[i].unknown[cls]);
	}
	free(buf);
	return err;
}

/*
 * A folio that has just left a page cache may hang on a CPU's list of pages to
 * be put on the LRU, with a reference of its own. Sealing a memfd against
 * writes empties these lists (mm/memfd.c: memfd_wait_for_pins()).
 */
static void empty_lru_lists(void)
{
	int fd = memfd_create("vfiotrace", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return;
	if (write(fd, "", 1) == 1)
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
	close(fd);
}

int engine__last_look(struct engine *e)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (!e->ctl->suspects)
		return 0;
	empty_lru_lists();
	return bpf_prog_test_run_opts(e->last_look_fd, &opts);
}
