/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cmd/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

/* A plain number below 2^32 - 1, which setresuid(2) takes for "unchanged". */
static bool number(const char *text, uint32_t *ret)
{
	int64_t value;

	if (parse_int64(text, 10, &value) < 0 || value < 0 || value >= UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static int take_user(const char *user, struct identity *id, struct err *err)
{
	const struct passwd *pw = getpwnam(user);
	int count = IDENTITY_GROUPS_MAX;
	uint32_t uid;

	if (!pw && number(user, &uid)) {
		pw = getpwuid(uid);
		if (!pw) {
			id->uid = uid;
			id->gid = uid;
			return 0;
		}
	}
	if (!pw)
		return err_set(err, -EINVAL, "--user: no such user '%s'", user);
	id->uid = pw->pw_uid;
	id->gid = pw->pw_gid;
	if (getgrouplist(pw->pw_name, pw->pw_gid, id->groups, &count) < 0)
		return err_set(err, -EINVAL, "--user: '%s' is in more than %d groups", user,
			       IDENTITY_GROUPS_MAX);
	id->ngroups = (size_t)count;
	return 0;
}

static int take_group(const char *group, struct identity *id, struct err *err)
{
	const struct group *gr = getgrnam(group);
	uint32_t gid;

	if (gr)
		gid = gr->gr_gid;
	else if (!number(group, &gid))
		return err_set(err, -EINVAL, "--group: no such group '%s'", group);
	id->gid = gid;
	return 0;
}

int identity_resolve(const char *user, const char *group, struct identity *ret, struct err *err)
{
	struct identity id = { .set = user || group, .uid = getuid(), .gid = getgid() };
	int r = 0;

	if (group && !user) {
		int count = getgroups(IDENTITY_GROUPS_MAX, id.groups);

		id.ngroups = count > 0 ? (size_t)count : 0;
	}
	if (user)
		r = take_user(user, &id, err);
	if (r == 0 && group)
		r = take_group(group, &id, err);
	if (r == 0)
		*ret = id;
	return r;
}
