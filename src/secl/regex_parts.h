/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regex_parts.h - texts that a regular expression cannot do without. */
#pragma once
#include "secl/secl.h"

/* Calls VISIT for texts of at least MINIMUM bytes, parts of PATTERN, of which one is in
 * everything that matches: how many there are, 0 when there is none to be sure of. With
 * VISIT NULL only counts. PATTERN is valid (regex.h) and minds case.
 */
size_t regexp_parts(const struct secl_string *pattern, size_t minimum,
		    void (*visit)(void *data, const struct secl_string *text), void *data);
