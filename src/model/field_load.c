/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of fields: follows the steps that field.c resolved a name into. */
#include "config.h"

#include "model/field.h"

#include <errno.h>

#include "model/derive.h"
#include "model/field_rows.h"
#include "model/idnames.h"

/* ---- one step ----------------------------------------------------------- */

/* What LINK leads to from OWNER, which is not NULL; NULL for nothing. EACH is
 * answered by the caller.
 */
static const void *follow(const struct link_row *link, const void *owner)
{
	const char *base = owner;

	switch (link->way) {
	case WAY_SAME: return base;
	case WAY_INSIDE: return base + link->offset;
	case WAY_BEHIND: return *(const void *const *)(const void *)(base + link->offset);
	case WAY_IMAGE: {
		const struct image *image = ((const struct process *)owner)->image;

		return image ? (const char *)image + link->offset : NULL;
	}
	default: return NULL;
	}
}

static void read_member(const struct leaf_row *leaf, const void *member, const struct derive *d,
			struct secl_value *ret)
{
	const struct idnames *names = d->source->names;

	switch (leaf->kind) {
	case VALUE_BOOL: ret->boolean = *(const bool *)member; break;
	case VALUE_I32: ret->integer = *(const int32_t *)member; break;
	case VALUE_U16: ret->integer = *(const uint16_t *)member; break;
	case VALUE_U32: ret->integer = *(const uint32_t *)member; break;
	/* numbers of rules are signed: inode numbers above 2^63 come out negative */
	case VALUE_U64: ret->integer = (int64_t) * (const uint64_t *)member; break;
	case VALUE_I64: ret->integer = *(const int64_t *)member; break;
	case VALUE_STRING: ret->string = *(const struct secl_string *)member; break;
	case VALUE_NET: ret->net = *(const struct secl_net *)member; break;
	case VALUE_USER: ret->string = idnames_user(names, *(const uint32_t *)member); break;
	case VALUE_GROUP: ret->string = idnames_group(names, *(const uint32_t *)member); break;
	default: break;
	}
}

/* The value of LEAF in OWNER; NULL gives zero values. */
static int read_leaf(const struct leaf_row *leaf, const void *owner, const struct derive *d,
		     struct secl_value *ret)
{
	*ret = (struct secl_value){ .type = leaf->type, .array = leaf->flags & SECL_FIELD_ARRAY };
	if (!owner || leaf->kind == VALUE_NOTHING)
		return 0;
	if (leaf->kind == VALUE_CALL)
		return leaf->call(d, owner, ret);
	if (leaf->kind == VALUE_BIT)
		ret->boolean = ((const struct process *)owner)->flags & leaf->offset;
	else
		read_member(leaf, (const char *)owner + leaf->offset, d, ret);
	return 0;
}

/* ---- suffixes ----------------------------------------------------------- */

static int lengths(struct arena *scratch, struct secl_value *value)
{
	int64_t *list;

	if (!value->array) {
		value->integer = (int64_t)value->string.size;
		value->type = SECL_INT;
		return 0;
	}
	list = arena_alloc(scratch, (value->list.count + 1) * sizeof *list);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < value->list.count; i++)
		list[i] = (int64_t)value->list.strings[i].size;
	value->list.integers = list;
	value->type = SECL_INT;
	return 0;
}

static bool contains(const struct secl_string *list, size_t count, struct secl_string s)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].size == s.size && memcmp(list[i].text, s.text, s.size) == 0)
			return true;
	return false;
}

/* Each once, so a list of names in one domain is one element. The number of
 * host names of an address is small by nature and bounded by who reads them.
 */
static int root_domains(struct arena *scratch, struct secl_value *value)
{
	struct secl_string *list;
	size_t count = 0;

	if (!value->array) {
		value->string = field_root_domain(value->string);
		return 0;
	}
	list = arena_alloc(scratch, (value->list.count + 1) * sizeof *list);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < value->list.count; i++) {
		struct secl_string domain = field_root_domain(value->list.strings[i]);

		if (!contains(list, count, domain))
			list[count++] = domain;
	}
	value->list.strings = list;
	value->list.count = count;
	return 0;
}

/* ---- a whole way -------------------------------------------------------- */

/* The value at the end of FIELD's steps, from step FIRST at OWNER on. */
static int load_from(const struct derive *d, const struct secl_field *field, unsigned first,
		     const void *owner, struct secl_value *ret)
{
	unsigned suffix;
	const struct leaf_row *leaf = field_leaf(field, &suffix);
	unsigned links = field->nsteps - (suffix ? 2u : 1u);
	int r;

	for (unsigned i = first; i < links && owner; i++)
		owner = follow(&field_links[field->steps[i]], owner);
	r = read_leaf(leaf, owner, d, ret);
	if (r < 0 || !suffix)
		return r;
	return suffix == STEP_LENGTH ? lengths(d->scratch, ret) : root_domains(d->scratch, ret);
}

/* One of the symlinks a program was started through, as the leaf shows it. */
static struct secl_string show_alias(const struct leaf_row *leaf, struct secl_string alias)
{
	return leaf->kind == VALUE_CALL ? path_basename(alias) : alias;
}

/* Makes a list of VALUE and the symlinks, when there are any. */
static int add_aliases(const struct derive *d, const struct secl_field *field,
		       struct secl_value *value)
{
	unsigned suffix;
	const struct leaf_row *leaf = field_leaf(field, &suffix);
	const struct process *process = d->source->event->process;
	const struct image *image = process ? process->image : NULL;
	struct secl_string *list;
	size_t count = 1;

	if (!image || (!image->aliases[0].size && !image->aliases[1].size))
		return 0;
	list = arena_alloc(d->scratch, (1 + ELEMENTS(image->aliases)) * sizeof *list);
	if (!list)
		return -ENOMEM;
	list[0] = value->string;
	for (size_t i = 0; i < ELEMENTS(image->aliases); i++)
		if (image->aliases[i].size)
			list[count++] = show_alias(leaf, image->aliases[i]);
	*value = (struct secl_value){ .type = SECL_STRING, .array = true };
	value->list.strings = list;
	value->list.count = count;
	return 0;
}

/* ---- iterators ---------------------------------------------------------- */

int count_ancestors(const struct process *process)
{
	int count = 0;

	for (const struct process *p = process->parent; p; p = p->parent)
		count++;
	return count;
}

/* Ancestor ELEMENT of START, NULL beyond the last. Goes on from where the
 * cursor stands when that is not behind it.
 */
static const struct process *ancestor_at(const struct process *start, int element,
					 struct field_cursor *cursor)
{
	const struct process *p = start->parent;
	int i = 0;

	if (cursor && cursor->start == start && cursor->at && cursor->element <= element) {
		p = cursor->at;
		i = cursor->element;
	}
	for (; p && i < element; i++)
		p = p->parent;
	if (cursor && p)
		*cursor = (struct field_cursor){ .start = start, .at = p, .element = element };
	return p;
}

static size_t element_size(enum secl_type type)
{
	switch (type) {
	case SECL_BOOL: return sizeof(bool);
	case SECL_INT: return sizeof(int64_t);
	case SECL_STRING: return sizeof(struct secl_string);
	default: return sizeof(struct secl_net);
	}
}

/* Scalars and lists of one type end to end, as one list. */
static int concatenate(struct arena *scratch, const struct secl_value *values, size_t count,
		       struct secl_value *ret)
{
	size_t size = element_size(ret->type), total = 0;
	char *out;

	for (size_t i = 0; i < count; i++)
		total += values[i].array ? values[i].list.count : 1;
	out = arena_alloc(scratch, (total + 1) * size);
	if (!out)
		return -ENOMEM;
	ret->list.strings = (const void *)out;
	ret->list.count = total;
	for (size_t i = 0; i < count; i++) {
		const struct secl_value *v = &values[i];
		size_t n = v->array ? v->list.count : 1;

		if (n)
			memcpy(out, v->array ? (const void *)v->list.strings : &v->string,
			       n * size);
		out += n * size;
	}
	return 0;
}

/* The values of all ancestors in one list, each visited once. */
static int load_all(const struct derive *d, const struct secl_field *field, unsigned next,
		    const struct process *start, struct secl_value *ret)
{
	size_t all = (size_t)count_ancestors(start), count = 0;
	struct secl_value *values = arena_alloc_raw(d->scratch, (all + 1) * sizeof *values);

	if (!values)
		return -ENOMEM;
	for (const struct process *p = start->parent; p; p = p->parent) {
		int r = load_from(d, field, next, p, &values[count]);

		if (r < 0)
			return r;
		count++;
	}
	*ret = (struct secl_value){ .type = field->type, .array = true };
	return concatenate(d->scratch, values, count, ret);
}

static int load_iterated(const struct derive *d, const struct secl_field *field, int element,
			 struct secl_value *ret)
{
	const void *owner = d->source->event;
	const struct process *found;
	unsigned i = 0;

	for (; owner && field_links[field->steps[i]].way != WAY_EACH; i++)
		owner = follow(&field_links[field->steps[i]], owner);
	if (!owner)
		return -EOPNOTSUPP;
	if (element < 0)
		return load_all(d, field, i + 1, owner, ret);
	found = ancestor_at(owner, element, d->source->cursor);
	return load_from(d, field, i + 1, found, ret);
}

/* ---- the schema --------------------------------------------------------- */

int field_load(const struct secl_context *ctx, const struct secl_field *field, int element,
	       struct secl_value *ret)
{
	const struct field_source *source = ctx->event;
	struct derive d = { .source = source, .scratch = ctx->scratch };
	int r;

	if (field->event && field->event != (unsigned)source->event->type)
		return -EOPNOTSUPP;
	if (field_links[field->steps[0]].way == WAY_UNWATCHED)
		return -EOPNOTSUPP;
	if (field->iterator)
		return load_iterated(&d, field, element, ret);
	r = load_from(&d, field, 0, source->event, ret);
	if (r < 0 || !(field->flags & SECL_FIELD_ALIASES))
		return r;
	return add_aliases(&d, field, ret);
}

const struct file_info *field_file(const struct secl_field *field, const struct event *event,
				   const struct process **ret_process)
{
	const void *owner = event;

	*ret_process = event->process;
	for (unsigned i = 0; i + 1 < field->nsteps && owner; i++) {
		const struct link_row *link = &field_links[field->steps[i]];

		if (link->way == WAY_IMAGE)
			*ret_process = owner;
		owner = follow(link, owner);
	}
	return owner;
}

int field_count(const struct secl_context *ctx, unsigned iterator)
{
	const struct field_source *source = ctx->event;
	const char *name = field_iterator_name(iterator);

	/* the other iterators belong to event types that are not watched */
	if (!name || !streq(name, "process.ancestors"))
		return 0;
	return source->event->process ? count_ancestors(source->event->process) : 0;
}
