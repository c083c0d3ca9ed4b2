/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the verbs of kpatch. */
#ifndef RK_KPATCH_H
#define RK_KPATCH_H

#include <jansson.h>

#include "lib/livepatch/livepatch.h"
#include "lib/patch/module.h"
#include "tools/common/cli.h"

extern const struct rk_verb verb_load, verb_unload, verb_list, verb_info;

#define KPATCH_NOTE_MS 15000 /* a transition that takes longer is worth a word */
/* then a load is reversed: five rounds of the kernel's own nudging (every 15 s) */
#define KPATCH_LIMIT_MS	    75000
#define KPATCH_REFERENCE_MS 15000 /* until nobody refers to an unloaded module */
#define KPATCH_BUSY_TRIES   5	  /* while another transition runs */

/* Refuses a module that isn't a live patch, or isn't for the kernel that runs: RK_ERR_UNSUPPORTED, RK_ERR_MISMATCH. */
struct rk_err *kpatch_check_module(const char *path, const struct rk_module_info *info,
				   const struct rk_running *running) __must_use;

/* What modprobe would load; all NULL when it knows no such module. */
struct kpatch_installed {
	const char *path;
	struct rk_running_module id; /* not known for a compressed file */
};

/* By /lib/modules/RELEASE/modules.dep (depmod). Strings are in arena. Errors: RK_ERR_SYS, RK_ERR_FORMAT (the file is no module). */
struct rk_err *kpatch_installed_module(const char *release, const char *name,
				       struct rk_arena *arena, struct kpatch_installed *ret)
	__must_use;

/* Options of the verbs that wait for a transition. */
struct kpatch_wait_values {
	unsigned int timeout; /* seconds; 0: KPATCH_LIMIT_MS */
};

/* Waits for the end of name's transition; cli->values is a struct kpatch_wait_values. When it doesn't end, names on
 * stderr the tasks that hold it up, with their stacks, and returns RK_ERR_TIMEOUT. */
struct rk_err *kpatch_wait(const struct rk_cli *cli, const char *name, bool enabling,
			   enum rk_livepatch_state *ret) __must_use;

/* Options of load and unload. */
extern const struct rk_option kpatch_wait_options[];

/* "dir/kpatch-fix.ko", "kpatch-fix" and "kpatch_fix" are the module kpatch_fix. malloc'ed, NULL without memory. */
char *kpatch_module_name(const char *text) __must_use;

static inline void kpatch_cleanup_info(struct rk_module_info **info)
{
	if (*info)
		rk_module_info_free(*info);
}
#define _cleanup_info_ _cleanup_(kpatch_cleanup_info)

#endif
