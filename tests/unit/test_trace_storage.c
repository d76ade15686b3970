// SPDX-License-Identifier: GPL-2.0
/* Writers in trouble: full disks, limits, signals, kills, and paths that are not theirs to write. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace_util.h"

#define BIT(n) (1u << (n))

/* What a trace accounts for: events in it, events it calls lost, and times of the loss. */
struct account {
	uint64_t events, lost;
	uint64_t first_lost, last_lost;
	bool ended;
	unsigned int damage;
};

static struct account account(const char *path)
{
	static struct vt_event e;
	struct account a = { .first_lost = UINT64_MAX };
	struct vt_trace *t;
	char *why;

	if (vt_trace__open(path, &t, &why))
		fail_msg("%s", why);
	while (vt_trace__next(t, &e) == 1)
		a.events++;
	for (size_t i = 0; i < vt_trace__loss_nr(t); i++) {
		const struct vt_loss *l = vt_trace__loss(t, i);

		assert_string_equal(l->why, "storage");
		assert_string_equal(l->event, "op.preserve");
		a.lost += l->count;
		a.first_lost = l->from_ns < a.first_lost ? l->from_ns : a.first_lost;
		a.last_lost = l->to_ns > a.last_lost ? l->to_ns : a.last_lost;
	}
	for (size_t i = 0; i < vt_trace__damage_nr(t); i++)
		a.damage |= BIT(vt_trace__damage(t, i)->kind);
	a.ended = vt_trace__ended(t);
	vt_trace__free(t);
	return a;
}

/* Assertions of cmocka do not work across fork(): the child says what failed and exits. */
#define CHILD_CHECK(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "child: line %d: %s (errno %d)\n", __LINE__, #cond, errno); \
		_exit(1); \
	} \
} while (0)

/* Runs FN in a child; its exit code. */
static int in_child(int (*fn)(void **state), void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(fn(state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int under_size_limit(void **state)
{
	struct rlimit limit = { .rlim_cur = 200000, .rlim_max = RLIM_INFINITY };
	struct vt_writer *w;

	signal(SIGXFSZ, SIG_IGN);
	CHILD_CHECK(!vt_writer__open(tu_path(state, "t"), &w));
	CHILD_CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	for (uint64_t i = 0; i < 40000; i++)
		tu_event(w, i);
	CHILD_CHECK(vt_writer__error(w) == -EFBIG);
	CHILD_CHECK(!vt_writer__finish(w, "stopped"));
	vt_writer__free(w);
	return 0;
}

static void size_limit(void **state)
{
	struct account a;

	assert_int_equal(in_child(under_size_limit, state), 0);
	a = account(tu_path(state, "t"));
	assert_true(a.ended);
	assert_int_equal(a.damage, 0);
	assert_true(a.events > 500 && a.lost > 500);
	assert_int_equal(a.events + a.lost, 40000);
	assert_int_equal(a.first_lost, a.events);
	assert_int_equal(a.last_lost, 39999);
}

static int tiny_tmpfs(void **state)
{
	const char *dir = tu_path(state, "mnt");

	/* 77: no permission, the test is skipped */
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 77;
	CHILD_CHECK(!mkdir(dir, 0700) || errno == EEXIST);
	if (mount("none", dir, "tmpfs", 0, "size=1m"))
		return 77;
	return 0;
}

static void copy_out(void **state, const char *from)
{
	struct tu_file f = tu_read(from);

	tu_write(tu_path(state, "t"), f.data, f.len);
	free(f.data);
}

/* The end must be stored even though nothing was ever freed. */
static int on_full_disk(void **state)
{
	int ret = tiny_tmpfs(state), refused = 0;
	struct vt_writer *w;

	if (ret)
		return ret;
	CHILD_CHECK(!vt_writer__open(tu_path(state, "mnt/t"), &w));
	for (uint64_t i = 0; i < 200000; i++)
		refused += tu_event(w, i) == -ENOSPC;
	CHILD_CHECK(refused > 10000);
	CHILD_CHECK(vt_writer__error(w) == -ENOSPC);
	CHILD_CHECK(!vt_writer__finish(w, "stopped"));
	vt_writer__free(w);
	copy_out(state, tu_path(state, "mnt/t"));
	return 0;
}

static void full_disk(void **state)
{
	int code = in_child(on_full_disk, state);
	struct account a;

	if (code == 77)
		skip();
	assert_int_equal(code, 0);
	a = account(tu_path(state, "t"));
	assert_true(a.ended);
	assert_int_equal(a.damage, 0);
	assert_int_equal(a.events + a.lost, 200000);
	assert_true(a.events > 5000);
}

static void fill(const char *path, size_t len)
{
	char *zeros = calloc(1, len);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHILD_CHECK(zeros && fd >= 0);
	CHILD_CHECK(write(fd, zeros, len) == (ssize_t)len);
	close(fd);
	free(zeros);
}

static int space_returns_in_time(void **state)
{
	int ret = tiny_tmpfs(state);
	struct vt_writer *w;
	uint64_t i = 0;

	if (ret)
		return ret;
	fill(tu_path(state, "mnt/ballast"), 600 << 10);
	CHILD_CHECK(!vt_writer__open(tu_path(state, "mnt/t"), &w));
	while (i < 80000)
		tu_event(w, i++);
	CHILD_CHECK(vt_writer__flush(w, false) == -ENOSPC);
	CHILD_CHECK(tu_event(w, i++) == -ENOSPC);
	CHILD_CHECK(!unlink(tu_path(state, "mnt/ballast")));
	CHILD_CHECK(!vt_writer__flush(w, true));
	for (int n = 0; n < 1000; n++)
		CHILD_CHECK(!tu_event(w, i++));
	CHILD_CHECK(vt_writer__error(w) == -ENOSPC);	/* sticky */
	CHILD_CHECK(!vt_writer__finish(w, "stopped"));
	vt_writer__free(w);
	copy_out(state, tu_path(state, "mnt/t"));
	return 0;
}

static void space_returns(void **state)
{
	int code = in_child(space_returns_in_time, state);
	struct account a;

	if (code == 77)
		skip();
	assert_int_equal(code, 0);
	a = account(tu_path(state, "t"));
	assert_true(a.ended);
	assert_int_equal(a.damage, 0);
	assert_int_equal(a.events + a.lost, 81001);
	assert_int_equal(a.last_lost, 80000);
	assert_int_equal(a.first_lost, 80001 - a.lost);
}

/* Where space cannot be claimed ahead, a block does get torn: nothing of it may stay. */
static int without_claims(void **state)
{
	static char block[sizeof(struct vtf_block) + 60000];
	int ret = tiny_tmpfs(state);
	struct vt_out o;
	struct stat st;

	if (ret)
		return ret;
	CHILD_CHECK(!vt_out__open(&o, tu_path(state, "mnt/t")));
	o.reserves = false;
	do
		ret = vt_out__block(&o, block, 99, 60000, 0, false);
	while (!ret);
	CHILD_CHECK(ret == -ENOSPC);
	CHILD_CHECK(!fstat(o.fd, &st));
	CHILD_CHECK((uint64_t)st.st_size == o.bytes);
	CHILD_CHECK(!vt_out__block(&o, block, 99, 8, 0, true));
	vt_out__close(&o);
	copy_out(state, tu_path(state, "mnt/t"));
	return 0;
}

static void torn_is_cut_off(void **state)
{
	int code = in_child(without_claims, state);
	struct account a;

	if (code == 77)
		skip();
	assert_int_equal(code, 0);
	a = account(tu_path(state, "t"));
	assert_int_equal(a.damage, 0);
}

/* What a carried trace is written to: room that is given once, behind a page of another's. */
static void sealed_memory(void **state)
{
	const size_t head = 4096, size = 300000;
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING), keep = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	static char bytes[300000];
	struct vt_writer *w;
	struct account a;
	uint64_t stored;

	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	assert_int_equal(lseek(fd, head, SEEK_SET), head);
	assert_int_equal(vt_writer__fdopen(fd, &w), 0);
	for (uint64_t i = 0; i < 40000; i++)
		tu_event(w, i);
	assert_int_equal(vt_writer__error(w), -ENOSPC);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	stored = vt_writer__bytes(w);
	vt_writer__free(w);

	assert_true(stored > 200000 && stored <= size - head);
	assert_int_equal(pread(keep, bytes, size, 0), size);
	for (size_t i = 0; i < head; i++)
		assert_int_equal(bytes[i], 0);
	close(keep);
	tu_write(tu_path(state, "t"), bytes + head, stored);
	a = account(tu_path(state, "t"));
	assert_true(a.ended);
	assert_int_equal(a.damage, 0);
	assert_true(a.events > 500 && a.lost > 500);
	assert_int_equal(a.events + a.lost, 40000);
}

static void dev_full(void **state)
{
	struct vt_writer *w;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(vt_writer__fdopen(fd, &w), -ENOSPC);
	assert_null(w);
	assert_int_equal(fcntl(fd, F_GETFD), -1);	/* it was ours, and is closed */
}

static void targets(void **state)
{
	const char *real = tu_path(state, "real"), *symlink_to = tu_path(state, "link"), *second = tu_path(state, "second");
	struct vt_writer *w, *other;

	tu_write(real, "precious", 8);
	assert_int_equal(symlink(real, symlink_to), 0);
	assert_int_equal(vt_writer__open(symlink_to, &w), -ELOOP);
	assert_null(w);
	assert_int_equal(unlink(symlink_to), 0);
	assert_int_equal(symlink(tu_path(state, "nothing"), symlink_to), 0);
	assert_int_equal(vt_writer__open(symlink_to, &w), -ELOOP);
	assert_int_equal(access(tu_path(state, "nothing"), F_OK), -1);
	assert_int_equal(mkfifo(tu_path(state, "fifo"), 0600), 0);
	assert_int_equal(vt_writer__open(tu_path(state, "fifo"), &w), -ENOTSUP);
	assert_int_equal(vt_writer__open("/dev/null", &w), -ENOTSUP);
	assert_int_equal(vt_writer__open("/tmp", &w), -EISDIR);
	assert_int_equal(vt_writer__open(tu_path(state, "no/such/dir"), &w), -ENOENT);
	if (!geteuid()) {
		struct tu_file f;

		assert_int_equal(chown(real, 1, 1), 0);
		assert_int_equal(vt_writer__open(real, &w), -EPERM);
		f = tu_read(real);
		assert_memory_equal(f.data, "precious", 8);
		free(f.data);
		assert_int_equal(chown(real, 0, 0), 0);
	}
	/* A second name, which somebody else may have given it where the kernel lets them. */
	assert_int_equal(link(real, second), 0);
	assert_int_equal(vt_writer__open(second, &w), -EPERM);
	assert_int_equal(vt_writer__open(real, &w), -EPERM);
	assert_int_equal(unlink(second), 0);
	assert_int_equal(vt_writer__open(real, &w), 0);
	assert_int_equal(vt_writer__open(real, &other), -EBUSY);
	vt_writer__free(w);
	assert_int_equal(vt_writer__open(real, &w), 0);
	vt_writer__free(w);
}

/* ---- kill -9 ---- */

static void write_until_killed(const char *path, unsigned int flush_every)
{
	struct vt_writer *w;

	if (vt_writer__open(path, &w))
		_exit(1);
	for (uint64_t i = 0;; i++) {
		tu_event(w, i);
		if (i % flush_every == 0)
			vt_writer__flush(w, false);
	}
}

static void killed(void **state)
{
	const char *path = tu_path(state, "t");

	for (unsigned int round = 0; round < 40; round++) {
		static struct vt_event e;
		struct vt_trace *t;
		uint64_t nr = 0;
		pid_t pid = fork();
		int ret;

		assert_true(pid >= 0);
		if (!pid)
			write_until_killed(path, 1 + round * 17);
		usleep(500 + (useconds_t)(round * 7919) % 15000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ret = vt_trace__open(path, &t, NULL);
		if (ret) {	/* killed before it could write */
			assert_true(ret == -EBADMSG || ret == -ENOENT);
			continue;
		}
		while (vt_trace__next(t, &e) == 1)
			assert_int_equal(e.seq, nr++);
		assert_true(vt_trace__damage_nr(t) <= 1);
		if (vt_trace__damage_nr(t))
			assert_int_equal(vt_trace__damage(t, 0)->kind, VT_D_TRUNCATED);
		assert_null(vt_trace__ended(t));
		vt_trace__free(t);
	}
}

/* ---- interrupted and short writes ---- */

static void nothing(int sig) {}

static void read_slowly(int fd, const char *path)
{
	char buf[3000];
	FILE *f = fopen(path, "wb");
	ssize_t n;

	while (f && (n = read(fd, buf, sizeof(buf))) > 0) {
		fwrite(buf, 1, (size_t)n, f);
		usleep(300);
	}
	_exit(f && !fclose(f) ? 0 : 1);
}

static void interrupted(void **state)
{
	const struct sigaction sa = { .sa_handler = nothing };	/* no SA_RESTART: write(2) comes back early */
	const struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };
	const char *path = tu_path(state, "t");
	struct vt_writer *w;
	struct account a;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[1]);
		read_slowly(fds[0], path);
	}
	close(fds[0]);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(vt_writer__fdopen(fds[1], &w), 0);
	for (uint64_t i = 0; i < 8000; i++)
		assert_int_equal(tu_event(w, i), 0);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	assert_int_equal(status, 0);
	a = account(path);
	assert_int_equal(a.events, 8000);
	assert_true(a.ended && !a.damage && !a.lost);
}

/* A pipe whose reader went away is a storage error like another. */
static void reader_gone(void **state)
{
	struct vt_writer *w;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(vt_writer__fdopen(fds[1], &w), 0);
	close(fds[0]);
	assert_int_equal(tu_event(w, 0), 0);
	assert_int_equal(vt_writer__flush(w, true), -EPIPE);
	assert_int_equal(tu_event(w, 1), -EPIPE);
	assert_int_equal(vt_writer__finish(w, "stopped"), -EPIPE);
	vt_writer__free(w);
	signal(SIGPIPE, SIG_DFL);
}

/* A trace that stands behind something else in an open file. */
static void behind_a_prefix(void **state)
{
	const char *path = tu_path(state, "t"), *cut = tu_path(state, "u");
	struct vt_writer *w;
	struct account a;
	struct tu_file f;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "prefix", 6), 6);
	assert_int_equal(vt_writer__fdopen(fd, &w), 0);
	for (uint64_t i = 0; i < 3000; i++)
		assert_int_equal(tu_event(w, i), 0);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);
	f = tu_read(path);
	assert_memory_equal(f.data, "prefix", 6);
	tu_write(cut, f.data + 6, f.len - 6);
	free(f.data);
	a = account(cut);
	assert_true(a.events == 3000 && a.ended && !a.damage);
}

static void add_meta(const char *path, const char *value, int due)
{
	struct vt_writer *w;

	assert_int_equal(vt_writer__append(path, &w), due);
	if (due)
		return;
	assert_int_equal(vt_writer__meta(w, "carried.into", value), 0);
	assert_int_equal(vt_writer__flush(w, true), 0);
	vt_writer__free(w);
}

/* What is known of a trace only once it was carried over. */
static void appended_later(void **state)
{
	const char *path = tu_path(state, "t"), *other = tu_path(state, "u");
	struct vt_writer *w;
	struct vt_trace *t;
	struct account a;
	struct tu_file f;

	assert_int_equal(vt_writer__open(path, &w), 0);
	for (uint64_t i = 0; i < 3000; i++)
		assert_int_equal(tu_event(w, i), 0);
	assert_int_equal(vt_writer__flush(w, true), 0);
	/* Who writes it is not disturbed. */
	add_meta(path, "x", -EBUSY);
	vt_writer__free(w);
	add_meta(path, "first", 0);
	add_meta(path, "second", 0);
	a = account(path);
	assert_true(a.events == 3000 && !a.ended && !a.damage && !a.lost);
	assert_int_equal(vt_trace__open(path, &t, NULL), 0);
	assert_string_equal(vt_trace__meta(t, "carried.into"), "second");
	vt_trace__free(t);

	/* Nothing is added to what is torn, and to what is no trace. */
	f = tu_read(path);
	tu_write(other, f.data, f.len - 3);
	add_meta(other, "x", -EBADMSG);
	f.data[sizeof(struct vtf_header) + 8] ^= 8;	/* a length */
	tu_write(other, f.data, f.len);
	add_meta(other, "x", -EBADMSG);
	tu_write(other, "no trace", 8);
	add_meta(other, "x", -EBADMSG);
	free(f.data);
	add_meta(tu_path(state, "none"), "x", -ENOENT);
	tu_small_trace(other);
	add_meta(other, "x", -EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, tu_setup, tu_teardown)
		T(size_limit), T(full_disk), T(space_returns), T(torn_is_cut_off), T(dev_full), T(sealed_memory), T(targets), T(killed), T(interrupted),
		T(reader_gone), T(behind_a_prefix), T(appended_later),
	};

	return cmocka_run_group_tests_name("trace storage", tests, NULL, NULL);
}
