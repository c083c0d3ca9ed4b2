/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where targets live in the cache, and who may do what to them at the same time.
 *
 *	<cache>/targets/debian_REL/image/	vmlinuz, modules/, part.json
 *	<cache>/targets/debian_REL/build/	vmlinux, config, Module.symvers, source/, source-files.txt,
 *						source.sha256, part.json
 *	<cache>/targets/debian_REL/download/	packages on their way; removed when unpacked
 *	<cache>/targets/debian_REL/prepare.log	what 'make prepare' said last
 *	<cache>/locks/debian_REL.use		shared: it is in use; exclusive: it is being removed
 *	<cache>/locks/debian_REL.fetch		exclusive: parts are being made
 *
 * A part counts only with its part.json, which is written last; a part directory without one was left by a killed
 * process and is removed by the next fetch. The locks are inherited by the programs that a fetch runs, so that what
 * a killed fetch leaves running is over before the next one begins.
 */
#ifndef RK_TARGET_CACHE_H
#define RK_TARGET_CACHE_H

#include <stdbool.h>

#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/vec.h"
#include "lib/target/record.h"

/* One target's places, locked for use as long as it is open. */
struct rk_cache_slot {
	char *id;    /* "debian:REL" */
	char *dir;   /* <cache>/targets/debian_REL */
	char *image; /* its parts */
	char *build;
	char *download;
	char *log;
	char *fetch_lock; /* path */
	int use_fd;	  /* -1: not locked */
	int fetch_fd;
};

void rk_cache_slot_deinit(struct rk_cache_slot *slot);
#define _cleanup_slot_ _cleanup_(rk_cache_slot_deinit)

/* The slot of id, not locked; nothing is created. */
struct rk_err *rk_cache_slot_init(const char *cache_dir, const char *id, struct rk_cache_slot *ret)
	__must_use;

/* Takes the shared lock; waits while it is being removed. */
struct rk_err *rk_cache_use(struct rk_cache_slot *slot, const char *cache_dir,
			    const struct rk_reporter *reporter) __must_use;
/* Takes the lock for making parts (the slot is in use already), then removes what a killed process left. */
struct rk_err *rk_cache_begin_fetch(struct rk_cache_slot *slot, const struct rk_reporter *reporter)
	__must_use;
void rk_cache_end_fetch(struct rk_cache_slot *slot);
/* Removes the target; RK_ERR_SYS (EBUSY) while it is in use, RK_ERR_NOT_FOUND if it isn't there. */
struct rk_err *rk_cache_remove(struct rk_cache_slot *slot, const char *cache_dir) __must_use;
/* Whether another process uses the target now. */
struct rk_err *rk_cache_in_use(const struct rk_cache_slot *slot, const char *cache_dir, bool *ret)
	__must_use;

/* The record of a part; *ret_found is false (and *ret untouched) if the part isn't there. */
struct rk_err *rk_cache_part(const char *part_dir, bool *ret_found, struct rk_record *ret)
	__must_use;
/* Makes the part count: writes its record with its size. */
struct rk_err *rk_cache_commit(const char *part_dir, struct rk_record *record) __must_use;

struct rk_cache_ids {
	rk_vec(char *) list;
};
void rk_cache_ids_deinit(struct rk_cache_ids *ids);
#define _cleanup_cache_ids_ _cleanup_(rk_cache_ids_deinit)

/* All targets that have a directory, in no order. */
struct rk_err *rk_cache_list(const char *cache_dir, struct rk_cache_ids *ret) __must_use;

#endif
