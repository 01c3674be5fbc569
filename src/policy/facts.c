/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/facts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/nearest.h"

enum fact_kind {
	FACT_KERNEL, /* number in kernel[argument] */
	FACT_FLAVOR,
	FACT_OS,
	FACT_OS_ID,
	FACT_OS_VERSION,
	FACT_OS_PLATFORM,
	FACT_OS_IS, /* os_id is one of the names, os_version begins with the version */
	FACT_CORE,
	FACT_ENVS,
	FACT_ORIGIN,
	FACT_HOSTNAME,
};

static const struct fact {
	const char *name;
	enum secl_type type;
	enum fact_kind kind;
	unsigned argument;
	const char *ids;     /* FACT_OS_IS: separated by spaces */
	const char *version; /* FACT_OS_IS: NULL = any */
} rows[] = {
	{ "os", SECL_STRING, FACT_OS, 0, NULL, NULL },
	{ "os.id", SECL_STRING, FACT_OS_ID, 0, NULL, NULL },
	{ "os.platform_id", SECL_STRING, FACT_OS_PLATFORM, 0, NULL, NULL },
	{ "os.version_id", SECL_STRING, FACT_OS_VERSION, 0, NULL, NULL },
	{ "os.is_amazon_linux", SECL_BOOL, FACT_OS_IS, 0, "amzn", NULL },
	{ "os.is_cos", SECL_BOOL, FACT_OS_IS, 0, "cos", NULL },
	{ "os.is_debian", SECL_BOOL, FACT_OS_IS, 0, "debian", NULL },
	{ "os.is_oracle", SECL_BOOL, FACT_OS_IS, 0, "ol", NULL },
	{ "os.is_rhel", SECL_BOOL, FACT_OS_IS, 0, "rhel", NULL },
	{ "os.is_rhel7", SECL_BOOL, FACT_OS_IS, 0, "rhel", "7" },
	{ "os.is_rhel8", SECL_BOOL, FACT_OS_IS, 0, "rhel", "8" },
	{ "os.is_sles", SECL_BOOL, FACT_OS_IS, 0, "sles", NULL },
	{ "os.is_sles12", SECL_BOOL, FACT_OS_IS, 0, "sles", "12" },
	{ "os.is_sles15", SECL_BOOL, FACT_OS_IS, 0, "sles", "15" },
	{ "kernel.version.major", SECL_INT, FACT_KERNEL, 0, NULL, NULL },
	{ "kernel.version.minor", SECL_INT, FACT_KERNEL, 1, NULL, NULL },
	{ "kernel.version.patch", SECL_INT, FACT_KERNEL, 2, NULL, NULL },
	{ "kernel.version.abi", SECL_INT, FACT_KERNEL, 3, NULL, NULL },
	{ "kernel.version.flavor", SECL_STRING, FACT_FLAVOR, 0, NULL, NULL },
	{ "kernel.core.enabled", SECL_BOOL, FACT_CORE, 0, NULL, NULL },
	{ "envs", SECL_STRING, FACT_ENVS, 0, NULL, NULL },
	{ "origin", SECL_STRING, FACT_ORIGIN, 0, NULL, NULL },
	{ "hostname", SECL_STRING, FACT_HOSTNAME, 0, NULL, NULL },
};

static int find(const struct secl_schema *self, const char *name, struct secl_field *ret,
		const char **ret_hint)
{
	struct nearest n = NEAREST(name);

	(void)self;
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		nearest_offer(&n, rows[i].name);
		if (!streq(rows[i].name, name))
			continue;
		*ret = (struct secl_field){
			.type = rows[i].type,
			.flags = rows[i].kind == FACT_ENVS ? SECL_FIELD_ARRAY : 0,
			.weight = 5,
			.steps = { (uint16_t)i },
			.nsteps = 1,
		};
		(void)snprintf(ret->name, sizeof ret->name, "%s", name);
		return 0;
	}
	if (ret_hint)
		*ret_hint = nearest_result(&n);
	return -ENOENT;
}

static int constant(const struct secl_schema *self, const char *name, struct secl_value *ret)
{
	(void)self;
	if (!streq(name, "true") && !streq(name, "false"))
		return -ENOENT;
	*ret = (struct secl_value){ .type = SECL_BOOL, .boolean = streq(name, "true") };
	return 0;
}

static struct secl_string text(const char *s)
{
	return (struct secl_string){ .text = s ? s : "", .size = s ? strlen(s) : 0 };
}

static bool os_is(const struct facts *facts, const struct fact *row)
{
	size_t size = row->version ? strlen(row->version) : 0;

	return streq(facts->os_id, row->ids) &&
	       (size == 0 || (strncmp(facts->os_version, row->version, size) == 0 &&
			      (facts->os_version[size] == '\0' || facts->os_version[size] == '.')));
}

static int load(const struct secl_context *ctx, const struct secl_field *field, int element,
		struct secl_value *ret)
{
	const struct facts *facts = ctx->event;
	const struct fact *row = &rows[field->steps[0]];

	(void)element;
	*ret = (struct secl_value){ .type = row->type };
	switch (row->kind) {
	case FACT_KERNEL: ret->integer = facts->kernel[row->argument]; break;
	case FACT_FLAVOR: ret->string = text(facts->kernel_flavor); break;
	case FACT_OS: ret->string = text("linux"); break;
	case FACT_OS_ID: ret->string = text(facts->os_id); break;
	case FACT_OS_VERSION: ret->string = text(facts->os_version); break;
	case FACT_OS_PLATFORM: ret->string = text(facts->os_platform); break;
	case FACT_OS_IS: ret->boolean = os_is(facts, row); break;
	case FACT_CORE: ret->boolean = false; break; /* about eBPF programs: guard has none */
	case FACT_ENVS:
		ret->array = true;
		ret->list.count = facts->nenvs;
		ret->list.strings = facts->envs;
		break;
	case FACT_ORIGIN: ret->string = text(facts->origin); break;
	case FACT_HOSTNAME: ret->string = text(facts->hostname); break;
	}
	return 0;
}

static int count(const struct secl_context *ctx, unsigned iterator)
{
	(void)ctx;
	(void)iterator;
	return 0;
}

static const char *event_name(const struct secl_schema *self, unsigned event)
{
	(void)self;
	(void)event;
	return "filter";
}

const struct secl_schema facts_schema = {
	.find = find,
	.constant = constant,
	.load = load,
	.count = count,
	.event_name = event_name,
};

/* ---- gathering --------------------------------------------------------- */

/* "5.15.0-91-generic": 5, 15, 0, 91 and "generic". */
static void parse_release(struct facts *facts, const char *release)
{
	const char *s = release;

	for (unsigned i = 0; i < 3; i++) {
		char *end;

		facts->kernel[i] = strtol(s, &end, 10);
		s = end;
		if (*s != '.')
			break;
		s++;
	}
	s = strchr(release, '-');
	if (!s)
		return;
	facts->kernel[3] = strtol(s + 1, NULL, 10);
	s = strrchr(s, '-');
	(void)snprintf(facts->kernel_flavor, sizeof facts->kernel_flavor, "%s", s + 1);
}

/* KEY=value or KEY="value" of an os-release file. */
static void take_release_line(char *line, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);
	char *value = line + n + 1;

	if (strncmp(line, key, n) != 0 || line[n] != '=')
		return;
	value[strcspn(value, "\r\n")] = '\0';
	if (*value == '"' || *value == '\'') {
		value++;
		value[strcspn(value, "\"'")] = '\0';
	}
	(void)snprintf(out, size, "%s", value);
}

static void read_os_release(struct facts *facts)
{
	_cleanup_free_ char *content = NULL;
	char *rest, *line;
	size_t size;

	if (read_file("/etc/os-release", 65536, &content, &size) < 0)
		return;
	rest = content;
	while ((line = strsep(&rest, "\n"))) {
		take_release_line(line, "ID", facts->os_id, sizeof facts->os_id);
		take_release_line(line, "VERSION_ID", facts->os_version, sizeof facts->os_version);
		take_release_line(line, "PLATFORM_ID", facts->os_platform,
				  sizeof facts->os_platform);
	}
}

int facts_read(struct facts *facts)
{
	struct utsname name;
	size_t n = 0;

	*facts = (struct facts){ .origin = "", .hostname = "" };
	if (uname(&name) == 0)
		parse_release(facts, name.release);
	read_os_release(facts);
	while (environ && environ[n] && n < FACTS_MAX_ENVS)
		n++;
	facts->envs = calloc(n + 1, sizeof *facts->envs);
	if (!facts->envs)
		return -ENOMEM;
	for (; facts->nenvs < n; facts->nenvs++)
		facts->envs[facts->nenvs] = text(environ[facts->nenvs]);
	return 0;
}

void facts_done(struct facts *facts)
{
	free(facts->envs);
	facts->envs = NULL;
	facts->nenvs = 0;
}
