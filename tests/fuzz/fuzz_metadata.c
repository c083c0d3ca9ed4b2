/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a fix: the lines of a patch's header up to the first NUL byte, behind it a side file. Lists stay free of doubles. */
#include <string.h>

#include "lib/source/internal.h"
#include "tests/fuzz/fuzz.h"

static struct rk_err *parse_lines(struct rk_metadata_parser *p, const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *s = text; s < end;) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		const char *stop = newline ? newline : end;
		RK_TRY(rk_metadata_line(p, s, (size_t)(stop - s)));
		s = stop + 1;
	}
	return rk_metadata_finish(p);
}

static void check_list(const char **v, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		for (size_t j = 0; j < i; j++)
			if (rk_streq(v[i], v[j]))
				abort();
}

/* A title is one line, whatever was encoded in it. */
static void check_line(const char *s)
{
	if (s && (strchr(s, '\n') || !*s))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const char *text = (const char *)data;
	const char *nul = size > 0 ? memchr(text, '\0', size) : NULL;
	size_t len = nul ? (size_t)(nul - text) : size;
	struct rk_fix_metadata m = {};
	struct rk_metadata_parser p = {.arena = &arena, .metadata = &m};

	rk_err_free(parse_lines(&p, text, len));
	rk_metadata_parser_deinit(&p);
	if (nul)
		rk_err_free(rk_metadata_parse_side("side", nul + 1, size - len - 1, &arena, &m));
	check_list(m.cves.v, m.cves.nr);
	check_list(m.bugs.v, m.bugs.nr);
	check_list(m.fixes.v, m.fixes.nr);
	check_line(m.title);
	check_line(m.author);
	check_line(m.origin);
	rk_fix_metadata_deinit(&m);
	return 0;
}
