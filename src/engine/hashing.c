/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/hashing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

/* For reports: a flood of execs must not become one of reads (features, 1.12). */
enum { HASHES_PER_SECOND = 500 };

/* Tens of times slower than the others: no verdict waits for it unless a rule names it. */
#define SLOW (1u << HASH_SSDEEP)

struct hashing {
	const struct digest_library *library;
	struct digest_cache *cache;
	unsigned reported, judged;
	int64_t second_ns; /* when the current one began */
	unsigned count;    /* of files read in it */
};

int hashing_new(const struct config *config, const struct ruleset *ruleset,
		const struct digest_library *library, struct hashing **ret)
{
	struct hashing *hashing = calloc(1, sizeof *hashing);
	unsigned can = digest_library_can(library);
	int r;

	if (!hashing)
		return -ENOMEM;
	hashing->library = library;
	for (size_t i = 0; i < config->hash_algorithms.count; i++)
		hashing->reported |= 1u << hash_by_name(config->hash_algorithms.items[i]) & can;
	hashing->judged = ((hashing->reported & ~SLOW) | ruleset->hashes_named) & can;
	r = digest_cache_new(&hashing->cache);
	if (r < 0) {
		free(hashing);
		return r;
	}
	*ret = hashing;
	return 0;
}

unsigned hashing_reported(const struct hashing *hashing)
{
	return hashing->reported;
}

unsigned hashing_judged(const struct hashing *hashing)
{
	return hashing->judged;
}

bool hashing_allow(struct hashing *hashing)
{
	int64_t now = now_monotonic_ns();

	if (now - hashing->second_ns >= INT64_C(1000000000)) {
		hashing->second_ns = now;
		hashing->count = 0;
	}
	return hashing->count++ < HASHES_PER_SECOND;
}

/* ---- targets ------------------------------------------------------------------ */

/* FD goes to the target, or is closed. */
static int take(int fd, struct hash_target *ret)
{
	struct hash_target target = { .fd = fd };
	int r = digest_key(fd, &target.key);

	if (r < 0) {
		(void)close(fd);
		return r;
	}
	target.taken_ns = now_realtime_ns();
	*ret = target;
	return 0;
}

int hash_target_take(int fd, struct hash_target *ret)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : take(copy, ret);
}

void hash_target_drop(struct hash_target *target)
{
	if (target->fd >= 0)
		(void)close(TAKE_FD(target->fd));
}

static bool is_file(int fd, const struct file_info *file)
{
	uint64_t device, inode;

	return resolve_identify(fd, &device, &inode) == 0 && device == file->device &&
	       inode == file->inode;
}

static int open_exe(pid_t pid)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/exe", pid);
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* As what PID runs before and after the key was read: nobody has written meanwhile. */
static int find_exe(pid_t pid, const struct file_info *file, struct hash_target *ret)
{
	_cleanup_close_ int again = -1;
	int fd = open_exe(pid), r;

	if (fd < 0)
		return fd;
	if (!is_file(fd, file)) {
		(void)close(fd);
		return -ENOENT;
	}
	r = take(fd, ret);
	if (r < 0)
		return r;
	again = open_exe(pid);
	if (again >= 0 && is_file(again, file))
		ret->runner = pid;
	return 0;
}

/* By a name that is in the kernel's cache: nobody is waited for here. As PID sees it. */
static int find_by_name(const struct resolve_host *host, pid_t pid, const struct file_info *file,
			struct hash_target *ret)
{
	char path[PATH_MAX];
	int fd;

	if (!file->path.size || file->path.size >= sizeof path || file->path.text[0] != '/')
		return -ENOENT;
	memcpy(path, file->path.text, file->path.size);
	path[file->path.size] = '\0';
	fd = resolve_open(&(struct resolve_request){ .host = host,
						     .tid = pid,
						     .tgid = pid,
						     .dirfd = AT_FDCWD,
						     .path = path,
						     .cached_only = true });
	if (fd < 0)
		return fd;
	if (is_file(fd, file))
		return take(fd, ret);
	(void)close(fd);
	return -ENOENT;
}

int hash_target_find(const struct resolve_host *host, const struct process *process,
		     const struct file_info *file, struct hash_target *ret)
{
	int r = find_exe(process->pid, file, ret);

	if (r < 0)
		r = find_by_name(host, process->pid, file, ret);
	/* it has gone: by the same name, whoever looks, it is the same file or none */
	return r < 0 ? find_by_name(host, getpid(), file, ret) : 0;
}

/* ---- jobs --------------------------------------------------------------------- */

struct hash_job hash_job(const struct hashing *hashing, struct hash_target target, unsigned wanted,
			 uint64_t max_size, int64_t deadline_ns)
{
	return (struct hash_job){ .target = target,
				  .request = { .library = hashing->library,
					       .wanted = wanted,
					       .max_size = max_size,
					       .runner = target.runner,
					       .deadline_ns = deadline_ns } };
}

int hash_job_run(void *data)
{
	struct hash_job *job = data;
	struct hash_target *target = &job->target;
	struct digest_key now;

	digest_file(target->fd, &target->key, &job->request, &job->result);
	job->tells = job->result.state == HASH_STATE_DONE && target->runner &&
		     digest_key(target->fd, &now) == 0 && digest_key_equal(&now, &target->key) &&
		     digest_key_tells(target->fd, &target->key, target->taken_ns);
	return 0;
}

void hash_job_dispose(void *data)
{
	struct hash_job *job = data;

	hash_target_drop(&job->target);
}

void hashing_learn(struct hashing *hashing, const struct hash_job *job)
{
	if (job->tells)
		digest_cache_add(hashing->cache, &job->target.key, &job->result);
}

const struct file_hashes *hashing_known(struct hashing *hashing, const struct hash_target *target,
					unsigned wanted)
{
	return digest_cache_find(hashing->cache, &target->key, wanted);
}
