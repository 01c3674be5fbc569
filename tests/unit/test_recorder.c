/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real guard-recorder: what it writes, what it keeps, what it survives. */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <linux/sockios.h>

#include "rig.h"

static struct rig rig;
static int numbers[20000];

static void enter(void)
{
	rig_enter(&rig);
	(void)chmod(rig.directory, 0755); /* sockets are reached by nobody */
}

static void leave(void)
{
	rig_leave(&rig);
}

TestSuite(recorder, .init = enter, .fini = leave, .timeout = 240);

static void expect_in_order(size_t count, int first)
{
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(numbers[i], first + (int)i, "line %zu is number %d", i, numbers[i]);
}

/* Lines 1 .. COUNT in PATH, each once, nothing else. */
static void expect_file(const char *path, size_t count)
{
	size_t size, other;
	char *text = rig_file(path, &size);

	cr_assert_eq(line_numbers(text, size, numbers, ELEMENTS(numbers), &other), count);
	cr_expect_eq(other, 0);
	expect_in_order(count, 1);
	free(text);
}

static int accept_one(int listener)
{
	struct pollfd ready = { .fd = listener, .events = POLLIN };
	int fd;

	cr_assert_eq(poll(&ready, 1, 60000), 1, "nobody connects");
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	cr_assert_geq(fd, 0);
	return fd;
}

static const char *const file_only[] = { "file:out", NULL };
static const char *const pipe_and_file[] = { "-", "file:out", NULL };

static const char *unix_spec(void)
{
	static char spec[100];

	(void)snprintf(spec, sizeof spec, "unix:%s/socket", rig.directory);
	return spec;
}

Test(recorder, every_sink_in_order)
{
	const char *specs[] = { "-", "stderr", "file:out", unix_spec(), NULL };
	int out = rig_capture(1), err = rig_capture(2);
	int listener = rig_listen("socket", SOCK_STREAM), peer;
	struct text from_out = { 0 }, from_err = { 0 }, from_peer = { 0 };
	char want[8192] = "";
	size_t length = 0;

	rig_start(&rig, specs);
	peer = accept_one(listener);
	for (int i = 1; i <= 100; i++) {
		rig_line(&rig, i % 3 == 0 ? LINK_DENIAL : LINK_EVENT, (uint64_t)i / 3, i, 200);
		length += (size_t)snprintf(want + length, sizeof want - length,
					   "guard: blocked exec /bin/%d (rule rule)\n", i);
	}
	cr_expect_eq(rig_flush(&rig), 33);
	text_read(&from_out, out);
	text_read(&from_err, err);
	text_read(&from_peer, peer);
	expect_file("out", 100);
	cr_assert_eq(line_numbers(from_out.data, from_out.size, numbers, 200, NULL), 100);
	expect_in_order(100, 1);
	cr_assert_eq(line_numbers(from_peer.data, from_peer.size, numbers, 200, NULL), 100);
	expect_in_order(100, 1);
	cr_expect_str_eq(from_err.data, want);
	cr_expect_eq(rig_end(&rig), 0);
}

/* Without FLUSH too, what was sent is written before the end. */
Test(recorder, end_of_the_link)
{
	rig_start(&rig, file_only);
	for (int i = 1; i <= 1000; i++)
		rig_line(&rig, LINK_EVENT, 0, i, 1000);
	cr_expect_eq(rig_end(&rig), 0);
	expect_file("out", 1000);
}

/* More than a queue holds, to a pipe that nobody reads and a file. */
Test(recorder, stalled_reader)
{
	enum { LINES = 3000, SIZE = 4000 };
	int out = rig_capture(1), err = rig_capture(2);
	struct text from_out = { 0 }, from_err = { 0 };
	size_t got, other;
	uint64_t lost;

	rig_start(&rig, pipe_and_file);
	for (int i = 1; i <= LINES; i++)
		rig_line(&rig, LINK_EVENT, 0, i, SIZE);
	cr_expect_eq(rig_flush(&rig), 0);
	expect_file("out", LINES);
	text_wait(&from_err, err, "sink -: does not keep up: events are dropped and counted\n");
	text_wait(&from_out, out, "events_lost");
	rig_line(&rig, LINK_EVENT, 0, LINES + 1, SIZE);
	text_wait(&from_out, out, "\"n\":3001");
	(void)rig_flush(&rig);
	text_read(&from_out, out);
	got = line_numbers(from_out.data, from_out.size, numbers, ELEMENTS(numbers), &other);
	lost = lines_lost(from_out.data, from_out.size);
	cr_expect_gt(lost, 0);
	cr_expect_eq(other, 1, "one gap, one events_lost, but %zu", other);
	cr_expect_eq(got + lost, LINES + 1);
	for (size_t i = 1; i < got; i++)
		cr_assert_gt(numbers[i], numbers[i - 1]);
	cr_expect_geq((got - 1) * SIZE, (size_t)7 << 20, "the queue is 8 MiB, not %zu lines", got);
	cr_expect(strstr(from_out.data, "\"sink\":\"-\""));
	cr_expect_eq(rig_end(&rig), 0);
}

/* Fills the pipe so far that nothing more goes in. */
static void fill_pipe(int count)
{
	/* longer than PIPE_BUF: the last one goes in by half */
	for (int i = 1; i <= count; i++)
		rig_line(&rig, LINK_EVENT, 0, i, 5000);
}

Test(recorder, denials_wait_for_a_stalled_sink)
{
	int out = rig_capture(1);
	struct text from_out = { 0 };

	rig_start(&rig, pipe_and_file);
	fill_pipe(200); /* of 64 KiB */
	rig_line(&rig, LINK_DENIAL, 1, 201, 300);
	cr_expect_eq(rig_flush(&rig), 0, "acknowledged before it was written everywhere");
	expect_file("out", 201);
	text_wait(&from_out, out, "\"n\":201");
	rig_expect_ack(&rig, 1);
	cr_expect_eq(rig_end(&rig), 0);
}

/* Denials beyond the budget are left with their sender and asked for later. */
Test(recorder, more_denials_than_the_budget)
{
	enum { LINES = 100, SIZE = 250000 }; /* 25 MB against 16 MiB */
	int out = rig_capture(1);
	struct text from_out = { 0 };
	uint64_t acked = 0, next = 0;

	rig_start(&rig, pipe_and_file);
	for (int i = 1; i <= LINES; i++)
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, i, SIZE);
	cr_expect_eq(rig_flush(&rig), 0);
	while (acked < LINES) {
		struct pollfd fds[2] = { { rig.link[0], POLLIN, 0 }, { out, POLLIN, 0 } };
		struct seqpacket_head head;

		cr_assert_gt(poll(fds, 2, 60000), 0, "stuck at %lu", (unsigned long)acked);
		text_read(&from_out, out);
		while (seqpacket_receive(rig.link[0], &head, NULL, 0, NULL, NULL) == 0) {
			if (head.type == LINK_ACK)
				acked = head.seq;
			if (head.type != LINK_HELLO)
				continue;
			rig_send(&rig, LINK_HELLO, acked, "", 0);
			for (next = acked + 1; next <= LINES; next++) {
				rig_line(&rig, LINK_DENIAL, next, (int)next, SIZE);
				text_read(&from_out, out);
			}
		}
	}
	cr_expect_gt(next, 0, "HELLO never came");
	expect_file("out", LINES);
	cr_assert_eq(line_numbers(from_out.data, from_out.size, numbers, 200, NULL), LINES);
	expect_in_order(LINES, 1);
	cr_expect_eq(rig_end(&rig), 0);
}

Test(recorder, gap_and_duplicate)
{
	rig_start(&rig, file_only);
	rig_line(&rig, LINK_DENIAL, 1, 1, 200);
	rig_line(&rig, LINK_DENIAL, 3, 3, 200);
	cr_expect_leq(rig_expect(&rig, LINK_HELLO), 1);
	rig_send(&rig, LINK_HELLO, 0, "", 0);
	for (int i = 1; i <= 3; i++)
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, i, 200);
	rig_expect_ack(&rig, 3);
	expect_file("out", 3);
	cr_expect_eq(rig_end(&rig), 0);
}

/* A supervisor that dies before it has answered: its successor is asked. */
Test(recorder, hello_is_repeated)
{
	cr_assert_eq(seqpacket_pair(rig.link), 0);
	cr_assert_eq(recorder_open_sinks(file_only, 1, 100, &rig.sinks, NULL), 0);
	rig_restart(&rig);
	(void)rig_expect(&rig, LINK_HELLO);
	rig_line(&rig, LINK_DENIAL, 1, 1, 200);
	(void)rig_expect(&rig, LINK_HELLO);
	rig_send(&rig, LINK_HELLO, 0, "", 0);
	rig_line(&rig, LINK_DENIAL, 1, 1, 200);
	rig_expect_ack(&rig, 1);
	cr_expect_eq(rig_end(&rig), 0);
	expect_file("out", 1);
}

/* Until the recorder has taken everything from the link. */
static void wait_until_taken(void)
{
	int queued = 1;

	/* a condition that no descriptor reports */
	for (int i = 0; i < 10000 && queued > 0; i++) {
		cr_assert_eq(ioctl(rig.link[0], SIOCOUTQ, &queued), 0);
		(void)poll(NULL, 0, 1);
	}
	cr_assert_eq(queued, 0);
}

/* The recorder has begun to write, and goes on until nothing more fits. */
static void wait_until_filling(int pipe)
{
	int size = fcntl(pipe, F_GETPIPE_SZ), bytes = 0;

	for (int tries = 0; tries < 30000 && bytes < size / 2; tries++) {
		cr_assert_eq(ioctl(pipe, FIONREAD, &bytes), 0);
		(void)poll(NULL, 0, 2);
	}
	cr_assert_geq(bytes, size / 2);
}

/* Ten denials are in a recorder whose pipe is full when it is killed. How many
 * of them are read in the end?
 */
static size_t killed_with_denials(bool resend)
{
	static const char *const pipe_only[] = { "-", NULL };
	int out = rig_capture(1);
	struct text from_out = { 0 };
	size_t count, dead, denials = 0;

	rig_start(&rig, pipe_only);
	fill_pipe(200);
	for (int i = 1; i <= 10; i++)
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, 1000 + i, 300);
	wait_until_taken();
	wait_until_filling(out);
	rig_kill(&rig);
	text_read(&from_out, out); /* it ends in half a line */
	dead = from_out.size;
	rig_restart(&rig);
	(void)rig_expect(&rig, LINK_HELLO);
	rig_send(&rig, LINK_HELLO, resend ? 0 : 10, "", 0);
	for (int i = 1; resend && i <= 10; i++)
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, 1000 + i, 300);
	rig_line(&rig, LINK_DENIAL, 11, 1011, 300);
	text_wait(&from_out, out, "\"n\":1011");
	cr_expect_neq(from_out.data[dead - 1], '\n', "the case is gone");
	cr_expect_eq(from_out.data[dead], '\n', "half a line spoils the next one");
	count = line_numbers(from_out.data + dead + 1, from_out.size - dead - 1, numbers,
			     ELEMENTS(numbers), NULL);
	for (size_t i = 0; i < count; i++)
		denials += numbers[i] > 1000 && numbers[i] <= 1010;
	cr_expect_eq(rig_end(&rig), 0);
	return denials;
}

Test(recorder, killed_with_denials_in_hand)
{
	cr_expect_eq(killed_with_denials(true), 10);
}

Test(recorder, killed_with_denials_in_hand_control_arm)
{
	cr_expect_eq(killed_with_denials(false), 0, "the test above proves nothing");
}

/* Killed again and again at points of a fixed series. */
Test(recorder, killed_between_messages)
{
	enum { LINES = 400 };
	unsigned random = 12345;
	uint64_t acked = 0;
	size_t size, count, distinct = 0;
	char *text;
	bool seen[LINES + 1] = { false };

	rig_start(&rig, file_only);
	for (int i = 1; i <= LINES; i++) {
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, i, 3000);
		random = random * 1103515245 + 12345;
		if (random >> 16 & 7)
			continue;
		rig_kill(&rig);
		rig_restart(&rig);
		/* of the dead one's ACKs some are still on the link */
		for (struct seqpacket_head head = { 0 }; head.type != LINK_HELLO;) {
			if (seqpacket_receive(rig.link[0], &head, NULL, 0, NULL, NULL) < 0)
				(void)poll(&(struct pollfd){ rig.link[0], POLLIN, 0 }, 1, 60000);
			else if (head.type == LINK_ACK)
				acked = head.seq;
		}
		rig_send(&rig, LINK_HELLO, acked, "", 0);
		for (uint64_t seq = acked + 1; seq <= (uint64_t)i; seq++)
			rig_line(&rig, LINK_DENIAL, seq, (int)seq, 3000);
	}
	rig_expect_ack(&rig, LINES);
	cr_expect_eq(rig_end(&rig), 0);
	text = rig_file("out", &size);
	count = line_numbers(text, size, numbers, ELEMENTS(numbers), NULL);
	for (size_t i = 0; i < count; i++) {
		distinct += !seen[numbers[i]];
		seen[numbers[i]] = true;
	}
	cr_expect_eq(distinct, LINES, "%zu of %d denials are in the file", distinct, LINES);
	free(text);
}

/* The recorder's soft limit, changed by a child that has the recorder's ids: root
 * in a container may lack CAP_SYS_RESOURCE.
 */
static void limit_file_size(rlim_t limit)
{
	char path[64], *status;
	unsigned uid = 0, gid = 0;
	size_t size;
	pid_t child;
	int result;

	(void)snprintf(path, sizeof path, "/proc/%d/status", rig.pid);
	status = rig_file(path, &size);
	cr_assert_eq(sscanf(strstr(status, "\nUid:"), "\nUid: %u", &uid), 1);
	cr_assert_eq(sscanf(strstr(status, "\nGid:"), "\nGid: %u", &gid), 1);
	free(status);
	child = fork();
	if (child == 0) {
		struct rlimit limits;
		bool done = (geteuid() != 0 ||
			     (setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0)) &&
			    prlimit(rig.pid, RLIMIT_FSIZE, NULL, &limits) == 0;

		limits.rlim_cur = MIN(limit, limits.rlim_max);
		_exit(!done || prlimit(rig.pid, RLIMIT_FSIZE, &limits, NULL) < 0);
	}
	cr_assert_eq(waitpid(child, &result, 0), child);
	cr_assert_eq(result, 0, "cannot change the recorder's RLIMIT_FSIZE");
}

/* A file that cannot grow: in the middle of line 4. */
Test(recorder, file_at_its_limit)
{
	int err = rig_capture(2);
	struct text from_err = { 0 };
	struct stat st;

	rig_start(&rig, file_only);
	limit_file_size(3 * 301 + 100);
	for (int i = 1; i <= 10; i++)
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, i, 300);
	rig_expect_ack(&rig, 3);
	cr_expect_eq(rig_flush(&rig), 3);
	text_wait(&from_err, err, "guard: sink file:out: File too large: trying again\n");
	cr_assert_eq(stat("out", &st), 0);
	cr_expect_eq(st.st_size, 3 * 301 + 100);
	limit_file_size(RLIM_INFINITY);
	rig_expect_ack(&rig, 10);
	expect_file("out", 10);
	text_wait(&from_err, err, "guard: sink file:out: writes again\n");
	cr_expect_eq(rig_end(&rig), 0);
	text_read(&from_err, err);
	cr_expect_null(strstr(strstr(from_err.data, "too large") + 1, "too large"), "said twice");
}

/* Killed in the middle of a line: the fragment is gone when it goes on. */
Test(recorder, torn_line_of_a_killed_recorder)
{
	struct stat st;

	rig_start(&rig, file_only);
	rig_line(&rig, LINK_DENIAL, 1, 1, 300);
	rig_expect_ack(&rig, 1);
	limit_file_size(400);
	rig_line(&rig, LINK_DENIAL, 2, 2, 300);
	(void)rig_flush(&rig);
	cr_assert_eq(stat("out", &st), 0);
	cr_assert_eq(st.st_size, 400, "not torn");
	rig_kill(&rig);
	rig_restart(&rig);
	(void)rig_expect(&rig, LINK_HELLO);
	rig_send(&rig, LINK_HELLO, 1, "", 0);
	rig_line(&rig, LINK_DENIAL, 2, 2, 300);
	rig_line(&rig, LINK_DENIAL, 3, 3, 300);
	rig_expect_ack(&rig, 3);
	expect_file("out", 3);
	cr_expect_eq(rig_end(&rig), 0);
}

struct tail_row {
	char before[64], after[64];
	bool shared; /* another recorder has the file */
};

ParameterizedTestParameters(recorder, tails)
{
	static struct tail_row rows[] = {
		{ "", "", false },
		{ "text\n", "text\n", false },
		{ "text", "text\n", false },           /* not ours: kept */
		{ "{\"a\":1}", "{\"a\":1}\n", false }, /* whole */
		{ "a\n{\"a\":", "a\n", false },
		{ "{\"a\":", "", false },
		{ "{\"a\":", "{\"a\":", true }, /* it may be about to be finished */
	};
	return cr_make_param_array(struct tail_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct tail_row *r, recorder, tails)
{
	int fd = open("out", O_WRONLY | O_CREAT, 0600);
	size_t size, kept = strlen(r->after);
	char *text;

	cr_assert_eq(write(fd, r->before, strlen(r->before)), (ssize_t)strlen(r->before));
	if (r->shared)
		cr_assert_eq(flock(fd, LOCK_SH), 0);
	rig_start(&rig, file_only);
	rig_line(&rig, LINK_EVENT, 0, 1, 300);
	(void)rig_flush(&rig);
	text = rig_file("out", &size);
	cr_assert_eq(size, kept + 301);
	cr_expect_eq(memcmp(text, r->after, kept), 0, "%s", text);
	cr_expect_eq(line_numbers(text + kept, 301, numbers, 2, NULL), 1);
	free(text);
	cr_expect_eq(rig_end(&rig), 0);
}

Test(recorder, reader_goes_away)
{
	int out = rig_capture(1), err = rig_capture(2);
	struct text from_err = { 0 };

	rig_start(&rig, pipe_and_file);
	(void)close(out);
	for (int i = 1; i <= 10; i++)
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, i, 300);
	rig_expect_ack(&rig, 10);
	expect_file("out", 10);
	text_wait(&from_err, err, "guard: sink -: Broken pipe: given up\n");
	cr_expect_eq(rig_end(&rig), 0);
	text_read(&from_err, err);
	cr_expect_null(strstr(strstr(from_err.data, "given up") + 1, "given up"), "said twice");
}

/* Nobody listens, then somebody does, leaves in the middle, comes back. */
Test(recorder, socket_reconnects)
{
	const char *specs[] = { unix_spec(), "file:out", NULL };
	struct text first = { 0 }, second = { 0 };
	int err = rig_capture(2), listener, peer, half = 4096;
	struct text from_err = { 0 };

	rig_start(&rig, specs);
	rig_line(&rig, LINK_DENIAL, 1, 1, 300);
	rig_expect_ack(&rig, 1); /* does not wait for who is not there */
	text_wait(&from_err, err, "socket: No such file or directory: trying again\n");
	listener = rig_listen("socket", SOCK_STREAM);
	peer = accept_one(listener);
	text_wait(&first, peer, "\"n\":1,");
	/* a line larger than the socket takes is cut by the end of the connection */
	(void)setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &half, sizeof half);
	for (int i = 2; i <= 5; i++)
		rig_line(&rig, LINK_EVENT, 0, i, 250000);
	text_wait(&first, peer, "\"n\":2,");
	(void)close(peer);
	peer = accept_one(listener);
	text_wait(&second, peer, "\"n\":5,");
	(void)rig_flush(&rig);
	text_read(&second, peer);
	cr_expect_gt(line_numbers(second.data, second.size, numbers, 10, NULL), 0);
	expect_in_order((size_t)(5 - numbers[0] + 1), numbers[0]);
	cr_expect_leq(numbers[0], 3, "whole lines were lost");
	cr_expect_eq(rig_end(&rig), 0);
	expect_file("out", 5);
}

Test(recorder, rotation)
{
	struct err err = { 0 };
	size_t size;
	char *text;

	rig_start(&rig, pipe_and_file);
	rig_line(&rig, LINK_EVENT, 0, 1, 300);
	(void)rig_flush(&rig);
	cr_assert_eq(rename("out", "old"), 0);
	cr_assert_eq(recorder_reopen_sinks(rig.link[0], &rig.sinks, &err), 0, "%s", err.text);
	rig_line(&rig, LINK_EVENT, 0, 2, 300);
	(void)rig_flush(&rig);
	expect_file("old", 1);
	text = rig_file("out", &size);
	cr_expect_eq(line_numbers(text, size, numbers, 10, NULL), 1);
	cr_expect_eq(numbers[0], 2);
	free(text);
	/* where the new file cannot be had, the old one goes on */
	cr_assert_eq(unlink("out"), 0);
	cr_assert_eq(symlink("old", "out"), 0);
	cr_expect_eq(recorder_reopen_sinks(rig.link[0], &rig.sinks, &err), -ELOOP);
	cr_expect_str_eq(err.text, "sink file:out: is a symbolic link");
	rig_line(&rig, LINK_DENIAL, 1, 3, 300);
	rig_expect_ack(&rig, 1);
	cr_expect_eq(rig_end(&rig), 0);
	expect_file("old", 1);
}

static size_t count_fds(void)
{
	char path[64];
	size_t count = 0;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", rig.pid);
	dir = opendir(path);
	if (!dir)
		cr_skip_test("needs root: the recorder is not dumpable");
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count - 2;
}

Test(recorder, no_descriptor_leaks)
{
	const char *specs[] = { "-", "file:out", unix_spec(), NULL };
	int out = rig_capture(1), inherited = open("/", O_RDONLY | O_DIRECTORY);
	int listener = rig_listen("socket", SOCK_STREAM);
	struct err err = { 0 };

	cr_assert_geq(inherited, 0);
	cr_assert_eq(dup2(inherited, 900), 900); /* above those of the sinks, too */
	rig_start(&rig, specs);
	for (int i = 0; i < 50; i++) {
		struct seqpacket_head head = { .type = 99 };
		struct text from_peer = { 0 };
		int peer = accept_one(listener);
		char word[32];

		/* Who leaves without a line is called with growing pauses: seconds, soon. */
		(void)snprintf(word, sizeof word, "\"n\":%d,", i - 1);
		if (i > 0)
			text_wait(&from_peer, peer, word);
		free(from_peer.data);
		(void)close(peer); /* seen at the next write */
		cr_assert_eq(recorder_reopen_sinks(rig.link[0], &rig.sinks, &err), 0);
		/* descriptors beside a message that has no use for them, unknown or not */
		cr_assert_eq(seqpacket_send(rig.link[0], &head, NULL, &inherited, 1), 0);
		head.type = LINK_EVENT;
		cr_assert_eq(seqpacket_send(rig.link[0], &head, NULL, &inherited, 1), 0);
		rig_line(&rig, LINK_EVENT, 0, i, 300);
	}
	(void)accept_one(listener);
	(void)rig_flush(&rig);
	/* 0 1 2, link, -, file, unix */
	cr_expect_eq(count_fds(), 7, "%zu descriptors", count_fds());
	(void)close(out);
	cr_expect_eq(rig_end(&rig), 0);
}

Test(recorder, hostile_bytes)
{
	static const char line[] = "{\"agent\":{\"rule_id\":\"r\\n\\u001b[31m\"},\n\r\0\x1b"
				   "\"evt\":{\"name\":\"exec\"},\"file\":{\"path\":\"/\\n"
				   "guard: blocked exec /x (rule y)\"},\"n\":1,"
				   "\"guard\":{\"verdict\":\"blocked\"}}";
	const char *specs[] = { "file:out", "stderr", NULL };
	int err = rig_capture(2);
	struct text from_err = { 0 };

	rig_start(&rig, specs);
	rig_send(&rig, LINK_EVENT, 0, line, sizeof line - 1);
	rig_send(&rig, LINK_EVENT, 0, "", 0);
	rig_send(&rig, LINK_EVENT, 0, "\xff\n\x1b", 3);
	(void)rig_flush(&rig);
	text_read(&from_err, err);
	cr_expect_str_eq(from_err.data, "guard: blocked exec /\\x0aguard: blocked exec /x (rule y) "
					"(rule r\\x0a\\x1b[31m)\n"
					"guard: an event of 0 bytes that is not JSON\n"
					"guard: an event of 3 bytes that is not JSON\n");
	{
		size_t size;
		char *text = rig_file("out", &size);

		cr_expect_eq(line_numbers(text, (size_t)(strchr(text, '\n') - text) + 1, numbers, 2,
					  NULL),
			     1);
		cr_expect_str_eq(text + size - 5, "\n\xff  \n");
		free(text);
	}
	cr_expect_eq(rig_end(&rig), 0);
}

Test(recorder, large_line)
{
	const char *specs[] = { "-", "file:out", unix_spec(), NULL };
	int out = rig_capture(1), listener = rig_listen("socket", SOCK_STREAM), peer;
	struct text from_out = { 0 }, from_peer = { 0 };

	rig_start(&rig, specs);
	peer = accept_one(listener);
	rig_line(&rig, LINK_DENIAL, 1, 1, SEQPACKET_MAX);
	text_wait(&from_out, out, "ppp\"}\n");
	text_wait(&from_peer, peer, "ppp\"}\n");
	rig_expect_ack(&rig, 1);
	cr_expect_eq(from_out.size, SEQPACKET_MAX + 1);
	cr_expect_eq(line_numbers(from_out.data, from_out.size, numbers, 2, NULL), 1);
	cr_expect_eq(from_peer.size, SEQPACKET_MAX + 1);
	expect_file("out", 1);
	cr_expect_eq(rig_end(&rig), 0);
}

static void expect_status(const char *status, const char *line)
{
	cr_expect(strstr(status, line), "not in status: %s", line);
}

Test(recorder, without_any_privilege)
{
	char path[64], *status;
	size_t size;

	if (geteuid() != 0)
		cr_skip_test("needs root, to give it up");
	cr_assert_eq(setgroups(2, (const gid_t[]){ 4, 24 }), 0);
	rig_start(&rig, file_only);
	(void)snprintf(path, sizeof path, "/proc/%d/status", rig.pid);
	status = rig_file(path, &size);
	if (!strstr(status, "Uid:\t65534\t65534\t65534\t65534\n"))
		cr_expect_null(strstr(status, "Uid:\t0"), "runs as root");
	expect_status(status, "\nGroups:\t \n");
	expect_status(status, "CapInh:\t0000000000000000\n");
	expect_status(status, "CapPrm:\t0000000000000000\n");
	expect_status(status, "CapEff:\t0000000000000000\n");
	expect_status(status, "CapBnd:\t0000000000000000\n");
	expect_status(status, "CapAmb:\t0000000000000000\n");
	expect_status(status, "NoNewPrivs:\t1\n");
#ifndef WITH_SANITIZERS
	expect_status(status, "Seccomp:\t2\n");
#endif
	cr_expect_eq(getsid(rig.pid), rig.pid);
	free(status);
	cr_expect_eq(rig_end(&rig), 0);
}

/* A guard that is not root has less to give up, and does. */
Test(recorder, started_by_a_user)
{
	char path[64], *status;
	size_t size;
	struct stat st;

	if (geteuid() == 0)
		cr_assert(chown(rig.directory, 4711, 4711) == 0 &&
			  setresgid(4711, 4711, 4711) == 0 && setresuid(4711, 4711, 4711) == 0);
	if (access("/proc/self/exe", X_OK) < 0)
		cr_skip_test("the build directory is closed to others");
	rig_start(&rig, file_only);
	rig_line(&rig, LINK_DENIAL, 1, 1, 300);
	rig_expect_ack(&rig, 1);
	(void)snprintf(path, sizeof path, "/proc/%d/status", rig.pid);
	status = rig_file(path, &size);
	expect_status(status, "NoNewPrivs:\t1\n");
	free(status);
	/* not dumpable: what /proc has of it is root's */
	(void)snprintf(path, sizeof path, "/proc/%d/environ", rig.pid);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_uid, 0);
	cr_expect_eq(rig_end(&rig), 0);
	expect_file("out", 1);
}

Test(recorder, signals_do_not_end_it)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGTSTP, SIGUSR1
	};

	rig_start(&rig, file_only);
	for (size_t i = 0; i < ELEMENTS(signals); i++)
		cr_assert_eq(kill(rig.pid, signals[i]), 0);
	rig_line(&rig, LINK_DENIAL, 1, 1, 300);
	rig_expect_ack(&rig, 1);
	cr_expect_eq(rig_end(&rig), 0);
	expect_file("out", 1);
}

/* Standard output is shared with the workload: it must stay blocking. */
Test(recorder, shared_output_stays_as_it_was)
{
	(void)rig_capture(1);
	(void)rig_capture(2);
	rig_start(&rig, (const char *const[]){ "-", "stderr", NULL });
	fill_pipe(300);
	(void)rig_flush(&rig);
	cr_expect_not(fcntl(1, F_GETFL) & O_NONBLOCK);
	cr_expect_not(fcntl(2, F_GETFL) & O_NONBLOCK);
	cr_expect_eq(rig_end(&rig), 0);
}

Test(recorder, by_hand)
{
	struct recorder_program program = { .fd = -1 };
	struct err err = { 0 };

	cr_expect_eq(recorder_pin("/nonexistent/guard-recorder", 3, &program, &err), -ENOENT);
	cr_expect_str_eq(err.text,
			 "cannot run /nonexistent/guard-recorder: No such file or directory");
	cr_expect_eq(program.fd, -1);
}
