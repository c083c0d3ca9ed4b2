/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static locals: the compiler numbers those of one name (count.1, count.0) anew in each object, so that a name alone says nothing. They are
 * told apart by the functions that use them; several of one function by their initial value and by where its code uses them first; and when
 * one was added or removed, by the instructions around each use. Those that nothing tells apart stay unpaired: a wrong pair would hand one
 * variable's state to the other.
 */
#include <string.h>

#include "lib/diff/diff_internal.h"

/* Bytes held against each other around the four of a field that names the variable: opcode and operands before it, what is done
 * with the value behind it. Where a displacement among them differs too, the variable isn't told apart, which is safe. */
#define BYTES_BEFORE 2
#define BYTES_BEHIND 2
#define FIELD_SIZE   4

typedef rk_vec(struct rk_span *) spans;

static void pair(struct rk_span *a, struct rk_span *b)
{
	a->twin = b;
	b->twin = a;
}

/* The author's name of the function that uses something: "foo" for foo, foo.cold, foo.isra.0. */
static size_t user_name_length(const struct rk_span *user)
{
	const char *name = user->base ? user->base : "";
	return strcspn(name, ".");
}

static bool uses_same_name(const struct rk_span *a, const struct rk_span *b)
{
	size_t n = user_name_length(a);
	return a->kind == b->kind && a->base && b->base && n == user_name_length(b) &&
	       !strncmp(a->base, b->base, n);
}

static bool is_used_by_like(const struct rk_span *span, const struct rk_span *user)
{
	for (size_t i = 0; i < span->nr_users; i++)
		if (uses_same_name(span->users[i], user))
			return true;
	return false;
}

static bool shares_user(const struct rk_span *a, const struct rk_span *b)
{
	if (a->size != b->size)
		return false;
	for (size_t i = 0; i < a->nr_users; i++)
		if (is_used_by_like(b, a->users[i]))
			return true;
	return false;
}

static bool has_same_users(const struct rk_span *a, const struct rk_span *b)
{
	if (!shares_user(a, b))
		return false;
	for (size_t i = 0; i < a->nr_users; i++)
		if (!is_used_by_like(b, a->users[i]))
			return false;
	for (size_t i = 0; i < b->nr_users; i++)
		if (!is_used_by_like(a, b->users[i]))
			return false;
	return true;
}

/* Is one of its users in one object only? Then what was written there has been inlined elsewhere, or isn't any more. */
static bool has_lone_user(const struct rk_span *span)
{
	for (size_t i = 0; i < span->nr_users; i++)
		if (span->users[i]->kind == RK_SPAN_FUNC && !span->users[i]->twin)
			return true;
	return !span->nr_users;
}

static bool has_same_content(const struct rk_span *a, const struct rk_span *b)
{
	return rk_span_is_same(a, b, RK_SAME_BY_BASE);
}

/* The next reference to target in the code of user, from *at on. */
static const struct rk_ref *next_ref(const struct rk_span *user, const struct rk_span *target,
				     size_t *at)
{
	while (*at < user->nr_refs)
		if (user->refs[(*at)++].target == target)
			return &user->refs[*at - 1];
	return NULL;
}

static bool has_bytes_around(const struct rk_span *user, const struct rk_ref *ref)
{
	return user->data && ref->offset >= BYTES_BEFORE &&
	       ref->offset + FIELD_SIZE + BYTES_BEHIND <= user->size;
}

static bool is_same_use(const struct rk_span *u, const struct rk_ref *x, const struct rk_span *v,
			const struct rk_ref *y)
{
	if (x->type != y->type || x->place != y->place || !has_bytes_around(u, x) ||
	    !has_bytes_around(v, y))
		return false;
	const uint8_t *a = u->data + x->offset, *b = v->data + y->offset;
	return !memcmp(a - BYTES_BEFORE, b - BYTES_BEFORE, BYTES_BEFORE) &&
	       !memcmp(a + FIELD_SIZE, b + FIELD_SIZE, BYTES_BEHIND);
}

/* Does the code of user u use a as that of v uses b, instruction by instruction? */
static bool uses_alike(const struct rk_span *u, const struct rk_span *a, const struct rk_span *v,
		       const struct rk_span *b)
{
	size_t i = 0, j = 0;
	for (;;) {
		const struct rk_ref *x = next_ref(u, a, &i), *y = next_ref(v, b, &j);
		if (!x || !y)
			return !x && !y;
		if (!is_same_use(u, x, v, y))
			return false;
	}
}

static bool has_same_surroundings(const struct rk_span *a, const struct rk_span *b)
{
	for (size_t i = 0; i < a->nr_users; i++) {
		bool found = false;
		for (size_t j = 0; j < b->nr_users && !found; j++)
			found = rk_streq(a->users[i]->base, b->users[j]->base) &&
				uses_alike(a->users[i], a, b->users[j], b);
		if (!found)
			return false;
	}
	return a->nr_users > 0;
}

static bool has_same_surroundings_and_content(const struct rk_span *a, const struct rk_span *b)
{
	return has_same_surroundings(a, b) && has_same_content(a, b);
}

/* Where the code of the functions like user refers to span first; what only a cold part uses comes last. */
static uint64_t first_use(const struct rk_span *span, const struct rk_span *user)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < span->nr_users; i++) {
		const struct rk_span *u = span->users[i];
		size_t at = 0;
		if (!uses_same_name(u, user))
			continue;
		const struct rk_ref *ref = next_ref(u, span, &at);
		uint64_t where = ref ? ref->offset + (u->parent ? UINT64_MAX / 2 : 0) : UINT64_MAX;
		first = where < first ? where : first;
	}
	return first;
}

static void sort_by_first_use(spans *list, const struct rk_span *user)
{
	for (size_t i = 1; i < list->nr; i++) {
		struct rk_span *span = list->v[i];
		size_t j = i;
		for (; j > 0 && first_use(list->v[j - 1], user) > first_use(span, user); j--)
			list->v[j] = list->v[j - 1];
		list->v[j] = span;
	}
}

static void pair_in_order(spans *orig, spans *patched,
			  bool (*rule)(const struct rk_span *a, const struct rk_span *b))
{
	rk_vec_for_each(patched, b) {
		rk_vec_for_each(orig, a) {
			if ((*b)->twin || (*a)->twin || (rule && !rule(*a, *b)))
				continue;
			pair(*a, *b);
		}
	}
}

static size_t count_like(const spans *list, const struct rk_span *span, bool is_orig,
			 bool (*rule)(const struct rk_span *a, const struct rk_span *b))
{
	size_t nr = 0;
	for (size_t i = 0; i < list->nr; i++)
		nr += !list->v[i]->twin &&
		      (is_orig ? rule(list->v[i], span) : rule(span, list->v[i]));
	return nr;
}

/* Pairs those for which rule leaves no choice on either side. */
static void pair_unique(spans *orig, spans *patched,
			bool (*rule)(const struct rk_span *a, const struct rk_span *b))
{
	rk_vec_for_each(patched, b) {
		if ((*b)->twin || count_like(orig, *b, true, rule) != 1)
			continue;
		rk_vec_for_each(orig, a)
			if (!(*a)->twin && rule(*a, *b) &&
			    count_like(patched, *a, false, rule) == 1) {
				pair(*a, *b);
				break;
			}
	}
}

static size_t count_unpaired(const spans *list)
{
	size_t nr = 0;
	for (size_t i = 0; i < list->nr; i++)
		nr += !list->v[i]->twin;
	return nr;
}

static struct rk_err *leave_unpaired(spans *orig, spans *patched, struct rk_map *ambiguous)
{
	rk_vec_for_each(patched, b) {
		(*b)->twin = NULL;
		if (!rk_map_set_ptr(ambiguous, *b, *b))
			return rk_err_nomem();
	}
	rk_vec_for_each(orig, a) {
		(*a)->twin = NULL;
		if (!rk_map_set_ptr(ambiguous, *a, *a))
			return rk_err_nomem();
		(*a)->is_ambiguous = true;
	}
	return NULL;
}

/* All of orig and patched have the same users. */
static struct rk_err *pair_candidates(spans *orig, spans *patched, struct rk_map *ambiguous)
{
	if (orig->nr == patched->nr) {
		if (orig->nr > 1 && orig->v[0]->nr_users) {
			const struct rk_span *user = orig->v[0]->users[0];
			sort_by_first_use(orig, user);
			sort_by_first_use(patched, user);
			pair_in_order(orig, patched, has_same_content);
		}
		pair_in_order(orig, patched, NULL);
		return NULL;
	}
	pair_unique(orig, patched, has_same_surroundings_and_content);
	pair_unique(orig, patched, has_same_surroundings);
	pair_unique(orig, patched, has_same_content);
	if (!count_unpaired(orig) || !count_unpaired(patched))
		return NULL;
	return leave_unpaired(orig, patched, ambiguous);
}

/* From list, those that have the same users as span, which is of the object that is_orig says. */
static bool collect_like(struct rk_span *const *list, size_t nr, const struct rk_span *span,
			 const struct rk_map *ambiguous, spans *ret)
{
	for (size_t i = 0; i < nr; i++)
		if (!list[i]->twin && !rk_map_get_ptr(ambiguous, list[i]) &&
		    has_same_users(list[i], span) && !rk_vec_push(ret, list[i]))
			return false;
	return true;
}

static struct rk_err *pair_by_users(struct rk_span **orig, size_t nr_orig, struct rk_span **patched,
				    size_t nr_patched, struct rk_map *ambiguous)
{
	struct rk_err *err = NULL;

	for (size_t i = 0; i < nr_orig && !err; i++) {
		spans a = {}, b = {};
		if (orig[i]->twin || rk_map_get_ptr(ambiguous, orig[i]))
			continue;
		if (!collect_like(orig, nr_orig, orig[i], ambiguous, &a) ||
		    !collect_like(patched, nr_patched, orig[i], ambiguous, &b))
			err = rk_err_nomem();
		else if (a.nr && b.nr)
			err = pair_candidates(&a, &b, ambiguous);
		rk_vec_deinit(&a);
		rk_vec_deinit(&b);
	}
	return err;
}

/* What is left, with fewer users in common: only where nothing else could be meant. */
static void pair_sharing(struct rk_span **orig, size_t nr_orig, struct rk_span **patched,
			 size_t nr_patched, const struct rk_map *ambiguous)
{
	for (size_t j = 0; j < nr_patched; j++)
		for (size_t i = 0; i < nr_orig; i++)
			if (!patched[j]->twin && !orig[i]->twin &&
			    !rk_map_get_ptr(ambiguous, orig[i]) &&
			    !rk_map_get_ptr(ambiguous, patched[j]) &&
			    shares_user(orig[i], patched[j]))
				pair(orig[i], patched[j]);
}

/* The users of a static local are the functions of its scope; a removed one and a new one of the same name in functions
 * that both objects have are two variables, even when only these two are left. */
static void pair_last(struct rk_span **orig, size_t nr_orig, struct rk_span **patched,
		      size_t nr_patched)
{
	size_t left_orig = 0, left_patched = 0;
	struct rk_span *a = NULL, *b = NULL;

	for (size_t i = 0; i < nr_orig; i++)
		if (!orig[i]->twin)
			left_orig++, a = orig[i];
	for (size_t i = 0; i < nr_patched; i++)
		if (!patched[i]->twin)
			left_patched++, b = patched[i];
	if (left_orig == 1 && left_patched == 1 && a->size == b->size &&
	    (has_lone_user(a) || has_lone_user(b)))
		pair(a, b);
}

struct rk_err *rk_diff_pair_locals(struct rk_span **orig, size_t nr_orig, struct rk_span **patched,
				   size_t nr_patched)
{
	struct rk_map ambiguous = {};
	struct rk_err *err = pair_by_users(orig, nr_orig, patched, nr_patched, &ambiguous);

	if (!err) {
		pair_sharing(orig, nr_orig, patched, nr_patched, &ambiguous);
		if (!ambiguous.nr)
			pair_last(orig, nr_orig, patched, nr_patched);
	}
	rk_map_deinit(&ambiguous);
	return err;
}
