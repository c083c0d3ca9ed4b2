/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table of fields serves both directions, so that what is written can be read back. */
#include "lib/host/json_write.h"

static json_t *field_value(enum rk_json_kind kind, const void *at)
{
	switch (kind) {
	case RK_JSON_STRING:
	case RK_JSON_OPTIONAL:
	case RK_JSON_SHA256:
	case RK_JSON_OPTIONAL_SHA256: return json_string(*(const char *const *)at);
	case RK_JSON_U32: return json_integer(*(const uint32_t *)at);
	case RK_JSON_U64: return json_integer((json_int_t) * (const uint64_t *)at);
	case RK_JSON_BOOL: return json_boolean(*(const bool *)at);
	case RK_JSON_TIME: return rk_json_time(*(const int64_t *)at);
	}
	return NULL;
}

static bool is_left_out(enum rk_json_kind kind, const void *at)
{
	return (kind == RK_JSON_OPTIONAL || kind == RK_JSON_OPTIONAL_SHA256) &&
	       !*(const char *const *)at;
}

struct rk_err *rk_json_set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) ? rk_err_nomem() : NULL;
}

struct rk_err *rk_json_write(json_t *object, const struct rk_json_field *fields, size_t nr,
			     const void *from)
{
	for (const struct rk_json_field *f = fields; f < fields + nr; f++) {
		const void *at = (const char *)from + f->offset;

		if (!is_left_out(f->kind, at))
			RK_TRY(rk_json_set(object, f->key, field_value(f->kind, at)));
	}
	return NULL;
}
