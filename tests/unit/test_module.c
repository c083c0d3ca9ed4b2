/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module writer: plans made by hand and a hook made by hand become modules, which are read back and held against what the
 * kernel's loader and livepatch expect of them. Whether a kernel takes such a module the VM tests show.
 */
#include <arpa/inet.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/patch/internal.h"
#include "lib/patch/sign_internal.h"
#include "tests/unit/hookmake.h"
#include "tests/unit/tap.h"

static const char manifest[] =
	"{\"schema\": \"readykernel-manifest/1\", \"name\": \"kpatch_t\", \"level\": 1, \"model\": \"hybrid\", "
	"\"replace\": true, \"tool_version\": \"0\", \"target\": {\"id\": \"t\", \"release\": \"6.1.0-test\"}, "
	"\"fixes\": [], \"objects\": [], \"functions\": [], \"units\": [], \"findings\": []}\n";

static const struct rk_export exports[] = {
	{.name = "module_layout", .crc = 0x11, .object = "vmlinux", .ns = ""},
	{.name = "klp_enable_patch", .crc = 0x22, .object = "vmlinux", .ns = ""},
};

/* A kernel: how many of exports it has, and which symbols livepatch finds in it. */
struct kernel {
	size_t nr_exports;
	bool has_clear, has_poke;
};

static const struct rk_export *find(void *ctx, const char *name)
{
	const struct kernel *kernel = ctx;

	for (size_t i = 0; i < kernel->nr_exports; i++) {
		if (rk_streq(exports[i].name, name))
			return &exports[i];
	}
	return NULL;
}

static struct rk_err *locate(void *ctx, const char *name, uint32_t *ret_sympos)
{
	const struct kernel *kernel = ctx;

	*ret_sympos = 0;
	if (kernel->has_clear && rk_streq(name, "clear_relocate_add"))
		*ret_sympos = 1;
	if (kernel->has_poke && rk_streq(name, "text_poke"))
		*ret_sympos = 2;
	if (rk_streq(name, "text_poke_sync") || rk_streq(name, "text_mutex"))
		*ret_sympos = 1;
	return NULL;
}

static struct kernel kernel_61 = {.nr_exports = ARRAY_SIZE(exports), .has_poke = true};
static const struct rk_export_source source = {.find = find, .locate = locate, .ctx = &kernel_61};

/*
 * A plan with a function of vmlinux and one of module af_key, special sections of both, and references of every kind. Tests
 * change what they need.
 */
struct world {
	struct rk_plan *plan;
	struct rk_plan_section *text, *text_mod, *mcount, *mcount_mod, *bss, *jump;
	struct rk_plan_symbol *func, *func_mod, *var, *sect_mod;
	struct rk_plan_symbol *printk, *sctp_do, *saved, *pfkey, *other_mod;
};

static uint8_t zeros[64];

static struct rk_plan_section *add_section(struct world *w, const char *name, const char *object,
					   uint64_t flags, uint64_t size)
{
	struct rk_plan_section *s = rk_arena_new(&w->plan->arena, struct rk_plan_section);

	*s = (struct rk_plan_section){
		.name = name,
		.object = object,
		.type = SHT_PROGBITS,
		.flags = SHF_ALLOC | flags,
		.align = 1,
		.size = size,
		.data = zeros,
	};
	(void)!rk_vec_push(&w->plan->sections, s);
	return s;
}

static struct rk_plan_symbol *add_symbol(struct world *w, struct rk_plan_symbol symbol)
{
	struct rk_plan_symbol *copy = rk_arena_memdup(&w->plan->arena, &symbol, sizeof(symbol));

	if (symbol.type != STT_SECTION)
		(void)!rk_vec_push(&w->plan->symbols, copy);
	return copy;
}

static void add_reloc(struct rk_plan_section *section, uint64_t offset, uint32_t type,
		      struct rk_plan_symbol *symbol, int64_t addend)
{
	struct rk_plan_reloc reloc = {offset, type, addend, symbol};

	(void)!rk_vec_push(&section->relocs, reloc);
}

static void add_func(struct world *w, const char *object, const char *name, uint32_t sympos,
		     struct rk_plan_symbol *symbol)
{
	struct rk_plan_func func = {
		.object = object,
		.old_name = name,
		.old_sympos = sympos,
		.old_size = 10,
		.new_size = symbol->size,
		.unit = "net/unit.c",
		.new_symbol = symbol,
	};

	(void)!rk_vec_push(&w->plan->funcs, func);
}

static void add_symbols(struct world *w)
{
	w->func = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_DEFINED,
							.name = "show",
							.section = w->text,
							.size = 40,
							.type = STT_FUNC});
	w->func_mod = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_DEFINED,
							    .name = "show",
							    .section = w->text_mod,
							    .value = 4,
							    .size = 20,
							    .type = STT_FUNC});
	w->var = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_DEFINED,
						       .name = "count",
						       .section = w->bss,
						       .size = 4,
						       .type = STT_OBJECT});
	w->sect_mod = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_DEFINED,
							    .name = "",
							    .section = w->text_mod,
							    .type = STT_SECTION});
	w->printk = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_EXPORT,
							  .name = "_printk",
							  .object = "vmlinux",
							  .crc = 0x33,
							  .ns = "NS_A"});
	w->sctp_do = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_EXPORT,
							   .name = "do_it",
							   .object = "helper",
							   .crc = 0x44,
							   .ns = "NS_A"});
	w->saved = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_KLP,
							 .name = "saved",
							 .object = "vmlinux",
							 .sympos = 1,
							 .type = STT_OBJECT});
	w->pfkey = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_KLP,
							 .name = "pfkey_get",
							 .object = "af_key",
							 .sympos = 2,
							 .type = STT_FUNC});
	w->other_mod = add_symbol(w, (struct rk_plan_symbol){.kind = RK_PLAN_KLP,
							     .name = "xfrm_x",
							     .object = "xfrm_user",
							     .sympos = 1});
}

static struct world make_world(void)
{
	struct world w = {.plan = calloc(1, sizeof(*w.plan))};
	struct rk_plan_object vmlinux = {.name = "vmlinux"}, unused = {.name = "aaa"},
			      af_key = {.name = "af_key"};

	w.text = add_section(&w, ".text.show", "vmlinux", SHF_EXECINSTR, 40);
	w.text->align = 16;
	w.text_mod = add_section(&w, ".text.mod_show", "af_key", SHF_EXECINSTR, 24);
	w.mcount = add_section(&w, "__mcount_loc", "vmlinux", 0, 8);
	w.mcount_mod = add_section(&w, "__mcount_loc", "af_key", 0, 8);
	w.jump = add_section(&w, "__jump_table", "vmlinux", SHF_WRITE, 16);
	w.bss = add_section(&w, ".bss.count", "vmlinux", SHF_WRITE, 4);
	w.bss->type = SHT_NOBITS;
	w.bss->data = NULL;
	add_symbols(&w);
	add_reloc(w.text, 1, R_X86_64_PLT32, w.printk, -4);
	add_reloc(w.text, 6, R_X86_64_PC32, w.saved, -4);
	add_reloc(w.text, 12, R_X86_64_PC32, w.var, -4);
	add_reloc(w.text_mod, 1, R_X86_64_PLT32, w.sctp_do, -4);
	add_reloc(w.text_mod, 8, R_X86_64_PLT32, w.pfkey, -4);
	add_reloc(w.text_mod, 12, R_X86_64_PLT32, w.other_mod, -4);
	add_reloc(w.text_mod, 16, R_X86_64_PC32, w.saved, -4);
	add_reloc(w.mcount, 0, R_X86_64_64, w.func, 0);
	add_reloc(w.mcount_mod, 0, R_X86_64_64, w.sect_mod, 4);
	add_reloc(w.jump, 0, R_X86_64_PC32, w.func, 0);
	add_reloc(w.jump, 8, R_X86_64_PC64, w.saved, 0);
	add_func(&w, "vmlinux", "show", 3, w.func);
	add_func(&w, "af_key", "show", 1, w.func_mod);
	(void)!rk_vec_push(&w.plan->objects, vmlinux);
	(void)!rk_vec_push(&w.plan->objects, unused);
	(void)!rk_vec_push(&w.plan->objects, af_key);
	return w;
}

/* Reads a hook with this layout table. */
static struct rk_err *read_hook(const struct rk_hook_layout *layout, struct rk_hook **ret)
{
	_cleanup_free_ char *path = rk_path_join(tap_tmpdir(), "hook.o");
	_cleanup_free_ char *clear = rk_path_join(tap_tmpdir(), "clear.o");

	hookmake_write(path, layout);
	hookmake_write_clear(clear);
	return rk_hook_read(path, clear, ret);
}

static struct rk_hook *make_hook(void)
{
	struct rk_hook *hook;

	if (!no_err(read_hook(&hookmake_layout, &hook), "the hook is read"))
		bail_out("no hook");
	return hook;
}

/* "type symbol+addend" of the relocation at offset; "" if there is none. */
static const char *reloc_text(struct rk_elf *elf, const char *rela, uint64_t offset)
{
	static char text[256];
	struct rk_section *section = rk_elf_section(elf, rela);

	text[0] = '\0';
	if (!section)
		return "no section";
	if (section->type == SHT_RELA)
		rk_err_free(rk_elf_load_relocs(elf, section));
	rk_elf_for_each_reloc(section, r) {
		if (r->offset == offset)
			snprintf(text, sizeof(text), "%u %s%s%+lld", r->type,
				 r->symbol->type == STT_SECTION ? "section " : "",
				 r->symbol->type == STT_SECTION ? r->symbol->section->name
								: r->symbol->name,
				 (long long)r->addend);
	}
	return text;
}

static void check_sections(struct rk_elf *elf)
{
	const struct rk_section *mcount = rk_elf_section(elf, "__mcount_loc");
	const struct rk_section *klp = rk_elf_section(elf, ".klp.rela.vmlinux..text.mod_show");
	const struct rk_section *json = rk_elf_section(elf, RK_MANIFEST_SECTION);
	size_t nr = 0;

	rk_elf_for_each_section(elf, s)
		nr += rk_streq(s->name, "__mcount_loc");
	is_int(nr, 1, "special sections are there once");
	is_int(mcount->size, 24, "and have the entries of plan and hook");
	is_str(reloc_text(elf, "__mcount_loc", 0), "1 show+0", "first entry");
	is_str(reloc_text(elf, "__mcount_loc", 8), "1 section .text.mod_show+4", "second");
	is_str(reloc_text(elf, "__mcount_loc", 16), "1 section .text.init_module+0", "the hook's");
	ok(!rk_elf_section(elf, RK_HOOK_LAYOUT_SECTION) && !rk_elf_section(elf, ".comment"),
	   "what isn't loaded stays out");
	is_int(json->flags, 0, "the manifest is not loaded");
	is_mem(json->data, json->size, manifest, strlen(manifest), "and has the bytes given");
	if (ok(klp != NULL, "livepatch relocations have their own section"))
		is_int(klp->flags, SHF_ALLOC | SHF_INFO_LINK | RK_SHF_RELA_LIVEPATCH,
		       "with the flags livepatch wants");
}

static void check_klp_relocs(struct rk_elf *elf)
{
	is_str(reloc_text(elf, ".klp.rela.vmlinux..text.show", 6), "2 .klp.sym.vmlinux.saved,1-4",
	       "vmlinux code to vmlinux symbol");
	is_str(reloc_text(elf, ".klp.rela.vmlinux..text.mod_show", 16),
	       "2 .klp.sym.vmlinux.saved,1-4", "module code to vmlinux symbol");
	is_str(reloc_text(elf, ".klp.rela.af_key..text.mod_show", 8),
	       "4 .klp.sym.af_key.pfkey_get,2-4", "module code to its own symbol");
	is_str(reloc_text(elf, ".klp.rela.af_key..text.mod_show", 12),
	       "4 .klp.sym.xfrm_user.xfrm_x,1-4", "module code to another module's symbol");
	is_str(reloc_text(elf, ".klp.rela.vmlinux.__jump_table", 8),
	       "24 .klp.sym.vmlinux.saved,1+0", "a special section to vmlinux");
	is_str(reloc_text(elf, ".text.show", 1), "4 _printk-4", "an export is bound by the loader");
	is_str(reloc_text(elf, ".text.show", 6), "", "a livepatch one isn't");
	size_t nr = 0;
	rk_elf_for_each_symbol(elf, s) {
		if (rk_streq(s->name, ".klp.sym.vmlinux.saved,1"))
			nr += s->shndx == RK_SHN_LIVEPATCH && s->bind == STB_GLOBAL;
	}
	is_int(nr, 1, "a livepatch symbol is there once, as SHN_LIVEPATCH");
}

static const char *string_at(struct rk_elf *elf, const char *section, uint64_t offset)
{
	const struct rk_section *strings = rk_elf_section(elf, ".readykernel.strings");
	const struct rk_reloc *r = rk_section_reloc_from(rk_elf_section(elf, section), offset);

	return r && r->offset == offset ? (const char *)strings->data + r->addend : NULL;
}

static void check_arrays(struct rk_elf *elf)
{
	const struct rk_hook_layout *l = &hookmake_layout;
	const struct rk_section *objects = rk_elf_section(elf, ".readykernel.objects");
	const struct rk_section *funcs = rk_elf_section(elf, ".readykernel.funcs.vmlinux");
	uint64_t sympos;

	is_int(objects->size, 3 * l->object_size, "two objects and the end");
	is_str(string_at(elf, ".readykernel.objects", l->object_name), NULL, "vmlinux has no name");
	is_str(string_at(elf, ".readykernel.objects", l->object_size + l->object_name), "af_key",
	       "the module has");
	is_str(reloc_text(elf, ".readykernel.objects", l->object_funcs), "1 rk_klp_funcs_vmlinux+0",
	       "functions of vmlinux");
	is_str(reloc_text(elf, ".readykernel.objects", l->object_size + l->object_funcs),
	       "1 rk_klp_funcs_af_key+0", "functions of the module");
	is_int(funcs->size, 2 * l->func_size, "one function and the end");
	is_str(string_at(elf, ".readykernel.funcs.vmlinux", l->func_old_name), "show", "old name");
	is_str(reloc_text(elf, ".readykernel.funcs.vmlinux", l->func_new_func), "1 show+0",
	       "new function");
	memcpy(&sympos, funcs->data + l->func_old_sympos, sizeof(sympos));
	is_int(sympos, 3, "position among the symbols of the name");
	is_str(reloc_text(elf, ".data.rk_patch", 8), "1 rk_klp_objects+0",
	       "the hook's patch has the objects");
	is_int(rk_elf_section(elf, ".data.rk_patch")->data[l->patch_replace], 1,
	       "and replaces others");
}

static void check_info(struct rk_elf *elf)
{
	const struct rk_section *versions = rk_elf_section(elf, "__versions");
	static const struct {
		const char *name;
		uint64_t crc;
	} expected[] = {{"module_layout", 0x11},
			{"_printk", 0x33},
			{"do_it", 0x44},
			{"klp_enable_patch", 0x22}};

	is_int(versions->size, sizeof(expected) / sizeof(expected[0]) * 64,
	       "a version for each import");
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		uint64_t crc;
		memcpy(&crc, versions->data + 64 * i, sizeof(crc));
		is_str((const char *)versions->data + 64 * i + 8, expected[i].name, "name");
		is_int(crc, expected[i].crc, "CRC");
	}
	is_str(rk_elf_modinfo(elf, "name"), "kpatch_t", "name in .modinfo");
	is_str(rk_elf_modinfo(elf, "depends"), "helper", "depends on the exporting module");
	is_str(rk_elf_modinfo(elf, "import_ns"), "NS_A", "imports the namespace");
	is_str(rk_elf_modinfo(elf, "livepatch"), "Y", "what the hook says stays");
	is_str((const char *)rk_elf_section(elf, ".gnu.linkonce.this_module")->data + 16,
	       "kpatch_t", "name in struct module");
	is_str(reloc_text(elf, ".gnu.linkonce.this_module", 104), "1 init_module+0", "init");
}

static void test_content(const struct rk_hook *hook)
{
	struct world w = make_world();
	struct rk_elf *elf;
	void *file;
	size_t size;

	if (!no_err(rk_module_compose(w.plan, hook, &source, "kpatch_t", true, manifest, &file,
				      &size),
		    "a module is written"))
		return;
	if (no_err(rk_elf_open_memory("module", file, size, RK_ELF_LOAD_ALL, &elf),
		   "and can be read")) {
		check_sections(elf);
		check_klp_relocs(elf);
		check_arrays(elf);
		check_info(elf);
		rk_elf_close(elf);
	}
	free(file);
	rk_plan_free(w.plan);
}

static void test_same_bytes(const struct rk_hook *hook)
{
	struct world a = make_world(), b = make_world();
	struct rk_elf *elf_a, *elf_c;
	const char *id_a, *id_c;
	void *file_a, *file_b, *file_c;
	size_t size_a, size_b, size_c;

	if (!no_err(rk_module_compose(a.plan, hook, &source, "kpatch_t", true, manifest, &file_a,
				      &size_a),
		    "one module") ||
	    !no_err(rk_module_compose(b.plan, hook, &source, "kpatch_t", true, manifest, &file_b,
				      &size_b),
		    "again") ||
	    !no_err(rk_module_compose(b.plan, hook, &source, "kpatch_t", false, manifest, &file_c,
				      &size_c),
		    "one that doesn't replace"))
		return;
	is_mem(file_a, size_a, file_b, size_b, "the same plan gives the same bytes");
	is_int(size_c, size_a, "the other has the same size");
	if (no_err(rk_elf_open_memory("a", file_a, size_a, RK_ELF_LOAD_ALL, &elf_a), "first") &&
	    no_err(rk_elf_open_memory("c", file_c, size_c, RK_ELF_LOAD_ALL, &elf_c), "other")) {
		is_int(rk_elf_section(elf_c, ".data.rk_patch")->data[hookmake_layout.patch_replace],
		       0, "its patch doesn't replace");
		if (no_err(rk_elf_build_id(elf_a, &id_a), "id") &&
		    no_err(rk_elf_build_id(elf_c, &id_c), "id"))
			ok(strlen(id_a) == 40 && !rk_streq(id_a, id_c),
			   "other content, other build-id");
		rk_elf_close(elf_a);
		rk_elf_close(elf_c);
	}
	free(file_a);
	free(file_b);
	free(file_c);
	rk_plan_free(a.plan);
	rk_plan_free(b.plan);
}

static void test_names(const struct rk_hook *hook)
{
	static const struct {
		const char *name, *message;
	} cases[] = {
		{"", "the module name '' must have 1 to 55 characters"},
		{"a-b", "the module name 'a-b' may only have letters, digits and '_'"},
		{"a/b", "the module name 'a/b' may only have letters, digits and '_'"},
		{"a23456789012345678901234567890123456789012345678901234567",
		 "the module name 'a23456789012345678901234567890123456789012345678901234567' must have 1 to 55 characters"},
	};
	void *file = NULL;
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w = make_world();
		is_err(rk_module_compose(w.plan, hook, &source, cases[i].name, true, manifest,
					 &file, &size),
		       RK_ERR_INVALID, cases[i].message, cases[i].message);
		rk_plan_free(w.plan);
	}
	ok(!file, "nothing is written");
}

static char long_name[600];

static void no_funcs(struct world *w)
{
	w->plan->funcs.nr = 0;
}
static void func_of_no_object(struct world *w)
{
	w->plan->funcs.v[1].object = "nfs";
}
static void func_twice(struct world *w)
{
	add_func(w, "vmlinux", "show", 3, w->func);
}
static void func_undefined(struct world *w)
{
	w->plan->funcs.v[0].new_symbol = w->printk;
}
static void func_long(struct world *w)
{
	w->plan->funcs.v[0].old_name = long_name;
}
static void klp_long(struct world *w)
{
	w->saved->name = long_name;
}
static void klp_comma(struct world *w)
{
	w->saved->name = "a,b";
}
static void klp_dot_object(struct world *w)
{
	w->pfkey->object = "af.key";
}
static void export_long(struct world *w)
{
	w->printk->name = long_name + 500;
}
static void vmlinux_to_module(struct world *w)
{
	add_reloc(w->text, 20, R_X86_64_PLT32, w->pfkey, -4);
}
static void special_to_module(struct world *w)
{
	w->jump->object = "af_key";
	w->jump->relocs.v[1].symbol = w->pfkey;
}
static void reloc_outside(struct world *w)
{
	add_reloc(w->text, 37, R_X86_64_PC32, w->var, -4);
}
static void reloc_type(struct world *w)
{
	add_reloc(w->text, 20, R_X86_64_GOTPCREL, w->var, -4);
}
static void reloc_nonzero(struct world *w)
{
	static uint8_t data[40] = {[8] = 1};
	w->text->data = data;
}
static void reloc_in_bss(struct world *w)
{
	add_reloc(w->bss, 0, R_X86_64_32, w->var, 0);
}
static void module_unknown(struct world *w)
{
	w->plan->funcs.nr = 1;
	w->plan->objects.nr = 1;
}
static void special_size(struct world *w)
{
	w->jump->size = 12;
	w->jump->relocs.nr = 1;
}
static void special_align(struct world *w)
{
	w->mcount_mod->align = 16;
}
static void flags_differ(struct world *w)
{
	w->mcount_mod->flags |= SHF_WRITE;
}
static void bad_align(struct world *w)
{
	w->text->align = 12;
}
static void symbol_outside(struct world *w)
{
	w->var->value = 5;
}
static void too_large(struct world *w)
{
	w->bss->size = UINT64_MAX - 2;
}
static void own_note(struct world *w)
{
	add_section(w, RK_BUILD_ID_SECTION, "vmlinux", 0, 8);
}

static void test_refused(const struct rk_hook *hook)
{
	static const struct {
		void (*change)(struct world *w);
		enum rk_err_code code;
		const char *part;
	} cases[] = {
		{no_funcs, RK_ERR_INVALID, "the plan replaces no function"},
		{func_of_no_object, RK_ERR_INVALID,
		 "the plan's objects don't agree with its functions: 1 of 2 found"},
		{func_twice, RK_ERR_INVALID, "the plan replaces 'show' of 'vmlinux' twice"},
		{func_undefined, RK_ERR_INVALID, "the plan has no code for 'show'"},
		{func_long, RK_ERR_LIMIT, "livepatch can't look up the function name 'nnn"},
		{klp_long, RK_ERR_LIMIT, "livepatch can't look up the symbol name 'nnn"},
		{klp_comma, RK_ERR_LIMIT, "livepatch can't look up the symbol name 'a,b'"},
		{klp_dot_object, RK_ERR_INVALID,
		 "'af.key' can't be the name of a livepatch object"},
		{export_long, RK_ERR_LIMIT, "is too long for its CRC: at most 55 characters"},
		{vmlinux_to_module, RK_ERR_INVALID,
		 "section '.text.show' of vmlinux refers to 'pfkey_get' of module 'af_key'"},
		{special_to_module, RK_ERR_UNSUPPORTED,
		 "section '__jump_table' refers to 'pfkey_get' of module 'af_key', but is used before"},
		{reloc_outside, RK_ERR_INVALID,
		 "section '.text.show': relocation at 0x25 is outside"},
		{reloc_type, RK_ERR_UNSUPPORTED,
		 "section '.text.show': the kernel's loader can't do relocation type"},
		{reloc_nonzero, RK_ERR_INVALID,
		 "section '.text.show': the relocated field at 0x6 isn't zero"},
		{reloc_in_bss, RK_ERR_INVALID,
		 "section '.bss.count' has relocations but no content"},
		{module_unknown, RK_ERR_INVALID,
		 "the plan has code for module 'af_key', which isn't among its objects"},
		{special_size, RK_ERR_FORMAT,
		 "the size of section '__jump_table' is no multiple of its entries' 16 bytes"},
		{special_align, RK_ERR_FORMAT,
		 "the alignment of section '__mcount_loc' would tear its entries apart"},
		{flags_differ, RK_ERR_INVALID, "two sections '__mcount_loc' have different flags"},
		{bad_align, RK_ERR_INVALID,
		 "the alignment of section '.text.show' is no power of two"},
		{symbol_outside, RK_ERR_INVALID, "symbol 'count' isn't in any section of the plan"},
		{too_large, RK_ERR_LIMIT, "section '.bss.count' is larger than"},
		{own_note, RK_ERR_INVALID,
		 "the plan has a section '.note.gnu.build-id' of its own"},
	};

	memset(long_name, 'n', sizeof(long_name) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w = make_world();
		void *file;
		size_t size;
		cases[i].change(&w);
		is_err_like(rk_module_compose(w.plan, hook, &source, "kpatch_t", true, manifest,
					      &file, &size),
			    cases[i].code, cases[i].part, cases[i].part);
		rk_plan_free(w.plan);
	}
}

static void test_missing_exports(const struct rk_hook *hook)
{
	for (size_t nr = 0; nr < ARRAY_SIZE(exports); nr++) {
		struct kernel kernel = {.nr_exports = nr};
		struct rk_export_source few = {.find = find, .locate = locate, .ctx = &kernel};
		struct world w = make_world();
		void *file;
		size_t size;
		is_err(rk_module_compose(w.plan, hook, &few, "kpatch_t", true, manifest, &file,
					 &size),
		       RK_ERR_NOT_FOUND,
		       "the target has no 'klp_enable_patch', which the patch module needs",
		       "without klp_enable_patch");
		rk_plan_free(w.plan);
	}
}

static void check_clear_table(struct rk_elf *elf)
{
	const struct rk_section *table = rk_elf_section(elf, ".readykernel.clear");
	const struct rk_hook_layout *l = &hookmake_layout;
	struct rk_clear_entry entries[3];

	if (!ok(table && table->size == sizeof(entries),
		"two fields of module addresses and the end"))
		return;
	memcpy(entries, table->data, sizeof(entries));
	is_str(reloc_text(elf, ".readykernel.clear", 0), "1 section .text.mod_show+8",
	       "first field");
	is_str(reloc_text(elf, ".readykernel.clear", 16), "1 section .text.mod_show+12",
	       "second field");
	is_int(entries[0].size, 4, "its size");
	is_int(entries[0].object, 1, "its object's place in the array");
	ok(!entries[2].address && !entries[2].size, "the end");
	is_str(reloc_text(elf, ".readykernel.objects", l->object_size + l->object_post_unpatch),
	       "1 rk_clear_relocs+0", "the module has the callback");
	is_str(reloc_text(elf, ".readykernel.objects", l->object_post_unpatch), "",
	       "vmlinux hasn't");
	is_str(reloc_text(elf, ".klp.rela.vmlinux..text.rk_clear_relocs", 8),
	       "4 .klp.sym.vmlinux.text_poke,2-4", "what the callback calls is found by livepatch");
	is_str(reloc_text(elf, ".text.rk_clear_relocs", 0), "11 rk_clear_entries+0",
	       "and the table");
}

/* Writes w's plan for kernel and looks at the result, or tells that nothing is to be cleared. */
static void check_clear(const struct rk_hook *hook, struct world w, struct kernel kernel,
			bool wanted, const char *name)
{
	struct rk_export_source from = {.find = find, .locate = locate, .ctx = &kernel};
	struct rk_elf *elf;
	_cleanup_free_ void *file = NULL;
	size_t size;

	if (no_err(rk_module_compose(w.plan, hook, &from, "kpatch_t", true, manifest, &file, &size),
		   name) &&
	    no_err(rk_elf_open_memory("module", file, size, RK_ELF_LOAD_ALL, &elf),
		   "is readable")) {
		if (wanted)
			check_clear_table(elf);
		else
			ok(!rk_elf_section(elf, ".readykernel.clear") &&
				   !rk_elf_section(elf, ".text.rk_clear_relocs"),
			   "nothing is to be cleared");
		rk_elf_close(elf);
	}
	rk_plan_free(w.plan);
}

static void test_clear(const struct rk_hook *hook)
{
	struct kernel newer = kernel_61, other = kernel_61;

	newer.has_clear = true;
	other.has_poke = false;
	check_clear(hook, make_world(), kernel_61, true, "addresses of modules, kernel 6.1");
	check_clear(hook, make_world(), newer, false, "a kernel that clears them itself");
	check_clear(hook, make_world(), other, false, "a kernel where the hook can't");
	struct world w = make_world();
	w.text_mod->relocs.nr = 1;
	check_clear(hook, w, kernel_61, false, "no address of a module");
}

static void add_callback(struct world *w, const char *object, enum kpatch_mark_kind kind,
			 struct rk_plan_symbol *symbol)
{
	struct rk_plan_callback callback = {
		.object = object, .unit = "net/unit.c", .kind = kind, .symbol = symbol};

	(void)!rk_vec_push(&w->plan->callbacks, callback);
}

/* Callbacks for vmlinux, for a module whose fields are cleared and which has others of its own, and for one without functions. */
static struct world make_world_with_callbacks(void)
{
	struct world w = make_world();
	struct rk_plan_state states[] = {{0x11, 2}, {0x12345678abc, 7}};

	add_callback(&w, "vmlinux", KPATCH_MARK_PRE_PATCH, w.func);
	add_callback(&w, "vmlinux", KPATCH_MARK_POST_UNPATCH, w.func);
	add_callback(&w, "aaa", KPATCH_MARK_POST_PATCH, w.func);
	add_callback(&w, "af_key", KPATCH_MARK_PRE_PATCH, w.func);
	add_callback(&w, "af_key", KPATCH_MARK_PRE_UNPATCH, w.func);
	add_callback(&w, "af_key", KPATCH_MARK_POST_UNPATCH, w.func_mod);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		(void)!rk_vec_push(&w.plan->states, states[i]);
	add_reloc(w.text, 24, R_X86_64_32S,
		  add_symbol(&w, (struct rk_plan_symbol){.kind = RK_PLAN_HOOK,
							 .name = RK_HOOK_PATCH,
							 .object = "vmlinux"}),
		  0);
	return w;
}

static void check_callback(struct rk_elf *elf, size_t object, unsigned int field, const char *want,
			   const char *name)
{
	is_str(reloc_text(elf, ".readykernel.objects",
			  object * hookmake_layout.object_size + field),
	       want, name);
}

static void check_callbacks(struct rk_elf *elf)
{
	const struct rk_hook_layout *l = &hookmake_layout;
	const struct rk_section *states = rk_elf_section(elf, ".readykernel.states");
	const struct rk_section *objects = rk_elf_section(elf, ".readykernel.objects");

	is_int(objects->size, 4 * l->object_size, "an object that has a callback only is there");
	check_callback(elf, 0, l->object_pre_patch, "1 show+0", "pre_patch of vmlinux");
	check_callback(elf, 0, l->object_post_unpatch, "1 show+0", "post_unpatch of vmlinux");
	check_callback(elf, 0, l->object_post_patch, "", "vmlinux has no post_patch");
	check_callback(elf, 1, l->object_post_patch, "1 show+0", "post_patch without functions");
	ok(reloc_text(elf, ".readykernel.objects", l->object_size + l->object_funcs)[0],
	   "the kernel wants an array of functions nonetheless");
	check_callback(elf, 2, l->object_pre_patch, "1 rk_clear_pre_patch+0",
		       "the module has ours before the author's");
	check_callback(elf, 2, l->object_post_unpatch, "1 rk_clear_relocs+0", "and after it");
	check_callback(elf, 2, l->object_pre_unpatch, "1 show+0", "others are the author's");
	is_str(reloc_text(elf, ".readykernel.chained", 2 * sizeof(struct rk_chained)), "1 show+0",
	       "ours finds the author's pre_patch");
	is_str(reloc_text(elf, ".readykernel.chained", 2 * sizeof(struct rk_chained) + 8),
	       "1 show+0", "and post_unpatch");
	is_str(reloc_text(elf, ".text.rk_clear_relocs", 16), "11 rk_chained+0", "in this table");
	if (!ok(states && states->size == 3 * l->state_size, "two states and the end"))
		return;
	uint64_t id;
	uint32_t version;
	memcpy(&id, states->data + l->state_size + l->state_id, sizeof(id));
	memcpy(&version, states->data + l->state_size + l->state_version, sizeof(version));
	ok(id == 0x12345678abc && version == 7, "id and version of the second");
	is_str(reloc_text(elf, ".data.rk_patch", l->patch_states), "1 rk_klp_states+0",
	       "struct klp_patch has them");
	is_str(reloc_text(elf, ".text.show", 24), "11 rk_patch+0", "KPATCH_PATCH is the hook's");
}

static void test_callbacks(const struct rk_hook *hook)
{
	struct world w = make_world_with_callbacks();
	struct rk_elf *elf;
	_cleanup_free_ void *file = NULL;
	size_t size;

	if (no_err(rk_module_compose(w.plan, hook, &source, "kpatch_t", true, manifest, &file,
				     &size),
		   "callbacks and states") &&
	    no_err(rk_elf_open_memory("module", file, size, RK_ELF_LOAD_ALL, &elf),
		   "are readable")) {
		check_callbacks(elf);
		rk_elf_close(elf);
	}
	rk_plan_free(w.plan);
}

static void test_bad_hooks(void)
{
	struct rk_hook_layout l[9];
	struct rk_hook *hook;

	for (size_t i = 0; i < ARRAY_SIZE(l); i++)
		l[i] = hookmake_layout;
	l[0].magic = 1;
	l[1].version = RK_HOOK_LAYOUT_VERSION + 1;
	l[2].func_old_name = 41;
	l[3].patch_replace = 64;
	l[4].module_name_size = 55;
	l[5].version_entry_size = 8;
	l[6].object_post_unpatch = hookmake_layout.object_size - 7;
	l[7].patch_states = hookmake_layout.patch_size - 7;
	l[8].state_version = hookmake_layout.state_size - 3;
	for (size_t i = 0; i < ARRAY_SIZE(l); i++)
		is_err_like(read_hook(&l[i], &hook), RK_ERR_FORMAT,
			    "hook.o': section '.rk.layout' isn't a layout we know",
			    "a layout table that can't be");
	l[0] = hookmake_layout;
	l[0].module_size = 4096;
	l[0].module_name = 1000;
	if (no_err(read_hook(&l[0], &hook), "a layout larger than the structure")) {
		struct world w = make_world();
		void *file;
		size_t size;
		is_err_like(rk_module_compose(w.plan, hook, &source, "kpatch_t", true, manifest,
					      &file, &size),
			    RK_ERR_FORMAT, "the hook's structures aren't where its layout says",
			    "is found out");
		rk_plan_free(w.plan);
		rk_hook_close(hook);
	}
}

static void test_info(const struct rk_hook *hook)
{
	_cleanup_free_ char *path = rk_path_join(tap_tmpdir(), "kpatch-t.ko");
	_cleanup_free_ void *file = NULL;
	struct world w = make_world();
	struct rk_module_info *info;
	struct rk_manifest *m;
	size_t size;

	if (!no_err(rk_module_compose(w.plan, hook, &source, "kpatch_t", true, manifest, &file,
				      &size),
		    "a module") ||
	    !no_err(rk_fs_write(path, file, size, 0644), "in a file"))
		return;
	rk_plan_free(w.plan);
	if (no_err(rk_module_info_read(path, &info), "says of itself")) {
		is_str(info->name, "kpatch_t", "its name");
		is_str(info->vermagic, "6.1.0-test SMP ", "its kernel");
		is_str(info->depends, "helper", "what it depends on");
		ok(info->is_livepatch, "that it is a live patch");
		ok(!info->is_signed, "that it isn't signed");
		is_int(strlen(info->build_id), 40, "its build-id");
		is_str(info->manifest ? info->manifest->release : NULL, "6.1.0-test",
		       "and has a manifest");
		rk_module_info_free(info);
	}
	if (no_err(rk_manifest_read_module(path, &m), "the manifest alone"))
		rk_manifest_free(m);
	_cleanup_str_ struct rk_str with_trailer = RK_STR_INIT;
	struct rk_module_signature trailer = {.id_type = RK_SIGNATURE_PKCS7, .sig_len = htonl(5)};
	rk_str_add_bytes(&with_trailer, file, size);
	rk_str_add(&with_trailer, "12345");
	rk_str_add_bytes(&with_trailer, &trailer, sizeof(trailer));
	rk_str_add(&with_trailer, RK_SIGNATURE_MAGIC);
	if (no_err(rk_fs_write(path, with_trailer.s, with_trailer.len, 0644),
		   "with a signature behind") &&
	    no_err(rk_module_info_read(path, &info), "it is still read")) {
		ok(info->is_signed, "as signed");
		is_str(info->name, "kpatch_t", "its name");
		rk_module_info_free(info);
	}
	hookmake_write(path, &hookmake_layout);
	is_err_like(rk_module_info_read(path, &info), RK_ERR_FORMAT,
		    "is not a kernel module: no name in .modinfo", "an object that is no module");
	is_err_like(rk_manifest_read_module(path, &m), RK_ERR_NOT_FOUND, "has no manifest",
		    "nor has a manifest");
}

static void test_dump(void)
{
	struct world w = make_world();
	char *dump;

	if (no_err(rk_plan_dump(w.plan, &dump), "a plan is dumped")) {
		ok(rk_has_prefix(dump,
				 "object vmlinux build-id=- srcversion=-\n"
				 "object aaa build-id=- srcversion=-\n"
				 "object af_key build-id=- srcversion=-\n"
				 "func vmlinux.show,3 unit=net/unit.c old=0x0+10 new=show+40\n"),
		   "objects and functions first");
		ok(strstr(dump, "symbol export:_printk from=vmlinux crc=0x00000033 ns=NS_A\n") !=
			   NULL,
		   "symbols");
		ok(strstr(dump,
			  "section .bss.count object=vmlinux nobits AW align=1 entsize=0 size=4\n") !=
			   NULL,
		   "sections");
		ok(strstr(dump, "  0x0008 R_X86_64_PLT32 klp:af_key.pfkey_get,2 - 0x4\n") != NULL,
		   "relocations");
		free(dump);
	}
	rk_plan_free(w.plan);
}

int main(void)
{
	struct rk_hook *hook = make_hook();

	test_content(hook);
	test_same_bytes(hook);
	test_names(hook);
	test_refused(hook);
	test_missing_exports(hook);
	test_clear(hook);
	test_callbacks(hook);
	test_bad_hooks();
	test_info(hook);
	test_dump();
	rk_hook_close(hook);
	return done_testing();
}
