// SPDX-License-Identifier: GPL-2.0
/* A trace that arrives in a memory file: whatever is in it is taken or refused. LUO is played here. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/record/carry.h"
#include "capture/record/luo_uapi.h"

#define PAGE 4096

/* As carry.c has it: interface between two versions of the tool. */
struct head {
	char magic[8] __attribute__((nonstring));
	uint32_t version, start;
	uint64_t bytes;
};

static int arrived;	/* the memory file */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_open(const char *path, int flags, ...)
{
	return __real_open(strcmp(path, LUO_DEVICE) ? path : "/dev/null", flags, 0600);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	void *arg;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == LUO_RETRIEVE_SESSION)
		((struct luo_session_args *)arg)->fd = dup(fd);
	else if (request == LUO_RETRIEVE_FD)
		((struct luo_fd_args *)arg)->fd = dup(arrived);
	return 0;
}

/* SIZE bytes that begin with H: what becomes of them. */
static int retrieve(const struct head *h, off_t size, uint64_t *bytes)
{
	struct carry *c;
	const char *why = NULL;
	int err;

	arrived = memfd_create("test", MFD_CLOEXEC);
	assert_true(arrived >= 0);
	assert_int_equal(pwrite(arrived, h, sizeof(*h), 0), sizeof(*h));
	assert_int_equal(ftruncate(arrived, size), 0);
	err = carry__retrieve(&c, &why);
	assert_int_equal(close(arrived), 0);
	if (err) {
		assert_null(c);
		assert_non_null(why);
		return err;
	}
	*bytes = carry__bytes(c);
	assert_int_equal(carry__done(c), 0);
	carry__free(c);
	return 0;
}

#define GOOD { { 'V', 'F', 'T', 'C', 'A', 'R', 'R', 'Y' }, 1, PAGE, 100 }

static void whole(void **state)
{
	struct head h = GOOD;
	uint64_t bytes = 0;

	assert_int_equal(retrieve(&h, PAGE + 100, &bytes), 0);
	assert_int_equal(bytes, 100);
	h.bytes = 0;
	assert_int_equal(retrieve(&h, PAGE, &bytes), 0);
	assert_int_equal(bytes, 0);
}

/* Of a file without pages nothing may be read where it is mapped. */
static void too_short(void **state)
{
	static const off_t sizes[] = { 0, 1, sizeof(struct head), PAGE - 1 };
	struct head h = GOOD;
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_int_equal(retrieve(&h, sizes[i], &bytes), -EBADMSG);
}

static void damaged(void **state)
{
	static const struct { struct head h; int err; } of[] = {
		{ { "vftcarry", 1, PAGE, 100 }, -EBADMSG },
		{ { "VFTCARRY", 2, PAGE, 100 }, -EPROTO },
		{ { "VFTCARRY", 1, 0, 100 }, -EBADMSG },
		{ { "VFTCARRY", 1, PAGE, 101 }, -EBADMSG },
		{ { "VFTCARRY", 1, PAGE, UINT64_MAX }, -EBADMSG },
		{ { "VFTCARRY", 1, UINT32_MAX, 1 }, -EBADMSG },
	};
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(of); i++)
		assert_int_equal(retrieve(&of[i].h, PAGE + 100, &bytes), of[i].err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(too_short),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
