/* SPDX-License-Identifier: GPL-3.0-or-later */
/* peer.h - the AF_UNIX socket that an address means to a caller.
 *
 * A name of a file is looked up once, from the caller's root and directory and with
 * its rights; what is found is held (O_PATH), judged and connected to. Links,
 * renames and mounts that change meanwhile change nothing of that.
 */
#pragma once
#include <sys/socket.h>
#include <sys/un.h>

#include "base/util.h"
#include "kernel/pins.h"

enum peer_kind {
	PEER_NONE,     /* no peer: a disconnect, or an address that is wrong */
	PEER_PATH,     /* a file */
	PEER_ABSTRACT, /* a name in the network namespace of the socket that is used */
};

/* A path has up to 108 bytes, not always with a NUL behind them. */
enum { PEER_PATH_SIZE = sizeof(((struct sockaddr_un *)0)->sun_path) + 1 };

/* What SIZE bytes of ADDRESS are to an AF_UNIX socket (unix_validate_addr() of
 * net/unix).
 */
enum peer_kind peer_kind(const struct sockaddr_storage *address, socklen_t size);

/* The path of a PEER_PATH, up to its first NUL. */
void peer_path(const struct sockaddr_storage *address, socklen_t size, char ret[PEER_PATH_SIZE]);

struct peer_look {
	const struct resolve_host *host;
	struct pins *pins; /* NULL: none */
	pid_t tid, tgid;   /* whose look */
	char path[PEER_PATH_SIZE];
	int file;              /* found: O_PATH; -errno; 0 = not looked for */
	bool shut;             /* and the caller may not write to it */
	struct pins_set known; /* which pins it is */
};

/* Fills `file` and `known`: 0. A worker_job. */
int peer_look(void *look);

/* The same without waiting and with guard's own rights, for a report; without pins.
 * Leaves `file` 0 where it would have to wait.
 */
void peer_glance(struct peer_look *look);

/* Lets go of the file. A worker's dispose. */
void peer_drop(void *look);

/* The address by which FILE is reached, whatever its names are; of -1 ENOENT. */
void peer_pinned_address(int file, struct sockaddr_un *ret);
