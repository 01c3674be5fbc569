/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "model/consts.h"
#include "model/idnames.h"
#include "model/report_parts.h"

/* The first is what the peer writes; each next one is tried when the line does
 * not fit. The last fits in 16 KiB whatever the event is.
 */
static const struct report_limits levels[] = {
#define LEVEL(args_, arg_bytes_, envs_, ancestors_, tags_, text_, parent_)                         \
	{                                                                                          \
		.args = args_, .arg_bytes = arg_bytes_, .envs = envs_, .ancestors = ancestors_,    \
		.tags = tags_, .text = text_, .parent = parent_                                    \
	}
	LEVEL(256, 256, 256, 200, 256, SIZE_MAX, true),
	LEVEL(256, 256, 256, 100, 256, 16384, true),
	LEVEL(128, 256, 128, 50, 64, 8192, true),
	LEVEL(64, 256, 64, 24, 32, 4096, true),
	LEVEL(64, 256, 32, 12, 32, 2048, true),
	LEVEL(32, 128, 16, 4, 16, 1024, true),
	LEVEL(16, 96, 8, 0, 16, 256, false),
	LEVEL(8, 64, 0, 0, 8, 96, false),
#undef LEVEL
};

/* Identities are kept longer than other texts: a rule id that is cut is none. */
enum { ID_MAX = 256 };

static void write_id(struct report_doc *doc, const char *key, const char *id)
{
	jsonw_key(&doc->w, key);
	report_element(doc, (struct secl_string){ id, id ? strlen(id) : 0 },
		       MAX(doc->limits->text, (size_t)ID_MAX));
}

/* ---- agent -------------------------------------------------------------- */

static const char *error_name(int error)
{
	return error ? constant_name(CONST_GROUP_ERROR, -error) : NULL;
}

static const char *signal_name(int signal)
{
	return signal ? constant_name(CONST_GROUP_SIGNAL, signal) : NULL;
}

static void write_block_action(struct report_doc *doc, const struct report *report)
{
	bool enforced = report->verdict.kind == VERDICT_BLOCKED;

	report_cstring(doc, "type", "block");
	report_cstring(doc, "syscall", report->event->syscall);
	report_cstring(doc, "errno", error_name(report->verdict.error));
	report_cstring(doc, "mode", enforced ? "enforced" : "would_block");
}

static void write_kill_action(struct report_doc *doc, const struct report *report)
{
	const struct report_verdict *v = &report->verdict;
	const struct process *p = report->event->process;
	bool killed = v->kind == VERDICT_KILLED;

	report_cstring(doc, "type", "kill");
	report_cstring(doc, "signal", signal_name(v->signal));
	report_cstring(doc, "scope", v->kill_scope);
	report_cstring(doc, "status", killed ? "performed" : "would_block");
	report_time(doc, "created_at", p->exec_time_ns ? p->exec_time_ns : p->fork_time_ns);
	report_time(doc, "detected_at", v->detected_ns);
	if (killed)
		report_time(doc, "killed_at", v->acted_ns);
}

/* The trigger is what the peer waits for before it hashes; guard has hashed already. */
static void write_other_action(struct report_doc *doc, const struct report_action *action)
{
	jsonw_begin_object(&doc->w);
	report_cstring(doc, "type", action->type);
	if (action->file) {
		report_text(doc, "path", action->file->path);
		report_cstring(doc, "state", hash_state_name(action->file->hash_state));
		report_cstring(doc, "trigger", "event");
	} else {
		report_cstring(doc, "status", "unsupported");
	}
	jsonw_end_object(&doc->w);
}

static void write_actions(struct report_doc *doc, const struct report *report)
{
	bool enforcing = report->verdict.kind >= VERDICT_WOULD_BLOCK;

	if (!enforcing && !report->nactions)
		return;
	jsonw_key(&doc->w, "rule_actions");
	jsonw_begin_array(&doc->w);
	if (enforcing) {
		jsonw_begin_object(&doc->w);
		if (report->verdict.signal)
			write_kill_action(doc, report);
		else
			write_block_action(doc, report);
		jsonw_end_object(&doc->w);
	}
	for (size_t i = 0; i < report->nactions; i++)
		write_other_action(doc, &report->actions[i]);
	jsonw_end_array(&doc->w);
}

static void write_host(struct report_doc *doc)
{
	const struct report_origin *origin = doc->origin;

	report_cstring(doc, "version", origin->version);
	report_cstring(doc, "os", "linux");
	report_cstring(doc, "arch", origin->arch);
	report_cstring(doc, "origin", origin->origin);
	report_cstring(doc, "kernel_version", origin->kernel);
	report_cstring(doc, "distribution", origin->distribution);
}

static void write_agent(struct report_doc *doc, const struct report *report)
{
	const struct report_rule *rule = report->rule;

	jsonw_key(&doc->w, "agent");
	jsonw_begin_object(&doc->w);
	write_id(doc, "rule_id", rule->id);
	write_id(doc, "original_rule_id", rule->original_id ? rule->original_id : rule->id);
	report_cstring(doc, "rule_version", rule->version);
	write_actions(doc, report);
	report_cstring(doc, "policy_name", rule->policy);
	report_cstring(doc, "policy_version", rule->policy_version);
	write_host(doc);
	jsonw_end_object(&doc->w);
}

/* ---- what happened ------------------------------------------------------ */

/* A call that guard refused returned what guard said, whatever the event has. */
static const char *outcome(const struct report *report)
{
	int64_t retval = report->event->retval;

	if (report->verdict.kind >= VERDICT_BLOCKED || retval == -EACCES || retval == -EPERM)
		return "Refused";
	return retval < 0 ? "Error" : "Success";
}

static void write_evt(struct report_doc *doc, const struct report *report)
{
	const struct event *event = report->event;
	struct jsonw *w = &doc->w;

	jsonw_key(w, "evt");
	jsonw_begin_object(w);
	report_cstring(doc, "name", event_type_name(event->type));
	report_cstring(doc, "category", event_type_category(event->type));
	report_cstring(doc, "outcome", outcome(report));
	if (event->async)
		jsonw_kv_bool(w, "async", true);
	report_variables(doc, REPORT_GLOBAL);
	if (report->rule->expression) {
		jsonw_key(w, "rule_context");
		jsonw_begin_object(w);
		report_cstring(doc, "expression", report->rule->expression);
		jsonw_end_object(w);
	}
	jsonw_end_object(w);
}

static void write_usr(struct report_doc *doc, const struct credentials *cred)
{
	jsonw_key(&doc->w, "usr");
	jsonw_begin_object(&doc->w);
	report_text(doc, "id", idnames_user(doc->origin->names, cred->uid));
	report_text(doc, "group", idnames_group(doc->origin->names, cred->gid));
	jsonw_end_object(&doc->w);
}

static void write_address(struct report_doc *doc, const struct socket_address *address)
{
	const char *family = constant_name(CONST_GROUP_FAMILY, address->family);
	char ip[INET6_ADDRSTRLEN] = "";

	if (address->ip.family == AF_INET || address->ip.family == AF_INET6)
		(void)inet_ntop(address->ip.family, address->ip.addr, ip, sizeof ip);
	jsonw_key(&doc->w, "addr");
	jsonw_begin_object(&doc->w);
	jsonw_kv_string(&doc->w, "family", family);
	jsonw_kv_string(&doc->w, "ip", ip);
	jsonw_kv_uint(&doc->w, "port", address->port);
	jsonw_end_object(&doc->w);
}

static void write_exec(struct report_doc *doc, const struct event *event)
{
	report_file(doc, "file", &event->process->image->file, true);
	if (!event->exec.path.size)
		return;
	jsonw_key(&doc->w, "syscall");
	jsonw_begin_object(&doc->w);
	jsonw_key(&doc->w, "exec");
	jsonw_begin_object(&doc->w);
	report_text(doc, "path", event->exec.path);
	jsonw_end_object(&doc->w);
	jsonw_end_object(&doc->w);
}

static void write_protocol(struct report_doc *doc, uint16_t protocol)
{
	jsonw_kv_string(&doc->w, "protocol",
			protocol ? constant_name(CONST_GROUP_L4, protocol) : "");
}

static void write_bind(struct report_doc *doc, const struct event *event)
{
	jsonw_key(&doc->w, "bind");
	jsonw_begin_object(&doc->w);
	write_address(doc, &event->bind.addr);
	write_protocol(doc, event->bind.protocol);
	jsonw_end_object(&doc->w);
}

static void write_connect(struct report_doc *doc, const struct event *event)
{
	const struct socket_address *address = &event->connect.addr;
	/* host names are as many as tags at most */
	size_t count = address->hostnames ? MIN(address->nhostnames, doc->limits->tags) : 0;
	struct jsonw *w = &doc->w;

	jsonw_key(w, "connect");
	jsonw_begin_object(w);
	write_address(doc, address);
	jsonw_key(w, "hostnames");
	jsonw_begin_array(w);
	for (size_t i = 0; i < count; i++)
		report_element(doc, address->hostnames[i], doc->limits->text);
	jsonw_end_array(w);
	write_protocol(doc, event->connect.protocol);
	jsonw_end_object(w);
	if (address->hostnames && count < address->nhostnames)
		doc->cut = true;
}

/* ---- guard -------------------------------------------------------------- */

/* A number that has a name: the name; else its digits. */
static void write_constant(struct report_doc *doc, const char *key, enum const_group group,
			   int32_t value)
{
	const char *name = constant_name(group, value);
	char digits[16];

	(void)snprintf(digits, sizeof digits, "%d", value);
	report_cstring(doc, key, name ? name : digits);
}

/* The layout that rule events share has no place for sockets. */
static void write_socket(struct report_doc *doc, const struct socket_event *socket)
{
	jsonw_key(&doc->w, "socket");
	jsonw_begin_object(&doc->w);
	write_constant(doc, "domain", CONST_GROUP_FAMILY, socket->domain);
	write_constant(doc, "type", CONST_GROUP_SOCKET_TYPE, socket->type);
	write_constant(doc, "protocol", CONST_GROUP_SOCKET_PROTOCOL, socket->protocol);
	jsonw_end_object(&doc->w);
}

struct sentence {
	char text[192];
	size_t size;
};

static void append(struct sentence *s, struct secl_string part)
{
	size_t n = MIN(part.size, sizeof s->text - s->size);

	if (n)
		memcpy(s->text + s->size, part.text, n);
	s->size += n;
}

static void append_text(struct sentence *s, const char *text)
{
	append(s, (struct secl_string){ text, text ? strlen(text) : 0 });
}

/* comm is 15 bytes of the workload's choice; escaped like any string. */
static void write_message(struct report_doc *doc, const struct report *report)
{
	struct secl_string name = report->event->process->comm;
	struct sentence s = { .size = 0 };

	name.size = MIN(name.size, (size_t)64);
	if (report->verdict.kind == VERDICT_KILLED) {
		append_text(&s, "The malicious process ");
		append(&s, name);
		append_text(&s, " has automatically been killed.");
	} else if (report->verdict.kind == VERDICT_BLOCKED) {
		append_text(&s, "The ");
		append_text(&s, event_type_name(report->event->type));
		append_text(&s, " of the process ");
		append(&s, name);
		append_text(&s, " has automatically been blocked.");
	}
	if (!s.size)
		return;
	jsonw_kv_string(&doc->w, "title", "SECURITY RESPONSE");
	jsonw_key(&doc->w, "message");
	report_element(doc, (struct secl_string){ s.text, s.size }, ID_MAX);
}

/* "KEY:VALUE" as an element. */
static void write_tag(struct report_doc *doc, const char *key, const char *value)
{
	struct sentence s = { .size = 0 };

	append_text(&s, key);
	append_text(&s, value);
	report_element(doc, (struct secl_string){ s.text, s.size }, doc->limits->text);
}

static void write_tag_list(struct report_doc *doc, const char *const *tags, size_t count)
{
	if (count > doc->limits->tags)
		doc->cut = true;
	for (size_t i = 0; i < MIN(count, doc->limits->tags); i++)
		report_element(doc, (struct secl_string){ tags[i], strlen(tags[i]) },
			       doc->limits->text);
}

static void write_tags(struct report_doc *doc, const struct report *report)
{
	const struct report_rule *rule = report->rule;

	jsonw_key(&doc->w, "tags");
	jsonw_begin_array(&doc->w);
	write_tag(doc, "rule_id:", rule->id);
	write_tag(doc, "source_rule_id:", rule->original_id ? rule->original_id : rule->id);
	write_tag(doc, "type:", event_type_name(report->event->type));
	write_tag_list(doc, rule->tags, rule->tags ? rule->ntags : 0);
	write_tag_list(doc, doc->origin->tags, doc->origin->tags ? doc->origin->ntags : 0);
	jsonw_end_array(&doc->w);
}

static void write_workload(struct report_doc *doc, uint64_t seq, uint64_t lost)
{
	report_cstring(doc, "service", doc->origin->service);
	report_cstring(doc, "hostname", doc->origin->hostname);
	report_cstring(doc, "workload", doc->origin->workload);
	report_number(doc, "seq", seq);
	report_number(doc, "lost", lost);
}

static void write_guard(struct report_doc *doc, const struct report *report)
{
	const struct report_verdict *v = &report->verdict;
	const struct event *event = report->event;

	jsonw_key(&doc->w, "guard");
	jsonw_begin_object(&doc->w);
	report_cstring(doc, "verdict", verdict_name(v->kind));
	report_cstring(doc, "errno", error_name(v->error));
	report_cstring(doc, "signal", signal_name(v->signal));
	report_cstring(doc, "syscall", event->syscall);
	report_cstring(doc, "guarantee", guarantee_name(v->guarantee));
	report_cstring(doc, "reason", reason_name(v->reason));
	if (event->type == EVENT_CONNECT)
		report_text(doc, "addr_path", event->connect.addr.path);
	else if (event->type == EVENT_BIND)
		report_text(doc, "addr_path", event->bind.addr.path);
	if (event->type == EVENT_CONNECT)
		report_text(doc, "addr_alias", event->connect.addr.alias);
	else if (event->type == EVENT_SOCKET)
		write_socket(doc, &event->socket);
	if (event->process->flags & PROCESS_LINEAGE_INFERRED)
		report_cstring(doc, "lineage", "inferred");
	write_message(doc, report);
	write_tags(doc, report);
	write_workload(doc, report->seq, report->lost);
	if (report->withheld)
		report_number(doc, "withheld", report->withheld);
	if (doc->cut)
		jsonw_kv_bool(&doc->w, "truncated", true);
	jsonw_end_object(&doc->w);
}

/* ---- whole lines -------------------------------------------------------- */

static ssize_t write_at(const struct report *report, const struct report_limits *limits, char *buf,
			size_t size)
{
	struct report_doc doc = { .origin = report->origin,
				  .limits = limits,
				  .variables = report->variables,
				  .nvariables = report->nvariables };
	const struct report_rule *rule = report->rule;

	jsonw_init(&doc.w, buf, size);
	jsonw_begin_object(&doc.w);
	write_agent(&doc, report);
	jsonw_key(&doc.w, "title");
	report_element(&doc,
		       rule->description ? (struct secl_string){ rule->description,
								 strlen(rule->description) }
					 : (struct secl_string){ "", 0 },
		       limits->text);
	write_evt(&doc, report);
	jsonw_kv_time(&doc.w, "date", report->event->time_ns);
	write_usr(&doc, &report->event->process->cred);
	report_process(&doc, report->event);
	report_container(&doc, report->event->process, true);
	if (report->event->type == EVENT_EXEC)
		write_exec(&doc, report->event);
	else if (report->event->type == EVENT_CONNECT)
		write_connect(&doc, report->event);
	else if (report->event->type == EVENT_BIND)
		write_bind(&doc, report->event);
	write_guard(&doc, report);
	jsonw_end_object(&doc.w);
	return jsonw_finish(&doc.w);
}

ssize_t report_write(const struct report *report, char *buf, size_t size)
{
	ssize_t n = -ENOBUFS;

	for (size_t i = 0; i < ELEMENTS(levels) && n == -ENOBUFS; i++)
		n = write_at(report, &levels[i], buf, size);
	return n;
}

ssize_t report_write_internal(const struct report_origin *origin, const char *rule_id,
			      int64_t time_ns, uint64_t seq, uint64_t lost,
			      void (*body)(struct jsonw *w, const void *data), const void *data,
			      char *buf, size_t size)
{
	struct report_doc doc = { .origin = origin, .limits = &levels[0] };
	struct jsonw *w = &doc.w;

	jsonw_init(w, buf, size);
	jsonw_begin_object(w);
	jsonw_key(w, "agent");
	jsonw_begin_object(w);
	write_id(&doc, "rule_id", rule_id);
	write_id(&doc, "original_rule_id", rule_id);
	write_host(&doc);
	jsonw_end_object(w);
	jsonw_kv_time(w, "date", time_ns);
	report_cstring(&doc, "service", origin->service);
	if (body)
		body(w, data);
	jsonw_key(w, "guard");
	jsonw_begin_object(w);
	write_workload(&doc, seq, lost);
	jsonw_end_object(w);
	jsonw_end_object(w);
	return jsonw_finish(w);
}
