/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doctor.c - what guard can do on this machine, with this privilege. */
#include "config.h"

#include <stdio.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "kernel/feature.h"
#include "policy/options.h"

/* Why events of TYPE cannot be judged here, in one line; empty when they can. */
struct event_state {
	bool available;
	char reason[320];
};

static struct event_state event_state(const struct feature_report *report, enum event_type type)
{
	struct event_state state = { .available = false };
	enum feature missing;

	if (!event_type_watched(type)) {
		(void)snprintf(state.reason, sizeof(state.reason),
			       "not watched by this version of guard");
		return state;
	}
	missing = feature_missing(report, type);
	if (missing == FEATURE_COUNT)
		state.available = true;
	else
		(void)snprintf(state.reason, sizeof(state.reason), "needs %s: %s",
			       feature_row(missing)->name, report->features[missing].reason);
	return state;
}

static void write_privilege(struct jsonw *w, const struct feature_report *report)
{
	jsonw_key(w, "privilege");
	jsonw_begin_object(w);
	jsonw_kv_uint(w, "euid", report->euid);
	jsonw_kv_bool(w, "cap_sys_admin", report->cap_sys_admin);
	jsonw_kv_bool(w, "cap_sys_ptrace", report->cap_sys_ptrace);
	jsonw_key(w, "yama_ptrace_scope");
	if (report->yama < 0)
		jsonw_null(w);
	else
		jsonw_int(w, report->yama);
	jsonw_end_object(w);
}

static void write_features(struct jsonw *w, const struct feature_report *report)
{
	jsonw_key(w, "features");
	jsonw_begin_array(w);
	for (enum feature f = 0; f < FEATURE_COUNT; f++) {
		jsonw_begin_object(w);
		jsonw_kv_string(w, "name", feature_row(f)->name);
		jsonw_kv_bool(w, "available", report->features[f].available);
		jsonw_kv_string(w, "reason", report->features[f].reason);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_events(struct jsonw *w, const struct feature_report *report)
{
	jsonw_key(w, "events");
	jsonw_begin_array(w);
	for (enum event_type type = EVENT_NONE + 1; type < EVENT_COUNT; type++) {
		const struct event_state state = event_state(report, type);

		jsonw_begin_object(w);
		jsonw_kv_string(w, "event", event_type_name(type));
		jsonw_kv_string(w, "source", event_type_source(type));
		jsonw_kv_string(w, "guarantee", guarantee_name(event_type_guarantee(type)));
		jsonw_kv_bool(w, "available", state.available);
		jsonw_kv_string(w, "reason", state.reason);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static int print_json(const struct feature_report *report)
{
	enum { SIZE = 64 * 1024 };
	_cleanup_free_ char *buf = malloc(SIZE);
	struct jsonw w;

	if (!buf) {
		log_error("out of memory");
		return EXIT_FAILURE;
	}
	jsonw_init(&w, buf, SIZE);
	jsonw_begin_object(&w);
	jsonw_kv_string(&w, "version", PACKAGE_VERSION);
	jsonw_kv_string(&w, "kernel", report->kernel);
	write_privilege(&w, report);
	jsonw_kv_bool(&w, "degraded", feature_is_degraded(report));
	write_features(&w, report);
	write_events(&w, report);
	jsonw_end_object(&w);
	if (jsonw_finish(&w) < 0) {
		log_error("the report does not fit its buffer");
		return EXIT_FAILURE;
	}
	(void)puts(buf);
	return EXIT_SUCCESS;
}

static void print_privilege(const struct feature_report *report)
{
	(void)printf("guard %s on Linux %s, user id %u, %s CAP_SYS_ADMIN, %s CAP_SYS_PTRACE",
		     PACKAGE_VERSION, report->kernel, (unsigned)report->euid,
		     report->cap_sys_admin ? "with" : "without",
		     report->cap_sys_ptrace ? "with" : "without");
	if (report->yama >= 0)
		(void)printf(", kernel.yama.ptrace_scope %d", report->yama);
	(void)puts("\n");
}

static void print_features(const struct feature_report *report)
{
	static const char *const without[] = {
		[WITHOUT_REFUSES] = "guard does not start",
		[WITHOUT_NO_EVENT] = "an event type is not judged",
		[WITHOUT_WEAKER] = "weaker",
		[WITHOUT_SLOWER] = "slower",
	};

	(void)printf("%-20s %-5s needed so that ...\n", "FEATURE", "HERE");
	for (enum feature f = 0; f < FEATURE_COUNT; f++) {
		const struct feature_result *result = &report->features[f];

		(void)printf("%-20s %-5s %s\n", feature_row(f)->name,
			     result->available ? "yes" : "NO", feature_row(f)->purpose);
		if (!result->available)
			(void)printf("%-20s       %s (%s)\n", "", result->reason,
				     without[feature_row(f)->without]);
	}
}

static void print_events(const struct feature_report *report)
{
	const char *separator = "";

	(void)printf("\n%-20s %-5s %-15s %s\n", "EVENT", "HERE", "SOURCE",
		     "GUARANTEE OF A REFUSAL");
	for (enum event_type type = EVENT_NONE + 1; type < EVENT_COUNT; type++) {
		const struct event_state state = event_state(report, type);

		if (!event_type_watched(type))
			continue;
		(void)printf("%-20s %-5s %-15s %s\n", event_type_name(type),
			     state.available ? "yes" : "NO", event_type_source(type),
			     guarantee_name(event_type_guarantee(type)));
		if (!state.available)
			(void)printf("%-20s       %s\n", "", state.reason);
	}
	(void)printf("\nnot watched by this version: ");
	for (enum event_type type = EVENT_NONE + 1; type < EVENT_COUNT; type++) {
		if (event_type_watched(type))
			continue;
		(void)printf("%s%s", separator, event_type_name(type));
		separator = " ";
	}
	(void)puts("");
}

static void print_hardening(const struct config *config)
{
	const struct {
		const char *name;
		bool refused;
	} rows[] = {
		{ "foreign ABIs", config->foreign_abi == FOREIGN_ABI_REFUSE },
		{ "io_uring", config->refuse_io_uring },
		{ "userfaultfd", config->refuse_userfaultfd },
		{ "guard's own processes", config->protect_self },
		{ "CAP_SYS_PTRACE", config->drop_ptrace },
	};

	(void)puts("\nrefused to every workload (section hardening of guard.conf):");
	for (size_t i = 0; i < ELEMENTS(rows); i++)
		(void)printf("%-26s %s\n", rows[i].name, rows[i].refused ? "yes" : "NO");
}

static void print_text(const struct feature_report *report, const struct config *config)
{
	print_privilege(report);
	print_features(report);
	print_events(report);
	print_hardening(config);
	if (feature_missing(report, EVENT_NONE) != FEATURE_COUNT)
		(void)puts("\nguard cannot start here.");
	else if (feature_is_degraded(report))
		(void)puts("\nguard can start here, but does not keep every promise (NO above).");
	else
		(void)puts("\nEverything that guard needs is here.");
}

static int run_config(const struct config *config)
{
	struct feature_report report;
	int status = EXIT_SUCCESS;

	if (config->command && config->command[0]) {
		log_error("doctor takes no argument: '%s'", config->command[0]);
		return cmd_doctor.usage_status;
	}
	feature_probe(&report);
	if (config->json)
		status = print_json(&report);
	else
		print_text(&report, config);
	if (status == EXIT_SUCCESS)
		status = cmd_finish_stdout();
	if (status == EXIT_SUCCESS && feature_is_degraded(&report))
		status = 1;
	return status;
}

static int doctor(int argc, char **argv)
{
	return cmd_run_configured(&cmd_doctor, argc, argv, run_config);
}

const struct command cmd_doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "say what guard can do on this machine, and what is missing",
	.run = doctor,
	.usage_status = 2,
};
