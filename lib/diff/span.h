/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A span is a run of bytes of one section that belongs together: a function, a variable, a string literal, an entry of a special
 * section, or bytes no symbol names. Cutting an object into spans, and every relocation into a reference from one span to a
 * place in another, is what the whole diff works on: it doesn't matter any more whether a symbol had a section of its own,
 * whether a relocation named a symbol or a section, or in which order the compiler put things.
 */
#ifndef RK_DIFF_SPAN_H
#define RK_DIFF_SPAN_H

#include "lib/arch/arch.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/elf/elf.h"

enum rk_span_kind {
	RK_SPAN_FUNC,	/* STT_FUNC symbols in an executable section */
	RK_SPAN_DATA,	/* a named variable or constant */
	RK_SPAN_STRING, /* one literal of an SHF_STRINGS section, with its NUL */
	RK_SPAN_CONST,	/* one element of another SHF_MERGE section (.rodata.cst16) */
	RK_SPAN_ENTRY,	/* one entry of a special section */
	RK_SPAN_ANON,	/* bytes no symbol names */
};

/* What the kernel does with a section, from its name and flags. */
enum rk_section_class {
	RK_SECTION_TEXT,
	RK_SECTION_RODATA,
	RK_SECTION_DATA,    /* writable, bss too */
	RK_SECTION_INIT,    /* freed after boot or module init, text and data */
	RK_SECTION_EXIT,    /* run at module removal only */
	RK_SECTION_SPECIAL, /* the architecture's specials table */
	RK_SECTION_REGISTRATION, /* collected once at boot or module load: initcalls, exports, parameters … */
	RK_SECTION_IGNORED, /* not loaded, or of no meaning at run time */
};

struct rk_span;

/* A relocation as a reference to a place. */
struct rk_ref {
	uint64_t offset; /* in the span it is in */
	uint32_t type;	 /* R_… */
	int64_t place; /* where it points, from the start of target, or from the external symbol */
	int64_t bias;  /* place = addend + bias; see rk_arch.pc_bias */
	struct rk_span *target;	  /* span of this object, or NULL for an external symbol */
	struct rk_symbol *symbol; /* what the relocation named */
	bool is_branch;		  /* operand of a direct call or jump */
};

struct rk_span {
	enum rk_span_kind kind;
	enum rk_section_class class;
	struct rk_section *section;
	uint64_t offset, size;
	const uint8_t
		*data;	  /* size bytes, relocated fields as in the file; NULL in NOBITS sections */
	const char *name; /* of symbol; NULL for strings, constants, entries and anonymous bytes */
	const char *base; /* name without the compiler's numbers, see rk_name_base() */
	struct rk_symbol *symbol; /* the main symbol; NULL if there is none */
	struct rk_ref *refs;	  /* sorted by offset */
	size_t nr_refs;
	const struct rk_special *special; /* ENTRY: of which table */
	struct rk_span *code;		  /* ENTRY: the function the entry is about, or NULL */
	struct rk_span *parent;		  /* foo.cold: the function it is a part of */
	struct rk_span **children;	  /* FUNC: its cold parts */
	size_t nr_children;
	struct rk_span *
		*entries; /* FUNC: entries of special sections about it, by table, then place */
	size_t nr_entries;
	struct rk_span **users; /* spans that refer to it, each once, FUNC: callers included */
	size_t nr_users;
	struct rk_span *twin; /* the corresponding span of the other object, set by correlation */
	bool is_numbered;     /* the name has compiler-made numbers (static locals, clones) */
	bool is_ambiguous;    /* a static local that nothing tells from another one of its name */
	bool is_parted;	      /* a constant that changed: the patch has its own, without a twin */
	bool is_own_copy; /* never shared with the running kernel: __func__, tables of labels and the like */
	bool is_changed;  /* FUNC: differs from its twin */
	bool is_carried;  /* FUNC: unchanged itself, but must go with something it uses */
	bool is_included; /* goes into the patch module */
	bool is_fixed;	  /* can't be moved: holds a short branch to another function */
	bool has_fentry;
};

/* One object cut into spans. */
struct rk_spans {
	struct rk_arena arena;
	struct rk_elf *elf; /* borrowed */
	const struct rk_arch *arch;
	struct rk_span **spans; /* in section order, then by offset */
	size_t nr_spans;
	struct rk_span ***by_section; /* [section index] → its spans */
	size_t *nr_by_section;
};

/* Cuts elf (ET_REL, its relocations loaded), which must outlive the result. Errors: RK_ERR_FORMAT with section and offset,
 * RK_ERR_UNSUPPORTED for a machine or relocation type we don't know. */
struct rk_err *rk_spans_create(struct rk_elf *elf, struct rk_spans **ret) __must_use;
void rk_spans_free(struct rk_spans *spans);

/* The span that covers offset of section; at the very end of a section, its last one. NULL if there is none. */
struct rk_span *rk_spans_at(const struct rk_spans *spans, const struct rk_section *section,
			    uint64_t offset);

enum rk_section_class rk_section_classify(const struct rk_arch *arch,
					  const struct rk_section *section);

/* name without ".123" parts and without the counter of __UNIQUE_ID_ names: "foo.constprop.0" and "foo.constprop.1" have one
 * base. Sets *ret_numbered when something was taken away. From the arena; NULL without memory. */
const char *rk_name_base(struct rk_arena *arena, const char *name, bool *ret_numbered);

/* Names of numbered statics that macros and the compiler make, each use its own: __func__, __warned, __key, CSWTCH …
 * Their state may start anew. section is where it is: a table of constants isn't writable. */
bool rk_name_is_own_copy(const char *base, const struct rk_section *section);

/* The spans' text for messages: name, or "string \"…\"" and the like; from arena. */
const char *rk_span_describe(struct rk_arena *arena, const struct rk_span *span);

#define rk_spans_for_each(object, it)                                                   \
	for (struct rk_span **it##_pos = (object)->spans, *it;                          \
	     it##_pos < (object)->spans + (object)->nr_spans && (it = *it##_pos, true); \
	     it##_pos++)

static inline void rk_cleanup_spans(struct rk_spans **s)
{
	if (*s)
		rk_spans_free(*s);
}
#define _cleanup_spans_ _cleanup_(rk_cleanup_spans)

#endif
