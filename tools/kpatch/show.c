/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks, blocking tasks and fixes, as text and as JSON. */
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "tools/kpatch/kpatch.h"

static void show_lines(FILE *out, const char *indent, const char *text)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		fprintf(out, "%s%.*s\n", indent, (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* With --quiet only what is wrong. The first error is the verb's own, and shown as such. */
void kpatch_show_checks(const struct rk_cli *cli, const struct rk_checks *checks)
{
	bool has_error = false;

	rk_vec_for_each(&checks->list, it) {
		bool is_first = it->result == RK_CHECK_ERROR && !has_error;

		has_error |= is_first;
		if (is_first)
			continue;
		FILE *out = it->result >= RK_CHECK_WARNING ? stderr : stdout;

		if (cli->quiet && it->result < RK_CHECK_WARNING)
			continue;
		fprintf(out, "%-8s %s: %s\n", rk_check_result_name(it->result), it->name, it->text);
		show_lines(out, "           ", it->detail);
	}
}

json_t *kpatch_checks_json(const struct rk_checks *checks)
{
	json_t *array = json_array();

	rk_vec_for_each(&checks->list, it)
		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "name", it->name,
						       "result", rk_check_result_name(it->result),
						       "text", it->text, "detail", it->detail));
	return array;
}

void kpatch_show_blockers(FILE *out, const struct rk_livepatch_blockers *blockers)
{
	rk_vec_for_each(&blockers->list, it) {
		fprintf(out, "held up by %s (%d)%s\n", it->comm, it->tid, it->stack[0] ? ":" : "");
		show_lines(out, "  ", it->stack);
	}
}

json_t *kpatch_blockers_json(const struct rk_livepatch_blockers *blockers)
{
	json_t *array = json_array();

	rk_vec_for_each(&blockers->list, it)
		json_array_append_new(array,
				      json_pack("{s:i, s:i, s:s, s:s}", "pid", it->pid, "tid",
						it->tid, "comm", it->comm, "stack", it->stack));
	return array;
}

void kpatch_show_fixes(const char *indent, const struct rk_manifest *manifest)
{
	rk_vec_for_each(&manifest->fixes, fix) {
		printf("%s", indent);
		rk_vec_for_each(&fix->cves, cve)
			printf("%s ", *cve);
		printf("%s\n", fix->title ? fix->title : fix->file);
	}
}

json_t *kpatch_fixes_json(const struct rk_manifest *manifest)
{
	json_t *array = json_array();

	rk_vec_for_each(&manifest->fixes, fix) {
		json_array_append_new(array, json_pack("{s:s, s:s*, s:o}", "file", fix->file,
						       "title", fix->title, "cves",
						       rk_json_texts(fix->cves.v, fix->cves.nr)));
	}
	return array;
}
