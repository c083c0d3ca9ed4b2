/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kernel files say about themselves: which build they are of. */
#ifndef RK_TARGET_FACTS_H
#define RK_TARGET_FACTS_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* NULL: the file doesn't say. */
struct rk_kernel_facts {
	const char *release;  /* uname -r */
	const char *version;  /* uname -v */
	const char *build_id; /* hexadecimal */
};

/* Of a vmlinux: the banner in its read-only data, the build-id of its notes. RK_ERR_FORMAT if it has no banner. */
struct rk_err *rk_facts_vmlinux(const char *path, struct rk_arena *arena,
				struct rk_kernel_facts *ret) __must_use;

/* Of a bootable x86 image (Documentation/x86/boot.rst of the kernel): the version string of its header,
 * the build-id of the compressed vmlinux inside. */
struct rk_err *rk_facts_image(const char *path, struct rk_arena *arena, struct rk_kernel_facts *ret)
	__must_use;

/* The value of CONFIG_<name> in a .config's text, without quotes: "y", "gcc-12 …". *ret is NULL if it isn't set. */
struct rk_err *rk_facts_config(const char *config, const char *name, struct rk_arena *arena,
			       const char **ret) __must_use;

/* The Debian version in a uname -v ("#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)"); NULL in *ret if
 * the kernel isn't Debian's. */
struct rk_err *rk_facts_debian_version(const char *version, struct rk_arena *arena,
				       const char **ret) __must_use;

/* The build-id of the running kernel from the notes file the kernel offers ("/sys/kernel/notes"). */
struct rk_err *rk_facts_notes(const char *path, struct rk_arena *arena, const char **ret)
	__must_use;

#endif
