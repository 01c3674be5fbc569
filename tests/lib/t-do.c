/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <sys/wait.h>

int say(long result)
{
	if (result == -1) {
		(void)printf("errno %s\n", strerrorname_np(errno));
		return T_FAILED;
	}
	(void)printf("ok\n");
	return T_OK;
}

int setup_failed(const char *what)
{
	(void)fprintf(stderr, "t-do: %s: %s\n", what, strerror(errno));
	return T_SETUP;
}

int say_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return setup_failed("waitpid");
	if (WIFSIGNALED(status)) {
		(void)printf("signal %s\n", sigabbrev_np(WTERMSIG(status)));
		return T_FAILED;
	}
	(void)printf("exit %d\n", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}

int write_file(const char *path, const char *text)
{
	char temporary[4096];
	FILE *f;

	(void)snprintf(temporary, sizeof temporary, "%s.new", path);
	f = fopen(temporary, "we");
	if (!f)
		return -1;
	(void)fputs(text, f);
	if (fclose(f) != 0)
		return -1;
	return rename(temporary, path);
}

void count_in_file(const char *file, unsigned long n)
{
	static int fd = -1;
	char text[24];
	int size = snprintf(text, sizeof text, "%lu\n", n);

	if (fd < 0 && (write_file(file, text) != 0 || (fd = open(file, O_WRONLY | O_CLOEXEC)) < 0))
		exit(setup_failed(file));
	if (pwrite(fd, text, (size_t)size, 0) != size)
		exit(setup_failed(file));
}

/* a group, a line */
/* clang-format off */
static const struct deed *const groups[] = {
	exec_deeds,
	net_deeds,
	proc_deeds,
	kernel_deeds,
	race_deeds,
	odd_deeds,
	grasp_deeds,
	naive_deeds,
	lineage_deeds,
	fuse_deeds,
	stall_deeds,
	unix_deeds,
	unix_race_deeds,
	send_deeds,
	send_race_deeds,
	bind_deeds,
	probe_deeds,
	family_deeds,
	pry_deeds,
	wait_deeds,
	hanging_deeds,
	rewrite_deeds,
};
/* clang-format on */

int main(int argc, char **argv)
{
	for (size_t g = 0; g < ELEMENTS(groups); g++) {
		for (const struct deed *d = groups[g]; d->name; d++) {
			int status;

			if (argc < 2 || strcmp(d->name, argv[1]) != 0)
				continue;
			if (argc - 2 < d->nargs) {
				(void)fprintf(stderr, "usage: t-do %s %s\n", d->name, d->arguments);
				return T_SETUP;
			}
			status = d->run(argv + 2);
			return fflush(stdout) == 0 ? status : T_SETUP;
		}
	}
	for (size_t g = 0; g < ELEMENTS(groups); g++) {
		for (const struct deed *d = groups[g]; d->name; d++)
			(void)fprintf(stderr, "t-do %s %s\n", d->name, d->arguments);
	}
	return T_SETUP;
}
