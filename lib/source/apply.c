/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applying a diff to a file: every line of a hunk's old side must be there (no fuzz: a live patch is no place for
 * guesses), at its number or, when other patches moved it, at the nearest place that agrees. A hunk that
 * has no such place is reported with the place that comes closest.
 */
#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/internal.h"

#define SCORE_WORK_MAX 200000000u /* comparisons spent on looking for the nearest match */
#define QUOTE_MAX      60	  /* bytes of a source line in a message */

/* One side of a hunk, or where it is looked for: lines by number. */
struct side {
	const struct rk_patch_line **lines;
	size_t nr;
};

static struct rk_err *side_init(const struct rk_hunk *hunk, char without, struct side *ret)
{
	struct side side = {.lines = calloc(hunk->lines.nr + 1, sizeof(*side.lines))};

	if (!side.lines)
		return rk_err_nomem();
	rk_vec_for_each(&hunk->lines, line) {
		if (line->kind != without)
			side.lines[side.nr++] = line;
	}
	*ret = side;
	return NULL;
}

static void side_deinit(struct side *side)
{
	free(side->lines);
}

#define _cleanup_side_ _cleanup_(side_deinit)

static bool line_agrees(const struct rk_text_line *have, const struct rk_patch_line *want)
{
	return have->len == want->len && memcmp(have->text, want->text, want->len) == 0;
}

static bool agrees_at(const struct rk_text *text, const struct side *side, size_t at)
{
	for (size_t i = 0; i < side->nr; i++) {
		if (!line_agrees(&text->lines.v[at + i], side->lines[i]))
			return false;
		/* The side ends the file, so the place must. */
		if (side->lines[i]->no_newline && at + i + 1 != text->lines.nr)
			return false;
	}
	return true;
}

/* The place nearest to expected, at or behind first, where side agrees: index of its first line. */
static bool find(const struct rk_text *text, const struct side *side, size_t first, size_t expected,
		 size_t *ret)
{
	if (side->nr > text->lines.nr)
		return false;

	size_t last = text->lines.nr - side->nr;
	if (side->nr == 0) { /* nothing to look for: only the number says where */
		if (expected < first || expected > last)
			return false;
		*ret = expected;
		return true;
	}
	if (first > last)
		return false;
	size_t from = expected < first ? first : expected > last ? last : expected;
	for (size_t distance = 0; distance <= last - first; distance++) {
		if (from + distance <= last && agrees_at(text, side, from + distance)) {
			*ret = from + distance;
			return true;
		}
		if (from >= first + distance && agrees_at(text, side, from - distance)) {
			*ret = from - distance;
			return true;
		}
	}
	return false;
}

struct nearest {
	size_t at, score;
	size_t differs; /* index in the side of the first line that doesn't agree */
};

static struct nearest score_at(const struct rk_text *text, const struct side *side, size_t at)
{
	struct nearest n = {.at = at, .differs = side->nr};

	for (size_t i = 0; i < side->nr; i++) {
		bool agrees = at + i < text->lines.nr &&
			      line_agrees(&text->lines.v[at + i], side->lines[i]);

		n.score += agrees;
		if (!agrees && n.differs == side->nr)
			n.differs = i;
	}
	return n;
}

/* The place where most lines of side agree; of equal ones that nearest to expected. */
static struct nearest find_nearest(const struct rk_text *text, const struct side *side,
				   size_t expected)
{
	size_t nr = text->lines.nr, window = SCORE_WORK_MAX / (side->nr + 1);
	size_t first = expected > window ? expected - window : 0;
	size_t last = expected + window < nr ? expected + window : nr;
	struct nearest best = {};
	size_t best_distance = SIZE_MAX;

	for (size_t at = first; at < last; at++) {
		struct nearest n = score_at(text, side, at);
		size_t distance = at > expected ? at - expected : expected - at;

		if (n.score > best.score || (n.score == best.score && distance < best_distance)) {
			best = n;
			best_distance = distance;
		}
	}
	return best;
}

static void add_quoted(struct rk_str *out, const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	rk_str_add_char(out, '\'');
	rk_str_add_bytes(out, text, len > QUOTE_MAX ? QUOTE_MAX : len);
	rk_str_add(out, len > QUOTE_MAX ? "…'" : "'");
}

static void add_nearest(struct rk_str *out, const struct rk_text *text, const struct side *side,
			size_t expected)
{
	struct nearest n = find_nearest(text, side, expected);

	if (side->nr == 0) {
		rk_str_addf(out, "; the file has %zu lines", text->lines.nr);
		return;
	}
	if (n.score == 0) {
		rk_str_add(out, "; none of its lines is in the file");
		return;
	}
	rk_str_addf(out, "; nearest match at line %zu: %zu of %zu lines agree", n.at + 1, n.score,
		    side->nr);
	if (n.differs == side->nr)
		return;
	rk_str_addf(out, ", first difference at line %zu: the patch has ", n.at + n.differs + 1);
	add_quoted(out, side->lines[n.differs]->text, side->lines[n.differs]->len);
	if (n.at + n.differs < text->lines.nr) {
		const struct rk_text_line *have = &text->lines.v[n.at + n.differs];

		rk_str_add(out, ", the file has ");
		add_quoted(out, have->text, have->len);
	} else {
		rk_str_add(out, ", the file has ended");
	}
}

/* Is the hunk's new side, with something added in it, already there? */
static struct rk_err *is_applied(const struct rk_text *text, const struct rk_hunk *hunk, bool *ret)
{
	_cleanup_side_ struct side new_side = {};
	size_t at;

	RK_TRY(side_init(hunk, '-', &new_side));
	*ret = new_side.nr > 0 && find(text, &new_side, 0, hunk->new_start, &at);
	return NULL;
}

/* Who has changed the lines that the hunk was made for? */
static struct rk_err *add_authors(struct rk_str *out, const struct rk_text *text,
				  const struct side *side, size_t expected)
{
	struct rk_patch_list list = {};
	struct nearest n = find_nearest(text, side, expected);
	size_t first = n.score ? n.at : expected;
	/* one more on both sides: what was taken away lies between lines */
	struct rk_err *err =
		rk_text_authors(text, first ? first - 1 : 0, first + side->nr + 1, &list);

	for (size_t i = 0; i < list.nr && !err; i++)
		rk_str_addf(out, "%s'%s'", i ? ", " : "; these lines were changed before by ",
			    list.v[i]->path);
	rk_vec_deinit(&list);
	return err;
}

static struct rk_err *hunk_error(const struct rk_text *text, const struct rk_patch_file *patch,
				 const struct rk_file_change *change, const struct rk_hunk *hunk,
				 const struct side *old_side, const char *path)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	bool applied;

	RK_TRY(is_applied(text, hunk, &applied));
	rk_str_addf(&out, "'%s': hunk %zu (@@ -%u,%u +%u,%u @@) doesn't apply to '%s'", patch->path,
		    (size_t)(hunk - change->hunks.v) + 1, hunk->old_start, hunk->old_count,
		    hunk->new_start, hunk->new_count, path);
	size_t expected = hunk->old_start ? hunk->old_start - 1 : 0;
	if (applied)
		rk_str_add(&out, "; it is already applied");
	else
		add_nearest(&out, text, old_side, expected);
	RK_TRY(add_authors(&out, text, old_side, expected));
	RK_TRY(rk_str_check(&out));
	return rk_err(RK_ERR_PATCH, "%s", rk_str_get(&out));
}

static struct rk_err *push_line(struct rk_text *out, struct rk_text_line line)
{
	return rk_vec_push(&out->lines, line) ? NULL : rk_err_nomem();
}

/* Appends the hunk's outcome at text's line at to out. */
static struct rk_err *apply_hunk(const struct rk_text *text, const struct rk_patch_file *patch,
				 const struct rk_hunk *hunk, size_t at, struct rk_text *out)
{
	rk_vec_for_each(&hunk->lines, line) {
		if (line->kind == '+')
			RK_TRY(push_line(out,
					 (struct rk_text_line){.text = line->text,
							       .len = (uint32_t)line->len,
							       .by = patch,
							       .no_newline = line->no_newline}));
		else if (line->kind == ' ')
			RK_TRY(push_line(out, text->lines.v[at++]));
		else
			at++;
	}
	return NULL;
}

static struct rk_err *apply_all(const struct rk_text *text, const struct rk_patch_file *patch,
				const struct rk_file_change *change, const char *path,
				struct rk_text *out)
{
	size_t done = 0; /* lines of text that are in out, or gone */
	ssize_t moved = 0;

	rk_vec_for_each(&change->hunks, hunk) {
		_cleanup_side_ struct side old_side = {};
		RK_TRY(side_init(hunk, '+', &old_side));

		/* An empty old side names the line before it. */
		ssize_t start = (ssize_t)hunk->old_start - (hunk->old_count ? 1 : 0);
		size_t expected = start + moved > 0 ? (size_t)(start + moved) : 0, at;
		if (!find(text, &old_side, done, expected, &at))
			return hunk_error(text, patch, change, hunk, &old_side, path);
		while (done < at)
			RK_TRY(push_line(out, text->lines.v[done++]));
		RK_TRY(apply_hunk(text, patch, hunk, at, out));
		RK_TRY(rk_text_authors(text, at, at + old_side.nr, &out->needed));
		done = at + old_side.nr;
		moved = (ssize_t)at - start;
	}
	while (done < text->lines.nr)
		RK_TRY(push_line(out, text->lines.v[done++]));
	return NULL;
}

/* Unchanged lines that were in text and aren't in out any more. */
static void note_removed(struct rk_text *text, const struct rk_text *out,
			 const struct rk_patch_file *patch)
{
	size_t i = 0;

	rk_vec_for_each(&text->lines, line) {
		if (!line->origin)
			continue;
		while (i < out->lines.nr && out->lines.v[i].origin < line->origin)
			i++;
		if (i == out->lines.nr || out->lines.v[i].origin != line->origin)
			text->removed_by[line->origin - 1] = patch;
	}
}

struct rk_err *rk_text_apply(struct rk_text *text, const struct rk_patch_file *patch,
			     const struct rk_file_change *change, const char *path)
{
	struct rk_text out = {};
	struct rk_err *err = apply_all(text, patch, change, path, &out);

	if (err) {
		rk_vec_deinit(&out.lines);
		rk_vec_deinit(&out.needed);
		return err;
	}
	note_removed(text, &out, patch);
	rk_vec_deinit(&text->needed);
	text->needed = out.needed;
	rk_vec_deinit(&text->lines);
	text->lines.v = out.lines.v;
	text->lines.nr = out.lines.nr;
	text->lines.cap = out.lines.cap;
	return NULL;
}
