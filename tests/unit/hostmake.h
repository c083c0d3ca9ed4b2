/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host of plain files: the kernel of sysmake.h, with a command line, a boot id, a build-id and a log, and a place for readykernel's state.
 * A reboot is a new boot id and a kernel without patches; what is on the disk stays.
 */
#ifndef RK_TESTS_UNIT_HOSTMAKE_H
#define RK_TESTS_UNIT_HOSTMAKE_H

#include "lib/host/apply.h"
#include "lib/host/boot.h"
#include "tests/unit/sysmake.h"

#define HOST_BUILD_ID "00112233445566778899aabbccddeeff00112233"

struct hostmake {
	struct sysmake sys;
	struct rk_host *host;
	struct rk_host_kernel *kernel;
	struct rk_settings *settings; /* no quiet time, 1 s for a transition */
	struct rk_host_state *state;  /* as read last */
	int64_t now;		      /* what time it is */
	unsigned int boots;
	unsigned int records; /* in the kernel log */
};

void hostmake_init(struct hostmake *h, const char *name);
void hostmake_deinit(struct hostmake *h);

/* Another boot, seconds later: no live patches, an empty log; kernel and state are read again. */
void hostmake_reboot(struct hostmake *h, int64_t seconds);
/* The state as it is on disk. */
void hostmake_read_state(struct hostmake *h);
/* Puts a line into the kernel log. */
void hostmake_log(struct hostmake *h, unsigned int priority, const char *text);
void hostmake_cmdline(struct hostmake *h, const char *text);

/* Installs a level whose module is "kpatch_<level>", with one CVE more than the level below, released on the day of its number. */
void hostmake_install(struct hostmake *h, unsigned int level);
/* From now on a task holds the transition of this module up, but not its reversal. */
void hostmake_stick(struct hostmake *h, const char *name);
void hostmake_unstick(struct hostmake *h);
/* What a level is; strings are in arena. */
struct rk_patch hostmake_patch(struct rk_arena *arena, unsigned int level, const char *module);

/* The arguments of the apply functions. */
struct rk_apply hostmake_apply(struct hostmake *h);
/* Loads an installed level; the error is handed on. */
struct rk_err *hostmake_load(struct hostmake *h, unsigned int level, bool force,
			     struct rk_apply_result *ret);
/* Watches what was loaded to its end. */
struct rk_err *hostmake_confirm(struct hostmake *h, struct rk_apply_result *ret);
/* What the units do at boot: review, load; and then confirm. */
struct rk_err *hostmake_boot(struct hostmake *h, struct rk_boot_review *ret_review,
			     struct rk_apply_result *ret);
/* The level that is loaded, 0 for none. */
uint64_t hostmake_loaded(struct hostmake *h);
/* "good", "blocked", "none". */
const char *hostmake_verdict(struct hostmake *h, unsigned int level);

/* Loads and confirms; both must go well. */
void hostmake_load_good(struct hostmake *h, unsigned int level);
/* Boots; what was found of the last boot, the level loaded then (0: none), and how its load ended must be these. */
void hostmake_check_boot(struct hostmake *h, const char *finding, uint64_t level, const char *code);

#endif
