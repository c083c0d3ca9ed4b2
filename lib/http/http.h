/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GET, and POST of a small text, with a limit on everything a server can do to its client: how much it sends, how long it takes, how
 * slowly, and where it sends us next. What comes is checked by nobody here but for length and SHA-256: signatures are lib/trust's.
 */
#ifndef RK_HTTP_HTTP_H
#define RK_HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"

/* Of the whole session. Everything is copied. */
struct rk_http_config {
	const char *proxy;	/* "http://proxy:3128"; NULL: none, whatever the environment says */
	const char *no_proxy;	/* hosts that are asked directly, separated by commas; or NULL */
	const char *ca_file;	/* certificates that are trusted instead of the system's; or NULL */
	const char *user_agent; /* or NULL */
};

/* 0 takes the default. */
struct rk_http_limits {
	uint64_t max_bytes;	   /* of the body; RK_HTTP_BYTES */
	unsigned int connect_s;	   /* until connected; RK_HTTP_CONNECT_S */
	unsigned int total_s;	   /* of the whole request; RK_HTTP_TOTAL_S */
	unsigned int slow_bytes_s; /* slower than this on average … RK_HTTP_SLOW_BYTES_S */
	unsigned int slow_s;	   /* … for so long is a failure; RK_HTTP_SLOW_S */
};

#define RK_HTTP_BYTES	     (1u << 20)
#define RK_HTTP_CONNECT_S    30
#define RK_HTTP_TOTAL_S	     600
#define RK_HTTP_SLOW_BYTES_S 1000
#define RK_HTTP_SLOW_S	     30
#define RK_HTTP_REDIRECTS    5
#define RK_HTTP_HEADERS	     (64u << 10) /* bytes of all headers, those of redirects too */
#define RK_HTTP_ETAG_SIZE    256	 /* with the NUL; a longer one isn't kept */

struct rk_http_request {
	const char *url; /* http, https or file */
	struct rk_http_limits limits;
	const char *etag; /* of what the caller has (If-None-Match); NULL: nothing */
	/* What a download must be, from metadata that is trusted; NULL and 0: not known. */
	const char *sha256;
	uint64_t length;
	/* JSON that is sent to the server (POST); NULL: nothing is (GET). */
	const char *json;
	const struct rk_reporter *reporter; /* advances in bytes; or NULL */
};

struct rk_http_response {
	bool is_unchanged;	      /* 304: there is no body, the caller's copy is current */
	char etag[RK_HTTP_ETAG_SIZE]; /* as the server wrote it; "" without one */
	uint64_t bytes;		      /* came over the network, of the body */
	bool is_resumed;	      /* a download went on where an earlier one ended */
};

struct rk_http; /* one connection that is used again */

struct rk_err *rk_http_create(const struct rk_http_config *config, struct rk_http **ret) __must_use;
/* NULL is allowed. */
void rk_http_destroy(struct rk_http *http);

/*
 * The body is appended to ret_body, which must be empty. A redirect is followed to the same scheme, or from http to https, never to
 * a file. Errors name the URL (without a password) and the cause: RK_ERR_NOT_FOUND (404, 410), RK_ERR_LIMIT (too large),
 * RK_ERR_TIMEOUT (too slow), RK_ERR_SERVER (5xx), RK_ERR_NETWORK (everything else between us and the body), RK_ERR_INVALID (no URL we know),
 * RK_ERR_INTERRUPTED.
 */
struct rk_err *rk_http_get(struct rk_http *http, const struct rk_http_request *req,
			   struct rk_str *ret_body, struct rk_http_response *ret) __must_use;

/*
 * The body becomes the file path, whole or not at all: it grows as "<path>.part", which is kept when the connection is lost and
 * completed by the next call (Range). With length and sha256 both are checked before it gets its name; what doesn't match after it
 * was resumed is fetched again from the start, once. Errors as above, and RK_ERR_MISMATCH (length or SHA-256), RK_ERR_SYS.
 */
struct rk_err *rk_http_download(struct rk_http *http, const struct rk_http_request *req,
				const char *path, struct rk_http_response *ret) __must_use;

/*
 * Sends req->json; done when the server answers 2xx, whose body (at most max_bytes) nobody looks at. No redirect is followed, and file:
 * is no place to send to. RK_ERR_VERDICT: the server refuses this very text (400, 413, 422), another may pass; else errors as above.
 */
struct rk_err *rk_http_post(struct rk_http *http, const struct rk_http_request *req) __must_use;

static inline void rk_cleanup_http(struct rk_http **http)
{
	rk_http_destroy(*http);
}
#define _cleanup_http_ _cleanup_(rk_cleanup_http)

#endif
