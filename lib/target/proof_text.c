// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saying where and how a function differs: the instruction on both sides, and one line of reason.
 */
#include <elf.h>
#include <string.h>

#include "lib/target/proof_internal.h"

/*
 * The longest x86 instruction has 15 bytes; what is cut off at a function's end is decoded as it
 * is.
 */
#define INSN_MAX 16
#define TEXT_MAX 128

/*
 * Start of the instruction that covers offset, by decoding from the function's start; offset itself
 * if that fails.
 */
static uint64_t instruction_start(const struct rk_arch *arch, const uint8_t *code, uint64_t size,
				  uint64_t offset)
{
	for (uint64_t at = 0; at <= offset && at < size;) {
		struct rk_insn insn;
		_cleanup_err_ struct rk_err *err = arch->decode(code + at, size - at, at, &insn);
		if (err || !insn.length)
			return offset;
		if (offset - at < insn.length)
			return at;
		at += insn.length;
	}
	return offset;
}

/*
 * Relocated fields of ours are empty: they are shown with the shipped content, which is right or
 * differs by itself.
 */
static void fill_fields(const struct rk_proof_run *run, const struct rk_pair *pair,
			const struct rk_step *start, uint8_t *code, size_t size)
{
	const struct rk_section *section = pair->ours->section;
	const struct rk_reloc *end = section->relocs + section->nr_relocs;
	const struct rk_reloc *r = rk_section_reloc_from(section, pair->ours->value + start->ours);

	for (; r && r < end; r++) {
		uint64_t at = r->offset - pair->ours->value - start->ours;
		const struct rk_reloc_kind *kind = run->arch->reloc_kind(r->type);
		if (at >= size)
			break;
		if (kind && kind->size <= size - at)
			memcpy(code + at, pair->shipped_bytes + start->shipped + at, kind->size);
	}
}

static struct rk_err *instruction_text(struct rk_proof_run *run, const uint8_t *code, size_t size,
				       uint64_t address, const char **ret)
{
	char text[TEXT_MAX];

	if (!size) {
		*ret = "(end of the function)";
		return NULL;
	}
	_cleanup_err_ struct rk_err *err =
		run->arch->disassemble(code, size, address, text, sizeof(text));
	*ret = err ? "(not an instruction)" : rk_arena_strdup(&run->proof->arena, text);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *name_and_offset(struct rk_proof_run *run, const char *name, int64_t offset,
				      const char **ret)
{
	if (offset)
		*ret = rk_arena_printf(&run->proof->arena, "'%s'%+lld", name, (long long)offset);
	else
		*ret = rk_arena_printf(&run->proof->arena, "'%s'", name);
	return *ret ? NULL : rk_err_nomem();
}

/* A string of ours is shown as such: its section and offset say nothing. */
static struct rk_err *our_name(struct rk_proof_run *run, const struct rk_reloc *reloc,
			       const struct rk_symbol *named, int64_t bias, const char **ret)
{
	const struct rk_section *section = reloc->symbol->section;
	int64_t offset = (int64_t)reloc->symbol->value + reloc->addend + bias;

	if (section && section->data && (section->flags & SHF_STRINGS) && offset >= 0 &&
	    (uint64_t)offset < section->size) {
		*ret = rk_arena_printf(&run->proof->arena, "\"%.*s\"",
				       (int)strnlen((const char *)section->data + offset,
						    section->size - (uint64_t)offset),
				       (const char *)section->data + offset);
		return *ret ? NULL : rk_err_nomem();
	}
	if (!named)
		return name_and_offset(run, section ? section->name : "", offset, ret);
	/* an undefined symbol's value is 0 */
	return name_and_offset(run, named->name, offset - (int64_t)named->value, ret);
}

/* The symbol that covers a place, or the nearest before it. */
static const struct rk_symbol *symbol_at(const struct rk_section *section, uint64_t at)
{
	const struct rk_symbol *best = NULL;

	for (size_t i = 0; section && i < section->nr_symbols; i++) {
		const struct rk_symbol *sym = section->symbols[i];
		if (sym->value > at)
			break;
		/* labels (_edata) are less telling than what has a size */
		if (!best || sym->size || best->value + best->size <= at)
			best = sym;
	}
	return best;
}

static struct rk_err *their_name(struct rk_proof_run *run, const struct rk_place *theirs,
				 int64_t bias, const char **ret)
{
	uint64_t at = theirs->at + (uint64_t)bias;
	const struct rk_section *section = theirs->section;

	if (theirs->undefined)
		return name_and_offset(run, theirs->undefined, (int64_t)at, ret);
	if (run->shipped->type != ET_REL)
		section = rk_elf_section_at(run->shipped, at);
	const struct rk_symbol *sym = symbol_at(section, at);
	if (sym)
		return name_and_offset(run, sym->name, (int64_t)(at - sym->value), ret);
	*ret = rk_arena_printf(&run->proof->arena, "0x%llx", (unsigned long long)at);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *name_and_place(struct rk_proof_run *run, const char *name,
				     const struct rk_place *place, const char **ret)
{
	*ret = rk_arena_printf(&run->proof->arena, "%s at %s+0x%llx", name,
			       place->section ? place->section->name : "",
			       (unsigned long long)place->at);
	return *ret ? NULL : rk_err_nomem();
}

/* Two of one name: where each lies is what is different. */
static struct rk_err *tell_apart(struct rk_proof_run *run, const struct rk_symbol *named,
				 const struct rk_place *theirs, int64_t bias, const char **ret_ours,
				 const char **ret_theirs)
{
	const struct rk_symbol *shipped = rk_owner_lookup(run->owner, named->name);
	struct rk_place target = *theirs;

	target.at += (uint64_t)bias;
	RK_TRY(name_and_place(run, *ret_theirs, &target, ret_theirs));
	if (shipped) {
		const struct rk_place ours = rk_proof_place_of(run->shipped, shipped, 0);
		return name_and_place(run, *ret_ours, &ours, ret_ours);
	}
	*ret_ours = rk_arena_printf(&run->proof->arena,
				    "%s, which isn't among the symbols of this file", *ret_ours);
	return *ret_ours ? NULL : rk_err_nomem();
}

struct rk_err *rk_proof_reloc_names(struct rk_proof_run *run, const struct rk_section *section,
				    const struct rk_reloc *reloc, const struct rk_symbol *named,
				    const struct rk_place *theirs, const char **ret_ours,
				    const char **ret_theirs)
{
	int64_t bias = rk_proof_bias(run, section, reloc);

	RK_TRY(our_name(run, reloc, named, bias, ret_ours));
	if (!theirs) {
		*ret_theirs = "something else";
		return NULL;
	}
	RK_TRY(their_name(run, theirs, bias, ret_theirs));
	return named && strcmp(*ret_ours, *ret_theirs) == 0
		       ? tell_apart(run, named, theirs, bias, ret_ours, ret_theirs)
		       : NULL;
}

static size_t limit(uint64_t size, uint64_t start)
{
	uint64_t left = start < size ? size - start : 0;
	return left < INSN_MAX ? (size_t)left : INSN_MAX;
}

/* In a module the same bytes can mean something or nothing: its relocation says it. */
static struct rk_err *describe_operand(struct rk_proof_run *run, const struct rk_pair *pair,
				       const struct rk_step *start, const char **ret)
{
	const struct rk_symbol *shipped = pair->shipped;
	const struct rk_reloc *r =
		run->shipped->type != ET_REL
			? NULL
			: rk_section_reloc_from(shipped->section, shipped->value + start->shipped);
	if (!r || r->offset - shipped->value - start->shipped >= INSN_MAX)
		return NULL;
	const struct rk_place place = rk_proof_place_of(run->shipped, r->symbol, r->addend);
	const char *name;
	RK_TRY(their_name(run, &place, 0, &name));
	*ret = rk_arena_printf(&run->proof->arena, "%s, with a relocation to %s", *ret, name);
	return *ret ? NULL : rk_err_nomem();
}

/* In place both sides are decoded from where our instruction starts: before it they agree. */
static struct rk_err *describe_bytes(struct rk_proof_run *run, const struct rk_pair *pair,
				     const struct rk_step *at, struct rk_proof_entry *entry)
{
	struct rk_step start = *at;
	if (at->ours == at->shipped)
		start.ours = start.shipped =
			instruction_start(run->arch, pair->our_bytes, pair->ours->size, at->ours);
	uint64_t address = pair->shipped->value + start.shipped;
	size_t size = limit(pair->ours->size, start.ours);
	size_t shipped_size = limit(pair->shipped->size, start.shipped);
	uint8_t code[INSN_MAX];

	memcpy(code, pair->our_bytes + start.ours, size);
	fill_fields(run, pair, &start, code, size < shipped_size ? size : shipped_size);
	RK_TRY(instruction_text(run, code, size, address, &entry->ours));
	RK_TRY(instruction_text(run, pair->shipped_bytes + start.shipped, shipped_size, address,
				&entry->theirs));
	if (strcmp(entry->ours, entry->theirs) == 0)
		return describe_operand(run, pair, &start, &entry->theirs);
	return NULL;
}

struct rk_err *rk_proof_describe(struct rk_proof_run *run, const struct rk_pair *pair,
				 const struct rk_divergence *d, struct rk_proof_entry *entry)
{
	struct rk_arena *arena = &run->proof->arena;

	entry->offset = d->at.ours;
	if (d->reloc) {
		bool is_call = run->arch->is_branch_reloc(pair->ours->section, d->reloc);
		entry->ours = d->ours;
		entry->theirs = d->theirs;
		entry->reason = rk_arena_printf(arena, "%s %s, shipped %s %s",
						is_call ? "calls" : "refers to", d->ours,
						is_call ? "calls" : "refers to", d->theirs);
	} else {
		RK_TRY(describe_bytes(run, pair, &d->at, entry));
	}
	if (pair->ours->size != pair->shipped->size)
		entry->reason = rk_arena_printf(arena, "size %llu, shipped %llu",
						(unsigned long long)pair->ours->size,
						(unsigned long long)pair->shipped->size);
	else if (!d->reloc)
		entry->reason = rk_arena_printf(arena, "other code at +0x%llx",
						(unsigned long long)d->at.ours);
	return entry->reason ? NULL : rk_err_nomem();
}
