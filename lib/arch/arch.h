/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What depends on the machine: one ops table per architecture, so that no other file switches on it.
 * x86_64 first (System V psABI for relocations, Intel SDM through Zydis for instructions).
 */
#ifndef RK_ARCH_ARCH_H
#define RK_ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/elf/elf.h"

/* What one relocation type does to the bytes. */
struct rk_reloc_kind {
	const char *name; /* "R_X86_64_PC32" */
	uint8_t size;	  /* bytes written: 0, 1, 2, 4, 8 */
	bool pc_relative; /* S + A - P, else S + A */
	bool sign_extend; /* the value read back is signed */
	bool in_kernel;	  /* the kernel's module loader handles it */
};

/* One decoded instruction, as far as the diff needs it. */
struct rk_insn {
	uint8_t length;	      /* bytes */
	bool is_branch;	      /* jmp, jcc, call with a relative operand */
	bool is_call;	      /* such a call */
	bool is_rip_relative; /* has a memory operand [rip + disp32] */
	/* Offset in the section of the branch target or rip operand, if the displacement were
	 * final. */
	int64_t target;
	uint8_t disp_offset; /* where the displacement or relative immediate lies in the instruction */
	uint8_t disp_size; /* bytes: 0, 1, 4 */
};

/* Room for the text of any instruction, with its NUL. */
#define RK_INSN_TEXT_SIZE 128

/* One special section: fixed-size entries that describe places in code. Sizes are the target's. */
struct rk_special {
	const char *name;     /* ".altinstructions" */
	uint32_t entry_size;  /* bytes */
	uint32_t code_offset; /* offset in the entry of the relocation that names the code place */
	/* The second array that goes with it (".orc_unwind" with ".orc_unwind_ip"), or NULL. */
	const char *parallel;
	uint32_t parallel_size;
	/* The relocation at extent_offset names as many bytes as the byte at extent_size_offset says. Both 0: there is none like that. */
	uint32_t extent_offset, extent_size_offset;
};

/* What code does with an address it takes. */
struct rk_address_use {
	bool is_kept;	    /* stored, returned, passed to several functions, or we can't tell */
	bool is_passed;	    /* as an argument to one function, */
	const char *callee; /* this one */
	bool is_compared;   /* only held against another address; nothing else is true then */
	uint32_t arguments; /* as which: bit 0 is the first one */
};

struct rk_arch {
	const char *name; /* "x86_64" */
	uint16_t machine; /* EM_X86_64 */
	uint32_t reloc_none, reloc_abs64, reloc_pc32, reloc_plt32;
	/* Terminated by name NULL. A name that is there again has other entries in other configurations; which, the section shows. */
	const struct rk_special *specials;

	/* NULL for a type the architecture doesn't know. */
	const struct rk_reloc_kind *(*reloc_kind)(uint32_t type);
	/* Decodes one instruction at code (offset of it in its section: at). RK_ERR_FORMAT if it
	 * isn't one. */
	struct rk_err *(*decode)(const uint8_t *code, size_t size, uint64_t at,
				 struct rk_insn *ret);
	/* Instruction text (Intel syntax, operands relative to rip left so), for reports.
	 * ret_size is at least RK_INSN_TEXT_SIZE. RK_ERR_FORMAT if it isn't an instruction. */
	struct rk_err *(*disassemble)(const uint8_t *code, size_t size, uint64_t address, char *ret,
				      size_t ret_size);
	/* Is the function at [offset, offset + size) of section traceable: does it start with a
	 * call to __fentry__? offset counts as symbols' values do: an address in linked files.
	 * Relocations must be loaded. */
	bool (*has_fentry)(const struct rk_section *section, uint64_t offset, uint64_t size);
	/* The distance from a PC-relative field to the end of its instruction, from where the
	 * processor counts (4 for a plain call or the last field of an instruction; more when an
	 * immediate follows; 0 in data and for relocations that aren't PC-relative). The target
	 * offset inside the symbol is addend + this. Needs the code, since only decoding tells;
	 * reloc is one of section->relocs. RK_ERR_FORMAT if the place isn't an operand that
	 * counts from the instruction's end. */
	struct rk_err *(*pc_bias)(const struct rk_section *section, const struct rk_reloc *reloc,
				  int64_t *ret);
	/* Is this relocation the operand of a direct call or jump (not an address that is
	 * taken)? reloc is one of section->relocs. */
	bool (*is_branch_reloc)(const struct rk_section *section, const struct rk_reloc *reloc);
	/* Bytes of its stack frame that the function's code reserves at once; 0 if it doesn't. */
	uint64_t (*frame_size)(const uint8_t *code, size_t size);
	/* What the code does with the address in this relocated field: neither kept nor passed
	 * means that only the memory is accessed that it points to. reloc is one of
	 * section->relocs. */
	struct rk_address_use (*address_use)(const struct rk_section *section,
					     const struct rk_reloc *reloc);
};

/* NULL for a machine we don't know. */
const struct rk_arch *rk_arch_for(uint16_t machine);

#endif
