/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

#include "base/nearest.h"

static const char *const kind_names[] = {
	[KEY_TEXT] = "a text", [KEY_BOOL] = "true or false", [KEY_INT] = "a number",
	[KEY_LIST] = "a list", [KEY_MAP] = "a mapping",      [KEY_ANY] = "anything",
};

static bool kind_fits(enum key_kind kind, const struct yaml *node)
{
	int64_t number;
	bool boolean;

	switch (kind) {
	case KEY_TEXT: return node->kind == YAML_IS_SCALAR;
	case KEY_BOOL: return yaml_bool(node, &boolean) == 0;
	case KEY_INT: return yaml_int(node, &number) == 0;
	case KEY_LIST: return node->kind == YAML_IS_SEQUENCE || yaml_is_null(node);
	case KEY_MAP: return node->kind == YAML_IS_MAPPING || yaml_is_null(node);
	case KEY_ANY: return true;
	}
	return false;
}

static const struct key *find_key(const struct key *keys, size_t nkeys, const char *name)
{
	for (size_t i = 0; i < nkeys; i++) {
		if (streq(keys[i].name, name))
			return &keys[i];
	}
	return NULL;
}

static int warn_unknown(struct load *load, const struct policy_file *file, const struct yaml *entry,
			const struct key *keys, size_t nkeys, const char *id)
{
	struct nearest n = NEAREST(entry->key->text);
	const char *hint;

	for (size_t i = 0; i < nkeys; i++)
		nearest_offer(&n, keys[i].name);
	hint = nearest_result(&n);
	if (hint)
		return report_warning(load, file, entry->key, id,
				      "unknown key '%s' is ignored, did you mean '%s'?",
				      entry->key->text, hint);
	return report_warning(load, file, entry->key, id, "unknown key '%s' is ignored",
			      entry->key->text);
}

int keys_check(struct load *load, const struct policy_file *file, const struct yaml *node,
	       const struct key *keys, size_t nkeys, const char *id, const struct yaml **ret_bad,
	       const char **ret_why)
{
	int r;

	for (const struct yaml *entry = node->first; entry; entry = entry->next) {
		const struct key *key = find_key(keys, nkeys, entry->key->text);

		if (!key) {
			r = warn_unknown(load, file, entry, keys, nkeys, id);
			if (r < 0)
				return r;
			continue;
		}
		if (!kind_fits(key->kind, entry)) {
			*ret_bad = entry;
			*ret_why = kind_names[key->kind];
			return 1;
		}
		if (!key->unavailable)
			continue;
		r = report_warning(load, file, entry->key, id,
				   "key '%s' has no effect in this version", key->name);
		if (r < 0)
			return r;
	}
	return 0;
}

bool id_is_valid(const char *id)
{
	size_t size = strlen(id);

	return size > 0 && size <= MAX_ID &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
		       size;
}
