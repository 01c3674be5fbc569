/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rules - what one decision costs: recorded execs against a policy.
 *
 *	rules POLICY EVENTS [ROUNDS [DEPTH]]
 *
 * EVENTS is events.ndjson: lines {"env": [...]}, then processes, each
 * [executes, parent, path, comm, argv, environment] with the numbers of earlier lines
 * of its kind. DEPTH puts so many shells more between the oldest ancestors and the
 * rest. Prints the number of rules, the time to load them in ms, that of one decision
 * in ns (median of rounds, and of single decisions), how many match per hundred events,
 * how many of a hundred match nothing, and the memory.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/resource.h>

#include "engine/decide.h"

enum { SCRATCH = 64 * 1024 * 1024, MAX_FILE = 16 * 1024 * 1024, PASSES = 9 };

struct node {
	struct process process;
	struct image image;
	bool executes;
};

struct world {
	struct string_list *environments;
	size_t nenvironments;
	struct node *nodes;
	size_t nnodes, nevents;
	struct process *shells;
	struct image shell;
	struct lineage *lineage;
};

static struct secl_string text_of(const json_t *json)
{
	return (struct secl_string){ json_string_value(json), json_string_length(json) };
}

static struct string_list list_of(const json_t *array)
{
	struct string_list list = { .count = (uint32_t)json_array_size(array) };
	const json_t *one;
	size_t i;
	char *data;

	json_array_foreach(array, i, one) list.size += (uint32_t)json_string_length(one) + 1;
	list.data = data = malloc(list.size + 1);
	if (!data)
		abort();
	json_array_foreach(array, i, one) data = stpcpy(data, json_string_value(one)) + 1;
	return list;
}

static void take_node(struct world *w, const json_t *row)
{
	struct node *n = &w->nodes[w->nnodes++];
	json_int_t parent = json_integer_value(json_array_get(row, 1));

	n->executes = json_integer_value(json_array_get(row, 0));
	w->nevents += n->executes;
	n->image = (struct image){
		.file = { .path = text_of(json_array_get(row, 2)), .present = true },
		.argv = list_of(json_array_get(row, 4)),
		.envp = w->environments[json_integer_value(json_array_get(row, 5))],
		.envp_read = true,
	};
	n->process = (struct process){
		.pid = (pid_t)(1000 + w->nnodes),
		.image = &n->image,
		.comm = text_of(json_array_get(row, 3)),
		.tty = { "pts0", 4 },
		.flags = PROCESS_IS_EXEC,
		.slot = (unsigned)w->nnodes,
		.parent = parent < 0 ? NULL : &w->nodes[parent].process,
	};
}

/* Rows refer to earlier ones by number, so the arrays have their size from the start; the
 * texts stay where jansson has them.
 */
static void read_world(struct world *w, const char *path)
{
	char *text, *line, *rest;
	size_t size, lines = 0;

	if (read_file(path, MAX_FILE, &text, &size) < 0)
		abort();
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	w->environments = calloc(lines + 1, sizeof *w->environments);
	w->nodes = calloc(lines + 1, sizeof *w->nodes);
	if (!w->environments || !w->nodes)
		abort();
	for (rest = text; (line = strsep(&rest, "\n"));) {
		json_t *row = json_loads(line, 0, NULL);

		if (json_is_object(row))
			w->environments[w->nenvironments++] = list_of(json_object_get(row, "env"));
		else if (json_is_array(row))
			take_node(w, row);
	}
	free(text);
}

static void add_depth(struct world *w, size_t depth)
{
	static const char arguments[] = "bash\0-c\0true";

	w->shell = (struct image){
		.file = { .path = { "/usr/bin/bash", 13 }, .present = true },
		.argv = { arguments, sizeof arguments, 3, false },
		.envp = { .data = "" },
	};
	w->shells = calloc(depth + 1, sizeof *w->shells);
	if (!w->shells)
		abort();
	for (size_t i = 0; i < depth; i++)
		w->shells[i] = (struct process){
			.pid = (pid_t)(100000 + i),
			.image = &w->shell,
			.comm = { "bash", 4 },
			.slot = (unsigned)(w->nnodes + i + 1),
			.parent = i ? &w->shells[i - 1] : &w->nodes[0].process,
		};
	for (size_t i = 0; depth && i < w->nnodes; i++) {
		if (w->nodes[i].process.parent == &w->nodes[0].process)
			w->nodes[i].process.parent = &w->shells[depth - 1];
	}
}

struct result {
	size_t matches, quiet;
};

static size_t one(const struct ruleset *set, struct lineage *lineage, const struct node *node,
		  struct arena *arena)
{
	static const struct report_origin origin = { .origin = "ebpfless" };
	const struct event event = { .type = EVENT_EXEC, .process = &node->process };

	arena_reset(arena);
	return decide(&(struct decide_request){ .ruleset = set,
						.mode = MODE_BLOCK,
						.event = &event,
						.origin = &origin,
						.arena = arena,
						.lineage = lineage })
		.nmatches;
}

static struct result run(const struct ruleset *set, const struct world *w, struct arena *arena,
			 int64_t *times)
{
	struct result result = { 0 };

	for (size_t i = 0; i < w->nnodes; i++) {
		int64_t from = times ? now_monotonic_ns() : 0;
		size_t matches;

		if (!w->nodes[i].executes)
			continue;
		matches = one(set, w->lineage, &w->nodes[i], arena);
		if (times)
			*times++ = now_monotonic_ns() - from;
		result.matches += matches;
		result.quiet += !matches;
	}
	return result;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *times, size_t count)
{
	qsort(times, count, sizeof *times, by_size);
	return times[count / 2];
}

static void measure(const struct ruleset *set, const struct world *w, int64_t rounds)
{
	struct arena arena;
	int64_t passes[PASSES], *times = calloc(w->nevents + 1, sizeof *times);
	struct result result;

	if (!times || arena_init(&arena, SCRATCH) < 0)
		abort();
	result = run(set, w, &arena, NULL);
	for (int i = 0; i < PASSES; i++) {
		int64_t from = now_monotonic_ns();

		for (int64_t k = 0; k < rounds; k++)
			(void)run(set, w, &arena, NULL);
		passes[i] = (now_monotonic_ns() - from) / (rounds * (int64_t)w->nevents);
	}
	(void)run(set, w, &arena, times);
	(void)printf("%ld ns a decision, median %ld, %zu matches and %zu quiet of %zu events",
		     (long)median(passes, PASSES), (long)median(times, w->nevents), result.matches,
		     result.quiet, w->nevents);
	arena_done(&arena);
	free(times);
}

int main(int argc, char **argv)
{
	struct ruleset_options options = { .paths = (const char *const *)&argv[1],
					   .npaths = 1,
					   .unwatched = true };
	struct world world = { 0 };
	struct ruleset *set;
	struct diags diags = { 0 };
	struct err err = { 0 };
	struct rusage before, after;
	int64_t start, loaded;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: rules POLICY EVENTS [ROUNDS [DEPTH]]\n");
		return 1;
	}
	read_world(&world, argv[2]);
	add_depth(&world, argc > 4 ? strtoul(argv[4], NULL, 10) : 0);
	(void)getrusage(RUSAGE_SELF, &before);
	start = now_monotonic_ns();
	if (ruleset_load(&options, &set, &diags, &err) < 0) {
		(void)fprintf(stderr, "rules: %s\n", err.text);
		return 1;
	}
	loaded = now_monotonic_ns();
	if (lineage_new(set, NULL, 65536, &world.lineage) < 0)
		abort();
	(void)getrusage(RUSAGE_SELF, &after);
	(void)printf("%zu rules, loaded in %.1f ms, %ld KiB, ", set->nrules,
		     (double)(loaded - start) / 1e6, after.ru_maxrss - before.ru_maxrss);
	if (argc <= 3 || atoi(argv[3]))
		measure(set, &world, argc > 3 ? strtol(argv[3], NULL, 10) : 100);
	(void)printf("\n");
	lineage_free(world.lineage);
	ruleset_free(set);
	diags_done(&diags);
	return 0;
}
