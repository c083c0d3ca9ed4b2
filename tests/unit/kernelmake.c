// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs gcc, ld and strip; what they make is real input for lib/target. */
#include "tests/unit/kernelmake.h"

#include <elf.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/vec.h"
#include "lib/elf/elf.h"
#include "tests/unit/ksymmake.h"
#include "tests/unit/tap.h"

#define TEXT_ADDRESS "0xffffffff81000000"
#define MAX_ARGS     64

static void run(const char *const *argv)
{
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = 60000};
	_cleanup_process_result_ struct rk_process_result res = {};
	must(rk_process_check(&spec, &res));
}

static char *write_file(const char *dir, const char *name, const char *content)
{
	must(rk_fs_write_below(dir, name, content, strlen(content), 0666));
	return rk_path_join(dir, name);
}

char *kernelmake_compile(const char *dir, const char *file, const char *source,
			 enum kernelmake_kind kind, const char *option)
{
	_cleanup_free_ char *path = write_file(dir, file, source);
	char *object = rk_asprintf("%s.%s.o", path, kind == KERNELMAKE_ORIGINAL ? "orig" : "ship");
	const char *argv[MAX_ARGS] = {"gcc",
				      "-c",
				      path,
				      "-o",
				      object,
				      "-O2",
				      "-fno-pic",
				      "-mcmodel=kernel",
				      "-mno-red-zone",
				      "-mno-sse",
				      "-ffreestanding",
				      "-fno-common",
				      "-fno-jump-tables",
				      "-fno-asynchronous-unwind-tables",
				      "-fno-stack-protector",
				      "-fcf-protection=none",
				      "-falign-jumps=1",
				      "-falign-loops=1",
				      "-w"};
	size_t nr = 0;
	while (argv[nr])
		nr++;
	if (kind == KERNELMAKE_ORIGINAL) {
		argv[nr++] = "-ffunction-sections";
		argv[nr++] = "-fdata-sections";
	}
	argv[nr] = option;
	run(argv);
	return object;
}

static void ld(const char *const *objects, const char *last, const char *output)
{
	const char *argv[MAX_ARGS] = {
		"ld", "-static", "-e", "0", "-Ttext=" TEXT_ADDRESS, "--section-start=percpu=0",
		"-o", output};
	size_t nr = 8;
	while (*objects)
		argv[nr++] = *objects++;
	argv[nr] = last;
	run(argv);
}

static int by_address(const void *a, const void *b)
{
	const struct ksymmake_entry *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* The tables of the image at path, as scripts/kallsyms.c makes them from nm's output. */
static char *kallsyms_source(const char *path)
{
	struct rk_elf *elf;
	rk_vec(struct ksymmake_entry) list = {};
	must(rk_elf_open(path, RK_ELF_LOAD_NO_RELOCS, &elf));
	rk_elf_for_each_symbol(elf, sym) {
		if (!sym->section || !sym->name[0] || sym->type == STT_SECTION ||
		    !strncmp(sym->name, "kallsyms_", 9))
			continue;
		bool is_code = sym->section->flags & SHF_EXECINSTR;
		struct ksymmake_entry entry = {is_code ? 'T' : 'D', sym->name, sym->value,
					       sym->value < 0x1000};
		if (sym->bind == STB_LOCAL)
			entry.type |= 0x20;
		if (!rk_vec_push(&list, entry))
			bail_out("no memory");
	}
	qsort(list.v, list.nr, sizeof(*list.v), by_address);
	struct ksymmake made;
	struct rk_str text = RK_STR_INIT;
	ksymmake(list.v, list.nr, RK_KALLSYMS_ABSOLUTE_PERCPU, strtoull(TEXT_ADDRESS, NULL, 16),
		 &made);
	ksymmake_assembly(&made, &text);
	ksymmake_deinit(&made);
	rk_vec_deinit(&list);
	rk_elf_close(elf);
	char *ret = NULL;
	must(rk_str_take(&text, &ret));
	return ret;
}

static char *assemble(const char *dir, const char *name, const char *source)
{
	_cleanup_free_ char *path = write_file(dir, name, source);
	char *object = rk_asprintf("%s.o", path);
	const char *const argv[] = {"as", path, "-o", object, NULL};
	run(argv);
	return object;
}

/*
 * _stext is the first symbol, and the tables come last, so that adding them moves nothing that is
 * in them.
 */
char *kernelmake_link(const char *dir, const char *const *objects)
{
	_cleanup_free_ char *head =
		assemble(dir, "head.s", ".text\n.globl _stext\n_stext:\n\t.skip 16\n");
	_cleanup_free_ char *first = rk_path_join(dir, "vmlinux.1");
	char *vmlinux = rk_path_join(dir, "vmlinux");
	const char *list[MAX_ARGS] = {head};
	for (size_t i = 0; objects[i]; i++)
		list[i + 1] = objects[i];
	/* the first link has tables too, of a guessed size: data behind .rodata mustn't move */
	_cleanup_free_ char *none = NULL;
	ld(list, NULL, first);
	_cleanup_free_ char *source = kallsyms_source(first);
	none = assemble(dir, "kallsyms.s", source);
	ld(list, none, first);
	_cleanup_free_ char *final = kallsyms_source(first);
	_cleanup_free_ char *tables = assemble(dir, "kallsyms.s", final);
	ld(list, tables, vmlinux);
	return vmlinux;
}

void kernelmake_module(const char *dir, const char *name, const char *const *objects)
{
	_cleanup_free_ char *parent = rk_path_join(dir, "modules/kernel");
	_cleanup_free_ char *path = rk_path_join(parent, name);
	must(rk_fs_mkdir_p(parent, 0777));
	const char *argv[MAX_ARGS] = {"ld", "-r", "-o", path};
	for (size_t i = 0; objects[i]; i++)
		argv[i + 4] = objects[i];
	run(argv);
	const char *const strip[] = {"strip", "--strip-debug", path, NULL};
	run(strip);
}

/* The strings stay until the program ends. */
void kernelmake_target(const char *dir, const char *symvers, struct rk_target *ret)
{
	*ret = (struct rk_target){.id = "path:test"};
	rk_arena_init(&ret->arena);
	_cleanup_free_ char *exports = write_file(dir, "Module.symvers", symvers);
	ret->symvers = rk_arena_strdup(&ret->arena, exports);
	ret->vmlinux = rk_arena_printf(&ret->arena, "%s/vmlinux", dir);
	ret->modules = rk_arena_printf(&ret->arena, "%s/modules", dir);
}
