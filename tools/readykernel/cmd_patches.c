/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel patches: every level that this kernel has, here or in the repository, and what stands against it. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/json.h"
#include "lib/base/utc.h"
#include "lib/host/choose.h"
#include "tools/common/render.h"
#include "tools/readykernel/client.h"

struct row {
	uint64_t level;
	const char *name;
	bool installed, available, loaded, chosen;
	int64_t released;
	enum rk_verdict verdict;
	const char *against; /* why it isn't loaded; "" */
	const char *const *added;
	size_t nr_added;
};

struct rows {
	rk_vec(struct row) list; /* by level */
};

static void rows_deinit(struct rows *rows)
{
	rk_vec_deinit(&rows->list);
}

static int by_level(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->level < y->level ? -1 : x->level > y->level;
}

static struct row *find(struct rows *rows, uint64_t level)
{
	rk_vec_for_each(&rows->list, it)
		if (it->level == level)
			return it;
	return NULL;
}

static struct rk_err *add_installed(struct readykernel *rk, struct rows *rows)
{
	_cleanup_(rk_choice_deinit) struct rk_choice choice = {};
	struct rk_policy policy = readykernel_policy(rk);

	RK_TRY(rk_choose(rk->patches, rk->state, &policy, &choice));
	for (size_t i = 0; i < rk->patches->list.nr; i++) {
		const struct rk_patch *patch = &rk->patches->list.v[i];
		struct row row = {
			.level = patch->level,
			.name = patch->name,
			.installed = true,
			.released = patch->released,
			.chosen = patch == choice.patch,
			.against = rk_passed_name(choice.passed.v[i]),
		};

		if (!rk_vec_push(&rows->list, row))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *add_available(struct readykernel *rk, struct rows *rows)
{
	struct rk_policy policy = readykernel_policy(rk);

	if (!rk->release)
		return NULL;
	rk_vec_for_each(&rk->release->levels, it) {
		struct row *row = find(rows, it->level);
		struct row new = {
			.level = it->level,
			.name = it->name,
			.released = it->released,
			.against = rk_passed_name(
				policy.judge(policy.ctx, rk->release->kernel.build_id, it->level)),
		};

		if (!row) {
			if (!rk_vec_push(&rows->list, new))
				return rk_err_nomem();
			row = &rows->list.v[rows->list.nr - 1];
		}
		row->available = true;
		row->added = it->cves_added.v;
		row->nr_added = it->cves_added.nr;
	}
	return NULL;
}

static struct rk_err *collect(struct readykernel *rk, struct rows *rows)
{
	const struct rk_patch *loaded = NULL;
	enum rk_livepatch_state state;
	const char *build_id = rk->kernel->running.build_id;

	RK_TRY(add_installed(rk, rows));
	RK_TRY(add_available(rk, rows));
	RK_TRY(rk_apply_loaded(rk->host, rk->patches, &rk->arena, &loaded, &state, NULL));
	if (rows->list.nr)
		qsort(rows->list.v, rows->list.nr, sizeof(*rows->list.v), by_level);
	rk_vec_for_each(&rows->list, it) {
		it->loaded = loaded && loaded->level == it->level;
		it->verdict = rk_host_state_verdict(rk->state, build_id, it->level);
	}
	return NULL;
}

static json_t *row_json(const struct row *row)
{
	return json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:o, s:s, s:s, s:o}", "level",
			 (json_int_t)row->level, "name", row->name, "installed", row->installed,
			 "available", row->available, "loaded", row->loaded, "chosen", row->chosen,
			 "released", rk_json_time_or_null(row->released), "verdict",
			 rk_verdict_name(row->verdict), "against", row->against, "cves_added",
			 rk_json_texts(row->added, row->nr_added));
}

static void show_row(const struct row *row)
{
	const char *verdict = row->verdict == RK_VERDICT_NONE ? "" : rk_verdict_name(row->verdict);
	char when[RK_UTC_TEXT_SIZE] = "-";

	if (row->released)
		rk_utc_format(row->released, when);
	printf("%c %5" PRIu64 "  %-20s  %s", row->loaded ? '*' : ' ', row->level, when,
	       row->installed ? "installed" : "available");
	if (*row->against)
		printf("  %-7s  %s\n", verdict, row->against);
	else
		printf("%s%s\n", *verdict ? "  " : "", verdict);
}

static struct rk_err *patches(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	_cleanup_(rows_deinit) struct rows rows = {};
	json_t *doc, *list;

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_READ, &rk));
	RK_TRY(collect(&rk, &rows));
	rk_vec_for_each(&rk.patches->damaged, it)
		rk_render_warning(stderr, "%s", *it);
	if (!cli->json) {
		if (!rows.list.nr)
			printf("there are no levels for kernel %s\n", rk.kernel->running.release);
		rk_vec_for_each(&rows.list, it)
			show_row(it);
		return NULL;
	}
	doc = rk_render_document("readykernel-patches", 1);
	list = json_array();
	rk_vec_for_each(&rows.list, it)
		json_array_append_new(list, row_json(it));
	json_object_set_new(doc, "kernel", json_string(rk.kernel->running.release));
	json_object_set_new(doc, "levels", list);
	return rk_render_json(doc);
}

const struct rk_verb readykernel_patches = {
	.name = "patches",
	.summary = "list the levels for this kernel, here and in the repository",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.has_json = true,
	.run = patches,
};
