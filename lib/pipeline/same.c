/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units that a changed header brings along but that compile to the same code: most of them. They are told apart as soon as they are
 * compiled, so that neither their objects nor anything read from them is kept.
 */
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/pipeline/internal.h"

#define OBJECT_MAX (512u << 20)

static struct rk_err *is_same_file(const struct rk_build_unit *unit, bool *ret)
{
	_cleanup_free_ char *a = NULL, *b = NULL;
	size_t a_len, b_len;

	RK_TRY(rk_fs_read(unit->original_path, OBJECT_MAX, &a, &a_len));
	RK_TRY(rk_fs_read(unit->patched_path, OBJECT_MAX, &b, &b_len));
	*ret = a_len == b_len && memcmp(a, b, a_len) == 0;
	return NULL;
}

static bool says_nothing(const struct rk_diff *diff)
{
	return diff->functions.nr == 0 && diff->included.nr == 0 && diff->findings.list.nr == 0;
}

static void drop(struct rk_build_unit *unit)
{
	rk_diff_free(unit->diff);
	rk_elf_close(unit->original);
	rk_elf_close(unit->patched);
	unit->diff = NULL;
	unit->original = unit->patched = NULL;
	unlink(unit->original_path);
	unlink(unit->patched_path);
	unit->is_same = true;
}

struct rk_err *rk_build_load(struct rk_build_unit *unit)
{
	bool is_same = false;

	if (unit->reason)
		RK_TRY(is_same_file(unit, &is_same));
	if (is_same) {
		drop(unit);
		return NULL;
	}
	RK_TRY(rk_elf_open(unit->original_path, RK_ELF_LOAD_ALL, &unit->original));
	RK_TRY(rk_elf_open(unit->patched_path, RK_ELF_LOAD_ALL, &unit->patched));
	if (!unit->reason)
		return NULL;
	RK_TRY(rk_diff_create(unit->recipe->unit, unit->recipe->object, unit->original,
			      unit->patched, &unit->diff));
	if (says_nothing(unit->diff))
		drop(unit);
	return NULL;
}

struct rk_err *rk_build_forget_same(struct rk_build *build)
{
	size_t nr = 0;

	rk_vec_for_each(&build->units, unit)
		if (!unit->is_same)
			build->units.v[nr++] = *unit;
	build->headers.same = build->units.nr - nr;
	build->units.nr = nr;
	if (nr > 0)
		return NULL;
	return rk_finding_add(
		&build->findings, RK_FINDING_NO_CHANGE, NULL, NULL, NULL,
		"all %zu units that may use what the fix changes in headers come out the same",
		build->headers.same);
}
