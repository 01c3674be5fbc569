/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The variables of rules: what a policy says, written by decisions and read by the
 * ones after them.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "engine/decide.h"
#include "policy_util.h"
#include "rows.h"

enum { SCRATCH = 64 * 1024 * 1024, SECOND = 1000000000 };

/* A process tree, and execs of it that a policy judges. */
struct world {
	struct policy_dir dir;
	struct ruleset *set;
	struct diags diags;
	struct err err;
	struct variables *variables;
	struct arena scratch;
	struct image image;
	struct process parent, process;
	char file[8192];
	struct decision decision;
};

static void begin(struct world *w, const char *rules)
{
	const char *paths[] = { w->dir.path };
	const struct ruleset_options options = { .paths = paths, .npaths = 1 };

	*w = (struct world){ .image = { .argv.data = "", .envp.data = "", .token = 1 } };
	policy_dir_init(&w->dir);
	policy_dir_add(&w->dir, NULL, rules, strlen(rules));
	paths[0] = w->dir.path;
	cr_assert_eq(ruleset_load(&options, &w->set, &w->diags, &w->err), 0, "%s", w->err.text);
	cr_assert_eq(w->diags.errors, 0, "%s", w->diags.rows[0].message);
	cr_assert_eq(variables_new(&w->variables), 0);
	cr_assert_eq(arena_init(&w->scratch, SCRATCH), 0);
	w->parent = (struct process){ .pid = 10, .start_ticks = 100, .image = &w->image };
	w->process = (struct process){
		.pid = 11, .start_ticks = 101, .image = &w->image, .parent = &w->parent
	};
}

static void end(struct world *w)
{
	arena_done(&w->scratch);
	variables_free(w->variables);
	ruleset_free(w->set);
	diags_done(&w->diags);
	policy_dir_done(&w->dir);
}

/* The decision about an exec of /t/FILE, which is not settled yet. */
static struct decision *look(struct world *w, const char *file)
{
	struct report_origin origin = { .version = "" };
	struct event event = { .type = EVENT_EXEC,
			       .time_ns = now_realtime_ns(),
			       .process = &w->process };

	(void)snprintf(w->file, sizeof w->file, "/t/%s", file);
	w->image.file = (struct file_info){ .present = true, .path = { w->file, strlen(w->file) } };
	arena_reset(&w->scratch);
	w->decision = decide(&(struct decide_request){ .ruleset = w->set,
						       .mode = MODE_BLOCK,
						       .event = &event,
						       .origin = &origin,
						       .arena = &w->scratch,
						       .variables = w->variables });
	return &w->decision;
}

static void settle(struct world *w, int64_t now_ns)
{
	variables_apply(w->variables, w->set, w->decision.planned, &w->process, &w->process,
			now_ns);
}

static void happen(struct world *w, const char *file)
{
	(void)look(w, file);
	settle(w, now_monotonic_ns());
}

static bool matches(struct world *w, const char *file, const char *rule)
{
	const struct decision *d = look(w, file);

	for (size_t i = 0; i < d->nmatches; i++) {
		if (streq(d->matches[i].rule->id, rule) && d->matches[i].reason == REASON_RULE)
			return true;
	}
	return false;
}

#define SETS(id, file, set)                                                                        \
	"- id: " id "\n  expression: exec.file.path == \"/t/" file "\"\n  actions: [{set: {" set   \
	"}}]\n"
#define READS(id, test) "- id: " id "\n  expression: 'exec.file.path == \"/t/read\" && " test "'\n"

/* What one exec of "set" makes of a variable, seen by the exec after it. */
static const struct kind {
	const char *set, *test;
} kinds[] = {
	{ "name: x, value: 7", "${x} == 7" },
	{ "name: x, value: true", "${x}" },
	{ "name: x, value: text", "${x} == \"text\"" },
	{ "name: x, value: [1, 2]", "2 in ${x} && ${x.length} == 2" },
	{ "name: x, value: [a, b]", "${x} in [~\"b*\"]" },
	{ "name: x, value: a, append: true", "\"a\" in ${x}" },
	{ "name: x, field: exec.file.path", "${x} == \"/t/set\"" },
	{ "name: x, field: exec.file.name, append: true", "\"set\" in ${x}" },
	{ "name: x, field: process.pid", "${x} == 11" },
	{ "name: x, expression: process.pid + 1, default_value: 0", "${x} == 12" },
	{ "name: x, expression: '\"p${process.pid}\"', default_value: \"\"", "${x} == \"p11\"" },
	{ "name: x, expression: '\"${builtins.uuid4}\"', default_value: \"\"",
	  "${x} =~ \"*-*-4*-*-*\"" },
	{ "name: x, value: 1, scope: process", "${process.x} == 1" },
	{ "name: x, value: 1, scope: process, scope_field: exec.pid", "${process.x} == 1" },
	{ "name: x, value: 1, ttl: 1h", "${x} == 1" },
	{ "name: x, value: 1, ttl: 3600000000000", "${x} == 1" },
};

ROWS_TEST(variables, kinds, kinds)
{
	struct world w;
	char rules[1024];

	(void)snprintf(rules, sizeof rules,
		       "rules:\n" SETS("sets", "set", "%s") READS("reads", "%s"), r->set, r->test);
	begin(&w, rules);
	cr_expect_not(matches(&w, "read", "reads"), "before it is set");
	happen(&w, "set");
	cr_expect(matches(&w, "read", "reads"), "%s: not %s", r->set, r->test);
	end(&w);
}

Test(variables, seen_by_later_rules_of_the_same_event)
{
	struct world w;

	begin(&w,
	      "rules:\n" SETS(
		      "sets", "set",
		      "name: x, value: [1]") "- id: reads\n  expression: 'exec.file.path == \"/t/set\" && 1 in ${x}'\n");
	cr_expect(matches(&w, "set", "reads"));
	/* but not before the event takes place */
	cr_expect_eq(variables_used(w.variables), 0);
	end(&w);
}

Test(variables, default_value_until_set)
{
	struct world w;

	begin(&w, "rules:\n" SETS("sets", "set", "name: x, default_value: 5, value: 6")
			  READS("five", "${x} == 5") READS("six", "${x} == 6"));
	cr_expect(matches(&w, "read", "five"));
	happen(&w, "set");
	cr_expect(matches(&w, "read", "six"));
	end(&w);
}

Test(variables, ttl)
{
	struct world w;
	int64_t now = now_monotonic_ns();

	begin(&w, "rules:\n" SETS("scalar", "set", "name: x, value: 5, ttl: 10s")
			  SETS("list", "set", "name: y, value: [5], ttl: 10s")
				  SETS("more", "more", "name: y, value: [6], ttl: 10s")
					  READS("x", "${x} == 5") READS("y", "5 in ${y}")
						  READS("z", "6 in ${y}"));
	(void)look(&w, "set");
	settle(&w, now - 11 * (int64_t)SECOND);
	cr_expect_not(matches(&w, "read", "x"), "it lives longer than it should");
	cr_expect_not(matches(&w, "read", "y"));
	(void)look(&w, "set");
	settle(&w, now - 9 * (int64_t)SECOND);
	cr_expect(matches(&w, "read", "x"), "it lives shorter than it should");
	cr_expect(matches(&w, "read", "y"));
	/* elements expire one by one */
	(void)look(&w, "set");
	settle(&w, now - 11 * (int64_t)SECOND);
	happen(&w, "more");
	cr_expect_not(matches(&w, "read", "y"));
	cr_expect(matches(&w, "read", "z"));
	end(&w);
}

Test(variables, lists_are_bounded_sets)
{
	struct world w;

	begin(&w,
	      "rules:\n- id: sets\n  expression: exec.file.path =~ \"/t/n*\"\n"
	      "  actions: [{set: {name: x, field: exec.file.name, append: true, size: 3}}]\n" READS(
		      "first", "\"n1\" in ${x}") READS("second", "\"n2\" in ${x}")
		      READS("three", "${x.length} == 3"));
	happen(&w, "n1");
	happen(&w, "n2");
	happen(&w, "n2");
	happen(&w, "n3");
	cr_expect(matches(&w, "read", "three"), "a double was counted");
	happen(&w, "n1"); /* is the newest now */
	happen(&w, "n4");
	cr_expect(matches(&w, "read", "first"));
	cr_expect_not(matches(&w, "read", "second"));
	cr_expect(matches(&w, "read", "three"));
	end(&w);
}

Test(variables, long_texts)
{
	static const size_t sizes[] = { 79, 80, 81, 204, 205, 4000 };
	struct world w;
	char name[4096];

	begin(&w, "rules:\n- id: sets\n  expression: exec.file.path =~ \"/t/n*\"\n"
		  "  actions: [{set: {name: x, field: exec.file.name}}]\n" READS(
			  "same", "cgroup.id == ${x}"));
	for (size_t i = 0; i < ELEMENTS(sizes); i++) {
		memset(name, 'n', sizes[i]);
		name[sizes[i]] = '\0';
		happen(&w, name);
		w.process.cgroup = (struct secl_string){ name, sizes[i] };
		cr_expect(matches(&w, "read", "same"), "%zu bytes", sizes[i]);
		name[sizes[i] - 1] = 'x';
		cr_expect_not(matches(&w, "read", "same"), "the last of %zu bytes", sizes[i]);
	}
	happen(&w, "n");
	cr_expect_eq(variables_used(w.variables), 2, "blocks are lost");
	end(&w);
}

static const char process_rules[] =
	"rules:\n" SETS("own", "set", "name: own, value: 1, scope: process")
		SETS("handed", "set", "name: handed, value: 1, scope: process, inherited: true")
			READS("reads_own", "${process.own} == 1")
				READS("reads_handed", "${process.handed} == 1");

Test(variables, of_a_process)
{
	struct world w;

	begin(&w, process_rules);
	happen(&w, "set");
	cr_expect(matches(&w, "read", "reads_own"));
	/* another process, then another one with the number of the first */
	w.process.pid = 12;
	cr_expect_not(matches(&w, "read", "reads_own"));
	cr_expect_not(matches(&w, "read", "reads_handed"));
	w.process.pid = 11;
	w.process.start_ticks++;
	cr_expect_not(matches(&w, "read", "reads_own"));
	end(&w);
}

Test(variables, end_with_the_image)
{
	struct world w;

	begin(&w, process_rules);
	happen(&w, "set");
	w.image.token = 2; /* the process has executed something else */
	cr_expect_not(matches(&w, "read", "reads_own"));
	cr_expect(matches(&w, "read", "reads_handed"), "it is inherited from before the exec");
	end(&w);
}

Test(variables, are_inherited)
{
	struct process grandparent;
	struct world w;

	begin(&w, process_rules);
	grandparent = w.process;
	grandparent.parent = NULL;
	happen(&w, "set");
	w.parent.parent = &grandparent;
	w.process.pid = 20;
	cr_expect(matches(&w, "read", "reads_handed"));
	cr_expect_not(matches(&w, "read", "reads_own"));
	variables_forget(w.variables, 11, 101);
	cr_expect_not(matches(&w, "read", "reads_handed"));
	cr_expect_eq(variables_used(w.variables), 0, "blocks are lost");
	end(&w);
}

Test(variables, of_containers_and_cgroups)
{
	struct world w;

	begin(&w, "rules:\n" SETS("c", "set", "name: x, value: 1, scope: container")
			  SETS("g", "set", "name: x, value: 1, scope: cgroup")
				  READS("container", "${container.x} == 1")
					  READS("cgroup", "${cgroup.x} == 1"));
	cr_expect(w.set->needs[EVENT_EXEC].fields & NEED_CGROUP);
	w.process.cgroup = (struct secl_string){ "/a", 2 };
	happen(&w, "set");
	cr_expect(matches(&w, "read", "cgroup"));
	cr_expect_not(matches(&w, "read", "container"), "a host process has no container");
	w.process.container = (struct secl_string){ "abc", 3 };
	happen(&w, "set");
	cr_expect(matches(&w, "read", "container"));
	w.process.container = (struct secl_string){ "abd", 3 };
	w.process.cgroup = (struct secl_string){ "/b", 2 };
	cr_expect_not(matches(&w, "read", "container"));
	cr_expect_not(matches(&w, "read", "cgroup"));
	end(&w);
}

/* Who makes a great many processes must not switch a rule off. */
Test(variables, what_was_dropped_is_an_error)
{
	struct world w;
	const struct decision *d;

	begin(&w,
	      "rules:\n" SETS(
		      "own", "set",
		      "name: own, value: 1, scope: process") "- id: refuses\n  expression: 'exec.file.path == \"/t/read\" && ${process.own} == 1'\n"
							     "  actions: [{block: {}}]\n");
	happen(&w, "set");
	for (int i = 0; i < 40000; i++) {
		w.process.start_ticks++;
		happen(&w, "set");
	}
	w.process.start_ticks = 101;
	d = look(&w, "read");
	cr_expect_eq(d->strongest.kind, VERDICT_BLOCKED);
	cr_expect_eq(d->strongest.reason, REASON_NO_MEMORY);
	end(&w);
}

static bool everybody(pid_t pid UNUSED, uint64_t start_ticks UNUSED)
{
	return true;
}

static bool nobody(pid_t pid UNUSED, uint64_t start_ticks UNUSED)
{
	return false;
}

Test(variables, survive_a_supervisor)
{
	struct world w;

	begin(&w, process_rules);
	happen(&w, "set");
	variables_recover(w.variables, everybody);
	cr_expect(matches(&w, "read", "reads_own"));
	variables_recover(w.variables, nobody);
	cr_expect_not(matches(&w, "read", "reads_own"));
	cr_expect_eq(variables_used(w.variables), 0);
	end(&w);
}

/* Its writer died in the middle of a change, which `writing`, its first byte, says. */
Test(variables, torn_ones_are_forgotten)
{
	struct world w;

	begin(&w, process_rules);
	happen(&w, "set");
	*(char *)w.variables = true;
	variables_recover(w.variables, everybody);
	cr_expect_eq(variables_used(w.variables), 0);
	cr_expect_not(matches(&w, "read", "reads_own"), "it is an error, not a match");
	happen(&w, "set");
	cr_expect(matches(&w, "read", "reads_own"), "it can be set again");
	end(&w);
}

static void count(void *data, const struct variable *variable, const struct secl_value *value)
{
	cr_expect(streq(variable->name, "shown") && value->integer == 1);
	++*(int *)data;
}

Test(variables, private_ones_are_not_shown)
{
	struct world w;
	int shown = 0;

	begin(&w, "rules:\n" SETS("a", "set", "name: shown, value: 1")
			  SETS("b", "set", "name: hidden, value: 1, private: true"));
	happen(&w, "set");
	variables_each(w.variables, w.set, SCOPE_GLOBAL, &w.process, now_monotonic_ns(), &w.scratch,
		       count, &shown);
	cr_expect_eq(shown, 1);
	end(&w);
}

/* A filter decides, and a failed rule sets nothing. */
Test(variables, filters)
{
	struct world w;

	begin(&w, "rules:\n- id: sets\n  expression: exec.file.path in [\"/t/set\", \"/t/not\"]\n"
		  "  actions:\n  - set: {name: x, value: 1}\n"
		  "    filter: exec.file.name == \"set\"\n" READS("reads", "${x} == 1"));
	happen(&w, "not");
	cr_expect_not(matches(&w, "read", "reads"));
	happen(&w, "set");
	cr_expect(matches(&w, "read", "reads"));
	end(&w);
}
