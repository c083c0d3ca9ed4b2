/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/readykernel.conf: lines "key = value", "#" begins a comment, blank lines mean nothing. A value may stand in double quotes.
 * An unknown key is an error that names the nearest known one; every error names file and line. An absent file is all
 * defaults. readykernel.conf(5) describes each key; the table rk_settings_keys is the one source of keys and defaults.
 */
#ifndef RK_HOST_SETTINGS_H
#define RK_HOST_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/trust/names.h"

#define RK_SETTINGS_MAX	    (256u << 10) /* bytes of the file */
#define RK_SETTINGS_NO_HOUR 24		 /* autoupdate_hour: any hour */

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

struct rk_settings {
	struct rk_arena arena; /* all strings */

	const char
		*repository; /* http:, https: or file: URL without a slash at the end; "": none */
	enum rk_channel channel;
	bool autoupdate;		   /* the timer may update */
	unsigned int autoupdate_hour;	   /* 0 … 23, RK_SETTINGS_NO_HOUR */
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
	uint64_t minimum_speed;	      /* bytes/s, over 30 s */
	uint64_t
		metadata_limit; /* bytes of one file of metadata; lib/trust has limits of its own */
	uint64_t module_limit;	/* bytes of one module */

	const char *metrics_file; /* absolute; written when its directory exists; "": none */
	const char *report_url;	  /* where health pings go; "": they stay queued */
};

/* All defaults. */
struct rk_err *rk_settings_create(struct rk_settings **ret) __must_use;
void rk_settings_free(struct rk_settings *settings);

/* Reads file; absent: defaults. Errors: RK_ERR_FORMAT "'<file>' line 3: …", RK_ERR_LIMIT, RK_ERR_SYS. With ret_problems
 * (may be NULL) every faulty line is one problem and its default stands; then only RK_ERR_SYS, RK_ERR_LIMIT and
 * RK_ERR_NOMEM are errors: so that a typing error doesn't leave a host without patches. */
struct rk_settings_problem {
	unsigned int line;
	const char *
		text; /* "unknown key 'chanel' (did you mean 'channel'?)"; in the settings' arena */
};
struct rk_settings_problems {
	struct rk_settings_problem *v;
	size_t nr, cap;
};
struct rk_err *rk_settings_read(const char *file, struct rk_settings **ret,
				struct rk_settings_problems *ret_problems) __must_use;
/* The same from bytes; name stands in messages. */
struct rk_err *rk_settings_parse(const char *name, const char *text, size_t len,
				 struct rk_settings **ret,
				 struct rk_settings_problems *ret_problems) __must_use;

/* Sets key to value in file: the line that sets it changes in place, a commented-out "#key = " gets its line behind it, else a
 * line is added; every other byte stays. Whole or not at all; a symbolic link is followed, the mode stays. An absent file is made.
 * Errors: RK_ERR_INVALID (unknown key, value that isn't one), RK_ERR_SYS; RK_ERR_FORMAT never: other lines aren't judged. */
struct rk_err *rk_settings_set(const char *file, const char *key, const char *value) __must_use;
/* What rk_settings_set() makes of text. */
struct rk_err *rk_settings_edit(const char *text, size_t len, const char *key, const char *value,
				struct rk_str *ret) __must_use;

/* Every key, in the order of the page: what the reader goes by, `readykernel doctor`, completion, and the page's test. */
struct rk_settings_key {
	const char *name;
	const char *fallback; /* the default as it would be written */
	const char *value;    /* "URL", "SECONDS", "yes|no" … */
	const char *summary;
	enum rk_settings_kind {
		RK_SETTINGS_URL,
		RK_SETTINGS_PATH,    /* absolute, or empty */
		RK_SETTINGS_BOOL,    /* yes, no */
		RK_SETTINGS_NUMBER,  /* unsigned int from minimum to maximum */
		RK_SETTINGS_SECONDS, /* the same; s, m, h, d may follow */
		RK_SETTINGS_HOUR,    /* 0 to 23, "any" */
		RK_SETTINGS_BYTES,   /* uint64_t; K, M, G may follow */
		RK_SETTINGS_CHOICE,  /* an enum: one of the words of value, in its order */
	} kind;
	size_t offset; /* in struct rk_settings */
	uint64_t minimum, maximum;
};
extern const struct rk_settings_key rk_settings_keys[];		  /* ends with name NULL */
const struct rk_settings_key *rk_settings_find(const char *name); /* NULL: no such key */
/* The value of key in settings as it would be written; *ret in arena. */
struct rk_err *rk_settings_show(const struct rk_settings *settings,
				const struct rk_settings_key *key, struct rk_arena *arena,
				const char **ret) __must_use;

static inline void rk_cleanup_settings(struct rk_settings **config)
{
	rk_settings_free(*config);
}
#define _cleanup_settings_ _cleanup_(rk_cleanup_settings)

#endif
