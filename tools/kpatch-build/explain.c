/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --explain: what findings mean, for people who have one before them. Needs no kernel. */
#include "tools/common/explain.h"

#include "tools/common/render.h"
#include "tools/common/text.h"
#include "tools/kpatch-build/explain.h"

struct rk_err *explain_find_code(const char *wish, enum rk_finding_code *ret)
{
	const char *best = NULL;
	size_t distance = SIZE_MAX;
	_cleanup_free_ char *name = strndup(wish, strcspn(wish, ":"));

	if (!name)
		return rk_err_nomem();
	if (rk_acceptance_code(name, ret))
		return NULL;
	for (int code = 0; code < RK_FINDING_CODES; code++)
		rk_suggest(name, rk_finding_code_name((enum rk_finding_code)code), &best,
			   &distance);
	if (best)
		return rk_err(RK_ERR_INVALID, "unknown finding '%s' (did you mean '%s'?)", name,
			      best);
	return rk_err(RK_ERR_INVALID, "unknown finding '%s'; '--explain list' shows all", name);
}

static struct rk_err *show_list(const struct rk_cli *cli)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	if (cli->json) {
		json_t *doc = rk_render_document("kpatch-build-explain", 1);
		json_t *list = json_array();
		for (int code = 0; code < RK_FINDING_CODES; code++)
			json_array_append_new(list,
					      rk_explain_json(NULL, (enum rk_finding_code)code));
		json_object_set_new(doc, "findings", list);
		return rk_render_json(doc);
	}
	rk_explain_list(&out, rk_text_terminal_width(stdout));
	RK_TRY(rk_str_check(&out));
	fputs(rk_str_get(&out), stdout);
	return NULL;
}

static struct rk_err *show(const struct rk_cli *cli, const struct rk_entries *entries)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	json_t *list = cli->json ? json_array() : NULL;

	for (size_t i = 0; i < cli->nr_operands; i++) {
		enum rk_finding_code code;
		struct rk_err *err = explain_find_code(cli->operands[i], &code);
		if (err) {
			json_decref(list);
			return err;
		}
		const struct rk_entry *entry = rk_entries_find(entries, rk_finding_code_name(code));
		if (list)
			json_array_append_new(list, rk_explain_json(entry, code));
		else
			rk_explain_text(&out, entry, code, rk_text_terminal_width(stdout));
		if (i + 1 < cli->nr_operands)
			rk_str_add_char(&out, '\n');
	}
	if (list) {
		json_t *doc = rk_render_document("kpatch-build-explain", 1);
		json_object_set_new(doc, "findings", list);
		return rk_render_json(doc);
	}
	RK_TRY(rk_str_check(&out));
	fputs(rk_str_get(&out), stdout);
	return NULL;
}

struct rk_err *explain(const struct rk_cli *cli)
{
	struct rk_entries entries = {};

	if (!cli->nr_operands || (cli->nr_operands == 1 && rk_streq(cli->operands[0], "list")))
		return show_list(cli);
	struct rk_err *err = rk_entries_read(&entries);
	if (!err)
		err = show(cli, &entries);
	rk_entries_deinit(&entries);
	return err;
}
