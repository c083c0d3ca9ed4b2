/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two passes: the first takes out comments and joins continued lines, the second cuts what is left into tokens. */
#include "lib/source/tokens.h"

#include <ctype.h>
#include <string.h>

#define TEXT_MAX (256u << 20)

/* The length of the string or character constant that begins at s; an open one ends with its line. */
static size_t quoted_length(const char *s, const char *end)
{
	const char *p = s + 1;

	while (p < end && *p != *s && *p != '\n')
		p += *p == '\\' && p + 1 < end ? 2 : 1;
	return (size_t)(p - s) + (p < end && *p == *s);
}

/* Behind the comment that begins at s, or s itself. */
static const char *skip_comment(const char *s, const char *end)
{
	if (end - s < 2 || s[0] != '/' || (s[1] != '*' && s[1] != '/'))
		return s;
	if (s[1] == '/') {
		while (s < end && *s != '\n')
			s += s[0] == '\\' && end - s > 1 ? 2 : 1;
		return s;
	}
	for (s += 2; s < end; s++)
		if (end - s > 1 && s[0] == '*' && s[1] == '/')
			return s + 2;
	return end;
}

static size_t continuation_length(const char *s, const char *end)
{
	if (end - s >= 2 && s[0] == '\\' && s[1] == '\n')
		return 2;
	return end - s >= 3 && s[0] == '\\' && s[1] == '\r' && s[2] == '\n' ? 3 : 0;
}

/* A comment is a blank, also where it spans lines: within a directive it doesn't end it. */
static size_t clean(const char *text, size_t len, char *out)
{
	const char *s = text, *end = text + len;
	char *o = out;

	while (s < end) {
		const char *behind = skip_comment(s, end);
		size_t n = continuation_length(s, end);

		if (behind != s) {
			*o++ = ' ';
			s = behind;
		} else if (n) {
			s += n;
		} else if (*s == '"' || *s == '\'') {
			n = quoted_length(s, end);
			memcpy(o, s, n);
			o += n;
			s += n;
		} else {
			*o++ = *s++;
		}
	}
	*o = '\0';
	return (size_t)(o - out);
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static struct rk_token cut(const char *s, const char *end)
{
	const char *p = s + 1;
	enum rk_token_kind kind = RK_TOKEN_SIGN;

	if (*s == '"' || *s == '\'') {
		kind = RK_TOKEN_STRING;
		p = s + quoted_length(s, end);
	} else if (is_name_char(*s)) {
		kind = isdigit((unsigned char)*s) ? RK_TOKEN_NUMBER : RK_TOKEN_NAME;
		while (p < end && (is_name_char(*p) || (kind == RK_TOKEN_NUMBER && *p == '.')))
			p++;
	} else if (p < end && ((*s == '#' && *p == '#') || (*s == '-' && *p == '>'))) {
		p++;
	}
	return (struct rk_token){.s = s, .len = (uint32_t)(p - s), .kind = kind};
}

static struct rk_err *split(struct rk_tokens *tokens, size_t len)
{
	const char *s = tokens->text, *end = s + len;
	bool line_first = true, directive = false, spaced = false;

	while (s < end) {
		if (*s == '\n') {
			line_first = true;
			directive = false;
		}
		if (isspace((unsigned char)*s) || *s == '\0') {
			spaced = true;
			s++;
			continue;
		}
		struct rk_token token = cut(s, end);
		directive = directive || (line_first && *s == '#');
		token.is_line_first = line_first;
		token.is_directive = directive;
		token.is_spaced = spaced;
		if (!rk_vec_push(&tokens->list, token))
			return rk_err_nomem();
		line_first = spaced = false;
		s += token.len;
	}
	return NULL;
}

struct rk_err *rk_tokens_read(const char *text, size_t len, struct rk_tokens *ret)
{
	struct rk_tokens tokens = {};

	if (len > TEXT_MAX)
		return rk_err(RK_ERR_LIMIT, "more than %u bytes of source", TEXT_MAX);
	tokens.text = malloc(len + 2);
	if (!tokens.text)
		return rk_err_nomem();
	struct rk_err *err = split(&tokens, clean(text, len, tokens.text));
	if (err) {
		rk_tokens_deinit(&tokens);
		return err;
	}
	*ret = tokens;
	return NULL;
}

void rk_tokens_deinit(struct rk_tokens *tokens)
{
	rk_vec_deinit(&tokens->list);
	free(tokens->text);
	tokens->text = NULL;
}

bool rk_token_is(const struct rk_token *token, const char *text)
{
	return strlen(text) == token->len && memcmp(token->s, text, token->len) == 0;
}
