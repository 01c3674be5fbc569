/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes of files: known values, what has none, what is remembered. */
#include "config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kernel/digest.h"
#include "tests/unit/rows.h"

static struct digest_library *library;

static void open_library(void)
{
	struct err err;

	cr_assert_eq(digest_library_open(&library, &err), 0, "%s", err.text);
}

static void close_library(void)
{
	digest_library_free(library);
}

TestSuite(digest, .init = open_library, .fini = close_library);

/* A file with TEXT in it. */
static int make(const char *text)
{
	int fd = memfd_create("hashed", MFD_CLOEXEC);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static struct file_hashes digest(int fd, unsigned wanted, uint64_t max_size)
{
	const struct digest_request request = {
		.library = library, .wanted = wanted, .max_size = max_size, .deadline_ns = INT64_MAX
	};
	struct file_hashes hashes;
	struct digest_key key;

	cr_assert_eq(digest_key(fd, &key), 0);
	digest_file(fd, &key, &request, &hashes);
	return hashes;
}

enum { ALL = (1u << HASH_COUNT) - 1 };

struct value_row {
	const char *text;
	enum hash hash;
	const char *want;
};

/* FIPS 180, RFC 1321 */
static const struct value_row value_rows[] = {
	{ "abc", HASH_SHA1, "sha1:a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "abc", HASH_SHA256,
	  "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abc", HASH_MD5, "md5:900150983cd24fb0d6963f7d28e17f72" },
	{ "message digest", HASH_MD5, "md5:f96b697d7cb7938d525a2f31aaf161d0" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", HASH_SHA1,
	  "sha1:84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
};

ROWS_TEST(digest, values, value_rows)
{
	struct file_hashes hashes;
	int fd;

	fd = make(r->text);
	hashes = digest(fd, ALL, 100);
	cr_expect_eq(hashes.state, HASH_STATE_DONE);
	cr_expect_eq(hashes.have, digest_library_can(library));
	cr_expect_str_eq(hashes.text[r->hash], r->want);
	hashes = digest(fd, 1u << r->hash, 100);
	cr_expect_eq(hashes.have, 1u << r->hash);
	cr_expect_str_eq(hashes.text[r->hash], r->want);
	close(fd);
}

Test(digest, what_has_none)
{
	int fd = make("abc"), empty = make(""), locked, fifo;
	struct digest_request request = {
		.library = library, .wanted = ALL, .max_size = 100, .deadline_ns = INT64_MAX
	};
	char path[] = "/tmp/guard-digest.XXXXXX", name[64];
	struct file_hashes hashes;
	struct digest_key key;

	cr_expect_eq(digest(fd, ALL, 2).state, HASH_STATE_FILE_TOO_BIG);
	cr_expect_eq(digest(fd, ALL, 3).state, HASH_STATE_DONE);
	cr_expect_eq(digest(empty, ALL, 3).state, HASH_STATE_FILE_EMPTY);
	/* nobody writes to it: opened, it would wait for ever */
	cr_assert_not_null(mkdtemp(path));
	(void)snprintf(name, sizeof name, "%s/fifo", path);
	cr_assert_eq(mkfifo(name, 0600), 0);
	fifo = open(name, O_PATH);
	cr_assert_eq(digest_key(fifo, &key), 0);
	key.size = 1;
	digest_file(fifo, &key, &request, &hashes);
	cr_expect_eq(hashes.state, HASH_STATE_FILE_OPEN_ERROR);
	/* a directory is nothing to read either */
	locked = open(path, O_PATH);
	cr_expect_eq(digest(locked, ALL, UINT64_MAX).state, HASH_STATE_FILE_OPEN_ERROR);
	(void)unlink(name);
	(void)rmdir(path);
	/* too late */
	request.deadline_ns = 0;
	cr_assert_eq(digest_key(fd, &key), 0);
	digest_file(fd, &key, &request, &hashes);
	cr_expect_eq(hashes.state, HASH_STATE_FAILED);
	cr_expect_eq(hashes.have, 0);
	/* it is another one by now */
	request.deadline_ns = INT64_MAX;
	cr_assert_eq(pwrite(fd, "abcd", 4, 0), 4);
	digest_file(fd, &key, &request, &hashes);
	cr_expect_eq(hashes.state, HASH_STATE_FAILED);
	close(fd);
	close(empty);
	close(locked);
	close(fifo);
}

Test(digest, what_is_shown)
{
	int fd = make("abc");
	struct file_hashes hashes = digest(fd, 1u << HASH_SHA1, 100);
	struct file_info file = { .present = true };

	file_hashes_show(&hashes, &file);
	cr_expect_eq(file.hash_state, HASH_STATE_DONE);
	cr_expect_eq(file.hashes[HASH_SHA1].size, 45);
	cr_expect_eq(file.hashes[HASH_SHA256].size, 0);
	close(fd);
}

/* ---- what is remembered ---- */

static const struct digest_key some_key = {
	.device = 1, .inode = 2, .mount = 3, .size = 4, .mtime_ns = 5, .ctime_ns = 6
};

Test(digest, found_by_every_part_of_the_key)
{
	static const size_t parts[] = {
		offsetof(struct digest_key, device),   offsetof(struct digest_key, inode),
		offsetof(struct digest_key, mount),    offsetof(struct digest_key, size),
		offsetof(struct digest_key, mtime_ns), offsetof(struct digest_key, ctime_ns),
	};
	struct file_hashes hashes = { .state = HASH_STATE_DONE, .have = 1u << HASH_SHA1 };
	struct digest_cache *cache;

	cr_assert_eq(digest_cache_new(&cache), 0);
	cr_expect_null(digest_cache_find(cache, &some_key, 0));
	digest_cache_add(cache, &some_key, &hashes);
	cr_expect_not_null(digest_cache_find(cache, &some_key, 1u << HASH_SHA1));
	cr_expect_null(digest_cache_find(cache, &some_key, 1u << HASH_MD5));
	for (size_t i = 0; i < ELEMENTS(parts); i++) {
		struct digest_key other = some_key;

		++*(uint64_t *)(void *)((char *)&other + parts[i]);
		cr_expect_null(digest_cache_find(cache, &other, 0), "%zu", i);
	}
	digest_cache_free(cache);
}

Test(digest, the_cache_is_bounded_and_keeps_what_is_used)
{
	struct file_hashes hashes = { .state = HASH_STATE_DONE };
	struct digest_cache *cache;
	struct digest_key key = some_key;
	unsigned found = 0;

	cr_assert_eq(digest_cache_new(&cache), 0);
	digest_cache_add(cache, &some_key, &hashes);
	for (uint64_t i = 0; i < 10000; i++) {
		key.inode = 1000 + i;
		digest_cache_add(cache, &key, &hashes);
		cr_assert_not_null(digest_cache_find(cache, &some_key, 0), "%llu",
				   (unsigned long long)i);
	}
	for (uint64_t i = 0; i < 10000; i++) {
		key.inode = 1000 + i;
		found += digest_cache_find(cache, &key, 0) != NULL;
	}
	cr_expect(found > 256 && found <= 512, "%u", found);
	/* what failed is tried again */
	key.inode = 1;
	hashes.state = HASH_STATE_FAILED;
	digest_cache_add(cache, &key, &hashes);
	cr_expect_null(digest_cache_find(cache, &key, 0));
	digest_cache_free(cache);
}

/* A mapping that was read before it is written to leaves no new time on tmpfs. */
Test(digest, keys_of_memory_tell_nothing)
{
	int fd = make("abc");
	struct digest_key before, after;
	char *map;

	cr_assert_eq(digest_key(fd, &before), 0);
	cr_expect(!digest_key_tells(fd, &before, INT64_MAX));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(map, MAP_FAILED);
	cr_expect_eq(*(volatile char *)map, 'a');
	*(volatile char *)map = 'x';
	cr_assert_eq(digest_key(fd, &after), 0);
	if (!digest_key_equal(&before, &after))
		cr_log_info("this kernel has a time for it\n");
	(void)munmap(map, 4096);
	close(fd);
}

Test(digest, keys_of_a_disk_tell_when_their_time_has_passed)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct digest_key key;

	cr_assert_eq(digest_key(fd, &key), 0);
	cr_expect(!digest_key_tells(fd, &key, key.ctime_ns));
	cr_expect(!digest_key_tells(fd, &key, key.ctime_ns - INT64_C(3600000000000)));
	if (!digest_key_tells(fd, &key, INT64_MAX))
		cr_log_info("the tests are on a file system that is not known to tell\n");
	close(fd);
}
