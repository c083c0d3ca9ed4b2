/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for a transition, and who is in its way. */
#include <stdio.h>
#include <string.h>

#include "tools/kpatch/kpatch.h"

const struct rk_option kpatch_wait_options[] = {
	RK_OPT_UINT(0, "timeout", struct kpatch_wait_values, timeout, "S",
		    "give up when the transition takes longer than S seconds (75)"),
	RK_OPT_END,
};

static void show_blocker(const struct rk_livepatch_blocker *blocker)
{
	fprintf(stderr, "held up by %s (%d)%s\n", blocker->comm, blocker->pid,
		blocker->stack[0] ? ":" : "");
	for (const char *line = blocker->stack; *line;) {
		size_t len = strcspn(line, "\n");

		fprintf(stderr, "  %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

static struct rk_err *show_blockers(bool enabling)
{
	_cleanup_livepatch_blockers_ struct rk_livepatch_blockers blockers = {};

	RK_TRY(rk_livepatch_blockers(&rk_livepatch_roots, enabling, &blockers));
	rk_vec_for_each(&blockers.list, it)
		show_blocker(it);
	return NULL;
}

struct rk_err *kpatch_wait(const struct rk_cli *cli, const char *name, bool enabling,
			   enum rk_livepatch_state *ret)
{
	const struct kpatch_wait_values *values = cli->values;
	unsigned int end_ms = values->timeout ? values->timeout * 1000 : KPATCH_LIMIT_MS;
	struct rk_livepatch_limits limits = {.note_ms = KPATCH_NOTE_MS, .end_ms = end_ms};
	struct rk_err *err =
		rk_livepatch_wait(&rk_livepatch_roots, name, &limits, cli->reporter, ret);

	if (err && rk_err_code(err) == RK_ERR_TIMEOUT) {
		_cleanup_err_ struct rk_err *second = show_blockers(enabling);

		if (second)
			fprintf(stderr, "cannot tell which tasks hold it up: %s\n",
				rk_err_message(second));
	}
	return err;
}
