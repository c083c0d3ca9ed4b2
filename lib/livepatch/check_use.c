/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who else has to do with the functions a patch replaces: other live patches, probes (a kprobe inside the old body sees nothing any more; one that
 * may change where the CPU goes on makes the kernel refuse the patch), and tasks that are in them now.
 */
#include <stdlib.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/check_internal.h"
#include "lib/livepatch/internal.h"
#include "lib/livepatch/listing.h"

#define TRACE_MAX    (8u << 20) /* with function tracing on, every function is listed: 50,000 lines */
#define KALLSYMS_MAX (64u << 20) /* some 10 MB */
#define TASKS_SHOWN  5

/* --- live patches --- */

static const struct rk_manifest_func *find_func(const struct rk_checking *c, const char *object,
						const char *name)
{
	rk_vec_for_each(&c->info->manifest->funcs, func)
		if (rk_streq(func->object, object) && rk_streq(func->name, name))
			return func;
	return NULL;
}

static struct rk_err *check_patch(const struct rk_checking *c, const struct rk_livepatch *patch)
{
	const struct rk_manifest_func *first = NULL;
	size_t common = 0;

	if (rk_streq(patch->name, c->info->name))
		return NULL;
	rk_vec_for_each(&patch->objects, object)
		rk_vec_for_each(&object->funcs, func) {
			const struct rk_manifest_func *found =
				find_func(c, object->name, func->name);

			common += found != NULL;
			first = first ? first : found;
		}
	if (!common)
		return NULL;
	if (c->plan->way != RK_LIVEPATCH_ADD)
		return rk_check_add(c, "patches", RK_CHECK_OK,
				    "takes over %zu functions from '%s', which goes", common,
				    patch->name);
	return rk_check_add(c, "patches", RK_CHECK_WARNING,
			    "'%s' already replaces %s%s; this patch's will run instead",
			    patch->name, first->name, common > 1 ? " and others" : "");
}

struct rk_err *rk_check_patches(const struct rk_checking *c)
{
	size_t before = c->checks->list.nr;

	if (c->plan->way == RK_LIVEPATCH_REFUSED)
		return rk_check_add(c, "patches", RK_CHECK_ERROR, "%s", c->plan->reason);
	if (!c->info->manifest)
		return NULL;
	rk_vec_for_each(&c->plan->loaded.list, patch)
		RK_TRY(check_patch(c, patch));
	if (c->checks->list.nr > before)
		return NULL;
	return rk_check_add(c, "patches", RK_CHECK_OK, "no other live patch on its functions");
}

/* --- probes and tracers --- */

/* One of the places a file may be mounted at. */
static struct rk_err *read_first(const struct rk_checking *c, const char *const *paths, size_t nr,
				 struct rk_str *ret, bool *ret_found)
{
	*ret_found = false;
	for (size_t i = 0; i < nr && !*ret_found; i++) {
		_cleanup_free_ char *path = rk_path_join(c->roots->sys, paths[i]);
		struct rk_err *err;

		if (!path)
			return rk_err_nomem();
		err = rk_livepatch_read_small(path, TRACE_MAX, ret, ret_found);
		/* lockdown and missing rights: it can't be seen, no more */
		if (err && rk_err_code(err) != RK_ERR_SYS)
			return err;
		if (err)
			*ret_found = false;
		rk_err_free(err);
	}
	return NULL;
}

/* How many functions are called so: a listing doesn't say which it means. */
static struct rk_err *count_symbol(const struct rk_checking *c, const char *name, size_t *ret)
{
	_cleanup_free_ char *path = rk_path_join(c->roots->proc, "kallsyms");
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	size_t len = strlen(name);
	bool found;

	*ret = 0;
	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_livepatch_read_small(path, KALLSYMS_MAX, &text, &found));
	for (const char *line = rk_str_get(&text); *line;) {
		/* "ffffffff81000000 T name" or, of a module, "… t name\t[module]" */
		const char *symbol = line + strcspn(line, " \n");

		if (symbol[0] == ' ' && symbol[1] && symbol[2] == ' ') {
			symbol += 3;
			*ret += strcspn(symbol, "\t\n") == len && !memcmp(symbol, name, len);
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

/* Of ours, the function that is listed. */
static const struct rk_manifest_func *find_listed(const struct rk_checking *c,
						  const struct rk_listed *listed)
{
	rk_vec_for_each(&c->info->manifest->funcs, it)
		if (strlen(it->name) == listed->name_len &&
		    !memcmp(it->name, listed->name, listed->name_len) &&
		    strlen(it->object) == listed->object_len &&
		    !memcmp(it->object, listed->object, listed->object_len))
			return it;
	return NULL;
}

static bool is_patched(const struct rk_checking *c, const char *name)
{
	rk_vec_for_each(&c->plan->loaded.list, patch)
		rk_vec_for_each(&patch->objects, object)
			rk_vec_for_each(&object->funcs, func)
				if (rk_streq(func->name, name))
					return true;
	return false;
}

static struct rk_err *tell_modified(const struct rk_checking *c,
				    const struct rk_manifest_func *func)
{
	size_t count;

	RK_TRY(count_symbol(c, func->name, &count));
	if (count > 1)
		return rk_check_add(c, "probes", RK_CHECK_WARNING,
				    "a probe that may change the way of the CPU is on one of %zu "
				    "functions '%s'; if it is the one to be replaced, the kernel "
				    "will refuse the patch",
				    count, func->name);
	return rk_check_add(c, "probes", RK_CHECK_ERROR,
			    "a probe that may change the way of the CPU (a kprobe with a "
			    "post_handler) is on %s: the kernel would refuse the patch; remove the "
			    "probe first",
			    func->name);
}

static struct rk_err *check_tracers(const struct rk_checking *c, bool *ret_seen)
{
	static const char *const paths[] = {"kernel/tracing/enabled_functions",
					    "kernel/debug/tracing/enabled_functions"};
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	RK_TRY(read_first(c, paths, ARRAY_SIZE(paths), &text, ret_seen));
	if (!*ret_seen)
		return NULL;
	for (const char *line = rk_str_get(&text); *line;) {
		struct rk_listed listed;
		const struct rk_manifest_func *func;

		if (!rk_listing_line(RK_LISTING_TRACED, &line, &listed) || !listed.is_exclusive)
			continue;
		func = find_listed(c, &listed);
		if (func && !is_patched(c, func->name))
			RK_TRY(tell_modified(c, func));
	}
	return NULL;
}

static struct rk_err *tell_kprobe(const struct rk_checking *c, const struct rk_listed *listed,
				  const struct rk_manifest_func *func)
{
	/* at its entry, and at its return, a function's probes go on */
	if (listed->is_return || !listed->offset)
		return rk_check_add(c, "probes", RK_CHECK_OK, "a probe at %s stays effective",
				    func->name);
	return rk_check_add(c, "probes", RK_CHECK_WARNING,
			    "the kprobe at %s+0x%lx will see nothing any more: the old body "
			    "doesn't run",
			    func->name, listed->offset);
}

static struct rk_err *check_kprobes(const struct rk_checking *c, bool *ret_seen)
{
	static const char *const paths[] = {"kernel/debug/kprobes/list"};
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	RK_TRY(read_first(c, paths, ARRAY_SIZE(paths), &text, ret_seen));
	if (!*ret_seen)
		return NULL;
	for (const char *line = rk_str_get(&text); *line;) {
		struct rk_listed listed;
		const struct rk_manifest_func *func;

		if (!rk_listing_line(RK_LISTING_KPROBES, &line, &listed))
			continue;
		func = find_listed(c, &listed);
		if (func)
			RK_TRY(tell_kprobe(c, &listed, func));
	}
	return NULL;
}

struct rk_err *rk_check_probes(const struct rk_checking *c)
{
	size_t before = c->checks->list.nr;
	bool has_tracers, has_kprobes;

	RK_TRY(check_tracers(c, &has_tracers));
	RK_TRY(check_kprobes(c, &has_kprobes));
	if (!has_tracers)
		RK_TRY(rk_check_add(c, "probes", RK_CHECK_UNKNOWN,
				    "tracers can't be seen: tracefs isn't mounted on "
				    "/sys/kernel/tracing, or not readable"));
	if (!has_kprobes)
		RK_TRY(rk_check_add(c, "probes", RK_CHECK_UNKNOWN,
				    "kprobes can't be seen: debugfs isn't mounted on "
				    "/sys/kernel/debug, or not readable"));
	if (c->checks->list.nr > before)
		return NULL;
	return rk_check_add(c, "probes", RK_CHECK_OK, "none on its functions");
}

/* --- tasks --- */

struct tasks {
	const struct rk_checking *c;
	struct rk_arena arena; /* of one task */
	size_t looked_at, readable, inside;
};

/* The function of ours that a stack goes through; NULL: none. */
static const struct rk_manifest_func *func_on_stack(const struct rk_checking *c, const char *stack)
{
	while (*stack) {
		struct rk_listed listed;
		const struct rk_manifest_func *func = NULL;

		if (rk_listing_line(RK_LISTING_STACK, &stack, &listed))
			func = find_listed(c, &listed);
		if (func)
			return func;
	}
	return NULL;
}

static struct rk_err *check_thread(void *ctx, const char *path, const char *tid)
{
	struct tasks *t = ctx;
	const struct rk_manifest_func *func;
	const char *comm, *stack;

	rk_arena_deinit(&t->arena);
	RK_TRY(rk_livepatch_read_stack(path, &t->arena, &stack));
	t->looked_at++;
	t->readable += stack[0] != 0;
	func = func_on_stack(t->c, stack);
	if (!func || t->inside++ >= TASKS_SHOWN)
		return NULL;
	RK_TRY(rk_livepatch_read_comm(path, &t->arena, &comm));
	RK_TRY(rk_check_add(t->c, "tasks", RK_CHECK_WARNING,
			    "'%s' (%s) is in %s: the transition waits until it leaves",
			    comm ? comm : "gone", tid, func->name));
	struct rk_checks *checks = t->c->checks;
	checks->list.v[checks->list.nr - 1].detail = rk_arena_strdup(&checks->arena, stack);
	return checks->list.v[checks->list.nr - 1].detail ? NULL : rk_err_nomem();
}

struct rk_err *rk_check_tasks(const struct rk_checking *c)
{
	struct tasks t = {.c = c};
	struct rk_err *err = rk_livepatch_for_each_thread(c->roots, check_thread, &t);

	rk_arena_deinit(&t.arena);
	RK_TRY(err);
	if (t.inside > TASKS_SHOWN)
		return rk_check_add(c, "tasks", RK_CHECK_WARNING, "%zu more are in its functions",
				    t.inside - TASKS_SHOWN);
	if (t.inside)
		return NULL;
	if (!t.readable)
		return rk_check_add(c, "tasks", RK_CHECK_UNKNOWN,
				    "no kernel stack can be read; only root may");
	return rk_check_add(c, "tasks", RK_CHECK_OK, "none of %zu is in its functions",
			    t.looked_at);
}
