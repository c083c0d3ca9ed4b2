/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF reader on any bytes: an error, or a graph that keeps its promises, on which the architecture's
 * questions can be asked. An object that was read can be written; that reads back, and writing it once more gives
 * the same bytes.
 */
#include <elf.h>
#include <string.h>

#include "lib/arch/arch.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/elfcheck.h"

/* Contents are padded to their alignment: a few bytes of input could ask for a file of gigabytes. */
#define ALIGN_MAX 65536

static void ask_arch(const struct rk_arch *arch, const struct rk_section *s)
{
	volatile unsigned int sum = 0;
	int64_t bias;

	rk_elf_for_each_reloc(s, r) {
		rk_err_free(arch->pc_bias(s, r, &bias));
		sum += arch->is_branch_reloc(s, r);
	}
	for (size_t i = 0; i < s->nr_symbols; i++)
		sum += arch->has_fentry(s, s->symbols[i]->value, s->symbols[i]->size);
	(void)sum;
}

static struct rk_elf *read_and_check(const uint8_t *data, size_t size)
{
	struct rk_elf *elf = NULL;
	_cleanup_err_ struct rk_err *err =
		rk_elf_open_memory("input", data, size, RK_ELF_LOAD_ALL, &elf);
	const struct rk_arch *arch;

	if (err)
		return NULL;
	if (elfcheck(elf))
		abort();
	arch = rk_arch_for(elf->machine);
	if (arch) {
		rk_elf_for_each_section(elf, s) {
			if (s->type != SHT_RELA)
				ask_arch(arch, s);
		}
	}
	return elf;
}

static bool is_writable(const struct rk_elf *elf)
{
	rk_elf_for_each_section(elf, s) {
		if (s->align > ALIGN_MAX)
			return false;
	}
	return elf->type == ET_REL;
}

/* NULL if something in it can't be said by the writer; what the writer calls invalid must not come up. */
static void *rewrite(struct rk_elf *elf, size_t *ret_size)
{
	void *image = NULL;
	_cleanup_err_ struct rk_err *err = elfcheck_rewrite(elf, &image, ret_size);

	if (err && rk_err_code(err) == RK_ERR_INVALID)
		abort();
	return err ? NULL : image;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_elf_ struct rk_elf *elf = read_and_check(data, size), *again = NULL;
	_cleanup_free_ void *first = NULL, *second = NULL;
	size_t first_size = 0, second_size = 0;

	if (!elf || !is_writable(elf))
		return 0;
	first = rewrite(elf, &first_size);
	if (!first)
		return 0;
	again = read_and_check(first, first_size);
	if (!again)
		abort();
	second = rewrite(again, &second_size);
	if (!second || first_size != second_size || memcmp(first, second, first_size) != 0)
		abort();
	return 0;
}
