/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a changed file means for a live patch, told from its name: most of the tree is code that runs, some runs before
 * or outside the kernel, some never. A kind of file we don't know may generate code (perlasm, awk scripts, syscall tables): it
 * can't be patched, unless it is plainly text. lib/ is not special: whether a function there can be redirected the
 * shipped binary says.
 */
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/internal.h"

struct rule {
	enum {
		AT_START,
		AT_END,
		FILE_NAME,
		FILE_NAME_START,
	} where;
	const char *text;
	enum rk_file_class kind;
};

/* The first rule that fits decides. ARCH stands for "arch/<the target's machine>". */
#define ARCH "arch/*"
static const struct rule rules[] = {
	{AT_START, "Documentation/", RK_FILE_NOT_CODE},
	{AT_START, "LICENSES/", RK_FILE_NOT_CODE},
	{AT_START, "samples/", RK_FILE_NOT_CODE},
	{AT_START, "tools/", RK_FILE_NOT_CODE},
	{AT_START, "debian/", RK_FILE_NOT_CODE},
	{FILE_NAME_START, "Kconfig", RK_FILE_UNPATCHABLE},
	{FILE_NAME_START, "Makefile", RK_FILE_UNPATCHABLE},
	{FILE_NAME, "Kbuild", RK_FILE_UNPATCHABLE},
	/* programs of the build: what they change in an object shows in no object we compile */
	{AT_START, "scripts/", RK_FILE_NOT_CODE},
	{AT_END, ".S", RK_FILE_UNPATCHABLE},
	{AT_START, "usr/", RK_FILE_NOT_CODE},
	{FILE_NAME, "x86-opcode-map.txt", RK_FILE_UNPATCHABLE},
	{AT_START, "rust/", RK_FILE_UNPATCHABLE},
	{AT_START, "drivers/firmware/efi/libstub/", RK_FILE_UNPATCHABLE},
	{AT_START, ARCH "/boot/", RK_FILE_UNPATCHABLE},
	{AT_START, ARCH "/realmode/", RK_FILE_UNPATCHABLE},
	{AT_START, ARCH "/purgatory/", RK_FILE_UNPATCHABLE},
	{AT_START, ARCH "/um/", RK_FILE_UNPATCHABLE},
	{AT_START, ARCH "/tools/", RK_FILE_NOT_CODE},
	{AT_START, ARCH "/configs/", RK_FILE_NOT_CODE},
	{AT_END, ".lds", RK_FILE_UNPATCHABLE},
	{AT_END, ".dts", RK_FILE_UNPATCHABLE},
	{AT_END, ".dtsi", RK_FILE_UNPATCHABLE},
	{AT_END, ".asn1", RK_FILE_UNPATCHABLE},
	{AT_END, ".tbl", RK_FILE_UNPATCHABLE},
	{AT_END, ".rs", RK_FILE_UNPATCHABLE},
	{AT_END, ".c", RK_FILE_UNIT},
	{AT_END, ".h", RK_FILE_HEADER},
	{AT_END, ".inc", RK_FILE_HEADER},
	{AT_END, ".rst", RK_FILE_NOT_CODE},
	{AT_END, ".txt", RK_FILE_NOT_CODE},
	{AT_END, ".yaml", RK_FILE_NOT_CODE},
	{AT_END, ".md", RK_FILE_NOT_CODE},
	{FILE_NAME_START, ".git", RK_FILE_NOT_CODE},
	{FILE_NAME, ".mailmap", RK_FILE_NOT_CODE},
	{FILE_NAME, ".clang-format", RK_FILE_NOT_CODE},
	{FILE_NAME, ".cocciconfig", RK_FILE_NOT_CODE},
	{FILE_NAME, ".get_maintainer.ignore", RK_FILE_NOT_CODE},
	{FILE_NAME, "MAINTAINERS", RK_FILE_NOT_CODE},
	{FILE_NAME, "CREDITS", RK_FILE_NOT_CODE},
	{FILE_NAME, "COPYING", RK_FILE_NOT_CODE},
	{FILE_NAME_START, "README", RK_FILE_NOT_CODE},
};

static bool starts_with(const char *path, const char *text, const char *arch_dir)
{
	if (rk_has_prefix(text, ARCH)) {
		if (!rk_has_prefix(path, "arch/") || !rk_has_prefix(path + 5, arch_dir))
			return false;
		path += 5 + strlen(arch_dir);
		text += strlen(ARCH);
	}
	return rk_has_prefix(path, text);
}

static bool fits(const struct rule *rule, const char *path, const char *arch_dir)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	switch (rule->where) {
	case AT_START: return starts_with(path, rule->text, arch_dir);
	case AT_END: return rk_has_suffix(path, rule->text);
	case FILE_NAME: return rk_streq(name, rule->text);
	case FILE_NAME_START: return rk_has_prefix(name, rule->text);
	}
	return false;
}

/* The vDSO is code of user space; the files beside it that map it (vma.c, extable.c) are the kernel's. */
static bool is_vdso(const char *path, const char *arch_dir)
{
	const char *const kernel_side[] = {"vma.c", "extable.c", "vdso32-setup.c"};

	if (!starts_with(path, ARCH "/entry/vdso/", arch_dir) && !rk_has_prefix(path, "lib/vdso/"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kernel_side); i++) {
		if (rk_has_suffix(path, kernel_side[i]))
			return false;
	}
	return true;
}

enum rk_file_class rk_classify(const char *path, const char *arch_dir, bool *ret_is_other_arch)
{
	*ret_is_other_arch = rk_has_prefix(path, "arch/") && strchr(path + 5, '/') &&
			     !starts_with(path, ARCH "/", arch_dir);

	if (is_vdso(path, arch_dir))
		return RK_FILE_UNPATCHABLE;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (fits(&rules[i], path, arch_dir))
			return rules[i].kind;
	}
	return RK_FILE_UNPATCHABLE;
}
