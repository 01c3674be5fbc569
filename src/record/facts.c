/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/facts.h"

#include <stdio.h>
#include <syslog.h>

#include "base/escape.h"

static const struct {
	const char *verdict;
	int priority;
} priorities[] = {
	{ "detected", LOG_NOTICE },
	{ "would_block", LOG_NOTICE },
	{ "blocked", LOG_WARNING },
	{ "killed", LOG_WARNING },
};

/* Internal events; the ones not listed here are LOG_INFO and not for people. */
static const struct {
	const char *rule, *words;
	int priority;
} internals[] = {
	{ "events_lost", "events were lost before this sink could take them", LOG_ERR },
	{ "sink_damaged", "somebody emptied or removed a file of events", LOG_ERR },
	{ "supervisor_restarted", "the supervisor was restarted", LOG_ERR },
	{ "supervisor_lost", "the supervisor was lost", LOG_CRIT },
};

static struct secl_string string_of(const json_t *value)
{
	struct secl_string s = { 0 };

	if (json_is_string(value)) {
		s.text = json_string_value(value);
		s.size = json_string_length(value);
	}
	return s;
}

static struct secl_string string_at(const json_t *object, const char *key, const char *inner)
{
	return string_of(json_object_get(json_object_get(object, key), inner));
}

static bool equals(struct secl_string s, const char *text)
{
	return s.size == strlen(text) && memcmp(s.text, text, s.size) == 0;
}

/* What the event was about: a peer's address, a file, else the program. */
static struct secl_string object_of(const json_t *json, const char *event, char *buf, size_t size)
{
	const json_t *addr = json_object_get(json_object_get(json, event), "addr");
	struct secl_string ip = string_of(json_object_get(addr, "ip"));
	struct secl_string object = string_at(json, "guard", "addr_path");

	if (object.size > 0)
		return object;
	if (ip.size > 0 && ip.size < 64) {
		bool v6 = memchr(ip.text, ':', ip.size);
		int n = snprintf(buf, size, "%s%.*s%s:%lld", v6 ? "[" : "", (int)ip.size, ip.text,
				 v6 ? "]" : "", json_integer_value(json_object_get(addr, "port")));

		return (struct secl_string){ buf, MIN((size_t)MAX(n, 0), size - 1) };
	}
	object = string_at(json, "file", "path");
	if (object.size == 0)
		object = string_of(json_object_get(
			json_object_get(json_object_get(json, "syscall"), event), "path"));
	if (object.size == 0)
		object = string_of(json_object_get(
			json_object_get(json_object_get(json, "process"), "executable"), "path"));
	return object;
}

static void read_internal(struct facts *facts)
{
	char rule[128];

	facts->internal = true;
	facts->for_people = false;
	facts->priority = LOG_INFO;
	(void)escape_text(rule, sizeof rule, facts->rule.text, facts->rule.size);
	for (size_t i = 0; i < ELEMENTS(internals); i++) {
		json_int_t lost;

		if (!equals(facts->rule, internals[i].rule))
			continue;
		facts->for_people = true;
		facts->priority = internals[i].priority;
		lost = json_integer_value(
			json_object_get(json_object_get(facts->json, "guard"), "lost"));
		if (i == 0)
			(void)snprintf(facts->summary, sizeof facts->summary, "%lld %s",
				       (long long)lost, internals[i].words);
		else
			(void)snprintf(facts->summary, sizeof facts->summary, "%s",
				       internals[i].words);
		return;
	}
	(void)snprintf(facts->summary, sizeof facts->summary, "internal event %s", rule);
}

static void read_rule_event(struct facts *facts, const char *event)
{
	char buf[96];
	struct summary summary = { .event = event, .rule = facts->rule };

	facts->for_people = true;
	facts->priority = LOG_NOTICE;
	for (size_t i = 0; i < ELEMENTS(priorities); i++)
		if (streq(facts->verdict, priorities[i].verdict))
			facts->priority = priorities[i].priority;
	summary.verdict = facts->verdict;
	summary.object = object_of(facts->json, event, buf, sizeof buf);
	(void)summary_write(facts->summary, sizeof facts->summary, &summary);
}

void facts_read(struct facts *ret, const struct line *line)
{
	struct secl_string event, verdict;

	*ret = (struct facts){ .verdict = "none", .priority = LOG_ERR, .for_people = true };
	ret->json = json_loadb(line->text, line->size, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(ret->json)) {
		(void)snprintf(ret->summary, sizeof ret->summary,
			       "an event of %zu bytes that is not JSON", line->size);
		return;
	}
	ret->rule = string_at(ret->json, "agent", "rule_id");
	event = string_at(ret->json, "evt", "name");
	verdict = string_at(ret->json, "guard", "verdict");
	if (verdict.size > 0)
		ret->verdict = verdict.text;
	if (event.size == 0)
		read_internal(ret);
	else
		read_rule_event(ret, event.text);
}

void facts_done(struct facts *facts)
{
	json_decref(facts->json);
	facts->json = NULL;
}
