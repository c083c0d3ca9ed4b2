/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats reports for the reporter's callbacks; one that can't be formatted for want of memory is dropped. */
#include "lib/base/progress.h"

#include <stdarg.h>

void rk_report_phase(const struct rk_reporter *r, const char *phase, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	if (!r || !r->phase)
		return;
	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		text = NULL;
	else
		r->phase(r->ctx, phase, text);
}

void rk_report_advance(const struct rk_reporter *r, uint64_t done, uint64_t total, const char *unit)
{
	if (r && r->advance)
		r->advance(r->ctx, done, total, unit);
}

void rk_report_note(const struct rk_reporter *r, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	if (!r || !r->note)
		return;
	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		text = NULL;
	else
		r->note(r->ctx, text);
}
