/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a patch says of itself: the mail header git format-patch writes, DEP-3 fields as Debian and quilt use
 * them, CVE ids anywhere in the text. All of it is optional; nothing here can make a patch wrong.
 */
#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/internal.h"

/* git folds a subject near column 78; DEP-3 puts a short subject on the first line and a long text on the folded ones. */
#define MAIL_FOLD_MIN 50

#define COMMIT_ID_LEN 40

/* The value of "Name: value" if line is that field, else NULL. */
static const char *field_value(const char *line, size_t len, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);

	if (len < n + 1 || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	line += n + 1;
	len -= n + 1;
	while (len > 0 && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	*ret_len = len;
	return line;
}

static bool is_commit_line(const char *line, size_t len)
{
	if (len < 5 + COMMIT_ID_LEN || memcmp(line, "From ", 5) != 0)
		return false;
	for (size_t i = 0; i < COMMIT_ID_LEN; i++) {
		if (!isxdigit((unsigned char)line[5 + i]))
			return false;
	}
	return len == 5 + COMMIT_ID_LEN || line[5 + COMMIT_ID_LEN] == ' ';
}

/* Length of "CVE-2026-12345" at s, 0 if there is none. */
static size_t cve_length(const char *s, size_t len)
{
	size_t n = strlen("CVE-0000-"), digits = 0;

	if (len < n || memcmp(s, "CVE-", 4) != 0 || s[8] != '-')
		return 0;
	for (size_t i = 4; i < 8; i++) {
		if (!isdigit((unsigned char)s[i]))
			return 0;
	}
	while (n + digits < len && isdigit((unsigned char)s[n + digits]))
		digits++;
	return digits >= 4 ? n + digits : 0;
}

static struct rk_err *add_cve(struct rk_patch_file *patch, const char *s, size_t len)
{
	rk_vec_for_each(&patch->cves, it) {
		if (strlen(*it) == len && memcmp(*it, s, len) == 0)
			return NULL;
	}
	const char *id = rk_arena_strndup(&patch->arena, s, len);
	if (!id || !rk_vec_push(&patch->cves, id))
		return rk_err_nomem();
	return NULL;
}

struct rk_err *rk_patch_header_text(struct rk_patch_header *header, const char *line, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = line[i] == 'C' ? cve_length(line + i, len - i) : 0;

		if (n)
			RK_TRY(add_cve(header->patch, line + i, n));
		i += n ? n : 1;
	}
	return NULL;
}

struct rk_err *rk_patch_header_line(struct rk_patch_header *header, const char *line, size_t len)
{
	struct rk_arena *arena = &header->patch->arena;
	const char *value;
	size_t n;

	RK_TRY(rk_patch_header_text(header, line, len));
	if (len > 0 && (line[0] == ' ' || line[0] == '\t')) {
		if (header->field == RK_HEADER_SUBJECT && header->folded_from >= MAIL_FOLD_MIN) {
			for (n = 1; n < len && isspace((unsigned char)line[n]); n++)
				;
			rk_str_add_char(&header->subject, ' ');
			rk_str_add_bytes(&header->subject, line + n, len - n);
		}
		return NULL;
	}
	header->field = RK_HEADER_OTHER;
	if (is_commit_line(line, len) && !header->commit) {
		header->commit = rk_arena_strndup(arena, line + 5, COMMIT_ID_LEN);
		return header->commit ? NULL : rk_err_nomem();
	}
	if (!header->subject.len && (value = field_value(line, len, "Subject", &n))) {
		header->field = RK_HEADER_SUBJECT;
		header->folded_from = len;
		rk_str_add_bytes(&header->subject, value, n);
	} else if (!header->description && (value = field_value(line, len, "Description", &n)) &&
		   n > 0) {
		header->description = rk_arena_strndup(arena, value, n);
		return header->description ? NULL : rk_err_nomem();
	} else if (!header->patch->origin && (value = field_value(line, len, "Origin", &n)) &&
		   n > 0) {
		header->patch->origin = rk_arena_strndup(arena, value, n);
		return header->patch->origin ? NULL : rk_err_nomem();
	}
	return NULL;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Decodes one RFC 2047 word in quoted-printable UTF-8 at *s and moves behind it; false if there is none. */
static bool decode_word(const char **s, struct rk_str *out)
{
	const char *const prefix = "=?utf-8?q?";

	if (strncasecmp(*s, prefix, strlen(prefix)) != 0)
		return false;
	const char *p = *s + strlen(prefix);
	const char *end = strstr(p, "?=");
	if (!end)
		return false;
	for (; p < end; p++) {
		if (*p == '=' && end - p > 2 && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			rk_str_add_char(out, (char)(hex_digit(p[1]) << 4 | hex_digit(p[2])));
			p += 2;
		} else {
			rk_str_add_char(out, *p == '_' ? ' ' : *p);
		}
	}
	*s = end + 2;
	return true;
}

/* "[PATCH 6.1 3/4] tcp: fix it" → "tcp: fix it", encoded words decoded. */
static struct rk_err *subject_title(struct rk_patch_header *header, const char **ret)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	const char *s = rk_str_get(&header->subject);

	RK_TRY(rk_str_check(&header->subject));
	while (*s == '[' || *s == ' ' || strncasecmp(s, "Re:", 3) == 0) {
		const char *close = *s == '[' ? strchr(s, ']') : NULL;

		if (*s == '[' && !close)
			break;
		s = close ? close + 1 : s + (*s == ' ' ? 1 : 3);
	}
	while (*s) {
		if (!decode_word(&s, &out))
			rk_str_add_char(&out, *s++);
		else if (strncmp(s, " =?", 3) == 0) /* space between encoded words is no content */
			s++;
	}
	RK_TRY(rk_str_check(&out));
	if (!out.len)
		return NULL;
	*ret = rk_arena_strdup(&header->patch->arena, rk_str_get(&out));
	return *ret ? NULL : rk_err_nomem();
}

struct rk_err *rk_patch_header_finish(struct rk_patch_header *header)
{
	RK_TRY(subject_title(header, &header->patch->title));
	if (!header->patch->title)
		header->patch->title = header->description;
	if (!header->patch->origin)
		header->patch->origin = header->commit;
	return NULL;
}
