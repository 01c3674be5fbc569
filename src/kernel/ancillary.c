/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/ancillary.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "kernel/procfs.h"
#include "kernel/target.h"

struct work {
	const struct ancillary_caller *caller;
	struct ancillary *made;
	char *buf;
	int pidfd; /* -1 = not needed so far */
	bool named;
};

#define CAPABILITY(name) (UINT64_C(1) << (name))

bool ancillary_may_name(void)
{
	const uint32_t needed =
		CAPABILITY(CAP_SYS_ADMIN) | CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID);
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	return syscall(SYS_capget, &head, data) == 0 && (data[0].effective & needed) == needed;
}

/* A message of SIZE bytes of data, which the caller fills in. */
static void *append(struct work *w, int type, size_t size)
{
	struct cmsghdr head = { .cmsg_len = CMSG_LEN(size),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = type };
	char *at = w->buf + w->made->size;

	memset(at, 0, CMSG_SPACE(size));
	memcpy(at, &head, sizeof head);
	w->made->size += CMSG_SPACE(size);
	return at + CMSG_LEN(0);
}

/* ---- descriptors -------------------------------------------------------------- */

static int duplicate(struct work *w, int fd)
{
	struct ancillary *made = w->made;
	int copy;

	if (w->pidfd < 0)
		w->pidfd = target_pidfd(w->caller->tid);
	if (w->pidfd < 0)
		return w->pidfd;
	copy = fd < 0 ? -EBADF : target_getfd(w->pidfd, fd);
	if (copy >= 0)
		made->fds[made->nfds++] = copy;
	return copy;
}

static int make_rights(struct work *w, const char *data, size_t size)
{
	size_t count = size / sizeof(int);
	int copies[ANCILLARY_FDS_MAX];

	if (!count || !w->caller->begins)
		return 0;
	if (count > ANCILLARY_FDS_MAX - w->made->nfds)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, data + i * sizeof fd, sizeof fd);
		copies[i] = duplicate(w, fd);
		if (copies[i] < 0)
			return copies[i];
	}
	memcpy(append(w, SCM_RIGHTS, count * sizeof(int)), copies, count * sizeof(int));
	return 0;
}

/* ---- credentials --------------------------------------------------------------- */

/* INSIDE, an id of the caller's user namespace, as guard knows it: FILE is uid_map or
 * gid_map. False when it has no meaning.
 */
static bool map_id(pid_t tid, const char *name, uint32_t inside, uint32_t *ret)
{
	unsigned long first, outer, count;
	char path[64];
	bool found = false;
	FILE *file;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
	file = fopen(path, "re");
	while (file && !found && fscanf(file, "%lu %lu %lu", &first, &outer, &count) == 3) {
		found = inside >= first && inside - first < count;
		*ret = (uint32_t)(outer + (inside - first));
	}
	if (file)
		(void)fclose(file);
	return found;
}

static bool is_one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == a || id == b || id == c;
}

/* scm_check_creds() with the caller's rights: 0, or -errno. */
static int check_credentials(const struct work *w, const struct proc_status *status,
			     struct ucred *cred)
{
	const struct credentials *c = &status->cred;
	bool ours = procfs_namespace(w->caller->tid, "user") == procfs_namespace(getpid(), "user");
	uint64_t rights = ours ? c->cap_effective : 0;
	struct proc_status leader;
	pid_t own = w->caller->tgid;

	if (!map_id(w->caller->tid, "uid_map", cred->uid, &cred->uid) ||
	    !map_id(w->caller->tid, "gid_map", cred->gid, &cred->gid))
		return -EINVAL;
	if (procfs_status(own, &leader) < 0)
		return -EPERM;
	if (leader.inner_pid) {
		/* another pid namespace: the number means somebody else here */
		if (cred->pid != leader.inner_pid)
			return -EPERM;
		cred->pid = own;
	}
	if (cred->pid != own && !(rights & CAPABILITY(CAP_SYS_ADMIN)))
		return -EPERM;
	if (!is_one_of(cred->uid, c->uid, c->euid, c->suid) && !(rights & CAPABILITY(CAP_SETUID)))
		return -EPERM;
	if (!is_one_of(cred->gid, c->gid, c->egid, c->sgid) && !(rights & CAPABILITY(CAP_SETGID)))
		return -EPERM;
	return 0;
}

static int make_credentials(struct work *w, const char *data, size_t size)
{
	struct proc_status status;
	struct ucred cred;
	int r;

	if (size != sizeof cred)
		return -EINVAL;
	memcpy(&cred, data, sizeof cred);
	r = procfs_status(w->caller->tid, &status);
	if (r == 0)
		r = check_credentials(w, &status, &cred);
	if (r < 0)
		return r;
	if (!w->caller->named)
		cred.pid = getpid();
	memcpy(append(w, SCM_CREDENTIALS, sizeof cred), &cred, sizeof cred);
	w->named = true;
	return 0;
}

/* Those that the kernel gives by itself. */
static int add_credentials(struct work *w)
{
	struct proc_status status;
	struct ucred cred = { .pid = w->caller->tgid };
	int r = procfs_status(w->caller->tid, &status);

	if (r < 0)
		return r;
	cred.uid = status.cred.uid;
	cred.gid = status.cred.gid;
	memcpy(append(w, SCM_CREDENTIALS, sizeof cred), &cred, sizeof cred);
	return 0;
}

/* ---- all of them ----------------------------------------------------------------- */

static int make_one(struct work *w, const struct cmsghdr *head, const char *data)
{
	size_t size = head->cmsg_len - CMSG_LEN(0);

	/* what is for other levels is passed over */
	if (head->cmsg_level != SOL_SOCKET)
		return 0;
	switch (head->cmsg_type) {
	case SCM_RIGHTS: return make_rights(w, data, size);
	case SCM_CREDENTIALS: return make_credentials(w, data, size);
	default: return -EINVAL;
	}
}

static int make_all(struct work *w, const char *control, size_t size)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < size && size - at >= sizeof(struct cmsghdr);) {
		struct cmsghdr head;

		memcpy(&head, control + at, sizeof head);
		if (head.cmsg_len < sizeof head || head.cmsg_len > size - at)
			return -EINVAL;
		r = make_one(w, &head, control + at + CMSG_LEN(0));
		at += CMSG_ALIGN(head.cmsg_len);
	}
	return r == 0 && w->caller->named && !w->named ? add_credentials(w) : r;
}

int ancillary_make(const struct ancillary_caller *caller, const char *control, size_t size,
		   char *buf, struct ancillary *ret)
{
	struct work w = { .caller = caller, .made = ret, .buf = buf, .pidfd = -1 };
	int r;

	ret->size = ret->nfds = 0;
	r = make_all(&w, control, size);
	if (w.pidfd >= 0)
		(void)close(w.pidfd);
	return r;
}

void ancillary_done(struct ancillary *ancillary)
{
	while (ancillary->nfds)
		(void)close(ancillary->fds[--ancillary->nfds]);
}
