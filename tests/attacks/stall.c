/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stall.c - calls whose arguments lie in memory that a file server does not deliver. */
#include "tests/lib/t-do.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { PAGE = 4096, RACERS = 4 };

/* Where everything is, and the page that never comes. */
struct scene {
	char *page;
	struct sockaddr_in good;
	struct iovec iov;
	struct mmsghdr message;
	int tcp, udp;
};

static int name_connect(struct scene *s)
{
	return connect(s->tcp, (struct sockaddr *)s->page, sizeof s->good);
}

static int name_bind(struct scene *s)
{
	return bind(s->tcp, (struct sockaddr *)s->page, sizeof s->good);
}

static int name_sendto(struct scene *s)
{
	return (int)sendto(s->udp, "x", 1, 0, (struct sockaddr *)s->page, sizeof s->good);
}

static int data_sendto(struct scene *s)
{
	return (int)sendto(s->udp, s->page, 100, 0, (struct sockaddr *)&s->good, sizeof s->good);
}

static int head_sendmsg(struct scene *s)
{
	return (int)sendmsg(s->udp, (struct msghdr *)(void *)s->page, 0);
}

static int name_sendmsg(struct scene *s)
{
	s->message.msg_hdr.msg_name = s->page;
	return (int)sendmsg(s->udp, &s->message.msg_hdr, 0);
}

static int vector_sendmsg(struct scene *s)
{
	s->message.msg_hdr.msg_iov = (struct iovec *)(void *)s->page;
	return (int)sendmsg(s->udp, &s->message.msg_hdr, 0);
}

static int data_sendmsg(struct scene *s)
{
	s->iov.iov_base = s->page;
	return (int)sendmsg(s->udp, &s->message.msg_hdr, 0);
}

static int control_sendmsg(struct scene *s)
{
	s->message.msg_hdr.msg_control = s->page;
	s->message.msg_hdr.msg_controllen = CMSG_SPACE(sizeof(int));
	return (int)sendmsg(s->udp, &s->message.msg_hdr, 0);
}

static int head_sendmmsg(struct scene *s)
{
	return sendmmsg(s->udp, (struct mmsghdr *)(void *)s->page, 1, 0);
}

static int path_execve(struct scene *s)
{
	char *argv[] = { (char[]){ "t" }, NULL };

	return execve(s->page, argv, environ);
}

static int vector_execve(struct scene *s)
{
	return execve("/bin/true", (char **)(void *)s->page, environ);
}

static int string_execve(struct scene *s)
{
	char *argv[] = { (char[]){ "t" }, s->page, NULL };

	return execve("/bin/true", argv, environ);
}

static const struct {
	const char *name;
	int (*make)(struct scene *s);
} calls[] = {
	{ "connect-name", name_connect },       { "bind-name", name_bind },
	{ "sendto-name", name_sendto },         { "sendto-data", data_sendto },
	{ "sendmsg-head", head_sendmsg },       { "sendmsg-name", name_sendmsg },
	{ "sendmsg-vector", vector_sendmsg },   { "sendmsg-data", data_sendmsg },
	{ "sendmsg-control", control_sendmsg }, { "sendmmsg-head", head_sendmmsg },
	{ "execve-path", path_execve },         { "execve-vector", vector_execve },
	{ "execve-string", string_execve },
};

/* FILE's first page, at WHERE if that is not NULL. */
static char *map_file(const char *file, void *where)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char *page = mmap(where, PAGE, PROT_READ, MAP_PRIVATE | (where ? MAP_FIXED : 0), fd, 0);

	if (fd < 0 || page == MAP_FAILED)
		exit(setup_failed(file));
	(void)close(fd);
	return page;
}

static void prepare(struct scene *s, const char *port)
{
	s->good = (struct sockaddr_in){ .sin_family = AF_INET,
					.sin_port = htons(strtoul(port, NULL, 10)),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	s->iov = (struct iovec){ (char[]){ "x" }, 1 };
	s->message.msg_hdr = (struct msghdr){ .msg_name = &s->good,
					      .msg_namelen = sizeof s->good,
					      .msg_iov = &s->iov,
					      .msg_iovlen = 1 };
	s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int make_call(struct scene *s, const char *name)
{
	for (size_t i = 0; i < ELEMENTS(calls); i++) {
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].make(s);
	}
	errno = ENOSYS;
	return -1;
}

/* CALL FILE PORT: with the part of it that its name says in FILE. */
static int stalled(char **args)
{
	static struct scene s;

	prepare(&s, args[2]);
	s.page = map_file(args[1], NULL);
	return say(make_call(&s, args[0]));
}

/* ---- what others get meanwhile ------------------------------------------------------ */

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double exec_once(void)
{
	char name[] = "true", *argv[] = { name, NULL };
	double before = now_us();
	pid_t pid;
	int status;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, argv + 1) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		exit(setup_failed("/bin/true"));
	return now_us() - before;
}

static pid_t stall_aside(const char *call, const char *file)
{
	static struct scene s;
	pid_t pid = fork();

	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	prepare(&s, "9");
	s.page = map_file(file, NULL);
	for (;;)
		(void)make_call(&s, call);
}

/* COUNT CALL FILE: so many execs, in µs; after the first tenth of them somebody else makes
 * CALL with FILE, again and again. FILE may be "-": nobody does.
 */
static int paced(char **args)
{
	long count = strtol(args[0], NULL, 10);
	pid_t pid = 0;

	for (long i = 0; i < count; i++) {
		if (i == count / 10 && strcmp(args[2], "-") != 0)
			pid = stall_aside(args[1], args[2]);
		(void)printf("%.0f\n", exec_once());
	}
	if (pid > 0)
		(void)kill(pid, SIGKILL);
	return T_OK;
}

/* ---- a page that is there when it is looked for -------------------------------------- */

struct flipped {
	_Atomic bool stop;
	const char *file;
	struct scene scene;
};

static void *flip(void *data)
{
	struct flipped *f = data;

	while (!f->stop) {
		(void)map_file(f->file, f->scene.page);
		(void)sched_yield();
		(void)mmap(f->scene.page, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memcpy(f->scene.page, &f->scene.good, sizeof f->scene.good);
	}
	return NULL;
}

/* FILE COUNT: some processes make connects whose address is now there and now in FILE,
 * while COUNT programs are executed.
 */
static int race_stall(char **args)
{
	static struct flipped f;
	pthread_t thread;
	pid_t pids[RACERS];
	double slowest = 0;

	prepare(&f.scene, "9");
	f.file = args[0];
	for (int i = 0; i < RACERS; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		f.scene.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				    -1, 0);
		if (pthread_create(&thread, NULL, flip, &f) != 0)
			return setup_failed("thread");
		for (;;)
			(void)name_connect(&f.scene);
	}
	for (long i = strtol(args[1], NULL, 10); i > 0; i--) {
		double took = exec_once();

		slowest = took > slowest ? took : slowest;
	}
	for (int i = 0; i < RACERS; i++)
		(void)kill(pids[i], SIGKILL);
	(void)printf("slowest %.0f\n", slowest / 1000);
	return T_OK;
}

const struct deed stall_deeds[] = {
	{ "stalled", "CALL FILE PORT", 3, stalled },
	{ "paced", "COUNT CALL FILE|-", 3, paced },
	{ "race-stall", "FILE COUNT", 2, race_stall },
	{ NULL, NULL, 0, NULL },
};
