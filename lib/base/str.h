/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growable byte strings. Appending never fails at the call: a failed allocation sticks, and is
 * reported once by rk_str_take() or rk_str_check().
 */
#ifndef RK_BASE_STR_H
#define RK_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/err.h"

struct rk_str {
	char *s; /* NUL-terminated; NULL while empty */
	size_t len;
	size_t cap;
	bool failed; /* an allocation failed: content is incomplete */
};

#define RK_STR_INIT \
	{           \
	}

void rk_str_deinit(struct rk_str *str);
void rk_str_add(struct rk_str *str, const char *s);
void rk_str_add_bytes(struct rk_str *str, const void *data, size_t len);
void rk_str_addf(struct rk_str *str, const char *fmt, ...) __printf(2, 3);
void rk_str_add_char(struct rk_str *str, char c);
void rk_str_clear(struct rk_str *str);

/* Error RK_ERR_NOMEM when an append has failed. */
struct rk_err *rk_str_check(const struct rk_str *str) __must_use;
/* Hands the content over (never NULL on success; free() it); str becomes empty. */
struct rk_err *rk_str_take(struct rk_str *str, char **ret) __must_use;
/* The content, "" while empty; valid until the next change. */
const char *rk_str_get(const struct rk_str *str);

bool rk_has_prefix(const char *s, const char *prefix);
bool rk_has_suffix(const char *s, const char *suffix);
/* Is path the file, or does it end with "/" and it? */
bool rk_is_path_of(const char *path, const char *file);
/* For qsort(3) of an array of strings, in the order of strcmp(3). */
int rk_compare_texts(const void *a, const void *b);
/* The same, but numbers within them count as such: "CVE-2026-9" before "CVE-2026-10" (strverscmp(3)). */
int rk_compare_numbered(const void *a, const void *b);
/* Moves *s behind the decimal digits it begins with. False without any, or above max: then *s and *ret are as before. */
bool rk_scan_u64(const char **s, uint64_t max, uint64_t *ret);
/* The position of text among words: "a|b|c". */
bool rk_find_word(const char *words, const char *text, unsigned int *ret);
/* The same among the first nr of texts, none of which is NULL. */
bool rk_find_text(const char *const *texts, size_t nr, const char *text, unsigned int *ret);
/* malloc'ed printf; NULL without memory. */
char *rk_asprintf(const char *fmt, ...) __must_use __printf(1, 2);

static inline bool rk_streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

#define _cleanup_str_ _cleanup_(rk_str_deinit)

#endif
