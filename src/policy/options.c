/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/options.h"

#include <errno.h>

#include "base/nearest.h"

static const struct option_value mode_values[] = {
	{ "block", MODE_BLOCK }, { "monitor", MODE_MONITOR }, { "off", MODE_OFF },
	{ "yes", MODE_BLOCK },   { "no", MODE_OFF },          { NULL, 0 },
};
static const struct option_value loss_values[] = {
	{ "restart", LOSS_RESTART },
	{ "kill", LOSS_KILL },
	{ NULL, 0 },
};
static const struct option_value leftover_values[] = {
	{ "wait", LEFTOVER_WAIT },
	{ "kill", LEFTOVER_KILL },
	{ NULL, 0 },
};
static const struct option_value foreign_abi_values[] = {
	{ "refuse", FOREIGN_ABI_REFUSE },
	{ "translate", FOREIGN_ABI_TRANSLATE },
	{ NULL, 0 },
};
static const struct option_value refuse_values[] = {
	{ "refuse", true },
	{ "allow", false },
	{ NULL, 0 },
};
static const struct option_value drop_values[] = {
	{ "drop", true },
	{ "keep", false },
	{ NULL, 0 },
};
static const struct option_value yes_values[] = {
	{ "yes", true }, { "no", false }, { "true", true }, { "false", false }, { NULL, 0 },
};

static const struct option_value hash_values[] = {
#define HASH(id, name) { name, HASH_##id },
#include "model/hash.def"
#undef HASH
	{ NULL, 0 },
};

#define NONE NULL
static const struct option_row rows[] = {
#define OPTION(commands_, name_, letter_, argument_, type_, values_, minimum_, maximum_, member_,  \
	       section_, key_, standard_, help_)                                                   \
	{ .commands = (commands_),                                                                 \
	  .name = (name_),                                                                         \
	  .letter = (letter_),                                                                     \
	  .argument = (argument_),                                                                 \
	  .type = OPTION_##type_,                                                                  \
	  .values = (values_),                                                                     \
	  .minimum = (minimum_),                                                                   \
	  .maximum = (maximum_),                                                                   \
	  .member = offsetof(struct config, member_),                                              \
	  .section = (section_),                                                                   \
	  .key = (key_),                                                                           \
	  .standard = (standard_),                                                                 \
	  .help = (help_) },
#include "policy/options.def"
#undef OPTION
};
#undef NONE

static const struct {
	const char *name;
	unsigned bit;
} option_commands[] = {
	{ "run", FOR_RUN },       { "check", FOR_CHECK },     { "eval", FOR_EVAL },
	{ "doctor", FOR_DOCTOR }, { "version", FOR_VERSION }, { "help", FOR_HELP },
	{ "test", FOR_TEST },
};

int options_each(int (*visit)(void *data, const struct option_row *row), void *data)
{
	int r;

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		r = visit(data, &rows[i]);
		if (r)
			return r;
	}
	return 0;
}

const char *options_command_name(size_t index)
{
	return index < ELEMENTS(option_commands) ? option_commands[index].name : NULL;
}

unsigned options_command(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(option_commands); i++) {
		if (streq(option_commands[i].name, name))
			return option_commands[i].bit;
	}
	return 0;
}

/* ---- values ------------------------------------------------------------ */

static int set_string(char **member, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

static int set_list(struct strv *member, const char *value)
{
	_cleanup_free_ char *copy = strdup(value);
	char *rest = copy, *item;
	size_t size;
	int r;

	if (!copy)
		return -ENOMEM;
	while ((item = strsep(&rest, ","))) {
		item += strspn(item, " \t");
		size = strlen(item);
		while (size > 0 && (item[size - 1] == ' ' || item[size - 1] == '\t'))
			item[--size] = '\0';
		if (size == 0)
			continue;
		r = strv_add(member, item);
		if (r < 0)
			return r;
	}
	return 0;
}

static int find_value(const struct option_row *row, const char *text, int *ret, struct err *err)
{
	struct nearest n = NEAREST(text);
	const char *hint;
	char known[256] = "";
	size_t used = 0;

	for (const struct option_value *v = row->values; v->name; v++) {
		if (streq(v->name, text)) {
			*ret = v->value;
			return 0;
		}
		nearest_offer(&n, v->name);
		if (used < sizeof known)
			used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
						 used ? ", " : "", v->name);
	}
	hint = nearest_result(&n);
	if (hint)
		return err_set(err, -EINVAL, "'%s' is not a value it can have, did you mean '%s'?",
			       text, hint);
	return err_set(err, -EINVAL, "'%s' is not a value it can have, which are: %s", text, known);
}

static int set_duration(const struct option_row *row, int64_t *member, const char *value,
			struct err *err)
{
	int64_t ns;

	if (duration_parse(value, &ns) < 0)
		return err_set(err, -EINVAL,
			       "'%s' is not a duration, write a number and ms, s, m or h", value);
	if (ns / 1000000 < row->minimum || ns / 1000000 > row->maximum)
		return err_set(err, -EINVAL, "'%s' is out of range, %lld ms to %lld ms are allowed",
			       value, (long long)row->minimum, (long long)row->maximum);
	*member = ns / 1000000;
	return 0;
}

static int set_size(const struct option_row *row, int64_t *member, const char *value,
		    struct err *err)
{
	int64_t size;

	if (size_parse(value, &size) < 0)
		return err_set(
			err, -EINVAL,
			"'%s' is not a size, write a number of bytes or with KiB, MiB or GiB",
			value);
	if (size < row->minimum || size > row->maximum)
		return err_set(err, -EINVAL, "'%s' is out of range, %lld to %lld bytes are allowed",
			       value, (long long)row->minimum, (long long)row->maximum);
	*member = size;
	return 0;
}

/* A list of which each item is one of the row's values. */
static int set_words(const struct option_row *row, struct strv *member, const char *value,
		     struct err *err)
{
	size_t before = member->count;
	int r = set_list(member, value), number;

	if (r < 0)
		return err_set(err, r, "out of memory");
	for (size_t i = before; row->values && i < member->count; i++) {
		r = find_value(row, member->items[i], &number, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* SPLIT: a list comes as one text with commas. */
static int set_member(const struct option_row *row, struct config *config, const char *value,
		      bool split, struct err *err)
{
	void *member = (char *)config + row->member;
	int number, r = 0;

	switch (row->type) {
	case OPTION_FLAG:
	case OPTION_BOOL:
		if (!row->values) {
			*(bool *)member = streq(value, "yes");
			return 0;
		}
		r = find_value(row, value, &number, err);
		if (r == 0)
			*(bool *)member = number != 0;
		return r;
	case OPTION_ENUM:
		r = find_value(row, value, &number, err);
		if (r == 0)
			memcpy(member, &number, sizeof number);
		return r;
	case OPTION_DURATION: return set_duration(row, member, value, err);
	case OPTION_SIZE: return set_size(row, member, value, err);
	case OPTION_STRING: r = set_string(member, value); break;
	case OPTION_LIST:
		if (split)
			return set_words(row, member, value, err);
		r = strv_add(member, value);
		break;
	}
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

int options_set_key(struct config *config, const char *section, const char *key, const char *value,
		    bool first, const char **ret_hint, struct err *err)
{
	struct nearest n = NEAREST(key);
	struct nearest sections = NEAREST(section);
	bool known_section = false;

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		const struct option_row *row = &rows[i];

		if (!row->key)
			continue;
		if (!streq(row->section, section)) {
			nearest_offer(&sections, row->section);
			continue;
		}
		known_section = true;
		nearest_offer(&n, row->key);
		if (!streq(row->key, key))
			continue;
		if (row->type == OPTION_LIST && first)
			strv_done((struct strv *)(void *)((char *)config + row->member));
		return set_member(row, config, value, true, err);
	}
	*ret_hint = nearest_result(known_section ? &n : &sections);
	if (known_section)
		return err_set(err, -ENOENT, "there is no key '%s' in section [%s]", key, section);
	return err_set(err, -ENOENT, "there is no section [%s]", section);
}

/* ---- struct config ----------------------------------------------------- */

void config_init(struct config *config)
{
	struct err err = { 0 };

	memset(config, 0, sizeof *config);
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		/* a default that does not parse is caught by the unit test */
		if (*rows[i].standard)
			(void)set_member(&rows[i], config, rows[i].standard, true, &err);
	}
}

void config_done(struct config *config)
{
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		void *member = (char *)config + rows[i].member;

		if (rows[i].type == OPTION_STRING) {
			free(*(char **)member);
			*(char **)member = NULL;
		} else if (rows[i].type == OPTION_LIST) {
			strv_done(member);
		}
	}
}

int options_set_row(struct config *config, const struct option_row *row, const char *value,
		    bool first, struct err *err)
{
	if (row->type == OPTION_LIST && first)
		strv_done((struct strv *)(void *)((char *)config + row->member));
	if (row->type == OPTION_FLAG) {
		*(bool *)(void *)((char *)config + row->member) = true;
		return 0;
	}
	return set_member(row, config, value, false, err);
}
