/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy cases of the rule language (tests/rules/policy.jsonl): one test a
 * line.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "engine/decide.h"
#include "model/recorded.h"
#include "policy_util.h"
#include "rows.h"

enum { MAX_CASES = 64, MAX_FILE = 1024 * 1024 };

struct cases {
	char *text;
	json_t *rows[MAX_CASES];
	size_t count;
};

static void read_cases(struct cases *cases)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], *rest, *line;
	size_t size;

	*cases = (struct cases){ 0 };
	(void)snprintf(path, sizeof path, "%s/tests/rules/policy.jsonl", srcdir ? srcdir : ".");
	cr_assert_eq(read_file(path, MAX_FILE, &cases->text, &size), 0, "%s", path);
	rest = cases->text;
	while ((line = strsep(&rest, "\n"))) {
		if (*line == '\0')
			continue;
		cr_assert_lt(cases->count, MAX_CASES);
		cases->rows[cases->count] = json_loads(line, 0, NULL);
		cr_assert_not_null(cases->rows[cases->count], "%s", line);
		cases->count++;
	}
}

static void add_json(struct policy_dir *dir, const char *name, const json_t *policy)
{
	_cleanup_free_ char *text = json_dumps(policy, JSON_INDENT(1));

	policy_dir_add(dir, name, text, strlen(text));
}

static void write_files(struct policy_dir *dir, const json_t *policy)
{
	const char *raw = json_string_value(json_object_get(policy, "raw"));
	json_t *copy;
	size_t i;

	if (raw) {
		policy_dir_add(dir, NULL, raw, strlen(raw));
	} else if (json_is_array(policy)) {
		for (i = 0; i < json_array_size(policy); i++) {
			copy = json_copy(json_array_get(policy, i));
			(void)json_object_del(copy, "file");
			add_json(dir,
				 json_string_value(
					 json_object_get(json_array_get(policy, i), "file")),
				 copy);
			json_decref(copy);
		}
	} else {
		copy = json_copy((json_t *)(uintptr_t)policy);
		(void)json_object_del(copy, "agent_version");
		add_json(dir, NULL, copy);
		json_decref(copy);
	}
}

/* A rule that holds for the values of the macro, to look into it. */
static void add_macro_probe(struct policy_dir *dir, const json_t *expect)
{
	json_t *values = json_object_get(expect, "macro_values");
	void *iter = json_object_iter(values);
	char text[512];

	if (!iter)
		return;
	(void)snprintf(text, sizeof text,
		       "rules:\n- {id: probe, expression: 'exec.file.path in %s'}\n",
		       json_object_iter_key(iter));
	policy_dir_add(dir, "zz.policy", text, strlen(text));
}

static void check_macro(const struct ruleset *set, const json_t *expect)
{
	json_t *values = json_object_get(expect, "macro_values");
	void *iter = json_object_iter(values);
	const struct rule *probe = find_rule(set, "probe");
	struct sample sample = { .file = "/usr/bin/other" };
	const json_t *list;

	if (!iter)
		return;
	cr_assert_not_null(probe);
	list = json_object_iter_value(iter);
	cr_expect_eq(sample_eval(&sample, probe->expr), 0);
	for (size_t i = 0; i < json_array_size(list); i++) {
		sample.file = json_string_value(json_array_get(list, i));
		cr_expect_eq(sample_eval(&sample, probe->expr), 1, "%s", sample.file);
	}
}

static void check_loaded(const struct ruleset *set, const json_t *expect)
{
	const json_t *loaded = json_object_get(expect, "loaded");
	const json_t *not_loaded = json_object_get(expect, "not_loaded");
	const char *id;

	for (size_t i = 0; i < json_array_size(loaded); i++) {
		id = json_string_value(json_array_get(loaded, i));
		cr_expect_not_null(find_rule(set, id), "%s is not loaded", id);
	}
	for (size_t i = 0; i < json_array_size(not_loaded); i++) {
		id = json_string_value(json_array_get(not_loaded, i));
		cr_expect_null(find_rule(set, id), "%s is loaded", id);
	}
}

static void check_expansion(const struct ruleset *set, const json_t *expect)
{
	const json_t *parts = json_object_get(expect, "expands_to");

	if (!parts)
		return;
	cr_assert_eq(set->nrules, json_array_size(parts));
	for (size_t i = 0; i < set->nrules; i++) {
		const json_t *part = json_array_get(parts, i);

		cr_expect_str_eq(set->rules[i].expanded_id,
				 json_string_value(json_array_get(part, 0)));
		cr_expect_str_eq(set->rules[i].expression,
				 json_string_value(json_array_get(part, 1)));
	}
}

/* ---- sequences of events, which set and read variables ------------------- */

enum { PROCESSES = 8, SCRATCH = 16 * 1024 * 1024 };

/* Processes by pid, made when they are first named. */
struct world {
	struct variables *variables;
	struct image image;
	struct process processes[PROCESSES];
	struct arena scratch;
};

static struct process *process_of(struct world *world, json_int_t pid, json_int_t parent)
{
	struct process *p = &world->processes[pid];

	cr_assert(pid < PROCESSES && parent < PROCESSES);
	*p = (struct process){ .pid = (pid_t)pid, .image = &world->image };
	if (parent)
		p->parent = &world->processes[parent];
	return p;
}

static void check_step(struct world *world, const struct ruleset *set, json_t *step)
{
	const char *type = json_string_value(json_object_get(step, "event"));
	const json_t *matches = json_object_get(step, "matches");
	struct event event = {
		.type = event_type_by_name(type, strlen(type)),
		.time_ns = now_realtime_ns(),
		.process = process_of(world, json_integer_value(json_object_get(step, "pid")),
				      json_integer_value(json_object_get(step, "ppid"))),
	};
	struct report_origin origin = { .version = "" };
	struct recorded *recorded;
	struct decision d;
	struct err err;

	arena_reset(&world->scratch);
	cr_assert_eq(recorded_new(json_object_get(step, "fields"), event.time_ns, &recorded, &err),
		     0, "%s", err.text);
	d = decide(&(struct decide_request){ .ruleset = set,
					     .mode = MODE_BLOCK,
					     .event = &event,
					     .origin = &origin,
					     .arena = &world->scratch,
					     .variables = world->variables,
					     .schema = &recorded_schema,
					     .source = recorded });
	cr_assert_eq(d.nmatches, json_array_size(matches), "%zu matches", d.nmatches);
	for (size_t i = 0; i < d.nmatches; i++)
		cr_expect_str_eq(d.matches[i].rule->id,
				 json_string_value(json_array_get(matches, i)));
	variables_apply(world->variables, set, d.planned, event.process, event.process,
			now_monotonic_ns());
	recorded_free(recorded);
}

struct wanted {
	const char *name;
	const json_t *value;
	bool found;
};

static void compare(void *data, const struct variable *variable, const struct secl_value *value)
{
	struct wanted *wanted = data;

	if (!streq(variable->name, wanted->name))
		return;
	wanted->found = true;
	if (value->type == SECL_INT)
		cr_expect_eq(value->integer, json_integer_value(wanted->value), "%s", wanted->name);
	else
		cr_expect(value->string.size == json_string_length(wanted->value) &&
				  memcmp(value->string.text, json_string_value(wanted->value),
					 value->string.size) == 0,
			  "%s is %.*s", wanted->name, (int)value->string.size, value->string.text);
}

/* "var1", "pid2:process.var1" */
static void check_after(struct world *world, const struct ruleset *set, const json_t *after)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)after, key, value)
	{
		const char *colon = strchr(key, ':');
		struct wanted wanted = { .name = colon ? colon + 1 : key, .value = value };
		const struct process *process =
			&world->processes[colon ? strtoul(key + 3, NULL, 10) : 0];

		variables_each(world->variables, set, colon ? SCOPE_PROCESS : SCOPE_GLOBAL, process,
			       now_monotonic_ns(), &world->scratch, compare, &wanted);
		cr_expect(wanted.found, "%s is not set", key);
	}
}

static void check_sequence(const struct ruleset *set, const json_t *expect)
{
	const json_t *steps = json_object_get(expect, "sequence");
	struct world world = { .image = { .argv.data = "", .envp.data = "", .token = 1 } };

	if (!steps)
		return;
	cr_assert_eq(variables_new(&world.variables), 0);
	cr_assert_eq(arena_init(&world.scratch, SCRATCH), 0);
	world.processes[0].image = &world.image;
	for (size_t i = 0; i < json_array_size(steps); i++)
		check_step(&world, set, json_array_get(steps, i));
	check_after(&world, set, json_object_get(expect, "vars_after"));
	arena_done(&world.scratch);
	variables_free(world.variables);
}

/* Every expectation is one that is looked at. */
static void check_keys(const json_t *expect)
{
	static const char *const keys[] = { "load_error", "loaded",     "not_loaded",
					    "sequence",   "vars_after", "macro_values",
					    "expands_to", "reason",     "note" };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)expect, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < ELEMENTS(keys); i++)
			known |= streq(keys[i], key);
		cr_expect(known, "nothing looks at %s", key);
	}
	cr_expect(json_is_boolean(json_object_get(expect, "load_error")));
}

static void run_case(const json_t *row)
{
	const json_t *policy = json_object_get(row, "policy"),
		     *expect = json_object_get(row, "expect");
	struct policy_dir dir;
	const char *paths[] = { dir.path };
	const struct ruleset_options options = {
		.paths = paths,
		.npaths = 1,
		.agent_version = json_string_value(json_object_get(policy, "agent_version")),
		.unwatched = true,
	};
	struct ruleset *set = NULL;
	struct diags diags = { 0 };
	struct err err = { 0 };
	int r;

	check_keys(expect);
	policy_dir_init(&dir);
	write_files(&dir, policy);
	add_macro_probe(&dir, expect);
	r = ruleset_load(&options, &set, &diags, &err);
	/* nothing but disabled rules is no error of the policy */
	cr_expect_eq(diags.errors > 0 || (r < 0 && r != -EINVAL),
		     json_is_true(json_object_get(expect, "load_error")), "%s", err.text);
	check_loaded(set, expect);
	check_expansion(set, expect);
	check_macro(set, expect);
	if (set)
		check_sequence(set, expect);
	ruleset_free(set);
	diags_done(&diags);
	policy_dir_done(&dir);
}

/* The index is the line; criterion wants the number of lines beforehand. */
static const size_t policy_lines[] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
				       10, 11, 12, 13, 14, 15, 16, 17, 18, 19 };

ROWS_TEST(policy, cases, policy_lines)
{
	struct cases cases;
	const json_t *row;

	read_cases(&cases);
	cr_assert_eq(cases.count, ELEMENTS(policy_lines), "lines were added: add their numbers");
	row = cases.rows[*r];
	run_case(row);
	for (size_t i = 0; i < cases.count; i++)
		json_decref(cases.rows[i]);
	free(cases.text);
}
