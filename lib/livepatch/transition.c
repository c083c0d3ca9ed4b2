/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transition: after an enable or disable every task changes over by itself, when its stack shows no patched
 * function or when it leaves the kernel. The kernel tries once a second; who is left is named here.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/livepatch/internal.h"
#include "lib/livepatch/livepatch.h"

#define COMM_MAX  64
#define STACK_MAX (16 * 1024)
#define POLL_MS	  10 /* two small files are read each time; the end is seen so late at most */

static int compare_blocker(const void *a, const void *b)
{
	const struct rk_livepatch_blocker *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

struct rk_err *rk_livepatch_read_comm(const char *path, struct rk_arena *arena, const char **ret)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	_cleanup_free_ char *file = rk_path_join(path, "comm");
	bool found;

	if (!file)
		return rk_err_nomem();
	RK_TRY(rk_livepatch_read_small(file, COMM_MAX, &text, &found));
	*ret = found ? rk_arena_strdup(arena, rk_str_get(&text)) : NULL;
	return found && !*ret ? rk_err_nomem() : NULL;
}

struct rk_err *rk_livepatch_read_stack(const char *path, struct rk_arena *arena, const char **ret)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	_cleanup_free_ char *file = rk_path_join(path, "stack");
	struct rk_err *err;
	bool found;

	if (!file)
		return rk_err_nomem();
	err = rk_livepatch_read_small(file, STACK_MAX, &text, &found);
	*ret = rk_arena_strdup(arena, !err && found ? rk_str_get(&text) : "");
	rk_err_free(err);
	return *ret ? NULL : rk_err_nomem();
}

struct looking {
	struct rk_livepatch_blockers *blockers;
	const char *done; /* patch_state of who has changed over */
	size_t proc_len;  /* of "/proc" in "/proc/PID/task/TID" */
};

static struct rk_err *add_thread(void *ctx, const char *path, const char *tid)
{
	struct looking *looking = ctx;
	struct rk_livepatch_blockers *blockers = looking->blockers;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	_cleanup_free_ char *state = rk_path_join(path, "patch_state");
	struct rk_livepatch_blocker blocker = {
		.pid = (int)strtol(path + looking->proc_len + 1, NULL, 10),
		.tid = (int)strtol(tid, NULL, 10),
	};
	bool found;

	if (!state)
		return rk_err_nomem();
	RK_TRY(rk_livepatch_read_small(state, COMM_MAX, &text, &found));
	if (!found || rk_streq(rk_str_get(&text), "-1") ||
	    rk_streq(rk_str_get(&text), looking->done))
		return NULL;
	RK_TRY(rk_livepatch_read_comm(path, &blockers->arena, &blocker.comm));
	RK_TRY(rk_livepatch_read_stack(path, &blockers->arena, &blocker.stack));
	if (blocker.comm && !rk_vec_push(&blockers->list, blocker))
		return rk_err_nomem();
	return NULL;
}

struct rk_err *rk_livepatch_blockers(const struct rk_livepatch_roots *roots, bool enabling,
				     struct rk_livepatch_blockers *ret)
{
	_cleanup_livepatch_blockers_ struct rk_livepatch_blockers blockers = {};
	struct looking looking = {&blockers, enabling ? "1" : "0", strlen(roots->proc)};

	RK_TRY(rk_livepatch_for_each_thread(roots, add_thread, &looking));
	if (blockers.list.nr)
		qsort(blockers.list.v, blockers.list.nr, sizeof(*blockers.list.v), compare_blocker);
	*ret = blockers;
	blockers = (struct rk_livepatch_blockers){};
	return NULL;
}

void rk_livepatch_blockers_deinit(struct rk_livepatch_blockers *blockers)
{
	rk_vec_deinit(&blockers->list);
	rk_arena_deinit(&blockers->arena);
}

/* A transition that ended meanwhile needs no signal. */
static struct rk_err *nudge(const struct rk_livepatch_roots *roots, const char *name,
			    enum rk_livepatch_state state, unsigned long waited, unsigned long end,
			    const struct rk_reporter *reporter)
{
	bool by_kernel = true;
	struct rk_err *err = rk_livepatch_signal(roots, name, &by_kernel);

	if (err && rk_err_code(err) != RK_ERR_NOT_FOUND)
		return err;
	rk_err_free(err);
	rk_report_phase(reporter, "transition",
			"'%s' is still %s after %lu s; %s, waiting %lu s more", name,
			rk_livepatch_state_name(state), waited / 1000,
			by_kernel ? "the kernel signals the tasks that are left"
				  : "signalled the tasks that are left",
			(end - waited) / 1000);
	return NULL;
}

/* Once no task is left the kernel only finishes its work. */
static struct rk_err *is_held_up(const struct rk_livepatch_roots *roots,
				 enum rk_livepatch_state state, bool *ret)
{
	_cleanup_livepatch_blockers_ struct rk_livepatch_blockers blockers = {};

	RK_TRY(rk_livepatch_blockers(roots, state == RK_LIVEPATCH_ENABLING, &blockers));
	*ret = blockers.list.nr > 0;
	return NULL;
}

/* Raises *end_ms when no task is left that could hold the transition up. */
static struct rk_err *add_finish(const struct rk_livepatch_roots *roots, const char *name,
				 enum rk_livepatch_state state,
				 const struct rk_livepatch_limits *limits,
				 const struct rk_reporter *reporter, unsigned long *end_ms)
{
	bool held_up;

	RK_TRY(is_held_up(roots, state, &held_up));
	if (held_up || !limits->finish_ms)
		return NULL;
	*end_ms += limits->finish_ms;
	rk_report_phase(reporter, "transition",
			"every task has changed over; '%s' is still %s: the kernel takes out "
			"function after function, waiting at most %u s more",
			name, rk_livepatch_state_name(state), limits->finish_ms / 1000);
	return NULL;
}

/* Somebody wants to end: while tasks hold the transition up it can be turned round. */
static struct rk_err *give_up(const struct rk_livepatch_roots *roots, const char *name,
			      enum rk_livepatch_state state)
{
	bool held_up;

	RK_TRY(is_held_up(roots, state, &held_up));
	return held_up ? rk_err(RK_ERR_INTERRUPTED, "interrupted while '%s' is %s", name,
				rk_livepatch_state_name(state))
		       : NULL;
}

struct rk_err *rk_livepatch_wait(const struct rk_livepatch_roots *roots, const char *name,
				 const struct rk_livepatch_limits *limits,
				 const struct rk_reporter *reporter, enum rk_livepatch_state *ret)
{
	unsigned long start = rk_livepatch_now_ms(), end_ms = limits->end_ms;
	bool noted = !limits->note_ms, goes_on = limits->goes_on;
	enum rk_livepatch_state state;

	for (;;) {
		unsigned long waited;

		RK_TRY(rk_livepatch_state(roots, name, &state));
		if (!rk_livepatch_is_moving(state))
			break;
		if (!goes_on && rk_is_interrupted()) {
			RK_TRY(give_up(roots, name, state));
			goes_on = true;
		}
		waited = rk_livepatch_now_ms() - start;
		if (waited >= end_ms && end_ms == limits->end_ms)
			RK_TRY(add_finish(roots, name, state, limits, reporter, &end_ms));
		if (waited >= end_ms)
			return rk_err(RK_ERR_TIMEOUT, "'%s' is still %s after %.1f s", name,
				      rk_livepatch_state_name(state), (double)waited / 1000);
		if (!noted && waited >= limits->note_ms) {
			RK_TRY(nudge(roots, name, state, waited, limits->end_ms, reporter));
			noted = true;
		}
		rk_livepatch_sleep_ms(POLL_MS);
	}
	*ret = state;
	return NULL;
}
