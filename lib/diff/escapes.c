/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Escapes: may the address of something that lives in the patch module be kept where it outlives the module? A timer, a work item or
 * a table of operations may. Memory that is only read, and what a function gets that is known to be done with it when it returns, is no escape.
 */
#include <elf.h>
#include <stdlib.h>

#include "lib/diff/diff_internal.h"

#define DEPTH_MAX 8 /* of tables within tables */

struct lent {
	const char *callee;
	uint32_t arguments; /* as in struct rk_address_use */
};

#define ARG(n) (1u << (n))

/*
 * Linux 6.1: they use what they are given in these arguments, a function, what it is called with or a table, only until they return.
 * Sorted. A policy may stay in the request's netlink_ext_ack, as messages do, until the answer is sent. Not here: what bsearch()
 * searches and match_token()'s text, into which they return pointers.
 */
static const struct lent lent[] = {
	{"__fs_parse", ARG(1)},
	{"__nla_parse", ARG(4)},
	{"__nla_validate", ARG(3)},
	{"bsearch", ARG(0) | ARG(4)},
	{"bus_find_device", ARG(2) | ARG(3)},
	{"bus_for_each_dev", ARG(2) | ARG(3)},
	{"bus_for_each_drv", ARG(2) | ARG(3)},
	{"class_find_device", ARG(2) | ARG(3)},
	{"class_for_each_device", ARG(2) | ARG(3)},
	{"device_find_child", ARG(1) | ARG(2)},
	{"device_for_each_child", ARG(1) | ARG(2)},
	{"device_for_each_child_reverse", ARG(1) | ARG(2)},
	{"driver_find_device", ARG(2) | ARG(3)},
	{"driver_for_each_device", ARG(2) | ARG(3)},
	{"idr_for_each", ARG(1) | ARG(2)},
	{"iterate_fd", ARG(2) | ARG(3)},
	{"kallsyms_on_each_symbol", ARG(0) | ARG(1)},
	{"klp_shadow_alloc", ARG(4) | ARG(5)},
	{"klp_shadow_free", ARG(2)},
	{"klp_shadow_free_all", ARG(1)},
	{"klp_shadow_get_or_alloc", ARG(4) | ARG(5)},
	{"list_sort", ARG(0) | ARG(2)},
	{"match_string", ARG(0) | ARG(2)},
	{"match_token", ARG(1)},
	{"memcmp", ARG(0) | ARG(1)},
	{"memcpy", ARG(1)},
	{"netdev_walk_all_lower_dev", ARG(1) | ARG(2)},
	{"netdev_walk_all_lower_dev_rcu", ARG(1) | ARG(2)},
	{"netdev_walk_all_upper_dev_rcu", ARG(1) | ARG(2)},
	{"pci_walk_bus", ARG(1) | ARG(2)},
	{"sort", ARG(0) | ARG(3) | ARG(4)},
	{"sort_r", ARG(0) | ARG(3) | ARG(4) | ARG(5)},
	{"stop_machine", ARG(0) | ARG(1) | ARG(2)},
	{"strcmp", ARG(0) | ARG(1)},
	{"walk_page_range", ARG(3) | ARG(4)},
	{"walk_page_vma", ARG(1) | ARG(2)},
};

static int compare_callee(const void *key, const void *element)
{
	return strcmp(key, ((const struct lent *)element)->callee);
}

/* Tables may hold tables of functions, and data may hold itself: the list head within a mutex. */
static bool leads_to_code(const struct rk_span *span, unsigned int depth)
{
	for (size_t i = 0; i < span->nr_refs; i++) {
		const struct rk_span *to = span->refs[i].target;
		if (to && to->kind == RK_SPAN_FUNC && !span->refs[i].place)
			return true;
		if (to && to != span && to->kind == RK_SPAN_DATA && !to->twin &&
		    depth < DEPTH_MAX && leads_to_code(to, depth + 1))
			return true;
	}
	return false;
}

/* Is every argument that has to's address only lent? A copy of a table is as good as the table. */
static bool is_lent(const struct rk_address_use *use, const struct rk_span *to)
{
	const struct lent *known =
		bsearch(use->callee, lent, ARRAY_SIZE(lent), sizeof(*lent), compare_callee);

	return known && !(use->arguments & ~known->arguments) &&
	       !(rk_streq(known->callee, "memcpy") && leads_to_code(to, 0));
}

enum fate {
	FATE_USED, /* at once */
	FATE_PASSED,
	FATE_KEPT,
};

struct rk_address_use rk_diff_address_use(const struct rk_spans *spans, const struct rk_span *user,
					  const struct rk_ref *ref)
{
	uint64_t place = user->offset + ref->offset;
	const struct rk_reloc *reloc = rk_section_reloc_from(user->section, place);

	if (user->kind != RK_SPAN_FUNC || !reloc || reloc->offset != place)
		return (struct rk_address_use){.is_kept = true};
	return spans->arch->address_use(user->section, reloc);
}

/* What user does with the address that its reference has; callee is who gets it. */
static enum fate fate_of(const struct rk_diff *diff, const struct rk_span *user,
			 const struct rk_ref *ref, const char **ret_callee)
{
	struct rk_address_use use = rk_diff_address_use(diff->patched, user, ref);
	if (use.is_kept)
		return FATE_KEPT;
	if (!use.is_passed || is_lent(&use, ref->target))
		return FATE_USED;
	*ret_callee = use.callee;
	return FATE_PASSED;
}

static struct rk_err *report(struct rk_diff *diff, enum rk_finding_code code,
			     const struct rk_span *user, const struct rk_ref *ref)
{
	const char *callee = "";
	enum fate fate = fate_of(diff, user, ref, &callee);
	const char *where = rk_span_describe(&diff->arena, user);

	if (fate == FATE_USED)
		return NULL;
	if (fate == FATE_PASSED)
		return rk_finding_add(&diff->findings, code, diff->unit, diff->object,
				      ref->target->name,
				      "its address is passed to '%s', which may keep it, in '%s'",
				      callee, where ? where : "");
	return rk_finding_add(&diff->findings, code, diff->unit, diff->object, ref->target->name,
			      user->kind == RK_SPAN_DATA ? "its address is in '%s'"
							 : "its address is taken in '%s'",
			      where ? where : "");
}

/* New data that is of use only together with code of the module: a table of operations, a work item. */
static bool is_kept_data(const struct rk_span *data)
{
	return data->kind == RK_SPAN_DATA && data->is_included && !data->is_own_copy &&
	       (data->class == RK_SECTION_RODATA || data->class == RK_SECTION_DATA) &&
	       leads_to_code(data, 0);
}

/* What was stored before is the address of the old constant. One beyond its start is where a loop over it ends. */
static struct rk_err *report_compared(struct rk_diff *diff, const struct rk_span *user,
				      const struct rk_ref *ref)
{
	const char *where = rk_span_describe(&diff->arena, user);

	if (ref->place || !rk_diff_address_use(diff->patched, user, ref).is_compared)
		return NULL;
	return rk_finding_add(&diff->findings, RK_FINDING_CONSTANT_REPLACED, diff->unit,
			      diff->object, ref->target->name,
			      "its address is compared in '%s', and is another one now",
			      where ? where : "");
}

/* What stands in data of the module goes away with it; who may keep the data itself is another finding. Other units' uses aren't seen. */
static bool is_seen_data(const struct rk_span *user)
{
	return user->kind == RK_SPAN_DATA && !user->twin && user->symbol->bind == STB_LOCAL;
}

static struct rk_err *report_user(struct rk_diff *diff, const struct rk_span *user)
{
	for (size_t i = 0; i < user->nr_refs; i++) {
		const struct rk_ref *ref = &user->refs[i];
		const struct rk_span *to = ref->target;
		if (!to || to->twin || ref->is_branch || is_seen_data(user))
			continue;
		if (to->is_parted) {
			RK_TRY(report(diff, RK_FINDING_CONSTANT_REPLACED, user, ref));
			RK_TRY(report_compared(diff, user, ref));
		} else if (rk_span_root(ref->target) != rk_span_root((struct rk_span *)user) &&
			   (to->kind == RK_SPAN_FUNC || is_kept_data(to)))
			RK_TRY(report(diff, RK_FINDING_POINTER_ESCAPES, user, ref));
	}
	return NULL;
}

struct rk_err *rk_diff_report_escapes(struct rk_diff *diff)
{
	rk_vec_for_each(&diff->included, it)
		if ((*it)->kind != RK_SPAN_ENTRY)
			RK_TRY(report_user(diff, *it));
	return NULL;
}
