/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops - times one operation, from inside the process that makes it.
 *
 *	ops [-m MILLISECONDS] [-o OBJECT] NAME	median ns of one operation, on a line
 *	ops -l					the names
 *	ops -c COUNT -o PROGRAM crowd		COUNT processes that wait, see crowd()
 *
 * The same program runs bare, under guard and under the others, so that the start
 * of what is around it is not in the figure. Batches grow until one takes long
 * enough to be timed, which is the warm-up; then batches are made for the time
 * asked for, and the median batch counts: what else runs on the machine disturbs a
 * few of them, not the middle one.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"

enum {
	BATCHES_MAX = 8192,
	BATCHES_MIN = 5,
	BATCH_NS = 1000 * 1000,
	/* a number that no process can have (PID_MAX_LIMIT is 4194304) */
	NOBODY = 0x7ffffff0,
};

struct bench {
	const char *object; /* a program, or where a socket may be made */
	int a, b;           /* the operation's descriptors */
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_un un;
	} peer;
	socklen_t peer_size;
};

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "ops: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void require(bool good, const char *what)
{
	if (!good)
		die(what);
}

/* ---- calls that are not judged --------------------------------------------- */

static int64_t do_getppid(struct bench *b UNUSED, unsigned n)
{
	int64_t start = now_ns();

	while (n--)
		(void)syscall(SYS_getppid);
	return now_ns() - start;
}

static int64_t do_open(struct bench *b UNUSED, unsigned n)
{
	int64_t start = now_ns();

	while (n--) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		require(fd >= 0 && close(fd) == 0, "/dev/null");
	}
	return now_ns() - start;
}

/* ---- a call judged by its registers ------------------------------------------- */

static int64_t do_register(struct bench *b UNUSED, unsigned n)
{
	int64_t start = now_ns();

	while (n--)
		require(kill(NOBODY, SIGKILL) < 0 && errno == ESRCH, "kill of nobody");
	return now_ns() - start;
}

/* ---- signals --------------------------------------------------------------- */

static volatile sig_atomic_t signals_seen;

static void count_signal(int signal UNUSED)
{
	signals_seen++;
}

static void set_signals(struct bench *b)
{
	struct sigaction action = { .sa_handler = count_signal };
	int ends[2];

	require(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	require(sigaction(SIGPIPE, &action, NULL) == 0, "sigaction");
	require(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	(void)close(ends[0]);
	b->a = ends[1];
}

static int64_t do_kill(struct bench *b UNUSED, unsigned n)
{
	int64_t start = now_ns();
	pid_t self = getpid();

	while (n--)
		require(kill(self, SIGUSR1) == 0, "kill");
	return now_ns() - start;
}

/* The kernel sends it: nothing that a filter sees. */
static int64_t do_sigpipe(struct bench *b, unsigned n)
{
	int64_t start = now_ns();

	while (n--)
		require(write(b->a, "x", 1) < 0 && errno == EPIPE, "write to a broken pipe");
	return now_ns() - start;
}

/* ---- sockets --------------------------------------------------------------- */

static void listen_inet(struct bench *b, int type)
{
	b->peer.in = (struct sockaddr_in){ .sin_family = AF_INET,
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	b->peer_size = sizeof b->peer.in;
	b->a = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	require(b->a >= 0 && bind(b->a, &b->peer.any, b->peer_size) == 0, "bind");
	require(getsockname(b->a, &b->peer.any, &b->peer_size) == 0, "getsockname");
	require(type != SOCK_STREAM || listen(b->a, 16) == 0, "listen");
}

static void set_tcp(struct bench *b)
{
	listen_inet(b, SOCK_STREAM);
}

static void set_udp(struct bench *b)
{
	listen_inet(b, SOCK_DGRAM);
	b->b = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	require(b->b >= 0, "socket");
}

static void set_unix(struct bench *b)
{
	int n;

	b->peer.un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(b->peer.un.sun_path, sizeof b->peer.un.sun_path, "%s/ops-%d.sock",
		     b->object ? b->object : "/tmp", (int)getpid());
	require(n > 0 && (size_t)n < sizeof b->peer.un.sun_path, "socket path");
	b->peer_size = sizeof b->peer.un;
	b->a = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)unlink(b->peer.un.sun_path);
	require(b->a >= 0 && bind(b->a, &b->peer.any, b->peer_size) == 0, "bind");
	require(listen(b->a, 16) == 0, "listen");
}

static void unset_unix(struct bench *b)
{
	(void)unlink(b->peer.un.sun_path);
}

/* Only the connect is timed: sockets are made, accepted and closed outside. With a
 * reset no port is left in TIME_WAIT.
 */
static int64_t do_streams(struct bench *b, unsigned n, int flags)
{
	struct linger reset = { .l_onoff = 1 };
	int64_t total = 0;

	while (n--) {
		int fd = socket(b->peer.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
		int peer, r;
		int64_t start;

		require(fd >= 0, "socket");
		start = now_ns();
		r = connect(fd, &b->peer.any, b->peer_size);
		total += now_ns() - start;
		require(r == 0 || errno == EINPROGRESS, "connect");
		peer = accept(b->a, NULL, NULL);
		require(peer >= 0, "accept");
		(void)setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		(void)close(peer);
		(void)close(fd);
	}
	return total;
}

static int64_t do_stream(struct bench *b, unsigned n)
{
	return do_streams(b, n, 0);
}

static int64_t do_stream_nonblocking(struct bench *b, unsigned n)
{
	return do_streams(b, n, SOCK_NONBLOCK);
}

static int64_t do_udp_connect(struct bench *b, unsigned n)
{
	int64_t start = now_ns();

	while (n--)
		require(connect(b->b, &b->peer.any, b->peer_size) == 0, "connect");
	return now_ns() - start;
}

/* A server's work: a datagram in, a datagram out, each with an address. */
static int64_t do_udp_echo(struct bench *b, unsigned n)
{
	char question[64] = "question", answer[64];
	struct sockaddr_in from;
	struct iovec out = { question, sizeof question }, in = { answer, sizeof answer };
	struct msghdr to_server = { .msg_name = &b->peer.any,
				    .msg_namelen = b->peer_size,
				    .msg_iov = &out,
				    .msg_iovlen = 1 };
	struct msghdr message = { .msg_iov = &in, .msg_iovlen = 1 };
	int64_t start = now_ns();

	while (n--) {
		require(sendmsg(b->b, &to_server, 0) == sizeof question, "sendmsg");
		message.msg_name = &from;
		message.msg_namelen = sizeof from;
		require(recvmsg(b->a, &message, 0) == sizeof question, "recvmsg");
		require(sendmsg(b->a, &message, 0) == sizeof question, "sendmsg back");
		message.msg_name = NULL;
		message.msg_namelen = 0;
		require(recvmsg(b->b, &message, 0) == sizeof question, "recvmsg back");
	}
	return now_ns() - start;
}

/* ---- programs -------------------------------------------------------------- */

static void await(pid_t pid)
{
	int status = 0;

	require(pid > 0 && waitpid(pid, &status, 0) == pid, "wait");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "ops: the program ended with status %#x\n", (unsigned)status);
		exit(1);
	}
}

/* A function of its own, since vfork returns twice: what its caller counts must not be in
 * a register that the child shares.
 */
static __attribute__((noinline)) pid_t vfork_exec(const char *program)
{
	char *const argv[] = { (char *)program, NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execve(program, argv, environ);
		_exit(127);
	}
	return pid;
}

static int64_t do_vfork(struct bench *b, unsigned n)
{
	int64_t start = now_ns();

	while (n--)
		await(vfork_exec(b->object));
	return now_ns() - start;
}

static int64_t do_fork(struct bench *b, unsigned n)
{
	char *const argv[] = { (char *)b->object, NULL };
	int64_t start = now_ns();

	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)execve(b->object, argv, environ);
			_exit(127);
		}
		await(pid);
	}
	return now_ns() - start;
}

/* ---- the table ------------------------------------------------------------- */

static const struct op {
	const char *name;
	void (*set)(struct bench *b);
	int64_t (*make)(struct bench *b, unsigned n); /* N of them; ns of what is timed */
	void (*unset)(struct bench *b);
} ops[] = {
	{ "getppid", NULL, do_getppid, NULL },
	{ "open", NULL, do_open, NULL },
	{ "register", NULL, do_register, NULL },
	{ "kill", set_signals, do_kill, NULL },
	{ "sigpipe", set_signals, do_sigpipe, NULL },
	{ "tcp", set_tcp, do_stream, NULL },
	{ "tcp-nonblock", set_tcp, do_stream_nonblocking, NULL },
	{ "udp", set_udp, do_udp_connect, NULL },
	{ "udp-echo", set_udp, do_udp_echo, NULL },
	{ "unix", set_unix, do_stream, unset_unix },
	{ "vfork", NULL, do_vfork, NULL },
	{ "fork", NULL, do_fork, NULL },
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_ns(const struct op *op, struct bench *b, int64_t budget_ns)
{
	static double batches[BATCHES_MAX];
	unsigned n = 1, count = 0;
	int64_t end;

	/* from call to call as many again, until it takes long enough */
	while (op->make(b, n) < BATCH_NS && n < 1U << 20)
		n *= 2;
	end = now_ns() + budget_ns;
	while (count < BATCHES_MAX && (count < BATCHES_MIN || now_ns() < end))
		batches[count++] = (double)op->make(b, n) / n;
	qsort(batches, count, sizeof *batches, compare);
	return batches[count / 2];
}

/* Makes COUNT processes that wait, in steps that whoever measures can follow: says
 * "begin", reads a line, makes them, says "ready", reads a line, ends them.
 */
static void crowd(const char *program, unsigned count)
{
	char *const argv[] = { (char *)program, (char *)"wait", NULL };
	pid_t *pids = calloc(count, sizeof *pids);
	char line[8];

	require(pids, "memory");
	puts("begin");
	(void)fflush(stdout);
	require(fgets(line, sizeof line, stdin), "standard input");
	for (unsigned i = 0; i < count; i++) {
		pids[i] = vfork();
		if (pids[i] == 0) {
			(void)execve(program, argv, environ);
			_exit(127);
		}
		require(pids[i] > 0, "vfork");
	}
	puts("ready");
	(void)fflush(stdout);
	(void)fgets(line, sizeof line, stdin);
	for (unsigned i = 0; i < count; i++) {
		(void)kill(pids[i], SIGTERM);
		(void)waitpid(pids[i], NULL, 0);
	}
	free(pids);
}

static void list(void)
{
	for (size_t i = 0; i < ELEMENTS(ops); i++)
		puts(ops[i].name);
}

static int usage(void)
{
	fprintf(stderr, "usage: ops [-m MILLISECONDS] [-c COUNT] [-o OBJECT] NAME, or ops -l\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct bench b = { .a = -1, .b = -1 };
	int64_t budget_ns = 200 * INT64_C(1000000);
	unsigned count = 1000;
	int option;

	while ((option = getopt(argc, argv, "m:c:o:l")) != -1) {
		if (option == 'm')
			budget_ns = strtol(optarg, NULL, 10) * INT64_C(1000000);
		else if (option == 'c')
			count = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'o')
			b.object = optarg;
		else if (option == 'l')
			return list(), 0;
		else
			return usage();
	}
	if (optind + 1 != argc)
		return usage();
	if (strcmp(argv[optind], "crowd") == 0) {
		crowd(b.object, count);
		return 0;
	}
	for (size_t i = 0; i < ELEMENTS(ops); i++) {
		if (strcmp(argv[optind], ops[i].name) != 0)
			continue;
		if (ops[i].set)
			ops[i].set(&b);
		printf("%.1f\n", median_ns(&ops[i], &b, budget_ns));
		if (ops[i].unset)
			ops[i].unset(&b);
		return 0;
	}
	return usage();
}
