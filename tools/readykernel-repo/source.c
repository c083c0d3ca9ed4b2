/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A repository to read from: a directory, a bundle, or a server. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/http/http.h"
#include "lib/trust/bundle.h"
#include "tools/readykernel-repo/readykernel-repo.h"

struct server {
	struct rk_http *http;
	char *url; /* without a '/' at the end */
};

static void server_free(struct server *server)
{
	if (!server)
		return;
	rk_http_destroy(server->http);
	free(server->url);
	free(server);
}

static struct rk_err *get(void *ctx, const char *name, size_t max, char **ret, size_t *ret_len)
{
	const struct server *server = ctx;
	_cleanup_free_ char *url = rk_asprintf("%s/%s", server->url, name);
	const struct rk_http_request request = {.url = url, .limits = {.max_bytes = max ? max : 1}};
	_cleanup_str_ struct rk_str body = RK_STR_INIT;
	struct rk_http_response response;

	if (!url)
		return rk_err_nomem();
	struct rk_err *err = rk_http_get(server->http, &request, &body, &response);
	if (err && rk_err_code(err) == RK_ERR_LIMIT) {
		rk_err_free(err);
		return rk_err(RK_ERR_TOO_LARGE, "'%s' has more than %zu bytes", url, max);
	}
	if (err)
		return err;
	size_t len = body.len;
	RK_TRY(rk_str_take(&body, ret));
	*ret_len = len;
	return NULL;
}

static struct rk_err *open_server(const char *url, struct repo_source *ret)
{
	const struct rk_http_config config = {.proxy = getenv("https_proxy")};
	struct server *server = calloc(1, sizeof(*server));
	size_t len = strlen(url);
	struct rk_err *err = NULL;

	if (!server)
		return rk_err_nomem();
	while (len && url[len - 1] == '/')
		len--;
	server->url = strndup(url, len);
	err = server->url ? rk_http_create(&config, &server->http) : rk_err_nomem();
	if (err) {
		server_free(server);
		return err;
	}
	ret->http = server;
	ret->source = (struct rk_trust_source){get, server};
	return NULL;
}

static struct rk_err *open_bundle(const char *path, struct repo_source *ret)
{
	ret->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ret->fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	struct rk_err *err = rk_bundle_open(ret->fd, path, &ret->bundle);
	if (err) {
		close(ret->fd);
		return err;
	}
	ret->source = rk_bundle_source(ret->bundle);
	return NULL;
}

struct rk_err *repo_source_open(const char *where, struct repo_source *ret)
{
	struct repo_source source = {.fd = -1};

	if (strstr(where, "://"))
		RK_TRY(open_server(where, &source));
	else if (rk_fs_exists(where) && !rk_fs_is_dir(where))
		RK_TRY(open_bundle(where, &source));
	else
		RK_TRY(rk_trust_directory_open(where, &source.source));
	source.is_directory = !source.http && !source.bundle;
	*ret = source;
	return NULL;
}

void repo_source_close(struct repo_source *source)
{
	if (source->is_directory)
		rk_trust_directory_free(&source->source);
	rk_bundle_free(source->bundle);
	server_free(source->http);
	if (source->bundle)
		close(source->fd);
}
