/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of symbols that a kernel carries in its own .rodata (CONFIG_KALLSYMS), decoded: names
 * and addresses in the order in which the kernel's search meets them. Formats: scripts/kallsyms.c
 * write_src() and kernel/kallsyms.c kallsyms_expand_symbol(), kallsyms_sym_address() of 6.1.
 */
#ifndef RK_TARGET_KALLSYMS_H
#define RK_TARGET_KALLSYMS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/elf/elf.h"

/* The kernel's KSYM_NAME_LEN (6.1: include/linux/kallsyms.h), with the NUL. */
#define RK_KSYM_NAME_LEN 512

/* More than any kernel has; an untrusted count must not make us allocate without bounds. */
#define RK_KALLSYMS_MAX (8u << 20)

/* How an entry's address is stored (kernel/kallsyms.c kallsyms_sym_address()). */
enum rk_kallsyms_form {
	RK_KALLSYMS_ADDRESSES,	     /* 8-byte addresses: no CONFIG_KALLSYMS_BASE_RELATIVE */
	RK_KALLSYMS_OFFSETS,	     /* unsigned 4-byte offsets from the base */
	RK_KALLSYMS_ABSOLUTE_PERCPU, /* >= 0: absolute; < 0: base - 1 - offset */
};

/* The raw tables; each size is what may be read at most. */
struct rk_kallsyms_tables {
	uint32_t nr;		/* kallsyms_num_syms */
	uint64_t relative_base; /* not used by RK_KALLSYMS_ADDRESSES */
	enum rk_kallsyms_form form;
	const uint8_t *names;
	size_t names_size;
	const uint8_t *token_table;
	size_t token_table_size;
	const uint8_t *token_index; /* 256 16-bit offsets into token_table */
	size_t token_index_size;
	const uint8_t *addresses; /* kallsyms_offsets or kallsyms_addresses */
	size_t addresses_size;
};

struct rk_ksym {
	const char *name;
	uint64_t address;
	char type;	      /* as nm prints it */
	struct rk_ksym *next; /* of the same name, table order */
};

struct rk_kallsyms {
	struct rk_arena arena;
	struct rk_ksym *v; /* table order: by address */
	size_t nr;
	struct rk_map by_name; /* to the first of that name */
	bool has_data;	       /* CONFIG_KALLSYMS_ALL: data symbols are in the table */
};

/*
 * Decodes tables. RK_ERR_FORMAT says which entry leaves which table; RK_ERR_LIMIT for more than
 * RK_KALLSYMS_MAX.
 */
struct rk_err *rk_kallsyms_decode(const struct rk_kallsyms_tables *tables, struct rk_kallsyms **ret)
	__must_use;
/*
 * Finds the tables of a vmlinux by their symbols and decodes them. Which form the offsets have is
 * found by holding the result against the address of '_stext'. RK_ERR_UNSUPPORTED without tables,
 * RK_ERR_FORMAT, RK_ERR_MISMATCH.
 */
struct rk_err *rk_kallsyms_read(const struct rk_elf *vmlinux, struct rk_kallsyms **ret) __must_use;
void rk_kallsyms_free(struct rk_kallsyms *kallsyms);

/* The first entry of that name, NULL if none; the others follow by next. */
const struct rk_ksym *rk_kallsyms_find(const struct rk_kallsyms *kallsyms, const char *name);

static inline void rk_cleanup_kallsyms(struct rk_kallsyms **k)
{
	rk_kallsyms_free(*k);
}
#define _cleanup_kallsyms_ _cleanup_(rk_cleanup_kallsyms)

#endif
