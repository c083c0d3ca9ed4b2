/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What readykernel asks of readykernel-fetch: one JSON document on its standard input. It is written by root and read by the process
 * without privileges; what comes back is lines of text that decide nothing: "phase", "advance", "note", at the end "done" or
 * "error", each with its text behind a tab. One decides a little: "sent", with the name of a message that a server took, which is then not
 * kept any longer.
 */
#ifndef READYKERNEL_REQUEST_H
#define READYKERNEL_REQUEST_H

#include <jansson.h>

#include "lib/trust/metadata.h"

/* Where the request's file is open in readykernel-fetch: the bundle, the messages. */
#define READYKERNEL_INPUT_FD 3

/* Of one report, so that neither a server nor a full queue can hold up an update. */
#define READYKERNEL_REPORT_MESSAGES 64
#define READYKERNEL_REPORT_BYTES    (1u << 20) /* of all of them */
#define READYKERNEL_POST_S	    15	       /* for one */
#define READYKERNEL_REPORT_S	    60	       /* for all of them */

enum readykernel_request_kind {
	READYKERNEL_METADATA, /* what an update of the trusted state reads */
	READYKERNEL_FILE,     /* one file, of which length and SHA-256 are known */
	READYKERNEL_UNPACK,   /* all of a bundle */
	READYKERNEL_REPORT, /* messages for a server: [{"name", "message"}] at READYKERNEL_INPUT_FD */
	READYKERNEL_REQUESTS
};

/* Strings are borrowed, or belong to doc when it was parsed. */
struct readykernel_request {
	json_t *doc;
	enum readykernel_request_kind kind;
	const char *repository, *proxy, *no_proxy; /* no slash at the end; NULL: none */
	unsigned int connect_timeout, fetch_timeout, minimum_speed; /* s, s, bytes/s */
	uint64_t metadata_limit, max_file;			    /* bytes */
	/* METADATA */
	const char *trust_dir, *root_file;
	struct rk_kernel_id kernel;
	enum rk_channel channel;
	int64_t now;
	/* FILE */
	const char *file, *sha256;
	uint64_t length;
	/* UNPACK: for messages */
	const char *bundle;
	/* REPORT */
	const char *report_url;
};

/* *ret is malloc'ed. */
struct rk_err *readykernel_request_write(const struct readykernel_request *request, char **ret)
	__must_use;
/* RK_ERR_INTERNAL: both programs are not of one version. */
struct rk_err *readykernel_request_parse(const char *text, size_t len,
					 struct readykernel_request *ret) __must_use;
/* Of a parsed one. */
void readykernel_request_deinit(struct readykernel_request *request);

#endif
