/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exec_hash.c - hashes that the verdict on an exec depends on.
 *
 * At the first look the file that the path means is hashed, so that the call can fail;
 * somebody may write to it afterwards. At the second look it is what the process runs,
 * which stands at its stop: until it goes on or dies nobody can write to that. What is
 * known of a file is found again as kernel/digest.h says, so that most looks read nothing.
 */
#include "config.h"

#include <errno.h>

#include "engine/flight.h"

void exec_show_hashes(const struct flight *f, struct image *image)
{
	struct file_info *files[IMAGE_FILES] = { &image->file, &image->interpreter };

	for (enum image_file i = 0; i < IMAGE_FILES; i++) {
		if (f->hashes.known >> i & 1)
			file_hashes_show(&f->hashes.of[i], files[i]);
	}
}

enum image_file exec_unhashed(const struct decision *d, const struct image *image)
{
	if (d->unhashed == &image->file)
		return IMAGE_FILE;
	return d->unhashed == &image->interpreter ? IMAGE_INTERPRETER : IMAGE_FILES;
}

int exec_hash(struct supervisor *sv, unsigned slot, const struct process *process,
	      const struct image *image, enum image_file which, int fd)
{
	const struct file_info *file = which == IMAGE_FILE ? &image->file : &image->interpreter;
	unsigned wanted = hashing_judged(sv->hashing);
	struct flight *f = &sv->flights[slot];
	const struct file_hashes *known;
	struct hash_target target;
	int r;

	r = fd >= 0 ? hash_target_take(fd, &target)
		    : hash_target_find(&sv->host, process, file, &target);
	if (r < 0)
		return r;
	known = hashing_known(sv->hashing, &target, wanted);
	if (known) {
		f->hashes.of[which] = *known;
		f->hashes.known |= 1u << which;
		hash_target_drop(&target);
		return 0;
	}
	f->deadline_ns = now_monotonic_ns() + sv->options.config->deadline_ms * 1000000;
	f->hashes.job = hash_job(sv->hashing, target, wanted, UINT64_MAX, f->deadline_ns);
	f->hashes.job_is_for = which;
	r = flight_work(sv, slot, EXEC_WORKERS_PER_PROCESS,
			(struct worker_request){ .job = hash_job_run,
						 .data = &f->hashes.job,
						 .size = sizeof f->hashes.job,
						 .dispose = hash_job_dispose });
	if (r < 0) {
		hash_target_drop(&target);
		return r;
	}
	f->hashes.busy = true;
	return 1;
}

void exec_hashed(struct supervisor *sv, unsigned slot, int result)
{
	struct exec_hashes *h = &sv->flights[slot].hashes;

	h->busy = false;
	if (result < 0)
		return;
	hash_target_drop(&h->job.target);
	hashing_learn(sv->hashing, &h->job);
	h->of[h->job_is_for] = h->job.result;
	h->known |= 1u << h->job_is_for;
}
