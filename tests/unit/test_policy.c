/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From policy files to rules: what loads, what does not, and what is said. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "policy_util.h"
#include "rows.h"

#define FALSE_RULE         "  expression: exec.file.path == \"/bin/false\"\n"
#define RULE(rest)         "rules:\n- id: r\n" FALSE_RULE rest
#define CONNECT_RULE(rest) "rules:\n- id: r\n  expression: connect.addr.port == 1\n" rest

struct loaded {
	struct policy_dir dir;
	struct ruleset *set;
	struct diags diags;
	struct err err;
	int result;
};

static void load_files(struct loaded *l, const char *const *files, size_t count)
{
	const char *path = l->dir.path;
	const struct ruleset_options options = { .paths = &path, .npaths = 1 };

	l->set = NULL;
	l->diags = (struct diags){ 0 };
	l->err = (struct err){ 0 };
	policy_dir_init(&l->dir);
	for (size_t i = 0; i < count; i++)
		policy_dir_add(&l->dir, NULL, files[i], strlen(files[i]));
	l->result = ruleset_load(&options, &l->set, &l->diags, &l->err);
}

static void unload(struct loaded *l)
{
	ruleset_free(l->set);
	diags_done(&l->diags);
	policy_dir_done(&l->dir);
}

static const struct diag *find_row(const struct loaded *l, enum diag_subject subject,
				   const char *id)
{
	for (size_t i = 0; i < l->diags.count; i++) {
		const struct diag *d = &l->diags.rows[i];

		if (d->subject == subject && (!id || (d->id && streq(d->id, id))))
			return d;
	}
	return NULL;
}

/* ---- rules that are refused, and where ---- */

struct refused_row {
	const char *text, *message; /* part of the message */
	unsigned line, column;      /* 0 = not looked at */
};

static const struct refused_row refused_rows[] = {
	{ "rules:\n- expression: exec.file.name == \"x\"\n", "the rule has no id", 2, 3 },
	{ "rules:\n- id: a-b\n" FALSE_RULE, "other characters than letters", 2, 7 },
	{ "rules:\n- id: heartbeat\n" FALSE_RULE, "reserved", 2, 7 },
	{ "rules:\n- id: r\n", "the rule has no expression", 2, 3 },
	{ "rules:\n- just a text\n", "a rule must be a mapping", 2, 3 },
	{ "rules:\n- id: r\n  expression: [a]\n", "'expression' must be a text", 3, 15 },
	{ "rules:\n- id: r\n  expression: process.pid == 1\n", "which type of event", 3, 15 },
	{ "rules:\n- id: r\n  expression: exec.file.nmae == \"x\"\n", "exec.file.nmae", 3, 15 },
	{ "rules:\n- id: r\n  expression: >-\n    exec.file.name == \"x\" &&\n"
	  "      exec.file.nmae == \"x\"\n",
	  "exec.file.nmae", 5, 7 },
	{ "rules:\n- id: r\n  expression: 'exec.file.name == \"x\" && exec.file.nmae == \"y\"'\n",
	  "exec.file.nmae", 3, 41 },
	{ "{\"rules\": [{\"id\": \"r\", \"expression\": \"exec.file.name == \\\"x\\\" || exec.b == 1\"}]}",
	  "exec.b", 1, 66 },
	{ "rules:\n- id: r\n  expression: exec.file.name == \"x\" && connect.addr.port == 1\n",
	  "connect", 0, 0 },
	{ "rules:\n- id: r\n  expression: exec.pid == 1 && ${x} == 1\n", "x", 0, 0 },
	{ "rules:\n- id: r\n  expression: exec.pid == 1 && ${x} == 1\n"
	  "  actions: [{set: {name: x, value: a}}]\n",
	  "string expected", 0, 0 },
	{ RULE("  protection: blokcing\n"), "protection is 'blokcing'", 4, 15 },
	{ RULE("  protection: blocking\n"), "no block or kill action", 4, 15 },
	{ RULE("  protection: blocking\n  actions: [{log: {level: info}}]\n"),
	  "no block or kill action", 4, 15 },
	{ RULE("  actions: [{block: {errno: EPREM}}]\n"),
	  "there is no errno 'EPREM', did you mean 'EPERM'?", 4, 29 },
	{ RULE("  actions: [{block: {errno: [1]}}]\n"), "'errno' must be a text", 4, 29 },
	{ RULE("  actions: [{block: yes}]\n"), "an action must be a mapping", 4, 21 },
	{ RULE("  actions: [{blok: {errno: EPERM}}]\n"), "did you mean 'block'?", 4, 14 },
	{ RULE("  actions: [{kill: {}}]\n"), "it needs a signal", 4, 20 },
	{ RULE("  actions: [{kill: {signal: SIGKIL}}]\n"), "there is no such signal", 4, 29 },
	{ RULE("  actions: [{kill: {signal: KILL}}]\n"), "there is no such signal", 4, 29 },
	{ RULE("  actions: [{kill: {signal: SIGKILL, scope: host}}]\n"), "scope must be", 4, 45 },
	{ RULE("  actions: [{kill: {signal: SIGKILL}, block: {}}]\n"), "one action only", 4, 39 },
	{ RULE("  actions: [{filter: exec.pid == 1}]\n"), "names no action", 0, 0 },
	{ RULE("  actions: [kill]\n"), "an action must be a mapping", 4, 13 },
	{ RULE("  actions:\n  - block: {}\n    filter: exec.nope == 1\n"), "exec.nope", 6, 13 },
	{ RULE("  actions:\n  - block: {}\n    filter: exec.pid\n"), "", 6, 13 },
	{ RULE("  actions:\n  - block: {}\n    filter: connect.addr.port == 1\n"),
	  "another type of event", 6, 13 },
	{ RULE("  every: soon\n"), "'every' is neither", 4, 10 },
	{ RULE("  every: -1\n"), "'every' is negative", 4, 10 },
	{ RULE("  limiter_token: exec.pid\n"), "must be a list", 4, 18 },
	{ RULE("  limiter_token: [[exec.pid]]\n"), "it must be a list of fields", 4, 19 },
	{ RULE("  limiter_token: [exec.pidd]\n"), "limiter_token: ", 4, 19 },
	{ RULE("  limiter_token: [connect.addr.port]\n"), "another type of event", 4, 19 },
	{ RULE("  limiter_token: [exec.pid, exec.pid, exec.pid, exec.pid, exec.pid, exec.pid, exec.pid,"
	       " exec.pid, exec.pid, exec.pid, exec.pid, exec.pid, exec.pid, exec.pid, exec.pid,"
	       " exec.pid, exec.pid]\n"),
	  "too many fields", 4, 18 },
	{ RULE("  disabled: perhaps\n"), "'disabled' must be true or false", 4, 13 },
	{ RULE("  combine: merge\n"), "only 'override' is known", 4, 12 },
	{ RULE("  combine: override\n  override_options: {fields: [everything]}\n"),
	  "override_options.fields knows", 5, 31 },
	{ RULE("  agent_version: new\n"), "not a version constraint", 4, 18 },
	{ RULE("  filters: [os == 1]\n"), "", 4, 0 },
	{ RULE("  filters: [oss == \"linux\"]\n"), "oss", 4, 13 },
	{ RULE("  tags: {a: [1]}\n"), "the tag 'a' must be a text", 4, 13 },
	{ RULE("  group_id: a b\n"), "group_id", 4, 13 },
	{ RULE("- id: r\n" FALSE_RULE), "the id is used twice", 4, 7 },
	{ "rules:\n- id: r\n  expression: fim.write.file.nope == \"x\"\n", "nope", 3, 15 },
	{ "rules:\n- id: r\n  combine: override\n", "no earlier policy has", 2, 3 },
	{ "rules:\n- id: r\n  expression: open.file.path == \"/x\"\n  actions: [{block: {}}]\n",
	  "cannot be enforced: not observable yet: event type open is not enabled", 3, 15 },
	{ "rules:\n- id: r\n  expression: exec.file.package.name == \"x\"\n  actions: [{block: {}}]\n",
	  "cannot be enforced: not observable yet: this version of guard does not know the value "
	  "of exec.file.package.name",
	  3, 15 },
	{ RULE("  actions: [{block: {}, filter: container.tags == \"x\"}]\n"),
	  "not know the value of container.tags", 3, 15 },
};

ROWS_TEST(policy, refused, refused_rows)
{
	struct loaded l;
	const struct diag *row = NULL;

	load_files(&l, &r->text, 1);
	for (size_t i = 0; i < l.diags.count; i++) {
		if (l.diags.rows[i].subject == DIAG_RULE && l.diags.rows[i].status == DIAG_ERROR)
			row = &l.diags.rows[i];
	}
	cr_assert_not_null(row, "no error: %s", r->text);
	cr_expect_not_null(strstr(row->message, r->message), "%s", row->message);
	if (r->line)
		cr_expect_eq(row->line, r->line, "line %u: %s", row->line, row->message);
	if (r->column)
		cr_expect_eq(row->column, r->column, "column %u: %s", row->column, row->message);
	cr_expect_gt(l.diags.errors, 0);
	if (!strstr(r->message, "twice"))
		cr_expect_null(l.set, "the rule is loaded all the same");
	unload(&l);
}

/* ---- files that are refused as a whole ---- */

static const struct refused_row file_rows[] = {
	{ "", "the file is empty", 0, 0 },
	{ "# only a comment\n", "the file is empty", 0, 0 },
	{ "rules: []\n", "the policy is empty", 1, 1 },
	{ "version: 1.0.0\n", "the policy is empty", 1, 1 },
	{ "- a\n", "not a policy", 1, 1 },
	{ "rules: {a: b}\n", "'rules' must be a list", 1, 8 },
	{ "rules: [\n", "not valid YAML", 0, 0 },
	{ "rules: &a []\n", "anchors and tags are not allowed", 1, 8 },
	{ "rules: []\nrules: []\n", "is there twice", 2, 1 },
};

ROWS_TEST(policy, refused_files, file_rows)
{
	struct loaded l;
	const struct diag *row;

	load_files(&l, &r->text, 1);
	cr_expect_eq(l.result, -EINVAL);
	cr_expect_null(l.set);
	row = find_row(&l, DIAG_POLICY, NULL);
	cr_assert_not_null(row);
	cr_expect_eq(row->status, DIAG_ERROR);
	cr_expect_not_null(strstr(row->message, r->message), "%s", row->message);
	cr_expect_not_null(strstr(l.err.text, "0.policy"), "%s", l.err.text);
	cr_expect_not_null(strstr(l.err.text, r->message), "%s", l.err.text);
	if (r->line)
		cr_expect(row->line == r->line && row->column == r->column, "%u:%u", row->line,
			  row->column);
	unload(&l);
}

/* ---- what is only a warning ---- */

struct warning_row {
	const char *text, *message;
	unsigned line, column;
};

static const struct warning_row warning_rows[] = {
	{ RULE("  protetcion: blocking\n"),
	  "unknown key 'protetcion' is ignored, did you mean 'protection'?", 4, 3 },
	{ RULE("  zzzzzzzzzz: 1\n"), "unknown key 'zzzzzzzzzz' is ignored", 4, 3 },
	{ "ruels: []\n" RULE(""), "did you mean 'rules'?", 1, 1 },
	{ RULE("  actions: [{block: {errno: EPERM, pni: true}}]\n"), "did you mean 'pin'?", 4, 36 },
	{ CONNECT_RULE("  actions: [{block: {pin: true}}]\n"), "nothing to pin", 3, 15 },
	{ RULE("  actions: [{set: {name: x, value: 1}}, {set: {name: x, value: 2, ttl: 5s}}]\n"),
	  "ttl, size and inherited of ${x} are those of its first action", 4, 47 },
	{ RULE("  actions: [{coredump: {process: true}}]\n"), "action coredump is unsupported on",
	  4, 24 },
	{ RULE("  actions: [{network_filter: {filter: port 1}}]\n"),
	  "action network_filter is unsupported on", 4, 30 },
	{ RULE("  actions: [{hash: {fild: process.file}}]\n"), "did you mean 'field'?", 4, 21 },
};

ROWS_TEST(policy, warnings, warning_rows)
{
	struct loaded l;
	const struct diag *row;

	load_files(&l, &r->text, 1);
	cr_assert_eq(l.result, 0, "%s", l.err.text);
	cr_expect_eq(l.diags.errors, 0);
	cr_expect_not_null(find_rule(l.set, "r"));
	row = find_row(&l, DIAG_WARNING, NULL);
	cr_assert_not_null(row, "no warning");
	cr_expect_not_null(strstr(row->message, r->message), "%s", row->message);
	cr_expect(row->line == r->line && row->column == r->column, "%u:%u", row->line,
		  row->column);
	unload(&l);
}

/* ---- actions that are left out with an error; the rule stays ---- */

static const struct refused_row left_out_rows[] = {
	{ RULE("  actions: [{log: {level: loud}}]\n"), "level must be", 4, 27 },
	{ RULE("  actions: [{log: {}}]\n"), "level must be", 4, 19 },
	{ RULE("  actions: [{zzzz: {}}]\n"), "there is no action 'zzzz'", 4, 14 },
	{ RULE("  actions: [{coredump: {}}]\n"), "at least one of", 4, 24 },
	{ RULE("  actions: [{coredump: {no_compression: true, mount: false}}]\n"),
	  "at least one of", 4, 24 },
	{ RULE("  actions: [{network_filter: {}}]\n"), "it needs a filter", 4, 30 },
	{ RULE("  actions: [{network_filter: {filter: ''}}]\n"), "it needs a filter", 0, 0 },
	{ RULE("  actions: [{network_filter: {filter: port 1, scope: host}}]\n"),
	  "scope must be process or cgroup", 0, 0 },
	{ RULE("  actions: [{hash: {field: process.comm}}]\n"), "field must be a file", 4, 28 },
	{ RULE("  actions: [{hash: {field: process.file.path}}]\n"), "field must be a file", 4,
	  28 },
	{ RULE("  actions: [{hash: {field: process.ancestors.file}}]\n"), "not a list", 4, 28 },
	{ RULE("  actions: [{hash: {field: open.file}}]\n"), "another type of event", 4, 28 },
	{ RULE("  actions: [{hash: {max_file_size: 0}}]\n"), "at least 1", 4, 36 },
	{ CONNECT_RULE("  actions: [{hash: {}}]\n"), "name one: field: process.file", 0, 0 },
	{ RULE("  actions: [{set: {name: x, value: 1, scope: host}}]\n"), "scope must be", 4, 46 },
	{ RULE("  actions: [{set: {name: x, value: 1, inherited: true}}]\n"), "scope process", 0,
	  0 },
	{ RULE("  actions: [{set: {name: x, expression: '1'}}]\n"), "needs a default_value", 4,
	  41 },
	{ RULE("  actions: [{set: {name: x, field: no.such}}]\n"), "there is no such field", 4,
	  36 },
	{ RULE("  actions: [{set: {name: x, value: 1, default_value: a}}]\n"), "different types", 0,
	  0 },
	{ RULE("  actions: [{set: {name: x, value: 1, ttl: soon}}]\n"), "ttl is neither", 4, 44 },
	{ RULE("  actions:\n  - set: {name: x, value: 1}\n  - set: {name: x, value: 2, private: true}\n"),
	  "is private in one action", 0, 0 },
};

ROWS_TEST(policy, left_out, left_out_rows)
{
	struct loaded l;
	const struct diag *row;

	load_files(&l, &r->text, 1);
	cr_assert_eq(l.result, 0, "%s", l.err.text);
	cr_expect_eq(l.diags.errors, 1);
	cr_expect_not_null(find_rule(l.set, "r"));
	row = find_row(&l, DIAG_ACTION, "r");
	cr_assert_not_null(row);
	cr_expect_not_null(strstr(row->message, r->message), "%s", row->message);
	cr_expect_not_null(strstr(row->message, "loaded without it"), "%s", row->message);
	if (r->line)
		cr_expect(row->line == r->line && row->column == r->column, "%u:%u", row->line,
			  row->column);
	unload(&l);
}

/* ---- what becomes of a rule ---- */

struct state_row {
	const char *text;
	enum diag_status status;
	enum protection protection;
	size_t nactions;
};

static const struct state_row state_rows[] = {
	{ RULE(""), DIAG_LOADED, PROTECTION_MONITORING, 0 },
	{ RULE("  actions: []\n"), DIAG_LOADED, PROTECTION_MONITORING, 0 },
	{ RULE("  actions:\n"), DIAG_LOADED, PROTECTION_MONITORING, 0 },
	{ RULE("  actions: [{log: {level: info}}]\n"), DIAG_LOADED, PROTECTION_MONITORING, 1 },
	{ RULE("  actions: [{block: {}}]\n"), DIAG_LOADED, PROTECTION_BLOCKING, 1 },
	{ RULE("  actions: [block: ]\n"), DIAG_LOADED, PROTECTION_BLOCKING, 1 },
	{ RULE("  actions: [{kill: {signal: SIGKILL}}]\n"), DIAG_LOADED, PROTECTION_BLOCKING, 1 },
	{ RULE("  protection: monitoring\n  actions: [{block: {}}]\n"), DIAG_LOADED,
	  PROTECTION_MONITORING, 1 },
	{ RULE("  protection: blocking\n  actions: [{block: {}}, {hash: {}}]\n"), DIAG_LOADED,
	  PROTECTION_BLOCKING, 2 },
	{ RULE("  actions: [{hash: {}}, {hash: {field: process.parent.file, max_file_size: 9}}]\n"),
	  DIAG_LOADED, PROTECTION_MONITORING, 2 },
	{ RULE("  actions: [{hash: {field: exec.interpreter.file}, filter: 'exec.pid > 1'}]\n"),
	  DIAG_LOADED, PROTECTION_MONITORING, 1 },
	{ CONNECT_RULE("  actions: [{hash: {field: process.file}}]\n"), DIAG_LOADED,
	  PROTECTION_MONITORING, 1 },
	{ RULE("  actions: [{coredump: {dentry: true}}, {network_filter: {filter: port 1}}]\n"),
	  DIAG_LOADED, PROTECTION_MONITORING, 2 },
	{ RULE("  protection: disabled\n"), DIAG_DISABLED, 0, 0 },
	{ RULE("  disabled: true\n"), DIAG_DISABLED, 0, 0 },
	{ "rules:\n- id: r\n  disabled: true\n", DIAG_DISABLED, 0, 0 },
	{ RULE("  agent_version: '>= 7.60'\n"), DIAG_LOADED, PROTECTION_MONITORING, 0 },
	{ RULE("  agent_version: '< 7.60'\n"), DIAG_FILTERED, 0, 0 },
	{ RULE("  filters: [os == \"linux\"]\n"), DIAG_LOADED, PROTECTION_MONITORING, 0 },
	{ RULE("  filters: [os == \"windows\"]\n"), DIAG_FILTERED, 0, 0 },
	{ RULE("  filters: [os == \"windows\", kernel.version.major > 3]\n"), DIAG_LOADED,
	  PROTECTION_MONITORING, 0 },
	{ RULE("  filters: [os.is_rhel && !os.is_rhel, \"false\"]\n"), DIAG_FILTERED, 0, 0 },
	{ RULE("  filters: [origin == \"ebpfless\"]\n"), DIAG_LOADED, PROTECTION_MONITORING, 0 },
	{ RULE("  filters: []\n"), DIAG_LOADED, PROTECTION_MONITORING, 0 },
	/* a rule for another system is not looked at any further */
	{ "rules:\n- id: r\n  filters: [os == \"windows\"]\n  expression: set.registry.key == \"x\"\n",
	  DIAG_FILTERED, 0, 0 },
	{ "rules:\n- id: r\n  expression: open.file.path == \"/x\"\n", DIAG_FILTERED, 0, 0 },
	{ "\xef\xbb\xbfrules:\n- id: r\n" FALSE_RULE, DIAG_LOADED, PROTECTION_MONITORING, 0 },
	{ "rules:\r\n- id: r\r\n  expression: exec.file.path == \"/bin/false\"\r\n", DIAG_LOADED,
	  PROTECTION_MONITORING, 0 },
};

ROWS_TEST(policy, states, state_rows)
{
	struct loaded l;
	const struct diag *row;
	const struct rule *rule;

	load_files(&l, &r->text, 1);
	row = find_row(&l, DIAG_RULE, "r");
	cr_assert_not_null(row, "%s", l.err.text);
	cr_expect_eq(row->status, r->status, "%s: %s", diag_status_name(row->status), row->message);
	cr_expect_eq(l.diags.errors, 0);
	rule = find_rule(l.set, "r");
	if (r->status == DIAG_LOADED) {
		cr_assert_not_null(rule);
		cr_expect_eq(rule->protection, r->protection);
		cr_expect_eq(rule->nactions, r->nactions);
		cr_expect_eq(row->rule, rule->index);
	} else {
		/* nothing is left to judge by */
		cr_expect_eq(l.result, -EINVAL);
		cr_expect_null(l.set);
		cr_expect_eq(row->rule, UINT32_MAX);
	}
	unload(&l);
}

/* ---- several policies ---- */

struct merge_row {
	const char *files[3];
	enum diag_status status;
	enum protection protection;
	size_t nactions, ntags;
	const char *expression; /* NULL = that of FALSE_RULE */
};

static const struct merge_row merge_rows[] = {
	/* the first definition of an id applies */
	{ { RULE(""), "rules:\n- id: r\n  expression: exec.pid == 1\n" },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  0,
	  0,
	  NULL },
	{ { RULE("  disabled: true\n"), RULE("") },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  0,
	  0,
	  NULL },
	{ { "rules:\n- id: r\n  disabled: true\n", RULE("") },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  0,
	  0,
	  NULL },
	{ { RULE(""), RULE("  disabled: true\n") },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  0,
	  0,
	  NULL },
	{ { RULE("  agent_version: '< 1'\n"), "rules:\n- id: r\n  expression: exec.pid == 1\n" },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  0,
	  0,
	  "exec.pid == 1" },
	/* design 4: blocking > monitoring > disabled */
	{ { RULE("  protection: monitoring\n  actions: [{block: {}}]\n"),
	    RULE("  protection: blocking\n  actions: [{block: {}}]\n") },
	  DIAG_LOADED,
	  PROTECTION_BLOCKING,
	  1,
	  0,
	  NULL },
	{ { RULE("  actions: [{block: {}}]\n"), RULE("  protection: monitoring\n") },
	  DIAG_LOADED,
	  PROTECTION_BLOCKING,
	  1,
	  0,
	  NULL },
	{ { RULE("  protection: disabled\n"), RULE("  protection: monitoring\n") },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  0,
	  0,
	  NULL },
	/* override */
	{ { RULE("  tags: {a: b}\n"),
	    RULE("  combine: override\n  override_options: {fields: [tags]}\n  tags: {a: c, d: e}\n") },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  0,
	  2,
	  NULL },
	{ { RULE("  actions: [{log: {level: info}}]\n"),
	    RULE("  combine: override\n  override_options: {fields: [actions]}\n"
		 "  actions: [{log: {level: info}}, {block: {}}]\n") },
	  DIAG_LOADED,
	  PROTECTION_BLOCKING,
	  2,
	  0,
	  NULL },
	{ { RULE("  actions: [{log: {level: info}}]\n"),
	    RULE("  combine: override\n  tags: {a: b}\n  actions: [{block: {}}]\n") },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  1,
	  0,
	  NULL },
	{ { RULE(""),
	    "rules:\n- id: r\n  combine: override\n  override_options: {fields: [all]}\n  tags: {a: b}\n" },
	  DIAG_LOADED,
	  PROTECTION_MONITORING,
	  0,
	  0,
	  NULL },
};

ROWS_TEST(policy, merges, merge_rows)
{
	struct loaded l;
	const struct rule *rule;
	const struct diag *row;

	load_files(&l, r->files, r->files[2] ? 3 : 2);
	cr_assert_eq(l.result, 0, "%s", l.err.text);
	cr_expect_eq(l.diags.errors, 0);
	row = find_row(&l, DIAG_RULE, "r");
	cr_assert_not_null(row);
	cr_expect_eq(row->status, r->status);
	rule = find_rule(l.set, "r");
	cr_assert_not_null(rule);
	cr_expect_eq(l.set->nrules, 1);
	cr_expect_eq(rule->protection, r->protection);
	cr_expect_eq(rule->nactions, r->nactions);
	cr_expect_eq(rule->ntags, r->ntags);
	cr_expect_str_eq(rule->expression,
			 r->expression ? r->expression : "exec.file.path == \"/bin/false\"");
	unload(&l);
}

/* A default policy may be changed by a custom one, and goes before it. */
Test(policy, default_and_custom)
{
	static const char custom[] =
		"rules:\n- id: a\n  disabled: true\n"
		"- id: b\n  combine: override\n  override_options: {fields: [all]}\n"
		"  actions: [{block: {}}]\n"
		"- id: c\n  expression: exec.pid == 3\n  priority: 9\n"
		"- id: d\n  expression: exec.pid == 4\n  tags: {execution_context: 'true'}\n"
		"- id: e\n  expression: exec.pid == 5\n  priority: 10\n";
	static const char standard[] = "rules:\n- id: a\n  expression: exec.pid == 1\n"
				       "- id: b\n  expression: exec.pid == 2\n";
	static const char *const order[] = { "d", "b", "e", "c" };
	struct policy_dir dir;
	const char *path = dir.path;
	const struct ruleset_options options = { .paths = &path, .npaths = 1 };
	struct ruleset *set = NULL;
	struct diags diags = { 0 };
	struct err err = { 0 };

	policy_dir_init(&dir);
	policy_dir_add(&dir, "a.policy", custom, strlen(custom));
	policy_dir_add(&dir, "default.policy", standard, strlen(standard));
	policy_dir_add(&dir, "ignored.yaml", "rules: [", 8);
	cr_assert_eq(ruleset_load(&options, &set, &diags, &err), 0, "%s", err.text);
	cr_expect_eq(diags.errors, 0);
	cr_assert_eq(set->nby_event[EVENT_EXEC], ELEMENTS(order), "%zu",
		     set->nby_event[EVENT_EXEC]);
	for (size_t i = 0; i < ELEMENTS(order); i++)
		cr_expect_str_eq(set->by_event[EVENT_EXEC][i]->id, order[i]);
	cr_expect_eq(find_rule(set, "b")->protection, PROTECTION_BLOCKING);
	cr_expect_str_eq(find_rule(set, "b")->expression, "exec.pid == 2");
	ruleset_free(set);
	diags_done(&diags);
	policy_dir_done(&dir);
}

/* ---- values ---- */

Test(policy, every_key_arrives)
{
	static const char *const text =
		"version: 1.2.3\n"
		"rules:\n- id: r\n" FALSE_RULE
		"  description: What it is.\n  version: 4.5.6\n  group_id: g\n"
		"  tags: {a: b, c: 1}\n  product_tags: ['x:y']\n  every: 10s\n  silent: true\n"
		"  limiter_token: [exec.file.path, process.uid]\n"
		"  priority: -3\n"
		"  actions:\n"
		"  - block: {errno: EACCES}\n    filter: exec.uid == 0\n"
		"  - kill: {signal: SIGTERM, scope: tree}\n"
		"  - log: {level: warning}\n"
		"  - log: {level: debug, message: text}\n";
	const struct rule *rule;
	struct loaded l;

	load_files(&l, &text, 1);
	cr_assert_eq(l.result, 0, "%s", l.err.text);
	rule = find_rule(l.set, "r");
	cr_assert_not_null(rule);
	cr_expect_str_eq(rule->policy->version, "1.2.3");
	cr_expect_str_eq(rule->policy->name, "0.policy");
	cr_expect_str_eq(rule->description, "What it is.");
	cr_expect_str_eq(rule->version, "4.5.6");
	cr_expect_str_eq(rule->group_id, "g");
	cr_assert_eq(rule->ntags, 2);
	cr_expect_str_eq(rule->tags[0], "a:b");
	cr_expect_str_eq(rule->tags[1], "c:1");
	cr_assert_eq(rule->nproduct_tags, 1);
	cr_expect_str_eq(rule->product_tags[0].text, "x:y");
	cr_expect_eq(rule->every_ns, 10000000000);
	cr_expect_eq(rule->ntokens, 2);
	cr_expect(rule->token_needs & NEED_CREDENTIALS);
	cr_expect_not(rule->needs & NEED_TTY);
	cr_expect(rule->silent);
	cr_expect_eq(rule->priority, -3);
	cr_assert_eq(rule->nactions, 4);
	cr_expect_eq(rule->actions[0].error, EACCES);
	cr_expect_str_eq(rule->actions[0].filter_text, "exec.uid == 0");
	cr_expect_not_null(rule->actions[0].filter);
	cr_expect_eq(rule->actions[1].signal, SIGTERM);
	cr_expect_eq(rule->actions[1].scope, KILL_SCOPE_TREE);
	cr_expect_null(rule->actions[1].filter);
	cr_expect_eq(rule->actions[2].level, LOG_LEVEL_WARNING);
	cr_expect_str_eq(rule->actions[2].message, "Rule r triggered");
	cr_expect_str_eq(rule->actions[3].message, "text");
	unload(&l);
}

struct needs_row {
	const char *text;
	enum event_type event;
	bool blocking, may_block, follows, verifies;
	uint64_t fields; /* all of these */
};

#define CONNECT(rest) "rules:\n- id: r\n  expression: connect.addr.port == 1" rest

static const struct needs_row needs_rows[] = {
	{ RULE(""), EVENT_EXEC, false, false, true, false, NEED_FILE },
	{ RULE("  actions: [{block: {}}]\n"), EVENT_EXEC, true, true, true, true, NEED_FILE },
	{ RULE("  actions: [{kill: {signal: SIGKILL}}]\n"), EVENT_EXEC, true, false, true, true,
	  NEED_FILE },
	{ RULE("  protection: monitoring\n  actions: [{block: {}}]\n"), EVENT_EXEC, false, false,
	  true, false, NEED_FILE },
	{ RULE("  actions:\n  - block: {}\n    filter: process.envp in [\"A=b\"]\n"), EVENT_EXEC,
	  true, true, true, true, NEED_FILE | NEED_ENVP },
	{ CONNECT("\n"), EVENT_CONNECT, false, false, false, false, NEED_ADDRESS },
	{ CONNECT("\n  actions: [{block: {}}]\n"), EVENT_CONNECT, true, true, false, false,
	  NEED_ADDRESS },
	{ CONNECT(" && process.file.name == \"x\"\n"), EVENT_CONNECT, false, false, true, false,
	  NEED_ADDRESS | NEED_FILE },
	{ CONNECT(" && process.ancestors.file.name == \"x\"\n  actions: [{block: {}}]\n"),
	  EVENT_CONNECT, true, true, true, true, NEED_ADDRESS | NEED_ANCESTORS },
};

ROWS_TEST(policy, needs, needs_rows)
{
	const struct event_needs *needs;
	struct loaded l;

	load_files(&l, &r->text, 1);
	cr_assert_eq(l.result, 0, "%s", l.err.text);
	needs = &l.set->needs[r->event];
	cr_expect(needs->watched);
	cr_expect_eq(needs->blocking, r->blocking);
	cr_expect_eq(needs->may_block, r->may_block);
	cr_expect_eq(l.set->follows_images, r->follows);
	cr_expect_eq(l.set->verifies_images, r->verifies);
	cr_expect_eq(needs->fields & r->fields, r->fields, "%llx",
		     (unsigned long long)needs->fields);
	for (int type = 0; type < EVENT_COUNT; type++)
		cr_expect(type == (int)r->event || !l.set->needs[type].watched);
	unload(&l);
}

/* ---- macros ---- */

struct macro_row {
	const char *text;
	const char *message; /* of the macro's error; NULL = it loads */
};

static const struct macro_row macro_rows[] = {
	{ "macros: [{id: m, values: [/bin/a, /bin/b]}]\n", NULL },
	{ "macros: [{id: m, expression: '[\"/bin/a\", ~\"/bin/b*\"]'}]\n", NULL },
	{ "macros: [{id: m, expression: '[\"/bin/a\"]', filters: [os == \"linux\"]}]\n", NULL },
	{ "macros: [{id: m, values: [/bin/a], expression: '[\"x\"]'}]\n",
	  "either an expression or values" },
	{ "macros: [{id: m}]\n", "either an expression or values" },
	{ "macros: [{id: 'm m', values: [a]}]\n", "no id" },
	{ "macros: [{id: m, expression: '[\"x\"'}]\n", "" },
	{ "macros: [{id: m, expression: 'fim.write.file.path == \"x\"'}]\n",
	  "not allowed in a macro" },
	{ "macros: [{id: m, values: [a], combine: join}]\n", "merge or override" },
	{ "macros: [{id: m, expression: '[\"x\"]', combine: merge}]\n", "only macros with values" },
	{ "macros: [{id: m, values: [[a]]}]\n", "a value must be a text" },
	{ "macros: [{id: m, values: [a]}, {id: m, values: [b]}]\n", "twice in this file" },
};

ROWS_TEST(policy, macros, macro_rows)
{
	char text[512];
	const char *file = text;
	const struct diag *row;
	struct loaded l;

	(void)snprintf(text, sizeof text,
		       "%srules:\n- id: r\n  expression: exec.file.path in m\n- id: s\n" FALSE_RULE,
		       r->text);
	load_files(&l, &file, 1);
	cr_assert_eq(l.result, 0, "%s", l.err.text);
	cr_expect_not_null(find_rule(l.set, "s"), "the other rule is loaded");
	row = NULL;
	for (size_t i = 0; i < l.diags.count; i++) {
		if (l.diags.rows[i].subject == DIAG_MACRO && l.diags.rows[i].status == DIAG_ERROR)
			row = &l.diags.rows[i];
	}
	if (!r->message) {
		cr_expect_null(row);
		cr_expect_not_null(find_rule(l.set, "r"));
	} else {
		cr_assert_not_null(row);
		cr_expect_not_null(strstr(row->message, r->message), "%s", row->message);
	}
	unload(&l);
}

/* ---- what cannot be read ---- */

Test(policy, paths_that_cannot_be_read)
{
	static const struct {
		const char *path;
		int result;
	} rows[] = {
		{ "/nonexistent.policy", -ENOENT },
		{ "/dev/zero", -EFBIG },
		{ "/", -ENOENT }, /* no *.policy in it */
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		const struct ruleset_options options = { .paths = &rows[i].path, .npaths = 1 };
		struct ruleset *set = NULL;
		struct diags diags = { 0 };
		struct err err = { 0 };

		cr_expect_eq(ruleset_load(&options, &set, &diags, &err), rows[i].result, "%s",
			     err.text);
		cr_expect_not_null(strstr(err.text, rows[i].path), "%s", err.text);
		cr_expect_null(set);
		diags_done(&diags);
	}
}

/* ---- bounds ---- */

static const struct {
	const char *before, *item, *after;
	size_t allowed; /* so many items are fine, one more is not */
	const char *message;
} bound_rows[] = {
	{ "rules:\n- id: ", "a", "\n" FALSE_RULE, 255, "the id" },
	{ RULE("  tags: {"), "t%zu: x, ", "}\n", 64, "more than 64 tags" },
	{ RULE("  product_tags: ["), "t%zu, ", "]\n", 64, "more than 64 product tags" },
	{ RULE("  actions: ["), "{log: {level: info, message: m%zu}}, ", "]\n", 32,
	  "more than 32 actions" },
	{ "rules:\n- id: r\n  expression: exec.pid == 1", " ", "|| exec.pid == 2\n", 65507,
	  "longer than 65536 bytes" },
};

/* The format of an item is one of the literals above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static char *repeat(const char *before, const char *item, size_t count, const char *after)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)fputs(before, out);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, item, i);
	(void)fputs(after, out);
	(void)fclose(out);
	return text;
}
#pragma GCC diagnostic pop

ROWS_TEST(policy, bounds, bound_rows)
{
	for (size_t over = 0; over <= 1; over++) {
		_cleanup_free_ char *text = repeat(r->before, r->item, r->allowed + over, r->after);
		const char *file = text;
		struct loaded l;

		load_files(&l, &file, 1);
		cr_expect_eq(l.diags.errors, over, "%s: %s", r->message, l.err.text);
		if (over)
			cr_expect_not_null(strstr(l.err.text, r->message), "%s", l.err.text);
		unload(&l);
	}
}
