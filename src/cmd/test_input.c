/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cmd/test_input.h"

#include <errno.h>

#include "base/nearest.h"

/* Address space for the nodes of one document; touched as needed. */
enum { DOCUMENT_ARENA = 256 << 20 };

int test_file_open(struct test_file *file, const char *path, struct err *err)
{
	int r;

	*file = (struct test_file){ .path = path };
	r = read_file(streq(path, "-") ? "/dev/stdin" : path, TEST_FILE_MAX, &file->text,
		      &file->size);
	if (r < 0)
		return err_errno(err, r, "cannot read %s", path);
	r = arena_init(&file->arena, DOCUMENT_ARENA);
	if (r < 0)
		return err_errno(err, r, "%s", path);
	file->ready = true;
	return 0;
}

void test_file_close(struct test_file *file)
{
	if (file->ready)
		arena_done(&file->arena);
	free(file->text);
}

/* "---" at the beginning of a line begins a document and nothing else, in scalars
 * of every style (YAML 1.2, 9.1.2).
 */
static bool is_marker(const char *line, size_t size)
{
	return size >= 3 && memcmp(line, "---", 3) == 0 &&
	       (size == 3 || strchr(" \t\r\n", line[3]) != NULL);
}

/* Bytes up to the next marker, which may be at the beginning. */
static size_t document_size(const char *text, size_t size)
{
	size_t at = is_marker(text, size) ? 3 : 0;

	while (at < size) {
		const char *end = memchr(text + at, '\n', size - at);

		if (!end)
			return size;
		at = (size_t)(end - text) + 1;
		if (is_marker(text + at, size - at))
			return at;
	}
	return size;
}

static unsigned line_at(const char *text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

unsigned test_line(const struct test_document *document, const struct yaml *node)
{
	return line_at(document->text, document->offset + node->offset);
}

int test_file_next(struct test_file *file, struct test_document *ret, struct err *err)
{
	struct yaml_error error = { .offset = 0 };
	int r;

	while (file->offset < file->size) {
		const char *text = file->text + file->offset;
		size_t size = document_size(text, file->size - file->offset);

		*ret = (struct test_document){ .path = file->path,
					       .text = file->text,
					       .offset = file->offset };
		file->offset += size;
		arena_reset(&file->arena);
		r = yaml_parse(text, size, &file->arena, &ret->root, &error);
		if (r < 0)
			return err_set(err, r, "line %u: %s",
				       line_at(file->text, ret->offset + error.offset),
				       r == -ENOMEM ? "the document is too large" : error.err.text);
		if (!ret->root)
			continue;
		if (ret->root->kind != YAML_IS_MAPPING)
			return err_set(err, -EINVAL, "line %u: expected a mapping",
				       test_line(ret, ret->root));
		return 1;
	}
	return 0;
}

/* ---- nodes --------------------------------------------------------------------- */

static json_t *scalar(const struct yaml *node)
{
	int64_t number;

	if (yaml_is_null(node))
		return json_null();
	if (node->plain && streq(node->text, "true"))
		return json_true();
	if (node->plain && streq(node->text, "false"))
		return json_false();
	if (yaml_int(node, &number) == 0)
		return json_integer(number);
	return json_stringn(node->text, node->size);
}

static int container(const struct yaml *node, json_t *ret, struct err *err)
{
	for (const struct yaml *child = node->first; child; child = child->next) {
		json_t *value;
		int r = test_json(child, &value, err);

		if (r < 0)
			return r;
		r = child->key ? json_object_set_new(ret, child->key->text, value)
			       : json_array_append_new(ret, value);
		if (r < 0)
			return err_errno(err, -ENOMEM, "case");
	}
	return 0;
}

int test_json(const struct yaml *node, json_t **ret, struct err *err)
{
	json_t *value = node->kind == YAML_IS_SCALAR     ? scalar(node)
			: node->kind == YAML_IS_SEQUENCE ? json_array()
							 : json_object();
	int r;

	*ret = NULL;
	if (!value)
		return err_set(err, -EINVAL, "a text is not valid UTF-8");
	r = container(node, value, err);
	if (r < 0)
		json_decref(value);
	else
		*ret = value;
	return r;
}

static int check_key(const char *key, const char *const *keys, size_t count, struct err *err)
{
	struct nearest n = NEAREST(key);

	for (size_t i = 0; i < count; i++) {
		if (streq(key, keys[i]))
			return 0;
		nearest_offer(&n, keys[i]);
	}
	if (nearest_result(&n))
		return err_set(err, -EINVAL, "unknown key '%.100s', did you mean '%s'?", key,
			       nearest_result(&n));
	return err_set(err, -EINVAL, "unknown key '%.100s'", key);
}

int test_check_keys(const struct yaml *node, const char *const *keys, size_t count, struct err *err)
{
	int r = 0;

	if (node->kind != YAML_IS_MAPPING)
		return err_set(err, -EINVAL, "expected a mapping");
	for (const struct yaml *child = node->first; child && r == 0; child = child->next)
		r = check_key(child->key->text, keys, count, err);
	return r;
}
