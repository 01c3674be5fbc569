/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/verify.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "kernel/procfs.h"
#include "kernel/target.h"

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

/* First read of the new stack: vectors, auxiliary vector, up to 8 KiB of random
 * gap (stack randomisation) and the strings of an ordinary program.
 */
enum { STACK_FIRST_READ = 32 * 1024, STACK_SLACK = 16 * 1024 };

int verify_attach(pid_t tid, bool killable)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0)
		return -errno;
	if (killable)
		return verify_interrupt(tid);
	return 0;
}

int verify_interrupt(pid_t tid)
{
	return ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ? -errno : 0;
}

int verify_nudge(pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0)
		return -errno;
	return verify_interrupt(tid);
}

enum verify_stop verify_classify(pid_t pid, int status, pid_t *ret_tid)
{
	unsigned long message = 0;
	int event = status >> 16;

	if (ret_tid)
		*ret_tid = pid;
	if (WIFEXITED(status) || WIFSIGNALED(status))
		return VERIFY_EXITED;
	if (!WIFSTOPPED(status))
		return VERIFY_NONE;
	if (event == PTRACE_EVENT_EXEC) {
		if (ret_tid && ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) == 0)
			*ret_tid = (pid_t)message;
		return VERIFY_EXEC;
	}
	if (event == PTRACE_EVENT_STOP)
		return VERIFY_FAILED;
	/* a signal came first: deliver it, the interrupt is still pending */
	(void)ptrace(PTRACE_CONT, pid, NULL, (void *)(long)(event ? 0 : WSTOPSIG(status)));
	return VERIFY_NONE;
}

int verify_detach(pid_t tid)
{
	return ptrace(PTRACE_DETACH, tid, NULL, NULL) < 0 ? -errno : 0;
}

/* ---- the new stack ----------------------------------------------------- */

/* The process stack as the ELF ABI lays it out (fs/binfmt_elf.c,
 * create_elf_tables): argc, argv[], NULL, envp[], NULL, auxv[], then the strings.
 */
struct stack {
	pid_t pid;
	uint64_t sp;
	unsigned word; /* 8, or 4 for a 32-bit image */
	char *data;    /* [sp, sp + size) */
	size_t size;
};

static int stack_pointer(pid_t pid, uint64_t *ret_sp, unsigned *ret_word)
{
	UNCLEARED union {
		char raw[1024];
		struct user_regs_struct native;
		uint32_t i386[17]; /* struct user_regs_struct32: esp is word 15 */
	} regs;
	struct iovec io = { .iov_base = &regs, .iov_len = sizeof regs };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) < 0)
		return -errno;
	if (io.iov_len == sizeof regs.native) {
#if defined(__x86_64__)
		*ret_sp = regs.native.rsp;
#elif defined(__aarch64__)
		*ret_sp = regs.native.sp;
#else
#error "stack pointer of this architecture"
#endif
		*ret_word = 8;
		return 0;
	}
	if (io.iov_len == sizeof regs.i386) {
		*ret_sp = regs.i386[15];
		*ret_word = 4;
		return 0;
	}
	return -EOPNOTSUPP;
}

static int read_stack(struct stack *s, size_t size, struct arena *arena)
{
	ssize_t n;

	s->data = arena_alloc_raw(arena, size);
	if (!s->data)
		return -ENOMEM;
	n = target_read(s->pid, s->sp, s->data, size);
	if (n < 0)
		return (int)n;
	s->size = (size_t)n;
	return 0;
}

/* Word I of the stack; false beyond what was read. */
static bool stack_word(const struct stack *s, size_t i, uint64_t *ret)
{
	uint32_t narrow;

	if ((i + 1) * s->word > s->size)
		return false;
	if (s->word == 8) {
		memcpy(ret, s->data + 8 * i, 8);
		return true;
	}
	memcpy(&narrow, s->data + 4 * i, 4);
	*ret = narrow;
	return true;
}

struct layout {
	uint64_t argc, envc;
	uint64_t argv, envp;   /* first strings, 0 = none */
	size_t auxv, auxv_end; /* words of the stack */
	uint64_t execfn;
	uint64_t end; /* one past the last string needed, rounded up */
};

/* 0; -ENOBUFS when more of the stack is needed; -EBADMSG. */
static int parse_layout(const struct stack *s, struct layout *ret)
{
	struct layout l = { .argc = 0 };
	uint64_t word, value;
	size_t i = 0;

	if (!stack_word(s, i++, &l.argc))
		return -ENOBUFS;
	if (l.argc > TARGET_VECTOR_MAX / s->word)
		return -EBADMSG;
	if (l.argc && !stack_word(s, i, &l.argv))
		return -ENOBUFS;
	i += l.argc + 1;
	if (!stack_word(s, i, &l.envp))
		return -ENOBUFS;
	for (;; l.envc++) {
		if (!stack_word(s, i++, &word))
			return -ENOBUFS;
		if (!word)
			break;
	}
	l.auxv = i;
	for (;; i += 2) {
		if (!stack_word(s, i, &word) || !stack_word(s, i + 1, &value))
			return -ENOBUFS;
		if (word == AT_NULL)
			break;
		if (word == AT_EXECFN)
			l.execfn = value;
	}
	l.auxv_end = i;
	if (!l.execfn || l.execfn < s->sp)
		return -EBADMSG;
	*ret = l;
	return 0;
}

/* COUNT strings that lie one behind the other from ADDRESS: the kernel put them
 * there itself, in order and without gaps.
 */
static int take_strings(const struct stack *s, uint64_t address, uint64_t count, size_t limit,
			struct string_list *ret)
{
	const char *start, *p, *end = s->data + s->size;

	*ret = (struct string_list){ .data = "" };
	if (!count)
		return 0;
	if (address < s->sp || address - s->sp >= s->size)
		return address < s->sp ? -EBADMSG : -ENOBUFS;
	start = p = s->data + (address - s->sp);
	for (uint64_t i = 0; i < count; i++) {
		p = memchr(p, '\0', (size_t)(end - p));
		if (!p++)
			return -ENOBUFS;
	}
	if ((size_t)(p - start) > limit)
		return -E2BIG;
	ret->data = start;
	ret->size = (uint32_t)(p - start);
	ret->count = (uint32_t)count;
	return 0;
}

static int take_execfn(const struct stack *s, uint64_t address, struct secl_string *ret)
{
	struct string_list one;
	int r = take_strings(s, address, 1, TARGET_STRING_MAX, &one);

	if (r == 0)
		*ret = (struct secl_string){ .text = one.data, .size = one.size - 1 };
	return r;
}

static int take_all(const struct stack *s, bool want_envp, struct exec_truth *ret)
{
	struct layout l;
	int r;

	r = parse_layout(s, &l);
	if (r < 0)
		return r;
	r = take_strings(s, l.argv, l.argc, TARGET_VECTOR_MAX, &ret->argv);
	if (r < 0)
		return r;
	if (want_envp) {
		r = take_strings(s, l.envp, l.envc, TARGET_VECTOR_MAX, &ret->envp);
		if (r < 0)
			return r;
	}
	/* the stack has the kernel's copy of the vector word for word; of a 32-bit
	 * image /proc shows it in a form of its own */
	if (s->word == 8)
		ret->token = procfs_token_of(s->data + 8 * l.auxv, 8 * (l.auxv_end - l.auxv));
	else if (procfs_token(s->pid, &ret->token) < 0)
		ret->token = 0;
	return take_execfn(s, l.execfn, &ret->execfn);
}

/* One read serves an ordinary program; a long command line or environment makes
 * it grow, up to all that execve(2) takes.
 */
static int read_strings(pid_t pid, bool want_envp, struct arena *arena, struct exec_truth *ret)
{
	struct stack s = { .pid = pid };
	size_t mark = arena_mark(arena);
	int r;

	r = stack_pointer(pid, &s.sp, &s.word);
	if (r < 0)
		return r;
	for (size_t size = STACK_FIRST_READ; size <= 4 * TARGET_VECTOR_MAX; size *= 4) {
		arena_release(arena, mark);
		r = read_stack(&s, size, arena);
		if (r < 0)
			return r;
		r = take_all(&s, want_envp, ret);
		/* a short read is the end of the stack: more does not help */
		if (r != -ENOBUFS || s.size < size)
			break;
	}
	return r == -ENOBUFS ? -EBADMSG : r;
}

/* ---- the files --------------------------------------------------------- */

int verify_read(struct resolve_host *host, pid_t tgid, bool want_envp, struct arena *arena,
		struct exec_truth *ret)
{
	struct exec_truth t = { .argv.data = "", .envp.data = "" };
	int r;

	r = read_strings(tgid, want_envp, arena, &t);
	if (r < 0)
		return r;
	r = resolve_describe_exe(host, tgid, arena, &t.file);
	if (r < 0)
		return r;
	*ret = t;
	return 0;
}

/* ---- scripts ------------------------------------------------------------- */

/* For a script the kernel puts its path among the first arguments, at most two
 * further for each interpreter that is a script again (fs/binfmt_script.c).
 */
static bool made_for_script(const struct exec_truth *truth)
{
	const char *p = truth->argv.data;

	for (unsigned i = 0; i < truth->argv.count && i <= 2 * SCRIPT_DEPTH_MAX; i++) {
		if (i && streq(p, truth->execfn.text))
			return true;
		p += strlen(p) + 1;
	}
	return false;
}

void verify_script_ask(struct verify_script *question, const struct resolve_host *host, pid_t tgid,
		       const struct exec_truth *truth)
{
	question->host = host;
	question->tgid = tgid;
	question->device = truth->file.device;
	question->inode = truth->file.inode;
	question->file = VERIFY_NO_SCRIPT;
	question->as_script = made_for_script(truth);
	if (!question->as_script)
		return;
	/* a longer path or name cannot be one that the kernel took */
	(void)snprintf(question->execfn, sizeof question->execfn, "%s", truth->execfn.text);
	(void)snprintf(question->argv0, sizeof question->argv0, "%s", truth->argv.data);
}

int verify_script_find(struct verify_script *question, bool cached_only)
{
	_cleanup_close_ int fd = -1;
	uint64_t device, inode;
	int r;

	/* the kernel names a script in the arguments of its interpreter, always */
	if (!question->as_script) {
		question->file = VERIFY_NO_SCRIPT;
		return 0;
	}
	question->file = VERIFY_SCRIPT_IN_DOUBT;
	fd = resolve_open(&(struct resolve_request){ .host = question->host,
						     .tid = question->tgid,
						     .tgid = question->tgid,
						     .dirfd = AT_FDCWD,
						     .path = question->execfn,
						     .cached_only = cached_only });
	if (fd < 0)
		return resolve_error_is_native(fd) ? 0 : fd;
	r = resolve_identify(fd, &device, &inode);
	if (r < 0)
		return r;
	if (device == question->device && inode == question->inode) {
		question->file = VERIFY_NO_SCRIPT;
		return 0;
	}
	/* files are opened and read from here on */
	if (cached_only)
		return -EAGAIN;
	r = script_runs(question->host, question->tgid, fd, question->argv0, question->device,
			question->inode);
	if (r > 0)
		question->file = TAKE_FD(fd);
	return r < 0 ? r : 0;
}
