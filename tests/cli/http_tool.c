/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/http by hand, for test_http.py: one URL, or several with one session, and what came of each. */
#include <stdio.h>

#include "lib/http/http.h"
#include "tools/common/cli.h"

struct values {
	const char *to, *etag, *sha256, *proxy, *no_proxy, *post;
	unsigned int length, max_bytes, connect_s, total_s, slow_bytes_s, slow_s;
};

static const struct rk_option options[] = {
	RK_OPT_STR(0, "to", struct values, to, "FILE", "download to FILE"),
	RK_OPT_STR(0, "etag", struct values, etag, "TAG", "what the caller has"),
	RK_OPT_STR(0, "sha256", struct values, sha256, "HEX", "what it must be"),
	RK_OPT_STR(0, "proxy", struct values, proxy, "URL", "through a proxy"),
	RK_OPT_STR(0, "no-proxy", struct values, no_proxy, "HOSTS", "not to these"),
	RK_OPT_STR(0, "post", struct values, post, "JSON", "send it"),
	RK_OPT_UINT(0, "length", struct values, length, "N", "how long it must be"),
	RK_OPT_UINT(0, "max-bytes", struct values, max_bytes, "N", "limit of size"),
	RK_OPT_UINT(0, "connect-s", struct values, connect_s, "N", "limit of connecting"),
	RK_OPT_UINT(0, "total-s", struct values, total_s, "N", "limit of time"),
	RK_OPT_UINT(0, "slow-bytes-s", struct values, slow_bytes_s, "N", "limit of speed"),
	RK_OPT_UINT(0, "slow-s", struct values, slow_s, "N", "for how long"),
	RK_OPT_END,
};

static struct rk_err *fetch(struct rk_http *http, const struct values *v, const char *url,
			    const struct rk_reporter *reporter)
{
	struct rk_http_request req = {
		.url = url,
		.limits = {v->max_bytes, v->connect_s, v->total_s, v->slow_bytes_s, v->slow_s},
		.etag = v->etag,
		.sha256 = v->sha256,
		.length = v->length,
		.json = v->post,
		.reporter = reporter,
	};
	struct rk_http_response response;
	_cleanup_str_ struct rk_str body = RK_STR_INIT;

	if (v->post) {
		RK_TRY(rk_http_post(http, &req));
		puts("sent");
		return NULL;
	}
	if (v->to)
		RK_TRY(rk_http_download(http, &req, v->to, &response));
	else
		RK_TRY(rk_http_get(http, &req, &body, &response));
	printf("unchanged=%d resumed=%d bytes=%llu etag=%s body=%.64s\n", response.is_unchanged,
	       response.is_resumed, (unsigned long long)response.bytes, response.etag,
	       rk_str_get(&body));
	return NULL;
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct values *v = cli->values;
	struct rk_http_config config = {.proxy = v->proxy, .no_proxy = v->no_proxy};
	_cleanup_http_ struct rk_http *http = NULL;

	RK_TRY(rk_http_create(&config, &http));
	for (size_t i = 0; i < cli->nr_operands; i++)
		RK_TRY(fetch(http, v, cli->operands[i], cli->reporter));
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct rk_verb verb = {
		.name = "get",
		.operands = "URL...",
		.summary = "fetch",
		.options = options,
		.values_size = sizeof(struct values),
		.min_operands = 1,
		.max_operands = RK_OPERANDS_MAX,
		.has_json = true,
		.run = run,
	};
	static const struct rk_verb *const verbs[] = {&verb, NULL};
	static const struct rk_tool tool = {
		.name = "http-tool", .summary = "fetch", .verbs = verbs};

	return rk_cli_main(&tool, argc, argv);
}
