/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The quiet time: what was loaded is watched, and becomes good, or is taken out with the level blocked. */
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/host/apply_internal.h"
#include "lib/host/choose.h"
#include "lib/host/kmsg.h"

#define LOOK_MS	    1000 /* between two looks at the log and the patch */
#define WATCH_SLACK 900	 /* seconds: the kernel's own work on a large patch, and a busy host */

/* One watch. */
struct watch {
	const struct rk_apply *apply;
	struct rk_apply own; /* apply, with what was read anew */
	const struct rk_patches *patches;
	struct rk_apply_result *ret;
	struct rk_intent *intent;
	struct rk_kmsg *kmsg; /* NULL: there is no kernel log to watch */
};

static void watch_deinit(struct watch *watch)
{
	rk_intent_free(watch->intent);
	rk_kmsg_free(watch->kmsg);
}

struct rk_err *rk_apply_mark_good(const struct rk_apply *apply, const struct rk_intent *intent)
{
	int64_t now = rk_host_time(apply->host);

	RK_TRY(rk_host_state_set_good(apply->state, intent->build_id, intent->level, intent->load,
				      now));
	RK_TRY(rk_host_state_set_last(apply->state, &apply->state->last_error, now, "", NULL,
				      intent->level));
	/* first the verdict, then the record goes: in between both are there, and their load says that they agree */
	RK_TRY(rk_host_state_write(apply->host, apply->state));
	RK_TRY(rk_intent_remove(apply->host));
	rk_apply_report(apply->host, apply->kernel, apply->reporter, "ping", "good", intent->level,
			NULL);
	return NULL;
}

/* Seconds that are left of the quiet time; all of them when the clock makes no sense. */
static double quiet_left(const struct watch *watch)
{
	double quiet = watch->apply->settings->quiet_time;
	int64_t since = rk_host_time(watch->apply->host) - watch->intent->at;

	return since > 0 && (double)since < quiet ? quiet - (double)since : quiet;
}

static struct rk_err *set_phase(struct watch *watch, enum rk_intent_phase phase)
{
	if (watch->intent->phase == phase)
		return NULL;
	watch->intent->phase = phase;
	return rk_intent_write(watch->apply->host, watch->intent);
}

/* Looks until the time is over; what was seen is *ret. */
static struct rk_err *look(struct watch *watch, enum rk_apply_code *ret)
{
	double end = rk_clock_seconds() + quiet_left(watch);
	enum rk_livepatch_state state;

	for (;;) {
		double left = end - rk_clock_seconds();

		RK_TRY(watch->kmsg ? rk_kmsg_read(watch->kmsg) : NULL);
		*ret = RK_APPLY_WARNED;
		if (watch->kmsg && rk_kmsg_has_trouble(watch->kmsg))
			return NULL;
		RK_TRY(rk_livepatch_state(&watch->apply->host->roots, watch->intent->name, &state));
		*ret = RK_APPLY_STUCK;
		if (rk_livepatch_is_moving(state))
			return NULL;
		*ret = RK_APPLY_VANISHED;
		if (state != RK_LIVEPATCH_ENABLED)
			return NULL;
		*ret = RK_APPLY_OK;
		if (left <= 0)
			return NULL;
		*ret = RK_APPLY_INTERRUPTED;
		if (rk_is_interrupted())
			return NULL;
		unsigned int ms = left * 1000 < LOOK_MS ? (unsigned int)(left * 1000) + 1 : LOOK_MS;
		if (watch->kmsg)
			rk_kmsg_wait(watch->kmsg, ms);
		else
			(void)poll(NULL, 0, (int)ms);
	}
}

/* --- while others may change the host --- */

/* Is the load that was watched still the one to be judged? */
static struct rk_err *is_ours(struct watch *watch, bool *ret)
{
	_cleanup_intent_ struct rk_intent *now = NULL;

	RK_TRY(rk_intent_read(watch->apply->host, &now));
	*ret = now && rk_streq(now->load, watch->intent->load);
	if (*ret) { /* its phase may be another */
		rk_intent_free(watch->intent);
		watch->intent = take_ptr(now);
	}
	return NULL;
}

/* Looks without the lock; afterwards it is held again. An error of looking is the caller's only when it could be taken. */
static struct rk_err *look_apart(struct watch *watch, enum rk_apply_code *ret)
{
	const struct rk_apply_pause *pause = watch->apply->pause;

	pause->leave(pause->ctx);
	struct rk_err *err = look(watch, ret);
	struct rk_err *second = pause->enter(pause->ctx, &watch->own.state, &watch->patches);
	if (!err)
		return second;
	rk_err_free(second);
	return err;
}

/* Until it is known what becomes of the load; *ret_ours is false when that isn't ours to say any more. */
static struct rk_err *look_paused(struct watch *watch, enum rk_apply_code *ret, bool *ret_ours)
{
	enum rk_livepatch_state state;

	for (;;) {
		RK_TRY(look_apart(watch, ret));
		RK_TRY(is_ours(watch, ret_ours));
		if (!*ret_ours || (*ret != RK_APPLY_STUCK && *ret != RK_APPLY_VANISHED))
			return NULL;
		/* in the midst of a change of somebody else's, who took it back */
		RK_TRY(rk_livepatch_state(&watch->apply->host->roots, watch->intent->name, &state));
		if (state != RK_LIVEPATCH_ENABLED)
			return NULL;
	}
}

/* --- what follows --- */

/* The newest level that was good here and isn't the one that failed. */
static struct rk_err *fallback(const struct watch *watch, const struct rk_patch **ret)
{
	struct rk_choice choice;

	RK_TRY(rk_choose(watch->patches, watch->apply->state, NULL, &choice));
	*ret = choice.patch;
	rk_choice_deinit(&choice);
	return NULL;
}

/* Puts the newest good level in the place of the one that failed, or nothing. */
static struct rk_err *roll_back(const struct watch *watch, struct rk_apply_result *result)
{
	struct rk_apply apply = *watch->apply;
	_cleanup_intent_ struct rk_intent *intent = NULL;
	const struct rk_patch *patch;

	RK_TRY(fallback(watch, &patch));
	if (!patch)
		return rk_apply_unload(&apply, watch->patches, false, result);
	apply.force = false;
	apply.at_boot = false;
	struct rk_err *err = rk_apply_load(&apply, patch, result);
	if (err && result->code == RK_APPLY_STUCK)
		return err;
	if (err) { /* it is switched off, taken back or damaged: what is in trouble still goes */
		rk_report_note(apply.reporter, "level %" PRIu64 " can't take its place: %s",
			       patch->level, rk_err_message(err));
		rk_err_free(err);
		rk_apply_result_deinit(result);
		return rk_apply_unload(&apply, watch->patches, false, result);
	}
	RK_TRY(rk_intent_read(apply.host, &intent));
	/* it was good before and takes the place of a worse one: nothing to be watched for */
	return intent && intent->level == patch->level ? rk_apply_mark_good(&apply, intent) : NULL;
}

static struct rk_err *trouble(struct watch *watch)
{
	const struct rk_apply *apply = watch->apply;
	_cleanup_apply_result_ struct rk_apply_result second = {};
	_cleanup_err_ struct rk_err *failed = NULL;
	uint64_t level = watch->intent->level;
	struct rk_err *err;

	rk_str_add(&watch->ret->log, rk_kmsg_lines(watch->kmsg));
	RK_TRY(rk_str_check(&watch->ret->log));
	RK_TRY(rk_host_state_block(
		apply->state, watch->intent->build_id, level, rk_apply_code_name(RK_APPLY_WARNED),
		"the kernel log names it in a report of trouble", rk_host_time(apply->host)));
	RK_TRY(rk_host_state_write(apply->host, apply->state));
	if (apply->settings->on_warning == RK_ON_WARNING_ROLLBACK) {
		failed = roll_back(watch, &second);
		watch->ret->after = second.after;
		watch->ret->restored = !failed && second.after;
	}
	if (!failed)
		failed = rk_intent_remove(apply->host);
	err = rk_err(RK_ERR_VERDICT,
		     "the kernel log names level %" PRIu64 " in a report of trouble; it is blocked "
		     "and %s",
		     level,
		     failed ? "could not be taken out"
		     : apply->settings->on_warning == RK_ON_WARNING_KEEP
			     ? "stays loaded ('on_warning' is 'keep')"
			     : "was taken out");
	if (failed)
		err = rk_err_wrap(err, "%s", rk_err_message(failed));
	return rk_apply_end(apply, RK_APPLY_WARNED, level, err, watch->ret);
}

static struct rk_err *conclude(struct watch *watch, enum rk_apply_code code)
{
	const struct rk_apply *apply = watch->apply;
	uint64_t level = watch->intent->level;

	watch->ret->code = code;
	switch (code) {
	case RK_APPLY_OK: return rk_apply_mark_good(apply, watch->intent);
	case RK_APPLY_WARNED: return trouble(watch);
	case RK_APPLY_STUCK: /* the record stays: what comes of it is still this level's doing */
		return rk_err(RK_ERR_TIMEOUT,
			      "level %" PRIu64
			      " is in transition, and can't be judged before its end",
			      level);
	case RK_APPLY_INTERRUPTED:
		RK_TRY(set_phase(watch, RK_INTENT_STOPPED));
		return rk_err(RK_ERR_INTERRUPTED,
			      "interrupted while level %" PRIu64 " was watched; it stays loaded",
			      level);
	default: break;
	}
	watch->ret->after = 0;
	/* what isn't there any more is not to blame for the host's end either */
	if (rk_streq(apply->state->loaded.load, watch->intent->load))
		RK_TRY(rk_host_state_forget_loaded(apply->state));
	RK_TRY(rk_intent_remove(apply->host));
	return rk_apply_end(apply, RK_APPLY_VANISHED, level,
			    rk_err(RK_ERR_VERDICT,
				   "level %" PRIu64
				   " was unloaded by somebody else while it was watched",
				   level),
			    watch->ret);
}

static struct rk_err *open_log(struct watch *watch)
{
	const struct rk_apply *apply = watch->apply;
	struct rk_err *err =
		rk_kmsg_open(apply->host, watch->intent->name, watch->intent->kmsg, &watch->kmsg);

	if (!err || rk_err_code(err) == RK_ERR_NOMEM)
		return err;
	rk_report_note(apply->reporter, "the kernel log can't be watched: %s", rk_err_message(err));
	rk_err_free(err);
	return NULL;
}

struct rk_err *rk_apply_is_unwatched(const struct rk_apply *apply, bool *ret)
{
	const struct rk_settings *settings = apply->settings;
	_cleanup_intent_ struct rk_intent *intent = NULL;
	int64_t longest = (int64_t)settings->transition_wait + settings->transition_limit +
			  settings->quiet_time + WATCH_SLACK;

	RK_TRY(rk_intent_read(apply->host, &intent));
	*ret = intent && rk_streq(intent->boot_id, apply->kernel->boot_id) &&
	       rk_host_time(apply->host) - intent->at > longest;
	return NULL;
}

struct rk_err *rk_apply_confirm(const struct rk_apply *apply, const struct rk_patches *patches,
				struct rk_apply_result *ret)
{
	_cleanup_(watch_deinit) struct watch watch = {
		.own = *apply,
		.patches = patches,
		.ret = ret,
	};
	enum rk_apply_code code;
	bool ours = true;

	watch.apply = &watch.own;
	*ret = (struct rk_apply_result){.code = RK_APPLY_ALREADY};
	RK_TRY(rk_intent_read(apply->host, &watch.intent));
	if (!watch.intent || !rk_streq(watch.intent->boot_id, apply->kernel->boot_id))
		return NULL;
	ret->before = ret->after = watch.intent->level;
	ret->transition_ms = watch.intent->transition_ms;
	RK_TRY(open_log(&watch));
	RK_TRY(set_phase(&watch, RK_INTENT_QUIET));
	rk_report_phase(apply->reporter, "watch", "watching the kernel log for %.0f s",
			quiet_left(&watch));
	if (apply->pause)
		RK_TRY(look_paused(&watch, &code, &ours));
	else
		RK_TRY(look(&watch, &code));
	return ours ? conclude(&watch, code) : NULL;
}
