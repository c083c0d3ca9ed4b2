// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A header of any bytes: its declarations lie within its tokens, it doesn't differ from itself, and what half of it
 * declares can be compared with the whole.
 */
#include <string.h>

#include "lib/source/declarations.h"
#include "tests/fuzz/fuzz.h"

static bool on_mention(void *ctx, enum rk_mention how, const struct rk_token *name)
{
	const struct rk_decls *decls = ctx;
	const char *end = decls->tokens.text + strlen(decls->tokens.text);

	/* A NUL in the text ends the string, not the text. */
	if (name->len == 0 || name->s < decls->tokens.text ||
	    (name->s < end && name->s + name->len > end))
		abort();
	return true;
}

static void check(const struct rk_decls *decls)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	rk_vec_for_each(&decls->list, decl) {
		if (decl->first > decl->end || decl->end > decls->tokens.list.nr ||
		    (decl->kind == RK_DECL_OTHER) != (*decl->name == '\0'))
			abort();
		rk_decl_text(decls, decl, &text);
		rk_decl_mentions(decls, decl, on_mention, (void *)decls);
	}
}

static size_t differences(const struct rk_decls *a, const struct rk_decls *b)
{
	struct rk_decl_changes changes = {};
	_cleanup_err_ struct rk_err *err = rk_decls_compare(a, b, &changes);
	size_t nr = changes.list.nr;

	rk_decl_changes_deinit(&changes);
	return nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_decls_ struct rk_decls *whole = NULL, *half = NULL;
	_cleanup_err_ struct rk_err *err = NULL;

	/* Conditions without end are read again for each declaration in them. */
	if (size > 16384)
		return 0;
	err = rk_decls_parse((const char *)data, size, &whole);
	if (err)
		abort();
	err = rk_decls_parse((const char *)data, size / 2, &half);
	if (err)
		abort();
	check(whole);
	check(half);
	if (differences(whole, whole))
		abort();
	differences(half, whole);
	return 0;
}
