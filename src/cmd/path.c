/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cmd/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* What execvp(3) searches without PATH in the environment. */
#define DEFAULT_PATH "/bin:/usr/bin"

/* 0 for an executable file, else -errno. */
static int executable(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return faccessat(dir, path, X_OK, AT_EACCESS) < 0 ? -EACCES : 0;
}

static int search(int dir, const char *name, const char *path, char **ret)
{
	int result = -ENOENT;

	for (const char *p = path, *end; p; p = *end ? end + 1 : NULL) {
		_cleanup_free_ char *candidate = NULL;
		int r;

		end = p + strcspn(p, ":");
		/* an empty part is the working directory */
		if (asprintf(&candidate, "%.*s%s%s", (int)(end - p), p, end > p ? "/" : "./",
			     name) < 0)
			return -ENOMEM;
		r = executable(dir, candidate);
		if (r == 0) {
			*ret = TAKE(candidate);
			return 0;
		}
		if (r != -ENOENT && r != -ENOTDIR)
			result = r;
	}
	return result;
}

int path_search(const char *name, const char *cwd, char **ret, struct err *err)
{
	_cleanup_close_ int dir = open(cwd ? cwd : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *path = getenv("PATH");
	_cleanup_free_ char *found = NULL;
	int r;

	if (dir < 0)
		return err_set(err, -EINVAL, "--cwd %s: %s", cwd ? cwd : ".", strerror(errno));
	if (strchr(name, '/')) {
		r = executable(dir, name);
		found = strdup(name);
		if (!found)
			r = -ENOMEM;
	} else if (!*name) {
		r = -ENOENT;
	} else {
		r = search(dir, name, path ? path : DEFAULT_PATH, &found);
	}
	if (r < 0)
		return err_errno(err, r, "%s", name);
	*ret = TAKE(found);
	return 0;
}
