/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the hook objects of hookmake.h with the ELF writer. */
#include "tests/unit/hookmake.h"

#include <elf.h>

#include "lib/base/fs.h"
#include "lib/elf/write.h"
#include "tests/unit/tap.h"

const struct rk_hook_layout hookmake_layout = {
	.magic = RK_HOOK_LAYOUT_MAGIC,
	.version = RK_HOOK_LAYOUT_VERSION,
	.size = sizeof(struct rk_hook_layout),
	.func_size = 48,
	.func_old_name = 8,
	.func_new_func = 0,
	.func_old_sympos = 24,
	.object_size = 56,
	.object_name = 16,
	.object_funcs = 8,
	.object_pre_patch = 32,
	.object_post_patch = 48,
	.object_pre_unpatch = 40,
	.object_post_unpatch = 24,
	.patch_size = 64,
	.patch_replace = 40,
	.patch_states = 48,
	.state_size = 40,
	.state_id = 16,
	.state_version = 8,
	.module_size = 128,
	.module_name = 16,
	.module_name_size = 56,
	.symbol_name_max = 511,
	.version_entry_size = 64,
};

static const char modinfo[] = "license=GPL\0livepatch=Y\0vermagic=6.1.0-test SMP ";

struct maker {
	struct rk_elf_writer *w;
	struct rk_out_section *text, *mcount, *returns, *module, *patch;
	struct rk_out_symbol *text_symbol;
};

static struct rk_out_section *section(struct maker *m, const char *name, uint64_t flags,
				      uint64_t align, uint64_t entsize, const void *data,
				      uint64_t size)
{
	static const uint8_t zeros[256];
	struct rk_out_section *out;

	must(rk_elf_writer_section(m->w, name, SHT_PROGBITS, flags, align, entsize,
				   data ? data : zeros, size, &out));
	return out;
}

static struct rk_out_symbol *symbol(struct maker *m, const char *name, struct rk_out_section *where,
				    uint64_t size, uint8_t bind, uint8_t type)
{
	struct rk_out_symbol *out;

	must(rk_elf_writer_symbol(m->w, name, where, where ? 0 : SHN_UNDEF, 0, size, bind, type,
				  &out));
	return out;
}

static void add_sections(struct maker *m, const struct rk_hook_layout *layout)
{
	m->text = section(m, ".text.init_module", SHF_ALLOC | SHF_EXECINSTR, 16, 0, NULL, 10);
	m->mcount = section(m, "__mcount_loc", SHF_ALLOC, 1, 0, NULL, 8);
	m->returns = section(m, ".return_sites", SHF_ALLOC, 1, 4, NULL, 4);
	section(m, ".modinfo", SHF_ALLOC, 1, 0, modinfo, sizeof(modinfo));
	m->module =
		section(m, ".gnu.linkonce.this_module", SHF_ALLOC | SHF_WRITE, 64, 0, NULL, 128);
	m->patch = section(m, ".data.rk_patch", SHF_ALLOC | SHF_WRITE, 32, 0, NULL, 64);
	section(m, RK_HOOK_LAYOUT_SECTION, SHF_ALLOC, 4, 0, layout, sizeof(*layout));
	section(m, ".comment", 0, 1, 0, "compiler", 9);
}

static void add_relocs(struct maker *m)
{
	struct rk_out_section *rela;
	struct rk_out_symbol *init = symbol(m, "init_module", m->text, 10, STB_GLOBAL, STT_FUNC);
	struct rk_out_symbol *objects = symbol(m, RK_HOOK_OBJECTS, NULL, 0, STB_GLOBAL, STT_NOTYPE);
	struct rk_out_symbol *enable =
		symbol(m, "klp_enable_patch", NULL, 0, STB_GLOBAL, STT_NOTYPE);

	symbol(m, RK_HOOK_PATCH, m->patch, 64, STB_LOCAL, STT_OBJECT);
	symbol(m, "__this_module", m->module, 128, STB_GLOBAL, STT_OBJECT);
	must(rk_elf_writer_section_symbol(m->w, m->text, &m->text_symbol));
	must(rk_elf_writer_rela(m->w, ".rela.text.init_module", m->text, 0, &rela));
	must(rk_elf_writer_reloc(rela, 1, R_X86_64_PLT32, enable, -4));
	must(rk_elf_writer_rela(m->w, ".rela__mcount_loc", m->mcount, 0, &rela));
	must(rk_elf_writer_reloc(rela, 0, R_X86_64_64, m->text_symbol, 0));
	must(rk_elf_writer_rela(m->w, ".rela.return_sites", m->returns, 0, &rela));
	must(rk_elf_writer_reloc(rela, 0, R_X86_64_PC32, m->text_symbol, 5));
	must(rk_elf_writer_rela(m->w, ".rela.gnu.linkonce.this_module", m->module, 0, &rela));
	must(rk_elf_writer_reloc(rela, 104, R_X86_64_64, init, 0));
	must(rk_elf_writer_rela(m->w, ".rela.data.rk_patch", m->patch, 0, &rela));
	must(rk_elf_writer_reloc(rela, 8, R_X86_64_64, objects, 0));
}

void hookmake_write(const char *path, const struct rk_hook_layout *layout)
{
	struct maker m = {};
	_cleanup_free_ void *file = NULL;
	size_t size;

	must(rk_elf_writer_create(EM_X86_64, &m.w));
	add_sections(&m, layout);
	add_relocs(&m);
	must(rk_elf_writer_finish(m.w, &file, &size));
	rk_elf_writer_destroy(m.w);
	must(rk_fs_write(path, file, size, 0644));
}

void hookmake_write_clear(const char *path)
{
	struct maker m = {};
	struct rk_out_section *rela;
	_cleanup_free_ void *file = NULL;
	size_t size;

	must(rk_elf_writer_create(EM_X86_64, &m.w));
	m.text = section(&m, ".text.rk_clear_relocs", SHF_ALLOC | SHF_EXECINSTR, 16, 0, NULL, 24);
	symbol(&m, RK_HOOK_CLEAR, m.text, 16, STB_GLOBAL, STT_FUNC);
	must(rk_elf_writer_symbol(m.w, RK_HOOK_CLEAR_PRE_PATCH, m.text, 0, 16, 8, STB_GLOBAL,
				  STT_FUNC, &(struct rk_out_symbol *){NULL}));
	struct rk_out_symbol *chained =
		symbol(&m, RK_HOOK_CHAINED, NULL, 0, STB_GLOBAL, STT_NOTYPE);
	struct rk_out_symbol *entries =
		symbol(&m, RK_HOOK_CLEAR_ENTRIES, NULL, 0, STB_GLOBAL, STT_NOTYPE);
	struct rk_out_symbol *poke = symbol(&m, "text_poke", NULL, 0, STB_GLOBAL, STT_NOTYPE);
	must(rk_elf_writer_rela(m.w, ".rela.text.rk_clear_relocs", m.text, 0, &rela));
	must(rk_elf_writer_reloc(rela, 0, R_X86_64_32S, entries, 0));
	must(rk_elf_writer_reloc(rela, 8, R_X86_64_PLT32, poke, -4));
	must(rk_elf_writer_reloc(rela, 16, R_X86_64_32S, chained, 0));
	must(rk_elf_writer_finish(m.w, &file, &size));
	rk_elf_writer_destroy(m.w);
	must(rk_fs_write(path, file, size, 0644));
}
