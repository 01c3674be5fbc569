/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of processes on real ones: lineage, images that survive their owner,
 * what an exec replaces, bounds under a storm of forks.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "engine/imagepool.h"
#include "engine/proctab.h"

static struct proctab *tab;

static void setup(void)
{
	struct proctab_options options = { .pidfds = 16, .follows = true };

	cr_assert_eq(proctab_new(&options, &tab), 0);
}

static void teardown(void)
{
	proctab_free(tab);
}

TestSuite(proctab, .init = setup, .fini = teardown, .timeout = 60);

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	return pid;
}

static void stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static struct process *look_up(pid_t pid)
{
	struct process *process;
	struct caller caller;
	int error;

	cr_assert_eq(caller_open(pid, &caller), 0);
	process = proctab_get(tab, &caller, &error);
	caller_close(&caller);
	cr_assert_not_null(process, "%s", strerror(-error));
	return process;
}

/* An image as an exec leaves it. */
static struct image image_named(const char *name)
{
	return (struct image){ .file = { .path = { name, strlen(name) }, .present = true },
			       .argv = { .data = "x\0y", .size = 4, .count = 2 },
			       .envp = { .data = "" } };
}

Test(proctab, a_process_comes_with_its_ancestors)
{
	pid_t pid = start_sleeper();
	struct process *process = look_up(pid);

	cr_expect_eq(process->pid, pid);
	cr_expect_eq(process->ppid, getpid());
	cr_assert_not_null(process->parent);
	cr_expect_eq(process->parent->pid, getpid());
	cr_expect_gt(process->image->argv.count, 0u);
	cr_expect(process->image->file.present);
	cr_expect_eq(look_up(pid), process, "found again, not read again");
	stop(pid);
}

Test(proctab, a_child_shares_the_image_that_its_parent_got_by_exec)
{
	struct process *self = look_up(getpid());
	struct image image = *self->image;
	struct process *child;
	pid_t pid;

	image.argv.data = "captured\0at exec";
	image.argv.size = 17;
	image.argv.count = 2;
	cr_assert_eq(proctab_exec(tab, self, &image), 0);
	pid = start_sleeper();
	child = look_up(pid);
	cr_expect_eq(child->image, self->image);
	cr_expect_str_eq(child->image->argv.data, "captured");
	cr_expect(child->flags & PROCESS_IS_THREAD);
	stop(pid);
}

Test(proctab, a_dead_parent_stays_for_its_child)
{
	int ready[2];
	pid_t pid, grandchild = 0;
	struct process *process;
	const struct process *parent;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		grandchild = start_sleeper();
		(void)!write(ready[1], &grandchild, sizeof grandchild);
		for (;;)
			(void)pause();
	}
	cr_assert_eq(read(ready[0], &grandchild, sizeof grandchild), (ssize_t)sizeof grandchild);
	process = look_up(grandchild);
	parent = process->parent;
	cr_assert_eq(parent->pid, pid);
	stop(pid);
	for (unsigned i = 0; i < 100; i++)
		proctab_trim(tab);
	cr_expect_eq(process->parent, parent);
	cr_expect_eq(parent->pid, pid);
	cr_expect_gt(parent->image->argv.count, 0u);
	(void)kill(grandchild, SIGKILL);
}

Test(proctab, an_exec_replaces_the_image_and_keeps_the_rest)
{
	pid_t pid = start_sleeper();
	struct process *process = look_up(pid);
	struct image image = image_named("/bin/one");
	struct process candidate = proctab_candidate(process, &image);

	cr_expect_eq(candidate.parent, process->parent);
	cr_expect(candidate.flags & PROCESS_IS_EXEC);
	cr_expect_not(candidate.flags & PROCESS_IS_EXEC_CHILD);
	cr_expect_neq(process->image->file.path.size, 8u, "the process itself is unchanged");
	cr_assert_eq(proctab_exec(tab, process, &image), 0);
	cr_expect_eq(memcmp(process->image->file.path.text, "/bin/one", 8), 0);
	image = image_named("/bin/two");
	candidate = proctab_candidate(process, &image);
	cr_expect(candidate.flags & PROCESS_IS_EXEC_CHILD);
	stop(pid);
}

Test(proctab, doubt_reads_the_image_again)
{
	struct process *self = look_up(getpid());
	struct image image = image_named("/not/this");

	cr_assert_eq(proctab_exec(tab, self, &image), 0);
	proctab_doubt(tab, self);
	self = look_up(getpid());
	cr_expect_neq(self->image->file.path.size, 9u);
}

Test(proctab, a_storm_of_forks_is_forgotten_again)
{
	for (unsigned i = 0; i < 2000; i++) {
		pid_t pid = start_sleeper();

		(void)look_up(pid);
		stop(pid);
		proctab_trim(tab);
	}
	for (unsigned i = 0; i < 3000; i++)
		proctab_trim(tab);
	cr_expect_lt(proctab_stats(tab).processes, 100u);
	cr_expect_lt(proctab_stats(tab).images, 100u);
}

/* ---- images ---- */

Test(imagepool, what_does_not_fit_is_cut_and_marked)
{
	enum { SIZE = 3 * 1024 * 1024 };
	struct imagepool *pool;
	struct image image = image_named("/bin/x"), *copy;
	char *data = malloc(SIZE);
	bool shortened = false;

	cr_assert_eq(imagepool_new(&pool), 0);
	memset(data, 'a', SIZE);
	for (size_t i = 999; i < SIZE; i += 1000)
		data[i] = '\0';
	data[SIZE - 1] = '\0';
	image.argv = (struct string_list){ .data = data, .size = SIZE, .count = SIZE / 1000 + 1 };
	copy = imagepool_copy(pool, &image, &shortened);
	cr_assert_not_null(copy);
	cr_expect(shortened);
	cr_expect(copy->argv.truncated);
	cr_expect_lt(copy->argv.size, image.argv.size);
	cr_expect_eq(copy->argv.size, copy->argv.count * 1000);
	cr_expect_eq(memcmp(copy->argv.data, data, copy->argv.size), 0);
	imagepool_unref(pool, copy);
	cr_expect_eq(imagepool_used(pool), 0u);
	imagepool_free(pool);
	free(data);
}

Test(imagepool, memory_is_bounded_and_comes_back)
{
	static struct image *copies[40000];
	struct imagepool *pool;
	struct image image = image_named("/bin/x");
	bool shortened;
	unsigned n = 0;

	cr_assert_eq(imagepool_new(&pool), 0);
	while (n < ELEMENTS(copies) && (copies[n] = imagepool_copy(pool, &image, &shortened)))
		n++;
	cr_expect_lt(n, (unsigned)ELEMENTS(copies));
	cr_expect_gt(n, 20000u);
	imagepool_ref(pool, copies[0]);
	for (unsigned i = 0; i < n; i++)
		imagepool_unref(pool, copies[i]);
	cr_expect_eq(imagepool_used(pool), 1u);
	imagepool_free(pool);
}
