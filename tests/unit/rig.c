/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "rig.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { DEADLINE_MS = 60000 };

void rig_enter(struct rig *rig)
{
	*rig = (struct rig){ .link = { -1, -1 } };
	(void)snprintf(rig->directory, sizeof rig->directory, "/tmp/guard-test-recorder-XXXXXX");
	cr_assert_not_null(mkdtemp(rig->directory));
	cr_assert_eq(chdir(rig->directory), 0);
}

void rig_leave(struct rig *rig)
{
	const char *names[] = { "out", "old", "socket", "log" };

	if (rig->pid > 0)
		rig_kill(rig);
	recorder_sinks_done(&rig->sinks);
	for (size_t i = 0; i < ELEMENTS(names); i++)
		(void)remove(names[i]);
	cr_expect_eq(chdir("/"), 0);
	(void)rmdir(rig->directory);
}

void rig_restart(struct rig *rig)
{
	struct recorder_program pinned = { .fd = -1 };
	struct recorder_options options = {
		.program = &pinned, .hostname = "h", .service = "s", .workload = "w"
	};
	struct err err = { 0 };
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 32);

	/* this is tests/unit/test_recorder, or .libs below it */
	cr_assert_gt(n, 0);
	program[n] = '\0';
	*strrchr(program, '/') = '\0';
	(void)strcat(program, "/../../guard-recorder");
	cr_assert_eq(recorder_pin(program, 100, &pinned, &err), 0, "%s", err.text);
	cr_assert_eq(recorder_spawn(rig->link[1], &rig->sinks, &options, &rig->pid, &err), 0, "%s",
		     err.text);
	recorder_program_done(&pinned);
}

void rig_start(struct rig *rig, const char *const *specs)
{
	struct err err = { 0 };
	size_t count = 0;

	while (specs[count])
		count++;
	cr_assert_eq(recorder_open_sinks(specs, count, 100, &rig->sinks, &err), 0, "%s", err.text);
	cr_assert_eq(seqpacket_pair(rig->link), 0);
	rig_restart(rig);
	(void)rig_expect(rig, LINK_HELLO);
	rig_send(rig, LINK_HELLO, 0, "", 0);
}

void rig_kill(struct rig *rig)
{
	(void)kill(rig->pid, SIGKILL);
	(void)waitpid(rig->pid, NULL, 0);
	rig->pid = 0;
}

int rig_end(struct rig *rig)
{
	int status;

	(void)close(TAKE_FD(rig->link[0]));
	(void)close(TAKE_FD(rig->link[1]));
	cr_assert_eq(waitpid(rig->pid, &status, 0), rig->pid);
	rig->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void wait_for(int fd, short events, const char *what)
{
	struct pollfd ready = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&ready, 1, DEADLINE_MS);
	while (n < 0 && errno == EINTR);
	cr_assert_eq(n, 1, "waited in vain: %s", what);
}

void rig_send(struct rig *rig, enum link_message type, uint64_t seq, const char *text, size_t size)
{
	struct seqpacket_head head = { .type = type, .size = (uint32_t)size, .seq = seq };
	int error;

	while ((error = seqpacket_send(rig->link[0], &head, text, NULL, 0)) == -EAGAIN)
		wait_for(rig->link[0], POLLOUT, "the link to take a message");
	cr_assert_eq(error, 0, "send: %d", error);
}

void rig_line(struct rig *rig, enum link_message type, uint64_t seq, int n, size_t size)
{
	static char text[SEQPACKET_MAX];
	int head =
		snprintf(text, sizeof text,
			 "{\"agent\":{\"rule_id\":\"rule\"},\"evt\":{\"name\":\"exec\"},\"file\":"
			 "{\"path\":\"/bin/%d\"},\"guard\":{\"verdict\":\"blocked\"},\"n\":%d,"
			 "\"pad\":\"",
			 n, n);
	size_t pad = size > (size_t)head + 2 ? size - (size_t)head - 2 : 0;

	memset(text + head, 'p', pad);
	memcpy(text + head + pad, "\"}", 2);
	rig_send(rig, type, seq, text, (size_t)head + pad + 2);
}

uint64_t rig_expect(struct rig *rig, enum link_message type)
{
	for (;;) {
		struct seqpacket_head head;
		char body[64];
		ssize_t n = seqpacket_receive(rig->link[0], &head, body, sizeof body, NULL, NULL);

		if (n == -EAGAIN) {
			wait_for(rig->link[0], POLLIN, "a message of the recorder");
			continue;
		}
		cr_assert_geq(n, 0, "receive: %zd", n);
		if (head.type == type)
			return head.seq;
	}
}

void rig_expect_ack(struct rig *rig, uint64_t seq)
{
	while (rig_expect(rig, LINK_ACK) < seq)
		;
}

uint64_t rig_flush(struct rig *rig)
{
	rig_send(rig, LINK_FLUSH, 0, "", 0);
	return rig_expect(rig, LINK_FLUSH);
}

char *rig_file(const char *path, size_t *ret_size)
{
	char *data = NULL;

	cr_assert_eq(read_file(path, (size_t)1 << 30, &data, ret_size), 0, "%s", path);
	return data;
}

void text_read(struct text *text, int fd)
{
	for (;;) {
		ssize_t n;

		if (text->capacity - text->size < 70000) {
			text->capacity = text->capacity * 2 + 70000;
			text->data = realloc(text->data, text->capacity);
			cr_assert_not_null(text->data);
		}
		n = read(fd, text->data + text->size, 65536);
		if (n <= 0)
			break;
		text->size += (size_t)n;
	}
	text->data[text->size] = '\0';
}

void text_wait(struct text *text, int fd, const char *word)
{
	text_read(text, fd);
	while (!memmem(text->data, text->size, word, strlen(word))) {
		size_t before = text->size;

		wait_for(fd, POLLIN, word);
		text_read(text, fd);
		cr_assert_gt(text->size, before, "end of file before: %s", word);
	}
}

size_t line_numbers(const char *text, size_t size, int *numbers, size_t capacity, size_t *ret_other)
{
	const char *end = text + size;
	size_t count = 0, other = 0;

	cr_assert(size == 0 || end[-1] == '\n', "the last line is not whole");
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		json_t *json = json_loadb(text, (size_t)(newline - text), JSON_ALLOW_NUL, NULL);
		json_t *n = json_object_get(json, "n");

		cr_assert_not_null(json, "not JSON: %.*s", (int)MIN(newline - text, 200), text);
		if (!n)
			other++;
		else if (count < capacity)
			numbers[count++] = (int)json_integer_value(n);
		json_decref(json);
		text = newline + 1;
	}
	if (ret_other)
		*ret_other = other;
	return count;
}

uint64_t lines_lost(const char *text, size_t size)
{
	const char *end = text + size;
	uint64_t lost = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		json_t *json = json_loadb(text, (size_t)(newline - text), 0, NULL);
		json_t *rule = json_object_get(json_object_get(json, "agent"), "rule_id");

		if (json_is_string(rule) && streq(json_string_value(rule), "events_lost"))
			lost += (uint64_t)json_integer_value(
				json_object_get(json_object_get(json, "guard"), "lost"));
		json_decref(json);
		text = newline + 1;
	}
	return lost;
}

int rig_capture(int fd)
{
	int pipe_fds[2];

	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	cr_assert_eq(dup2(pipe_fds[1], fd), fd);
	(void)close(pipe_fds[1]);
	cr_assert_eq(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK), 0);
	return pipe_fds[0];
}

int rig_listen(const char *path, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0, "%s: %s", path,
		     strerror(errno));
	(void)chmod(path, 0666);
	if (type == SOCK_STREAM)
		cr_assert_eq(listen(fd, 5), 0);
	return fd;
}
