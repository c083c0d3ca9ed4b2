/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The request as JSON: one table of members drives writing and reading. */
#include "tools/readykernel/request.h"

#include <stddef.h>

#include "lib/base/json.h"

enum member_kind {
	MEMBER_STR,
	MEMBER_UINT,
	MEMBER_U64
};

struct member {
	const char *key;
	enum member_kind kind;
	size_t offset;
};

#define STR(name)                                                             \
	{                                                                     \
#name, MEMBER_STR, offsetof(struct readykernel_request, name) \
	}
#define UINT(name)                                                             \
	{                                                                      \
#name, MEMBER_UINT, offsetof(struct readykernel_request, name) \
	}
#define U64(name)                                                             \
	{                                                                     \
#name, MEMBER_U64, offsetof(struct readykernel_request, name) \
	}

static const struct member members[] = {
	UINT(kind),
	STR(repository),
	STR(proxy),
	STR(no_proxy),
	UINT(connect_timeout),
	UINT(fetch_timeout),
	UINT(minimum_speed),
	U64(metadata_limit),
	U64(max_file),
	STR(trust_dir),
	STR(root_file),
	STR(kernel.release),
	STR(kernel.version),
	STR(kernel.build_id),
	STR(kernel.arch),
	UINT(channel),
	U64(now),
	STR(file),
	STR(sha256),
	U64(length),
	STR(bundle),
	STR(report_url),
};

_Static_assert(sizeof(enum readykernel_request_kind) == sizeof(unsigned int), "a UINT member");
_Static_assert(sizeof(enum rk_channel) == sizeof(unsigned int), "a UINT member");

static json_t *member_json(const struct readykernel_request *request, const struct member *m)
{
	const char *place = (const char *)request + m->offset;

	switch (m->kind) {
	case MEMBER_STR: return rk_json_text(*(const char *const *)place);
	case MEMBER_UINT: return json_integer(*(const unsigned int *)place);
	default: return json_integer((json_int_t) * (const uint64_t *)place);
	}
}

struct rk_err *readykernel_request_write(const struct readykernel_request *request, char **ret)
{
	json_t *doc = json_object();
	bool failed = !doc;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (json_object_set_new(doc, members[i].key, member_json(request, &members[i])))
			failed = true;
	char *text = failed ? NULL : json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (!text) /* or a string that isn't UTF-8: of a configuration file's URL, say */
		return rk_err(RK_ERR_INVALID, "a value of the configuration is not valid UTF-8");
	*ret = text;
	return NULL;
}

static bool read_member(const json_t *value, const struct member *m, char *place)
{
	if (m->kind == MEMBER_STR) {
		if (!json_is_string(value) && !json_is_null(value))
			return false;
		*(const char **)place = json_string_value(value);
		return true;
	}
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	if (m->kind == MEMBER_U64) {
		*(uint64_t *)place = (uint64_t)json_integer_value(value);
		return true;
	}
	if (json_integer_value(value) > UINT32_MAX)
		return false;
	*(unsigned int *)place = (unsigned int)json_integer_value(value);
	return true;
}

struct rk_err *readykernel_request_parse(const char *text, size_t len,
					 struct readykernel_request *ret)
{
	struct readykernel_request request = {.doc = json_loadb(text, len, 0, NULL)};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];

		if (read_member(json_object_get(request.doc, m->key), m,
				(char *)&request + m->offset))
			continue;
		json_decref(request.doc);
		return rk_err(RK_ERR_INTERNAL,
			      "readykernel and readykernel-fetch are not of one version: '%s'",
			      m->key);
	}
	if (request.kind >= READYKERNEL_REQUESTS || request.channel >= RK_CHANNELS) {
		json_decref(request.doc);
		return rk_err(RK_ERR_INTERNAL,
			      "readykernel and readykernel-fetch are not of one version");
	}
	*ret = request;
	return NULL;
}

void readykernel_request_deinit(struct readykernel_request *request)
{
	json_decref(request->doc);
	request->doc = NULL;
}
