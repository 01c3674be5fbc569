/* SPDX-License-Identifier: GPL-3.0-or-later */
/* race.c - what is judged is changed before it is used.
 *
 * An accomplice (thread, process, peer in the same memory, renamer) toggles
 * what a call names between GOOD and EVIL while the call is made again and again.
 * Wins are counted where the harm is done: by the program that runs and by the
 * server that is reached.
 */
#include "tests/lib/t-do.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { WORD = 4, RAN_EVIL = 33, STACK = 64 * 1024 };
/* What a race must have seen to say something, and the seconds that it is given for it
 * beyond its own where the machine serves others, too.
 */
enum { EXECS_DENIED = 11, PATIENCE = 60 };

/* Seen by everybody who takes part, in whatever memory they have. */
struct arena {
	_Atomic bool stop;
	char path[4096];
	char word[16];
	struct sockaddr_in address;
};

struct race {
	struct arena *arena;
	char *spot; /* the WORD bytes that are toggled */
	char good[WORD], evil[WORD];
	const char *left, *right; /* files that change names */
	int fds[3];               /* the one that is used, and the two that it is in turn */
};

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool goes_on(double end, bool enough)
{
	double t = now();

	return t < end || (!enough && t < end + PATIENCE);
}

/* Both sides of a toggle live a random while, so that every order of looks and
 * changes comes up: good-evil as well as good-evil-good.
 */
static void linger(unsigned *seed)
{
	unsigned turns = rand_r(seed) % 4000;

	for (volatile unsigned i = 0; i < turns; i++)
		;
	/* whoever judges shall not have to wait for the end of a time slice */
	if (turns % 2)
		(void)sched_yield();
}

static void *toggle_word(void *data)
{
	struct race *r = data;
	unsigned seed = (unsigned)getpid();
	uint32_t good, evil;

	memcpy(&good, r->good, WORD);
	memcpy(&evil, r->evil, WORD);
	while (!r->arena->stop) {
		__atomic_store_n((uint32_t *)(void *)r->spot, evil, __ATOMIC_SEQ_CST);
		linger(&seed);
		__atomic_store_n((uint32_t *)(void *)r->spot, good, __ATOMIC_SEQ_CST);
		linger(&seed);
	}
	return NULL;
}

static void *toggle_names(void *data)
{
	struct race *r = data;
	unsigned seed = (unsigned)getpid();

	while (!r->arena->stop) {
		(void)syscall(SYS_renameat2, AT_FDCWD, r->left, AT_FDCWD, r->right,
			      RENAME_EXCHANGE);
		linger(&seed);
	}
	return NULL;
}

static void *toggle_descriptor(void *data)
{
	struct race *r = data;
	unsigned seed = 1;

	while (!r->arena->stop) {
		(void)dup2(r->fds[1], r->fds[0]);
		linger(&seed);
		(void)dup2(r->fds[2], r->fds[0]);
		linger(&seed);
	}
	return NULL;
}

static int peer_main(void *data)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)toggle_word(data);
	return 0;
}

/* ---- execs -------------------------------------------------------------------- */

struct score {
	long attempts, denied, killed, ran, evil, odd;
};

static void score(struct score *s, int status)
{
	s->attempts++;
	if (WIFSIGNALED(status))
		s->killed += WTERMSIG(status) == SIGKILL;
	else if (WEXITSTATUS(status) == 126)
		s->denied++;
	else if (WEXITSTATUS(status) == RAN_EVIL)
		s->evil++;
	else if (WEXITSTATUS(status) == 0)
		s->ran++;
	else
		s->odd++;
}

static void attempt(struct score *s, const struct race *r, char **argv)
{
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		(void)execve(r->arena->path, argv, environ);
		_exit(errno == EPERM ? 126 : 127);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		score(s, status);
}

/* Every way to end has come up; or the race is lost, which is enough as well. */
static bool scored(const struct score *s)
{
	return s->evil || (s->denied >= EXECS_DENIED && s->killed && s->ran);
}

static int say_score(const struct score *s)
{
	(void)printf("attempts %ld caught %ld denied %ld killed %ld ran %ld odd %ld wins %ld\n",
		     s->attempts, s->denied + s->killed, s->denied, s->killed, s->ran, s->odd,
		     s->evil);
	return s->evil ? T_FAILED : T_OK;
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
		return pthread_create(&thread, NULL, toggle_word, r) == 0 ? 0 : -1;
	if (who == PEER) {
		stack = malloc(STACK);
		return stack ? clone(peer_main, stack + STACK, CLONE_VM | SIGCHLD, r) : -1;
	}
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)(what == NAMES ? toggle_names(r) : toggle_word(r));
		_exit(0);
	}
	return pid;
}

static struct arena *make_arena(void)
{
	struct arena *arena = mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (arena == MAP_FAILED)
		exit(setup_failed("mmap"));
	return arena;
}

/* HOW SECONDS GOOD EVIL [ARG]...: runs GOOD with the arguments. GOOD and EVIL end
 * in as many bytes, of which the last four are toggled; for names they change
 * places instead. Toggled arguments are those that say "good".
 */
static int race_exec(char **args)
{
	const char *good = args[2], *evil = args[3];
	struct race r = { .arena = make_arena(), .left = good, .right = evil };
	struct score s = { .attempts = 0 };
	double end = now() + strtod(args[1], NULL);
	char **argv = args + 3;
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
	while (goes_on(end, scored(&s)))
		attempt(&s, &r, argv);
	r.arena->stop = true;
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return say_score(&s);
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

static int say_connects(long attempts, long refused)
{
	(void)printf("attempts %ld caught %ld\n", attempts, refused);
	return T_OK;
}

/* SECONDS OPEN-PORT SHUT-PORT [CAUGHT]: a thread toggles the port, until that many were
 * refused.
 */
static int race_address(char **args)
{
	struct race r = { .arena = make_arena() };
	struct sockaddr_in *a = &r.arena->address;
	double end = now() + strtod(args[0], NULL);
	long attempts = 0, refused = 0, wanted = args[3] ? strtol(args[3], NULL, 10) : 0;
	pthread_t thread;

	a->sin_family = AF_INET;
	memcpy(r.good, a, WORD);
	((struct sockaddr_in *)(void *)r.good)->sin_port = htons(strtoul(args[1], NULL, 10));
	memcpy(r.evil, r.good, WORD);
	((struct sockaddr_in *)(void *)r.evil)->sin_port = htons(strtoul(args[2], NULL, 10));
	memcpy(a, r.good, WORD);
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r.spot = (char *)a;
	if (pthread_create(&thread, NULL, toggle_word, &r) != 0)
		return setup_failed("pthread_create");
	while (goes_on(end, refused >= wanted)) {
		int fd = fresh_socket(AF_INET, attempts % 2);

		refused += connect(fd, (struct sockaddr *)a, sizeof *a) != 0 && errno == EPERM;
		attempts++;
		(void)close(fd);
	}
	r.arena->stop = true;
	(void)pthread_join(thread, NULL);
	return say_connects(attempts, refused);
}

/* SECONDS DOMAIN SHUT-PORT: a thread toggles the descriptor between a socket of
 * DOMAIN and one that can reach the port.
 */
static int race_descriptor(char **args)
{
	struct race r = { .arena = make_arena(), .fds = { 500, -1, -1 } };
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(strtoul(args[2], NULL, 10)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int domain = strcmp(args[1], "unix") == 0 ? AF_UNIX : AF_INET6;
	double end = now() + strtod(args[0], NULL);
	long attempts = 0, refused = 0;
	pthread_t thread;

	r.fds[1] = fresh_socket(domain, false);
	r.fds[2] = fresh_socket(AF_INET, false);
	(void)dup2(r.fds[1], r.fds[0]);
	if (pthread_create(&thread, NULL, toggle_descriptor, &r) != 0)
		return setup_failed("pthread_create");
	while (now() < end) {
		refused +=
			connect(r.fds[0], (struct sockaddr *)&a, sizeof a) != 0 && errno == EPERM;
		attempts++;
	}
	r.arena->stop = true;
	(void)pthread_join(thread, NULL);
	return say_connects(attempts, refused);
}

const struct deed race_deeds[] = {
	{ "race-exec", "HOW SECONDS GOOD EVIL [ARG]...", 4, race_exec },
	{ "race-address", "SECONDS OPEN-PORT SHUT-PORT [CAUGHT]", 3, race_address },
	{ "race-descriptor", "SECONDS unix|inet6 SHUT-PORT", 3, race_descriptor },
	{ "mark", "FILE WORD", 2, be_marked },
	{ "mark-for", "SCRIPT FILE WORD", 3, be_marked_for },
	{ NULL, NULL, 0, NULL },
};
