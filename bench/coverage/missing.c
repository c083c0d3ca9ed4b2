/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fix cut by files may use what another part of the update declares. The compiler names what it doesn't know; the file whose
 * difference adds that word is the one to carry along: a header that code here can include, or, for a function
 * nobody defines, the C file that does.
 */
#include <ctype.h>
#include <string.h>

#include "bench/coverage/coverage.h"

#define WORD_MAX 128

/* Quotation marks of compiler and linker: ', ` and, as UTF-8, U+2018 and U+2019. Its length, 0 if there is none at p. */
static size_t quote_at(const char *p)
{
	if (*p == '\'' || *p == '`')
		return 1;
	return strncmp(p, "\xe2\x80\x98", 3) == 0 || strncmp(p, "\xe2\x80\x99", 3) == 0 ? 3 : 0;
}

static bool is_tag(const char *word, size_t len)
{
	static const char *const tags[] = {"struct", "union", "enum"};

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (len == strlen(tags[i]) && memcmp(word, tags[i], len) == 0)
			return true;
	return false;
}

static const char *end_of_word(const char *p)
{
	while (cov_is_word_char(*p))
		p++;
	return p;
}

/* The name that is quoted from p on, "sock" for "struct sock"; empty for anything else: a type, an expression. Returns what is
 * behind it. */
static const char *read_quoted(const char *p, char word[WORD_MAX])
{
	const char *end = end_of_word(p);

	word[0] = '\0';
	if (*end == ' ' && is_tag(p, (size_t)(end - p))) {
		p = end + 1;
		end = end_of_word(p);
	}
	size_t len = (size_t)(end - p);
	if (quote_at(end) && len < WORD_MAX && !isdigit((unsigned char)*p)) {
		memcpy(word, p, len);
		word[len] = '\0';
	}
	while (*end && *end != '\n' && !quote_at(end))
		end++;
	return end + quote_at(end);
}

static int rank_of(const char *path, bool wants_definition)
{
	if (rk_has_suffix(path, ".c"))
		return wants_definition ? 0 : -1;
	if (rk_has_prefix(path, "include/") || rk_has_prefix(path, "arch/x86/include/"))
		return 1;
	return rk_has_prefix(path, "tools/") ? -1 : 2;
}

static struct rk_err *add_files_with(const struct cov_trees *trees, const char *word,
				     bool wants_definition, struct cov_paths *ret)
{
	for (int rank = 0; rank < 3; rank++) {
		rk_vec_for_each(&trees->changed, path) {
			bool adds = false;
			if (rank_of(*path, wants_definition) != rank)
				continue;
			RK_TRY(cov_trees_adds_word(trees, *path, word, rank == 0, &adds));
			if (adds && !rk_vec_push(&ret->list, *path))
				return rk_err_nomem();
		}
	}
	return NULL;
}

/* The names that one line quotes. */
struct quoted {
	char words[8][WORD_MAX];
	size_t nr;
	bool undefined; /* they have a declaration, but no definition */
};

static struct quoted quoted_in(const char *line, size_t len)
{
	struct quoted q = {};

	for (const char *p = line; p < line + len && q.nr < ARRAY_SIZE(q.words);) {
		q.undefined |= strncmp(p, "undefined reference", 19) == 0;
		size_t quote = quote_at(p);
		p = quote ? read_quoted(p + quote, q.words[q.nr]) : p + 1;
		q.nr += quote && q.words[q.nr][0];
	}
	return q;
}

/* The last one first, since "'struct a' has no member named 'b'" is about b. */
static struct rk_err *take_line(const struct cov_trees *trees, const char *line, size_t len,
				struct cov_paths *ret)
{
	struct quoted q = quoted_in(line, len);

	while (q.nr-- > 0)
		RK_TRY(add_files_with(trees, q.words[q.nr], q.undefined, ret));
	return NULL;
}

static bool is_complaint(const char *line, size_t len)
{
	static const char *const marks[] = {"error: ", "implicit declaration",
					    "undefined reference"};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (memmem(line, len, marks[i], strlen(marks[i])))
			return true;
	return false;
}

static int compare_path(const void *key, const void *entry)
{
	return strcmp(key, *(const char *const *)entry);
}

/*
 * A header that is carried along may reach units that the update changed with it (net/packet/internal.h and diag.c): the one that
 * doesn't compile any more comes along too.
 */
static struct rk_err *add_broken_unit(const struct cov_trees *trees, const char *message,
				      struct cov_paths *ret)
{
	const char *end = strstr(message, "' doesn't compile");
	const char *start = end ? memrchr(message, '\'', (size_t)(end - message)) : NULL;

	if (!start || !trees->changed.nr)
		return NULL;
	_cleanup_free_ char *unit = strndup(start + 1, (size_t)(end - start - 1));
	if (!unit)
		return rk_err_nomem();
	const char **found = bsearch(unit, trees->changed.v, trees->changed.nr,
				     sizeof(*trees->changed.v), compare_path);
	return !found || rk_vec_push(&ret->list, *found) ? NULL : rk_err_nomem();
}

struct rk_err *cov_missing_declarations(const struct cov_trees *trees, const char *message,
					struct cov_paths *ret)
{
	struct cov_paths found = {};
	struct rk_err *err = add_broken_unit(trees, message, &found);

	for (const char *line = message; *line && !err;) {
		size_t len = strcspn(line, "\n");
		/* the line that names the fix and the compiler's first complaint is one */
		if (is_complaint(line, len))
			err = take_line(trees, line, len, &found);
		line += len + (line[len] == '\n');
	}
	if (err) {
		rk_vec_deinit(&found.list);
		return err;
	}
	*ret = found;
	return NULL;
}

static struct rk_err *fix_adds(const struct cov_trees *trees, const struct cov_fix *fix,
			       const char *word, bool *ret)
{
	*ret = false;
	for (size_t i = 0; i < fix->files.nr && !*ret; i++)
		if (rk_has_suffix(fix->files.v[i], ".c"))
			RK_TRY(cov_trees_adds_word(trees, fix->files.v[i], word, false, ret));
	return NULL;
}

struct rk_err *cov_unknown_word(const struct cov_trees *trees, const struct cov_fix *fix,
				const char *message, char **ret)
{
	*ret = NULL;
	for (const char *line = message; *line;) {
		size_t len = strcspn(line, "\n");
		struct quoted q = {};
		if (is_complaint(line, len))
			q = quoted_in(line, len);
		for (size_t i = 0; i < q.nr; i++) {
			bool adds;
			RK_TRY(fix_adds(trees, fix, q.words[i], &adds));
			if (!adds)
				continue;
			*ret = strdup(q.words[i]);
			return *ret ? NULL : rk_err_nomem();
		}
		line += len + (line[len] == '\n');
	}
	return NULL;
}
