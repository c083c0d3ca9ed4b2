/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo list, status: what is in it, and what is to be done. */
#include <stdio.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "tools/common/render.h"
#include "tools/readykernel-repo/readykernel-repo.h"

struct list_values {
	const char *repo, *kernel;
};

static const struct rk_option list_options[] = {
	REPO_OPTION(struct list_values),
	RK_OPT_STR(0, "kernel", struct list_values, kernel, "KERNEL",
		   "only this one: a build-id, the beginning of one, or a release (uname -r)"),
	RK_OPT_END,
};

/* --- list --- */

static json_t *level_json(const struct rk_release_level *level)
{
	return json_pack("{s:I, s:s, s:s, s:I, s:I, s:o, s:o, s:b, s:o}", "level",
			 (json_int_t)level->level, "name", level->name, "sha256", level->sha256,
			 "length", (json_int_t)level->length, "fixes", (json_int_t)level->fixes,
			 "cves_added", rk_json_texts(level->cves_added.v, level->cves_added.nr),
			 "released", rk_json_time(level->released), "has_evidence",
			 level->evidence_sha256 != NULL, "without_evidence",
			 rk_json_text(level->without_evidence));
}

static json_t *release_json(const struct rk_release *release, bool is_draft)
{
	json_t *levels = json_array();

	rk_vec_for_each(&release->levels, level)
		json_array_append_new(levels, level_json(level));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:o, s:o}", "product",
			 release->product, "build_id", release->kernel.build_id, "release",
			 release->kernel.release, "version", release->kernel.version, "arch",
			 release->kernel.arch, "channel", rk_channel_name(release->channel),
			 "release_version", (json_int_t)release->version, "draft", is_draft,
			 "covered_until", rk_json_time_or_null(release->covered_until), "levels",
			 levels);
}

static void show_release(const struct rk_release *release, bool is_draft)
{
	char text[RK_UTC_TEXT_SIZE];

	printf("%s  %s  %s %llu%s\n", release->kernel.build_id, release->kernel.release,
	       rk_channel_name(release->channel), (unsigned long long)release->version,
	       is_draft ? " (draft)" : "");
	rk_vec_for_each(&release->levels, level)
		printf("  %4llu  %s  %llu fixes, %zu CVEs more  %.10s%s%s\n",
		       (unsigned long long)level->level, level->name,
		       (unsigned long long)level->fixes, level->cves_added.nr,
		       rk_utc_format(level->released, text),
		       level->without_evidence ? "  not tested: " : "",
		       level->without_evidence ? level->without_evidence : "");
}

static void list_one(const struct rk_release *release, bool is_draft, json_t *array)
{
	if (!release)
		return;
	if (array)
		json_array_append_new(array, release_json(release, is_draft));
	else
		show_release(release, is_draft);
}

static struct rk_err *list_kernel(const struct rk_repo *repo, const struct rk_repo_kernel *kernel,
				  json_t *array)
{
	for (size_t i = 0; i < RK_CHANNELS; i++) {
		_cleanup_release_ struct rk_release *published = NULL;
		_cleanup_release_ struct rk_release *draft = NULL;
		enum rk_channel channel = (enum rk_channel)i;

		RK_TRY(rk_repo_published(repo, kernel->build_id, channel, &published));
		if (kernel->has_draft[i])
			RK_TRY(rk_repo_newest(repo, kernel->build_id, channel, &draft));
		list_one(published, false, array);
		list_one(draft, true, array);
	}
	return NULL;
}

static struct rk_err *list_all(const struct rk_repo *repo, const char *kernel_text, json_t *array)
{
	_cleanup_repo_kernels_ struct rk_repo_kernels kernels = {};
	char only[RK_BUILD_ID_LEN_MAX + 1] = "";

	RK_TRY(rk_repo_kernels(repo, &kernels));
	if (kernel_text)
		RK_TRY(rk_repo_find_kernel(repo, kernel_text, only));
	rk_vec_for_each(&kernels, kernel)
		if (!*only || rk_streq(only, kernel->build_id))
			RK_TRY(list_kernel(repo, kernel, array));
	return NULL;
}

static struct rk_err *list(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct list_values *v = cli->values;
	_cleanup_repo_ struct rk_repo *repo = NULL;

	RK_TRY(repo_open(v->repo, RK_REPO_READ, &repo));
	if (!cli->json)
		return list_all(repo, v->kernel, NULL);
	json_t *doc = rk_render_document("readykernel-repo-list", 1);
	json_t *array = json_array();
	struct rk_err *err = list_all(repo, v->kernel, array);

	json_object_set_new(doc, "releases", array);
	if (err) {
		json_decref(doc);
		return err;
	}
	return rk_render_json(doc);
}

const struct rk_verb verb_list = {
	.name = "list",
	.summary = "show kernels, channels and levels",
	.options = list_options,
	.values_size = sizeof(struct list_values),
	.has_json = true,
	.run = list,
};

/* --- status --- */

struct status {
	const struct rk_root *root;
	struct rk_timestamp *timestamp, *notices;
	struct rk_repo_signed drafts;
	int64_t now;
};

static void status_deinit(struct status *s)
{
	rk_timestamp_free(s->timestamp);
	rk_timestamp_free(s->notices);
	rk_repo_signed_deinit(&s->drafts);
}

static json_t *roles_json(const struct rk_root *root)
{
	json_t *roles = json_object();

	for (size_t i = 0; i < RK_ROLES; i++) {
		json_t *keys = json_array();

		for (size_t k = 0; k < root->roles[i].nr_keys; k++) {
			const char *id = root->roles[i].keys[k]->id;

			json_array_append_new(keys, json_pack("{s:s, s:s}", "id", id, "name",
							      rk_root_find_key(root, id)->name));
		}
		json_object_set_new(roles, root->roles[i].name,
				    json_pack("{s:i, s:o}", "threshold",
					      (int)root->roles[i].threshold, "keys", keys));
	}
	return roles;
}

/* --- notices: as hosts know them, and as the next timestamp says them --- */

enum notice_state {
	NOTICE_SIGNED,
	NOTICE_UNSIGNED,
	NOTICE_TAKEN_BACK /* hosts still know it */
};

static const struct {
	const char *name, *text;
} notice_states[] = {
	[NOTICE_SIGNED] = {"signed", ""},
	[NOTICE_UNSIGNED] = {"unsigned", " (not signed yet)"},
	[NOTICE_TAKEN_BACK] = {"taken-back", " (taken back, not signed yet)"},
};

typedef void notice_fn(void *ctx, const struct rk_notice *notice, enum notice_state state);

/* Minimum has no reasons. */
static bool same_reason(const char *a, const char *b)
{
	return a && b ? rk_streq(a, b) : a == b;
}

static bool has_notice(const struct rk_notices *notices, const struct rk_notice *notice)
{
	rk_vec_for_each(notices, it)
		if (rk_streq(it->build_id, notice->build_id) && it->level == notice->level &&
		    it->to == notice->to && same_reason(it->reason, notice->reason))
			return true;
	return false;
}

static const struct rk_notices *list_of(const struct rk_timestamp *t, size_t list)
{
	return (const struct rk_notices *)((const char *)t + list);
}

/* list: offset of one of the timestamp's. */
static void for_each_notice(const struct status *s, size_t list, notice_fn *fn, void *ctx)
{
	static const struct rk_timestamp none;
	const struct rk_notices *next = list_of(s->notices, list);
	const struct rk_notices *now = list_of(s->timestamp ? s->timestamp : &none, list);

	rk_vec_for_each(next, it)
		fn(ctx, it, has_notice(now, it) ? NOTICE_SIGNED : NOTICE_UNSIGNED);
	rk_vec_for_each(now, it)
		if (!has_notice(next, it))
			fn(ctx, it, NOTICE_TAKEN_BACK);
}

static void add_notice(void *ctx, const struct rk_notice *it, enum notice_state state)
{
	json_array_append_new(ctx, json_pack("{s:s, s:I, s:I, s:o, s:s}", "build_id", it->build_id,
					     "level", (json_int_t)it->level, "to",
					     (json_int_t)it->to, "reason", rk_json_text(it->reason),
					     "state", notice_states[state].name));
}

static json_t *notices_json(const struct status *s, size_t list)
{
	json_t *array = json_array();

	for_each_notice(s, list, add_notice, array);
	return array;
}

static json_t *status_json(const struct status *s)
{
	json_t *doc = rk_render_document("readykernel-repo-status", 1);
	json_t *drafts = json_array();

	if (s->root)
		json_object_set_new(
			doc, "root",
			json_pack("{s:I, s:o, s:b, s:o}", "version", (json_int_t)s->root->version,
				  "expires", rk_json_time(s->root->expires), "expired",
				  s->now >= s->root->expires, "roles", roles_json(s->root)));
	if (s->timestamp)
		json_object_set_new(doc, "timestamp",
				    json_pack("{s:I, s:o, s:o, s:b}", "version",
					      (json_int_t)s->timestamp->version, "issued",
					      rk_json_time(s->timestamp->issued), "expires",
					      rk_json_time(s->timestamp->expires), "expired",
					      s->now >= s->timestamp->expires));
	rk_vec_for_each(&s->drafts.drafts, draft)
		json_array_append_new(drafts,
				      json_pack("{s:s, s:i, s:i}", "name", draft->name, "have",
						(int)draft->have, "need", (int)draft->need));
	json_object_set_new(doc, "drafts", drafts);
	json_object_set_new(doc, "blocked",
			    notices_json(s, offsetof(struct rk_timestamp, blocked)));
	json_object_set_new(doc, "withdrawn",
			    notices_json(s, offsetof(struct rk_timestamp, withdrawn)));
	json_object_set_new(doc, "minimum",
			    notices_json(s, offsetof(struct rk_timestamp, minimum)));
	return doc;
}

static void show_notice(void *what, const struct rk_notice *it, enum notice_state state)
{
	printf("%-10s %.16s… level %llu%s%s%s\n", (const char *)what, it->build_id,
	       (unsigned long long)it->level, it->reason && *it->reason ? ": " : "",
	       it->reason ? it->reason : "", notice_states[state].text);
}

/* version 0: there is none. */
static void show_validity(const struct status *s, const char *what, uint64_t version,
			  int64_t expires)
{
	char text[RK_UTC_TEXT_SIZE];

	if (version)
		printf("%-10s %llu, %s %s\n", what, (unsigned long long)version,
		       s->now >= expires ? "EXPIRED on" : "valid until",
		       rk_utc_format(expires, text));
	else
		printf("%-10s none is published yet\n", what);
}

static void show_status(const struct status *s)
{
	show_validity(s, "root", s->root ? s->root->version : 0, s->root ? s->root->expires : 0);
	show_validity(s, "timestamp", s->timestamp ? s->timestamp->version : 0,
		      s->timestamp ? s->timestamp->expires : 0);
	rk_vec_for_each(&s->drafts.drafts, draft)
		printf("%-10s %s has %u of %u signatures\n", "draft", draft->name, draft->have,
		       draft->need);
	for_each_notice(s, offsetof(struct rk_timestamp, blocked), show_notice, (void *)"blocked");
	for_each_notice(s, offsetof(struct rk_timestamp, withdrawn), show_notice,
			(void *)"withdrawn");
	for_each_notice(s, offsetof(struct rk_timestamp, minimum), show_notice, (void *)"minimum");
}

struct status_values {
	const char *repo;
};

static const struct rk_option status_options[] = {
	REPO_OPTION(struct status_values),
	RK_OPT_END,
};

static struct rk_err *status(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct status_values *v = cli->values;
	_cleanup_repo_ struct rk_repo *repo = NULL;
	_cleanup_(status_deinit) struct status s = {.now = repo_now()};

	RK_TRY(repo_open(v->repo, RK_REPO_READ, &repo));
	s.root = rk_repo_root(repo);
	RK_TRY(rk_repo_timestamp(repo, &s.timestamp));
	RK_TRY(rk_repo_notices(repo, &s.notices));
	RK_TRY(rk_repo_drafts(repo, &s.drafts));
	if ((s.root && s.now >= s.root->expires) || (s.timestamp && s.now >= s.timestamp->expires))
		*ret_exit = RK_EXIT_VERDICT;
	if (cli->json)
		return rk_render_json(status_json(&s));
	show_status(&s);
	return NULL;
}

const struct rk_verb verb_status = {
	.name = "status",
	.summary = "show how long root and timestamp are valid, and what waits for signatures",
	.description = "Exit status 3 when one of them has expired: hosts take nothing more.",
	.options = status_options,
	.values_size = sizeof(struct status_values),
	.has_json = true,
	.run = status,
};
