/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request by libcurl. Whatever libcurl would take from its surroundings (proxies of the environment, ~/.netrc, cookies) is turned
 * off; every option here is a limit or a refusal.
 */
#include "lib/http/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/process.h"
#include "lib/http/internal.h"

#define ALLOWED_SCHEMES "http,https,file"

struct rk_http {
	CURL *curl;
	char *proxy, *no_proxy, *ca_file, *user_agent;
	char error[CURL_ERROR_SIZE];
};

struct transfer {
	struct rk_http *http;
	const struct rk_http_request *req;
	const struct rk_http_sink *sink;
	struct rk_http_response response;
	struct rk_err *err; /* why a callback ended the transfer */
	uint64_t offset;    /* asked for */
	uint64_t max_bytes; /* of the whole body */
	uint64_t from;	    /* where the server's body begins */
	struct rk_http_headers headers;
	size_t header_bytes;
	bool has_begun;
	bool is_bad_range;
};

/* --- what the server sends --- */

static size_t on_header(char *line, size_t size, size_t nr, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * nr;

	t->header_bytes += len;
	if (t->header_bytes > RK_HTTP_HEADERS) {
		t->err = rk_err(RK_ERR_LIMIT, "the server's headers are larger than %u bytes",
				RK_HTTP_HEADERS);
		return 0;
	}
	rk_http_header(line, len, &t->headers);
	return len;
}

static struct rk_err *begin(struct transfer *t)
{
	long status = 0;
	uint64_t from = 0;

	curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
	/* 0: a file, of which libcurl reads what was asked for */
	if (status == 206 || status == 0)
		from = status ? t->headers.from : t->offset;
	if (from != 0 && from != t->offset)
		return rk_err(RK_ERR_NETWORK,
			      "the server sent bytes from %" PRIu64 " on, not from %" PRIu64, from,
			      t->offset);
	t->has_begun = true;
	t->from = from;
	t->response.is_resumed = from != 0;
	return t->sink->begin(t->sink->ctx, from);
}

static size_t on_body(char *data, size_t size, size_t nr, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * nr;

	if (!t->has_begun)
		t->err = begin(t);
	if (!t->err && len > t->max_bytes - t->from - t->response.bytes)
		t->err = rk_err(RK_ERR_LIMIT, "it is larger than %" PRIu64 " bytes", t->max_bytes);
	if (!t->err)
		t->err = t->sink->add(t->sink->ctx, data, len);
	if (t->err)
		return 0;
	t->response.bytes += len;
	return len;
}

static int on_progress(void *ctx, curl_off_t total, curl_off_t done, curl_off_t up,
		       curl_off_t upped)
{
	struct transfer *t = ctx;

	if (rk_is_interrupted()) {
		if (!t->err)
			t->err = rk_err(RK_ERR_INTERRUPTED, "interrupted");
		return 1;
	}
	if (done > 0)
		rk_report_advance(t->req->reporter, t->from + (uint64_t)done,
				  total > 0 ? t->from + (uint64_t)total : 0, "bytes");
	return 0;
}

/* --- the request --- */

static unsigned int or_default(unsigned int value, unsigned int fallback)
{
	return value ? value : fallback;
}

static bool has_scheme(const char *url, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncasecmp(url, scheme, n) == 0 && rk_has_prefix(url + n, "://");
}

static void set_limits(CURL *curl, const struct transfer *t)
{
	const struct rk_http_limits *l = &t->req->limits;

	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT,
			 (long)or_default(l->connect_s, RK_HTTP_CONNECT_S));
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)or_default(l->total_s, RK_HTTP_TOTAL_S));
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT,
			 (long)or_default(l->slow_bytes_s, RK_HTTP_SLOW_BYTES_S));
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)or_default(l->slow_s, RK_HTTP_SLOW_S));
	/* a Content-Length that is too large ends it before a byte of the body */
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(t->max_bytes - t->offset));
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)RK_HTTP_REDIRECTS);
	/* a text goes where its sender means it to, and nowhere else */
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, t->req->json ? 0L : 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, ALLOWED_SCHEMES);
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
			 has_scheme(t->req->url, "https") ? "https" : "http,https");
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void set_surroundings(struct rk_http *http)
{
	CURL *curl = http->curl;

	/* "" and not NULL: libcurl would ask the environment */
	curl_easy_setopt(curl, CURLOPT_PROXY, http->proxy ? http->proxy : "");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, http->no_proxy ? http->no_proxy : "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	if (http->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, http->ca_file);
	if (http->user_agent)
		curl_easy_setopt(curl, CURLOPT_USERAGENT, http->user_agent);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
}

static bool add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;

	if (longer)
		*list = longer;
	return longer != NULL;
}

static struct rk_err *set_headers(CURL *curl, const struct transfer *t, struct curl_slist **ret)
{
	char range[32];

	if (t->offset) {
		snprintf(range, sizeof(range), "%" PRIu64 "-", t->offset);
		curl_easy_setopt(curl, CURLOPT_RANGE, range); /* copied */
	}
	if (t->req->etag && *t->req->etag) {
		_cleanup_free_ char *line = rk_asprintf("If-None-Match: %s", t->req->etag);

		if (!add_header(ret, line))
			return rk_err_nomem();
	}
	if (t->req->json) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, t->req->json); /* borrowed */
		/* no "Expect: 100-continue", for which many servers let one wait */
		if (!add_header(ret, "Content-Type: application/json") ||
		    !add_header(ret, "Expect:"))
			return rk_err_nomem();
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *ret);
	return NULL;
}

static void set_callbacks(CURL *curl, struct transfer *t)
{
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

/* --- what went wrong --- */

static struct rk_err *http_status(const struct transfer *t, long status)
{
	if (t->req->json && (status == 400 || status == 413 || status == 422))
		return rk_err(RK_ERR_VERDICT, "the server refuses it (HTTP %ld)", status);
	if (t->req->json && (status == 404 || status == 410))
		return rk_err(RK_ERR_NOT_FOUND, "the server has no such place (HTTP %ld)", status);
	if (status == 404 || status == 410)
		return rk_err(RK_ERR_NOT_FOUND, "the server has no such file (HTTP %ld)", status);
	if (status == 407)
		return rk_err(RK_ERR_NETWORK, "the proxy wants a name and password (HTTP 407)");
	return rk_err(status >= 500 ? RK_ERR_SERVER : RK_ERR_NETWORK,
		      "the server answered HTTP %ld", status);
}

static struct rk_err *timed_out(const struct transfer *t)
{
	const struct rk_http_limits *l = &t->req->limits;
	curl_off_t connected = 0;

	curl_easy_getinfo(t->http->curl, CURLINFO_CONNECT_TIME_T, &connected);
	if (strstr(t->http->error, "too slow"))
		return rk_err(RK_ERR_TIMEOUT,
			      "too slow: less than %u bytes a second for %u s, after %" PRIu64
			      " bytes",
			      or_default(l->slow_bytes_s, RK_HTTP_SLOW_BYTES_S),
			      or_default(l->slow_s, RK_HTTP_SLOW_S), t->response.bytes);
	if (!connected)
		return rk_err(RK_ERR_TIMEOUT, "no connection within %u s",
			      or_default(l->connect_s, RK_HTTP_CONNECT_S));
	return rk_err(RK_ERR_TIMEOUT, "not done within %u s, after %" PRIu64 " bytes",
		      or_default(l->total_s, RK_HTTP_TOTAL_S), t->response.bytes);
}

static struct rk_err *cause(struct transfer *t, CURLcode code)
{
	const char *text = t->http->error[0] ? t->http->error : curl_easy_strerror(code);
	long status = 0;

	switch (code) {
	case CURLE_OUT_OF_MEMORY: return rk_err_nomem();
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
		if (status)
			return rk_err(RK_ERR_NETWORK,
				      "the server redirects to a place that is not allowed: %s",
				      text);
		return rk_err(RK_ERR_INVALID, "%s", text);
	case CURLE_FILE_COULDNT_READ_FILE: return rk_err(RK_ERR_NOT_FOUND, "there is no such file");
	case CURLE_FILESIZE_EXCEEDED:
		return rk_err(RK_ERR_LIMIT, "it is larger than %" PRIu64 " bytes", t->max_bytes);
	case CURLE_OPERATION_TIMEDOUT: return timed_out(t);
	case CURLE_HTTP_RETURNED_ERROR:
		curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
		t->is_bad_range = status == 416;
		return http_status(t, status);
	case CURLE_RANGE_ERROR:
	case CURLE_BAD_DOWNLOAD_RESUME:
		t->is_bad_range = true;
		return rk_err(RK_ERR_NETWORK, "%s", text);
	case CURLE_PARTIAL_FILE:
		return rk_err(RK_ERR_NETWORK,
			      "the connection ended after %" PRIu64 " bytes, too early",
			      t->response.bytes);
	default: return rk_err(RK_ERR_NETWORK, "%s", text);
	}
}

/* "https://user:secret@host/x" without what is before the @; malloc'ed. */
static char *shown_url(const char *url)
{
	const char *host = strstr(url, "://");
	const char *at;

	host = host ? host + 3 : url;
	at = memchr(host, '@', strcspn(host, "/?#"));
	return at ? rk_asprintf("%.*s%s", (int)(host - url), url, at + 1) : strdup(url);
}

static struct rk_err *name_url(struct transfer *t, struct rk_err *err)
{
	_cleanup_free_ char *asked = shown_url(t->req->url);
	_cleanup_free_ char *last = NULL;
	const char *effective = NULL;
	const char *what = t->req->json ? "cannot send to" : "cannot fetch";

	curl_easy_getinfo(t->http->curl, CURLINFO_EFFECTIVE_URL, &effective);
	if (effective && !rk_streq(effective, t->req->url))
		last = shown_url(effective);
	if (asked && last && !rk_streq(last, asked))
		return rk_err_wrap(err, "%s '%s' (which led to '%s')", what, asked, last);
	return rk_err_wrap(err, "%s '%s'", what, asked ? asked : "?");
}

/* --- */

/* libcurl takes a path with ".." or a "%00" as it is; whatever isn't one of our schemes by its letters is refused here. */
static struct rk_err *check_url(const struct rk_http_request *req)
{
	if (has_scheme(req->url, "http") || has_scheme(req->url, "https"))
		return NULL;
	if (req->json)
		return rk_err(RK_ERR_INVALID, "'%s' is no URL to send to; use http or https",
			      req->url);
	if (has_scheme(req->url, "file"))
		return NULL;
	return rk_err(RK_ERR_INVALID, "'%s' is no URL that can be fetched; use http, https or file",
		      req->url);
}

/* status 0: of a file */
static bool is_success(const struct transfer *t, long status)
{
	if (t->req->json)
		return status >= 200 && status < 300;
	return status == 0 || status == 200 || status == 206 || status == 304;
}

static struct rk_err *perform(struct transfer *t)
{
	CURL *curl = t->http->curl;
	struct curl_slist *headers = NULL;
	long unmet = 0, status = 0;

	curl_easy_reset(curl); /* keeps the connection */
	t->http->error[0] = '\0';
	set_surroundings(t->http);
	set_limits(curl, t);
	set_callbacks(curl, t);
	curl_easy_setopt(curl, CURLOPT_URL, t->req->url);
	struct rk_err *err = set_headers(curl, t, &headers);
	CURLcode code = err ? CURLE_OUT_OF_MEMORY : curl_easy_perform(curl);
	curl_slist_free_all(headers);
	if (err)
		return err;
	if (t->err)
		return name_url(t, take_ptr(t->err));
	if (code != CURLE_OK)
		return name_url(t, cause(t, code));
	curl_easy_getinfo(curl, CURLINFO_CONDITION_UNMET, &unmet);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	t->response.is_unchanged = status == 304;
	memcpy(t->response.etag, t->headers.etag, sizeof(t->response.etag));
	if (!is_success(t, status))
		return name_url(t, http_status(t, status));
	/* an empty body never reached on_body() */
	return t->has_begun || t->response.is_unchanged ? NULL : begin(t);
}

struct rk_err *rk_http_transfer(struct rk_http *http, const struct rk_http_request *req,
				uint64_t offset, const struct rk_http_sink *sink,
				struct rk_http_response *ret, bool *ret_bad_range)
{
	uint64_t max = req->limits.max_bytes ? req->limits.max_bytes : RK_HTTP_BYTES;
	struct transfer t = {
		.http = http,
		.req = req,
		.sink = sink,
		.offset = offset,
		.max_bytes = max,
	};

	*ret_bad_range = false;
	RK_TRY(check_url(req));
	if (offset > max)
		return rk_err(RK_ERR_INTERNAL, "a part of '%s' is larger than it may be", req->url);
	struct rk_err *err = perform(&t);
	*ret_bad_range = t.is_bad_range;
	if (err)
		return err;
	*ret = t.response;
	return NULL;
}

/* --- into memory --- */

static struct rk_err *begin_memory(void *ctx, uint64_t offset)
{
	return NULL;
}

static struct rk_err *add_memory(void *ctx, const void *data, size_t len)
{
	rk_str_add_bytes(ctx, data, len);
	return rk_str_check(ctx);
}

struct rk_err *rk_http_get(struct rk_http *http, const struct rk_http_request *req,
			   struct rk_str *ret_body, struct rk_http_response *ret)
{
	_cleanup_str_ struct rk_str body = RK_STR_INIT;
	struct rk_http_sink sink = {begin_memory, add_memory, &body};
	struct rk_http_response response;
	bool bad_range;

	RK_TRY(rk_http_transfer(http, req, 0, &sink, &response, &bad_range));
	*ret_body = body;
	body = (struct rk_str)RK_STR_INIT;
	*ret = response;
	return NULL;
}

/* --- sending --- */

static struct rk_err *drop(void *ctx, const void *data, size_t len)
{
	return NULL;
}

struct rk_err *rk_http_post(struct rk_http *http, const struct rk_http_request *req)
{
	struct rk_http_sink sink = {begin_memory, drop, NULL};
	struct rk_http_response response;
	bool bad_range;

	return rk_http_transfer(http, req, 0, &sink, &response, &bad_range);
}

/* --- the session --- */

static bool copy(char **ret, const char *s)
{
	*ret = s && *s ? strdup(s) : NULL;
	return *ret || !s || !*s;
}

struct rk_err *rk_http_create(const struct rk_http_config *config, struct rk_http **ret)
{
	_cleanup_http_ struct rk_http *http = calloc(1, sizeof(*http));

	if (!http)
		return rk_err_nomem();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return rk_err(RK_ERR_NETWORK, "libcurl cannot be initialised");
	http->curl = curl_easy_init();
	if (!http->curl || !copy(&http->proxy, config->proxy) ||
	    !copy(&http->no_proxy, config->no_proxy) || !copy(&http->ca_file, config->ca_file) ||
	    !copy(&http->user_agent, config->user_agent))
		return rk_err_nomem();
	*ret = take_ptr(http);
	return NULL;
}

void rk_http_destroy(struct rk_http *http)
{
	if (!http)
		return;
	if (http->curl)
		curl_easy_cleanup(http->curl);
	free(http->proxy);
	free(http->no_proxy);
	free(http->ca_file);
	free(http->user_agent);
	free(http);
}
