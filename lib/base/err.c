/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error is one allocation of a code, an errno and a message. Where even that fails, one static
 * out-of-memory error stands in for it, so that no caller has to handle an error about an error.
 */
#include "lib/base/err.h"

#include <string.h>

struct rk_err {
	enum rk_err_code code;
	int sys_errno;
	char *message;
};

static struct rk_err nomem = {RK_ERR_NOMEM, 0, (char *)"out of memory"};

static const char *const code_names[RK_ERR_CODES] = {
	[RK_ERR_NOMEM] = "no-memory",
	[RK_ERR_SYS] = "system",
	[RK_ERR_INVALID] = "invalid",
	[RK_ERR_FORMAT] = "format",
	[RK_ERR_NOT_FOUND] = "not-found",
	[RK_ERR_MISMATCH] = "mismatch",
	[RK_ERR_UNSUPPORTED] = "unsupported",
	[RK_ERR_TOOL] = "tool",
	[RK_ERR_PATCH] = "patch",
	[RK_ERR_COMPILE] = "compile",
	[RK_ERR_VERDICT] = "verdict",
	[RK_ERR_TIMEOUT] = "timeout",
	[RK_ERR_NETWORK] = "network",
	[RK_ERR_INTERRUPTED] = "interrupted",
	[RK_ERR_LIMIT] = "limit",
	[RK_ERR_INTERNAL] = "internal",
	[RK_ERR_KEY] = "key",
	[RK_ERR_SIGNATURE] = "signature",
	[RK_ERR_THRESHOLD] = "threshold",
	[RK_ERR_CHAIN] = "root-chain",
	[RK_ERR_EXPIRED] = "expired",
	[RK_ERR_CLOCK] = "clock",
	[RK_ERR_ROLLBACK] = "rollback",
	[RK_ERR_MIX] = "mix",
	[RK_ERR_HASH] = "hash",
	[RK_ERR_TARGET] = "target",
	[RK_ERR_NAME] = "name",
	[RK_ERR_TOO_LARGE] = "too-large",
	[RK_ERR_BUNDLE] = "bundle-entry",
	[RK_ERR_STATE] = "state",
	[RK_ERR_WITNESS] = "witness",
	[RK_ERR_SERVER] = "server",
	[RK_ERR_NEWER] = "newer",
	[RK_ERR_NO_ROOT] = "no-root",
	[RK_ERR_NO_SYSFS] = "no-sysfs",
};

/* Takes message, which may be NULL when it couldn't be made. */
static struct rk_err *err_new(enum rk_err_code code, int sys_errno, char *message)
{
	struct rk_err *err = message ? malloc(sizeof(*err)) : NULL;

	if (!err) {
		free(message);
		return &nomem;
	}
	err->code = code;
	err->sys_errno = sys_errno;
	err->message = message;
	return err;
}

static __printf(1, 0) char *format(const char *fmt, va_list ap)
{
	char *s;

	return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

struct rk_err *rk_verr(enum rk_err_code code, const char *fmt, va_list ap)
{
	return err_new(code, 0, format(fmt, ap));
}

struct rk_err *rk_err(enum rk_err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	struct rk_err *err = rk_verr(code, fmt, ap);
	va_end(ap);
	return err;
}

struct rk_err *rk_err_sys(int sys_errno, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	_cleanup_free_ char *text = format(fmt, ap);
	va_end(ap);

	char *message = NULL;
	if (text && asprintf(&message, "%s: %s", text, strerror(sys_errno)) < 0)
		message = NULL;
	return err_new(RK_ERR_SYS, sys_errno, message);
}

struct rk_err *rk_err_nomem(void)
{
	return &nomem;
}

struct rk_err *rk_err_wrap(struct rk_err *err, const char *fmt, ...)
{
	if (!err || err == &nomem)
		return err;

	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *text = format(fmt, ap);
	va_end(ap);

	char *message;
	/* Without memory the inner message alone is better than none. */
	if (!text || asprintf(&message, "%s: %s", text, err->message) < 0)
		return err;
	free(err->message);
	err->message = message;
	return err;
}

enum rk_err_code rk_err_code(const struct rk_err *err)
{
	return err->code;
}

int rk_err_errno(const struct rk_err *err)
{
	return err->sys_errno;
}

const char *rk_err_message(const struct rk_err *err)
{
	return err->message;
}

const char *rk_err_code_name(enum rk_err_code code)
{
	return code < RK_ERR_CODES ? code_names[code] : "unknown";
}

enum rk_err_code rk_err_code_named(const char *name)
{
	unsigned int code = 0;

	while (code < RK_ERR_CODES && strcmp(code_names[code], name) != 0)
		code++;
	return (enum rk_err_code)code;
}

void rk_err_free(struct rk_err *err)
{
	if (!err || err == &nomem)
		return;
	free(err->message);
	free(err);
}
