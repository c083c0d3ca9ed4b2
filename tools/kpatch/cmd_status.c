/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch status: is all as it should be? One verdict, for a person, a script or a monitor. */
#include <stdio.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "tools/common/render.h"
#include "tools/kpatch/kpatch.h"

enum verdict {
	VERDICT_PATCHED,    /* all that is installed is enabled */
	VERDICT_NONE,	    /* nothing is installed and nothing loaded */
	VERDICT_MISSING,    /* something that is installed isn't enabled */
	VERDICT_TRANSITION, /* tasks still have to change over */
	VERDICTS
};

static const struct {
	const char *name, *text;
	enum rk_exit exit;
} verdicts[VERDICTS] = {
	[VERDICT_PATCHED] = {"patched", "every task runs the live patches", RK_EXIT_DONE},
	[VERDICT_NONE] = {"none", "no live patch is installed or loaded", RK_EXIT_DONE},
	[VERDICT_MISSING] = {"missing", "an installed live patch is not loaded", RK_EXIT_VERDICT},
	[VERDICT_TRANSITION] = {"transition", "a live patch is in transition", RK_EXIT_VERDICT},
};

struct status {
	struct rk_running running;
	struct rk_livepatch_list list;
	struct rk_livepatch_blockers blockers;
	struct rk_installed_list installed; /* for the running kernel */
	rk_vec(const struct rk_installed *) missing;
	size_t fixes;
	enum verdict verdict;
};

static void status_deinit(struct status *s)
{
	rk_running_deinit(&s->running);
	rk_livepatch_list_deinit(&s->list);
	rk_livepatch_blockers_deinit(&s->blockers);
	rk_installed_list_deinit(&s->installed);
	rk_vec_deinit(&s->missing);
}

static bool is_enabled(const struct status *s, const char *name)
{
	rk_vec_for_each(&s->list.list, patch)
		if (rk_streq(patch->name, name) && patch->state == RK_LIVEPATCH_ENABLED)
			return true;
	return false;
}

/* Of the cumulative patches only the greatest has to be loaded. */
static struct rk_err *find_missing(struct status *s)
{
	_cleanup_free_ const struct rk_installed **order = NULL;
	bool has_cumulative = false;

	RK_TRY(rk_installed_order(&s->installed, &order));
	for (size_t i = 0; i < s->installed.list.nr; i++) {
		bool cumulative = order[i]->is_cumulative;

		if (cumulative && has_cumulative)
			continue;
		has_cumulative |= cumulative;
		if (!is_enabled(s, order[i]->name) && !rk_vec_push(&s->missing, order[i]))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *read_status(const struct kpatch_place *place, struct status *s)
{
	size_t enabled = 0;
	bool moving = false;

	RK_TRY(rk_running_read(&place->roots, &s->running));
	RK_TRY(rk_livepatch_list(&place->roots, &s->list));
	RK_TRY(kpatch_read_blockers(place, &s->list, &s->blockers));
	RK_TRY(rk_installed_list(&place->roots, s->running.release, &s->installed));
	RK_TRY(find_missing(s));
	rk_vec_for_each(&s->list.list, patch) {
		_cleanup_known_ struct rk_livepatch_known known = {};

		moving |= rk_livepatch_is_moving(patch->state);
		if (patch->state != RK_LIVEPATCH_ENABLED)
			continue;
		enabled++;
		RK_TRY(rk_livepatch_recall(&place->roots, s->running.release, patch->name, &known));
		s->fixes += known.manifest ? known.manifest->fixes.nr : 0;
	}
	s->verdict = moving	     ? VERDICT_TRANSITION
		     : s->missing.nr ? VERDICT_MISSING
		     : enabled	     ? VERDICT_PATCHED
				     : VERDICT_NONE;
	return NULL;
}

static struct rk_err *show_json(const struct status *s)
{
	json_t *doc = rk_render_document("kpatch-status", 1);
	json_t *patches = json_array();
	json_t *missing = json_array();

	rk_vec_for_each(&s->list.list, patch)
		json_array_append_new(patches, json_pack("{s:s, s:s}", "name", patch->name, "state",
							 rk_livepatch_state_name(patch->state)));
	rk_vec_for_each(&s->missing, it)
		json_array_append_new(missing, json_string((*it)->name));
	json_object_set_new(doc, "verdict", json_string(verdicts[s->verdict].name));
	json_object_set_new(doc, "kernel", json_string(s->running.release));
	json_object_set_new(doc, "version", json_string(s->running.version));
	json_object_set_new(doc, "build_id", rk_json_text(s->running.build_id));
	json_object_set_new(doc, "loaded", patches);
	json_object_set_new(doc, "fixes", json_integer((json_int_t)s->fixes));
	json_object_set_new(doc, "missing", missing);
	json_object_set_new(doc, "blockers", kpatch_blockers_json(&s->blockers));
	return rk_render_json(doc);
}

static void show_text(const struct status *s)
{
	printf("%-12s %s\n", "kernel", s->running.release);
	printf("%-12s %s\n", "version", s->running.version);
	if (s->running.build_id)
		printf("%-12s %s\n", "build-id", s->running.build_id);
	rk_vec_for_each(&s->list.list, patch)
		printf("%-12s %s [%s]\n", "loaded", patch->name,
		       rk_livepatch_state_name(patch->state));
	printf("%-12s %zu\n", "fixes", s->fixes);
	rk_vec_for_each(&s->missing, it)
		printf("%-12s %s%s%s\n", "not loaded", (*it)->name, (*it)->error ? ": " : "",
		       (*it)->error ? rk_err_message((*it)->error) : "");
	kpatch_show_blockers(stdout, &s->blockers);
	printf("%s\n", verdicts[s->verdict].text);
}

static struct rk_err *status(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_place_ struct kpatch_place place = {};
	_cleanup_(status_deinit) struct status s = {};

	RK_TRY(kpatch_place_init(cli, &place));
	RK_TRY(read_status(&place, &s));
	*ret_exit = verdicts[s.verdict].exit;
	if (cli->json)
		return show_json(&s);
	show_text(&s);
	return NULL;
}

static const struct rk_option options[] = {KPATCH_OPT_ROOT, RK_OPT_END};

const struct rk_verb verb_status = {
	.name = "status",
	.summary = "tell whether what is installed is loaded, and every task runs it",
	.description = "Exit status 3 when not.",
	.options = options,
	.values_size = sizeof(struct kpatch_values),
	.has_json = true,
	.run = status,
};
