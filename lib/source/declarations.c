/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cutting a header into declarations: braces and parentheses are counted, each branch of an #if starts from the count that was there
 * before it. A declaration ends with its ';', or with the body of a function, or with a macro's arguments when nothing of
 * it follows on the same line.
 */
#include <string.h>

#include "lib/source/declarations_internal.h"

#define NO_START UINT32_MAX

struct parser {
	struct rk_decls *decls;
	const struct rk_token *v;
	uint32_t nr, i;
	struct rk_condition *condition;
	uint32_t start; /* of the open declaration, or NO_START */
	int braces, parens;
	bool has_body; /* the open declaration's last brace was a function's */
};

static bool is(const struct parser *p, uint32_t i, const char *text)
{
	return i < p->nr && rk_token_is(&p->v[i], text);
}

struct rk_err *rk_decl_add(struct rk_decls *decls, const struct rk_decl *decl,
			   const struct rk_token *name)
{
	struct rk_decl own = *decl;

	own.name = name ? rk_arena_strndup(&decls->arena, name->s, name->len) : "";
	return own.name && rk_vec_push(&decls->list, own) ? NULL : rk_err_nomem();
}

static struct rk_err *add_directive(struct parser *p, enum rk_decl_kind kind, uint32_t end)
{
	struct rk_decl decl = {.kind = kind, .first = p->i, .end = end, .condition = p->condition};
	const struct rk_token *name = p->i + 2 < end ? &p->v[p->i + 2] : NULL;
	struct rk_token operand = {};

	if (!name || kind == RK_DECL_OTHER) {
		decl.kind = RK_DECL_OTHER;
		name = NULL;
	} else if (kind == RK_DECL_INCLUDE) {
		operand = (struct rk_token){
			.s = name->s,
			.len = (uint32_t)(p->v[end - 1].s + p->v[end - 1].len - name->s)};
		name = &operand;
	}
	return rk_decl_add(p->decls, &decl, name);
}

static struct rk_err *open_condition(struct parser *p, uint32_t end)
{
	struct rk_condition *c = rk_arena_new(&p->decls->arena, struct rk_condition);

	if (!c)
		return rk_err_nomem();
	*c = (struct rk_condition){
		.parent = p->condition,
		.first = p->i,
		.end = end,
		.braces = p->braces,
		.parens = p->parens,
		.start = p->start,
	};
	p->condition = c;
	return NULL;
}

static struct rk_err *next_branch(struct parser *p, uint32_t end)
{
	struct rk_condition *c = rk_arena_new(&p->decls->arena, struct rk_condition);
	struct rk_condition *before = p->condition;

	if (!c)
		return rk_err_nomem();
	if (!before) {
		p->decls->is_clear = false;
		return NULL;
	}
	*c = *before;
	c->previous = before;
	c->first = p->i;
	c->end = end;
	p->condition = c;
	p->braces = c->braces;
	p->parens = c->parens;
	p->start = c->start;
	return NULL;
}

static struct rk_err *directive(struct parser *p, uint32_t end)
{
	uint32_t word = p->i + 1;

	if (is(p, word, "if") || is(p, word, "ifdef") || is(p, word, "ifndef"))
		return open_condition(p, end);
	if (is(p, word, "else") || is(p, word, "elif"))
		return next_branch(p, end);
	if (is(p, word, "endif")) {
		p->decls->is_clear = p->decls->is_clear && p->condition;
		p->condition = p->condition ? p->condition->parent : NULL;
		return NULL;
	}
	if (is(p, word, "define") || is(p, word, "undef"))
		return add_directive(p, RK_DECL_MACRO, end);
	if (is(p, word, "include") || is(p, word, "include_next"))
		return add_directive(p, RK_DECL_INCLUDE, end);
	/* Our own #line directives mean nothing, and "#" alone neither. */
	if (is(p, word, "line") || word >= end)
		return NULL;
	return add_directive(p, RK_DECL_OTHER, end);
}

static struct rk_err *finish(struct parser *p, uint32_t end)
{
	uint32_t start = p->start;

	p->start = NO_START;
	p->has_body = false;
	return rk_decl_classify(p->decls, p->condition, start, end);
}

/* Is the '{' at i, outside all others, the beginning of a function's body? */
static bool begins_body(const struct parser *p, uint32_t i)
{
	int depth = 0;
	bool has_group = false;

	for (uint32_t k = p->start; k < i; k++) {
		if (p->v[k].is_directive)
			continue;
		if (depth == 0 && is(p, k, "="))
			return false;
		if (is(p, k, "(") && depth++ == 0)
			has_group = has_group || (k > p->start && !is(p, k - 1, "__attribute__") &&
						  !is(p, k - 1, "__aligned"));
		depth -= is(p, k, ")");
	}
	return has_group;
}

/* "PAGEFLAG(Locked, locked)" without a ';': the next line begins something else. */
static bool ends_macro_call(const struct parser *p)
{
	uint32_t next = p->i + 1;
	int depth = 0;

	if (p->v[p->start].kind != RK_TOKEN_NAME || !is(p, p->start + 1, "("))
		return false;
	for (uint32_t k = p->start + 1; k < p->i; k++) {
		depth += is(p, k, "(") - is(p, k, ")");
		if (depth == 0)
			return false;
	}
	return next >= p->nr ||
	       (p->v[next].is_line_first && (p->v[next].kind == RK_TOKEN_NAME || is(p, next, "#")));
}

static struct rk_err *close_brace(struct parser *p)
{
	/* of extern "C" { */
	if (p->braces == 0 && p->start == p->i) {
		p->start = NO_START;
		return NULL;
	}
	if (p->braces == 0) {
		p->decls->is_clear = false;
		return NULL;
	}
	if (--p->braces == 0 && p->has_body)
		return finish(p, p->i + 1);
	return NULL;
}

static struct rk_err *plain(struct parser *p)
{
	if (p->start == NO_START)
		p->start = p->i;
	if (is(p, p->i, "(")) {
		p->parens++;
	} else if (is(p, p->i, ")")) {
		p->decls->is_clear = p->decls->is_clear && p->parens > 0;
		p->parens -= p->parens > 0;
		if (p->parens == 0 && p->braces == 0 && ends_macro_call(p))
			return finish(p, p->i + 1);
	} else if (is(p, p->i, "{")) {
		if (p->braces == 0 && p->i == p->start + 2 && is(p, p->start, "extern")) {
			p->start = NO_START;
			return NULL;
		}
		if (p->braces++ == 0)
			p->has_body = p->parens == 0 && begins_body(p, p->i);
	} else if (is(p, p->i, "}")) {
		return close_brace(p);
	} else if (is(p, p->i, ";") && p->braces == 0 && p->parens == 0) {
		return finish(p, p->i + 1);
	}
	return NULL;
}

static struct rk_err *parse(struct parser *p)
{
	while (p->i < p->nr) {
		uint32_t end = p->i + 1;

		if (!p->v[p->i].is_directive) {
			RK_TRY(plain(p));
		} else {
			while (end < p->nr && p->v[end].is_directive && !p->v[end].is_line_first)
				end++;
			RK_TRY(directive(p, end));
		}
		p->i = end;
	}
	if (p->braces || p->parens || p->condition)
		p->decls->is_clear = false;
	return p->start == NO_START ? NULL : finish(p, p->nr);
}

struct rk_err *rk_decls_parse(const char *text, size_t len, struct rk_decls **ret)
{
	_cleanup_decls_ struct rk_decls *decls = calloc(1, sizeof(*decls));

	if (!decls)
		return rk_err_nomem();
	decls->is_clear = true;
	RK_TRY(rk_tokens_read(text, len, &decls->tokens));
	if (decls->tokens.list.nr >= NO_START)
		return rk_err(RK_ERR_LIMIT, "too many tokens in one header");
	struct parser p = {
		.decls = decls,
		.v = decls->tokens.list.v,
		.nr = (uint32_t)decls->tokens.list.nr,
		.start = NO_START,
	};
	RK_TRY(parse(&p));
	*ret = take_ptr(decls);
	return NULL;
}

void rk_decls_free(struct rk_decls *decls)
{
	if (!decls)
		return;
	rk_vec_deinit(&decls->list);
	rk_tokens_deinit(&decls->tokens);
	rk_arena_deinit(&decls->arena);
	free(decls);
}

const char *rk_decl_kind_name(enum rk_decl_kind kind)
{
	static const char *const names[RK_DECL_KINDS] = {
		[RK_DECL_MACRO] = "macro",
		[RK_DECL_FUNCTION] = "function",
		[RK_DECL_STRUCT] = "struct",
		[RK_DECL_ENUM] = "enum",
		[RK_DECL_ENUMERATOR] = "enumerator",
		[RK_DECL_TYPEDEF] = "typedef",
		[RK_DECL_PROTOTYPE] = "prototype",
		[RK_DECL_VARIABLE] = "variable",
		[RK_DECL_INCLUDE] = "#include",
		[RK_DECL_FORWARD] = "declaration",
		[RK_DECL_OTHER] = "text",
	};
	return names[kind];
}
