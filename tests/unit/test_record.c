/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder's parts: queue, denials, names of sinks, words for people. */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>

#include "record/denials.h"
#include "record/facts.h"
#include "record/queue.h"
#include "record/sink.h"
#include "record/spawn.h"

/* ---- queue ------------------------------------------------------------- */

static struct line *line_of(const char *text, uint64_t seq)
{
	return line_new(text, strlen(text), seq);
}

static bool put(struct queue *q, const char *text)
{
	struct line *line = line_of(text, 0);
	bool taken = queue_put(q, line, false);

	line_unref(line);
	return taken;
}

static size_t cost_of(const char *text)
{
	struct line *line = line_of(text, 0);
	size_t cost = line_cost(line);

	line_unref(line);
	return cost;
}

Test(queue, first_in_first_out)
{
	struct queue q;

	queue_init(&q, 10000);
	cr_expect_null(queue_head(&q));
	cr_expect(put(&q, "a"));
	cr_expect(put(&q, "b"));
	cr_expect_str_eq(queue_head(&q)->text, "a");
	queue_pop(&q);
	cr_expect_str_eq(queue_head(&q)->text, "b");
	queue_pop(&q);
	cr_expect_null(queue_head(&q));
	cr_expect_eq(q.bytes, 0);
	cr_expect_eq(queue_take_lost(&q), 0);
	queue_done(&q);
}

/* One gap, not one after every line: nothing is taken until it is half empty. */
Test(queue, full)
{
	struct queue q;

	queue_init(&q, 4 * cost_of("x"));
	for (int i = 0; i < 4; i++)
		cr_expect(put(&q, "x"));
	cr_expect_not(put(&q, "y"));
	queue_pop(&q);
	cr_expect_not(put(&q, "y"), "three quarters full");
	cr_expect_eq(queue_take_lost(&q), 0, "no room to say so yet");
	queue_pop(&q);
	cr_expect_eq(queue_take_lost(&q), 2);
	cr_expect_eq(queue_take_lost(&q), 0, "said twice");
	cr_expect(put(&q, "z"));
	queue_done(&q);
}

Test(queue, owed_denials_are_not_charged)
{
	struct queue q;
	struct line *denial = line_of("denial", 1);

	queue_init(&q, cost_of("x"));
	cr_expect(put(&q, "x"));
	cr_expect_not(put(&q, "x"));
	cr_expect(queue_put(&q, denial, true));
	cr_expect_eq(denial->owed, 1);
	queue_pop(&q);
	cr_expect_eq(q.bytes, 0);
	queue_disown(&q);
	cr_expect_eq(denial->owed, 0);
	cr_expect_eq(q.bytes, line_cost(denial));
	cr_expect_str_eq(queue_head(&q)->text, "denial", "it stays queued");
	queue_done(&q);
	cr_expect_eq(denial->refs, 1);
	line_unref(denial);
}

Test(line, control_bytes_become_spaces)
{
	struct line *line = line_new("{\"a\":\n1,\0\x1b\x7f\"\xc3\xa9\"}", 16, 0);

	cr_expect_eq(memcmp(line->text, "{\"a\": 1,  \x7f\"\xc3\xa9\"}", 16), 0);
	line_unref(line);
}

/* ---- what an error does to a sink --------------------------------------- */

static int next_error;

static int fake_open(struct sink *sink)
{
	(void)sink;
	return 0;
}

static int fake_flush(struct sink *sink)
{
	(void)sink;
	return next_error;
}

static void fake_close(struct sink *sink)
{
	sink->fd = -1;
}

struct trouble {
	int error;
	bool errors_pass, reconnects;
	enum sink_state state;
	bool owed, kept; /* the denial at its head */
};

ParameterizedTestParameters(sink, trouble)
{
	static struct trouble rows[] = {
		{ 0, false, false, SINK_UP, false, false },
		{ -EAGAIN, false, false, SINK_STALLED, true, true },
		{ -EAGAIN, false, true, SINK_STALLED, true, true },
		{ -ENOSPC, false, false, SINK_STALLED, true, true },
		{ -ENOSPC, true, false, SINK_STALLED, true, true },
		{ -EIO, true, false, SINK_STALLED, true, true }, /* a disk */
		{ -EIO, false, false, SINK_DEAD, false, false }, /* a terminal that is gone */
		{ -EPIPE, false, false, SINK_DEAD, false, false },
		{ -EPIPE, true, false, SINK_DEAD, false, false }, /* a FIFO under file: */
		{ -EPIPE, false, true, SINK_DOWN, false, true },
		{ -ECONNREFUSED, false, true, SINK_DOWN, false, true },
		{ -ENOMEM, false, true, SINK_STALLED, true, true },
		{ -EMSGSIZE, false, true, SINK_UP, false, false }, /* that line, not the sink */
	};
	return cr_make_param_array(struct trouble, rows, ELEMENTS(rows));
}

static struct line *no_loss(void *data, const struct sink *sink, uint64_t lost)
{
	(void)data;
	(void)sink;
	(void)lost;
	return NULL;
}

ParameterizedTest(struct trouble *r, sink, trouble)
{
	const struct loss_reporter reporter = { no_loss, NULL, NULL };
	const struct sink_type type = {
		.kind = SINK_FILE,
		.open = fake_open,
		.render = render_json,
		.flush = fake_flush,
		.close = fake_close,
		.errors_pass = r->errors_pass,
		.reconnects = r->reconnects,
	};
	struct line *denial = line_of("{}", 1);
	struct err err = { 0 };
	struct sink sink;

	cr_assert_eq(sink_init(&sink, "file=999:x", 10000, &err), 0, "%s", err.text);
	sink.type = &type;
	sink_start(&sink, 0);
	cr_assert_eq(sink_put(&sink, denial), 0);
	cr_assert_eq(denial->owed, 1);
	next_error = r->error;
	(void)sink_pump(&sink, 0, &reporter);
	cr_expect_eq((int)sink.state, (int)r->state);
	cr_expect_eq(denial->owed, r->owed);
	cr_expect_eq(queue_head(&sink.queue) == denial, r->kept);
	cr_expect_eq(sink_is_alive(&sink), r->state == SINK_UP || r->state == SINK_STALLED);
	sink_done(&sink);
	cr_expect_eq(denial->refs, 1);
	line_unref(denial);
}

struct bad_sink {
	char text[32];
};

ParameterizedTestParameters(sink, orders)
{
	static struct bad_sink rows[] = {
		{ "" },
		{ "file" },
		{ "file=5" },
		{ "file=x:/a" },
		{ "file=-1:/a" },
		{ "journal=5:" },
		{ "nosuch=-1:" },
		{ "file=-2:/a" },
		{ "=5:/a" },
		{ "file=:/a" },
		{ "file=99999999999:/a" },
	};
	return cr_make_param_array(struct bad_sink, rows, ELEMENTS(rows));
}

ParameterizedTest(struct bad_sink *r, sink, orders)
{
	struct err err = { 0 };
	struct sink sink;

	cr_expect_eq(sink_init(&sink, r->text, 100, &err), -EINVAL, "%s", r->text);
	cr_expect_neq(err.text[0], '\0');
}

/* ---- denials ----------------------------------------------------------- */

enum { OFFER, HELLO, WRITE, ASK };

struct step {
	int what;
	uint64_t seq;     /* offered, or of HELLO; of WRITE: lines to finish */
	int want;         /* the answer; of ASK whether it must ask now */
	uint64_t written; /* afterwards */
};

struct script {
	const char *name;
	size_t room; /* lines */
	struct step steps[12];
};

static void play_step(struct denials *d, const struct step *step, const char *name, size_t i)
{
	struct line *line;

	switch (step->what) {
	case OFFER:
		line = line_of("denial", step->seq);
		cr_expect_eq((int)denials_offer(d, step->seq, line_cost(line)), step->want,
			     "%s: step %zu", name, i);
		line->owed = 1;
		if (step->want == (int)DENIAL_NEW)
			denials_add(d, line);
		else
			line_unref(line);
		break;
	case HELLO: denials_hello(d, step->seq); break;
	case WRITE:
		STAILQ_FOREACH (line, &d->held, next)
			if (line->seq <= step->seq)
				line->owed = 0;
		break;
	case ASK:
		cr_expect_eq(denials_must_ask(d), step->want, "%s: step %zu", name, i);
		d->asked |= step->want != 0;
		break;
	default: break;
	}
	(void)denials_settle(d);
	cr_expect_eq(d->written, step->written, "%s: step %zu: written %lu", name, i,
		     (unsigned long)d->written);
}

#define NEW  DENIAL_NEW
#define DUP  DENIAL_DUPLICATE
#define DENY DENIAL_REFUSED

Test(denials, scripts)
{
	static const struct script scripts[] = {
		{ "in order",
		  9,
		  { { ASK, 0, 1, 0 },
		    { HELLO, 0, 0, 0 },
		    { OFFER, 1, NEW, 0 },
		    { OFFER, 2, NEW, 0 },
		    { WRITE, 1, 0, 1 },
		    { WRITE, 2, 0, 2 } } },
		/* the second sink to finish decides */
		{ "written out of order",
		  9,
		  { { HELLO, 0, 0, 0 },
		    { OFFER, 1, NEW, 0 },
		    { WRITE, 0, 0, 0 },
		    { WRITE, 1, 0, 1 } } },
		{ "before the answer to HELLO nothing is accepted",
		  9,
		  { { ASK, 0, 1, 0 },
		    { OFFER, 7, DENY, 0 },
		    { ASK, 0, 0, 0 },
		    { HELLO, 4, 0, 4 },
		    { OFFER, 5, NEW, 4 },
		    { WRITE, 5, 0, 5 } } },
		{ "twice",
		  9,
		  { { HELLO, 0, 0, 0 },
		    { OFFER, 1, NEW, 0 },
		    { OFFER, 1, DUP, 0 },
		    { WRITE, 1, 0, 1 },
		    { OFFER, 1, DUP, 1 } } },
		{ "a gap",
		  9,
		  { { HELLO, 0, 0, 0 },
		    { OFFER, 1, NEW, 0 },
		    { OFFER, 3, DENY, 0 },
		    { ASK, 0, 1, 0 },
		    { OFFER, 2, DENY, 0 },
		    { HELLO, 0, 0, 0 },
		    { OFFER, 1, DUP, 0 },
		    { OFFER, 2, NEW, 0 },
		    { OFFER, 3, NEW, 0 },
		    { WRITE, 3, 0, 3 } } },
		{ "no room: asked again when half is written",
		  4,
		  { { HELLO, 0, 0, 0 },
		    { OFFER, 1, NEW, 0 },
		    { OFFER, 2, NEW, 0 },
		    { OFFER, 3, NEW, 0 },
		    { OFFER, 4, NEW, 0 },
		    { OFFER, 5, DENY, 0 },
		    { ASK, 0, 0, 0 },
		    { WRITE, 2, 0, 2 },
		    { ASK, 0, 1, 2 },
		    { HELLO, 2, 0, 2 },
		    { OFFER, 5, NEW, 2 } } },
		{ "a new supervisor that knows of no ACK",
		  9,
		  { { HELLO, 0, 0, 0 },
		    { OFFER, 1, NEW, 0 },
		    { WRITE, 1, 0, 1 },
		    { HELLO, 0, 0, 1 },
		    { OFFER, 1, DUP, 1 },
		    { OFFER, 2, NEW, 1 } } },
		{ "a ring that forgot some",
		  9,
		  { { HELLO, 0, 0, 0 },
		    { OFFER, 1, NEW, 0 },
		    { HELLO, 5, 0, 0 },
		    { OFFER, 6, NEW, 0 },
		    { WRITE, 1, 0, 5 },
		    { WRITE, 6, 0, 6 } } },
	};

	for (size_t i = 0; i < ELEMENTS(scripts); i++) {
		struct denials d;

		denials_init(&d, scripts[i].room * cost_of("denial"));
		for (size_t j = 0; j < ELEMENTS(scripts[i].steps); j++) {
			const struct step *step = &scripts[i].steps[j];

			if (step->what == OFFER && step->seq == 0)
				break; /* the rest of the array */
			play_step(&d, step, scripts[i].name, j);
		}
		denials_done(&d);
	}
}

/* ---- names of sinks ---------------------------------------------------- */

struct spec_row {
	char text[160];
	int want; /* 0, or the error */
	enum sink_kind kind;
	char path[32];
	char message[64]; /* a part of it */
};

#define LONG_PATH                                                                                  \
	"unix:/0123456789012345678901234567890123456789012345678901234567890123456789012345"       \
	"6789012345678901234567890123456789"

ParameterizedTestParameters(spec, rows)
{
	static struct spec_row rows[] = {
		{ "-", 0, SINK_STDOUT, "", "" },
		{ "stderr", 0, SINK_STDERR, "", "" },
		{ "file:/a:b", 0, SINK_FILE, "/a:b", "" },
		{ "file:rel", 0, SINK_FILE, "rel", "" },
		{ "journal", 0, SINK_JOURNAL, "", "" },
		{ "syslog", 0, SINK_SYSLOG, "", "" },
		{ "unix:/s", 0, SINK_UNIX, "/s", "" },
		{ "unix:@abstract", 0, SINK_UNIX, "@abstract", "" },
		{ "", -EINVAL, 0, "", "sink '' is unknown: use -, stderr, file:PATH" },
		{ "stdout", -EINVAL, 0, "", "sink 'stdout' is unknown" },
		{ "fil:/a", -EINVAL, 0, "", "is unknown" },
		{ "/var/log/x", -EINVAL, 0, "", "is unknown" },
		{ "a\nb", -EINVAL, 0, "", "is unknown" },
		{ "file", -EINVAL, 0, "", "the path is missing" },
		{ "file:", -EINVAL, 0, "", "the path is missing" },
		{ "unix:", -EINVAL, 0, "", "the path is missing" },
		{ "unix:rel", -EINVAL, 0, "", "must be absolute" },
		{ "journal:/x", -EINVAL, 0, "", "takes no path" },
		{ "-:", -EINVAL, 0, "", "takes no path" },
		{ LONG_PATH, -EINVAL, 0, "", "at most 107 bytes" },
	};
	return cr_make_param_array(struct spec_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct spec_row *r, spec, rows)
{
	struct sink_spec spec = { .kind = SINK_KIND_COUNT };
	struct err err = { 0 };

	cr_assert_eq(sink_spec_parse(r->text, &spec, &err), r->want);
	if (r->want == 0) {
		cr_expect_eq(spec.kind, r->kind);
		cr_expect_str_eq(spec.path, r->path);
		return;
	}
	cr_expect(strstr(err.text, r->message), "%s", err.text);
	cr_expect_null(strchr(err.text, '\n'));
	cr_expect_eq(spec.kind, SINK_KIND_COUNT, "touched on failure");
}

/* ---- opening ----------------------------------------------------------- */

static char directory[] = "/tmp/guard-test-record-XXXXXX";

static void make_directory(void)
{
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
}

static void remove_directory(void)
{
	const char *names[] = { "new", "link", "fifo", "dir", "old" };

	for (size_t i = 0; i < ELEMENTS(names); i++)
		(void)remove(names[i]);
	(void)rmdir(directory);
}

TestSuite(open, .init = make_directory, .fini = remove_directory, .timeout = 240);

static int open_one(const char *spec, struct recorder_sinks *sinks, struct err *err)
{
	return recorder_open_sinks(&spec, 1, 500, sinks, err);
}

Test(open, what_is_refused)
{
	static const struct {
		const char *spec;
		int want;
		const char *message;
	} rows[] = {
		{ "file:dir", -EISDIR, "sink file:dir: Is a directory" },
		{ "file:fifo", -ENXIO, "sink file:fifo: is a FIFO that nobody reads" },
		{ "file:link", -ELOOP, "sink file:link: is a symbolic link" },
		{ "file:no/such", -ENOENT, "sink file:no/such: No such file or directory" },
	};
	struct recorder_sinks sinks;

	cr_assert_eq(mkdir("dir", 0700), 0);
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	cr_assert_eq(symlink("old", "link"), 0);
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		struct err err = { 0 };

		cr_expect_eq(open_one(rows[i].spec, &sinks, &err), rows[i].want, "%s",
			     rows[i].spec);
		cr_expect_str_eq(err.text, rows[i].message);
		cr_expect_eq(sinks.count, 0);
	}
	cr_expect_eq(access("old", F_OK), -1, "made through the link");
}

Test(open, file)
{
	struct recorder_sinks sinks;
	struct err err = { 0 };
	struct stat st;
	int flags;

	(void)umask(0);
	cr_assert_eq(open_one("file:new", &sinks, &err), 0, "%s", err.text);
	cr_assert_eq(stat("new", &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_expect_geq(sinks.items[0].fd, 500);
	flags = fcntl(sinks.items[0].fd, F_GETFL);
	cr_expect(flags & O_APPEND);
	cr_expect(fcntl(sinks.items[0].fd, F_GETFD) & FD_CLOEXEC);
	recorder_sinks_done(&sinks);
	cr_expect_eq(fcntl(500, F_GETFD), -1, "left open");
}

Test(open, one_bad_closes_all)
{
	const char *specs[] = { "file:new", "-", "journal", "fil" };
	struct recorder_sinks sinks;
	struct err err = { 0 };

	cr_expect_eq(recorder_open_sinks(specs, 4, 500, &sinks, &err), -EINVAL);
	cr_expect_eq(sinks.count, 0);
	for (int fd = 500; fd < 510; fd++)
		cr_expect_eq(fcntl(fd, F_GETFD), -1);
}

/* ---- words for people -------------------------------------------------- */

struct word_row {
	char json[256];
	char want[128];
	int priority;
	bool for_people;
};

#define RULE "\"agent\":{\"rule_id\":\"r\"}"

ParameterizedTestParameters(facts, rows)
{
	static struct word_row rows[] = {
		{ "{\"agent\":{\"rule_id\":\"deny_false\"},\"evt\":{\"name\":\"exec\"},"
		  "\"file\":{\"path\":\"/bin/false\"},\"guard\":{\"verdict\":\"blocked\"}}",
		  "blocked exec /bin/false (rule deny_false)", LOG_WARNING, true },
		{ "{" RULE ",\"evt\":{\"name\":\"exec\"},\"syscall\":{\"exec\":{\"path\":\"x\"}},"
		  "\"guard\":{\"verdict\":\"killed\"}}",
		  "killed exec x (rule r)", LOG_WARNING, true },
		{ "{" RULE ",\"evt\":{\"name\":\"connect\"},\"connect\":{\"addr\":{\"family\":"
		  "\"AF_INET\",\"ip\":\"192.0.2.7\",\"port\":443}},\"guard\":{\"verdict\":"
		  "\"would_block\"}}",
		  "would have blocked connect 192.0.2.7:443 (rule r)", LOG_NOTICE, true },
		{ "{" RULE
		  ",\"evt\":{\"name\":\"connect\"},\"connect\":{\"addr\":{\"ip\":\"2001:db8::"
		  "1\",\"port\":53}},\"guard\":{\"verdict\":\"detected\"}}",
		  "detected connect [2001:db8::1]:53 (rule r)", LOG_NOTICE, true },
		{ "{" RULE ",\"evt\":{\"name\":\"connect\"},\"connect\":{\"addr\":{\"ip\":\"\"}},"
		  "\"guard\":{\"verdict\":\"blocked\",\"addr_path\":\"@x\"}}",
		  "blocked connect @x (rule r)", LOG_WARNING, true },
		{ "{" RULE ",\"evt\":{\"name\":\"signal\"},\"process\":{\"executable\":{\"path\":"
		  "\"/bin/p\"}},\"guard\":{\"verdict\":\"detected\"}}",
		  "detected signal /bin/p (rule r)", LOG_NOTICE, true },
		/* untrusted bytes */
		{ "{\"agent\":{\"rule_id\":\"r\\n\"},\"evt\":{\"name\":\"exec\"},\"file\":{\"path\":"
		  "\"/a\\u001b[2J\\u0000\\u202e\\ud83d\\ude00\"},\"guard\":{\"verdict\":"
		  "\"blocked\"}}",
		  "blocked exec /a\\x1b[2J\\x00\\xe2\\x80\\xae\xf0\x9f\x98\x80 (rule r\\x0a)",
		  LOG_WARNING, true },
		/* wrong types, nothing at all */
		{ "{\"agent\":7,\"evt\":{\"name\":\"exec\"},\"file\":[],\"guard\":{\"verdict\":{}}}",
		  "saw exec", LOG_NOTICE, true },
		{ "[]", "an event of 2 bytes that is not JSON", LOG_ERR, true },
		{ "{", "an event of 1 bytes that is not JSON", LOG_ERR, true },
		{ "{}", "internal event ", LOG_INFO, false },
		/* internal events */
		{ "{\"agent\":{\"rule_id\":\"ruleset_loaded\"}}", "internal event ruleset_loaded",
		  LOG_INFO, false },
		{ "{\"agent\":{\"rule_id\":\"events_lost\"},\"guard\":{\"lost\":12}}",
		  "12 events were lost before this sink could take them", LOG_ERR, true },
		{ "{\"agent\":{\"rule_id\":\"supervisor_lost\"}}", "the supervisor was lost",
		  LOG_CRIT, true },
	};
	return cr_make_param_array(struct word_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct word_row *r, facts, rows)
{
	struct line *line = line_of(r->json, 0);
	struct facts facts;

	facts_read(&facts, line);
	cr_expect_str_eq(facts.summary, r->want);
	cr_expect_eq(facts.priority, r->priority, "%s: priority %d", r->json, facts.priority);
	cr_expect_eq(facts.for_people, r->for_people);
	facts_done(&facts);
	line_unref(line);
}

/* However long the parts are, the end of the line is there. */
Test(summary, bounded)
{
	static char object[5000], rule[5000];
	char buf[SUMMARY_MAX];
	const struct summary summary = {
		.verdict = "would_block",
		.event = "exec",
		.object = { object, sizeof object },
		.rule = { rule, sizeof rule },
	};
	size_t n;

	memset(object, '\n', sizeof object);
	memset(rule, 0xff, sizeof rule);
	n = summary_write(buf, sizeof buf, &summary);
	cr_expect_eq(n, strlen(buf));
	cr_expect_lt(n, SUMMARY_MAX);
	cr_expect_str_eq(buf + n - 4, "...)");
	cr_expect_eq(summary_write(buf, 8, &summary), 7);
	cr_expect_str_eq(buf, "would h");
}
