/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host has learnt: which levels were good, which are blocked and why, where it is frozen, how the last check and the
 * last change ended. It can only make the host more careful: no entry here lets anything be loaded that the signatures don't
 * allow, and without a readable state no level counts as good. Written whole, durable; a file that somebody else owns or that
 * can't be read is set aside as state.json.damaged, and said; nothing is loaded by itself then.
 */
#ifndef RK_HOST_STATE_H
#define RK_HOST_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/vec.h"
#include "lib/host/host.h"

#define RK_STATE_TEXT_MAX   500 /* bytes of a reason or error; the rest is cut */
#define RK_STATE_SCHEMA	    "readykernel-state/1"
#define RK_STATE_MAX	    (1u << 20)
#define RK_STATE_LEVELS_MAX 1024	  /* entries; the oldest go */
#define RK_CODE_ROLLED_BACK "rolled-back" /* somebody chose another level */

enum rk_verdict {
	RK_VERDICT_NONE,
	RK_VERDICT_GOOD,
	RK_VERDICT_BLOCKED,
	RK_VERDICTS
};
/* "none", "good", "blocked" */
const char *rk_verdict_name(enum rk_verdict verdict);

struct rk_level_note {
	const char *build_id;
	uint64_t level;
	enum rk_verdict verdict;
	bool was_good;	      /* it had been good before it was blocked */
	int64_t at;	      /* seconds since 1970: when the verdict was given */
	const char *load;     /* id of the load (intent.h) that gave it; "" */
	const char *code;     /* of a block: a word as in last_error, or RK_CODE_ROLLED_BACK; "" */
	const char *reason;   /* the same in words; "" */
	unsigned int unclean; /* boots in a row that ended without shutdown while it was loaded */
};

enum rk_freeze_kind {
	RK_FREEZE_NONE,
	RK_FREEZE_LEVEL,
	RK_FREEZE_DATE,
	RK_FREEZE_LOST, /* the state was damaged: until somebody freezes anew, or not, nothing is loaded by itself */
	RK_FREEZES
};
/* "none", "level", "date", "lost" */
const char *rk_freeze_name(enum rk_freeze_kind kind);

struct rk_freeze {
	enum rk_freeze_kind kind;
	uint64_t level; /* this and older ones are allowed */
	int64_t date;	/* seconds since 1970: those released until then are */
};

/* The last load that went through: whether this boot's end was a shutdown is known by stopped. */
struct rk_loaded_state {
	const char *build_id; /* "": none */
	uint64_t level;
	const char *name, *boot_id, *load;
	int64_t at;
	uint32_t transition_ms;
	bool stopped; /* the host was shut down in order after this */
};

struct rk_last {
	int64_t at;	  /* 0: never */
	const char *code; /* "ok", or stable name of what failed */
	const char *text; /* one line; "" */
	uint64_t level;	  /* concerned; 0 none */
};

struct rk_host_state {
	struct rk_arena arena; /* all strings */
	bool damaged; /* there is a file that can't be believed; rk_host_state_write() sets it aside */
	const char *problem; /* then why */
	rk_vec(struct rk_level_note) levels;
	struct rk_freeze freeze;
	struct rk_loaded_state loaded;
	struct rk_last last_check; /* of the repository */
	struct rk_last last_error; /* of load, unload, boot; code "" when the last one went well */
	uint64_t available;	   /* newest level the repository had for build_id below; 0 */
	const char *available_build_id;
	uint64_t seen_root, seen_timestamp; /* versions the last update accepted; 0: none yet */
	int64_t highest_time; /* the latest time seen: the clock was set back if it is smaller */
};

/* Absent: an empty state. A damaged one: damaged and problem are set, frozen as RK_FREEZE_LOST, empty else; the file stays.
 * Errors: RK_ERR_NOMEM, RK_ERR_SYS (the disk fails). */
struct rk_err *rk_host_state_read(const struct rk_host *host, struct rk_host_state **ret)
	__must_use;
/* Whole and durable. Sets highest_time. */
struct rk_err *rk_host_state_write(const struct rk_host *host, struct rk_host_state *state)
	__must_use;
void rk_host_state_free(struct rk_host_state *state);
/* Errors: RK_ERR_FORMAT with the key that is wrong. */
struct rk_err *rk_host_state_parse(const char *name, const char *json, size_t len,
				   struct rk_host_state **ret) __must_use;
struct rk_err *rk_host_state_to_json(const struct rk_host_state *state, char **ret) __must_use;

/* NULL: nothing is known of it. */
const struct rk_level_note *rk_host_state_find(const struct rk_host_state *state,
					       const char *build_id, uint64_t level);
/* The same to be changed, made if it isn't there; valid until the next one is made. */
struct rk_err *rk_host_state_note(struct rk_host_state *state, const char *build_id, uint64_t level,
				  struct rk_level_note **ret) __must_use;
/* Whether note blocks a level of that kernel above this one: below it nothing comes by itself that wasn't good here. */
bool rk_level_note_blocks_above(const struct rk_level_note *note, const char *build_id,
				uint64_t level);
/* RK_VERDICT_NONE when nothing is known of it, or no state is (NULL). */
enum rk_verdict rk_host_state_verdict(const struct rk_host_state *state, const char *build_id,
				      uint64_t level);
struct rk_err *rk_host_state_set_good(struct rk_host_state *state, const char *build_id,
				      uint64_t level, const char *load, int64_t at) __must_use;
struct rk_err *rk_host_state_block(struct rk_host_state *state, const char *build_id,
				   uint64_t level, const char *code, const char *reason, int64_t at)
	__must_use;
/* Forgets what is known of it; unknown is success. */
void rk_host_state_unblock(struct rk_host_state *state, const char *build_id, uint64_t level);

/* Sets state->loaded; strings are copied. */
struct rk_err *rk_host_state_set_loaded(struct rk_host_state *state,
					const struct rk_loaded_state *loaded) __must_use;
struct rk_err *rk_host_state_forget_loaded(struct rk_host_state *state) __must_use;
/* Sets one of the rk_last: strings are copied. text may be NULL. */
struct rk_err *rk_host_state_set_last(struct rk_host_state *state, struct rk_last *last, int64_t at,
				      const char *code, const char *text, uint64_t level)
	__must_use;

/* "none", a level ("12"), or a date ("2026-11-30" is the end of that day in UTC, or RFC 3339 in UTC). RK_ERR_INVALID for else. */
struct rk_err *rk_freeze_parse(const char *text, struct rk_freeze *ret) __must_use;
/* "none", "level 12", "2026-11-30T23:59:59Z"; in arena, NULL without memory. */
const char *rk_freeze_text(const struct rk_freeze *freeze, struct rk_arena *arena);

static inline void rk_cleanup_host_state(struct rk_host_state **state)
{
	rk_host_state_free(*state);
}
#define _cleanup_host_state_ _cleanup_(rk_cleanup_host_state)

#endif
