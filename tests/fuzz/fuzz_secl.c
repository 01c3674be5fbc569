/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compiles and evaluates any text. Input: expression, 0x1f, macro M, 0x1f, what
 * the event's strings are made of (parts by 0x1e).
 *
 * Beside what the sanitizers find: compiling again gives the same answer,
 * evaluation leaves scratch as it was, and says true, false or an errno.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>

#include "model/field.h"
#include "secl/secl.h"

enum { PARTS = 32 };

/* The event: a list of strings, used for every field. */
struct tail {
	struct secl_string parts[PARTS];
	int64_t integers[PARTS];
	struct secl_net nets[PARTS];
	bool booleans[PARTS];
	size_t count;
};

static int find(const struct secl_schema *self, const char *name, struct secl_field *ret,
		const char **ret_hint)
{
	(void)self;
	return event_schema.find(&event_schema, name, ret, ret_hint);
}

static int constant(const struct secl_schema *self, const char *name, struct secl_value *ret)
{
	(void)self;
	return event_schema.constant(&event_schema, name, ret);
}

static const char *event_name(const struct secl_schema *self, unsigned event)
{
	(void)self;
	return event_schema.event_name(&event_schema, event);
}

static int count(const struct secl_context *ctx, unsigned iterator)
{
	(void)iterator;
	return (int)((const struct tail *)ctx->event)->count;
}

static int load(const struct secl_context *ctx, const struct secl_field *field, int element,
		struct secl_value *ret)
{
	const struct tail *t = ctx->event;
	size_t i = element < 0 ? 0 : (size_t)element;

	*ret = (struct secl_value){ .type = field->type };
	ret->array = field->flags & SECL_FIELD_ARRAY ||
		     (field->flags & SECL_FIELD_ITERATOR && element < 0) ||
		     (field->flags & SECL_FIELD_ALIASES && t->count > 3);
	if (ret->array) {
		ret->list.count = t->count;
		if (field->type == SECL_STRING)
			ret->list.strings = t->parts;
		else if (field->type == SECL_INT)
			ret->list.integers = t->integers;
		else if (field->type == SECL_NET)
			ret->list.nets = t->nets;
		else
			ret->list.booleans = t->booleans;
	} else if (i < t->count) {
		if (field->type == SECL_STRING)
			ret->string = t->parts[i];
		else if (field->type == SECL_INT)
			ret->integer = t->integers[i];
		else if (field->type == SECL_NET)
			ret->net = t->nets[i];
		else
			ret->boolean = t->booleans[i];
	}
	return 0;
}

static const struct secl_schema schema = { find, constant, load, count, event_name };

static int find_variable(const struct secl_vars *self, const char *name, enum secl_type *ret_type,
			 bool *ret_array, unsigned *ret_id)
{
	static const struct {
		const char *name;
		enum secl_type type;
		bool array;
	} rows[] = {
		{ "i", SECL_INT, false },    { "s", SECL_STRING, false },
		{ "b", SECL_BOOL, false },   { "is", SECL_INT, true },
		{ "ss", SECL_STRING, true }, { "process.pid", SECL_INT, false },
		{ "ips", SECL_NET, true },
	};

	(void)self;
	for (unsigned i = 0; i < ELEMENTS(rows); i++) {
		if (!streq(rows[i].name, name))
			continue;
		*ret_type = rows[i].type;
		*ret_array = rows[i].array;
		*ret_id = (unsigned)rows[i].type | (rows[i].array ? 16u : 0);
		return 0;
	}
	return -ENOENT;
}

static int get_variable(const struct secl_vars *self, const struct secl_context *ctx, unsigned id,
			struct secl_value *ret)
{
	struct secl_field field = { .type = (enum secl_type)(id & 15),
				    .flags = id & 16 ? SECL_FIELD_ARRAY : 0 };

	(void)self;
	return load(ctx, &field, -1, ret);
}

static const struct secl_vars vars = { find_variable, get_variable };

static void fill(struct tail *t, const char *data, size_t size)
{
	while (t->count < PARTS) {
		const char *end = memchr(data, 0x1e, size);
		size_t n = end ? (size_t)(end - data) : size;

		t->parts[t->count] = (struct secl_string){ data, n };
		t->integers[t->count] = n > 0 ? data[0] * 1000000000LL : 0;
		t->booleans[t->count] = n & 1;
		(void)secl_net_parse(data, n, &t->nets[t->count]);
		t->count++;
		if (!end)
			break;
		size -= n + 1;
		data += n + 1;
	}
}

static void evaluate(const struct secl_expr *expr, const struct tail *t)
{
	static struct arena scratch;
	struct secl_context ctx = { .schema = &schema,
				    .event = t,
				    .scratch = &scratch,
				    .now_ns = 1700000000000000000,
				    .vars = &vars };
	struct secl_value v;
	bool array;
	int r;

	if (!scratch.base && arena_init(&scratch, 8 << 20) < 0)
		abort();
	if (secl_expr_type(expr, &array) == SECL_BOOL && !array) {
		r = secl_eval(expr, &ctx);
		if (r > 1 || scratch.used != 0)
			abort();
		/* 8 MiB are enough for anything, so only a regexp may give up */
		if (r < 0 && r != -EOVERFLOW)
			abort();
	}
	r = secl_eval_value(expr, &ctx, &v);
	if (r == 0 && (v.type != secl_expr_type(expr, &array) || v.array != array))
		abort();
	arena_reset(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);
	struct secl_options options = { .schema = &schema, .vars = &vars };
	struct secl_macros *macros = NULL;
	struct secl_expr *expr, *again;
	struct secl_error error = { 0 };
	struct tail tail = { .count = 0 };
	char *macro, *rest, place[600];
	int r;

	memcpy(text, data, size);
	text[size] = '\0';
	macro = memchr(text, 0x1f, size);
	rest = macro ? memchr(macro + 1, 0x1f, size - (size_t)(macro + 1 - text)) : NULL;
	if (rest)
		fill(&tail, rest + 1, size - (size_t)(rest + 1 - text));
	if (macro)
		*macro++ = '\0';
	if (rest)
		*rest = '\0';
	if (secl_macros_new(&macros) < 0)
		abort();
	options.macros = macros;
	if (macro)
		(void)secl_macros_add(macros, &options, "M", macro, &error);
	options.want_bool = size & 1;
	r = secl_compile(&options, text, &expr, &error);
	if (r < 0) {
		if (r != -EINVAL || error.line == 0 || error.err.text[0] == '\0' ||
		    error.caret > strlen(error.source) ||
		    secl_compile(&options, text, &again, &error) != r)
			abort();
		secl_error_show(&error, place, sizeof place);
	} else {
		evaluate(expr, &tail);
		if (secl_compile(&options, text, &again, &error) != 0)
			abort();
		secl_expr_free(again);
		secl_expr_free(expr);
	}
	secl_macros_free(macros);
	return 0;
}
