/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transition: after an enable or disable every task changes over by itself, when its stack shows no patched
 * function or when it leaves the kernel. The kernel tries once a second; who is left is named here.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/livepatch/internal.h"
#include "lib/livepatch/livepatch.h"

#define COMM_MAX  64
#define STACK_MAX (16 * 1024)
#define POLL_MS	  50

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int compare_blocker(const void *a, const void *b)
{
	const struct rk_livepatch_blocker *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Looks at one thread (<proc>/<pid>/task/<tid>) and adds it if it has still to change over. */
static struct rk_err *add_thread(struct rk_livepatch_blockers *blockers, const char *dir,
				 const char *tid, const char *done)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	_cleanup_free_ char *state = rk_asprintf("%s/%s/patch_state", dir, tid);
	_cleanup_free_ char *comm = rk_asprintf("%s/%s/comm", dir, tid);
	_cleanup_free_ char *stack = rk_asprintf("%s/%s/stack", dir, tid);
	struct rk_livepatch_blocker blocker = {.pid = (int)strtol(tid, NULL, 10)};
	bool found;

	if (!state || !comm || !stack)
		return rk_err_nomem();
	RK_TRY(rk_livepatch_read_small(state, COMM_MAX, &text, &found));
	if (!found || rk_streq(rk_str_get(&text), "-1") || rk_streq(rk_str_get(&text), done))
		return NULL;
	RK_TRY(rk_livepatch_read_small(comm, COMM_MAX, &text, &found));
	if (!found)
		return NULL;
	blocker.comm = rk_arena_strdup(&blockers->arena, rk_str_get(&text));

	struct rk_err *err = rk_livepatch_read_small(stack, STACK_MAX, &text, &found);
	blocker.stack = rk_arena_strdup(&blockers->arena, !err && found ? rk_str_get(&text) : "");
	/* only root may read stacks; the task is worth naming without one */
	rk_err_free(err);
	if (!blocker.comm || !blocker.stack || !rk_vec_push(&blockers->list, blocker))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *add_process(struct rk_livepatch_blockers *blockers, const char *proc,
				  const char *pid, const char *done)
{
	_cleanup_free_ char *path = rk_asprintf("%s/%s/task", proc, pid);
	struct dirent *ent;

	if (!path)
		return rk_err_nomem();
	_cleanup_(cleanup_dir) DIR *dir = opendir(path);
	if (!dir && (errno == ENOENT || errno == ESRCH))
		return NULL;
	if (!dir)
		return rk_err_sys(errno, "cannot open '%s'", path);
	while ((ent = readdir(dir)))
		if (isdigit((unsigned char)ent->d_name[0]))
			RK_TRY(add_thread(blockers, path, ent->d_name, done));
	return NULL;
}

struct rk_err *rk_livepatch_blockers(const struct rk_livepatch_roots *roots, bool enabling,
				     struct rk_livepatch_blockers *ret)
{
	_cleanup_livepatch_blockers_ struct rk_livepatch_blockers blockers = {};
	_cleanup_(cleanup_dir) DIR *dir = opendir(roots->proc);
	struct dirent *ent;

	if (!dir)
		return rk_err_sys(errno, "cannot open '%s'", roots->proc);
	while ((ent = readdir(dir)))
		if (isdigit((unsigned char)ent->d_name[0]))
			RK_TRY(add_process(&blockers, roots->proc, ent->d_name,
					   enabling ? "1" : "0"));
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

struct rk_err *rk_livepatch_wait(const struct rk_livepatch_roots *roots, const char *name,
				 const struct rk_livepatch_limits *limits,
				 const struct rk_reporter *reporter, enum rk_livepatch_state *ret)
{
	unsigned long start = rk_livepatch_now_ms();
	bool noted = !limits->note_ms;
	enum rk_livepatch_state state;

	for (;;) {
		unsigned long waited;

		RK_TRY(rk_livepatch_state(roots, name, &state));
		if (state != RK_LIVEPATCH_ENABLING && state != RK_LIVEPATCH_DISABLING)
			break;
		if (rk_is_interrupted())
			return rk_err(RK_ERR_INTERRUPTED, "interrupted while '%s' is %s", name,
				      rk_livepatch_state_name(state));
		waited = rk_livepatch_now_ms() - start;
		if (waited >= limits->end_ms)
			return rk_err(RK_ERR_TIMEOUT, "'%s' is still %s after %.1f s", name,
				      rk_livepatch_state_name(state), (double)waited / 1000);
		if (!noted && waited >= limits->note_ms) {
			rk_report_phase(reporter, "transition",
					"'%s' is still %s after %lu s; waiting %lu s more", name,
					rk_livepatch_state_name(state), waited / 1000,
					(limits->end_ms - waited) / 1000);
			noted = true;
		}
		rk_livepatch_sleep_ms(POLL_MS);
	}
	*ret = state;
	return NULL;
}
