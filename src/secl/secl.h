/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secl.h - the rule language: text in, compiled expression out, evaluated
 * against one event.
 *
 * The language knows no event. It compiles against a schema, which finds
 * names and constants and, at run time, loads values. Agent rules, action
 * filters, rule filters and recorded JSON differ only in their schema.
 *
 * Compiled expressions are immutable and may be evaluated by any number of
 * contexts at once; evaluation takes no memory but the context's scratch
 * arena. Reference: shared SECL specification, chapters named in secl/.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

/* ---- values ------------------------------------------------------------ */

enum secl_type {
	SECL_NONE,
	SECL_BOOL,
	SECL_INT,
	SECL_STRING,
	SECL_NET, /* an address or a network */
};

struct secl_string {
	const char *text; /* not NUL-terminated; never NULL when size > 0 */
	size_t size;
};

struct secl_net {
	uint8_t family; /* AF_INET, AF_INET6; 0 = no address: overlaps nothing */
	uint8_t prefix; /* bits */
	uint8_t addr[16];
};

/* A scalar, or a list of scalars of one type. */
struct secl_value {
	enum secl_type type;
	bool array;
	union {
		int64_t integer;
		bool boolean;
		struct secl_string string;
		struct secl_net net;
		struct {
			size_t count;
			union {
				const int64_t *integers;
				const bool *booleans;
				const struct secl_string *strings;
				const struct secl_net *nets;
			};
		} list;
	};
};

/* Element INDEX of a list; its type's zero value when there is none. */
struct secl_value secl_value_element(const struct secl_value *list, size_t index);

/* Textual address or CIDR to network; IPv4-mapped IPv6 becomes IPv4, host
 * bits are cleared. 0, or -EINVAL.
 */
int secl_net_parse(const char *text, size_t size, struct secl_net *ret);

/* NET contains the base address of ADDRESS. */
bool secl_net_contains(const struct secl_net *net, const struct secl_net *address);

/* Either contains the other's base address (spec section 10). */
bool secl_net_overlaps(const struct secl_net *a, const struct secl_net *b);

/* ---- schema ------------------------------------------------------------ */

enum secl_field_flag {
	SECL_FIELD_ARRAY = 1u << 0,     /* a list by itself (argv) */
	SECL_FIELD_ITERATOR = 1u << 1,  /* below process.ancestors or its like: a list
					 * of all elements unless a register picks one */
	SECL_FIELD_GLOB = 1u << 2,      /* patterns are path globs (6.3) */
	SECL_FIELD_ICASE = 1u << 3,     /* compared without case (6.1) */
	SECL_FIELD_EXTENSION = 1u << 4, /* literals get a leading dot (6.1) */
	SECL_FIELD_PATH = 1u << 5,      /* literals are validated (6.5), no regexps */
	SECL_FIELD_RETVAL = 1u << 6,    /* only EPERM and EACCES (6.5) */
	SECL_FIELD_TIME = 1u << 7,      /* nanoseconds since the epoch (11) */
	SECL_FIELD_OF_RULE = 1u << 9,   /* differs from rule to rule of the same event */
	SECL_FIELD_COSTLY = 1u << 10,   /* loaded only when the result depends on it */
	SECL_FIELD_ALIASES = 1u << 8,   /* scalar to the type checker, but load() may
					 * yield a list of alternatives, any of which
					 * may match; negation applies to the whole (6.6) */
};

enum { SECL_FIELD_MAX_STEPS = 8, SECL_NAME_MAX = 255 };

/* A field as compiled into an expression. What `step`, `event` and `needs`
 * mean is the schema's affair.
 */
struct secl_field {
	enum secl_type type;
	unsigned flags;                       /* enum secl_field_flag */
	unsigned weight;                      /* evaluation cost, smaller runs first */
	unsigned event;                       /* event type id; 0 = any event */
	uint64_t needs;                       /* bit set, OR-ed over an expression */
	uint16_t steps[SECL_FIELD_MAX_STEPS]; /* way from the event to the value */
	uint16_t slot;                        /* in struct secl_memo; 0 = in none */
	uint8_t nsteps;
	uint8_t iterator;             /* id of the iterator passed through, 0 = none */
	uint32_t max_literal;         /* longest literal, 0 = unlimited */
	char name[SECL_NAME_MAX + 1]; /* canonical, legacy aliases resolved */
};

struct secl_context;

/* What lasts longer than an event, so that its owner may know of a predicate about it. */
enum secl_lasting {
	SECL_PASSING,
	SECL_OF_PARENT,    /* rests on what the parent executed */
	SECL_OF_ANCESTORS, /* on what any of the ancestors executed */
};

/* A schema is a const table; `self` is handed back to the functions. */
struct secl_schema {
	/* Looks NAME up (already stripped of [register] and [N]). 0, or -ENOENT;
	 * *ret_hint may be set to the nearest known name.
	 */
	int (*find)(const struct secl_schema *self, const char *name, struct secl_field *ret,
		    const char **ret_hint);

	/* A constant: 0, or -ENOENT. */
	int (*constant)(const struct secl_schema *self, const char *name, struct secl_value *ret);

	/* The value in CTX->event. ELEMENT is the iterator element chosen by the
	 * register, or -1: then an iterator field yields the list over all
	 * elements. Lists may be built in CTX->scratch. 0; or -errno, which makes
	 * the whole evaluation fail with that code (the caller fails closed).
	 */
	int (*load)(const struct secl_context *ctx, const struct secl_field *field, int element,
		    struct secl_value *ret);

	/* Number of elements of iterator ITERATOR in CTX->event, or -errno. An
	 * iterator X is recognised by X.length being a field and X being none.
	 */
	int (*count)(const struct secl_context *ctx, unsigned iterator);

	/* Name of an event type id, for messages. */
	const char *(*event_name)(const struct secl_schema *self, unsigned event);

	/* Whether the values of FIELD last; NULL = none does. Of ancestors every test of
	 * ops.def asks whether it holds of any.
	 */
	enum secl_lasting (*lasting)(const struct secl_field *field);
};

/* ---- variables --------------------------------------------------------- */

/* ${name}: looked up at compile time for its type, read at run time. The
 * owner of the variables implements this; NULL = no variables.
 */
struct secl_vars {
	/* Type (and list or not) of NAME ("x", "process.x", ...): 0, or -ENOENT.
	 * *ret_id is what get() is called with.
	 */
	int (*find)(const struct secl_vars *self, const char *name, enum secl_type *ret_type,
		    bool *ret_array, unsigned *ret_id);
	int (*get)(const struct secl_vars *self, const struct secl_context *ctx, unsigned id,
		   struct secl_value *ret);
};

/* ---- compiling --------------------------------------------------------- */

/* Where the text went wrong. `line` and `column` start at 1 and count bytes
 * within the expression; `source` is that line of it.
 */
struct secl_error {
	struct err err;
	unsigned line, column;
	char source[256]; /* cut around the column when the line is long */
	unsigned caret;   /* offset of the error inside `source` */
};

/* Writes that line and a caret below the place into BUF, without a newline at
 * the end; cut when SIZE is too small. The line is printable ASCII: a tab became
 * a space, any other byte a question mark.
 */
void secl_error_show(const struct secl_error *error, char *buf, size_t size);

struct secl_expr;   /* one compiled expression */
struct secl_macros; /* named expressions, in order of declaration */
struct secl_shared; /* what several expressions have in common */

struct secl_options {
	const struct secl_schema *schema;
	const struct secl_macros *macros; /* may be NULL */
	const struct secl_vars *vars;     /* may be NULL */
	struct secl_shared *shared;       /* added to; may be NULL */
	bool want_bool;                   /* a rule: the type must be scalar bool */
};

/* Compiles TEXT. The caller frees *ret with secl_expr_free(). 0; -EINVAL with
 * *error filled for anything wrong with the text; -ENOMEM.
 */
int secl_compile(const struct secl_options *options, const char *text, struct secl_expr **ret,
		 struct secl_error *error);
void secl_expr_free(struct secl_expr *expr);

/* Declares a macro; names used in it must be declared before (14). Fails like
 * secl_compile(). A second declaration of an id is -EEXIST.
 */
int secl_macros_new(struct secl_macros **ret);
void secl_macros_free(struct secl_macros *macros);
int secl_macros_add(struct secl_macros *macros, const struct secl_options *options, const char *id,
		    const char *expression, struct secl_error *error);
/* Declares (or with merge/override changes, 14) a macro that is a list of
 * exact strings.
 */
enum secl_combine { SECL_COMBINE_NONE, SECL_COMBINE_MERGE, SECL_COMBINE_OVERRIDE };
int secl_macros_add_values(struct secl_macros *macros, const struct secl_options *options,
			   const char *id, const char *const *values, size_t count,
			   enum secl_combine combine, struct secl_error *error);

/* ---- what an expression is about --------------------------------------- */

/* The one event type of all fields (0 = none names an event). */
unsigned secl_expr_event(const struct secl_expr *expr);
/* OR of the fields' needs. */
uint64_t secl_expr_needs(const struct secl_expr *expr);
enum secl_type secl_expr_type(const struct secl_expr *expr, bool *ret_array);
/* Calls VISIT for every field used, once each, in order of first use. */
void secl_expr_fields(const struct secl_expr *expr,
		      void (*visit)(void *data, const struct secl_field *field), void *data);
/* Calls VISIT for every text without wildcards that a field is compared with, in no
 * order, perhaps more than once. What it is given lives as long as EXPR.
 */
void secl_expr_texts(const struct secl_expr *expr,
		     void (*visit)(void *data, const struct secl_field *field,
				   const struct secl_string *text),
		     void *data);

/* Calls LINE for each step of the program, in the order of evaluation; DEPTH counts the
 * steps around it. What of the text is not printable comes as it is.
 */
void secl_expr_explain(const struct secl_expr *expr,
		       void (*line)(void *data, unsigned depth, const char *text), void *data);

/* Whether a condition is true, or false, of every event: *ret says which. */
bool secl_expr_fixed(const struct secl_expr *expr, bool *ret);

enum secl_form { SECL_FORM_TEXT, SECL_FORM_PATTERN, SECL_FORM_GLOB, SECL_FORM_REGEXP };

struct secl_literal {
	enum secl_form form;
	struct secl_string text;
	bool sought; /* there is a piece of it that everything which matches contains */
};

/* Calls VISIT for every text that something is matched with, in no order. */
void secl_expr_literals(const struct secl_expr *expr,
			void (*visit)(void *data, const struct secl_literal *literal), void *data);

/* ---- what expressions have in common ------------------------------------ */

/* Fields, lists of literals and predicates of all expressions that are compiled with it,
 * each once. Freed after them.
 */
int secl_shared_new(struct secl_shared **ret);
void secl_shared_free(struct secl_shared *shared);

enum { SECL_NO_MEMO = -1 };

/* A comparison of a field with something constant, its negation left out. */
struct secl_predicate {
	const struct secl_field *field;
	const struct secl_expr *expr; /* of this alone */
	unsigned uses;                /* comparisons that are this one */
	enum secl_lasting lasting;
	unsigned bit;  /* of a lasting one: its number among those */
	unsigned memo; /* of another that is used more than once: its place in the memo */
};

size_t secl_shared_predicates(const struct secl_shared *shared);
/* How many are lasting; all of them, in order of their bits. */
size_t secl_shared_lasting(const struct secl_shared *shared);
void secl_shared_each_lasting(const struct secl_shared *shared,
			      void (*visit)(void *data, const struct secl_predicate *predicate),
			      void *data);
/* Calls VISIT for the predicates of EXPR, each as often as it stands there. */
void secl_expr_predicates(const struct secl_expr *expr,
			  void (*visit)(void *data, const struct secl_predicate *predicate,
					bool negated),
			  void *data);

/* What was found out of one event: for all expressions of one secl_shared. */
struct secl_memo {
	uint8_t *answers;          /* of predicates: 0 = not asked yet, 1 false, 2 true */
	uint64_t *loaded;          /* of fields, a bit for each slot */
	struct secl_value *values; /* of those; in the scratch arena */
	unsigned pins;             /* grows when something in scratch has to stay */
	/* one bit for each lasting predicate that holds; NULL = evaluate them */
	const uint64_t *of_parent, *of_ancestors;
};

/* An empty one in ARENA, which is the scratch of the evaluations as well and is reset
 * after the event: 0, or -ENOMEM.
 */
int secl_memo_init(struct secl_memo *memo, const struct secl_shared *shared, struct arena *arena);

/* ---- what must hold for an expression to be true ------------------------ */

enum secl_atom_kind {
	SECL_ATOM_NUMBER,    /* the field is this number, or true */
	SECL_ATOM_TEXT,      /* the field is this text */
	SECL_ATOM_PART,      /* the field contains this text, of at least two bytes */
	SECL_ATOM_PREDICATE, /* the predicate holds, or with `negated` does not */
};

struct secl_atom {
	enum secl_atom_kind kind;
	bool negated;
	const struct secl_predicate *predicate;
	const struct secl_field *field;
	int64_t number;
	struct secl_string text; /* in lower case when the field's flag is ICASE */
};

/* Calls VISIT for atoms of which at least one holds whenever EXPR is true (of a list:
 * for any of its elements); which, is the compiler's choice of what tells most. How many;
 * 0 when the expression has none and must always be evaluated.
 */
size_t secl_expr_atoms(const struct secl_expr *expr,
		       void (*visit)(void *data, const struct secl_atom *atom), void *data);

/* ---- evaluating -------------------------------------------------------- */

struct secl_context {
	const struct secl_schema *schema;
	const void *event;     /* the schema knows its type */
	struct arena *scratch; /* lists and interpolated strings */
	int64_t now_ns;        /* the clock of this evaluation, since the epoch */
	const struct secl_vars *vars;
	struct secl_memo *memo; /* NULL = everything is found out each time */
};

/* 1 true, 0 false, or -errno: what load() or get() returned; -ENOMEM when the
 * scratch arena is full; -EOVERFLOW when a regexp takes too much memory; -EPROTO
 * when a schema yields a type that it did not announce. An operand whose value
 * cannot change the result is not loaded, so its failure does not show:
 * `false && failing` is false. Scratch is left as it was, but for what a memo
 * keeps there. With a register the
 * expression is true if it is for one of the first 100 elements, and false
 * without any.
 * Only for expressions of type bool.
 */
int secl_eval(const struct secl_expr *expr, struct secl_context *ctx);

/* The value of a field, from the memo when it has it: 0, or -errno. Scratch holds it. */
int secl_load(const struct secl_context *ctx, const struct secl_field *field,
	      struct secl_value *ret);

/* Whether PREDICATE holds: 1, 0, or -errno as secl_eval(). */
int secl_predicate_test(const struct secl_predicate *predicate, const struct secl_context *ctx);

/* The value of an expression of any type: 0, or -errno. Lists and strings may
 * lie in the event or in CTX->scratch. With a register and another type than
 * bool: that of the first element.
 */
int secl_eval_value(const struct secl_expr *expr, struct secl_context *ctx, struct secl_value *ret);

/* ---- matching alone (tests, search queries) ---------------------------- */

/* Plain pattern (6.2), path glob (6.3). secl_glob_check(): 0 or -EINVAL. */
bool secl_pattern_match(const char *pattern, size_t psize, const char *text, size_t size,
			bool icase);
bool secl_glob_match(const char *pattern, size_t psize, const char *text, size_t size);
/* Whether a path that begins with DIRECTORY, or the directories above it, could match:
 * the two agree as far as both go. For whoever watches directories.
 */
bool secl_glob_reaches(const char *pattern, size_t psize, const char *directory, size_t size);
int secl_glob_check(const char *pattern, size_t psize, struct err *err);
