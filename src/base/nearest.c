/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/nearest.h"

/* How many letters must be inserted, removed, replaced or swapped with their
 * neighbour to turn A into B (optimal string alignment). Three rows of the
 * usual table suffice.
 */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][NEAREST_MAX_LENGTH + 1];

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *now = rows[i % 3], *above = rows[(i + 2) % 3];
		const unsigned *twice = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);

			best = MIN(best, above[j] + 1);
			best = MIN(best, now[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, twice[j - 2] + 1);
			now[j] = best;
		}
	}
	return rows[na % 3][nb];
}

void nearest_offer(struct nearest *n, const char *name)
{
	size_t size = name ? strlen(name) : 0;
	unsigned d;

	if (size == 0 || size > NEAREST_MAX_LENGTH || n->size > NEAREST_MAX_LENGTH)
		return;
	d = distance(n->word, n->size, name, size);
	if (n->best && d >= n->distance)
		return;
	n->best = name;
	n->distance = d;
}

const char *nearest_result(const struct nearest *n)
{
	/* "run" for "rn" or "runn", but not for "sum" */
	return n->best && n->distance <= MAX(n->size / 3, 1) ? n->best : NULL;
}
