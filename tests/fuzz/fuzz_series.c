/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series files: what is read has a name without blanks and a sane -pN, and written out it is read as the same. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/series.h"
#include "tests/fuzz/fuzz.h"

static void check_again(const struct rk_series_lines *lines)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	struct rk_series_lines again;

	rk_vec_for_each(&lines->list, line) {
		rk_str_add(&out, line->path);
		if (line->strip != RK_STRIP_DEFAULT)
			rk_str_addf(&out, " -p%u", line->strip);
		rk_str_add_char(&out, '\n');
	}
	struct rk_err *err = rk_series_parse("again", rk_str_get(&out), out.len, &again);
	if (err || again.list.nr != lines->list.nr)
		abort();
	for (size_t i = 0; i < again.list.nr; i++)
		if (!rk_streq(again.list.v[i].path, lines->list.v[i].path) ||
		    again.list.v[i].strip != lines->list.v[i].strip)
			abort();
	rk_series_lines_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rk_series_lines lines;
	struct rk_err *err = rk_series_parse("series", (const char *)data, size, &lines);

	if (err) {
		rk_err_free(err);
		return 0;
	}
	check_again(&lines);
	rk_series_lines_deinit(&lines);
	return 0;
}
