/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net.h - net-probe: what network calls answer, row by row, as words that can be
 * compared. net.rows says what a row does; net.sh runs it with and without guard.
 */
#pragma once
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	unsigned char raw[256];
};

/* An address with a name, by which it is printed, whatever its port is today. */
struct place {
	char name[24];
	union address address;
	socklen_t size;
};

enum { PLACES_MAX = 64, FDS_MAX = 8, WORDS_MAX = 16, PAYLOAD_MAX = 1 << 20 };

/* One row at work. */
struct probe {
	const struct place *places;
	size_t nplaces;
	int fds[FDS_MAX], current; /* what steps are about: fds[current] */
	struct timespec mark;
	bool leave; /* the rest of the row is somebody else's */
};

struct step {
	const char *name;
	void (*run)(struct probe *p, char **words); /* words[0] is the name; NULL at the end */
};
/* end: name NULL */
extern const struct step socket_steps[], send_steps[], task_steps[];

/* Places (net-place.c). A file of lines "NAME ADDRESS PORT"; those that need no server
 * are known anyway.
 */
size_t places_read(const char *path, struct place *places);
/* Ends the program when there is none of that name. */
const struct place *place_of(const struct probe *p, const char *name);
void print_address(const struct probe *p, const union address *address, socklen_t size);

/* Where the bytes of a call lie: "edge" at the end of a mapping, "beyond" over it,
 * "writeonly", "none", "null", "bad"; NULL is plain memory. SIZE bytes of DATA.
 */
void *lay_out(const char *where, const void *data, size_t size);

/* printf(3), but for a thread that is quiet. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
extern _Thread_local bool quiet;
/* " NAME=ok", or the name of errno where RESULT is -1. */
void print_result(const char *name, long result);
/* " NAME=N", for calls that count. */
void print_count(const char *name, long result);

/* Word N as a number; 0 when it is missing. */
long number(char **words, int n);
/* What follows KEY= in one of the words, or NULL. */
const char *option(char **words, const char *key);

/* Ends the program when there is none of that name. */
const struct step *find_step(const char *name);

/* Serves in the directory, whose file "places" then says where; never returns. */
int serve(const char *directory);
