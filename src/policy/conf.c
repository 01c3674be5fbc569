/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard.conf: libinih reads it, the table of options knows the keys.
 *
 * libinih cuts lines that are longer than its buffer, takes an indented line
 * as part of the value above, and gives its handler no line number. So it gets
 * its lines through a reader of ours that counts and refuses them.
 */
#include <config.h>

#include "policy/options.h"

#include <dirent.h>
#include <errno.h>
#include <ini.h>

enum {
	MAX_LINE = 198,        /* what libinih's buffer of 200 bytes holds */
	MAX_FILE = 256 * 1024, /* far above any sensible configuration */
	MAX_KEYS = 128,
};

#define DEFAULT_PATH SYSCONFDIR "/guard/guard.conf"

struct conf {
	struct config *config;
	const char *path;
	const char *text; /* what is left to read */
	unsigned line;
	char seen[MAX_KEYS][64]; /* "section.key" */
	size_t nseen;
	struct err *err;
	int result; /* of the first mistake */
};

static int fail(struct conf *c, int code)
{
	if (c->result == 0) {
		c->result = code;
		(void)err_prefix(c->err, "%s:%u", c->path, c->line);
	}
	return 0;
}

/* Gives libinih one line like fgets(3); an empty one when there is an error,
 * of which the parse then knows nothing.
 */
static char *next_line(char *buf, int size, void *stream)
{
	struct conf *c = stream;
	size_t length = strcspn(c->text, "\n");
	const char *line = c->text;

	if (c->result < 0 || *line == '\0')
		return NULL;
	c->line++;
	c->text += length + (line[length] == '\n');
	if (length > MAX_LINE || length + 2 > (size_t)size) {
		(void)err_set(c->err, -EINVAL, "the line is longer than %d bytes", MAX_LINE);
		(void)fail(c, -EINVAL);
		return NULL;
	}
	if ((*line == ' ' || *line == '\t') && strspn(line, " \t\r") < length &&
	    !strchr("#;", line[strspn(line, " \t")])) {
		(void)err_set(c->err, -EINVAL, "the line begins with white space");
		(void)fail(c, -EINVAL);
		return NULL;
	}
	memcpy(buf, line, length);
	memcpy(buf + length, "\n", 2);
	return buf;
}

/* Whether this is the first line with the key; -E2BIG when there is no room. */
static int first_time(struct conf *c, const char *section, const char *key)
{
	char name[sizeof c->seen[0]];

	(void)snprintf(name, sizeof name, "%s.%s", section, key);
	for (size_t i = 0; i < c->nseen; i++) {
		if (streq(c->seen[i], name))
			return 0;
	}
	if (c->nseen == MAX_KEYS)
		return -E2BIG;
	memcpy(c->seen[c->nseen++], name, sizeof name);
	return 1;
}

static int take_key(void *data, const char *section, const char *key, const char *value)
{
	struct conf *c = data;
	const char *hint = NULL;
	int r, first;

	if (c->result < 0)
		return 0;
	first = first_time(c, section, key);
	if (first < 0) {
		(void)err_set(c->err, first, "too many different keys");
		return fail(c, first);
	}
	if (*section == '\0') {
		(void)err_set(c->err, -EINVAL, "'%s' stands before any [section]", key);
		return fail(c, -EINVAL);
	}
	r = options_set_key(c->config, section, key, value, first, &hint, c->err);
	if (r == 0)
		return 1;
	if (r == -ENOENT && hint)
		(void)err_set(c->err, -EINVAL, "there is no '%s' in [%s], did you mean '%s'?", key,
			      section, hint);
	else if (r != -ENOENT)
		(void)err_prefix(c->err, "%s", key);
	return fail(c, r == -ENOENT ? -EINVAL : r);
}

int config_read(struct config *config, const char *path, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ struct conf *c = NULL;
	size_t size;
	int r;

	r = read_file(path ? path : DEFAULT_PATH, MAX_FILE, &text, &size);
	if (r == -ENOENT && !path)
		return 0;
	if (r < 0)
		return err_errno(err, r, "%s", path ? path : DEFAULT_PATH);
	if (strlen(text) != size)
		return err_set(err, -EINVAL, "%s: holds a NUL byte", path ? path : DEFAULT_PATH);
	c = calloc(1, sizeof *c);
	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	*c = (struct conf){
		.config = config, .path = path ? path : DEFAULT_PATH, .text = text, .err = err
	};
	r = ini_parse_stream(next_line, c, take_key, c);
	if (c->result < 0)
		return c->result;
	if (r != 0)
		return err_set(err, -EINVAL, "%s:%d: neither [section] nor key = value", c->path,
			       MAX(r, 1));
	return 0;
}

static int is_policy(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);

	return entry->d_name[0] != '.' && size > 7 &&
	       streq(entry->d_name + size - strlen(".policy"), ".policy");
}

int config_default_policies(struct config *config)
{
	static const char path[] = SYSCONFDIR "/guard/policies.d";
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (config->policies.count > 0)
		return 0;
	dir = opendir(path);
	if (!dir) {
		/* there, but not for us: the load must fail and say so, not judge by
		 * other rules than the administrator's */
		return errno == ENOENT ? 0 : strv_add(&config->policies, path);
	}
	while (!found && (entry = readdir(dir)))
		found = is_policy(entry);
	(void)closedir(dir);
	return found ? strv_add(&config->policies, path) : 0;
}
