/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event.h - one thing that a workload does, as rules and reports see it.
 *
 * Plain values without behaviour. Everything an event points to lives as long
 * as the event: in its arena, or in the process table, whose entries the
 * caller pins for that time. Strings are byte strings from the workload:
 * bounded, but of any content.
 */
#pragma once
#include <sys/types.h>

#include "base/util.h"
#include "secl/secl.h"

enum event_type {
	EVENT_NONE, /* 0: no event type, also "any" in field rows */
#define EVENT(id, name, category, source, guarantee) EVENT_##id,
#include "model/events.def"
#undef EVENT
	EVENT_COUNT
};

enum verdict_kind {
#define VERDICT(id, name) VERDICT_##id,
#include "model/verdict.def"
#undef VERDICT
	VERDICT_COUNT
};

enum reason {
#define REASON(id, name, text) REASON_##id,
#include "model/reason.def"
#undef REASON
	REASON_COUNT
};

enum guarantee {
#define GUARANTEE(id, name, text) GUARANTEE_##id,
#include "model/guarantee.def"
#undef GUARANTEE
	GUARANTEE_COUNT
};

enum hash {
#define HASH(id, name) HASH_##id,
#include "model/hash.def"
#undef HASH
	HASH_COUNT
};

enum hash_state {
#define HASH_STATE(id, name) HASH_STATE_##id,
#include "model/hash.def"
#undef HASH_STATE
	HASH_STATE_COUNT
};

/* Names as SECL, JSON and the manual write them; "" for a value out of range. */
const char *event_type_name(enum event_type type);
const char *event_type_category(enum event_type type);
/* EVENT_NONE when there is no such type. */
enum event_type event_type_by_name(const char *name, size_t size);

/* How events of this type are seen; "-" = not yet (event_type_watched() is
 * false): rules about it are reported as not enabled.
 */
const char *event_type_source(enum event_type type);
bool event_type_watched(enum event_type type);
/* How firmly a blocking verdict about it holds at best. */
enum guarantee event_type_guarantee(enum event_type type);

const char *verdict_name(enum verdict_kind verdict);
const char *reason_name(enum reason reason);
const char *reason_text(enum reason reason);
const char *guarantee_name(enum guarantee guarantee);
const char *guarantee_text(enum guarantee guarantee);
const char *hash_name(enum hash hash);
const char *hash_state_name(enum hash_state state);
/* HASH_COUNT when there is no such hash. */
enum hash hash_by_name(const char *name);

/* What must be read for the fields in use: the bits of secl_field.needs. A
 * reader fetches exactly what the loaded rules and the report need.
 */
enum event_need {
	NEED_ARGV = 1u << 0,
	NEED_ENVP = 1u << 1,
	NEED_FILE = 1u << 2, /* executable: path, inode, owner, times */
	NEED_INTERPRETER = 1u << 3,
	NEED_CREDENTIALS = 1u << 4, /* current ids and capabilities */
	NEED_CGROUP = 1u << 5,      /* cgroup and container id */
	NEED_TTY = 1u << 6,
	NEED_ANCESTORS = 1u << 7, /* parent and ancestors */
	NEED_COMM = 1u << 8,
	NEED_NAMESPACES = 1u << 9,
	NEED_HASH = 1u << 10,
	NEED_PACKAGE = 1u << 11,
	NEED_SESSION = 1u << 12, /* user_session.* */
	NEED_ADDRESS = 1u << 13, /* MEM: the socket address */
	NEED_HOSTNAMES = 1u << 14,
	NEED_PEER_PATH = 1u << 15, /* which socket an AF_UNIX address means */
};

/* NUL-separated strings in one block, as execve(2) lays them out. */
struct string_list {
	const char *data;
	uint32_t size; /* bytes, terminating NULs included */
	uint32_t count;
	bool truncated; /* more was there than fits guard's limits */
};

/* The string at *OFFSET, which starts at 0 and is moved behind it: false at the
 * end. Bytes after the last NUL are a string too.
 */
bool string_list_next(const struct string_list *list, size_t *offset, struct secl_string *ret);

/* A file as the kernel would open it (design: "what a path is"). */
struct file_info {
	struct secl_string path;       /* empty when unknown */
	struct secl_string filesystem; /* ext4, tmpfs, overlay ... */
	uint64_t device, inode, mount_id, size;
	uint32_t mode, uid, gid, nlink;
	int64_t mtime_ns, ctime_ns, atime_ns;
	int error;           /* why the path is unknown: -errno, or 0 */
	bool present;        /* the rest of the struct is filled */
	bool in_upper_layer; /* overlayfs */
	/* "sha256:...", those that were taken; empty unless DONE */
	struct secl_string hashes[HASH_COUNT];
	enum hash_state hash_state;
	bool outside; /* runs above the workload: nobody hashes it for a rule */
};

struct credentials {
	uint32_t uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
	uint32_t auid; /* 4294967295 = unset */
	uint64_t cap_effective, cap_permitted;
};

/* A program image: what one successful execve(2) put into a process. Shared
 * by all processes forked from it until they exec again. Captured at the exec
 * and never read again later: the process can rewrite its own memory.
 */
struct image {
	struct file_info file;        /* the program, or the script */
	struct file_info interpreter; /* present for scripts */
	struct string_list argv, envp;
	bool envp_read;                /* envp was needed and read */
	struct secl_string aliases[2]; /* symlink paths it was started through */
	int64_t exec_time_ns;          /* since the epoch; 0 = before guard looked */
	uint64_t token;                /* of the memory that the exec laid out; 0 = none */
	bool unknown;                  /* nothing certain is known of it */
	bool cut;                      /* strings are missing from what guard keeps */
};

enum process_source {
	PROCESS_SOURCE_UNKNOWN,
	PROCESS_SOURCE_EVENT,
	PROCESS_SOURCE_SNAPSHOT,
	PROCESS_SOURCE_FALLBACK
};

enum process_flag {
	PROCESS_IS_EXEC = 1u << 0,       /* its image comes from an exec of its own */
	PROCESS_IS_EXEC_CHILD = 1u << 1, /* exec directly after exec, no fork between */
	PROCESS_IS_THREAD = 1u << 2,     /* forked without exec since */
	PROCESS_IS_KWORKER = 1u << 3,
	PROCESS_LINEAGE_INFERRED = 1u << 4, /* the real parent was gone already */
};

struct process {
	pid_t pid, ppid;
	uint64_t start_ticks; /* clock ticks since boot: with pid, the identity */
	int64_t fork_time_ns, exec_time_ns, exit_time_ns; /* since the epoch, 0 = unknown */
	struct credentials cred;
	const struct process *parent; /* NULL = unknown or none */
	const struct image *image;    /* never NULL */
	struct secl_string comm;      /* as it is now, up to 15 bytes */
	struct secl_string tty;       /* pts0; empty = none */
	struct secl_string cgroup;    /* path of the cgroup */
	struct secl_string container; /* id; empty = host process */
	int64_t container_created_ns;
	uint32_t sid;
	uint32_t netns, mntns; /* inode numbers, 0 = not read */
	unsigned flags;        /* enum process_flag */
	enum process_source source;
	unsigned slot; /* in the table of processes, from 1 on; 0 = in none */
};

struct socket_address {
	uint16_t family;          /* AF_*; 0 = none */
	uint16_t port;            /* host order */
	struct secl_net ip;       /* IPv4-mapped addresses are IPv4 */
	struct secl_string path;  /* AF_UNIX, "@name" when abstract */
	struct secl_string alias; /* what rules call the same socket, when not so */
	const struct secl_string *hostnames;
	size_t nhostnames;
};

struct exec_event {
	struct secl_string path; /* as given to the call: syscall.exec.path */
};

struct connect_event {
	struct socket_address addr;
	uint16_t protocol; /* IPPROTO_*; 0 = unknown */
};

/* Registers of socket(2); SOCK_CLOEXEC and SOCK_NONBLOCK are not part of the type. */
struct socket_event {
	int32_t domain, type, protocol;
};

struct event {
	enum event_type type;
	int64_t time_ns;               /* since the epoch */
	const struct process *process; /* who acts; for exec with its new image */
	pid_t tid;                     /* the calling thread, in guard's namespace */
	const char *syscall;           /* name of the call, a constant */
	int64_t retval;                /* 0, or -errno when the call was refused */
	bool async;
	union {
		struct exec_event exec;
		struct connect_event connect;
		struct connect_event bind; /* whom it lets in */
		struct socket_event socket;
	};
};
