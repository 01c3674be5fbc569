/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "policy/default_policy.h"

/* A node costs at most this many bytes for each byte of text ("a," is one). */
enum { TREE_FACTOR = 80, TREE_EXTRA = 4 * 1024 * 1024 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Takes PATH, TEXT over whatever comes out. PATH NULL = built in. */
static int add_file(struct load *load, char *path, char *text, size_t size)
{
	struct policy_file *file;

	if (load->nfiles == MAX_POLICY_FILES) {
		free(path);
		free(text);
		return err_set(load->err, -E2BIG, "more than %d policy files", MAX_POLICY_FILES);
	}
	file = &load->files[load->nfiles++];
	file->text = text;
	file->source = (struct source){
		.name = path ? base_name(path) : "default",
		.path = path,
		.text = text ? text : default_policy,
		.size = text ? size : default_policy_size,
	};
	/* a byte order mark says nothing in UTF-8, but would shift every column */
	if (strncmp(file->source.text, "\xef\xbb\xbf", 3) == 0) {
		file->source.text += 3;
		file->source.size -= 3;
	}
	return 0;
}

static int read_policy(struct load *load, const char *path)
{
	char *text = NULL, *copy;
	size_t size;
	int r;

	r = read_file(path, MAX_POLICY_SIZE, &text, &size);
	if (r == -EFBIG)
		return err_set(load->err, r, "policy %s: larger than %d MiB", path,
			       MAX_POLICY_SIZE >> 20);
	if (r < 0)
		return err_errno(load->err, r, "policy %s", path);
	copy = strdup(path);
	if (!copy) {
		free(text);
		return err_set(load->err, -ENOMEM, "out of memory");
	}
	return add_file(load, copy, text, size);
}

static int is_policy(const struct dirent *entry)
{
	static const char suffix[] = ".policy";
	size_t size = strlen(entry->d_name);

	return entry->d_name[0] != '.' && size >= sizeof suffix &&
	       streq(entry->d_name + size - (sizeof suffix - 1), suffix);
}

/* By bytes, whatever the locale: the order of files is part of their meaning. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_directory(struct load *load, const char *path)
{
	struct dirent **entries;
	int n, r = 0;

	n = scandir(path, &entries, is_policy, by_name);
	if (n < 0)
		return err_errno(load->err, -errno, "policy directory %s", path);
	if (n == 0)
		r = err_set(load->err, -ENOENT, "policy directory %s: holds no *.policy file",
			    path);
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *name = NULL;

		if (r == 0 && asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0) {
			name = NULL;
			r = err_set(load->err, -ENOMEM, "out of memory");
		}
		if (r == 0)
			r = read_policy(load, name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int read_path(struct load *load, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(load->err, -errno, "policy %s", path);
	return S_ISDIR(st.st_mode) ? read_directory(load, path) : read_policy(load, path);
}

/* The default policy goes before all others (specification 15). */
static void default_first(struct load *load)
{
	size_t front = 0;

	for (size_t i = 0; i < load->nfiles; i++) {
		struct policy_file file = load->files[i];

		if (file.source.path && !streq(file.source.name, "default.policy"))
			continue;
		memmove(&load->files[front + 1], &load->files[front],
			(i - front) * sizeof load->files[0]);
		load->files[front++] = file;
	}
}

static const char *keep_text(struct load *load, const char *text)
{
	return text ? arena_copy(load->keep, text, strlen(text)) : NULL;
}

/* ---- one file ---------------------------------------------------------- */

static const struct key policy_keys[] = {
	{ "version", KEY_TEXT, false }, { "type", KEY_TEXT, false },
	{ "name", KEY_TEXT, false },    { "replace_policy_id", KEY_TEXT, true },
	{ "macros", KEY_LIST, false },  { "rules", KEY_LIST, false },
};

/* Row of the file as a whole: 0, or -ENOMEM. */
static int reject(struct load *load, struct policy_file *file, const struct yaml *node,
		  const char *text)
{
	file->root = NULL;
	return report_at(load, DIAG_POLICY, DIAG_ERROR, file, node, NULL, "%s", text);
}

static int take_root(struct load *load, struct policy_file *file)
{
	const struct yaml *bad, *version;
	const char *why;
	int r;

	if (!file->root)
		return reject(load, file, NULL, "the file is empty");
	if (file->root->kind != YAML_IS_MAPPING)
		return reject(load, file, file->root, "not a policy: no mapping with 'rules'");
	r = keys_check(load, file, file->root, policy_keys, ELEMENTS(policy_keys), NULL, &bad,
		       &why);
	if (r < 0)
		return r;
	if (r > 0) {
		file->root = NULL;
		return report_at(load, DIAG_POLICY, DIAG_ERROR, file, bad, NULL, "'%s' must be %s",
				 bad->key->text, why);
	}
	file->macros = yaml_get(file->root, "macros");
	file->rules = yaml_get(file->root, "rules");
	version = yaml_get(file->root, "version");
	if (version && !yaml_is_null(version)) {
		file->policy->version = keep_text(load, version->text);
		if (!file->policy->version)
			return -ENOMEM;
	}
	if ((!file->macros || file->macros->count == 0) &&
	    (!file->rules || file->rules->count == 0))
		return reject(load, file, file->root,
			      "the policy is empty: neither rules nor macros");
	return report_at(load, DIAG_POLICY, DIAG_LOADED, file, NULL, NULL, "%s", "loaded");
}

static int parse_file(struct load *load, struct policy_file *file)
{
	struct yaml_error error = { .offset = 0 };
	struct yaml place;
	int r;

	*file->policy = (struct policy){
		.name = keep_text(load, file->source.name),
		.path = keep_text(load, file->source.path),
		.version = "",
		.is_default = !file->source.path || streq(file->source.name, "default.policy"),
	};
	if (!file->policy->name || (file->source.path && !file->policy->path))
		return -ENOMEM;
	r = source_index(&file->source, &load->arena);
	if (r < 0)
		return r;
	r = yaml_parse(file->source.text, file->source.size, &load->arena, &file->root, &error);
	if (r == -EINVAL) {
		place = (struct yaml){ .offset = error.offset };
		return reject(load, file, &place, error.err.text);
	}
	return r < 0 ? r : take_root(load, file);
}

static int list_files(struct load *load)
{
	const struct ruleset_options *options = load->options;
	int r;

	load->files = calloc(MAX_POLICY_FILES, sizeof *load->files);
	if (!load->files)
		return err_set(load->err, -ENOMEM, "out of memory");
	if (options->npaths == 0)
		return add_file(load, NULL, NULL, 0);
	for (size_t i = 0; i < options->npaths; i++) {
		r = read_path(load, options->paths[i]);
		if (r < 0)
			return r;
	}
	default_first(load);
	return 0;
}

int files_read(struct load *load)
{
	struct policy *policies;
	size_t total = 0;
	int r;

	r = list_files(load);
	if (r < 0)
		return r;
	for (size_t i = 0; i < load->nfiles; i++)
		total += load->files[i].source.size;
	if (arena_init(&load->arena, total * TREE_FACTOR + TREE_EXTRA) < 0 ||
	    arena_init(load->keep, total * TREE_FACTOR + TREE_EXTRA) < 0)
		return err_set(load->err, -ENOMEM, "out of memory");
	policies = arena_alloc(load->keep, load->nfiles * sizeof *policies);
	if (!policies)
		return err_set(load->err, -ENOMEM, "out of memory");
	load->ruleset->policies = policies;
	load->ruleset->npolicies = load->nfiles;
	for (size_t i = 0; i < load->nfiles; i++) {
		load->files[i].policy = &policies[i];
		r = parse_file(load, &load->files[i]);
		if (r < 0)
			return err_set(load->err, r, "out of memory");
	}
	return 0;
}

void files_done(struct load *load)
{
	for (size_t i = 0; load->files && i < load->nfiles; i++) {
		free((char *)(uintptr_t)load->files[i].source.path);
		free(load->files[i].text);
	}
	free(load->files);
	arena_done(&load->arena);
}
