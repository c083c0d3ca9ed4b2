/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root's side of telling a server how this host fares: what is queued goes, through the process without rights, to report_url; what the
 * server took leaves the queue. No failure of it is one of the verb that it follows.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/process.h"
#include "lib/base/sha256.h"
#include "lib/host/json_write.h"
#include "lib/host/queue.h"
#include "tools/readykernel/client.h"
#include "tools/readykernel/fetch.h"

#define MACHINE_ID_MAX 64
#define HOST_ID_DIGITS 32

/* --- what is sent --- */

/* The same for all messages of a host and nothing that leads back to its machine id, which others know it by; "" without one. */
static struct rk_err *host_id(const struct rk_host *host, char ret[HOST_ID_DIGITS + 1])
{
	_cleanup_free_ char *path = rk_asprintf("%s/etc/machine-id", host->root), *id = NULL;
	_cleanup_free_ char *text = NULL;
	char hex[RK_SHA256_HEX_SIZE];

	ret[0] = '\0';
	if (!path)
		return rk_err_nomem();
	struct rk_err *err = rk_fs_read(path, MACHINE_ID_MAX, &id, NULL);
	if (err) { /* a host may have none */
		rk_err_free(err);
		return NULL;
	}
	id[strcspn(id, "\n")] = '\0';
	text = rk_asprintf("readykernel-host:%s", id);
	if (!text)
		return rk_err_nomem();
	RK_TRY(rk_sha256_bytes(text, strlen(text), hex));
	memcpy(ret, hex, HOST_ID_DIGITS);
	ret[HOST_ID_DIGITS] = '\0';
	return NULL;
}

/* {"name": of the queue, "message": what is sent} */
static struct rk_err *make_entry(const struct rk_queue_item *item, const char *host, json_t **ret)
{
	_cleanup_json_ json_t *entry = json_object();
	json_t *message = json_deep_copy(item->message);
	size_t len = strcspn(item->name, ".");

	if (!entry || !message) {
		json_decref(message);
		return rk_err_nomem();
	}
	RK_TRY(rk_json_set(entry, "name", json_string(item->name)));
	RK_TRY(rk_json_set(entry, "message", message));
	RK_TRY(rk_json_set(message, "host", *host ? json_string(host) : json_null()));
	RK_TRY(rk_json_set(message, "id", json_stringn(item->name, len)));
	*ret = take_ptr(entry);
	return NULL;
}

/* As many of the oldest as one report may have. */
static struct rk_err *make_list(const struct rk_host *host, const struct rk_queue *queue,
				char **ret)
{
	_cleanup_json_ json_t *list = json_array();
	char id[HOST_ID_DIGITS + 1];

	if (!list)
		return rk_err_nomem();
	RK_TRY(host_id(host, id));
	for (size_t i = 0; i < queue->list.nr && i < READYKERNEL_REPORT_MESSAGES; i++) {
		json_t *entry;

		RK_TRY(make_entry(&queue->list.v[i], id, &entry));
		if (json_array_append_new(list, entry))
			return rk_err_nomem();
	}
	return rk_json_dump(take_ptr(list), RK_JSON_COMPACT, ret);
}

/* A file that nobody else can have in hand: incoming/ belongs to a user whom root doesn't believe. */
static struct rk_err *open_list(const char *text, int *ret)
{
	_cleanup_close_ int fd = memfd_create("readykernel-report", MFD_CLOEXEC);

	if (fd < 0)
		return rk_err_sys(errno, "cannot make a file for messages");
	if (strlen(text) > READYKERNEL_REPORT_BYTES)
		return rk_err(RK_ERR_LIMIT, "the queued messages are larger than %u bytes",
			      READYKERNEL_REPORT_BYTES);
	RK_TRY(rk_fs_write_all(fd, text, strlen(text), "messages"));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return rk_err_sys(errno, "cannot rewind a file of messages");
	*ret = take_fd(fd);
	return NULL;
}

/* --- sending it --- */

/* Whoever claims that a message was sent can lose it, no more: it must be of the queue, and only goes from there. */
static void on_sent(void *ctx, const char *name)
{
	const struct readykernel *rk = ctx;

	rk_err_free(rk_queue_remove(rk->host, name));
}

static struct rk_err *send_queue(struct readykernel *rk)
{
	_cleanup_queue_ struct rk_queue *queue = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	struct readykernel_request request;
	struct readykernel_job job = {
		.request = &request,
		.limit_s = READYKERNEL_REPORT_S,
		.reporter = rk->cli->reporter,
		.on_sent = on_sent,
		.ctx = rk,
	};

	RK_TRY(rk_queue_list(rk->host, &queue));
	if (!queue->list.nr)
		return NULL;
	RK_TRY(make_list(rk->host, queue, &text));
	RK_TRY(open_list(text, &fd));
	readykernel_start_request(rk, READYKERNEL_REPORT, rk->settings->report_url, &request);
	request.report_url = rk->settings->report_url;
	job.input = fd;
	return readykernel_fetch(rk->host, &job);
}

void readykernel_report(struct readykernel *rk)
{
	_cleanup_err_ struct rk_err *err = NULL;
	_cleanup_close_ int turn = -1;

	if (!*rk->settings->report_url || rk_is_interrupted() ||
	    rk->kernel->switched >= RK_SWITCH_DISABLED)
		return;
	err = readykernel_lock_fetch(rk, &turn);
	if (!err) {
		readykernel_leave(rk);
		err = send_queue(rk);
	}
	if (err)
		rk_report_note(rk->cli->reporter, "messages stay queued: %s", rk_err_message(err));
}
