/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/field.h"

#include <errno.h>

#include "base/nearest.h"
#include "model/consts.h"
#include "model/derive.h"
#include "model/field_rows.h"

/* ---- the rows ----------------------------------------------------------- */

#define T(trait) (1ull << TRAIT_##trait)

#define SAME                 .way = WAY_SAME
#define INSIDE(type, member) .way = WAY_INSIDE, .offset = offsetof(struct type, member)
#define BEHIND(type, member) .way = WAY_BEHIND, .offset = offsetof(struct type, member)
#define IMAGE(member)        .way = WAY_IMAGE, .offset = offsetof(struct image, member)
#define EACH                 .way = WAY_EACH
#define ABSENT               .way = WAY_ABSENT
#define UNWATCHED            .way = WAY_UNWATCHED

const struct link_row field_links[] = {
#define LINK(owner_, name_, traits_, event_, flags_, needs_, ...)                                  \
	{ .owner = TRAIT_##owner_,                                                                 \
	  .name = name_,                                                                           \
	  .traits = traits_,                                                                       \
	  .event = EVENT_##event_,                                                                 \
	  .flags = flags_,                                                                         \
	  .needs = needs_,                                                                         \
	  __VA_ARGS__ },
#include "model/fields.def"
#undef LINK
};
const size_t nfield_links = ELEMENTS(field_links);

/* The offset of a member; does not compile unless the member is a CTYPE. */
#define MEMBER(ctype, type, member)                                                                \
	(offsetof(struct type, member) +                                                           \
	 0 * sizeof(char[__builtin_types_compatible_p(ctype,                                       \
						      __typeof__(((struct type *)NULL)->member))   \
				 ? 1                                                               \
				 : -1]))

#define CTYPE_BOOL   bool
#define CTYPE_I32    int32_t
#define CTYPE_U16    uint16_t
#define CTYPE_U32    uint32_t
#define CTYPE_U64    uint64_t
#define CTYPE_I64    int64_t
#define CTYPE_STRING struct secl_string
#define CTYPE_NET    struct secl_net

#define AT(kind_, type, member) .kind = VALUE_##kind_, .offset = MEMBER(CTYPE_##kind_, type, member)
#define USER(type, member)      .kind = VALUE_USER, .offset = MEMBER(uint32_t, type, member)
#define GROUP(type, member)     .kind = VALUE_GROUP, .offset = MEMBER(uint32_t, type, member)
#define BIT(mask)               .kind = VALUE_BIT, .offset = (mask)
#define CALL(function)          .kind = VALUE_CALL, .call = (function)
#define NOTHING                 .kind = VALUE_NOTHING

enum weight { PLAIN = 5, NAMED = 50, DERIVED = 200, ITERATED = 2000, COSTLY = 9999 };

const struct leaf_row field_leaves[] = {
#define LEAF(owner_, name_, type_, flags_, weight_, needs_, ...)                                   \
	{ .owner = TRAIT_##owner_,                                                                 \
	  .name = name_,                                                                           \
	  .type = SECL_##type_,                                                                    \
	  .flags = flags_,                                                                         \
	  .weight = weight_,                                                                       \
	  .needs = needs_,                                                                         \
	  __VA_ARGS__ },
#include "model/fields.def"
#undef LEAF
};
const size_t nfield_leaves = ELEMENTS(field_leaves);

_Static_assert(ELEMENTS(field_links) < STEP_ROOT_DOMAIN &&
		       ELEMENTS(field_leaves) < STEP_ROOT_DOMAIN,
	       "steps are indices below the suffixes");

static const struct {
	const char *text;
	unsigned flag; /* of a leaf that may have it; 0 = all */
	unsigned step;
} suffixes[] = {
	{ "", 0, 0 },
	{ ".length", FIELD_LENGTH, STEP_LENGTH },
	{ ".root_domain", FIELD_ROOT_DOMAIN, STEP_ROOT_DOMAIN },
};

/* An id is the position here plus one. */
static const char *const iterators[] = {
	"process.ancestors",          "ptrace.tracee.ancestors",    "signal.target.ancestors",
	"setrlimit.target.ancestors", "network_flow_monitor.flows",
};

/* ---- walking over the names --------------------------------------------- */

struct walk {
	void (*visit)(void *data, const struct secl_field *field);
	void *data;
};

static bool append_name(struct secl_field *field, const char *text, const char *suffix)
{
	size_t length = strlen(field->name), size = strlen(text), extra = strlen(suffix);

	if (length + 1 + size + extra > SECL_NAME_MAX)
		return false;
	if (length)
		field->name[length++] = '.';
	memcpy(field->name + length, text, size);
	memcpy(field->name + length + size, suffix, extra + 1);
	return true;
}

static bool append_step(struct secl_field *field, unsigned step)
{
	if (field->nsteps >= SECL_FIELD_MAX_STEPS)
		return false;
	field->steps[field->nsteps++] = (uint16_t)step;
	return true;
}

/* Only the program of the acting process is also known by the symlinks that it
 * was started through (specification 6.6), not that of parent or ancestors.
 */
static bool has_aliases(const struct secl_field *field, const struct leaf_row *leaf)
{
	return (leaf->flags & FIELD_ALIASABLE) && field->nsteps == 2 &&
	       (field_links[field->steps[0]].flags & FIELD_SELF) &&
	       (field_links[field->steps[1]].flags & FIELD_PROGRAM);
}

static bool make_field(const struct secl_field *way, size_t leaf_index, size_t suffix_index,
		       struct secl_field *ret)
{
	const struct leaf_row *leaf = &field_leaves[leaf_index];
	unsigned suffix = suffixes[suffix_index].step;

	*ret = *way;
	ret->type = leaf->type;
	ret->flags |= leaf->flags & FIELD_SECL_FLAGS;
	ret->max_literal = leaf->flags >> FIELD_MAX_SHIFT;
	ret->weight += leaf->weight;
	ret->needs |= leaf->needs;
	if (has_aliases(way, leaf))
		ret->flags |= SECL_FIELD_ALIASES;
	if (suffix == STEP_LENGTH) {
		ret->type = SECL_INT;
		ret->flags &= SECL_FIELD_ARRAY | SECL_FIELD_ITERATOR;
	} else if (suffix == STEP_ROOT_DOMAIN) {
		ret->flags &= SECL_FIELD_ARRAY | SECL_FIELD_ITERATOR | SECL_FIELD_ICASE;
	}
	return append_name(ret, leaf->name, suffixes[suffix_index].text) &&
	       append_step(ret, (unsigned)leaf_index) && (!suffix || append_step(ret, suffix));
}

/* Is REST this leaf with this suffix? NULL is every one. */
static bool is_leaf(const char *rest, const struct leaf_row *leaf, size_t suffix)
{
	size_t size = strlen(leaf->name);

	if (suffixes[suffix].flag && !(leaf->flags & suffixes[suffix].flag))
		return false;
	return !rest ||
	       (strncmp(rest, leaf->name, size) == 0 && streq(rest + size, suffixes[suffix].text));
}

/* Most rows are out of the question at their first byte. */
static bool may_be(const char *rest, const char *name)
{
	return !rest || *rest == *name;
}

static bool follow_link(const struct secl_field *way, size_t index, struct secl_field *ret)
{
	const struct link_row *link = &field_links[index];

	*ret = *way;
	if (!append_name(ret, link->name, "") || !append_step(ret, (unsigned)index))
		return false;
	ret->needs |= link->needs;
	if (link->event)
		ret->event = link->event;
	if (!(link->flags & FIELD_EACH))
		return true;
	ret->flags |= SECL_FIELD_ITERATOR;
	ret->weight += ITERATED;
	for (size_t i = 0; i < ELEMENTS(iterators); i++)
		if (streq(ret->name, iterators[i]))
			ret->iterator = (uint8_t)(i + 1);
	return true;
}

/* Visits the fields that begin as WAY does, at a thing with TRAITS. With REST,
 * only the one that ends so. Depth and breadth are those of the tables: no
 * trait leads back to itself.
 */
static void walk_names(const struct walk *walk, const struct secl_field *way, uint64_t traits,
		       const char *rest)
{
	struct secl_field next;

	for (size_t i = 0; i < nfield_leaves; i++) {
		if (!(traits >> field_leaves[i].owner & 1) || !may_be(rest, field_leaves[i].name))
			continue;
		for (size_t s = 0; s < ELEMENTS(suffixes); s++)
			if (is_leaf(rest, &field_leaves[i], s) && make_field(way, i, s, &next))
				walk->visit(walk->data, &next);
	}
	for (size_t i = 0; i < nfield_links; i++) {
		const struct link_row *link = &field_links[i];
		size_t size;

		if (!(traits >> link->owner & 1) || !may_be(rest, link->name))
			continue;
		size = strlen(link->name);
		if (rest && (strncmp(rest, link->name, size) != 0 || rest[size] != '.'))
			continue;
		if (follow_link(way, i, &next))
			walk_names(walk, &next, link->traits, rest ? rest + size + 1 : NULL);
	}
}

void field_each(void (*visit)(void *data, const struct secl_field *field), void *data)
{
	walk_names(&(struct walk){ visit, data }, &(struct secl_field){ 0 }, T(ROOT), NULL);
}

/* ---- legacy names (specification 16) ------------------------------------ */

#define OF_FILE(thing)                                                                             \
	{ thing ".filename", thing ".file.path" },                                                 \
	{                                                                                          \
		thing ".basename", thing ".file.name"                                              \
	}
#define OF_XATTR(event)                                                                            \
	{ event ".namespace", event ".file.destination.namespace" },                               \
	{                                                                                          \
		event ".name", event ".file.destination.name"                                      \
	}
/* a file that had a name of its own, whole and by its old parts */
#define OF_OTHER(thing, file)                                                                      \
	{ thing ".filename", file ".path" }, { thing ".basename", file ".name" },                  \
	{                                                                                          \
		thing ".", file "."                                                                \
	}

/* A row that ends in a dot is about every name that begins so. */
static const struct {
	const char *old, *name;
} legacy[] = {
	{ "async", "event.async" },
	OF_FILE("chmod"),
	OF_FILE("chown"),
	OF_FILE("open"),
	OF_FILE("mkdir"),
	OF_FILE("rmdir"),
	OF_FILE("unlink"),
	OF_FILE("utimes"),
	OF_FILE("setxattr"),
	OF_FILE("removexattr"),
	OF_FILE("exec"),
	OF_FILE("process"),
	OF_FILE("process.ancestors"),
	{ "chmod.mode", "chmod.file.destination.mode" },
	{ "open.mode", "open.file.destination.mode" },
	{ "mkdir.mode", "mkdir.file.destination.mode" },
	{ "chown.uid", "chown.file.destination.uid" },
	{ "chown.gid", "chown.file.destination.gid" },
	{ "chown.user", "chown.file.destination.user" },
	{ "chown.group", "chown.file.destination.group" },
	OF_OTHER("rename.old", "rename.file"),
	OF_OTHER("rename.new", "rename.file.destination"),
	OF_OTHER("link.source", "link.file"),
	OF_OTHER("link.target", "link.file.destination"),
	OF_XATTR("setxattr"),
	OF_XATTR("removexattr"),
	{ "exec.name", "exec.comm" },
	{ "process.name", "process.comm" },
	{ "process.ancestors.name", "process.ancestors.comm" },
};

/* The name of today for NAME, in BUF when it changed; NULL when it would be too
 * long.
 */
static const char *today(const char *name, char buf[SECL_NAME_MAX + 1])
{
	for (size_t i = 0; i < ELEMENTS(legacy); i++) {
		size_t size = strlen(legacy[i].old);
		bool prefix = legacy[i].old[size - 1] == '.';
		const char *rest = name + size;

		if (strncmp(name, legacy[i].old, size) != 0 || (!prefix && *rest))
			continue;
		size = strlen(legacy[i].name);
		if (size + strlen(rest) > SECL_NAME_MAX)
			return NULL;
		memcpy(buf, legacy[i].name, size);
		memcpy(buf + size, rest, strlen(rest) + 1);
		return buf;
	}
	return name;
}

/* ---- the schema --------------------------------------------------------- */

struct found {
	struct secl_field *ret;
	bool any;
};

static void take_found(void *data, const struct secl_field *field)
{
	struct found *found = data;

	*found->ret = *field;
	found->any = true;
}

struct hint {
	struct nearest nearest;
	char name[SECL_NAME_MAX + 1];
};

static void offer_hint(void *data, const struct secl_field *field)
{
	struct hint *hint = data;

	nearest_offer(&hint->nearest, field->name);
	/* composed names live only as long as this call */
	if (hint->nearest.best == field->name)
		hint->nearest.best = strcpy(hint->name, field->name);
}

static int find(const struct secl_schema *self UNUSED, const char *name, struct secl_field *ret,
		const char **ret_hint)
{
	struct found found = { .ret = ret };
	struct walk walk = { take_found, &found };
	char buf[SECL_NAME_MAX + 1];
	const char *now = today(name, buf), *best;

	if (now)
		walk_names(&walk, &(struct secl_field){ 0 }, T(ROOT), now);
	if (found.any)
		return 0;
	if (ret_hint) {
		struct hint hint = { .nearest = NEAREST(name) };

		field_each(offer_hint, &hint);
		best = nearest_result(&hint.nearest);
		*ret_hint = best ? strcpy(ret->name, best) : NULL;
	}
	return -ENOENT;
}

static int constant(const struct secl_schema *self UNUSED, const char *name, struct secl_value *ret)
{
	return constant_find(name, ret);
}

static const char *event_name(const struct secl_schema *self UNUSED, unsigned event)
{
	return event_type_name((enum event_type)event);
}

/* Number of steps that are links. */
static unsigned count_links(const struct secl_field *field)
{
	return field->nsteps - (field->steps[field->nsteps - 1] >= STEP_ROOT_DOMAIN ? 2 : 1);
}

/* Of the image of a process, which is what it was at the exec and never read again. */
static bool of_image(const struct secl_field *field, unsigned first)
{
	unsigned suffix, links = count_links(field);
	const uint64_t strings = NEED_ARGV | NEED_ENVP;
	const struct leaf_row *leaf = field_leaf(field, &suffix);

	for (unsigned i = first; i < links; i++)
		if (field_links[field->steps[i]].way != WAY_IMAGE)
			return false;
	/* names of users may change at any time */
	return leaf->kind != VALUE_NOTHING && leaf->kind != VALUE_USER &&
	       leaf->kind != VALUE_GROUP &&
	       (links > first || (leaf->needs && !(leaf->needs & ~strings)));
}

static enum secl_lasting lasting(const struct secl_field *field)
{
	enum way way;

	if (count_links(field) < 2 || !(field_links[field->steps[0]].flags & FIELD_SELF) ||
	    !of_image(field, 2))
		return SECL_PASSING;
	way = field_links[field->steps[1]].way;
	if (way == WAY_EACH)
		return SECL_OF_ANCESTORS;
	return way == WAY_BEHIND ? SECL_OF_PARENT : SECL_PASSING;
}

const struct secl_schema event_schema = {
	.find = find,
	.constant = constant,
	.load = field_load,
	.count = field_count,
	.event_name = event_name,
	.lasting = lasting,
};

/* ---- about fields ------------------------------------------------------- */

const char *field_iterator_name(unsigned iterator)
{
	return iterator && iterator <= ELEMENTS(iterators) ? iterators[iterator - 1] : NULL;
}

const struct leaf_row *field_leaf(const struct secl_field *field, unsigned *ret_suffix)
{
	unsigned last = field->steps[field->nsteps - 1];

	*ret_suffix = last >= STEP_ROOT_DOMAIN ? last : 0;
	return &field_leaves[*ret_suffix ? field->steps[field->nsteps - 2] : last];
}

bool field_available(const struct secl_field *field)
{
	unsigned suffix;

	for (unsigned i = 0; i < count_links(field); i++) {
		enum way way = field_links[field->steps[i]].way;

		if (way == WAY_ABSENT || way == WAY_UNWATCHED)
			return false;
	}
	return field_leaf(field, &suffix)->kind != VALUE_NOTHING;
}

bool field_allowed(const struct secl_field *field, enum event_type type)
{
	if (field->event)
		return field->event == type;
	if (field_links[field->steps[0]].flags & FIELD_RESTRICTED)
		return type == EVENT_DNS || type == EVENT_IMDS || type == EVENT_PACKET;
	return true;
}
