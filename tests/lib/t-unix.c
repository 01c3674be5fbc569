/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-unix.c - AF_UNIX: clients alone and in company, servers that count and say whom
 * they see. A NAME that begins with @ is abstract.
 */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

struct name {
	struct sockaddr_un address;
	socklen_t size;
};

/* A name that fills the address has no NUL behind it. */
static struct name parse(const char *text)
{
	struct name n = { .address.sun_family = AF_UNIX };
	size_t size = strlen(text);

	if (size > sizeof n.address.sun_path) {
		(void)fprintf(stderr, "t-do: '%s' is too long\n", text);
		exit(T_SETUP);
	}
	memcpy(n.address.sun_path, text, size);
	n.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	if (text[0] == '@')
		n.address.sun_path[0] = '\0';
	return n;
}

static int type_of(const char *text)
{
	return strcmp(text, "dgram") == 0       ? SOCK_DGRAM
	       : strcmp(text, "seqpacket") == 0 ? SOCK_SEQPACKET
						: SOCK_STREAM;
}

static int open_socket(const char *type)
{
	int fd = socket(AF_UNIX, type_of(type) | SOCK_CLOEXEC, 0);

	if (fd < 0)
		exit(setup_failed("socket"));
	return fd;
}

/* ---- company -------------------------------------------------------------------- */

static void *wait_for_ever(void *data)
{
	for (;;)
		(void)pause();
	return data;
}

static int wait_for_parent(void *data)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)!write(((int *)data)[1], "x", 1);
	for (;;)
		(void)pause();
	return 0;
}

/* Who else could change the caller's descriptors: nobody, a thread, or a process with
 * the same table.
 */
static void take_company(const char *what)
{
	static char stack[64 * 1024];
	pthread_t thread;
	int ready[2];
	char byte;

	if (strcmp(what, "thread") == 0 && pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
		exit(setup_failed("pthread_create"));
	/* it must not outlive the caller */
	if (strcmp(what, "process") == 0 &&
	    (pipe2(ready, O_CLOEXEC) != 0 ||
	     clone(wait_for_parent, stack + sizeof stack, CLONE_FILES | SIGCHLD, ready) < 0 ||
	     read(ready[0], &byte, 1) != 1))
		exit(setup_failed("clone"));
}

/* ---- clients -------------------------------------------------------------------- */

/* TYPE NAME COMPANY: connects and sends a byte; "ok" when it went out. */
static int unix_connect(char **args)
{
	struct name n = parse(args[1]);
	int fd = open_socket(args[0]);

	take_company(args[2]);
	if (connect(fd, (struct sockaddr *)&n.address, n.size) != 0)
		return say(-1);
	return say(send(fd, "x", 1, MSG_NOSIGNAL));
}

/* TYPE FOLDER NAME: the same with the name relative to FOLDER, by fchdir(2). */
static int unix_connect_in(char **args)
{
	int folder = open(args[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	char alone[] = "alone", *rest[] = { args[0], args[2], alone };

	if (folder < 0 || fchdir(folder) != 0)
		return setup_failed(args[1]);
	return unix_connect(rest);
}

/* The name of no file, in its kinds; a disconnect: one line each. */
static int unix_wrong(char **args)
{
	struct name n = parse(args[0]);
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	static const char *const types[] = { "stream", "dgram", "seqpacket" };

	for (size_t i = 0; i < ELEMENTS(types); i++) {
		int fd = open_socket(types[i]);

		(void)say(connect(fd, &unspecified, sizeof unspecified));
		(void)say(connect(fd, (struct sockaddr *)&n.address, 0));
		(void)say(connect(fd, (struct sockaddr *)&n.address, 2));
		(void)say(connect(fd, (struct sockaddr *)&n.address, sizeof n.address + 1));
		(void)say(connect(fd, (struct sockaddr *)8, n.size));
		(void)say(connect(fd, (struct sockaddr *)&n.address, n.size));
		(void)say(connect(fd, (struct sockaddr *)&n.address, n.size));
		(void)say(connect(fd, &unspecified, sizeof unspecified));
	}
	return T_OK;
}

/* ---- servers -------------------------------------------------------------------- */

static void count(const char *file, unsigned long n)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%lu\n", n);
	if (write_file(file, text) != 0)
		exit(setup_failed(file));
}

/* "pid uid gid" of the peer, and its groups. */
static void say_peer(int fd, const char *file)
{
	struct ucred peer = { .pid = -1 };
	socklen_t size = sizeof peer;
	gid_t groups[64];
	char text[1024];
	int n;

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	n = snprintf(text, sizeof text, "pid %d uid %d gid %d groups", peer.pid, (int)peer.uid,
		     (int)peer.gid);
	size = sizeof groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof *groups && n < 900; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, " %d", (int)groups[i]);
	}
	(void)snprintf(text + n, sizeof text - (size_t)n, "\n");
	if (write_file(file, text) != 0)
		exit(setup_failed(file));
}

/* Takes in one connection or datagram; who sent it is in SEEN-FILE. */
static void take_one(int fd, int type, const char *file)
{
	int client;
	char byte;

	if (type == SOCK_DGRAM) {
		if (recv(fd, &byte, 1, 0) < 0)
			exit(setup_failed("recv"));
		return;
	}
	client = accept(fd, NULL, NULL);
	if (client < 0)
		exit(setup_failed("accept"));
	say_peer(client, file);
	/* what it sends must not fail */
	(void)!recv(client, &byte, 1, 0);
	(void)close(client);
}

/* TYPE NAME COUNT-FILE SEEN-FILE: every user may connect. */
static int serve_unix(char **args)
{
	struct name n = parse(args[1]);
	int fd = open_socket(args[0]), type = type_of(args[0]);

	if (bind(fd, (struct sockaddr *)&n.address, n.size) != 0)
		return setup_failed("bind");
	if (args[1][0] != '@')
		(void)chmod(args[1], 0777);
	if (type != SOCK_DGRAM && listen(fd, 512) != 0)
		return setup_failed("listen");
	for (unsigned long i = 0;; i++) {
		count(args[2], i);
		take_one(fd, type, args[3]);
	}
}

const struct deed unix_deeds[] = {
	{ "unix-connect", "TYPE NAME alone|thread|process", 3, unix_connect },
	{ "unix-connect-in", "TYPE FOLDER NAME", 3, unix_connect_in },
	{ "unix-wrong", "NAME", 1, unix_wrong },
	{ "serve-unix", "TYPE NAME COUNT-FILE SEEN-FILE", 4, serve_unix },
	{ NULL, NULL, 0, NULL },
};
