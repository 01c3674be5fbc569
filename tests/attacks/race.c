/* SPDX-License-Identifier: GPL-3.0-or-later */
/* race.c - what is judged is changed before it is used.
 *
 * An accomplice (thread, process, peer in the same memory, renamer) toggles
 * what a call names between GOOD and EVIL while the call is made again and again.
 * Wins are counted where the harm is done: by the program that runs and by the
 * server that is reached.
 */
#include "tests/attacks/contest.h"
#include "tests/lib/t-do.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { WORD = 4, RAN_EVIL = 33, STACK = 64 * 1024 };

/* Seen by everybody who takes part, in whatever memory they have. */
struct arena {
	_Atomic bool stop;
	_Atomic bool named_evil; /* what the descriptor is now */
	_Atomic unsigned changes;
	char path[4096];
	char word[16];
	struct sockaddr_in address;
};

struct race {
	struct arena *arena;
	char *spot; /* the WORD bytes that are toggled */
	char good[WORD], evil[WORD];
	const char *left, *right; /* files that change names */
	int fds[3];               /* the one that is used; what it is, good and evil */
};

static void set_word(void *data, bool evil)
{
	struct race *r = data;
	uint32_t word;

	memcpy(&word, evil ? r->evil : r->good, WORD);
	__atomic_store_n((uint32_t *)(void *)r->spot, word, __ATOMIC_SEQ_CST);
}

static void *change_word(void *data)
{
	struct race *r = data;

	contest_change(&r->arena->stop, set_word, r);
	return NULL;
}

/* In turn: which of the two it is by now, nobody needs to know. */
static void exchange_names(void *data, bool evil)
{
	const struct race *r = data;

	(void)evil;
	(void)syscall(SYS_renameat2, AT_FDCWD, r->left, AT_FDCWD, r->right, RENAME_EXCHANGE);
}

static void change_names(struct race *r)
{
	contest_change(&r->arena->stop, exchange_names, r);
}

static void set_descriptor(void *data, bool evil)
{
	struct race *r = data;

	(void)dup2(r->fds[evil ? 2 : 1], r->fds[0]);
	r->arena->named_evil = evil;
	r->arena->changes++;
}

static void *change_descriptor(void *data)
{
	struct race *r = data;

	contest_change(&r->arena->stop, set_descriptor, r);
	return NULL;
}

static int peer_main(void *data)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)change_word(data);
	return 0;
}

/* ---- execs -------------------------------------------------------------------- */

static void score(struct contest *c, int status)
{
	c->attempts++;
	if (WIFSIGNALED(status))
		c->caught += WTERMSIG(status) == SIGKILL;
	else if (WEXITSTATUS(status) == 126)
		c->refused++;
	else if (WEXITSTATUS(status) == RAN_EVIL)
		c->wins++;
	else if (WEXITSTATUS(status) == 0)
		c->done++;
	else
		c->odd++;
}

static void attempt(struct contest *c, const struct race *r, char **argv)
{
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		(void)execve(r->arena->path, argv, environ);
		_exit(errno == EPERM ? 126 : 127);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		score(c, status);
}

/* HOW is what is toggled and who does it. */
enum what { PATH_BYTES, ARGUMENT_BYTES, NAMES };
enum who { THREAD, PROCESS, PEER };
static const struct {
	const char *name;
	enum what what;
	enum who who;
} ways[] = {
	{ "thread-path", PATH_BYTES, THREAD },   { "thread-argument", ARGUMENT_BYTES, THREAD },
	{ "process-path", PATH_BYTES, PROCESS }, { "process-argument", ARGUMENT_BYTES, PROCESS },
	{ "peer-path", PATH_BYTES, PEER },       { "peer-argument", ARGUMENT_BYTES, PEER },
	{ "process-names", NAMES, PROCESS },
};

static pid_t start_accomplice(struct race *r, enum what what, enum who who)
{
	char *stack;
	pthread_t thread;
	pid_t pid;

	if (who == THREAD)
		return pthread_create(&thread, NULL, change_word, r) == 0 ? 0 : -1;
	if (who == PEER) {
		stack = malloc(STACK);
		return stack ? clone(peer_main, stack + STACK, CLONE_VM | SIGCHLD, r) : -1;
	}
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (what == NAMES)
			change_names(r);
		else
			(void)change_word(r);
		_exit(0);
	}
	return pid;
}

static int race_exec_one(struct contest *c, char **args)
{
	const char *good = args[1], *evil = args[2];
	struct race r = { .arena = contest_shared(sizeof *r.arena), .left = good, .right = evil };
	char **argv = args + 2;
	size_t way = 0;
	pid_t pid;

	while (way < ELEMENTS(ways) && strcmp(ways[way].name, args[0]) != 0)
		way++;
	if (way == ELEMENTS(ways) || strlen(good) != strlen(evil))
		return setup_failed(args[0]);
	(void)snprintf(r.arena->path, sizeof r.arena->path, "%s", good);
	(void)snprintf(r.arena->word, sizeof r.arena->word, "good");
	memcpy(r.good, "good", WORD);
	memcpy(r.evil, "evil", WORD);
	r.spot = ways[way].what == ARGUMENT_BYTES ? r.arena->word
						  : r.arena->path + strlen(good) - WORD;
	argv[0] = r.arena->path;
	for (size_t i = 1; argv[i]; i++) {
		if (strcmp(argv[i], "good") == 0)
			argv[i] = r.arena->word;
	}
	pid = start_accomplice(&r, ways[way].what, ways[way].who);
	if (pid < 0)
		return setup_failed("accomplice");
	while (contest_goes_on(c))
		attempt(c, &r, argv);
	r.arena->stop = true;
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return T_OK;
}

/* HOW QUOTA GOOD EVIL [ARG]...: runs GOOD with the arguments. GOOD and EVIL end
 * in as many bytes, of which the last four are toggled; for names they change
 * places instead. Toggled arguments are those that say "good".
 */
static int race_exec(char **args)
{
	const char *quota = args[1];

	args[1] = args[0];
	return contest_run(quota, race_exec_one, args + 1);
}

static int mark(const char *file, const char *word)
{
	char self[4096] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	bool evil = n >= WORD && strcmp(self + n - WORD, "evil") == 0;
	int fd;

	if (!evil && strcmp(word, "evil") != 0)
		return T_OK;
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "x\n", 2) != 2)
		return setup_failed(file);
	return RAN_EVIL;
}

/* FILE WORD: the victim. Notes in FILE that it is EVIL, or was told so. */
static int be_marked(char **args)
{
	return mark(args[0], args[1]);
}

/* SCRIPT FILE WORD: the same as interpreter of SCRIPT. */
static int be_marked_for(char **args)
{
	return mark(args[1], args[2]);
}

/* ---- connects -------------------------------------------------------------------- */

static int fresh_socket(int domain, bool blocking)
{
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);

	if (fd < 0)
		exit(setup_failed("socket"));
	/* no TIME_WAIT: ports would run out */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	return fd;
}

static int race_address_one(struct contest *c, char **args)
{
	struct race r = { .arena = contest_shared(sizeof *r.arena) };
	struct sockaddr_in *a = &r.arena->address;
	pthread_t thread;

	a->sin_family = AF_INET;
	memcpy(r.good, a, WORD);
	((struct sockaddr_in *)(void *)r.good)->sin_port = htons(strtoul(args[0], NULL, 10));
	memcpy(r.evil, r.good, WORD);
	((struct sockaddr_in *)(void *)r.evil)->sin_port = htons(strtoul(args[1], NULL, 10));
	memcpy(a, r.good, WORD);
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r.spot = (char *)a;
	if (pthread_create(&thread, NULL, change_word, &r) != 0)
		return setup_failed("pthread_create");
	for (; contest_goes_on(c); c->attempts++) {
		int fd = fresh_socket(AF_INET, c->attempts % 2), n, error;
		bool evil, made;

		n = connect(fd, (struct sockaddr *)a, sizeof *a);
		error = errno;
		evil = memcmp(a, r.evil, WORD) == 0;
		made = n == 0 || error == EINPROGRESS;
		c->refused += n != 0 && error == EPERM;
		c->done += made;
		c->caught += made && evil;
		c->odd += !made && error != EPERM;
		(void)close(fd);
	}
	r.arena->stop = true;
	(void)pthread_join(thread, NULL);
	return T_OK;
}

/* QUOTA OPEN-PORT SHUT-PORT: a thread toggles the port. */
static int race_address(char **args)
{
	return contest_run(args[0], race_address_one, args + 1);
}

static int race_descriptor_one(struct contest *c, char **args)
{
	struct race r = { .arena = contest_shared(sizeof *r.arena), .fds = { 500, -1, -1 } };
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(strtoul(args[1], NULL, 10)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool local = strcmp(args[0], "unix") == 0;
	pthread_t thread;

	r.fds[1] = fresh_socket(local ? AF_UNIX : AF_INET6, false);
	r.fds[2] = fresh_socket(AF_INET, false);
	(void)dup2(r.fds[1], r.fds[0]);
	if (pthread_create(&thread, NULL, change_descriptor, &r) != 0)
		return setup_failed("pthread_create");
	for (; contest_goes_on(c); c->attempts++) {
		bool refused, evil;
		unsigned before;

		before = r.arena->changes;
		refused = connect(r.fds[0], (struct sockaddr *)&a, sizeof a) != 0 && errno == EPERM;
		evil = r.arena->named_evil && r.arena->changes != before;
		/* of AF_INET6 the name is refused as well: nothing tells which one it was */
		c->refused += refused;
		c->done += !local || !refused;
		c->caught += evil && (!local || !refused);
	}
	r.arena->stop = true;
	(void)pthread_join(thread, NULL);
	return T_OK;
}

/* QUOTA DOMAIN SHUT-PORT: a thread toggles the descriptor between a socket of
 * DOMAIN and one that can reach the port.
 */
static int race_descriptor(char **args)
{
	return contest_run(args[0], race_descriptor_one, args + 1);
}

const struct deed race_deeds[] = {
	{ "race-exec", "HOW SECONDS[:CAUGHT] GOOD EVIL [ARG]...", 4, race_exec },
	{ "race-address", "SECONDS[:CAUGHT] OPEN-PORT SHUT-PORT", 3, race_address },
	{ "race-descriptor", "SECONDS[:CAUGHT] unix|inet6 SHUT-PORT", 3, race_descriptor },
	{ "mark", "FILE WORD", 2, be_marked },
	{ "mark-for", "SCRIPT FILE WORD", 3, be_marked_for },
	{ NULL, NULL, 0, NULL },
};
