/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "kernel/become.h"

enum peer_kind peer_kind(const struct sockaddr_storage *address, socklen_t size)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)address;

	if (size <= offsetof(struct sockaddr_un, sun_path) || size > sizeof *un ||
	    un->sun_family != AF_UNIX)
		return PEER_NONE;
	return un->sun_path[0] ? PEER_PATH : PEER_ABSTRACT;
}

void peer_path(const struct sockaddr_storage *address, socklen_t size, char ret[PEER_PATH_SIZE])
{
	size_t start = offsetof(struct sockaddr_un, sun_path);

	memcpy(ret, (const char *)address + start, size - start);
	ret[size - start] = '\0';
}

static int open_file(const struct peer_look *look, bool cached_only)
{
	return resolve_open(&(struct resolve_request){ .host = look->host,
						       .tid = look->tid,
						       .tgid = look->tgid,
						       .dirfd = AT_FDCWD,
						       .path = look->path,
						       .cached_only = cached_only });
}

int peer_look(void *data)
{
	struct peer_look *look = data;
	struct become self;

	look->file = become_caller(look->tid, -1, &self);
	if (look->file < 0)
		return 0;
	look->file = open_file(look, false);
	look->shut = look->file > 0 &&
		     syscall(SYS_faccessat2, look->file, "", W_OK, AT_EACCESS | AT_EMPTY_PATH) < 0;
	become_self(&self);
	/* the rules' own paths are not the caller's business */
	if (look->file > 0 && look->pins)
		pins_find(look->pins,
			  &(struct pins_view){ look->host, look->tid, look->tgid, look->file },
			  &look->known);
	return 0;
}

void peer_glance(struct peer_look *look)
{
	int file = open_file(look, true);

	look->file = MAX(file, 0);
}

void peer_drop(void *data)
{
	struct peer_look *look = data;

	if (look->file > 0)
		(void)close(look->file);
	look->file = 0;
}

void peer_pinned_address(int file, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d", file);
}
