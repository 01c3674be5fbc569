/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a report shows of command lines. Exercises model/scrub.c. */
#include "config.h"

#include "model/scrub.h"

#include <errno.h>
#include <stdio.h>

#include "rows.h"

enum { MAX_ARGS = 6 };

/* Arguments and what they become, up to NULL. */
static const struct args_row {
	const char *program, *in[MAX_ARGS], *want[MAX_ARGS];
} args_rows[] = {
	/* two arguments */
	{ "x", { "--password", "hunter2" }, { "--password", "********" } },
	{ "x", { "-password", "hunter2", "a" }, { "-password", "********", "a" } },
	{ "x", { "--db-password", "hunter2" }, { "--db-password", "********" } },
	{ "x", { "--PassWord", "hunter2" }, { "--PassWord", "********" } },
	{ "x", { "password", "hunter2" }, { "password", "********" } },
	{ "x", { "--password", "-x" }, { "--password", "********" } },
	{ "x", { "--password", "", "a" }, { "--password", "", "a" } },
	{ "x", { "--password=", "hunter2" }, { "--password=", "********" } },
	{ "x", { "password:", "hunter2" }, { "password:", "********" } },
	{ "x", { "--password" }, { "--password" } },
	/* one argument */
	{ "x", { "--password=hunter2" }, { "--password=********" } },
	{ "x", { "--password=hunter2", "a" }, { "--password=********", "a" } },
	{ "x", { "DB_PASSWORD=hunter2" }, { "DB_PASSWORD=********" } },
	{ "x", { "--password = hunter2" }, { "--password = ********" } },
	{ "x", { "password: hunter2" }, { "password: ********" } },
	{ "x", { "password:hunter2 rest" }, { "password:******** rest" } },
	{ "x", { "--password hunter2 -v" }, { "--password ******** -v" } },
	{ "sh", { "-c", "mysql --password=a -h b" }, { "-c", "mysql --password=******** -h b" } },
	{ "sh", { "-c", "a --secret 'x y' -b" }, { "-c", "a --secret ******** -b" } },
	{ "sh", { "-c", "a --secret \"x\\\"y\" -b" }, { "-c", "a --secret ******** -b" } },
	{ "sh", { "-c", "a --secret \"x y" }, { "-c", "a --secret ********" } },
	{ "x", { "{\"password\":\"hunter2\",\"a\":1}" }, { "{\"password\":********,\"a\":1}" } },
	{ "x", { "a=1 api_key=2 apikey=3" }, { "a=1 api_key=******** apikey=********" } },
	{ "x", { "password\nhunter2" }, { "password\n********" } },
	/* the words */
	{ "x", { "passwd=a" }, { "passwd=********" } },
	{ "x", { "MYSQL_PWD=a" }, { "MYSQL_PWD=********" } },
	{ "x", { "access_token=a" }, { "access_token=********" } },
	{ "x", { "auth_token=a" }, { "auth_token=********" } },
	{ "x", { "client_secret=a" }, { "client_secret=********" } },
	{ "x", { "--aws.credentials=a" }, { "--aws.credentials=********" } },
	{ "x", { "stripetoken=a" }, { "stripetoken=********" } },
	{ "x", { "mystripetoken=a" }, { "mystripetoken=a" } },
	/* URLs */
	{ "git", { "https://u:hunter2@h/x" }, { "https://u:********@h/x" } },
	{ "psql", { "postgres://u:p@ss@h:5432/d" }, { "postgres://u:********@h:5432/d" } },
	{ "x", { "https://h:8080/a@b" }, { "https://h:8080/a@b" } },
	{ "x", { "https://user@h/" }, { "https://user@h/" } },
	{ "x", { "://" }, { "://" } },
	{ "x", { "a://:p@" }, { "a://:********@" } },
	/* a word that only announces the secret */
	{ "curl", { "-H", "secret: Bearer abc" }, { "-H", "secret: Bearer ********" } },
	{ "curl", { "secret: Bearer", "abc", "d" }, { "secret: Bearer", "********", "d" } },
	{ "curl", { "--secret", "Basic", "abc" }, { "--secret", "Basic", "********" } },
	/* options of known programs */
	{ "/usr/bin/mysql", { "-phunter2", "db" }, { "-p********", "db" } },
	{ "mysqldump", { "-phunter2" }, { "-p********" } },
	{ "/usr/bin/mariadb", { "-phunter2" }, { "-p********" } },
	{ "mysql", { "-p", "db" }, { "-p", "db" } },
	{ "sshpass", { "-p", "hunter2", "ssh" }, { "-p", "********", "ssh" } },
	{ "sshpass", { "-phunter2" }, { "-p********" } },
	{ "redis-cli", { "-a", "hunter2" }, { "-a", "********" } },
	{ "curl", { "-u", "a:b" }, { "-u", "********" } },
	{ "curl", { "--user=a:b" }, { "--user=********" } },
	{ "curl", { "--user", "a:b" }, { "--user", "********" } },
	{ "curl", { "--user-agent", "x" }, { "--user-agent", "x" } },
	{ "nmap", { "-p80", "-p", "443" }, { "-p80", "-p", "443" } },
	{ "/opt/mysql/bin/x", { "-p80" }, { "-p80" } },
	/* nothing secret */
	{ "x", { "" }, { "" } },
	{ "x", { "-l", "plain", "/etc/passwd/x" }, { "-l", "plain", "/etc/passwd/x" } },
	{ "x", { "cat /etc/passwd" }, { "cat /etc/passwd" } },
	{ "x", { "pass=word" }, { "pass=word" } },
	{ "x", { "---", "=", ":", "\xff\x01" }, { "---", "=", ":", "\xff\x01" } },
};

ROWS_TEST(scrub, arguments, args_rows)
{
	struct scrub scrub = { .program = { r->program, strlen(r->program) } };
	char out[256];

	for (size_t i = 0; i < MAX_ARGS && r->in[i]; i++) {
		struct secl_string in = { r->in[i], strlen(r->in[i]) };
		size_t n = scrub_argument(&scrub, in, out, sizeof out - 1);

		out[n] = '\0';
		cr_expect_str_eq(out, r->want[i], "%s gives %s", r->in[i], out);
	}
}

static const struct word_row {
	const char *word, *in, *want;
} word_rows[] = {
	{ "pin", "pin=1 spin=2 pins=3", "pin=******** spin=2 pins=3" },
	{ "*token", "token=1 my_token=2 tokens=3", "token=******** my_token=******** tokens=3" },
	/* not the matcher of rules, which would take the first "token" */
	{ "*token", "tokentoken=1", "tokentoken=********" },
	{ "key_*_id", "key_a_id=1 key__id=2 key_id=3",
	  "key_a_id=******** key__id=******** key_id=3" },
	{ "Authorization", "authorization: Bearer abc", "authorization: Bearer ********" },
	{ "*", "a=1 b", "a=******** b" },
	{ "**", "a=1", "a=********" },
};

ROWS_TEST(scrub, words, word_rows)
{
	struct secl_string in = { r->in, strlen(r->in) };
	struct scrubber *scrubber;
	char out[256];

	cr_assert_eq(scrubber_new(&r->word, 1, NULL, 0, &scrubber), 0);
	out[scrub_text(scrubber, in, out, sizeof out - 1)] = '\0';
	cr_expect_str_eq(out, r->want);
	scrubber_free(scrubber);
}

/* Whatever the room, no part of the secret and nothing behind the room. */
Test(scrub, small_buffers)
{
	static const char in[] = "a --password=hunter2 b";
	char out[64];

	for (size_t size = 0; size <= sizeof out - 1; size++) {
		struct secl_string text = { in, sizeof in - 1 };
		size_t n;

		memset(out, '#', sizeof out);
		n = scrub_text(NULL, text, out, size);
		cr_expect_leq(n, size);
		cr_expect_eq(out[size], '#');
		cr_expect_null(memmem(out, n, "hunter2", 7));
		cr_expect_null(memmem(out, n, "=h", 2));
	}
}

/* A secret that the caller's cut went through is masked as far as it goes. */
Test(scrub, cut_input)
{
	static const char in[] = "--password=hunter2";
	char out[64];

	for (size_t size = 0; size < sizeof in; size++) {
		struct secl_string text = { in, size };
		size_t n = scrub_text(NULL, text, out, sizeof out);

		cr_expect_null(memmem(out, n, "hunt", 4), "%zu", size);
		cr_expect_eq(n > 11, size > 11);
	}
}

Test(scrub, long_argument)
{
	static char in[2 * SCRUB_MAX_ARGUMENT], out[4 * SCRUB_MAX_ARGUMENT];
	struct secl_string text = { in, sizeof in };

	memset(in, 'a', sizeof in);
	cr_expect_eq(scrub_text(NULL, text, out, sizeof out), SCRUB_MAX_ARGUMENT);
	for (size_t i = 0; i < sizeof in; i += 4)
		memcpy(in + i, "a://", 4);
	cr_expect_eq(scrub_text(NULL, text, out, sizeof out), SCRUB_MAX_ARGUMENT);
}

static const struct env_row {
	const char *entry, *want;
} env_rows[] = {
	{ "PATH=/bin", "PATH=/bin" },
	{ "LD_PRELOAD=x", "LD_PRELOAD=x" },
	{ "GLIBC_TUNABLES=a=b", "GLIBC_TUNABLES=a=b" },
	{ "SECRET=x", "SECRET" },
	{ "path=/bin", "path" },
	{ "PATHX=/bin", "PATHX" },
	{ "EMPTY=", "EMPTY" },
	{ "NOTHING", "NOTHING" },
	{ "=x", "" },
	{ "", "" },
};

ROWS_TEST(scrub, environment, env_rows)
{
	struct secl_string shown =
		scrub_env(NULL, (struct secl_string){ r->entry, strlen(r->entry) });

	cr_expect_eq(shown.size, strlen(r->want));
	cr_expect_eq(memcmp(shown.text, r->want, shown.size), 0);
}

Test(scrub, own_environment)
{
	static const char *const envs[] = { "SECRET" };
	struct scrubber *scrubber;

	cr_assert_eq(scrubber_new(NULL, 0, envs, 1, &scrubber), 0);
	cr_expect(scrubber_shows_env(scrubber, (struct secl_string){ "SECRET", 6 }));
	cr_expect_not(scrubber_shows_env(scrubber, (struct secl_string){ "PATH", 4 }));
	scrubber_free(scrubber);
	/* a list, but an empty one */
	cr_assert_eq(scrubber_new(NULL, 0, envs, 0, &scrubber), 0);
	cr_expect_not(scrubber_shows_env(scrubber, (struct secl_string){ "PATH", 4 }));
	scrubber_free(scrubber);
}

Test(scrub, refused_words)
{
	static char longest[SCRUB_MAX_WORD + 2];
	const char *words[SCRUB_MAX_WORDS + 1];
	struct scrubber *scrubber = NULL;

	for (size_t i = 0; i < ELEMENTS(words); i++)
		words[i] = "w";
	cr_expect_eq(scrubber_new(words, ELEMENTS(words), NULL, 0, &scrubber), -E2BIG);
	words[0] = "";
	cr_expect_eq(scrubber_new(words, 1, NULL, 0, &scrubber), -EINVAL);
	memset(longest, 'w', sizeof longest - 1);
	words[0] = longest;
	cr_expect_eq(scrubber_new(words, 1, NULL, 0, &scrubber), -EINVAL);
	cr_expect_null(scrubber);
	scrubber_free(NULL);
}
