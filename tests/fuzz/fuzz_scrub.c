/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scrubbing stays inside its buffer, writes what it was given when nothing is
 * sensitive, and a name of any bytes is found or not.
 */
#include "config.h"

#include "model/field.h"
#include "model/scrub.h"

enum { ROOM = 8 * SCRUB_MAX_ARGUMENT };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const word = "*to*ken*";
	static char out[ROOM + 1];
	static struct scrubber *scrubber;
	struct secl_string text = { (const char *)data, size };
	struct scrub scrub = { .program = text };
	struct secl_field field;
	const char *hint = NULL;
	char name[64];
	size_t room = size ? data[0] * 16u : 0;

	if (!scrubber && scrubber_new(&word, 1, NULL, 0, &scrubber) < 0)
		abort();
	scrub.scrubber = scrubber;
	out[room] = '#';
	for (int i = 0; i < 2; i++)
		if (scrub_argument(&scrub, text, out, room) > room || out[room] != '#')
			abort();
	if (scrub_text(scrubber, text, out, ROOM) > ROOM)
		abort();
	memcpy(name, data, MIN(size, sizeof name - 1));
	name[MIN(size, sizeof name - 1)] = '\0';
	(void)event_schema.find(&event_schema, name, &field, &hint);
	return 0;
}
