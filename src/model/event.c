/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/event.h"

static const struct {
	const char *name, *category, *source;
	enum guarantee guarantee;
} events[] = {
#define EVENT(id, name, category, source, guarantee)                                               \
	[EVENT_##id] = { name, category, source, GUARANTEE_##guarantee },
#include "model/events.def"
#undef EVENT
};

static const char *const verdicts[] = {
#define VERDICT(id, name) [VERDICT_##id] = (name),
#include "model/verdict.def"
#undef VERDICT
};

struct described {
	const char *name, *text;
};

static const struct described reasons[] = {
#define REASON(id, name, text) [REASON_##id] = { name, text },
#include "model/reason.def"
#undef REASON
};

static const struct described guarantees[] = {
#define GUARANTEE(id, name, text) [GUARANTEE_##id] = { name, text },
#include "model/guarantee.def"
#undef GUARANTEE
};

static const char *const hashes[] = {
#define HASH(id, name) [HASH_##id] = (name),
#include "model/hash.def"
#undef HASH
};

static const char *const hash_states[] = {
#define HASH_STATE(id, name) [HASH_STATE_##id] = (name),
#include "model/hash.def"
#undef HASH_STATE
};

static bool is_event(enum event_type type)
{
	return type > EVENT_NONE && type < EVENT_COUNT;
}

const char *event_type_name(enum event_type type)
{
	return is_event(type) ? events[type].name : "";
}

const char *event_type_category(enum event_type type)
{
	return is_event(type) ? events[type].category : "";
}

const char *event_type_source(enum event_type type)
{
	return is_event(type) ? events[type].source : "-";
}

bool event_type_watched(enum event_type type)
{
	return !streq(event_type_source(type), "-");
}

enum guarantee event_type_guarantee(enum event_type type)
{
	return is_event(type) ? events[type].guarantee : GUARANTEE_OBSERVED;
}

enum event_type event_type_by_name(const char *name, size_t size)
{
	for (enum event_type i = EVENT_NONE + 1; i < EVENT_COUNT; i++)
		if (strlen(events[i].name) == size && memcmp(events[i].name, name, size) == 0)
			return i;
	return EVENT_NONE;
}

const char *verdict_name(enum verdict_kind verdict)
{
	return (unsigned)verdict < VERDICT_COUNT ? verdicts[verdict] : "";
}

const char *reason_name(enum reason reason)
{
	return (unsigned)reason < REASON_COUNT ? reasons[reason].name : "";
}

const char *reason_text(enum reason reason)
{
	return (unsigned)reason < REASON_COUNT ? reasons[reason].text : "";
}

const char *guarantee_name(enum guarantee guarantee)
{
	return (unsigned)guarantee < GUARANTEE_COUNT ? guarantees[guarantee].name : "";
}

const char *guarantee_text(enum guarantee guarantee)
{
	return (unsigned)guarantee < GUARANTEE_COUNT ? guarantees[guarantee].text : "";
}

const char *hash_name(enum hash hash)
{
	return (unsigned)hash < HASH_COUNT ? hashes[hash] : "";
}

const char *hash_state_name(enum hash_state state)
{
	return (unsigned)state < HASH_STATE_COUNT ? hash_states[state] : "";
}

enum hash hash_by_name(const char *name)
{
	enum hash i = 0;

	while (i < HASH_COUNT && !streq(hashes[i], name))
		i++;
	return i;
}

bool string_list_next(const struct string_list *list, size_t *offset, struct secl_string *ret)
{
	const char *start = list->data + *offset, *end;
	size_t left = list->size - *offset;

	if (*offset >= list->size)
		return false;
	end = memchr(start, '\0', left);
	*ret = (struct secl_string){ start, end ? (size_t)(end - start) : left };
	*offset += ret->size + (end != NULL);
	return true;
}
