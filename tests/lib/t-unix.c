/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-unix.c - AF_UNIX: clients alone and in company, servers that count and say whom
 * they see. A NAME that begins with @ is abstract.
 */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

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

/* ---- messages ------------------------------------------------------------------ */

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(254 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

static void add_rights(struct msghdr *m, union control *control, size_t count, int fd)
{
	*control = (union control){ .head = { .cmsg_len = CMSG_LEN(count * sizeof fd),
					      .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_RIGHTS } };
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(&control->head) + i * sizeof fd, &fd, sizeof fd);
	m->msg_control = control;
	m->msg_controllen = CMSG_SPACE(count * sizeof fd);
}

static void add_credentials(struct msghdr *m, union control *control, pid_t pid, uid_t uid)
{
	struct ucred cred = { .pid = pid, .uid = uid, .gid = getgid() };

	*control = (union control){ .head = { .cmsg_len = CMSG_LEN(sizeof cred),
					      .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_CREDENTIALS } };
	memcpy(CMSG_DATA(&control->head), &cred, sizeof cred);
	m->msg_control = control;
	m->msg_controllen = CMSG_SPACE(sizeof cred);
}

/* What goes with the message. */
static void add(const char *with, struct msghdr *m, union control *control)
{
	int file = open("/etc/hostname", O_RDONLY | O_CLOEXEC);

	if (strcmp(with, "rights") == 0)
		add_rights(m, control, 1, file);
	else if (strcmp(with, "many-rights") == 0)
		add_rights(m, control, 253, file);
	else if (strcmp(with, "too-many-rights") == 0)
		add_rights(m, control, 254, file);
	else if (strcmp(with, "wrong-rights") == 0)
		add_rights(m, control, 1, 1000);
	else if (strcmp(with, "credentials") == 0)
		add_credentials(m, control, getpid(), getuid());
	else if (strcmp(with, "another's-pid") == 0)
		add_credentials(m, control, 1, getuid());
	else if (strcmp(with, "another's-user") == 0)
		add_credentials(m, control, getpid(), getuid() + 1);
	else if (strcmp(with, "nonsense") == 0) {
		add_credentials(m, control, getpid(), getuid());
		control->head.cmsg_type = 77;
	} else if (strcmp(with, "other-level") == 0) {
		add_credentials(m, control, getpid(), getuid());
		control->head.cmsg_level = SOL_SOCKET + 1;
	} else if (strcmp(with, "short") == 0) {
		add_credentials(m, control, getpid(), getuid());
		control->head.cmsg_len = 3;
	}
}

/* TYPE NAME COMPANY CALL WITH: one message, or with sendmmsg three, the first of which
 * has WITH; "pid N" and how many bytes or messages went out. To datagram sockets by
 * name, else after a connect; "pair": to a socket pair of its own.
 */
static int unix_send(char **args)
{
	struct name n = parse(args[1]);
	static char big[200000];
	size_t size = strcmp(args[4], "big") == 0    ? sizeof big
		      : strcmp(args[4], "none") == 0 ? 0
						     : 5;
	struct iovec data[2] = { { big, size / 2 }, { big + size / 2, size - size / 2 } };
	struct mmsghdr m[3] = { { .msg_hdr = { .msg_iov = data, .msg_iovlen = 2 } } };
	int pair[2], fd;
	union control control;
	bool names = type_of(args[0]) == SOCK_DGRAM;
	long r;

	memset(big, 'x', sizeof big);
	fd = open_socket(args[0]);
	take_company(args[2]);
	(void)printf("pid %d ", getpid());
	if (strcmp(args[1], "pair") == 0) {
		if (socketpair(AF_UNIX, type_of(args[0]) | SOCK_CLOEXEC, 0, pair) != 0)
			return setup_failed("socketpair");
		fd = pair[0];
		names = false;
	} else if (!names && connect(fd, (struct sockaddr *)&n.address, n.size) != 0) {
		return say(-1);
	}
	if (names) {
		m[0].msg_hdr.msg_name = &n.address;
		m[0].msg_hdr.msg_namelen = n.size;
	}
	m[1] = m[2] = m[0];
	add(args[4], &m[0].msg_hdr, &control);
	if (strcmp(args[3], "sendto") == 0)
		r = sendto(fd, big, size, MSG_NOSIGNAL, m[0].msg_hdr.msg_name,
			   m[0].msg_hdr.msg_namelen);
	else if (strcmp(args[3], "sendmsg") == 0)
		r = sendmsg(fd, &m[0].msg_hdr, MSG_NOSIGNAL);
	else
		r = sendmmsg(fd, m, 3, MSG_NOSIGNAL);
	if (r < 0)
		return say(-1);
	(void)printf("%ld ok\n", r);
	return T_OK;
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

struct text {
	char text[2048];
	size_t size;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->text + t->size, sizeof t->text - t->size, format, args);
	va_end(args);
	t->size = n < 0 || (size_t)n >= sizeof t->text - t->size ? t->size : t->size + (size_t)n;
}

/* Who connected: SO_PEERCRED and SO_PEERGROUPS. */
static void put_peer(struct text *t, int fd)
{
	struct ucred peer = { .pid = -1 };
	socklen_t size = sizeof peer;
	gid_t groups[64];

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	put(t, "peer pid %d uid %d gid %d groups", peer.pid, (int)peer.uid, (int)peer.gid);
	size = sizeof groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof *groups; i++)
			put(t, " %d", (int)groups[i]);
	}
	put(t, "\n");
}

static void put_control(struct text *t, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fds[254];
		struct ucred cred;
		char link[64], file[256] = "";

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&cred, CMSG_DATA(c), sizeof cred);
			put(t, " pid %d uid %d gid %d", cred.pid, (int)cred.uid, (int)cred.gid);
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			memcpy(fds, CMSG_DATA(c), count * sizeof *fds);
			(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fds[0]);
			(void)!readlink(link, file, sizeof file - 1);
			put(t, " %zu of %s", count, file);
			while (count)
				(void)close(fds[--count]);
		}
	}
}

/* One message: its length, whom the kernel says it is from, and files that came along. */
static ssize_t put_message(struct text *t, int fd)
{
	static char data[300000];
	union control control;
	struct iovec iov = { data, sizeof data };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control };
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return n;
	put(t, "message");
	put_control(t, &m);
	put(t, "\n");
	return n;
}

/* Takes in one connection with its first message, or one datagram. */
static void take_one(int fd, int type, const char *file)
{
	struct text t = { .size = 0 };
	int client = type == SOCK_DGRAM ? fd : accept(fd, NULL, NULL);

	if (client < 0)
		exit(setup_failed("accept"));
	if (client != fd)
		put_peer(&t, client);
	(void)put_message(&t, client);
	if (strcmp(file, "-") != 0 && write_file(file, t.text) != 0)
		exit(setup_failed(file));
	if (client == fd)
		return;
	/* what comes after it must not fail */
	while (recv(client, t.text, sizeof t.text, 0) > 0)
		;
	(void)close(client);
}

/* TYPE NAME COUNT-FILE SEEN-FILE: every user may connect. */
static int serve_unix(char **args)
{
	struct name n = parse(args[1]);
	int fd = open_socket(args[0]), type = type_of(args[0]), yes = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
	if (bind(fd, (struct sockaddr *)&n.address, n.size) != 0)
		return setup_failed("bind");
	if (args[1][0] != '@')
		(void)chmod(args[1], 0777);
	if (type != SOCK_DGRAM && listen(fd, 512) != 0)
		return setup_failed("listen");
	for (unsigned long i = 0;; i++) {
		count_in_file(args[2], i);
		take_one(fd, type, args[3]);
	}
}

const struct deed unix_deeds[] = {
	{ "unix-connect", "TYPE NAME alone|thread|process", 3, unix_connect },
	{ "unix-connect-in", "TYPE FOLDER NAME", 3, unix_connect_in },
	{ "unix-send", "TYPE NAME COMPANY sendto|sendmsg|sendmmsg WITH", 5, unix_send },
	{ "unix-wrong", "NAME", 1, unix_wrong },
	{ "serve-unix", "TYPE NAME COUNT-FILE SEEN-FILE", 4, serve_unix },
	{ NULL, NULL, 0, NULL },
};
