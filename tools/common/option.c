/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsing by table. Long options aren't abbreviated: a script written today must mean the same when
 * an option is added tomorrow. Options and operands may be mixed; "--" ends the options.
 */
#include "tools/common/option.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/str.h"

#define SUGGEST_DISTANCE 2  /* edits between what was typed and what may have been meant */
#define NAME_LEN_MAX	 64 /* longer words get no suggestion */

static const struct rk_option no_options[] = {RK_OPT_END};

static const struct rk_option common_options[] = {
	RK_OPT_GROUP("common options"),
	RK_OPT_FLAG('h', "help", struct rk_common_values, help, "show this help"),
	RK_OPT_FLAG(0, "quiet", struct rk_common_values, quiet, "no progress, only results"),
	RK_OPT_FLAG(0, "verbose", struct rk_common_values, verbose, "say more about each step"),
	RK_OPT_END,
};

static const struct rk_option common_options_json[] = {
	RK_OPT_GROUP("common options"),
	RK_OPT_FLAG('h', "help", struct rk_common_values, help, "show this help"),
	RK_OPT_FLAG(0, "json", struct rk_common_values, json, "print the result as JSON"),
	RK_OPT_FLAG(0, "quiet", struct rk_common_values, quiet, "no progress, only results"),
	RK_OPT_FLAG(0, "verbose", struct rk_common_values, verbose, "say more about each step"),
	RK_OPT_END,
};

const struct rk_option *rk_common_options(const struct rk_verb *verb)
{
	return verb->has_json ? common_options_json : common_options;
}

/* How many edits lead from a to b (optimal string alignment); SIZE_MAX for long words. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][NAME_LEN_MAX + 1];
	size_t len_a = strlen(a);
	size_t len_b = strlen(b);

	if (len_a > NAME_LEN_MAX || len_b > NAME_LEN_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= len_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    rows[(i - 2) % 3][j - 2] + 1 < best)
				best = rows[(i - 2) % 3][j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[len_a % 3][len_b];
}

void rk_suggest(const char *word, const char *candidate, const char **best, size_t *distance)
{
	size_t d = edit_distance(word, candidate);

	if (d <= SUGGEST_DISTANCE && d < strlen(candidate) && d < *distance) {
		*distance = d;
		*best = candidate;
	}
}

/* How many of argv's first words are name's words: all (*ret_all), or the first few. */
static int match_words(const char *name, int argc, char **argv, bool *ret_all)
{
	int words = 0;

	while (*name && words < argc) {
		size_t len = strcspn(name, " ");

		if (strlen(argv[words]) != len || memcmp(argv[words], name, len) != 0)
			break;
		words++;
		name += len;
		name += *name == ' ';
	}
	*ret_all = !*name;
	return words;
}

/* argv begins with the first words of some verbs only: says what may come next. */
static struct rk_err *incomplete_verb(const struct rk_tool *tool, int argc, char **argv, int words)
{
	_cleanup_str_ struct rk_str next = RK_STR_INIT;
	_cleanup_str_ struct rk_str given = RK_STR_INIT;

	for (int i = 0; i < words; i++)
		rk_str_addf(&given, "%s%s", i ? " " : "", argv[i]);
	for (const struct rk_verb *const *it = tool->verbs; *it; it++) {
		if (rk_has_prefix((*it)->name, rk_str_get(&given)) && (*it)->name[given.len] == ' ')
			rk_str_addf(&next, "%s'%s'", next.len ? ", " : "",
				    (*it)->name + given.len + 1);
	}
	RK_TRY(rk_str_check(&given));
	RK_TRY(rk_str_check(&next));
	if (words < argc && argv[words][0] != '-')
		return rk_err(RK_ERR_INVALID, "unknown verb '%s' after '%s': one of %s",
			      argv[words], rk_str_get(&given), rk_str_get(&next));
	return rk_err(RK_ERR_INVALID, "'%s' needs a verb: one of %s", rk_str_get(&given),
		      rk_str_get(&next));
}

static struct rk_err *unknown_verb(const struct rk_tool *tool, int argc, char **argv)
{
	const char *best = NULL;
	size_t distance = SIZE_MAX;

	if (argc == 0)
		return rk_err(RK_ERR_INVALID, "no verb given");
	if (argv[0][0] == '-')
		return rk_err(RK_ERR_INVALID, "no verb before '%s': options follow the verb",
			      argv[0]);
	for (const struct rk_verb *const *it = tool->verbs; *it; it++)
		rk_suggest(argv[0], (*it)->name, &best, &distance);
	return rk_err(RK_ERR_INVALID, "unknown verb '%s'%s%s%s", argv[0],
		      best ? " (did you mean '" : "", best ? best : "", best ? "'?)" : "");
}

struct rk_err *rk_verb_find(const struct rk_tool *tool, int argc, char **argv,
			    const struct rk_verb **ret_verb, int *ret_words)
{
	const struct rk_verb *found = NULL;
	const struct rk_verb *fallback = NULL;
	int found_words = 0;
	int partial_words = 0;

	for (const struct rk_verb *const *it = tool->verbs; *it; it++) {
		bool all;
		int words = match_words((*it)->name, argc, argv, &all);

		if (!*(*it)->name)
			fallback = *it;
		else if (all && words > found_words) {
			found = *it;
			found_words = words;
		} else if (words > partial_words)
			partial_words = words;
	}
	if (!found && partial_words > 0)
		return incomplete_verb(tool, argc, argv, partial_words);
	if (!found)
		found = fallback;
	if (!found)
		return unknown_verb(tool, argc, argv);
	*ret_verb = found;
	*ret_words = found_words;
	return NULL;
}

/* An option found in one of the two tables, with the struct it fills. */
struct match {
	const struct rk_option *option;
	void *values;
};

static bool find_in(const struct rk_option *table, const char *name, size_t len, char short_name,
		    const struct rk_option **ret)
{
	for (const struct rk_option *o = table; o->kind != RK_OPTION_END; o++) {
		if (o->kind == RK_OPTION_GROUP)
			continue;
		if (name ? strlen(o->name) == len && memcmp(o->name, name, len) == 0
			 : o->short_name == short_name) {
			*ret = o;
			return true;
		}
	}
	return false;
}

/* By long name if name is given, else by short name. The verb's own options come first. */
static bool find_option(struct rk_parsed *parsed, const char *name, size_t len, char short_name,
			struct match *ret)
{
	const struct rk_option *own = parsed->verb->options ? parsed->verb->options : no_options;

	ret->values = parsed->values;
	if (find_in(own, name, len, short_name, &ret->option))
		return true;
	ret->values = &parsed->common;
	return find_in(rk_common_options(parsed->verb), name, len, short_name, &ret->option);
}

static struct rk_err *unknown_option(const struct rk_parsed *parsed, const char *name, size_t len)
{
	const struct rk_option *tables[] = {
		parsed->verb->options ? parsed->verb->options : no_options,
		rk_common_options(parsed->verb),
	};
	const char *best = NULL;
	size_t distance = SIZE_MAX;
	_cleanup_free_ char *word = strndup(name, len);

	if (!word)
		return rk_err_nomem();
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct rk_option *o = tables[i]; o->kind != RK_OPTION_END; o++) {
			if (o->kind != RK_OPTION_GROUP)
				rk_suggest(word, o->name, &best, &distance);
		}
	}
	return rk_err(RK_ERR_INVALID, "unknown option '--%s'%s%s%s", word,
		      best ? " (did you mean '--" : "", best ? best : "", best ? "'?)" : "");
}

static struct rk_err *set_uint(const struct rk_option *o, unsigned int *ret, const char *value)
{
	const char *end = value;
	uint64_t n;

	if (!*value || value[strspn(value, "0123456789")])
		return rk_err(RK_ERR_INVALID, "option '--%s': '%s' is not a number", o->name,
			      value);
	if (!rk_scan_u64(&end, UINT_MAX, &n))
		return rk_err(RK_ERR_INVALID, "option '--%s': '%s' is too large", o->name, value);
	*ret = (unsigned int)n;
	return NULL;
}

static struct rk_err *set_choice(const struct rk_option *o, const char **ret, const char *value)
{
	unsigned int nr;

	if (rk_find_word(o->arg, value, &nr)) {
		*ret = value;
		return NULL;
	}
	return rk_err(RK_ERR_INVALID, "option '--%s': '%s' is not one of %s", o->name, value,
		      o->arg);
}

static struct rk_err *set_beside(const struct match *m, const char *value)
{
	struct rk_strings *strings = (struct rk_strings *)((char *)m->values + m->option->offset);
	const struct rk_strings *list =
		(const struct rk_strings *)((char *)m->values + m->option->list);

	if (!list->nr)
		return rk_err(RK_ERR_INVALID, "option '--%s' belongs behind a '--%s'",
			      m->option->name, m->option->of);
	if (strings->nr == list->nr)
		return rk_err(RK_ERR_INVALID, "option '--%s' is given twice for '--%s %s'",
			      m->option->name, m->option->of, list->v[list->nr - 1]);
	while (strings->nr + 1 < list->nr)
		if (!rk_vec_push(strings, (const char *)NULL))
			return rk_err_nomem();
	return rk_vec_push(strings, value) ? NULL : rk_err_nomem();
}

static struct rk_err *set_value(const struct match *m, const char *value)
{
	void *member = (char *)m->values + m->option->offset;

	switch (m->option->kind) {
	case RK_OPTION_FLAG: *(bool *)member = true; return NULL;
	case RK_OPTION_STR: *(const char **)member = value; return NULL;
	case RK_OPTION_CHOICE: return set_choice(m->option, member, value);
	case RK_OPTION_UINT: return set_uint(m->option, member, value);
	case RK_OPTION_LIST:
		return rk_vec_push((struct rk_strings *)member, value) ? NULL : rk_err_nomem();
	case RK_OPTION_BESIDE: return set_beside(m, value);
	case RK_OPTION_END:
	case RK_OPTION_GROUP: break;
	}
	return NULL;
}

/* The words that are still to be read. */
struct words {
	char **v;
	int nr;
};

static struct rk_err *needs_value(const struct rk_option *o)
{
	return rk_err(RK_ERR_INVALID, "option '--%s' needs a value: %s", o->name, o->arg);
}

static struct rk_err *parse_long(struct rk_parsed *parsed, const char *word, struct words *rest)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	struct match m;

	if (!find_option(parsed, name, len, 0, &m))
		return unknown_option(parsed, name, len);
	if (m.option->kind == RK_OPTION_FLAG) {
		if (value)
			return rk_err(RK_ERR_INVALID, "option '--%s' takes no value",
				      m.option->name);
	} else if (!value) {
		if (rest->nr == 0)
			return needs_value(m.option);
		value = *rest->v++;
		rest->nr--;
	}
	return set_value(&m, value);
}

/* "-abc", "-ofile", "-o file" */
static struct rk_err *parse_short(struct rk_parsed *parsed, const char *word, struct words *rest)
{
	for (const char *p = word + 1; *p; p++) {
		struct match m;

		if (!find_option(parsed, NULL, 0, *p, &m))
			return rk_err(RK_ERR_INVALID, "unknown option '-%c'%s%s%s", *p,
				      p[1] || p > word + 1 ? " in '" : "",
				      p[1] || p > word + 1 ? word : "",
				      p[1] || p > word + 1 ? "'" : "");
		if (m.option->kind == RK_OPTION_FLAG) {
			RK_TRY(set_value(&m, NULL));
			continue;
		}
		if (p[1])
			return set_value(&m, p + 1);
		if (rest->nr == 0)
			return needs_value(m.option);
		rest->nr--;
		return set_value(&m, *rest->v++);
	}
	return NULL;
}

static struct rk_err *check_operands(const struct rk_parsed *parsed)
{
	const struct rk_verb *verb = parsed->verb;

	if (parsed->operands.nr < verb->min_operands)
		return rk_err(RK_ERR_INVALID, "missing operand: %s", verb->operands);
	if (parsed->operands.nr > verb->max_operands)
		return rk_err(RK_ERR_INVALID, "unexpected operand '%s'",
			      parsed->operands.v[verb->max_operands]);
	return NULL;
}

struct rk_err *rk_options_parse(int argc, char **argv, struct rk_parsed *ret)
{
	struct words rest = {argv, argc};
	bool ended = false;

	ret->values = calloc(1, ret->verb->values_size + 1);
	if (!ret->values)
		return rk_err_nomem();
	while (rest.nr > 0) {
		const char *word = *rest.v++;

		rest.nr--;
		if (ended || word[0] != '-' || !word[1]) {
			if (!rk_vec_push(&ret->operands, word))
				return rk_err_nomem();
		} else if (word[1] != '-') {
			RK_TRY(parse_short(ret, word, &rest));
		} else if (word[2]) {
			RK_TRY(parse_long(ret, word, &rest));
		} else {
			ended = true;
		}
		if (ret->common.help)
			return NULL;
	}
	return check_operands(ret);
}

void rk_parsed_deinit(struct rk_parsed *parsed)
{
	const struct rk_option *o = parsed->verb ? parsed->verb->options : NULL;

	for (; parsed->values && o && o->kind != RK_OPTION_END; o++) {
		if (o->kind == RK_OPTION_LIST || o->kind == RK_OPTION_BESIDE)
			rk_vec_deinit((struct rk_strings *)((char *)parsed->values + o->offset));
	}
	free(parsed->values);
	rk_vec_deinit(&parsed->operands);
	*parsed = (struct rk_parsed){};
}
