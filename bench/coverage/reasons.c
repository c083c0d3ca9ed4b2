/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why refusals are inherent is a judgement, made by hand with the patch in view: a file of its own, beside the table of CVEs. */
#include <string.h>

#include "bench/coverage/report.h"

static struct rk_err *bad(const char *name, size_t line, const char *what)
{
	return rk_err(RK_ERR_FORMAT, "'%s' line %zu: %s", name, line, what);
}

static struct rk_err *take_reason(const char *name, size_t number, const char *line, size_t len,
				  json_t *reasons)
{
	const char *tab = memchr(line, '\t', len);

	if (!len || *line == '#')
		return NULL;
	if (!rk_has_prefix(line, "CVE-"))
		return bad(name, number, "no CVE id");
	if (!tab || tab + 1 == line + len)
		return bad(name, number, "there is no reason");
	_cleanup_free_ char *cve = strndup(line, (size_t)(tab - line));
	json_t *reason = json_stringn(tab + 1, (size_t)(line + len - tab - 1));
	if (!reason)
		return bad(name, number, "the reason isn't text");
	if (cve && json_object_get(reasons, cve)) {
		json_decref(reason);
		return bad(name, number, "it is there twice");
	}
	return cve && json_object_set_new(reasons, cve, reason) == 0 ? NULL : rk_err_nomem();
}

struct rk_err *cov_reasons_parse(const char *name, const char *text, size_t size, json_t **ret)
{
	json_t *reasons = json_object();
	struct rk_err *err = reasons ? NULL : rk_err_nomem();
	size_t number = 0;

	for (const char *p = text; p < text + size && !err;) {
		const char *end = memchr(p, '\n', (size_t)(text + size - p));
		size_t len = (size_t)((end ? end : text + size) - p);
		err = take_reason(name, ++number, p, len, reasons);
		p += len + (end != NULL);
	}
	if (err) {
		json_decref(reasons);
		return err;
	}
	*ret = reasons;
	return NULL;
}
