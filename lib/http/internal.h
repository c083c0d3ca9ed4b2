/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One transfer, as http.c runs it for a body in memory and download.c for one in a file. */
#ifndef RK_HTTP_INTERNAL_H
#define RK_HTTP_INTERNAL_H

#include "lib/http/http.h"

struct rk_http_sink {
	/* The server begins a body at offset of the whole (0 unless a part was asked for). */
	struct rk_err *(*begin)(void *ctx, uint64_t offset);
	struct rk_err *(*add)(void *ctx, const void *data, size_t len);
	void *ctx;
};

/* What a response's headers say of its body. */
struct rk_http_headers {
	char etag[RK_HTTP_ETAG_SIZE];
	uint64_t from; /* Content-Range; 0 without one that can be read */
};

/* Takes one line of them, with or without its end. The line of another response's status begins anew: what was before it was a redirect. */
void rk_http_header(const char *line, size_t len, struct rk_http_headers *headers);

/* Runs req for the bytes from offset on. *ret_bad_range: the server has no such part (the error says so too). */
struct rk_err *rk_http_transfer(struct rk_http *http, const struct rk_http_request *req,
				uint64_t offset, const struct rk_http_sink *sink,
				struct rk_http_response *ret, bool *ret_bad_range) __must_use;

#endif
