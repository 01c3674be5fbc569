/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/scrub.h"

#include <errno.h>

static const char mask[] = "********";

static const char *const default_words[] = {
	"*password*", "*passwd*", "*mysql_pwd*", "*access_token*", "*auth_token*",
	"*api_key*",  "*apikey*", "*secret*",    "*credentials*",  "stripetoken",
};

/* With their sizes: an environment is gone through at every event. */
static const struct secl_string default_envs[] = {
#define ENV(name)                                                                                  \
	{                                                                                          \
		name, sizeof(name) - 1                                                             \
	}
	ENV("LD_PRELOAD"),   ENV("LD_LIBRARY_PATH"), ENV("PATH"),       ENV("HISTSIZE"),
	ENV("HISTFILESIZE"), ENV("GLIBC_TUNABLES"),  ENV("SSH_CLIENT"),
#undef ENV
};

/* Options whose name does not say that a secret follows. */
static const struct {
	const char *program, *option;
	bool joined, separate; /* -pX, -p X */
} options[] = {
	{ "mysql*", "-p", true, false }, { "mariadb*", "-p", true, false },
	{ "sshpass", "-p", true, true }, { "redis-cli", "-a", true, true },
	{ "curl", "-u", true, true },    { "curl", "--user", false, true },
};

/* A value that only announces the secret. */
static const char *const schemes[] = { "bearer", "basic", "token", "digest" };

struct scrubber {
	char **words, **envs;
	size_t nwords, nenvs;
	bool default_envs;
};

/* ---- the scrubber ------------------------------------------------------- */

static void free_all(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

void scrubber_free(struct scrubber *scrubber)
{
	if (!scrubber)
		return;
	free_all(scrubber->words, scrubber->nwords);
	free_all(scrubber->envs, scrubber->nenvs);
	free(scrubber);
}

static void cleanup_scrubber(struct scrubber **scrubber)
{
	scrubber_free(*scrubber);
}

static int copy_all(const char *const *list, size_t count, char ***ret, size_t *ret_count)
{
	if (count > SCRUB_MAX_WORDS)
		return -E2BIG;
	*ret = calloc(count + 1, sizeof **ret);
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (!list[i][0] || strlen(list[i]) > SCRUB_MAX_WORD)
			return -EINVAL;
		(*ret)[i] = strdup(list[i]);
		if (!(*ret)[i])
			return -ENOMEM;
		*ret_count = i + 1;
	}
	return 0;
}

int scrubber_new(const char *const *words, size_t nwords, const char *const *envs, size_t nenvs,
		 struct scrubber **ret)
{
	_cleanup_(cleanup_scrubber) struct scrubber *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return -ENOMEM;
	s->default_envs = !envs;
	r = copy_all(words, nwords, &s->words, &s->nwords);
	if (r < 0)
		return r;
	r = copy_all(envs, envs ? nenvs : 0, &s->envs, &s->nenvs);
	if (r < 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

/* ---- the environment ---------------------------------------------------- */

static bool equals(struct secl_string s, const char *text)
{
	return strlen(text) == s.size && memcmp(s.text, text, s.size) == 0;
}

static bool is_default(struct secl_string name)
{
	for (size_t i = 0; i < ELEMENTS(default_envs); i++)
		if (default_envs[i].size == name.size &&
		    memcmp(default_envs[i].text, name.text, name.size) == 0)
			return true;
	return false;
}

bool scrubber_shows_env(const struct scrubber *scrubber, struct secl_string name)
{
	if (!scrubber || scrubber->default_envs)
		return is_default(name);
	for (size_t i = 0; i < scrubber->nenvs; i++)
		if (equals(name, scrubber->envs[i]))
			return true;
	return false;
}

struct secl_string scrub_env(const struct scrubber *scrubber, struct secl_string entry)
{
	const char *equal = entry.size ? memchr(entry.text, '=', entry.size) : NULL;
	struct secl_string name = { entry.text, equal ? (size_t)(equal - entry.text) : entry.size };

	return scrubber_shows_env(scrubber, name) ? entry : name;
}

/* ---- words -------------------------------------------------------------- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The pattern language of words. Not secl_pattern_match(), which would let
 * "*token" miss "tokentoken". On a mismatch only the last star can take more,
 * so the cost is at most the product of the lengths.
 */
static bool matches(const char *pattern, struct secl_string s)
{
	const char *star = NULL;
	size_t i = 0, star_at = 0;

	while (i < s.size) {
		if (*pattern == '*') {
			star = pattern++;
			star_at = i;
		} else if (*pattern && lower(*pattern) == lower(s.text[i])) {
			pattern++;
			i++;
		} else if (star) {
			pattern = star + 1;
			i = ++star_at;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool is_sensitive(const struct scrubber *scrubber, struct secl_string key)
{
	for (size_t i = 0; i < ELEMENTS(default_words); i++)
		if (matches(default_words[i], key))
			return true;
	for (size_t i = 0; scrubber && i < scrubber->nwords; i++)
		if (matches(scrubber->words[i], key))
			return true;
	return false;
}

/* ---- one argument ------------------------------------------------------- */

struct out {
	char *buf;
	size_t size, used;
};

static void put(struct out *out, const char *text, size_t size)
{
	size_t n = MIN(size, out->size - out->used);

	if (n)
		memcpy(out->buf + out->used, text, n);
	out->used += n;
}

static bool is_key_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_spaces(struct secl_string s, size_t i)
{
	while (i < s.size && is_space(s.text[i]))
		i++;
	return i;
}

/* Where the value that begins at I ends: at its closing quote, or before the
 * next space.
 */
static size_t value_end(struct secl_string s, size_t i)
{
	char quote = i < s.size && (s.text[i] == '"' || s.text[i] == '\'') ? s.text[i] : '\0';

	if (!quote) {
		while (i < s.size && !is_space(s.text[i]))
			i++;
		return i;
	}
	for (i++; i < s.size && s.text[i] != quote; i++)
		if (s.text[i] == '\\' && i + 1 < s.size)
			i++;
	return MIN(i + 1, s.size);
}

static bool is_scheme(struct secl_string value)
{
	for (size_t i = 0; i < ELEMENTS(schemes); i++)
		if (matches(schemes[i], value))
			return true;
	return false;
}

/* Behind a sensitive key that ends at I: its delimiter is copied, its value
 * masked. Returns where to go on.
 */
static size_t mask_value(struct scrub *scrub, struct secl_string s, size_t i, struct out *out)
{
	size_t start = i, end;

	if (i < s.size && (s.text[i] == '"' || s.text[i] == '\''))
		i++;
	i = skip_spaces(s, i);
	if (i < s.size && (s.text[i] == '=' || s.text[i] == ':'))
		i = skip_spaces(s, i + 1);
	else if (i < s.size && i == start)
		return i; /* "password/x": no delimiter, no value */
	put(out, s.text + start, i - start);
	if (i == s.size) {
		scrub->next_is_secret = true;
		return i;
	}
	end = value_end(s, i);
	if (is_scheme((struct secl_string){ s.text + i, end - i })) {
		put(out, s.text + i, end - i);
		start = end;
		i = skip_spaces(s, end);
		put(out, s.text + start, i - start);
		scrub->next_is_secret = i == s.size;
		if (i == s.size)
			return i;
		end = value_end(s, i);
	}
	put(out, mask, sizeof mask - 1);
	return end;
}

/* "://" stands at I: copies user and colon and masks the password, when the
 * authority has one. Returns where to go on.
 */
static size_t mask_url(struct secl_string s, size_t i, struct out *out)
{
	size_t start = i, colon = 0, at = 0;

	for (i += 3; i < s.size && !is_space(s.text[i]) && !strchr("/?#\"'", s.text[i]); i++) {
		if (s.text[i] == ':' && !colon)
			colon = i;
		if (s.text[i] == '@')
			at = i;
	}
	if (!colon || at < colon) {
		put(out, s.text + start, 3);
		return start + 3;
	}
	put(out, s.text + start, colon + 1 - start);
	put(out, mask, sizeof mask - 1);
	return at;
}

static size_t copy_key(struct scrub *scrub, struct secl_string s, size_t i, struct out *out)
{
	size_t start = i, dashes;

	while (i < s.size && is_key_byte(s.text[i]))
		i++;
	for (dashes = start; dashes < i && s.text[dashes] == '-'; dashes++)
		;
	put(out, s.text + start, i - start);
	if (!is_sensitive(scrub->scrubber, (struct secl_string){ s.text + dashes, i - dashes }))
		return i;
	return mask_value(scrub, s, i, out);
}

/* The name behind the last slash. */
static struct secl_string program_name(struct secl_string path)
{
	size_t i = path.size;

	while (i && path.text[i - 1] != '/')
		i--;
	return (struct secl_string){ path.text + i, path.size - i };
}

/* Options of known programs: true when S was one, and is written. */
static bool mask_option(struct scrub *scrub, struct secl_string s, struct out *out)
{
	for (size_t i = 0; i < ELEMENTS(options); i++) {
		size_t size = strlen(options[i].option);

		if (s.size < size || memcmp(s.text, options[i].option, size) != 0 ||
		    !matches(options[i].program, program_name(scrub->program)))
			continue;
		if (s.size == size) {
			put(out, s.text, size);
			scrub->next_is_secret = options[i].separate;
			return true;
		}
		if (options[i].joined || s.text[size] == '=') {
			size += s.text[size] == '=';
			put(out, s.text, size);
			put(out, mask, s.size > size ? sizeof mask - 1 : 0);
			return true;
		}
	}
	return false;
}

size_t scrub_argument(struct scrub *scrub, struct secl_string s, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };
	bool secret = scrub->next_is_secret;

	s.size = MIN(s.size, (size_t)SCRUB_MAX_ARGUMENT);
	scrub->next_is_secret = false;
	if (secret && s.size) {
		scrub->next_is_secret = is_scheme(s);
		put(&out, scrub->next_is_secret ? s.text : mask,
		    scrub->next_is_secret ? s.size : sizeof mask - 1);
		return out.used;
	}
	if (mask_option(scrub, s, &out))
		return out.used;
	for (size_t i = 0; i < s.size;) {
		if (is_key_byte(s.text[i])) {
			i = copy_key(scrub, s, i, &out);
		} else if (s.size - i >= 3 && memcmp(s.text + i, "://", 3) == 0) {
			i = mask_url(s, i, &out);
		} else {
			put(&out, s.text + i, 1);
			i++;
		}
	}
	return out.used;
}

size_t scrub_text(const struct scrubber *scrubber, struct secl_string text, char *out, size_t size)
{
	struct scrub scrub = { .scrubber = scrubber };

	return scrub_argument(&scrub, text, out, size);
}
