// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which units a kernel was built from isn't in the target's files; but vmlinux' debug info names
 * those of vmlinux, and a module's units lie in the source directory its installed path shows:
 * kbuild is asked which of the files there belong to it.
 */
#include "bench/pick.h"

#include <dirent.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/module_name.h"
#include "lib/base/str.h"

struct strings {
	struct rk_arena arena;
	rk_vec(char *) list;
};

static void strings_deinit(struct strings *s)
{
	rk_vec_deinit(&s->list);
	rk_arena_deinit(&s->arena);
}

static struct rk_err *add(struct strings *s, const char *text)
{
	char *copy = rk_arena_strdup(&s->arena, text);
	return copy && rk_vec_push(&s->list, copy) ? NULL : rk_err_nomem();
}

/* A name that is to be put in order, and what decides its place. */
struct ranked {
	uint64_t rank;
	char *text;
};

/* FNV-1a over the name, mixed with the seed by SplitMix64's finalizer (both public domain). */
static uint64_t rank_of(const char *text, uint64_t seed)
{
	uint64_t z = 0xcbf29ce484222325ULL ^ seed * 0x9e3779b97f4a7c15ULL;
	for (; *text; text++)
		z = (z ^ (unsigned char)*text) * 0x100000001b3ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->text, y->text);
}

/*
 * The order depends on each name alone, so that one file more or less in the tree changes one choice
 * and not all.
 */
static struct rk_err *shuffle(struct strings *s, uint64_t seed)
{
	rk_vec(struct ranked) list = {};
	bool ok = true;

	for (size_t i = 0; i < s->list.nr && ok; i++) {
		struct ranked r = {rank_of(s->list.v[i], seed), s->list.v[i]};
		ok = rk_vec_push(&list, r);
	}
	if (ok && list.nr)
		qsort(list.v, list.nr, sizeof(*list.v), by_rank);
	for (size_t i = 0; i < list.nr && ok; i++)
		s->list.v[i] = list.v[i].text;
	rk_vec_deinit(&list);
	return ok ? NULL : rk_err_nomem();
}

static struct rk_err *read_units(const struct rk_target *target, Dwarf *dwarf, struct strings *ret)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	while (dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, NULL) == 0) {
		const char *name = dwarf_diename(&die);
		/* assembly has an absolute name, and generated files aren't in the source tree */
		if (!name || name[0] == '/' || !rk_has_suffix(name, ".c"))
			continue;
		_cleanup_free_ char *path = rk_path_join(target->source, name);
		if (path && rk_fs_exists(path))
			RK_TRY(add(ret, name));
	}
	return NULL;
}

static struct rk_err *vmlinux_units(const struct rk_target *target, struct strings *ret)
{
	_cleanup_close_ int fd = open(target->vmlinux, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", target->vmlinux);
	Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
	if (!dwarf)
		return rk_err(RK_ERR_FORMAT, "'%s' has no debug info: %s", target->vmlinux,
			      dwarf_errmsg(-1));
	struct rk_err *err = read_units(target, dwarf, ret);
	dwarf_end(dwarf);
	return err;
}

static void cleanup_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

/* Paths of modules below the directory that holds "kernel/", without it: "net/key/af_key.ko". */
static struct rk_err *module_paths(const struct rk_target *target, struct strings *ret)
{
	_cleanup_free_ char *top = rk_path_join(target->modules, "kernel");
	if (!top)
		return rk_err_nomem();
	char *const roots[] = {top, NULL};
	_cleanup_(cleanup_fts) FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return rk_err_sys(errno, "cannot read '%s'", top);
	for (FTSENT *entry; (entry = fts_read(fts));)
		if (entry->fts_info == FTS_F && rk_has_suffix(entry->fts_name, ".ko"))
			RK_TRY(add(ret, entry->fts_path + strlen(top) + 1));
	return NULL;
}

/* The .c files beside where the module was built. */
static struct rk_err *files_beside(const struct rk_target *target, const char *module,
				   struct strings *ret)
{
	_cleanup_free_ char *relative = strdup(module);
	if (!relative)
		return rk_err_nomem();
	char *slash = strrchr(relative, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	_cleanup_free_ char *path = rk_path_join(target->source, relative);
	_cleanup_closedir_ DIR *dir = path ? opendir(path) : NULL;
	if (!dir)
		return path ? NULL : rk_err_nomem();
	for (const struct dirent *entry; (entry = readdir(dir));) {
		_cleanup_free_ char *unit = rk_path_join(relative, entry->d_name);
		if (unit && rk_has_suffix(unit, ".c") && !rk_has_suffix(unit, ".mod.c"))
			RK_TRY(add(ret, unit));
	}
	return NULL;
}

static bool is_picked(const struct picks *picks, const struct rk_recipe *recipe)
{
	rk_vec_for_each(&picks->list, it)
		if (rk_streq((*it)->unit, recipe->unit))
			return true;
	return false;
}

/* Takes unit if it is compiled for an object that wanted() likes. */
static struct rk_err *try_unit(struct rk_kbuild *kbuild, const char *unit, const char *object,
			       struct picks *picks, bool *ret_taken)
{
	const struct rk_recipe *recipe = NULL;
	const char *reason;

	*ret_taken = false;
	RK_TRY(rk_kbuild_recipe(kbuild, unit, &recipe, &reason));
	if (!recipe || !rk_streq(recipe->unit, unit) || !rk_streq(recipe->object, object) ||
	    is_picked(picks, recipe))
		return NULL;
	*ret_taken = true;
	return rk_vec_push(&picks->list, recipe) ? NULL : rk_err_nomem();
}

static struct rk_err *pick_from_vmlinux(const struct rk_target *target, struct rk_kbuild *kbuild,
					size_t nr, uint64_t seed, struct picks *picks)
{
	_cleanup_(strings_deinit) struct strings units = {};

	RK_TRY(vmlinux_units(target, &units));
	RK_TRY(shuffle(&units, seed));
	for (size_t i = 0, taken = 0; i < units.list.nr && taken < nr; i++) {
		bool is_taken;
		RK_TRY(try_unit(kbuild, units.list.v[i], "vmlinux", picks, &is_taken));
		taken += is_taken;
	}
	return NULL;
}

/* One unit of the module that isn't picked yet, if there is any. */
static struct rk_err *pick_from_module(const struct rk_target *target, struct rk_kbuild *kbuild,
				       const char *module, uint64_t seed, struct picks *picks,
				       bool *ret_taken)
{
	_cleanup_(strings_deinit) struct strings units = {};
	const char *base = strrchr(module, '/');
	_cleanup_free_ char *object = strdup(base ? base + 1 : module);

	if (!object)
		return rk_err_nomem();
	object[strlen(object) - strlen(".ko")] = '\0';
	rk_module_name_fold(object);
	RK_TRY(files_beside(target, module, &units));
	RK_TRY(shuffle(&units, seed));
	*ret_taken = false;
	for (size_t i = 0; i < units.list.nr && !*ret_taken; i++)
		RK_TRY(try_unit(kbuild, units.list.v[i], object, picks, ret_taken));
	return NULL;
}

static struct rk_err *pick_from_modules(const struct rk_target *target, struct rk_kbuild *kbuild,
					size_t nr, uint64_t seed,
					const struct rk_reporter *reporter, struct picks *picks)
{
	_cleanup_(strings_deinit) struct strings modules = {};
	size_t taken = 0, before;

	RK_TRY(module_paths(target, &modules));
	RK_TRY(shuffle(&modules, seed));
	/* round after round, so that more units than modules can be asked for */
	do {
		before = taken;
		for (size_t i = 0; i < modules.list.nr && taken < nr; i++) {
			bool is_taken;
			RK_TRY(pick_from_module(target, kbuild, modules.list.v[i], seed, picks,
						&is_taken));
			taken += is_taken;
			rk_report_advance(reporter, taken, nr, "units");
		}
	} while (taken < nr && taken > before);
	return NULL;
}

struct rk_err *pick_units(const struct rk_target *target, struct rk_kbuild *kbuild, size_t nr,
			  uint64_t seed, const struct rk_reporter *reporter, struct picks *ret)
{
	struct picks picks = {};

	rk_report_phase(reporter, "pick", "choosing %zu units", nr);
	struct rk_err *err = pick_from_vmlinux(target, kbuild, nr - nr / 2, seed, &picks);
	if (!err && target->modules)
		err = pick_from_modules(target, kbuild, nr / 2, seed, reporter, &picks);
	if (err) {
		rk_vec_deinit(&picks.list);
		return err;
	}
	*ret = picks;
	return NULL;
}
