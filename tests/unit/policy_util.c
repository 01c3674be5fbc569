/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "policy_util.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "model/field.h"

enum { SCRATCH_SIZE = 1024 * 1024, LIST_SIZE = 4096 };

void policy_dir_init(struct policy_dir *dir)
{
	*dir = (struct policy_dir){ .path = "/tmp/guard-policy-XXXXXX" };
	cr_assert_not_null(mkdtemp(dir->path));
}

void policy_dir_add(struct policy_dir *dir, const char *name, const char *text, size_t size)
{
	char path[512], own[32];
	int fd;

	(void)snprintf(own, sizeof own, "%zu.policy", dir->count++);
	(void)snprintf(path, sizeof path, "%s/%s", dir->path, name ? name : own);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write_full(fd, text, size), 0);
	(void)close(fd);
}

void policy_dir_done(struct policy_dir *dir)
{
	const struct dirent *entry;
	char path[512];
	DIR *d = opendir(dir->path);

	cr_assert_not_null(d);
	while ((entry = readdir(d))) {
		(void)snprintf(path, sizeof path, "%s/%.255s", dir->path, entry->d_name);
		(void)unlink(path);
	}
	(void)closedir(d);
	(void)rmdir(dir->path);
}

static struct secl_string text(const char *s)
{
	return (struct secl_string){ .text = s ? s : "", .size = s ? strlen(s) : 0 };
}

static struct string_list list(char *buf, const char *const *items, size_t count)
{
	struct string_list l = { .data = buf, .count = (uint32_t)count };

	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(items[i]) + 1;

		cr_assert_leq(l.size + size, LIST_SIZE);
		memcpy(buf + l.size, items[i], size);
		l.size += (uint32_t)size;
	}
	return l;
}

int sample_eval(const struct sample *s, const struct secl_expr *expr)
{
	char argv[LIST_SIZE], envp[LIST_SIZE];
	struct image parent_image = { .file = { .path = text(s->parent), .present = true } };
	struct image image = {
		.file = { .path = text(s->file), .present = true },
		.argv = list(argv, s->argv, s->argc),
		.envp = list(envp, &s->envp, s->envp ? 1 : 0),
		.envp_read = true,
	};
	const struct process parent = { .pid = 10, .ppid = 1, .image = &parent_image };
	const struct process process = {
		.pid = 11,
		.ppid = 10,
		.image = &image,
		.parent = s->parent ? &parent : NULL,
	};
	struct event event = {
		.type = s->ip ? EVENT_CONNECT : EVENT_EXEC,
		.process = &process,
		.time_ns = now_realtime_ns(),
	};
	const struct field_source source = { .event = &event };
	struct arena scratch;
	struct secl_context ctx = {
		.schema = &event_schema,
		.event = &source,
		.scratch = &scratch,
		.now_ns = event.time_ns,
	};
	int r;

	if (s->ip) {
		event.connect.protocol = (uint16_t)s->protocol;
		event.connect.addr.port = (uint16_t)s->port;
		cr_assert_eq(secl_net_parse(s->ip, strlen(s->ip), &event.connect.addr.ip), 0);
		event.connect.addr.family = event.connect.addr.ip.family;
	}
	cr_assert_eq(arena_init(&scratch, SCRATCH_SIZE), 0);
	r = secl_eval(expr, &ctx);
	arena_done(&scratch);
	return r;
}

const struct rule *find_rule(const struct ruleset *set, const char *id)
{
	for (size_t i = 0; set && i < set->nrules; i++) {
		if (streq(set->rules[i].id, id))
			return &set->rules[i];
	}
	return NULL;
}
