/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a unified diff. The counts in a hunk's header decide what belongs to it, never the look of a line: the "-- " of
 * a mail signature and a removed line "- " differ in nothing else. Everything outside file headers and hunks is
 * text for the header parser.
 */
#include "lib/source/patch_file.h"

#include <limits.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/source/internal.h"

#define PATCH_MAX_BYTES (64u << 20) /* a whole stable release's diff has less */
#define PATCH_MAX_FILES 10000
#define LINE_NUMBER_MAX 100000000u /* far beyond any source file; keeps sums inside 32 bits */

struct parser {
	const char *name; /* of the patch, for messages */
	struct rk_patch_file *patch;
	struct rk_metadata_parser header;
	bool strip_cr;
	/* the current line; next is where the one after it begins */
	const char *line, *next, *end;
	size_t len;
	uint32_t nr;
};

static struct rk_err *bad(const struct parser *p, enum rk_err_code code, const char *what)
{
	return rk_err(code, "'%s' line %u: %s", p->name, p->nr, what);
}

static bool at_end(const struct parser *p)
{
	return !p->line;
}

static void advance(struct parser *p)
{
	p->nr++;
	if (p->next >= p->end) {
		p->line = NULL;
		p->len = 0;
		return;
	}
	const char *newline = memchr(p->next, '\n', (size_t)(p->end - p->next));
	const char *stop = newline ? newline : p->end;

	p->line = p->next;
	p->len = (size_t)(stop - p->line);
	p->next = newline ? newline + 1 : p->end;
	if (p->strip_cr && p->len > 0 && p->line[p->len - 1] == '\r')
		p->len--;
}

static bool starts(const char *line, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && memcmp(line, prefix, n) == 0;
}

static bool is_at(const struct parser *p, const char *prefix)
{
	return p->line && starts(p->line, p->len, prefix);
}

/* Does the line after the current one begin with prefix? */
static bool is_next(const struct parser *p, const char *prefix)
{
	return p->line && starts(p->next, (size_t)(p->end - p->next), prefix);
}

static struct rk_err *check_name(const struct parser *p, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || name[0] == '"')
		return bad(p, RK_ERR_FORMAT, "a file name that is empty or quoted");
	if (len >= PATH_MAX)
		return bad(p, RK_ERR_LIMIT, "a file name that is too long");
	if (name[0] == '/')
		return rk_err(RK_ERR_FORMAT, "'%s' line %u: absolute path '%s'", p->name, p->nr,
			      name);
	for (const char *s = name; *s;) {
		size_t n = strcspn(s, "/");

		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return rk_err(RK_ERR_FORMAT, "'%s' line %u: path '%s' is not a plain one",
				      p->name, p->nr, name);
		s += n;
		if (*s == '/' && !*++s)
			return rk_err(RK_ERR_FORMAT, "'%s' line %u: path '%s' is a directory",
				      p->name, p->nr, name);
	}
	return NULL;
}

static const char *strip_first(const char *name)
{
	const char *slash = name ? strchr(name, '/') : NULL;

	return slash ? slash + 1 : name;
}

/* A name out of the patch: checked, in the arena; NULL for /dev/null. */
static struct rk_err *take_name(struct parser *p, const char *s, size_t len, const char **ret)
{
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\r'))
		len--;
	if (len == strlen("/dev/null") && memcmp(s, "/dev/null", len) == 0) {
		*ret = NULL;
		return NULL;
	}
	char *name = rk_arena_strndup(&p->patch->arena, s, len);
	if (!name)
		return rk_err_nomem();
	/* "./net/x.c", as diff -r writes it */
	while (rk_has_prefix(name, "./"))
		name += 2;
	RK_TRY(check_name(p, name));
	*ret = name;
	return NULL;
}

/* The name behind "--- " or "+++ ": up to the tab before the date, if there is one. */
static struct rk_err *header_name(struct parser *p, const char **ret)
{
	const char *s = p->line + 4;
	size_t len = p->len - 4;
	const char *tab = memchr(s, '\t', len);

	return take_name(p, s, tab ? (size_t)(tab - s) : len, ret);
}

static bool parse_number(const char **s, const char *end, uint32_t *ret)
{
	const char *start = *s;
	uint64_t value = 0;

	while (*s < end && **s >= '0' && **s <= '9' && value <= LINE_NUMBER_MAX)
		value = value * 10 + (uint64_t)(*(*s)++ - '0');
	if (*s == start || value > LINE_NUMBER_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* "12" or "12,7" */
static bool parse_range(const char **s, const char *end, uint32_t *ret_start, uint32_t *ret_count)
{
	uint32_t count = 1;

	if (!parse_number(s, end, ret_start))
		return false;
	if (*s < end && **s == ',') {
		(*s)++;
		if (!parse_number(s, end, &count))
			return false;
	}
	*ret_count = count;
	return true;
}

/* "@@ -10,7 +10,8 @@ function" */
static bool parse_hunk_header(const struct parser *p, struct rk_hunk *hunk)
{
	const char *s = p->line + strlen("@@ -"), *end = p->line + p->len;

	if (!parse_range(&s, end, &hunk->old_start, &hunk->old_count))
		return false;
	if (end - s < 2 || s[0] != ' ' || s[1] != '+')
		return false;
	s += 2;
	if (!parse_range(&s, end, &hunk->new_start, &hunk->new_count))
		return false;
	/* An empty range names the line before it, any other counts from 1. */
	if ((hunk->old_count && !hunk->old_start) || (hunk->new_count && !hunk->new_start))
		return false;
	return end - s >= 3 && memcmp(s, " @@", 3) == 0;
}

static struct rk_err *no_newline_marker(struct parser *p, struct rk_hunk *hunk)
{
	while (is_at(p, "\\ ")) {
		if (hunk->lines.nr == 0)
			return bad(p, RK_ERR_FORMAT, "nothing before the end-of-file marker");
		hunk->lines.v[hunk->lines.nr - 1].no_newline = true;
		advance(p);
	}
	return NULL;
}

static struct rk_err *hunk_body(struct parser *p, struct rk_hunk *hunk)
{
	uint32_t old_left = hunk->old_count, new_left = hunk->new_count;

	while (old_left || new_left) {
		if (at_end(p))
			return rk_err(RK_ERR_FORMAT,
				      "'%s' line %u: the patch ends inside the hunk of line %u",
				      p->name, p->nr, hunk->line);
		/* Mailers strip the space of an empty context line. */
		struct rk_patch_line line = {.kind = ' ', .text = p->line};
		if (p->len > 0) {
			line.kind = p->line[0];
			line.text = p->line + 1;
			line.len = p->len - 1;
		}
		if (line.kind != ' ' && line.kind != '+' && line.kind != '-')
			return rk_err(
				RK_ERR_FORMAT,
				"'%s' line %u: not a line of a diff, but the hunk of line %u isn't complete",
				p->name, p->nr, hunk->line);
		if ((line.kind != '+' && !old_left) || (line.kind != '-' && !new_left))
			return rk_err(
				RK_ERR_FORMAT,
				"'%s' line %u: the hunk of line %u has other lines than its header counts",
				p->name, p->nr, hunk->line);
		old_left -= line.kind != '+';
		new_left -= line.kind != '-';
		if (!rk_vec_push(&hunk->lines, line))
			return rk_err_nomem();
		advance(p);
		RK_TRY(no_newline_marker(p, hunk));
	}
	return NULL;
}

/* A hunk's header may count too few lines when it was edited by hand: what follows then looks like more of it. */
static struct rk_err *check_hunk_end(const struct parser *p, const struct rk_hunk *hunk)
{
	if (at_end(p) || p->len == 0 || is_at(p, "--- ") || (is_at(p, "--") && p->len <= 3))
		return NULL;
	if (p->line[0] == '+' || p->line[0] == '-')
		return rk_err(
			RK_ERR_FORMAT,
			"'%s' line %u: the hunk of line %u has more lines than its header counts",
			p->name, p->nr, hunk->line);
	return NULL;
}

static struct rk_err *parse_hunks(struct parser *p, struct rk_file_change *change)
{
	while (is_at(p, "@@ -")) {
		struct rk_hunk hunk = {.line = p->nr};

		if (!parse_hunk_header(p, &hunk))
			return bad(p, RK_ERR_FORMAT, "the hunk's header is malformed");
		/* In the change first: whatever happens, its lines are freed with the patch. */
		if (!rk_vec_push(&change->hunks, hunk))
			return rk_err_nomem();
		struct rk_hunk *last = &change->hunks.v[change->hunks.nr - 1];
		advance(p);
		RK_TRY(hunk_body(p, last));
		RK_TRY(check_hunk_end(p, last));
	}
	return NULL;
}

/* A diff without git's own words says by a lone empty range that a file is new or deleted. */
static void note_empty_sides(struct rk_file_change *change)
{
	if (change->hunks.nr == 1) {
		const struct rk_hunk *hunk = &change->hunks.v[0];

		change->is_new = change->is_new || (!hunk->old_count && !hunk->old_start);
		change->is_delete = change->is_delete || (!hunk->new_count && !hunk->new_start);
	}
	change->is_new = change->is_new || !change->old_name;
	change->is_delete = change->is_delete || !change->new_name;
}

/* "--- a/x", "+++ b/x" and the hunks; names of git's own header lines are kept where there are any. */
static struct rk_err *parse_names_and_hunks(struct parser *p, struct rk_file_change *change)
{
	const char *old_name, *new_name;

	RK_TRY(header_name(p, &old_name));
	advance(p);
	RK_TRY(header_name(p, &new_name));
	advance(p);
	if (!old_name && !new_name)
		return bad(p, RK_ERR_FORMAT, "both sides of the change are /dev/null");
	change->old_name = old_name;
	change->new_name = new_name;
	if (!is_at(p, "@@ -"))
		return bad(p, RK_ERR_FORMAT, "a hunk ('@@ -…') must follow the file's header");
	RK_TRY(parse_hunks(p, change));
	note_empty_sides(change);
	return NULL;
}

/* Halves of "a/x b/x" are equal behind their first directory: that is the only way to tell names with spaces. */
static struct rk_err *git_names(struct parser *p, struct rk_file_change *change)
{
	const char *s = p->line + strlen("diff --git ");
	size_t len = p->len - strlen("diff --git ");

	for (size_t i = 1; i + 1 < len; i++) {
		size_t n = len - i - 1;
		const char *slash_a = memchr(s, '/', i), *slash_b = memchr(s + i + 1, '/', n);
		if (s[i] != ' ' || !slash_a || !slash_b)
			continue;
		size_t rest = (size_t)(s + i - slash_a);
		if (rest != (size_t)(s + len - slash_b) || memcmp(slash_a, slash_b, rest) != 0)
			continue;
		RK_TRY(take_name(p, s, i, &change->old_name));
		return take_name(p, s + i + 1, n, &change->new_name);
	}
	return NULL; /* a rename, or without prefixes: the names come from the lines that follow */
}

static struct rk_err *check_mode(const struct parser *p)
{
	const char *mode = p->line + p->len;

	while (mode > p->line && mode[-1] != ' ')
		mode--;
	if (p->line + p->len - mode == 6 && memcmp(mode, "100", 3) != 0)
		return bad(p, RK_ERR_UNSUPPORTED, "symbolic links and submodules can't be patched");
	return NULL;
}

static struct rk_err *git_extended_line(struct parser *p, struct rk_file_change *change,
					bool *ret_known)
{
	const char *rename_from = "rename from ", *rename_to = "rename to ";

	*ret_known = true;
	if (is_at(p, "new file mode ")) {
		change->is_new = true;
		return check_mode(p);
	}
	if (is_at(p, "deleted file mode ")) {
		change->is_delete = true;
		return check_mode(p);
	}
	if (is_at(p, rename_from)) {
		change->is_rename = true;
		return take_name(p, p->line + strlen(rename_from), p->len - strlen(rename_from),
				 &change->old_path);
	}
	if (is_at(p, rename_to))
		return take_name(p, p->line + strlen(rename_to), p->len - strlen(rename_to),
				 &change->new_path);
	if (is_at(p, "copy from ") || is_at(p, "copy to "))
		return bad(p, RK_ERR_UNSUPPORTED,
			   "copies of files can't be read; use git diff without -C");
	if (is_at(p, "GIT binary patch") || is_at(p, "Binary files "))
		return bad(p, RK_ERR_UNSUPPORTED, "binary patches can't be read");
	*ret_known = is_at(p, "old mode ") || is_at(p, "new mode ") || is_at(p, "similarity ") ||
		     is_at(p, "dissimilarity ") || is_at(p, "index ");
	return NULL;
}

/* git's rename lines name the paths without a/ and b/; the --- and +++ lines have them. */
static void settle_rename(struct rk_file_change *change)
{
	change->is_new = change->is_delete = false;
	if (!change->old_name || !change->new_name) {
		change->old_name = change->old_path;
		change->new_name = change->new_path;
	}
}

static struct rk_err *parse_git_section(struct parser *p, struct rk_file_change *change,
					bool *ret_is_change)
{
	bool known = true;

	RK_TRY(git_names(p, change));
	advance(p);
	while (!at_end(p) && known) {
		RK_TRY(git_extended_line(p, change, &known));
		if (known)
			advance(p);
	}
	if (is_at(p, "--- ") && is_next(p, "+++ "))
		RK_TRY(parse_names_and_hunks(p, change));
	if (change->is_rename) {
		if (!change->old_path || !change->new_path)
			return bad(p, RK_ERR_FORMAT,
				   "a rename needs both 'rename from' and 'rename to'");
		settle_rename(change);
	}
	if (change->is_new)
		change->old_name = NULL;
	if (change->is_delete)
		change->new_name = NULL;
	*ret_is_change =
		change->hunks.nr || change->is_rename || change->is_new || change->is_delete;
	if (*ret_is_change && !change->old_name && !change->new_name)
		return bad(p, RK_ERR_FORMAT, "the change names no file");
	return NULL;
}

static void change_deinit(struct rk_file_change *change)
{
	rk_vec_for_each(&change->hunks, hunk)
		rk_vec_deinit(&hunk->lines);
	rk_vec_deinit(&change->hunks);
}

static struct rk_err *parse_file(struct parser *p)
{
	struct rk_file_change change = {.line = p->nr};
	bool is_change = true;
	struct rk_err *err = is_at(p, "diff --git ") ? parse_git_section(p, &change, &is_change)
						     : parse_names_and_hunks(p, &change);

	if (!err && is_change && p->patch->files.nr >= PATCH_MAX_FILES)
		err = bad(p, RK_ERR_LIMIT, "too many files in one patch");
	if (!err && !change.is_rename) {
		change.old_path = strip_first(change.old_name);
		change.new_path = strip_first(change.new_name);
	}
	if (!err && is_change && !rk_vec_push(&p->patch->files, change))
		err = rk_err_nomem();
	if (err || !is_change)
		change_deinit(&change);
	return err;
}

static struct rk_err *parse_patch(struct parser *p)
{
	bool in_header = true;

	for (advance(p); !at_end(p);) {
		if (is_at(p, "diff --git ") || (is_at(p, "--- ") && is_next(p, "+++ "))) {
			in_header = false;
			RK_TRY(parse_file(p));
			continue;
		}
		if (is_at(p, "@@ -"))
			return bad(p, RK_ERR_FORMAT,
				   "a hunk without the names of its file ('---', '+++')");
		if (is_at(p, "diff --cc ") || is_at(p, "diff --combined "))
			return bad(p, RK_ERR_UNSUPPORTED, "combined diffs of merges can't be read");
		if (is_at(p, "Binary files ") && p->len > 7 &&
		    memcmp(p->line + p->len - 7, " differ", 7) == 0)
			return bad(p, RK_ERR_UNSUPPORTED, "binary patches can't be read");
		RK_TRY(in_header ? rk_metadata_line(&p->header, p->line, p->len)
				 : rk_metadata_text(&p->header, p->line, p->len));
		advance(p);
	}
	if (p->patch->files.nr == 0)
		return rk_err(RK_ERR_FORMAT, "'%s': no unified diff in it", p->name);
	return rk_metadata_finish(&p->header);
}

/* Do all lines from the first file header on end in CR LF? */
static bool is_crlf(const char *data, size_t len)
{
	const char *end = data + len, *s = data;
	bool in_diff = false, any = false;

	while (s < end) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		const char *stop = newline ? newline : end;
		size_t n = (size_t)(stop - s);

		in_diff = in_diff || starts(s, n, "diff --git ") || starts(s, n, "--- ");
		if (in_diff && newline) {
			if (n == 0 || stop[-1] != '\r')
				return false;
			any = true;
		}
		s = stop + 1;
	}
	return any;
}

/* "debian/0001-fix.patch" → "0001-fix" */
static struct rk_err *name_fix(struct rk_patch_file *patch)
{
	const char *slash = strrchr(patch->path, '/'), *name = slash ? slash + 1 : patch->path;
	size_t len = strlen(name);

	if (rk_has_suffix(name, ".patch"))
		len -= strlen(".patch");
	else if (rk_has_suffix(name, ".diff"))
		len -= strlen(".diff");
	patch->metadata.name = rk_arena_strndup(&patch->arena, name, len);
	return patch->metadata.name ? NULL : rk_err_nomem();
}

struct rk_err *rk_patch_file_parse(const char *name, const char *data, size_t len,
				   struct rk_patch_file **ret)
{
	if (len > PATCH_MAX_BYTES)
		return rk_err(RK_ERR_LIMIT, "'%s' is larger than %u MiB", name,
			      PATCH_MAX_BYTES >> 20);
	if (memchr(data, '\0', len))
		return rk_err(RK_ERR_FORMAT, "'%s' holds NUL bytes: not a source patch", name);

	struct rk_patch_file *patch = calloc(1, sizeof(*patch));
	if (!patch)
		return rk_err_nomem();
	rk_arena_init(&patch->arena);
	patch->path = rk_arena_strdup(&patch->arena, name);
	const char *copy = rk_arena_strndup(&patch->arena, data, len);

	struct rk_err *err = patch->path && copy ? name_fix(patch) : rk_err_nomem();
	if (!err)
		err = rk_sha256_bytes(data, len, patch->sha256);
	if (!err) {
		struct parser p = {
			.name = name,
			.patch = patch,
			.header = {.arena = &patch->arena, .metadata = &patch->metadata},
			.strip_cr = is_crlf(copy, len),
			.next = copy,
			.end = copy + len,
		};
		err = parse_patch(&p);
		rk_metadata_parser_deinit(&p.header);
	}
	if (err) {
		rk_patch_file_free(patch);
		return err;
	}
	*ret = patch;
	return NULL;
}

static const char *strip(const char *name, unsigned int levels)
{
	for (; name && levels > 0; levels--) {
		const char *slash = strchr(name, '/');
		name = slash ? slash + 1 : NULL;
		while (name && *name == '/')
			name++;
	}
	return name && *name ? name : NULL;
}

struct rk_err *rk_patch_file_strip(struct rk_patch_file *patch, unsigned int levels)
{
	rk_vec_for_each(&patch->files, change) {
		if (change->is_rename)
			continue; /* git writes these names without a leading directory */
		const char *old_path = strip(change->old_name, levels);
		const char *new_path = strip(change->new_name, levels);
		if ((change->old_name && !old_path) || (change->new_name && !new_path))
			return rk_err(RK_ERR_FORMAT,
				      "'%s' line %u: '%s' has fewer than %u directories to strip",
				      patch->path, change->line,
				      change->old_name ? change->old_name : change->new_name,
				      levels);
		change->old_name = change->old_path = old_path;
		change->new_name = change->new_path = new_path;
	}
	return NULL;
}

struct rk_err *rk_patch_file_read(const char *path, struct rk_patch_file **ret)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	RK_TRY(rk_fs_read(path, PATCH_MAX_BYTES, &data, &len));
	return rk_patch_file_parse(path, data, len, ret);
}

void rk_patch_file_free(struct rk_patch_file *patch)
{
	if (!patch)
		return;
	rk_vec_for_each(&patch->files, change)
		change_deinit(change);
	rk_vec_deinit(&patch->files);
	rk_fix_metadata_deinit(&patch->metadata);
	rk_arena_deinit(&patch->arena);
	free(patch);
}
