/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel check-update, update and bundle install: new levels from a repository or a file. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "lib/base/process.h"
#include "tools/common/render.h"
#include "tools/readykernel/client.h"

struct update_values {
	struct readykernel_common common;
	bool timer, no_wait, no_load, begin_anew;
};

/* --- what came of it --- */

static json_t *updated_json(const struct readykernel *rk, const struct readykernel_updated *u)
{
	json_t *doc = rk_render_document("readykernel-update", 1);

	json_object_set_new(doc, "kernel", json_string(rk->kernel->running.release));
	json_object_set_new(doc, "build_id", json_string(rk->kernel->running.build_id));
	json_object_set_new(doc, "known", json_boolean(u->is_known));
	json_object_set_new(doc, "loaded", json_integer((json_int_t)u->loaded));
	json_object_set_new(doc, "level", json_integer((json_int_t)u->chosen));
	json_object_set_new(doc, "downgrade", json_boolean(u->is_downgrade));
	json_object_set_new(doc, "installed", json_boolean(u->installed));
	return doc;
}

static void show_updated(const struct readykernel *rk, const struct readykernel_updated *u)
{
	static const char *const against[] = {
		[RK_LEVEL_BLOCKED] = "its publisher blocked it",
		[RK_LEVEL_WITHDRAWN] = "its publisher withdrew it",
		[RK_LEVEL_BELOW_MINIMUM] = "its publisher wants a newer one loaded",
	};
	const char *release = rk->kernel->running.release;

	if (u->chosen == u->loaded && u->loaded_state != RK_LEVEL_GOOD)
		printf("level %" PRIu64
		       " stays loaded although %s: there is none to take its place\n",
		       u->loaded, against[u->loaded_state]);
	else if (!u->is_known && u->chosen == u->loaded)
		printf("there are no levels for kernel %s in channel '%s' yet\n", release,
		       rk_channel_name(rk->settings->channel));
	else if (!u->chosen && !u->loaded)
		printf("there is no level for kernel %s that may be loaded\n", release);
	else if (u->chosen == u->loaded)
		printf("level %" PRIu64 " is the newest for this host and is loaded\n", u->loaded);
	else if (!u->chosen)
		printf("level %" PRIu64 " was withdrawn, and there is none in its place\n",
		       u->loaded);
	else if (u->is_downgrade)
		printf("level %" PRIu64 " was withdrawn; level %" PRIu64 " takes its place\n",
		       u->loaded, u->chosen);
	else if (u->installed)
		printf("level %" PRIu64 " was fetched\n", u->chosen);
	else
		printf("level %" PRIu64 " is there for this host\n", u->chosen);
}

static struct rk_err *tell(const struct readykernel *rk, const struct readykernel_updated *updated)
{
	if (rk->cli->json)
		return rk_render_json(updated_json(rk, updated));
	if (!rk->cli->quiet)
		show_updated(rk, updated);
	rk_cli_flush(rk->cli);
	return NULL;
}

/* --- check-update --- */

struct check_values {
	struct readykernel_common common;
	bool begin_anew;
};

static struct rk_err *check_update(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct check_values *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	struct readykernel_update what = {.begin_anew = values->begin_anew};
	struct readykernel_updated updated;

	RK_TRY(readykernel_open(cli, values->common.root, READYKERNEL_CHANGE, &rk));
	struct rk_err *err = readykernel_renew(&rk, &what, &updated);
	if (!err)
		err = readykernel_publish(&rk);
	readykernel_report(&rk);
	RK_TRY(err);
	if (updated.chosen == updated.loaded)
		*ret_exit = RK_EXIT_NOTHING;
	return tell(&rk, &updated);
}

#define OPT_BEGIN_ANEW(type)                                                                \
	RK_OPT_FLAG(0, "begin-anew", type, begin_anew,                                      \
		    "the directory 'trust' was removed on purpose: take a repository whose" \
		    " versions are lower than those that were seen")

static const struct rk_option check_options[] = {
	OPT_BEGIN_ANEW(struct check_values),
	READYKERNEL_OPT_ROOT(struct check_values, common.root),
	RK_OPT_END,
};

const struct rk_verb readykernel_check_update = {
	.name = "check-update",
	.summary = "ask the repository whether there is another level for this host",
	.description = "Exit status: 0 there is one, 4 there is nothing to do.",
	.options = check_options,
	.values_size = sizeof(struct check_values),
	.has_json = true,
	.run = check_update,
};

/* --- update --- */

static struct rk_err *load_chosen(struct readykernel *rk, uint64_t level, bool wait,
				  enum rk_exit *ret_exit)
{
	if (!level)
		return readykernel_unload_patch(rk, false, ret_exit);
	return readykernel_load_patch(rk, rk_patches_find(rk->patches, level), false, wait,
				      ret_exit);
}

/* As it is set now: while something was fetched anybody could set it otherwise. */
static struct rk_err *may_load(struct readykernel *rk, bool *ret)
{
	_cleanup_settings_ struct rk_settings *settings = NULL;
	struct rk_settings_problems problems = {};

	RK_TRY(rk_switch_read(rk->host->proc, rk->host->disable_file, &rk->kernel->switched));
	RK_TRY(rk_settings_read(rk->host->config_file, &settings, &problems));
	rk_vec_deinit(&problems);
	*ret = settings->autoload && rk->kernel->switched != RK_SWITCH_NO_LOAD;
	return NULL;
}

static struct rk_err *run_update(struct readykernel *rk, const char *bundle, uint64_t level,
				 const struct update_values *values, enum rk_exit *ret_exit)
{
	struct readykernel_update what = {
		.bundle = bundle, .fetch = true, .begin_anew = values->begin_anew, .level = level};
	struct readykernel_updated updated;
	bool load = false;

	RK_TRY(readykernel_resume_watch(rk));
	RK_TRY(readykernel_renew(rk, &what, &updated));
	RK_TRY(readykernel_publish(rk));
	RK_TRY(tell(rk, &updated));
	if (updated.chosen == updated.loaded) {
		*ret_exit = values->timer ? RK_EXIT_DONE : RK_EXIT_NOTHING;
		return NULL;
	}
	RK_TRY(may_load(rk, &load));
	if (load && !values->no_load)
		RK_TRY(load_chosen(rk, updated.chosen, !values->no_wait, ret_exit));
	return readykernel_prune(rk);
}

static bool is_hour(const struct rk_settings *settings)
{
	time_t now = time(NULL);
	struct tm tm;

	return settings->autoupdate_hour == RK_SETTINGS_NO_HOUR ||
	       (localtime_r(&now, &tm) && (unsigned int)tm.tm_hour == settings->autoupdate_hour);
}

/* A fleet must not ask in the same second, nor load a level at the same time. */
static struct rk_err *spread(const struct rk_settings *settings)
{
	uint32_t random = 0;

	if (!settings->spread || getrandom(&random, sizeof(random), 0) != sizeof(random))
		return NULL;
	for (uint32_t left = random % settings->spread; left && !rk_is_interrupted(); left--)
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	return rk_is_interrupted() ? rk_err(RK_ERR_INTERRUPTED, "interrupted") : NULL;
}

/* What a call by the timer is for. */
enum turn {
	TURN_UPDATE,
	TURN_REPORT, /* not this hour's, but messages don't wait for it */
	TURN_NOTHING,
};

/* Before the lock is taken: nobody has to wait for a timer that waits. */
static struct rk_err *wait_for_turn(const struct update_values *values, enum turn *ret)
{
	_cleanup_host_ struct rk_host *host = NULL;
	_cleanup_settings_ struct rk_settings *settings = NULL;
	struct rk_settings_problems problems = {};
	enum rk_switch off;

	RK_TRY(rk_host_create(values->common.root ? values->common.root : "", &host));
	RK_TRY(rk_settings_read(host->config_file, &settings, &problems));
	rk_vec_deinit(&problems);
	*ret = *settings->report_url ? TURN_REPORT : TURN_NOTHING;
	RK_TRY(rk_switch_read(host->proc, host->disable_file, &off));
	if (!settings->autoupdate || !*settings->repository || off >= RK_SWITCH_DISABLED ||
	    !is_hour(settings))
		return NULL;
	*ret = TURN_UPDATE;
	return spread(settings);
}

static struct rk_err *report_only(const struct rk_cli *cli, const struct update_values *values)
{
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	struct rk_err *err = readykernel_open(cli, values->common.root, READYKERNEL_CHANGE, &rk);

	if (!err)
		readykernel_report(&rk);
	if (!err || rk_err_code(err) != RK_ERR_VERDICT)
		return err;
	rk_err_free(err); /* another is at work: the next hour comes */
	return NULL;
}

static struct rk_err *update(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct update_values *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	enum turn turn = TURN_UPDATE;
	uint64_t level = 0;

	if (cli->nr_operands)
		RK_TRY(readykernel_parse_level(cli->operands[0], &level));
	if (values->timer)
		RK_TRY(wait_for_turn(values, &turn));
	if (turn != TURN_UPDATE) {
		*ret_exit = RK_EXIT_NOTHING;
		return turn == TURN_REPORT ? report_only(cli, values) : NULL;
	}
	RK_TRY(readykernel_open(cli, values->common.root, READYKERNEL_CHANGE, &rk));
	struct rk_err *err = run_update(&rk, NULL, level, values, ret_exit);
	readykernel_report(&rk); /* also of what went wrong just now */
	return err;
}

static const struct rk_option update_options[] = {
	RK_OPT_FLAG(0, "no-load", struct update_values, no_load, "fetch and install, load nothing"),
	RK_OPT_FLAG(0, "no-wait", struct update_values, no_wait,
		    "do not watch the loaded level for its quiet time; 'readykernel confirm' does"),
	RK_OPT_FLAG(
		0, "timer", struct update_values, timer,
		"as the timer does it: only if autoupdate is enabled, in its hour, after a random time"),
	READYKERNEL_OPT_ROOT(struct update_values, common.root),
	RK_OPT_END,
};

const struct rk_verb readykernel_update = {
	.name = "update",
	.operands = "[LEVEL]",
	.summary = "fetch the newest level that is allowed here, or LEVEL, and load it",
	.description =
		"Everything is checked against signatures before it is used. The level is watched for a quiet\n"
		"time before it counts as good. Exit status: 0 done, 4 there was nothing to do.",
	.options = update_options,
	.values_size = sizeof(struct update_values),
	.max_operands = 1,
	.run = update,
};

/* --- bundle install --- */

static struct rk_err *bundle_install(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct update_values *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;

	RK_TRY(readykernel_open(cli, values->common.root, READYKERNEL_CHANGE, &rk));
	return run_update(&rk, cli->operands[0], 0, values, ret_exit);
}

static const struct rk_option bundle_options[] = {
	OPT_BEGIN_ANEW(struct update_values),
	RK_OPT_FLAG(0, "no-load", struct update_values, no_load, "install, load nothing"),
	RK_OPT_FLAG(0, "no-wait", struct update_values, no_wait,
		    "do not watch the loaded level for its quiet time; 'readykernel confirm' does"),
	READYKERNEL_OPT_ROOT(struct update_values, common.root),
	RK_OPT_END,
};

const struct rk_verb readykernel_bundle_install = {
	.name = "bundle install",
	.operands = "FILE",
	.summary = "update from a bundle, on a host without a network",
	.options = bundle_options,
	.values_size = sizeof(struct update_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = bundle_install,
};
