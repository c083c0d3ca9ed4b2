/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one declaration declares. C can't be parsed without knowing which names are types and which macros, so this goes by form: what
 * stands before parentheses that look like parameters is a function, what is left over at the end is a variable. Where
 * no form fits, the declaration is RK_DECL_OTHER.
 */
#include <string.h>

#include "lib/source/declarations_internal.h"

/* The declaration without directives. */
struct shape {
	struct rk_decls *decls;
	struct rk_decl decl; /* of the whole */
	rk_vec(uint32_t) at; /* tokens */
	uint32_t
		brace; /* place in `at` of the first '{' outside parentheses; at.nr if there is none */
	uint32_t behind; /* place behind its '}' */
	bool has_value;	 /* '=' before the brace, or without one anywhere outside parentheses */
};

static const struct rk_token *token(const struct shape *s, uint32_t i)
{
	static const struct rk_token none = {.s = ""};

	return i < s->at.nr ? &s->decls->tokens.list.v[s->at.v[i]] : &none;
}

static bool is(const struct shape *s, uint32_t i, const char *text)
{
	return rk_token_is(token(s, i), text);
}

static bool is_name(const struct shape *s, uint32_t i)
{
	return i < s->at.nr && token(s, i)->kind == RK_TOKEN_NAME;
}

static bool is_one_of(const struct shape *s, uint32_t i, const char *const *words, size_t nr)
{
	for (size_t k = 0; k < nr; k++)
		if (is(s, i, words[k]))
			return true;
	return false;
}

/* What may follow a variable's name or stand before parentheses without being what is declared. */
static bool is_annotation(const struct shape *s, uint32_t i)
{
	static const char *const words[] = {
		"__attribute__",
		"__aligned",
		"__section",
		"__read_mostly",
		"__ro_after_init",
		"__initdata",
		"__initconst",
		"__cacheline_aligned",
		"____cacheline_aligned",
		"____cacheline_aligned_in_smp",
		"__cacheline_aligned_in_smp",
		"__page_aligned_data",
		"__visible",
		"__weak",
		"__maybe_unused",
		"__used",
		"__percpu",
		"__rcu",
		"__user",
		"__iomem",
		"__bitwise",
		"__packed",
		"__randomize_layout",
		"__alignof__",
		"typeof",
		"__typeof__",
		"asm",
		"__asm__",
		"__must_check",
		"__init",
		"__exit",
	};
	return is_one_of(s, i, words, ARRAY_SIZE(words)) || rk_token_is_keyword(token(s, i));
}

/* Behind the group of parentheses, brackets or braces that begins at i. */
static uint32_t behind_group(const struct shape *s, uint32_t i)
{
	int depth = 0;

	for (; i < s->at.nr; i++) {
		depth += is(s, i, "(") || is(s, i, "[") || is(s, i, "{");
		depth -= is(s, i, ")") || is(s, i, "]") || is(s, i, "}");
		if (depth == 0)
			return i + 1;
	}
	return i;
}

static bool begins_group(const struct shape *s, uint32_t i)
{
	return is(s, i, "(") || is(s, i, "[") || is(s, i, "{");
}

static void measure(struct shape *s)
{
	s->brace = s->behind = (uint32_t)s->at.nr;
	for (uint32_t i = 0; i < s->at.nr;) {
		if (is(s, i, "{")) {
			s->brace = i;
			s->behind = behind_group(s, i);
			return;
		}
		s->has_value = s->has_value || is(s, i, "=");
		i = begins_group(s, i) ? behind_group(s, i) : i + 1;
	}
}

static bool is_parameters(const struct shape *s, uint32_t open)
{
	static const char *const types[] = {"void",	"int",	  "char",  "long",
					    "unsigned", "struct", "union", "signed",
					    "enum",	"const",  "bool"};
	uint32_t end = behind_group(s, open) - 1;

	if (open + 1 == end)
		return true;
	for (uint32_t i = open + 1; i < end; i++)
		if (is_one_of(s, i, types, ARRAY_SIZE(types)) ||
		    (is_name(s, i) && is_name(s, i + 1)) || (is_name(s, i) && is(s, i + 1, "*")))
			return true;
	return false;
}

/* The place of the function's name before `end`, or at.nr. */
static uint32_t function_name(const struct shape *s, uint32_t end)
{
	uint32_t otherwise = (uint32_t)s->at.nr;

	for (uint32_t i = 0; i < end;) {
		if (is(s, i, "(") && i > 0 && is_name(s, i - 1) && !is_annotation(s, i - 1)) {
			if (is_parameters(s, i))
				return i - 1;
			if (otherwise == s->at.nr)
				otherwise = i - 1;
		}
		i = begins_group(s, i) ? behind_group(s, i) : i + 1;
	}
	return otherwise;
}

static bool has_word(const struct shape *s, uint32_t end, const char *word)
{
	for (uint32_t i = 0; i < end; i++)
		if (is(s, i, word))
			return true;
	return false;
}

/* "inline", "__always_inline", "nf_inline", but not "noinline". */
static bool is_inline(const struct shape *s, uint32_t end)
{
	for (uint32_t i = 0; i < end; i++) {
		const struct rk_token *t = token(s, i);

		if (is(s, i, "(") || is(s, i, "noinline"))
			break;
		if (memmem(t->s, t->len, "inline", 6))
			return true;
	}
	return false;
}

static struct rk_err *add(const struct shape *s, enum rk_decl_kind kind, uint32_t name)
{
	struct rk_decl decl = s->decl;

	decl.kind = kind;
	decl.is_emitted = decl.is_emitted && kind != RK_DECL_OTHER;
	return rk_decl_add(s->decls, &decl, kind == RK_DECL_OTHER ? NULL : token(s, name));
}

/* The name in one declarator, or at.nr: "*foo[3]", "(*foo)(int)", "foo __aligned(8)", "foo : 3". */
static uint32_t declarator_name(const struct shape *s, uint32_t i, uint32_t end)
{
	uint32_t name = (uint32_t)s->at.nr;

	for (; i < end; i++) {
		if (is(s, i, "=") || is(s, i, ":") || is(s, i, "["))
			break;
		if (is(s, i, "(") && is(s, i + 1, "*")) {
			for (i++; i < end && !is(s, i, ")"); i++)
				if (is_name(s, i) && !is_annotation(s, i))
					return i;
			break;
		}
		if (is(s, i, "("))
			i = behind_group(s, i) - 1;
		else if (is_name(s, i) && !is_annotation(s, i))
			name = i;
	}
	return name;
}

/* The declarators between commas from i on; without any, *ret_any stays as it is. */
static struct rk_err *add_declarators(const struct shape *s, enum rk_decl_kind kind, uint32_t i,
				      bool *ret_any)
{
	while (i < s->at.nr) {
		uint32_t end = i;

		while (end < s->at.nr && !is(s, end, ",") && !is(s, end, ";"))
			end = begins_group(s, end) ? behind_group(s, end) : end + 1;
		uint32_t name = declarator_name(s, i, end);
		if (name < s->at.nr) {
			RK_TRY(add(s, kind, name));
			*ret_any = true;
		}
		i = end + 1;
	}
	return NULL;
}

/* The enumerators in the braces at `open`. */
static struct rk_err *add_enumerators(const struct shape *s, uint32_t open)
{
	const struct rk_token *all = s->decls->tokens.list.v;
	uint32_t end = behind_group(s, open) - 1;
	struct rk_decl decl = s->decl;

	decl.kind = RK_DECL_ENUMERATOR;
	decl.from_first = decl.from_end = decl.distance = 0;
	for (uint32_t i = open + 1; i < end;) {
		uint32_t stop = i, value;

		while (stop < end && !is(s, stop, ","))
			stop = begins_group(s, stop) ? behind_group(s, stop) : stop + 1;
		decl.first = s->at.v[i];
		decl.end = stop > i ? s->at.v[stop - 1] + 1 : s->at.v[i];
		for (value = i; value < stop && !is(s, value, "="); value++)
			;
		if (value < stop) {
			decl.from_first = s->at.v[value];
			decl.from_end = decl.end;
			decl.distance = 0;
		} else if (i > 0 && all[s->at.v[i] - 1].is_directive) {
			/* Behind an #if its value depends on everything before. */
			decl.from_first = decl.from_end ? decl.from_first : s->at.v[open];
			decl.from_end = s->at.v[i];
		}
		if (is_name(s, i))
			RK_TRY(rk_decl_add(s->decls, &decl, token(s, i)));
		decl.distance++;
		i = stop + 1;
	}
	return NULL;
}

/* The tag before the brace at `open`, given where the keyword is; at.nr for none. */
static uint32_t tag_before(const struct shape *s, uint32_t keyword, uint32_t open)
{
	uint32_t tag = (uint32_t)s->at.nr;

	for (uint32_t i = keyword + 1; i < open; i++) {
		if (is(s, i, "("))
			i = behind_group(s, i) - 1;
		else if (is_name(s, i) && !is_annotation(s, i))
			tag = i;
	}
	return tag;
}

/* Is there a definition "struct … {" whose keyword is at i? Then *ret_open is its brace. */
static bool defines_type(const struct shape *s, uint32_t i, uint32_t *ret_open)
{
	static const char *const words[] = {"struct", "union", "enum"};

	if (!is_one_of(s, i, words, ARRAY_SIZE(words)))
		return false;
	for (i++; i < s->at.nr; i++) {
		if (is(s, i, "{")) {
			*ret_open = i;
			return true;
		}
		if (is(s, i, "("))
			i = behind_group(s, i) - 1;
		else if (!is_name(s, i))
			return false;
	}
	return false;
}

/* Types that are defined anywhere in the declaration, also within others. */
static struct rk_err *add_types(const struct shape *s, bool *ret_any)
{
	for (uint32_t i = 0; i < s->at.nr; i++) {
		uint32_t open;

		if (!defines_type(s, i, &open))
			continue;
		uint32_t tag = tag_before(s, i, open);
		bool is_enum = is(s, i, "enum");
		struct rk_decl decl = s->decl;

		*ret_any = true;
		decl.kind = is_enum ? RK_DECL_ENUM : RK_DECL_STRUCT;
		if (is_enum)
			decl.end = s->at.v[open];
		if (tag < s->at.nr)
			RK_TRY(rk_decl_add(s->decls, &decl, token(s, tag)));
		if (is_enum)
			RK_TRY(add_enumerators(s, open));
	}
	return NULL;
}

static struct rk_err *add_type_and_names(struct shape *s, bool is_typedef)
{
	enum rk_decl_kind kind = is_typedef ? RK_DECL_TYPEDEF : RK_DECL_VARIABLE;
	bool any = false;
	uint32_t open;

	RK_TRY(add_types(s, &any));
	for (uint32_t i = 0; i < s->brace; i++)
		if (defines_type(s, i, &open) && is(s, i, "enum"))
			s->decl.end = s->at.v[open];
	RK_TRY(add_declarators(s, kind, s->behind, &any));
	return any ? NULL : add(s, RK_DECL_OTHER, 0);
}

static struct rk_err *add_plain(struct shape *s)
{
	uint32_t name = function_name(s, (uint32_t)s->at.nr);
	bool any = false;

	if (s->at.nr == 3 && (is(s, 0, "struct") || is(s, 0, "union") || is(s, 0, "enum")))
		return add(s, RK_DECL_FORWARD, 1);
	if (is(s, 0, "static_assert") || is(s, 0, "_Static_assert"))
		return add(s, RK_DECL_FORWARD, 0);
	if (is(s, 0, "asm") || is(s, 0, "__asm__") ||
	    (is_name(s, 0) && !rk_token_is_keyword(token(s, 0)) && is(s, 1, "(")))
		return add(s, RK_DECL_OTHER, 0);
	s->decl.is_emitted = !has_word(s, (uint32_t)s->at.nr, "extern");
	if (!s->has_value && name < s->at.nr) {
		s->decl.is_emitted = false;
		return add(s, RK_DECL_PROTOTYPE, name);
	}
	RK_TRY(add_declarators(s, RK_DECL_VARIABLE, 0, &any));
	return any ? NULL : add(s, RK_DECL_OTHER, 0);
}

static struct rk_err *classify(struct shape *s)
{
	bool any = false;
	uint32_t name, open;

	if (s->at.nr == 0 || (s->at.nr == 1 && is(s, 0, ";")))
		return NULL;
	measure(s);
	if (is(s, 0, "typedef") && s->brace < s->at.nr)
		return add_type_and_names(s, true);
	if (is(s, 0, "typedef")) {
		name = function_name(s, (uint32_t)s->at.nr);
		if (name < s->at.nr)
			return add(s, RK_DECL_TYPEDEF, name);
		RK_TRY(add_declarators(s, RK_DECL_TYPEDEF, 1, &any));
		return any ? NULL : add(s, RK_DECL_OTHER, 0);
	}
	if (s->brace == s->at.nr)
		return add_plain(s);
	s->decl.is_emitted = !is_inline(s, s->brace);
	if (s->has_value) {
		RK_TRY(add_declarators(s, RK_DECL_VARIABLE, 0, &any));
		return any ? NULL : add(s, RK_DECL_OTHER, 0);
	}
	name = function_name(s, s->brace);
	if (name < s->at.nr && name > 0)
		return add(s, RK_DECL_FUNCTION, name);
	for (uint32_t i = 0; i < s->brace; i++) {
		if (defines_type(s, i, &open)) {
			s->decl.is_emitted = false;
			return add_type_and_names(s, false);
		}
	}
	return add(s, RK_DECL_OTHER, 0);
}

struct rk_err *rk_decl_classify(struct rk_decls *decls, const struct rk_condition *condition,
				uint32_t first, uint32_t end)
{
	struct shape s = {
		.decls = decls,
		.decl = {.first = first, .end = end, .condition = condition},
	};
	struct rk_err *err = NULL;

	for (uint32_t i = first; i < end && !err; i++)
		if (!decls->tokens.list.v[i].is_directive && !rk_vec_push(&s.at, i))
			err = rk_err_nomem();
	if (!err)
		err = classify(&s);
	rk_vec_deinit(&s.at);
	return err;
}
