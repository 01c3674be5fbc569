/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/tally.h"

#include <errno.h>
#include <sys/mman.h>

int tally_new(size_t rules, struct tally **ret)
{
	size_t size = sizeof(struct tally) + rules * sizeof(uint64_t);
	struct tally *tally = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (tally == MAP_FAILED)
		return -ENOMEM;
	tally->size = size;
	tally->started_ns = now_monotonic_ns();
	*ret = tally;
	return 0;
}

void tally_free(struct tally *tally)
{
	if (tally)
		(void)munmap(tally, tally->size);
}

void tally_withhold(struct tally *tally, unsigned rule)
{
	atomic_fetch_add(&tally->by_rule[rule], 1);
	atomic_fetch_add(&tally->withheld, 1);
}
