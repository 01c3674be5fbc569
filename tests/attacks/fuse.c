/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuse.c - a file server that answers what it likes: raw protocol, no library. */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum {
	ROOT_NODE = FUSE_ROOT_ID,
	PROGRAM_NODE = 2,
	BROKEN_NODE = 3,
	STALLED_NODE = 4,
	PENDING_MAX = 256,
	STALLED_SIZE = 1 << 16,
	BUFFER = 1 << 18,
	CACHED_S = 1000
};

struct server {
	int device;
	char *program; /* what is behind the name "x" */
	size_t size;
	/* what is behind "stalled": readers get it when somebody looks for "release" */
	char text[4096];
	uint64_t pending[PENDING_MAX];
	uint32_t pending_sizes[PENDING_MAX];
	uint64_t pending_nodes[PENDING_MAX];
	size_t npending;
};

static void answer(const struct server *s, const struct fuse_in_header *in, int error,
		   const void *data, size_t size)
{
	static char out[BUFFER];
	struct fuse_out_header head = { .len = sizeof head + size,
					.error = error,
					.unique = in->unique };

	memcpy(out, &head, sizeof head);
	if (size)
		memcpy(out + sizeof head, data, size);
	(void)!write(s->device, out, head.len);
}

static struct fuse_attr attributes(const struct server *s, uint64_t node)
{
	if (node == ROOT_NODE)
		return (struct fuse_attr){ .ino = node, .nlink = 2, .mode = S_IFDIR | 0755 };
	if (node >= STALLED_NODE)
		return (struct fuse_attr){ .ino = node,
					   .nlink = 1,
					   .mode = S_IFREG | 0777,
					   .size = STALLED_SIZE,
					   .blocks = STALLED_SIZE / 512 };
	return (struct fuse_attr){
		.ino = node, .nlink = 1, .mode = S_IFREG | 0755, .size = s->size, .blocks = 1
	};
}

static void release(struct server *s)
{
	static char page[STALLED_SIZE];

	memcpy(page, s->text, sizeof s->text);
	while (s->npending) {
		struct fuse_in_header in = { .unique = s->pending[--s->npending] };

		answer(s, &in, 0, page, s->pending_sizes[s->npending]);
	}
}

static bool is_pending(const struct server *s, uint64_t node)
{
	for (size_t i = 0; i < s->npending; i++) {
		if (s->pending_nodes[i] == node)
			return true;
	}
	return false;
}

static const struct {
	const char *name;
	uint64_t node;
} names[] = { { "x", PROGRAM_NODE }, { "broken", BROKEN_NODE } };

/* "x" is there, "broken" cannot be read, "stalled" and a number (a file each) not until
 * "release" is looked for, "hang" is never answered, "waited" and a number is there while such a
 * file is read, nothing else exists.
 */
static void look_up(struct server *s, const struct fuse_in_header *in, const char *name)
{
	uint64_t node = 0;
	struct fuse_entry_out entry = { .entry_valid = CACHED_S, .attr_valid = CACHED_S };

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		if (strcmp(name, names[i].name) == 0)
			node = names[i].node;
	}
	if (strncmp(name, "stalled", 7) == 0)
		node = STALLED_NODE + strtoul(name + 7, NULL, 10);
	if (strncmp(name, "waited", 6) == 0 &&
	    is_pending(s, STALLED_NODE + strtoul(name + 6, NULL, 10)))
		node = PROGRAM_NODE;
	if (strcmp(name, "release") == 0)
		release(s);
	entry.nodeid = node;
	entry.attr = attributes(s, node);
	if (node)
		answer(s, in, 0, &entry, sizeof entry);
	else if (strcmp(name, "hang") != 0)
		answer(s, in, -ENOENT, NULL, 0);
}

static void read_program(const struct server *s, const struct fuse_in_header *in,
			 const struct fuse_read_in *r)
{
	size_t start = r->offset < s->size ? r->offset : s->size;
	size_t size = r->size < s->size - start ? r->size : s->size - start;

	answer(s, in, 0, s->program + start, size);
}

static void keep_waiting(struct server *s, const struct fuse_in_header *in,
			 const struct fuse_read_in *r)
{
	if (s->npending == PENDING_MAX)
		return;
	s->pending_sizes[s->npending] = r->size < STALLED_SIZE ? r->size : STALLED_SIZE;
	s->pending_nodes[s->npending] = in->nodeid;
	s->pending[s->npending++] = in->unique;
}

static void handle(struct server *s, const struct fuse_in_header *in, const void *body)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = FUSE_KERNEL_MINOR_VERSION,
				      .flags = FUSE_PARALLEL_DIROPS, /* one that hangs is one */
				      .max_write = BUFFER / 2,
				      .max_readahead = BUFFER / 2 };
	struct fuse_attr_out attr = { .attr_valid = CACHED_S, .attr = attributes(s, in->nodeid) };
	/* or the next one to open it waits for what is under way */
	struct fuse_open_out opened = { .open_flags = FOPEN_KEEP_CACHE };

	switch (in->opcode) {
	case FUSE_INIT: answer(s, in, 0, &init, sizeof init); break;
	case FUSE_GETATTR: answer(s, in, 0, &attr, sizeof attr); break;
	case FUSE_LOOKUP: look_up(s, in, body); break;
	case FUSE_OPEN: answer(s, in, 0, &opened, sizeof opened); break;
	case FUSE_READ:
		if (in->nodeid >= STALLED_NODE)
			keep_waiting(s, in, body);
		else if (in->nodeid == BROKEN_NODE)
			answer(s, in, -EIO, NULL, 0);
		else
			read_program(s, in, body);
		break;
	case FUSE_STATFS:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT: break;
	case FUSE_RELEASE:
	case FUSE_FLUSH:
	case FUSE_ACCESS: answer(s, in, 0, NULL, 0); break;
	default: answer(s, in, -ENOSYS, NULL, 0);
	}
}

static int serve_fuse(char **args)
{
	struct server s = { .device = open("/dev/fuse", O_RDWR | O_CLOEXEC) };
	int file = open(args[1], O_RDONLY | O_CLOEXEC);
	static char in[BUFFER];
	char options[128];
	struct stat st;

	if (s.device < 0 || file < 0 || fstat(file, &st) != 0)
		return setup_failed("open");
	(void)snprintf(s.text, sizeof s.text, "%s", args[3] ? args[3] : "");
	s.program = malloc((size_t)st.st_size);
	s.size = (size_t)read(file, s.program, (size_t)st.st_size);
	(void)snprintf(options, sizeof options,
		       "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", s.device);
	if (mount("fuse", args[0], "fuse", 0, options) != 0)
		return setup_failed("mount");
	if (write_file(args[2], "mounted\n") != 0)
		return setup_failed(args[2]);
	for (;;) {
		ssize_t n = read(s.device, in, sizeof in);
		const struct fuse_in_header *head = (const void *)in;

		if (n < 0 && errno == ENODEV)
			return T_OK;
		if (n >= (ssize_t)sizeof *head)
			handle(&s, head, in + sizeof *head);
	}
}

const struct deed fuse_deeds[] = {
	{ "serve-fuse", "MOUNT-POINT PROGRAM READY-FILE [TEXT]", 3, serve_fuse },
	{ NULL, NULL, 0, NULL },
};
