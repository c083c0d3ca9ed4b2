/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A licence is a signed file (role "licence") that a host checks by itself, against the root it trusts. It only ever decides
 * whether new levels may be fetched: nothing is unloaded and no removal is prevented when it ends.
 */
#ifndef RK_TRUST_LICENCE_H
#define RK_TRUST_LICENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"
#include "lib/trust/metadata.h"

#define RK_LICENCE_SCHEMA     "readykernel-licence/1"
#define RK_LICENCE_GRACE_DAYS 14

struct rk_licence_strings {
	const char **v;
	size_t nr, cap;
};

struct rk_licence {
	struct rk_arena arena;
	const char *id;	    /* letters, digits, '-', '_', '.' */
	const char *holder; /* for people */
	bool is_trial;
	uint64_t hosts;			    /* how many hosts may use it; 0: any number */
	int64_t not_before, not_after;	    /* the first second it is valid, the first it isn't */
	struct rk_licence_strings products; /* "debian-12"; empty: all */
	struct rk_licence_strings features; /* free words, for services */
	bool has_channel;
	enum rk_channel channel; /* with has_channel: the least tried channel it allows; else all */
};

enum rk_licence_state {
	RK_LICENCE_NONE,   /* there is none */
	RK_LICENCE_FUTURE, /* not valid yet */
	RK_LICENCE_VALID,
	RK_LICENCE_GRACE, /* ended less than RK_LICENCE_GRACE_DAYS ago: everything still works, and says so */
	RK_LICENCE_EXPIRED
};

/* "none", "future", "valid", "grace", "expired". */
const char *rk_licence_state_name(enum rk_licence_state state);

/* Reads a signed licence and verifies it with the root's licence role. Errors as rk_signed_verify(), RK_ERR_FORMAT. */
struct rk_err *rk_licence_read(const struct rk_root *root, const char *name, const char *bytes,
			       size_t len, struct rk_licence **ret) __must_use;
/* The payload alone, and back. */
struct rk_err *rk_licence_parse(const char *name, const char *json, size_t len,
				struct rk_licence **ret) __must_use;
struct rk_err *rk_licence_write(const struct rk_licence *licence, char **ret) __must_use;
void rk_licence_free(struct rk_licence *licence);

/* NULL as licence: RK_LICENCE_NONE. A trial licence has no days of grace. */
enum rk_licence_state rk_licence_state(const struct rk_licence *licence, int64_t now);
/* May new levels of this product and channel be fetched? False also when the licence is none, future or expired. */
bool rk_licence_allows(const struct rk_licence *licence, int64_t now, const char *product,
		       enum rk_channel channel);

static inline void rk_cleanup_licence(struct rk_licence **p)
{
	rk_licence_free(*p);
}

#define _cleanup_licence_ _cleanup_(rk_cleanup_licence)

#endif
