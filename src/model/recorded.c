/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/recorded.h"

#include <errno.h>
#include <stdio.h>

#include "model/field.h"

/* `values`: canonical name to value; `counts`: iterator to number of elements. */
struct recorded {
	json_t *values, *counts;
	int64_t now_ns;
};

/* ---- one value ------------------------------------------------------------- */

static int scalar_int(const json_t *value, int64_t now_ns, int64_t *ret)
{
	const json_t *seconds = json_object_get(value, "$now_s");
	double ns;

	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return 0;
	}
	if (!json_is_number(seconds) || json_object_size(value) != 1)
		return -EINVAL;
	ns = json_number_value(seconds) * 1e9;
	/* as far as a double and an int64_t both go */
	if (!(ns > -4e18 && ns < 4e18))
		return -EINVAL;
	return __builtin_add_overflow(now_ns, (int64_t)ns, ret) ? -EINVAL : 0;
}

int recorded_scalar(const json_t *value, enum secl_type type, int64_t now_ns,
		    struct secl_value *ret)
{
	struct secl_value v = { .type = type };
	int r = 0;

	if (!value || json_is_null(value)) {
		*ret = v;
		return 0;
	}
	switch (type) {
	case SECL_BOOL:
		r = json_is_boolean(value) ? 0 : -EINVAL;
		v.boolean = json_is_true(value);
		break;
	case SECL_INT: r = scalar_int(value, now_ns, &v.integer); break;
	case SECL_STRING:
	case SECL_NET:
		if (!json_is_string(value))
			return -EINVAL;
		v.string =
			(struct secl_string){ json_string_value(value), json_string_length(value) };
		if (type == SECL_NET) {
			struct secl_string text = v.string;

			v.net = (struct secl_net){ 0 };
			if (text.size > 0)
				r = secl_net_parse(text.text, text.size, &v.net);
		}
		break;
	case SECL_NONE: r = -EINVAL; break;
	}
	if (r == 0)
		*ret = v;
	return r;
}

/* ---- lists ------------------------------------------------------------------ */

/* Appends scalars to a list of which only the type is known. */
struct list {
	struct secl_value *value;
	void *items;
	size_t room;
};

static size_t item_size(enum secl_type type)
{
	static const size_t sizes[] = {
		[SECL_BOOL] = sizeof(bool),
		[SECL_INT] = sizeof(int64_t),
		[SECL_STRING] = sizeof(struct secl_string),
		[SECL_NET] = sizeof(struct secl_net),
	};

	return sizes[type];
}

static int list_init(struct list *list, struct arena *scratch, size_t room, enum secl_type type,
		     struct secl_value *value)
{
	*value = (struct secl_value){ .type = type, .array = true };
	*list = (struct list){ .value = value, .room = room };
	list->items = arena_alloc(scratch, room * item_size(type));
	if (!list->items)
		return -ENOMEM;
	value->list.integers = list->items;
	return 0;
}

static void list_add(struct list *list, const struct secl_value *v)
{
	size_t i = list->value->list.count;

	if (i == list->room)
		return;
	switch (v->type) {
	case SECL_BOOL: ((bool *)list->items)[i] = v->boolean; break;
	case SECL_INT: ((int64_t *)list->items)[i] = v->integer; break;
	case SECL_STRING: ((struct secl_string *)list->items)[i] = v->string; break;
	case SECL_NET: ((struct secl_net *)list->items)[i] = v->net; break;
	case SECL_NONE: return;
	}
	list->value->list.count++;
}

/* How a field's value is read off a JSON value. */
struct reader {
	const struct secl_field *field;
	struct arena *scratch;
	int64_t now_ns;
	bool length; /* of the strings, not the strings */
};

static int read_scalar(const struct reader *reader, const json_t *value, struct secl_value *ret)
{
	int r;

	if (!reader->length)
		return recorded_scalar(value, reader->field->type, reader->now_ns, ret);
	r = recorded_scalar(value, SECL_STRING, reader->now_ns, ret);
	if (r == 0)
		*ret = (struct secl_value){ .type = SECL_INT,
					    .integer = (int64_t)ret->string.size };
	return r;
}

/* The number of scalars in VALUE: lists of lists are flattened. */
static size_t count_scalars(const json_t *value, int depth)
{
	size_t n = 0;

	if (!json_is_array(value) || depth == 0)
		return 1;
	for (size_t i = 0; i < json_array_size(value); i++)
		n += count_scalars(json_array_get(value, i), depth - 1);
	return n;
}

static int add_scalars(const struct reader *reader, struct list *list, const json_t *value,
		       int depth)
{
	struct secl_value v;
	int r;

	if (!json_is_array(value) || depth == 0) {
		r = read_scalar(reader, value, &v);
		if (r == 0)
			list_add(list, &v);
		return r;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		r = add_scalars(reader, list, json_array_get(value, i), depth - 1);
		if (r < 0)
			return r;
	}
	return 0;
}

/* DEPTH levels of lists become one; PAD zero values follow. */
static int read_list(const struct reader *reader, const json_t *value, int depth, size_t pad,
		     struct secl_value *ret)
{
	bool absent = !value || json_is_null(value);
	struct secl_value zero = { .type = reader->field->type };
	struct list list;
	int r;

	r = list_init(&list, reader->scratch, pad + (absent ? 0 : count_scalars(value, depth)),
		      reader->field->type, ret);
	if (r == 0 && !absent)
		r = add_scalars(reader, &list, value, depth);
	for (size_t i = 0; r == 0 && i < pad; i++)
		list_add(&list, &zero);
	return r;
}

/* ---- loading ---------------------------------------------------------------- */

static size_t count_of(const struct recorded *recorded, unsigned iterator)
{
	const char *name = field_iterator_name(iterator);

	return name ? (size_t)json_integer_value(json_object_get(recorded->counts, name)) : 0;
}

/* Below an iterator: one element, or all of them. */
static int read_iterator(const struct recorded *recorded, const struct reader *reader,
			 const json_t *value, int element, struct secl_value *ret)
{
	bool array = reader->field->flags & SECL_FIELD_ARRAY;
	size_t count = count_of(recorded, reader->field->iterator);
	size_t given = json_array_size(value);

	if (element >= 0) {
		value = json_array_get(value, (size_t)element);
		return array ? read_list(reader, value, 1, 0, ret)
			     : read_scalar(reader, value, ret);
	}
	if (array)
		return read_list(reader, value, 2, 0, ret);
	return read_list(reader, value, 1, count > given ? count - given : 0, ret);
}

static int read_field(const struct recorded *recorded, const struct reader *reader,
		      const json_t *value, int element, struct secl_value *ret)
{
	unsigned flags = reader->field->flags;

	if (flags & SECL_FIELD_ITERATOR)
		return read_iterator(recorded, reader, value, element, ret);
	if (flags & SECL_FIELD_ARRAY || (flags & SECL_FIELD_ALIASES && json_is_array(value)))
		return read_list(reader, value, 1, 0, ret);
	return read_scalar(reader, value, ret);
}

/* X.length without a value of its own: from X, if X is given. */
static const json_t *length_base(const struct recorded *recorded, const struct secl_field *field,
				 const json_t **ret_count)
{
	size_t n = strlen(field->name), suffix = strlen(".length");
	char base[SECL_NAME_MAX + 1];

	*ret_count = NULL;
	if (n <= suffix || !streq(field->name + n - suffix, ".length"))
		return NULL;
	memcpy(base, field->name, n - suffix);
	base[n - suffix] = '\0';
	*ret_count = json_object_get(recorded->counts, base);
	return json_object_get(recorded->values, base);
}

static int recorded_load(const struct secl_context *ctx, const struct secl_field *field,
			 int element, struct secl_value *ret)
{
	const struct recorded *recorded = ctx->event;
	const json_t *value = json_object_get(recorded->values, field->name), *base, *count;
	struct reader reader = { .field = field,
				 .scratch = ctx->scratch,
				 .now_ns = recorded->now_ns };

	if (!value && field->type == SECL_INT) {
		base = length_base(recorded, field, &count);
		if (count)
			value = count;
		else if (base) {
			value = base;
			reader.length = true;
		}
	}
	return read_field(recorded, &reader, value, element, ret);
}

static int recorded_count(const struct secl_context *ctx, unsigned iterator)
{
	return (int)MIN(count_of(ctx->event, iterator), (size_t)INT32_MAX);
}

static int recorded_find(const struct secl_schema *self UNUSED, const char *name,
			 struct secl_field *ret, const char **ret_hint)
{
	return event_schema.find(&event_schema, name, ret, ret_hint);
}

static int recorded_constant(const struct secl_schema *self UNUSED, const char *name,
			     struct secl_value *ret)
{
	return event_schema.constant(&event_schema, name, ret);
}

static const char *recorded_event_name(const struct secl_schema *self UNUSED, unsigned event)
{
	return event_schema.event_name(&event_schema, event);
}

const struct secl_schema recorded_schema = {
	.find = recorded_find,
	.constant = recorded_constant,
	.load = recorded_load,
	.count = recorded_count,
	.event_name = recorded_event_name,
};

/* ---- taking an object apart --------------------------------------------------- */

/* The iterator called NAME; 0 = none. */
static unsigned iterator_by_name(const char *name)
{
	const char *known;

	for (unsigned i = 1; (known = field_iterator_name(i)); i++)
		if (streq(known, name))
			return i;
	return 0;
}

static void raise_count(struct recorded *recorded, unsigned iterator, size_t count)
{
	if (count > count_of(recorded, iterator))
		(void)json_object_set_new(recorded->counts, field_iterator_name(iterator),
					  json_integer((json_int_t)count));
}

static const char *type_name(const struct secl_field *field)
{
	static const char *const names[] = { [SECL_BOOL] = "true or false",
					     [SECL_INT] = "a number",
					     [SECL_STRING] = "a string",
					     [SECL_NET] = "an address" };

	return names[field->type];
}

/* Reads the value once, to refuse what could not be loaded later. */
static int check_value(struct recorded *recorded, const struct secl_field *field,
		       const json_t *value, struct err *err)
{
	struct reader reader = { .field = field, .now_ns = recorded->now_ns };
	struct secl_value ignored;
	struct arena scratch;
	int r;

	r = arena_init(&scratch, (count_scalars(value, 2) + 1) * sizeof(struct secl_value));
	if (r < 0)
		return r;
	reader.scratch = &scratch;
	if (field->flags & SECL_FIELD_ITERATOR && !json_is_array(value) && !json_is_null(value))
		r = -EINVAL;
	else
		r = read_field(recorded, &reader, value, -1, &ignored);
	arena_done(&scratch);
	if (r == -EINVAL)
		return err_set(err, r, "field %s: expected %s%s", field->name, type_name(field),
			       field->flags & (SECL_FIELD_ARRAY | SECL_FIELD_ITERATOR)
				       ? ", in a list"
				       : "");
	return r;
}

static int find_name(const char *name, struct secl_field *ret, struct err *err)
{
	const char *hint = NULL;

	*ret = (struct secl_field){ 0 };
	if (strlen(name) <= SECL_NAME_MAX &&
	    event_schema.find(&event_schema, name, ret, &hint) == 0)
		return 0;
	return err_set(err, -EINVAL, "unknown field %.200s%s%s", name,
		       hint ? ", did you mean " : "", hint ? hint : "");
}

static int add_field(struct recorded *recorded, const char *name, json_t *value, struct err *err)
{
	struct secl_field field;
	int r = find_name(name, &field, err);

	if (r < 0)
		return r;
	if (field.flags & SECL_FIELD_ITERATOR)
		raise_count(recorded, field.iterator, json_array_size(value));
	return json_object_set(recorded->values, field.name, value) < 0 ? -ENOMEM : 0;
}

/* One sub-field of one element of an iterator given as a list of objects. */
static int add_element(struct recorded *recorded, const char *name, size_t i, size_t count,
		       json_t *value, struct err *err)
{
	struct secl_field field;
	json_t *list;
	int r = find_name(name, &field, err);

	if (r < 0)
		return r;
	if (!(field.flags & SECL_FIELD_ITERATOR))
		return err_set(err, -EINVAL, "field %s is not part of an element", field.name);
	list = json_object_get(recorded->values, field.name);
	if (!list) {
		list = json_array();
		for (size_t k = 0; list && k < count; k++)
			(void)json_array_append_new(list, json_null());
		if (json_object_set_new(recorded->values, field.name, list) < 0)
			return -ENOMEM;
	}
	if (i >= json_array_size(list) || json_array_set(list, i, value) < 0)
		return err_set(err, -EINVAL, "field %s is given twice", field.name);
	return 0;
}

static int add_iterator(struct recorded *recorded, const char *name, const json_t *elements,
			struct err *err)
{
	size_t count = json_array_size(elements);
	char path[SECL_NAME_MAX + 1];
	const char *key;
	json_t *value;

	if (!json_is_array(elements))
		return err_set(err, -EINVAL, "%s: expected a list of objects", name);
	if (count > RECORDED_MAX_ELEMENTS)
		return err_set(err, -EINVAL, "%s: more than %d elements", name,
			       RECORDED_MAX_ELEMENTS);
	raise_count(recorded, iterator_by_name(name), count);
	for (size_t i = 0; i < count; i++) {
		json_t *element = json_array_get(elements, i);

		if (!json_is_object(element))
			return err_set(err, -EINVAL, "%s: expected a list of objects", name);
		json_object_foreach(element, key, value)
		{
			int n = snprintf(path, sizeof path, "%s.%s", name, key), r;

			if (n < 0 || (size_t)n >= sizeof path)
				return err_set(err, -EINVAL, "%s: a name is too long", name);
			r = add_element(recorded, path, i, count, value, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int check_values(struct recorded *recorded, struct err *err)
{
	struct secl_field field;
	const char *key;
	json_t *value;

	json_object_foreach(recorded->values, key, value)
	{
		int r = find_name(key, &field, err);

		if (r == 0)
			r = check_value(recorded, &field, value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void cleanup_recorded(struct recorded **recorded)
{
	recorded_free(*recorded);
}

int recorded_new(json_t *fields, int64_t now_ns, struct recorded **ret, struct err *err)
{
	_cleanup_(cleanup_recorded) struct recorded *recorded = calloc(1, sizeof *recorded);
	const char *key;
	json_t *value;
	int r;

	if (!recorded)
		return -ENOMEM;
	recorded->now_ns = now_ns;
	recorded->values = json_object();
	recorded->counts = json_object();
	if (!recorded->values || !recorded->counts)
		return -ENOMEM;
	if (!json_is_object(fields))
		return err_set(err, -EINVAL, "expected an object of fields");
	json_object_foreach(fields, key, value)
	{
		r = iterator_by_name(key) ? add_iterator(recorded, key, value, err)
					  : add_field(recorded, key, value, err);
		if (r < 0)
			return r;
	}
	r = check_values(recorded, err);
	if (r < 0)
		return r;
	*ret = TAKE(recorded);
	return 0;
}

void recorded_free(struct recorded *recorded)
{
	if (!recorded)
		return;
	json_decref(recorded->values);
	json_decref(recorded->counts);
	free(recorded);
}

/* jansson recurses; how deep is decided here, before it starts. */
static bool too_deep(const char *text, size_t size)
{
	bool quoted = false;
	unsigned depth = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += text[i] == '\\';
		else if ((text[i] == '{' || text[i] == '[') && ++depth > RECORDED_MAX_DEPTH)
			return true;
		else if ((text[i] == '}' || text[i] == ']') && depth > 0)
			depth--;
	}
	return false;
}

int recorded_parse(const char *text, size_t size, json_t **ret, struct err *err)
{
	json_error_t error;
	json_t *value;

	if (too_deep(text, size))
		return err_set(err, -EINVAL, "JSON: nested more than %d levels deep",
			       RECORDED_MAX_DEPTH);
	value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!value)
		return err_set(err, -EINVAL, "JSON: %s in line %d, column %d", error.text,
			       error.line, error.column);
	*ret = value;
	return 0;
}
