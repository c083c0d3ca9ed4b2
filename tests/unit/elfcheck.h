/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an ELF graph is what lib/elf/elf.h promises, whatever file it came from. */
#ifndef RK_TESTS_UNIT_ELFCHECK_H
#define RK_TESTS_UNIT_ELFCHECK_H

#include "lib/elf/elf.h"

/* Loads all relocations that can be, follows every pointer, reads every string and asks every question.
 * NULL if all is well, else the promise that is broken. */
const char *elfcheck(struct rk_elf *elf);

/* Writes what was read with the writer, as far as it can say it: *ret is malloc'ed. */
struct rk_err *elfcheck_rewrite(struct rk_elf *elf, void **ret, size_t *ret_size) __must_use;

/* NULL if two graphs say the same (what elfcheck_rewrite() keeps), else what differs. */
const char *elfcheck_compare(const struct rk_elf *a, const struct rk_elf *b);

#endif
