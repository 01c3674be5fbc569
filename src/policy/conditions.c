/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

enum { SCRATCH_SIZE = 64 * 1024 };

static const char wrong_version[] = "agent_version does not include the version that guard claims";
static const char wrong_host[] = "none of the filters holds on this host";

/* One filter: 1, 0, or -EINVAL with *error. */
static int filter_holds(struct load *load, const struct yaml *filter, struct arena *scratch,
			struct secl_error *error)
{
	const struct secl_options options = { .schema = &facts_schema, .want_bool = true };
	struct secl_context ctx = {
		.schema = &facts_schema,
		.event = &load->facts,
		.scratch = scratch,
		.now_ns = now_realtime_ns(),
	};
	struct secl_expr *expr = NULL;
	int r;

	if (filter->kind != YAML_IS_SCALAR)
		return err_set(&error->err, -EINVAL, "a filter must be a text");
	r = secl_compile(&options, filter->text, &expr, error);
	if (r < 0)
		return r;
	arena_reset(scratch);
	r = secl_eval(expr, &ctx);
	secl_expr_free(expr);
	if (r < 0)
		return err_errno(&error->err, -EINVAL, "the filter cannot be evaluated");
	return r;
}

static int any_filter_holds(struct load *load, const struct yaml *filters,
			    const struct yaml **ret_bad, struct secl_error *error)
{
	struct arena scratch;
	int r = 0;

	if (arena_init(&scratch, SCRATCH_SIZE) < 0)
		return -ENOMEM;
	for (const struct yaml *f = filters->first; f && r == 0; f = f->next) {
		*ret_bad = f;
		r = filter_holds(load, f, &scratch, error);
	}
	arena_done(&scratch);
	return r;
}

int conditions_hold(struct load *load, const struct yaml *node, const char **ret_why,
		    const struct yaml **ret_bad, struct secl_error *error)
{
	const struct yaml *version = yaml_get(node, "agent_version");
	const struct yaml *filters = yaml_get(node, "filters");
	int r;

	if (version && !yaml_is_null(version)) {
		*ret_bad = version;
		r = semver_satisfies(&load->agent_version, version->text, &error->err);
		if (r < 0)
			return r;
		if (r == 0) {
			*ret_why = wrong_version;
			return 0;
		}
	}
	if (!filters || filters->count == 0)
		return 1;
	r = any_filter_holds(load, filters, ret_bad, error);
	if (r == 0)
		*ret_why = wrong_host;
	return r;
}

const char *conditions_filter_type(const char *why)
{
	return why == wrong_version ? "agent_version" : "rule_filter";
}
