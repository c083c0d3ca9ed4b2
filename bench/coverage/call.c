/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tool of ours run as a process, and the one JSON document it prints. */
#include <string.h>

#include "bench/coverage/coverage.h"

void cov_words_add(struct cov_words *words, const char *word)
{
	words->failed |= !rk_vec_push(&words->list, word);
}

const char *const *cov_words_end(struct cov_words *words)
{
	cov_words_add(words, NULL);
	return words->failed ? NULL : words->list.v;
}

void cov_words_deinit(struct cov_words *words)
{
	rk_vec_deinit(&words->list);
}

void cov_call_deinit(struct cov_call *call)
{
	rk_process_result_deinit(&call->process);
	json_decref(call->json);
}

struct rk_err *cov_call(const char *const *argv, unsigned int timeout_ms, struct cov_call *ret)
{
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = timeout_ms};
	struct cov_call call = {};

	if (!argv)
		return rk_err_nomem();
	struct rk_err *err = rk_process_run(&spec, &call.process);
	if (err && rk_err_code(err) == RK_ERR_TIMEOUT) { /* a result like any other */
		call.json =
			json_pack("{s:{s:s, s:s}}", "error", "code",
				  rk_err_code_name(RK_ERR_TIMEOUT), "message", rk_err_message(err));
		rk_err_free(err);
		call.process.status = 1;
		call.process.seconds = timeout_ms / 1000.0;
		err = NULL;
	}
	if (err) {
		cov_call_deinit(&call);
		return err;
	}
	/* notes and warnings may stand before it */
	const char *text = rk_str_get(&call.process.output);
	const char *start = *text == '{' ? text : strstr(text, "\n{");
	if (start && !call.json)
		call.json = json_loads(start, JSON_DISABLE_EOF_CHECK, NULL);
	*ret = call;
	return NULL;
}
