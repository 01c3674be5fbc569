/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/digest.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#ifdef HAVE_FUZZY
#include <fuzzy.h>
#endif

#include "kernel/resolve.h"

enum { CHUNK = 64 * 1024 };

#define TEXT_OF(x) TEXT(x)
#define TEXT(x)    #x

/* ---- the libraries ------------------------------------------------------- */

/* What is used of libcrypto: FUNCTION(member, name). */
#define CRYPTO                                                                                     \
	FUNCTION(crypto_init, OPENSSL_init_crypto)                                                 \
	FUNCTION(sha1, EVP_sha1)                                                                   \
	FUNCTION(sha256, EVP_sha256)                                                               \
	FUNCTION(md5, EVP_md5)                                                                     \
	FUNCTION(md_new, EVP_MD_CTX_new)                                                           \
	FUNCTION(md_free, EVP_MD_CTX_free)                                                         \
	FUNCTION(md_init, EVP_DigestInit_ex)                                                       \
	FUNCTION(md_update, EVP_DigestUpdate)                                                      \
	FUNCTION(md_final, EVP_DigestFinal_ex)

/* And of libfuzzy. */
#define FUZZY                                                                                      \
	FUNCTION(fuzzy_make, fuzzy_new)                                                            \
	FUNCTION(fuzzy_drop, fuzzy_free)                                                           \
	FUNCTION(fuzzy_feed, fuzzy_update)                                                         \
	FUNCTION(fuzzy_finish, fuzzy_digest)

struct digest_library {
	unsigned can;
#define FUNCTION(member, name) __typeof__(&(name)) member;
	CRYPTO
#ifdef HAVE_FUZZY
	FUZZY
#endif
#undef FUNCTION
};

#ifdef WITH_STATIC
static int load_crypto(struct digest_library *library, struct err *err UNUSED)
{
#define FUNCTION(member, name) library->member = name;
	CRYPTO
#undef FUNCTION
	return 0;
}

static bool load_fuzzy(struct digest_library *library UNUSED)
{
#ifdef HAVE_FUZZY
#define FUNCTION(member, name) library->member = name;
	FUZZY
#undef FUNCTION
	return true;
#else
	return false;
#endif
}
#else
/* POSIX lets a function be an object for dlsym(3), C does not. */
static bool find_symbol(void *handle, const char *name, void *member)
{
	void *symbol = dlsym(handle, name);

	memcpy(member, &symbol, sizeof symbol);
	return symbol;
}

static int load_crypto(struct digest_library *library, struct err *err)
{
	static const char name[] = "libcrypto.so." TEXT_OF(OPENSSL_SHLIB_VERSION);
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	bool all = handle;

#define FUNCTION(member, name) all = all && find_symbol(handle, #name, &library->member);
	CRYPTO
#undef FUNCTION
	return all ? 0 : err_set(err, -ENOENT, "files cannot be hashed without %s", name);
}

static bool load_fuzzy(struct digest_library *library UNUSED)
{
#ifdef HAVE_FUZZY
	void *handle = dlopen("libfuzzy.so.2", RTLD_NOW | RTLD_LOCAL);
	bool all = handle;

#define FUNCTION(member, name) all = all && find_symbol(handle, #name, &library->member);
	FUZZY
#undef FUNCTION
	return all;
#else
	return false;
#endif
}
#endif

static const EVP_MD *method(const struct digest_library *library, enum hash hash)
{
	switch (hash) {
	case HASH_SHA1: return library->sha1();
	case HASH_SHA256: return library->sha256();
	case HASH_MD5: return library->md5();
	default: return NULL;
	}
}

/* What is made ready at the first use is made so here: later guard may not read the
 * files of the library. One that the library refuses (MD5 under FIPS) is left out.
 */
static unsigned try_all(const struct digest_library *library)
{
	EVP_MD_CTX *context = library->md_new();
	unsigned can = 0;

	for (enum hash h = 0; context && h < HASH_COUNT; h++) {
		const EVP_MD *md = method(library, h);
		unsigned char value[EVP_MAX_MD_SIZE];

		if (md && library->md_init(context, md, NULL) == 1 &&
		    library->md_final(context, value, NULL) == 1)
			can |= 1u << h;
	}
	library->md_free(context);
	return can;
}

int digest_library_open(struct digest_library **ret, struct err *err)
{
	struct digest_library *library = calloc(1, sizeof *library);
	int r;

	if (!library)
		return err_set(err, -ENOMEM, "out of memory");
	r = load_crypto(library, err);
	if (r < 0) {
		free(library);
		return r;
	}
	/* no cleaning up at the end, where a worker may still be at it */
	(void)library->crypto_init(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	library->can = try_all(library);
	if (load_fuzzy(library))
		library->can |= 1u << HASH_SSDEEP;
	*ret = library;
	return 0;
}

void digest_library_free(struct digest_library *library)
{
	free(library);
}

unsigned digest_library_can(const struct digest_library *library)
{
	return library ? library->can : 0;
}

/* ---- one file ------------------------------------------------------------- */

struct methods {
	const struct digest_library *library;
	unsigned wanted;
	EVP_MD_CTX *contexts[HASH_COUNT];
#ifdef HAVE_FUZZY
	struct fuzzy_state *fuzzy;
#endif
};

static bool begin(struct methods *h)
{
	for (enum hash i = 0; i < HASH_COUNT; i++) {
		const EVP_MD *md = h->wanted >> i & 1 ? method(h->library, i) : NULL;

		if (!md)
			continue;
		h->contexts[i] = h->library->md_new();
		if (!h->contexts[i] || h->library->md_init(h->contexts[i], md, NULL) != 1)
			return false;
	}
#ifdef HAVE_FUZZY
	if (h->wanted >> HASH_SSDEEP & 1) {
		h->fuzzy = h->library->fuzzy_make();
		return h->fuzzy;
	}
#endif
	return true;
}

static bool feed(struct methods *h, const unsigned char *data, size_t size)
{
	for (enum hash i = 0; i < HASH_COUNT; i++) {
		if (h->contexts[i] && h->library->md_update(h->contexts[i], data, size) != 1)
			return false;
	}
#ifdef HAVE_FUZZY
	if (h->fuzzy && h->library->fuzzy_feed(h->fuzzy, data, size) != 0)
		return false;
#endif
	return true;
}

static bool finish_one(struct methods *h, enum hash hash, char *text)
{
	unsigned char value[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (h->library->md_final(h->contexts[hash], value, &size) != 1)
		return false;
	for (unsigned i = 0; i < size; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", value[i]);
	return true;
}

static bool finish(struct methods *h, struct file_hashes *ret)
{
	for (enum hash i = 0; i < HASH_COUNT; i++) {
		char *text = ret->text[i];
		int n = snprintf(text, HASH_TEXT_MAX, "%s:", hash_name(i));

		if (h->contexts[i] && !finish_one(h, i, text + n))
			return false;
#ifdef HAVE_FUZZY
		_Static_assert(sizeof "ssdeep:" + FUZZY_MAX_RESULT <= HASH_TEXT_MAX,
			       "room for any result");
		if (i == HASH_SSDEEP && h->fuzzy &&
		    h->library->fuzzy_finish(h->fuzzy, text + n, 0) != 0)
			return false;
#endif
	}
	ret->have = h->wanted;
	return true;
}

static void end(struct methods *h)
{
	for (enum hash i = 0; i < HASH_COUNT; i++)
		h->library->md_free(h->contexts[i]);
#ifdef HAVE_FUZZY
	if (h->fuzzy)
		h->library->fuzzy_drop(h->fuzzy);
#endif
}

/* Everything, as long as it is no more than the file had at first. */
static enum hash_state read_all(int fd, uint64_t size, const struct digest_request *request,
				struct methods *h)
{
	unsigned char chunk[CHUNK];
	uint64_t done = 0;
	ssize_t n;

	while ((n = pread(fd, chunk, sizeof chunk, (off_t)done)) > 0) {
		done += (uint64_t)n;
		if (done > size || now_monotonic_ns() > request->deadline_ns ||
		    !feed(h, chunk, (size_t)n))
			return HASH_STATE_FAILED;
	}
	return n == 0 && done == size ? HASH_STATE_DONE : HASH_STATE_FAILED;
}

static bool runs(pid_t pid, const struct digest_key *key)
{
	char link[64];
	struct statx st;

	(void)snprintf(link, sizeof link, "/proc/%d/exe", pid);
	return pid && statx(AT_FDCWD, link, AT_STATX_DONT_SYNC, STATX_INO, &st) == 0 &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == key->device &&
	       st.stx_ino == key->inode;
}

static bool is_still(int fd, const struct digest_key *key, pid_t runner)
{
	struct digest_key now;

	if (digest_key(fd, &now) < 0)
		return false;
	if (now.ctime_ns != key->ctime_ns && runs(runner, key))
		now.ctime_ns = key->ctime_ns;
	return digest_key_equal(&now, key);
}

static enum hash_state hash_content(int fd, const struct digest_key *key,
				    const struct digest_request *request, struct file_hashes *ret)
{
	struct methods h = { .library = request->library,
			     .wanted = request->wanted & request->library->can };
	enum hash_state state = HASH_STATE_FAILED;

	if (begin(&h))
		state = read_all(fd, key->size, request, &h);
	if (state == HASH_STATE_DONE && !finish(&h, ret))
		state = HASH_STATE_FAILED;
	end(&h);
	/* two halves of two contents are neither */
	return state == HASH_STATE_DONE && !is_still(fd, key, request->runner) ? HASH_STATE_FAILED
									       : state;
}

static enum hash_state hash_file(int fd, const struct digest_key *key,
				 const struct digest_request *request, struct file_hashes *ret)
{
	_cleanup_close_ int copy = -1;

	/* to the kernel; what has a size that only reading tells is no program */
	if (key->size == 0)
		return HASH_STATE_FILE_EMPTY;
	if (key->size > request->max_size)
		return HASH_STATE_FILE_TOO_BIG;
	if (!request->library)
		return HASH_STATE_FAILED;
	copy = resolve_reopen(fd);
	if (copy < 0)
		return HASH_STATE_FILE_OPEN_ERROR;
	return is_still(copy, key, request->runner) ? hash_content(copy, key, request, ret)
						    : HASH_STATE_FAILED;
}

void digest_file(int fd, const struct digest_key *key, const struct digest_request *request,
		 struct file_hashes *ret)
{
	ret->have = 0;
	ret->state = hash_file(fd, key, request, ret);
	if (ret->state != HASH_STATE_DONE)
		ret->have = 0;
}

void file_hashes_show(const struct file_hashes *hashes, struct file_info *file)
{
	file->hash_state = hashes->state;
	for (enum hash i = 0; i < HASH_COUNT; i++) {
		const char *text = hashes->have >> i & 1 ? hashes->text[i] : "";

		file->hashes[i] = (struct secl_string){ .text = text, .size = strlen(text) };
	}
}
