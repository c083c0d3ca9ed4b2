/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines: the input is words separated by NUL bytes, parsed by a table with every kind of option. */
#include <string.h>

#include "lib/base/arena.h"
#include "tests/fuzz/fuzz.h"
#include "tools/common/option.h"

#define WORDS_MAX 64

struct values {
	const char *str, *choice;
	unsigned int uint;
	bool flag;
	struct rk_strings list;
};

static const struct rk_option options[] = {
	RK_OPT_GROUP("group"),
	RK_OPT_STR('s', "str", struct values, str, "S", "a string"),
	RK_OPT_CHOICE('c', "choice", struct values, choice, "a|bc", "a choice"),
	RK_OPT_UINT('u', "uint", struct values, uint, "N", "a number"),
	RK_OPT_FLAG('f', "flag", struct values, flag, "a flag"),
	RK_OPT_LIST('l', "list", struct values, list, "L", "a list"),
	RK_OPT_END,
};

static const struct rk_verb verb_one = {
	.name = "one",
	.operands = "X...",
	.options = options,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = 3,
	.has_json = true,
};

static const struct rk_verb verb_two = {.name = "two words"};

static const struct rk_verb *const verbs[] = {&verb_one, &verb_two, NULL};
static const struct rk_tool tool = {.name = "fuzz", .verbs = verbs};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	char *text = rk_arena_alloc(&arena, size + 1);
	char *argv[WORDS_MAX + 1] = {};
	struct rk_parsed parsed = {};
	int argc = 0, words;

	if (!text)
		return 0;
	memcpy(text, data, size);
	for (size_t i = 0; i < size && argc < WORDS_MAX; i += strlen(text + i) + 1)
		argv[argc++] = text + i;

	struct rk_err *err = rk_verb_find(&tool, argc, argv, &parsed.verb, &words);
	if (!err)
		err = rk_options_parse(argc - words, argv + words, &parsed);
	if (!err && parsed.verb == &verb_one && !parsed.common.help && parsed.operands.nr == 0)
		abort(); /* an operand is required */
	rk_parsed_deinit(&parsed);
	rk_err_free(err);
	return 0;
}
