// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The index of inlined functions from any bytes. Its hash is made right first: what is behind it has to be borne with. The input is the index
 * without its magic and hash; the names that are asked for are those that it has.
 */
#include <stddef.h>
#include <string.h>

#include "lib/target/inline_index.h"
#include "tests/fuzz/fuzz.h"

#define PREFIX offsetof(struct rk_inline_header, origin)

static struct rk_err *look(void *ctx, const struct rk_inline *found)
{
	size_t *nr = ctx;

	*nr += strlen(found->object) + strlen(found->unit) +
	       (found->container ? strlen(found->container) : 0);
	return NULL;
}

static void ask(const struct rk_inline_index *index, const char *name, const char *file)
{
	struct rk_inline_counts counts;
	size_t nr = 0;

	rk_err_free(rk_inline_index_find(index, name, file, look, &nr));
	rk_err_free(rk_inline_index_count(index, &counts));
	if (strlen(rk_inline_index_origin(index)) >= RK_SHA256_HEX_SIZE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *bytes = malloc(PREFIX + size);
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;
	char hash[RK_SHA256_HEX_SIZE];

	if (!bytes)
		abort();
	memset(bytes, 0, PREFIX);
	memcpy(bytes, RK_INLINE_MAGIC, sizeof(RK_INLINE_MAGIC));
	memcpy(bytes + PREFIX, data, size);
	rk_err_free(rk_sha256_bytes(data, size, hash));
	memcpy(bytes + offsetof(struct rk_inline_header, hash), hash, sizeof(hash) - 1);
	_cleanup_err_ struct rk_err *err =
		rk_inline_index_parse("index", bytes, PREFIX + size, &index);
	if (err)
		return 0;
	ask(index, "checked", "header.h");
	ask(index, "", "");
	return 0;
}
