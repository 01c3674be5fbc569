/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cmd/eval_vars.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "model/recorded.h"

/* Ids of the predefined ones; those of the input follow. */
enum { VAR_PID, VAR_UUID, VAR_FIRST };

static int type_of(const json_t *value, enum secl_type *ret_type)
{
	static const enum secl_type types[] = {
		[JSON_STRING] = SECL_STRING,
		[JSON_INTEGER] = SECL_INT,
		[JSON_TRUE] = SECL_BOOL,
		[JSON_FALSE] = SECL_BOOL,
	};
	size_t type = value ? (size_t)json_typeof(value) : SIZE_MAX;

	if (type >= ELEMENTS(types) || types[type] == SECL_NONE)
		return -EINVAL;
	*ret_type = types[type];
	return 0;
}

/* The type of a list is that of its first element; an empty one is of strings. */
static int type_of_list(const json_t *list, enum secl_type *ret_type)
{
	enum secl_type type;

	*ret_type = SECL_STRING;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (type_of(json_array_get(list, i), &type) < 0 || type == SECL_BOOL ||
		    (i > 0 && type != *ret_type))
			return -EINVAL;
		*ret_type = type;
	}
	return 0;
}

static int type_of_variable(const json_t *value, enum secl_type *ret_type, bool *ret_array)
{
	*ret_array = json_is_array(value);
	return *ret_array ? type_of_list(value, ret_type) : type_of(value, ret_type);
}

static int find(const struct secl_vars *self, const char *name, enum secl_type *ret_type,
		bool *ret_array, unsigned *ret_id)
{
	const struct eval_vars *vars = CONTAINER_OF(self, struct eval_vars, vars);
	unsigned id = VAR_FIRST;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)vars->values, key, value)
	{
		if (streq(key, name)) {
			*ret_id = id;
			return type_of_variable(value, ret_type, ret_array);
		}
		id++;
	}
	*ret_array = false;
	*ret_id = streq(name, "process.pid") ? VAR_PID : VAR_UUID;
	*ret_type = *ret_id == VAR_PID ? SECL_INT : SECL_STRING;
	return *ret_id == VAR_PID || streq(name, "builtins.uuid4") ? 0 : -ENOENT;
}

/* RFC 9562 version 4. */
static int new_uuid(const struct secl_context *ctx, struct secl_value *ret)
{
	enum { LENGTH = 36 };
	char *text = arena_alloc(ctx->scratch, LENGTH + 1);
	unsigned char b[16];

	if (!text)
		return -ENOMEM;
	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return -EIO;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	(void)snprintf(text, LENGTH + 1,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	*ret = (struct secl_value){ .type = SECL_STRING, .string = { text, LENGTH } };
	return 0;
}

static int get_pid(const struct secl_context *ctx, struct secl_value *ret)
{
	struct secl_field field = { 0 };
	const char *hint;
	int r = ctx->schema->find(ctx->schema, "process.pid", &field, &hint);

	return r < 0 ? r : ctx->schema->load(ctx, &field, -1, ret);
}

static int get_list(const struct secl_context *ctx, const json_t *list, enum secl_type type,
		    struct secl_value *ret)
{
	size_t count = json_array_size(list);
	int64_t *integers = arena_alloc(ctx->scratch, count * sizeof *integers);
	struct secl_string *strings = arena_alloc(ctx->scratch, count * sizeof *strings);

	if (!integers || !strings)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct secl_value v;
		int r = recorded_scalar(json_array_get(list, i), type, ctx->now_ns, &v);

		if (r < 0)
			return r;
		if (type == SECL_INT)
			integers[i] = v.integer;
		else
			strings[i] = v.string;
	}
	*ret = (struct secl_value){ .type = type, .array = true, .list.count = count };
	if (type == SECL_INT)
		ret->list.integers = integers;
	else
		ret->list.strings = strings;
	return 0;
}

static int get(const struct secl_vars *self, const struct secl_context *ctx, unsigned id,
	       struct secl_value *ret)
{
	const struct eval_vars *vars = CONTAINER_OF(self, struct eval_vars, vars);
	enum secl_type type;
	const char *key;
	json_t *value;
	bool array;

	if (id == VAR_PID)
		return get_pid(ctx, ret);
	if (id == VAR_UUID)
		return new_uuid(ctx, ret);
	json_object_foreach((json_t *)vars->values, key, value)
	{
		if (id-- != VAR_FIRST)
			continue;
		if (type_of_variable(value, &type, &array) < 0)
			return -EPROTO;
		return array ? get_list(ctx, value, type, ret)
			     : recorded_scalar(value, type, ctx->now_ns, ret);
	}
	return -EPROTO;
}

int eval_vars_init(struct eval_vars *vars, const json_t *values, struct err *err)
{
	enum secl_type type;
	const char *key;
	json_t *value;
	bool array;

	*vars = (struct eval_vars){ .vars = { .find = find, .get = get }, .values = values };
	if (values && !json_is_object(values))
		return err_set(err, -EINVAL, "vars: expected an object");
	json_object_foreach((json_t *)values, key, value)
	{
		if (type_of_variable(value, &type, &array) < 0)
			return err_set(err, -EINVAL,
				       "vars: %s must be an int, a string, a bool, or a list of "
				       "ints or strings",
				       key);
	}
	return 0;
}
