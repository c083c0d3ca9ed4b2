/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exports whose type changed. Loaded modules were built against the CRC in Module.symvers; where debug info shows a changed type or
 * prototype, the CRCs of the unit's exports are computed before and after, so that a person sees which interfaces are concerned.
 */
#include "lib/build/crc.h"
#include "lib/pipeline/internal.h"

#define NAMES_SHOWN 6

static bool is_about_types(enum rk_finding_code code)
{
	return code == RK_FINDING_LAYOUT_CHANGED || code == RK_FINDING_MEMBER_CHANGED ||
	       code == RK_FINDING_MEMBER_ADDED || code == RK_FINDING_EXPORT_CHANGED;
}

static bool has_exports(const struct rk_elf *elf)
{
	rk_elf_for_each_section(elf, section)
		if (rk_has_prefix(section->name, "___ksymtab"))
			return true;
	return false;
}

static bool is_concerned(const struct rk_build_unit *unit)
{
	rk_vec_for_each(&unit->diff->findings.list, finding)
		if (is_about_types(finding->code))
			return has_exports(unit->original);
	return false;
}

/* The finding about the prototype, if there is one, says the CRCs too. */
static struct rk_err *tell_finding(struct rk_build *build, const struct rk_build_unit *unit,
				   const struct rk_crc *old, const struct rk_crc *new)
{
	rk_vec_for_each(&build->findings.list, finding) {
		if (finding->code != RK_FINDING_EXPORT_CHANGED || !finding->symbol ||
		    !finding->unit || !rk_streq(finding->symbol, old->name) ||
		    !rk_streq(finding->unit, unit->recipe->unit))
			continue;
		const char *text = rk_arena_printf(&build->findings.arena,
						   "%s; its CRC was 0x%08x, now 0x%08x",
						   finding->text, old->value, new->value);
		if (!text)
			return rk_err_nomem();
		finding->text = text;
	}
	return NULL;
}

static struct rk_err *check_original(struct rk_build *build, const struct rk_build_unit *unit,
				     const struct rk_crcs *crcs)
{
	rk_vec_for_each(&crcs->list, crc) {
		const struct rk_export *shipped = rk_symbols_export(build->symbols, crc->name);
		if (shipped && shipped->crc != crc->value)
			RK_TRY(rk_finding_add(
				&build->findings, RK_FINDING_MISMATCH_ELSEWHERE, unit->recipe->unit,
				unit->recipe->object, crc->name,
				"the CRC of this export is 0x%08x by the source, 0x%08x as shipped",
				crc->value, shipped->crc));
	}
	return NULL;
}

static struct rk_err *compare_crcs(struct rk_build *build, const struct rk_build_unit *unit,
				   const struct rk_crcs *old, const struct rk_crcs *new)
{
	_cleanup_str_ struct rk_str names = RK_STR_INIT;
	size_t nr = 0;

	rk_vec_for_each(&old->list, x) {
		const struct rk_crc *y = rk_crcs_find(new, x->name);
		if (!y || x->value == y->value)
			continue;
		RK_TRY(tell_finding(build, unit, x, y));
		if (nr++ < NAMES_SHOWN)
			rk_str_addf(&names, "%s '%s' (was 0x%08x, now 0x%08x)", nr > 1 ? "," : "",
				    x->name, x->value, y->value);
	}
	if (nr > NAMES_SHOWN)
		rk_str_addf(&names, " and %zu more", nr - NAMES_SHOWN);
	RK_TRY(rk_str_check(&names));
	if (nr == 0)
		return NULL;
	return rk_finding_add(&build->findings, RK_FINDING_CRC_CHANGED, unit->recipe->unit,
			      unit->recipe->object, NULL, "other CRCs of exports:%s",
			      rk_str_get(&names));
}

static struct rk_err *check_unit(struct rk_build *build, const struct rk_build_unit *unit)
{
	_cleanup_crcs_ struct rk_crcs old = {}, new = {};
	const char *work = build->options->work_dir;

	RK_TRY(rk_kbuild_crcs(build->kbuild, unit->recipe, build->target->source, work, &old));
	RK_TRY(check_original(build, unit, &old));
	RK_TRY(rk_kbuild_crcs(build->kbuild, unit->recipe, build->view->dir, work, &new));
	return compare_crcs(build, unit, &old, &new);
}

struct rk_err *rk_build_exports(struct rk_build *build)
{
	rk_vec_for_each(&build->units, unit)
		if (is_concerned(unit))
			RK_TRY(check_unit(build, unit));
	return NULL;
}
