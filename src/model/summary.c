/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/summary.h"

#include <stdio.h>

#include "base/escape.h"

enum { OBJECT_MAX = 512, RULE_MAX = 128 };

/* Only where the name is not the word. */
static const struct {
	const char *verdict, *words;
} verdict_words[] = {
	{ "would_block", "would have blocked" },
	{ "none", "saw" },
};

size_t summary_write(char *buf, size_t size, const struct summary *summary)
{
	char object[OBJECT_MAX + 1], rule[RULE_MAX + 1];
	const char *words = summary->verdict;
	int n;

	for (size_t i = 0; i < ELEMENTS(verdict_words); i++)
		if (streq(summary->verdict, verdict_words[i].verdict))
			words = verdict_words[i].words;
	(void)escape_text(object, sizeof object, summary->object.text, summary->object.size);
	(void)escape_text(rule, sizeof rule, summary->rule.text, summary->rule.size);
	n = snprintf(buf, size, "%.32s %.32s%s%s%s%s%s", words, summary->event,
		     object[0] != '\0' ? " " : "", object, rule[0] != '\0' ? " (rule " : "", rule,
		     rule[0] != '\0' ? ")" : "");
	return n < 0 ? 0 : MIN((size_t)n, size > 0 ? size - 1 : 0);
}
