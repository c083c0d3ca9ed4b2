/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which units the changed headers bring along: what each header's change declares anew, which C files that reaches by
 * name, and which of these this kernel compiles. The compiler decides in the end: a unit whose objects don't differ is dropped.
 */
#include "lib/base/fs.h"
#include "lib/build/reach.h"
#include "lib/pipeline/internal.h"

#define HEADER_MAX (64u << 20)

/* Names of changes that are said in full. */
#define NAMED_MAX 4

struct header {
	struct rk_decl_changes changes;
	size_t units; /* it brings along */
};

struct headers {
	struct rk_build *build;
	rk_vec(struct header) list;
	rk_vec(struct rk_reach_header) reach; /* of the same places */
	struct rk_map modules;
};

static void headers_deinit(struct headers *h)
{
	rk_vec_for_each(&h->list, header)
		rk_decl_changes_deinit(&header->changes);
	rk_vec_deinit(&h->list);
	rk_vec_deinit(&h->reach);
	rk_map_deinit(&h->modules);
}

static struct rk_err *parse(const char *dir, const char *path, struct rk_decls **ret)
{
	_cleanup_free_ char *full = rk_path_join(dir, path);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!full)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(full, HEADER_MAX, &text, &len));
	return rk_decls_parse(text, len, ret);
}

static struct rk_err *add_header(struct headers *h, const struct rk_changed_file *file)
{
	_cleanup_decls_ struct rk_decls *old = NULL, *new = NULL;
	struct header header = {};
	struct rk_reach_header reach = {.path = file->path};

	if (!file->is_new)
		RK_TRY(parse(h->build->target->source, file->path, &old));
	if (!file->is_delete)
		RK_TRY(parse(h->build->view->dir, file->path, &new));
	/* An included piece of code isn't made of declarations. */
	if (!rk_has_suffix(file->path, ".h")) {
		if (old)
			old->is_clear = false;
		if (new)
			new->is_clear = false;
	}
	RK_TRY(rk_decls_compare(old, new, &header.changes));
	reach.changes = header.changes.list.v;
	reach.nr_changes = header.changes.list.nr;
	if (!rk_vec_push(&h->list, header)) {
		rk_decl_changes_deinit(&header.changes);
		return rk_err_nomem();
	}
	return rk_vec_push(&h->reach, reach) ? NULL : rk_err_nomem();
}

/* "macro 'FOO'"; what has no name is the header itself. */
static const char *change_name(struct rk_build *build, const struct rk_decl_change *change)
{
	if (!*change->name)
		return "something outside its declarations";
	return rk_arena_printf(&build->arena, "%s '%s'", rk_decl_kind_name(change->kind),
			       change->name);
}

static struct rk_err *describe(struct rk_build *build, const struct header *header,
			       struct rk_str *out)
{
	static const char *const verbs[] = {
		[RK_CHANGE_CHANGED] = "changes",
		[RK_CHANGE_REMOVED] = "removes",
		[RK_CHANGE_ADDED] = "adds",
	};
	size_t nr = header->changes.list.nr;
	int last = -1;

	if (nr == 0)
		rk_str_add(out, "changes no declaration");
	for (size_t i = 0; i < nr && i < NAMED_MAX; i++) {
		const struct rk_decl_change *change = &header->changes.list.v[i];
		const char *name = change_name(build, change);

		if (!name)
			return rk_err_nomem();
		if (i > 0)
			rk_str_add(out, ", ");
		if ((int)change->change != last)
			rk_str_addf(out, "%s ", verbs[change->change]);
		last = (int)change->change;
		rk_str_add(out, name);
	}
	if (nr > NAMED_MAX)
		rk_str_addf(out, " and %zu more", nr - NAMED_MAX);
	return rk_str_check(out);
}

static struct rk_err *report_headers(struct headers *h)
{
	struct rk_build *build = h->build;

	for (size_t i = 0; i < h->list.nr; i++) {
		_cleanup_str_ struct rk_str text = RK_STR_INIT;
		size_t units = h->list.v[i].units;

		RK_TRY(describe(build, &h->list.v[i], &text));
		if (units)
			rk_str_addf(&text, ": %zu %s compiled for it", units,
				    units == 1 ? "unit is" : "units are");
		else
			rk_str_add(&text, ": no further unit of this kernel can tell");
		RK_TRY(rk_str_check(&text));
		RK_TRY(rk_finding_add(&build->findings, RK_FINDING_HEADER_USERS, h->reach.v[i].path,
				      NULL, NULL, "%s", rk_str_get(&text)));
	}
	return NULL;
}

/* The header and change that most of the files are reached by. */
static const struct rk_reached_file *widest(const struct rk_reach *reach)
{
	const struct rk_reached_file *best = NULL;
	size_t most = 0;

	rk_vec_for_each(&reach->files, file) {
		size_t nr = 0;

		if (best && file->header == best->header && file->change == best->change)
			continue;
		rk_vec_for_each(&reach->files, other)
			nr += other->header == file->header && other->change == file->change;
		if (nr > most) {
			most = nr;
			best = file;
		}
	}
	return best;
}

static struct rk_err *report_wide(struct headers *h, const struct rk_reach *reach, size_t max)
{
	struct rk_build *build = h->build;
	const struct rk_reached_file *file = widest(reach);
	const struct rk_reach_header *header = &h->reach.v[file->header];
	const struct rk_decl_change *change = &header->changes[file->change];
	const char *name = change_name(build, change);

	if (!name)
		return rk_err_nomem();
	return rk_finding_add(
		&build->findings, RK_FINDING_HEADER_CHANGED, header->path, NULL,
		*change->name ? change->name : NULL,
		"more than %zu units would have to be compiled, most for %s (%zu files may use what the fix "
		"changes); --allow-wide compiles them all",
		max, name, reach->files.nr);
}

static void count(struct headers *h, const struct rk_build_unit *unit)
{
	struct rk_build_headers *sum = &h->build->headers;

	sum->units++;
	if (rk_streq(unit->recipe->object, "vmlinux"))
		sum->vmlinux_units++;
	else if (!rk_map_get(&h->modules, unit->recipe->object))
		sum->modules += rk_map_set(&h->modules, unit->recipe->object, (void *)unit);
}

static bool has_unit(const struct rk_build *build, const char *path)
{
	rk_vec_for_each(&build->units, unit)
		if (rk_streq(unit->recipe->unit, path))
			return true;
	return false;
}

static struct rk_err *add_unit(struct headers *h, const struct rk_reached_file *file)
{
	struct rk_build *build = h->build;
	const struct rk_reach_header *header = &h->reach.v[file->header];
	const char *name = change_name(build, &header->changes[file->change]), *reason;
	const struct rk_recipe *recipe;

	RK_TRY(rk_kbuild_recipe(build->kbuild, file->path, &recipe, &reason));
	if (!recipe || !rk_build_is_asked_for(build, recipe->object))
		return NULL;
	reason = name ? rk_arena_printf(&build->arena, "%s of '%s'", name, header->path) : NULL;
	if (!reason)
		return rk_err_nomem();
	RK_TRY(rk_build_add_unit(build, recipe, reason));
	h->list.v[file->header].units++;
	count(h, &build->units.v[build->units.nr - 1]);
	return NULL;
}

/* Assembly stays as it is: what a human has to know of when C code goes another way. */
static struct rk_err *report_assembly(struct headers *h, const struct rk_reached_file *file)
{
	const struct rk_reach_header *header = &h->reach.v[file->header];
	const char *name = change_name(h->build, &header->changes[file->change]);

	if (!name)
		return rk_err_nomem();
	return rk_finding_add(&h->build->findings, RK_FINDING_ASSEMBLY_KEPT, file->path, NULL, NULL,
			      "uses %s of '%s', and assembly can't be replaced", name,
			      header->path);
}

/* Places, in reach, of the files that are units of this kernel and not yet of the build. */
struct places {
	rk_vec(size_t) list;
};

/* No recipe is asked for until it is known that there aren't too many. A file that others include is there with each of them. */
static struct rk_err *find_units(struct headers *h, const struct rk_reach *reach,
				 struct places *places)
{
	struct rk_build *build = h->build;
	/* Which object a unit is linked into only its recipe tells. */
	size_t max =
		build->options->allow_wide || build->options->nr_targets ? SIZE_MAX : RK_WIDE_UNITS;

	for (size_t i = 0; i < reach->files.nr && places->list.nr <= max; i++) {
		const char *path = reach->files.v[i].path;
		bool is_unit = false;

		if (rk_build_is_in_part(build, path) && !has_unit(build, path))
			RK_TRY(rk_kbuild_is_unit(build->kbuild, path, &is_unit));
		if (is_unit && rk_has_suffix(path, ".S"))
			RK_TRY(report_assembly(h, &reach->files.v[i]));
		else if (is_unit && !rk_vec_push(&places->list, i))
			return rk_err_nomem();
	}
	return NULL;
}

/* Adds the units among the reached files; *ret_wide when there are more than allowed, then none is added. */
static struct rk_err *add_units(struct headers *h, const struct rk_reach *reach, bool *ret_wide)
{
	struct rk_build *build = h->build;
	struct rk_build_headers sum = build->headers;
	size_t before = build->units.nr;
	size_t max = build->options->allow_wide ? SIZE_MAX : RK_WIDE_UNITS;
	struct places places = {};
	struct rk_err *err = find_units(h, reach, &places);

	*ret_wide = places.list.nr > max && build->options->nr_targets == 0;
	for (size_t i = 0; i < places.list.nr && !err && !*ret_wide; i++) {
		err = add_unit(h, &reach->files.v[places.list.v[i]]);
		*ret_wide = build->units.nr - before > max;
	}
	rk_vec_deinit(&places.list);
	if (err || !*ret_wide)
		return err;
	build->units.nr = before;
	build->headers = sum;
	return report_wide(h, reach, max);
}

static void say(const struct rk_build *build)
{
	const struct rk_build_headers *sum = &build->headers;

	rk_report_phase(build->options->reporter, "headers",
			"%zu header%s change%s %zu declaration%s: %zu unit%s may use %s "
			"(%zu of vmlinux, %zu of %zu module%s)",
			sum->headers, sum->headers == 1 ? "" : "s", sum->headers == 1 ? "s" : "",
			sum->declarations, sum->declarations == 1 ? "" : "s", sum->units,
			sum->units == 1 ? "" : "s", sum->declarations == 1 ? "it" : "them",
			sum->vmlinux_units, sum->units - sum->vmlinux_units, sum->modules,
			sum->modules == 1 ? "" : "s");
}

static struct rk_err *take_headers(struct headers *h)
{
	struct rk_build *build = h->build;
	_cleanup_reach_ struct rk_reach reach = {};
	bool wide = false;

	rk_vec_for_each(&build->view->files, file)
		if (file->kind == RK_FILE_HEADER && !file->is_other_arch)
			RK_TRY(add_header(h, file));
	if (h->list.nr == 0)
		return NULL;
	rk_vec_for_each(&h->list, header)
		build->headers.declarations += header->changes.list.nr;
	build->headers.headers = h->list.nr;
	rk_report_phase(build->options->reporter, "headers",
			"looking for what uses the changed headers");
	RK_TRY(rk_kbuild_reach(build->kbuild, h->reach.v, h->reach.nr, &reach));
	RK_TRY(add_units(h, &reach, &wide));
	if (wide)
		return NULL;
	say(build);
	RK_TRY(rk_build_inlines(build, h->reach.v, h->reach.nr));
	return report_headers(h);
}

struct rk_err *rk_build_headers(struct rk_build *build)
{
	struct headers h = {.build = build};
	struct rk_err *err = take_headers(&h);

	headers_deinit(&h);
	return err;
}
