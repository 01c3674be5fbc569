/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "policy/index.h"

#include <errno.h>

#include "policy/trigger.h"

/* What is looked up in a text: it as a whole, or short pieces of it. Of a long part pieces
 * at as many places as one stands behind the other are known, so that only each so-manyth
 * place of a text has to be looked at; of a short one, one piece.
 */
enum {
	LONG_GRAM = 4,
	STRIDE = 4,
	LONG_PART = LONG_GRAM + STRIDE - 1,
	SHORT_GRAM = 2,
	FILTER_FACTOR = 16, /* bits of a filter for each entry */
	LOAD_MAX = 64,      /* more of the same hash are not counted */
};

struct entry {
	uint64_t hash; /* of a number: itself */
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
	uint64_t *filter; /* hashes that are there, by their upper bits */
	unsigned shift;   /* how many lower ones are not used */
	uint64_t lengths; /* of texts, bit 63 for all longer ones */
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
	struct triggers *triggers;
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
	return word * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t length_bit(size_t size)
{
	return UINT64_C(1) << MIN(size, (size_t)63);
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
	free(table->filter);
}

/* Grams are hashed so that the upper bits are good, numbers not at all. */
static size_t bucket_of(const struct table *table, uint64_t hash)
{
	return (hash >> 32 ^ hash) & table->mask;
}

static void link_entry(struct table *table, uint32_t i)
{
	struct entry *e = &table->entries[i];
	uint32_t *bucket = &table->buckets[bucket_of(table, e->hash)];

	e->next = *bucket;
	*bucket = i;
	set_bit(table->filter, e->hash >> table->shift);
}

static int grow(struct table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : 8;
	size_t bits = MAX(capacity * FILTER_FACTOR, (size_t)1024);
	struct entry *entries = reallocarray(table->entries, capacity + 1, sizeof *entries);
	uint32_t *buckets;
	uint64_t *filter;

	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	buckets = reallocarray(table->buckets, capacity, sizeof *buckets);
	if (!buckets)
		return -ENOMEM;
	table->buckets = buckets;
	filter = reallocarray(table->filter, bits / 64, sizeof *filter);
	if (!filter)
		return -ENOMEM;
	table->filter = filter;
	table->capacity = capacity;
	table->mask = capacity - 1;
	table->shift = 64 - (unsigned)__builtin_ctzll(bits);
	memset(buckets, 0, capacity * sizeof *buckets);
	memset(filter, 0, bits / 8);
	for (uint32_t i = 1; i <= table->count; i++)
		link_entry(table, i);
	return 0;
}

static int table_add(struct table *table, const struct entry *entry)
{
	int r = table->count == table->capacity ? grow(table) : 0;

	if (r < 0)
		return r;
	table->entries[++table->count] = *entry;
	table->lengths |= length_bit(entry->text.size);
	link_entry(table, (uint32_t)table->count);
	return 0;
}

/* The first entry that may have HASH; the others are behind it. */
static const struct entry *table_first(const struct table *table, uint64_t hash)
{
	uint32_t i = table->count ? table->buckets[bucket_of(table, hash)] : 0;

	return i ? &table->entries[i] : NULL;
}

static const struct entry *table_next(const struct table *table, const struct entry *entry)
{
	return entry->next ? &table->entries[entry->next] : NULL;
}

/* ---- making -------------------------------------------------------------------- */

static size_t gram_load(const struct table *table, uint64_t hash)
{
	size_t load = 0;

	for (const struct entry *e = table_first(table, hash); e && load < LOAD_MAX;
	     e = table_next(table, e))
		load += e->hash == hash;
	return load;
}

/* The place of TEXT where COUNT grams stand one behind the other by which the fewest others
 * are found: not those of "/usr/bin/".
 */
static size_t best_place(const struct table *table, const struct secl_string *text, size_t gram,
			 size_t count)
{
	size_t best = 0, least = SIZE_MAX, load = 0, run = 0;

	/* the sum over a window */
	for (size_t at = 0; at + gram <= text->size && least; at++) {
		load += gram_load(table, hash_gram(text->text + at, gram));
		if (++run > count)
			load -= gram_load(table, hash_gram(text->text + at - count, gram));
		if (run >= count && load < least) {
			least = load;
			best = at + 1 - count;
		}
	}
	return best;
}

static int add_part(struct field_index *field, const struct secl_string *text, uint32_t rule)
{
	bool is_long = text->size >= LONG_PART;
	size_t gram = is_long ? LONG_GRAM : SHORT_GRAM, count = is_long ? STRIDE : 1;
	struct table *table = is_long ? &field->long_parts : &field->short_parts;
	size_t place = best_place(table, text, gram, count);
	int r = 0;

	for (size_t at = place; at < place + count && r == 0; at++) {
		const struct entry entry = { .rule = rule,
					     .text = *text,
					     .at = at,
					     .hash = hash_gram(text->text + at, gram) };

		r = table_add(table, &entry);
	}
	return r;
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
	struct field_index *field;
	struct entry entry = { .rule = maker->rule, .text = atom->text };
	int r;

	if (atom->kind == SECL_ATOM_PREDICATE) {
		r = triggers_add(maker->index->triggers, atom->predicate, atom->negated,
				 maker->rule);
		maker->result = r < 0 ? r : maker->result;
		return;
	}
	field = find_field(maker->index, atom->field);
	r = field ? note_rule(field, maker->rule) : -ENOMEM;
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
	maker.result = index->always ? triggers_new(&index->triggers) : -ENOMEM;
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
	triggers_free(index->triggers);
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

	if (!(table->lengths & length_bit(text->size)))
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

static void look_gram(const struct table *table, uint64_t hash, const struct secl_string *text,
		      size_t at, uint64_t *bits)
{
	for (const struct entry *e = table_first(table, hash); e; e = table_next(table, e)) {
		if (e->hash == hash && part_is_there(e, text, at))
			set_bit(bits, e->rule);
	}
}

/* Inlined: the sizes are constant. */
static inline void look_parts(const struct table *table, size_t gram, size_t stride,
			      const struct secl_string *text, uint64_t *bits)
{
	if (!table->count)
		return;
	for (size_t at = 0; at + gram <= text->size; at += stride) {
		uint64_t hash = hash_gram(text->text + at, gram);

		if (has_bit(table->filter, hash >> table->shift))
			look_gram(table, hash, text, at, bits);
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
	look_parts(&field->long_parts, LONG_GRAM, STRIDE, &text, bits);
	look_parts(&field->short_parts, SHORT_GRAM, 1, &text, bits);
	return 0;
}

static int look_strings(const struct field_index *field, const struct secl_context *ctx,
			const struct secl_string *strings, size_t count, uint64_t *bits)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = look_string(field, ctx, strings[i], bits);
	return r;
}

static int look_value(const struct field_index *field, const struct secl_context *ctx,
		      const struct secl_value *value, uint64_t *bits)
{
	size_t count = value->array ? value->list.count : 1;

	if (value->type == SECL_STRING)
		return look_strings(field, ctx, value->array ? value->list.strings : &value->string,
				    count, bits);
	for (size_t i = 0; i < count; i++) {
		struct secl_value one = value->array ? secl_value_element(value, i) : *value;

		look_number(field, one.type == SECL_BOOL ? one.boolean : one.integer, bits);
	}
	return 0;
}

void rule_index_look(const struct rule_index *index, const struct secl_context *ctx, uint64_t *bits)
{
	memcpy(bits, index->always, index->words * sizeof *bits);
	for (size_t i = 0; i < index->nfields; i++) {
		const struct field_index *field = &index->fields[i];
		size_t mark = arena_mark(ctx->scratch);
		unsigned pins = ctx->memo ? ctx->memo->pins : 0;
		struct secl_value value = { .type = SECL_NONE };
		int r = secl_load(ctx, field->field, &value);

		if (r == 0 && value.type == field->field->type)
			r = look_value(field, ctx, &value, bits);
		else if (r == 0)
			r = -EPROTO;
		/* the evaluation of each finds out what that means for it */
		for (size_t k = 0; r < 0 && k < field->nrules; k++)
			set_bit(bits, field->rules[k]);
		if (!ctx->memo || ctx->memo->pins == pins)
			arena_release(ctx->scratch, mark);
	}
	triggers_look(index->triggers, ctx, bits);
}
