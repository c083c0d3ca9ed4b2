/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a patch says of itself: the mail header git format-patch writes, DEP-3 fields as Debian and quilt use
 * them, trailers of the commit, CVE ids anywhere in the text. A field goes on over folded lines and is taken when the next line
 * begins; of several of one kind the first counts. Nothing here can make a patch wrong.
 */
#include "lib/source/metadata.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/internal.h"

/* git folds a subject near column 78; DEP-3 puts a short subject on the first line and a long text on the folded ones. */
#define MAIL_FOLD_MIN 50

#define COMMIT_ID_LEN 40
#define LIST_MAX      4096 /* ids of one kind that one fix may name: far more than any release fixes */

void rk_fix_metadata_deinit(struct rk_fix_metadata *m)
{
	rk_vec_deinit(&m->cves);
	rk_vec_deinit(&m->bugs);
	rk_vec_deinit(&m->fixes);
}

struct rk_err *rk_metadata_add_to(const char ***v, size_t *nr, size_t *cap, struct rk_arena *arena,
				  const char *value, size_t len)
{
	for (size_t i = 0; i < *nr; i++)
		if (strlen((*v)[i]) == len && memcmp((*v)[i], value, len) == 0)
			return NULL;
	if (*nr >= LIST_MAX)
		return rk_err(RK_ERR_LIMIT, "a fix that names more than %d ids of one kind",
			      LIST_MAX);
	const char *copy = rk_arena_strndup(arena, value, len);
	if (!copy || (*nr == *cap && !rk_vec_grow((void **)v, cap, *nr, sizeof(**v))))
		return rk_err_nomem();
	(*v)[(*nr)++] = copy;
	return NULL;
}

/* ---- CVE ids ---- */

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

static struct rk_err *add_cves(struct rk_arena *arena, struct rk_cve_ids *ids, const char *line,
			       size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = line[i] == 'C' ? cve_length(line + i, len - i) : 0;

		if (n)
			RK_TRY(rk_metadata_add(ids, arena, line + i, n));
		i += n ? n : 1;
	}
	return NULL;
}

struct rk_err *rk_metadata_text(struct rk_metadata_parser *p, const char *line, size_t len)
{
	return add_cves(p->arena, &p->mentioned, line, len);
}

/* ---- encoded words ---- */

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The character set of an encoded word, as far as a kernel's history has them. */
enum charset {
	CHARSET_UTF8, /* US-ASCII, too */
	CHARSET_LATIN1,
	CHARSET_UNKNOWN,
};

static enum charset charset_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum charset charset;
	} known[] = {
		{"utf-8", CHARSET_UTF8},
		{"utf8", CHARSET_UTF8},
		{"us-ascii", CHARSET_UTF8},
		{"iso-8859-1", CHARSET_LATIN1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == len && strncasecmp(name, known[i].name, len) == 0)
			return known[i].charset;
	return CHARSET_UNKNOWN;
}

static void add_decoded(struct rk_str *out, enum charset charset, unsigned char c)
{
	if (c == '\0' || c == '\n' || c == '\r')
		c = ' '; /* a title is one line, whatever the mail's author encoded */
	if (charset == CHARSET_LATIN1 && c >= 0x80) {
		rk_str_add_char(out, (char)(0xc0 | c >> 6));
		rk_str_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		rk_str_add_char(out, (char)c);
	}
}

static void decode_quoted(struct rk_str *out, enum charset charset, const char *p, const char *end)
{
	for (; p < end; p++) {
		if (*p == '=' && end - p > 2 && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			add_decoded(out, charset,
				    (unsigned char)(hex_digit(p[1]) << 4 | hex_digit(p[2])));
			p += 2;
		} else {
			rk_str_add_char(out, *p == '_' ? ' ' : *p);
		}
	}
}

static void decode_base64(struct rk_str *out, enum charset charset, const char *p, const char *end)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned int nr = 0;

	for (; p < end; p++) {
		const char *at = *p ? strchr(digits, *p) : NULL;
		if (!at)
			continue; /* padding and white space */
		bits = bits << 6 | (uint32_t)(at - digits);
		nr += 6;
		if (nr >= 8) {
			nr -= 8;
			add_decoded(out, charset, (unsigned char)(bits >> nr));
		}
	}
}

/* Decodes one RFC 2047 word, "=?utf-8?q?f=C3=BCr?=", at *s and moves behind it; false if there is none that we know. */
static bool decode_word(const char **s, struct rk_str *out)
{
	if (!rk_has_prefix(*s, "=?"))
		return false;
	const char *name = *s + 2, *question = strchr(name, '?');
	if (!question || !question[1] || question[2] != '?')
		return false;
	const char *text = question + 3, *end = strstr(text, "?=");
	enum charset charset = charset_of(name, (size_t)(question - name));
	char encoding = (char)tolower((unsigned char)question[1]);
	if (!end || charset == CHARSET_UNKNOWN || (encoding != 'q' && encoding != 'b'))
		return false;
	if (encoding == 'q')
		decode_quoted(out, charset, text, end);
	else
		decode_base64(out, charset, text, end);
	*s = end + 2;
	return true;
}

static struct rk_err *decode(struct rk_metadata_parser *p, const char *s, const char **ret)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	while (*s) {
		if (!decode_word(&s, &out))
			rk_str_add_char(&out, *s++);
		else if (strncmp(s, " =?", 3) == 0) /* space between encoded words is no content */
			s++;
	}
	RK_TRY(rk_str_check(&out));
	if (!out.len)
		return NULL;
	*ret = rk_arena_strdup(p->arena, rk_str_get(&out));
	return *ret ? NULL : rk_err_nomem();
}

/* ---- fields ---- */

typedef struct rk_err *take_fn(struct rk_metadata_parser *p, const char *value);

/* "[PATCH 6.1 3/4] tcp: fix it" → "tcp: fix it" */
static struct rk_err *take_subject(struct rk_metadata_parser *p, const char *s)
{
	if (p->metadata->title)
		return NULL;
	while (*s == '[' || *s == ' ' || strncasecmp(s, "Re:", 3) == 0) {
		const char *close = *s == '[' ? strchr(s, ']') : NULL;

		if (*s == '[' && !close)
			break;
		s = close ? close + 1 : s + (*s == ' ' ? 1 : 3);
	}
	return decode(p, s, &p->metadata->title);
}

static struct rk_err *take_first(struct rk_metadata_parser *p, const char *value, const char **to)
{
	return *to ? NULL : decode(p, value, to);
}

static struct rk_err *take_description(struct rk_metadata_parser *p, const char *value)
{
	return take_first(p, value, &p->description);
}

static struct rk_err *take_author(struct rk_metadata_parser *p, const char *value)
{
	return take_first(p, value, &p->metadata->author);
}

static struct rk_err *take_origin(struct rk_metadata_parser *p, const char *value)
{
	return take_first(p, value, &p->metadata->origin);
}

static struct rk_err *take_forwarded(struct rk_metadata_parser *p, const char *value)
{
	return take_first(p, value, &p->metadata->forwarded);
}

static struct rk_err *take_applied(struct rk_metadata_parser *p, const char *value)
{
	return take_first(p, value, &p->metadata->applied_upstream);
}

static struct rk_err *take_bug(struct rk_metadata_parser *p, const char *value)
{
	return rk_metadata_add(&p->metadata->bugs, p->arena, value, strlen(value));
}

static struct rk_err *take_fixes(struct rk_metadata_parser *p, const char *value)
{
	return rk_metadata_add(&p->metadata->fixes, p->arena, value, strlen(value));
}

static struct rk_err *take_cve(struct rk_metadata_parser *p, const char *value)
{
	return add_cves(p->arena, &p->stated, value, strlen(value));
}

static const struct rk_metadata_field {
	const char *name; /* a '-' at the end: any name that begins so */
	take_fn *take;
	bool is_long; /* folded lines belong to the value whatever the first line's length */
} fields[] = {
	{"Subject", take_subject, false},
	{"Description", take_description, false},
	{"From", take_author, true},
	{"Author", take_author, true},
	{"Origin", take_origin, true},
	{"Forwarded", take_forwarded, true},
	{"Applied-Upstream", take_applied, true},
	{"Bug", take_bug, true},
	{"Bug-", take_bug, true},
	{"Fixes", take_fixes, true},
	{"CVE", take_cve, true},
	{"CVEs", take_cve, true},
};

/* Length of "Name" of a line "Name: value", 0 if it isn't one. */
static size_t name_length(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && (isalnum((unsigned char)line[n]) || line[n] == '-'))
		n++;
	return n < len && line[n] == ':' ? n : 0;
}

static const struct rk_metadata_field *find_field(const char *line, size_t n)
{
	for (const struct rk_metadata_field *f = fields; f < fields + ARRAY_SIZE(fields); f++) {
		size_t len = strlen(f->name);
		bool is_open = f->name[len - 1] == '-';

		if ((is_open ? n > len : n == len) && strncasecmp(line, f->name, len) == 0)
			return f;
	}
	return NULL;
}

static void add_trimmed(struct rk_str *out, const char *s, size_t len)
{
	while (len > 0 && isspace((unsigned char)*s)) {
		s++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)s[len - 1]))
		len--;
	rk_str_add_bytes(out, s, len);
}

/* The field under way is complete. */
static struct rk_err *end_field(struct rk_metadata_parser *p)
{
	const struct rk_metadata_field *field = p->field;

	p->field = NULL;
	if (!field)
		return NULL;
	RK_TRY(rk_str_check(&p->value));
	struct rk_err *err = p->value.len ? field->take(p, rk_str_get(&p->value)) : NULL;
	rk_str_clear(&p->value);
	return err;
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

struct rk_err *rk_metadata_line(struct rk_metadata_parser *p, const char *line, size_t len)
{
	RK_TRY(rk_metadata_text(p, line, len));
	if (len > 0 && (line[0] == ' ' || line[0] == '\t')) {
		if (p->field && (p->field->is_long || p->first_length >= MAIL_FOLD_MIN)) {
			rk_str_add_char(&p->value, ' ');
			add_trimmed(&p->value, line, len);
		}
		return NULL;
	}
	RK_TRY(end_field(p));
	if (is_commit_line(line, len) && !p->commit) {
		p->commit = rk_arena_strndup(p->arena, line + 5, COMMIT_ID_LEN);
		return p->commit ? NULL : rk_err_nomem();
	}
	size_t n = name_length(line, len);
	p->field = n ? find_field(line, n) : NULL;
	p->first_length = len;
	if (p->field)
		add_trimmed(&p->value, line + n + 1, len - n - 1);
	return NULL;
}

struct rk_err *rk_metadata_finish(struct rk_metadata_parser *p)
{
	struct rk_fix_metadata *m = p->metadata;

	RK_TRY(end_field(p));
	if (!m->title)
		m->title = p->description;
	if (!m->origin)
		m->origin = p->commit;
	/* What is said on purpose counts, not what the text happens to mention. */
	const struct rk_cve_ids *ids = p->stated.nr ? &p->stated : &p->mentioned;
	rk_vec_for_each(ids, id)
		if (!rk_vec_push(&m->cves, *id))
			return rk_err_nomem();
	return NULL;
}

void rk_metadata_parser_deinit(struct rk_metadata_parser *p)
{
	rk_str_deinit(&p->value);
	rk_vec_deinit(&p->stated);
	rk_vec_deinit(&p->mentioned);
}
