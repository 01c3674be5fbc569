/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/idnames.h"

#include <errno.h>
#include <stdio.h>

/* More entries than any file by hand has; what is beyond keeps its number. */
enum { MAX_ENTRIES = 1 << 18, MAX_NAME = 256 };

struct entry {
	uint32_t id;
	unsigned line; /* for a stable order */
	char *name;
};

struct entries {
	struct entry *rows;
	size_t count, capacity;
};

struct idnames {
	struct entries users, groups;
};

static void done(struct entries *e)
{
	for (size_t i = 0; i < e->count; i++)
		free(e->rows[i].name);
	free(e->rows);
}

void idnames_free(struct idnames *names)
{
	if (!names)
		return;
	done(&names->users);
	done(&names->groups);
	free(names);
}

static void cleanup_idnames(struct idnames **names)
{
	idnames_free(*names);
}

static void cleanup_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

/* "name:password:id:...": false when LINE is not of that form. A name that
 * begins with + or - is an instruction to NSS.
 */
static bool parse(const char *line, struct secl_string *ret_name, uint32_t *ret_id)
{
	const char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	const char *p;
	uint64_t id = 0;

	if (!second || first == line || first - line > MAX_NAME || strchr("+-#", line[0]))
		return false;
	for (p = second + 1; *p >= '0' && *p <= '9'; p++) {
		id = id * 10 + (uint64_t)(*p - '0');
		if (id > UINT32_MAX)
			return false;
	}
	if (p == second + 1 || *p != ':')
		return false;
	*ret_name = (struct secl_string){ line, (size_t)(first - line) };
	*ret_id = (uint32_t)id;
	return true;
}

static int add(struct entries *e, struct secl_string name, uint32_t id)
{
	if (e->count == e->capacity) {
		size_t capacity = e->capacity ? e->capacity * 2 : 64;
		struct entry *rows = reallocarray(e->rows, capacity, sizeof *rows);

		if (!rows)
			return -ENOMEM;
		e->rows = rows;
		e->capacity = capacity;
	}
	e->rows[e->count] = (struct entry){ .id = id, .line = (unsigned)e->count };
	e->rows[e->count].name = strndup(name.text, name.size);
	if (!e->rows[e->count].name)
		return -ENOMEM;
	e->count++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static int load(const char *path, struct entries *e)
{
	_cleanup_(cleanup_file) FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (e->count < MAX_ENTRIES && getline(&line, &size, file) >= 0) {
		struct secl_string name;
		uint32_t id;
		int r = parse(line, &name, &id) ? add(e, name, id) : 0;

		if (r < 0)
			return r;
	}
	if (ferror(file))
		return -EIO;
	if (e->count)
		qsort(e->rows, e->count, sizeof *e->rows, compare);
	return 0;
}

int idnames_load(const char *passwd, const char *group, struct idnames **ret)
{
	_cleanup_(cleanup_idnames) struct idnames *names = calloc(1, sizeof *names);
	int r;

	if (!names)
		return -ENOMEM;
	r = load(passwd, &names->users);
	if (r < 0)
		return r;
	r = load(group, &names->groups);
	if (r < 0)
		return r;
	*ret = TAKE(names);
	return 0;
}

/* The first entry of ID: there may be several. */
static struct secl_string lookup(const struct entries *e, uint32_t id)
{
	size_t low = 0, high = e->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == e->count || e->rows[low].id != id)
		return (struct secl_string){ 0 };
	return (struct secl_string){ e->rows[low].name, strlen(e->rows[low].name) };
}

struct secl_string idnames_user(const struct idnames *names, uint32_t uid)
{
	return names ? lookup(&names->users, uid) : (struct secl_string){ 0 };
}

struct secl_string idnames_group(const struct idnames *names, uint32_t gid)
{
	return names ? lookup(&names->groups, gid) : (struct secl_string){ 0 };
}
