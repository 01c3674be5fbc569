/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/slay.h"

#include <signal.h>

#include "kernel/procfs.h"

enum {
	LOOKS_MAX = 100,    /* forks go on until the last one is dead */
	VICTIMS_MAX = 4096, /* of one look */
	DEPTH_MAX = 100000, /* no chain of parents is longer: pid_max bounds it */
};

struct look {
	const pid_t *tops;
	size_t ntops;
	pid_t spared[2];
	bool below_only; /* the tops themselves are not meant */
	pid_t victims[VICTIMS_MAX];
	size_t count;
};

static bool is_top(const struct look *look, pid_t pid)
{
	for (size_t i = 0; i < look->ntops; i++) {
		if (look->tops[i] == pid)
			return true;
	}
	return false;
}

static bool below(const struct look *look, pid_t pid)
{
	struct proc_stat stat;

	for (unsigned depth = 0; pid > 1 && depth < DEPTH_MAX; depth++) {
		if (is_top(look, pid))
			return true;
		if (procfs_stat(pid, &stat) < 0)
			return false;
		pid = stat.ppid;
	}
	return pid == 1 && is_top(look, 1);
}

static int collect(void *data, pid_t pid)
{
	struct look *look = data;
	struct proc_stat stat;

	if (pid <= 1 || pid == getpid() || pid == look->spared[0] || pid == look->spared[1] ||
	    (look->below_only && is_top(look, pid)))
		return 0;
	if (procfs_stat(pid, &stat) < 0 || stat.state == 'Z' || !below(look, pid))
		return 0;
	look->victims[look->count++] = pid;
	return look->count == VICTIMS_MAX;
}

static void slay(struct look *look)
{
	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		look->count = 0;
		if (procfs_each(collect, look) < 0 || !look->count)
			return;
		for (size_t v = 0; v < look->count; v++)
			(void)kill(look->victims[v], SIGKILL);
		/* death takes a moment; looking again at once would find them alive */
		(void)usleep(2000);
	}
}

bool slay_descends(pid_t pid, pid_t ancestor)
{
	struct look look = { .tops = &ancestor, .ntops = 1 };

	return below(&look, pid);
}

void slay_descendants(pid_t ancestor, pid_t spared, pid_t spared_too)
{
	struct look look = {
		.tops = &ancestor, .ntops = 1, .spared = { spared, spared_too }, .below_only = true
	};

	slay(&look);
}

void slay_trees(const pid_t *pids, size_t count)
{
	struct look look = { .tops = pids, .ntops = count };

	slay(&look);
}

void slay_signal(pid_t ancestor, pid_t spared, pid_t spared_too, int signal)
{
	struct look look = {
		.tops = &ancestor, .ntops = 1, .spared = { spared, spared_too }, .below_only = true
	};

	(void)procfs_each(collect, &look);
	for (size_t v = 0; v < look.count; v++)
		(void)kill(look.victims[v], signal);
}
