/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rules - what one decision costs: events of a mix, most of which match nothing,
 * against a policy.
 *
 *	rules POLICY [EVENTS]
 *
 * Prints the number of rules, the time to load them in ms, that of one decision in ns
 * (median of passes), and how many rules matched.
 */
#include "config.h"

#include <stdio.h>

#include "engine/decide.h"

enum { SCRATCH = 64 * 1024 * 1024, PASSES = 9 };

static const struct program {
	const char *path, *args; /* arguments as one text, NULs between */
	uint32_t size, count;
} programs[] = {
#define PROGRAM(path, args, count)                                                                 \
	{                                                                                          \
		path, args, sizeof(args), count                                                    \
	}
	PROGRAM("/usr/bin/ls", "ls\0-la\0/home/user", 3),
	PROGRAM("/usr/bin/git", "git\0status\0--short", 3),
	PROGRAM("/usr/lib/gcc/x86_64-linux-gnu/12/cc1",
		"cc1\0-quiet\0-imultiarch\0x86_64-linux-gnu\0main.c\0-O2\0-o\0/tmp/x.s", 8),
	PROGRAM("/usr/bin/python3.11",
		"python3\0-m\0http.server\0"
		"8080",
		4),
	PROGRAM("/bin/sh", "sh\0-c\0test -f /etc/app.conf && cat /etc/app.conf", 3),
#undef PROGRAM
};

enum { ANCESTORS_MAX = 300 };

struct world {
	struct image image, shell;
	struct process process, ancestors[ANCESTORS_MAX];
	struct event event;
};

static void make_world(struct world *w, size_t depth)
{
	static const char shell_args[] = "bash";

	*w = (struct world){ 0 };
	w->shell = (struct image){ .file = { .path = { "/usr/bin/bash", 13 }, .present = true },
				   .argv = { shell_args, sizeof shell_args, 1, false },
				   .envp = { .data = "" } };
	for (size_t i = 0; i < depth; i++)
		w->ancestors[i] = (struct process){ .pid = (pid_t)(10 + i),
						    .image = &w->shell,
						    .comm = { "bash", 4 },
						    .parent = i ? &w->ancestors[i - 1] : NULL };
	w->process = (struct process){ .pid = 1000,
				       .image = &w->image,
				       .comm = { "bash", 4 },
				       .parent = &w->ancestors[depth - 1] };
	w->event = (struct event){ .type = EVENT_EXEC, .process = &w->process };
}

static void take_program(struct world *w, const struct program *p)
{
	static const char environment[] =
		"PATH=/usr/bin:/bin\0HOME=/root\0LANG=C.UTF-8\0TERM=xterm";

	w->image =
		(struct image){ .file = { .path = { p->path, strlen(p->path) }, .present = true },
				.argv = { p->args, p->size, p->count, false },
				.envp = { environment, sizeof environment, 4, false },
				.envp_read = true };
}

static size_t run(const struct ruleset *set, struct world *w, struct arena *arena, long events)
{
	static const struct report_origin origin = { .origin = "ebpfless" };
	size_t matched = 0;

	for (long i = 0; i < events; i++) {
		take_program(w, &programs[i % (long)ELEMENTS(programs)]);
		arena_reset(arena);
		matched += decide(&(struct decide_request){ .ruleset = set,
							    .mode = MODE_BLOCK,
							    .event = &w->event,
							    .origin = &origin,
							    .arena = arena })
				   .nmatches;
	}
	return matched;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct ruleset_options options = { .paths = (const char *const *)&argv[1], .npaths = 1 };
	long events = argc > 2 ? strtol(argv[2], NULL, 10) : 20000;
	size_t depth = argc > 3 ? MIN(strtoul(argv[3], NULL, 10), (size_t)ANCESTORS_MAX) : 3;
	struct ruleset *set;
	struct diags diags = { 0 };
	struct err err = { 0 };
	struct arena arena;
	static struct world world;
	int64_t times[PASSES], start = now_monotonic_ns(), loaded;
	size_t matched = 0;

	if (argc < 2 || ruleset_load(&options, &set, &diags, &err) < 0 ||
	    arena_init(&arena, SCRATCH) < 0) {
		(void)fprintf(stderr, "rules: %s\n", argc < 2 ? "needs a policy" : err.text);
		return 1;
	}
	loaded = now_monotonic_ns();
	make_world(&world, MAX(depth, (size_t)1));
	(void)run(set, &world, &arena, events / 10);
	for (int i = 0; i < PASSES; i++) {
		int64_t from = now_monotonic_ns();

		matched = run(set, &world, &arena, events);
		times[i] = now_monotonic_ns() - from;
	}
	qsort(times, PASSES, sizeof times[0], by_size);
	(void)printf("%zu rules, loaded in %.1f ms, %.0f ns a decision, %.2f matches\n",
		     set->nrules, (double)(loaded - start) / 1e6,
		     (double)times[PASSES / 2] / (double)events, (double)matched / (double)events);
	arena_done(&arena);
	ruleset_free(set);
	diags_done(&diags);
	return 0;
}
