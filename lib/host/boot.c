/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the last boot ended with, and what this one begins with. */
#include "lib/host/boot.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/host/apply_internal.h"

const char *rk_boot_finding_name(enum rk_boot_finding finding)
{
	static const char *const names[] = {
		[RK_BOOT_FINE] = "fine",
		[RK_BOOT_CRASHED] = "crashed",
		[RK_BOOT_CRASHED_EARLY] = "crashed-early",
		[RK_BOOT_CRASHED_OFTEN] = "crashed-often",
		[RK_BOOT_STOPPED] = "stopped",
		[RK_BOOT_FINISHED] = "finished",
		[RK_BOOT_DAMAGED] = "damaged",
		[RK_BOOT_THIS_BOOT] = "this-boot",
	};

	return names[finding];
}

/* One review. */
struct review {
	const struct rk_host *host;
	const struct rk_settings *settings;
	const struct rk_host_kernel *kernel;
	struct rk_host_state *state;
	struct rk_boot_review *ret;
};

static struct rk_err *found(const struct review *r, enum rk_boot_finding finding, uint64_t level,
			    const char *text)
{
	if (!text)
		return rk_err_nomem();
	*r->ret = (struct rk_boot_review){.finding = finding, .level = level, .text = text};
	return NULL;
}

/* Blocks the level, on disk before anything is loaded. */
static struct rk_err *block(const struct review *r, enum rk_boot_finding finding,
			    const char *build_id, uint64_t level, const char *reason)
{
	int64_t now = rk_host_time(r->host);
	const char *code = rk_apply_code_name(RK_APPLY_CRASHED);

	RK_TRY(found(r, finding, level,
		     rk_arena_printf(&r->state->arena,
				     "level %" PRIu64 " is blocked: %s; if that was not its doing "
				     "(a power cut), 'readykernel load --force %" PRIu64
				     "' tries it again",
				     level, reason, level)));
	RK_TRY(rk_host_state_block(r->state, build_id, level, code, reason, now));
	RK_TRY(rk_host_state_set_last(r->state, &r->state->last_error, now, code, r->ret->text,
				      level));
	RK_TRY(rk_host_state_write(r->host, r->state));
	rk_apply_report(r->host, r->kernel, NULL, "crash", code, level, reason);
	return NULL;
}

static struct rk_err *judge_intent(const struct review *r, const struct rk_intent *intent)
{
	const struct rk_level_note *note =
		rk_host_state_find(r->state, intent->build_id, intent->level);

	if (note && note->verdict == RK_VERDICT_GOOD && rk_streq(note->load, intent->load))
		RK_TRY(found(r, RK_BOOT_FINISHED, intent->level, ""));
	else if (intent->phase == RK_INTENT_STOPPED)
		RK_TRY(found(r, RK_BOOT_STOPPED, intent->level,
			     rk_arena_printf(&r->state->arena,
					     "the host was shut down while level %" PRIu64
					     " was watched; it is tried again",
					     intent->level)));
	else {
		RK_TRY(rk_host_state_forget_loaded(r->state));
		RK_TRY(block(r, RK_BOOT_CRASHED, intent->build_id, intent->level,
			     intent->phase == RK_INTENT_LOADING
				     ? "the host went down while it was being loaded"
				     : "the host went down before it had been quiet long enough"));
	}
	return rk_intent_remove(r->host);
}

/* The clock when this boot began is the latest that the other can have ended. */
static bool is_early(const struct review *r)
{
	int64_t since = r->kernel->booted - r->state->loaded.at;

	/* a clock that went back tells nothing; what crashes again and again is met by the count */
	return since >= 0 && since <= r->settings->crash_window && r->settings->crash_window;
}

/* The unit was stopped and started again: the boot for which the end in order was noted goes on. */
static struct rk_err *go_on(const struct review *r, struct rk_intent *intent)
{
	if (intent && intent->phase == RK_INTENT_STOPPED) {
		intent->phase = RK_INTENT_QUIET;
		RK_TRY(rk_intent_write(r->host, intent));
	}
	if (!r->state->loaded.stopped || !rk_streq(r->state->loaded.boot_id, r->kernel->boot_id))
		return NULL;
	r->state->loaded.stopped = false;
	return rk_host_state_write(r->host, r->state);
}

/* A level that had become good, in a boot that is over. */
static struct rk_err *judge_loaded(const struct review *r)
{
	struct rk_loaded_state loaded = r->state->loaded;
	bool early = is_early(r);
	struct rk_level_note *note;

	if (!*loaded.boot_id)
		return NULL;
	if (rk_streq(loaded.boot_id, r->kernel->boot_id))
		return go_on(r, NULL);
	RK_TRY(rk_host_state_note(r->state, loaded.build_id, loaded.level, &note));
	note->unclean = loaded.stopped ? 0 : note->unclean + 1;
	unsigned int unclean = note->unclean;
	/* told once: it was another boot's */
	RK_TRY(rk_host_state_forget_loaded(r->state));
	if (note->verdict == RK_VERDICT_BLOCKED || loaded.stopped)
		return rk_host_state_write(r->host, r->state);
	if (early)
		return block(r, RK_BOOT_CRASHED_EARLY, loaded.build_id, loaded.level,
			     "the host went down soon after it had been loaded");
	if (r->settings->crash_limit && unclean >= r->settings->crash_limit)
		return block(
			r, RK_BOOT_CRASHED_OFTEN, loaded.build_id, loaded.level,
			"the host went down without a shutdown again and again with it loaded");
	return rk_host_state_write(r->host, r->state);
}

static struct rk_err *damaged(const struct review *r, struct rk_err *why)
{
	_cleanup_err_ struct rk_err *reason = why;
	int64_t now = rk_host_time(r->host);

	RK_TRY(rk_intent_set_aside(r->host));
	RK_TRY(found(
		r, RK_BOOT_DAMAGED, 0,
		rk_arena_printf(&r->state->arena,
				"the record of what was being loaded can't be believed; nothing "
				"is loaded in this boot: %s",
				rk_err_message(reason))));
	RK_TRY(rk_host_state_set_last(r->state, &r->state->last_error, now, "state-damaged",
				      r->ret->text, 0));
	return rk_host_state_write(r->host, r->state);
}

static bool is_damage(const struct rk_err *err)
{
	return rk_err_code(err) != RK_ERR_NOMEM && rk_err_code(err) != RK_ERR_SYS;
}

struct rk_err *rk_boot_review(const struct rk_host *host, const struct rk_settings *settings,
			      const struct rk_host_kernel *kernel, struct rk_host_state *state,
			      struct rk_boot_review *ret)
{
	struct review r = {host, settings, kernel, state, ret};
	_cleanup_intent_ struct rk_intent *intent = NULL;
	struct rk_err *err;

	*ret = (struct rk_boot_review){.finding = RK_BOOT_FINE, .text = ""};
	err = rk_intent_read(host, &intent);
	if (err)
		return is_damage(err) ? damaged(&r, err) : err;
	if (intent && rk_streq(intent->boot_id, kernel->boot_id)) {
		RK_TRY(found(&r, RK_BOOT_THIS_BOOT, intent->level, ""));
		return go_on(&r, intent);
	}
	if (intent)
		RK_TRY(judge_intent(&r, intent));
	return judge_loaded(&r);
}

/* Levels that were tried in this boot, on top of what the caller forbids. */
struct tried {
	const struct rk_policy *policy;
	rk_vec(uint64_t) levels;
};

static enum rk_passed judge(void *ctx, const char *build_id, uint64_t level)
{
	const struct tried *tried = ctx;

	for (size_t i = 0; i < tried->levels.nr; i++)
		if (tried->levels.v[i] == level)
			return RK_PASSED_FAILED;
	return tried->policy && tried->policy->judge
		       ? tried->policy->judge(tried->policy->ctx, build_id, level)
		       : RK_PASSED_NOT;
}

/* Whether another level may do where this one didn't. */
static bool may_try_another(enum rk_apply_code code)
{
	switch (code) {
	case RK_APPLY_UNVERIFIED:
	case RK_APPLY_WRONG_KERNEL:
	case RK_APPLY_REFUSED:
	case RK_APPLY_STALLED:
	case RK_APPLY_FAILED: return true;
	default: return false;
	}
}

static struct rk_err *load_best(const struct rk_apply *apply, const struct rk_patches *patches,
				struct tried *tried, struct rk_apply_result *ret)
{
	const struct rk_policy policy = {judge, tried};
	struct rk_err *err = NULL;

	for (;;) {
		struct rk_choice choice;
		struct rk_err *second = rk_choose(patches, apply->state, &policy, &choice);
		const struct rk_patch *patch = second ? NULL : choice.patch;

		if (!second)
			rk_choice_deinit(&choice);
		if (!patch) {
			rk_err_free(err ? second : NULL);
			return err ? err : second;
		}
		rk_err_free(err);
		rk_apply_result_deinit(ret);
		err = rk_apply_load(apply, patch, ret);
		if (!err || !may_try_another(ret->code))
			return err;
		rk_report_note(apply->reporter, "%s", rk_err_message(err));
		if (!rk_vec_push(&tried->levels, patch->level)) {
			rk_err_free(err);
			return rk_err_nomem();
		}
	}
}

/* What failed in another boot, perhaps of another kernel, says nothing of this one. */
static struct rk_err *forget_error(const struct rk_apply *apply)
{
	struct rk_host_state *state = apply->state;

	if (!*state->last_error.code || rk_streq(state->loaded.boot_id, apply->kernel->boot_id))
		return NULL;
	RK_TRY(rk_host_state_set_last(state, &state->last_error, rk_host_time(apply->host), "",
				      NULL, 0));
	return rk_host_state_write(apply->host, state);
}

struct rk_err *rk_boot_load(const struct rk_apply *apply, const struct rk_patches *patches,
			    const struct rk_policy *policy, struct rk_boot_review *ret_review,
			    struct rk_apply_result *ret)
{
	struct tried tried = {.policy = policy};
	struct rk_err *err;

	*ret = (struct rk_apply_result){.code = RK_APPLY_ALREADY};
	RK_TRY(rk_boot_review(apply->host, apply->settings, apply->kernel, apply->state,
			      ret_review));
	if (ret_review->finding == RK_BOOT_DAMAGED)
		return rk_err(RK_ERR_STATE, "%s", ret_review->text);
	if (ret_review->finding == RK_BOOT_FINE || ret_review->finding == RK_BOOT_FINISHED)
		RK_TRY(forget_error(apply));
	err = rk_host_may_load(apply->host, true);
	if (err) {
		ret->code = RK_APPLY_DISABLED;
		return err;
	}
	if (!apply->settings->autoload || ret_review->finding == RK_BOOT_THIS_BOOT)
		return NULL;
	err = load_best(apply, patches, &tried, ret);
	rk_vec_deinit(&tried.levels);
	return err;
}

struct rk_err *rk_boot_stopped(const struct rk_host *host, const struct rk_host_kernel *kernel,
			       struct rk_host_state *state)
{
	_cleanup_intent_ struct rk_intent *intent = NULL;

	RK_TRY(rk_intent_read(host, &intent));
	if (intent && rk_streq(intent->boot_id, kernel->boot_id)) {
		intent->phase = RK_INTENT_STOPPED;
		RK_TRY(rk_intent_write(host, intent));
	}
	if (!rk_streq(state->loaded.boot_id, kernel->boot_id))
		return NULL;
	state->loaded.stopped = true;
	return rk_host_state_write(host, state);
}

struct rk_err *rk_boot_unloaded(const struct rk_host *host, const char *name)
{
	_cleanup_host_state_ struct rk_host_state *state = NULL;
	_cleanup_intent_ struct rk_intent *intent = NULL;
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_close_ int lock = -1;
	const char *boot_id;
	int64_t booted;

	if (!rk_fs_exists(host->state_file) && !rk_fs_exists(host->intent_file))
		return NULL;
	RK_TRY(rk_fs_mkdir_p(host->run_dir, 0755));
	RK_TRY(rk_host_lock(host, true, &lock));
	RK_TRY(rk_boot_read(host->proc, &arena, &boot_id, &booted));
	RK_TRY(rk_intent_read(host, &intent));
	if (intent && rk_streq(intent->name, name) && rk_streq(intent->boot_id, boot_id))
		RK_TRY(rk_intent_remove(host));
	RK_TRY(rk_host_state_read(host, &state));
	if (!rk_streq(state->loaded.name, name) || !rk_streq(state->loaded.boot_id, boot_id))
		return NULL;
	RK_TRY(rk_host_state_forget_loaded(state));
	return rk_host_state_write(host, state);
}
