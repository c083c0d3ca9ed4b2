/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel in small: C sources of a test, compiled with the kernel's kind of options, linked at the
 * kernel's address with real kallsyms tables (made from the first link, as the kernel's build
 * does), or to a module.
 */
#ifndef RK_TESTS_UNIT_KERNELMAKE_H
#define RK_TESTS_UNIT_KERNELMAKE_H

#include "lib/base/str.h"
#include "lib/target/target.h"

/* -ffunction-sections -fdata-sections: how originals are compiled. */
enum kernelmake_kind {
	KERNELMAKE_SHIPPED,
	KERNELMAKE_ORIGINAL
};

/*
 * Compiles source as `file` (its base name becomes the STT_FILE symbol) below dir; option is one
 * more for the compiler or NULL. Returns the object's path, malloc'ed; ends the test program on
 * failure, as all of these do.
 */
char *kernelmake_compile(const char *dir, const char *file, const char *source,
			 enum kernelmake_kind kind, const char *option);
/* Links objects (NULL-terminated) to dir/vmlinux; returns its path. */
char *kernelmake_link(const char *dir, const char *const *objects);
/* ld -r and strip --strip-debug to dir/modules/kernel/name. */
void kernelmake_module(const char *dir, const char *name, const char *const *objects);
/* A target with dir/vmlinux, dir/modules and dir/Module.symvers (written here). */
void kernelmake_target(const char *dir, const char *symvers, struct rk_target *ret);

#endif
