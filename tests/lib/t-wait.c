/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-wait.c - connects that wait: what they come to, and what a socket is afterwards.
 *
 * A scene prints one word for each step; with and without guard, with and without a
 * ring, the words must be the same. Scenes run side by side, since most wait for the
 * second that TCP takes to knock again.
 */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE 34
#endif

enum { SCENE_TEXT = 512, MPTCP = 262, PATIENCE_MS = 20000 };

struct server {
	int fd;
	struct sockaddr_in address;
};

static int protocol; /* of every socket here */

static int tcp(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, protocol);

	if (fd < 0)
		exit(setup_failed("socket"));
	return fd;
}

static struct sockaddr_in here(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = port,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int to(int fd, const struct sockaddr_in *address)
{
	return connect(fd, (const struct sockaddr *)address, sizeof *address);
}

/* A listener with a queue for BACKLOG; 0: it is full. */
static struct server serve(int backlog)
{
	struct server s = { tcp(0), here(0) };
	socklen_t size = sizeof s.address;

	if (bind(s.fd, (struct sockaddr *)&s.address, size) != 0 || listen(s.fd, backlog) != 0 ||
	    getsockname(s.fd, (struct sockaddr *)&s.address, &size) != 0)
		exit(setup_failed("server"));
	for (int i = 0; !backlog && i < 4; i++)
		(void)to(tcp(SOCK_NONBLOCK), &s.address);
	return s;
}

/* Room for all who knock. */
static void open_up(const struct server *s)
{
	(void)listen(s->fd, 64);
}

static void say_result(const char *what, long result)
{
	(void)printf(" %s=%s", what, result == -1 ? strerrorname_np(errno) : "ok");
}

static void say_connect(int fd, const struct sockaddr_in *address)
{
	say_result("connect", to(fd, address));
}

static void say_pending_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof error;

	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	(void)printf(" SO_ERROR=%s", error ? strerrorname_np(error) : "0");
}

static void say_end(int fd)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	say_result("unspec", connect(fd, &nobody, sizeof nobody));
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void limit(int fd, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof value) != 0)
		exit(setup_failed("setsockopt"));
}

static void blocking(int fd, bool yes)
{
	(void)fcntl(fd, F_SETFL, yes ? 0 : O_NONBLOCK);
}

/* ---- what a connect may find ---------------------------------------------------- */

static void scene_refused_twice(void)
{
	struct sockaddr_in closed = here(htons(1));
	struct server s = serve(8);
	int fd = tcp(0);

	say_connect(fd, &closed);
	say_connect(fd, &closed);
	say_pending_error(fd);
	say_connect(fd, &s.address);
	say_connect(fd, &s.address);
	say_end(fd);
	say_connect(fd, &s.address);
}

static void scene_refused_bound(void)
{
	struct sockaddr_in closed = here(htons(1)), own = here(0);
	struct server s = serve(8);
	int fd = tcp(0);

	(void)bind(fd, (struct sockaddr *)&own, sizeof own);
	say_connect(fd, &closed);
	say_connect(fd, &closed);
	say_connect(fd, &s.address);
}

static void scene_failed_before(void)
{
	struct sockaddr_in closed = here(htons(1));
	struct server s = serve(8);
	int fd = tcp(SOCK_NONBLOCK);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	say_connect(fd, &closed);
	(void)poll(&p, 1, 10000);
	say_pending_error(fd);
	blocking(fd, true);
	say_connect(fd, &s.address);
	say_connect(fd, &s.address);
}

static void scene_failed_unasked(void)
{
	struct sockaddr_in closed = here(htons(1));
	struct server s = serve(8);
	int fd = tcp(SOCK_NONBLOCK);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	say_connect(fd, &closed);
	(void)poll(&p, 1, 10000);
	blocking(fd, true);
	say_connect(fd, &s.address);
	say_connect(fd, &s.address);
}

static void scene_listener(void)
{
	struct server s = serve(8), other = serve(8);

	say_connect(s.fd, &other.address);
}

static void scene_wrong_address(void)
{
	struct sockaddr_in bad = here(htons(1));
	struct server s = serve(8);
	int fd = tcp(0);

	bad.sin_family = AF_INET6;
	say_connect(fd, &bad);
	bad.sin_family = 200;
	say_connect(fd, &bad);
	say_result("short", connect(fd, (struct sockaddr *)&bad, 4));
	say_end(fd);
	say_connect(fd, &s.address);
}

/* ---- what ends the waiting ------------------------------------------------------- */

static void scene_limit(void)
{
	struct server full = serve(0);
	int64_t before = now_ms();
	int fd = tcp(0);

	limit(fd, 300);
	say_connect(fd, &full.address);
	(void)printf(" %s", now_ms() - before >= 300 ? "after" : "too early");
	before = now_ms();
	say_connect(fd, &full.address);
	(void)printf(" %s", now_ms() - before >= 300 ? "after" : "too early");
	blocking(fd, false);
	say_connect(fd, &full.address);
	blocking(fd, true);
	say_end(fd);
	open_up(&full);
	limit(fd, 0);
	say_connect(fd, &full.address);
}

static void scene_user_timeout(void)
{
	struct server full = serve(0);
	int fd = tcp(0);

	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 700);
	say_connect(fd, &full.address);
	say_pending_error(fd);
	say_connect(fd, &full.address);
}

static void scene_in_progress(void)
{
	struct server full = serve(0);
	int fd = tcp(SOCK_NONBLOCK);

	say_connect(fd, &full.address);
	blocking(fd, true);
	open_up(&full);
	say_connect(fd, &full.address);
	say_connect(fd, &full.address);
}

static jmp_buf out;

static void nothing(int sig)
{
	(void)sig;
}

static void jump(int sig)
{
	(void)sig;
	siglongjmp(out, 1);
}

static const struct server *opens;

static void open_server(int sig)
{
	(void)sig;
	open_up(opens);
}

static void alarm_in(int ms, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct itimerval timer = { .it_value.tv_usec = ms * 1000 };

	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void scene_signal(void)
{
	struct server full = serve(0);
	int fd = tcp(0);

	alarm_in(200, nothing, 0);
	say_connect(fd, &full.address);
	say_pending_error(fd);
	open_up(&full);
	say_connect(fd, &full.address);
	say_connect(fd, &full.address);
}

static void scene_signal_restarts(void)
{
	struct server full = serve(0);
	int fd = tcp(0);

	opens = &full;
	alarm_in(200, open_server, SA_RESTART);
	say_connect(fd, &full.address);
	say_connect(fd, &full.address);
}

static void scene_signal_and_limit(void)
{
	struct server full = serve(0);
	int fd = tcp(0);

	limit(fd, 5000);
	alarm_in(200, nothing, SA_RESTART);
	say_connect(fd, &full.address);
}

static void scene_jump(void)
{
	static struct server full;
	static int fd;

	full = serve(0);
	fd = tcp(0);
	if (sigsetjmp(out, 1)) {
		(void)printf(" jumped");
	} else {
		alarm_in(200, jump, 0);
		say_connect(fd, &full.address);
	}
	open_up(&full);
	say_connect(fd, &full.address);
}

static void scene_ignored_signal(void)
{
	struct server full = serve(0);
	int fd = tcp(0);

	limit(fd, 600);
	alarm_in(100, SIG_IGN, 0);
	say_connect(fd, &full.address);
}

/* ---- what a sibling does meanwhile ------------------------------------------------- */

struct waiter {
	int fd;
	struct sockaddr_in address;
	int result, error;
};

static void *connect_and_keep(void *data)
{
	struct waiter *w = data;

	w->result = to(w->fd, &w->address);
	w->error = errno;
	return NULL;
}

static bool is_connecting(int fd)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t size = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_state == TCP_SYN_SENT;
}

/* A thread that waits for the full server. */
static pthread_t start_waiting(struct waiter *w, const struct server *full)
{
	const struct timespec moment = { .tv_nsec = 2000000 }, a_while = { .tv_nsec = 50000000 };
	pthread_t thread;

	*w = (struct waiter){ .fd = tcp(0), .address = full->address };
	if (pthread_create(&thread, NULL, connect_and_keep, w) != 0)
		exit(setup_failed("thread"));
	for (int i = 0; i < 5000 && !is_connecting(w->fd); i++)
		(void)nanosleep(&moment, NULL);
	(void)nanosleep(&a_while, NULL); /* from the knock to the wait */
	return thread;
}

static void say_waiter(pthread_t thread, struct waiter *w)
{
	(void)pthread_join(thread, NULL);
	errno = w->error;
	say_result("waiter", w->result);
}

static void scene_sibling_shuts_down(void)
{
	struct server full = serve(0), open = serve(8);
	struct waiter w;
	pthread_t thread = start_waiting(&w, &full);

	say_result("shutdown", shutdown(w.fd, SHUT_RDWR));
	say_waiter(thread, &w);
	say_pending_error(w.fd);
	say_connect(w.fd, &open.address);
}

static void scene_sibling_disconnects(void)
{
	struct server full = serve(0), open = serve(8);
	struct waiter w;
	pthread_t thread = start_waiting(&w, &full);

	say_end(w.fd);
	say_waiter(thread, &w);
	say_pending_error(w.fd);
	say_connect(w.fd, &open.address);
}

static void scene_sibling_closes(void)
{
	struct server full = serve(0);
	struct waiter w;
	pthread_t thread = start_waiting(&w, &full);

	say_result("close", close(w.fd));
	open_up(&full);
	say_waiter(thread, &w);
}

static void scene_sibling_unblocks(void)
{
	struct server full = serve(0);
	struct waiter w;
	pthread_t thread = start_waiting(&w, &full);

	blocking(w.fd, false);
	say_connect(w.fd, &full.address);
	open_up(&full);
	say_waiter(thread, &w);
}

static void scene_sibling_waits_as_well(void)
{
	struct server full = serve(0);
	struct waiter w;
	pthread_t thread = start_waiting(&w, &full);

	limit(w.fd, 200);
	say_connect(w.fd, &full.address);
	open_up(&full);
	say_waiter(thread, &w);
	limit(w.fd, 0);
	say_connect(w.fd, &full.address);
}

/* ---- connects that are none, or not yet --------------------------------------------- */

static void scene_fast_open(void)
{
	struct sockaddr_in closed = here(htons(1));
	struct server s = serve(8);
	struct linger hard = { 1, 0 };
	int fd = tcp(0);

	set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	set(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
	say_connect(fd, &s.address);
	/* who was judged is who is reached, whatever is said in between */
	blocking(fd, false);
	say_connect(fd, &closed);
	blocking(fd, true);
	say_result("write", write(fd, "x", 1));
	say_result("accept", accept(s.fd, NULL, NULL));
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	(void)close(fd);
	fd = tcp(0);
	set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	set(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
	say_connect(fd, &closed);
	(void)signal(SIGPIPE, SIG_IGN);
	say_result("write", write(fd, "x", 1));
	say_end(fd);
	say_connect(fd, &s.address);
}

static void scene_repair(void)
{
	struct sockaddr_in closed = here(htons(1));
	int fd = tcp(0), on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) != 0) {
		(void)printf(" not here");
		return;
	}
	say_connect(fd, &closed);
	say_connect(fd, &closed);
}

static void scene_ends(void)
{
	struct server full = serve(0);
	int fd = tcp(0);

	say_end(fd);
	blocking(fd, false);
	say_connect(fd, &full.address);
	blocking(fd, true);
	say_end(fd);
	say_pending_error(fd);
	say_end(full.fd);
}

static const struct scene {
	const char *name;
	void (*play)(void);
	bool tcp_alone; /* options that MPTCP does not have, or shows by another state */
} scenes[] = {
	{ "refused-twice", scene_refused_twice, false },
	{ "refused-bound", scene_refused_bound, false },
	{ "failed-before", scene_failed_before, false },
	{ "failed-unasked", scene_failed_unasked, false },
	{ "listener", scene_listener, false },
	{ "wrong-address", scene_wrong_address, false },
	{ "limit", scene_limit, false },
	{ "user-timeout", scene_user_timeout, true },
	{ "in-progress", scene_in_progress, false },
	{ "signal", scene_signal, false },
	{ "signal-restarts", scene_signal_restarts, false },
	{ "signal-and-limit", scene_signal_and_limit, false },
	{ "jump", scene_jump, false },
	{ "ignored-signal", scene_ignored_signal, false },
	{ "sibling-shuts-down", scene_sibling_shuts_down, false },
	{ "sibling-disconnects", scene_sibling_disconnects, false },
	{ "sibling-closes", scene_sibling_closes, false },
	{ "sibling-unblocks", scene_sibling_unblocks, false },
	{ "sibling-waits-as-well", scene_sibling_waits_as_well, false },
	{ "fast-open", scene_fast_open, true },
	{ "repair", scene_repair, true },
	{ "ends", scene_ends, false },
};

/* One process for each scene, its words by a pipe. */
static int start_scene(const struct scene *scene, pid_t *pid)
{
	int ends[2];

	if (pipe(ends) != 0)
		exit(setup_failed("pipe"));
	*pid = fork();
	if (*pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		scene->play();
		exit(0);
	}
	(void)close(ends[1]);
	return ends[0];
}

static int waits(char **args)
{
	pid_t pids[ELEMENTS(scenes)] = { 0 };
	int ends[ELEMENTS(scenes)], status;
	bool some = args[1] != NULL;

	protocol = strcmp(args[0], "mptcp") == 0 ? MPTCP : 0;
	if (protocol) {
		status = socket(AF_INET, SOCK_STREAM, protocol);
		if (status < 0)
			return setup_failed("MPTCP");
		(void)close(status);
	}
	for (size_t i = 0; i < ELEMENTS(scenes); i++) {
		if ((some && strcmp(args[1], scenes[i].name) != 0) ||
		    (protocol && scenes[i].tcp_alone))
			continue;
		ends[i] = start_scene(&scenes[i], &pids[i]);
	}
	for (size_t i = 0; i < ELEMENTS(scenes); i++) {
		struct pollfd p = { .fd = ends[i], .events = POLLIN };
		char text[SCENE_TEXT];
		ssize_t n, size = 0;

		if (!pids[i])
			continue;
		if (poll(&p, 1, PATIENCE_MS) != 1)
			(void)kill(pids[i], SIGKILL);
		while ((n = read(ends[i], text + size, sizeof text - 1 - (size_t)size)) > 0)
			size += n;
		(void)waitpid(pids[i], &status, 0);
		(void)printf("%s:%.*s%s\n", scenes[i].name, (int)size, text,
			     status ? " (failed)" : "");
	}
	return T_OK;
}

/* COMMAND where there is no io_uring, as in many a container. */
static int without_io_uring(char **args)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ELEMENTS(code), code };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0 &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	     prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0))
		return setup_failed("seccomp");
	(void)execvp(args[0], args);
	return setup_failed(args[0]);
}

const struct deed wait_deeds[] = {
	{ "waits", "tcp|mptcp [SCENE]", 1, waits },
	{ "without-io-uring", "COMMAND [ARG]...", 1, without_io_uring },
	{ NULL, NULL, 0, NULL },
};
