/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other programs read: /run/readykernel/effective (one line: the version this kernel is as safe as), /run/readykernel/cvelist (one CVE a line,
 * sorted: fixed in the running kernel by a loaded level) and node_exporter's text file. The running kernel's own version is never touched.
 */
#ifndef RK_HOST_EFFECTIVE_H
#define RK_HOST_EFFECTIVE_H

#include "lib/base/str.h"
#include "lib/host/status.h"

/* Writes all three from status, each whole or not at all, readable for everybody. Nothing loaded: effective is the kernel's own release, cvelist
 * empty. The metrics file only if config names one and its directory exists. */
struct rk_err *rk_effective_write(const struct rk_host *host, const struct rk_status *status)
	__must_use;

/* Effective version: release and level ("6.1.0-47-cloud-amd64+rk12"). patch NULL: the release. In arena, NULL without memory. */
const char *rk_effective_release(const struct rk_host_kernel *kernel, const struct rk_patch *patch,
				 struct rk_arena *arena);

/* The metrics in Prometheus' text format. */
void rk_effective_metrics(const struct rk_status *status, int64_t now, struct rk_str *out);

#endif
