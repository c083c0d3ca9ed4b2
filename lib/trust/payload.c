/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers and writers of payloads share. */
#include "lib/trust/internal.h"

struct rk_err *rk_payload_check_version(const struct rk_json_reader *r, uint64_t version)
{
	if (version == 0)
		return rk_err(RK_ERR_FORMAT, "'%s': 'version' is 0; the first is 1", r->name);
	return NULL;
}

struct rk_err *rk_payload_check_times(const struct rk_json_reader *r, int64_t issued,
				      int64_t expires)
{
	if (expires <= issued)
		return rk_err(RK_ERR_FORMAT, "'%s': it expires before it was issued", r->name);
	return NULL;
}

struct rk_err *rk_payload_check_build_id(const struct rk_json_reader *r, const char *path,
					 const char *build_id)
{
	if (rk_is_build_id(build_id))
		return NULL;
	return rk_err(RK_ERR_FORMAT, "'%s': '%s.build_id' is not a build-id", r->name, path);
}
