/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting readykernel-fetch as a user without privileges, and listening to it. */
#ifndef READYKERNEL_FETCH_H
#define READYKERNEL_FETCH_H

#include "lib/base/progress.h"
#include "lib/host/host.h"
#include "tools/readykernel/client.h"
#include "tools/readykernel/request.h"

#define READYKERNEL_USER "readykernel"

/* Makes incoming/ if it isn't there, for the user; empties it of what is not needed any more when it holds too much. */
struct rk_err *readykernel_incoming(const struct rk_host *host) __must_use;

struct readykernel_job {
	const struct readykernel_request *request;
	int input; /* descriptor of the request's file, READYKERNEL_INPUT_FD there; else -1 */
	unsigned int limit_s; /* for all of it */
	const struct rk_reporter *reporter;
	void (*on_sent)(void *ctx, const char *name); /* see listen.h; may be NULL */
	void *ctx;
};

/*
 * Runs one request in host->incoming_dir and waits for its end, at most limit_s seconds. The error is the one that readykernel-fetch tells, and is believed no further than that; RK_ERR_TOOL
 * when it died, RK_ERR_INTERRUPTED when we were asked to end (it has ended, too).
 */
struct rk_err *readykernel_fetch(const struct rk_host *host, const struct readykernel_job *job)
	__must_use;

/* What every request tells: of the settings, of the way to url (a repository, or where reports go), and of this kernel. */
void readykernel_start_request(struct readykernel *rk, enum readykernel_request_kind kind,
			       const char *url, struct readykernel_request *ret);

#endif
