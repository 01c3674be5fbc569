/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/feature.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "kernel/feature_probes.h"

static const struct feature_row rows[FEATURE_COUNT] = {
#define FEATURE(id, name, without, event, purpose)                                                 \
	[FEATURE_##id] = { name, purpose, WITHOUT_##without, EVENT_##event },
#include "kernel/features.def"
#undef FEATURE
};

static feature_probe_function *const probes[FEATURE_COUNT] = {
#define FEATURE(id, name, without, event, purpose) [FEATURE_##id] = feature_probe_##id,
#include "kernel/features.def"
#undef FEATURE
};

/* Shared between the caller and the child that probes. */
struct shared {
	struct feature_report report;
	enum feature next; /* the one in hand, once the child has died */
};

const struct feature_row *feature_row(enum feature feature)
{
	return &rows[feature];
}

/* What an errno means here, where it is not what the manual says. */
static const char *explain(int code)
{
	switch (-code) {
	case ENOSYS: return "not in this kernel, or hidden by an outer filter";
	case EPERM:
	case EACCES: return "refused: the privilege is missing, or an outer filter forbids it";
	case EINVAL: return "not known to this kernel";
	default: return strerror(-code);
	}
}

static void settle(struct feature_result *result, int code)
{
	result->probed = true;
	result->available = code == 0;
	result->code = code;
	if (code != 0 && result->reason[0] == '\0')
		(void)snprintf(result->reason, sizeof(result->reason), "%s", explain(code));
}

static _Noreturn void probe_in_child(struct shared *shared, const bool wanted[FEATURE_COUNT])
{
	struct feature_probe probe = { .report = &shared->report, .listener = -1 };

	/* signals of the caller's group are not ours, and handlers are not either */
	(void)signal(SIGCHLD, SIG_DFL);
	for (; shared->next < FEATURE_COUNT; shared->next++) {
		if (!wanted[shared->next])
			continue;
		probe.result = &shared->report.features[shared->next];
		settle(probe.result, probes[shared->next](&probe));
	}
	feature_probes_done(&probe);
	_exit(0);
}

/* Goes on behind a probe that had the child killed, until all are through. */
static int probe_all(struct shared *shared, const bool wanted[FEATURE_COUNT])
{
	while (shared->next < FEATURE_COUNT) {
		int status;
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (pid == 0)
			probe_in_child(shared, wanted);
		while (waitpid(pid, &status, 0) < 0)
			if (errno != EINTR)
				return -errno;
		if (shared->next < FEATURE_COUNT) {
			struct feature_result *result = &shared->report.features[shared->next++];

			(void)snprintf(result->reason, sizeof(result->reason),
				       "trying it is punished with signal %d",
				       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
			settle(result, -EPERM);
		}
	}
	return 0;
}

static int read_yama(void)
{
	_cleanup_free_ char *text = NULL;
	int64_t scope;
	size_t size;

	if (read_file("/proc/sys/kernel/yama/ptrace_scope", 64, &text, &size) < 0)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	return parse_int64(text, 10, &scope) < 0 ? -1 : (int)scope;
}

static void read_privileges(struct feature_report *report)
{
	struct utsname name;

	if (uname(&name) == 0)
		(void)snprintf(report->kernel, sizeof(report->kernel), "%s", name.release);
	report->euid = geteuid();
	report->yama = read_yama();
	if (capng_get_caps_process() == 0) {
		report->cap_sys_admin = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
		report->cap_sys_ptrace = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE);
	}
}

static void probe_wanted(struct feature_report *ret, const bool wanted[FEATURE_COUNT])
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int code;

	*ret = (struct feature_report){ 0 };
	read_privileges(ret);
	if (shared == MAP_FAILED) {
		code = -errno;
	} else {
		shared->report = *ret;
		code = probe_all(shared, wanted);
		*ret = shared->report;
		(void)munmap(shared, sizeof(*shared));
	}
	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		if (wanted[f] && !ret->features[f].probed) {
			(void)snprintf(ret->features[f].reason, sizeof(ret->features[f].reason),
				       "not probed: %s", strerror(-code));
			settle(&ret->features[f], code);
		}
}

void feature_probe(struct feature_report *ret)
{
	bool wanted[FEATURE_COUNT];

	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		wanted[f] = true;
	probe_wanted(ret, wanted);
}

bool feature_is_degraded(const struct feature_report *report)
{
	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		if (!report->features[f].available && rows[f].without != WITHOUT_SLOWER)
			return true;
	return false;
}

static bool is_needed(enum feature feature, enum event_type type)
{
	return rows[feature].without == WITHOUT_REFUSES ||
	       (rows[feature].without == WITHOUT_NO_EVENT && type != EVENT_NONE &&
		rows[feature].event == type);
}

enum feature feature_missing(const struct feature_report *report, enum event_type type)
{
	enum feature f = 0;

	while (f < FEATURE_COUNT && (report->features[f].available || !is_needed(f, type)))
		f++;
	return f;
}

int feature_require_run(const bool events[EVENT_COUNT], struct err *err)
{
	bool wanted[FEATURE_COUNT] = { false };
	struct feature_report report;

	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		for (enum event_type type = 0; type < EVENT_COUNT; type++)
			wanted[f] |= (type == EVENT_NONE || events[type]) && is_needed(f, type);
	probe_wanted(&report, wanted);
	for (enum feature f = 0; f < FEATURE_COUNT; f++) {
		const struct feature_result *result = &report.features[f];

		if (wanted[f] && !result->available)
			return err_set(err, result->code, "%s, needed so that %s: %s", rows[f].name,
				       rows[f].purpose, result->reason);
	}
	return 0;
}
