/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/fim.h"

static const char marker[] = "fim.write.file.";
static const char writes[] = ") && open.flags & (O_CREAT|O_TRUNC|O_APPEND|O_RDWR|O_WRONLY) > 0";

const struct fim_part fim_parts[] = {
	{ "open", "open.file.", true },
	{ "chmod", "chmod.file.", false },
	{ "chown", "chown.file.", false },
	{ "link", "link.file.", false },
	{ "rename", "rename.file.", false },
	{ "rename_destination", "rename.file.destination.", false },
	{ "unlink", "unlink.file.", false },
	{ "utimes", "utimes.file.", false },
};
const size_t fim_count = ELEMENTS(fim_parts);

bool fim_is(const char *expression)
{
	return strstr(expression, marker) != NULL;
}

static size_t occurrences(const char *text)
{
	size_t n = 0;

	while ((text = strstr(text, marker))) {
		n++;
		text += strlen(marker);
	}
	return n;
}

char *fim_expand(struct arena *arena, const struct fim_part *part, const char *expression)
{
	size_t size = strlen(expression) + occurrences(expression) * strlen(part->prefix) +
		      sizeof writes + 2;
	char *text = arena_alloc(arena, size), *out = text;
	const char *next;

	if (!text)
		return NULL;
	if (part->writes)
		*out++ = '(';
	while ((next = strstr(expression, marker))) {
		out = mempcpy(out, expression, (size_t)(next - expression));
		out = stpcpy(out, part->prefix);
		expression = next + strlen(marker);
	}
	out = stpcpy(out, expression);
	if (part->writes)
		(void)stpcpy(out, writes);
	return text;
}
