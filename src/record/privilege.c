/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { NOBODY = 65534 };

static int compare_fds(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void close_others(const int *keep, size_t nkeep)
{
	int fds[64];
	unsigned next = STDERR_FILENO + 1;

	nkeep = MIN(nkeep, ELEMENTS(fds));
	memcpy(fds, keep, nkeep * sizeof *fds);
	qsort(fds, nkeep, sizeof *fds, compare_fds);
	for (size_t i = 0; i < nkeep; i++) {
		if (fds[i] < (int)next)
			continue;
		if (fds[i] > (int)next)
			(void)close_range(next, (unsigned)fds[i] - 1, 0);
		next = (unsigned)fds[i] + 1;
	}
	(void)close_range(next, ~0U, 0);
}

/* The recorder lives as long as its link: what ends or stops the workload's
 * group must not end it, or the last lines were lost.
 */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGINT,  SIGTERM, SIGHUP,  SIGPIPE, SIGQUIT, SIGXFSZ,
				       SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM };
	struct sigaction action = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < ELEMENTS(ignored); i++)
		(void)sigaction(ignored[i], &action, NULL);
}

int privilege_detach(const int *keep, size_t nkeep, struct err *err)
{
	const struct rlimit none = { 0, 0 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ignore_signals();
	(void)setsid(); /* fails only where it is a leader already */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)umask(077);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return err_errno(err, -errno, "/dev/null");
	close_others(keep, nkeep);
	if (chdir("/") < 0)
		return err_errno(err, -errno, "/");
	return 0;
}

/* Without NSS: nothing may be loaded or asked over the network here. */
static void find_user(uid_t *uid, gid_t *gid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;

	*uid = NOBODY;
	*gid = NOBODY;
	if (!file)
		return;
	while ((entry = fgetpwent(file)) != NULL) {
		if (!streq(entry->pw_name, "guard") || entry->pw_uid == 0 || entry->pw_gid == 0)
			continue;
		*uid = entry->pw_uid;
		*gid = entry->pw_gid;
		break;
	}
	(void)fclose(file);
}

/* A change of user makes a process as dumpable as fs.suid_dumpable says. While it keeps
 * its capabilities nobody without them can look into it all the same.
 */
static int change_user(const char **ret_note, struct err *err)
{
	uid_t uid;
	gid_t gid;

	find_user(&uid, &gid);
	/* EPERM: a user namespace that forbids setgroups(2) */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot keep capabilities");
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_errno(err, -errno, "cannot give up supplementary groups");
	if (setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0)
		return 0;
	if (errno != EINVAL)
		return err_errno(err, -errno, "cannot become uid %u", uid);
	*ret_note = "this user namespace maps no unprivileged user; only capabilities are dropped";
	return 0;
}

int privilege_drop(const char **ret_note, struct err *err)
{
	bool root = geteuid() == 0;
	int error;

	*ret_note = NULL;
	capng_clear(CAPNG_SELECT_ALL);
	/* before the user, for it takes CAP_SETPCAP; who has not got that keeps a set that
	 * means nothing under no_new_privs */
	if (root)
		(void)capng_apply(CAPNG_SELECT_BOUNDS);
	error = root ? change_user(ret_note, err) : 0;
	if (error < 0)
		return error;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot clear dumpable");
	if (capng_apply(CAPNG_SELECT_CAPS) < 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) > 0)
		return err_set(err, -EPERM, "cannot give up capabilities");
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot set no-new-privs");
	return 0;
}
