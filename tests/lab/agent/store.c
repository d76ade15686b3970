// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps of a service of systemd: what it keeps in its fd store, and what it finds there.
 * sd_notify(3) and sd_listen_fds_with_names(3) describe the two protocols.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"

#define FIRST_STORED	3	/* SD_LISTEN_FDS_START */

static int notify_socket(struct sockaddr_un *to, socklen_t *len)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || strlen(path) >= sizeof(to->sun_path))
		script_error("no $NOTIFY_SOCKET: this is not a service");
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	strcpy(to->sun_path, path);
	*len = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (path[0] == '@')
		to->sun_path[0] = '\0';
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* Sends TEXT to systemd, and FD with it unless that is -1. */
static int notify(const char *text, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)text, .iov_len = strlen(text) };
	struct sockaddr_un to;
	struct msghdr msg = { .msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1 };
	int sock = notify_socket(&to, &msg.msg_namelen), ret;

	if (fd >= 0) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	ret = KERNEL_CALL(sendmsg(sock, &msg, MSG_NOSIGNAL));
	close(sock);
	return ret < 0 ? ret : 0;
}

/* store VAR: into the fd store, under its name. */
static int run_store(int argc, char **argv)
{
	char text[128];

	(void)argc;
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", argv[1]);
	return notify(text, var_fd(argv[1]));
}

/* unstore NAME: out of it. */
static int run_unstore(int argc, char **argv)
{
	char text[128];

	(void)argc;
	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", argv[1]);
	return notify(text, -1);
}

/* The descriptor that systemd gave us under this NAME, -1 for none. */
static int given(const char *name)
{
	char *names = strdup(getenv("LISTEN_FDNAMES") ?: ""), *rest = names, *word;
	int fd = -1;

	for (int i = 0; fd < 0 && (word = strsep(&rest, ":")); i++)
		if (!strcmp(word, name))
			fd = FIRST_STORED + i;
	free(names);
	return fd;
}

/* stored NAME: what came back from the store; ENOENT if it did not. */
static int run_stored(int argc, char **argv)
{
	int fd = given(argv[1]);

	(void)argc;
	if (fd < 0)
		return -ENOENT;
	var_set(argv[1], fd);
	return 0;
}

/* serve: the service is up, says so to the host as well, and runs until it is stopped. */
static int run_serve(int argc, char **argv)
{
	int ret;

	(void)argc;
	(void)argv;
	result_write("ok");
	ret = notify("READY=1", -1);
	while (ret >= 0)
		pause();
	return ret;
}

/*
 * leave WAY: asks systemd to leave this user space ("kexec", "soft-reboot"). It stops this
 * process on the way, so that the result is written before.
 */
static int run_leave(int argc, char **argv)
{
	char command[64];

	(void)argc;
	snprintf(command, sizeof(command), "systemctl --no-block %s", argv[1]);
	sync();
	result_write("%s", argv[1]);
	if (system(command))
		script_error("%s failed", command);
	for (;;)
		pause();
}

const struct step store_steps[] = {
	{ "store",	1, 1, run_store },
	{ "unstore",	1, 1, run_unstore },
	{ "stored",	1, 1, run_stored },
	{ "serve",	0, 0, run_serve },
	{ "leave",	1, 1, run_leave },
	{ NULL, 0, 0, NULL }
};
