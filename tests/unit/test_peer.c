/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AF_UNIX peers: what addresses are, files that are known under any name, and control
 * messages made over.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/ancillary.h"
#include "kernel/peer.h"

#define HEAD offsetof(struct sockaddr_un, sun_path)

/* ---- addresses ---------------------------------------------------------------------- */

struct address_row {
	unsigned short family;
	char bytes[112];
	socklen_t size; /* of the bytes */
	enum peer_kind kind;
	size_t path; /* its length */
};

ParameterizedTestParameters(peer, kinds)
{
	static struct address_row rows[] = {
		{ AF_UNIX, "/a", 2, PEER_PATH, 2 },
		{ AF_UNIX, "/a", 3, PEER_PATH, 2 },
		{ AF_UNIX, "/a\0b", 5, PEER_PATH, 2 },
		{ AF_UNIX, "a", 1, PEER_PATH, 1 },
		{ AF_UNIX, "\0a", 2, PEER_ABSTRACT, 0 },
		{ AF_UNIX, "", 1, PEER_ABSTRACT, 0 },
		{ AF_UNIX, "", 0, PEER_NONE, 0 },
		{ AF_UNSPEC, "/a", 2, PEER_NONE, 0 },
		{ AF_INET, "/a", 2, PEER_NONE, 0 },
		/* 108 bytes without a NUL, and one too many */
		{ AF_UNIX,
		  "/23456789/23456789/23456789/23456789/23456789/23456789/23456789/23456789/23456789"
		  "/23456789/2345678",
		  108, PEER_PATH, 98 },
		{ AF_UNIX, "/a", 109, PEER_NONE, 0 },
	};

	memset(rows[9].bytes, 'x', 108);
	rows[9].path = 108;
	return cr_make_param_array(struct address_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct address_row *row, peer, kinds)
{
	struct sockaddr_storage address = { .ss_family = row->family };
	char path[PEER_PATH_SIZE];

	memcpy((char *)&address + HEAD, row->bytes, sizeof row->bytes);
	cr_assert_eq(peer_kind(&address, (socklen_t)(HEAD + row->size)), row->kind);
	if (row->kind != PEER_PATH)
		return;
	peer_path(&address, (socklen_t)(HEAD + row->size), path);
	cr_expect_eq(strlen(path), row->path, "'%s'", path);
	cr_expect_eq(memcmp(path, row->bytes, row->path), 0);
}

/* ---- pins --------------------------------------------------------------------------- */

static char base[64];
static struct resolve_host host;

static const char *at(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % ELEMENTS(paths)];

	(void)snprintf(path, sizeof paths[0], "%s/%s", base, name);
	return path;
}

static void make(const char *name)
{
	int fd = open(at(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	(void)close(fd);
}

static void setup(void)
{
	(void)strcpy(base, "/tmp/guard-peer-XXXXXX");
	cr_assert_not_null(mkdtemp(base));
	cr_assert_eq(resolve_host_init(&host), 0);
	make("one");
	make("two");
}

static void teardown(void)
{
	static const char *const names[] = { "one", "two", "hard", "new", "link" };

	for (size_t i = 0; i < ELEMENTS(names); i++)
		(void)unlink(at(names[i]));
	(void)rmdir(base);
}

TestSuite(pins, .init = setup, .fini = teardown);

/* The pins that NAME is, as digits. */
static const char *found(struct pins *pins, const char *name)
{
	static char text[8];
	struct pins_set set;
	size_t n = 0;
	int fd = open(at(name), O_PATH | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	pins_find(pins, &(struct pins_view){ &host, getpid(), getpid(), fd }, &set);
	(void)close(fd);
	for (size_t i = 0; i < 3; i++) {
		if (pins_has(&set, i))
			text[n++] = (char)('0' + i);
	}
	text[n] = '\0';
	return text;
}

static struct pins *pin_all(void)
{
	const char *names[] = { at("one"), at("link"), at("new") };
	struct secl_string paths[3];
	struct pins *pins;

	cr_assert_eq(symlink("two", at("link")), 0);
	for (size_t i = 0; i < 3; i++)
		paths[i] = (struct secl_string){ names[i], strlen(names[i]) };
	cr_assert_eq(pins_new(paths, 3, &pins), 0);
	return pins;
}

Test(pins, know_files_by_any_name)
{
	struct pins *pins = pin_all();

	cr_expect_str_eq(found(pins, "one"), "0");
	cr_expect_str_eq(found(pins, "two"), "1", "the pin is a link");
	cr_assert_eq(link(at("one"), at("hard")), 0);
	cr_expect_str_eq(found(pins, "hard"), "0");
	pins_free(pins);
}

Test(pins, remember_what_was_renamed)
{
	struct pins *pins = pin_all();

	cr_assert_eq(rename(at("one"), at("hard")), 0);
	cr_expect_str_eq(found(pins, "hard"), "0");
	/* another file of that name, again and again: neither forgets the first */
	for (int i = 0; i < 20; i++) {
		make("one");
		cr_expect_str_eq(found(pins, "one"), "0");
		cr_assert_eq(unlink(at("one")), 0);
	}
	cr_expect_str_eq(found(pins, "hard"), "0");
	pins_free(pins);
}

Test(pins, see_what_comes_later)
{
	struct pins *pins = pin_all();

	cr_expect_str_eq(found(pins, "two"), "1");
	make("new");
	cr_expect_str_eq(found(pins, "new"), "2");
	cr_assert_eq(link(at("new"), at("hard")), 0);
	cr_assert_eq(unlink(at("new")), 0);
	cr_expect_str_eq(found(pins, "hard"), "2");
	pins_free(pins);
}

/* ---- control messages ----------------------------------------------------------------- */

struct control_row {
	const char *name;
	size_t len;  /* cmsg_len */
	size_t size; /* of the control data */
	int level, type;
	int value; /* the first int of the data */
	bool named;
	int result;
	size_t made; /* bytes */
	unsigned nfds;
};

#define ALL SIZE_MAX

ParameterizedTestParameters(ancillary, made_over)
{
	static struct control_row rows[] = {
		{ "nothing", 0, 0, 0, 0, 0, false, 0, 0, 0 },
		{ "nothing, named", 0, 0, 0, 0, 0, true, 0, CMSG_SPACE(12), 0 },
		{ "a descriptor", CMSG_LEN(4), ALL, SOL_SOCKET, SCM_RIGHTS, 2, false, 0,
		  CMSG_SPACE(4), 1 },
		{ "and named", CMSG_LEN(4), ALL, SOL_SOCKET, SCM_RIGHTS, 2, true, 0,
		  CMSG_SPACE(4) + CMSG_SPACE(12), 1 },
		{ "no descriptor", CMSG_LEN(0), ALL, SOL_SOCKET, SCM_RIGHTS, 2, false, 0, 0, 0 },
		{ "half a descriptor", CMSG_LEN(3), ALL, SOL_SOCKET, SCM_RIGHTS, 2, false, 0, 0,
		  0 },
		{ "a closed one", CMSG_LEN(4), ALL, SOL_SOCKET, SCM_RIGHTS, 9999, false, -EBADF, 0,
		  0 },
		{ "a negative one", CMSG_LEN(4), ALL, SOL_SOCKET, SCM_RIGHTS, -1, false, -EBADF, 0,
		  0 },
		{ "too many", CMSG_LEN(254 * 4), ALL, SOL_SOCKET, SCM_RIGHTS, 2, false, -EINVAL, 0,
		  0 },
		{ "another level", CMSG_LEN(4), ALL, 0, SCM_RIGHTS, 2, false, 0, 0, 0 },
		{ "another type", CMSG_LEN(4), ALL, SOL_SOCKET, 4, 2, false, -EINVAL, 0, 0 },
		{ "short credentials", CMSG_LEN(8), ALL, SOL_SOCKET, SCM_CREDENTIALS, 2, false,
		  -EINVAL, 0, 0 },
		{ "a length of 0", 0, ALL, SOL_SOCKET, SCM_RIGHTS, 2, false, -EINVAL, 0, 0 },
		{ "a length of 15", 15, ALL, SOL_SOCKET, SCM_RIGHTS, 2, false, -EINVAL, 0, 0 },
		{ "more than there is", CMSG_LEN(4), CMSG_LEN(3), SOL_SOCKET, SCM_RIGHTS, 2, false,
		  -EINVAL, 0, 0 },
		{ "the largest length", SIZE_MAX, ALL, SOL_SOCKET, SCM_RIGHTS, 2, false, -EINVAL, 0,
		  0 },
		{ "less than a header", CMSG_LEN(4), 15, SOL_SOCKET, SCM_RIGHTS, 2, false, 0, 0,
		  0 },
	};

	return cr_make_param_array(struct control_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct control_row *row, ancillary, made_over)
{
	_Alignas(8) char control[CMSG_SPACE(254 * sizeof(int))] = "";
	char buf[sizeof control + ANCILLARY_EXTRA];
	struct cmsghdr head = { .cmsg_len = row->len,
				.cmsg_level = row->level,
				.cmsg_type = row->type };
	struct ancillary_caller caller = {
		.tid = getpid(), .tgid = getpid(), .named = row->named, .begins = true
	};
	struct ancillary made;
	size_t size = row->size == ALL ? MIN(CMSG_ALIGN(row->len), sizeof control) : row->size;

	if (row->len == SIZE_MAX || row->len < CMSG_LEN(0))
		size = row->size == ALL ? CMSG_SPACE(4) : row->size;
	memcpy(control, &head, sizeof head);
	memcpy(control + CMSG_LEN(0), &row->value, sizeof row->value);
	cr_expect_eq(ancillary_make(&caller, control, size, buf, &made), row->result, "%s",
		     row->name);
	if (!row->result) {
		cr_expect_eq(made.size, row->made, "%s: %zu", row->name, made.size);
		cr_expect_eq(made.nfds, row->nfds, "%s", row->name);
	}
	ancillary_done(&made);
	cr_expect_eq(made.nfds, 0);
}

/* The second piece of a stream must not hand the descriptors over again. */
Test(ancillary, descriptors_go_once)
{
	_Alignas(8) char control[CMSG_SPACE(4)] = "";
	char buf[sizeof control + ANCILLARY_EXTRA];
	struct cmsghdr head = { .cmsg_len = CMSG_LEN(4),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS };
	struct ancillary_caller caller = { .tid = getpid(), .tgid = getpid() };
	struct ancillary made;

	memcpy(control, &head, sizeof head);
	cr_assert_eq(ancillary_make(&caller, control, sizeof control, buf, &made), 0);
	cr_expect_eq(made.size, 0);
	cr_expect_eq(made.nfds, 0);
}
