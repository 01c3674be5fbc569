/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From matching rules to one verdict: the strongest wins, modes and filters bound
 * it, and what cannot be evaluated is refused by a rule that could refuse it.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "engine/decide.h"
#include "fixture.h"

static struct arena arena;
static char path[64];

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, 1 << 20), 0);
	(void)strcpy(path, "/tmp/guard-decide-XXXXXX.policy");
	(void)close(mkstemps(path, 7));
}

static void teardown(void)
{
	arena_done(&arena);
	(void)unlink(path);
}

TestSuite(decide, .init = setup, .fini = teardown);

static struct ruleset *load(const char *rules)
{
	const char *const paths[] = { path };
	struct ruleset_options options = { .paths = paths,
					   .npaths = 1,
					   .agent_version = "7.75.0",
					   .origin = "ebpfless",
					   .hostname = "host" };
	struct ruleset *ruleset = NULL;
	struct diags diags = { .rows = NULL };
	struct err err = { .code = 0 };
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	(void)fprintf(file, "version: 1.0.0\nrules:\n%s", rules);
	(void)fclose(file);
	cr_assert_eq(ruleset_load(&options, &ruleset, &diags, &err), 0, "%s", err.text);
	cr_assert_eq(diags.errors, 0u, "%s", rules);
	diags_done(&diags);
	return ruleset;
}

static struct decision judge(const struct ruleset *ruleset, enum protection_mode mode)
{
	static const struct report_origin origin = { .origin = "ebpfless", .hostname = "host" };
	static struct fixture fixture;

	fixture_init(&fixture, EVENT_EXEC);
	return decide(&(struct decide_request){ .ruleset = ruleset,
						.mode = mode,
						.event = &fixture.event,
						.origin = &origin,
						.arena = &arena });
}

#define MATCHING      "    expression: exec.file.name == \"curl.real\"\n"
#define NEAR_MISS     "    expression: exec.file.name == \"curl.rea\"\n"
#define BLOCK(errno_) "    actions: [{block: {errno: " errno_ "}}]\n"
#define KILL          "    actions: [{kill: {signal: SIGKILL}}]\n"

static const struct row {
	const char *what, *rules;
	enum protection_mode mode;
	enum verdict_kind want;
	size_t matches;
	int error;
} rows[] = {
	{ "no match", "  - id: a\n" NEAR_MISS BLOCK("EPERM"), MODE_BLOCK, VERDICT_NONE, 0, 0 },
	{ "a rule without actions reports", "  - id: a\n" MATCHING, MODE_BLOCK, VERDICT_DETECTED, 1,
	  0 },
	{ "block", "  - id: a\n" MATCHING BLOCK("EACCES"), MODE_BLOCK, VERDICT_BLOCKED, 1, EACCES },
	{ "kill", "  - id: a\n" MATCHING KILL, MODE_BLOCK, VERDICT_KILLED, 1, 0 },
	{ "kill beats block, all report",
	  "  - id: a\n" MATCHING BLOCK("EPERM") "  - id: b\n" MATCHING KILL "  - id: c\n" MATCHING,
	  MODE_BLOCK, VERDICT_KILLED, 3, 0 },
	{ "the first of two blocks gives the errno",
	  "  - id: a\n" MATCHING BLOCK("ENOENT") "  - id: b\n" MATCHING BLOCK("EPERM"), MODE_BLOCK,
	  VERDICT_BLOCKED, 2, ENOENT },
	{ "monitoring would have",
	  "  - id: a\n" MATCHING BLOCK("EPERM") "    protection: monitoring\n", MODE_BLOCK,
	  VERDICT_WOULD_BLOCK, 1, EPERM },
	{ "the whole in monitor mode", "  - id: a\n" MATCHING KILL, MODE_MONITOR,
	  VERDICT_WOULD_BLOCK, 1, 0 },
	{ "off evaluates nothing", "  - id: a\n" MATCHING KILL, MODE_OFF, VERDICT_NONE, 0, 0 },
	{ "an action outside its filter only detects",
	  "  - id: a\n" MATCHING
	  "    actions: [{block: {errno: EPERM}, filter: 'process.uid == 99'}]\n",
	  MODE_BLOCK, VERDICT_DETECTED, 1, 0 },
	{ "inside it blocks",
	  "  - id: a\n" MATCHING
	  "    actions: [{block: {errno: EPERM}, filter: 'process.parent.comm == \"bash\"'}]\n",
	  MODE_BLOCK, VERDICT_BLOCKED, 1, EPERM },
	{ "the strongest of several actions",
	  "  - id: a\n" MATCHING "    actions: [{block: {errno: EPERM}}, {kill: {signal: SIGKILL}, "
	  "filter: 'process.uid == 99'}, {log: {level: info, message: m}}]\n",
	  MODE_BLOCK, VERDICT_BLOCKED, 1, EPERM },
};

Test(decide, rows_of_rules_and_verdicts)
{
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		struct ruleset *ruleset = load(rows[i].rules);
		struct decision d = judge(ruleset, rows[i].mode);

		cr_expect_eq(d.strongest.kind, rows[i].want, "%s: %s", rows[i].what,
			     verdict_name(d.strongest.kind));
		cr_expect_eq(d.nmatches, rows[i].matches, "%s", rows[i].what);
		cr_expect_eq(d.strongest.error, rows[i].error, "%s", rows[i].what);
		ruleset_free(ruleset);
	}
}

Test(decide, log_actions_speak_by_their_filters)
{
	struct ruleset *ruleset =
		load("  - id: a\n" MATCHING
		     "    actions: [{log: {level: info, message: a}, filter: 'process.uid == 99'}, "
		     "{log: {level: info, message: b}}]\n");
	struct decision d = judge(ruleset, MODE_BLOCK);

	cr_expect_eq(d.matches[0].others, UINT64_C(2));
	ruleset_free(ruleset);
}

/* A scratch arena that is full when the arguments are joined. */
Test(decide, what_cannot_be_evaluated_is_refused_by_a_blocking_rule_only)
{
	static const struct {
		const char *rules;
		enum verdict_kind want;
	} cases[] = {
		{ "  - id: a\n    expression: exec.args =~ \"*nothing*\"\n" BLOCK("EACCES"),
		  VERDICT_BLOCKED },
		{ "  - id: a\n    expression: exec.args =~ \"*nothing*\"\n", VERDICT_DETECTED },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ruleset *ruleset = load(cases[i].rules);
		size_t mark = arena_mark(&arena), room;
		struct secl_memo memo;
		struct decision d;

		cr_assert_eq(secl_memo_init(&memo, ruleset->shared, &arena), 0);
		room = arena.used - mark + 16 + (sizeof(struct match) + 15) / 16 * 16;
		while (arena_alloc(&arena, 16))
			;
		/* just the memo, the bits of candidates and the list of matches fit */
		arena_release(&arena, arena.used - room);
		d = judge(ruleset, MODE_BLOCK);
		cr_expect_eq(d.strongest.kind, cases[i].want, "%zu", i);
		cr_expect_eq(d.strongest.reason, REASON_NO_MEMORY);
		arena_release(&arena, mark);
		ruleset_free(ruleset);
	}
}

Test(decide, an_event_that_could_not_be_read)
{
	struct ruleset *blocking = load("  - id: a\n" NEAR_MISS "  - id: b\n" NEAR_MISS KILL);
	struct ruleset *watching = load("  - id: a\n" NEAR_MISS);
	struct decision d;

	d = decide_unreadable(blocking, MODE_BLOCK, EVENT_EXEC, REASON_TARGET_UNREADABLE, &arena);
	cr_expect_eq(d.strongest.kind, VERDICT_BLOCKED);
	cr_expect_str_eq(d.strongest.rule->id, "b");
	cr_expect_eq(d.strongest.error, EPERM);
	d = decide_unreadable(blocking, MODE_MONITOR, EVENT_EXEC, REASON_TARGET_UNREADABLE, &arena);
	cr_expect_eq(d.strongest.kind, VERDICT_NONE);
	d = decide_unreadable(blocking, MODE_BLOCK, EVENT_CONNECT, REASON_TARGET_UNREADABLE,
			      &arena);
	cr_expect_eq(d.strongest.kind, VERDICT_NONE);
	d = decide_unreadable(watching, MODE_BLOCK, EVENT_EXEC, REASON_TARGET_UNREADABLE, &arena);
	cr_expect_eq(d.strongest.kind, VERDICT_NONE);
	ruleset_free(blocking);
	ruleset_free(watching);
}
