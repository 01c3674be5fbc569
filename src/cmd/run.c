/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run.c - guard run: everything that can go wrong before the workload starts
 * goes wrong here, with one line and status 125 to 127.
 */
#include "config.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/identity.h"
#include "cmd/path.h"
#include "engine/keeper.h"
#include "kernel/feature.h"
#include "model/hosts.h"
#include "kernel/shield.h"
#include "model/idnames.h"
#include "model/scrub.h"
#include "policy/options.h"

struct run {
	struct config config;
	struct ruleset *ruleset;
	struct diags diags;
	struct identity identity;
	struct idnames *names;
	struct hosts *hosts;
	struct scrubber *scrubber;
	struct digest_library *library;
	char *path;
	struct utsname uts;
	char degraded[1024];
	char workload[37], hostname[256], distribution[128];
	struct report_origin origin;
	struct feature_probing *probing; /* goes on while policies are read */
};

static void run_done(struct run *run)
{
	if (run->probing)
		(void)feature_run_end(TAKE(run->probing), NULL, NULL);
	ruleset_free(run->ruleset);
	diags_done(&run->diags);
	idnames_free(run->names);
	hosts_free(run->hosts);
	scrubber_free(run->scrubber);
	digest_library_free(run->library);
	free(run->path);
	config_done(&run->config);
}

/* RFC 4122, version 4. */
static int make_uuid(char text[37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof b, 0) != sizeof b)
		return -EIO;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	(void)snprintf(text, 37,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	return 0;
}

/* PRETTY_NAME of os-release(5); stays empty when there is none. */
static void read_distribution(char *buf, size_t size)
{
	static const char key[] = "PRETTY_NAME=";
	_cleanup_free_ char *text = NULL;
	const char *p;
	size_t length;

	buf[0] = '\0';
	if (read_file("/etc/os-release", 65536, &text, &length) < 0)
		return;
	p = strstr(text, key);
	if (!p || (p > text && p[-1] != '\n'))
		return;
	p += sizeof key - 1;
	p += *p == '"' || *p == '\'';
	length = MIN(strcspn(p, "\"'\n"), size - 1);
	memcpy(buf, p, length);
	buf[length] = '\0';
}

/* Given as KEY=VALUE, in events KEY:VALUE like the tags of rules. */
static int translate_tags(struct strv *tags, struct err *err)
{
	for (size_t i = 0; i < tags->count; i++) {
		char *equals = strchr(tags->items[i], '=');

		if (!equals || equals == tags->items[i])
			return err_set(err, -EINVAL, "tag '%s' is not KEY=VALUE", tags->items[i]);
		*equals = ':';
	}
	return 0;
}

static int make_origin(struct run *run, struct err *err)
{
	const struct strv *words = &run->config.scrub_words, *envs = &run->config.envs_with_value;
	const char *service = run->config.service ? run->config.service : getenv("DD_SERVICE");
	int r;

	if (uname(&run->uts) < 0 || gethostname(run->hostname, sizeof run->hostname - 1) < 0)
		return err_errno(err, -errno, "cannot read the name of this host");
	read_distribution(run->distribution, sizeof run->distribution);
	r = translate_tags(&run->config.tags, err);
	if (r < 0)
		return r;
	r = make_uuid(run->workload);
	if (r < 0)
		return err_errno(err, r, "no random numbers");
	r = idnames_load("/etc/passwd", "/etc/group", &run->names);
	if (r < 0)
		return err_errno(err, r, "/etc/passwd, /etc/group");
	r = scrubber_new((const char *const *)words->items, words->count,
			 (const char *const *)envs->items, envs->count, &run->scrubber);
	if (r < 0)
		return err_errno(err, r, "[events] scrub, envs_with_value");
	run->origin = (struct report_origin){
		.version = PACKAGE_VERSION,
		.kernel = run->uts.release,
		.distribution = run->distribution,
		.arch = run->uts.machine,
		.hostname = run->hostname,
		.origin = run->config.origin,
		.service = service && *service ? service : NULL,
		.workload = run->workload,
		.tags = (const char *const *)run->config.tags.items,
		.ntags = run->config.tags.count,
		.names = run->names,
		.scrubber = run->scrubber,
	};
	return 0;
}

static void degrade(struct run *run, const struct err *err)
{
	size_t used = strlen(run->degraded);

	(void)snprintf(run->degraded + used, sizeof run->degraded - used, "%s%s", used ? "; " : "",
		       err->text);
	log_warning("DEGRADED: %s", err->text);
}

/* A rule that is not in force is said whatever else is not to be said. What guard
 * cannot observe is a property of this version rather than news: one line for all.
 */
static void print_diags(const struct run *run)
{
	size_t unobservable = 0;

	for (size_t i = 0; i < run->diags.count; i++) {
		const struct diag *diag = &run->diags.rows[i];
		bool grave = diag->status == DIAG_ERROR || diag->unenforced;

		if (diag->unobservable && !grave)
			unobservable++;
		else if (grave || (diag->subject == DIAG_WARNING && !run->config.quiet))
			diag_print(STDERR_FILENO, diag);
	}
	if (unobservable && !run->config.quiet)
		log_warning("%zu thing%s that rules look at cannot be observed, guard check says "
			    "which",
			    unobservable, unobservable == 1 ? "" : "s");
}

/* Blocking rules that would not block. */
static int check_enforced(struct run *run, struct err *err)
{
	char ids[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < run->diags.count && used < sizeof ids; i++) {
		const struct diag *row = &run->diags.rows[i];

		if (row->unenforced)
			used += (size_t)snprintf(ids + used, sizeof ids - used, "%s%s",
						 used ? ", " : "", row->id);
	}
	if (!used || run->config.mode != MODE_BLOCK)
		return 0;
	(void)err_set(err, -EOPNOTSUPP, "blocking rules cannot be enforced: %s%s", ids,
		      run->config.best_effort
			      ? ""
			      : " (--best-effort starts without that, guard check says more)");
	if (!run->config.best_effort)
		return -EOPNOTSUPP;
	degrade(run, err);
	return 0;
}

static int load_policies(struct run *run, struct err *err)
{
	struct ruleset_options options = {
		.agent_version = GUARD_AGENT_VERSION,
		.origin = run->config.origin,
		.hostname = run->hostname,
		/* rules that are not to block need not be able to */
		.best_effort = run->config.best_effort || run->config.mode != MODE_BLOCK,
	};
	int r = config_default_policies(&run->config);

	if (r < 0)
		return err_errno(err, r, "policies");
	options.paths = (const char *const *)run->config.policies.items;
	options.npaths = run->config.policies.count;
	r = ruleset_load(&options, &run->ruleset, &run->diags, err);
	print_diags(run);
	if (r == 0)
		r = check_enforced(run, err);
	if (r == 0 && run->config.foreign_abi == FOREIGN_ABI_TRANSLATE)
		r = err_set(err, -EOPNOTSUPP,
			    "[hardening] foreign_abi = translate is not available in this version");
	return r;
}

/* A mistake in a pin is one whether a rule asks for names or not; the file is read
 * for those that do, and by guard, before anything of the workload can write to it.
 */
static int load_hosts(struct run *run, struct err *err)
{
	const struct strv *pins = &run->config.pins;
	bool asked = run->ruleset->needs[EVENT_CONNECT].fields & NEED_HOSTNAMES;
	int r;

	r = hosts_load(asked ? "/etc/hosts" : NULL, (const char *const *)pins->items, pins->count,
		       &run->hosts, err);
	if (r == 0 && asked)
		run->origin.hosts = run->hosts;
	return r;
}

/* Whether a verdict depends on it. */
static bool judges_hashes(const struct run *run)
{
	bool judges = false;

	for (unsigned type = 1; type < EVENT_COUNT; type++)
		judges |= run->ruleset->needs[type].blocking_fields & NEED_HASH;
	return judges && run->config.mode == MODE_BLOCK;
}

/* The library is loaded by those runs alone that hash something. */
static int open_library(struct run *run, struct err *err)
{
	int r;

	if (!run->ruleset->hashes_files || run->config.mode == MODE_OFF)
		return 0;
	r = digest_library_open(&run->library, err);
	if (r == 0 || r == -ENOMEM)
		return r;
	if (judges_hashes(run) && !run->config.best_effort)
		return r;
	degrade(run, err);
	return 0;
}

/* What the user asked for and this host cannot do is a refusal to start, or, when
 * told to go on, the first thing said.
 */
static int check_host(struct run *run, struct err *err)
{
	bool events[EVENT_COUNT] = { false };
	int r;

	for (unsigned type = 1; type < EVENT_COUNT; type++)
		events[type] = run->ruleset->needs[type].watched;
	r = feature_run_end(TAKE(run->probing), events, err);
	if (r < 0 && !run->config.best_effort)
		return r;
	if (r < 0)
		degrade(run, err);
	r = run->config.drop_ptrace ? shield_check(keeper_no_new_privs(), err) : 0;
	if (r < 0 && !run->config.best_effort)
		return r;
	if (r < 0)
		degrade(run, err);
	return 0;
}

/* Where Yama restricts ptrace to descendants, only the supervisor that started
 * the workload can verify its execs: another one could not take over.
 */
static void limit_restart(struct config *config)
{
	_cleanup_free_ char *scope = NULL;

	if (config->on_supervisor_loss == LOSS_KILL ||
	    read_file("/proc/sys/kernel/yama/ptrace_scope", 16, &scope, NULL) < 0)
		return;
	if (scope[0] != '0' && !capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE))
		config->on_supervisor_loss = LOSS_KILL;
}

static int prepare(struct run *run, struct err *err)
{
	int r;

	r = make_origin(run, err);
	if (r == 0)
		r = load_policies(run, err);
	if (r == 0)
		r = load_hosts(run, err);
	if (r == 0)
		r = check_host(run, err);
	if (r == 0)
		r = open_library(run, err);
	if (r == 0)
		limit_restart(&run->config);
	if (r == 0)
		r = identity_resolve(run->config.user, run->config.group, &run->identity, err);
	return r;
}

static int supervise(struct run *run)
{
	struct keeper_options options = {
		.config = &run->config,
		.ruleset = run->ruleset,
		.origin = &run->origin,
		.library = run->library,
		.path = run->path,
		.set_ids = run->identity.set,
		.uid = run->identity.uid,
		.gid = run->identity.gid,
		.groups = run->identity.groups,
		.ngroups = run->identity.ngroups,
		.degraded = run->degraded[0] ? run->degraded : NULL,
		.diags = &run->diags,
	};

	return keeper_run(&options);
}

/* Everything is over, and the kernel takes our memory back faster than we could: what
 * was shared with the supervisor would be copied first, to be written to.
 */
static int end(int status)
{
#ifndef WITH_SANITIZERS /* whose leak checker looks at what is left */
	_exit(status);
#endif
	return status;
}

static int run_main(int argc, char **argv)
{
	_cleanup_(run_done) struct run run = { .ruleset = NULL };
	struct err err = { .code = 0 };
	int r;

	r = options_load(&run.config, argc, argv, &err);
	if (r == 0 && run.config.help)
		return cmd_print_help(&cmd_run);
	if (r == 0 && (!run.config.command || !run.config.command[0]))
		r = err_set(&err, -EINVAL, "no command given, see 'guard run --help'");
	if (r == 0) {
		run.probing = feature_run_begin();
		r = prepare(&run, &err);
	}
	if (r < 0) {
		log_error("%s", err.text);
		return EXIT_GUARD;
	}
	r = path_search(run.config.command[0], run.config.cwd, &run.path, &err);
	if (r < 0) {
		log_error("%s", err.text);
		if (r == -EINVAL || r == -ENOMEM)
			return EXIT_GUARD;
		return r == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
	}
	return end(supervise(&run));
}

const struct command cmd_run = {
	.name = "run",
	.synopsis = "[OPTION]... -- COMMAND [ARG]...",
	.summary = "run a command under supervision",
	.run = run_main,
	.usage_status = EXIT_GUARD,
};
