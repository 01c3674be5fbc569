/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorded.h - a recorded event: SECL names with their values, from JSON.
 *
 * Names and types are those of event_schema; only the values come from
 * elsewhere. So a rule can be tried without the thing that it is about.
 *
 *	{"process.comm": "sh", "process.argv": ["a", "b"],
 *	 "process.ancestors.comm": ["bash", "sshd"],
 *	 "process.created_at": {"$now_s": -4}, "connect.addr.ip": "10.0.0.1"}
 *
 * What is not given is zero or empty. Below an iterator the lists are
 * parallel, nearest element first, an element of an array (argv) being a list
 * itself; the iterator may also be one list of objects. X.length is derived
 * when it is not given. {"$now_s": K} is now plus K seconds.
 */
#pragma once
#include <jansson.h>

#include "base/err.h"
#include "secl/secl.h"

struct recorded;

/* Of an iterator that is given as a list of objects. */
enum { RECORDED_MAX_ELEMENTS = 1000 };

/* Takes what it needs from FIELDS. 0; -EINVAL with *err: no object, an unknown
 * name, a value of the wrong type; -ENOMEM. The caller frees *ret.
 */
int recorded_new(json_t *fields, int64_t now_ns, struct recorded **ret, struct err *err);
void recorded_free(struct recorded *recorded);

/* For secl_context.event being a struct recorded. */
extern const struct secl_schema recorded_schema;

/* Reads one document, at most RECORDED_MAX_DEPTH brackets deep and without
 * duplicate keys: 0, or -EINVAL with *err.
 */
enum { RECORDED_MAX_DEPTH = 16 };
int recorded_parse(const char *text, size_t size, json_t **ret, struct err *err);

/* VALUE as a scalar of TYPE, null as zero: 0, or -EINVAL. A string is borrowed. */
int recorded_scalar(const json_t *value, enum secl_type type, int64_t now_ns,
		    struct secl_value *ret);
