/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing what two texts of a header declare, and what a declaration mentions. All that is said about one name is
 * compared together, so that neither the place in the file matters nor whether a macro has become a function.
 */
#include <string.h>

#include "lib/base/map.h"
#include "lib/source/declarations_internal.h"

bool rk_token_is_keyword(const struct rk_token *token)
{
	/* sorted */
	static const char *const words[] = {
		"_Bool",
		"__always_inline",
		"__attribute__",
		"__const",
		"__extension__",
		"__inline",
		"__inline__",
		"__packed",
		"__signed__",
		"__volatile__",
		"auto",
		"bool",
		"break",
		"case",
		"char",
		"const",
		"continue",
		"default",
		"do",
		"double",
		"else",
		"enum",
		"extern",
		"float",
		"for",
		"goto",
		"if",
		"inline",
		"int",
		"long",
		"register",
		"restrict",
		"return",
		"short",
		"signed",
		"sizeof",
		"static",
		"struct",
		"switch",
		"typedef",
		"union",
		"unsigned",
		"void",
		"volatile",
		"while",
	};
	size_t low = 0, high = ARRAY_SIZE(words);

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strncmp(token->s, words[mid], token->len);

		if (order == 0 && words[mid][token->len] != '\0')
			order = -1;
		if (order == 0)
			return true;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

static bool is_condition_word(const struct rk_token *token)
{
	static const char *const words[] = {"if", "ifdef", "ifndef", "elif", "else", "endif"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (rk_token_is(token, words[i]))
			return true;
	return false;
}

/* The next token of a declaration from i on: #defines among its lines are declarations of their own. */
static uint32_t next_token(const struct rk_decls *decls, const struct rk_decl *decl, uint32_t i)
{
	const struct rk_token *v = decls->tokens.list.v;

	while (i < decl->end && v[i].is_directive && v[i].is_line_first && i > decl->first) {
		if (i + 1 < decl->end && is_condition_word(&v[i + 1]))
			break;
		for (i++; i < decl->end && v[i].is_directive && !v[i].is_line_first;)
			i++;
	}
	return i;
}

static void add_tokens(const struct rk_decls *decls, uint32_t first, uint32_t end,
		       struct rk_str *out)
{
	for (uint32_t i = first; i < end; i++) {
		const struct rk_token *t = &decls->tokens.list.v[i];

		rk_str_add_bytes(out, t->s, t->len);
		rk_str_add_char(out, ' ');
	}
}

static void add_condition(const struct rk_decls *decls, const struct rk_condition *c,
			  struct rk_str *out)
{
	if (!c)
		return;
	if (!c->previous)
		add_condition(decls, c->parent, out);
	else
		add_condition(decls, c->previous, out);
	add_tokens(decls, c->first, c->end, out);
}

void rk_decl_text(const struct rk_decls *decls, const struct rk_decl *decl, struct rk_str *out)
{
	const struct rk_token *v = decls->tokens.list.v;

	add_condition(decls, decl->condition, out);
	rk_str_addf(out, "%s ", rk_decl_kind_name(decl->kind));
	if (decl->kind == RK_DECL_ENUMERATOR) {
		rk_str_addf(out, "%s +%u ", decl->name, decl->distance);
		add_tokens(decls, decl->from_first, decl->from_end, out);
		return;
	}
	for (uint32_t i = decl->first; (i = next_token(decls, decl, i)) < decl->end; i++) {
		/* "#define F (x)" isn't "#define F(x)". */
		if (decl->kind == RK_DECL_MACRO && i == decl->first + 3 && v[i].is_spaced)
			rk_str_add_char(out, '\t');
		add_tokens(decls, i, i + 1, out);
	}
}

/* ---- mentions ---- */

struct mentioning {
	const struct rk_token *v;
	rk_mention_fn fn;
	void *ctx;
	const struct rk_token *params, *params_end; /* of a macro */
};

static bool is_param(const struct mentioning *m, const struct rk_token *t)
{
	for (const struct rk_token *p = m->params; p < m->params_end; p++)
		if (p->len == t->len && memcmp(p->s, t->s, t->len) == 0)
			return true;
	return false;
}

static bool mention(const struct mentioning *m, uint32_t first, uint32_t i, uint32_t end)
{
	const struct rk_token *t = &m->v[i];
	enum rk_mention how = RK_MENTION_NAME;

	if (t->kind != RK_TOKEN_NAME || rk_token_is_keyword(t) || is_param(m, t))
		return true;
	if (i + 1 < end && rk_token_is(&m->v[i + 1], "##"))
		return m->fn(m->ctx, RK_MENTION_PREFIX, t);
	if (i > first) {
		const struct rk_token *before = &m->v[i - 1];

		if (rk_token_is(before, "##"))
			return m->fn(m->ctx, RK_MENTION_SUFFIX, t);
		if (rk_token_is(before, ".") || rk_token_is(before, "->"))
			how = RK_MENTION_MEMBER;
		else if (rk_token_is(before, "struct") || rk_token_is(before, "union") ||
			 rk_token_is(before, "enum"))
			how = RK_MENTION_TAG;
	}
	return m->fn(m->ctx, how, t);
}

static bool mention_range(const struct mentioning *m, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
		if (!mention(m, first, i, end))
			return false;
	return true;
}

static bool mention_condition(const struct mentioning *m, const struct rk_condition *c)
{
	for (; c; c = c->previous ? c->previous : c->parent)
		if (!mention_range(m, c->first, c->end))
			return false;
	return true;
}

/* The parameters' tokens, parentheses and all. */
static void find_params(struct mentioning *m, const struct rk_decl *decl)
{
	uint32_t i = decl->first + 3;

	if (i >= decl->end || m->v[i].is_spaced || !rk_token_is(&m->v[i], "("))
		return;
	m->params = &m->v[i];
	while (i < decl->end && !rk_token_is(&m->v[i], ")"))
		i++;
	m->params_end = &m->v[i];
}

bool rk_decl_mentions(const struct rk_decls *decls, const struct rk_decl *decl, rk_mention_fn fn,
		      void *ctx)
{
	struct mentioning m = {.v = decls->tokens.list.v, .fn = fn, .ctx = ctx};

	if (!mention_condition(&m, decl->condition))
		return false;
	if (decl->kind == RK_DECL_ENUMERATOR)
		return mention_range(&m, decl->from_first, decl->from_end);
	if (decl->kind == RK_DECL_MACRO) {
		find_params(&m, decl);
		return mention_range(&m, decl->first + 3 < decl->end ? decl->first + 3 : decl->end,
				     decl->end);
	}
	for (uint32_t i = decl->first; (i = next_token(decls, decl, i)) < decl->end; i++)
		if (!mention(&m, decl->first, i, decl->end))
			return false;
	return true;
}

bool rk_tokens_mentions(const struct rk_tokens *tokens, rk_mention_fn fn, void *ctx)
{
	struct mentioning m = {.v = tokens->list.v, .fn = fn, .ctx = ctx};

	return mention_range(&m, 0, (uint32_t)tokens->list.nr);
}

/* ---- comparing ---- */

/* All that one text says about one name. */
struct said {
	const char *name;
	enum rk_decl_kind kind;
	bool is_emitted;
	struct rk_str text;
};

struct side {
	struct rk_arena arena;
	struct rk_map by_name; /* "name", "#tag" → struct said */
};

static void side_deinit(struct side *side)
{
	size_t pos = 0;
	const char *name;
	void *value;

	while (rk_map_next(&side->by_name, &pos, &name, &value))
		rk_str_deinit(&((struct said *)value)->text);
	rk_map_deinit(&side->by_name);
	rk_arena_deinit(&side->arena);
}

static struct rk_err *get_said(struct side *side, const struct rk_decl *decl, struct said **ret)
{
	bool is_tag = decl->kind == RK_DECL_STRUCT || decl->kind == RK_DECL_ENUM;
	const char *key = rk_arena_printf(&side->arena, "%s%s", is_tag ? "#" : "", decl->name);
	struct said *said = key ? rk_map_get(&side->by_name, key) : NULL;

	if (key && !said) {
		said = rk_arena_new(&side->arena, struct said);
		if (said && !rk_map_set(&side->by_name, key, said))
			said = NULL;
		if (said)
			*said = (struct said){.name = decl->name, .kind = decl->kind};
	}
	*ret = said;
	return said ? NULL : rk_err_nomem();
}

/* An #include or a forward declaration that comes or goes changes nothing that compiled before and still does. */
static struct rk_err *fill(struct side *side, const struct rk_decls *decls)
{
	if (!decls)
		return NULL;
	rk_vec_for_each(&decls->list, decl) {
		struct said *said;

		if (decl->kind == RK_DECL_INCLUDE || decl->kind == RK_DECL_FORWARD)
			continue;
		RK_TRY(get_said(side, decl, &said));
		if (decl->kind == RK_DECL_MACRO || said->kind == RK_DECL_PROTOTYPE)
			said->kind = decl->kind;
		said->is_emitted = said->is_emitted || decl->is_emitted;
		rk_decl_text(decls, decl, &said->text);
		rk_str_add_char(&said->text, '\n');
		RK_TRY(rk_str_check(&said->text));
	}
	return NULL;
}

static struct rk_err *add_change(struct rk_decl_changes *out, const struct said *said,
				 enum rk_change change)
{
	struct rk_decl_change own = {
		.kind = said->kind,
		.name = rk_arena_strdup(&out->arena, said->name),
		.change = change,
		.is_emitted = said->is_emitted,
	};

	return own.name && rk_vec_push(&out->list, own) ? NULL : rk_err_nomem();
}

static struct rk_err *compare(const struct side *old, const struct side *new,
			      struct rk_decl_changes *out)
{
	size_t pos = 0;
	const char *key;
	void *value;

	while (rk_map_next(&old->by_name, &pos, &key, &value)) {
		struct said *was = value, *now = rk_map_get(&new->by_name, key);

		if (now && rk_streq(rk_str_get(&was->text), rk_str_get(&now->text)))
			continue;
		/* A macro stands in more places than anything else can. */
		if (now && now->kind == RK_DECL_MACRO)
			was->kind = RK_DECL_MACRO;
		was->is_emitted = was->is_emitted || (now && now->is_emitted);
		RK_TRY(add_change(out, was, now ? RK_CHANGE_CHANGED : RK_CHANGE_REMOVED));
	}
	for (pos = 0; rk_map_next(&new->by_name, &pos, &key, &value);)
		if (!rk_map_get(&old->by_name, key))
			RK_TRY(add_change(out, value, RK_CHANGE_ADDED));
	return NULL;
}

static int compare_changes(const void *a, const void *b)
{
	const struct rk_decl_change *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (int)x->kind - (int)y->kind;
}

static struct rk_err *compare_all(const struct rk_decls *old, const struct rk_decls *new,
				  struct rk_str *was, struct rk_str *is, bool *ret_same)
{
	add_tokens(old, 0, (uint32_t)old->tokens.list.nr, was);
	add_tokens(new, 0, (uint32_t) new->tokens.list.nr, is);
	RK_TRY(rk_str_check(was));
	RK_TRY(rk_str_check(is));
	*ret_same = rk_streq(rk_str_get(was), rk_str_get(is));
	return NULL;
}

static struct rk_err *compare_unclear(const struct rk_decls *old, const struct rk_decls *new,
				      struct rk_decl_changes *out)
{
	_cleanup_str_ struct rk_str was = RK_STR_INIT, is = RK_STR_INIT;
	const struct said anything = {.name = "", .kind = RK_DECL_OTHER};
	bool same = false;

	if (old && new)
		RK_TRY(compare_all(old, new, &was, &is, &same));
	return same ? NULL : add_change(out, &anything, RK_CHANGE_CHANGED);
}

struct rk_err *rk_decls_compare(const struct rk_decls *old, const struct rk_decls *new,
				struct rk_decl_changes *ret)
{
	struct rk_decl_changes out = {};
	struct side was = {}, now = {};
	struct rk_err *err;

	if ((old && !old->is_clear) || (new && !new->is_clear)) {
		err = compare_unclear(old, new, &out);
	} else {
		err = fill(&was, old);
		if (!err)
			err = fill(&now, new);
		if (!err)
			err = compare(&was, &now, &out);
	}
	side_deinit(&was);
	side_deinit(&now);
	if (err) {
		rk_decl_changes_deinit(&out);
		return err;
	}
	if (out.list.nr)
		qsort(out.list.v, out.list.nr, sizeof(*out.list.v), compare_changes);
	*ret = out;
	return NULL;
}

void rk_decl_changes_deinit(struct rk_decl_changes *changes)
{
	rk_vec_deinit(&changes->list);
	rk_arena_deinit(&changes->arena);
}
