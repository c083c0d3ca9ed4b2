/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel doctor: is this host fit for live patches, and what is there to do about it. */
#include <stdio.h>

#include "lib/host/doctor.h"
#include "tools/common/render.h"
#include "tools/readykernel/client.h"

static json_t *report_json(const struct rk_doctor_report *report)
{
	json_t *doc = rk_render_document("readykernel-doctor", 1);
	json_t *list = json_array();

	rk_vec_for_each(&report->list, it)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", it->name,
						      "health", rk_health_name(it->health), "text",
						      it->text, "advice", it->advice));
	json_object_set_new(doc, "health",
			    json_string(rk_health_name(rk_doctor_report_worst(report))));
	json_object_set_new(doc, "checks", list);
	return doc;
}

static void show(const struct rk_doctor_report *report, bool quiet)
{
	rk_vec_for_each(&report->list, it) {
		if (quiet && it->health == RK_HEALTH_OK)
			continue;
		printf("%-4s  %-14s  %s\n", rk_health_name(it->health), it->name, it->text);
		if (*it->advice)
			printf("%-4s  %-14s  %s\n", "", "", it->advice);
	}
}

static struct rk_err *doctor(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	_cleanup_status_ struct rk_status *status = NULL;
	_cleanup_doctor_report_ struct rk_doctor_report *report = NULL;

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_READ, &rk));
	RK_TRY(readykernel_overview(&rk, &status));
	struct rk_doctor what = {rk.host, rk.kernel, rk.settings, &rk.problems, status};
	RK_TRY(rk_doctor_run(&what, &report));
	if (rk_doctor_report_worst(report) == RK_HEALTH_FAIL)
		*ret_exit = RK_EXIT_VERDICT;
	if (cli->json)
		return rk_render_json(report_json(report));
	show(report, cli->quiet);
	return NULL;
}

const struct rk_verb readykernel_doctor = {
	.name = "doctor",
	.summary = "look for what keeps this host from being patched, and say what to do",
	.description =
		"Exit status 3 when something does. --quiet leaves out what is as it should be.",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.has_json = true,
	.run = doctor,
};
