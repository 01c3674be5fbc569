/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rig.h - a real guard-recorder on a link whose other end the test holds.
 *
 * The test plays supervisor and keeper: it starts the program with the
 * keeper's own code and speaks model/link.h. Waiting is always for a message, a
 * descriptor or the process, with a deadline that fails the test.
 */
#pragma once
#include <sys/types.h>

#include "base/seqpacket.h"
#include "model/link.h"
#include "record/spawn.h"

struct rig {
	int link[2]; /* [0] is the supervisor's end, [1] the recorder's */
	pid_t pid;
	struct recorder_sinks sinks;
	char directory[64]; /* current directory of the test */
};

/* Makes a directory that nobody may search, and enters it. */
void rig_enter(struct rig *rig);
void rig_leave(struct rig *rig);

/* Opens the sinks (NULL-terminated) and starts the recorder; its HELLO has
 * come in.
 */
void rig_start(struct rig *rig, const char *const *specs);

/* Starts it once more, with what is there. */
void rig_restart(struct rig *rig);

/* kill -9, and reaped. */
void rig_kill(struct rig *rig);

/* Ends the link; the exit status of the recorder. */
int rig_end(struct rig *rig);

void rig_send(struct rig *rig, enum link_message type, uint64_t seq, const char *text, size_t size);

/* A line of SIZE bytes that is JSON, with N in it as "n". */
void rig_line(struct rig *rig, enum link_message type, uint64_t seq, int n, size_t size);

/* The next message of this TYPE; others are skipped. Its seq. */
uint64_t rig_expect(struct rig *rig, enum link_message type);

/* Until SEQ is acknowledged. */
void rig_expect_ack(struct rig *rig, uint64_t seq);

/* FLUSH and its answer: the number acknowledged. */
uint64_t rig_flush(struct rig *rig);

/* Whatever is in the file, NUL-terminated and the caller's to free. */
char *rig_file(const char *path, size_t *ret_size);

/* Everything readable now from a non-blocking descriptor is appended. */
struct text {
	char *data;
	size_t size, capacity;
};
void text_read(struct text *text, int fd);
/* Until TEXT holds WORD. */
void text_wait(struct text *text, int fd, const char *word);

/* Numbers "n" of the JSON lines in TEXT in their order; every line must be
 * whole and valid. Lines without "n" are counted in *ret_other.
 */
size_t line_numbers(const char *text, size_t size, int *numbers, size_t capacity,
		    size_t *ret_other);

/* guard.lost of all events_lost lines together. */
uint64_t lines_lost(const char *text, size_t size);

/* A pipe: its write end takes the place of FD (1 or 2); the non-blocking read
 * end is returned.
 */
int rig_capture(int fd);

/* A listening or datagram socket at PATH that everyone may use. */
int rig_listen(const char *path, int type);
