/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixpoint over names. Every round reads the headers that may take part once more, on all processors: most are done with after their
 * tokens, few hold a reached name, and nothing of them has to be kept in memory. Each changed header is followed by itself, among the files
 * that may stand in one unit with it: a unit that doesn't read it can't tell. Where names run wild, every reader of the header counts.
 */
#include "lib/build/reach.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/parallel.h"
#include "lib/build/include_graph.h"

#define FILE_MAX	(64u << 20)
#define READERS		8
#define NAME_MAX_LENGTH 200 /* longer ones are no names that anybody wrote */
#define ROUNDS_MAX	64
#define PASTED_MIN	4
#define NAMES_MAX	1000 /* more are no answer but "everything" */

/* A reached name; the key in the map is the name itself, "#tag" for a type's tag. */
struct name {
	const char *key;
	enum rk_decl_kind kind;
	uint32_t seed; /* the change it began with */
	bool is_added; /* the fix adds it */
	int round;     /* it was found in */
};

struct fixpoint {
	struct rk_kbuild *kbuild;
	struct rk_include_graph *graph;
	const struct rk_reach_header *header;
	rk_vec(size_t) seeds; /* changes of it, by place */
	struct rk_arena arena;
	struct rk_map names; /* key → struct name */
	uint8_t *filter;     /* of their hashes */
	int round;	     /* names found in the one before are looked for; 0: all names */
	rk_vec(struct name *) list;
	struct rk_map whole;	   /* header of which everything is reached → struct name */
	struct rk_file_set files;  /* read in this round */
	pthread_mutex_t lock;	   /* of what a round finds */
	rk_vec(struct name) found; /* of which key is a header's path if kind is RK_DECL_OTHER */
	bool is_everything;	   /* every reader of the header is reached */
};

static void fixpoint_deinit(struct fixpoint *f)
{
	rk_map_deinit(&f->names);
	free(f->filter);
	rk_map_deinit(&f->whole);
	rk_vec_deinit(&f->seeds);
	rk_vec_deinit(&f->list);
	rk_vec_deinit(&f->found);
	rk_file_set_deinit(&f->files);
	rk_arena_deinit(&f->arena);
	pthread_mutex_destroy(&f->lock);
}

static bool is_type(enum rk_decl_kind kind)
{
	return kind == RK_DECL_STRUCT || kind == RK_DECL_ENUM;
}

/* ---- what mentions a reached name ---- */

/* Bits of the hashes of all reached names: nearly every word of a file is none of them. */
#define FILTER_BITS (1u << 20)

static uint32_t hash_byte(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)c) * 16777619u;
}

static void filter_add(struct fixpoint *f, const char *name)
{
	uint32_t hash = 0;

	for (name += *name == '#'; *name; name++)
		hash = hash_byte(hash, *name);
	f->filter[hash % FILTER_BITS / 8] |= (uint8_t)(1u << hash % 8);
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

/* What mentions a name of an earlier round was found in the one after that. */
static bool is_wanted(const struct fixpoint *f, const struct name *name)
{
	return f->round == 0 || name->round == f->round - 1;
}

static const struct name *look_up(const struct fixpoint *f, const char *sign,
				  const struct rk_token *token)
{
	char key[NAME_MAX_LENGTH + 2];

	if (token->len > NAME_MAX_LENGTH)
		return NULL;
	snprintf(key, sizeof(key), "%s%.*s", sign, (int)token->len, token->s);
	const struct name *name = rk_map_get(&f->names, key);

	return name && is_wanted(f, name) ? name : NULL;
}

/* Is one of the words in text, comments and all, perhaps a reached name, or pasted? Tokens are only made of files where it is so. */
static bool may_mention(const struct fixpoint *f, const char *text, size_t len)
{
	const char *s = text, *end = text + len;

	while (s < end) {
		const char *word = s;
		uint32_t hash = 0;

		for (; s < end && is_word_char(*s); s++)
			hash = hash_byte(hash, *s);
		if (s == word) {
			if (*s == '#' && s[1] == '#')
				return true;
			s++;
		} else if (f->filter[hash % FILTER_BITS / 8] & (1u << hash % 8)) {
			struct rk_token token = {.s = word, .len = (uint32_t)(s - word)};

			if (look_up(f, "", &token) || look_up(f, "#", &token))
				return true;
		}
	}
	return false;
}

struct search {
	const struct fixpoint *f;
	bool only_types; /* a prototype's parameters may be called like any function */
	const struct rk_token *only_macros; /* from this token on */
	const struct name *found;	    /* the one with the first seed */
};

static void take(struct search *search, const struct rk_token *token, const struct name *name)
{
	if (search->only_macros && token >= search->only_macros && name &&
	    name->kind != RK_DECL_MACRO)
		return;
	if (name && (!search->found || name->seed < search->found->seed))
		search->found = name;
}

/* Do text's first len characters end, or the rest begin, with an underscore? Nobody splits a word in the middle. */
static bool is_word_end(const char *text, size_t len)
{
	return text[len] == '_' || text[len - 1] == '_';
}

/* "foo_##x" may be any name that begins with "foo_"; what is shorter than PASTED_MIN could be everything. An added name was
 * never meant. */
static void take_pasted(struct search *search, const struct rk_token *part, bool is_prefix)
{
	if (part->len < PASTED_MIN || strspn(part->s, "_") >= part->len)
		return;
	rk_vec_for_each(&search->f->list, name) {
		const char *key = (*name)->key + ((*name)->key[0] == '#');
		size_t len = strlen(key), at = is_prefix ? 0 : len - part->len;

		if (len > part->len && !(*name)->is_added && is_wanted(search->f, *name) &&
		    memcmp(key + at, part->s, part->len) == 0 &&
		    is_word_end(key, is_prefix ? part->len : at))
			take(search, part, *name);
	}
}

static bool on_mention(void *ctx, enum rk_mention how, const struct rk_token *token)
{
	struct search *search = ctx;
	const struct name *name;

	switch (how) {
	case RK_MENTION_TAG: take(search, token, look_up(search->f, "#", token)); break;
	case RK_MENTION_PREFIX: take_pasted(search, token, true); break;
	case RK_MENTION_SUFFIX: take_pasted(search, token, false); break;
	case RK_MENTION_MEMBER:
		name = look_up(search->f, "", token);
		if (name && name->kind == RK_DECL_MACRO)
			take(search, token, name);
		break;
	case RK_MENTION_NAME:
		name = look_up(search->f, "", token);
		if (name && (!search->only_types ||
			     (name->kind != RK_DECL_FUNCTION && name->kind != RK_DECL_PROTOTYPE &&
			      name->kind != RK_DECL_VARIABLE)))
			take(search, token, name);
		break;
	}
	return true;
}

static struct rk_err *find(struct fixpoint *f, const char *key, enum rk_decl_kind kind,
			   uint32_t seed)
{
	struct name name = {.kind = kind, .seed = seed};
	struct rk_err *err = NULL;

	pthread_mutex_lock(&f->lock);
	name.key = rk_arena_strdup(&f->arena, key);
	if (!name.key || !rk_vec_push(&f->found, name))
		err = rk_err_nomem();
	pthread_mutex_unlock(&f->lock);
	return err;
}

static struct rk_err *find_decl(struct fixpoint *f, const char *path, const struct rk_decl *decl,
				uint32_t seed)
{
	char key[NAME_MAX_LENGTH + 2];

	if (decl->kind == RK_DECL_OTHER || decl->is_emitted) {
		if (!rk_map_get(&f->whole, path))
			RK_TRY(find(f, path, RK_DECL_OTHER, seed));
		if (decl->kind == RK_DECL_OTHER)
			return NULL;
	}
	if (strlen(decl->name) > NAME_MAX_LENGTH)
		return NULL;
	snprintf(key, sizeof(key), "%s%s", is_type(decl->kind) ? "#" : "", decl->name);
	return rk_map_get(&f->names, key) ? NULL : find(f, key, decl->kind, seed);
}

/* Who calls a function gets at what it returns; what it takes the caller has by another name. The token of its name, or NULL. */
static const struct rk_token *parameters_of(const struct rk_decls *decls,
					    const struct rk_decl *decl)
{
	size_t len = strlen(decl->name);

	if (decl->kind != RK_DECL_PROTOTYPE)
		return NULL;
	for (uint32_t i = decl->first; i < decl->end; i++) {
		const struct rk_token *token = &decls->tokens.list.v[i];

		if (token->len == len && memcmp(token->s, decl->name, len) == 0)
			return token;
	}
	return NULL;
}

static struct rk_err *search_decls(struct fixpoint *f, const char *path,
				   const struct rk_decls *decls)
{
	rk_vec_for_each(&decls->list, decl) {
		struct search search = {
			.f = f,
			.only_types = decl->kind != RK_DECL_MACRO &&
				      decl->kind != RK_DECL_FUNCTION &&
				      decl->kind != RK_DECL_OTHER && !decl->is_emitted,
			.only_macros = parameters_of(decls, decl),
		};

		if (decl->kind == RK_DECL_INCLUDE || decl->kind == RK_DECL_FORWARD)
			continue;
		rk_decl_mentions(decls, decl, on_mention, &search);
		if (search.found)
			RK_TRY(find_decl(f, path, decl, search.found->seed));
	}
	return NULL;
}

static struct rk_err *read_tree_file(const struct fixpoint *f, const char *path, char **ret,
				     size_t *ret_len)
{
	_cleanup_free_ char *full = rk_path_join(f->kbuild->target->source, path);

	if (!full)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(full, FILE_MAX, ret, ret_len));
	/* "$NAME" is an immediate operand in assembly, and a name in C */
	for (char *s = *ret; rk_has_suffix(path, ".S") && (s = strchr(s, '$'));)
		*s = ' ';
	return NULL;
}

/* The first seed that the file's text mentions; *ret is NULL if it mentions none. */
static struct rk_err *search_text(const struct fixpoint *f, const char *path, const char *text,
				  size_t len, const struct name **ret)
{
	_cleanup_tokens_ struct rk_tokens tokens = {};
	struct search search = {.f = f};

	*ret = NULL;
	if (!may_mention(f, text, len))
		return NULL;
	RK_TRY(rk_tokens_read(text, len, &tokens));
	/* assembly has labels and mnemonics of any name, but no types and functions */
	if (rk_has_suffix(path, ".S"))
		search.only_macros = tokens.list.v;
	rk_tokens_mentions(&tokens, on_mention, &search);
	*ret = search.found;
	return NULL;
}

static struct rk_err *search_file(void *ctx, size_t i)
{
	struct fixpoint *f = ctx;
	const char *path = f->files.list.v[i];
	_cleanup_free_ char *text = NULL;
	_cleanup_decls_ struct rk_decls *decls = NULL;
	const struct name *name;
	size_t len;

	RK_TRY(read_tree_file(f, path, &text, &len));
	RK_TRY(search_text(f, path, text, len, &name));
	if (!name)
		return NULL;
	/* An included C file is part of the unit that includes it. */
	if (!rk_has_suffix(path, ".h"))
		return rk_map_get(&f->whole, path) ? NULL
						   : find(f, path, RK_DECL_OTHER, name->seed);
	RK_TRY(rk_decls_parse(text, len, &decls));
	if (!decls->is_clear && !rk_map_get(&f->whole, path))
		RK_TRY(find(f, path, RK_DECL_OTHER, name->seed));
	return search_decls(f, path, decls);
}

/* ---- rounds ---- */

static int compare_found(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order)
		return order;
	/* A macro of that name stands for more than anything else of it. */
	if ((x->kind == RK_DECL_MACRO) != (y->kind == RK_DECL_MACRO))
		return x->kind == RK_DECL_MACRO ? -1 : 1;
	return x->seed < y->seed ? -1 : x->seed > y->seed;
}

static struct rk_err *add_name(struct fixpoint *f, const struct name *found)
{
	bool is_whole = found->kind == RK_DECL_OTHER;
	struct rk_map *map = is_whole ? &f->whole : &f->names;
	struct name *known = rk_map_get(map, found->key);

	if (known)
		return NULL;
	struct name *own = rk_arena_memdup(&f->arena, found, sizeof(*found));
	if (own)
		own->round = f->round;
	if (!own || !rk_map_set(map, own->key, own))
		return rk_err_nomem();
	return is_whole || rk_vec_push(&f->list, own) ? NULL : rk_err_nomem();
}

/* Takes over what a round found, in an order that doesn't depend on the threads'. */
static struct rk_err *settle(struct fixpoint *f)
{
	if (f->found.nr)
		qsort(f->found.v, f->found.nr, sizeof(*f->found.v), compare_found);
	rk_vec_for_each(&f->found, found)
		RK_TRY(add_name(f, found));
	f->found.nr = 0;
	return NULL;
}

static const struct rk_decl_change *seed_change(const struct fixpoint *f, uint32_t seed)
{
	return &f->header->changes[f->seeds.v[seed]];
}

/* An addition reaches nothing that was there before, except that "#ifdef NAME" may look for a macro. */
static struct rk_err *add_seeds(struct fixpoint *f)
{
	for (size_t c = 0; c < f->header->nr_changes; c++) {
		const struct rk_decl_change *change = &f->header->changes[c];
		struct rk_decl decl = {.kind = change->kind,
				       .name = change->name,
				       .is_emitted = change->is_emitted};

		if (change->change == RK_CHANGE_ADDED && change->kind != RK_DECL_MACRO &&
		    change->kind != RK_DECL_OTHER && !change->is_emitted)
			continue;
		if (!rk_vec_push(&f->seeds, c))
			return rk_err_nomem();
		RK_TRY(find_decl(f, f->header->path, &decl, (uint32_t)f->seeds.nr - 1));
	}
	RK_TRY(settle(f));
	f->is_everything = rk_map_get(&f->whole, f->header->path) != NULL;
	rk_vec_for_each(&f->list, name)
		(*name)->is_added = seed_change(f, (*name)->seed)->change == RK_CHANGE_ADDED;
	return NULL;
}

/* Headers (and C files that others include) that stand in one unit with a changed one. */
static struct rk_err *choose_files(struct fixpoint *f, const struct rk_file_set *readers)
{
	struct rk_file_set all = {};
	struct rk_err *err = NULL;

	rk_vec_for_each(&readers->list, path)
		err = err ? err : rk_file_set_add(&all, *path);
	if (!err)
		err = rk_include_graph_read_by(f->graph, &all);
	for (size_t i = 0; i < all.list.nr && !err; i++)
		if (!rk_is_unit_name(all.list.v[i]) || !rk_file_set_has(readers, all.list.v[i]))
			err = rk_file_set_add(&f->files, all.list.v[i]);
	rk_file_set_deinit(&all);
	return err;
}

static void fill_filter(struct fixpoint *f)
{
	memset(f->filter, 0, FILTER_BITS / 8);
	rk_vec_for_each(&f->list, name)
		if (is_wanted(f, *name))
			filter_add(f, (*name)->key);
}

static struct rk_err *run_rounds(struct fixpoint *f)
{
	for (f->round = 1; !f->is_everything; f->round++) {
		size_t before = f->names.nr + f->whole.nr;

		fill_filter(f);
		RK_TRY(rk_parallel(f->files.list.nr, READERS, search_file, f));
		RK_TRY(settle(f));
		if (f->names.nr + f->whole.nr == before)
			break;
		f->is_everything = rk_map_get(&f->whole, f->header->path) ||
				   f->list.nr > NAMES_MAX || f->round == ROUNDS_MAX;
	}
	return NULL;
}

/* ---- the C files ---- */

static struct rk_err *search_unit(void *ctx, size_t i)
{
	struct fixpoint *f = ctx;
	const char *path = f->files.list.v[i];
	_cleanup_free_ char *text = NULL;
	const struct name *name;
	size_t len;

	if (f->is_everything)
		return find(f, path, RK_DECL_OTHER, 0);
	RK_TRY(read_tree_file(f, path, &text, &len));
	RK_TRY(search_text(f, path, text, len, &name));
	return name ? find(f, path, RK_DECL_OTHER, name->seed) : NULL;
}

/* Who reads a file of which everything is reached is reached with it. Files come in order of their seeds, so that what one of them has
 * reached needn't be walked again for the next. */
static struct rk_err *reach_readers(struct fixpoint *f, const struct name *whole,
				    const struct rk_file_set *readers, struct rk_file_set *all)
{
	size_t before = all->list.nr;

	RK_TRY(rk_include_graph_readers(f->graph, whole->key, all));
	for (size_t i = before; i < all->list.nr; i++)
		if (rk_is_unit_name(all->list.v[i]) && rk_file_set_has(readers, all->list.v[i]))
			RK_TRY(find(f, all->list.v[i], RK_DECL_OTHER, whole->seed));
	return NULL;
}

static int compare_seeds(const void *a, const void *b)
{
	const struct name *x = *(struct name *const *)a, *y = *(struct name *const *)b;

	if (x->seed != y->seed)
		return x->seed < y->seed ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* f->found holds the C files that mention a name; they may themselves be included by others. */
static struct rk_err *reach_whole(struct fixpoint *f, const struct rk_file_set *readers)
{
	rk_vec(struct name *) sorted = {};
	struct rk_file_set all = {};
	struct rk_err *err = settle(f);
	size_t pos = 0;
	const char *key;
	void *whole;

	while (!err && rk_map_next(&f->whole, &pos, &key, &whole))
		if (!rk_vec_push(&sorted, whole))
			err = rk_err_nomem();
	if (sorted.nr)
		qsort(sorted.v, sorted.nr, sizeof(*sorted.v), compare_seeds);
	for (size_t i = 0; i < sorted.nr && !err; i++)
		err = reach_readers(f, sorted.v[i], readers, &all);
	rk_vec_deinit(&sorted);
	rk_file_set_deinit(&all);
	return err;
}

static struct rk_err *reach_units(struct fixpoint *f, const struct rk_file_set *readers)
{
	f->files.list.nr = 0;
	rk_map_deinit(&f->files.seen);
	rk_vec_for_each(&readers->list, path)
		if (rk_is_unit_name(*path))
			RK_TRY(rk_file_set_add(&f->files, *path));
	f->round = 0;
	fill_filter(f);
	RK_TRY(rk_parallel(f->files.list.nr, READERS, search_unit, f));
	return reach_whole(f, readers);
}

static int compare_reached(const void *a, const void *b)
{
	const struct rk_reached_file *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	if (order)
		return order;
	if (x->header != y->header)
		return x->header < y->header ? -1 : 1;
	return x->change < y->change ? -1 : x->change > y->change;
}

static struct rk_err *result(const struct fixpoint *f, size_t header, struct rk_reach *reach)
{
	rk_vec_for_each(&f->found, found) {
		struct rk_reached_file file = {
			.path = rk_arena_strdup(&reach->arena, found->key),
			.header = header,
			.change = f->seeds.v[found->seed],
		};

		if (!file.path || !rk_vec_push(&reach->files, file))
			return rk_err_nomem();
	}
	reach->readers += f->files.list.nr;
	reach->names += f->names.nr;
	return NULL;
}

/* A file that is reached more than once keeps the first way. */
static void drop_twice_reached(struct rk_reach *reach)
{
	size_t nr = 0;

	if (reach->files.nr)
		qsort(reach->files.v, reach->files.nr, sizeof(*reach->files.v), compare_reached);
	rk_vec_for_each(&reach->files, file)
		if (nr == 0 || !rk_streq(reach->files.v[nr - 1].path, file->path))
			reach->files.v[nr++] = *file;
	reach->files.nr = nr;
}

static struct rk_err *run(struct fixpoint *f, struct rk_file_set *readers)
{
	f->filter = calloc(FILTER_BITS / 8, 1);
	if (!f->filter)
		return rk_err_nomem();
	RK_TRY(add_seeds(f));
	if (f->seeds.nr == 0)
		return NULL;
	RK_TRY(rk_include_graph_readers(f->graph, f->header->path, readers));
	if (!f->is_everything) {
		RK_TRY(choose_files(f, readers));
		RK_TRY(run_rounds(f));
	}
	return reach_units(f, readers);
}

static struct rk_err *follow_header(struct rk_kbuild *kbuild, struct rk_include_graph *graph,
				    const struct rk_reach_header *headers, size_t header,
				    struct rk_reach *reach)
{
	struct fixpoint f = {.kbuild = kbuild, .graph = graph, .header = &headers[header]};
	struct rk_file_set readers = {};

	pthread_mutex_init(&f.lock, NULL);
	struct rk_err *err = run(&f, &readers);
	if (!err)
		err = result(&f, header, reach);
	rk_file_set_deinit(&readers);
	fixpoint_deinit(&f);
	return err;
}

struct rk_err *rk_kbuild_reach(struct rk_kbuild *kbuild, const struct rk_reach_header *headers,
			       size_t nr, struct rk_reach *ret)
{
	struct rk_include_graph *graph = NULL;
	struct rk_reach reach = {};
	struct rk_err *err = rk_include_graph_open(kbuild, false, &graph);

	for (size_t i = 0; i < nr && !err; i++)
		err = follow_header(kbuild, graph, headers, i, &reach);
	rk_include_graph_close(graph);
	if (err) {
		rk_reach_deinit(&reach);
		return err;
	}
	drop_twice_reached(&reach);
	*ret = reach;
	return NULL;
}

void rk_reach_deinit(struct rk_reach *reach)
{
	rk_vec_deinit(&reach->files);
	rk_arena_deinit(&reach->arena);
}
