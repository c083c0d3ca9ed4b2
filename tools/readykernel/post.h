/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of readykernel-fetch that sends instead of fetching. */
#ifndef READYKERNEL_POST_H
#define READYKERNEL_POST_H

#include "lib/http/http.h"
#include "tools/readykernel/request.h"

/* Sends the messages at READYKERNEL_INPUT_FD to request->report_url, one after the other, and names each that the server took. One that
 * it refuses as such is passed over, with a note; any other failure ends it. */
struct rk_err *readykernel_post(const struct readykernel_request *request, struct rk_http *http,
				const struct rk_reporter *reporter,
				void (*on_sent)(const char *name)) __must_use;

#endif
