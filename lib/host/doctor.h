/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this host fit for live patches? One table of checks; each looks at one thing and says what it found and what to do about it. */
#ifndef RK_HOST_DOCTOR_H
#define RK_HOST_DOCTOR_H

#include "lib/host/kernel.h"
#include "lib/host/settings.h"
#include "lib/host/status.h"

enum rk_health {
	RK_HEALTH_OK,
	RK_HEALTH_WARN,
	RK_HEALTH_FAIL,
	RK_HEALTHS
};
/* "ok", "warn", "fail" */
const char *rk_health_name(enum rk_health health);

struct rk_doctor_check {
	const char *name; /* "kernel-config", "lockdown", "clock" …: stable */
	enum rk_health health;
	const char *text;   /* what was found */
	const char *advice; /* what to do; "" when ok */
};

struct rk_doctor_report {
	struct rk_arena arena;
	rk_vec(struct rk_doctor_check) list; /* in the order of the table */
};

/* What the checks look at; NULL where it couldn't be had. */
struct rk_doctor {
	const struct rk_host *host;
	const struct rk_host_kernel *kernel;
	const struct rk_settings *settings;
	const struct rk_settings_problems *problems;
	const struct rk_status *status;
};

/* Runs every check; one that can't be made says so as a warning. Errors: RK_ERR_NOMEM. */
struct rk_err *rk_doctor_run(const struct rk_doctor *doctor, struct rk_doctor_report **ret)
	__must_use;
void rk_doctor_report_free(struct rk_doctor_report *checks);
/* The worst of them. */
enum rk_health rk_doctor_report_worst(const struct rk_doctor_report *checks);

static inline void rk_cleanup_doctor_report(struct rk_doctor_report **checks)
{
	rk_doctor_report_free(*checks);
}
#define _cleanup_doctor_report_ _cleanup_(rk_cleanup_doctor_report)

#endif
