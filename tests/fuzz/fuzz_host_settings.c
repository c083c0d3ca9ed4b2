/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/readykernel.conf: whatever stands in it, settings come out that can be written and read back; and setting a key changes that
 * key only.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/host/settings.h"
#include "tests/fuzz/fuzz.h"

static char *show_all(const struct rk_settings *settings)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	char *text = NULL;

	for (const struct rk_settings_key *key = rk_settings_keys; key->name; key++) {
		const char *value = NULL;
		struct rk_err *err = rk_settings_show(settings, key, &arena, &value);

		if (err)
			abort();
		rk_str_addf(&out, "%s = %s%s%s\n", key->name, strchr(value, '"') ? "" : "\"", value,
			    strchr(value, '"') ? "" : "\"");
	}
	if (rk_str_take(&out, &text))
		abort();
	return text;
}

static void check_edit(const char *text, size_t size)
{
	_cleanup_str_ struct rk_str edited = RK_STR_INIT;
	_cleanup_settings_ struct rk_settings *before = NULL, *after = NULL;
	struct rk_settings_problems problems = {}, more = {};
	struct rk_err *err = rk_settings_parse("f", text, size, &before, &problems);

	if (!err)
		err = rk_settings_edit(text, size, "crash_limit", "77", &edited);
	if (!err)
		err = rk_settings_parse("f", rk_str_get(&edited), edited.len, &after, &more);
	/* a key that stands twice is a problem before and after, and the first one counts */
	if (!err && after->crash_limit != 77 && !more.nr)
		abort();
	if (!err && (more.nr > problems.nr || after->spread != before->spread ||
		     after->channel != before->channel))
		abort();
	free(problems.v);
	free(more.v);
	rk_err_free(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_settings_ struct rk_settings *settings = NULL, *again = NULL;
	struct rk_settings_problems problems = {};
	_cleanup_err_ struct rk_err *err =
		rk_settings_parse("f", (const char *)data, size, &settings, &problems);

	free(problems.v);
	if (err)
		return 0;
	_cleanup_free_ char *first = show_all(settings);
	_cleanup_err_ struct rk_err *second =
		rk_settings_parse("f", first, strlen(first), &again, NULL);
	if (!second) {
		_cleanup_free_ char *shown = show_all(again);

		if (strcmp(first, shown) != 0)
			abort();
	} else if (!strchr(first, '"')) {
		abort();
	}
	check_edit((const char *)data, size);
	return 0;
}
