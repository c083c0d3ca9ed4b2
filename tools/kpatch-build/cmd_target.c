/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch-build target …: the kernels that live patches are built for, in the cache and on offer. */
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/target/target.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"
#include "tools/common/target.h"
#include "tools/kpatch-build/cmds.h"

struct target_values {
	unsigned int jobs;
	bool available, image_only, offline, skip_compiler_check;
};

/* clang-format off */
static const struct rk_option list_options[] = {
	RK_OPT_FLAG(0, "available", struct target_values, available, "also list what apt has every package of"),
	RK_OPT_END,
};

static const struct rk_option fetch_options[] = {
	RK_OPT_FLAG(0, "image-only", struct target_values, image_only, "fetch image and modules only: enough for kpatch-test"),
	RK_OPT_FLAG(0, "skip-compiler-check", struct target_values, skip_compiler_check, "go on with another compiler version"),
	RK_OPT_UINT('j', "jobs", struct target_values, jobs, "N", "run N jobs at once when preparing (default: one a processor)"),
	RK_OPT_END,
};

static const struct rk_option verify_options[] = {
	RK_OPT_FLAG(0, "offline", struct target_values, offline, "don't ask apt what the packages should be"),
	RK_OPT_END,
};
/* clang-format on */

/* Options of the library for this call; *ret_cache is what they point to. */
static struct rk_err *target_options(const struct rk_cli *cli, char **ret_cache,
				     struct rk_target_options *ret)
{
	const struct target_values *v = cli->values;

	RK_TRY(rk_cli_cache_dir(ret_cache));
	*ret = (struct rk_target_options){
		.cache_dir = *ret_cache,
		.offline = v->offline,
		.skip_compiler_check = v->skip_compiler_check,
		.jobs = v->jobs,
		.reporter = cli->reporter,
	};
	return NULL;
}

static const char *parts_of(const struct rk_target_entry *e)
{
	if (e->has_build)
		return e->has_image ? "image, build" : "build";
	if (e->has_image)
		return "image";
	return e->bytes ? "leftovers" : "-";
}

static json_t *entry_json(const struct rk_target_entry *e)
{
	return json_pack("{s:s, s:s, s:o, s:b, s:b, s:b, s:b, s:I}", "id", e->id, "release",
			 e->release, "source_version", rk_json_text(e->source_version), "has_image",
			 e->has_image, "has_build", e->has_build, "available", e->available,
			 "in_use", e->in_use, "bytes", (json_int_t)e->bytes);
}

static struct rk_err *list_json(const struct rk_target_list *list)
{
	json_t *doc = rk_render_document("kpatch-build-target-list", 1);
	json_t *targets = json_array();

	rk_vec_for_each(&list->list, e)
		json_array_append_new(targets, entry_json(e));
	if (!doc || json_object_set_new(doc, "targets", targets) < 0) {
		json_decref(doc);
		return rk_err_nomem();
	}
	return rk_render_json(doc);
}

static int wider(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

static void list_text(const struct rk_target_list *list)
{
	char size[RK_SIZE_TEXT];
	int id_width = (int)strlen("TARGET"), source_width = (int)strlen("SOURCE");

	rk_vec_for_each(&list->list, e) {
		id_width = wider(id_width, e->id);
		source_width = wider(source_width, e->source_version ? e->source_version : "-");
	}
	printf("%-*s  %-*s  %-12s  %8s  %s\n", id_width, "TARGET", source_width, "SOURCE", "CACHED",
	       "SIZE", "STATE");
	rk_vec_for_each(&list->list, e)
		printf("%-*s  %-*s  %-12s  %8s  %s\n", id_width, e->id, source_width,
		       e->source_version ? e->source_version : "-", parts_of(e),
		       e->bytes ? rk_render_size(e->bytes, size) : "-",
		       e->in_use      ? "in use"
		       : e->available ? "on offer"
				      : "-");
}

static struct rk_err *run_list(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct target_values *v = cli->values;
	_cleanup_free_ char *cache = NULL;
	struct rk_target_options options;
	struct rk_target_list list = {};
	struct rk_err *err = NULL;

	RK_TRY(target_options(cli, &cache, &options));
	RK_TRY(rk_target_list(&options, v->available, &list));
	if (cli->json)
		err = list_json(&list);
	else if (list.list.nr)
		list_text(&list);
	else if (!cli->quiet)
		printf("no targets in '%s'; fetch one with 'kpatch-build target fetch debian:RELEASE'%s\n",
		       cache, v->available ? "" : ", see 'kpatch-build target list --available'");
	rk_target_list_deinit(&list);
	return err;
}

/* What show tells: name in JSON and text, value (NULL: none). */
struct fact {
	const char *name;
	const char *value;
};

static struct rk_err *show_json(const struct fact *facts, size_t nr,
				const struct rk_target_entry *entry)
{
	json_t *doc = rk_render_document("kpatch-build-target-show", 1);
	bool failed = !doc;

	for (size_t i = 0; i < nr && !failed; i++)
		failed = json_object_set_new(doc, facts[i].name, rk_json_text(facts[i].value)) < 0;
	if (!failed)
		failed = json_object_set_new(doc, "bytes", json_integer((json_int_t)entry->bytes)) <
				 0 ||
			 json_object_set_new(doc, "in_use", json_boolean(entry->in_use)) < 0;
	if (failed) {
		json_decref(doc);
		return rk_err_nomem();
	}
	return rk_render_json(doc);
}

static void show_text(const struct fact *facts, size_t nr, const struct rk_target_entry *entry)
{
	char size[RK_SIZE_TEXT];

	for (size_t i = 0; i < nr; i++)
		printf("%-14s  %s\n", facts[i].name, facts[i].value ? facts[i].value : "-");
	printf("%-14s  %s\n", "size", rk_render_size(entry->bytes, size));
	printf("%-14s  %s\n", "in use", entry->in_use ? "yes" : "no");
}

static struct rk_err *show(const struct rk_cli *cli, const struct rk_target_options *options,
			   const struct rk_target_entry *entry)
{
	_cleanup_target_ struct rk_target *t = NULL;
	struct rk_target_options lenient = *options;

	/* Showing a target must not fail because of what is installed on this machine. */
	lenient.offline = true;
	lenient.skip_compiler_check = true;
	RK_TRY(rk_target_open(entry->id, entry->has_build ? RK_TARGET_ALL : RK_TARGET_IMAGE,
			      &lenient, &t));
	const struct fact facts[] = {
		{"id", t->id},
		{"release", t->release},
		{"version", t->version},
		{"source_version", t->source_version},
		{"build_id", t->build_id},
		{"compiler", t->compiler},
		{"dir", t->dir},
		{"source", t->source},
		{"config", t->config},
		{"vmlinux", t->vmlinux},
		{"symvers", t->symvers},
		{"image", t->image},
		{"modules", t->modules},
	};

	if (cli->json)
		return show_json(facts, ARRAY_SIZE(facts), entry);
	show_text(facts, ARRAY_SIZE(facts), entry);
	return NULL;
}

static const struct rk_target_entry *find_entry(const struct rk_target_list *list, const char *id)
{
	rk_vec_for_each(&list->list, e) {
		if (rk_streq(e->id, id))
			return e;
	}
	return NULL;
}

static struct rk_err *run_show(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_free_ char *cache = NULL;
	_cleanup_free_ char *id = NULL;
	struct rk_target_options options;
	struct rk_target_list list = {};

	RK_TRY(target_options(cli, &cache, &options));
	RK_TRY(rk_target_id(cli->operands[0], &id));
	RK_TRY(rk_target_list(&options, false, &list));
	const struct rk_target_entry *entry = find_entry(&list, id);
	bool is_there = entry && (entry->has_image || entry->has_build);
	struct rk_err *err =
		is_there
			? show(cli, &options, entry)
			: rk_err(RK_ERR_NOT_FOUND,
				 "target '%s' isn't in the cache; fetch it with 'kpatch-build target "
				 "fetch %s'",
				 id, id);
	rk_target_list_deinit(&list);
	return err;
}

static struct rk_err *run_fetch(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct target_values *v = cli->values;

	for (size_t i = 0; i < cli->nr_operands; i++) {
		_cleanup_target_ struct rk_target *t = NULL;
		const struct rk_cli_target kernel = {
			.spec = cli->operands[i],
			.jobs = v->jobs,
			.skip_compiler_check = v->skip_compiler_check,
		};

		RK_TRY(rk_cli_target_open(cli, &kernel,
					  v->image_only ? RK_TARGET_IMAGE : RK_TARGET_ALL, &t));
		if (!cli->quiet)
			printf("target '%s' %s is ready in '%s'\n", t->id,
			       t->source_version ? t->source_version : t->release, t->dir);
	}
	return NULL;
}

static struct rk_err *run_verify(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_free_ char *cache = NULL;
	struct rk_target_options options;

	RK_TRY(target_options(cli, &cache, &options));
	for (size_t i = 0; i < cli->nr_operands; i++) {
		RK_TRY(rk_target_verify(cli->operands[i], &options));
		if (!cli->quiet)
			printf("target '%s' is as it was fetched\n", cli->operands[i]);
	}
	return NULL;
}

static struct rk_err *run_remove(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_free_ char *cache = NULL;
	struct rk_target_options options;

	RK_TRY(target_options(cli, &cache, &options));
	for (size_t i = 0; i < cli->nr_operands; i++) {
		RK_TRY(rk_target_remove(cli->operands[i], &options));
		if (!cli->quiet)
			printf("target '%s' is removed\n", cli->operands[i]);
	}
	return NULL;
}

const struct rk_verb verb_target_list = {
	.name = "target list",
	.summary = "list the kernels in the cache",
	.options = list_options,
	.values_size = sizeof(struct target_values),
	.has_json = true,
	.run = run_list,
};

const struct rk_verb verb_target_show = {
	.name = "target show",
	.operands = "TARGET",
	.summary = "show what is known of a kernel in the cache",
	.values_size = sizeof(struct target_values),
	.min_operands = 1,
	.max_operands = 1,
	.has_json = true,
	.run = run_show,
};

const struct rk_verb verb_target_fetch = {
	.name = "target fetch",
	.operands = "TARGET...",
	.summary = "download, check, unpack and prepare a kernel",
	.description =
		"TARGET is debian:RELEASE (debian:6.1.0-50-cloud-amd64), running, or dir:TREE. Packages come through apt, so its\n"
		"sources, proxies and keys apply; its lists are used as they are: run 'apt-get update' for new ones.\n"
		"A fetch that was interrupted goes on where it stopped.\n",
	.options = fetch_options,
	.values_size = sizeof(struct target_values),
	.min_operands = 1,
	.max_operands = RK_OPERANDS_MAX,
	.run = run_fetch,
};

const struct rk_verb verb_target_verify = {
	.name = "target verify",
	.operands = "TARGET...",
	.summary = "check every file of a kernel in the cache again",
	.options = verify_options,
	.values_size = sizeof(struct target_values),
	.min_operands = 1,
	.max_operands = RK_OPERANDS_MAX,
	.run = run_verify,
};

const struct rk_verb verb_target_remove = {
	.name = "target rm",
	.operands = "TARGET...",
	.summary = "remove a kernel from the cache",
	.values_size = sizeof(struct target_values),
	.min_operands = 1,
	.max_operands = RK_OPERANDS_MAX,
	.run = run_remove,
};
