/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/exec_event.h"

#include <errno.h>

/* -EPERM and -ESRCH say that the task may not be read; what else goes wrong with
 * the caller's pointers goes wrong for the kernel in the same way.
 */
bool exec_unreadable(ssize_t error)
{
	return error == -EPERM || error == -EACCES;
}

/* What comm will be: the last component of the path as given (fs/exec.c). */
struct secl_string exec_future_comm(const char *path, size_t size)
{
	size_t start = size;

	while (start > 0 && path[start - 1] != '/')
		start--;
	return (struct secl_string){ .text = path + start, .size = MIN(size - start, 15u) };
}

/* The name that was used, when it is another than the file's own. */
void exec_add_alias(struct image *image, const char *path, size_t size)
{
	const struct secl_string own = image->file.path;

	if (path[0] == '/' && (size != own.size || memcmp(path, own.text, size) != 0))
		image->aliases[0] = (struct secl_string){ .text = path, .size = size };
}

void exec_make_event(const struct flight *f, const struct process *process, struct event *event)
{
	*event = (struct event){
		.type = EVENT_EXEC,
		.time_ns = now_realtime_ns(),
		.process = process,
		.tid = f->tid,
		.syscall = f->syscall,
		.exec.path = { .text = f->exec.path, .size = strlen(f->exec.path) },
	};
}

enum reason exec_reason(int error)
{
	if (error == -EMFILE || error == -ENFILE || error == -EAGAIN)
		return REASON_NO_RESOURCE;
	if (error == -ENOMEM)
		return REASON_NO_MEMORY;
	if (error == -EINTR)
		return REASON_DEADLINE;
	if (error == -ENODATA)
		return REASON_UNHASHED;
	return exec_unreadable(error) ? REASON_TARGET_UNREADABLE : REASON_UNRESOLVED;
}
