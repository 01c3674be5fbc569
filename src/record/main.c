/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c - guard-recorder: reads its orders from the command line that
 * record/spawn.c wrote, gives everything up and runs.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "record/lockdown.h"
#include "record/privilege.h"
#include "record/recorder.h"
#include "record/say.h"
#include "record/stream.h"

enum { EXIT_USAGE = 2 };

#ifdef WITH_SANITIZERS
/* The leak checker wants to trace this process, which gives that up. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

struct orders {
	int link_fd;
	bool colour, restarted;
	struct lost_origin origin;
};

static int parse_link(const char *text, int *ret, struct err *err)
{
	int type = 0;
	socklen_t size = sizeof type;
	int64_t fd;

	if (parse_int64(text, 10, &fd) < 0 || fd < 0 || fd > INT32_MAX)
		return err_set(err, -EINVAL, "--link: '%s' is no descriptor", text);
	if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
		return err_set(err, -EINVAL, "--link: descriptor %d is no link", (int)fd);
	*ret = (int)fd;
	return 0;
}

static int add_sink(struct recorder *r, const char *text, struct err *err)
{
	int error;

	if (r->nsinks == SINKS_MAX)
		return err_set(err, -E2BIG, "--sink: at most %d", SINKS_MAX);
	error = sink_init(&r->sinks[r->nsinks], text, SINK_QUEUE_BYTES, err);
	if (error < 0)
		return err_prefix(err, "--sink: ");
	r->nsinks++;
	return 0;
}

static int parse(int argc, char **argv, struct orders *orders, struct recorder *r, struct err *err)
{
	enum { LINK, SINK, COLOUR, RESTARTED, HOSTNAME, SERVICE, WORKLOAD };
	static const struct option options[] = {
		{ "link", required_argument, NULL, LINK },
		{ "sink", required_argument, NULL, SINK },
		{ "colour", no_argument, NULL, COLOUR },
		{ "restarted", no_argument, NULL, RESTARTED },
		{ "hostname", required_argument, NULL, HOSTNAME },
		{ "service", required_argument, NULL, SERVICE },
		{ "workload", required_argument, NULL, WORKLOAD },
		{ 0 },
	};
	int option, error = 0;

	opterr = 0;
	while (error == 0 && (option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case LINK: error = parse_link(optarg, &orders->link_fd, err); break;
		case SINK: error = add_sink(r, optarg, err); break;
		case COLOUR: orders->colour = true; break;
		case RESTARTED: orders->restarted = true; break;
		case HOSTNAME: orders->origin.hostname = optarg; break;
		case SERVICE: orders->origin.service = optarg; break;
		case WORKLOAD: orders->origin.workload = optarg; break;
		default: error = err_set(err, -EINVAL, "unknown option %s", argv[optind - 1]);
		}
	}
	if (error == 0 && (orders->link_fd < 0 || optind != argc))
		error = err_set(err, -EINVAL, "is started by guard run, not by hand");
	return error;
}

/* Standard error, which this process writes its messages to, must not block
 * either: where a description of our own is to be had, it takes its place.
 */
static void own_stderr(void)
{
	enum stream_kind kind;
	int fd = dup(STDERR_FILENO);

	if (fd < 0)
		return;
	if (stream_adopt(&fd, &kind) == 0 && kind == STREAM_OWN)
		(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
}

/* Descriptors of our own for pipes and terminals, while root still may. */
static void own_sinks(struct recorder *r, const struct orders *orders)
{
	for (size_t i = 0; i < r->nsinks; i++) {
		r->sinks[i].colour = orders->colour;
		r->sinks[i].torn = orders->restarted && r->sinks[i].fd >= 0;
		if (r->sinks[i].fd >= 0)
			(void)stream_adopt(&r->sinks[i].fd, &r->sinks[i].stream);
	}
	own_stderr();
}

static int give_up_everything(struct recorder *r, const struct orders *orders, struct err *err)
{
	int keep[SINKS_MAX + 1];
	const char *note = NULL;
	int error;

	own_sinks(r, orders);
	for (size_t i = 0; i < r->nsinks; i++)
		keep[i] = r->sinks[i].fd;
	keep[r->nsinks] = r->link_fd;
	error = privilege_detach(keep, r->nsinks + 1, err);
	if (error == 0)
		error = privilege_drop(&note, err);
	if (note)
		say("recorder: %s", note);
	return error < 0 ? error : lockdown(err);
}

static struct line *make_lost(void *data, const struct sink *sink, uint64_t lost)
{
	return lost_line(data, sink, lost);
}

static struct line *make_damaged(void *data, const struct sink *sink, const char *damage)
{
	return damaged_line(data, sink, damage);
}

int main(int argc, char **argv)
{
	static struct recorder recorder; /* its message buffer is too large for a stack */
	struct orders orders = { .link_fd = -1 };
	struct err err = { 0 };
	int status;

	/* where the kernel has not done so at the exec (spawn.h) */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* started from a descriptor it has that one's number for a name */
	(void)prctl(PR_SET_NAME, "guard-recorder", 0, 0, 0);
	recorder_init(&recorder, -1);
	if (parse(argc, argv, &orders, &recorder, &err) < 0) {
		say("guard-recorder: %s", err.text);
		return EXIT_USAGE;
	}
	recorder.link_fd = orders.link_fd;
	recorder.reporter = (struct loss_reporter){ make_lost, make_damaged, &orders.origin };
	if (give_up_everything(&recorder, &orders, &err) < 0) {
		say("guard-recorder: %s", err.text);
		return EXIT_FAILURE;
	}
	status = recorder_run(&recorder);
	recorder_done(&recorder);
	return status;
}
