/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where what a fix doesn't compile without can't be had either, the hunks that ask for it are those of another change to the same
 * file: they are left out, by the word that nobody declares.
 */
#include <string.h>

#include "bench/coverage/coverage.h"

static const char *next_line(const char *p)
{
	const char *end = strchr(p, '\n');
	return end ? end + 1 : p + strlen(p);
}

static const char *end_of_hunk(const char *p)
{
	for (p = next_line(p); *p && !rk_has_prefix(p, "@@ ");)
		p = next_line(p);
	return p;
}

static bool line_has(const char *line, const struct cov_paths *words)
{
	_cleanup_free_ char *text = strndup(line, (size_t)(next_line(line) - line));

	rk_vec_for_each(&words->list, word)
		if (text && cov_has_word(text, *word))
			return true;
	return false;
}

static bool adds_any(const char *hunk, const char *end, const struct cov_paths *words)
{
	for (const char *p = next_line(hunk); p < end; p = next_line(p))
		if (*p == '+' && line_has(p + 1, words))
			return true;
	return false;
}

struct rk_err *cov_leave_out(const char *diff, const struct cov_paths *words, struct rk_str *patch)
{
	const char *hunk = rk_has_prefix(diff, "@@ ") ? diff : strstr(diff, "\n@@ ");
	bool is_headed = false;

	if (!hunk)
		return NULL;
	hunk += *hunk == '\n';
	for (const char *p = hunk; *p;) {
		const char *end = end_of_hunk(p);
		if (!adds_any(p, end, words)) {
			if (!is_headed)
				rk_str_add_bytes(patch, diff, (size_t)(hunk - diff));
			is_headed = true;
			rk_str_add_bytes(patch, p, (size_t)(end - p));
		}
		p = end;
	}
	return rk_str_check(patch);
}
