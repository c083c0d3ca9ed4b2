/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of an address that code takes: is only the memory read that it points to, or may the address itself be
 * kept? The register that holds it is followed along every way through the function, with what is computed from it, until
 * it is overwritten. It may be kept where it is stored, returned or passed to a function, and wherever we can't tell.
 */
#include <Zydis/Zydis.h>
#include <elf.h>
#include <string.h>

#include "lib/arch/internal.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"

#define STATES_MAX 2048 /* places visited; a function with more is beyond what is worth knowing */

/* The address is in reg when the processor comes to this place. */
struct state {
	const struct rk_section *section;
	uint64_t at;
	ZydisRegister reg;
};

struct tracer {
	rk_vec(struct state) states; /* visited up to next, then to visit */
	struct rk_address_use *use;
	bool failed;
};

struct insn {
	ZydisDecodedInstruction in;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static bool decode(const struct rk_section *section, uint64_t at, struct insn *ret)
{
	ZydisDecoder decoder;

	return at < section->size &&
	       ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					     ZYDIS_STACK_WIDTH_64)) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, section->data + at, section->size - at,
						   &ret->in, ret->operands));
}

static ZydisRegister whole(ZydisRegister reg)
{
	return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
}

static void go_on(struct tracer *t, const struct rk_section *section, uint64_t at,
		  ZydisRegister reg)
{
	struct state state = {section, at, reg};

	rk_vec_for_each(&t->states, it)
		if (it->section == section && it->at == at && it->reg == reg)
			return;
	if (t->states.nr >= STATES_MAX || !rk_vec_push(&t->states, state))
		t->failed = true;
}

/* System V psABI 3.2.3: where arguments are, and what a called function may overwrite. */
static const ZydisRegister arguments[] = {
	ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_RDX,
	ZYDIS_REGISTER_RCX, ZYDIS_REGISTER_R8,	ZYDIS_REGISTER_R9,
};

static bool survives_call(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_RBX || reg == ZYDIS_REGISTER_RBP ||
	       (reg >= ZYDIS_REGISTER_R12 && reg <= ZYDIS_REGISTER_R15);
}

/* One more function that gets the address if it is in a register of arguments; more than one is as good as unknown. */
static void pass_to(struct tracer *t, ZydisRegister reg, const struct rk_symbol *callee)
{
	uint32_t argument = 0;

	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
		if (arguments[i] == reg)
			argument = 1u << i;
	if (!argument)
		return;
	t->use->is_passed = true;
	t->use->arguments |= argument;
	if (!callee || (t->use->callee && !rk_streq(t->use->callee, callee->name)))
		t->failed = true;
	else
		t->use->callee = callee->name;
}

static const struct rk_reloc *reloc_of(const struct rk_section *section, uint64_t at,
				       const struct insn *insn)
{
	const struct rk_reloc *reloc = rk_section_reloc_from(section, at);
	const struct rk_reloc *end = section->relocs + section->nr_relocs;

	return reloc && reloc < end && reloc->offset < at + insn->in.length ? reloc : NULL;
}

static bool is_cold(const struct rk_symbol *symbol)
{
	return strstr(symbol->name, ".cold") != NULL;
}

/* The start of a function that can be called, at this place of its section. */
static const struct rk_symbol *function_at(const struct rk_section *section, uint64_t at)
{
	for (size_t i = 0; i < section->nr_symbols; i++)
		if (section->symbols[i]->value == at && section->symbols[i]->type == STT_FUNC)
			return section->symbols[i];
	return NULL;
}

/* A jump to another section leads to a cold part, or is the last call of a function. */
static void jump_away(struct tracer *t, const struct state *s, const struct rk_reloc *reloc,
		      int64_t bias)
{
	const struct rk_symbol *to = reloc->symbol;
	const struct rk_section *section = to->section;
	uint64_t at = to->value + (uint64_t)(reloc->addend + bias);
	const struct rk_symbol *function = section ? function_at(section, at) : to;

	if (function && !is_cold(function)) {
		pass_to(t, s->reg, function);
		return;
	}
	if (section && section->data)
		go_on(t, section, at, s->reg);
	else
		t->failed = true;
}

static void branch(struct tracer *t, const struct state *s, const struct insn *insn)
{
	const struct rk_reloc *reloc = reloc_of(s->section, s->at, insn);
	uint64_t next = s->at + insn->in.length;

	if (insn->in.meta.category == ZYDIS_CATEGORY_COND_BR)
		go_on(t, s->section, next, s->reg);
	if (!insn->in.raw.imm[0].is_relative)
		t->failed = true; /* a table's jump */
	else if (reloc)
		jump_away(t, s, reloc, (int64_t)(next - reloc->offset));
	else
		go_on(t, s->section, next + (uint64_t)insn->in.raw.imm[0].value.s, s->reg);
}

static void call(struct tracer *t, const struct state *s, const struct insn *insn)
{
	const struct rk_reloc *reloc = reloc_of(s->section, s->at, insn);

	pass_to(t, s->reg, reloc && insn->in.raw.imm[0].is_relative ? reloc->symbol : NULL);
	if (survives_call(s->reg))
		go_on(t, s->section, s->at + insn->in.length, s->reg);
}

static bool is_arithmetic(const struct insn *insn)
{
	switch (insn->in.mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_INC:
	case ZYDIS_MNEMONIC_DEC:
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_LEA: return true;
	default: return false;
	}
}

static bool is_comparison(const struct insn *insn)
{
	return insn->in.mnemonic == ZYDIS_MNEMONIC_CMP || insn->in.mnemonic == ZYDIS_MNEMONIC_TEST;
}

/* What the first operand becomes, if it is a register of full width that is written. */
static ZydisRegister result_of(const struct insn *insn)
{
	const ZydisDecodedOperand *o = &insn->operands[0];

	if (!insn->in.operand_count_visible || o->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    !(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
		return ZYDIS_REGISTER_NONE;
	return whole(o->reg.value);
}

/* Is the value of reg itself read, other than to reach memory? */
static bool reads_value(const struct insn *insn, ZydisRegister reg)
{
	for (unsigned int i = 0; i < insn->in.operand_count; i++) {
		const ZydisDecodedOperand *o = &insn->operands[i];
		if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && whole(o->reg.value) == reg &&
		    (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ))
			return true;
		if (insn->in.mnemonic == ZYDIS_MNEMONIC_LEA &&
		    o->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (whole(o->mem.base) == reg || whole(o->mem.index) == reg))
			return true;
	}
	return false;
}

static bool overwrites(const struct insn *insn, ZydisRegister reg)
{
	for (unsigned int i = 0; i < insn->in.operand_count; i++) {
		const ZydisDecodedOperand *o = &insn->operands[i];
		if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && whole(o->reg.value) == reg &&
		    (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    !(o->actions & ZYDIS_OPERAND_ACTION_CONDWRITE))
			return true;
	}
	return false;
}

static void step(struct tracer *t, const struct state *s)
{
	struct insn insn;

	if (!decode(s->section, s->at, &insn)) {
		t->failed = true;
		return;
	}
	switch (insn.in.meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR: branch(t, s, &insn); return;
	case ZYDIS_CATEGORY_CALL: call(t, s, &insn); return;
	case ZYDIS_CATEGORY_RET: t->failed = t->failed || s->reg == ZYDIS_REGISTER_RAX; return;
	default: break;
	}
	if (insn.in.mnemonic == ZYDIS_MNEMONIC_UD2 || insn.in.mnemonic == ZYDIS_MNEMONIC_INT3)
		return;
	uint64_t next = s->at + insn.in.length;
	ZydisRegister result = result_of(&insn);
	if (reads_value(&insn, s->reg) && !is_comparison(&insn)) {
		if (!is_arithmetic(&insn) || result == ZYDIS_REGISTER_NONE) {
			t->failed = true;
			return;
		}
		go_on(t, s->section, next, result);
		if (result == s->reg)
			return;
	}
	if (!overwrites(&insn, s->reg))
		go_on(t, s->section, next, s->reg);
}

/* The instruction that has the address: reads or calls through it, or leaves it in a register to follow. */
static void begin(struct tracer *t, const struct rk_section *section, uint64_t at, uint64_t field)
{
	struct insn insn;

	if (!decode(section, at, &insn)) {
		t->failed = true;
		return;
	}
	bool is_memory = insn.in.raw.disp.size && at + insn.in.raw.disp.offset == field;
	if (is_memory && insn.in.mnemonic != ZYDIS_MNEMONIC_LEA)
		return;
	if (is_comparison(&insn)) {
		t->use->is_compared = true;
		return;
	}
	ZydisRegister result = result_of(&insn);
	if (!is_arithmetic(&insn) || result == ZYDIS_REGISTER_NONE)
		t->failed = true;
	else
		go_on(t, section, at + insn.in.length, result);
}

void rk_x86_64_address_use(const struct rk_section *section, uint64_t start, uint64_t field,
			   struct rk_address_use *ret)
{
	struct tracer t = {.use = ret};

	begin(&t, section, start, field);
	for (size_t i = 0; i < t.states.nr && !t.failed; i++) {
		struct state state = t.states.v[i];
		step(&t, &state);
	}
	ret->is_kept = t.failed;
	rk_vec_deinit(&t.states);
}
