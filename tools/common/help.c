/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Help as wide as 80 columns whatever the terminal, so that tests can pin it and mails can quote it.
 */
#include "tools/common/help.h"

#include "tools/common/text.h"

#define HELP_COLUMN 26
#define VERB_COLUMN 20

/* In a column of its own: below what stands there already if that is too wide. */
static void add_wrapped(struct rk_str *out, const char *text, size_t column, size_t indent)
{
	if (column >= indent) {
		rk_str_add_char(out, '\n');
		column = 0;
	}
	rk_text_wrap(out, text, column, indent, RK_TEXT_WIDTH);
}

static void add_option(struct rk_str *out, const struct rk_option *o)
{
	size_t start = out->len;

	if (o->short_name)
		rk_str_addf(out, "  -%c, --%s", o->short_name, o->name);
	else
		rk_str_addf(out, "      --%s", o->name);
	if (o->arg)
		rk_str_addf(out, " %s", o->arg);
	/* Two blanks between the option and its text. */
	add_wrapped(out, o->help,
		    out->len - start + 2 > HELP_COLUMN ? HELP_COLUMN : out->len - start,
		    HELP_COLUMN);
}

static bool is_overridden(const struct rk_verb *verb, const struct rk_option *common)
{
	for (const struct rk_option *o = verb->options; o && o->kind != RK_OPTION_END; o++) {
		if (o->kind != RK_OPTION_GROUP && rk_streq(o->name, common->name))
			return true;
	}
	return false;
}

static void add_options(struct rk_str *out, const struct rk_verb *verb)
{
	bool had_group = false;

	for (const struct rk_option *o = verb->options; o && o->kind != RK_OPTION_END; o++) {
		if (o->kind == RK_OPTION_GROUP)
			rk_str_addf(out, "\n%s:\n", o->name);
		else if (!had_group && o == verb->options)
			rk_str_add(out, "\noptions:\n");
		had_group = had_group || o->kind == RK_OPTION_GROUP;
		if (o->kind != RK_OPTION_GROUP)
			add_option(out, o);
	}
	for (const struct rk_option *o = rk_common_options(verb); o->kind != RK_OPTION_END; o++) {
		if (o->kind == RK_OPTION_GROUP)
			rk_str_addf(out, "\n%s:\n", o->name);
		else if (!is_overridden(verb, o))
			add_option(out, o);
	}
}

static void add_usage(struct rk_str *out, const struct rk_tool *tool, const struct rk_verb *verb,
		      const char *lead)
{
	rk_str_addf(out, "%s%s%s%s [options]%s%s\n", lead, tool->name, *verb->name ? " " : "",
		    verb->name, verb->operands ? " " : "", verb->operands ? verb->operands : "");
}

static const struct rk_verb *verb_of_tool(const struct rk_tool *tool)
{
	for (const struct rk_verb *const *it = tool->verbs; *it; it++) {
		if (!*(*it)->name)
			return *it;
	}
	return NULL;
}

static bool has_named_verbs(const struct rk_tool *tool)
{
	for (const struct rk_verb *const *it = tool->verbs; *it; it++) {
		if (*(*it)->name)
			return true;
	}
	return false;
}

static void add_verbs(struct rk_str *out, const struct rk_tool *tool)
{
	rk_str_add(out, "\nverbs:\n");
	for (const struct rk_verb *const *it = tool->verbs; *it; it++) {
		size_t start = out->len;

		if (!*(*it)->name)
			continue;
		rk_str_addf(out, "  %s", (*it)->name);
		add_wrapped(out, (*it)->summary, out->len - start, VERB_COLUMN);
	}
}

void rk_help(struct rk_str *out, const struct rk_tool *tool, const struct rk_verb *verb)
{
	bool of_tool = !verb || !*verb->name;

	if (!verb)
		verb = verb_of_tool(tool);
	if (verb)
		add_usage(out, tool, verb, "usage: ");
	if (of_tool && has_named_verbs(tool))
		rk_str_addf(out, "%s%s <verb> [options] …\n",
			    verb ? "       " : "usage: ", tool->name);
	rk_str_addf(out, "\n%s\n", of_tool ? tool->summary : verb->summary);
	if (verb && verb->description) {
		size_t len = strlen(verb->description);

		while (len > 0 && verb->description[len - 1] == '\n')
			len--;
		rk_str_addf(out, "\n%.*s\n", (int)len, verb->description);
	}
	if (of_tool && has_named_verbs(tool))
		add_verbs(out, tool);
	if (verb)
		add_options(out, verb);
	if (of_tool) {
		if (!verb)
			rk_str_add(out,
				   "\ncommon options:\n  -h, --help              show this help; "
				   "after a verb, the verb's\n");
		rk_str_add(out, "      --version           show the version\n");
	}
}

static void list_table(struct rk_str *out, const struct rk_tool *tool, const struct rk_verb *verb,
		       const struct rk_option *table, bool is_common)
{
	for (const struct rk_option *o = table; o && o->kind != RK_OPTION_END; o++) {
		char short_name[] = {'-', o->short_name, '\0'};

		if (o->kind == RK_OPTION_GROUP || (is_common && is_overridden(verb, o)))
			continue;
		rk_str_addf(out, "%s\t%s\t%s\t--%s\t%s\n", tool->name,
			    *verb->name ? verb->name : "-", short_name, o->name,
			    o->arg ? o->arg : "-");
	}
}

void rk_help_list_options(struct rk_str *out, const struct rk_tool *tool)
{
	for (const struct rk_verb *const *it = tool->verbs; *it; it++) {
		list_table(out, tool, *it, (*it)->options, false);
		list_table(out, tool, *it, rk_common_options(*it), true);
	}
	rk_str_addf(out, "%s\t-\t-\t--version\t-\n", tool->name);
}

/* The options of one verb as words; with_value: only those whose next word is a value. */
static void add_words(struct rk_str *out, const struct rk_verb *verb, bool with_value)
{
	const struct rk_option *tables[] = {verb->options, rk_common_options(verb)};
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct rk_option *o = tables[i]; o && o->kind != RK_OPTION_END; o++) {
			if (o->kind == RK_OPTION_GROUP || (with_value && !o->arg))
				continue;
			rk_str_addf(out, "%s--%s", separator, o->name);
			separator = with_value ? "|" : " ";
			if (with_value && o->short_name)
				rk_str_addf(out, "|-%c", o->short_name);
		}
	}
}

/* "CHOICE" options complete to their choices, every other value to file names. */
static void add_choices(struct rk_str *out, const struct rk_verb *verb)
{
	for (const struct rk_option *o = verb->options; o && o->kind != RK_OPTION_END; o++) {
		if (o->kind != RK_OPTION_CHOICE)
			continue;
		rk_str_addf(out, "\t\t--%s", o->name);
		if (o->short_name)
			rk_str_addf(out, "|-%c", o->short_name);
		rk_str_add(out, ") COMPREPLY=($(compgen -W '");
		for (const char *p = o->arg; *p; p++)
			rk_str_add_char(out, *p == '|' ? ' ' : *p);
		rk_str_add(out, "' -- \"$cur\")); return ;;\n");
	}
}

/* Shell function names have no '-'. */
static void add_function_name(struct rk_str *out, const struct rk_tool *tool)
{
	rk_str_add_char(out, '_');
	for (const char *p = tool->name; *p; p++)
		rk_str_add_char(out, *p == '-' ? '_' : *p);
}

static void add_verb_case(struct rk_str *out, const struct rk_verb *verb)
{
	rk_str_addf(out, "\t'%s')\n\t\tcase $prev in\n", verb->name);
	add_choices(out, verb);
	rk_str_add(out, "\t\t");
	add_words(out, verb, true);
	/* A verb without valued options has an empty pattern, which is no word of any command line. */
	if (out->s && out->s[out->len - 1] == '\t')
		rk_str_add(out, "''");
	rk_str_add(out, ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n\t\tesac\n"
			"\t\topts='");
	add_words(out, verb, false);
	rk_str_addf(out, "%s'%s ;;\n", *verb->name ? "" : " --version",
		    verb->max_operands ? "; files=1" : "");
}

static void add_bash(struct rk_str *out, const struct rk_tool *tool)
{
	rk_str_addf(out, "# completion of %s; made by '%s --completion bash'\n", tool->name,
		    tool->name);
	add_function_name(out, tool);
	rk_str_add(out, "() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
			"prev=${COMP_WORDS[COMP_CWORD-1]}\n\tlocal verb= opts= files= verbs='");
	for (const struct rk_verb *const *it = tool->verbs; *it; it++)
		rk_str_addf(out, "%s%s", it == tool->verbs ? "" : "\n", (*it)->name);
	rk_str_add(out, "'\n\tlocal typed=\"${COMP_WORDS[*]:1:$((COMP_CWORD-1))} \" v\n"
			"\twhile IFS= read -r v; do\n"
			"\t\t[[ -n $v && $typed == \"$v \"* && ${#v} -gt ${#verb} ]] && verb=$v\n"
			"\tdone <<<\"$verbs\"\n"
			"\tcase $verb in\n");
	for (const struct rk_verb *const *it = tool->verbs; *it; it++)
		add_verb_case(out, *it);
	rk_str_add(out, "\tesac\n"
			"\tif [[ $cur == -* ]]; then\n"
			"\t\tCOMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"))\n"
			"\t\treturn\n\tfi\n"
			"\tCOMPREPLY=()\n"
			"\tif [[ -n $files ]]; then COMPREPLY=($(compgen -f -- \"$cur\"))\n"
			"\telse compopt +o filenames 2>/dev/null; fi\n"
			"\t[[ -n $verb ]] && return\n"
			"\ttyped=${typed% }\n"
			"\twhile IFS= read -r v; do\n"
			"\t\t[[ -n $v ]] || continue\n"
			"\t\tif [[ -z $typed ]]; then v=${v%% *}\n"
			"\t\telif [[ $v == \"$typed \"* ]]; then v=${v#\"$typed \"}; v=${v%% *}\n"
			"\t\telse continue; fi\n"
			"\t\t[[ $v == \"$cur\"* && \" ${COMPREPLY[*]} \" != *\" $v \"* ]] && "
			"COMPREPLY+=(\"$v\")\n"
			"\tdone <<<\"$verbs\"\n}\n");
	rk_str_add(out, "complete -o filenames -F ");
	add_function_name(out, tool);
	rk_str_addf(out, " %s\n", tool->name);
}

struct rk_err *rk_help_completion(struct rk_str *out, const struct rk_tool *tool, const char *shell)
{
	if (rk_streq(shell, "bash")) {
		add_bash(out, tool);
	} else if (rk_streq(shell, "zsh")) {
		/* zsh runs bash's completions itself. */
		rk_str_addf(out, "#compdef %s\nautoload -U +X bashcompinit && bashcompinit\n",
			    tool->name);
		add_bash(out, tool);
	} else {
		return rk_err(RK_ERR_INVALID, "no completion for '%s': 'bash' or 'zsh'", shell);
	}
	return rk_str_check(out);
}
