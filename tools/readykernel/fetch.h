/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting readykernel-fetch as a user without privileges, and listening to it. */
#ifndef READYKERNEL_FETCH_H
#define READYKERNEL_FETCH_H

#include "lib/base/progress.h"
#include "lib/host/host.h"
#include "tools/readykernel/request.h"

#define READYKERNEL_USER "readykernel"

/* Makes incoming/ if it isn't there, for the user; empties it of what is not needed any more when it holds too much. */
struct rk_err *readykernel_incoming(const struct rk_host *host) __must_use;

/*
 * Runs one request in host->incoming_dir and waits for its end, at most limit_s seconds. bundle: descriptor of the bundle's file for
 * READYKERNEL_UNPACK, else -1. The error is the one that readykernel-fetch tells, and is believed no further than that; RK_ERR_TOOL
 * when it died, RK_ERR_INTERRUPTED when we were asked to end (it has ended, too).
 */
struct rk_err *readykernel_fetch(const struct rk_host *host,
				 const struct readykernel_request *request, int bundle,
				 unsigned int limit_s, const struct rk_reporter *reporter)
	__must_use;

#endif
