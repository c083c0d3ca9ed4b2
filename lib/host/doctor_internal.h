/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checks of the doctor share. */
#ifndef RK_HOST_DOCTOR_INTERNAL_H
#define RK_HOST_DOCTOR_INTERNAL_H

#include "lib/host/doctor.h"

/* One run. */
struct rk_examination {
	const struct rk_doctor *doctor;
	struct rk_doctor_report *report;
	const char *name; /* of the check that is running */
};

/* Adds a line to the report; advice is "" for what is well. */
struct rk_err *rk_doctor_say(struct rk_examination *x, enum rk_health health, const char *advice,
			     const char *fmt, ...) __must_use __printf(4, 5);

/* The text of a small file below /sys or /proc (root), newlines at its end removed; in the report's arena; NULL when it can't be read. */
struct rk_err *rk_doctor_read(struct rk_examination *x, const char *root, const char *path,
			      const char **ret) __must_use;

/* Whether the kernel only takes modules that are signed with a key it knows. */
struct rk_err *rk_doctor_is_enforced(struct rk_examination *x, bool *ret) __must_use;

/* Checks of the kernel (doctor_kernel.c, doctor_keys.c), each a row of the table in doctor.c. */
struct rk_err *rk_doctor_kernel_config(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_livepatch(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_lockdown(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_signatures(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_keyrings(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_certificate(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_ftrace(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_tracers(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_kprobes(struct rk_examination *x) __must_use;
struct rk_err *rk_doctor_taint(struct rk_examination *x) __must_use;

#endif
