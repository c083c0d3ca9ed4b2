/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registrations: what the kernel collects at boot or when a module is loaded, from sections made for it: initcalls, parameters,
 * exports, and tables that only their users know. The entries of both objects are held against each other as multisets,
 * by what they say and not by what they are called, since names carry counters and lines.
 */
#include <elf.h>

#include "lib/diff/diff_internal.h"

/* Entries of one content. */
struct content {
	size_t orig, patched;
};

/* Entries that one of the objects has more of. */
struct lone {
	struct rk_span *span;
	bool is_paired;
};

struct tables {
	struct rk_map by_key; /* → struct content */
	rk_vec(struct lone) gone;
	rk_vec(struct lone) added;
};

static bool is_ordinary(const char *section)
{
	static const char *const prefixes[] = {".data",	    ".rodata",	 ".bss",
					       ".BTF_ids",  ".sbss",	 "__trace_printk_fmt",
					       "__dyndbg",  ".vvar",	 ".brk",
					       ".altinstr", ".cacheline"};
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (rk_has_prefix(section, prefixes[i]))
			return true;
	return false;
}

static bool is_used(const struct rk_span *span)
{
	for (size_t i = 0; i < span->nr_users; i++)
		if (span->users[i]->class != RK_SECTION_IGNORED)
			return true;
	return false;
}

/* An entry of a table: in a section we know as one, or in one that is none of the ordinary and that no code names. */
static bool is_entry(const struct rk_span *span)
{
	if (span->class == RK_SECTION_REGISTRATION)
		return true;
	return (span->class == RK_SECTION_DATA || span->class == RK_SECTION_RODATA) &&
	       span->kind != RK_SPAN_STRING && span->kind != RK_SPAN_CONST && !span->is_own_copy &&
	       !is_used(span) && !(span->name && span->twin) && !is_ordinary(span->section->name);
}

static void add_bytes(struct rk_str *key, const struct rk_span *span)
{
	for (uint64_t i = 0; span->data && i < span->size; i++)
		rk_str_addf(key, "%02x", span->data[i]);
}

/* What an entry says: its bytes, and what it refers to, without numbers that shift. */
static struct rk_err *entry_key(struct rk_arena *arena, const struct rk_span *span, char **ret)
{
	_cleanup_str_ struct rk_str key = RK_STR_INIT;

	rk_str_addf(&key, "%s:", span->section->name);
	add_bytes(&key, span);
	for (size_t i = 0; i < span->nr_refs; i++) {
		const struct rk_ref *ref = &span->refs[i];
		const struct rk_span *to = ref->target;
		rk_str_addf(&key, " %llu+%lld=", (unsigned long long)ref->offset,
			    (long long)ref->place);
		if (!to || to->base)
			rk_str_add(&key, to ? to->base : ref->symbol->name);
		else
			add_bytes(&key, to);
	}
	RK_TRY(rk_str_check(&key));
	*ret = rk_arena_strdup(arena, rk_str_get(&key));
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *find_content(struct rk_diff *diff, struct tables *t,
				   const struct rk_span *span, struct content **ret)
{
	char *key;
	RK_TRY(entry_key(&diff->arena, span, &key));
	*ret = rk_map_get(&t->by_key, key);
	if (*ret)
		return NULL;
	*ret = rk_arena_new(&diff->arena, struct content);
	return *ret && rk_map_set(&t->by_key, key, *ret) ? NULL : rk_err_nomem();
}

static struct rk_err *count(struct rk_diff *diff, struct tables *t)
{
	struct content *content;

	rk_spans_for_each(diff->orig, span) {
		if (!is_entry(span))
			continue;
		RK_TRY(find_content(diff, t, span, &content));
		content->orig++;
	}
	rk_spans_for_each(diff->patched, span) {
		if (!is_entry(span))
			continue;
		RK_TRY(find_content(diff, t, span, &content));
		if (content->patched++ >= content->orig &&
		    !rk_vec_push(&t->added, ((struct lone){.span = span})))
			return rk_err_nomem();
	}
	rk_spans_for_each(diff->orig, span) {
		if (!is_entry(span))
			continue;
		RK_TRY(find_content(diff, t, span, &content));
		if (content->orig > content->patched) {
			content->orig--;
			if (!rk_vec_push(&t->gone, ((struct lone){.span = span})))
				return rk_err_nomem();
		}
	}
	return NULL;
}

static bool is_changed_entry(const struct rk_span *a, const struct rk_span *b)
{
	if (!rk_streq(a->section->name, b->section->name) || !a->base != !b->base)
		return false;
	return !a->base || rk_streq(a->base, b->base);
}

/* Takes the entry that this one was before. */
static bool take_former(struct tables *t, const struct rk_span *span)
{
	rk_vec_for_each(&t->gone, it) {
		if (it->is_paired || !is_changed_entry(it->span, span))
			continue;
		it->is_paired = true;
		return true;
	}
	return false;
}

/*
 * An export only matters to modules that are loaded later. Those there are were linked without a new one, which code of the patch
 * reaches directly; and one that is gone (ip6_dst_lookup_tunnel() when its last user went) is still there for whoever uses it.
 */
static bool is_export(const struct rk_span *span)
{
	return rk_has_prefix(span->section->name, "___ksymtab");
}

static struct rk_err *add(struct rk_diff *diff, const struct rk_span *span, const char *what)
{
	bool is_ignored;

	RK_TRY(rk_diff_is_ignored(diff, span, &is_ignored));
	if (is_ignored)
		return NULL;
	return rk_finding_add(
		&diff->findings,
		is_export(span) ? RK_FINDING_EXPORTS_CHANGED : RK_FINDING_NEW_REGISTRATION,
		diff->unit, diff->object, span->name ? span->name : span->section->name,
		"%s in section '%s'", what, span->section->name);
}

static struct rk_err *report(struct rk_diff *diff, struct tables *t)
{
	RK_TRY(count(diff, t));
	rk_vec_for_each(&t->added, it)
		RK_TRY(add(diff, it->span,
			   take_former(t, it->span) ? "a changed entry" : "a new entry"));
	rk_vec_for_each(&t->gone, it)
		if (!it->is_paired)
			RK_TRY(add(diff, it->span, "no longer registered: an entry"));
	return NULL;
}

struct rk_err *rk_diff_report_registrations(struct rk_diff *diff)
{
	struct tables t = {};
	struct rk_err *err = report(diff, &t);

	rk_map_deinit(&t.by_key);
	rk_vec_deinit(&t.gone);
	rk_vec_deinit(&t.added);
	return err;
}
