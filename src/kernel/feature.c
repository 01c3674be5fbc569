/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/feature.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "kernel/feature_probes.h"

static const struct feature_row rows[FEATURE_COUNT] = {
#define FEATURE(id, name, without, event, on, purpose)                                             \
	[FEATURE_##id] = { name, purpose, WITHOUT_##without, EVENT_##event, FEATURE_ON_##on },
#include "kernel/features.def"
#undef FEATURE
};

static feature_probe_function *const probes[FEATURE_COUNT] = {
#define FEATURE(id, name, without, event, on, purpose) [FEATURE_##id] = feature_probe_##id,
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

static _Noreturn void probe_in_child(struct shared *shared, const bool wanted[FEATURE_COUNT])
{
	struct feature_probe probe = { .report = &shared->report, .listener = -1 };

	/* signals of the caller's group are not ours, and handlers are not either */
	(void)signal(SIGCHLD, SIG_DFL);
	read_privileges(&shared->report);
	for (; shared->next < FEATURE_COUNT; shared->next++) {
		if (!wanted[shared->next])
			continue;
		probe.result = &shared->report.features[shared->next];
		settle(probe.result, probes[shared->next](&probe));
	}
	feature_probes_done(&probe);
	_exit(0);
}

/* A probing that goes on in a child, or none that does. */
struct feature_probing {
	bool alone;            /* there is none */
	struct shared *shared; /* MAP_FAILED = no memory */
	bool wanted[FEATURE_COUNT];
	pid_t pid; /* -errno = there is no child */
};

static void fork_child(struct feature_probing *p)
{
	p->pid = fork();
	if (p->pid < 0)
		p->pid = -errno;
	else if (p->pid == 0)
		probe_in_child(p->shared, p->wanted);
}

/* Goes on behind a probe that had the child killed, until all are through. */
static int await_child(struct feature_probing *p)
{
	for (;;) {
		struct feature_result *result;
		int status = 0;

		if (p->pid < 0)
			return p->pid;
		while (waitpid(p->pid, &status, 0) < 0) {
			/* SIGCHLD is ignored: it has ended, and nobody knows how */
			if (errno == ECHILD)
				break;
			if (errno != EINTR)
				return -errno;
		}
		if (p->shared->next >= FEATURE_COUNT)
			return 0;
		result = &p->shared->report.features[p->shared->next++];
		(void)snprintf(result->reason, sizeof(result->reason),
			       "trying it is punished with signal %d",
			       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		settle(result, -EPERM);
		if (p->shared->next >= FEATURE_COUNT)
			return 0;
		fork_child(p);
	}
}

static void probing_begin(struct feature_probing *p)
{
	p->shared = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	p->pid = -errno;
	if (p->shared != MAP_FAILED)
		fork_child(p);
}

static void probing_end(struct feature_probing *p, struct feature_report *ret)
{
	int code = p->pid;

	*ret = (struct feature_report){ 0 };
	if (p->shared != MAP_FAILED) {
		code = await_child(p);
		*ret = p->shared->report;
		(void)munmap(p->shared, sizeof(*p->shared));
	}
	if (code < 0)
		read_privileges(ret);
	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		if (p->wanted[f] && !ret->features[f].probed) {
			(void)snprintf(ret->features[f].reason, sizeof(ret->features[f].reason),
				       "not probed: %s", strerror(-code));
			settle(&ret->features[f], code);
		}
}

void feature_probe(struct feature_report *ret)
{
	struct feature_probing p = { .pid = 0 };

	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		p.wanted[f] = true;
	probing_begin(&p);
	probing_end(&p, ret);
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

/* Whether a call may end who makes it: an outer filter is in force, or so it seems. */
static bool may_be_punished(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}

struct feature_probing *feature_run_begin(void)
{
	struct feature_probing *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->alone = !may_be_punished();
	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		for (enum event_type type = 0; type < EVENT_COUNT; type++)
			p->wanted[f] |= is_needed(f, type);
	if (!p->alone)
		probing_begin(p);
	return p;
}

static bool is_needed_by_any(enum feature feature, const bool events[EVENT_COUNT])
{
	for (enum event_type type = 0; type < EVENT_COUNT; type++)
		if ((type == EVENT_NONE || events[type]) && is_needed(feature, type))
			return true;
	return false;
}

static int refuse(enum feature feature, const struct feature_result *result, struct err *err)
{
	return err_set(err, result->code, "%s, needed so that %s: %s", rows[feature].name,
		       rows[feature].purpose, result->reason);
}

/* Tries what EVENTS need, of the rows of that place, in this process and on what is GIVEN. */
static int try_needed(const struct feature_probe *given, enum feature_place place,
		      const bool events[EVENT_COUNT], struct err *err)
{
	struct feature_report report = { 0 };
	struct feature_probe probe = *given;

	read_privileges(&report);
	probe.report = &report;
	for (enum feature f = 0; f < FEATURE_COUNT; f++) {
		if (rows[f].place != place || !is_needed_by_any(f, events))
			continue;
		probe.result = &report.features[f];
		settle(probe.result, probes[f](&probe));
		if (!probe.result->available)
			return refuse(f, probe.result, err);
	}
	return 0;
}

int feature_run_end(struct feature_probing *probing, const bool events[EVENT_COUNT],
		    struct err *err)
{
	_cleanup_free_ struct feature_probing *p = probing;
	const struct feature_probe here = { .listener = -1 };
	struct feature_report report;

	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	if (p->alone)
		return events ? try_needed(&here, FEATURE_ON_SELF, events, err) : 0;
	probing_end(p, &report);
	for (enum feature f = 0; events && f < FEATURE_COUNT; f++)
		if (is_needed_by_any(f, events) && !report.features[f].available)
			return refuse(f, &report.features[f], err);
	return 0;
}

int feature_run_on(pid_t child, int listener, const bool events[EVENT_COUNT], struct err *err)
{
	const struct feature_probe there = { .listener = listener,
					     .child = child,
					     .borrowed = true };

	return may_be_punished() ? 0 : try_needed(&there, FEATURE_ON_OTHER, events, err);
}
