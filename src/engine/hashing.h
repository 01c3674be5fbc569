/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hashing.h - the hashes of files that events are about.
 *
 * A file is taken at the moment when it is judged: by the descriptor that judged it, or
 * as what its process runs. From then on no name matters, and a change of it shows, see
 * kernel/digest.h. What is not known is read by a worker:
 *   - for a verdict, before the answer: exec_hash.c;
 *   - for rules that only watch and for the action hash, after it: later.c.
 */
#pragma once
#include "engine/decide.h"
#include "kernel/digest.h"
#include "kernel/resolve.h"
#include "policy/config.h"

struct hashing;

/* LIBRARY is borrowed, NULL = there is none: nothing can be hashed. 0, or -ENOMEM. */
int hashing_new(const struct config *config, const struct ruleset *ruleset,
		const struct digest_library *library, struct hashing **ret);

/* Hashes for reports (those that are configured) and for verdicts (of these the quick ones,
 * and what rules name): bit per enum hash.
 */
unsigned hashing_reported(const struct hashing *hashing);
unsigned hashing_judged(const struct hashing *hashing);

/* A file, and how it was when it was taken. */
struct hash_target {
	int fd; /* O_PATH; owned, -1 = none */
	struct digest_key key;
	int64_t taken_ns; /* since the epoch */
	pid_t runner;     /* who ran it then, so that nobody could write to it; 0 = nobody */
};

/* Takes the file behind FD, of which a copy is kept. 0, or -errno. */
int hash_target_take(int fd, struct hash_target *ret);
/* Takes FILE of PROCESS, if the process runs it now; a script by its name, if that is the
 * same file still. 0, or -errno: -ENOENT when it is not to be found.
 */
int hash_target_find(const struct resolve_host *host, const struct process *process,
		     const struct file_info *file, struct hash_target *ret);
void hash_target_drop(struct hash_target *target);

/* What a worker gets. */
struct hash_job {
	struct hash_target target;
	struct digest_request request;
	struct file_hashes result;
	bool tells; /* the key does, see kernel/digest.h */
};

struct hash_job hash_job(const struct hashing *hashing, struct hash_target target, unsigned wanted,
			 uint64_t max_size, int64_t deadline_ns);
/* Both as struct worker_request has them. */
int hash_job_run(void *data);
void hash_job_dispose(void *data);
/* Remembers the result, where that can be trusted. */
void hashing_learn(struct hashing *hashing, const struct hash_job *job);

/* The hashes of the target when they are known; NULL when it has to be read. */
const struct file_hashes *hashing_known(struct hashing *hashing, const struct hash_target *target,
					unsigned wanted);

/* False when there were too many this second. */
bool hashing_allow(struct hashing *hashing);
