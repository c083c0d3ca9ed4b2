/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readykernel-fetch: the one process that talks to servers and takes archives apart. readykernel starts it as user "readykernel"
 * in /var/lib/readykernel/incoming, gives it a request on stdin (fetch.h) and reads on stdout what comes of it. It checks everything
 * as if it were the last to do so; whoever started it believes nothing of what it leaves and checks again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/http/http.h"
#include "lib/trust/bundle.h"
#include "lib/trust/store.h"
#include "tools/readykernel/post.h"
#include "tools/readykernel/sandbox.h"

#define REQUEST_MAX  (64u << 10)
#define SLOW_SECONDS 30 /* over which minimum_speed is measured */

/* --- what the other side is told --- */

/* One line: whatever it says, it can't begin another. */
static void tell(const char *word, const char *text)
{
	fputs(word, stdout);
	putchar('\t');
	for (; *text; text++)
		putchar((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
	putchar('\n');
	fflush(stdout);
}

static void on_phase(void *ctx, const char *phase, const char *text)
{
	_cleanup_free_ char *line = rk_asprintf("%s: %s", phase, text);

	if (line)
		tell("phase", line);
}

static void on_advance(void *ctx, uint64_t done, uint64_t total, const char *unit)
{
	static uint64_t told;

	/* libcurl reports with every packet */
	if (done && done != total && done >= told && done - told < (64u << 10))
		return;
	told = done;
	printf("advance\t%llu %llu\n", (unsigned long long)done, (unsigned long long)total);
	fflush(stdout);
}

static void on_note(void *ctx, const char *text)
{
	tell("note", text);
}

static void on_sent(const char *name)
{
	tell("sent", name);
}

static const struct rk_reporter reporter = {on_phase, on_advance, on_note, NULL};

/* --- fetching --- */

struct session {
	const struct readykernel_request *request;
	struct rk_http *http;
	bool fresh;	/* what is kept isn't worth asking whether it is current */
	bool used_kept; /* the server said that something is */
};

static struct rk_err *start_request(const struct session *s, const char *name, uint64_t max,
				    char **ret_url, struct rk_http_request *ret)
{
	const struct readykernel_request *r = s->request;

	if (!rk_is_repository_name(name))
		return rk_err(RK_ERR_NAME, "'%s' is no name of a file in a repository", name);
	*ret_url = rk_asprintf("%s/%s", r->repository, name);
	if (!*ret_url)
		return rk_err_nomem();
	*ret = (struct rk_http_request){
		.url = *ret_url,
		.limits = {.max_bytes = max,
			   .connect_s = r->connect_timeout,
			   .total_s = r->fetch_timeout,
			   .slow_bytes_s = r->minimum_speed,
			   .slow_s = SLOW_SECONDS},
		.reporter = &reporter,
	};
	rk_report_phase(&reporter, "fetch", "%s", name);
	return rk_fs_mkdir_parent(name, 0755);
}

/* What is larger or other than it was signed is an attack, wherever it is found. */
static struct rk_err *as_distrust(struct rk_err *err)
{
	enum rk_err_code code = err ? rk_err_code(err) : RK_ERR_NOMEM;
	_cleanup_err_ struct rk_err *inner = err;

	if (code == RK_ERR_LIMIT)
		return rk_err(RK_ERR_TOO_LARGE, "%s", rk_err_message(inner));
	if (code == RK_ERR_MISMATCH)
		return rk_err(RK_ERR_HASH, "%s", rk_err_message(inner));
	return take_ptr(inner);
}

/* The tag of what is kept under name, as the server gave it; "" for none. */
static void read_etag(const char *name, const char *tag_name, char ret[RK_HTTP_ETAG_SIZE])
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	_cleanup_err_ struct rk_err *err = rk_fs_read(tag_name, RK_HTTP_ETAG_SIZE - 1, &text, &len);

	ret[0] = '\0';
	if (err || !rk_fs_exists(name) || strpbrk(text, "\r\n"))
		return;
	memcpy(ret, text, len + 1);
}

static struct rk_err *keep(const char *name, const char *tag_name, const struct rk_str *body,
			   const char *etag)
{
	unlink(tag_name); /* first: a tag must never belong to another file */
	RK_TRY(rk_fs_write(name, rk_str_get(body), body->len, 0644));
	return *etag ? rk_fs_write(tag_name, etag, strlen(etag), 0644) : NULL;
}

/* A rk_trust_source: asks the server and keeps what came under the same name, for the other side. */
static struct rk_err *get(void *ctx, const char *name, size_t max, char **ret, size_t *ret_len)
{
	struct session *s = ctx;
	_cleanup_str_ struct rk_str body = RK_STR_INIT;
	_cleanup_free_ char *url = NULL;
	_cleanup_free_ char *tag_name = rk_asprintf("%s.etag", name);
	char etag[RK_HTTP_ETAG_SIZE];
	struct rk_http_request req;
	struct rk_http_response response;

	if (!tag_name)
		return rk_err_nomem();
	if (max > s->request->metadata_limit)
		max = s->request->metadata_limit;
	RK_TRY(start_request(s, name, max, &url, &req));
	read_etag(name, tag_name, etag);
	req.etag = s->fresh ? NULL : etag;
	RK_TRY(as_distrust(rk_http_get(s->http, &req, &body, &response)));
	if (response.is_unchanged) {
		s->used_kept = true;
		return rk_fs_read(name, max, ret, ret_len);
	}
	RK_TRY(keep(name, tag_name, &body, response.etag));
	*ret_len = body.len;
	return rk_str_take(&body, ret);
}

static struct rk_err *try_metadata(struct session *s)
{
	const struct readykernel_request *r = s->request;
	_cleanup_trust_ struct rk_trust *trust = NULL;
	struct rk_trust_source source = {get, s};
	struct rk_trust_request update = {
		.kernel = &r->kernel,
		.channel = r->channel,
		.now = r->now,
	};

	RK_TRY(rk_trust_open(r->trust_dir, r->root_file, RK_TRUST_READ_ONLY, &trust));
	return rk_trust_update(trust, &update, &source, NULL);
}

/* A kept file that was damaged here would be current for ever. */
static struct rk_err *fetch_metadata(struct session *s)
{
	struct rk_err *err = try_metadata(s);

	if (!err || !s->used_kept || !rk_err_is_distrust(err))
		return err;
	rk_report_note(&reporter, "%s; everything is fetched anew", rk_err_message(err));
	rk_err_free(err);
	s->fresh = true;
	return try_metadata(s);
}

static struct rk_err *fetch_file(struct session *s)
{
	const struct readykernel_request *r = s->request;
	_cleanup_free_ char *url = NULL;
	struct rk_http_request req;
	struct rk_http_response response;

	RK_TRY(start_request(s, r->file, r->length, &url, &req));
	req.length = r->length;
	req.sha256 = r->sha256;
	RK_TRY(as_distrust(rk_http_download(s->http, &req, r->file, &response)));
	if (response.is_resumed)
		rk_report_note(&reporter, "an earlier download of '%s' was completed", r->file);
	return NULL;
}

static struct rk_err *unpack_bundle(const struct readykernel_request *r)
{
	_cleanup_bundle_ struct rk_bundle *bundle = NULL;

	rk_report_phase(&reporter, "unpack", "%s", r->bundle);
	RK_TRY(rk_bundle_open(READYKERNEL_INPUT_FD, r->bundle, &bundle));
	return rk_bundle_extract(bundle, ".");
}

static struct rk_err *work(const struct readykernel_request *request)
{
	_cleanup_http_ struct rk_http *http = NULL;
	struct rk_http_config config = {
		.proxy = request->proxy,
		.no_proxy = request->no_proxy,
		.user_agent = "readykernel/" RK_VERSION,
	};
	struct session session = {.request = request};

	if (request->kind == READYKERNEL_UNPACK)
		return unpack_bundle(request);
	RK_TRY(rk_http_create(&config, &http));
	session.http = http;
	switch (request->kind) {
	case READYKERNEL_METADATA: return fetch_metadata(&session);
	case READYKERNEL_REPORT: return readykernel_post(request, http, &reporter, on_sent);
	default: return fetch_file(&session);
	}
}

static void on_signal(int sig)
{
	rk_interrupt();
}

static struct rk_err *run(void)
{
	_cleanup_(readykernel_request_deinit) struct readykernel_request request = {};
	_cleanup_free_ char *text = calloc(1, REQUEST_MAX);
	size_t len = text ? fread(text, 1, REQUEST_MAX, stdin) : 0;

	if (!text)
		return rk_err_nomem();
	RK_TRY(readykernel_request_parse(text, len, &request));
	RK_TRY(readykernel_sandbox(request.max_file));
	return work(&request);
}

int main(void)
{
	_cleanup_err_ struct rk_err *err = NULL;

	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
	signal(SIGINT, SIG_IGN); /* of the terminal: the other side decides, and sends SIGTERM */
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	err = run();
	if (err) {
		printf("error\t%s\t", rk_err_code_name(rk_err_code(err)));
		tell("", rk_err_message(err));
		return 1;
	}
	tell("done", "");
	return 0;
}
