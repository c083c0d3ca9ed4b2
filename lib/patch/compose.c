/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From image to file: pieces of one name become one section, since the kernel's loader takes the first of a name and ignores the
 * others (kernel/module/main.c, find_sec); relocations to livepatch symbols go to .klp.rela sections, all others to
 * ordinary ones (kernel: Documentation/livepatch/module-elf-format.rst, kernel/livepatch/core.c klp_resolve_symbols).
 */
#include <elf.h>

#include "lib/arch/arch.h"
#include "lib/base/str.h"
#include "lib/elf/write.h"
#include "lib/patch/internal.h"

/* Several pieces of one name. */
struct group {
	const char *name;
	uint32_t type;
	uint64_t flags, align, entsize, size;
	rk_vec(const struct rk_plan_section *) pieces;
	struct rk_out_section *out, *rela;
};

/* Where a piece went. */
struct place {
	struct group *group;
	uint64_t base;
};

struct composer {
	const struct rk_image *image;
	const struct rk_arch *arch;
	struct rk_elf_writer *writer;
	struct rk_arena arena;
	rk_vec(struct group *) groups;
	struct rk_map by_name;	 /* section name -> struct group * */
	struct rk_map places;	 /* struct rk_plan_section * -> struct place * */
	struct rk_map defined;	 /* struct rk_plan_symbol * -> struct rk_out_symbol * */
	struct rk_map undefined; /* name -> struct rk_out_symbol *: imports and .klp.sym */
	struct rk_map klp_relas; /* name -> struct rk_out_section * */
};

static void composer_deinit(struct composer *c)
{
	rk_vec_for_each(&c->groups, group)
		rk_vec_deinit(&(*group)->pieces);
	rk_vec_deinit(&c->groups);
	rk_map_deinit(&c->by_name);
	rk_map_deinit(&c->places);
	rk_map_deinit(&c->defined);
	rk_map_deinit(&c->undefined);
	rk_map_deinit(&c->klp_relas);
	rk_elf_writer_destroy(c->writer);
	rk_arena_deinit(&c->arena);
}

/* The bytes of one entry of the array name, as this row of the table has it; 0 if it is about another one. */
static uint32_t entry_size(const struct rk_special *special, const char *name)
{
	if (rk_streq(special->name, name))
		return special->entry_size;
	return special->parallel && rk_streq(special->parallel, name) ? special->parallel_size : 0;
}

/* Is name an array of entries that the kernel walks, so that padding would be read as one? */
static bool is_array(const struct composer *c, const char *name)
{
	for (const struct rk_special *s = c->arch->specials; s->name; s++)
		if (entry_size(s, name))
			return true;
	return false;
}

static struct rk_err *check_array(const struct composer *c, const struct rk_plan_section *piece)
{
	uint32_t size = 0;

	for (const struct rk_special *s = c->arch->specials; s->name; s++) {
		uint32_t entry = entry_size(s, piece->name);
		if (entry && piece->size % entry == 0)
			return NULL;
		size = size ? size : entry;
	}
	if (!size)
		return NULL;
	return rk_err(RK_ERR_FORMAT,
		      "the size of section '%s' is no multiple of its entries' %u bytes",
		      piece->name, size);
}

static struct rk_err *get_group(struct composer *c, const struct rk_plan_section *piece,
				struct group **ret)
{
	struct group *group = rk_map_get(&c->by_name, piece->name);

	if (!group) {
		group = rk_arena_new(&c->arena, struct group);
		if (!group || !rk_map_set(&c->by_name, piece->name, group) ||
		    !rk_vec_push(&c->groups, group))
			return rk_err_nomem();
		group->name = piece->name;
		group->type = piece->type;
		group->flags = piece->flags;
		group->entsize = piece->entsize;
		group->align = 1;
	}
	*ret = group;
	return NULL;
}

/* What the loader decides by: where the section goes and how it is protected. */
#define LOADED_FLAGS (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR)

static struct rk_err *join(struct composer *c, struct group *group,
			   const struct rk_plan_section *piece)
{
	if ((group->flags ^ piece->flags) & LOADED_FLAGS)
		return rk_err(RK_ERR_INVALID, "two sections '%s' have different flags",
			      piece->name);
	if (group->entsize != piece->entsize || group->flags != piece->flags) {
		group->flags &= LOADED_FLAGS;
		group->entsize = 0;
	}
	if (piece->type != SHT_NOBITS && group->type == SHT_NOBITS)
		group->type = piece->type;
	return NULL;
}

static struct rk_err *check_piece(struct composer *c, const struct rk_plan_section *piece)
{
	if (piece->align & (piece->align - 1))
		return rk_err(RK_ERR_INVALID, "the alignment of section '%s' is no power of two",
			      piece->name);
	RK_TRY(check_array(c, piece));
	if (piece->type != SHT_NOBITS && piece->size && !piece->data)
		return rk_err(RK_ERR_INVALID, "section '%s' has no content", piece->name);
	if (piece->type == SHT_NOBITS && piece->relocs.nr)
		return rk_err(RK_ERR_INVALID, "section '%s' has relocations but no content",
			      piece->name);
	return NULL;
}

static struct rk_err *add_piece(struct composer *c, const struct rk_plan_section *piece)
{
	struct group *group;
	uint64_t align = piece->align ? piece->align : 1;

	RK_TRY(check_piece(c, piece));
	RK_TRY(get_group(c, piece, &group));
	RK_TRY(join(c, group, piece));
	uint64_t base = (group->size + align - 1) & ~(align - 1);
	if (base != group->size && is_array(c, piece->name))
		return rk_err(RK_ERR_FORMAT,
			      "the alignment of section '%s' would tear its entries apart",
			      piece->name);
	if (base < group->size || __builtin_add_overflow(base, piece->size, &group->size) ||
	    group->size > RK_MODULE_SIZE_MAX)
		return rk_err(RK_ERR_LIMIT, "section '%s' is larger than %u bytes", piece->name,
			      RK_MODULE_SIZE_MAX);
	if (align > group->align)
		group->align = align;
	struct place *place = rk_arena_new(&c->arena, struct place);
	if (!place)
		return rk_err_nomem();
	*place = (struct place){.group = group, .base = base};
	if (!rk_map_set_ptr(&c->places, piece, place) || !rk_vec_push(&group->pieces, piece))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *write_group(struct composer *c, struct group *group)
{
	const uint8_t *data = NULL;

	if (group->type != SHT_NOBITS && group->pieces.nr == 1) {
		data = group->pieces.v[0]->data;
	} else if (group->type != SHT_NOBITS) {
		uint8_t *joined = rk_arena_alloc(&c->arena, group->size);
		if (!joined)
			return rk_err_nomem();
		rk_vec_for_each(&group->pieces, piece) {
			const struct place *place = rk_map_get_ptr(&c->places, *piece);
			if ((*piece)->data)
				memcpy(joined + place->base, (*piece)->data, (*piece)->size);
		}
		data = joined;
	}
	return rk_elf_writer_section(c->writer, group->name, group->type, group->flags,
				     group->align, group->entsize, data, group->size, &group->out);
}

/* All local: nothing outside the module refers to them, and two units may use one name. */
static struct rk_err *add_defined(struct composer *c, const struct rk_plan_symbol *symbol,
				  struct rk_out_symbol **ret)
{
	struct rk_out_symbol *out = rk_map_get_ptr(&c->defined, symbol);

	if (!out) {
		const struct place *place = rk_map_get_ptr(&c->places, symbol->section);
		if (!place || symbol->value > symbol->section->size)
			return rk_err(RK_ERR_INVALID,
				      "symbol '%s' isn't in any section of the plan", symbol->name);
		if (symbol->type == STT_SECTION)
			RK_TRY(rk_elf_writer_section_symbol(c->writer, place->group->out, &out));
		else
			RK_TRY(rk_elf_writer_symbol(c->writer, symbol->name, place->group->out, 0,
						    place->base + symbol->value, symbol->size,
						    STB_LOCAL, symbol->type, &out));
		if (!rk_map_set_ptr(&c->defined, symbol, out))
			return rk_err_nomem();
	}
	*ret = out;
	return NULL;
}

static struct rk_err *klp_name(struct composer *c, const struct rk_plan_symbol *symbol, char **ret)
{
	size_t len = strlen(symbol->name);

	RK_TRY(rk_check_object_name(symbol->object));
	/* The kernel scans ".klp.sym.%55[^.].%511[^,],%lu". */
	if (!len || len > c->image->hook->layout.symbol_name_max || strchr(symbol->name, ','))
		return rk_err(RK_ERR_LIMIT, "livepatch can't look up the symbol name '%s'",
			      symbol->name);
	*ret = rk_arena_printf(&c->arena, ".klp.sym.%s.%s,%u", symbol->object, symbol->name,
			       symbol->sympos);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *add_undefined(struct composer *c, const struct rk_plan_symbol *symbol,
				    struct rk_out_symbol **ret)
{
	bool is_klp = symbol->kind == RK_PLAN_KLP;
	char *full = NULL;
	if (is_klp)
		RK_TRY(klp_name(c, symbol, &full));
	const char *name = is_klp ? full : symbol->name;
	struct rk_out_symbol *out = rk_map_get(&c->undefined, name);

	if (!out) {
		RK_TRY(rk_elf_writer_symbol(c->writer, name, NULL,
					    is_klp ? RK_SHN_LIVEPATCH : SHN_UNDEF, 0, 0, STB_GLOBAL,
					    is_klp ? symbol->type : STT_NOTYPE, &out));
		if (!rk_map_set(&c->undefined, name, out))
			return rk_err_nomem();
	}
	*ret = out;
	return NULL;
}

/*
 * Module-specific relocations are applied only when that module is there, long after alternatives, static calls and jump labels
 * were set up from these sections.
 */
static bool is_used_at_load(const struct composer *c, const char *name)
{
	return is_array(c, name) || rk_has_prefix(name, ".altinstr");
}

static struct rk_err *get_klp_rela(struct composer *c, const struct rk_plan_section *piece,
				   struct group *group, const struct rk_plan_symbol *symbol,
				   struct rk_out_section **ret)
{
	bool is_vmlinux = rk_streq(symbol->object, "vmlinux");
	const char *object = is_vmlinux ? "vmlinux" : piece->object;

	if (!is_vmlinux && rk_streq(object, "vmlinux"))
		return rk_err(
			RK_ERR_INVALID,
			"section '%s' of vmlinux refers to '%s' of module '%s', which may not be loaded",
			piece->name, symbol->name, symbol->object);
	if (!is_vmlinux && is_used_at_load(c, piece->name))
		return rk_err(
			RK_ERR_UNSUPPORTED,
			"section '%s' refers to '%s' of module '%s', but is used before that is known",
			piece->name, symbol->name, symbol->object);
	char *name = rk_arena_printf(&c->arena, ".klp.rela.%s.%s", object, piece->name);
	if (!name)
		return rk_err_nomem();
	struct rk_out_section *rela = rk_map_get(&c->klp_relas, name);
	if (!rela) {
		RK_TRY(rk_elf_writer_rela(c->writer, name, group->out,
					  SHF_ALLOC | RK_SHF_RELA_LIVEPATCH, &rela));
		if (!rk_map_set(&c->klp_relas, name, rela))
			return rk_err_nomem();
	}
	*ret = rela;
	return NULL;
}

static struct rk_err *get_rela(struct composer *c, struct group *group, struct rk_out_section **ret)
{
	if (!group->rela) {
		char *name = rk_arena_printf(&c->arena, ".rela%s", group->name);
		if (!name)
			return rk_err_nomem();
		RK_TRY(rk_elf_writer_rela(c->writer, name, group->out, 0, &group->rela));
	}
	*ret = group->rela;
	return NULL;
}

/* x86's apply_relocate_add refuses a field that isn't zero ("existing value is nonzero"). */
static struct rk_err *check_reloc(struct composer *c, const struct rk_plan_section *piece,
				  const struct rk_plan_reloc *reloc)
{
	const struct rk_reloc_kind *kind = c->arch->reloc_kind(reloc->type);

	if (!kind || !kind->in_kernel)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "section '%s': the kernel's loader can't do relocation type %s (%u)",
			      piece->name, kind ? kind->name : "unknown", reloc->type);
	if (reloc->offset > piece->size || kind->size > piece->size - reloc->offset)
		return rk_err(RK_ERR_INVALID, "section '%s': relocation at 0x%llx is outside",
			      piece->name, (unsigned long long)reloc->offset);
	for (unsigned int i = 0; i < kind->size; i++) {
		if (piece->data[reloc->offset + i])
			return rk_err(RK_ERR_INVALID,
				      "section '%s': the relocated field at 0x%llx isn't zero",
				      piece->name, (unsigned long long)reloc->offset);
	}
	return NULL;
}

static struct rk_err *add_reloc(struct composer *c, const struct rk_plan_section *piece,
				const struct place *place, const struct rk_plan_reloc *reloc)
{
	const struct rk_plan_symbol *symbol =
		reloc->symbol->kind == RK_PLAN_HOOK ? c->image->patch : reloc->symbol;
	struct rk_out_section *rela;
	struct rk_out_symbol *out;
	int64_t addend = reloc->addend;

	RK_TRY(check_reloc(c, piece, reloc));
	if (symbol->kind == RK_PLAN_KLP)
		RK_TRY(get_klp_rela(c, piece, place->group, symbol, &rela));
	else
		RK_TRY(get_rela(c, place->group, &rela));
	if (symbol->kind == RK_PLAN_DEFINED) {
		RK_TRY(add_defined(c, symbol, &out));
		/* The one section symbol stands for the whole merged section. */
		if (symbol->type == STT_SECTION) {
			const struct place *to = rk_map_get_ptr(&c->places, symbol->section);
			addend += to->base + symbol->value;
		}
	} else {
		RK_TRY(add_undefined(c, symbol, &out));
	}
	return rk_elf_writer_reloc(rela, place->base + reloc->offset, reloc->type, out, addend);
}

static struct rk_err *compose(struct composer *c)
{
	rk_vec_for_each(&c->image->sections, piece)
		RK_TRY(add_piece(c, *piece));
	rk_vec_for_each(&c->groups, group)
		RK_TRY(write_group(c, *group));
	rk_vec_for_each(&c->image->symbols, symbol) {
		struct rk_out_symbol *out;
		RK_TRY(add_defined(c, *symbol, &out));
	}
	rk_vec_for_each(&c->groups, group) {
		rk_vec_for_each(&(*group)->pieces, piece) {
			const struct place *place = rk_map_get_ptr(&c->places, *piece);
			rk_vec_for_each(&(*piece)->relocs, reloc)
				RK_TRY(add_reloc(c, *piece, place, reloc));
		}
	}
	return NULL;
}

struct rk_err *rk_image_write(const struct rk_image *image, void **ret, size_t *ret_size)
{
	_cleanup_(composer_deinit) struct composer c = {.image = image};
	uint16_t machine = image->hook->elf->machine;

	c.arch = rk_arch_for(machine);
	if (!c.arch)
		return rk_err(RK_ERR_UNSUPPORTED, "can't write modules for machine %u", machine);
	RK_TRY(rk_elf_writer_create(machine, &c.writer));
	RK_TRY(compose(&c));
	return rk_elf_writer_finish(c.writer, ret, ret_size);
}
