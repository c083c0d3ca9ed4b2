/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growable byte strings whose failures stick until somebody asks. */
#include "lib/base/str.h"

#include <stdarg.h>
#include <stdint.h>

void rk_str_deinit(struct rk_str *str)
{
	free(str->s);
	*str = (struct rk_str)RK_STR_INIT;
}

/* Room for extra more bytes and the NUL; false (and failed set) without memory. */
static bool reserve(struct rk_str *str, size_t extra)
{
	size_t need;

	if (str->failed)
		return false;
	if (__builtin_add_overflow(str->len, extra, &need) || need > SIZE_MAX / 2 - 1) {
		str->failed = true;
		return false;
	}
	need++;
	if (need <= str->cap)
		return true;

	size_t cap = str->cap ? str->cap : 32;
	while (cap < need)
		cap *= 2;
	char *s = realloc(str->s, cap);
	if (!s) {
		str->failed = true;
		return false;
	}
	str->s = s;
	str->cap = cap;
	return true;
}

void rk_str_add_bytes(struct rk_str *str, const void *data, size_t len)
{
	if (!reserve(str, len))
		return;
	if (len)
		memcpy(str->s + str->len, data, len);
	str->len += len;
	str->s[str->len] = '\0';
}

void rk_str_add(struct rk_str *str, const char *s)
{
	rk_str_add_bytes(str, s, strlen(s));
}

void rk_str_add_char(struct rk_str *str, char c)
{
	rk_str_add_bytes(str, &c, 1);
}

void rk_str_addf(struct rk_str *str, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		str->failed = true;
	else if (reserve(str, (size_t)len))
		str->len += (size_t)vsnprintf(str->s + str->len, (size_t)len + 1, fmt, again);
	va_end(again);
}

void rk_str_clear(struct rk_str *str)
{
	str->len = 0;
	str->failed = false;
	if (str->s)
		str->s[0] = '\0';
}

struct rk_err *rk_str_check(const struct rk_str *str)
{
	return str->failed ? rk_err_nomem() : NULL;
}

struct rk_err *rk_str_take(struct rk_str *str, char **ret)
{
	if (!reserve(str, 0))
		return rk_err_nomem();
	str->s[str->len] = '\0';
	*ret = str->s;
	*str = (struct rk_str)RK_STR_INIT;
	return NULL;
}

const char *rk_str_get(const struct rk_str *str)
{
	return str->s ? str->s : "";
}

bool rk_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool rk_has_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s);
	size_t suffix_len = strlen(suffix);

	return len >= suffix_len && memcmp(s + len - suffix_len, suffix, suffix_len) == 0;
}

bool rk_is_path_of(const char *path, const char *file)
{
	size_t n = strlen(path), m = strlen(file);

	return n >= m && strcmp(path + n - m, file) == 0 && (n == m || path[n - m - 1] == '/');
}

int rk_compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int rk_compare_numbered(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

bool rk_scan_u64(const char **s, uint64_t max, uint64_t *ret)
{
	uint64_t number = 0;
	const char *c = *s;

	for (; *c >= '0' && *c <= '9'; c++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*c - '0'), &number))
			return false;
	if (c == *s || number > max)
		return false;
	*s = c;
	*ret = number;
	return true;
}

bool rk_find_word(const char *words, const char *text, unsigned int *ret)
{
	size_t len = strlen(text);
	unsigned int nr = 0;

	for (const char *word = words; *word; nr++) {
		size_t size = strcspn(word, "|");

		if (size == len && !memcmp(word, text, len)) {
			*ret = nr;
			return true;
		}
		word += size + (word[size] == '|');
	}
	return false;
}

bool rk_find_text(const char *const *texts, size_t nr, const char *text, unsigned int *ret)
{
	for (unsigned int i = 0; i < nr; i++)
		if (rk_streq(texts[i], text)) {
			*ret = i;
			return true;
		}
	return false;
}

char *rk_asprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	int len = vasprintf(&s, fmt, ap);
	va_end(ap);
	return len < 0 ? NULL : s;
}
