/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel symbol tables made for tests, in the format scripts/kallsyms.c write_src() of 6.1 writes:
 * as buffers to be decoded or broken, or as assembly to be linked into an image.
 */
#ifndef RK_TESTS_UNIT_KSYMMAKE_H
#define RK_TESTS_UNIT_KSYMMAKE_H

#include "lib/base/str.h"
#include "lib/target/kallsyms.h"

struct ksymmake_entry {
	char type;
	const char *name;
	uint64_t address;
	bool absolute; /* per-cpu: stored as it is */
};

struct ksymmake {
	struct rk_str names, token_table, token_index, addresses;
	struct rk_kallsyms_tables tables; /* point into the buffers */
};

void ksymmake(const struct ksymmake_entry *entries, size_t nr, enum rk_kallsyms_form form,
	      uint64_t base, struct ksymmake *ret);
/* Assembly that defines the kallsyms_* symbols in .rodata. */
void ksymmake_assembly(const struct ksymmake *made, struct rk_str *ret);
void ksymmake_deinit(struct ksymmake *made);

#endif
