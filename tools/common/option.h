/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tool's command line is one table: verbs, their options and operands. The table drives parsing,
 * --help, shell completion and the check of the man pages, so that none of them can disagree.
 *
 * A verb parses into a struct of its own; each option names the member it fills:
 *
 *	struct fetch_values {
 *		const char *cache;	  // NULL unless given
 *		unsigned int jobs;	  // 0 unless given
 *		bool offline;
 *		struct rk_strings fixes; // fixes.v[0 … fixes.nr - 1]
 *	};
 *
 *	static const struct rk_option fetch_options[] = {
 *		RK_OPT_GROUP("where from"),
 *		RK_OPT_STR(0, "cache", struct fetch_values, cache, "DIR", "keep targets in DIR"),
 *		RK_OPT_UINT('j', "jobs", struct fetch_values, jobs, "N", "run N compilers at once"),
 *		RK_OPT_FLAG(0, "offline", struct fetch_values, offline, "download nothing"),
 *		RK_OPT_LIST(0, "fixes", struct fetch_values, fixes, "CVE", "what it fixes (again for more)"),
 *		RK_OPT_END,
 *	};
 *
 *	static struct rk_err *fetch(const struct rk_cli *cli, enum rk_exit *ret_exit)
 *	{
 *		const struct fetch_values *values = cli->values;
 *
 *		RK_TRY(rk_target_fetch(cli->operands[0], values->cache, cli->reporter));
 *		return NULL; // *ret_exit is RK_EXIT_DONE unless set
 *	}
 *
 *	// in cmd_fetch.h, or extern in main.c: one const struct per verb
 *	const struct rk_verb verb_fetch = {
 *		.name = "target fetch", .operands = "TARGET...", .summary = "download and prepare a target",
 *		.options = fetch_options, .values_size = sizeof(struct fetch_values),
 *		.min_operands = 1, .max_operands = RK_OPERANDS_MAX, .has_json = true, .run = fetch,
 *	};
 *
 *	int main(int argc, char **argv)
 *	{
 *		static const struct rk_verb *const verbs[] = { &verb_build, &verb_fetch, NULL };
 *		static const struct rk_tool tool = {
 *			.name = "kpatch-build", .summary = "build live patches", .verbs = verbs };
 *
 *		return rk_cli_main(&tool, argc, argv); // tools/common/cli.h
 *	}
 *
 * A verb with an empty name ("") runs when the command line doesn't start with another verb's name. Every
 * verb also knows --help, --quiet and --verbose, and --json if has_json; --version belongs to the tool.
 */
#ifndef RK_TOOLS_COMMON_OPTION_H
#define RK_TOOLS_COMMON_OPTION_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/vec.h"

enum rk_option_kind {
	RK_OPTION_END,
	RK_OPTION_GROUP,  /* a heading in --help */
	RK_OPTION_FLAG,	  /* bool */
	RK_OPTION_STR,	  /* const char *, points into argv */
	RK_OPTION_CHOICE, /* the same, one of "a|b|c" in arg */
	RK_OPTION_UINT,	  /* unsigned int, decimal */
	RK_OPTION_LIST,	  /* struct rk_strings: may be given again */
	RK_OPTION_BESIDE, /* struct rk_strings: says more about the last value of a list */
};

struct rk_strings {
	const char **v;
	size_t nr;
	size_t cap;
};

struct rk_option {
	enum rk_option_kind kind;
	char short_name;  /* 0: none */
	const char *name; /* the long name, without dashes; a group's heading */
	const char *arg;  /* what the value is called in --help: "DIR"; NULL for flags */
	const char *help; /* lower-case, no full stop; wrapped by --help */
	size_t offset;	  /* of the member in the verb's struct */
	size_t list;	  /* BESIDE: offset of the list it belongs to */
	const char *of;	  /* BESIDE: that list's option */
};

/* The offset of member, and a warning when it isn't of the type that option kind fills. */
#define RK_OPTION_OFFSET(type, member, want) \
	(offsetof(type, member) + 0 * sizeof(1 ? (want *)0 : &((type *)0)->member))

/* clang-format off */
#define RK_OPT_GROUP(heading) { .kind = RK_OPTION_GROUP, .name = (heading) }
#define RK_OPT_FLAG(short_name, name, type, member, help) \
	{ RK_OPTION_FLAG, short_name, name, NULL, help, RK_OPTION_OFFSET(type, member, bool) }
#define RK_OPT_STR(short_name, name, type, member, arg, help) \
	{ RK_OPTION_STR, short_name, name, arg, help, RK_OPTION_OFFSET(type, member, const char *) }
#define RK_OPT_CHOICE(short_name, name, type, member, choices, help) \
	{ RK_OPTION_CHOICE, short_name, name, choices, help, RK_OPTION_OFFSET(type, member, const char *) }
#define RK_OPT_UINT(short_name, name, type, member, arg, help) \
	{ RK_OPTION_UINT, short_name, name, arg, help, RK_OPTION_OFFSET(type, member, unsigned int) }
#define RK_OPT_LIST(short_name, name, type, member, arg, help) \
	{ RK_OPTION_LIST, short_name, name, arg, help, RK_OPTION_OFFSET(type, member, struct rk_strings) }
/* After each value of option of, which fills list: member.v[i] belongs to list.v[i], NULL where none was given; member.nr may be less. */
#define RK_OPT_BESIDE(short_name, name, type, member, of, list, arg, help) \
	{ RK_OPTION_BESIDE, short_name, name, arg, help, RK_OPTION_OFFSET(type, member, struct rk_strings), \
	  RK_OPTION_OFFSET(type, list, struct rk_strings), of }
#define RK_OPT_END { .kind = RK_OPTION_END }
/* clang-format on */

#define RK_OPERANDS_MAX UINT_MAX

enum rk_exit {
	RK_EXIT_DONE = 0,
	RK_EXIT_FAILED = 1,
	RK_EXIT_USAGE = 2,
	RK_EXIT_VERDICT = 3, /* can't be patched live, bad signature, … */
	RK_EXIT_NOTHING = 4, /* nothing to do */
};

struct rk_cli;

struct rk_verb {
	const char *name;		 /* "list", "target fetch"; "" is the tool itself */
	const char *operands;		 /* "PATCH...", or NULL; for --help */
	const char *summary;		 /* one line, lower-case */
	const char *description;	 /* paragraphs for --help, printed as they are; or NULL */
	const struct rk_option *options; /* ends with RK_OPT_END; NULL: none of its own */
	size_t values_size;		 /* of the struct the options fill */
	unsigned int min_operands;
	unsigned int max_operands;
	bool has_json;
	struct rk_err *(*run)(const struct rk_cli *cli, enum rk_exit *ret_exit);
};

struct rk_tool {
	const char *name;
	const char *summary;
	const struct rk_verb *const *verbs; /* ends with NULL */
	int (*exit_of)(
		const struct rk_err *err); /* the status of an error; NULL: as in enum rk_exit */
};

/* The options every verb has. */
struct rk_common_values {
	bool help;
	bool json;
	bool quiet;
	bool verbose;
};

/* What a command line says. */
struct rk_parsed {
	const struct rk_verb *verb;
	void *values; /* verb->values_size bytes */
	struct rk_common_values common;
	struct rk_strings operands;
};

/* The table of the common options verb has: fills struct rk_common_values. */
const struct rk_option *rk_common_options(const struct rk_verb *verb);

/* The verb argv (without the program's name) begins with, and in *ret_words how many words its name
 * took. Error RK_ERR_INVALID with one precise line. */
struct rk_err *rk_verb_find(const struct rk_tool *tool, int argc, char **argv,
			    const struct rk_verb **ret_verb, int *ret_words) __must_use;

/* Parses argv (without the program's name and the verb's words) for ret->verb, which is set by the
 * caller. Strings point into argv. With --help nothing else is checked. Call rk_parsed_deinit()
 * whether it succeeds or not. Error RK_ERR_INVALID with one precise line. */
struct rk_err *rk_options_parse(int argc, char **argv, struct rk_parsed *ret) __must_use;

void rk_parsed_deinit(struct rk_parsed *parsed);

/* Keeps in *best the candidate nearest to word, if it is near enough to be what was meant. *best is NULL and *distance SIZE_MAX
 * before the first. */
void rk_suggest(const char *word, const char *candidate, const char **best, size_t *distance);

#endif
