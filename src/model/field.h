/* SPDX-License-Identifier: GPL-3.0-or-later */
/* field.h - the schema of agent rules: SECL names to values of struct event.
 *
 * Names are composed, never listed: links (process, parent, ancestors, file,
 * ...) lead from a struct to a struct, leaves (path, uid, ...) to a value. A
 * name is resolved into steps once, when a rule is compiled; loading follows
 * the steps. Names follow the SECL field list of agent 7.75, with the legacy
 * aliases of specification section 16.
 */
#pragma once
#include "model/event.h"

/* Context of evaluation for this schema: secl_context.event is one of these.
 */
struct field_source {
	const struct event *event;
	const struct idnames *names;  /* uid and gid to names; NULL = none */
	const char *service, *hostname;
	const struct secl_string *rule_tags;
	size_t nrule_tags;
};

extern const struct secl_schema event_schema;

/* Calls VISIT for every field name that the tables can make, with iterators
 * unrolled once; for tests, completion and the manual.
 */
void field_each(void (*visit)(void *data, const struct secl_field *field), void *data);
