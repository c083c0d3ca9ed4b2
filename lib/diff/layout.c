/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One structure or union before and after, in words: what was added, went, moved or became another type. What only uses
 * places where nothing was is told apart from what objects made before the patch don't have.
 */
#include "lib/diff/layout.h"

#define CHANGES_SHOWN 4

struct comparison {
	struct rk_arena *arena;
	const struct rk_debug_type *a, *b;
	struct rk_str changes;
	size_t nr_changes;
	bool is_layout;	    /* sizes or places differ */
	bool is_meaning;    /* a member is something else now */
	bool is_addition;   /* of members, where nothing was */
	const char *embeds; /* a part that grew or moved others, if that is all there is to say */
	bool has_own;	    /* changes that no part explains */
};

static const struct rk_debug_member *find_member(const struct rk_debug_type *type, const char *name,
						 size_t hint)
{
	if (hint < type->nr_members && rk_streq(type->members[hint].name, name))
		return &type->members[hint];
	for (size_t i = 0; i < type->nr_members; i++)
		if (rk_streq(type->members[i].name, name))
			return &type->members[i];
	return NULL;
}

static const char *place(struct comparison *c, const struct rk_debug_member *m)
{
	if (m->is_bit_field || m->bit % 8)
		return rk_arena_printf(c->arena, "%llu.%llu", (unsigned long long)m->bit / 8,
				       (unsigned long long)m->bit % 8);
	return rk_arena_printf(c->arena, "%llu", (unsigned long long)m->bit / 8);
}

__printf(2, 3) static void say(struct comparison *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (c->nr_changes++ >= CHANGES_SHOWN)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rk_str_addf(&c->changes, "%s%s", c->nr_changes > 1 ? ", " : "", text);
}

static bool is_same_place(const struct rk_debug_member *x, const struct rk_debug_member *y)
{
	return x->bit == y->bit && x->bits == y->bits && x->is_bit_field == y->is_bit_field;
}

static void compare_member(struct comparison *c, const struct rk_debug_member *x,
			   const struct rk_debug_member *y)
{
	if (x->meaning != y->meaning) {
		say(c, "member '%s' was %s%s, now %s%s", x->name, x->type,
		    x->is_bit_field ? " bits" : "", y->type, y->is_bit_field ? " bits" : "");
		c->is_meaning = c->has_own = true;
	}
	if (x->bits != y->bits || x->is_bit_field != y->is_bit_field) {
		c->is_layout = true;
		c->has_own = c->has_own || !y->embeds;
		if (x->meaning == y->meaning && y->embeds)
			c->embeds = y->embeds;
		else if (x->meaning == y->meaning)
			say(c, "member '%s' has %llu bits, now %llu", x->name,
			    (unsigned long long)x->bits, (unsigned long long)y->bits);
	}
	if (x->bit != y->bit) {
		c->is_layout = true;
		say(c, "member '%s' moved from %s to %s", x->name, place(c, x), place(c, y));
	}
}

/* A member of b that isn't in a by name, in the very place of x. */
static const struct rk_debug_member *find_heir(const struct comparison *c,
					       const struct rk_debug_member *x)
{
	for (size_t i = 0; i < c->b->nr_members; i++)
		if (is_same_place(x, &c->b->members[i]) &&
		    !find_member(c->a, c->b->members[i].name, i))
			return &c->b->members[i];
	return NULL;
}

static void compare_gone(struct comparison *c, const struct rk_debug_member *x)
{
	const struct rk_debug_member *heir = find_heir(c, x);

	if (heir && heir->meaning == x->meaning)
		return; /* another name for the same thing */
	c->has_own = true;
	if (heir) {
		say(c, "member '%s' at %s became '%s' (was %s, now %s)", x->name, place(c, x),
		    heir->name, x->type, heir->type);
		c->is_meaning = true;
	} else {
		say(c, "member '%s' removed from %s", x->name, place(c, x));
	}
}

static bool is_over_another(const struct rk_debug_type *type, const struct rk_debug_member *y)
{
	for (size_t i = 0; i < type->nr_members; i++) {
		const struct rk_debug_member *x = &type->members[i];
		if (x->bit < y->bit + y->bits && y->bit < x->bit + x->bits)
			return true;
	}
	return false;
}

/* An heir of a member that went was told of with that member. */
static bool is_heir(const struct comparison *c, const struct rk_debug_member *y)
{
	for (size_t i = 0; i < c->a->nr_members; i++)
		if (is_same_place(&c->a->members[i], y) &&
		    !find_member(c->b, c->a->members[i].name, i))
			return true;
	return false;
}

static void compare_new(struct comparison *c, const struct rk_debug_member *y)
{
	if (is_heir(c, y))
		return;
	c->has_own = true;
	if (y->bit + y->bits > 8 * c->a->size)
		c->is_layout = true;
	else if (is_over_another(c->a, y))
		c->is_meaning = true;
	else
		c->is_addition = true;
	say(c, "member '%s' added at %s", y->name, place(c, y));
}

static uint64_t alignment_for(uint64_t bytes)
{
	uint64_t align = 1;
	while (align < 8 && align < bytes)
		align *= 2;
	return align;
}

/* The first hole of type that holds bytes, aligned; UINT64_MAX if none does. */
static uint64_t find_hole(const struct rk_debug_type *type, uint64_t bytes)
{
	uint64_t align = alignment_for(bytes);
	struct rk_debug_member probe = {.bits = 8 * bytes};

	for (uint64_t at = 0; bytes && at + bytes <= type->size; at += align) {
		probe.bit = 8 * at;
		if (!is_over_another(type, &probe))
			return at;
	}
	return UINT64_MAX;
}

/* A new member that would have found room where nothing was. */
static void suggest_hole(struct comparison *c, struct rk_str *out)
{
	for (size_t i = 0; i < c->b->nr_members; i++) {
		const struct rk_debug_member *y = &c->b->members[i];
		if (y->is_bit_field || find_member(c->a, y->name, i) || is_heir(c, y))
			continue;
		uint64_t at = find_hole(c->a, y->bits / 8);
		if (at == UINT64_MAX)
			continue;
		rk_str_addf(out, "; '%s' would fit into the hole at %llu", y->name,
			    (unsigned long long)at);
		return;
	}
}

static void describe(struct comparison *c, struct rk_str *out)
{
	const char *changes = rk_str_get(&c->changes);

	if (c->a->size != c->b->size)
		rk_str_addf(out, "%s from %llu to %llu bytes",
			    c->a->size < c->b->size ? "grew" : "shrank",
			    (unsigned long long)c->a->size, (unsigned long long)c->b->size);
	else
		rk_str_addf(out, "%llu bytes as before", (unsigned long long)c->a->size);
	if (c->embeds && !c->has_own) {
		rk_str_addf(out, ": it holds '%s', which changed", c->embeds);
		return;
	}
	rk_str_addf(out, "%s%s", *changes ? ": " : "", changes);
	if (c->nr_changes > CHANGES_SHOWN)
		rk_str_addf(out, " and %zu more", c->nr_changes - CHANGES_SHOWN);
	if (c->is_layout)
		suggest_hole(c, out);
}

static void compare_members(struct comparison *c)
{
	c->is_layout = c->a->size != c->b->size;
	for (size_t i = 0; i < c->b->nr_members; i++)
		if (!find_member(c->a, c->b->members[i].name, i))
			compare_new(c, &c->b->members[i]);
	for (size_t i = 0; i < c->a->nr_members; i++) {
		const struct rk_debug_member *x = &c->a->members[i];
		const struct rk_debug_member *y = find_member(c->b, x->name, i);
		if (y)
			compare_member(c, x, y);
		else
			compare_gone(c, x);
	}
}

struct rk_err *rk_layout_compare(struct rk_arena *arena, const struct rk_debug_type *a,
				 const struct rk_debug_type *b, enum rk_layout_change *ret,
				 const char **ret_text)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	struct comparison c = {.arena = arena, .a = a, .b = b};

	compare_members(&c);
	describe(&c, &out);
	struct rk_err *err = rk_str_check(&c.changes);
	rk_str_deinit(&c.changes);
	RK_TRY(err);
	RK_TRY(rk_str_check(&out));
	const char *text = rk_arena_strdup(arena, rk_str_get(&out));
	if (!text)
		return rk_err_nomem();
	*ret_text = text;
	*ret = c.is_layout     ? RK_LAYOUT_MOVED
	       : c.is_meaning  ? RK_LAYOUT_OTHER_MEANING
	       : c.is_addition ? RK_LAYOUT_FILLED
			       : RK_LAYOUT_SAME;
	return NULL;
}
