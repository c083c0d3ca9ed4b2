/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64: relocation types of the System V psABI, what Linux 6.1 keeps in its special sections, and
 * instructions through Zydis.
 *
 * A PC-relative field says nothing about where its instruction ends, and x86 can't be decoded backwards. So
 * decoding starts where an instruction surely starts: at the function's symbol, or, nearer, behind the last
 * relocated call or jump, whose field ends the instruction. That one is told by its opcode alone: what stands
 * before a rip-relative operand is a ModRM byte with mod 0 and rm 5, never e8, e9 or 0f 8x.
 */
#include <Zydis/Zydis.h>
#include <elf.h>
#include <string.h>

#include "lib/arch/internal.h"
#include "lib/base/str.h"

/* psABI table 4.9, what assemblers emit into objects. in_kernel: arch/x86/kernel/module.c of 6.1. */
static const struct rk_reloc_kind kinds[] = {
	[R_X86_64_NONE] = {"R_X86_64_NONE", 0, false, false, true},
	[R_X86_64_64] = {"R_X86_64_64", 8, false, false, true},
	[R_X86_64_PC32] = {"R_X86_64_PC32", 4, true, true, true},
	[R_X86_64_GOT32] = {"R_X86_64_GOT32", 4, false, true, false},
	[R_X86_64_PLT32] = {"R_X86_64_PLT32", 4, true, true, true},
	[R_X86_64_GOTPCREL] = {"R_X86_64_GOTPCREL", 4, true, true, false},
	[R_X86_64_32] = {"R_X86_64_32", 4, false, false, true},
	[R_X86_64_32S] = {"R_X86_64_32S", 4, false, true, true},
	[R_X86_64_16] = {"R_X86_64_16", 2, false, false, false},
	[R_X86_64_PC16] = {"R_X86_64_PC16", 2, true, true, false},
	[R_X86_64_8] = {"R_X86_64_8", 1, false, true, false},
	[R_X86_64_PC8] = {"R_X86_64_PC8", 1, true, true, false},
	[R_X86_64_DTPMOD64] = {"R_X86_64_DTPMOD64", 8, false, false, false},
	[R_X86_64_DTPOFF64] = {"R_X86_64_DTPOFF64", 8, false, false, false},
	[R_X86_64_TPOFF64] = {"R_X86_64_TPOFF64", 8, false, false, false},
	[R_X86_64_TLSGD] = {"R_X86_64_TLSGD", 4, true, true, false},
	[R_X86_64_TLSLD] = {"R_X86_64_TLSLD", 4, true, true, false},
	[R_X86_64_DTPOFF32] = {"R_X86_64_DTPOFF32", 4, false, true, false},
	[R_X86_64_GOTTPOFF] = {"R_X86_64_GOTTPOFF", 4, true, true, false},
	[R_X86_64_TPOFF32] = {"R_X86_64_TPOFF32", 4, false, true, false},
	[R_X86_64_PC64] = {"R_X86_64_PC64", 8, true, true, true},
	[R_X86_64_GOTOFF64] = {"R_X86_64_GOTOFF64", 8, false, true, false},
	[R_X86_64_GOTPC32] = {"R_X86_64_GOTPC32", 4, true, true, false},
	[R_X86_64_GOT64] = {"R_X86_64_GOT64", 8, false, true, false},
	[R_X86_64_GOTPCREL64] = {"R_X86_64_GOTPCREL64", 8, true, true, false},
	[R_X86_64_GOTPC64] = {"R_X86_64_GOTPC64", 8, true, true, false},
	[R_X86_64_GOTPLT64] = {"R_X86_64_GOTPLT64", 8, false, true, false},
	[R_X86_64_PLTOFF64] = {"R_X86_64_PLTOFF64", 8, false, true, false},
	[R_X86_64_SIZE32] = {"R_X86_64_SIZE32", 4, false, false, false},
	[R_X86_64_SIZE64] = {"R_X86_64_SIZE64", 8, false, false, false},
	[R_X86_64_GOTPC32_TLSDESC] = {"R_X86_64_GOTPC32_TLSDESC", 4, true, true, false},
	[R_X86_64_TLSDESC_CALL] = {"R_X86_64_TLSDESC_CALL", 0, false, false, false},
	[R_X86_64_GOTPCRELX] = {"R_X86_64_GOTPCRELX", 4, true, true, false},
	[R_X86_64_REX_GOTPCRELX] = {"R_X86_64_REX_GOTPCRELX", 4, true, true, false},
};

/* Linux 6.1; every entry's first relocation names the code. The second __bug_table is that of kernels without DEBUG_BUGVERBOSE. */
static const struct rk_special specials[] = {
	{".altinstructions", 12, 0, NULL, 0, 4, 11},
	{".parainstructions", 16, 0, NULL, 0, 0, 0},
	{"__jump_table", 16, 0, NULL, 0, 0, 0},
	{".static_call_sites", 8, 0, NULL, 0, 0, 0},
	{".retpoline_sites", 4, 0, NULL, 0, 0, 0},
	{".return_sites", 4, 0, NULL, 0, 0, 0},
	{"__bug_table", 12, 0, NULL, 0, 0, 0},
	{"__bug_table", 8, 0, NULL, 0, 0, 0},
	{"__ex_table", 12, 0, NULL, 0, 0, 0},
	{".smp_locks", 4, 0, NULL, 0, 0, 0},
	{".orc_unwind_ip", 4, 0, ".orc_unwind", 6, 0, 0},
	{"__mcount_loc", 8, 0, NULL, 0, 0, 0},
	{},
};

static const struct rk_reloc_kind *x86_64_reloc_kind(uint32_t type)
{
	return type < ARRAY_SIZE(kinds) && kinds[type].name ? &kinds[type] : NULL;
}

static struct rk_err *not_insn(uint64_t at)
{
	return rk_err(RK_ERR_FORMAT, "the bytes at 0x%llx are no instruction",
		      (unsigned long long)at);
}

static struct rk_err *x86_64_decode(const uint8_t *code, size_t size, uint64_t at,
				    struct rk_insn *ret)
{
	ZydisDecodedInstruction in;
	ZydisDecoder decoder;
	struct rk_insn insn = {};
	uint64_t value = 0;

	/* Minimal mode knows lengths and fields but not mnemonics, and is several times faster. */
	if (ZYAN_FAILED(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    ZYAN_FAILED(ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE)) ||
	    ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, code, size, &in)))
		return not_insn(at);
	insn.length = in.length;
	if (in.raw.imm[0].is_relative) {
		insn.is_branch = true;
		insn.is_call = in.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && in.opcode == 0xe8;
		insn.disp_offset = in.raw.imm[0].offset;
		insn.disp_size = in.raw.imm[0].size / 8;
		value = (uint64_t)in.raw.imm[0].value.s;
	} else if (in.attributes & ZYDIS_ATTRIB_HAS_MODRM && in.raw.modrm.mod == 0 &&
		   in.raw.modrm.rm == 5) {
		insn.is_rip_relative = true;
		insn.disp_offset = in.raw.disp.offset;
		insn.disp_size = in.raw.disp.size / 8;
		value = (uint64_t)in.raw.disp.value;
	}
	if (insn.disp_size)
		insn.target = (int64_t)(at + insn.length + value);
	*ret = insn;
	return NULL;
}

static struct rk_err *x86_64_disassemble(const uint8_t *code, size_t size, uint64_t address,
					 char *ret, size_t ret_size)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction in;
	ZydisFormatter formatter;
	ZydisDecoder decoder;

	if (ZYAN_FAILED(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, size, &in, operands)))
		return not_insn(address);
	if (ZYAN_FAILED(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)) ||
	    ZYAN_FAILED(ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_FORCE_SIZE,
						  ZYAN_TRUE)) ||
	    ZYAN_FAILED(ZydisFormatterSetProperty(
		    &formatter, ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL, ZYAN_TRUE)) ||
	    ZYAN_FAILED(ZydisFormatterSetProperty(&formatter,
						  ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
						  ZYDIS_PADDING_DISABLED)) ||
	    ZYAN_FAILED(ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING,
						  ZYDIS_PADDING_DISABLED)) ||
	    ZYAN_FAILED(ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING,
						  ZYDIS_PADDING_DISABLED)) ||
	    ZYAN_FAILED(ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE,
						  ZYAN_FALSE)) ||
	    ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, &in, operands,
							in.operand_count_visible, ret, ret_size,
							address, NULL)))
		return rk_err(RK_ERR_LIMIT, "the text of the instruction at 0x%llx is too long",
			      (unsigned long long)address);
	return NULL;
}

/* The bytes before a relocated field are the opcode of a direct call or jump. */
static bool has_branch_opcode(const struct rk_section *section, uint64_t place, uint8_t size)
{
	const uint8_t *p = section->data + place;

	if (size == 4)
		return (place >= 1 && (p[-1] == 0xe8 || p[-1] == 0xe9)) ||
		       (place >= 2 && p[-2] == 0x0f && (p[-1] & 0xf0) == 0x80);
	return size == 1 && place >= 1 && (p[-1] == 0xeb || (p[-1] & 0xf0) == 0x70);
}

/* Offset of the field in the section; false if it isn't wholly inside the content. */
static bool field_place(const struct rk_section *section, const struct rk_reloc *reloc,
			const struct rk_reloc_kind *kind, uint64_t *ret)
{
	uint64_t place = reloc->offset - section->address;

	if (!section->data || place > section->size || kind->size > section->size - place)
		return false;
	*ret = place;
	return true;
}

/* Start of the nearest function or label at or before an address; the section's start without one. */
static uint64_t nearest_symbol(const struct rk_section *section, uint64_t address)
{
	size_t lo = 0, hi = section->nr_symbols;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (section->symbols[mid]->value <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo-- > 0) {
		/* Symbols of a linker script may say they are in a section that starts later. */
		if (section->symbols[lo]->value < section->address)
			break;
		if (section->symbols[lo]->type == STT_FUNC ||
		    section->symbols[lo]->type == STT_NOTYPE)
			return section->symbols[lo]->value;
	}
	return section->address;
}

/* A place at or before the field where an instruction surely starts; see the top of this file. */
static uint64_t known_start(const struct rk_section *section, const struct rk_reloc *reloc)
{
	uint64_t start = nearest_symbol(section, reloc->offset);

	for (const struct rk_reloc *r = reloc; r > section->relocs;) {
		r--;
		if (r->offset < start)
			break;
		if ((r->type == R_X86_64_PLT32 || r->type == R_X86_64_PC32) &&
		    r->offset + 4 <= reloc->offset &&
		    has_branch_opcode(section, r->offset - section->address, 4))
			return r->offset + 4 - section->address;
	}
	return start - section->address;
}

/* The instruction that has the byte at place; *ret_start is where it starts. */
static struct rk_err *insn_around(const struct rk_section *section, const struct rk_reloc *reloc,
				  uint64_t place, struct rk_insn *ret, uint64_t *ret_start)
{
	uint64_t at = known_start(section, reloc);
	struct rk_insn insn;

	for (;;) {
		RK_TRY(x86_64_decode(section->data + at, section->size - at, at, &insn));
		if (place - at < insn.length)
			break;
		at += insn.length;
	}
	*ret = insn;
	*ret_start = at;
	return NULL;
}

static struct rk_err *x86_64_pc_bias(const struct rk_section *section, const struct rk_reloc *reloc,
				     int64_t *ret)
{
	const struct rk_reloc_kind *kind = x86_64_reloc_kind(reloc->type);
	struct rk_insn insn;
	uint64_t place, start;

	/* No instruction has a PC-relative operand of 8 bytes: that is data among code. */
	if (!kind || !kind->pc_relative || kind->size == 8 || !(section->flags & SHF_EXECINSTR)) {
		*ret = 0;
		return NULL;
	}
	if (!field_place(section, reloc, kind, &place))
		return rk_err(RK_ERR_FORMAT,
			      "the relocation at '%s'+0x%llx ends behind the section",
			      section->name, (unsigned long long)reloc->offset);
	if (has_branch_opcode(section, place, kind->size)) {
		*ret = kind->size;
		return NULL;
	}
	RK_TRY(rk_err_wrap(insn_around(section, reloc, place, &insn, &start), "'%s'",
			   section->name));
	if (!insn.disp_size || start + insn.disp_offset != place || insn.disp_size != kind->size)
		return rk_err(RK_ERR_FORMAT, "the relocation at '%s'+0x%llx is no operand",
			      section->name, (unsigned long long)reloc->offset);
	*ret = (int64_t)(start + insn.length - place);
	return NULL;
}

static bool x86_64_is_branch_reloc(const struct rk_section *section, const struct rk_reloc *reloc)
{
	const struct rk_reloc_kind *kind = x86_64_reloc_kind(reloc->type);
	struct rk_insn insn;
	uint64_t place, start;

	if (!kind || !kind->pc_relative || !(section->flags & SHF_EXECINSTR) ||
	    !field_place(section, reloc, kind, &place) ||
	    !has_branch_opcode(section, place, kind->size))
		return false;
	/* Hand-written code may hold data that can't be decoded; then the opcode must do. */
	_cleanup_err_ struct rk_err *err = insn_around(section, reloc, place, &insn, &start);
	return err || (insn.is_branch && start + insn.disp_offset == place);
}

/* "sub $SIZE, %rsp", with an immediate of one byte or four */
static uint64_t x86_64_frame_size(const uint8_t *code, size_t size)
{
	static const uint8_t sub8[] = {0x48, 0x83, 0xec}, sub32[] = {0x48, 0x81, 0xec};
	uint64_t largest = 0;

	for (size_t at = 0; at < size;) {
		const uint8_t *p = code + at;
		struct rk_insn insn;
		uint64_t bytes = 0;
		_cleanup_err_ struct rk_err *err = x86_64_decode(p, size - at, at, &insn);
		if (err)
			break;
		if (insn.length == sizeof(sub8) + 1 && !memcmp(p, sub8, sizeof(sub8)))
			bytes = p[3] < 0x80 ? p[3] : 0;
		else if (insn.length == sizeof(sub32) + 4 && !memcmp(p, sub32, sizeof(sub32)))
			bytes = p[6] < 0x80 ? p[3] | p[4] << 8 | p[5] << 16 | (uint64_t)p[6] << 24
					    : 0;
		largest = bytes > largest ? bytes : largest;
		at += insn.length;
	}
	return largest;
}

static struct rk_address_use x86_64_address_use(const struct rk_section *section,
						const struct rk_reloc *reloc)
{
	const struct rk_reloc_kind *kind = x86_64_reloc_kind(reloc->type);
	struct rk_address_use use = {.is_kept = true};
	struct rk_insn insn;
	uint64_t place, start;

	if (!kind || !(section->flags & SHF_EXECINSTR) ||
	    !field_place(section, reloc, kind, &place))
		return use;
	_cleanup_err_ struct rk_err *err = insn_around(section, reloc, place, &insn, &start);
	if (!err)
		rk_x86_64_address_use(section, start, place, &use);
	return use;
}

static bool x86_64_has_fentry(const struct rk_section *section, uint64_t offset, uint64_t size)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	/* objtool --mnop leaves a nop and turns the relocation into R_X86_64_NONE. */
	static const uint8_t nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
	uint64_t place = offset - section->address;
	const struct rk_reloc *reloc;
	const uint8_t *p;

	if (!section->data || place > section->size || size > section->size - place)
		return false;
	p = section->data + place;
	if (size >= sizeof(endbr64) && memcmp(p, endbr64, sizeof(endbr64)) == 0) {
		p += sizeof(endbr64);
		offset += sizeof(endbr64);
		size -= sizeof(endbr64);
	}
	if (size < sizeof(nop5))
		return false;
	reloc = rk_section_reloc_from(section, offset);
	if (!reloc || !rk_streq(reloc->symbol->name, "__fentry__"))
		return false;
	if (reloc->type == R_X86_64_NONE)
		return reloc->offset <= offset + 1 && memcmp(p, nop5, sizeof(nop5)) == 0;
	return reloc->offset == offset + 1 && p[0] == 0xe8 &&
	       (reloc->type == R_X86_64_PC32 || reloc->type == R_X86_64_PLT32);
}

const struct rk_arch rk_arch_x86_64 = {
	.name = "x86_64",
	.machine = EM_X86_64,
	.reloc_none = R_X86_64_NONE,
	.reloc_abs64 = R_X86_64_64,
	.reloc_pc32 = R_X86_64_PC32,
	.reloc_plt32 = R_X86_64_PLT32,
	.specials = specials,
	.reloc_kind = x86_64_reloc_kind,
	.decode = x86_64_decode,
	.disassemble = x86_64_disassemble,
	.has_fentry = x86_64_has_fentry,
	.pc_bias = x86_64_pc_bias,
	.is_branch_reloc = x86_64_is_branch_reloc,
	.frame_size = x86_64_frame_size,
	.address_use = x86_64_address_use,
};
