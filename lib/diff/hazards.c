/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hazards: replaced functions whose new code may take effect never, too late, or at a cost: main functions of kernel threads, code that
 * ran when the processors were set up, larger stack frames, other locking. Each is told by something that is surely in the object; what could
 * only be guessed is left to the reader of the fix.
 */
#include <elf.h>
#include <stdlib.h>

#include "lib/diff/diff_internal.h"

/* Growth of a frame, of the 16 KiB that a kernel stack of x86_64 has. */
#define STACK_GROWTH_TOLD 128
#define STACK_GROWTH_MAX  512

/* Linux 6.1: these start a thread that runs the function they are given; as which argument. Sorted, as are all of these tables. */
static const struct thread_maker {
	const char *name;
	unsigned int argument;
} thread_makers[] = {
	{"create_io_thread", 0},       {"kernel_thread", 0}, {"kthread_create_on_cpu", 0},
	{"kthread_create_on_node", 0}, {"svc_create", 2},    {"svc_create_pooled", 3},
	{"user_mode_thread", 0},
};

/* Linux 6.1: on the stack of every sleeping task, of an idle processor or of a kernel thread at all times. */
static const char *const never_left[] = {
	"cpu_startup_entry", "do_idle",	 "kthread",	     "kthread_worker_fn", "rcu_gp_kthread",
	"rescuer_thread",    "schedule", "schedule_timeout", "smpboot_thread_fn", "worker_thread",
};

/* Linux 6.1: decide what the kernel's code is patched to at boot. */
static const char *const setup_calls[] = {
	"clear_cpu_cap",       "msr_clear_bit",	      "msr_set_bit",
	"setup_clear_cpu_cap", "setup_force_cpu_cap",
};

static const char *const setup_units[] = {
	"arch/x86/kernel/cpu/amd.c",	 "arch/x86/kernel/cpu/bugs.c",
	"arch/x86/kernel/cpu/centaur.c", "arch/x86/kernel/cpu/common.c",
	"arch/x86/kernel/cpu/hygon.c",	 "arch/x86/kernel/cpu/intel.c",
	"arch/x86/kernel/cpu/zhaoxin.c",
};

/* What is taken and must be given back: Linux 6.1's functions that aren't inlined. */
static const char *const paired_calls[] = {
	"__lock_sock_fast",
	"__mutex_init",
	"_raw_read_lock",
	"_raw_read_lock_bh",
	"_raw_read_lock_irq",
	"_raw_read_lock_irqsave",
	"_raw_read_trylock",
	"_raw_read_unlock",
	"_raw_read_unlock_bh",
	"_raw_read_unlock_irq",
	"_raw_read_unlock_irqrestore",
	"_raw_spin_lock",
	"_raw_spin_lock_bh",
	"_raw_spin_lock_irq",
	"_raw_spin_lock_irqsave",
	"_raw_spin_trylock",
	"_raw_spin_trylock_bh",
	"_raw_spin_unlock",
	"_raw_spin_unlock_bh",
	"_raw_spin_unlock_irq",
	"_raw_spin_unlock_irqrestore",
	"_raw_write_lock",
	"_raw_write_lock_bh",
	"_raw_write_lock_irq",
	"_raw_write_lock_irqsave",
	"_raw_write_trylock",
	"_raw_write_unlock",
	"_raw_write_unlock_bh",
	"_raw_write_unlock_irq",
	"_raw_write_unlock_irqrestore",
	"down",
	"down_read",
	"down_read_interruptible",
	"down_read_killable",
	"down_read_trylock",
	"down_write",
	"down_write_killable",
	"down_write_trylock",
	"downgrade_write",
	"dput",
	"fget",
	"fput",
	"get_device",
	"iput",
	"lock_sock_nested",
	"mmput",
	"mntput",
	"mutex_lock",
	"mutex_lock_interruptible",
	"mutex_lock_killable",
	"mutex_trylock",
	"mutex_unlock",
	"put_device",
	"release_sock",
	"rtnl_lock",
	"rtnl_trylock",
	"rtnl_unlock",
	"up",
	"up_read",
	"up_write",
	"ww_mutex_lock",
	"ww_mutex_unlock",
};

static int compare_maker(const void *key, const void *element)
{
	return strcmp(key, ((const struct thread_maker *)element)->name);
}

static int compare_name(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

#define is_in(table, name) \
	(bsearch(name, table, ARRAY_SIZE(table), sizeof(*(table)), compare_name) != NULL)

static const char *ref_name(const struct rk_ref *ref)
{
	const char *name = ref->target ? ref->target->name : ref->symbol->name;
	return name ? name : "";
}

static struct rk_err *add(struct rk_diff *diff, enum rk_finding_code code,
			  const struct rk_span *span, const char *text, const char *name)
{
	return rk_finding_add(&diff->findings, code, diff->unit, diff->object, span->name, text,
			      name);
}

static bool makes_thread(const struct rk_address_use *use)
{
	if (use->is_kept || !use->is_passed)
		return false;
	const struct thread_maker *maker =
		bsearch(use->callee, thread_makers, ARRAY_SIZE(thread_makers),
			sizeof(*thread_makers), compare_maker);
	return maker && (use->arguments & (1u << maker->argument));
}

/* The function that starts a thread with this one (of the original), or NULL. */
static const char *thread_maker(const struct rk_diff *diff, const struct rk_span *function)
{
	for (size_t i = 0; i < function->nr_users; i++) {
		const struct rk_span *user = function->users[i];
		for (size_t j = 0; user->kind == RK_SPAN_FUNC && j < user->nr_refs; j++) {
			if (user->refs[j].target != function || user->refs[j].is_branch)
				continue;
			struct rk_address_use use =
				rk_diff_address_use(diff->orig, user, &user->refs[j]);
			if (makes_thread(&use))
				return use.callee;
		}
	}
	return NULL;
}

static struct rk_err *report_threads(struct rk_diff *diff, const struct rk_span *span)
{
	const char *maker = thread_maker(diff, span->twin);

	if (maker)
		return add(diff, RK_FINDING_NEVER_LEAVES, span,
			   "a kernel thread runs it until it ends, started by '%s'", maker);
	if (rk_streq(diff->object, "vmlinux") && is_in(never_left, span->name))
		return add(diff, RK_FINDING_NEVER_LEAVES, span,
			   "some thread is in '%s' at any time", span->name);
	return NULL;
}

static struct rk_err *report_setup(struct rk_diff *diff, const struct rk_span *span)
{
	for (size_t i = 0; i < span->nr_refs; i++)
		if (is_in(setup_calls, ref_name(&span->refs[i])))
			return add(diff, RK_FINDING_RAN_ONCE, span,
				   "it calls '%s', which has an effect at boot only",
				   ref_name(&span->refs[i]));
	if (is_in(setup_units, diff->unit) && !rk_has_prefix(span->name, "cpu_show_"))
		return add(diff, RK_FINDING_RAN_ONCE, span,
			   "code of '%s' sets processors up when they come online", diff->unit);
	return NULL;
}

static struct rk_err *report_stack(struct rk_diff *diff, const struct rk_span *span)
{
	const struct rk_arch *arch = diff->patched->arch;
	const struct rk_span *twin = span->twin;
	uint64_t before = twin->data ? arch->frame_size(twin->data, twin->size) : 0;
	uint64_t now = span->data ? arch->frame_size(span->data, span->size) : 0;

	if (now < before + STACK_GROWTH_TOLD)
		return NULL;
	RK_TRY(rk_finding_add(&diff->findings, RK_FINDING_STACK_GREW, diff->unit, diff->object,
			      span->name, "its stack frame had %llu bytes, now %llu",
			      (unsigned long long)before, (unsigned long long)now));
	if (now >= before + STACK_GROWTH_MAX)
		diff->findings.list.v[diff->findings.list.nr - 1].severity =
			RK_SEVERITY_ACKNOWLEDGE;
	return NULL;
}

/* Calls of a function and its cold parts. */
static size_t count_calls(const struct rk_span *span, const char *name)
{
	size_t nr = 0;

	for (size_t i = 0; i < span->nr_refs; i++)
		nr += span->refs[i].is_branch && rk_streq(ref_name(&span->refs[i]), name);
	for (size_t i = 0; i < span->nr_children; i++)
		nr += count_calls(span->children[i], name);
	return nr;
}

static struct rk_err *report_pairs(struct rk_diff *diff, const struct rk_span *span)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(paired_calls); i++) {
		size_t before = count_calls(span->twin, paired_calls[i]);
		size_t now = count_calls(span, paired_calls[i]);
		if (before != now)
			rk_str_addf(&text, "%s'%s' %zu, now %zu", text.len ? "; " : "",
				    paired_calls[i], before, now);
	}
	RK_TRY(rk_str_check(&text));
	if (!text.len)
		return NULL;
	return add(diff, RK_FINDING_LOCKING_CHANGED, span, "calls of %s", rk_str_get(&text));
}

struct rk_err *rk_diff_report_hazards(struct rk_diff *diff)
{
	rk_vec_for_each(&diff->functions, it) {
		RK_TRY(report_threads(diff, *it));
		if (!(*it)->is_changed)
			continue;
		RK_TRY(report_setup(diff, *it));
		RK_TRY(report_stack(diff, *it));
		RK_TRY(report_pairs(diff, *it));
	}
	return NULL;
}
