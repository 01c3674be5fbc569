/* SPDX-License-Identifier: GPL-3.0-or-later */
/* naive.c - the supervisor that guard must not be: it looks at the caller's
 * memory, decides and lets the kernel go on. A race that this one does not lose is
 * no race, and its test proves nothing.
 */
#include "tests/lib/t-do.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

static int load(void)
{
	struct sock_filter lines[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bind, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmmsg, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ELEMENTS(lines), lines };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static ssize_t peek(pid_t pid, uint64_t address, void *buf, size_t size)
{
	struct iovec local = { buf, size }, remote = { (void *)(uintptr_t)address, size };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

/* Within one page, which is enough for what the races say. */
static bool says_evil(pid_t pid, uint64_t address)
{
	char text[4097] = "";
	ssize_t n = peek(pid, address, text, 4096 - (address & 4095));

	return n > 0 && strstr(text, "evil");
}

static bool refuses_exec(const struct seccomp_notif *n)
{
	uint64_t argv[8] = { 0 };

	if (says_evil((pid_t)n->pid, n->data.args[0]))
		return true;
	(void)peek((pid_t)n->pid, n->data.args[1], argv, sizeof argv);
	for (size_t i = 0; i < ELEMENTS(argv) && argv[i]; i++) {
		char word[5] = "";

		if (peek((pid_t)n->pid, argv[i], word, 4) == 4 && strcmp(word, "evil") == 0)
			return true;
	}
	return false;
}

/* Where the name leads to now says "evil". */
static bool refuses_name(const struct sockaddr_un *a)
{
	char path[sizeof a->sun_path + 1] = "", *real;
	bool evil;

	memcpy(path, a->sun_path, sizeof a->sun_path);
	real = realpath(path, NULL);
	evil = strstr(real ? real : path, "evil") != NULL;
	free(real);
	return evil;
}

/* What the number is now, and of which type. */
static int ask_socket(const struct seccomp_notif *n, int option)
{
	int pidfd = (int)syscall(SYS_pidfd_open, n->pid, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)n->data.args[0], 0);
	int value = -1;
	socklen_t size = sizeof value;

	(void)getsockopt(fd, SOL_SOCKET, option, &value, &size);
	(void)close(fd);
	(void)close(pidfd);
	return value;
}

/* Of a socket that ignores such a name: no harm in it. */
static bool ignores_port(const struct seccomp_notif *n)
{
	return ask_socket(n, SO_DOMAIN) == AF_UNIX || ask_socket(n, SO_TYPE) == SOCK_STREAM;
}

static bool refuses_connect(const struct seccomp_notif *n, unsigned port)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_un un;
	} a = { .un.sun_family = 0 };
	bool connects = n->data.nr == SYS_connect || n->data.nr == SYS_bind;
	uint64_t address = n->data.args[connects ? 1 : 4];

	if (n->data.nr == SYS_sendmsg || n->data.nr == SYS_sendmmsg)
		(void)peek((pid_t)n->pid, n->data.args[1], &address, sizeof address);
	if (peek((pid_t)n->pid, address, &a, sizeof a) <= 0)
		return false;
	if (a.un.sun_family == AF_UNIX)
		return refuses_name(&a.un);
	return ntohs(a.in.sin_port) == port && (connects || !ignores_port(n));
}

/* PORT COMMAND [ARG]...: refuses what says "evil", and connects and binds to PORT. */
static int naive(char **args)
{
	unsigned port = (unsigned)strtoul(args[0], NULL, 10);
	int listener, page[2], status;
	struct pollfd p;
	pid_t pid;

	/* the child's table is ours until its exec, which closes the listener there */
	if (pipe2(page, 0) != 0)
		return setup_failed("pipe");
	pid = (pid_t)syscall(SYS_clone, 0x400 /* CLONE_FILES */ | 17 /* SIGCHLD */, 0, 0, 0, 0);
	if (pid == 0) {
		listener = load();
		if (write(page[1], &listener, sizeof listener) < 0 || listener < 0)
			_exit(T_SETUP);
		(void)execvp(args[1], args + 1);
		_exit(127);
	}
	if (read(page[0], &listener, sizeof listener) != sizeof listener || listener < 0)
		return setup_failed("seccomp");
	p = (struct pollfd){ .fd = listener, .events = POLLIN };
	while (poll(&p, 1, -1) > 0 && p.revents & POLLIN) {
		struct seccomp_notif n = { 0 };
		struct seccomp_notif_resp answer = { 0 };
		bool refused;

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) != 0)
			continue;
		refused = n.data.nr == SYS_execve ? refuses_exec(&n) : refuses_connect(&n, port);
		answer.id = n.id;
		answer.error = refused ? -EPERM : 0;
		answer.flags = refused ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : T_FAILED;
}

const struct deed naive_deeds[] = {
	{ "naive", "PORT COMMAND [ARG]...", 2, naive },
	{ NULL, NULL, 0, NULL },
};
