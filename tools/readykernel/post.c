/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Health pings and refusals on their way to a server: one POST each, in the order in which they were queued. */
#include "tools/readykernel/post.h"

#include "lib/base/json.h"

#define ANSWER_BYTES (64u << 10) /* of what the server says, which nobody reads */
#define SLOW_BYTES_S 1
#define CONNECT_S    10

static struct rk_err *post(const struct readykernel_request *request, struct rk_http *http,
			   const json_t *message)
{
	_cleanup_free_ char *text = NULL;
	unsigned int connect = request->connect_timeout;
	struct rk_http_request req = {
		.url = request->report_url,
		.limits = {.max_bytes = ANSWER_BYTES,
			   .connect_s = connect && connect < CONNECT_S ? connect : CONNECT_S,
			   .total_s = READYKERNEL_POST_S,
			   .slow_bytes_s = SLOW_BYTES_S},
	};

	RK_TRY(rk_json_dump(json_deep_copy(message), RK_JSON_COMPACT, &text));
	req.json = text;
	return rk_http_post(http, &req);
}

struct rk_err *readykernel_post(const struct readykernel_request *request, struct rk_http *http,
				const struct rk_reporter *reporter,
				void (*on_sent)(const char *name))
{
	/* written by root, who keeps to the limits of request.h */
	_cleanup_json_ json_t *list = json_loadfd(READYKERNEL_INPUT_FD, 0, NULL);

	if (!list)
		return rk_err(RK_ERR_INTERNAL, "there are no messages to be sent");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(entry, "name"));
		struct rk_err *err = post(request, http, json_object_get(entry, "message"));

		if (err && rk_err_code(err) != RK_ERR_VERDICT)
			return err;
		if (err)
			rk_report_note(reporter, "message '%s' stays in the queue: %s",
				       name ? name : "", rk_err_message(err));
		else if (name)
			on_sent(name);
		rk_err_free(err);
	}
	return NULL;
}
