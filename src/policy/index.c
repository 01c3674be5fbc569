/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "policy/index.h"

#include <errno.h>

/* What is looked up in a text: it as a whole, or short pieces of it at every place. */
enum { LONG_GRAM = 4, SHORT_GRAM = 2, FILTER_BITS = 1 << 13 };

struct entry {
	uint64_t hash;
	uint32_t next; /* in its bucket, 0 = none */
	uint32_t rule;
	struct secl_string text; /* of texts and parts */
	size_t at;               /* of a part: where its gram is */
};

/* Entry 0 is not used. */
struct table {
	struct entry *entries;
	size_t count, capacity;
	uint32_t *buckets;
	size_t mask;
	uint64_t filter[FILTER_BITS / 64]; /* hashes that are there, for grams */
};

/* One field that atoms are about. */
struct field_index {
	const struct secl_field *field;
	struct table numbers, texts, long_parts, short_parts;
	uint32_t *rules; /* all that rely on it, for when it cannot be loaded */
	size_t nrules, rules_capacity;
};

struct rule_index {
	struct field_index *fields;
	size_t nfields;
	size_t count, words;
	size_t nalways;
	uint64_t *always;
};

static uint64_t mix(uint64_t h)
{
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t hash_text(const char *text, size_t size)
{
	uint64_t h = size, word;

	for (; size >= sizeof word; text += sizeof word, size -= sizeof word) {
		memcpy(&word, text, sizeof word);
		h = mix(h ^ word);
	}
	for (word = 0; size; size--)
		word = word << 8 | (unsigned char)text[size - 1];
	return mix(h ^ word);
}

static uint64_t hash_gram(const char *text, size_t size)
{
	uint32_t word = 0;

	memcpy(&word, text, size);
	return mix(word);
}

static void set_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] |= UINT64_C(1) << i % 64;
}

static bool has_bit(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* ---- tables -------------------------------------------------------------------- */

static void table_free(struct table *table)
{
	free(table->entries);
	free(table->buckets);
}

static void rehash(struct table *table)
{
	memset(table->buckets, 0, (table->mask + 1) * sizeof *table->buckets);
	for (uint32_t i = 1; i <= table->count; i++) {
		uint32_t *bucket = &table->buckets[table->entries[i].hash & table->mask];

		table->entries[i].next = *bucket;
		*bucket = i;
	}
}

static int grow(struct table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : 8;
	struct entry *entries = reallocarray(table->entries, capacity + 1, sizeof *entries);
	uint32_t *buckets;

	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	buckets = reallocarray(table->buckets, capacity, sizeof *buckets);
	if (!buckets)
		return -ENOMEM;
	table->buckets = buckets;
	table->capacity = capacity;
	table->mask = capacity - 1;
	rehash(table);
	return 0;
}

static int table_add(struct table *table, const struct entry *entry)
{
	uint32_t *bucket;
	int r;

	if (table->count == table->capacity) {
		r = grow(table);
		if (r < 0)
			return r;
	}
	bucket = &table->buckets[entry->hash & table->mask];
	table->entries[++table->count] = *entry;
	table->entries[table->count].next = *bucket;
	*bucket = (uint32_t)table->count;
	set_bit(table->filter, entry->hash >> 40 & (FILTER_BITS - 1));
	return 0;
}

/* The first entry that may have HASH; the others are behind it. */
static const struct entry *table_first(const struct table *table, uint64_t hash)
{
	uint32_t i = table->count ? table->buckets[hash & table->mask] : 0;

	return i ? &table->entries[i] : NULL;
}

static const struct entry *table_next(const struct table *table, const struct entry *entry)
{
	return entry->next ? &table->entries[entry->next] : NULL;
}

static bool table_may_have(const struct table *table, uint64_t hash)
{
	return has_bit(table->filter, hash >> 40 & (FILTER_BITS - 1));
}

/* ---- making -------------------------------------------------------------------- */

static size_t gram_load(const struct table *table, uint64_t hash)
{
	size_t load = 0;

	for (const struct entry *e = table_first(table, hash); e; e = table_next(table, e))
		load += e->hash == hash;
	return load;
}

/* The piece of the text that the fewest others are found by: not that of "/usr/bin/". */
static int add_part(struct field_index *field, const struct secl_string *text, uint32_t rule)
{
	size_t gram = text->size < LONG_GRAM ? SHORT_GRAM : LONG_GRAM, least = SIZE_MAX;
	struct table *table = gram == LONG_GRAM ? &field->long_parts : &field->short_parts;
	struct entry entry = { .rule = rule, .text = *text };

	for (size_t at = 0; at + gram <= text->size && least; at++) {
		uint64_t hash = hash_gram(text->text + at, gram);
		size_t load = gram_load(table, hash);

		if (load >= least)
			continue;
		least = load;
		entry.at = at;
		entry.hash = hash;
	}
	return table_add(table, &entry);
}

static int note_rule(struct field_index *field, uint32_t rule)
{
	if (field->nrules && field->rules[field->nrules - 1] == rule)
		return 0;
	if (field->nrules == field->rules_capacity) {
		size_t capacity = field->rules_capacity ? field->rules_capacity * 2 : 8;
		uint32_t *rules = reallocarray(field->rules, capacity, sizeof *rules);

		if (!rules)
			return -ENOMEM;
		field->rules = rules;
		field->rules_capacity = capacity;
	}
	field->rules[field->nrules++] = rule;
	return 0;
}

static struct field_index *find_field(struct rule_index *index, const struct secl_field *field)
{
	struct field_index *fields;

	for (size_t i = 0; i < index->nfields; i++) {
		if (streq(index->fields[i].field->name, field->name))
			return &index->fields[i];
	}
	fields = reallocarray(index->fields, index->nfields + 1, sizeof *fields);
	if (!fields)
		return NULL;
	index->fields = fields;
	fields[index->nfields] = (struct field_index){ .field = field };
	return &fields[index->nfields++];
}

struct maker {
	struct rule_index *index;
	uint32_t rule;
	int result;
};

static void take_atom(void *data, const struct secl_atom *atom)
{
	struct maker *maker = data;
	struct field_index *field = find_field(maker->index, atom->field);
	struct entry entry = { .rule = maker->rule, .text = atom->text };
	int r = field ? note_rule(field, maker->rule) : -ENOMEM;

	if (r == 0 && atom->kind == SECL_ATOM_PART) {
		r = add_part(field, &atom->text, maker->rule);
	} else if (r == 0 && atom->kind == SECL_ATOM_TEXT) {
		entry.hash = hash_text(atom->text.text, atom->text.size);
		r = table_add(&field->texts, &entry);
	} else if (r == 0) {
		entry.hash = (uint64_t)atom->number;
		r = table_add(&field->numbers, &entry);
	}
	if (r < 0)
		maker->result = r;
}

static void always(struct rule_index *index, size_t rule)
{
	index->nalways += !has_bit(index->always, rule);
	set_bit(index->always, rule);
}

int rule_index_new(const struct rule *const *rules, size_t count, struct rule_index **ret)
{
	struct rule_index *index = calloc(1, sizeof *index);
	struct maker maker = { .index = index };

	if (!index)
		return -ENOMEM;
	index->count = count;
	index->words = RULE_INDEX_WORDS(count);
	index->always = calloc(index->words + 1, sizeof *index->always);
	if (!index->always)
		maker.result = -ENOMEM;
	for (size_t i = 0; i < count && maker.result == 0; i++) {
		maker.rule = (uint32_t)i;
		if (!secl_expr_atoms(rules[i]->expr, take_atom, &maker))
			always(index, i);
	}
	if (maker.result < 0) {
		rule_index_free(index);
		return maker.result;
	}
	*ret = index;
	return 0;
}

void rule_index_free(struct rule_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->nfields; i++) {
		table_free(&index->fields[i].numbers);
		table_free(&index->fields[i].texts);
		table_free(&index->fields[i].long_parts);
		table_free(&index->fields[i].short_parts);
		free(index->fields[i].rules);
	}
	free(index->fields);
	free(index->always);
	free(index);
}

size_t rule_index_always(const struct rule_index *index)
{
	return index->nalways;
}

/* ---- looking ------------------------------------------------------------------- */

static void look_number(const struct field_index *field, int64_t number, uint64_t *bits)
{
	const struct table *table = &field->numbers;

	for (const struct entry *e = table_first(table, (uint64_t)number); e;
	     e = table_next(table, e)) {
		if (e->hash == (uint64_t)number)
			set_bit(bits, e->rule);
	}
}

static void look_text(const struct table *table, const struct secl_string *text, uint64_t *bits)
{
	uint64_t hash;

	if (!table->count)
		return;
	hash = hash_text(text->text, text->size);
	for (const struct entry *e = table_first(table, hash); e; e = table_next(table, e)) {
		if (e->hash == hash && e->text.size == text->size &&
		    (!text->size || memcmp(e->text.text, text->text, text->size) == 0))
			set_bit(bits, e->rule);
	}
}

/* The part that has its gram at AT of the text. */
static bool part_is_there(const struct entry *e, const struct secl_string *text, size_t at)
{
	return e->at <= at && at - e->at + e->text.size <= text->size &&
	       memcmp(e->text.text, text->text + at - e->at, e->text.size) == 0;
}

static void look_parts(const struct table *table, size_t gram, const struct secl_string *text,
		       uint64_t *bits)
{
	if (!table->count)
		return;
	for (size_t at = 0; at + gram <= text->size; at++) {
		uint64_t hash = hash_gram(text->text + at, gram);

		if (!table_may_have(table, hash))
			continue;
		for (const struct entry *e = table_first(table, hash); e;
		     e = table_next(table, e)) {
			if (e->hash == hash && part_is_there(e, text, at))
				set_bit(bits, e->rule);
		}
	}
}

/* 0, or -ENOMEM when a text without case does not fit. */
static int look_string(const struct field_index *field, const struct secl_context *ctx,
		       struct secl_string text, uint64_t *bits)
{
	if (field->field->flags & SECL_FIELD_ICASE && text.size) {
		char *folded = arena_alloc(ctx->scratch, text.size);

		if (!folded)
			return -ENOMEM;
		for (size_t i = 0; i < text.size; i++) {
			char c = text.text[i];

			folded[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
		}
		text.text = folded;
	}
	look_text(&field->texts, &text, bits);
	look_parts(&field->long_parts, LONG_GRAM, &text, bits);
	look_parts(&field->short_parts, SHORT_GRAM, &text, bits);
	return 0;
}

static int look_value(const struct field_index *field, const struct secl_context *ctx,
		      const struct secl_value *value, uint64_t *bits)
{
	size_t count = value->array ? value->list.count : 1;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		struct secl_value one = value->array ? secl_value_element(value, i) : *value;

		if (one.type == SECL_STRING)
			r = look_string(field, ctx, one.string, bits);
		else
			look_number(field, one.type == SECL_BOOL ? one.boolean : one.integer, bits);
	}
	return r;
}

void rule_index_look(const struct rule_index *index, const struct secl_context *ctx, uint64_t *bits)
{
	size_t mark = arena_mark(ctx->scratch);

	memcpy(bits, index->always, index->words * sizeof *bits);
	for (size_t i = 0; i < index->nfields; i++) {
		const struct field_index *field = &index->fields[i];
		struct secl_value value = { .type = SECL_NONE };
		int r = ctx->schema->load(ctx, field->field, -1, &value);

		if (r == 0 && value.type == field->field->type)
			r = look_value(field, ctx, &value, bits);
		else if (r == 0)
			r = -EPROTO;
		/* the evaluation of each finds out what that means for it */
		for (size_t k = 0; r < 0 && k < field->nrules; k++)
			set_bit(bits, field->rules[k]);
		arena_release(ctx->scratch, mark);
	}
}
