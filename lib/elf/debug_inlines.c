/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The linker keeps each name once in .debug_str, so that a function's entries are where the four bytes of that offset are in .debug_info,
 * right behind the number of an abbreviation. A hit that isn't an entry is told by what libdw makes of it.
 */
#include "lib/elf/debug_inlines.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/elf/debug_internal.h"

/* Containers nest: functions in blocks in functions. */
#define WALK_DEPTH_MAX 256

struct bytes {
	const uint8_t *data;
	size_t size;
};

struct rk_debug_inlines {
	int fd;
	Elf *elf;
	Dwarf *dwarf;
	struct bytes info, str;
};

static struct bytes find_section(Elf *elf, const char *name)
{
	size_t names;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return (struct bytes){};
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr header;
		if (!gelf_getshdr(scn, &header) || (header.sh_flags & SHF_COMPRESSED))
			continue;
		const char *own = elf_strptr(elf, names, header.sh_name);
		Elf_Data *data = own && rk_streq(own, name) ? elf_rawdata(scn, NULL) : NULL;
		if (data && data->d_buf)
			return (struct bytes){data->d_buf, data->d_size};
	}
	return (struct bytes){};
}

struct rk_err *rk_debug_inlines_open(const char *path, struct rk_debug_inlines **ret)
{
	struct rk_debug_inlines *out = calloc(1, sizeof(*out));
	if (!out)
		return rk_err_nomem();
	elf_version(EV_CURRENT);
	out->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (out->fd < 0) {
		struct rk_err *err = rk_err_sys(errno, "cannot open '%s'", path);
		free(out);
		return err;
	}
	out->elf = elf_begin(out->fd, ELF_C_READ_MMAP, NULL);
	if (!out->elf || elf_kind(out->elf) != ELF_K_ELF) {
		rk_debug_inlines_close(out);
		return rk_err(RK_ERR_FORMAT, "'%s': not an ELF file", path);
	}
	out->info = find_section(out->elf, ".debug_info");
	out->str = find_section(out->elf, ".debug_str");
	if (out->info.data)
		out->dwarf = dwarf_begin_elf(out->elf, DWARF_C_READ, NULL);
	*ret = out;
	return NULL;
}

void rk_debug_inlines_close(struct rk_debug_inlines *inlines)
{
	if (!inlines)
		return;
	if (inlines->dwarf)
		dwarf_end(inlines->dwarf);
	if (inlines->elf)
		elf_end(inlines->elf);
	close(inlines->fd);
	free(inlines);
}

bool rk_debug_inlines_is_known(const struct rk_debug_inlines *inlines)
{
	return inlines->dwarf != NULL;
}

struct search {
	struct rk_debug_inlines *in;
	const char *function, *file;
	rk_debug_unit_fn fn;
	void *ctx;
	struct rk_debug_containers *out;
	/* of the unit that is looked into */
	const char *unit;
	Dwarf_Off origin;
};

static bool is_declared_in(Dwarf_Die *die, const char *file)
{
	const char *path = dwarf_decl_file(die);

	return path && rk_is_path_of(path, file);
}

static bool has_origin(Dwarf_Die *die, Dwarf_Off origin)
{
	Dwarf_Attribute attr;
	Dwarf_Die from;
	return dwarf_attr(die, DW_AT_abstract_origin, &attr) && dwarf_formref_die(&attr, &from) &&
	       dwarf_dieoffset(&from) == origin;
}

static bool contains(struct search *s, Dwarf_Die *die, int depth)
{
	Dwarf_Die child;
	if (depth > WALK_DEPTH_MAX || dwarf_child(die, &child) != 0)
		return false;
	do {
		int tag = dwarf_tag(&child);
		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block)
			continue;
		if (tag == DW_TAG_inlined_subroutine && has_origin(&child, s->origin))
			return true;
		if (contains(s, &child, depth + 1))
			return true;
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* The first byte of code, also of a function in several pieces. */
static uint64_t first_address(Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;
	if (dwarf_lowpc(die, &start) == 0)
		return start;
	return dwarf_ranges(die, 0, &base, &start, &end) > 0 ? start : 0;
}

static const char *section_of(Elf *elf, uint64_t address)
{
	size_t names;
	if (!address || elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr header;
		if (gelf_getshdr(scn, &header) && (header.sh_flags & SHF_ALLOC) &&
		    address >= header.sh_addr && address - header.sh_addr < header.sh_size)
			return elf_strptr(elf, names, header.sh_name);
	}
	return NULL;
}

static struct rk_err *add_container(struct search *s, const char *function, uint64_t address)
{
	struct rk_debug_container container = {
		.unit = rk_arena_strdup(&s->out->arena, s->unit),
		.function = function ? rk_arena_strdup(&s->out->arena, function) : NULL,
		.address = address,
		.section = section_of(s->in->elf, address),
	};
	return container.unit && (!function || container.function) &&
			       rk_vec_push(&s->out->list, container)
		       ? NULL
		       : rk_err_nomem();
}

static struct rk_err *look_into(struct search *s, Dwarf_Die *cu)
{
	size_t before = s->out->list.nr;
	Dwarf_Attribute attr;
	Dwarf_Die die;

	if (dwarf_child(cu, &die) != 0)
		return NULL;
	do {
		if (dwarf_tag(&die) != DW_TAG_subprogram || dwarf_hasattr(&die, DW_AT_inline) ||
		    (!has_origin(&die, s->origin) && !contains(s, &die, 0)))
			continue;
		const char *name = dwarf_attr_integrate(&die, DW_AT_name, &attr)
					   ? dwarf_formstring(&attr)
					   : NULL;
		RK_TRY(add_container(s, name, first_address(&die)));
	} while (dwarf_siblingof(&die, &die) == 0);
	/* no instruction is its own: a cast (tcp_sk() of 6.1), or all of it was folded into something else */
	return s->out->list.nr > before ? NULL : add_container(s, NULL, 0);
}

/* Is there an entry of the function at this place? Then its unit is looked into. */
static struct rk_err *try_entry(struct search *s, Dwarf_Off offset)
{
	Dwarf_Die die, cu;
	if (!dwarf_offdie(s->in->dwarf, offset, &die) || dwarf_tag(&die) != DW_TAG_subprogram ||
	    dwarf_hasattr(&die, DW_AT_declaration))
		return NULL;
	const char *name = dwarf_diename(&die);
	if (!name || !rk_streq(name, s->function) || !is_declared_in(&die, s->file) ||
	    !dwarf_diecu(&die, &cu, NULL, NULL))
		return NULL;
	s->unit = dwarf_diename(&cu);
	s->origin = offset;
	if (!s->unit || !s->fn(s->ctx, s->unit))
		return NULL;
	/* nowhere inlined, but compiled as it stands */
	if (!dwarf_hasattr(&die, DW_AT_inline))
		return add_container(s, name, first_address(&die));
	return look_into(s, &cu);
}

/* Entries whose name is written as these bytes. */
static struct rk_err *try_bytes(struct search *s, const void *bytes, size_t size)
{
	const uint8_t *from = s->in->info.data, *end = from + s->in->info.size;

	while (from < end) {
		const uint8_t *at = memmem(from, (size_t)(end - from), bytes, size);
		if (!at)
			return NULL;
		Dwarf_Off offset = (Dwarf_Off)(at - s->in->info.data);
		/* the number of the abbreviation has one byte or two */
		for (Dwarf_Off back = 1; back <= 2 && back <= offset; back++)
			RK_TRY(try_entry(s, offset - back));
		from = at + 1;
	}
	return NULL;
}

struct rk_err *rk_debug_inlines_find(struct rk_debug_inlines *inlines, const char *function,
				     const char *file, rk_debug_unit_fn fn, void *ctx,
				     struct rk_debug_containers *ret)
{
	struct search s = {.in = inlines,
			   .function = function,
			   .file = file,
			   .fn = fn,
			   .ctx = ctx,
			   .out = ret};
	size_t size = strlen(function) + 1;
	const uint8_t *from = inlines->str.data, *end = from ? from + inlines->str.size : NULL;

	if (!inlines->dwarf || size == 1)
		return NULL;
	/* a name that is no longer than its offset would be stands in the entry itself */
	if (size <= sizeof(uint32_t))
		RK_TRY(try_bytes(&s, function, size));
	while (from && from < end) {
		const uint8_t *at = memmem(from, (size_t)(end - from), function, size);
		if (!at || (size_t)(at - inlines->str.data) > UINT32_MAX)
			break;
		uint32_t offset = (uint32_t)(at - inlines->str.data);
		RK_TRY(try_bytes(&s, &offset, sizeof(offset)));
		from = at + 1;
	}
	return NULL;
}

void rk_debug_containers_deinit(struct rk_debug_containers *containers)
{
	rk_vec_deinit(&containers->list);
	rk_arena_deinit(&containers->arena);
}
