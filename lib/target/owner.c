// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which block of a shipped object's local symbols came from one compiled file. The name of the file
 * alone doesn't say it (vmlinux has 21 files 'core.c'), the set of local names does nearly always;
 * equal sets are told apart by content, then by where the file's global functions lie. Installed
 * modules have no STT_FILE symbols, but ld -r keeps each file's locals together and in order: there
 * the block is the stretch in which our names occur.
 */
#include <elf.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/target/symbols_internal.h"

/* How many missing names a message quotes. */
#define MAX_QUOTED 3

/* A local function or datum of the compiled original. */
struct local {
	const struct rk_symbol *sym;
	bool optional; /* the linker may have dropped it */
};

struct search {
	const struct rk_elf *original;
	struct rk_klp_object *object;
	const struct rk_arch *arch;
	const char *file;
	struct rk_map by_name; /* to struct local */
	struct rk_map all;     /* name → symbol of ours, those with counters too */
	rk_vec(struct local) locals;
};

struct candidate {
	uint32_t first, end;
	uint32_t common, missing, extra;
	uint32_t same_content;
	bool fits_neighbours;
};

typedef rk_vec(struct candidate) candidates;

/*
 * Names that carry a counter (__UNIQUE_ID_license649) or that modpost, objtool or the linker add or
 * drop: they say nothing about which file it is.
 */
static bool is_ignored(const struct rk_symbol *sym)
{
	static const char *const prefixes[] = {"__UNIQUE_ID_",	  "__addressable_",
					       "___addressable_", "__initcall__",
					       "__exitcall_",	  "__pfx_",
					       "__cfi_",	  ".L"};
	if (!rk_is_named_local(sym) || (sym->type != STT_FUNC && sym->type != STT_OBJECT))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (rk_has_prefix(sym->name, prefixes[i]))
			return true;
	return false;
}

/* include/asm-generic/vmlinux.lds.h DISCARDS, and what modpost takes out of modules */
static bool may_be_discarded(const struct rk_section *section)
{
	return !section || !(section->flags & SHF_ALLOC) ||
	       rk_has_prefix(section->name, ".discard") || rk_has_prefix(section->name, ".exit") ||
	       rk_has_prefix(section->name, ".modinfo");
}

static const char *file_name(const struct rk_elf *elf)
{
	rk_elf_for_each_symbol(elf, sym)
		if (sym->type == STT_FILE && sym->name[0])
			return sym->name;
	return NULL;
}

static struct rk_err *collect_locals(struct search *s)
{
	rk_elf_for_each_symbol(s->original, sym) {
		if (rk_is_named_local(sym) && !rk_map_set(&s->all, sym->name, sym))
			return rk_err_nomem();
		if (is_ignored(sym))
			continue;
		struct local local = {sym, may_be_discarded(sym->section)};
		if (!rk_vec_push(&s->locals, local))
			return rk_err_nomem();
	}
	rk_vec_for_each(&s->locals, local)
		if (!rk_map_set(&s->by_name, local->sym->name, local))
			return rk_err_nomem();
	return NULL;
}

/* Whether sym is one of ours that hasn't been counted in the stretch yet. */
static struct local *ours(const struct search *s, const struct rk_symbol *sym)
{
	return is_ignored(sym) ? NULL : rk_map_get(&s->by_name, sym->name);
}

static struct rk_err *score(const struct search *s, struct candidate *c)
{
	const struct rk_symbol *symbols = s->object->elf->symbols;
	struct rk_map seen = {};
	bool ok = true;

	for (uint32_t i = c->first; i < c->end && ok; i++) {
		if (is_ignored(&symbols[i]))
			continue;
		const struct local *local = rk_map_get(&s->by_name, symbols[i].name);
		if (!local || rk_map_get_ptr(&seen, local)) {
			c->extra++;
			continue;
		}
		ok = rk_map_set_ptr(&seen, local, (void *)local);
		c->common++;
	}
	rk_vec_for_each(&s->locals, local)
		if (!local->optional &&
		    !rk_map_get_ptr(&seen, rk_map_get(&s->by_name, local->sym->name)))
			c->missing++;
	rk_map_deinit(&seen);
	return ok ? NULL : rk_err_nomem();
}

static struct rk_err *add_candidate(const struct search *s, candidates *list, uint32_t first,
				    uint32_t end)
{
	struct candidate c = {.first = first, .end = end};
	RK_TRY(score(s, &c));
	return rk_vec_push(list, c) ? NULL : rk_err_nomem();
}

static struct rk_err *find_by_file(const struct search *s, candidates *list)
{
	const struct rk_object_index *index = s->object->priv;

	for (size_t i = 0; i < index->nr_ordered; i++) {
		const struct rk_block *block = &index->blocks.v[i];
		if (strcmp(block->file, s->file) == 0)
			RK_TRY(add_candidate(s, list, block->first, block->end));
	}
	return NULL;
}

/*
 * From the anchor outwards in one direction as long as our names go on in our order; the last one
 * taken.
 */
static uint32_t extend(const struct search *s, uint32_t anchor, int step, uint32_t limit)
{
	const struct rk_symbol *symbols = s->object->elf->symbols;
	const struct local *last = ours(s, &symbols[anchor]);
	uint32_t taken = anchor;

	for (uint32_t i = anchor; i != limit;) {
		i += (uint32_t)step;
		if (is_ignored(&symbols[i]))
			continue;
		const struct local *local = ours(s, &symbols[i]);
		if (!local || (step > 0 ? local <= last : local >= last))
			break;
		last = local;
		taken = i;
	}
	return taken;
}

/*
 * Names with counters don't tell which file it is, but at the ends of a stretch they still belong
 * to it when they are ours, in our order (__UNIQUE_ID_ddebug685.1 before __func__.0).
 */
static uint32_t widen(const struct search *s, uint32_t from, int step, uint32_t limit)
{
	const struct rk_symbol *symbols = s->object->elf->symbols;
	const struct rk_symbol *last = rk_map_get(&s->all, symbols[from].name);
	uint32_t taken = from;

	for (uint32_t i = from; last && i != limit;) {
		i += (uint32_t)step;
		if (!is_ignored(&symbols[i]))
			break;
		if (!rk_is_named_local(&symbols[i]) || rk_has_prefix(symbols[i].name, ".L"))
			continue;
		const struct rk_symbol *sym = rk_map_get(&s->all, symbols[i].name);
		if (!sym || sym->size != symbols[i].size || (step > 0 ? sym <= last : sym >= last))
			break;
		last = sym;
		taken = i;
	}
	return taken;
}

/* The stretch from the first to the last name of ours around two of them. */
static struct rk_err *add_stretch(const struct search *s, candidates *list, uint32_t low,
				  uint32_t high)
{
	const struct rk_object_index *index = s->object->priv;
	uint32_t limit = index->first_global - 1;
	uint32_t first = widen(s, extend(s, low, -1, 1), -1, 1);
	uint32_t last = widen(s, extend(s, high, 1, limit), 1, limit);

	return add_candidate(s, list, first, last + 1);
}

/*
 * Names that the shipped object has once and that are ours mark the stretch; its ends are found
 * from there.
 */
static struct rk_err *find_anchors(const struct search *s, const struct rk_object_index *index,
				   uint32_t *ret_low, uint32_t *ret_high)
{
	struct rk_symbol *symbols = s->object->elf->symbols;
	struct rk_map once = {}, twice = {};
	bool ok = true;
	uint32_t low = 0, high = 0;

	for (uint32_t i = 1; i < index->first_global && ok; i++)
		if (ours(s, &symbols[i]))
			ok = rk_map_set(rk_map_get(&once, symbols[i].name) ? &twice : &once,
					symbols[i].name, &symbols[i]);
	for (uint32_t i = 1; i < index->first_global && ok; i++) {
		if (!ours(s, &symbols[i]) || rk_map_get(&twice, symbols[i].name))
			continue;
		low = low ? low : i;
		high = i;
	}
	rk_map_deinit(&once);
	rk_map_deinit(&twice);
	*ret_low = low;
	*ret_high = high;
	return ok ? NULL : rk_err_nomem();
}

static struct rk_err *find_by_stretch(const struct search *s, candidates *list)
{
	const struct rk_object_index *index = s->object->priv;
	uint32_t low, high;

	RK_TRY(find_anchors(s, index, &low, &high));
	if (low)
		return add_stretch(s, list, low, high);
	/*
	 * no name is ours alone: every place where our first name starts a stretch is a candidate
	 */
	for (uint32_t i = 1; i < index->first_global; i++)
		if (ours(s, &s->object->elf->symbols[i]) && extend(s, i, -1, 1) == i)
			RK_TRY(add_stretch(s, list, i, i));
	/* a file without locals of its own needs none of the object's */
	return list->nr == 0 && s->locals.nr == 0 ? add_candidate(s, list, 1, 1) : NULL;
}

static void count_same_content(const struct search *s, struct candidate *c)
{
	const struct rk_elf *elf = s->object->elf;

	for (uint32_t i = c->first; i < c->end; i++) {
		const struct rk_symbol *shipped = &elf->symbols[i];
		const struct local *local = ours(s, shipped);
		if (!local || local->sym->size != shipped->size || !local->sym->section ||
		    !rk_symbol_bytes(s->original, local->sym, shipped->size))
			continue;
		const uint8_t *bytes = rk_symbol_bytes(elf, shipped, shipped->size);
		if (bytes &&
		    rk_first_difference(local->sym, bytes, shipped->size, s->arch) == shipped->size)
			c->same_content++;
	}
}

/*
 * The nearest local function before (step -1) or behind a block in a section, cold parts left out:
 * they lie elsewhere.
 */
static const struct rk_symbol *neighbour(const struct rk_elf *elf,
					 const struct rk_object_index *index, uint32_t from,
					 int step, const struct rk_section *section)
{
	for (uint32_t i = from; i > 0 && i < index->first_global; i += (uint32_t)step) {
		const struct rk_symbol *sym = &elf->symbols[i];
		if (sym->type == STT_FUNC && sym->section == section && !strstr(sym->name, ".cold"))
			return sym;
	}
	return NULL;
}

bool rk_owner_covers(const struct rk_owner *owner, const struct rk_symbol *shipped)
{
	const struct rk_object_index *index = owner->object->priv;
	const struct rk_elf *elf = owner->object->elf;
	const struct rk_symbol *before =
		neighbour(elf, index, owner->first - 1, -1, shipped->section);
	const struct rk_symbol *after = neighbour(elf, index, owner->end, 1, shipped->section);

	return !(before && shipped->value < before->value) &&
	       !(after && shipped->value > after->value);
}

static bool is_ordinary_text(const struct rk_section *section)
{
	return section && rk_has_prefix(section->name, ".text.") &&
	       !rk_has_prefix(section->name, ".text.unlikely.") &&
	       !rk_has_prefix(section->name, ".text.hot.") &&
	       !rk_has_prefix(section->name, ".text.startup.");
}

/* Does the block have our local functions on the same side of this global one as the compiler put them? */
static bool keeps_order(const struct search *s, const struct candidate *c,
			const struct rk_symbol *global, const struct rk_symbol *shipped)
{
	for (uint32_t i = c->first; i < c->end && is_ordinary_text(global->section); i++) {
		const struct rk_symbol *sym = &s->object->elf->symbols[i];
		const struct local *local = ours(s, sym);
		if (local && sym->type == STT_FUNC && is_ordinary_text(local->sym->section) &&
		    sym->section == shipped->section &&
		    (local->sym->section->index < global->section->index) !=
			    (sym->value < shipped->value))
			return false;
	}
	return true;
}

/*
 * The linker keeps the order of files, so a file's global functions lie between the neighbours'
 * local ones.
 */
static bool fits_neighbours(const struct search *s, const struct candidate *c)
{
	const struct rk_object_index *index = s->object->priv;
	const struct rk_owner owner = {s->object, c->first, c->end, s->file};

	rk_elf_for_each_symbol(s->original, sym) {
		if (sym->bind != STB_GLOBAL || sym->type != STT_FUNC || sym->shndx == SHN_UNDEF)
			continue;
		const struct rk_symbol *shipped = rk_map_get(&index->globals, sym->name);
		if (shipped &&
		    (!rk_owner_covers(&owner, shipped) || !keeps_order(s, c, sym, shipped)))
			return false;
	}
	return true;
}

static int compare(const struct candidate *a, const struct candidate *b)
{
	uint32_t bad_a = a->missing + a->extra, bad_b = b->missing + b->extra;

	if (bad_a != bad_b)
		return bad_a < bad_b ? -1 : 1;
	if (a->same_content != b->same_content)
		return a->same_content > b->same_content ? -1 : 1;
	return (int)b->fits_neighbours - (int)a->fits_neighbours;
}

static struct candidate *choose(const struct search *s, candidates *list)
{
	struct candidate *best = NULL;

	if (list->nr > 1)
		rk_vec_for_each(list, c) {
			count_same_content(s, c);
			c->fits_neighbours = fits_neighbours(s, c);
		}
	rk_vec_for_each(list, c)
		if (!best || compare(c, best) < 0)
			best = c;
	return best;
}

/* Code or state of its own: of these the patch may need just this file's. */
static bool has_state(const struct search *s)
{
	rk_vec_for_each(&s->locals, local) {
		const struct rk_symbol *sym = local->sym;
		if (!local->optional &&
		    (sym->type == STT_FUNC || (sym->section->flags & SHF_WRITE)))
			return true;
	}
	return false;
}

/* Literals may be taken from any equal place; the proof holds them against what the code uses. */
static bool is_ambiguous(const struct search *s, candidates *list, const struct candidate *best)
{
	rk_vec_for_each(list, c)
		if (c != best && compare(c, best) == 0)
			return has_state(s);
	return false;
}

static struct rk_err *explain_mismatch(const struct search *s, const struct candidate *c)
{
	_cleanup_str_ struct rk_str names = RK_STR_INIT;
	struct rk_symbol *symbols = s->object->elf->symbols;
	uint32_t quoted = 0;

	rk_vec_for_each(&s->locals, local) {
		bool found = false;
		for (uint32_t i = c->first; i < c->end && !found; i++)
			found = strcmp(symbols[i].name, local->sym->name) == 0;
		if (!found && !local->optional && quoted++ < MAX_QUOTED)
			rk_str_addf(&names, "%s'%s'", names.len ? ", " : "", local->sym->name);
	}
	return rk_err(
		RK_ERR_MISMATCH,
		"'%s' isn't what the shipped '%s' was made from: %u of its %zu local names aren't "
		"there (%s%s); is it part of another object, or are compiler or configuration others?",
		s->file, s->object->name, c->missing, s->locals.nr, rk_str_get(&names),
		quoted > MAX_QUOTED ? " …" : "");
}

/*
 * Another compiler inlines other functions, and the proof is to say so function by function: a
 * block of the file's name needs to share but one name. Where only names speak for it, half of them
 * must.
 */
static bool is_credible(const struct search *s, const struct rk_object_index *index,
			const struct candidate *best)
{
	if (!s->locals.nr)
		return true;
	return index->has_files ? best->common > 0 : best->common * 2 >= s->locals.nr;
}

static struct rk_err *search_owner(struct search *s, struct rk_owner *ret)
{
	struct rk_object_index *index = s->object->priv;
	candidates list = {};

	struct rk_err *err = index->has_files ? find_by_file(s, &list) : find_by_stretch(s, &list);
	const struct candidate *best = err ? NULL : choose(s, &list);
	if (!err && !best)
		err = rk_err(RK_ERR_NOT_FOUND,
			     "'%s' has no symbols of a file '%s'; is it built into another object?",
			     s->object->name, s->file);
	else if (!err && !is_credible(s, index, best))
		err = explain_mismatch(s, best);
	else if (!err && is_ambiguous(s, &list, best))
		err = rk_err(RK_ERR_MISMATCH,
			     "'%s' is ambiguous: '%s' has local symbols of several files that fit "
			     "it equally well",
			     s->file, s->object->name);
	/* the original may be gone before the object is */
	const char *file = rk_arena_strdup(&s->object->elf->arena, s->file);
	if (!err && !file)
		err = rk_err_nomem();
	if (!err)
		err = rk_object_index_block(index, s->object->elf, file, best->first, best->end);
	if (!err)
		*ret = (struct rk_owner){s->object, best->first, best->end, file};
	rk_vec_deinit(&list);
	return err;
}

struct rk_err *rk_symbols_owner(struct rk_symbols *symbols, const char *object,
				const struct rk_elf *original, struct rk_owner *ret)
{
	struct search s = {.original = original, .arch = rk_arch_for(original->machine)};

	if (!s.arch)
		return rk_err(RK_ERR_UNSUPPORTED, "'%s': machine %u is not supported",
			      original->path, original->machine);
	RK_TRY(rk_symbols_object(symbols, object, &s.object));
	s.file = file_name(original);
	if (!s.file)
		return rk_err(RK_ERR_FORMAT, "'%s' has no file symbol", original->path);
	struct rk_err *err = collect_locals(&s);
	if (!err)
		err = search_owner(&s, ret);
	rk_map_deinit(&s.by_name);
	rk_map_deinit(&s.all);
	rk_vec_deinit(&s.locals);
	return err;
}
