// SPDX-License-Identifier: GPL-2.0
/* One datagram to the socket that systemd names: a path, or a name in no file system. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "capture/record/notify.h"
#include "unit.h"

static char dir[] = "/tmp/vfiotrace-notify.XXXXXX";

/* As a manager has it: bound to NAME, where '@' stands for the zero at the begin. */
static int manager(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", name);
	if (*name == '@')
		a.sun_path[0] = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + strlen(name)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void expect_message(int fd, const char *want)
{
	char got[64] = "";
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_int_equal(n, strlen(want));
	assert_string_equal(got, want);
}

static void a_path(void **state)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%s/notify", dir);
	fd = manager(name);
	assert_int_equal(notify__send("READY=1\n"), 0);
	expect_message(fd, "READY=1\n");
	close(fd);
	assert_int_equal(notify__send("READY=1\n"), -ECONNREFUSED);
	unlink(name);
}

static void a_name(void **state)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@%s", dir + 1);
	fd = manager(name);
	assert_int_equal(notify__send("STATUS=Armed\n"), 0);
	expect_message(fd, "STATUS=Armed\n");
	close(fd);
}

static void nobody(void **state)
{
	char longer[300];

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify__send("READY=1\n"), 0);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = 0;
	setenv("NOTIFY_SOCKET", longer, 1);
	assert_int_equal(notify__send("READY=1\n"), -EINVAL);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	assert_int_equal(notify__send("READY=1\n"), -EINVAL);
	setenv("NOTIFY_SOCKET", "@", 1);
	assert_int_equal(notify__send("READY=1\n"), -EINVAL);
}

/* A manager that does not read never holds the recorder up. */
static void a_full_queue(void **state)
{
	char name[64];
	int fd, err = 0;

	snprintf(name, sizeof(name), "@%s.full", dir + 1);
	fd = manager(name);
	for (int i = 0; i < 100000 && !err; i++)
		err = notify__send("STATUS=Armed\n");
	assert_int_equal(err, -EAGAIN);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path),
		cmocka_unit_test(a_name),
		cmocka_unit_test(nobody),
		cmocka_unit_test(a_full_queue),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
