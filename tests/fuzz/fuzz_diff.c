/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The diff of any two objects: an error, or a result that keeps its promises. The input is the size of the first object (4
 * bytes, little-endian), that object, then the other one; one that is too short for that is compared with itself.
 */
#include <string.h>

#include "lib/diff/diff.h"
#include "tests/fuzz/fuzz.h"

#define PREFIX 4

static void check_spans(const struct rk_spans *spans)
{
	rk_spans_for_each(spans, span) {
		if (span->offset > span->section->size ||
		    span->size > span->section->size - span->offset)
			abort();
		for (size_t i = 0; i < span->nr_refs; i++)
			if (span->refs[i].offset >= span->size ||
			    (i && span->refs[i].offset < span->refs[i - 1].offset))
				abort();
		if (span->twin && (span->twin->twin != span || span->twin->kind != span->kind))
			abort();
	}
}

/* What is to be redirected must be there, with its old self; nothing included may be about a place outside. */
static void check_diff(const struct rk_diff *diff)
{
	check_spans(diff->orig);
	check_spans(diff->patched);
	rk_vec_for_each(&diff->functions, it)
		if ((*it)->kind != RK_SPAN_FUNC || !(*it)->twin || !(*it)->is_included)
			abort();
	rk_vec_for_each(&diff->included, it)
		if (!(*it)->is_included)
			abort();
}

static struct rk_elf *open_object(const uint8_t *data, size_t size)
{
	struct rk_elf *elf = NULL;

	rk_err_free(rk_elf_open_memory("input", data, size, RK_ELF_LOAD_ALL, &elf));
	return elf;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first = 0;

	if (size < PREFIX)
		return 0;
	for (int i = 0; i < PREFIX; i++)
		first |= (size_t)data[i] << (8 * i);
	data += PREFIX;
	size -= PREFIX;
	_cleanup_elf_ struct rk_elf *orig = open_object(data, first < size ? first : size);
	_cleanup_elf_ struct rk_elf *patched =
		first < size ? open_object(data + first, size - first) : open_object(data, size);
	struct rk_diff *diff = NULL;

	if (!orig || !patched)
		return 0;
	rk_err_free(rk_diff_create("unit.c", "vmlinux", orig, patched, &diff));
	if (!diff)
		return 0;
	check_diff(diff);
	_cleanup_free_ char *dump = NULL;
	rk_err_free(rk_diff_dump(diff, &dump));
	if (!dump || strncmp(dump, "unit ", strlen("unit ")) != 0)
		abort();
	rk_diff_free(diff);
	return 0;
}
