/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/derive.h"

#include <errno.h>
#include <sys/socket.h>

#include "model/idnames.h"
#include "model/scrub.h"

static struct secl_string from_text(const char *text)
{
	return (struct secl_string){ text, text ? strlen(text) : 0 };
}

/* ---- the event ---------------------------------------------------------- */

int derive_os(const struct derive *d UNUSED, const void *owner UNUSED, struct secl_value *ret)
{
	ret->string = from_text("linux");
	return 0;
}

int derive_origin(const struct derive *d, const void *owner UNUSED, struct secl_value *ret)
{
	ret->string = from_text(d->source->origin);
	return 0;
}

int derive_service(const struct derive *d, const void *owner UNUSED, struct secl_value *ret)
{
	ret->string = from_text(d->source->service);
	return 0;
}

int derive_hostname(const struct derive *d, const void *owner UNUSED, struct secl_value *ret)
{
	ret->string = from_text(d->source->hostname);
	return 0;
}

int derive_rule_tags(const struct derive *d, const void *owner UNUSED, struct secl_value *ret)
{
	ret->list.strings = d->source->rule_tags;
	ret->list.count = d->source->rule_tags ? d->source->nrule_tags : 0;
	return 0;
}

/* "snapshot" is an exec that was not seen but found when guard attached. */
int derive_source(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	const struct event *event = owner;
	bool snapshot = event->type == EVENT_EXEC && event->process &&
			event->process->source == PROCESS_SOURCE_SNAPSHOT;

	ret->string = from_text(snapshot ? "snapshot" : "runtime");
	return 0;
}

/* ---- the process -------------------------------------------------------- */

int derive_tid(const struct derive *d, const void *owner, struct secl_value *ret)
{
	const struct process *process = owner;
	const struct event *event = d->source->event;

	ret->integer = process == event->process && event->tid ? event->tid : process->pid;
	return 0;
}

int derive_created_at(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	const struct process *process = owner;

	ret->integer = process->exec_time_ns ? process->exec_time_ns : process->fork_time_ns;
	return 0;
}

int derive_ancestors_length(const struct derive *d UNUSED, const void *owner,
			    struct secl_value *ret)
{
	ret->integer = count_ancestors(owner);
	return 0;
}

/* ---- files ---------------------------------------------------------------- */

int derive_hashes(const struct derive *d, const void *owner, struct secl_value *ret)
{
	const struct file_info *file = owner;
	struct hash_gap *gap = d->source->gap;
	struct secl_string *list;

	if (file->hash_state == HASH_STATE_NO_HASH && file->present && !file->outside && gap) {
		gap->file = file;
		return -EINPROGRESS;
	}
	/* what is empty has no hash that a rule could name */
	if (gap && file->hash_state != HASH_STATE_NO_HASH && file->hash_state != HASH_STATE_DONE &&
	    file->hash_state != HASH_STATE_FILE_EMPTY)
		gap->missing = true;
	if (file->hash_state != HASH_STATE_DONE)
		return 0;
	list = arena_alloc(d->scratch, HASH_COUNT * sizeof *list);
	if (!list)
		return -ENOMEM;
	ret->list.strings = list;
	for (size_t i = 0; i < HASH_COUNT; i++) {
		if (file->hashes[i].size)
			list[ret->list.count++] = file->hashes[i];
	}
	return 0;
}

/* ---- arguments ---------------------------------------------------------- */

static const struct string_list *argv_of(const void *owner)
{
	return &((const struct process *)owner)->image->argv;
}

static const struct string_list *envp_of(const void *owner)
{
	return &((const struct process *)owner)->image->envp;
}

static size_t count_strings(const struct string_list *list, size_t offset)
{
	struct secl_string s;
	size_t count = 0;

	while (string_list_next(list, &offset, &s))
		count++;
	return count;
}

/* Lists of fewer bytes than this are not counted first: there are no more strings than
 * bytes, and what is not used of the room is given back.
 */
enum { SMALL_LIST = 4096 };

static struct secl_string *take_room(const struct derive *d, size_t count)
{
	return arena_alloc_raw(d->scratch, (count + 1) * sizeof(struct secl_string));
}

/* Nothing was taken since. */
static void keep_room(const struct derive *d, const struct secl_string *strings, size_t count)
{
	arena_release(d->scratch, (size_t)((const char *)(strings + count) - d->scratch->base));
}

int derive_argv0(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	size_t offset = 0;

	(void)string_list_next(argv_of(owner), &offset, &ret->string);
	return 0;
}

/* The strings of LIST from OFFSET on, each as SHOW makes it (NULL = whole). */
static int list_strings(const struct derive *d, const struct string_list *list, size_t offset,
			struct secl_string (*show)(const struct scrubber *, struct secl_string),
			struct secl_value *ret)
{
	size_t n = 0;
	struct secl_string *strings, s;

	strings = take_room(d, list->size < SMALL_LIST ? list->size : count_strings(list, offset));
	if (!strings)
		return -ENOMEM;
	while (string_list_next(list, &offset, &s))
		strings[n++] = show ? show(d->source->scrubber, s) : s;
	keep_room(d, strings, n);
	ret->list.strings = strings;
	ret->list.count = n;
	return 0;
}

/* Where argv[1] begins. */
static size_t behind_argv0(const struct string_list *argv)
{
	struct secl_string s;
	size_t offset = 0;

	(void)string_list_next(argv, &offset, &s);
	return offset;
}

int derive_argv(const struct derive *d, const void *owner, struct secl_value *ret)
{
	const struct string_list *argv = argv_of(owner);

	return list_strings(d, argv, behind_argv0(argv), NULL, ret);
}

/* argv[1..] already stand one behind the other, with a NUL where a space goes. */
int derive_args(const struct derive *d, const void *owner, struct secl_value *ret)
{
	const struct string_list *argv = argv_of(owner);
	size_t offset = behind_argv0(argv), size = argv->size - offset;
	char *text;

	if (size && argv->data[argv->size - 1] == '\0')
		size--;
	text = arena_copy(d->scratch, argv->data + offset, size);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++)
		if (!text[i])
			text[i] = ' ';
	ret->string = (struct secl_string){ text, size };
	return 0;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static struct secl_string without_dashes(struct secl_string s)
{
	while (s.size && s.text[0] == '-') {
		s.text++;
		s.size--;
	}
	return s;
}

/* The flags of one argument, in OUT when that is not NULL: how many. "-la"
 * gives l, a and la; a letter that is repeated counts once, so that no argument
 * makes more than 63.
 */
static size_t flags_of(struct secl_string arg, struct secl_string *out)
{
	struct secl_string name = without_dashes(arg);
	bool single = arg.size > 1 && arg.text[0] == '-' && arg.text[1] != '-';
	uint64_t seen[2] = { 0 }; /* of the letters, which are ASCII */
	bool letters = single;
	size_t n = 0;

	if (!arg.size || arg.text[0] != '-' || !name.size || memchr(name.text, '=', name.size))
		return 0;
	for (size_t i = 0; i < name.size && letters; i++)
		letters = is_alnum(name.text[i]);
	for (size_t i = 0; i < name.size && letters; i++) {
		unsigned char c = (unsigned char)name.text[i];

		if (seen[c / 64] >> c % 64 & 1)
			continue;
		seen[c / 64] |= UINT64_C(1) << c % 64;
		if (out)
			out[n] = (struct secl_string){ name.text + i, 1 };
		n++;
	}
	if (name.size < 2)
		return n;
	if (out)
		out[n] = name;
	return n + 1;
}

int derive_args_flags(const struct derive *d, const void *owner, struct secl_value *ret)
{
	const struct string_list *argv = argv_of(owner);
	struct secl_string *flags, arg;
	size_t offset = behind_argv0(argv), count = argv->size, n = 0;

	/* an argument of N bytes has N flags at most */
	if (count >= SMALL_LIST)
		for (count = 0; string_list_next(argv, &offset, &arg);)
			count += flags_of(arg, NULL);
	flags = take_room(d, count);
	if (!flags)
		return -ENOMEM;
	for (offset = behind_argv0(argv); string_list_next(argv, &offset, &arg);)
		n += flags_of(arg, flags + n);
	keep_room(d, flags, n);
	ret->list.strings = flags;
	ret->list.count = n;
	return 0;
}

/* "NAME=NEXT"; NEXT stands right behind NAME, separated by a NUL. */
static int join_option(struct arena *scratch, struct secl_string name, struct secl_string next,
		       struct secl_string *ret)
{
	char *text = arena_alloc(scratch, name.size + 1 + next.size);

	if (!text)
		return -ENOMEM;
	memcpy(text, name.text, name.size);
	text[name.size] = '=';
	if (next.size)
		memcpy(text + name.size + 1, next.text, next.size);
	*ret = (struct secl_string){ text, name.size + 1 + next.size };
	return 0;
}

int derive_args_options(const struct derive *d, const void *owner, struct secl_value *ret)
{
	const struct string_list *argv = argv_of(owner);
	size_t offset = behind_argv0(argv), n = 0;
	struct secl_string *options, arg;

	options = take_room(d, count_strings(argv, offset));
	if (!options)
		return -ENOMEM;
	while (string_list_next(argv, &offset, &arg)) {
		struct secl_string name = without_dashes(arg), next;
		size_t behind = offset;
		int r;

		if (name.size == arg.size || !name.size || !is_alnum(name.text[0]))
			continue;
		if (memchr(name.text, '=', name.size)) {
			options[n++] = name;
			continue;
		}
		if (!string_list_next(argv, &behind, &next) || (next.size && next.text[0] == '-'))
			continue;
		r = join_option(d->scratch, name, next, &options[n++]);
		if (r < 0)
			return r;
		offset = behind;
	}
	ret->list.strings = options;
	ret->list.count = n;
	return 0;
}

int derive_args_truncated(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	ret->boolean = argv_of(owner)->truncated;
	return 0;
}

int derive_envs(const struct derive *d, const void *owner, struct secl_value *ret)
{
	return list_strings(d, envp_of(owner), 0, scrub_env, ret);
}

int derive_envp(const struct derive *d, const void *owner, struct secl_value *ret)
{
	return list_strings(d, envp_of(owner), 0, NULL, ret);
}

int derive_envs_truncated(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	ret->boolean = envp_of(owner)->truncated;
	return 0;
}

/* ---- files -------------------------------------------------------------- */

struct secl_string path_basename(struct secl_string path)
{
	size_t i = path.size;

	while (i && path.text[i - 1] != '/')
		i--;
	return (struct secl_string){ path.text + i, path.size - i };
}

int derive_file_name(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	ret->string = path_basename(((const struct file_info *)owner)->path);
	return 0;
}

/* From the last dot of the name on, the dot included. */
int derive_file_extension(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	struct secl_string name = path_basename(((const struct file_info *)owner)->path);
	const char *dot = name.size ? memrchr(name.text, '.', name.size) : NULL;

	if (dot)
		ret->string = (struct secl_string){ dot, (size_t)(name.text + name.size - dot) };
	return 0;
}

int derive_file_rights(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	ret->integer = ((const struct file_info *)owner)->mode & 07777;
	return 0;
}

int derive_file_user(const struct derive *d, const void *owner, struct secl_value *ret)
{
	const struct file_info *file = owner;

	if (file->present)
		ret->string = idnames_user(d->source->names, file->uid);
	return 0;
}

int derive_file_group(const struct derive *d, const void *owner, struct secl_value *ret)
{
	const struct file_info *file = owner;

	if (file->present)
		ret->string = idnames_group(d->source->names, file->gid);
	return 0;
}

/* ---- addresses ---------------------------------------------------------- */

/* Not reachable from everywhere: the special-purpose registries of RFC 6890
 * (and RFC 8190), plus multicast, which has no single peer.
 */
static const struct secl_net special[] = {
	{ AF_INET, 8, { 0 } },
	{ AF_INET, 8, { 10 } },
	{ AF_INET, 10, { 100, 64 } },
	{ AF_INET, 8, { 127 } },
	{ AF_INET, 16, { 169, 254 } },
	{ AF_INET, 12, { 172, 16 } },
	{ AF_INET, 24, { 192, 0, 0 } },
	{ AF_INET, 24, { 192, 0, 2 } },
	{ AF_INET, 16, { 192, 168 } },
	{ AF_INET, 15, { 198, 18 } },
	{ AF_INET, 24, { 198, 51, 100 } },
	{ AF_INET, 24, { 203, 0, 113 } },
	{ AF_INET, 4, { 224 } },
	{ AF_INET, 4, { 240 } },
	{ AF_INET6, 127, { 0 } }, /* :: and ::1 */
	{ AF_INET6, 96, { [10] = 0xff, 0xff } },
	{ AF_INET6, 48, { 0, 0x64, 0xff, 0x9b, 0, 1 } },
	{ AF_INET6, 64, { 1 } },
	{ AF_INET6, 23, { 0x20, 1 } },
	{ AF_INET6, 32, { 0x20, 1, 0x0d, 0xb8 } },
	{ AF_INET6, 20, { 0x3f, 0xff } },
	{ AF_INET6, 7, { 0xfc } },
	{ AF_INET6, 10, { 0xfe, 0x80 } },
	{ AF_INET6, 8, { 0xff } },
};

static bool is_within(const struct secl_net *address, const struct secl_net *net)
{
	size_t bytes = net->prefix / 8, bits = net->prefix % 8;
	uint8_t rest = (uint8_t)(0xff00u >> bits);

	return address->family == net->family && memcmp(address->addr, net->addr, bytes) == 0 &&
	       (!bits || ((address->addr[bytes] ^ net->addr[bytes]) & rest) == 0);
}

int derive_is_public(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	const struct secl_net *ip = &((const struct socket_address *)owner)->ip;

	ret->boolean = ip->family == AF_INET || ip->family == AF_INET6;
	for (size_t i = 0; i < ELEMENTS(special); i++)
		if (is_within(ip, &special[i]))
			ret->boolean = false;
	return 0;
}

int derive_hostnames(const struct derive *d UNUSED, const void *owner, struct secl_value *ret)
{
	const struct socket_address *address = owner;

	ret->list.strings = address->hostnames;
	ret->list.count = address->hostnames ? address->nhostnames : 0;
	return 0;
}
