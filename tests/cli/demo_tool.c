/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tool that does nothing, for the tests of what all tools share: every kind of option, every way
 * to end, work that takes long.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/base/finding.h"
#include "lib/base/process.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"

struct show_values {
	const char *output;
	const char *format;
	unsigned int jobs;
	bool dry_run;
	struct rk_strings fixes;
	struct rk_strings notes;
};

static const struct rk_option show_options[] = {
	RK_OPT_GROUP("what to show"),
	RK_OPT_STR('o', "output", struct show_values, output, "DIR",
		   "where the result goes; a text long enough that it must be wrapped at the edge "
		   "of eighty columns"),
	RK_OPT_CHOICE(0, "format", struct show_values, format, "text|html", "how it looks"),
	RK_OPT_UINT('j', "jobs", struct show_values, jobs, "N", "how many at once"),
	RK_OPT_FLAG('n', "dry-run", struct show_values, dry_run, "change nothing"),
	RK_OPT_LIST(0, "a-name-that-is-rather-long", struct show_values, fixes, "CVE",
		    "may be given again"),
	RK_OPT_BESIDE(0, "note", struct show_values, notes, "a-name-that-is-rather-long", fixes,
		      "TEXT", "about the one before it"),
	RK_OPT_END,
};

static struct rk_err *run_show(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct show_values *values = cli->values;

	*ret_exit = values->dry_run ? RK_EXIT_NOTHING : RK_EXIT_DONE;
	if (cli->json)
		return rk_render_json(rk_render_document("demo-show", 1));
	printf("output=%s format=%s jobs=%u dry-run=%d\n", values->output ? values->output : "-",
	       values->format ? values->format : "-", values->jobs, values->dry_run);
	for (size_t i = 0; i < values->fixes.nr; i++) {
		const char *note = i < values->notes.nr ? values->notes.v[i] : NULL;
		printf("fix=%s%s%s\n", values->fixes.v[i], note ? " note=" : "", note ? note : "");
	}
	for (size_t i = 0; i < cli->nr_operands; i++)
		printf("operand=%s\n", cli->operands[i]);
	return NULL;
}

static struct rk_err *run_fail(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	for (int code = 0; code < RK_ERR_CODES; code++) {
		if (rk_streq(cli->operands[0], rk_err_code_name((enum rk_err_code)code)))
			return code == RK_ERR_SYS ? rk_err_sys(ENOSPC, "cannot write 'x'")
						  : rk_err((enum rk_err_code)code, "as asked");
	}
	*ret_exit = RK_EXIT_NOTHING;
	return NULL;
}

static void cleanup_findings(struct rk_findings *findings)
{
	rk_findings_deinit(findings);
}

static struct rk_err *run_findings(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_(cleanup_findings) struct rk_findings f = {};

	RK_TRY(rk_finding_add(&f, RK_FINDING_NEW_DATA, "fs/exec.c", NULL, "limit", "limit is new"));
	RK_TRY(rk_finding_add(&f, RK_FINDING_LAYOUT_CHANGED, "fs/exec.c", "vmlinux", "linux_binprm",
			      "grew by 8 bytes"));
	rk_findings_sort(&f);
	*ret_exit = RK_EXIT_VERDICT;
	if (!cli->json) {
		rk_render_findings(stdout, &f);
		return NULL;
	}
	json_t *doc = rk_render_document("demo-findings", 1);
	json_object_set_new(doc, "findings", rk_render_findings_json(&f));
	return rk_render_json(doc);
}

/* Waits in the library, as a build waits for its compiler. */
static struct rk_err *run_wait(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const char *const argv[] = {"sleep", cli->operands[0], NULL};
	const struct rk_process_spec spec = {.argv = argv};
	_cleanup_process_result_ struct rk_process_result res = {};

	rk_report_phase(cli->reporter, "wait", "for %s s", cli->operands[0]);
	rk_report_advance(cli->reporter, 1, 4, "units");
	rk_report_note(cli->reporter, "a note");
	return rk_process_check(&spec, &res);
}

static const struct rk_verb verb_show = {
	.name = "show",
	.operands = "THING...",
	.summary = "show what was parsed",
	.description = "The description is printed as it is.\n",
	.options = show_options,
	.values_size = sizeof(struct show_values),
	.min_operands = 1,
	.max_operands = 3,
	.has_json = true,
	.run = run_show,
};

static const struct rk_verb verb_fail = {
	.name = "test fail",
	.operands = "CODE",
	.summary = "end with an error of this code",
	.min_operands = 1,
	.max_operands = 1,
	.has_json = true,
	.run = run_fail,
};

static const struct rk_verb verb_findings = {
	.name = "test findings",
	.summary = "end with findings",
	.has_json = true,
	.run = run_findings,
};

static const struct rk_verb verb_wait = {
	.name = "wait",
	.operands = "SECONDS",
	.summary = "take long",
	.min_operands = 1,
	.max_operands = 1,
	.run = run_wait,
};

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb_show, &verb_fail, &verb_findings,
						      &verb_wait, NULL};
	static const struct rk_tool tool = {
		.name = "demo-tool", .summary = "try what all tools share", .verbs = verbs};

	return rk_cli_main(&tool, argc, argv);
}
