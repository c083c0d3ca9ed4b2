/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The intent record: written and durable before a module is given to the kernel, gone only when the level is good, the load was taken
 * back, or the host was shut down in order. One that is found at the next boot means that the host went down with this level.
 */
#ifndef RK_HOST_INTENT_H
#define RK_HOST_INTENT_H

#include <stdint.h>

#include "lib/host/host.h"

#define RK_INTENT_SCHEMA "readykernel-intent/1"
#define RK_INTENT_MAX	 (16u << 10)

enum rk_intent_phase {
	RK_INTENT_LOADING, /* from before the load to the end of the transition */
	RK_INTENT_QUIET,   /* loaded, being watched */
	RK_INTENT_STOPPED, /* the host was being shut down, or the watcher was asked to end: no crash */
	RK_INTENT_PHASES
};
const char *rk_intent_phase_name(enum rk_intent_phase phase);

struct rk_intent {
	struct rk_arena arena;
	const char *load; /* id of this load: unlike any other's */
	const char *boot_id;
	const char *build_id, *name, *sha256;
	uint64_t level;
	uint64_t previous; /* level that was loaded before; 0 none */
	enum rk_intent_phase phase;
	int64_t at;		/* seconds since 1970 when it was written first */
	uint64_t kmsg;		/* sequence number in the kernel log from which on it is watched */
	uint32_t transition_ms; /* from RK_INTENT_QUIET on */
	bool at_boot, forced;
};

/* *ret is NULL when there is none. RK_ERR_FORMAT, RK_ERR_INVALID: there is one that can't be believed. */
struct rk_err *rk_intent_read(const struct rk_host *host, struct rk_intent **ret) __must_use;
/* Whole and durable, file and directory. */
struct rk_err *rk_intent_write(const struct rk_host *host, const struct rk_intent *intent)
	__must_use;
/* Durable; absent is success. */
struct rk_err *rk_intent_remove(const struct rk_host *host) __must_use;
/* Renames it to intent.json.damaged. */
struct rk_err *rk_intent_set_aside(const struct rk_host *host) __must_use;
struct rk_err *rk_intent_parse(const char *name, const char *json, size_t len,
			       struct rk_intent **ret) __must_use;
struct rk_err *rk_intent_to_json(const struct rk_intent *intent, char **ret) __must_use;
void rk_intent_free(struct rk_intent *intent);

static inline void rk_cleanup_intent(struct rk_intent **intent)
{
	rk_intent_free(*intent);
}
#define _cleanup_intent_ _cleanup_(rk_cleanup_intent)

#endif
