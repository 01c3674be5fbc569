/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scrub.h - what of a command line and an environment may leave this host.
 *
 * A key is a run of letters, digits, '_', '-' and '.', without its leading
 * dashes. It is sensitive when it matches one of the words (whole, without
 * case, '*' stands for anything): *password*, *passwd*, *mysql_pwd*,
 * *access_token*, *auth_token*, *api_key*, *apikey*, *secret*, *credentials*,
 * stripetoken, and the user's own. What follows a sensitive key becomes
 * ********:
 *
 *   --password=X  password: X  "password":"X"  -password X   in one argument
 *   --password X  password X                                 over two arguments
 *   Authorization: Bearer X                                  (with the word)
 *
 * and, independent of words, the password in a URL (scheme://user:X@host) and
 * the values of a few options of known programs whose letter says nothing by
 * itself: mysql and mariadb -pX, sshpass -p X and -pX, redis-cli -a X, curl -u
 * and --user. A plain -pX of any other program stays: for most it is a port or
 * a path.
 *
 * Rules see the real values; scrubbing is for what is reported.
 */
#pragma once
#include "secl/secl.h"

struct scrubber;

enum {
	SCRUB_MAX_WORDS = 256,
	SCRUB_MAX_WORD = 128,
	/* longest input of scrub_argument() that is looked at, the rest is cut */
	SCRUB_MAX_ARGUMENT = 4096,
};

/* WORDS beyond the defaults. ENVS are the names whose value is shown; NULL =
 * the defaults (LD_PRELOAD, LD_LIBRARY_PATH, PATH, HISTSIZE, HISTFILESIZE,
 * GLIBC_TUNABLES, SSH_CLIENT). Everything is copied; the caller frees *ret.
 * 0, -ENOMEM, -EINVAL for an empty or too long word, -E2BIG for too many.
 */
int scrubber_new(const char *const *words, size_t nwords, const char *const *envs, size_t nenvs,
		 struct scrubber **ret);
void scrubber_free(struct scrubber *scrubber);

/* Is the value of the variable NAME shown? SCRUBBER NULL = defaults. */
bool scrubber_shows_env(const struct scrubber *scrubber, struct secl_string name);

/* The part of the "NAME=value" ENTRY that may be shown: all of it or the name. */
struct secl_string scrub_env(const struct scrubber *scrubber, struct secl_string entry);

/* One command line, argument after argument (without argv[0]). */
struct scrub {
	const struct scrubber *scrubber; /* NULL = default words only */
	struct secl_string program;      /* path or name of the program; may be empty */
	bool next_is_secret;             /* the last argument was a sensitive key */
};

/* Writes ARGUMENT to OUT with its secrets replaced, at most SIZE bytes, not
 * NUL-terminated: the number of bytes. Never writes a part of a secret.
 */
size_t scrub_argument(struct scrub *scrub, struct secl_string argument, char *out, size_t size);

/* The same for a text that stands alone, a log message for example. */
size_t scrub_text(const struct scrubber *scrubber, struct secl_string text, char *out, size_t size);
