/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files behind declarations.h share: the conditions around a declaration, and what one is found to be. */
#ifndef RK_SOURCE_DECLARATIONS_INTERNAL_H
#define RK_SOURCE_DECLARATIONS_INTERNAL_H

#include "lib/source/declarations.h"

/* One branch of an #if; the whole condition is that of the parent, none of the branches before, and this one's. */
struct rk_condition {
	struct rk_condition *parent;   /* the #if around it */
	struct rk_condition *previous; /* the branch before */
	uint32_t first, end;	       /* tokens of the directive */
	/* how the text before the #if had left the declaration that was open, which each branch goes on with */
	int braces, parens;
	uint32_t start;
};

/* Adds what tokens [first, end), which are one declaration, declare. */
struct rk_err *rk_decl_classify(struct rk_decls *decls, const struct rk_condition *condition,
				uint32_t first, uint32_t end) __must_use;

/* Copies decl with a name of its own. */
struct rk_err *rk_decl_add(struct rk_decls *decls, const struct rk_decl *decl,
			   const struct rk_token *name) __must_use;

bool rk_token_is_keyword(const struct rk_token *token);

#endif
