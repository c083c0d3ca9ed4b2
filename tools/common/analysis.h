/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of an analysis that more than one tool shows: a proof, and the functions of a plan. */
#ifndef RK_TOOLS_COMMON_ANALYSIS_H
#define RK_TOOLS_COMMON_ANALYSIS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/patch/plan.h"
#include "lib/target/proof.h"

/* A line with the counts, then every function that differs; verbose: all that don't match. */
void rk_render_proof(FILE *out, const struct rk_proof *proof, bool verbose);
/* {"matched", …, "exceptions": […]}; a new reference, NULL without memory. */
json_t *rk_render_proof_json(const struct rk_proof *proof);

/* A line for each function that is replaced. */
void rk_render_plan_functions(FILE *out, const struct rk_plan *plan);
/* An array; a new reference, NULL without memory. */
json_t *rk_render_plan_functions_json(const struct rk_plan *plan);

#endif
