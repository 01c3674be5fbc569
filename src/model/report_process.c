/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process of a report: arguments are scrubbed, ancestors cut in the middle. */
#include "config.h"

#include "model/report_parts.h"

#include "model/consts.h"
#include "model/idnames.h"
#include "model/scrub.h"

/* A chain of parents is never this long; a broken one ends here. */
enum { CHAIN_MAX = 1 << 20 };

static const char *const sources[] = {
	[PROCESS_SOURCE_UNKNOWN] = "unknown",
	[PROCESS_SOURCE_EVENT] = "event",
	[PROCESS_SOURCE_SNAPSHOT] = "procfs_snapshot",
	[PROCESS_SOURCE_FALLBACK] = "procfs_fallback",
};

/* ---- strings ------------------------------------------------------------ */

void report_element(struct report_doc *doc, struct secl_string text, size_t max)
{
	if (!jsonw_string_max(&doc->w, text.text, text.size, max))
		doc->cut = true;
}

void report_text(struct report_doc *doc, const char *key, struct secl_string text)
{
	if (!text.size)
		return;
	jsonw_key(&doc->w, key);
	report_element(doc, text, doc->limits->text);
}

void report_cstring(struct report_doc *doc, const char *key, const char *text)
{
	report_text(doc, key, (struct secl_string){ text, text ? strlen(text) : 0 });
}

void report_number(struct report_doc *doc, const char *key, uint64_t value)
{
	jsonw_kv_uint(&doc->w, key, MIN(value, (uint64_t)INT64_MAX));
}

void report_time(struct report_doc *doc, const char *key, int64_t ns)
{
	if (ns)
		jsonw_kv_time(&doc->w, key, ns);
}

/* May a list go on with its N-th element? Not when the line is lost anyway. */
static bool goes_on(const struct report_doc *doc, size_t n, size_t limit)
{
	return n < limit && !jsonw_full(&doc->w);
}

static void mark_cut(struct report_doc *doc, const char *key)
{
	jsonw_kv_bool(&doc->w, key, true);
	doc->cut = true;
}

/* ---- files -------------------------------------------------------------- */

static struct secl_string basename_of(struct secl_string path)
{
	size_t i = path.size;

	while (i && path.text[i - 1] != '/')
		i--;
	return (struct secl_string){ path.text + i, path.size - i };
}

static void write_metadata(struct report_doc *doc, const struct file_info *file)
{
	jsonw_key(&doc->w, "metadata");
	jsonw_begin_object(&doc->w);
	report_number(doc, "size", file->size);
	jsonw_kv_bool(&doc->w, "is_executable", file->mode & 0111);
	jsonw_end_object(&doc->w);
}

static void write_inode(struct report_doc *doc, const struct file_info *file)
{
	struct jsonw *w = &doc->w;

	report_number(doc, "inode", file->inode);
	jsonw_kv_uint(w, "mode", file->mode);
	if (file->mount_id)
		report_number(doc, "mount_id", file->mount_id);
	report_text(doc, "filesystem", file->filesystem);
	report_text(doc, "user", idnames_user(doc->origin->names, file->uid));
	report_text(doc, "group", idnames_group(doc->origin->names, file->gid));
	report_time(doc, "access_time", file->atime_ns);
	report_time(doc, "modification_time", file->mtime_ns);
	report_time(doc, "change_time", file->ctime_ns);
	if (file->in_upper_layer)
		jsonw_kv_bool(w, "in_upper_layer", true);
}

static void write_hashes(struct report_doc *doc, const struct file_info *file)
{
	struct jsonw *w = &doc->w;

	if (file->hash_state == HASH_STATE_DONE) {
		jsonw_key(w, "hashes");
		jsonw_begin_array(w);
		for (size_t i = 0; i < ELEMENTS(file->hashes); i++) {
			/* one that is cut is none: they are short */
			if (file->hashes[i].size)
				report_element(doc, file->hashes[i], file->hashes[i].size);
		}
		jsonw_end_array(w);
	}
	jsonw_kv_string(w, "hash_state", hash_state_name(file->hash_state));
}

void report_file(struct report_doc *doc, const char *key, const struct file_info *file,
		 bool metadata)
{
	struct jsonw *w = &doc->w;

	jsonw_key(w, key);
	jsonw_begin_object(w);
	report_text(doc, "path", file->path);
	report_text(doc, "name", basename_of(file->path));
	if (!file->path.size && file->error)
		report_cstring(doc, "path_resolution_error",
			       constant_name(CONST_GROUP_ERROR, file->error));
	/* the schema wants both, even of a file that nothing is known of */
	jsonw_kv_uint(w, "uid", file->present ? file->uid : 0);
	jsonw_kv_uint(w, "gid", file->present ? file->gid : 0);
	if (file->present)
		write_inode(doc, file);
	if (metadata && file->present)
		write_metadata(doc, file);
	write_hashes(doc, file);
	jsonw_end_object(w);
}

/* ---- credentials, container --------------------------------------------- */

/* Names of the bits of MASK, then what has no name as one number. Capability
 * names stand together in the sorted table.
 */
static void write_capabilities(struct report_doc *doc, const char *key, uint64_t mask)
{
	size_t count;
	const struct constant *all = constants(&count), *end = all + count;

	jsonw_key(&doc->w, key);
	jsonw_begin_array(&doc->w);
	while (mask && all < end && all->group != CONST_GROUP_CAPABILITY)
		all++;
	for (; mask && all < end && all->group == CONST_GROUP_CAPABILITY; all++) {
		if (mask & (uint64_t)all->value)
			jsonw_string(&doc->w, all->name);
		mask &= ~(uint64_t)all->value;
	}
	if (mask) {
		char text[24];
		struct jsonw number;

		jsonw_init(&number, text, sizeof text);
		jsonw_uint(&number, mask);
		(void)jsonw_finish(&number);
		jsonw_string(&doc->w, text);
	}
	jsonw_end_array(&doc->w);
}

static void write_credentials(struct report_doc *doc, const struct credentials *cred)
{
	const struct {
		const char *id, *name;
		uint32_t value;
		bool group;
	} ids[] = {
		{ "uid", "user", cred->uid, false },
		{ "gid", "group", cred->gid, true },
		{ "euid", "euser", cred->euid, false },
		{ "egid", "egroup", cred->egid, true },
		{ "fsuid", "fsuser", cred->fsuid, false },
		{ "fsgid", "fsgroup", cred->fsgid, true },
	};
	const struct idnames *names = doc->origin->names;

	jsonw_key(&doc->w, "credentials");
	jsonw_begin_object(&doc->w);
	for (size_t i = 0; i < ELEMENTS(ids); i++) {
		jsonw_kv_uint(&doc->w, ids[i].id, ids[i].value);
		report_text(doc, ids[i].name,
			    ids[i].group ? idnames_group(names, ids[i].value)
					 : idnames_user(names, ids[i].value));
	}
	jsonw_kv_uint(&doc->w, "auid", cred->auid);
	write_capabilities(doc, "cap_effective", cred->cap_effective);
	write_capabilities(doc, "cap_permitted", cred->cap_permitted);
	jsonw_end_object(&doc->w);
}

void report_container(struct report_doc *doc, const struct process *process, bool root)
{
	struct jsonw *w = &doc->w;

	if (process->container.size) {
		jsonw_key(w, "container");
		jsonw_begin_object(w);
		report_text(doc, "id", process->container);
		report_time(doc, "created_at", process->container_created_ns);
		if (root)
			report_variables(doc, REPORT_CONTAINER);
		jsonw_end_object(w);
	}
	if (process->cgroup.size) {
		jsonw_key(w, "cgroup");
		jsonw_begin_object(w);
		report_text(doc, "id", process->cgroup);
		if (root)
			report_variables(doc, REPORT_CGROUP);
		jsonw_end_object(w);
	}
}

/* ---- arguments and environment ------------------------------------------ */

/* ARG, cut first, scrubbed then: so no part of a secret remains. */
static void write_scrubbed(struct report_doc *doc, struct scrub *scrub, struct secl_string arg)
{
	char clean[1024];
	struct secl_string text = { .text = clean };

	if (arg.size > doc->limits->arg_bytes) {
		arg.size = doc->limits->arg_bytes;
		doc->cut = true;
	}
	text.size = scrub_argument(scrub, arg, clean, sizeof clean);
	/* at the last resort the bytes that are written count, not those there were */
	report_element(doc, text, MIN(doc->limits->text, sizeof clean * 6));
}

/* True when it was cut; *offset is moved behind it. */
static bool write_argv0(struct report_doc *doc, const struct image *image, size_t *offset)
{
	struct scrub scrub = { .scrubber = doc->origin->scrubber };
	struct secl_string argv0;

	if (!string_list_next(&image->argv, offset, &argv0) || !argv0.size)
		return false;
	jsonw_key(&doc->w, "argv0");
	write_scrubbed(doc, &scrub, argv0);
	return argv0.size > doc->limits->arg_bytes;
}

static void write_args(struct report_doc *doc, const struct image *image)
{
	struct scrub scrub = { .scrubber = doc->origin->scrubber, .program = image->file.path };
	bool truncated = image->argv.truncated;
	struct secl_string arg;
	size_t offset = 0, n = 0;

	truncated |= write_argv0(doc, image, &offset);
	if (offset < image->argv.size) {
		jsonw_key(&doc->w, "args");
		jsonw_begin_array(&doc->w);
		while (goes_on(doc, n, doc->limits->args) &&
		       string_list_next(&image->argv, &offset, &arg)) {
			truncated |= arg.size > doc->limits->arg_bytes;
			write_scrubbed(doc, &scrub, arg);
			n++;
		}
		jsonw_end_array(&doc->w);
	}
	if (truncated || offset < image->argv.size)
		mark_cut(doc, "args_truncated");
}

static void write_envs(struct report_doc *doc, const struct image *image)
{
	bool truncated = image->envp.truncated;
	struct secl_string env;
	size_t offset = 0, n = 0;

	if (!image->envp_read)
		return;
	jsonw_key(&doc->w, "envs");
	jsonw_begin_array(&doc->w);
	while (goes_on(doc, n, doc->limits->envs) &&
	       string_list_next(&image->envp, &offset, &env)) {
		env = scrub_env(doc->origin->scrubber, env);
		truncated |= env.size > doc->limits->arg_bytes;
		env.size = MIN(env.size, doc->limits->arg_bytes);
		report_element(doc, env, doc->limits->text);
		n++;
	}
	jsonw_end_array(&doc->w);
	if (truncated || offset < image->envp.size)
		mark_cut(doc, "envs_truncated");
}

/* ---- the process -------------------------------------------------------- */

static void write_ids(struct report_doc *doc, const struct process *p, pid_t tid)
{
	struct jsonw *w = &doc->w;

	jsonw_kv_int(w, "pid", p->pid);
	jsonw_kv_int(w, "ppid", p->ppid);
	jsonw_kv_int(w, "tid", tid);
	jsonw_kv_uint(w, "uid", p->cred.uid);
	jsonw_kv_uint(w, "gid", p->cred.gid);
	report_text(doc, "user", idnames_user(doc->origin->names, p->cred.uid));
	report_text(doc, "group", idnames_group(doc->origin->names, p->cred.gid));
	report_text(doc, "comm", p->comm);
	report_text(doc, "tty", p->tty);
	report_time(doc, "fork_time", p->fork_time_ns);
	report_time(doc, "exec_time", p->exec_time_ns);
	report_time(doc, "exit_time", p->exit_time_ns);
}

/* What is inside the object of a process. ARGUMENTS is false for one that
 * shares its image with the next older one.
 */
static void write_process(struct report_doc *doc, const struct process *p, pid_t tid,
			  bool arguments)
{
	struct jsonw *w = &doc->w;

	write_ids(doc, p, tid);
	write_credentials(doc, &p->cred);
	report_file(doc, "executable", &p->image->file, false);
	if (p->image->interpreter.present || p->image->interpreter.path.size)
		report_file(doc, "interpreter", &p->image->interpreter, false);
	report_container(doc, p, false);
	if (arguments) {
		write_args(doc, p->image);
		write_envs(doc, p->image);
	}
	if (p->flags & PROCESS_IS_THREAD)
		jsonw_kv_bool(w, "is_thread", true);
	if (p->flags & PROCESS_IS_KWORKER)
		jsonw_kv_bool(w, "is_kworker", true);
	if (p->flags & PROCESS_IS_EXEC_CHILD)
		jsonw_kv_bool(w, "is_exec_child", true);
	jsonw_kv_string(w, "source",
			(unsigned)p->source < ELEMENTS(sources) ? sources[p->source] : "unknown");
}

static void write_ancestor(struct report_doc *doc, const struct process *p)
{
	jsonw_begin_object(&doc->w);
	write_process(doc, p, p->pid, !p->parent || p->parent->image != p->image);
	jsonw_end_object(&doc->w);
}

static size_t chain_length(const struct process *p)
{
	size_t length = 0;

	for (; p && length < CHAIN_MAX; p = p->parent)
		length++;
	return length;
}

/* Nearest first; of more than the limit, half from each end. */
static void write_ancestors(struct report_doc *doc, const struct process *nearest)
{
	size_t length = chain_length(nearest), limit = doc->limits->ancestors;
	size_t first = length <= limit ? length : limit / 2;
	size_t last = length <= limit ? length : length - (limit - first), i = 0;

	if (limit) {
		jsonw_key(&doc->w, "ancestors");
		jsonw_begin_array(&doc->w);
		for (const struct process *p = nearest; goes_on(doc, i, length); p = p->parent, i++)
			if (i < first || i >= last)
				write_ancestor(doc, p);
		jsonw_end_array(&doc->w);
	}
	if (length > limit)
		mark_cut(doc, "truncated_ancestors");
}

void report_process(struct report_doc *doc, const struct event *event)
{
	const struct process *p = event->process;

	jsonw_key(&doc->w, "process");
	jsonw_begin_object(&doc->w);
	write_process(doc, p, event->tid ? event->tid : p->pid, true);
	if (p->parent && doc->limits->parent) {
		jsonw_key(&doc->w, "parent");
		write_ancestor(doc, p->parent);
	}
	if (p->parent)
		write_ancestors(doc, p->parent);
	report_variables(doc, REPORT_PROCESS);
	jsonw_end_object(&doc->w);
}
