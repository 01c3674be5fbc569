/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of options: command line, guard.conf, the generated texts. */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "policy/options.h"
#include "rows.h"

enum { MAX_ARGS = 8 };

static int load_args(struct config *config, const char *const *args, struct err *err)
{
	char *argv[MAX_ARGS + 1];
	int argc = 0;

	while (argc < MAX_ARGS && args[argc]) {
		argv[argc] = (char *)(uintptr_t)args[argc];
		argc++;
	}
	argv[argc] = NULL;
	config_init(config);
	return options_parse(config, argc, argv, err);
}

/* ---- bad command lines ---- */

struct bad_row {
	const char *args[MAX_ARGS];
	const char *message;
};

static const struct bad_row bad_rows[] = {
	{ { "run", "--polciy", "x" }, "unknown option '--polciy', did you mean '--policy'?" },
	{ { "run", "--polciy=x" }, "unknown option '--polciy', did you mean '--policy'?" },
	{ { "run", "--zzzzzz" }, "unknown option '--zzzzzz', see 'guard help run'" },
	{ { "run", "-Z" }, "unknown option '-Z', see 'guard help run'" },
	{ { "run", "-qZ" }, "unknown option '-Z', see 'guard help run'" },
	{ { "run", "-p" }, "option '--policy' needs a value: POLICY" },
	{ { "run", "--policy" }, "option '--policy' needs a value: POLICY" },
	{ { "run", "--quiet=yes" }, "option '--quiet' takes no value" },
	{ { "run", "-m", "blok" },
	  "option '--mode': 'blok' is not a value it can have, did you mean 'block'?" },
	{ { "run", "-m", "zzz" },
	  "option '--mode': 'zzz' is not a value it can have, which are: block, monitor, off, "
	  "yes, no" },
	{ { "run", "--c", "x" }, "option '--c' is ambiguous: '--cwd' or '--config'?" },
	{ { "check", "--policy", "x" }, "unknown option '--policy', see 'guard help check'" },
	{ { "check", "--jsn" }, "unknown option '--jsn', did you mean '--json'?" },
	{ { "doctor", "-q" }, "unknown option '-q', see 'guard help doctor'" },
	{ { "eval", "--event" }, "option '--event' needs a value: FILE" },
};

ROWS_TEST(options, bad, bad_rows)
{
	struct config config;
	struct err err = { 0 };
	int result = load_args(&config, r->args, &err);

	cr_expect_lt(result, 0);
	cr_expect_str_eq(err.text, r->message);
	config_done(&config);
}

/* ---- good ones ---- */

Test(options, run)
{
	const char *const args[] = { "run", "-pa", "-p", "b,c", "--", "ls", "-p", NULL };
	struct config config;
	struct err err = { 0 };

	cr_assert_eq(load_args(&config, args, &err), 0, "%s", err.text);
	cr_assert_eq(config.policies.count, 2);
	cr_expect_str_eq(config.policies.items[0], "a");
	cr_expect_str_eq(config.policies.items[1], "b,c");
	cr_expect_str_eq(config.command[0], "ls");
	cr_expect_str_eq(config.command[1], "-p");
	cr_expect_null(config.command[2]);
	cr_expect_not(config.best_effort);
	config_done(&config);
}

Test(options, run_ends_at_the_command)
{
	const char *const args[] = {
		"run", "-q", "--best-effort", "-moff", "ls", "-m", "zzz", NULL
	};
	struct config config;
	struct err err = { 0 };

	cr_assert_eq(load_args(&config, args, &err), 0, "%s", err.text);
	cr_expect(config.quiet && config.best_effort);
	cr_expect_eq(config.mode, MODE_OFF);
	cr_expect_str_eq(config.command[0], "ls");
	config_done(&config);
}

Test(options, check_takes_operands_anywhere)
{
	const char *const args[] = { "check", "a.policy", "--json", "b.policy", NULL };
	struct config config;
	struct err err = { 0 };

	cr_assert_eq(load_args(&config, args, &err), 0, "%s", err.text);
	cr_expect(config.json);
	cr_assert_eq(config.policies.count, 2);
	cr_expect_str_eq(config.policies.items[1], "b.policy");
	config_done(&config);
}

Test(options, twice_in_one_process)
{
	const char *const args[] = { "eval", "-e", "true", "--batch", NULL };

	for (int i = 0; i < 2; i++) {
		struct config config;
		struct err err = { 0 };

		cr_assert_eq(load_args(&config, args, &err), 0, "%s", err.text);
		cr_expect_str_eq(config.expression, "true");
		cr_expect(config.batch);
		config_done(&config);
	}
}

Test(options, list_of_the_command_line_replaces)
{
	const char *hint;
	struct config config;
	struct err err = { 0 };
	char *argv[] = { (char[]){ "run" }, (char[]){ "-px" }, NULL };

	config_init(&config);
	cr_assert_eq(options_set_key(&config, "run", "policy", "a, b", true, &hint, &err), 0);
	cr_assert_eq(config.policies.count, 2);
	cr_assert_eq(options_parse(&config, 2, argv, &err), 0);
	cr_assert_eq(config.policies.count, 1);
	cr_expect_str_eq(config.policies.items[0], "x");
	config_done(&config);
}

/* ---- guard.conf ---- */

struct conf_row {
	const char *text;
	const char *message; /* after "PATH:"; NULL = fine */
};

static int read_text(struct config *config, const char *text, char path[static 32], struct err *err)
{
	int fd, r;

	(void)strcpy(path, "/tmp/guard-conf-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write_full(fd, text, strlen(text)), 0);
	(void)close(fd);
	config_init(config);
	r = config_read(config, path, err);
	(void)unlink(path);
	return r;
}

#define X32  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X196 X32 X32 X32 X32 X32 X32 "xxxx"

static const struct conf_row lines_rows[] = {
	{ "", NULL },
	{ "# only a comment\n\n  # another\n", NULL },
	{ "[run]\nservice = x\n", NULL },
	{ "[run]\r\nservice = x\r\n", NULL },
	{ "[run]\nservice = x", NULL },
	{ "[run]\nservcie = x\n", "2: there is no 'servcie' in [run], did you mean 'service'?" },
	{ "[run]\nzzzz = x\n", "2: there is no key 'zzzz' in section [run]" },
	{ "[runn]\nservice = x\n", "2: there is no 'service' in [runn], did you mean 'run'?" },
	{ "[zzzzzzzz]\nservice = x\n", "2: there is no section [zzzzzzzz]" },
	{ "service = x\n", "1: 'service' stands before any [section]" },
	{ "[run]\n\nnonsense\n", "3: neither [section] nor key = value" },
	{ "[run]\n service = x\n", "2: the line begins with white space" },
	{ "[run]\nservice = a\n\tb\n", "3: the line begins with white space" },
	{ "#" X196 "x\n", NULL },
	{ "#" X196 "xx\n", "1: the line is longer than 198 bytes" },
	{ "[run]\nservice = " X196 "\n", "2: the line is longer than 198 bytes" },
	{ "[run]\ndeadline = 1ms\n",
	  "2: deadline: '1ms' is out of range, 10 ms to 3600000 ms are allowed" },
	{ "[hash]\nalgorithms = sha1, sha255\n",
	  "2: algorithms: 'sha255' is not a value it can have, did you mean 'sha256'?" },
	{ "[hash]\nmax_file_size = 10 MB\n",
	  "2: max_file_size: '10 MB' is not a size, write a number of bytes or with KiB, MiB or GiB" },
	{ "[hash]\nmax_file_size = 0\n",
	  "2: max_file_size: '0' is out of range, 1 to 1099511627776 bytes are allowed" },
	{ "[hash]\nmax_file_size = 9000000000GiB\n",
	  "2: max_file_size: '9000000000GiB' is not a size, write a number of bytes or with KiB, MiB "
	  "or GiB" },
	{ "[run]\ndeadline = 5\n",
	  "2: deadline: '5' is not a duration, write a number and ms, s, m or h" },
	{ "[hardening]\nio_uring = refused\n",
	  "2: io_uring: 'refused' is not a value it can have, did you mean 'refuse'?" },
	{ "[protection]\nactive = no\n", NULL },
	{ "[protection]\nactive = maybe\n",
	  "2: active: 'maybe' is not a value it can have, which are: block, monitor, off, yes, "
	  "no" },
};

ROWS_TEST(conf, lines, lines_rows)
{
	struct config config;
	struct err err = { 0 };
	char path[32];
	int result = read_text(&config, r->text, path, &err);

	if (r->message) {
		cr_expect_eq(result, -EINVAL);
		cr_assert_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
		cr_expect_str_eq(err.text + strlen(path) + 1, r->message);
	} else {
		cr_expect_eq(result, 0, "%s", err.text);
	}
	config_done(&config);
}

Test(conf, values)
{
	struct config config;
	struct err err = { 0 };
	char path[32];

	cr_assert_eq(
		read_text(
			&config,
			"[run]\npolicy = /a b.policy , /c\npolicy = /d\ndeadline = 1m30s\n"
			"best_effort = yes\nleftover = kill\non_supervisor_loss = kill\n"
			"[protection]\nactive = monitor\n"
			"[hardening]\nforeign_abi = translate\nio_uring = allow\nprotect_self = no\n"
			"[events]\norigin = ebpf\nenvs_with_value = HOME\n",
			path, &err),
		0, "%s", err.text);
	cr_assert_eq(config.policies.count, 3);
	cr_expect_str_eq(config.policies.items[0], "/a b.policy");
	cr_expect_str_eq(config.policies.items[2], "/d");
	cr_expect_eq(config.deadline_ms, 90000);
	cr_expect(config.best_effort);
	cr_expect_eq(config.leftover, LEFTOVER_KILL);
	cr_expect_eq(config.on_supervisor_loss, LOSS_KILL);
	cr_expect_eq(config.mode, MODE_MONITOR);
	cr_expect_eq(config.foreign_abi, FOREIGN_ABI_TRANSLATE);
	cr_expect_not(config.refuse_io_uring);
	cr_expect(config.refuse_userfaultfd);
	cr_expect_not(config.protect_self);
	cr_expect_str_eq(config.origin, "ebpf");
	cr_assert_eq(config.envs_with_value.count, 1);
	cr_expect_str_eq(config.envs_with_value.items[0], "HOME");
	config_done(&config);
}

Test(conf, file_that_is_not_there)
{
	struct config config;
	struct err err = { 0 };

	config_init(&config);
	cr_expect_eq(config_read(&config, "/nonexistent/guard.conf", &err), -ENOENT);
	cr_expect_str_eq(err.text, "/nonexistent/guard.conf: No such file or directory");
	config_done(&config);
}

/* ---- texts made from the table ---- */

static char *generated_conf(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert_not_null(f);
	options_write_conf(f);
	(void)fclose(f);
	return text;
}

Test(conf, file_in_the_tree_is_up_to_date)
{
	const char *srcdir = getenv("srcdir");
	_cleanup_free_ char *want = generated_conf(), *have = NULL;
	char path[4096];
	size_t size;

	(void)snprintf(path, sizeof path, "%s/conf/guard.conf", srcdir ? srcdir : ".");
	cr_assert_eq(read_file(path, 65536, &have, &size), 0, "%s", path);
	cr_expect_str_eq(have, want, "run make update-conf");
}

/* Every key of the generated file, no longer commented out, gives the defaults. */
static int equals_default(void *data, const struct option_row *row)
{
	const struct config *read = data;
	const char *a = (const char *)read + row->member, *b;
	struct config fresh;

	config_init(&fresh);
	b = (const char *)&fresh + row->member;
	if (row->type == OPTION_STRING && (*(char *const *)a || *(char *const *)b))
		cr_expect_str_eq(*(char *const *)a ?: "", *(char *const *)b ?: "", "%s", row->key);
	else if (row->type == OPTION_LIST)
		cr_expect_eq(((const struct strv *)a)->count, ((const struct strv *)b)->count, "%s",
			     row->key ?: row->name);
	else if (row->type == OPTION_ENUM)
		cr_expect_eq(*(const int *)a, *(const int *)b, "%s", row->key);
	else if (row->type == OPTION_DURATION || row->type == OPTION_SIZE)
		cr_expect_eq(*(const int64_t *)a, *(const int64_t *)b, "%s", row->key);
	else
		cr_expect_eq(*(const bool *)a, *(const bool *)b, "%s", row->key ?: row->name);
	config_done(&fresh);
	return 0;
}

Test(conf, generated_keys_are_the_defaults)
{
	_cleanup_free_ char *text = generated_conf();
	struct config config;
	struct err err = { 0 };
	char path[32];
	unsigned keys = 0;

	/* "#key = value" is a key, "# Text" is a comment */
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z') {
			memmove(line, line + 1, strlen(line));
			keys++;
		}
	}
	cr_assert_eq(read_text(&config, text, path, &err), 0, "%s", err.text);
	cr_expect_geq(keys, 16);
	(void)options_each(equals_default, &config);
	config_done(&config);
}

static int check_row(void *data, const struct option_row *row)
{
	struct config config;
	struct err err = { 0 };
	const char *hint;

	(void)data;
	cr_expect(!!row->commands == !!row->name);
	cr_expect(!!row->section == !!row->key);
	cr_expect(row->name || row->key);
	cr_expect(!row->name || row->argument || row->type == OPTION_FLAG, "%s", row->name);
	cr_expect(row->type != OPTION_ENUM || row->values);
	cr_expect_lt(strlen(row->help), 1024);
	cr_expect_neq(row->help[strlen(row->help) - 1], '.', "%s", row->help);
	if (row->key && *row->standard) {
		config_init(&config);
		cr_expect_eq(options_set_key(&config, row->section, row->key, row->standard, true,
					     &hint, &err),
			     0, "%s: %s", row->key, err.text);
		config_done(&config);
	}
	return 0;
}

Test(options, rows_are_complete)
{
	(void)options_each(check_row, NULL);
}

Test(options, help_names_every_option)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	options_help(f, "run");
	(void)fclose(f);
	cr_expect_not_null(strstr(text, "  -p, --policy POLICY\n"));
	cr_expect_not_null(strstr(text, "      --best-effort\n"));
	cr_expect_not_null(strstr(text, "          One of block, monitor, off.\n"));
	cr_expect_null(strstr(text, "--explain"));
}

/* ---- durations ---- */

struct duration_row {
	const char *text;
	int64_t ns; /* -1 = refused */
};

static const struct duration_row duration_rows[] = {
	{ "5s", 5000000000 },
	{ "1h30m", 5400000000000 },
	{ "1.5s", 1500000000 },
	{ "500ms", 500000000 },
	{ "10us", 10000 },
	{ "7ns", 7 },
	{ "0s", 0 },
	{ "", -1 },
	{ "5", -1 },
	{ "s", -1 },
	{ "5sx", -1 },
	{ "5x", -1 },
	{ "1.s", -1 },
	{ "-5s", -1 },
	{ "5 s", -1 },
	{ "99999999999999h", -1 },
	{ "99999999999999999999s", -1 },
	{ "2562047h2562047h", -1 },
	{ "0.0000001s", 0 },
};

ROWS_TEST(options, duration, duration_rows)
{
	int64_t ns = -1;
	int result = duration_parse(r->text, &ns);

	if (r->ns < 0)
		cr_expect_lt(result, 0, "%s", r->text);
	else
		cr_expect(result == 0 && ns == r->ns, "%s: %lld", r->text, (long long)ns);
}
