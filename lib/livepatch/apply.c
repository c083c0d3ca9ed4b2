/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of a load: what is in the way goes, the module comes, the transition is waited for; then what the new one took the place of is
 * cleared away. Each step that fails is followed by those that undo the ones before it.
 */
#include "lib/livepatch/apply.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"

const struct rk_livepatch_patience rk_livepatch_patience = {
	.first_ms = 15000,
	.second_ms = 60000,
	.finish_ms = 300000,
	.reference_ms = 15000,
	.tries = 5,
};

/* One call's arguments. */
struct apply {
	const struct rk_livepatch_roots *roots;
	const struct rk_livepatch_patience *patience;
	const struct rk_reporter *reporter;
	struct rk_livepatch_outcome *outcome;
};

void rk_livepatch_outcome_deinit(struct rk_livepatch_outcome *outcome)
{
	rk_livepatch_blockers_deinit(&outcome->blockers);
	*outcome = (struct rk_livepatch_outcome){};
}

struct rk_err *rk_livepatch_lock(const struct rk_livepatch_roots *roots, int *ret_fd)
{
	_cleanup_free_ char *path = rk_path_join(roots->run, "lock");

	if (!path)
		return rk_err_nomem();
	struct rk_err *err = rk_fs_mkdir_p(roots->run, 0755);
	if (!err)
		err = rk_fs_lock(path, RK_LOCK_EXCLUSIVE, false, ret_fd);
	if (!err || (rk_err_errno(err) != EACCES && rk_err_errno(err) != EPERM))
		return err;
	rk_err_free(err);
	return rk_err_sys(EPERM, "only root may change which live patches are loaded");
}

/* going_on: also when interrupted. */
static struct rk_err *wait_for(const struct apply *a, const char *name, bool going_on,
			       enum rk_livepatch_state *ret)
{
	const struct rk_livepatch_patience *p = a->patience;
	struct rk_livepatch_limits limits = {
		.note_ms = p->first_ms,
		.end_ms = p->first_ms + p->second_ms,
		.finish_ms = p->finish_ms,
		.goes_on = going_on,
	};

	return rk_livepatch_wait(a->roots, name, &limits, a->reporter, ret);
}

/* Keeps who holds name up, before the transition is turned round; that they can't be told is no reason to fail. */
static void note_blockers(const struct apply *a, bool enabling)
{
	struct rk_livepatch_blockers blockers = {};
	struct rk_err *err;

	err = rk_livepatch_blockers(a->roots, enabling, &blockers);
	if (err) {
		rk_report_note(a->reporter, "cannot tell which tasks hold it up: %s",
			       rk_err_message(err));
		rk_err_free(err);
		return;
	}
	rk_livepatch_blockers_deinit(&a->outcome->blockers);
	a->outcome->blockers = blockers;
}

static bool is_on(enum rk_livepatch_state state)
{
	return state == RK_LIVEPATCH_ENABLED || state == RK_LIVEPATCH_ENABLING;
}

static struct rk_err *disable(const struct apply *a, const char *name, bool going_on,
			      enum rk_livepatch_state *ret)
{
	enum rk_livepatch_state state;

	RK_TRY(rk_livepatch_state(a->roots, name, &state));
	if (is_on(state))
		RK_TRY(rk_livepatch_set_enabled(a->roots, name, false));
	RK_TRY(wait_for(a, name, going_on, ret));
	if (*ret == RK_LIVEPATCH_ENABLED)
		return rk_err(RK_ERR_TOOL, "'%s' was enabled again by somebody else", name);
	return NULL;
}

/*
 * Removes the module of a patch that is disabled. Who still refers to it keeps a module that does nothing, until reboot after
 * klp_force_transition(): no reason to fail.
 */
static void clear_away(const struct apply *a, const char *name, unsigned int limit_ms)
{
	struct rk_err *err = rk_livepatch_remove(a->roots, name, limit_ms);

	if (err)
		rk_report_note(a->reporter, "'%s' is disabled, but its module stays: %s", name,
			       rk_err_message(err));
	else
		rk_livepatch_forget(a->roots, name);
	rk_err_free(err);
}

/* Takes a patch out whose load didn't come to its end. */
static struct rk_err *take_back(const struct apply *a, const char *name)
{
	/* reversing waits for the tasks that already changed over, which are few or none */
	RK_TRY(disable(a, name, true, &a->outcome->state));
	a->outcome->reversed = true;
	clear_away(a, name, a->patience->reference_ms);
	return rk_livepatch_state(a->roots, name, &a->outcome->state);
}

/* A transition that ended later than the limit, or was turned round and doesn't end either. */
static bool is_stall(const struct rk_err *err, const struct rk_err *second)
{
	return rk_err_code(err) == RK_ERR_TIMEOUT ||
	       (second && rk_err_code(second) == RK_ERR_TIMEOUT);
}

/* err is why. */
static struct rk_err *reverse(const struct apply *a, const char *name, struct rk_err *err)
{
	_cleanup_err_ struct rk_err *second = NULL;

	second = rk_livepatch_state(a->roots, name, &a->outcome->state);
	if (!second && a->outcome->state == RK_LIVEPATCH_ENABLED) {
		/* it ended after the last look; what it replaced is gone, so that it mustn't go */
		rk_err_free(err);
		return NULL;
	}
	if (rk_err_code(err) == RK_ERR_TIMEOUT)
		note_blockers(a, true);
	if (!second)
		second = take_back(a, name);
	a->outcome->stalled = is_stall(err, second);
	if (!second)
		return rk_err_wrap(err, "cannot load '%s'; it was taken back", name);
	return rk_err_wrap(err, "cannot load '%s', and cannot take it back (%s)", name,
			   rk_err_message(second));
}

static struct rk_err *wait_enabled(const struct apply *a, const char *name, bool going_on)
{
	struct rk_livepatch_outcome *outcome = a->outcome;
	double start = rk_clock_seconds();
	struct rk_err *err = wait_for(a, name, going_on, &outcome->state);

	outcome->transition_s = rk_clock_seconds() - start;
	if (err)
		return reverse(a, name, err);
	if (outcome->state != RK_LIVEPATCH_ENABLED)
		return rk_err(RK_ERR_TOOL, "'%s' was loaded, but its patch is %s", name,
			      rk_livepatch_state_name(outcome->state));
	return NULL;
}

/* The file that was checked, whatever its name leads to by now: the kernel reads from the descriptor whose bytes were compared. */
static struct rk_err *insert_checked(const struct apply *a, const char *path, const char *sha256,
				     bool going_on)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char found[RK_SHA256_HEX_SIZE];

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	RK_TRY(rk_sha256_fd(fd, path, found));
	if (!rk_streq(found, sha256))
		return rk_err(RK_ERR_MISMATCH, "'%s' is not the file any more that was checked",
			      path);
	return rk_livepatch_insert_fd(a->roots, fd, path, a->patience->tries, going_on,
				      a->reporter);
}

/* Going on, also what can't be written down is loaded. */
static struct rk_err *remember(const struct apply *a, const char *path,
			       const struct rk_module_info *info, bool going_on)
{
	struct rk_err *err = rk_err_wrap(rk_livepatch_remember(a->roots, path, info),
					 "cannot write down that '%s' is loaded", info->name);

	if (!err || !going_on)
		return err;
	rk_report_note(a->reporter, "%s", rk_err_message(err));
	rk_err_free(err);
	return NULL;
}

/* Who is killed in a transition leaves a patch behind of which is known what it is: so that comes first. */
static struct rk_err *insert_and_wait(const struct apply *a, const char *path,
				      const struct rk_module_info *info, bool going_on)
{
	double start;
	struct rk_err *err;

	RK_TRY(remember(a, path, info, going_on));
	start = rk_clock_seconds();
	err = insert_checked(a, path, info->sha256, going_on);
	a->outcome->insert_s = rk_clock_seconds() - start;
	if (!err)
		return wait_enabled(a, info->name, going_on);
	rk_livepatch_forget(a->roots, info->name);
	return err;
}

/* Enables name again, whose unloading didn't come to its end; err is why. NULL: it did, after all. */
static struct rk_err *keep(const struct apply *a, const char *name, struct rk_err *err)
{
	_cleanup_err_ struct rk_err *second = NULL;
	enum rk_livepatch_state state;

	if (rk_err_code(err) == RK_ERR_TIMEOUT)
		note_blockers(a, false);
	/* the kernel refuses when nothing is left to be turned round: what the state is then, counts */
	rk_err_free(rk_livepatch_set_enabled(a->roots, name, true));
	second = wait_for(a, name, true, &state);
	if (!second && state != RK_LIVEPATCH_ENABLED) {
		rk_livepatch_blockers_deinit(&a->outcome->blockers);
		rk_err_free(err);
		return NULL;
	}
	a->outcome->stalled = is_stall(err, second);
	a->outcome->reversed = !second;
	return rk_err_wrap(
		err, second ? "cannot unload '%s'" : "cannot unload '%s'; it stays enabled", name);
}

static struct rk_err *unload(const struct apply *a, const char *name)
{
	enum rk_livepatch_state state;
	struct rk_err *err = disable(a, name, false, &state);

	if (err)
		err = keep(a, name, err);
	if (!err)
		clear_away(a, name, a->patience->reference_ms);
	return err;
}

/* What was left before isn't waited for, unless it is in the new one's way: the kernel takes no two modules of one name. */
static struct rk_err *remove_disabled(const struct apply *a, const struct rk_livepatch_plan *plan,
				      const char *name)
{
	rk_vec_for_each(&plan->disabled, it) {
		if (rk_streq(it->name, name))
			RK_TRY(rk_livepatch_remove(a->roots, name, a->patience->reference_ms));
		clear_away(a, it->name, 0);
	}
	return NULL;
}

/* Unless it is enabled still. The file may be another one by now. */
static struct rk_err *load_again(const struct apply *a, const struct rk_livepatch_before *before,
				 bool *ret_loaded)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	enum rk_livepatch_state state;

	RK_TRY(rk_livepatch_state(a->roots, before->name, &state));
	if (state != RK_LIVEPATCH_ABSENT && state != RK_LIVEPATCH_DISABLED)
		return NULL;
	if (!before->known.path || !before->known.sha256)
		return rk_err(RK_ERR_NOT_FOUND, "the file of '%s' is not known", before->name);
	RK_TRY(rk_module_info_read(before->known.path, &info));
	if (!rk_streq(info->sha256, before->known.sha256))
		return rk_err(RK_ERR_MISMATCH, "'%s' is another file by now", before->known.path);
	/* one that was replaced has left its module */
	RK_TRY(rk_livepatch_remove(a->roots, before->name, a->patience->reference_ms));
	RK_TRY(insert_and_wait(a, before->known.path, info, true));
	*ret_loaded = true;
	return NULL;
}

/* Neither what was on its way out, nor the patch that was to be loaded. */
static bool was_wanted(const struct rk_livepatch_plan *plan,
		       const struct rk_livepatch_before *before)
{
	return is_on(before->state) &&
	       (before->state == RK_LIVEPATCH_ENABLED || plan->way != RK_LIVEPATCH_CONTINUE);
}

/*
 * Brings back what was enabled before and isn't any more; err is why. Disabled for the new patch, or replaced by it: a replacement that
 * comes to its end between the last look and the reversal is not reversed, the kernel then disables the new one instead.
 * The outcome stays the new patch's.
 */
static struct rk_err *restore(const struct apply *a, const struct rk_livepatch_plan *plan,
			      struct rk_err *err)
{
	struct rk_livepatch_outcome aside = {};
	struct apply quiet = *a;
	struct rk_err *second = NULL;
	bool loaded = false;

	quiet.outcome = &aside;
	rk_vec_for_each(&plan->enabled, it)
		if (!second && was_wanted(plan, it))
			second = load_again(&quiet, it, &loaded);
	rk_livepatch_outcome_deinit(&aside);
	if (second) {
		err = rk_err_wrap(err, "cannot bring back what was loaded before (%s)",
				  rk_err_message(second));
		rk_err_free(second);
		return err;
	}
	a->outcome->restored = loaded;
	return err;
}

/* Disables what is enabled, then loads. */
static struct rk_err *change(const struct apply *a, const struct rk_livepatch_plan *plan,
			     const char *path, const struct rk_module_info *info)
{
	if (rk_is_interrupted())
		return rk_err(RK_ERR_INTERRUPTED, "interrupted before '%s' was loaded", info->name);
	rk_vec_for_each(&plan->enabled, it)
		RK_TRY(unload(a, it->name));
	/* interrupted by now: going on is as quick as going back, which a module that stays in use would forbid */
	return insert_and_wait(a, path, info, rk_is_interrupted());
}

/* The kernel disabled what was replaced; its modules only lie about. */
static void clear_replaced(const struct apply *a, const struct rk_livepatch_plan *plan)
{
	rk_vec_for_each(&plan->enabled, it) {
		enum rk_livepatch_state state;
		struct rk_err *err = rk_livepatch_state(a->roots, it->name, &state);

		if (!err && state == RK_LIVEPATCH_DISABLED)
			clear_away(a, it->name, a->patience->reference_ms);
		rk_err_free(err);
	}
}

static struct rk_err *do_plan(const struct apply *a, const char *path,
			      const struct rk_module_info *info,
			      const struct rk_livepatch_plan *plan)
{
	const char *name = info->name;

	switch (plan->way) {
	case RK_LIVEPATCH_REFUSED:
		return rk_err(RK_ERR_MISMATCH, "cannot load '%s': %s", name, plan->reason);
	case RK_LIVEPATCH_CONTINUE:
		RK_TRY(remember(a, path, info, true));
		return wait_enabled(a, name, false);
	case RK_LIVEPATCH_TURN:
		RK_TRY(remember(a, path, info, true));
		RK_TRY(rk_livepatch_set_enabled(a->roots, name, true));
		return wait_enabled(a, name, false);
	case RK_LIVEPATCH_CHANGE:
		RK_TRY(remove_disabled(a, plan, name));
		return change(a, plan, path, info);
	default:
		RK_TRY(remove_disabled(a, plan, name));
		return insert_and_wait(a, path, info, false);
	}
}

struct rk_err *rk_livepatch_apply(const struct rk_livepatch_roots *roots, const char *path,
				  const struct rk_module_info *info,
				  const struct rk_livepatch_plan *plan,
				  const struct rk_livepatch_patience *patience,
				  const struct rk_reporter *reporter,
				  struct rk_livepatch_outcome *outcome)
{
	struct apply a = {roots, patience, reporter, outcome};
	struct rk_err *err;

	if (plan->way == RK_LIVEPATCH_NOTHING) {
		outcome->state = RK_LIVEPATCH_ENABLED;
		return NULL;
	}
	err = do_plan(&a, path, info, plan);
	if (err)
		return restore(&a, plan, err);
	if (plan->way != RK_LIVEPATCH_CHANGE)
		clear_replaced(&a, plan);
	return NULL;
}

struct rk_err *rk_livepatch_unload(const struct rk_livepatch_roots *roots, const char *name,
				   const struct rk_livepatch_patience *patience,
				   const struct rk_reporter *reporter,
				   struct rk_livepatch_outcome *outcome)
{
	struct apply a = {roots, patience, reporter, outcome};

	RK_TRY(rk_livepatch_state(roots, name, &outcome->state));
	if (outcome->state == RK_LIVEPATCH_ABSENT)
		return rk_err(RK_ERR_NOT_FOUND,
			      "no live patch '%s' is loaded; 'kpatch list' shows what is", name);
	if (outcome->state == RK_LIVEPATCH_DISABLED) /* then its module is all there is to do */
		RK_TRY(rk_livepatch_remove(roots, name, patience->reference_ms));
	RK_TRY(unload(&a, name));
	return rk_livepatch_state(roots, name, &outcome->state);
}
