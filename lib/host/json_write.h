/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing what rk_json_fields() reads, by the same tables. */
#ifndef RK_HOST_JSON_WRITE_H
#define RK_HOST_JSON_WRITE_H

#include "lib/base/json.h"

/* Sets these fields of object from the struct from, in the table's order; an optional one that is NULL is left out. */
struct rk_err *rk_json_write(json_t *object, const struct rk_json_field *fields, size_t nr,
			     const void *from) __must_use;
/* object.key = value; takes the reference, also when it fails; value NULL is no memory. */
struct rk_err *rk_json_set(json_t *object, const char *key, json_t *value) __must_use;

#endif
