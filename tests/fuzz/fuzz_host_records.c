/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host keeps of itself. The first byte says which: state, intent, a level's record, a line of the kernel log. What is read is
 * written and read again to the same. */
#include <stdlib.h>
#include <string.h>

#include "lib/host/intent.h"
#include "lib/host/kmsg.h"
#include "lib/host/patches.h"
#include "lib/host/state.h"
#include "tests/fuzz/fuzz.h"

static struct rk_err *rewrite_state(const char *text, size_t len, char **ret)
{
	_cleanup_host_state_ struct rk_host_state *state = NULL;

	RK_TRY(rk_host_state_parse("f", text, len, &state));
	return rk_host_state_to_json(state, ret);
}

static struct rk_err *rewrite_intent(const char *text, size_t len, char **ret)
{
	_cleanup_intent_ struct rk_intent *intent = NULL;

	RK_TRY(rk_intent_parse("f", text, len, &intent));
	return rk_intent_to_json(intent, ret);
}

static struct rk_err *rewrite_patch(const char *text, size_t len, char **ret)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_patch patch;

	RK_TRY(rk_patch_parse("f", text, len, &arena, &patch));
	return rk_patch_to_json(&patch, ret);
}

static void check(struct rk_err *(*rewrite)(const char *text, size_t len, char **ret),
		  const char *text, size_t len)
{
	_cleanup_free_ char *first = NULL, *second = NULL;
	_cleanup_err_ struct rk_err *err = rewrite(text, len, &first);

	if (err)
		return;
	_cleanup_err_ struct rk_err *again = rewrite(first, strlen(first), &second);
	if (again || strcmp(first, second) != 0)
		abort();
}

static void check_kmsg(const char *text, size_t len)
{
	_cleanup_free_ char *record = calloc(1, len + 1);
	unsigned int priority = 8;
	uint64_t sequence;
	const char *line;

	if (record)
		memcpy(record, text, len);
	if (record && rk_kmsg_parse(record, &priority, &sequence, &line) &&
	    (priority > 7 || strchr(line, '\n') || line < record || line > record + len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (!size)
		return 0;
	switch (data[0]) {
	case 's': check(rewrite_state, text, size - 1); break;
	case 'i': check(rewrite_intent, text, size - 1); break;
	case 'p': check(rewrite_patch, text, size - 1); break;
	case 'k': check_kmsg(text, size - 1); break;
	default: break;
	}
	return 0;
}
