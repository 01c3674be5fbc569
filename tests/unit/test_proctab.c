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
static struct imagepool *pool;

static void setup(void)
{
	struct proctab_options options = { .pidfds = 16, .follows = true, .reaper = getpid() };

	cr_assert_eq(imagepool_new(&pool), 0);
	options.images = pool;
	cr_assert_eq(proctab_new(&options, &tab), 0);
}

static void teardown(void)
{
	proctab_free(tab);
	imagepool_free(pool);
}

TestSuite(proctab, .init = setup, .fini = teardown, .timeout = 240);

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

/* The image of what runs here, as its exec would have left it in the table. */
static struct image own_image(const char *name)
{
	struct image image = image_named(name);

	cr_assert_eq(procfs_token(getpid(), &image.token), 0);
	return image;
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
	cr_expect(process->image->unknown, "its exec was not seen");
	cr_expect_not(process->parent->image->unknown, "not of the workload");
	cr_expect_eq(look_up(pid), process, "found again, not read again");
	stop(pid);
}

Test(proctab, a_fork_has_the_image_of_the_exec_that_made_its_memory)
{
	struct image image = own_image("/bin/one"), other = image_named("/bin/two");
	struct process *child, *parent;
	pid_t pid = start_sleeper();

	parent = look_up(getpid());
	cr_assert_eq(proctab_exec(tab, parent, &image), 0);
	child = look_up(pid);
	cr_expect_eq(memcmp(child->image->file.path.text, "/bin/one", 8), 0);
	cr_expect_not(child->image->unknown);
	cr_expect(child->flags & PROCESS_IS_THREAD);
	stop(pid);
	/* the parent has become something else: a child from before has not */
	pid = start_sleeper();
	other.token = 1;
	cr_assert_eq(proctab_exec(tab, parent, &other), 0);
	child = look_up(pid);
	cr_expect_eq(memcmp(child->image->file.path.text, "/bin/one", 8), 0);
	cr_expect_eq(memcmp(parent->image->file.path.text, "/bin/two", 8), 0);
	stop(pid);
}

Test(proctab, one_token_for_two_programs_is_no_knowledge)
{
	struct image one = own_image("/bin/one"), two = own_image("/bin/two");
	pid_t pid = start_sleeper();

	two.argv.data = "z\0y";
	(void)imagepool_copy(pool, &one);
	(void)imagepool_copy(pool, &two);
	cr_expect(look_up(pid)->image->unknown);
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

Test(proctab, doubt_ends_with_the_memory_that_it_is_about)
{
	struct process *self = look_up(getpid());
	struct image image = own_image("/bin/one"), other = image_named("/bin/two");

	cr_assert_eq(proctab_exec(tab, self, &image), 0);
	proctab_doubt(tab, self);
	self = look_up(getpid());
	cr_expect_not(self->image->unknown, "the exec has not happened");
	other.token = 1;
	cr_assert_eq(proctab_exec(tab, self, &other), 0);
	proctab_doubt(tab, self);
	self = look_up(getpid());
	cr_expect_eq(memcmp(self->image->file.path.text, "/bin/one", 8), 0,
		     "the memory says what it is");
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
	cr_expect_lt(proctab_used(tab), 100u);
	cr_expect_lt(imagepool_used(pool), 100u);
}

/* ---- images ---- */

Test(imagepool, what_does_not_fit_is_cut_and_marked)
{
	enum { SIZE = 20 * 1000 * 1000 };
	struct image image = image_named("/bin/x");
	const struct image *copy;
	struct imagepool *images;
	char *data = malloc(SIZE);

	cr_assert_eq(imagepool_new(&images), 0);
	memset(data, 'a', SIZE);
	for (size_t i = 999; i < SIZE; i += 1000)
		data[i] = '\0';
	image.argv = (struct string_list){ .data = data, .size = SIZE, .count = SIZE / 1000 };
	copy = imagepool_copy(images, &image);
	cr_assert_not_null(copy);
	cr_expect(copy->cut);
	cr_expect(copy->argv.truncated);
	cr_expect_lt(copy->argv.size, image.argv.size);
	cr_expect_eq(copy->argv.size, copy->argv.count * 1000);
	cr_expect_eq(memcmp(copy->argv.data, data, copy->argv.size), 0);
	imagepool_free(images);
	free(data);
}

Test(imagepool, memory_is_bounded_and_comes_back)
{
	static const struct image *copies[40000];
	struct image image = image_named("/bin/x");
	struct imagepool *images;
	unsigned n = 0;

	cr_assert_eq(imagepool_new(&images), 0);
	while (n < ELEMENTS(copies) && (copies[n] = imagepool_copy(images, &image)))
		n++;
	cr_expect_lt(n, (unsigned)ELEMENTS(copies));
	cr_expect_gt(n, 20000u);
	imagepool_ref(images, copies[0]);
	for (unsigned i = 0; i < n; i++)
		imagepool_unref(images, copies[i]);
	cr_expect_eq(imagepool_used(images), 1u);
	cr_expect_not_null(imagepool_copy(images, &image));
	imagepool_free(images);
}

Test(imagepool, an_image_that_nobody_holds_is_found_for_a_while)
{
	struct image image = image_named("/bin/x");
	struct imagepool *images;
	const struct image *copy;
	bool ambiguous;

	cr_assert_eq(imagepool_new(&images), 0);
	image.token = 4711;
	copy = imagepool_copy(images, &image);
	imagepool_unref(images, copy);
	cr_expect_eq(imagepool_find(images, 4711, &ambiguous), copy);
	imagepool_ref(images, copy);
	image.token = 1;
	for (unsigned i = 0; i < 20000; i++)
		imagepool_unref(images, imagepool_copy(images, &image));
	cr_expect_eq(imagepool_find(images, 4711, &ambiguous), copy, "held again");
	imagepool_unref(images, copy);
	for (unsigned i = 0; i < 20000; i++)
		imagepool_unref(images, imagepool_copy(images, &image));
	cr_expect_null(imagepool_find(images, 4711, &ambiguous));
	imagepool_free(images);
}

Test(imagepool, a_successor_finds_what_was_complete)
{
	struct image image = image_named("/bin/x");
	struct imagepool *images;
	const struct image *copy;
	bool ambiguous;
	pid_t pid;

	cr_assert_eq(imagepool_new(&images), 0);
	pid = fork();
	if (pid == 0) {
		for (unsigned i = 1; i <= 100; i++) {
			image.token = i;
			copy = imagepool_copy(images, &image);
			if (i % 3 == 0)
				imagepool_unref(images, copy);
		}
		(void)kill(getpid(), SIGKILL);
	}
	(void)waitpid(pid, NULL, 0);
	imagepool_recover(images);
	cr_expect_eq(imagepool_used(images), 0u);
	for (unsigned i = 1; i <= 100; i++) {
		copy = imagepool_find(images, i, &ambiguous);
		cr_assert_not_null(copy, "%u", i);
		cr_expect_not(ambiguous);
		cr_expect_str_eq(copy->argv.data, "x");
	}
	imagepool_free(images);
}
