/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes the running kernel, told to whoever waits for it: the level before and after, who held a transition up, and what the
 * kernel log said. lib/host does the work and keeps the record.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/host/boot.h"
#include "tools/common/journal.h"
#include "tools/common/render.h"
#include "tools/readykernel/client.h"

static void leave(void *ctx)
{
	readykernel_leave(ctx);
}

static struct rk_err *enter(void *ctx, struct rk_host_state **ret_state,
			    const struct rk_patches **ret_patches)
{
	struct readykernel *rk = ctx;

	RK_TRY(readykernel_enter(rk));
	*ret_state = rk->state;
	*ret_patches = rk->patches;
	return NULL;
}

static struct rk_apply make_apply(struct readykernel *rk, bool force, bool at_boot)
{
	return (struct rk_apply){
		.host = rk->host,
		.settings = rk->settings,
		.kernel = rk->kernel,
		.state = rk->state,
		.verify = readykernel_verify,
		.verify_ctx = rk,
		.force = force,
		.at_boot = at_boot,
		.reporter = rk->cli->reporter,
	};
}

/* --- telling --- */

static void show_lines(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(stderr, "%s  %.*s\n", rk_journal_prefix(stderr, RK_PRIORITY_WARNING),
			(int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* What a person needs to see of a change that didn't go well, before the error itself. */
static void show_trouble(const struct rk_apply_result *result)
{
	rk_vec_for_each(&result->blockers.list, it) {
		rk_render_warning(stderr, "held up by %s (%d)%s", it->comm, it->tid,
				  *it->stack ? ":" : "");
		show_lines(it->stack);
	}
	if (result->log.len) {
		rk_render_warning(stderr, "the kernel log says:");
		show_lines(rk_str_get(&result->log));
	}
	if (result->restored)
		rk_render_warning(stderr, "level %" PRIu64 " is loaded again", result->after);
}

/* A timeout of the kernel's is no failure of the network: its exit status is another. */
static struct rk_err *as_verdict(struct rk_err *err, const struct rk_apply_result *result)
{
	if (!err || (result->code != RK_APPLY_STALLED && result->code != RK_APPLY_STUCK))
		return err;
	struct rk_err *verdict = rk_err(RK_ERR_VERDICT, "%s", rk_err_message(err));
	rk_err_free(err);
	return verdict;
}

/* The outcome is published whatever it was; the first error counts. */
static struct rk_err *finish(struct readykernel *rk, const struct rk_apply_result *result,
			     struct rk_err *err)
{
	if (err)
		show_trouble(result);
	struct rk_err *second = readykernel_publish(rk);
	if (!err)
		return second;
	rk_err_free(second);
	return as_verdict(err, result);
}

static void say(const struct readykernel *rk, const char *fmt, ...) __printf(2, 3);
static void say(const struct readykernel *rk, const char *fmt, ...)
{
	va_list ap;

	if (rk->cli->quiet)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	rk_cli_flush(rk->cli);
}

/* --- loading --- */

static struct rk_err *watch(struct readykernel *rk, const struct rk_apply *apply,
			    enum rk_exit *ret_exit)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_apply_pause pause = {leave, enter, rk};
	struct rk_apply watching = *apply;
	struct rk_err *err;

	watching.pause = &pause;
	err = rk_apply_confirm(&watching, rk->patches, &result);
	if (!err && result.code == RK_APPLY_ALREADY)
		*ret_exit = RK_EXIT_NOTHING;
	if (!err && result.code == RK_APPLY_ALREADY && result.before)
		say(rk,
		    "level %" PRIu64
		    " is not watched any more: somebody else changed what is loaded",
		    result.before);
	else if (!err && result.code == RK_APPLY_OK)
		say(rk, "level %" PRIu64 " is good: the kernel log named no trouble with it",
		    result.after);
	return finish(rk, &result, err);
}

struct rk_err *readykernel_watch(struct readykernel *rk, enum rk_exit *ret_exit)
{
	struct rk_apply apply = make_apply(rk, false, false);

	return watch(rk, &apply, ret_exit);
}

struct rk_err *readykernel_check_patch(struct readykernel *rk, const struct rk_patch *patch)
{
	struct rk_apply apply = make_apply(rk, false, false);

	return rk_apply_check(&apply, patch);
}

struct rk_err *readykernel_resume_watch(struct readykernel *rk)
{
	struct rk_apply apply = make_apply(rk, false, false);
	enum rk_exit exit_status = RK_EXIT_DONE;
	bool is_unwatched;

	RK_TRY(rk_apply_is_unwatched(&apply, &is_unwatched));
	return is_unwatched ? watch(rk, &apply, &exit_status) : NULL;
}

struct rk_err *readykernel_load_patch(struct readykernel *rk, const struct rk_patch *patch,
				      bool force, bool wait, enum rk_exit *ret_exit)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_apply apply = make_apply(rk, force, false);
	struct rk_err *err = rk_apply_load(&apply, patch, &result);

	err = finish(rk, &result, err);
	if (err)
		return err;
	if (result.code == RK_APPLY_ALREADY) {
		say(rk, "level %" PRIu64 " is already loaded", patch->level);
		*ret_exit = RK_EXIT_NOTHING;
		return NULL;
	}
	say(rk, "level %" PRIu64 " is loaded (%s, transition %u.%03u s)", patch->level, patch->name,
	    result.transition_ms / 1000, result.transition_ms % 1000);
	return wait ? watch(rk, &apply, ret_exit) : NULL;
}

struct rk_err *readykernel_unload_patch(struct readykernel *rk, bool all, enum rk_exit *ret_exit)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_apply apply = make_apply(rk, false, false);
	struct rk_err *err = rk_apply_unload(&apply, rk->patches, all, &result);

	err = finish(rk, &result, err);
	if (err)
		return err;
	if (result.code == RK_APPLY_ALREADY) {
		say(rk, "no level is loaded");
		*ret_exit = RK_EXIT_NOTHING;
	} else {
		say(rk, "level %" PRIu64 " is unloaded; this kernel is not patched now",
		    result.before);
	}
	return NULL;
}

/* --- at boot --- */

struct rk_err *readykernel_boot_patch(struct readykernel *rk, enum rk_exit *ret_exit)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_apply apply = make_apply(rk, false, true);
	struct rk_policy policy = readykernel_policy(rk);
	struct rk_boot_review review = {.text = ""};
	struct rk_err *err = rk_boot_load(&apply, rk->patches, &policy, &review, &result);

	if (review.text && *review.text)
		say(rk, "%s", review.text);
	/* that it is switched off is somebody's wish: no unit has failed */
	if (err && result.code == RK_APPLY_DISABLED) {
		say(rk, "%s", rk_err_message(err));
		rk_err_free(err);
		*ret_exit = RK_EXIT_NOTHING;
		return finish(rk, &result, NULL);
	}
	err = finish(rk, &result, err);
	if (err)
		return err;
	if (result.after)
		say(rk, "level %" PRIu64 " is loaded (transition %u.%03u s)", result.after,
		    result.transition_ms / 1000, result.transition_ms % 1000);
	else
		say(rk, "no level is loaded for kernel %s", rk->kernel->running.release);
	return NULL;
}
