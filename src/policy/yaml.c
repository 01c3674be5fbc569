/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/yaml.h"

#include <errno.h>
#include <yaml.h>

struct builder {
	yaml_parser_t parser;
	struct arena *arena;
	const char *file;
	size_t size;
	size_t chars, bytes; /* libyaml counts characters: where its last mark was */
	size_t nodes;
	struct yaml_error *error;
};

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Byte offset of a mark. Marks of successive events do not go back. */
static size_t mark_offset(struct builder *b, const yaml_mark_t *mark)
{
	if (mark->index < b->chars)
		b->chars = b->bytes = 0;
	while (b->chars < mark->index && b->bytes < b->size) {
		b->bytes++;
		while (b->bytes < b->size && continues(b->file[b->bytes]))
			b->bytes++;
		b->chars++;
	}
	return b->bytes;
}

static int refuse(struct builder *b, size_t offset, const char *text)
{
	b->error->offset = offset;
	return err_set(&b->error->err, -EINVAL, "%s", text);
}

static int next_event(struct builder *b, yaml_event_t *event)
{
	const yaml_parser_t *p = &b->parser;

	if (yaml_parser_parse(&b->parser, event))
		return 0;
	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	b->error->offset = p->error == YAML_READER_ERROR ? MIN(p->problem_offset, b->size)
							 : mark_offset(b, &p->problem_mark);
	return err_set(&b->error->err, -EINVAL, "not valid YAML: %s%s%s",
		       p->problem ? p->problem : "it cannot be read", p->context ? ", " : "",
		       p->context ? p->context : "");
}

static int build(struct builder *b, const yaml_event_t *event, unsigned depth, struct yaml **ret);

static struct yaml *new_node(struct builder *b, enum yaml_kind kind, const yaml_event_t *event)
{
	struct yaml *node = arena_alloc(b->arena, sizeof *node);

	if (!node)
		return NULL;
	node->kind = kind;
	node->offset = mark_offset(b, &event->start_mark);
	node->end = mark_offset(b, &event->end_mark);
	return node;
}

static int build_scalar(struct builder *b, const yaml_event_t *event, struct yaml **ret)
{
	static const char styles[] = {
		[YAML_SINGLE_QUOTED_SCALAR_STYLE] = '\'',
		[YAML_DOUBLE_QUOTED_SCALAR_STYLE] = '"',
		[YAML_LITERAL_SCALAR_STYLE] = '|',
		[YAML_FOLDED_SCALAR_STYLE] = '>',
	};
	struct yaml *node = new_node(b, YAML_IS_SCALAR, event);

	if (!node)
		return -ENOMEM;
	if (event->data.scalar.anchor || event->data.scalar.tag)
		return refuse(b, node->offset, "anchors and tags are not allowed");
	if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
		return refuse(b, node->offset, "a text may not hold a NUL byte");
	node->size = event->data.scalar.length;
	node->text = arena_copy(b->arena, event->data.scalar.value, node->size);
	if (!node->text)
		return -ENOMEM;
	if ((size_t)event->data.scalar.style < sizeof styles)
		node->style = styles[event->data.scalar.style];
	node->plain = node->style == 0;
	*ret = node;
	return 0;
}

static int build_sequence(struct builder *b, const yaml_event_t *start, unsigned depth,
			  struct yaml **ret)
{
	struct yaml *node = new_node(b, YAML_IS_SEQUENCE, start), *child;
	const struct yaml **tail;
	yaml_event_t event;
	int r;

	if (!node)
		return -ENOMEM;
	if (start->data.sequence_start.anchor || start->data.sequence_start.tag)
		return refuse(b, node->offset, "anchors and tags are not allowed");
	for (tail = &node->first;; tail = &child->next) {
		r = next_event(b, &event);
		if (r < 0)
			return r;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		r = build(b, &event, depth + 1, &child);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		*tail = child;
		node->count++;
	}
	yaml_event_delete(&event);
	*ret = node;
	return 0;
}

static int build_key(struct builder *b, const yaml_event_t *event, const struct yaml *mapping,
		     struct yaml **ret)
{
	size_t offset = mark_offset(b, &event->start_mark);
	int r;

	if (event->type != YAML_SCALAR_EVENT)
		return refuse(b, offset, "a key must be a plain text");
	if (mapping->count == YAML_MAX_KEYS)
		return refuse(b, offset, "too many keys");
	r = build_scalar(b, event, ret);
	if (r < 0)
		return r;
	if (yaml_get(mapping, (*ret)->text)) {
		b->error->offset = offset;
		return err_set(&b->error->err, -EINVAL, "the key '%s' is there twice",
			       (*ret)->text);
	}
	return 0;
}

static int build_mapping(struct builder *b, const yaml_event_t *start, unsigned depth,
			 struct yaml **ret)
{
	struct yaml *node = new_node(b, YAML_IS_MAPPING, start), *key, *child;
	const struct yaml **tail;
	yaml_event_t event;
	int r;

	if (!node)
		return -ENOMEM;
	if (start->data.mapping_start.anchor || start->data.mapping_start.tag)
		return refuse(b, node->offset, "anchors and tags are not allowed");
	for (tail = &node->first;; tail = &child->next) {
		r = next_event(b, &event);
		if (r < 0)
			return r;
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		r = build_key(b, &event, node, &key);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		r = next_event(b, &event);
		if (r < 0)
			return r;
		r = build(b, &event, depth + 1, &child);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		child->key = key;
		*tail = child;
		node->count++;
	}
	yaml_event_delete(&event);
	*ret = node;
	return 0;
}

static int build(struct builder *b, const yaml_event_t *event, unsigned depth, struct yaml **ret)
{
	size_t offset = mark_offset(b, &event->start_mark);

	if (depth > YAML_MAX_DEPTH)
		return refuse(b, offset, "nested too deeply");
	if (++b->nodes > YAML_MAX_NODES)
		return refuse(b, offset, "too large");
	switch (event->type) {
	case YAML_SCALAR_EVENT: return build_scalar(b, event, ret);
	case YAML_SEQUENCE_START_EVENT: return build_sequence(b, event, depth, ret);
	case YAML_MAPPING_START_EVENT: return build_mapping(b, event, depth, ret);
	case YAML_ALIAS_EVENT: return refuse(b, offset, "aliases are not allowed");
	default: return refuse(b, offset, "not valid YAML: unexpected end");
	}
}

/* Skips to the next event that is not of type SKIP. */
static int skip_event(struct builder *b, yaml_event_type_t skip, yaml_event_t *event)
{
	int r;

	for (;;) {
		r = next_event(b, event);
		if (r < 0 || event->type != skip)
			return r;
		yaml_event_delete(event);
	}
}

static int build_document(struct builder *b, struct yaml **ret)
{
	yaml_event_t event;
	int r;

	r = skip_event(b, YAML_STREAM_START_EVENT, &event);
	if (r < 0)
		return r;
	if (event.type == YAML_STREAM_END_EVENT) {
		yaml_event_delete(&event);
		*ret = NULL;
		return 0;
	}
	yaml_event_delete(&event);
	r = next_event(b, &event);
	if (r < 0)
		return r;
	r = build(b, &event, 0, ret);
	yaml_event_delete(&event);
	if (r < 0)
		return r;
	r = skip_event(b, YAML_DOCUMENT_END_EVENT, &event);
	if (r < 0)
		return r;
	if (event.type != YAML_STREAM_END_EVENT)
		r = refuse(b, mark_offset(b, &event.start_mark),
			   "a policy file holds one document only");
	yaml_event_delete(&event);
	return r;
}

int yaml_parse(const char *text, size_t size, struct arena *arena, const struct yaml **ret,
	       struct yaml_error *error)
{
	struct builder b = { .arena = arena, .file = text, .size = size, .error = error };
	struct yaml *root = NULL;
	int r;

	if (!yaml_parser_initialize(&b.parser))
		return -ENOMEM;
	/* no guessing: a file that begins like UTF-16 is not a policy */
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, size);
	r = build_document(&b, &root);
	yaml_parser_delete(&b.parser);
	if (r < 0)
		return r;
	*ret = root && yaml_is_null(root) ? NULL : root;
	return 0;
}

/* ---- reading ----------------------------------------------------------- */

const struct yaml *yaml_get(const struct yaml *node, const char *key)
{
	if (!node || node->kind != YAML_IS_MAPPING)
		return NULL;
	for (const struct yaml *entry = node->first; entry; entry = entry->next) {
		if (streq(entry->key->text, key))
			return entry;
	}
	return NULL;
}

bool yaml_is_null(const struct yaml *node)
{
	return node->kind == YAML_IS_SCALAR && node->plain &&
	       (node->size == 0 || streq(node->text, "~") || strcasecmp(node->text, "null") == 0);
}

int yaml_bool(const struct yaml *node, bool *ret)
{
	static const struct {
		const char *name;
		bool value;
	} names[] = {
		{ "true", true },   { "yes", true }, { "on", true },
		{ "false", false }, { "no", false }, { "off", false },
	};

	if (node->kind != YAML_IS_SCALAR || !node->plain)
		return -EINVAL;
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		if (strcasecmp(names[i].name, node->text) == 0) {
			*ret = names[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

int yaml_int(const struct yaml *node, int64_t *ret)
{
	if (node->kind != YAML_IS_SCALAR || !node->plain)
		return -EINVAL;
	return parse_int64(node->text, 10, ret);
}

/* ---- from text back to the file ---------------------------------------- */

static bool visible(char c)
{
	return c != ' ' && c != '\t' && c != '\n' && c != '\r';
}

/* Length of the escape at S in a scalar of this style; 1 = no escape. *ret_visible: whether
 * it stands for a visible character.
 */
static size_t escape_size(const char *s, char style, bool *ret_visible)
{
	*ret_visible = visible(*s);
	if (style == '\'' && s[0] == '\'' && s[1] == '\'')
		return 2;
	if (style != '"' || s[0] != '\\' || s[1] == '\0')
		return 1;
	*ret_visible = !strchr("nrtNLP_ \t\n\r", s[1]);
	switch (s[1]) {
	case 'x': return 4;
	case 'u': return 6;
	case 'U': return 10;
	default: return 2;
	}
}

size_t yaml_file_offset(const struct yaml *node, const char *file, size_t offset)
{
	size_t want = 0, at = node->offset, last = node->offset, size;
	bool counts;

	for (size_t i = 0; i < MIN(offset, node->size); i++) {
		/* an escape may stand for several bytes of one character */
		if (visible(node->text[i]) && !(node->style == '"' && continues(node->text[i])))
			want++;
	}
	if (node->style == '|' || node->style == '>')
		at += strcspn(file + at, "\n");
	else if (node->style)
		at++;
	for (last = at; at < node->end; at += size) {
		size = escape_size(file + at, node->style, &counts);
		if (!counts || (node->style == '"' && continues(file[at])))
			continue;
		if (want == 0)
			return at;
		want--;
		last = at + size;
	}
	return MIN(last, node->end);
}
