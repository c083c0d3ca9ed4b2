/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/readykernel.conf: lines "key = value", "#" begins a comment, blank lines mean nothing. A value may stand in double quotes.
 * An unknown key is an error that names the nearest known one; every error names file and line. An absent file is all
 * defaults. readykernel.conf(5) describes each key; the table in config_keys.def is the one source of keys and defaults.
 */
#ifndef RK_HOST_CONFIG_H
#define RK_HOST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"

#define RK_CONFIG_MAX	  (256u << 10) /* bytes of the file */
#define RK_CONFIG_NO_HOUR 24	       /* autoupdate_hour: any hour */

enum rk_channel {
	RK_CHANNEL_STABLE,
	RK_CHANNEL_EARLY,
	RK_CHANNEL_TEST,
	RK_CHANNELS
};
enum rk_on_warning {
	RK_ON_WARNING_ROLLBACK,
	RK_ON_WARNING_KEEP,
	RK_ON_WARNINGS
};
enum rk_unsigned {
	RK_UNSIGNED_ALLOW,
	RK_UNSIGNED_REFUSE,
	RK_UNSIGNEDS
};

/* "stable", "early", "test": as in the repository's paths. */
const char *rk_channel_name(enum rk_channel channel);

struct rk_config {
	struct rk_arena arena; /* all strings */

	const char
		*repository; /* http:, https: or file: URL without a slash at the end; "": none */
	enum rk_channel channel;
	bool autoupdate;		   /* the timer may update */
	unsigned int autoupdate_hour;	   /* 0 … 23, RK_CONFIG_NO_HOUR */
	unsigned int spread;		   /* s: updates start after a random time up to this */
	bool autoload;			   /* load at boot and after an update */
	enum rk_unsigned unsigned_modules; /* modules without a signature for the kernel */

	unsigned int transition_wait;  /* s until tasks in the way are signalled */
	unsigned int transition_limit; /* s after that until the load is reversed */
	unsigned int quiet_time;       /* s a new level is watched before it is good */
	unsigned int
		crash_window; /* s after a load: a host that goes down in them blocks the level; 0: never */
	unsigned int
		crash_limit; /* boots in a row that ended without a shutdown: then the level is blocked; 0: never */
	enum rk_on_warning on_warning; /* the kernel log names the patch in an oops or warning */
	unsigned int keep_levels; /* installed levels kept for a kernel besides the loaded one */

	const char *proxy;	      /* URL; "": as the environment of the caller says */
	unsigned int connect_timeout; /* s */
	unsigned int fetch_timeout;   /* s for one file */
	unsigned int minimum_speed;   /* bytes/s, over 30 s */
	uint64_t metadata_limit;      /* bytes of one file of metadata */
	uint64_t module_limit;	      /* bytes of one module */

	const char *metrics_file; /* absolute; written when its directory exists; "": none */
	const char *report_url;	  /* where health pings go; "": they stay queued */
};

/* All defaults. */
struct rk_err *rk_config_create(struct rk_config **ret) __must_use;
void rk_config_free(struct rk_config *config);

/* Reads file; absent: defaults. Errors: RK_ERR_FORMAT "'<file>' line 3: …", RK_ERR_LIMIT, RK_ERR_SYS. With ret_problems
 * (may be NULL) every faulty line is one problem and its default stands; then only RK_ERR_SYS, RK_ERR_LIMIT and
 * RK_ERR_NOMEM are errors: so that a typing error doesn't leave a host without patches. */
struct rk_config_problem {
	unsigned int line;
	const char
		*text; /* "unknown key 'chanel' (did you mean 'channel'?)"; in the config's arena */
};
struct rk_config_problems {
	struct rk_config_problem *v;
	size_t nr, cap;
};
struct rk_err *rk_config_read(const char *file, struct rk_config **ret,
			      struct rk_config_problems *ret_problems) __must_use;
/* The same from bytes; name stands in messages. */
struct rk_err *rk_config_parse(const char *name, const char *text, size_t len,
			       struct rk_config **ret, struct rk_config_problems *ret_problems)
	__must_use;

/* Sets key to value in file: the line that sets it changes in place, a commented-out "#key = " gets its line behind it, else a
 * line is added; every other byte stays. Whole or not at all; a symbolic link is followed, mode and owner stay. An absent file is made.
 * Errors: RK_ERR_INVALID (unknown key, value that isn't one), RK_ERR_SYS; RK_ERR_FORMAT never: other lines aren't judged. */
struct rk_err *rk_config_set(const char *file, const char *key, const char *value) __must_use;
/* What rk_config_set() makes of text. */
struct rk_err *rk_config_edit(const char *text, size_t len, const char *key, const char *value,
			      struct rk_str *ret) __must_use;

/* Every key, in the order of the page: for `readykernel doctor`, the man page's test and completion. */
struct rk_config_key {
	const char *name, *fallback; /* the default as it would be written */
	const char *value;	     /* "URL", "SECONDS", "yes|no" … */
	const char *summary;
};
extern const struct rk_config_key rk_config_keys[]; /* ends with name NULL */
/* The value of key in config as it would be written; *ret in arena. */
struct rk_err *rk_config_show(const struct rk_config *config, const char *key,
			      struct rk_arena *arena, const char **ret) __must_use;

static inline void rk_cleanup_config(struct rk_config **config)
{
	rk_config_free(*config);
}
#define _cleanup_config_ _cleanup_(rk_cleanup_config)

#endif
