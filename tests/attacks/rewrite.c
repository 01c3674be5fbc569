/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rewrite.c - a program whose content changes while it is executed again and again: its
 * last byte is 'g', or 'e' for evil, and what runs looks at its own.
 */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { PATIENCE = 60 };

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* By a mapping that was read first: tmpfs has no new time for that. */
static void store(int fd, const struct stat *st, char byte)
{
	size_t size = (size_t)st->st_size;
	volatile char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return;
	if (map[size - 1] != byte)
		map[size - 1] = byte;
	(void)munmap((void *)map, size);
}

static void change(const char *how, const char *path, char byte)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	/* busy: it is being executed */
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && strcmp(how, "map") == 0) {
		store(fd, &st, byte);
	} else {
		struct timespec times[2] = { st.st_atim, st.st_mtim };

		(void)!pwrite(fd, &byte, 1, st.st_size - 1);
		if (strcmp(how, "times") == 0)
			(void)futimens(fd, times);
	}
	(void)close(fd);
}

static _Noreturn void writer(const char *how, const char *path)
{
	unsigned seed = (unsigned)getpid();

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		change(how, path, "ge"[rand_r(&seed) % 2]);
		for (volatile unsigned i = rand_r(&seed) % 20000; i > 0; i--)
			;
		(void)sched_yield();
	}
}

/* What is executed: it says what it is. */
static int look_at_self(char **args)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int marks = open(args[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct stat st;
	char byte = '?';

	if (fd < 0 || marks < 0 || fstat(fd, &st) != 0 || pread(fd, &byte, 1, st.st_size - 1) != 1)
		return T_SETUP;
	return write(marks, &byte, 1) == 1 ? T_OK : T_SETUP;
}

struct score {
	long ran, denied, killed, busy;
};

static void exec_once(const char *path, const char *marks, struct score *score)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execl(path, path, "look-at-self", marks, NULL);
		_exit(errno == EPERM ? 126 : errno == ETXTBSY ? 125 : 124);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return;
	score->killed += WIFSIGNALED(status);
	score->ran += WIFEXITED(status) && WEXITSTATUS(status) == T_OK;
	score->denied += WIFEXITED(status) && WEXITSTATUS(status) == 126;
	score->busy += WIFEXITED(status) && WEXITSTATUS(status) == 125;
}

static int race_rewrite(char **args)
{
	double end = now() + atof(args[1]);
	struct score score = { 0 };
	pid_t pid = fork();

	if (pid == 0)
		writer(args[0], args[2]);
	if (pid < 0)
		return setup_failed("fork");
	while (now() < end || (score.denied < atol(args[4]) && now() < end + PATIENCE))
		exec_once(args[2], args[3], &score);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)printf("ran %ld denied %ld killed %ld busy %ld\n", score.ran, score.denied,
		     score.killed, score.busy);
	return T_OK;
}

const struct deed rewrite_deeds[] = {
	{ "look-at-self", "MARKS", 1, look_at_self },
	{ "race-rewrite", "write|map|times SECONDS PROGRAM MARKS DENIED", 5, race_rewrite },
	{ NULL, NULL, 0, NULL },
};
