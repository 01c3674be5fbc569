/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/journal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

int journal_new(struct journal **ret)
{
	_cleanup_close_ int fd = memfd_create("guard-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct journal *journal;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof *journal) < 0)
		return -errno;
	journal = mmap(NULL, sizeof *journal, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		       fd, 0);
	if (journal == MAP_FAILED)
		return -errno;
	journal->launch_status = -1;
	*ret = journal;
	return 0;
}

void journal_free(struct journal *journal)
{
	if (journal)
		(void)munmap(journal, sizeof *journal);
}

void journal_launch_ended(struct journal *journal, const char *path)
{
	static const char *const what[] = {
		[LAUNCH_FAILED_CWD] = "cannot change to the working directory",
		[LAUNCH_FAILED_IDS] = "cannot become the user",
	};
	int error;
	enum launch_step step = launch_outcome(&journal->launch, &error);

	if (step < LAUNCH_FAILED_FILTER)
		return;
	if (step == LAUNCH_FAILED_EXEC)
		(void)snprintf(journal->launch_text, sizeof journal->launch_text, "%s: %s", path,
			       strerror(error));
	else
		(void)snprintf(journal->launch_text, sizeof journal->launch_text, "%s: %s",
			       what[step] ? what[step] : "cannot start", strerror(error));
	/* as env(1) */
	journal->launch_status = step != LAUNCH_FAILED_EXEC ? 125 : error == ENOENT ? 127 : 126;
}

int journal_slot_take(struct journal *journal)
{
	for (unsigned i = journal->first_free; i < JOURNAL_SLOTS; i++) {
		if (atomic_load_explicit(&journal->slots[i].step, memory_order_relaxed) ==
		    SLOT_FREE) {
			journal->first_free = i;
			return (int)i;
		}
	}
	return -ENOSPC;
}

/* Less than this is not worth a system call. */
enum { TRIM_SIZE = 4 * 1024 * 1024 };

void journal_trim(struct journal *journal)
{
	uint64_t head = atomic_load(&journal->head);

	if (head - journal->trimmed < TRIM_SIZE || atomic_load(&journal->tail) != head ||
	    atomic_load(&journal->shown) != head)
		return;
	if (madvise(journal->ring, JOURNAL_RING_SIZE, MADV_REMOVE) == 0)
		journal->trimmed = head;
}

static struct journal_record *record_at(const struct journal *journal, uint64_t offset)
{
	return (struct journal_record *)(void *)(journal->ring + offset % JOURNAL_RING_SIZE);
}

/* Fills the rest of the ring when the record does not fit before its end. A
 * rest too small for a header is skipped by everyone, see journal_peek().
 */
static uint64_t pad(struct journal *journal, uint64_t head, size_t size)
{
	size_t rest = JOURNAL_RING_SIZE - head % JOURNAL_RING_SIZE;

	if (size <= rest)
		return head;
	if (rest >= sizeof(struct journal_record))
		*record_at(journal, head) = (struct journal_record){ .size = (uint32_t)rest };
	return head + rest;
}

void journal_begin(struct journal *journal, unsigned slot)
{
	journal->undo.slot = slot;
	journal->undo.head = atomic_load(&journal->head);
	journal->undo.seq = atomic_load(&journal->seq);
	journal->undo.lost = atomic_load(&journal->lost);
	journal->undo.denials = atomic_load(&journal->denials);
	journal->undo.blocked = atomic_load(&journal->blocked);
	journal->undo.killed = atomic_load(&journal->killed);
	journal->next = journal->undo.head;
	journal->added = atomic_load(&journal->committed);
	atomic_store_explicit(&journal->open, 1, memory_order_release);
}

int journal_add(struct journal *journal, const char *summary, const char *line, size_t size)
{
	size_t total = (sizeof(struct journal_record) + size + 1 + 7) & ~(size_t)7;
	size_t rest = JOURNAL_RING_SIZE - journal->next % JOURNAL_RING_SIZE;
	uint64_t tail = atomic_load_explicit(&journal->tail, memory_order_acquire), end;
	struct journal_record *record;

	/* the space of the padding counts as well */
	end = journal->next + (total <= rest ? 0 : rest) + total;
	/* the keeper reads as far back as half the ring (show_refusals()) */
	if (end - tail > JOURNAL_RING_SIZE || end - journal->undo.head > JOURNAL_RING_SIZE / 2)
		return -ENOSPC;
	record = record_at(journal, pad(journal, journal->next, total));
	record->size = (uint32_t)total;
	record->line_size = (uint32_t)size;
	record->number = ++journal->added;
	memset(record->summary, 0, sizeof record->summary);
	memcpy(record->summary, summary, MIN(strlen(summary), sizeof record->summary - 1));
	memcpy(record->line, line, size);
	record->line[size] = '\0';
	journal->next = end;
	return 0;
}

/* A death between these stores is mended by journal_recover(). */
void journal_commit(struct journal *journal)
{
	atomic_store_explicit(&journal->head, journal->next, memory_order_release);
	atomic_store_explicit(&journal->committed, journal->added, memory_order_release);
	atomic_store_explicit(&journal->slots[journal->undo.slot].denied, 1, memory_order_release);
	atomic_store_explicit(&journal->open, 0, memory_order_release);
}

const struct journal_record *journal_peek(const struct journal *journal, uint64_t *offset)
{
	uint64_t head = atomic_load_explicit(&journal->head, memory_order_acquire);

	while (*offset < head) {
		size_t rest = JOURNAL_RING_SIZE - *offset % JOURNAL_RING_SIZE;
		const struct journal_record *record;

		if (rest < sizeof *record) {
			*offset += rest;
			continue;
		}
		record = record_at(journal, *offset);
		if (record->line_size)
			return record;
		*offset += record->size;
	}
	return NULL;
}

/* Whether the denial that was open is one: its records are published, or, where there
 * were none, its slot says so.
 */
static void settle_open(struct journal *journal)
{
	struct journal_slot *slot = &journal->slots[journal->undo.slot];

	if (!atomic_load(&journal->open))
		return;
	if (atomic_load(&journal->head) != journal->undo.head || atomic_load(&slot->denied)) {
		atomic_store(&slot->denied, 1);
	} else {
		atomic_store(&journal->seq, journal->undo.seq);
		atomic_store(&journal->lost, journal->undo.lost);
		atomic_store(&journal->denials, journal->undo.denials);
		atomic_store(&journal->blocked, journal->undo.blocked);
		atomic_store(&journal->killed, journal->undo.killed);
	}
	atomic_store(&journal->open, 0);
}

void journal_recover(struct journal *journal)
{
	uint64_t offset = atomic_load(&journal->tail), number = atomic_load(&journal->committed);
	const struct journal_record *record;

	settle_open(journal);
	while ((record = journal_peek(journal, &offset))) {
		number = MAX(number, record->number);
		offset += record->size;
	}
	atomic_store(&journal->committed, number);
}
