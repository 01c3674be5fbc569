/* SPDX-License-Identifier: GPL-3.0-or-later */
/* odd.c - calls that a well-behaved program does not make. */
#include "tests/lib/t-do.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

enum { PAGE = 4096 };

/* The last byte before memory that cannot be read is TEXT's NUL. */
static char *at_the_edge(const char *text, size_t size)
{
	size_t pages = (size + PAGE - 1) / PAGE * PAGE;
	char *area = mmap(NULL, pages + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (area == MAP_FAILED || mprotect(area + pages, PAGE, PROT_NONE) != 0)
		exit(setup_failed("mmap"));
	return memcpy(area + pages - size, text, size);
}

static void *nowhere(void)
{
	void *area = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED ? NULL : area;
}

static int try_exec(const char *path, char *const *argv, char *const *envp)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)syscall(SYS_execve, path, argv, envp);
		_exit(say(-1) + 9 * (fflush(stdout) != 0));
	}
	return pid < 0 ? setup_failed("fork") : say_child(pid);
}

/* PATH [ARG]...: what the kernel answers to pointers that lead nowhere, and to
 * strings that end where memory ends. One line each, two for those that run.
 */
static int odd_pointers(char **args)
{
	char *path = at_the_edge(args[0], strlen(args[0]) + 1);
	char *open_end = at_the_edge(args[0], strlen(args[0]));
	char *bad_string[] = { args[0], nowhere(), NULL };
	char *far_string[] = { args[0], (char *)0x7ffffffff000, NULL };
	uintptr_t pair[] = { (uintptr_t)args[0], 0 }, single[] = { (uintptr_t)args[0] };
	char **edge = (char **)(void *)at_the_edge((char *)pair, sizeof pair);
	char **cut = (char **)(void *)at_the_edge((char *)single, sizeof single);

	(void)setvbuf(stdout, NULL, _IONBF, 0);
	(void)try_exec(NULL, args, environ);
	(void)try_exec((char *)8, args, environ);
	(void)try_exec(nowhere(), args, environ);
	(void)try_exec(open_end, args, environ);
	(void)try_exec(args[0], bad_string, environ);
	(void)try_exec(args[0], far_string, environ);
	(void)try_exec(args[0], (char **)8, environ);
	(void)try_exec(args[0], nowhere(), environ);
	(void)try_exec(args[0], args, (char **)8);
	(void)try_exec(args[0], args, bad_string);
	(void)try_exec(args[0], cut, environ);
	(void)try_exec(args[0], edge, environ);
	(void)try_exec(path, args, environ);
	(void)try_exec("", args, environ);
	(void)syscall(SYS_execveat, 99, "x", args, environ, 0);
	(void)say(-1);
	(void)syscall(SYS_execveat, AT_FDCWD, args[0], args, environ, 0x7777);
	return say(-1);
}

/* LENGTH PATH [ARG]...: PATH with as many slashes in front as make it LENGTH. */
static int long_path(char **args)
{
	size_t length = strtoul(args[0], NULL, 10), size = strlen(args[1]);
	char *path = malloc(length + 1);

	if (!path || length < size)
		return setup_failed("LENGTH");
	memset(path, '/', length - size);
	memcpy(path + length - size, args[1], size + 1);
	return say(execve(path, args + 1, environ));
}

/* COUNT SIZE PATH [ARG]...: COUNT more arguments of SIZE bytes. */
static int many_arguments(char **args)
{
	size_t count = strtoul(args[0], NULL, 10), size = strtoul(args[1], NULL, 10), n = 0;
	char **argv = calloc(count + 64, sizeof *argv), *text = malloc(count * (size + 1));

	if (!argv || !text)
		return setup_failed("malloc");
	for (char **a = args + 2; *a && n < 60; a++)
		argv[n++] = *a;
	memset(text, 'a', count * (size + 1));
	for (size_t i = 0; i < count; i++) {
		argv[n++] = text + i * (size + 1);
		text[i * (size + 1) + size] = '\0';
	}
	return say(execve(args[2], argv, environ));
}

/* COUNT PATH: more pointers than any exec takes, far apart. E2BIG natively. */
static int scattered_arguments(char **args)
{
	size_t count = strtoul(args[0], NULL, 10), gap = (size_t)16 << 20;
	char **argv = calloc(count + 1, sizeof *argv), *area;

	area = mmap(NULL, gap + PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!argv || area == MAP_FAILED)
		return setup_failed("mmap");
	for (size_t i = 0; i < count; i++)
		argv[i] = area + (i % 2 ? gap : 0);
	return say(execve(args[1], argv, environ));
}

struct crowd {
	char **args;
	pthread_barrier_t barrier;
};

static void *exec_with_the_others(void *data)
{
	struct crowd *c = data;

	(void)pthread_barrier_wait(&c->barrier);
	(void)execve(c->args[0], c->args, environ);
	return NULL;
}

/* ROUNDS THREADS PATH [ARG]...: all threads of a process exec at once. */
static int crowd(char **args)
{
	long rounds = strtol(args[0], NULL, 10), count = strtol(args[1], NULL, 10), ok = 0;

	for (long i = 0; i < rounds; i++) {
		struct crowd c = { .args = args + 2 };
		pid_t pid = fork();
		int status = 0;

		if (pid == 0) {
			pthread_t *t = calloc((size_t)count, sizeof *t);
			pthread_attr_t attr;

			(void)pthread_attr_init(&attr);
			(void)pthread_attr_setstacksize(&attr, 64 * 1024);
			(void)pthread_barrier_init(&c.barrier, NULL, (unsigned)count);
			for (long n = 0; n < count; n++) {
				if (pthread_create(&t[n], &attr, exec_with_the_others, &c) != 0)
					_exit(T_SETUP);
			}
			for (long n = 0; n < count; n++)
				(void)pthread_join(t[n], NULL);
			_exit(126);
		}
		(void)waitpid(pid, &status, 0);
		ok += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	(void)printf("ran %ld of %ld\n", ok, rounds);
	return T_OK;
}

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(strtoul(port, NULL, 10)),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* COUNT PORT: a process connects and is gone with its next call. */
static int connect_and_go(char **args)
{
	struct sockaddr_in a = loopback(args[1]);
	long count = strtol(args[0], NULL, 10), ok = 0;

	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		int status = 0;

		if (pid == 0)
			_exit(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a,
				      sizeof a) != 0);
		(void)waitpid(pid, &status, 0);
		ok += status == 0;
	}
	(void)printf("connected %ld\n", ok);
	return T_OK;
}

static void *connect_and_wait(void *data)
{
	struct sockaddr_in *a = data;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)a, sizeof *a) == 0)
		(void)pause();
	return NULL;
}

/* COUNT PORT READY-FILE: as many threads wait in connect until they are killed. */
static int hang(char **args)
{
	struct sockaddr_in a = loopback(args[1]);
	long count = strtol(args[0], NULL, 10);

	for (long i = 0; i < count; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, connect_and_wait, &a) != 0)
			return setup_failed("pthread_create");
	}
	(void)usleep(300 * 1000); /* they are in the call, or soon will be */
	if (write_file(args[2], "ready\n") != 0)
		return setup_failed(args[2]);
	for (;;)
		(void)pause();
}

static void handle(int sig)
{
	(void)sig;
}

/* PORT RESTART TIMEOUT: alarms while connect waits, with or without SA_RESTART and
 * SO_SNDTIMEO (milliseconds, 0 = none); ended after 1.5 s at the latest.
 */
static int connect_under_alarm(char **args)
{
	struct sockaddr_in a = loopback(args[0]);
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = args[1][0] == '1' ? SA_RESTART : 0 };
	struct itimerval often = { .it_interval.tv_usec = 150000, .it_value.tv_usec = 150000 };
	long ms = strtol(args[2], NULL, 10);
	struct timeval limit = { ms / 1000, ms % 1000 * 1000 };
	pid_t pid = fork();

	if (pid == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (ms)
			(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
		(void)sigaction(SIGALRM, &action, NULL);
		(void)setitimer(ITIMER_REAL, &often, NULL);
		(void)say(connect(fd, (struct sockaddr *)&a, sizeof a));
		exit(0);
	}
	(void)usleep(1500 * 1000);
	(void)kill(pid, SIGKILL);
	return say_child(pid);
}

/* PATH [ARG]...: after it has forbidden others to look into it. */
static int undumpable(char **args)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return setup_failed("prctl");
	return say(execve(args[0], args, environ));
}

/* PATH [ARG]...: while a tracer of its own is on it. */
static int traced(char **args)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)execve(args[0], args, environ);
		_exit(126);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		(void)ptrace(PTRACE_CONT, pid, NULL, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : T_FAILED;
}

/* SECONDS GOOD EVIL: processes that exec one or the other and are killed at some
 * point of it, each in the place of one that is gone.
 */
static int short_lives(char **args)
{
	char word[] = "status", zero[] = "0";
	char *deed[] = { args[1], word, zero, NULL };
	struct timespec begun, now;
	long lives = 0, evil = 0;
	unsigned seed = 1;

	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		bool forbidden = lives % 2;
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			(void)execve(args[1 + forbidden], deed, environ);
			_exit(126);
		}
		(void)usleep(rand_r(&seed) % 400);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		evil += forbidden && WIFEXITED(status) && WEXITSTATUS(status) == 0;
		lives++;
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begun.tv_sec < strtol(args[0], NULL, 10));
	(void)printf("lives %ld evil %ld\n", lives, evil);
	return T_OK;
}

/* SECONDS PATH: its pages are filled by a userfaultfd that nobody answers: one
 * exec, whose path lies there, waits in whoever reads it.
 */
static int stall_reader(char **args)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	int fd = device < 0 ? -1 : ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return say(-1);
	range.range.start = (uintptr_t)page;
	range.range.len = PAGE;
	if (ioctl(fd, UFFDIO_API, &api) != 0 || ioctl(fd, UFFDIO_REGISTER, &range) != 0)
		return setup_failed("userfaultfd");
	pid = fork(); /* the registration is not inherited: the parent calls */
	if (pid == 0) {
		(void)sleep((unsigned)strtoul(args[0], NULL, 10));
		(void)kill(getppid(), SIGKILL);
		_exit(0);
	}
	(void)printf("waits\n");
	(void)fflush(stdout);
	return say(execve(page, args, environ));
}

const struct deed odd_deeds[] = {
	{ "odd-pointers", "PATH [ARG]...", 1, odd_pointers },
	{ "long-path", "LENGTH PATH [ARG]...", 2, long_path },
	{ "many-arguments", "COUNT SIZE PATH [ARG]...", 3, many_arguments },
	{ "scattered-arguments", "COUNT PATH", 2, scattered_arguments },
	{ "crowd", "ROUNDS THREADS PATH [ARG]...", 3, crowd },
	{ "connect-and-go", "COUNT PORT", 2, connect_and_go },
	{ "hang", "COUNT PORT READY-FILE", 3, hang },
	{ "connect-under-alarm", "PORT RESTART TIMEOUT", 3, connect_under_alarm },
	{ "undumpable", "PATH [ARG]...", 1, undumpable },
	{ "traced", "PATH [ARG]...", 1, traced },
	{ "short-lives", "SECONDS GOOD EVIL", 3, short_lives },
	{ "stall-reader", "SECONDS PATH", 2, stall_reader },
	{ NULL, NULL, 0, NULL },
};
