/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts first, each from one place; then the verdict, which is a matter of the facts alone. */
#include "lib/host/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/host/apply.h"
#include "lib/host/effective.h"
#include "lib/host/intent.h"

#define SECURE_BOOT "firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define SMALL_MAX   4096

const char *rk_status_verdict_name(enum rk_status_verdict verdict)
{
	static const char *const names[] = {
		[RK_STATUS_LATEST] = "latest",	   [RK_STATUS_NONE] = "none",
		[RK_STATUS_OUTDATED] = "outdated", [RK_STATUS_UNSUPPORTED] = "unsupported",
		[RK_STATUS_STALLED] = "stalled",   [RK_STATUS_FAILED] = "failed",
	};

	return names[verdict];
}

/* --- facts --- */

/* The variable is four bytes of attributes, then its value (UEFI specification 2.10, 3.3). */
static enum rk_secure_boot read_secure_boot(const struct rk_host *host)
{
	_cleanup_free_ char *path = rk_path_join(host->sys, SECURE_BOOT), *data = NULL;
	size_t len = 0;
	_cleanup_err_ struct rk_err *err = path ? rk_fs_read(path, SMALL_MAX, &data, &len) : NULL;

	if (err || len != 5)
		return RK_SECURE_BOOT_UNKNOWN;
	return data[4] == 1 ? RK_SECURE_BOOT_ON : RK_SECURE_BOOT_OFF;
}

static uint64_t read_taint(const struct rk_host *host)
{
	_cleanup_free_ char *path = rk_path_join(host->proc, "sys/kernel/tainted"), *text = NULL;
	_cleanup_err_ struct rk_err *err = path ? rk_fs_read(path, SMALL_MAX, &text, NULL) : NULL;

	return err || !text ? 0 : strtoull(text, NULL, 10);
}

bool rk_status_was_refused(const struct rk_status *s)
{
	enum rk_err_code code = rk_err_code_named(s->state->last_check.code);

	/* a licence that has expired ends what is fetched, not what is known */
	return rk_err_code_is_distrust(code) && code != RK_ERR_EXPIRED;
}

/* What is known of the repository ends, so that nobody can keep a host at what was current once. */
static bool is_blind(const struct rk_status *s)
{
	return s->trust.problem || rk_status_was_refused(s) ||
	       (s->trust.timestamp_expires && s->now >= s->trust.timestamp_expires);
}

static enum rk_passed taken_back(const struct rk_status *s)
{
	const struct rk_policy *says = &s->trust.says;

	return s->loaded && says->judge
		       ? says->judge(says->ctx, s->loaded->build_id, s->loaded->level)
		       : RK_PASSED_NOT;
}

static struct rk_err *collect_loaded(const struct rk_host *host, struct rk_status *s)
{
	struct rk_err *err = rk_apply_loaded(host, s->patches, &s->arena, &s->loaded,
					     &s->loaded_state, &s->foreign);
	s->has_livepatch = !err;
	if (err && rk_err_code(err) != RK_ERR_UNSUPPORTED)
		return err;
	rk_err_free(err);
	if (!rk_livepatch_is_moving(s->loaded_state))
		return NULL;
	return rk_livepatch_blockers(&host->roots, s->loaded_state == RK_LIVEPATCH_ENABLING,
				     &s->blockers);
}

/* The newest level there is: of the repository, else what is installed. */
static const struct rk_patch *newest_patch(const struct rk_status *s)
{
	const struct rk_patch *installed =
		s->patches->list.nr ? &s->patches->list.v[s->patches->list.nr - 1] : NULL;

	return s->trust.newest_patch ? s->trust.newest_patch : installed;
}

static bool is_allowed(const struct rk_status *s, const struct rk_patch *patch)
{
	return rk_freeze_allows(&s->state->freeze, patch->level, patch->released);
}

static struct rk_err *find_allowed(struct rk_status *s)
{
	const struct rk_patch *newest = newest_patch(s), *allowed = newest;
	struct rk_choice choice = {};

	if (newest && !is_allowed(s, newest)) {
		RK_TRY(rk_choose(s->patches, s->state, NULL, &choice));
		allowed = s->trust.newest_patch ? s->trust.allowed_patch : choice.patch;
		rk_choice_deinit(&choice);
	}
	if (s->loaded && (!allowed || allowed->level < s->loaded->level))
		allowed = s->loaded;
	s->allowed = allowed;
	return NULL;
}

/* What the newest level fixes and isn't fixed here is either to be had or left out by the freeze. */
static struct rk_err *collect_cves(struct rk_status *s)
{
	RK_TRY(find_allowed(s));
	RK_TRY(rk_excluded_cves(s->loaded, NULL, &s->arena, &s->cves, &s->nr_cves));
	RK_TRY(rk_excluded_cves(s->allowed, s->loaded, &s->arena, &s->cves_missing,
				&s->nr_cves_missing));
	return rk_excluded_cves(newest_patch(s), s->allowed, &s->arena, &s->cves_excluded,
				&s->nr_cves_excluded);
}

/* --- the verdict --- */

static void say(struct rk_status *s, enum rk_status_verdict verdict, const char *summary)
{
	s->verdict = verdict;
	s->summary = summary;
}

/* In transition, and nobody is waiting for its end any more. */
static bool is_stalled(const struct rk_host *host, const struct rk_status *s)
{
	_cleanup_intent_ struct rk_intent *intent = NULL;
	int64_t limit = (int64_t)s->settings->transition_wait + s->settings->transition_limit;

	if (!rk_livepatch_is_moving(s->loaded_state))
		return false;
	rk_err_free(rk_intent_read(host, &intent));
	return !intent || s->now < intent->at || s->now - intent->at > limit;
}

static const struct rk_level_note *blocked_note(const struct rk_status *s,
						const struct rk_patch *patch)
{
	const struct rk_level_note *note =
		patch ? rk_host_state_find(s->state, patch->build_id, patch->level) : NULL;

	return note && note->verdict == RK_VERDICT_BLOCKED ? note : NULL;
}

/* Somebody's decision, and no failure. */
static bool is_rollback(const struct rk_level_note *note)
{
	return rk_streq(note->code, RK_CODE_ROLLED_BACK);
}

/* "level 12 is loaded", "no level is loaded" */
static const char *loaded_text(struct rk_status *s)
{
	return s->loaded
		       ? rk_arena_printf(&s->arena, "level %" PRIu64 " is loaded", s->loaded->level)
		       : "no level is loaded";
}

static bool judge_lost(struct rk_status *s)
{
	if (s->state->freeze.kind != RK_FREEZE_LOST)
		return false;
	say(s, RK_STATUS_FAILED,
	    rk_arena_printf(&s->arena,
			    "failed: which levels are blocked or frozen on this host was lost%s%s; "
			    "'readykernel freeze off' or 'freeze LEVEL' says which may be loaded; "
			    "%s",
			    *s->state->problem ? ": " : "", s->state->problem, loaded_text(s)));
	return true;
}

static bool judge_failed(struct rk_status *s)
{
	const struct rk_level_note *note = blocked_note(s, s->loaded);
	const struct rk_last *last = &s->state->last_error;

	if (!note)
		note = blocked_note(s, newest_patch(s));
	if (note && !is_rollback(note))
		say(s, RK_STATUS_FAILED,
		    rk_arena_printf(&s->arena,
				    "failed: level %" PRIu64 " is blocked here (%s; 'readykernel "
				    "load --force %" PRIu64 "' tries it again); %s",
				    note->level, note->reason, note->level, loaded_text(s)));
	else if (*last->code && !rk_streq(last->code, "interrupted"))
		say(s, RK_STATUS_FAILED,
		    rk_arena_printf(&s->arena, "failed: %s; %s", last->text, loaded_text(s)));
	else
		return false;
	return true;
}

/* Its publisher doesn't want it to run any more. */
static bool judge_taken_back(struct rk_status *s)
{
	static const char *const words[] = {
		[RK_PASSED_BLOCKED_BY_VENDOR] = "is blocked by its publisher",
		[RK_PASSED_WITHDRAWN] = "was withdrawn by its publisher",
		[RK_PASSED_MINIMUM] = "is below what its publisher holds for safe",
	};
	bool has_newer = s->allowed && s->loaded && s->allowed->level > s->loaded->level;

	if (s->taken_back == RK_PASSED_NOT)
		return false;
	say(s, RK_STATUS_FAILED,
	    rk_arena_printf(&s->arena, "failed: level %" PRIu64 " is loaded, which %s; %s",
			    s->loaded->level, words[s->taken_back],
			    has_newer || s->taken_back == RK_PASSED_WITHDRAWN
				    ? "'readykernel update' puts another in its place"
				    : "'readykernel unload' takes it out"));
	return true;
}

/* Only says that nothing newer is there when that is known. */
static bool judge_blind(struct rk_status *s)
{
	const char *why = "what is known of the repository has expired (see 'readykernel "
			  "check-update')";

	if (!s->is_blind)
		return false;
	if (s->trust.problem)
		why = s->trust.problem;
	else if (rk_status_was_refused(s))
		why = rk_arena_printf(&s->arena, "what the last check found was refused: %s",
				      s->state->last_check.text);
	say(s, RK_STATUS_FAILED,
	    rk_arena_printf(&s->arena, "failed: whether there is a newer level isn't known: %s; %s",
			    why, loaded_text(s)));
	return true;
}

/* To another level, or to none. */
static bool judge_rolled_back(struct rk_status *s)
{
	const struct rk_level_note *note = blocked_note(s, s->allowed);

	if (!note || !is_rollback(note))
		return false;
	say(s, s->loaded ? RK_STATUS_OUTDATED : RK_STATUS_NONE,
	    rk_arena_printf(&s->arena,
			    "rolled back: %s; 'readykernel load --force %" PRIu64
			    "' loads level %" PRIu64 " again",
			    loaded_text(s), note->level, note->level));
	return true;
}

/* Below a level that hurt this host nothing comes by itself that hasn't been good here (rk_choose()). */
static bool judge_untried(struct rk_status *s)
{
	const struct rk_patch *newest = newest_patch(s);

	if (!newest ||
	    rk_host_state_verdict(s->state, newest->build_id, newest->level) != RK_VERDICT_NONE)
		return false;
	rk_vec_for_each(&s->state->levels, note) {
		if (!rk_level_note_blocks_above(note, newest->build_id, newest->level))
			continue;
		say(s, RK_STATUS_NONE,
		    rk_arena_printf(&s->arena,
				    "not patched: level %" PRIu64
				    " is blocked here (%s), and level "
				    "%" PRIu64 " has never run here; 'readykernel update %" PRIu64
				    "' loads it all the same",
				    note->level, note->reason, newest->level, newest->level));
		return true;
	}
	return false;
}

static bool judge_none(struct rk_status *s)
{
	if (s->loaded)
		return false;
	if (!s->has_livepatch)
		say(s, RK_STATUS_UNSUPPORTED, "not covered: this kernel has no live patching");
	else if (s->trust.kernel_absent && !s->patches->list.nr)
		say(s, RK_STATUS_UNSUPPORTED,
		    rk_arena_printf(&s->arena,
				    "not covered: the repository has no levels for kernel "
				    "%s yet",
				    s->kernel->running.release));
	else if (s->kernel->switched > RK_SWITCH_NO_KPATCH)
		say(s, RK_STATUS_NONE,
		    rk_arena_printf(&s->arena, "not patched: switched off ('%s')",
				    rk_switch_name(s->kernel->switched)));
	else if (s->trust.problem)
		say(s, RK_STATUS_NONE,
		    rk_arena_printf(&s->arena, "not patched: %s", s->trust.problem));
	else if (s->trust.kernel_known && !s->trust.newest && judge_blind(s))
		return true;
	else if (s->trust.kernel_known && !s->trust.newest)
		say(s, RK_STATUS_LATEST, "covered: no level is needed for this kernel yet");
	else if (!judge_rolled_back(s) && !judge_untried(s))
		say(s, RK_STATUS_NONE,
		    "not patched: no level is loaded; 'readykernel update' loads one");
	return true;
}

static void judge(const struct rk_host *host, struct rk_status *s)
{
	const struct rk_patch *newest = newest_patch(s);

	if (judge_lost(s) || judge_failed(s))
		return;
	if (is_stalled(host, s)) {
		say(s, RK_STATUS_STALLED,
		    rk_arena_printf(&s->arena,
				    "stalled: the transition of level %" PRIu64
				    " doesn't end; %zu tasks hold it up",
				    s->loaded->level, s->blockers.list.nr));
		return;
	}
	if (judge_none(s) || judge_taken_back(s) || judge_rolled_back(s))
		return;
	if (s->allowed && s->allowed->level > s->loaded->level)
		say(s, RK_STATUS_OUTDATED,
		    rk_arena_printf(&s->arena,
				    "outdated: level %" PRIu64 " is loaded, level %" PRIu64
				    " is there; 'readykernel update' loads it",
				    s->loaded->level, s->allowed->level));
	else if (judge_blind(s))
		return;
	else if (newest && newest->level > s->loaded->level)
		say(s, RK_STATUS_LATEST,
		    rk_arena_printf(&s->arena,
				    "patched: level %" PRIu64
				    " is loaded, frozen there; %zu CVEs of "
				    "level %" PRIu64 " are left out",
				    s->loaded->level, s->nr_cves_excluded, newest->level));
	else
		say(s, RK_STATUS_LATEST,
		    rk_arena_printf(&s->arena,
				    "patched: level %" PRIu64 " is loaded, nothing newer is there",
				    s->loaded->level));
}

struct rk_err *rk_status_collect(const struct rk_host *host, const struct rk_settings *settings,
				 const struct rk_host_kernel *kernel,
				 const struct rk_host_state *state,
				 const struct rk_patches *patches,
				 const struct rk_status_trust *trust, struct rk_status **ret)
{
	_cleanup_status_ struct rk_status *s = calloc(1, sizeof(*s));

	if (!s)
		return rk_err_nomem();
	s->now = rk_host_time(host);
	s->kernel = kernel;
	s->settings = settings;
	s->state = state;
	s->patches = patches;
	if (trust)
		s->trust = *trust;
	s->secure_boot = read_secure_boot(host);
	s->taint = read_taint(host);
	RK_TRY(collect_loaded(host, s));
	s->is_blind = is_blind(s);
	s->taken_back = taken_back(s);
	s->effective = rk_effective_release(kernel, s->loaded, &s->arena);
	RK_TRY(collect_cves(s));
	judge(host, s);
	if (!s->effective || !s->summary)
		return rk_err_nomem();
	*ret = take_ptr(s);
	return NULL;
}

void rk_status_free(struct rk_status *status)
{
	if (!status)
		return;
	rk_livepatch_blockers_deinit(&status->blockers);
	rk_arena_deinit(&status->arena);
	free(status);
}
