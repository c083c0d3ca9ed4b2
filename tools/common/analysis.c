/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proofs and plans as people and programs read them. */
#include "tools/common/analysis.h"

#include <string.h>

void rk_render_proof(FILE *out, const struct rk_proof *p, bool verbose)
{
	const struct {
		size_t nr;
		const char *what;
	} others[] = {
		{p->differing, "differ"},
		{p->absent, "absent"},
		{p->overridden, "overridden"},
		{p->discarded, "discarded"},
	};

	fprintf(out, "  %s in %s: %zu of %zu functions match the shipped binary", p->unit,
		p->object, p->matched, p->functions.nr);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].nr)
			fprintf(out, ", %zu %s", others[i].nr, others[i].what);
	fputc('\n', out);
	rk_vec_for_each(&p->functions, f) {
		if (f->verdict == RK_PROOF_MATCHED || (!verbose && f->verdict != RK_PROOF_DIFFERS))
			continue;
		fprintf(out, "    %s %s%s%s\n", rk_proof_verdict_name(f->verdict), f->function,
			f->reason ? ": " : "", f->reason ? f->reason : "");
		if (f->ours && f->theirs)
			fprintf(out, "      +0x%llx ours: %s\n       shipped: %s\n",
				(unsigned long long)f->offset, f->ours, f->theirs);
	}
}

json_t *rk_render_proof_json(const struct rk_proof *p)
{
	json_t *differing = json_array();

	rk_vec_for_each(&p->functions, f) {
		if (f->verdict == RK_PROOF_MATCHED)
			continue;
		json_array_append_new(differing,
				      json_pack("{s:s, s:s, s:I, s:s?, s:s?, s:s?}", "function",
						f->function, "verdict",
						rk_proof_verdict_name(f->verdict), "offset",
						(json_int_t)f->offset, "reason", f->reason, "ours",
						f->ours, "shipped", f->theirs));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "matched", (json_int_t)p->matched,
			 "differing", (json_int_t)p->differing, "absent", (json_int_t)p->absent,
			 "overridden", (json_int_t)p->overridden, "discarded",
			 (json_int_t)p->discarded, "exceptions", differing);
}

void rk_render_plan_functions(FILE *out, const struct rk_plan *plan)
{
	size_t width = 0;

	rk_vec_for_each(&plan->funcs, f)
		if (strlen(f->old_name) > width)
			width = strlen(f->old_name);
	rk_vec_for_each(&plan->funcs, f)
		fprintf(out, "  %-*s  %s, %llu bytes, now %llu\n", (int)width, f->old_name,
			f->object, (unsigned long long)f->old_size,
			(unsigned long long)f->new_size);
}

json_t *rk_render_plan_functions_json(const struct rk_plan *plan)
{
	json_t *list = json_array();

	rk_vec_for_each(&plan->funcs, f)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i, s:I, s:I}", "object",
						      f->object, "name", f->old_name, "unit",
						      f->unit, "sympos", (int)f->old_sympos,
						      "old_size", (json_int_t)f->old_size,
						      "new_size", (json_int_t)f->new_size));
	return list;
}
