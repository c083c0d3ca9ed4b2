/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patches and the file they apply to. Up to the first NUL byte the input is a patch, behind it the file. What applies is joined,
 * its lines are kept, and its changed ranges are checked against the file.
 */
#include <string.h>

#include "lib/source/internal.h"
#include "lib/source/paths.h"
#include "tests/fuzz/fuzz.h"

static void keep_lines(const struct rk_text *text)
{
	_cleanup_free_ uint32_t *origin = calloc(text->lines.nr + 1, sizeof(*origin));
	_cleanup_free_ char *joined = NULL, *kept = NULL;
	size_t len, kept_len;
	struct rk_err *err = rk_text_join(text, &joined, &len);

	if (!err && origin) {
		for (size_t i = 0; i < text->lines.nr; i++)
			origin[i] = text->lines.v[i].origin;
		struct rk_line_map map = {.origin = origin, .nr = text->lines.nr};
		err = rk_lines_keep(joined, len, &map, &kept, &kept_len);
		if (!err && kept_len < len)
			abort(); /* directives are only ever added */
	}
	rk_err_free(err);
}

static void check_ranges(const struct rk_text *text)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_line_range *ranges = NULL;
	size_t nr = 0;
	uint32_t last = 0;

	rk_err_free(rk_text_ranges(text, &arena, &ranges, &nr));
	for (size_t i = 0; i < nr; i++) {
		/* A pure insertion names the lines on both its sides, so neighbours may share one. */
		if (ranges[i].first < last || ranges[i].last < ranges[i].first ||
		    (text->nr_original && ranges[i].last > text->nr_original))
			abort();
		last = ranges[i].last;
	}
}

static void apply(const struct rk_patch_file *patch, const char *data, size_t len)
{
	struct rk_text text;

	if (len > 0 && memchr(data, '\0', len))
		return;
	struct rk_err *err = rk_text_split(data, len, &text);
	if (err) {
		rk_err_free(err);
		return;
	}
	rk_vec_for_each(&patch->files, change) {
		struct rk_err *apply_err = rk_text_apply(&text, patch, change, "file");

		if (apply_err && rk_err_code(apply_err) != RK_ERR_PATCH &&
		    rk_err_code(apply_err) != RK_ERR_NOMEM)
			abort();
		rk_err_free(apply_err);
	}
	rk_text_settle(&text);
	keep_lines(&text);
	check_ranges(&text);
	rk_text_deinit(&text);
}

/* Names out of a patch never lead out of the tree. */
static void check_name(const char *name)
{
	if (!name)
		return;
	_cleanup_free_ char *plain = strdup(name);
	if (!plain)
		return;
	rk_path_normalise(plain);
	if (name[0] == '/' || rk_has_prefix(plain, "..") != rk_has_prefix(name, "..") ||
	    rk_streq(plain, "..") || rk_has_prefix(plain, "../"))
		abort();
	bool is_other;
	(void)rk_classify(name, "x86", &is_other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = size > 0 ? memchr(text, '\0', size) : NULL;
	size_t patch_len = nul ? (size_t)(nul - text) : size;
	struct rk_patch_file *patch = NULL;
	struct rk_err *err = rk_patch_file_parse("fix.patch", text, patch_len, &patch);

	if (err) {
		rk_err_free(err);
		return 0;
	}
	rk_vec_for_each(&patch->files, change) {
		check_name(change->old_path);
		check_name(change->new_path);
		check_name(change->new_name);
	}
	apply(patch, nul ? nul + 1 : "", nul ? size - patch_len - 1 : 0);
	rk_patch_file_free(patch);
	return 0;
}
