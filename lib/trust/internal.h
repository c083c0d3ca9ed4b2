/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers of payloads share. */
#ifndef RK_TRUST_INTERNAL_H
#define RK_TRUST_INTERNAL_H

#include "lib/base/json.h"
#include "lib/trust/metadata.h"

/* A payload has to have a version of at least 1 and, with expires, an end after its beginning. */
struct rk_err *rk_payload_check_version(const struct rk_json_reader *r, uint64_t version)
	__must_use;
struct rk_err *rk_payload_check_times(const struct rk_json_reader *r, int64_t issued,
				      int64_t expires) __must_use;

/* RK_ERR_FORMAT unless the text is a build-id. */
struct rk_err *rk_payload_check_build_id(const struct rk_json_reader *r, const char *path,
					 const char *build_id) __must_use;

#endif
