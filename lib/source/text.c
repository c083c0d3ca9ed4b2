/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file as lines that know their number in the unchanged file, through any number of patches. */
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/internal.h"

#define TEXT_LINES_MAX \
	4000000u /* the largest file of a kernel tree, a register header, has 250,000 */

struct rk_err *rk_text_split(const char *data, size_t len, struct rk_text *ret)
{
	struct rk_text text = {};
	const char *end = data + len;

	for (const char *s = data; s < end;) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		const char *stop = newline ? newline : end;
		struct rk_text_line line = {
			.text = s,
			.len = (uint32_t)(stop - s),
			.origin = (uint32_t)text.lines.nr + 1,
			.no_newline = !newline,
		};

		if (text.lines.nr >= TEXT_LINES_MAX || stop - s > INT32_MAX) {
			rk_text_deinit(&text);
			return rk_err(RK_ERR_LIMIT, "more lines than any source file has");
		}
		if (!rk_vec_push(&text.lines, line)) {
			rk_text_deinit(&text);
			return rk_err_nomem();
		}
		s = stop + 1;
	}
	text.nr_original = (uint32_t)text.lines.nr;
	text.original = calloc(text.lines.nr + 1, sizeof(*text.original));
	text.removed_by = calloc(text.lines.nr + 1, sizeof(const struct rk_patch_file *));
	if (!text.original || !text.removed_by) {
		rk_text_deinit(&text);
		return rk_err_nomem();
	}
	if (text.lines.nr)
		memcpy(text.original, text.lines.v, text.lines.nr * sizeof(*text.original));
	*ret = text;
	return NULL;
}

void rk_text_deinit(struct rk_text *text)
{
	rk_vec_deinit(&text->lines);
	rk_vec_deinit(&text->needed);
	free(text->original);
	free(text->removed_by);
	text->original = NULL;
	text->removed_by = NULL;
}

static struct rk_err *add_author(struct rk_patch_list *list, const struct rk_patch_file *fix)
{
	if (!fix)
		return NULL;
	rk_vec_for_each(list, known)
		if (*known == fix)
			return NULL;
	return rk_vec_push(list, fix) ? NULL : rk_err_nomem();
}

/* The number of the last unchanged line before lines.v[i]. */
static uint32_t origin_before(const struct rk_text *text, size_t i)
{
	while (i > 0 && text->lines.v[i - 1].origin == 0)
		i--;
	return i > 0 ? text->lines.v[i - 1].origin : 0;
}

struct rk_err *rk_text_authors(const struct rk_text *text, size_t first, size_t end,
			       struct rk_patch_list *list)
{
	uint32_t before = 0;

	for (size_t i = first; i < end && i < text->lines.nr; i++) {
		const struct rk_text_line *line = &text->lines.v[i];
		RK_TRY(add_author(list, line->by));
		if (!line->origin)
			continue;
		if (!before && i > first)
			before = origin_before(text, first);
		for (uint32_t gone = before + 1; i > first && gone < line->origin; gone++)
			RK_TRY(add_author(list, text->removed_by[gone - 1]));
		before = line->origin;
	}
	return NULL;
}

static bool is_same(const struct rk_text_line *a, const struct rk_text_line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* The gap before lines.v[i]: added lines back to the last kept one, removed originals between the two. */
struct gap {
	size_t first, end;	 /* added: lines.v[first … end - 1] */
	uint32_t removed, after; /* removed originals: numbers removed … after - 1 */
};

/* The next gap at or behind *pos that holds anything; false at the end. */
static bool next_gap(const struct rk_text *text, size_t *pos, struct gap *ret)
{
	for (size_t i = *pos; i <= text->lines.nr; i++) {
		uint32_t before = i > 0 ? text->lines.v[i - 1].origin : 0;
		size_t end = i;

		while (end < text->lines.nr && text->lines.v[end].origin == 0)
			end++;
		uint32_t after =
			end < text->lines.nr ? text->lines.v[end].origin : text->nr_original + 1;
		if (end > i || after > before + 1) {
			*ret = (struct gap){i, end, before + 1, after};
			*pos = end + 1;
			return true;
		}
	}
	return false;
}

void rk_text_settle(struct rk_text *text)
{
	struct gap gap;

	for (size_t pos = 0; next_gap(text, &pos, &gap);) {
		while (gap.first < gap.end && gap.removed < gap.after &&
		       is_same(&text->lines.v[gap.first], &text->original[gap.removed - 1]))
			text->lines.v[gap.first++].origin = gap.removed++;
		while (gap.first < gap.end && gap.removed < gap.after &&
		       is_same(&text->lines.v[gap.end - 1], &text->original[gap.after - 2]))
			text->lines.v[--gap.end].origin = --gap.after;
	}
}

struct rk_err *rk_text_join(const struct rk_text *text, char **ret, size_t *ret_len)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	rk_vec_for_each(&text->lines, line) {
		rk_str_add_bytes(&out, line->text, line->len);
		if (!line->no_newline || line != text->lines.v + text->lines.nr - 1)
			rk_str_add_char(&out, '\n');
	}
	size_t len = out.len;
	RK_TRY(rk_str_take(&out, ret));
	*ret_len = len;
	return NULL;
}

struct rk_line_ranges {
	struct rk_line_range *v;
	size_t nr, cap;
};

/* The original's lines that stand for the gap. */
static struct rk_line_range range_of(const struct rk_text *text, const struct gap *gap)
{
	struct rk_line_range range = {.first = gap->removed, .last = gap->after - 1};

	if (gap->after != gap->removed)
		return range;
	/* a pure insertion */
	range.first = gap->removed > 1 ? gap->removed - 1 : 1;
	range.last = gap->after <= text->nr_original ? gap->after : text->nr_original;
	if (range.last < range.first)
		range.last = range.first;
	return range;
}

static struct rk_err *add_range(const struct rk_text *text, const struct gap *gap,
				struct rk_arena *arena, struct rk_line_ranges *ranges)
{
	struct rk_line_range range = range_of(text, gap);
	_cleanup_patch_list_ struct rk_patch_list authors = {};

	for (size_t i = gap->first; i < gap->end; i++)
		RK_TRY(add_author(&authors, text->lines.v[i].by));
	for (uint32_t gone = gap->removed; gone < gap->after; gone++)
		RK_TRY(add_author(&authors, text->removed_by[gone - 1]));
	range.nr_fixes = authors.nr;
	range.fixes = authors.nr
			      ? rk_arena_memdup(arena, authors.v, authors.nr * sizeof(*authors.v))
			      : NULL;
	if ((authors.nr && !range.fixes) || !rk_vec_push(ranges, range))
		return rk_err_nomem();
	return NULL;
}

struct rk_err *rk_text_ranges(const struct rk_text *text, struct rk_arena *arena,
			      struct rk_line_range **ret, size_t *ret_nr)
{
	struct rk_line_ranges ranges = {};
	struct rk_err *err = NULL;
	struct rk_line_range *out;
	struct gap gap;

	for (size_t pos = 0; !err && next_gap(text, &pos, &gap);)
		err = add_range(text, &gap, arena, &ranges);
	out = rk_arena_calloc(arena, ranges.nr + 1, sizeof(*out));
	if (!err && !out)
		err = rk_err_nomem();
	if (!err) {
		if (ranges.nr)
			memcpy(out, ranges.v, ranges.nr * sizeof(*out));
		*ret = out;
		*ret_nr = ranges.nr;
	}
	rk_vec_deinit(&ranges);
	return err;
}
