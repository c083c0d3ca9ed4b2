/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outcomes as text. One module: one line a step, what scripts printed below it, the verdict with its reasons. Several: one line a
 * module, and more only where there is something to say. */
#include <string.h>

#include "tools/kpatch-test/kpatch-test.h"

#define SHOWN_LINES 5 /* of a script's output; all with --verbose */

static void show_output(FILE *out, const struct rk_vm_step_result *result, bool verbose)
{
	size_t nr = result->output.nr;
	size_t first = verbose || nr <= SHOWN_LINES ? 0 : nr - SHOWN_LINES;

	if (first)
		fprintf(out, "    … %zu lines more, see the transcript\n", first);
	for (size_t i = first; i < nr; i++)
		fprintf(out, "    | %s\n", result->output.v[i]);
}

static void show_tasks(FILE *out, const struct rk_vm_step_result *result)
{
	rk_vec_for_each(&result->tasks, task) {
		fprintf(out, "    held up by %s (%d):\n", task->comm, task->pid);
		for (const char *line = task->stack; *line;) {
			size_t len = strcspn(line, "\n");

			fprintf(out, "      %.*s\n", (int)len, line);
			line += len + (line[len] == '\n');
		}
	}
}

static void show_step(FILE *out, const struct rk_vm_step *step,
		      const struct rk_vm_step_result *result, bool verbose)
{
	if (result->outcome == RK_VM_NOT_RUN)
		fprintf(out, "  %-24s not run\n", step->title);
	else if (result->outcome == RK_VM_DIED)
		fprintf(out, "  %-24s         died\n", step->title);
	else
		fprintf(out, "  %-24s %6.2f s  %s\n", step->title, result->seconds,
			step->optional && result->outcome == RK_VM_FAILED
				? "not here"
				: rk_vm_outcome_name(result->outcome));
	show_output(out, result, verbose);
	rk_vec_for_each(&result->notes, note)
		fprintf(out, "    %s\n", *note);
	show_tasks(out, result);
}

void report_test(FILE *out, const struct rk_vm_test *test, bool verbose)
{
	const struct rk_vm_result *run = &test->run;

	fprintf(out, "%s on %s\n", test->info->name, run->is_up ? run->release : test->spec->image);
	if (run->is_up)
		fprintf(out, "  %-24s %6.2f s  ok\n", "boot", run->boot_seconds);
	else
		fprintf(out, "  %-24s         died\n", "boot");
	for (size_t i = 0; i < test->steps.list.nr; i++)
		show_step(out, &test->steps.list.v[i], &run->steps.v[i], verbose);
	rk_vec_for_each(&test->notes, note)
		fprintf(out, "note: %s\n", *note);
	rk_vec_for_each(&test->reasons, reason)
		fprintf(out, "failed: %s\n", *reason);
	if (rk_vm_test_has_passed(test))
		fprintf(out, "passed in %.1f s\n", run->seconds);
}

void report_test_line(FILE *out, const struct rk_vm_test *test)
{
	const char *name = test->info ? test->info->name : test->module;

	fprintf(out, "%-6s %6.2f s  %s\n", rk_vm_test_has_passed(test) ? "passed" : "failed",
		rk_vm_test_seconds(test), name);
	rk_vec_for_each(&test->reasons, reason)
		fprintf(out, "    failed: %s\n", *reason);
	rk_vec_for_each(&test->notes, note)
		fprintf(out, "    note: %s\n", *note);
}

void report_tests(FILE *out, const struct rk_vm_tests *tests, size_t failed)
{
	size_t boots = rk_vm_tests_boots(tests);
	double seconds = 0;

	rk_vec_for_each(&tests->sessions, session)
		seconds += (*session)->seconds;
	fprintf(out, "%zu modules: %zu passed, %zu failed; %zu boot%s, %.1f s\n", tests->list.nr,
		tests->list.nr - failed, failed, boots, boots == 1 ? "" : "s", seconds);
}
