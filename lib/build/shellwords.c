/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command line as kbuild would hand it to the shell, taken apart as the shell would: words, quotes, commands separated by
 * ';'. What needs more of a shell is refused rather than misread.
 */
#include <string.h>

#include "lib/base/str.h"
#include "lib/build/internal.h"

void rk_commands_deinit(struct rk_commands *commands)
{
	rk_vec_for_each(&commands->list, it)
		rk_vec_deinit(&it->words);
	rk_vec_deinit(&commands->list);
}

struct splitter {
	struct rk_arena *arena;
	struct rk_commands *out;
	struct rk_str word;
	bool has_word;	  /* also an empty one, from '' */
	bool has_command; /* the last command of out is still open */
};

static struct rk_err *end_word(struct splitter *sp)
{
	if (!sp->has_word)
		return NULL;
	RK_TRY(rk_str_check(&sp->word));
	if (!sp->has_command) {
		struct rk_command command = {};

		if (!rk_vec_push(&sp->out->list, command))
			return rk_err_nomem();
		sp->has_command = true;
	}
	const char *word = rk_arena_strdup(sp->arena, rk_str_get(&sp->word));
	struct rk_command *command = &sp->out->list.v[sp->out->list.nr - 1];
	if (!word || !rk_vec_push(&command->words, word))
		return rk_err_nomem();
	rk_str_clear(&sp->word);
	sp->has_word = false;
	return NULL;
}

/* s is behind the opening quote; returns what is behind the closing one, NULL if there is none. */
static const char *quoted(struct splitter *sp, const char *s, char quote)
{
	for (; *s && *s != quote; s++) {
		if (quote == '"' && (*s == '$' || *s == '`'))
			return NULL;
		if (quote == '"' && *s == '\\' && s[1] && strchr("\"\\$`", s[1]))
			s++;
		rk_str_add_char(&sp->word, *s);
	}
	return *s ? s + 1 : NULL;
}

static struct rk_err *split(struct splitter *sp, const char *s)
{
	while (*s) {
		char c = *s++;

		if (c == ' ' || c == '\t') {
			RK_TRY(end_word(sp));
		} else if (c == ';') {
			RK_TRY(end_word(sp));
			sp->has_command = false;
		} else if (c == '\'' || c == '"') {
			sp->has_word = true;
			s = quoted(sp, s, c);
			if (!s)
				return rk_err(RK_ERR_FORMAT, "a quote that isn't closed");
		} else if (strchr("$`|&<>()*?#~\n", c) && !(c == '#' && sp->has_word) &&
			   !(c == '~' && sp->has_word)) {
			return rk_err(RK_ERR_FORMAT, "'%c' needs a shell", c);
		} else {
			if (c == '\\' && *s)
				c = *s++;
			sp->has_word = true;
			rk_str_add_char(&sp->word, c);
		}
	}
	return end_word(sp);
}

struct rk_err *rk_commands_parse(struct rk_arena *arena, const char *line, struct rk_commands *ret)
{
	struct rk_commands commands = {};
	struct splitter sp = {.arena = arena, .out = &commands};
	struct rk_err *err = split(&sp, line);

	rk_str_deinit(&sp.word);
	if (err) {
		rk_commands_deinit(&commands);
		return rk_err_wrap(err, "cannot read the command '%.200s'", line);
	}
	*ret = commands;
	return NULL;
}
