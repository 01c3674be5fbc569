/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is inherited as bits is what a walk over the ancestors finds: random trees in which
 * processes fork, execute (also those that have children) and end, judged by many rules
 * both ways. And the other things that are kept of an event change no verdict either.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "engine/decide.h"

enum { PROCESSES = 48, IMAGES = 40, RULES = 120, STEPS = 30000, SCRATCH = 16 * 1024 * 1024 };

static uint32_t seed = 7;

static unsigned any(unsigned below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

/* ---- rules --------------------------------------------------------------------- */

static const char *word(void)
{
	static const char *const words[] = { "sh", "bash", "nginx", "cron", "curl", "php", "x" };

	return words[any(ELEMENTS(words))];
}

/* One comparison of something about the ancestors or the parent, or of something else. */
static void condition(char *buf, size_t size)
{
	static const char *const whose[] = { "process.ancestors", "process.parent", "process",
					     "process.ancestors[A]" };
	const char *of = whose[any(ELEMENTS(whose))], *no = any(3) ? "" : "not ";

	switch (any(10)) {
	case 0:
		(void)snprintf(buf, size, "%s.file.name %sin [\"%s\", \"%s\"]", of, no, word(),
			       word());
		break;
	case 1:
		(void)snprintf(buf, size, "%s.file.path %sin [~\"/usr/*/%s\"]", of, no, word());
		break;
	case 2: (void)snprintf(buf, size, "%s.args %sin [~\"*%s*\"]", of, no, word()); break;
	case 3: (void)snprintf(buf, size, "%s.argv %sin [\"%s\"]", of, no, word()); break;
	case 4:
		(void)snprintf(buf, size, "%s.envs %sin [\"PATH=/%s\", \"%s\"]", of, no, word(),
			       word());
		break;
	case 5: (void)snprintf(buf, size, "%s.comm == \"%s\"", of, word()); break;
	case 6:
		(void)snprintf(buf, size, "%s.file.mode & %u > 0", "process.parent", 1u << any(4));
		break;
	case 7:
		(void)snprintf(buf, size, "%s.file.uid %sin [%u, %u]", of, no, any(4), any(4));
		break;
	case 8: (void)snprintf(buf, size, "process.ancestors.length > %u", any(6)); break;
	default:
		(void)snprintf(buf, size, "%s.args_flags %sin [\"%s\", \"%c\"]", of, no, word(),
			       'a' + (int)any(4));
	}
}

static void expression(char *buf, size_t size, unsigned depth)
{
	char left[2048], right[2048];

	if (!depth || !any(3)) {
		condition(buf, size);
		return;
	}
	expression(left, sizeof left, depth - 1);
	expression(right, sizeof right, depth - 1);
	(void)snprintf(buf, size, "%s(%s) %s (%s)", any(6) ? "" : "!", left, any(3) ? "&&" : "||",
		       right);
}

static struct ruleset *make_rules(void)
{
	char path[] = "/tmp/guard-lineage-XXXXXX.policy", text[8192];
	const char *paths[] = { path };
	const struct ruleset_options options = { .paths = paths, .npaths = 1 };
	struct ruleset *ruleset = NULL;
	struct diags diags = { 0 };
	struct err err = { 0 };
	int fd = mkstemps(path, 7);
	FILE *file = fdopen(fd, "w");

	cr_assert_not_null(file);
	(void)fprintf(file, "version: 1.0.0\nrules:\n");
	for (int i = 0; i < RULES; i++) {
		expression(text, sizeof text, 2);
		(void)fprintf(file,
			      "  - id: r%d\n    expression: exec.file.name != \"none\" && (%s)\n",
			      i, text);
		if (i % 3 == 0)
			(void)fprintf(file, "    actions: [{block: {errno: EPERM}}]\n");
	}
	(void)fclose(file);
	cr_assert_eq(ruleset_load(&options, &ruleset, &diags, &err), 0, "%s", err.text);
	cr_assert_eq(diags.errors, 0u);
	cr_assert_gt(secl_shared_lasting(ruleset->shared), 60u);
	diags_done(&diags);
	(void)unlink(path);
	return ruleset;
}

/* ---- the world ----------------------------------------------------------------- */

struct world {
	struct ruleset *ruleset;
	struct lineage *lineage;
	struct arena arena;
	struct process processes[PROCESSES + 1]; /* by slot; pid 0 = none */
	unsigned children[PROCESSES + 1];
	struct image images[IMAGES];
	char texts[IMAGES][3][64];
	unsigned matched, asked;
};

/* TEXT's words as strings. */
static void set_list(char *text, struct string_list *list)
{
	list->data = text;
	list->size = (uint32_t)strlen(text) + 1;
	for (char *p = text; *p; p++) {
		if (*p == ' ')
			*p = '\0';
	}
	for (uint32_t i = 0; i < list->size; i++)
		list->count += !text[i];
}

static void make_image(struct world *w, unsigned i)
{
	struct image *image = &w->images[i];
	char *path = w->texts[i][0];
	int n = snprintf(path, 64, "/usr/%s/%s", any(2) ? "bin" : word(), word());

	*image = (struct image){
		.file = { .path = { path, (size_t)n },
			  .uid = any(4),
			  .mode = any(16),
			  .present = true },
		.envp_read = true,
		.unknown = !any(30),
		.cut = !any(30),
	};
	(void)snprintf(w->texts[i][1], 64, "%s -%c %s", word(), (char)('a' + any(4)), word());
	set_list(w->texts[i][1], &image->argv);
	(void)snprintf(w->texts[i][2], 64, "PATH=/%s %s=1", word(), word());
	set_list(w->texts[i][2], &image->envp);
}

static unsigned count_alive(const struct world *w)
{
	unsigned count = 0;

	for (unsigned slot = 1; slot <= PROCESSES; slot++)
		count += w->processes[slot].pid != 0;
	return count;
}

static unsigned any_alive(const struct world *w)
{
	for (;;) {
		unsigned slot = 1 + any(PROCESSES);

		if (w->processes[slot].pid)
			return slot;
	}
}

static void fork_one(struct world *w, unsigned parent)
{
	unsigned slot = 1;

	while (slot <= PROCESSES && w->processes[slot].pid)
		slot++;
	if (slot > PROCESSES)
		return;
	lineage_changed(w->lineage, slot, false);
	w->processes[slot] = (struct process){
		.pid = 100 + (pid_t)any(1000),
		.slot = slot,
		.comm = { word(), 2 },
		.parent = parent ? &w->processes[parent] : NULL,
		.image = parent ? w->processes[parent].image : &w->images[0],
	};
	w->children[slot] = 0;
	w->children[parent]++;
	w->processes[slot].comm.size = strlen(w->processes[slot].comm.text);
}

static void execute(struct world *w, unsigned slot)
{
	w->processes[slot].image = &w->images[any(IMAGES)];
	lineage_changed(w->lineage, slot, w->children[slot] > 0);
}

static void end(struct world *w, unsigned slot)
{
	if (w->children[slot] || count_alive(w) < 3)
		return;
	w->processes[slot].pid = 0;
	if (w->processes[slot].parent)
		w->children[w->processes[slot].parent->slot]--;
}

/* ---- both ways ----------------------------------------------------------------- */

static struct decision judge(struct world *w, const struct process *process,
			     struct lineage *lineage)
{
	static const struct report_origin origin = { .origin = "ebpfless" };
	const struct event event = { .type = EVENT_EXEC, .process = process };

	return decide(&(struct decide_request){ .ruleset = w->ruleset,
						.mode = MODE_BLOCK,
						.event = &event,
						.origin = &origin,
						.lineage = lineage,
						.arena = &w->arena });
}

/* The process as it would be after an exec: its own image counts as well. */
static void compare(struct world *w, unsigned slot)
{
	struct process candidate = w->processes[slot];
	struct decision a, b;

	candidate.image = &w->images[any(IMAGES)];
	arena_reset(&w->arena);
	a = judge(w, &candidate, NULL);
	b = judge(w, &candidate, w->lineage);
	cr_assert_eq(a.nmatches, b.nmatches);
	cr_assert_eq(a.strongest.kind, b.strongest.kind);
	for (size_t i = 0; i < a.nmatches; i++) {
		cr_assert_eq(a.matches[i].rule, b.matches[i].rule, "%s",
			     a.matches[i].rule->expression);
		cr_assert_eq(a.matches[i].reason, b.matches[i].reason);
		/* and it is what the rule says when nothing is kept from others */
		cr_assert_eq(a.matches[i].kind, b.matches[i].kind);
	}
	w->matched += (unsigned)a.nmatches;
	w->asked++;
}

static bool is_uncertain(const struct image *image, uint64_t needs)
{
	const uint64_t strings = NEED_ARGV | NEED_ENVP;

	return (image->unknown && needs & (strings | NEED_FILE | NEED_INTERPRETER)) ||
	       (image->cut && needs & strings);
}

/* A blocking rule may not be taken to be false of PROCESS: it looks at what is not known. */
static bool is_undecided(const struct rule *rule, const struct process *process)
{
	if (rule->protection != PROTECTION_BLOCKING)
		return false;
	for (const struct process *p = process; p; p = p->parent) {
		if ((p == process || rule->needs & NEED_ANCESTORS) &&
		    is_uncertain(p->image, rule->needs))
			return true;
	}
	return false;
}

/* Every rule by itself, without index and without memory of the others. */
static void compare_plainly(struct world *w, unsigned slot)
{
	const struct event event = { .type = EVENT_EXEC, .process = &w->processes[slot] };
	const struct field_source source = { .event = &event, .origin = "ebpfless" };
	struct secl_context ctx = { .schema = &event_schema,
				    .event = &source,
				    .scratch = &w->arena };
	struct decision d;
	size_t n = 0;

	arena_reset(&w->arena);
	d = judge(w, &w->processes[slot], w->lineage);
	for (size_t i = 0; i < w->ruleset->nby_event[EVENT_EXEC]; i++) {
		const struct rule *rule = w->ruleset->by_event[EVENT_EXEC][i];
		bool matches = n < d.nmatches && d.matches[n].rule == rule;

		bool holds = secl_eval(rule->expr, &ctx) == 1;

		cr_assert_eq(matches, holds || is_undecided(rule, &w->processes[slot]), "%s",
			     rule->expression);
		cr_assert(!matches || (d.matches[n].reason == REASON_RULE) == holds);
		n += matches;
	}
}

Test(lineage, inherited_bits_are_what_a_walk_finds)
{
	struct world *w = calloc(1, sizeof *w);

	w->ruleset = make_rules();
	cr_assert_eq(lineage_new(w->ruleset, NULL, PROCESSES, &w->lineage), 0);
	cr_assert_eq(arena_init(&w->arena, SCRATCH), 0);
	for (unsigned i = 0; i < IMAGES; i++)
		make_image(w, i);
	fork_one(w, 0);
	for (int i = 0; i < STEPS; i++) {
		unsigned slot = any_alive(w);

		switch (any(8)) {
		case 0:
		case 1: fork_one(w, slot); break;
		case 2: execute(w, slot); break;
		case 3: end(w, slot); break;
		case 4: compare_plainly(w, slot); break;
		default: compare(w, slot);
		}
	}
	cr_expect_gt(w->asked, STEPS / 4u);
	cr_expect_gt(w->matched, w->asked * 5);
	cr_expect_lt(w->matched, w->asked * (RULES - 10));
	lineage_free(w->lineage);
	ruleset_free(w->ruleset);
	arena_done(&w->arena);
	free(w);
}

/* A process that is in no table has no bits, nor have those below it. */
Test(lineage, nothing_is_known_without_a_table)
{
	struct world *w = calloc(1, sizeof *w);
	struct lineage_bits bits;
	struct process above, below, self;

	w->ruleset = make_rules();
	cr_assert_eq(lineage_new(w->ruleset, NULL, PROCESSES, &w->lineage), 0);
	make_image(w, 0);
	above = (struct process){ .pid = 1, .image = &w->images[0] };
	below = (struct process){ .pid = 2, .slot = 1, .parent = &above, .image = &w->images[0] };
	self = (struct process){ .pid = 3, .slot = 2, .parent = &below, .image = &w->images[0] };
	cr_expect_not(lineage_look(w->lineage, &above, &bits));
	cr_expect_not(lineage_look(w->lineage, &below, &bits));
	cr_expect_not(lineage_look(w->lineage, &self, &bits));
	above.slot = 3;
	cr_expect(lineage_look(w->lineage, &self, &bits));
	lineage_free(w->lineage);
	ruleset_free(w->ruleset);
	free(w);
}
