/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs share: times, levels, keys on the command line. */
#include <stdio.h>
#include <time.h>

#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "tools/readykernel-repo/readykernel-repo.h"

struct rk_err *repo_open(const char *dir, enum rk_repo_mode mode, struct rk_repo **ret)
{
	return rk_repo_open(dir ? dir : ".", mode, ret);
}

int64_t repo_now(void)
{
	return time(NULL);
}

struct rk_err *repo_parse_time(const char *text, int64_t *ret)
{
	_cleanup_free_ char *full = text ? rk_asprintf("%sT00:00:00Z", text) : NULL;

	*ret = 0;
	if (!text || rk_utc_parse(text, ret) || (full && rk_utc_parse(full, ret)))
		return NULL;
	return rk_err(RK_ERR_INVALID, "'%s' is no date like 2027-05-08 or 2027-05-08T12:00:00Z",
		      text);
}

struct rk_err *repo_parse_level(const char *text, uint64_t *ret)
{
	const char *end = text;
	uint64_t level;

	if (!rk_scan_u64(&end, INT64_MAX, &level) || *end)
		return rk_err(RK_ERR_INVALID, "'%s' is no level", text);
	*ret = level;
	return NULL;
}

struct rk_err *repo_parse_days(const char *text, unsigned int usual, unsigned int max,
			       unsigned int *ret)
{
	const char *end = text;
	uint64_t days = usual;

	if (text && (!rk_scan_u64(&end, max, &days) || *end || days == 0))
		return rk_err(RK_ERR_INVALID, "option '--days': '%s' is not from 1 to %u", text,
			      max);
	*ret = (unsigned int)days;
	return NULL;
}

struct rk_err *repo_need_root(const char *root)
{
	if (root)
		return NULL;
	return rk_err(
		RK_ERR_INVALID,
		"missing option '--root': a root that you know to be right, not one from there");
}

bool repo_is_meant(const struct rk_strings *kernels, const struct rk_index_kernel *kernel)
{
	for (size_t i = 0; i < kernels->nr; i++)
		if (rk_has_prefix(kernel->build_id, kernels->v[i]) ||
		    rk_streq(kernel->release, kernels->v[i]))
			return true;
	return kernels->nr == 0;
}

struct rk_err *repo_read_keys(const struct rk_strings *paths, struct repo_keys *ret)
{
	if (!paths->nr)
		return rk_err(RK_ERR_INVALID, "missing option '--key'");
	for (size_t i = 0; i < paths->nr; i++) {
		struct rk_private_key *key;

		RK_TRY(rk_private_key_read(paths->v[i], &key));
		if (!rk_vec_push(ret, key)) {
			rk_private_key_free(key);
			return rk_err_nomem();
		}
	}
	return NULL;
}

void repo_keys_deinit(struct repo_keys *keys)
{
	rk_vec_for_each(keys, key)
		rk_private_key_free(*key);
	rk_vec_deinit(keys);
}

void repo_show_walked(const struct rk_repo_walked *done)
{
	char text[RK_UTC_TEXT_SIZE];

	printf("%zu kernels, %zu releases, %zu levels; root %llu, timestamp %llu, valid until %s\n",
	       done->kernels, done->releases, done->levels, (unsigned long long)done->root,
	       (unsigned long long)done->timestamp, rk_utc_format(done->timestamp_expires, text));
}
