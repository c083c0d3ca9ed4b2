/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one error pattern of userland: a function that can fail returns struct rk_err *, NULL is
 * success, and the caller owns the error. An error has a stable code, an errno where a system call
 * failed, and a message that grows outward: rk_err_wrap(err, "cannot open '%s'", p) puts its text and ": "
 * before what was there. Text, --json and HTTP show the same error.
 */
#ifndef RK_BASE_ERR_H
#define RK_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

#include "lib/base/cleanup.h"

/* Stable: the names (rk_err_code_name) are part of --json. Append only. */
enum rk_err_code {
	RK_ERR_NOMEM,	    /* out of memory */
	RK_ERR_SYS,	    /* a system call failed: errno is set */
	RK_ERR_INVALID,	    /* an argument or a combination of options makes no sense */
	RK_ERR_FORMAT,	    /* outside bytes are not what they should be */
	RK_ERR_NOT_FOUND,   /* a file, package, symbol or target isn't there */
	RK_ERR_MISMATCH,    /* two things that must agree don't (versions, compilers, build-ids) */
	RK_ERR_UNSUPPORTED, /* well-formed, but not what we can handle */
	RK_ERR_TOOL,	    /* a program we ran failed (gcc, apt-get, objtool, qemu) */
	RK_ERR_PATCH,	    /* a source patch does not apply */
	RK_ERR_COMPILE,	    /* the compiler refused a translation unit */
	RK_ERR_VERDICT,	    /* a negative verdict: exit status 3 */
	RK_ERR_TIMEOUT,	    /* something took longer than its limit */
	RK_ERR_NETWORK,	    /* a server, or the way to it, failed */
	RK_ERR_INTERRUPTED, /* the user asked us to stop */
	RK_ERR_LIMIT,	    /* a named limit was exceeded */
	RK_ERR_INTERNAL,    /* parts of the program disagree: our mistake, not the user's */
	/* What was fetched isn't to be trusted: the first of these to the last (rk_err_is_distrust()). */
	RK_ERR_KEY,	  /* not signed by any key that may sign it */
	RK_ERR_SIGNATURE, /* a signature doesn't hold: the bytes or the role aren't what was signed */
	RK_ERR_THRESHOLD, /* fewer keys signed it than must */
	RK_ERR_CHAIN,	  /* a root doesn't follow from the one before */
	RK_ERR_EXPIRED,	  /* it was valid, and isn't any more */
	RK_ERR_CLOCK,	  /* this host's clock, or the signer's, is wrong */
	RK_ERR_ROLLBACK,  /* older than what was seen before */
	RK_ERR_MIX,  /* signed, but not what belongs here: another kernel's, channel's or time's */
	RK_ERR_HASH, /* length or SHA-256 differ from what was signed */
	RK_ERR_TARGET,	  /* a module that isn't for this kernel, or not the one it is listed as */
	RK_ERR_NAME,	  /* a name that could lead elsewhere */
	RK_ERR_TOO_LARGE, /* more bytes than there may be */
	RK_ERR_BUNDLE,	  /* an entry that a bundle must not have */
	RK_ERR_STATE,	  /* the trusted state on this host was changed by somebody else */
	RK_ERR_WITNESS, /* the trusted state is gone, and what else is known here has seen newer */
	/* … to here. */
	RK_ERR_SERVER,	 /* the server was reached, and has trouble of its own */
	RK_ERR_NEWER,	 /* in a newer form than this program knows */
	RK_ERR_NO_ROOT,	 /* there is no root to trust anything by */
	RK_ERR_NO_SYSFS, /* the kernel shows nothing of itself: /sys isn't mounted */
	RK_ERR_CODES
};

struct rk_err;

/* A new error. Never returns NULL: without memory it is the static out-of-memory error. */
struct rk_err *rk_err(enum rk_err_code code, const char *fmt, ...) __must_use __printf(2, 3)
	__attribute__((returns_nonnull));
struct rk_err *rk_verr(enum rk_err_code code, const char *fmt, va_list ap) __must_use __printf(2, 0)
	__attribute__((returns_nonnull));

/* A failed system call: code RK_ERR_SYS, message "<text>: <strerror(sys_errno)>". */
struct rk_err *rk_err_sys(int sys_errno, const char *fmt, ...) __must_use __printf(2, 3)
	__attribute__((returns_nonnull));

/* The static out-of-memory error; freeing it does nothing. */
struct rk_err *rk_err_nomem(void) __must_use __attribute__((returns_nonnull));

/* Puts "<text>: " before err's message; err is consumed, NULL stays NULL. */
struct rk_err *rk_err_wrap(struct rk_err *err, const char *fmt, ...) __must_use __printf(2, 3);

enum rk_err_code rk_err_code(const struct rk_err *err);

/* The errno of the failed call, 0 if none failed. */
int rk_err_errno(const struct rk_err *err);

/* The whole message, without a newline at the end; valid as long as err. May span lines only where
 * it quotes another program's output. */
const char *rk_err_message(const struct rk_err *err);

/* True for an error that says: don't trust this. */
static inline bool rk_err_code_is_distrust(enum rk_err_code code)
{
	return code >= RK_ERR_KEY && code <= RK_ERR_WITNESS;
}
static inline bool rk_err_is_distrust(const struct rk_err *err)
{
	return rk_err_code_is_distrust(rk_err_code(err));
}

/* "no-memory", "system", …: the stable names used in --json. */
const char *rk_err_code_name(enum rk_err_code code);
/* The code of that name; RK_ERR_CODES: none. */
enum rk_err_code rk_err_code_named(const char *name);

/* NULL is allowed. */
void rk_err_free(struct rk_err *err);

static inline void rk_cleanup_err(struct rk_err **err)
{
	rk_err_free(*err);
}

#define _cleanup_err_ _cleanup_(rk_cleanup_err)

/* Returns from the calling function when expr is an error. */
#define RK_TRY(expr)                          \
	do {                                  \
		struct rk_err *_err = (expr); \
		if (_err)                     \
			return _err;          \
	} while (0)

#endif
