/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-send.h - what the files of the send deeds share. */
#pragma once
#include "tests/lib/t-do.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#define BAD ((void *)8)

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t size;
};

struct address inet(const char *host, unsigned port);
int make_socket(int domain, int type, int protocol);
struct address name_of(int fd);
/* A bound socket; a stream also listens. */
int server(const char *host, int type, struct address *ret);
/* sendmsg of one piece. */
long send_one(int fd, const struct address *to, const void *data, size_t size, int flags);

/* Prints WHAT and N, or the name of errno. */
void told(const char *what, long n);
/* How many signals came that on_signal() waits for. */
extern volatile sig_atomic_t signals;
void on_signal(int number, int flags);

struct state {
	const char *name;
	void (*run)(void);
};
/* end: name NULL */
extern const struct state datagram_states[], stream_states[];

int send_slowly(char **args);
