/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leftovers: what a replaced function leaves with the old one (the state that macros keep for one place each: printed once, warned
 * once, a ratelimit, a pr_debug that was switched on), and what it newly starts that goes on when the patch is unloaded.
 */
#include <elf.h>
#include <string.h>

#include "lib/diff/diff_internal.h"

/* Statics of own copies that count what happened; locks' classes and tables aren't such. */
static const struct {
	const char *base;
	const char *what;
} states[] = {
	{"__already_done", "what is done or said once"},
	{"__print_once", "what is said once"},
	{"__warned", "what is warned of once"},
	{"_rs", "a ratelimit"},
	{"descriptor", "a pr_debug() that was switched on"},
	{"__UNIQUE_ID_ddebug", "a pr_debug() that was switched on"},
};

static const char *state_of(const struct rk_span *span)
{
	if (!span->is_own_copy || span->class != RK_SECTION_DATA || !span->base)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (rk_streq(span->base, states[i].base))
			return states[i].what;
	return rk_streq(span->section->name, ".data.once") ? states[0].what : NULL;
}

static bool uses_base(const struct rk_span *function, const char *base)
{
	for (size_t i = 0; i < function->nr_refs; i++) {
		const struct rk_span *to = function->refs[i].target;
		if (to && to->is_own_copy && to->base && rk_streq(to->base, base))
			return true;
	}
	for (size_t i = 0; i < function->nr_children; i++)
		if (uses_base(function->children[i], base))
			return true;
	return false;
}

/* Starts something that runs later: include/linux/{timer,workqueue,hrtimer,notifier,kthread,interrupt,rcupdate}.h. */
static const char *const starters[] = {
	"add_timer",
	"add_timer_on",
	"mod_timer",
	"queue_work_on",
	"queue_delayed_work_on",
	"mod_delayed_work_on",
	"queue_rcu_work",
	"schedule_work",
	"hrtimer_start_range_ns",
	"call_rcu",
	"call_srcu",
	"kthread_create_on_node",
	"kthread_queue_work",
	"request_threaded_irq",
	"task_work_add",
	"__tasklet_schedule",
	"atomic_notifier_chain_register",
	"blocking_notifier_chain_register",
	"raw_notifier_chain_register",
	"srcu_notifier_chain_register",
	"register_netdevice_notifier",
	"register_inetaddr_notifier",
	"register_reboot_notifier",
};

static const char *called_name(const struct rk_ref *ref)
{
	const char *name = ref->target ? ref->target->name : ref->symbol->name;

	return name && ref->is_branch ? name : "";
}

static size_t count_calls(const struct rk_span *function, const char *name)
{
	size_t nr = 0;

	for (size_t i = 0; i < function->nr_refs; i++)
		nr += rk_streq(called_name(&function->refs[i]), name);
	for (size_t i = 0; i < function->nr_children; i++)
		nr += count_calls(function->children[i], name);
	return nr;
}

static struct rk_err *report_states(struct rk_diff *diff, const struct rk_span *root,
				    const struct rk_span *part)
{
	for (size_t i = 0; i < part->nr_refs; i++) {
		const struct rk_span *to = part->refs[i].target;
		const char *what = to ? state_of(to) : NULL;
		if (what && uses_base(root->twin, to->base))
			RK_TRY(rk_finding_add(&diff->findings, RK_FINDING_STATE_RESTARTS,
					      diff->unit, diff->object, root->name,
					      "the new code has its own '%s': %s", to->base, what));
	}
	for (size_t i = 0; i < part->nr_children; i++)
		RK_TRY(report_states(diff, root, part->children[i]));
	return NULL;
}

static struct rk_err *report_starts(struct rk_diff *diff, const struct rk_span *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(starters); i++) {
		size_t before = function->twin ? count_calls(function->twin, starters[i]) : 0;
		if (count_calls(function, starters[i]) > before)
			RK_TRY(rk_finding_add(&diff->findings, RK_FINDING_STARTS, diff->unit,
					      diff->object, function->name,
					      "it calls '%s' where it didn't before", starters[i]));
	}
	return NULL;
}

struct rk_err *rk_diff_report_leftovers(struct rk_diff *diff)
{
	rk_vec_for_each(&diff->included, it) {
		const struct rk_span *span = *it;
		if (span->kind != RK_SPAN_FUNC || span->parent)
			continue;
		if (span->twin)
			RK_TRY(report_states(diff, span, span));
		RK_TRY(report_starts(diff, span));
	}
	return NULL;
}
