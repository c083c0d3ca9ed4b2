/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel info and status: what this host runs and how safe that is; the verdict stands last. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "lib/base/json.h"
#include "lib/base/utc.h"
#include "lib/host/effective.h"
#include "tools/common/render.h"
#include "tools/common/text.h"
#include "tools/readykernel/client.h"

#define LABEL_WIDTH 15

static void show(const char *label, const char *fmt, ...) __printf(2, 3);
static void show(const char *label, const char *fmt, ...)
{
	va_list ap;

	printf("%-*s", LABEL_WIDTH, label);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void show_time(const char *label, int64_t time)
{
	char text[RK_UTC_TEXT_SIZE];

	if (time)
		show(label, "%s", rk_utc_format(time, text));
}

static void show_cves(const char *label, const char *const *cves, size_t nr)
{
	_cleanup_str_ struct rk_str list = RK_STR_INIT;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	if (!nr)
		return;
	rk_str_addf(&list, "%zu:", nr);
	for (size_t i = 0; i < nr; i++)
		rk_str_addf(&list, " %s", cves[i]);
	rk_text_wrap(&text, rk_str_get(&list), 0, LABEL_WIDTH, rk_text_terminal_width(stdout));
	printf("%-*s%s", LABEL_WIDTH, label, rk_str_get(&text) + LABEL_WIDTH);
}

static void show_patch(const struct rk_status *s)
{
	if (s->foreign)
		show("other patch", "%s (not one of ours)", s->foreign);
	if (!s->loaded) {
		show("patch", "none");
		return;
	}
	show("patch", "%s, level %" PRIu64 " (%s)", s->loaded->name, s->loaded->level,
	     rk_livepatch_state_name(s->loaded_state));
	if (s->state->loaded.level == s->loaded->level)
		show_time("loaded at", s->state->loaded.at);
	rk_vec_for_each(&s->blockers.list, it)
		show("held up by", "%s (%d)", it->comm, it->tid);
	show_cves("fixes", s->cves, s->nr_cves);
}

static void show_repository(const struct readykernel *rk, const struct rk_status *s)
{
	if (rk->trust_problem)
		show("trust", "%s", rk_err_message(rk->trust_problem));
	if (s->allowed && s->allowed != s->loaded &&
	    (!s->loaded || s->allowed->level > s->loaded->level))
		show("available", "level %" PRIu64, s->allowed->level);
	show_cves("would fix", s->cves_missing, s->nr_cves_missing);
	show_cves("left by freeze", s->cves_excluded, s->nr_cves_excluded);
	show_time("covered until", s->trust.covered_until);
	show("channel", "%s", rk_channel_name(s->settings->channel));
	if (s->trust.licence_id)
		show("licence", "%s (%s)", s->trust.licence_id, s->trust.licence_state);
	show_time("last check", s->state->last_check.at);
	if (s->state->last_check.at && !rk_streq(s->state->last_check.code, "ok"))
		show("", "%s: %s", s->state->last_check.code, s->state->last_check.text);
	if (*s->state->last_error.code)
		show("last error", "%s: %s", s->state->last_error.code, s->state->last_error.text);
}

static void show_freeze(struct readykernel *rk)
{
	const char *text = rk_freeze_text(&rk->state->freeze, &rk->arena);

	if (rk->state->freeze.kind != RK_FREEZE_NONE && text)
		show("frozen", "%s", text);
}

static void show_all(struct readykernel *rk, const struct rk_status *s)
{
	show("kernel", "%s (%s)", rk->kernel->running.release, rk->kernel->running.version);
	show("effective", "%s", s->effective);
	if (rk->kernel->switched != RK_SWITCH_ON)
		show("switched", "%s", rk_switch_name(rk->kernel->switched));
	show_patch(s);
	show_freeze(rk);
	show_repository(rk, s);
	printf("%s\n", s->summary);
}

static struct rk_err *open_overview(const struct rk_cli *cli, struct readykernel *rk,
				    struct rk_status **ret)
{
	const struct readykernel_common *values = cli->values;

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_READ, rk));
	return readykernel_overview(rk, ret);
}

static struct rk_err *info(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	_cleanup_status_ struct rk_status *status = NULL;

	RK_TRY(open_overview(cli, &rk, &status));
	if (cli->json)
		return rk_render_json(rk_status_to_json(status));
	show_all(&rk, status);
	return NULL;
}

const struct rk_verb readykernel_info = {
	.name = "info",
	.summary = "show which level is loaded, what it fixes, and what there is to do",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.has_json = true,
	.run = info,
};

static struct rk_err *status(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	_cleanup_status_ struct rk_status *status = NULL;

	RK_TRY(open_overview(cli, &rk, &status));
	*ret_exit = (enum rk_exit)status->verdict;
	if (cli->json)
		return rk_render_json(rk_status_to_json(status));
	if (!cli->quiet)
		printf("%s\n", status->summary);
	return NULL;
}

const struct rk_verb readykernel_status = {
	.name = "status",
	.summary = "say in one line and by the exit status whether this kernel is patched",
	.description =
		"Exit status: 0 the newest level that is allowed here is loaded, 1 none is loaded, 2 a newer one\n"
		"is there, 3 there are no levels for this kernel, 4 a transition does not end, 5 the last\n"
		"change failed, its level is blocked, or what is newest is not known any more. Errors have other numbers, see readykernel(8).",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.has_json = true,
	.run = status,
};

/* --- uname --- */

struct uname_values {
	struct readykernel_common common;
	bool all, release;
};

static const struct rk_option uname_options[] = {
	RK_OPT_FLAG('a', "all", struct uname_values, all, "all that uname(1) shows"),
	RK_OPT_FLAG('r', "release", struct uname_values, release, "the release only (the default)"),
	READYKERNEL_OPT_ROOT(struct uname_values, common.root),
	RK_OPT_END,
};

static json_t *uname_json(const struct readykernel *rk, const struct rk_status *status,
			  const struct utsname *name)
{
	const struct rk_running *running = &rk->kernel->running;
	json_t *doc = rk_render_document("readykernel-uname", 1);

	json_object_set_new(doc, "nodename", json_string(name->nodename));
	json_object_set_new(doc, "release", json_string(status->effective));
	json_object_set_new(doc, "kernel", json_string(running->release));
	json_object_set_new(doc, "version", json_string(running->version));
	json_object_set_new(doc, "machine", json_string(running->machine));
	return doc;
}

static struct rk_err *show_uname(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct uname_values *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	_cleanup_status_ struct rk_status *status = NULL;
	struct utsname name;

	RK_TRY(open_overview(cli, &rk, &status));
	uname(&name); /* it can't fail; what isn't the kernel's comes from it */
	if (cli->json)
		return rk_render_json(uname_json(&rk, status, &name));
	if (!values->all) {
		printf("%s\n", status->effective);
		return NULL;
	}
	printf("Linux %s %s %s %s GNU/Linux\n", name.nodename, status->effective,
	       rk.kernel->running.version, rk.kernel->running.machine);
	return NULL;
}

const struct rk_verb readykernel_uname = {
	.name = "uname",
	.summary = "show the version that this kernel is as safe as",
	.options = uname_options,
	.values_size = sizeof(struct uname_values),
	.has_json = true,
	.run = show_uname,
};

/* --- cvelist --- */

static struct rk_err *cvelist(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	_cleanup_status_ struct rk_status *status = NULL;
	json_t *doc;

	RK_TRY(open_overview(cli, &rk, &status));
	if (!cli->json) {
		for (size_t i = 0; i < status->nr_cves; i++)
			printf("%s\n", status->cves[i]);
		return NULL;
	}
	doc = rk_render_document("readykernel-cvelist", 1);
	json_object_set_new(doc, "kernel", json_string(rk.kernel->running.release));
	json_object_set_new(doc, "level",
			    json_integer(status->loaded ? (json_int_t)status->loaded->level : 0));
	json_object_set_new(doc, "cves", rk_json_texts(status->cves, status->nr_cves));
	return rk_render_json(doc);
}

const struct rk_verb readykernel_cvelist = {
	.name = "cvelist",
	.summary = "list the CVEs that the loaded level fixes, one a line",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.has_json = true,
	.run = cvelist,
};
