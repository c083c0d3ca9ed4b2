/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index: for each kernel the release file of each channel. Its sixteen files are signed through their hashes in the timestamp. */
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/str.h"
#include "lib/trust/internal.h"

static const struct rk_json_field kernel_fields[] = {
	RK_JSON_FIELD(rk_index_kernel, build_id, "build_id", STRING),
	RK_JSON_FIELD(rk_index_kernel, release, "release", STRING),
};

struct channel_fields {
	uint64_t version, length;
	const char *sha256;
};
static const struct rk_json_field channel_fields[] = {
	RK_JSON_FIELD(channel_fields, version, "version", U64),
	RK_JSON_FIELD(channel_fields, length, "length", U64),
	RK_JSON_FIELD(channel_fields, sha256, "sha256", SHA256),
};

unsigned int rk_shard_of(const char *build_id)
{
	uint8_t shard = 0;
	const char hex[2] = {'0', build_id[0]};

	rk_hex_decode(hex, 1, &shard);
	return shard;
}

static struct rk_err *read_channel(const struct rk_json_reader *r, const char *kernel_path,
				   const json_t *channels, enum rk_channel channel,
				   struct rk_index_release *ret)
{
	struct channel_fields fields = {};
	const char *name = rk_channel_name(channel);
	const char *path = rk_arena_printf(r->arena, "%s.channels.%s", kernel_path, name);
	const json_t *object = json_object_get(channels, name);

	if (!path)
		return rk_err_nomem();
	if (!object)
		return NULL;
	if (!json_is_object(object))
		return rk_json_wrong(r, path, "", object, "an object");
	RK_TRY(rk_json_fields(r, path, object, channel_fields, ARRAY_SIZE(channel_fields),
			      &fields));
	if (fields.version == 0)
		return rk_err(RK_ERR_FORMAT, "'%s': '%s.version' is 0", r->name, path);
	if (fields.length > RK_RELEASE_SIZE_MAX)
		return rk_err(RK_ERR_TOO_LARGE, "'%s': '%s' has more than %u bytes", r->name, path,
			      RK_RELEASE_SIZE_MAX);
	ret->version = fields.version;
	ret->length = fields.length;
	memcpy(ret->sha256, fields.sha256, RK_SHA256_HEX_SIZE);
	return NULL;
}

static struct rk_err *read_kernel(const struct rk_json_reader *r, size_t i, const json_t *entry,
				  struct rk_index *index)
{
	struct rk_index_kernel kernel = {};
	const json_t *channels;
	const char *path;

	RK_TRY(rk_json_entry(r, "", "kernels", i, entry, &path));
	RK_TRY(rk_json_fields(r, path, entry, kernel_fields, ARRAY_SIZE(kernel_fields), &kernel));
	RK_TRY(rk_payload_check_build_id(r, path, kernel.build_id));
	/* in order, so that a kernel can't be there twice and can be searched */
	if (index->kernels.nr &&
	    strcmp(index->kernels.v[index->kernels.nr - 1].build_id, kernel.build_id) >= 0)
		return rk_err(RK_ERR_FORMAT, "'%s': '%s' is not in order", r->name, path);
	RK_TRY(rk_json_object(r, path, entry, "channels", &channels));
	for (size_t c = 0; c < RK_CHANNELS; c++)
		RK_TRY(read_channel(r, path, channels, (enum rk_channel)c, &kernel.channels[c]));
	return rk_vec_push(&index->kernels, kernel) ? NULL : rk_err_nomem();
}

struct rk_err *rk_index_parse(const char *name, const char *json, size_t len, struct rk_index **ret)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_index_ struct rk_index *index = NULL;
	const json_t *list;

	RK_TRY(rk_json_load_schema(name, json, len, RK_INDEX_SCHEMA, &doc));
	index = calloc(1, sizeof(*index));
	if (!index)
		return rk_err_nomem();
	struct rk_json_reader r = {name, &index->arena};
	RK_TRY(rk_json_list(&r, "", doc, "kernels", false, &list));
	for (size_t i = 0; i < json_array_size(list); i++)
		RK_TRY(read_kernel(&r, i, json_array_get(list, i), index));
	*ret = take_ptr(index);
	return NULL;
}

void rk_index_free(struct rk_index *index)
{
	if (!index)
		return;
	rk_vec_deinit(&index->kernels);
	rk_arena_deinit(&index->arena);
	free(index);
}

const struct rk_index_kernel *rk_index_find(const struct rk_index *index, const char *build_id)
{
	rk_vec_for_each(&index->kernels, kernel)
		if (rk_streq(kernel->build_id, build_id))
			return kernel;
	return NULL;
}

static json_t *channels_json(const struct rk_index_kernel *kernel)
{
	json_t *object = json_object();

	for (size_t c = 0; c < RK_CHANNELS; c++) {
		const struct rk_index_release *release = &kernel->channels[c];

		if (release->version)
			json_object_set_new(object, rk_channel_name((enum rk_channel)c),
					    json_pack("{s:I, s:I, s:s}", "version",
						      (json_int_t)release->version, "length",
						      (json_int_t)release->length, "sha256",
						      release->sha256));
	}
	return object;
}

struct rk_err *rk_index_write(const struct rk_index *index, char **ret)
{
	json_t *array = json_array();

	rk_vec_for_each(&index->kernels, kernel)
		json_array_append_new(array, json_pack("{s:s, s:s, s:o}", "build_id",
						       kernel->build_id, "release", kernel->release,
						       "channels", channels_json(kernel)));
	/* the one file of which every host fetches a sixteenth: no blanks */
	return rk_json_dump(json_pack("{s:s, s:o}", "schema", RK_INDEX_SCHEMA, "kernels", array),
			    RK_JSON_COMPACT, ret);
}
