/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tokens of a C file before preprocessing: comments and continued lines are gone, and each token knows whether it
 * belongs to a directive. Nothing is an error: bytes that begin no token are tokens of their own.
 */
#ifndef RK_SOURCE_TOKENS_H
#define RK_SOURCE_TOKENS_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/vec.h"

enum rk_token_kind {
	RK_TOKEN_NAME,
	RK_TOKEN_NUMBER,
	RK_TOKEN_STRING, /* or a character constant */
	RK_TOKEN_SIGN,	 /* one character, but "##" and "->" */
};

struct rk_token {
	const char *s;
	uint32_t len;
	uint8_t kind;	    /* enum rk_token_kind */
	bool is_line_first; /* the first of its line */
	bool is_directive;  /* of a line that begins with '#', which is its first token */
	bool is_spaced;	    /* white space is before it: "#define F (x)" has no parameters */
};

struct rk_tokens {
	char *text; /* what the tokens point into */
	rk_vec(struct rk_token) list;
};

/* Splits len bytes of text, which need not outlive the call. The caller deinits ret. Errors: RK_ERR_NOMEM, RK_ERR_LIMIT. */
struct rk_err *rk_tokens_read(const char *text, size_t len, struct rk_tokens *ret) __must_use;
void rk_tokens_deinit(struct rk_tokens *tokens);

bool rk_token_is(const struct rk_token *token, const char *text);

#define _cleanup_tokens_ _cleanup_(rk_tokens_deinit)

#endif
