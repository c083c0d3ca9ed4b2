/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading and unloading one level, with the record of what is about to happen on disk before it happens. */
#include "lib/host/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "lib/base/str.h"
#include "lib/host/apply_internal.h"
#include "lib/host/kmsg.h"
#include "lib/livepatch/apply.h"
#include "lib/livepatch/check.h"

/* One load under way. */
struct load {
	const struct rk_apply *apply;
	const struct rk_patch *patch;
	struct rk_apply_result *ret;
	struct rk_module_info *info;
	struct rk_livepatch_plan plan;
	struct rk_intent intent; /* its strings are borrowed */
	char *id;
};

static void load_deinit(struct load *load)
{
	rk_module_info_free(load->info);
	rk_livepatch_plan_deinit(&load->plan);
	free(load->id);
}

struct rk_livepatch_patience rk_apply_patience(const struct rk_settings *settings)
{
	struct rk_livepatch_patience patience = rk_livepatch_patience;

	patience.first_ms = settings->transition_wait * 1000;
	patience.second_ms = settings->transition_limit * 1000;
	return patience;
}

void rk_apply_result_deinit(struct rk_apply_result *result)
{
	rk_livepatch_blockers_deinit(&result->blockers);
	rk_str_deinit(&result->log);
}

/* Whether the administrator, the command line or what this host has learnt forbid it. */
static struct rk_err *check_allowed(const struct rk_apply *apply, const struct rk_patch *patch,
				    enum rk_apply_code *ret_code)
{
	const struct rk_level_note *note =
		rk_host_state_find(apply->state, patch->build_id, patch->level);

	*ret_code = RK_APPLY_DISABLED;
	RK_TRY(rk_host_may_load(apply->host, apply->at_boot));
	*ret_code = RK_APPLY_BLOCKED;
	if (!note || note->verdict != RK_VERDICT_BLOCKED || apply->force)
		return NULL;
	return rk_err(RK_ERR_VERDICT,
		      "level %" PRIu64 " is blocked on this host: %s; 'readykernel load --force "
		      "%" PRIu64 "' tries it again",
		      patch->level, note->reason, patch->level);
}

/* What the module says of itself must be what its record says. */
static struct rk_err *check_module(struct load *load, enum rk_apply_code *ret_code)
{
	const struct rk_patch *patch = load->patch;
	const struct rk_manifest *manifest;

	*ret_code = RK_APPLY_UNVERIFIED;
	RK_TRY(rk_module_info_read(patch->module_path, &load->info));
	manifest = load->info->manifest;
	if (!rk_streq(load->info->name, patch->name))
		return rk_err(RK_ERR_TARGET, "'%s' is module '%s', not '%s'", patch->module_path,
			      load->info->name, patch->name);
	if (patch->official && (!manifest || manifest->level != patch->level))
		return rk_err(RK_ERR_TARGET, "'%s' has no manifest of level %" PRIu64,
			      patch->module_path, patch->level);
	*ret_code = RK_APPLY_REFUSED;
	if (!load->info->is_signed && load->apply->settings->unsigned_modules == RK_UNSIGNED_REFUSE)
		return rk_err(RK_ERR_VERDICT,
			      "'%s' carries no signature for the kernel, and 'unsigned_modules' is "
			      "'refuse'",
			      patch->module_path);
	return NULL;
}

/* How it comes in beside what is loaded, and what speaks against it. */
static struct rk_err *check_kernel(struct load *load, enum rk_apply_code *ret_code)
{
	const struct rk_livepatch_roots *roots = &load->apply->host->roots;
	const struct rk_running *running = &load->apply->kernel->running;
	_cleanup_checks_ struct rk_checks checks = {};

	*ret_code = RK_APPLY_REFUSED;
	RK_TRY(rk_livepatch_plan(roots, running, load->info, true, &load->plan));
	RK_TRY(rk_livepatch_check(roots, load->patch->module_path, load->info, running, &load->plan,
				  &checks));
	return rk_checks_error(&checks);
}

static struct rk_err *make_intent(struct load *load)
{
	const struct rk_apply *apply = load->apply;
	const struct rk_patch *patch = load->patch;
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	load->id = rk_asprintf("%s-%jd.%09ld", apply->kernel->boot_id, (intmax_t)now.tv_sec,
			       now.tv_nsec);
	if (!load->id)
		return rk_err_nomem();
	load->intent = (struct rk_intent){
		.load = load->id,
		.boot_id = apply->kernel->boot_id,
		.build_id = patch->build_id,
		.name = patch->name,
		.sha256 = patch->sha256,
		.level = patch->level,
		.previous = load->ret->before,
		.phase = RK_INTENT_LOADING,
		.at = rk_host_time(apply->host),
		.at_boot = apply->at_boot,
		.forced = apply->force,
	};
	/* without a kernel log there is nothing to watch, which is told when it is to be watched */
	rk_err_free(rk_kmsg_next(apply->host, &load->intent.kmsg));
	return NULL;
}

/* Everything durable that has to be before the kernel gets the module. */
static struct rk_err *record_intent(struct load *load)
{
	const struct rk_apply *apply = load->apply;

	RK_TRY(make_intent(load));
	if (apply->force) {
		rk_host_state_unblock(apply->state, load->patch->build_id, load->patch->level);
		RK_TRY(rk_host_state_write(apply->host, apply->state));
	}
	return rk_intent_write(apply->host, &load->intent);
}

static enum rk_apply_code failure_code(const struct load *load, const struct rk_err *err,
				       const struct rk_livepatch_outcome *outcome)
{
	enum rk_livepatch_state state = RK_LIVEPATCH_ABSENT;

	rk_err_free(rk_livepatch_state(&load->apply->host->roots, load->patch->name, &state));
	/* a load that was interrupted may not be taken back in time either */
	if (outcome->stalled || rk_livepatch_is_moving(state))
		return outcome->reversed ? RK_APPLY_STALLED : RK_APPLY_STUCK;
	if (rk_err_code(err) == RK_ERR_INTERRUPTED)
		return RK_APPLY_INTERRUPTED;
	if (rk_err_errno(err) == EBUSY)
		return RK_APPLY_BUSY;
	return rk_err_code(err) == RK_ERR_SYS ? RK_APPLY_REFUSED : RK_APPLY_FAILED;
}

/* A load that failed and left trouble in the log isn't tried again by itself. */
static struct rk_err *block_if_troubled(struct load *load)
{
	const struct rk_apply *apply = load->apply;
	_cleanup_kmsg_ struct rk_kmsg *kmsg = NULL;
	struct rk_err *err = rk_kmsg_open(apply->host, load->patch->name, load->intent.kmsg, &kmsg);

	if (err) {
		rk_err_free(err);
		return NULL;
	}
	RK_TRY(rk_kmsg_read(kmsg));
	if (!rk_kmsg_has_trouble(kmsg))
		return NULL;
	rk_str_add(&load->ret->log, rk_kmsg_lines(kmsg));
	return rk_host_state_block(apply->state, load->patch->build_id, load->patch->level,
				   rk_apply_code_name(RK_APPLY_WARNED),
				   "the kernel reported trouble while it was loaded",
				   rk_host_time(apply->host));
}

/* What is loaded of ours is what was, or it is gone. */
static struct rk_err *look_after(struct load *load)
{
	const struct rk_apply *apply = load->apply;
	enum rk_livepatch_state state = RK_LIVEPATCH_ABSENT;

	if (load->ret->before)
		RK_TRY(rk_livepatch_state(&apply->host->roots, apply->state->loaded.name, &state));
	load->ret->after = state == RK_LIVEPATCH_ABSENT || state == RK_LIVEPATCH_DISABLED
				   ? 0
				   : load->ret->before;
	return load->ret->after ? NULL : rk_host_state_forget_loaded(apply->state);
}

/* The host is as it was, unless it is stuck: then the record stays, since what happens next is still this load's doing. */
static struct rk_err *load_failed(struct load *load, struct rk_err *err,
				  struct rk_livepatch_outcome *outcome)
{
	const struct rk_apply *apply = load->apply;
	enum rk_apply_code code = failure_code(load, err, outcome);
	struct rk_err *second = block_if_troubled(load);

	load->ret->restored = outcome->restored;
	load->ret->blockers = outcome->blockers;
	outcome->blockers = (struct rk_livepatch_blockers){};
	if (!second)
		second = look_after(load);
	if (!second && code != RK_APPLY_STUCK)
		second = rk_intent_remove(apply->host);
	if (second)
		err = rk_err_wrap(err, "%s", rk_err_message(second));
	rk_err_free(second);
	return rk_apply_end(apply, code, load->patch->level, err, load->ret);
}

static struct rk_err *note_loaded(struct load *load)
{
	const struct rk_apply *apply = load->apply;
	struct rk_loaded_state loaded = {
		.build_id = load->patch->build_id,
		.level = load->patch->level,
		.name = load->patch->name,
		.boot_id = apply->kernel->boot_id,
		.load = load->id,
		.at = rk_host_time(apply->host),
		.transition_ms = load->ret->transition_ms,
	};

	load->intent.phase = RK_INTENT_QUIET;
	load->intent.transition_ms = load->ret->transition_ms;
	RK_TRY(rk_intent_write(apply->host, &load->intent));
	return rk_host_state_set_loaded(apply->state, &loaded);
}

static struct rk_err *give_to_kernel(struct load *load)
{
	const struct rk_apply *apply = load->apply;
	struct rk_livepatch_patience patience = rk_apply_patience(apply->settings);
	_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};
	struct rk_err *err =
		rk_livepatch_apply(&apply->host->roots, load->patch->module_path, load->info,
				   &load->plan, &patience, apply->reporter, &outcome);

	load->ret->transition_ms = (uint32_t)(outcome.transition_s * 1000);
	if (err && outcome.state != RK_LIVEPATCH_ENABLED)
		return load_failed(load, err, &outcome);
	load->ret->after = load->patch->level;
	if (!err)
		err = note_loaded(load);
	err = rk_err_wrap(err, "level %" PRIu64 " is loaded", load->patch->level);
	return rk_apply_end(apply, err ? RK_APPLY_FAILED : RK_APPLY_OK, load->patch->level, err,
			    load->ret);
}

static struct rk_err *prepare(struct load *load, enum rk_apply_code *ret_code)
{
	RK_TRY(check_allowed(load->apply, load->patch, ret_code));
	RK_TRY(rk_apply_verify(load->apply, load->patch, ret_code));
	RK_TRY(check_module(load, ret_code));
	return check_kernel(load, ret_code);
}

/* The level that is loaded now, 0 for none of ours. */
static uint64_t loaded_level(const struct rk_apply *apply, const struct rk_livepatch_plan *plan)
{
	const struct rk_loaded_state *loaded = &apply->state->loaded;

	for (size_t i = 0; i < plan->enabled.nr; i++)
		if (rk_streq(plan->enabled.v[i].name, loaded->name))
			return loaded->level;
	return 0;
}

struct rk_err *rk_apply_check(const struct rk_apply *apply, const struct rk_patch *patch)
{
	_cleanup_(load_deinit) struct load load = {.apply = apply, .patch = patch};
	enum rk_apply_code code;

	return prepare(&load, &code);
}

struct rk_err *rk_apply_load(const struct rk_apply *apply, const struct rk_patch *patch,
			     struct rk_apply_result *ret)
{
	_cleanup_(load_deinit) struct load load = {.apply = apply, .patch = patch, .ret = ret};
	_cleanup_close_ int lock = -1;
	enum rk_apply_code code = RK_APPLY_FAILED;
	struct rk_err *err;

	*ret = (struct rk_apply_result){};
	/* between plan and load nothing else may come or go, by kpatch neither */
	err = rk_livepatch_lock(&apply->host->roots, &lock);
	if (!err)
		err = prepare(&load, &code);
	ret->before = ret->after = loaded_level(apply, &load.plan);
	if (err)
		return rk_apply_end(apply, code, patch->level, err, ret);
	if (load.plan.way == RK_LIVEPATCH_NOTHING) {
		ret->before = ret->after = patch->level;
		ret->code = RK_APPLY_ALREADY;
		return NULL;
	}
	err = record_intent(&load);
	if (err)
		return rk_apply_end(apply, RK_APPLY_NO_INTENT, patch->level,
				    rk_err_wrap(err, "nothing was loaded"), ret);
	err = rk_apply_verify(apply, patch, &code);
	if (!err)
		return give_to_kernel(&load);
	struct rk_err *second = rk_intent_remove(apply->host);
	if (second)
		err = rk_err_wrap(err, "%s", rk_err_message(second));
	rk_err_free(second);
	return rk_apply_end(apply, code, patch->level, err, ret);
}
