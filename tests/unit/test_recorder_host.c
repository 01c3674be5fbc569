/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real guard-recorder against a full disk, a journald and a syslogd of
 * our own making, in a mount namespace of their own; and its system call filter.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "record/lockdown.h"
#include "rig.h"

static struct rig rig;
static int numbers[2000];
static char datagram[1 << 20];

static void enter(void)
{
	rig_enter(&rig);
	(void)chmod(rig.directory, 0755);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("needs a mount namespace of its own");
}

static void leave(void)
{
	(void)umount2(rig.directory, MNT_DETACH);
	rig_leave(&rig);
}

TestSuite(recorder_host, .init = enter, .fini = leave, .timeout = 240);

static void expect_file(const char *path, size_t count)
{
	size_t size, other;
	char *text = rig_file(path, &size);

	cr_assert_eq(line_numbers(text, size, numbers, ELEMENTS(numbers), &other), count);
	cr_expect_eq(other, 0);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(numbers[i], (int)i + 1);
	free(text);
}

Test(recorder_host, full_disk)
{
	int err = rig_capture(2), filler;
	struct text from_err = { 0 };
	uint64_t acked;

	cr_assert_eq(mount("none", rig.directory, "tmpfs", 0, "size=65536,mode=755"), 0);
	cr_assert_eq(chdir(rig.directory), 0);
	filler = open("old", O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(write(filler, datagram, 50000), 50000);
	rig_start(&rig, (const char *const[]){ "file:out", NULL });
	for (int i = 1; i <= 30; i++)
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, i, 1000);
	text_wait(&from_err, err, "guard: sink file:out: No space left on device: trying again\n");
	acked = rig_flush(&rig);
	cr_expect_gt(acked, 0);
	cr_expect_lt(acked, 30);
	cr_assert_eq(ftruncate(filler, 0), 0);
	rig_expect_ack(&rig, 30);
	expect_file("out", 30);
	cr_expect_eq(rig_end(&rig), 0);
	(void)close(filler);
	cr_expect_eq(chdir("/"), 0);
}

/* ---- journald ---------------------------------------------------------- */

static void make_run(void)
{
	cr_assert_eq(mount("none", "/run", "tmpfs", 0, "mode=755"), 0);
	cr_assert_eq(mkdir("/run/systemd", 0755), 0);
	cr_assert_eq(mkdir("/run/systemd/journal", 0755), 0);
}

/* One entry as journald would take it, from the datagram or the memory file
 * beside it.
 */
static size_t receive_entry(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { datagram, sizeof datagram };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof control };
	struct cmsghdr *cmsg;
	ssize_t n;

	cr_assert_eq(poll(&ready, 1, 60000), 1, "no entry");
	n = recvmsg(fd, &msg, 0);
	cr_assert_geq(n, 0);
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg) {
		const int want = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
		int memory;

		cr_expect_eq(n, 0);
		memcpy(&memory, CMSG_DATA(cmsg), sizeof memory);
		cr_expect_eq(fcntl(memory, F_GET_SEALS), want, "journald refuses it");
		n = pread(memory, datagram, sizeof datagram, 0);
		(void)close(memory);
	}
	return (size_t)n;
}

/* The value of field NAME; every field is in the binary form. */
static const char *field(size_t entry, const char *name, size_t *ret_size)
{
	const char *at = datagram, *end = datagram + entry;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		uint64_t size;

		cr_assert_not_null(newline);
		memcpy(&size, newline + 1, sizeof size);
		size = le64toh(size);
		cr_assert_leq(newline + 9 + size, end);
		cr_assert_eq(newline[9 + size], '\n');
		if ((size_t)(newline - at) == strlen(name) && !memcmp(at, name, strlen(name))) {
			*ret_size = size;
			return newline + 9;
		}
		at = newline + 9 + size + 1;
	}
	cr_assert_fail("no field %s", name);
	return NULL;
}

static void expect_field(size_t entry, const char *name, const char *want)
{
	size_t size;
	const char *value = field(entry, name, &size);

	cr_expect(size == strlen(want) && memcmp(value, want, size) == 0, "%s is %.*s", name,
		  (int)MIN(size, (size_t)200), value);
}

static const char *const journal_and_file[] = { "journal", "file:out", NULL };

Test(recorder_host, journal)
{
	static const char evil[] = "{\"agent\":{\"rule_id\":\"r\\nPRIORITY=0\"},\"evt\":{\"name\":"
				   "\"exec\"},\"file\":{\"path\":\"/x\"},\"n\":2,"
				   "\"guard\":{\"verdict\":\"detected\"}}";
	size_t entry, size;
	int journald;

	make_run();
	journald = rig_listen("/run/systemd/journal/socket", SOCK_DGRAM);
	rig_start(&rig, journal_and_file);
	rig_line(&rig, LINK_DENIAL, 1, 1, 200);
	entry = receive_entry(journald);
	expect_field(entry, "MESSAGE", "blocked exec /bin/1 (rule rule)");
	expect_field(entry, "PRIORITY", "4");
	expect_field(entry, "SYSLOG_IDENTIFIER", "guard");
	expect_field(entry, "GUARD_RULE_ID", "rule");
	expect_field(entry, "GUARD_VERDICT", "blocked");
	(void)field(entry, "GUARD_EVENT", &size);
	cr_expect_eq(size, 200);
	rig_expect_ack(&rig, 1);
	/* a newline in a value makes no field */
	rig_send(&rig, LINK_EVENT, 0, evil, sizeof evil - 1);
	entry = receive_entry(journald);
	expect_field(entry, "PRIORITY", "5");
	expect_field(entry, "GUARD_RULE_ID", "r\nPRIORITY=0");
	/* too large for a datagram */
	rig_line(&rig, LINK_DENIAL, 2, 3, SEQPACKET_MAX);
	entry = receive_entry(journald);
	expect_field(entry, "MESSAGE", "blocked exec /bin/3 (rule rule)");
	(void)field(entry, "GUARD_EVENT", &size);
	cr_expect_eq(size, SEQPACKET_MAX);
	rig_expect_ack(&rig, 2);
	cr_expect_eq(rig_end(&rig), 0);
	expect_file("out", 3);
}

/* A journald that hangs holds up nobody, and gets everything afterwards. */
Test(recorder_host, journal_stalls)
{
	enum { LINES = 1500 };
	int journald;

	make_run();
	journald = rig_listen("/run/systemd/journal/socket", SOCK_DGRAM);
	rig_start(&rig, journal_and_file);
	for (int i = 1; i <= LINES; i++)
		rig_line(&rig, LINK_DENIAL, (uint64_t)i, i, 200);
	cr_expect_lt(rig_flush(&rig), LINES);
	expect_file("out", LINES);
	for (int i = 1; i <= LINES; i++) {
		char want[64];

		(void)snprintf(want, sizeof want, "blocked exec /bin/%d (rule rule)", i);
		expect_field(receive_entry(journald), "MESSAGE", want);
	}
	rig_expect_ack(&rig, LINES);
	cr_expect_eq(rig_end(&rig), 0);
}

Test(recorder_host, journal_comes_late_and_restarts)
{
	int err = rig_capture(2), journald;
	struct text from_err = { 0 };

	make_run();
	rig_start(&rig, journal_and_file);
	rig_line(&rig, LINK_DENIAL, 1, 1, 200);
	rig_expect_ack(&rig, 1);
	text_wait(&from_err, err, "guard: sink journal: No such file or directory: trying again\n");
	journald = rig_listen("/run/systemd/journal/socket", SOCK_DGRAM);
	expect_field(receive_entry(journald), "MESSAGE", "blocked exec /bin/1 (rule rule)");
	(void)close(journald);
	cr_assert_eq(unlink("/run/systemd/journal/socket"), 0);
	journald = rig_listen("/run/systemd/journal/socket", SOCK_DGRAM);
	rig_line(&rig, LINK_DENIAL, 2, 2, 200);
	expect_field(receive_entry(journald), "MESSAGE", "blocked exec /bin/2 (rule rule)");
	cr_expect_eq(rig_end(&rig), 0);
}

/* ---- syslogd ----------------------------------------------------------- */

/* A /dev with null and log only. */
static int make_dev(int type)
{
	char path[128];
	int fd;

	cr_assert_eq(mount("none", rig.directory, "tmpfs", 0, "mode=755"), 0);
	cr_assert_eq(chdir(rig.directory), 0);
	(void)snprintf(path, sizeof path, "%s/null", rig.directory);
	(void)close(open(path, O_WRONLY | O_CREAT, 0666));
	cr_assert_eq(mount("/dev/null", path, NULL, MS_BIND, NULL), 0);
	fd = rig_listen("log", type);
	cr_assert_eq(mount(rig.directory, "/dev", NULL, MS_BIND | MS_REC, NULL), 0);
	return fd;
}

static void expect_syslog(const char *message, size_t size, const char *want)
{
	static const char form[] = "<28>Aaa dd dd:dd:dd guard[";
	const char *colon = memchr(message, '[', size);

	cr_assert_geq(size, sizeof form);
	for (size_t i = 0; i < sizeof form - 1; i++) {
		char c = message[i];
		bool fits = form[i] == 'd' && i > 4 && i < 19 ? (c >= '0' && c <= '9') || c == ' '
			    : form[i] == 'A'                  ? c >= 'A' && c <= 'Z'
			    : form[i] == 'a' && i < 8         ? c >= 'a' && c <= 'z'
							      : c == form[i];

		cr_assert(fits, "at %zu: %.60s", i, message);
	}
	cr_assert_not_null(colon);
	colon = memmem(colon, size - (size_t)(colon - message), "]: ", 3);
	cr_assert_not_null(colon);
	colon += 3;
	cr_expect_eq((size_t)(message + size - colon), strlen(want));
	cr_expect_eq(memcmp(colon, want, strlen(want)), 0, "%.100s", colon);
}

Test(recorder_host, syslog_datagrams)
{
	static char line[] = "{\"agent\":{\"rule_id\":\"r\"},\"evt\":{\"name\":\"exec\"},\"file\":"
			     "{\"path\":\"/x\"},\"guard\":{\"verdict\":\"blocked\"},\"n\":1}";
	int syslogd = make_dev(SOCK_DGRAM);
	size_t n;

	rig_start(&rig, (const char *const[]){ "syslog", NULL });
	rig_send(&rig, LINK_DENIAL, 1, line, sizeof line - 1);
	n = receive_entry(syslogd);
	expect_syslog(datagram, n, line);
	rig_line(&rig, LINK_DENIAL, 2, 2, 10000);
	n = receive_entry(syslogd);
	expect_syslog(datagram, n, "blocked exec /bin/2 (rule rule)");
	rig_expect_ack(&rig, 2);
	cr_expect_eq(rig_end(&rig), 0);
}

Test(recorder_host, syslog_stream)
{
	static char line[] = "{\"agent\":{\"rule_id\":\"r\"},\"evt\":{\"name\":\"exec\"},\"file\":"
			     "{\"path\":\"/x\"},\"guard\":{\"verdict\":\"blocked\"},\"n\":1}";
	int syslogd = make_dev(SOCK_STREAM), peer;
	struct text text = { 0 };
	size_t first;

	rig_start(&rig, (const char *const[]){ "syslog", NULL });
	cr_assert_eq(poll(&(struct pollfd){ syslogd, POLLIN, 0 }, 1, 60000), 1);
	peer = accept4(syslogd, NULL, NULL, SOCK_NONBLOCK);
	rig_send(&rig, LINK_DENIAL, 1, line, sizeof line - 1);
	rig_send(&rig, LINK_DENIAL, 2, line, sizeof line - 1);
	rig_expect_ack(&rig, 2);
	text_read(&text, peer);
	first = strlen(text.data);
	expect_syslog(text.data, first, line);
	expect_syslog(text.data + first + 1, strlen(text.data + first + 1), line);
	cr_expect_eq(rig_end(&rig), 0);
}

/* ---- the recorder's own filter ----------------------------------------- */

/* Bits of what an intruder still could do. */
static int attempts(void)
{
	int could = 0;

	could |= open("/dev/null", O_RDONLY) >= 0 ? 1 : 0;
	could |= socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 2 : 0;
	could |= mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
				 MAP_FAILED
			 ? 4
			 : 0;
	could |= kill(getppid(), 0) == 0 ? 8 : 0;
	could |= setsid() >= 0 ? 16 : 0;
	could |= socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 ? 0 : 32; /* what it needs */
	could |= mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? 0
											       : 64;
	return could;
}

static int attempts_of_child(bool locked)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(locked && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || lockdown(NULL) < 0)
			      ? 128
			      : attempts());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(lockdown, what_is_left)
{
#ifdef WITH_SANITIZERS
	cr_skip_test("sanitizers need the calls that are refused");
#endif
	cr_expect_eq(attempts_of_child(false), 1 | 2 | 4 | 8 | 16, "control arm");
	cr_expect_eq(attempts_of_child(true), 0);
}
