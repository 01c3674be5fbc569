/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify.h - what an exec really did, read before its first instruction.
 *
 * While the caller is parked in its notification it is seized with
 * PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL and interrupted; then the call is
 * continued. Exactly one stop follows: PTRACE_EVENT_EXEC when it succeeded (the
 * new image is in place, no instruction of it has run), PTRACE_EVENT_STOP when
 * it failed (the errno is in the caller's register and is delivered as if
 * nothing had happened). Measured: mechanics/notify.md, section E.
 *
 * The tracer is a thread, not a process: every function here must be called
 * from the one thread that called verify_attach().
 */
#pragma once
#include <limits.h>

#include "base/arena.h"
#include "kernel/resolve.h"
#include "kernel/script.h"
#include "model/event.h"

/* 0; -EPERM when another tracer is there (or Yama forbids it), -ESRCH when the
 * task is gone. INTERRUPT is sent here only with `killable` listeners
 * (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV): without that flag it would cancel
 * the notification, and verify_interrupt() must follow the answer instead.
 */
int verify_attach(pid_t tid, bool killable);
int verify_interrupt(pid_t tid);

/* Makes a parked thread look for signals when it leaves its call, whether there is one
 * for it or not. One PTRACE_EVENT_STOP follows the answer, at which verify_detach() lets
 * it go; nothing else is to be seen of it. Results as above.
 */
int verify_nudge(pid_t tid);

enum verify_stop {
	VERIFY_NONE,   /* not a stop that ends the exec; it was passed on */
	VERIFY_EXEC,   /* EVENT_EXEC: the new image stands */
	VERIFY_FAILED, /* the exec failed */
	VERIFY_EXITED, /* the tracee is dead and reaped */
};

/* Classifies a wait status of PID (after waitpid) and passes on what does not
 * concern the exec. *ret_tid is the thread that called execve, which for an
 * exec from another thread than the leader is not PID; NULL when it is known.
 */
enum verify_stop verify_classify(pid_t pid, int status, pid_t *ret_tid);

/* Lets the tracee go. 0, or -ESRCH when it died meanwhile: then it is ours to
 * reap (waitpid), or its real parent waits for ever.
 */
int verify_detach(pid_t tid);

/* What stands in the new image of PID at EVENT_EXEC. */
struct exec_truth {
	struct file_info file; /* the program in place; of a script the interpreter */
	struct string_list argv, envp;
	struct secl_string execfn; /* the path as the kernel copied it (AT_EXECFN) */
	uint64_t token;            /* of its memory, procfs_token(); 0 = none */
};

/* Reads it into ARENA: argv always, the environment if WANT_ENVP. 0; -ENOMEM when
 * the arena is full, else -errno: the caller fails closed.
 */
int verify_read(struct resolve_host *host, pid_t tgid, bool want_envp, struct arena *arena,
		struct exec_truth *ret);

/* The question whether what is in place runs as the interpreter of a script. */
struct verify_script {
	const struct resolve_host *host;
	pid_t tgid;
	char execfn[PATH_MAX];
	char argv0[SCRIPT_LINE_MAX];
	bool as_script;         /* the arguments are as the kernel makes them for one */
	uint64_t device, inode; /* of the program in place */
	int file;               /* result: O_PATH of the script, or one of these */
};

enum {
	VERIFY_NO_SCRIPT = 0,
	/* the arguments say script, the file behind its name does not, or not any
	 * more: an interpreter may be in place whose script was swapped */
	VERIFY_SCRIPT_IN_DOUBT = -2,
};

/* Prepares the question from TRUTH. */
void verify_script_ask(struct verify_script *question, const struct resolve_host *host, pid_t tgid,
		       const struct exec_truth *truth);

/* Answers it: there is a script when the file behind AT_EXECFN names, by its first
 * line, exactly the program that is in place, and the arguments begin as the kernel
 * would have made them. Anything else is what it is: the program in place. 0,
 * -EAGAIN when it may wait for a disk and CACHED_ONLY, or -errno.
 */
int verify_script_find(struct verify_script *question, bool cached_only);
