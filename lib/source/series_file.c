/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quilt's series file as data: one patch a line, each with its options. */
#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/series.h"

#define SERIES_BYTES_MAX (4u << 20)
#define SERIES_LINES_MAX 20000 /* a whole major release of the kernel has fewer commits */
#define STRIP_MAX	 64

void rk_series_lines_deinit(struct rk_series_lines *lines)
{
	rk_vec_deinit(&lines->list);
	rk_arena_deinit(&lines->arena);
}

/* The next word of the line s … end at *s; NULL at its end or before a comment. */
static const char *next_word(const char **s, const char *end, size_t *ret_len)
{
	const char *p = *s;

	while (p < end && isspace((unsigned char)*p))
		p++;
	if (p == end || *p == '#')
		return NULL;
	const char *word = p;
	while (p < end && !isspace((unsigned char)*p))
		p++;
	*ret_len = (size_t)(p - word);
	*s = p;
	return word;
}

static struct rk_err *take_option(const char *name, const char *word, size_t len,
				  struct rk_series_line *line)
{
	if (len == 2 && memcmp(word, "-R", 2) == 0)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s' line %u: a reversed patch (-R) can't be read; reverse the file",
			      name, line->line);
	uint32_t strip = 0;
	bool ok = len > 2 && len <= 4 && memcmp(word, "-p", 2) == 0;
	for (size_t i = 2; ok && i < len; i++) {
		ok = isdigit((unsigned char)word[i]);
		strip = strip * 10 + (uint32_t)(word[i] - '0');
	}
	if (!ok || strip > STRIP_MAX)
		return rk_err(RK_ERR_FORMAT,
			      "'%s' line %u: '%.*s' is not an option of a patch: -pN is", name,
			      line->line, (int)(len > 40 ? 40 : len), word);
	line->strip = strip;
	return NULL;
}

static struct rk_err *parse_line(const char *name, const char *s, const char *end, uint32_t nr,
				 struct rk_series_lines *lines)
{
	struct rk_series_line line = {.strip = RK_STRIP_DEFAULT, .line = nr};
	size_t len;
	const char *word = next_word(&s, end, &len);

	if (!word)
		return NULL;
	if (lines->list.nr >= SERIES_LINES_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s' names more than %d patches", name,
			      SERIES_LINES_MAX);
	line.path = rk_arena_strndup(&lines->arena, word, len);
	if (!line.path)
		return rk_err_nomem();
	while ((word = next_word(&s, end, &len)))
		RK_TRY(take_option(name, word, len, &line));
	return rk_vec_push(&lines->list, line) ? NULL : rk_err_nomem();
}

struct rk_err *rk_series_parse(const char *name, const char *data, size_t len,
			       struct rk_series_lines *ret)
{
	struct rk_series_lines lines = {};
	const char *end = data + len;
	struct rk_err *err = NULL;
	uint32_t nr = 0;

	if (len > SERIES_BYTES_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s' is larger than %u MiB", name,
			      SERIES_BYTES_MAX >> 20);
	if (len && memchr(data, '\0', len))
		return rk_err(RK_ERR_FORMAT, "'%s' holds NUL bytes: not a series file", name);
	for (const char *s = data; s < end && !err;) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		const char *stop = newline ? newline : end;
		err = parse_line(name, s, stop, ++nr, &lines);
		s = newline ? newline + 1 : end;
	}
	if (err) {
		rk_series_lines_deinit(&lines);
		return err;
	}
	*ret = lines;
	return NULL;
}
