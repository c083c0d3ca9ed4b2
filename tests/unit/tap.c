/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of tap.h. A failed one says where it stands, what came and what should have come. */
#include "tests/unit/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"

static unsigned int nr_run;
static unsigned int nr_failed;
static char *tmpdir;

/* Diagnostics may span lines: each gets its '#', or a line "not ok" in them would count. */
static void comment(const char *text)
{
	for (;;) {
		size_t len = strcspn(text, "\n");

		printf("# %.*s\n", (int)len, text);
		text += len;
		if (!*text++)
			break;
	}
}

static __printf(1, 0) void vcomment(const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		abort();
	}
	comment(text);
}

void diag(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomment(fmt, ap);
	va_end(ap);
}

void bail_out(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	exit(1);
}

void tap_must(const char *file, int line, struct rk_err *err)
{
	if (err)
		bail_out("%s:%d: %s", file, line, rk_err_message(err));
}

static bool report(const char *file, int line, bool passed, const char *name)
{
	nr_run++;
	/* '#' in a name would start a directive. */
	printf("%sok %u - ", passed ? "" : "not ", nr_run);
	for (; *name; name++)
		putchar(*name == '#' || *name == '\n' ? ' ' : *name);
	putchar('\n');
	if (!passed) {
		nr_failed++;
		diag("at %s:%d", file, line);
	}
	fflush(stdout);
	return passed;
}

bool tap_ok(const char *file, int line, bool passed, const char *fmt, ...)
{
	_cleanup_free_ char *name = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&name, fmt, ap) < 0)
		abort();
	va_end(ap);
	return report(file, line, passed, name);
}

bool tap_is_int(const char *file, int line, long long got, long long want, const char *name)
{
	if (report(file, line, got == want, name))
		return true;
	diag(" got: %lld", got);
	diag("want: %lld", want);
	return false;
}

static bool is_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool check_str(const char *file, int line, const char *got, const char *want,
		      const char *name, bool passed)
{
	if (report(file, line, passed, name))
		return true;
	diag(" got: %s%s%s", got ? "'" : "", got ? got : "NULL", got ? "'" : "");
	diag("want: %s%s%s", want ? "'" : "", want ? want : "NULL", want ? "'" : "");
	return false;
}

bool tap_is_str(const char *file, int line, const char *got, const char *want, const char *name)
{
	return check_str(file, line, got, want, name, is_equal(got, want));
}

bool tap_is_mem(const char *file, int line, const void *got, size_t got_len, const void *want,
		size_t want_len, const char *name)
{
	const unsigned char *a = got;
	const unsigned char *b = want;
	size_t i = 0;

	while (i < got_len && i < want_len && a[i] == b[i])
		i++;
	if (report(file, line, got_len == want_len && i == got_len, name))
		return true;
	diag("%zu bytes, want %zu; first difference at %zu", got_len, want_len, i);
	if (i < got_len && i < want_len)
		diag("got 0x%02x, want 0x%02x", a[i], b[i]);
	return false;
}

bool tap_no_err(const char *file, int line, struct rk_err *err, const char *name)
{
	_cleanup_err_ struct rk_err *owned = err;

	if (report(file, line, !owned, name))
		return true;
	diag("error %s: %s", rk_err_code_name(rk_err_code(owned)), rk_err_message(owned));
	return false;
}

static bool check_err(const char *file, int line, struct rk_err *err, enum rk_err_code code,
		      const char *want, bool is_part, const char *name)
{
	_cleanup_err_ struct rk_err *owned = err;
	const char *message = owned ? rk_err_message(owned) : NULL;
	bool passed = owned && rk_err_code(owned) == code &&
		      (is_part ? strstr(message, want) != NULL : strcmp(message, want) == 0);

	if (report(file, line, passed, name))
		return true;
	if (owned)
		diag(" got: %s: %s", rk_err_code_name(rk_err_code(owned)), message);
	else
		diag(" got: success");
	diag("want: %s: %s%s", rk_err_code_name(code), is_part ? "… " : "", want);
	return false;
}

bool tap_is_err(const char *file, int line, struct rk_err *err, enum rk_err_code code,
		const char *message, const char *name)
{
	return check_err(file, line, err, code, message, false, name);
}

bool tap_is_err_like(const char *file, int line, struct rk_err *err, enum rk_err_code code,
		     const char *part, const char *name)
{
	return check_err(file, line, err, code, part, true, name);
}

void skip(const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("ok %u - %s # SKIP ", ++nr_run, name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

const char *tap_tmpdir(void)
{
	if (!tmpdir) {
		const char *base = getenv("TMPDIR");

		must(rk_fs_mkdtemp(base && *base ? base : "/tmp", "rk-test-", &tmpdir));
	}
	return tmpdir;
}

int done_testing(void)
{
	if (tmpdir) {
		_cleanup_err_ struct rk_err *err = rk_fs_remove_tree(tmpdir);

		if (err)
			diag("%s", rk_err_message(err));
		free(take_ptr(tmpdir));
	}
	printf("1..%u\n", nr_run);
	return nr_run > 0 && nr_failed == 0 ? 0 : 1;
}
