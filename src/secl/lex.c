/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of token are tried in a fixed order and the first that matches
 * wins, as in the peer; the rows of `kinds` are that order.
 */
#include "config.h"

#include "secl/lex.h"

#include <errno.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && is_digit(*p))
		p++;
	return (size_t)(p - start);
}

static size_t ip4_length(const char *p, const char *end)
{
	const char *start = p;

	for (int group = 0; group < 4; group++) {
		size_t n = digits(p, end);

		if (n == 0)
			return 0;
		p += n;
		if (group < 3 && (p == end || *p++ != '.'))
			return 0;
	}
	return (size_t)(p - start);
}

/* Hex groups, any of which may be empty; the first two separators are colons,
 * later ones may be dots. Whether it is an address is decided afterwards.
 */
static size_t ip6_length(const char *p, const char *end)
{
	const char *start = p;
	int separators = 0;

	for (; p < end; p++) {
		if (*p == ':' || (*p == '.' && separators >= 2))
			separators++;
		else if (!is_hex(*p))
			break;
	}
	return separators >= 2 ? (size_t)(p - start) : 0;
}

static size_t ip_length(const char *p, const char *end)
{
	size_t n = ip4_length(p, end);

	return n > 0 ? n : ip6_length(p, end);
}

static size_t cidr_length(const char *p, const char *end)
{
	size_t n = ip_length(p, end), m;

	if (n == 0 || p + n == end || p[n] != '/')
		return 0;
	m = digits(p + n + 1, end);
	return m > 0 ? n + 1 + m : 0;
}

size_t lex_name(const char *text, const char *end)
{
	const char *p = text;

	if (p == end || !is_letter(*p))
		return 0;
	while (p < end && (is_letter(*p) || is_digit(*p) || *p == '.'))
		p++;
	return (size_t)(p - text);
}

static size_t variable_length(const char *p, const char *end)
{
	size_t n;

	if (end - p < 2 || p[0] != '$' || p[1] != '{')
		return 0;
	n = lex_name(p + 2, end);
	return n > 0 && p + 2 + n < end && p[2 + n] == '}' ? n + 3 : 0;
}

/* A closing bracket that none opened ends the identifier: `[A,B]` is a list of
 * two. The peer takes `B]` for a name and wants a space there.
 */
static size_t ident_length(const char *p, const char *end)
{
	const char *start = p;
	int open = 0;

	if (p == end || !is_letter(*p))
		return 0;
	for (; p < end; p++) {
		if (*p == '[')
			open++;
		else if (*p == ']' && open-- == 0)
			break;
		else if (*p != ']' && *p != '.' && !is_letter(*p) && !is_digit(*p))
			break;
	}
	return (size_t)(p - start);
}

static size_t reference_length(const char *p, const char *end)
{
	size_t n;

	if (end - p < 2 || p[0] != '%' || p[1] != '{')
		return 0;
	n = ident_length(p + 2, end);
	return n > 0 && p + 2 + n < end && p[2 + n] == '}' ? n + 3 : 0;
}

static size_t duration_length(const char *p, const char *end)
{
	size_t n = digits(p, end);

	if (n == 0 || p + n == end || (p[n] != 'm' && p[n] != 's' && p[n] != 'h'))
		return 0;
	n++;
	while (p + n < end && p[n] == 's')
		n++;
	return n;
}

/* Nothing is unescaped: the backslash only keeps the next byte from ending the
 * text.
 */
static size_t quoted_length(const char *p, const char *end, size_t prefix)
{
	const char *start = p;

	if ((size_t)(end - p) <= prefix || p[prefix] != '"')
		return 0;
	for (p += prefix + 1; p < end; p++) {
		if (*p == '"')
			return (size_t)(p - start) + 1;
		if (*p == '\\')
			p++;
	}
	return 0;
}

static size_t string_length(const char *p, const char *end)
{
	return quoted_length(p, end, 0);
}

static size_t regexp_length(const char *p, const char *end)
{
	return *p == 'r' ? quoted_length(p, end, 1) : 0;
}

static size_t pattern_length(const char *p, const char *end)
{
	return *p == '~' ? quoted_length(p, end, 1) : 0;
}

static size_t int_length(const char *p, const char *end)
{
	size_t sign = *p == '+' || *p == '-';
	size_t n = digits(p + sign, end);

	return n > 0 ? n + sign : 0;
}

static size_t punct_length(const char *p, const char *end UNUSED)
{
	return strchr("!=<>+-[](),&|~^%", *p) ? 1 : 0;
}

/* The text of a token without `open` bytes in front and `close` behind. */
static const struct kind {
	enum token_kind kind;
	size_t (*length)(const char *p, const char *end);
	uint8_t open, close;
} kinds[] = {
	{ TOKEN_CIDR, cidr_length, 0, 0 },         { TOKEN_IP, ip_length, 0, 0 },
	{ TOKEN_VARIABLE, variable_length, 2, 1 }, { TOKEN_REFERENCE, reference_length, 2, 1 },
	{ TOKEN_DURATION, duration_length, 0, 0 }, { TOKEN_REGEXP, regexp_length, 2, 1 },
	{ TOKEN_IDENT, ident_length, 0, 0 },       { TOKEN_STRING, string_length, 1, 1 },
	{ TOKEN_PATTERN, pattern_length, 2, 1 },   { TOKEN_INT, int_length, 0, 0 },
	{ TOKEN_PUNCT, punct_length, 0, 0 },
};

static bool decimal(const char *text, size_t size, int64_t *ret)
{
	bool negative = size > 0 && text[0] == '-';
	int64_t value = 0;

	for (size_t i = negative || (size > 0 && text[0] == '+'); i < size; i++) {
		int digit = text[i] - '0';

		/* downwards for negative ones, so that the smallest fits */
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, negative ? -digit : digit, &value))
			return false;
	}
	*ret = value;
	return true;
}

static int duration_value(struct lexer *lexer, struct token *t)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", 60 * (int64_t)1000000000 },
		{ "h", 3600 * (int64_t)1000000000 },
	};
	size_t n = digits(t->text, t->text + t->size);

	for (size_t i = 0; i < ELEMENTS(units); i++) {
		if (strlen(units[i].unit) != t->size - n ||
		    memcmp(units[i].unit, t->text + n, t->size - n) != 0)
			continue;
		if (!decimal(t->text, n, &t->integer) ||
		    __builtin_mul_overflow(t->integer, units[i].ns, &t->integer))
			return source_error(&lexer->source, t->offset, "duration is too long");
		return 0;
	}
	return source_error(&lexer->source, t->offset,
			    "\"%.*s\" is no duration: the units are ms, s, m and h",
			    (int)MIN(t->size, 40u), t->text);
}

static int net_value(struct lexer *lexer, struct token *t)
{
	static const struct secl_net zero6 = { .prefix = 128 };

	if (secl_net_parse(t->text, t->size, &t->net) < 0)
		return source_error(&lexer->source, t->offset, "\"%.*s\" is no valid %s",
				    (int)MIN(t->size, 64u), t->text,
				    t->kind == TOKEN_IP ? "IP address" : "network");
	if (t->kind == TOKEN_IP && t->net.prefix == 128 &&
	    memcmp(t->net.addr, zero6.addr, sizeof zero6.addr) == 0)
		return source_error(&lexer->source, t->offset,
				    "a bare :: is refused: write ::/128 for the address");
	return 0;
}

static int token_value(struct lexer *lexer, struct token *t)
{
	switch (t->kind) {
	case TOKEN_CIDR:
	case TOKEN_IP: return net_value(lexer, t);
	case TOKEN_DURATION: return duration_value(lexer, t);
	case TOKEN_INT:
		if (!decimal(t->text, t->size, &t->integer))
			return source_error(&lexer->source, t->offset,
					    "number does not fit into 64 bits");
		return 0;
	case TOKEN_PUNCT: t->punct = t->text[0]; return 0;
	default: return 0;
	}
}

static void skip_blank(struct lexer *lexer)
{
	const char *text = lexer->source.text;
	size_t size = lexer->source.size, pos = lexer->pos;

	while (pos < size) {
		bool comment = text[pos] == '#' ||
			       (text[pos] == '/' && pos + 1 < size && text[pos + 1] == '/');

		if (comment)
			while (pos < size && text[pos] != '\n')
				pos++;
		else if (text[pos] == ' ' || text[pos] == '\t' || text[pos] == '\n')
			pos++;
		else
			break;
	}
	lexer->pos = pos;
}

static int bad_character(struct lexer *lexer)
{
	const struct source *s = &lexer->source;
	const char *p = s->text + lexer->pos;
	bool last = lexer->pos + 1 == s->size;

	if (*p == '"')
		return source_error(s, lexer->pos, "closing quote is missing");
	if (*p == '\r')
		return source_error(s, lexer->pos, "carriage return: lines must end in LF alone");
	if (*p == '\'')
		return source_error(s, lexer->pos, "strings are written in double quotes");
	if (*p == '$')
		return source_error(s, lexer->pos, "expected a variable, as in ${name}%s",
				    last || p[1] != '{' ? "" : ": the name or the brace is wrong");
	return source_error(s, lexer->pos, "unexpected character \"%c\"", *p);
}

int lex_next(struct lexer *lexer, struct token *ret)
{
	const struct source *s = &lexer->source;
	const char *p, *end = s->text + s->size;

	skip_blank(lexer);
	*ret = (struct token){ .offset = (uint32_t)lexer->pos };
	p = s->text + lexer->pos;
	if (p == end)
		return 0;
	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		const struct kind *k = &kinds[i];
		size_t n = k->length(p, end);

		if (n == 0)
			continue;
		/* a quote that nobody closes would be read as a name */
		if (k->kind == TOKEN_IDENT && n == 1 && *p == 'r' && p + 1 < end && p[1] == '"')
			break;
		ret->kind = k->kind;
		ret->text = p + k->open;
		ret->size = n - k->open - k->close;
		lexer->pos += n;
		return token_value(lexer, ret);
	}
	lexer->pos += *p == 'r';
	return bad_character(lexer);
}
