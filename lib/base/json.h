/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON read into structs: one table of fields for each kind of object. What must be there and isn't, or has the wrong type, is
 * RK_ERR_FORMAT and named by its path in the document ("fixes[2].file"). Unknown keys are ignored.
 */
#ifndef RK_BASE_JSON_H
#define RK_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

enum rk_json_kind {
	RK_JSON_STRING,	  /* const char * */
	RK_JSON_OPTIONAL, /* const char *: string, null or absent */
	RK_JSON_U32,
	RK_JSON_U64, /* up to 2^63 - 1, which is what JSON libraries can hold */
	RK_JSON_BOOL,
	RK_JSON_TIME,	/* int64_t seconds: "2026-11-22T13:30:00Z" */
	RK_JSON_SHA256, /* const char *: 64 lower-case hexadecimal digits */
	RK_JSON_OPTIONAL_SHA256,
};

struct rk_json_field {
	const char *key;
	enum rk_json_kind kind;
	size_t offset;
};

#define RK_JSON_FIELD(type, member, key, kind)                     \
	{                                                          \
		key, RK_JSON_##kind, offsetof(struct type, member) \
	}

/* A document that is being read. */
struct rk_json_reader {
	const char *name;	/* for messages */
	struct rk_arena *arena; /* of the strings that are read */
};

/* Any of the structs of a list of strings: {const char **v; size_t nr, cap;} */
struct rk_json_strings {
	const char **v;
	size_t nr, cap;
};

/* Parses bytes; duplicate keys are refused. *ret is a new reference. RK_ERR_FORMAT with line and column. */
struct rk_err *rk_json_load(const char *name, const char *json, size_t len, json_t **ret)
	__must_use;
/* The same, and the document must be an object with "schema": schema; another schema is RK_ERR_FORMAT,
 * a later number of the same one RK_ERR_NEWER. */
struct rk_err *rk_json_load_schema(const char *name, const char *json, size_t len,
				   const char *schema, json_t **ret) __must_use;
struct rk_err *rk_json_check_schema(const struct rk_json_reader *r, const json_t *root,
				    const char *schema) __must_use;

enum rk_json_style {
	RK_JSON_READABLE, /* indented by two spaces */
	RK_JSON_COMPACT	  /* one line */
};

/* The canonical text of a document: keys in the order in which they were set, a newline at the end. doc's reference is dropped; NULL is
 * reported as out of memory. *ret malloc'ed. */
struct rk_err *rk_json_dump(json_t *doc, enum rk_json_style style, char **ret) __must_use;

/* The error that value (NULL: absent) at path.key is not what: "a string". */
struct rk_err *rk_json_wrong(const struct rk_json_reader *r, const char *path, const char *key,
			     const json_t *value, const char *what) __must_use;

/* Reads nr fields of object into the struct at to. path is "" for the document itself. */
struct rk_err *rk_json_fields(const struct rk_json_reader *r, const char *path,
			      const json_t *object, const struct rk_json_field *fields, size_t nr,
			      void *to) __must_use;

/* object.key, which must be a list. Borrowed. An optional list that isn't there is an empty one: *ret is NULL. */
struct rk_err *rk_json_list(const struct rk_json_reader *r, const char *path, const json_t *object,
			    const char *key, bool is_optional, const json_t **ret) __must_use;
/* object.key, which must be an object. Borrowed. */
struct rk_err *rk_json_object(const struct rk_json_reader *r, const char *path,
			      const json_t *object, const char *key, const json_t **ret) __must_use;

/* "path.key[index]" in the arena, of an entry that must be an object. */
struct rk_err *rk_json_entry(const struct rk_json_reader *r, const char *path, const char *key,
			     size_t index, const json_t *entry, const char **ret) __must_use;

/* A list of strings appended to *to. */
struct rk_err *rk_json_read_strings(const struct rk_json_reader *r, const char *path,
				    const json_t *object, const char *key, bool is_optional,
				    struct rk_json_strings *to) __must_use;
#define rk_json_strings(r, path, object, key, is_optional, to)                           \
	({                                                                               \
		__typeof__(*(to)) *_to = (to);                                           \
		struct rk_json_strings _list = {_to->v, _to->nr, _to->cap};              \
		struct rk_err *_list_err =                                               \
			rk_json_read_strings(r, path, object, key, is_optional, &_list); \
		_to->v = _list.v;                                                        \
		_to->nr = _list.nr;                                                      \
		_to->cap = _list.cap;                                                    \
		_list_err;                                                               \
	})

/* A list of numbers (U64) appended to a vector of uint64_t. */
#define RK_JSON_NUMBERS(r, path, object, key, is_optional, vec)                            \
	do {                                                                               \
		const json_t *_list = NULL;                                                \
		RK_TRY(rk_json_list(r, path, object, key, is_optional, &_list));           \
		for (size_t _i = 0; _i < json_array_size(_list); _i++) {                   \
			uint64_t _number;                                                  \
			RK_TRY(rk_json_number(r, path, key, _i, json_array_get(_list, _i), \
					      &_number));                                  \
			if (!rk_vec_push(vec, _number))                                    \
				return rk_err_nomem();                                     \
		}                                                                          \
	} while (0)
struct rk_err *rk_json_number(const struct rk_json_reader *r, const char *path, const char *key,
			      size_t index, const json_t *value, uint64_t *ret) __must_use;

/* Reads object.key, a list of objects with these fields (an array), into the vector. */
#define RK_JSON_LIST(r, path, object, key, is_optional, vec, fields)                        \
	do {                                                                                \
		const json_t *_list = NULL;                                                 \
		RK_TRY(rk_json_list(r, path, object, key, is_optional, &_list));            \
		for (size_t _i = 0; _i < json_array_size(_list); _i++) {                    \
			const json_t *_entry = json_array_get(_list, _i);                   \
			const char *_path;                                                  \
			__typeof__(*(vec)->v) _item = {};                                   \
			RK_TRY(rk_json_entry(r, path, key, _i, _entry, &_path));            \
			RK_TRY(rk_json_fields(r, _path, _entry, fields, ARRAY_SIZE(fields), \
					      &_item));                                     \
			if (!rk_vec_push(vec, _item))                                       \
				return rk_err_nomem();                                      \
		}                                                                           \
	} while (0)

/* --- writing --- */

/* The string, or null. A new reference. */
json_t *rk_json_text(const char *text);
/* The time as text. */
json_t *rk_json_time(int64_t seconds);
/* The same, or null for 0: what never was, or isn't known. */
json_t *rk_json_time_or_null(int64_t seconds);
/* A list of strings. */
json_t *rk_json_texts(const char *const *v, size_t nr);

static inline void rk_cleanup_json(json_t **json)
{
	json_decref(*json);
}

#define _cleanup_json_ _cleanup_(rk_cleanup_json)

#endif
