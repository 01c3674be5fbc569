/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/act.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/seqpacket.h"
#include "engine/limiter.h"
#include "model/consts.h"
#include "model/link.h"
#include "model/summary.h"

/* Room for one line: report_write() cuts lists to fit (report.h). */
enum { LINE_ROOM = 128 * 1024 };

/* Variables in one line, and address space for their values. */
enum { VARIABLES_SHOWN = 256, VARIABLES_SCRATCH = 8 * 1024 * 1024 };

/* As many as a rule can have (policy/load.h). */
enum { OTHER_ACTIONS = 32 };

struct reporter {
	struct reporter_options options;
	struct limiter *limiters; /* by rule->index */
	/* of rules with limiter_token, by rule->index; NULL for the others */
	struct limiter_table **tables;
	void *buckets;
	size_t buckets_size;
	bool link_up;
	bool hello_due;       /* the link was full: no denial goes before it */
	struct arena scratch; /* of one line: the values of variables */
	struct report_variable variables[VARIABLES_SHOWN];
	size_t nvariables;
	char line[LINE_ROOM];
};

/* All that limits will ever need. */
static int make_limiters(struct reporter *reporter)
{
	const struct ruleset *set = reporter->options.ruleset;
	struct limiter_table *next;
	size_t count = 0;

	reporter->limiters = calloc(set->nrules + 1, sizeof *reporter->limiters);
	reporter->tables = calloc(set->nrules + 1, sizeof(struct limiter_table *));
	if (!reporter->limiters || !reporter->tables)
		return -ENOMEM;
	for (size_t i = 0; i < set->nrules; i++)
		count += set->rules[i].ntokens != 0;
	if (!count)
		return 0;
	reporter->buckets_size = count * sizeof *next;
	next = mmap(NULL, reporter->buckets_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (next == MAP_FAILED)
		return -ENOMEM;
	reporter->buckets = next;
	for (size_t i = 0; i < set->nrules; i++)
		reporter->tables[i] = set->rules[i].ntokens ? next++ : NULL;
	return 0;
}

int reporter_new(const struct reporter_options *options, struct reporter **ret)
{
	struct reporter *reporter = calloc(1, sizeof *reporter);

	if (!reporter)
		return -ENOMEM;
	reporter->options = *options;
	reporter->link_up = options->recorder >= 0;
	if (make_limiters(reporter) < 0 || arena_init(&reporter->scratch, VARIABLES_SCRATCH) < 0) {
		reporter_free(reporter);
		return -ENOMEM;
	}
	*ret = reporter;
	return 0;
}

void reporter_free(struct reporter *reporter)
{
	if (!reporter)
		return;
	arena_done(&reporter->scratch);
	if (reporter->buckets)
		(void)munmap(reporter->buckets, reporter->buckets_size);
	free(reporter->tables);
	free(reporter->limiters);
	free(reporter);
}

static void tell_keeper(const struct reporter *reporter)
{
	uint64_t one = 1;

	(void)!write(reporter->options.news, &one, sizeof one);
}

static uint64_t next_seq(struct reporter *reporter)
{
	return atomic_fetch_add(&reporter->options.journal->seq, 1) + 1;
}

static void count_lost(struct reporter *reporter)
{
	atomic_fetch_add(&reporter->options.journal->lost, 1);
}

/* ---- text ----------------------------------------------------------------- */

/* What the event was about, in BUF: "/bin/false", "192.0.2.7:443". */
static struct secl_string object_text(const struct event *event, char *buf, size_t size)
{
	const struct socket_address *addr = &event->connect.addr;
	char ip[INET6_ADDRSTRLEN];
	int n;

	if (event->type == EVENT_EXEC) {
		const struct secl_string path = event->process->image->file.path;

		return path.size ? path : event->exec.path;
	}
	if (event->type == EVENT_SOCKET) {
		const char *domain = constant_name(CONST_GROUP_FAMILY, event->socket.domain);

		n = domain ? snprintf(buf, size, "%s", domain)
			   : snprintf(buf, size, "family %d", event->socket.domain);
		return (struct secl_string){ .text = buf, .size = n < 0 ? 0 : (size_t)n };
	}
	if (event->type == EVENT_BIND)
		addr = &event->bind.addr;
	else if (event->type != EVENT_CONNECT)
		return (struct secl_string){ .size = 0 };
	if (!addr->ip.family)
		return addr->path;
	(void)inet_ntop(addr->ip.family, addr->ip.addr, ip, sizeof ip);
	n = snprintf(buf, size, addr->ip.family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip, addr->port);
	return (struct secl_string){ .text = buf, .size = n < 0 ? 0 : (size_t)n };
}

static void summarise(const struct event *event, const struct match *match, char *buf, size_t size)
{
	char object[INET6_ADDRSTRLEN + 16];
	struct summary summary = {
		.verdict = verdict_name(match->kind),
		.event = event_type_name(event->type),
		.object = object_text(event, object, sizeof object),
		.rule = { .text = match->rule->id, .size = strlen(match->rule->id) },
	};

	(void)summary_write(buf, size, &summary);
}

/* ---- variables ------------------------------------------------------------ */

static void show_variable(void *data, const struct variable *variable,
			  const struct secl_value *value)
{
	static const enum report_scope scopes[] = {
		[SCOPE_GLOBAL] = REPORT_GLOBAL,
		[SCOPE_PROCESS] = REPORT_PROCESS,
		[SCOPE_CONTAINER] = REPORT_CONTAINER,
		[SCOPE_CGROUP] = REPORT_CGROUP,
	};
	const char *dot = variable->scope == SCOPE_GLOBAL ? NULL : strchr(variable->name, '.');
	struct reporter *reporter = data;

	if (reporter->nvariables == VARIABLES_SHOWN)
		return;
	reporter->variables[reporter->nvariables++] = (struct report_variable){
		.scope = scopes[variable->scope],
		.name = dot ? dot + 1 : variable->name,
		.value = *value,
	};
}

/* All that have a value for who acts. */
static void show_variables(struct reporter *reporter, const struct event *event)
{
	reporter->nvariables = 0;
	if (!reporter->options.variables)
		return;
	arena_reset(&reporter->scratch);
	for (int scope = SCOPE_GLOBAL; scope <= SCOPE_CGROUP; scope++)
		variables_each(reporter->options.variables, reporter->options.ruleset,
			       (enum variable_scope)scope, event->process, now_monotonic_ns(),
			       &reporter->scratch, show_variable, reporter);
}

/* ---- actions --------------------------------------------------------------- */

bool match_does(const struct match *match, size_t action)
{
	return match->others & (UINT64_C(1) << (action % 64));
}

/* Those that the line tells of; what log actions say is a line of its own. */
static size_t other_actions(const struct event *event, const struct match *match,
			    struct report_action *ret, size_t size)
{
	const struct process *process;
	size_t count = 0;

	for (size_t i = 0; i < match->rule->nactions && count < size; i++) {
		const struct action *action = &match->rule->actions[i];

		if (!match_does(match, i) || action->type == ACTION_LOG)
			continue;
		ret[count] = (struct report_action){ .type = action_type_name(action->type) };
		if (action->type == ACTION_HASH) {
			ret[count].file = field_file(&action->hash->field, event, &process);
			if (!ret[count].file)
				continue;
		}
		count++;
	}
	return count;
}

/* ---- lines ---------------------------------------------------------------- */

static ssize_t write_line(struct reporter *reporter, const struct event *event,
			  const struct match *match, enum guarantee guarantee)
{
	const struct rule *rule = match->rule;
	struct journal *journal = reporter->options.journal;
	struct report_action actions[OTHER_ACTIONS];
	struct report_rule described = {
		.id = rule->group_id && *rule->group_id ? rule->group_id : rule->id,
		.original_id = rule->id,
		.version = rule->version,
		.description = rule->description,
		.expression = rule->expression,
		.policy = rule->policy->name,
		.policy_version = rule->policy->version,
		.tags = rule->tags,
		.ntags = rule->ntags,
	};
	struct report report = {
		.origin = reporter->options.origin,
		.rule = &described,
		.event = event,
		.verdict = {
			.kind = match->kind,
			.reason = match->reason,
			.guarantee = guarantee,
			.error = match->error,
			.signal = match->signal,
			.kill_scope = match->signal ? kill_scope_name(match->scope) : NULL,
			.detected_ns = event->time_ns,
			.acted_ns = match->kind >= VERDICT_BLOCKED ? now_realtime_ns() : 0,
		},
		.seq = next_seq(reporter),
		.lost = atomic_load(&journal->lost),
		.withheld = atomic_load(&reporter->options.tally->by_rule[rule->index]),
		.variables = reporter->variables,
		.actions = actions,
		.nactions = other_actions(event, match, actions, ELEMENTS(actions)),
	};

	show_variables(reporter, event);
	report.nvariables = reporter->nvariables;
	return report_write(&report, reporter->line, sizeof reporter->line);
}

static void add_line(struct reporter *reporter, const char *summary, ssize_t size)
{
	if (size < 0 ||
	    journal_add(reporter->options.journal, summary, reporter->line, (size_t)size) < 0)
		count_lost(reporter);
}

static void send_line(struct reporter *reporter, ssize_t size)
{
	struct seqpacket_head head = { .type = LINK_EVENT, .size = (uint32_t)size };

	if (size < 0 || !reporter->link_up ||
	    seqpacket_send(reporter->options.recorder, &head, reporter->line, NULL, 0) < 0)
		count_lost(reporter);
}

void reporter_commit(struct reporter *reporter, unsigned slot, const struct event *event,
		     const struct decision *decision, enum guarantee guarantee)
{
	struct journal *journal = reporter->options.journal;
	char summary[SUMMARY_MAX];

	if (decision->strongest.kind < VERDICT_BLOCKED)
		return;
	journal_begin(journal, slot);
	atomic_fetch_add(&journal->denials, 1);
	atomic_fetch_add(decision->strongest.kind == VERDICT_KILLED ? &journal->killed
								    : &journal->blocked,
			 1);
	for (size_t i = 0; i < decision->nmatches; i++) {
		const struct match *match = &decision->matches[i];

		if (match->kind < VERDICT_BLOCKED || match->rule->silent)
			continue;
		summarise(event, match, summary, sizeof summary);
		add_line(reporter, summary, write_line(reporter, event, match, guarantee));
	}
	journal_commit(journal);
	tell_keeper(reporter);
}

struct log_message {
	const struct rule *rule;
	const struct action *action;
};

static void log_body(struct jsonw *w, const void *data)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	const struct log_message *message = data;

	jsonw_key(w, "log");
	jsonw_begin_object(w);
	jsonw_kv_string(w, "rule_id", message->rule->id);
	jsonw_kv_string(w, "level",
			levels[MIN((size_t)message->action->level, ELEMENTS(levels) - 1)]);
	if (message->action->message)
		jsonw_kv_string(w, "message", message->action->message);
	jsonw_end_object(w);
}

static void run_log_actions(struct reporter *reporter, const struct match *match)
{
	for (size_t i = 0; i < match->rule->nactions; i++) {
		struct log_message message = { match->rule, &match->rule->actions[i] };

		if (message.action->type == ACTION_LOG && match_does(match, i))
			reporter_internal(reporter, "log_action", log_body, &message);
	}
}

/* Whether the rate of its rule lets the match through; if not it is counted. */
static bool within_rate(struct reporter *reporter, const struct match *match)
{
	const struct rule *rule = match->rule;
	struct limiter_table *table = reporter->tables[rule->index];
	struct limiter *limiter =
		table ? limiter_of(table, &match->tuple) : &reporter->limiters[rule->index];

	if (limiter_allow(limiter, rule->every_ns, now_monotonic_ns()))
		return true;
	tally_withhold(reporter->options.tally, rule->index);
	return false;
}

static void count_match(struct reporter *reporter, const struct match *match)
{
	struct tally *tally = reporter->options.tally;

	atomic_fetch_add(
		match->kind == VERDICT_WOULD_BLOCK ? &tally->would_block : &tally->detected, 1);
}

bool reporter_begin(struct reporter *reporter, const struct match *match)
{
	run_log_actions(reporter, match);
	if (match->kind >= VERDICT_BLOCKED)
		return false;
	count_match(reporter, match);
	return !match->rule->silent && within_rate(reporter, match);
}

/* Whether its line, written now, would lack hashes that an action asks for. */
static bool lacks_hashes(const struct event *event, const struct match *match)
{
	const struct process *process;

	for (size_t i = 0; i < match->rule->nactions; i++) {
		const struct action *action = &match->rule->actions[i];
		const struct file_info *file =
			action->type == ACTION_HASH && match_does(match, i)
				? field_file(&action->hash->field, event, &process)
				: NULL;

		if (file && file->hash_state == HASH_STATE_NO_HASH)
			return true;
	}
	return false;
}

static bool later(const struct reporter *reporter, const struct event *event,
		  const struct match *match, enum guarantee guarantee)
{
	const struct reporter_options *options = &reporter->options;

	return options->later && options->later(options->data, event, match, guarantee);
}

void reporter_report(struct reporter *reporter, const struct event *event,
		     const struct decision *decision, enum guarantee guarantee)
{
	for (size_t i = 0; i < decision->nmatches; i++) {
		const struct match *match = &decision->matches[i];
		bool writes, lacks;

		if (match->unhashed) {
			if (!later(reporter, event, match, guarantee))
				count_lost(reporter);
			continue;
		}
		writes = reporter_begin(reporter, match);
		if (!writes && (match->kind < VERDICT_BLOCKED || match->rule->silent))
			continue;
		lacks = lacks_hashes(event, match);
		if (lacks && later(reporter, event, match, guarantee))
			continue;
		if (writes)
			send_line(reporter, write_line(reporter, event, match, guarantee));
	}
}

struct hash_line {
	const struct event *event;
	const struct match *match;
	const struct file_info *file;
};

static void hash_body(struct jsonw *w, const void *data)
{
	const struct hash_line *line = data;
	const struct file_info *file = line->file;

	jsonw_key(w, "hash");
	jsonw_begin_object(w);
	jsonw_kv_string(w, "rule_id", line->match->rule->id);
	jsonw_kv_int(w, "pid", line->event->process->pid);
	jsonw_kv_time(w, "date", line->event->time_ns);
	jsonw_key(w, "path");
	(void)jsonw_string_max(w, file->path.text, file->path.size, SIZE_MAX);
	jsonw_key(w, "hashes");
	jsonw_begin_array(w);
	for (size_t i = 0; i < ELEMENTS(file->hashes); i++) {
		if (file->hashes[i].size)
			(void)jsonw_string_max(w, file->hashes[i].text, file->hashes[i].size,
					       SIZE_MAX);
	}
	jsonw_end_array(w);
	jsonw_kv_string(w, "hash_state", hash_state_name(file->hash_state));
	jsonw_end_object(w);
}

void reporter_late(struct reporter *reporter, const struct event *event, const struct match *match,
		   enum guarantee guarantee)
{
	struct report_action actions[OTHER_ACTIONS];
	size_t count;

	if (match->kind < VERDICT_BLOCKED) {
		send_line(reporter, write_line(reporter, event, match, guarantee));
		return;
	}
	count = other_actions(event, match, actions, ELEMENTS(actions));
	for (size_t i = 0; i < count; i++) {
		struct hash_line line = { event, match, actions[i].file };

		if (line.file)
			reporter_internal(reporter, "hash_action", hash_body, &line);
	}
}

static ssize_t write_internal(struct reporter *reporter, const char *rule_id, internal_body *body,
			      const void *data)
{
	return report_write_internal(reporter->options.origin, rule_id, now_realtime_ns(),
				     next_seq(reporter),
				     atomic_load(&reporter->options.journal->lost), body, data,
				     reporter->line, sizeof reporter->line);
}

void reporter_internal(struct reporter *reporter, const char *rule_id, internal_body *body,
		       const void *data)
{
	send_line(reporter, write_internal(reporter, rule_id, body, data));
}

struct part_request {
	struct internal_part part;
	internal_part_body *body;
	size_t most; /* items that may fit */
};

static void part_body(struct jsonw *w, const void *data)
{
	const struct part_request *request = data;

	if (request->part.part) {
		jsonw_kv_uint(w, "part", request->part.part);
		jsonw_kv_bool(w, "last", request->part.last);
	}
	request->body(w, &request->part);
}

/* How many items from FROM on made a line, which has been sent. */
static size_t send_part(struct reporter *reporter, const char *rule_id, size_t count,
			struct part_request *request)
{
	size_t n = MIN(count - request->part.from, request->most);
	ssize_t size;

	for (;; n = n / 2) {
		request->part.to = request->part.from + n;
		request->part.last = request->part.to == count;
		size = write_internal(reporter, rule_id, part_body, request);
		if (size != -ENOBUFS || n <= 1)
			break;
		/* the next attempt has the same number */
		atomic_fetch_sub(&reporter->options.journal->seq, 1);
		request->part.part = MAX(request->part.part, 1u);
	}
	send_line(reporter, size);
	request->most = n * 2;
	return n;
}

void reporter_internal_parts(struct reporter *reporter, const char *rule_id, size_t count,
			     internal_part_body *body, const void *data)
{
	struct part_request request = { .part.data = data, .body = body, .most = SIZE_MAX };

	do {
		request.part.from += send_part(reporter, rule_id, count, &request);
		request.part.part += request.part.part != 0;
	} while (request.part.from < count);
}

void reporter_commit_internal(struct reporter *reporter, unsigned slot, const char *rule_id,
			      const char *summary, internal_body *body, const void *data)
{
	struct journal *journal = reporter->options.journal;

	journal_begin(journal, slot);
	atomic_fetch_add(&journal->denials, 1);
	add_line(reporter, summary, write_internal(reporter, rule_id, body, data));
	journal_commit(journal);
	tell_keeper(reporter);
}

/* ---- the link -------------------------------------------------------------- */

/* Numbers up to here are acknowledged: one below the first that is not. */
static uint64_t acknowledged(const struct journal *journal)
{
	uint64_t tail = atomic_load(&journal->tail);
	const struct journal_record *record = journal_peek(journal, &tail);

	return record ? record->number - 1 : atomic_load(&journal->committed);
}

void reporter_hello(struct reporter *reporter)
{
	struct journal *journal = reporter->options.journal;
	struct seqpacket_head head = { .type = LINK_HELLO, .seq = acknowledged(journal) };

	reporter->hello_due = reporter->link_up && seqpacket_send(reporter->options.recorder, &head,
								  NULL, NULL, 0) == -EAGAIN;
	atomic_store(&journal->sent, atomic_load(&journal->tail));
}

bool reporter_flush(struct reporter *reporter)
{
	struct journal *journal = reporter->options.journal;
	const struct journal_record *record;
	bool full = false;
	uint64_t sent;

	if (reporter->hello_due)
		reporter_hello(reporter);
	if (reporter->hello_due)
		return true;
	sent = atomic_load(&journal->sent);
	if (!reporter->link_up) {
		/* nobody to keep them for; the keeper has shown them */
		atomic_store(&journal->sent, atomic_load(&journal->head));
		atomic_store(&journal->tail, atomic_load(&journal->head));
		return false;
	}
	while (reporter->link_up && (record = journal_peek(journal, &sent))) {
		struct seqpacket_head head = { .type = LINK_DENIAL,
					       .size = record->line_size,
					       .seq = record->number };
		int r = seqpacket_send(reporter->options.recorder, &head, record->line, NULL, 0);

		if (r == -EAGAIN) {
			full = true;
			break;
		}
		if (r == -EPIPE) {
			/* no recorder will come back: its end is the keeper's as well */
			reporter->link_up = false;
			break;
		}
		sent += record->size;
		if (r < 0)
			count_lost(reporter); /* larger than any message: cannot be */
	}
	atomic_store(&journal->sent, sent);
	return full;
}

static void acknowledge(struct journal *journal, uint64_t number)
{
	uint64_t tail = atomic_load(&journal->tail);
	const struct journal_record *record;

	while ((record = journal_peek(journal, &tail)) && record->number <= number)
		tail += record->size;
	atomic_store(&journal->tail, tail);
	if (atomic_load(&journal->sent) < tail)
		atomic_store(&journal->sent, tail);
	journal_trim(journal);
}

void reporter_receive(struct reporter *reporter)
{
	struct seqpacket_head head;
	ssize_t n;

	while ((n = seqpacket_receive(reporter->options.recorder, &head, NULL, 0, NULL, NULL)) >=
	       0) {
		if (head.type == LINK_ACK) {
			acknowledge(reporter->options.journal, head.seq);
		} else if (head.type == LINK_HELLO) {
			acknowledge(reporter->options.journal, head.seq);
			reporter_hello(reporter);
		}
	}
	if (n == -EPIPE)
		reporter->link_up = false;
}

void reporter_finish(struct reporter *reporter)
{
	struct seqpacket_head head = { .type = LINK_FLUSH };

	if (reporter->link_up)
		(void)seqpacket_send(reporter->options.recorder, &head, NULL, NULL, 0);
}

bool reporter_settled(const struct reporter *reporter)
{
	const struct journal *journal = reporter->options.journal;

	return !reporter->link_up || atomic_load(&journal->tail) == atomic_load(&journal->head);
}

void reporter_give_up(struct reporter *reporter)
{
	struct journal *journal = reporter->options.journal;
	uint64_t tail = atomic_load(&journal->tail);
	const struct journal_record *record;

	while (reporter->link_up && (record = journal_peek(journal, &tail))) {
		count_lost(reporter);
		tail += record->size;
	}
}
