/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel that runs on this host, and whether its administrator wants it patched: identity, boot id, command line, the disable file. */
#ifndef RK_HOST_KERNEL_H
#define RK_HOST_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/host/host.h"

/* What stops patching, the strongest last. */
enum rk_switch {
	RK_SWITCH_ON,
	RK_SWITCH_NO_KPATCH, /* "kpatch.enable=0": nothing is loaded at boot, by command it is */
	RK_SWITCH_NO_LOAD,   /* "readykernel=no-load": updates are fetched, nothing is loaded */
	RK_SWITCH_DISABLED,  /* /etc/readykernel/disable is there: as "off" */
	RK_SWITCH_OFF, /* "readykernel=off": nothing is loaded, fetched or changed; unloading is allowed */
	RK_SWITCHES
};

struct rk_host_kernel {
	struct rk_arena arena;
	struct rk_running running; /* release, version, machine, build_id */
	const char *boot_id;	   /* 36 characters; new with each boot */
	int64_t booted; /* seconds since 1970 by today's clock: /proc/stat btime; 0: not known */
	enum rk_switch switched; /* the strongest that applies */
};

/* Errors: RK_ERR_SYS, RK_ERR_UNSUPPORTED (no /proc or /sys, or a kernel that shows no build-id). */
struct rk_err *rk_host_kernel_read(const struct rk_host *host, struct rk_host_kernel **ret)
	__must_use;
/* boot_id and booted alone; the text is in arena. */
struct rk_err *rk_boot_read(const char *proc, struct rk_arena *arena, const char **ret_boot_id,
			    int64_t *ret_booted) __must_use;
void rk_host_kernel_free(struct rk_host_kernel *kernel);

/* "on", "off", "no-load", "kpatch.enable=0", "disabled": part of --json. */
const char *rk_switch_name(enum rk_switch s);
/* The words of a kernel command line that are ours; words after "--" are init's. The last one of a kind counts. */
enum rk_switch rk_switch_from_cmdline(const char *cmdline);
/* The strongest that applies, of the command line below proc and of whatever disable_file is. */
struct rk_err *rk_switch_read(const char *proc, const char *disable_file, enum rk_switch *ret)
	__must_use;
/* NULL if loading is allowed now; else RK_ERR_VERDICT that names what forbids it and how to lift it. at_boot: kpatch.enable=0 counts. Looks
 * anew each time: between opening and loading lies all that is fetched, and the file always wins. */
struct rk_err *rk_host_may_load(const struct rk_host *host, bool at_boot) __must_use;

static inline void rk_cleanup_host_kernel(struct rk_host_kernel **kernel)
{
	rk_host_kernel_free(*kernel);
}
#define _cleanup_host_kernel_ _cleanup_(rk_cleanup_host_kernel)

#endif
