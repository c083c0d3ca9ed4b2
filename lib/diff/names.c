/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What names tell: which part of a symbol's name the author wrote and which numbers the compiler added, which statics are
 * made by macros for one place each, and what the kernel does with a section of a given name.
 */
#include <ctype.h>
#include <elf.h>
#include <string.h>

#include "include/kpatch-marks.h"
#include "lib/base/str.h"
#include "lib/diff/span.h"

/* Names that end with a counter, which shifts with every new use in the unit: include/linux/compiler.h (__UNIQUE_ID),
 * include/linux/btf_ids.h (__BTF_ID__, labels of places that resolve_btfids fills in when vmlinux is linked). */
static const char *const counted_prefixes[] = {"__UNIQUE_ID_", "__BTF_ID__"};

const char *rk_name_base(struct rk_arena *arena, const char *name, bool *ret_numbered)
{
	char *base = rk_arena_strdup(arena, name);
	if (!base)
		return NULL;
	*ret_numbered = false;
	char *to = base;
	for (const char *from = name; *from;) {
		size_t digits = *from == '.' ? strspn(from + 1, "0123456789") : 0;
		if (digits && from != name &&
		    (from[1 + digits] == '.' || from[1 + digits] == '\0')) {
			*ret_numbered = true;
			from += 1 + digits;
			continue;
		}
		*to++ = *from++;
	}
	*to = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(counted_prefixes); i++) {
		if (!rk_has_prefix(base, counted_prefixes[i]))
			continue;
		while (to > base + strlen(counted_prefixes[i]) && isdigit((unsigned char)to[-1]))
			*--to = '\0';
		*ret_numbered = true;
	}
	return base;
}

/* Where the one that a macro or the compiler makes is; a variable of the author's that has the same name is elsewhere. */
enum own_place {
	OWN_ANYWHERE,
	OWN_READ_ONLY,
	OWN_DYNDBG,
};

/* __func__: C17 6.4.2.2; __already_done: include/linux/once_lite.h; __warned: kernel/rcu, lockdep; __key: lockdep
 * classes; _rs: ratelimits; CSWTCH and C: gcc's tables for switch statements and array initialisers; descriptor, ddebug:
 * pr_debug; __msg: netlink's extack texts. */
static const struct {
	const char *name;
	enum own_place place;
} own_copies[] = {
	{"__func__", OWN_READ_ONLY},
	{"__FUNCTION__", OWN_READ_ONLY},
	{"__PRETTY_FUNCTION__", OWN_READ_ONLY},
	{"__already_done", OWN_ANYWHERE},
	{"__warned", OWN_ANYWHERE},
	{"__print_once", OWN_ANYWHERE},
	{"__key", OWN_ANYWHERE},
	{"_rs", OWN_ANYWHERE},
	{"CSWTCH", OWN_READ_ONLY},
	{"_entry", OWN_ANYWHERE},
	{"_entry_ptr", OWN_ANYWHERE},
	{"descriptor", OWN_DYNDBG},
	{"__msg", OWN_READ_ONLY},
	{"C", OWN_READ_ONLY},
	{"__UNIQUE_ID_ddebug", OWN_DYNDBG},
};

bool rk_name_is_own_copy(const char *base, const struct rk_section *section)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_copies); i++) {
		if (!rk_streq(base, own_copies[i].name))
			continue;
		switch (own_copies[i].place) {
		case OWN_ANYWHERE: return true;
		case OWN_READ_ONLY: return !(section->flags & SHF_WRITE);
		case OWN_DYNDBG: return rk_streq(section->name, "__dyndbg");
		}
	}
	return false;
}

struct name_class {
	const char *prefix;
	enum rk_section_class class;
};

/* First match wins. Names as include/asm-generic/vmlinux.lds.h of 6.1 collects them. */
static const struct name_class name_classes[] = {
	{".init.setup", RK_SECTION_REGISTRATION},
	{".init.", RK_SECTION_INIT},
	{".meminit.", RK_SECTION_INIT},
	{".exit.", RK_SECTION_EXIT},
	{".memexit.", RK_SECTION_EXIT},
	{".exitcall", RK_SECTION_REGISTRATION},
	{".initcall", RK_SECTION_REGISTRATION},
	{".con_initcall", RK_SECTION_REGISTRATION},
	{".pci_fixup", RK_SECTION_REGISTRATION},
	{".x86_cpu_dev", RK_SECTION_REGISTRATION},
	{".apicdrivers", RK_SECTION_REGISTRATION},
	{"___ksymtab", RK_SECTION_REGISTRATION},
	{"__ksymtab_strings", RK_SECTION_IGNORED},
	{"__ksymtab", RK_SECTION_REGISTRATION},
	{"___kcrctab", RK_SECTION_IGNORED},
	{"__kcrctab", RK_SECTION_IGNORED},
	{"__param", RK_SECTION_REGISTRATION},
	{"__modver", RK_SECTION_IGNORED},
	{"__tracepoints_strings", RK_SECTION_IGNORED},
	{"__tracepoints", RK_SECTION_REGISTRATION},
	{"_ftrace_events", RK_SECTION_REGISTRATION},
	{"_ftrace_eval_map", RK_SECTION_IGNORED},
	{"__syscalls_metadata", RK_SECTION_REGISTRATION},
	{"__bpf_raw_tp_map", RK_SECTION_REGISTRATION},
	{"_kprobe_blacklist", RK_SECTION_REGISTRATION},
	{"_error_injection_whitelist", RK_SECTION_REGISTRATION},
	{"__trace_printk_fmt", RK_SECTION_DATA},
	{".printk_index", RK_SECTION_IGNORED},
	{".modinfo", RK_SECTION_IGNORED},
	{".discard", RK_SECTION_IGNORED},
	{".note", RK_SECTION_IGNORED},
	{KPATCH_MARKS_SECTION, RK_SECTION_IGNORED},
	{".BTF_ids", RK_SECTION_RODATA},
	{".BTF", RK_SECTION_IGNORED},
	{".comment", RK_SECTION_IGNORED},
	{".gnu.linkonce.this_module", RK_SECTION_IGNORED},
	{".orc_unwind", RK_SECTION_SPECIAL},
};

enum rk_section_class rk_section_classify(const struct rk_arch *arch,
					  const struct rk_section *section)
{
	if (!(section->flags & SHF_ALLOC))
		return RK_SECTION_IGNORED;
	for (const struct rk_special *sp = arch->specials; sp->name; sp++)
		if (rk_streq(section->name, sp->name))
			return RK_SECTION_SPECIAL;
	for (size_t i = 0; i < ARRAY_SIZE(name_classes); i++)
		if (rk_has_prefix(section->name, name_classes[i].prefix))
			return name_classes[i].class;
	if (section->flags & SHF_EXECINSTR)
		return RK_SECTION_TEXT;
	return section->flags & SHF_WRITE ? RK_SECTION_DATA : RK_SECTION_RODATA;
}

/* Longest part of a literal that a message quotes. */
#define QUOTE_MAX 32

const char *rk_span_describe(struct rk_arena *arena, const struct rk_span *span)
{
	if (span->name)
		return span->name;
	if (span->kind == RK_SPAN_STRING && span->data) {
		char text[QUOTE_MAX + 1];
		size_t n = 0;
		for (; n < QUOTE_MAX && n + 1 < span->size; n++)
			text[n] = isprint(span->data[n]) ? (char)span->data[n] : '.';
		text[n] = '\0';
		return rk_arena_printf(arena, "\"%s\"%s", text, n + 1 < span->size ? "..." : "");
	}
	return rk_arena_printf(arena, "%s+0x%llx", span->section->name,
			       (unsigned long long)span->offset);
}
