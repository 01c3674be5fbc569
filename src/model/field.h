/* SPDX-License-Identifier: GPL-3.0-or-later */
/* field.h - the schema of agent rules: SECL names to values of struct event.
 *
 * Names are composed, never listed: links (process, parent, ancestors, file,
 * ...) lead from a struct to a struct, leaves (path, uid, ...) to a value; the
 * rows are in fields.def. A name is resolved into steps once, when a rule is
 * compiled; loading follows the steps. Names follow the SECL field list of
 * agent 7.75, with the legacy aliases of specification section 16.
 */
#pragma once
#include "model/event.h"

struct idnames;
struct scrubber;

/* Where the last load of an iterator element ended, so that a rule which is
 * evaluated for one ancestor after the other walks the chain once and not once
 * for each. Zeroed = nowhere. Belongs to one evaluation of one event.
 */
struct field_cursor {
	const struct process *start, *at;
	int element;
};

/* What evaluations miss that read the hashes of files. */
struct hash_gap {
	const struct file_info *file; /* has not been hashed yet: the load was -EINPROGRESS */
	bool missing;                 /* some file could not be hashed and read as having none */
};

/* Context of evaluation for this schema: secl_context.event is one of these.
 * Everything is borrowed; what is NULL reads as empty.
 */
struct field_source {
	const struct event *event;
	const struct idnames *names; /* uid and gid to names; NULL = none */
	const char *service, *hostname;
	const char *origin; /* event.origin */
	const struct secl_string *rule_tags;
	size_t nrule_tags;
	const struct scrubber *scrubber; /* which variables keep their value in `envs` */
	struct field_cursor *cursor;     /* optional, see above */
	struct hash_gap *gap;            /* NULL: what was not hashed has no hashes */
};

/* find(): on -ENOENT the hint, if there is one, is stored in ret->name.
 * load(): -EINPROGRESS for the hashes of a file that was not hashed yet, see struct
 * hash_gap; -EOPNOTSUPP for a field of an event type that the event is not of or
 * that is not watched; -ENOMEM when the scratch arena is full. A field that
 * guard does not collect (field_available() is false) has its zero value.
 */
extern const struct secl_schema event_schema;

/* The name in front of a register: "process.ancestors" ...; NULL for 0 or an
 * id that does not exist. Ids are secl_field.iterator.
 */
const char *field_iterator_name(unsigned iterator);

/* Can the field ever have another than its zero value in this version? */
bool field_available(const struct secl_field *field);

/* May a rule about TYPE use the field? True for fields of any event, except
 * that network.* is for dns, imds and packet only.
 */
bool field_allowed(const struct secl_field *field, enum event_type type);

/* The file object of EVENT that FIELD, of a name that ends in ".hashes", is about, and the
 * process whose program it is; NULL when the event has none.
 */
const struct file_info *field_file(const struct secl_field *field, const struct event *event,
				   const struct process **ret_process);

/* Calls VISIT for every field name that the tables can make, with iterators
 * unrolled once; for tests, completion and the manual.
 */
void field_each(void (*visit)(void *data, const struct secl_field *field), void *data);

/* The registrable part of a host name (specification 9), a part of HOST. Empty
 * input and addresses come back as they are.
 */
struct secl_string field_root_domain(struct secl_string host);
