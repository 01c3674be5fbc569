/* SPDX-License-Identifier: GPL-3.0-or-later */
/* act.h - verdicts become lines: denials into the journal, the rest to the
 * recorder.
 *
 * Nothing here waits. A denial is committed before its call is answered and
 * stays in the journal until the recorder has acknowledged it; any other event
 * that the recorder's queue does not take is counted in `lost`.
 */
#pragma once
#include "engine/decide.h"
#include "engine/journal.h"
#include "engine/tally.h"
#include "model/report.h"

struct reporter;

struct reporter_options {
	struct journal *journal;
	const struct ruleset *ruleset;
	const struct report_origin *origin;
	int recorder;                /* seqpacket to the recorder, -1 = none */
	int news;                    /* eventfd of the keeper: the journal has news */
	struct variables *variables; /* NULL = none */
	struct tally *tally;
	/* Takes a match over whose files are yet to be hashed: it ends with reporter_late().
	 * False when it cannot; NULL = nobody hashes.
	 */
	bool (*later)(void *data, const struct event *event, const struct match *match,
		      enum guarantee guarantee);
	void *data;
};

int reporter_new(const struct reporter_options *options, struct reporter **ret);
void reporter_free(struct reporter *reporter);

/* Whether MATCH carries the rule's action of that number out, which is none that sets,
 * refuses or kills.
 */
bool match_does(const struct match *match, size_t action);

/* One line for each match of DECISION that refuses or kills, committed as the denial of
 * SLOT (journal_begin()).
 */
void reporter_commit(struct reporter *reporter, unsigned slot, const struct event *event,
		     const struct decision *decision, enum guarantee guarantee);

/* One line for each of the other matches, within the rules' rates; and what log
 * actions say. Runs after the answer. What is withheld for its rate is counted.
 */
void reporter_report(struct reporter *reporter, const struct event *event,
		     const struct decision *decision, enum guarantee guarantee);

/* What comes before the line of a match: log actions, and whether the rule's rate lets it
 * through.
 */
bool reporter_begin(struct reporter *reporter, const struct match *match);

/* The line of a match that was taken over, or, of a denial that was committed without them,
 * what became of the hashes.
 */
void reporter_late(struct reporter *reporter, const struct event *event, const struct match *match,
		   enum guarantee guarantee);

/* An internal event (report_write_internal()). */
typedef void internal_body(struct jsonw *w, const void *data);
void reporter_internal(struct reporter *reporter, const char *rule_id, internal_body *body,
		       const void *data);

/* One about many things, of which a line may not hold all: BODY writes those from FROM
 * up to but not including TO. As many lines as it takes, each with a PART; LAST is true
 * of the last one. What does not even fit alone is counted as lost.
 */
struct internal_part {
	const void *data;
	size_t from, to;
	unsigned part; /* 1, 2 ...; 0: the line holds everything */
	bool last;
};
typedef void internal_part_body(struct jsonw *w, const struct internal_part *part);
void reporter_internal_parts(struct reporter *reporter, const char *rule_id, size_t count,
			     internal_part_body *body, const void *data);

/* One that is a denial: the call of SLOT was stopped without a rule's verdict. */
void reporter_commit_internal(struct reporter *reporter, unsigned slot, const char *rule_id,
			      const char *summary, internal_body *body, const void *data);

/* Sends committed denials on. True when the recorder's queue is full: call
 * again when the descriptor is writable.
 */
bool reporter_flush(struct reporter *reporter);

/* Reads what the recorder says (ACK, HELLO). */
void reporter_receive(struct reporter *reporter);

/* Greets the recorder and sends it again what it has not acknowledged; where its queue
 * is full, reporter_flush() does.
 */
void reporter_hello(struct reporter *reporter);

/* Tells the recorder to write everything out. */
void reporter_finish(struct reporter *reporter);

/* True when no denial waits for the recorder, or there is none to wait for. */
bool reporter_settled(const struct reporter *reporter);

/* Counts as lost what still waits: no sink has confirmed it. */
void reporter_give_up(struct reporter *reporter);
