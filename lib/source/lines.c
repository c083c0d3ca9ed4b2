/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting #line directives into a changed C file. The compiler's count is followed line by line; where it differs from
 * the number an unchanged line had, a directive goes in at the next line where one may stand. Between parentheses it waits:
 * that text belongs to the change's own statement, and in a macro's arguments the standard leaves a directive undefined.
 * A directive in a conditional group may be skipped, so numbers count as unknown again where the group ends.
 */
#include "lib/source/lines.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "lib/base/str.h"

/* How long to wait for all parentheses to be closed: longer than any statement, so only unbalanced text reaches it. */
#define WAIT_LINES_MAX 40
#define COND_DEPTH_MAX 64

/* An open #if group. Depths are of parentheses. */
struct group {
	int begin;	   /* where it began: each branch begins there again */
	int least_end;	   /* the smallest at the end of a branch */
	bool has_branches; /* an #else or #elif was there */
	bool has_line;	   /* a directive of ours is in it, or in one inside it */
};

/* What the C lexer would know at the beginning of a line. */
struct state {
	bool in_comment;
	bool in_line_comment; /* a continued one */
	bool is_continued;    /* the line before ends with a backslash */
	char quote;	      /* of the literal that goes on over a continued line, or 0 */
	bool in_directive;    /* a continued preprocessor line */
	int depth;	      /* of parentheses */
	struct group groups[COND_DEPTH_MAX];
	size_t nr_groups;
	bool lost_line; /* a group that held one of our directives has just ended */
};

static bool is_word(const char *s, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - s) >= n && memcmp(s, word, n) == 0 &&
	       ((size_t)(end - s) == n || !(isalnum((unsigned char)s[n]) || s[n] == '_'));
}

/* Follows #if … #endif: s is behind the '#'. Unbalanced or too deep nesting only costs precision. */
static void conditional(struct state *st, const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	if (is_word(s, end, "if") || is_word(s, end, "ifdef") || is_word(s, end, "ifndef")) {
		if (st->nr_groups < COND_DEPTH_MAX)
			st->groups[st->nr_groups++] =
				(struct group){.begin = st->depth, .least_end = INT_MAX};
		return;
	}
	bool ends = is_word(s, end, "endif");
	if (st->nr_groups == 0 || (!ends && !is_word(s, end, "else") && !is_word(s, end, "elif")))
		return;

	struct group *group = &st->groups[st->nr_groups - 1];
	st->lost_line = st->lost_line || group->has_line;
	if (st->depth < group->least_end)
		group->least_end = st->depth;
	if (!ends) {
		group->has_branches = true;
		st->depth = group->begin;
		return;
	}
	/* A parenthesis that every branch opens is open behind them; one that a lone #if opens may be in skipped text. */
	st->depth = group->has_branches ? group->least_end : group->begin;
	st->nr_groups--;
	if (group->has_line && st->nr_groups > 0)
		st->groups[st->nr_groups - 1].has_line = true;
}

/* Passes one character outside comments and literals; returns how many were used. */
static size_t code_char(struct state *st, const char *s, const char *end)
{
	if (*s == '/' && s + 1 < end && s[1] == '*') {
		st->in_comment = true;
		return 2;
	}
	if (*s == '/' && s + 1 < end && s[1] == '/') {
		st->in_line_comment = true;
		return (size_t)(end - s);
	}
	if (*s == '"' || *s == '\'')
		st->quote = *s;
	if (!st->in_directive && *s == '(')
		st->depth++;
	if (!st->in_directive && *s == ')' && st->depth > 0)
		st->depth--;
	return 1;
}

static size_t any_char(struct state *st, const char *s, const char *end)
{
	if (st->in_line_comment)
		return (size_t)(end - s);
	if (st->in_comment) {
		bool closes = *s == '*' && s + 1 < end && s[1] == '/';

		st->in_comment = !closes;
		return closes ? 2 : 1;
	}
	if (st->quote) {
		if (*s == '\\')
			return s + 1 < end ? 2 : 1;
		if (*s == st->quote)
			st->quote = 0;
		return 1;
	}
	return code_char(st, s, end);
}

static bool ends_with_backslash(const char *s, const char *end)
{
	/* The compiler takes white space behind it with a warning. */
	while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return end > s && end[-1] == '\\';
}

/* Moves st over the line s … end. */
static void pass_line(struct state *st, const char *s, const char *end)
{
	st->lost_line = false;
	if (!st->in_comment && !st->is_continued) {
		const char *first = s;

		while (first < end && (*first == ' ' || *first == '\t'))
			first++;
		st->in_directive = first < end && *first == '#';
		if (st->in_directive)
			conditional(st, first + 1, end);
		else if (s < end && *s == '}')
			st->depth =
				0; /* the end of a function: whatever was miscounted ends here */
	}
	st->is_continued = ends_with_backslash(s, end);
	for (const char *p = s; p < end;)
		p += any_char(st, p, end);
	if (!st->is_continued) {
		st->quote = 0; /* an apostrophe in skipped text or #error */
		st->in_line_comment = false;
	}
}

static void add_line_directive(struct rk_str *out, struct state *st, uint32_t number)
{
	rk_str_addf(out, "#line %u\n", number);
	if (st->nr_groups > 0)
		st->groups[st->nr_groups - 1].has_line = true;
}

struct rk_err *rk_lines_keep(const char *text, size_t len, const struct rk_line_map *map,
			     char **ret, size_t *ret_len)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	struct state st = {};
	const char *end = text + len;
	uint32_t number = 1; /* the compiler's number of the line at hand */
	bool is_unsure = false;
	unsigned int waited = 0;
	size_t i = 0;

	for (const char *s = text; s < end; i++) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		const char *stop = newline ? newline : end;
		uint32_t origin = i < map->nr ? map->origin[i] : 0;

		if (origin != 0 && (origin != number || is_unsure)) {
			bool is_legal = !st.in_comment && !st.is_continued;

			if (is_legal && (st.depth == 0 || waited >= WAIT_LINES_MAX)) {
				add_line_directive(&out, &st, origin);
				number = origin;
				is_unsure = false;
			}
			waited++;
		}
		if (origin == number && !is_unsure)
			waited = 0;
		rk_str_add_bytes(&out, s, (size_t)(stop - s) + (newline ? 1 : 0));
		pass_line(&st, s, stop);
		is_unsure = is_unsure || st.lost_line;
		number++;
		s = stop + 1;
	}
	size_t out_len = out.len;
	RK_TRY(rk_str_take(&out, ret));
	*ret_len = out_len;
	return NULL;
}
