/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Escapes: may the address of something that lives in the patch module be kept where it outlives the module? A timer, a work item or
 * a table of operations may. Memory that is only read, and what a function gets that is known to be done with it when it returns, is no escape.
 */
#include <elf.h>
#include <stdlib.h>

#include "lib/diff/diff_internal.h"

#define DEPTH_MAX 8 /* of tables within tables */

/* Exported by Linux 6.1: they use a function or table they are given only until they return. Sorted. */
static const char *const borrowers[] = {
	"__fs_parse",
	"__nla_parse",
	"__nla_validate",
	"bsearch",
	"bus_find_device",
	"bus_for_each_dev",
	"bus_for_each_drv",
	"class_find_device",
	"class_for_each_device",
	"device_find_child",
	"device_for_each_child",
	"device_for_each_child_reverse",
	"driver_find_device",
	"driver_for_each_device",
	"fs_lookup_param",
	"idr_for_each",
	"iterate_fd",
	"kallsyms_on_each_symbol",
	"klp_shadow_alloc",
	"klp_shadow_free",
	"klp_shadow_free_all",
	"klp_shadow_get_or_alloc",
	"list_sort",
	"match_string",
	"match_token",
	"memcmp",
	"memcpy",
	"netdev_walk_all_lower_dev",
	"netdev_walk_all_lower_dev_rcu",
	"netdev_walk_all_upper_dev_rcu",
	"pci_walk_bus",
	"sort",
	"sort_r",
	"stop_machine",
	"strcmp",
	"walk_page_range",
	"walk_page_vma",
};

static int compare_name(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

static bool is_borrower(const char *name)
{
	return bsearch(name, borrowers, ARRAY_SIZE(borrowers), sizeof(*borrowers), compare_name);
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
	if (!use.is_passed || is_borrower(use.callee))
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

/* New data that is of use only together with code of the module: a table of operations, a work item. */
static bool is_kept_data(const struct rk_span *data)
{
	return data->kind == RK_SPAN_DATA && data->is_included && !data->is_own_copy &&
	       (data->class == RK_SECTION_RODATA || data->class == RK_SECTION_DATA) &&
	       leads_to_code(data, 0);
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
		if (to->is_parted)
			RK_TRY(report(diff, RK_FINDING_CONSTANT_REPLACED, user, ref));
		else if (rk_span_root(ref->target) != rk_span_root((struct rk_span *)user) &&
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
