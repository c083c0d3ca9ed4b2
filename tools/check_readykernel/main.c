/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A check for Nagios, Icinga and what else speaks their plugin interface: runs `readykernel status --json`, says its summary in one line with figures,
 * and exits 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN). Needs no root.
 */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/process.h"
#include "lib/base/str.h"

#define LIMIT_MS 20000 /* most schedulers give a check a minute */

enum result {
	RESULT_OK,
	RESULT_WARNING,
	RESULT_CRITICAL,
	RESULT_UNKNOWN
};
static const char *const result_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

/* What each verdict of `readykernel status` means unless -w and -c say otherwise. */
static const struct {
	const char *verdict;
	enum result result;
} results[] = {
	{"latest", RESULT_OK},		 {"none", RESULT_CRITICAL},    {"outdated", RESULT_WARNING},
	{"unsupported", RESULT_UNKNOWN}, {"stalled", RESULT_CRITICAL}, {"failed", RESULT_CRITICAL},
};

struct options {
	const char *tool, *warning, *critical;
};

static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at && *at;
	     at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
		if (strcspn(at, ",") == len && !strncmp(at, word, len))
			return true;
	return false;
}

static enum result judge(const struct options *options, const char *verdict)
{
	if (is_listed(options->critical, verdict))
		return RESULT_CRITICAL;
	if (is_listed(options->warning, verdict))
		return RESULT_WARNING;
	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		if (rk_streq(results[i].verdict, verdict))
			return results[i].result;
	return RESULT_UNKNOWN;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static size_t length(const json_t *object, const char *key)
{
	return json_array_size(json_object_get(object, key));
}

static enum result show(const struct options *options, const json_t *root)
{
	const json_t *patch = json_object_get(root, "patch");
	const json_t *available = json_object_get(root, "available");
	const char *verdict = json_string_value(json_object_get(root, "verdict"));
	const char *summary = json_string_value(json_object_get(root, "summary"));
	enum result result;

	if (!verdict || !summary) {
		const char *message = json_string_value(
			json_object_get(json_object_get(root, "error"), "message"));

		printf("READYKERNEL UNKNOWN - %s\n",
		       message ? message : "readykernel says nothing that can be understood");
		return RESULT_UNKNOWN;
	}
	result = judge(options, verdict);
	/* a bar separates the figures, so there is none in the text */
	printf("READYKERNEL %s - ", result_names[result]);
	for (const char *c = summary; *c; c++)
		putchar(*c == '|' || *c == '\n' ? ' ' : *c);
	printf(" | level=%lld available=%lld cves_fixed=%zu cves_missing=%zu\n",
	       (long long)number(patch, "level"), (long long)number(available, "level"),
	       length(patch, "cves"), length(available, "cves_added"));
	return result;
}

static enum result unknown(const char *text)
{
	printf("READYKERNEL UNKNOWN - %s\n", text);
	return RESULT_UNKNOWN;
}

static enum result check(const struct options *options)
{
	const char *const argv[] = {options->tool, "status", "--json", NULL};
	const struct rk_process_spec spec = {.argv = argv, .timeout_ms = LIMIT_MS};
	_cleanup_process_result_ struct rk_process_result process = {};
	_cleanup_err_ struct rk_err *err = rk_process_run(&spec, &process);
	enum result result;

	if (err)
		return unknown(rk_err_message(err));
	/* notes of the program may stand before and behind its document */
	const char *document = strchr(rk_str_get(&process.output), '{');
	json_t *root = document ? json_loads(document, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	if (!root)
		return unknown("readykernel gives no status");
	result = show(options, root);
	json_decref(root);
	return result;
}

static const char usage[] =
	"usage: check_readykernel [-w VERDICTS] [-c VERDICTS] [-t TOOL]\n"
	"\n"
	"  -w VERDICTS  these are a warning: latest, none, outdated, unsupported, stalled,\n"
	"               failed, separated by commas (outdated)\n"
	"  -c VERDICTS  these are critical (none,stalled,failed)\n"
	"  -t TOOL      the program to ask (" READYKERNEL_TOOL ")\n"
	"  -h           show this\n";

int main(int argc, char **argv)
{
	struct options options = {.tool = READYKERNEL_TOOL};
	int option;

	while ((option = getopt(argc, argv, "w:c:t:h")) != -1) {
		switch (option) {
		case 'w': options.warning = optarg; break;
		case 'c': options.critical = optarg; break;
		case 't': options.tool = optarg; break;
		case 'h': fputs(usage, stdout); return RESULT_OK;
		default: return RESULT_UNKNOWN;
		}
	}
	if (optind < argc)
		return (int)unknown("check_readykernel takes no operands");
	return (int)check(&options);
}
