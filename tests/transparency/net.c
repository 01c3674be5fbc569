/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net.c - net-probe: reads rows and carries them out, some at a time, each in a
 * process group of its own that is killed when it takes too long.
 *
 *	net-probe serve DIRECTORY
 *	net-probe run ROWS PLACES [NAME]...
 *
 * A row is "NAME: STEP; STEP ...", a step a name and its words. What comes out is one
 * line a row, in the order of the rows.
 */
#include "tests/transparency/net.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { ROWS_MAX = 512, AT_ONCE = 12, ROW_SECONDS = 40 };

struct row {
	char *name, *steps;
	pid_t pid;
	int out, status;
	bool done, late;
	time_t began;
};

static const struct step *const groups[] = { socket_steps, send_steps, task_steps };

_Thread_local bool quiet;

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!quiet)
		(void)vprintf(format, args);
	va_end(args);
}

void print_result(const char *name, long result)
{
	say(" %s=%s", name, result < 0 ? strerrorname_np(errno) : "ok");
}

void print_count(const char *name, long result)
{
	if (result < 0)
		print_result(name, result);
	else
		say(" %s=%ld", name, result);
}

const char *option(char **words, const char *key)
{
	size_t size = strlen(key);

	for (; *words; words++) {
		if (strncmp(*words, key, size) == 0 && (*words)[size] == '=')
			return *words + size + 1;
	}
	return NULL;
}

long number(char **words, int n)
{
	for (int i = 0; i <= n; i++) {
		if (!words[i])
			return 0;
	}
	return strtol(words[n], NULL, 0);
}

const struct step *find_step(const char *name)
{
	for (size_t g = 0; g < ELEMENTS(groups); g++) {
		for (const struct step *s = groups[g]; s->name; s++) {
			if (strcmp(s->name, name) == 0)
				return s;
		}
	}
	(void)fprintf(stderr, "net-probe: there is no step '%s'\n", name);
	exit(2);
}

static void carry_out(struct probe *p, char *text)
{
	char *words[WORDS_MAX + 1] = { NULL }, *save = NULL;
	int n = 0;

	for (char *w = strtok_r(text, " \t", &save); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	if (n)
		find_step(words[0])->run(p, words);
}

static int run_row(struct probe *p, const struct row *row)
{
	char *save = NULL;

	for (int i = 0; i < FDS_MAX; i++)
		p->fds[i] = -1;
	(void)clock_gettime(CLOCK_MONOTONIC, &p->mark);
	for (char *step = strtok_r(row->steps, ";", &save); step && !p->leave;
	     step = strtok_r(NULL, ";", &save)) {
		carry_out(p, step);
		/* what was said must not be lost with who is killed, nor be said twice */
		(void)fflush(stdout);
	}
	return 0;
}

static void start_row(struct probe *p, struct row *row)
{
	row->out = memfd_create("row", MFD_CLOEXEC);
	row->began = time(NULL);
	row->pid = fork();
	if (row->pid < 0 || row->out < 0)
		exit(2);
	if (row->pid)
		return;
	(void)setpgid(0, 0);
	(void)dup2(row->out, STDOUT_FILENO);
	_exit(run_row(p, row));
}

/* Its last words, and how it ended where that is not of its own accord. */
static void end_row(struct row *row)
{
	char text[16384];
	ssize_t n = pread(row->out, text, sizeof text, 0);

	(void)printf("%s:%.*s", row->name, n > 0 ? (int)n : 0, text);
	if (row->late)
		(void)printf(" TOO-LATE");
	else if (WIFSIGNALED(row->status))
		(void)printf(" signal=%s", sigabbrev_np(WTERMSIG(row->status)));
	else if (WEXITSTATUS(row->status))
		(void)printf(" exit=%d", WEXITSTATUS(row->status));
	(void)printf("\n");
	(void)close(row->out);
}

static void reap(struct row *rows, size_t count, unsigned *running)
{
	static const struct timespec pause = { .tv_nsec = 2000000 };
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid <= 0)
		(void)nanosleep(&pause, NULL);
	for (size_t i = 0; i < count; i++) {
		struct row *row = &rows[i];

		if (row->done || !row->pid)
			continue;
		if (row->pid == pid) {
			row->done = true;
			row->status = status;
			(*running)--;
			/* who it left behind */
			(void)kill(-pid, SIGKILL);
		} else if (!row->late && time(NULL) - row->began > ROW_SECONDS) {
			row->late = true;
			(void)kill(-row->pid, SIGKILL);
		}
	}
}

static void run_all(struct probe *p, struct row *rows, size_t count)
{
	unsigned running = 0;
	size_t started = 0, ended = 0;

	while (ended < count) {
		while (started < count && running < AT_ONCE) {
			start_row(p, &rows[started++]);
			running++;
		}
		reap(rows, count, &running);
		while (ended < count && rows[ended].done)
			end_row(&rows[ended++]);
		(void)fflush(stdout);
	}
}

static bool is_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

static size_t read_rows(const char *path, struct row *rows, char **names)
{
	FILE *file = fopen(path, "re");
	char line[2048];
	size_t count = 0;

	while (file && fgets(line, sizeof line, file)) {
		char *colon = strchr(line, ':');

		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		if (!colon || count == ROWS_MAX) {
			(void)fprintf(stderr, "net-probe: no row: %s\n", line);
			exit(2);
		}
		*colon = '\0';
		if (is_wanted(line, names))
			rows[count++] =
				(struct row){ .name = strdup(line), .steps = strdup(colon + 1) };
	}
	if (!file || fclose(file) != 0)
		exit(2);
	return count;
}

int main(int argc, char **argv)
{
	static struct place places[PLACES_MAX];
	static struct row rows[ROWS_MAX];
	struct probe p = { .places = places };

	(void)umask(0); /* everybody may connect to what serve() binds */

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (argc < 4 || strcmp(argv[1], "run") != 0) {
		(void)fprintf(stderr, "net-probe serve DIRECTORY | run ROWS PLACES [NAME]...\n");
		return 2;
	}

	p.nplaces = places_read(argv[3], places);
	run_all(&p, rows, read_rows(argv[2], rows, argv + 4));
	return 0;
}
