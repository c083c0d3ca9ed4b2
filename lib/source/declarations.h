/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a header declares, by its text alone: macros, functions, types, enumerators and variables at the top level, each as tokens with
 * the #if conditions around it. Comments and white space don't count. What isn't understood is a declaration of kind
 * RK_DECL_OTHER: whoever compares must take a change of it for a change of everything.
 */
#ifndef RK_SOURCE_DECLARATIONS_H
#define RK_SOURCE_DECLARATIONS_H

#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/source/tokens.h"

enum rk_decl_kind {
	RK_DECL_MACRO,
	RK_DECL_FUNCTION, /* with a body */
	RK_DECL_STRUCT,	  /* or a union, with members; the name is the tag */
	RK_DECL_ENUM,	  /* the tag; its enumerators are declarations of their own */
	RK_DECL_ENUMERATOR,
	RK_DECL_TYPEDEF,
	RK_DECL_PROTOTYPE,
	RK_DECL_VARIABLE,
	RK_DECL_INCLUDE, /* the operand is the name */
	RK_DECL_FORWARD, /* "struct foo;" */
	RK_DECL_OTHER,	 /* the name is "" */
	RK_DECL_KINDS
};

struct rk_condition;

struct rk_decl {
	enum rk_decl_kind kind;
	const char *name;
	bool is_emitted; /* who includes the header gets it in its object: a function that isn't inline, initialised data */
	uint32_t first, end; /* tokens */
	/* Of an enumerator: the tokens its value is counted from, and the distance. */
	uint32_t from_first, from_end, distance;
	const struct rk_condition *condition;
};

struct rk_decls {
	struct rk_arena arena;
	struct rk_tokens tokens;
	rk_vec(struct rk_decl) list; /* in order of the text */
	bool is_clear; /* braces and conditions are balanced; otherwise any comparison is a guess */
};

/* Never fails for what the text is. Errors: RK_ERR_NOMEM, RK_ERR_LIMIT. */
struct rk_err *rk_decls_parse(const char *text, size_t len, struct rk_decls **ret) __must_use;
void rk_decls_free(struct rk_decls *decls);

/* "macro", "function", … */
const char *rk_decl_kind_name(enum rk_decl_kind kind);

/* Adds conditions and tokens, one blank between them: declarations with equal text mean the same. */
void rk_decl_text(const struct rk_decls *decls, const struct rk_decl *decl, struct rk_str *out);

/* One name that a declaration mentions, also in its conditions. */
enum rk_mention {
	RK_MENTION_NAME,
	RK_MENTION_TAG,	   /* after struct, union or enum */
	RK_MENTION_MEMBER, /* after '.' or '->': a macro may stand there, nothing else */
	RK_MENTION_PREFIX, /* pasted: "foo_" of "foo_##x" */
	RK_MENTION_SUFFIX,
};
typedef bool (*rk_mention_fn)(void *ctx, enum rk_mention how, const struct rk_token *name);
/* Calls fn until it returns false; keywords of C are left out. Returns false if fn did. */
bool rk_decl_mentions(const struct rk_decls *decls, const struct rk_decl *decl, rk_mention_fn fn,
		      void *ctx);
/* The same for all tokens of a file. */
bool rk_tokens_mentions(const struct rk_tokens *tokens, rk_mention_fn fn, void *ctx);

/* One declaration that differs. */
struct rk_decl_change {
	enum rk_decl_kind kind;
	const char *name; /* "" when it isn't known: it may be anything that the header declares */
	enum rk_change {
		RK_CHANGE_CHANGED,
		RK_CHANGE_REMOVED,
		RK_CHANGE_ADDED
	} change;
	bool is_emitted;
};
struct rk_decl_changes {
	struct rk_arena arena;
	rk_vec(struct rk_decl_change) list; /* by name, then kind */
};

/* What differs between two texts of one header; NULL for a header that isn't there. */
struct rk_err *rk_decls_compare(const struct rk_decls *old, const struct rk_decls *new,
				struct rk_decl_changes *ret) __must_use;
void rk_decl_changes_deinit(struct rk_decl_changes *changes);

static inline void rk_cleanup_decls(struct rk_decls **d)
{
	rk_decls_free(*d);
}
#define _cleanup_decls_ _cleanup_(rk_cleanup_decls)

#endif
