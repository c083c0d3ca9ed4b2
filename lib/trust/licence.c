/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Licences: reading, writing, and what they allow at a given time. */
#include "lib/trust/licence.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/trust/internal.h"

#define LICENCE_ID_MAX 64

static const char *const state_names[] = {
	[RK_LICENCE_NONE] = "none",	  [RK_LICENCE_FUTURE] = "future",
	[RK_LICENCE_VALID] = "valid",	  [RK_LICENCE_GRACE] = "grace",
	[RK_LICENCE_EXPIRED] = "expired",
};

static const struct rk_json_field licence_fields[] = {
	RK_JSON_FIELD(rk_licence, id, "id", STRING),
	RK_JSON_FIELD(rk_licence, holder, "holder", STRING),
	RK_JSON_FIELD(rk_licence, is_trial, "trial", BOOL),
	RK_JSON_FIELD(rk_licence, hosts, "hosts", U64),
	RK_JSON_FIELD(rk_licence, not_before, "not_before", TIME),
	RK_JSON_FIELD(rk_licence, not_after, "not_after", TIME),
};

const char *rk_licence_state_name(enum rk_licence_state state)
{
	return state_names[state];
}

static bool is_id(const char *text)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return len > 0 && len <= LICENCE_ID_MAX && !text[len] && text[0] != '.' && text[0] != '-';
}

static struct rk_err *read_channel(const struct rk_json_reader *r, const json_t *doc,
				   struct rk_licence *licence)
{
	const json_t *value = json_object_get(doc, "channel");

	if (json_is_null(value))
		return NULL;
	if (!json_is_string(value))
		return rk_json_wrong(r, "", "channel", value, "a string");
	RK_TRY(rk_err_wrap(rk_channel_parse(json_string_value(value), &licence->channel), "'%s'",
			   r->name));
	licence->has_channel = true;
	return NULL;
}

static struct rk_err *read_licence(const struct rk_json_reader *r, const json_t *doc,
				   struct rk_licence *licence)
{
	RK_TRY(rk_json_fields(r, "", doc, licence_fields, ARRAY_SIZE(licence_fields), licence));
	if (!is_id(licence->id))
		return rk_err(RK_ERR_NAME, "'%s': 'id' is not a name that may be used", r->name);
	if (licence->not_after <= licence->not_before)
		return rk_err(RK_ERR_FORMAT, "'%s': it ends before it begins", r->name);
	RK_TRY(rk_json_strings(r, "", doc, "products", false, &licence->products));
	RK_TRY(rk_json_strings(r, "", doc, "features", false, &licence->features));
	return read_channel(r, doc, licence);
}

struct rk_err *rk_licence_parse(const char *name, const char *json, size_t len,
				struct rk_licence **ret)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_licence_ struct rk_licence *licence = NULL;

	RK_TRY(rk_json_load_schema(name, json, len, RK_LICENCE_SCHEMA, &doc));
	licence = calloc(1, sizeof(*licence));
	if (!licence)
		return rk_err_nomem();
	RK_TRY(read_licence(&(struct rk_json_reader){name, &licence->arena}, doc, licence));
	*ret = take_ptr(licence);
	return NULL;
}

struct rk_err *rk_licence_read(const struct rk_root *root, const char *name, const char *bytes,
			       size_t len, struct rk_licence **ret)
{
	struct rk_signed file;

	if (len > RK_LICENCE_SIZE_MAX)
		return rk_err(RK_ERR_TOO_LARGE, "'%s': a licence of more than %u bytes", name,
			      RK_LICENCE_SIZE_MAX);
	RK_TRY(rk_signed_parse(name, bytes, len, &file));
	RK_TRY(rk_signed_verify(&file, &root->roles[RK_ROLE_LICENCE]));
	return rk_licence_parse(name, file.payload, file.payload_len, ret);
}

struct rk_err *rk_licence_write(const struct rk_licence *licence, char **ret)
{
	return rk_json_dump(
		json_pack("{s:s, s:s, s:s, s:b, s:o, s:I, s:o, s:o, s:o, s:o}", "schema",
			  RK_LICENCE_SCHEMA, "id", licence->id, "holder", licence->holder, "trial",
			  licence->is_trial, "products",
			  rk_json_texts(licence->products.v, licence->products.nr), "hosts",
			  (json_int_t)licence->hosts, "not_before",
			  rk_json_time(licence->not_before), "not_after",
			  rk_json_time(licence->not_after), "features",
			  rk_json_texts(licence->features.v, licence->features.nr), "channel",
			  rk_json_text(licence->has_channel ? rk_channel_name(licence->channel)
							    : NULL)),
		RK_JSON_READABLE, ret);
}

void rk_licence_free(struct rk_licence *licence)
{
	if (!licence)
		return;
	rk_vec_deinit(&licence->products);
	rk_vec_deinit(&licence->features);
	rk_arena_deinit(&licence->arena);
	free(licence);
}

enum rk_licence_state rk_licence_state(const struct rk_licence *licence, int64_t now)
{
	const int64_t grace =
		licence && !licence->is_trial ? RK_LICENCE_GRACE_DAYS * RK_DAY_SECONDS : 0;

	if (!licence)
		return RK_LICENCE_NONE;
	if (now < licence->not_before)
		return RK_LICENCE_FUTURE;
	if (now < licence->not_after)
		return RK_LICENCE_VALID;
	return now < licence->not_after + grace ? RK_LICENCE_GRACE : RK_LICENCE_EXPIRED;
}

bool rk_licence_allows(const struct rk_licence *licence, int64_t now, const char *product,
		       enum rk_channel channel)
{
	enum rk_licence_state state = rk_licence_state(licence, now);
	bool has_product = licence && licence->products.nr == 0;

	if (state != RK_LICENCE_VALID && state != RK_LICENCE_GRACE)
		return false;
	rk_vec_for_each(&licence->products, it)
		has_product |= rk_streq(*it, product);
	return has_product && (!licence->has_channel || channel >= licence->channel);
}
