/* SPDX-License-Identifier: GPL-3.0-or-later */
/* digest.h - the hashes of a file that is held, and whether they are known already.
 *
 * A file is hashed through a descriptor: what was judged, not what has its name by
 * now. That may wait for a disk or a file server, so it is a worker's job.
 *
 * Known hashes are found by what the kernel says of the file: device, inode, mount,
 * size and times. A change must show there, or the answer of yesterday is given for
 * what is there today. So hashes are only remembered of a file that
 *   - was being executed all the while: nobody could open it for writing (ETXTBSY);
 *   - has not been changed within the last second: times of files advance in ticks;
 *   - lies on a file system that gives a new time to every page that is written to by
 *     way of a mapping: tmpfs does not, and a server (FUSE, NFS) says what it likes;
 * and all are forgotten when somebody sets the clock (a time could come again).
 */
#pragma once
#include "base/err.h"
#include "model/event.h"

enum { HASH_TEXT_MAX = 160 }; /* "ssdeep:" and FUZZY_MAX_RESULT */

struct file_hashes {
	enum hash_state state;
	unsigned have; /* bit per enum hash */
	char text[HASH_COUNT][HASH_TEXT_MAX];
};

/* Copies nothing: HASHES must live as long as FILE. */
void file_hashes_show(const struct file_hashes *hashes, struct file_info *file);

/* ---- the libraries ------------------------------------------------------- */

struct digest_library;

/* libcrypto and, if it is there, libfuzzy. They are loaded here and not with guard, so
 * that runs without hashes do not wait for them. 0; -ENOENT with the reason in *err.
 */
int digest_library_open(struct digest_library **ret, struct err *err);
/* The libraries stay loaded. */
void digest_library_free(struct digest_library *library);
/* Which hashes it can take: bit per enum hash. */
unsigned digest_library_can(const struct digest_library *library);

/* ---- one file ------------------------------------------------------------- */

struct digest_request {
	const struct digest_library *library;
	unsigned wanted;     /* bit per enum hash; what the library lacks is left out */
	uint64_t max_size;   /* bytes */
	int64_t deadline_ns; /* monotonic */
	/* who has run it since the key was read: as long as it does nobody can write to it,
	 * and a change of its time is one of name, owner or mode; 0 = nobody */
	pid_t runner;
};

struct digest_key {
	uint64_t device, inode, mount, size;
	int64_t mtime_ns, ctime_ns;
};

/* What the kernel says of FD, which may be O_PATH; no file server is asked. 0 or -errno. */
int digest_key(int fd, struct digest_key *ret);
bool digest_key_equal(const struct digest_key *a, const struct digest_key *b);

/* Hashes the file behind FD, which may be O_PATH, if it is still as KEY says, and to the end:
 * never waits longer than a read does.
 */
void digest_file(int fd, const struct digest_key *key, const struct digest_request *request,
		 struct file_hashes *ret);

/* ---- known hashes ----------------------------------------------------------- */

/* Whether a change of the file behind FD would show in its KEY, which was read at NOW_NS
 * since the epoch, see above. May ask a file server.
 */
bool digest_key_tells(int fd, const struct digest_key *key, int64_t now_ns);

struct digest_cache;

int digest_cache_new(struct digest_cache **ret);
void digest_cache_free(struct digest_cache *cache);
/* The hashes of KEY, with all of WANTED that are to be had; NULL when they are not known. */
const struct file_hashes *digest_cache_find(struct digest_cache *cache,
					    const struct digest_key *key, unsigned wanted);
/* Only of a file that was executed all the while and whose key tells. */
void digest_cache_add(struct digest_cache *cache, const struct digest_key *key,
		      const struct file_hashes *hashes);
