// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-proof: how many functions of a shipped kernel the proof of match finds again. Units are
 * chosen by a seed, compiled as originals (or taken from the object cache), and proved; every
 * function that doesn't match is listed.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/pick.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/target/proof.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"
#include "tools/common/target.h"

#define DEFAULT_UNITS 200
/* Units that are handed to the compilers at once: one failure shouldn't cost all. */
#define BATCH 16

struct proof_values {
	struct rk_cli_target kernel;
	unsigned int units, seed;
};

/* clang-format off */
static const struct rk_option options[] = {
	RK_OPT_TARGET(struct proof_values, kernel),
	RK_OPT_TARGET_PATHS(struct proof_values, kernel),
	RK_OPT_UINT('n', "units", struct proof_values, units, "N", "how many units (default: 200)"),
	RK_OPT_UINT(0, "seed", struct proof_values, seed, "S", "which units (default: 0)"),
	RK_OPT_UINT('j', "jobs", struct proof_values, kernel.jobs, "N", "compile N units at once (default: one a processor)"),
	RK_OPT_TARGET_OFFLINE(struct proof_values, kernel),
	RK_OPT_END,
};
/* clang-format on */

/* What is left of one unit. */
struct outcome {
	const struct rk_recipe *recipe;
	struct rk_err *err; /* not compiled, or no owner */
	struct rk_proof *proof;
};

struct bench {
	const struct rk_cli *cli;
	struct rk_target *target;
	struct rk_kbuild *kbuild;
	struct rk_symbols *symbols;
	char *work; /* directory of the objects */
	rk_vec(struct outcome) outcomes;
	size_t matched, relaxed, differing, absent, overridden, discarded, failed;
	double compile_seconds; /* wall */
	double proof_seconds;	/* processor time: reading, owner and proof */
	size_t cached;
};

static double now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/*
 * One failing unit makes the whole call fail: then the units of the batch are compiled one by one.
 */
static struct rk_err *compile_batch(struct bench *b, struct rk_compile_job *jobs,
				    struct outcome *outcomes, size_t nr)
{
	const struct proof_values *v = b->cli->values;
	struct rk_err *err = rk_compile(b->kbuild, jobs, nr, v->kernel.jobs, b->cli->reporter);

	if (!err || rk_err_code(err) == RK_ERR_INTERRUPTED)
		return err;
	rk_err_free(err);
	for (size_t i = 0; i < nr; i++) {
		rk_compile_jobs_deinit(&jobs[i], 1);
		outcomes[i].err = rk_compile(b->kbuild, &jobs[i], 1, 1, b->cli->reporter);
		if (outcomes[i].err && rk_err_code(outcomes[i].err) == RK_ERR_INTERRUPTED)
			return take_ptr(outcomes[i].err);
	}
	return NULL;
}

static struct rk_err *prove(struct bench *b, const char *path, struct outcome *outcome)
{
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_owner owner;

	RK_TRY(rk_elf_open(path, RK_ELF_LOAD_ALL, &original));
	RK_TRY(rk_symbols_owner(b->symbols, outcome->recipe->object, original, &owner));
	RK_TRY(rk_proof_run(outcome->recipe->unit, &owner, original, &outcome->proof));
	/* the entries outlive the object they point to: only their text is shown */
	rk_vec_for_each(&outcome->proof->functions, entry)
		entry->original = NULL;
	return NULL;
}

static void count(struct bench *b, const struct outcome *outcome)
{
	const struct rk_proof *proof = outcome->proof;

	if (!proof) {
		b->failed++;
		return;
	}
	b->matched += proof->matched;
	b->differing += proof->differing;
	b->absent += proof->absent;
	b->overridden += proof->overridden;
	b->discarded += proof->discarded;
	rk_vec_for_each(&proof->functions, entry)
		b->relaxed += entry->relaxed;
}

static struct rk_err *run_batch(struct bench *b, struct outcome *outcomes, size_t nr)
{
	struct rk_compile_job jobs[BATCH] = {};
	char *paths[BATCH] = {};
	struct rk_err *err = NULL;

	for (size_t i = 0; i < nr && !err; i++) {
		paths[i] = rk_asprintf("%s/%zu.o", b->work, i);
		jobs[i] = (struct rk_compile_job){.recipe = outcomes[i].recipe,
						  .output = paths[i],
						  .root = b->target->source,
						  .is_original = true};
		if (!paths[i])
			err = rk_err_nomem();
	}
	double start = now(CLOCK_MONOTONIC);
	if (!err)
		err = compile_batch(b, jobs, outcomes, nr);
	b->compile_seconds += now(CLOCK_MONOTONIC) - start;
	start = now(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < nr && !err; i++) {
		b->cached += jobs[i].from_cache;
		if (!outcomes[i].err)
			outcomes[i].err = prove(b, paths[i], &outcomes[i]);
		count(b, &outcomes[i]);
	}
	b->proof_seconds += now(CLOCK_PROCESS_CPUTIME_ID) - start;
	rk_compile_jobs_deinit(jobs, nr);
	for (size_t i = 0; i < nr; i++)
		free(paths[i]);
	return err;
}

static struct rk_err *run_all(struct bench *b)
{
	const struct proof_values *v = b->cli->values;
	struct picks picks = {};
	struct rk_err *err = pick_units(b->target, b->kbuild, v->units ? v->units : DEFAULT_UNITS,
					v->seed, b->cli->reporter, &picks);

	rk_vec_for_each(&picks.list, it) {
		struct outcome outcome = {.recipe = *it};
		if (!err && !rk_vec_push(&b->outcomes, outcome))
			err = rk_err_nomem();
	}
	rk_vec_deinit(&picks.list);
	rk_report_phase(b->cli->reporter, "prove", "compiling and proving %zu units",
			b->outcomes.nr);
	for (size_t i = 0; i < b->outcomes.nr && !err; i += BATCH) {
		size_t left = b->outcomes.nr - i;
		err = run_batch(b, b->outcomes.v + i, left < BATCH ? left : BATCH);
		rk_report_advance(b->cli->reporter, i, b->outcomes.nr, "units");
	}
	return err;
}

static double percentage(const struct bench *b)
{
	size_t all = b->matched + b->differing + b->absent;
	return all ? 100.0 * (double)b->matched / (double)all : 0;
}

static bool is_mismatch(const struct rk_proof_entry *entry)
{
	return entry->verdict == RK_PROOF_DIFFERS || entry->verdict == RK_PROOF_ABSENT;
}

static void print_text(const struct bench *b)
{
	rk_vec_for_each(&b->outcomes, o) {
		if (o->err)
			printf("%s (%s): %s\n", o->recipe->unit, o->recipe->object,
			       rk_err_message(o->err));
		if (!o->proof)
			continue;
		rk_vec_for_each(&o->proof->functions, e) {
			if (!is_mismatch(e))
				continue;
			printf("%s (%s): %s %s+0x%llx: %s", o->recipe->unit, o->recipe->object,
			       rk_proof_verdict_name(e->verdict), e->function,
			       (unsigned long long)e->offset, e->reason);
			if (e->ours)
				printf("; ours: %s; shipped: %s", e->ours, e->theirs);
			printf("\n");
		}
	}
	printf("units              %zu, %zu of them not proved\n", b->outcomes.nr, b->failed);
	printf("functions matched  %zu of %zu, %.3f %% (%zu with jumps of another width)\n",
	       b->matched, b->matched + b->differing + b->absent, percentage(b), b->relaxed);
	printf("differing          %zu\n", b->differing);
	printf("absent             %zu\n", b->absent);
	printf("overridden weak    %zu\n", b->overridden);
	printf("discarded          %zu\n", b->discarded);
	printf("compiling          %.1f s, %zu units from the cache\n", b->compile_seconds,
	       b->cached);
	printf("proving            %.3f s of processor time, %.2f ms a unit\n", b->proof_seconds,
	       b->outcomes.nr ? 1000 * b->proof_seconds / (double)b->outcomes.nr : 0);
}

static json_t *unit_json(const struct outcome *o)
{
	json_t *unit =
		json_pack("{s:s, s:s}", "unit", o->recipe->unit, "object", o->recipe->object);
	json_t *functions = json_array();

	if (o->err)
		json_object_set_new(unit, "error", json_string(rk_err_message(o->err)));
	for (size_t i = 0; o->proof && i < o->proof->functions.nr; i++) {
		const struct rk_proof_entry *e = &o->proof->functions.v[i];
		if (!is_mismatch(e))
			continue;
		json_t *f = json_pack("{s:s, s:s, s:s, s:I}", "function", e->function, "verdict",
				      rk_proof_verdict_name(e->verdict), "reason", e->reason,
				      "offset", (json_int_t)e->offset);
		if (e->ours) {
			json_object_set_new(f, "ours", json_string(e->ours));
			json_object_set_new(f, "shipped", json_string(e->theirs));
		}
		json_array_append_new(functions, f);
	}
	json_object_set_new(unit, "mismatches", functions);
	return unit;
}

static struct rk_err *print_json(const struct bench *b)
{
	const struct proof_values *v = b->cli->values;
	json_t *doc = rk_render_document("bench-proof", 1);
	json_t *units = json_array();

	rk_vec_for_each(&b->outcomes, o)
		json_array_append_new(units, unit_json(o));
	json_t *sums =
		json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:o}",
			  "target", b->target->id, "seed", (json_int_t)v->seed, "nr_units",
			  (json_int_t)b->outcomes.nr, "failed", (json_int_t)b->failed, "matched",
			  (json_int_t)b->matched, "relaxed", (json_int_t)b->relaxed, "differing",
			  (json_int_t)b->differing, "absent", (json_int_t)b->absent, "overridden",
			  (json_int_t)b->overridden, "discarded", (json_int_t)b->discarded,
			  "percentage", percentage(b), "compile_seconds", b->compile_seconds,
			  "proof_seconds", b->proof_seconds, "units", units);
	if (!doc || !sums || json_object_update(doc, sums) < 0) {
		json_decref(doc);
		json_decref(sums);
		return rk_err_nomem();
	}
	json_decref(sums);
	return rk_render_json(doc);
}

static void bench_deinit(struct bench *b)
{
	rk_vec_for_each(&b->outcomes, o) {
		rk_proof_free(o->proof);
		rk_err_free(o->err);
	}
	rk_vec_deinit(&b->outcomes);
	rk_symbols_close(b->symbols);
	if (b->kbuild)
		rk_kbuild_close(b->kbuild);
	if (b->target)
		rk_target_close(b->target);
	if (b->work)
		rk_err_free(rk_fs_remove_tree(b->work));
	free(b->work);
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_(bench_deinit) struct bench b = {.cli = cli};
	const struct proof_values *v = cli->values;
	const char *tmp = getenv("TMPDIR");

	RK_TRY(rk_cli_target_check(&v->kernel));
	RK_TRY(rk_cli_target_open(cli, &v->kernel, RK_TARGET_ALL, &b.target));
	RK_TRY(rk_kbuild_open(b.target, cli->reporter, &b.kbuild));
	RK_TRY(rk_symbols_open(b.target, &b.symbols));
	RK_TRY(rk_fs_mkdtemp(tmp && *tmp ? tmp : "/tmp", "bench-proof-", &b.work));
	RK_TRY(run_all(&b));
	if (cli->json)
		return print_json(&b);
	print_text(&b);
	return NULL;
}

static const struct rk_verb verb = {
	.name = "",
	.summary = "prove units of a shipped kernel that a seed chooses",
	.options = options,
	.values_size = sizeof(struct proof_values),
	.has_json = true,
	.run = run,
};

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb, NULL};
	static const struct rk_tool tool = {
		.name = "bench-proof", .summary = "measure the proof of match", .verbs = verbs};

	return rk_cli_main(&tool, argc, argv);
}
