/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How kbuild compiles one unit. The rule that would compile it is replaced, for a dry run, by one that prints the
 * commands: what is printed is what kbuild would run, whatever its Makefiles do to get there.
 */
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"
#include "lib/source/paths.h"

#define RECIPE_MAX (1u << 20)

/* Looks for object among what dir contributes to the kernel or to modules. */
static struct rk_err *find_in_dir(struct rk_kbuild *kbuild, struct rk_kbuild_dir *dir,
				  const char *object, struct rk_place *ret, bool *ret_found)
{
	const struct {
		const char *list;
		bool is_built, in_module;
	} lists[] = {
		{dir->real_obj_y, dir->builtin, false},
		{dir->lib_y, dir->builtin, false},
		{dir->real_obj_m, dir->modorder, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_free_ char *name = NULL;

		if (!lists[i].is_built)
			continue;
		RK_TRY(rk_list_find(lists[i].list, object, &name));
		if (!name)
			continue;
		*ret = (struct rk_place){dir, rk_arena_strdup(&kbuild->arena, name),
					 lists[i].in_module};
		*ret_found = true;
		return ret->object ? NULL : rk_err_nomem();
	}
	return NULL;
}

/* The directories above object, nearest first: fs/xfs names what is in fs/xfs/libxfs. */
static struct rk_err *find_place(struct rk_kbuild *kbuild, const char *object, struct rk_place *ret,
				 bool *ret_found)
{
	_cleanup_free_ char *path = strdup(object);
	char *slash;

	if (!path)
		return rk_err_nomem();
	*ret_found = false;
	while (!*ret_found && (slash = strrchr(path, '/'))) {
		struct rk_kbuild_dir *dir;

		*slash = '\0';
		RK_TRY(rk_kbuild_dir(kbuild, path, &dir));
		RK_TRY(find_in_dir(kbuild, dir, object, ret, ret_found));
	}
	return NULL;
}

/* arch/x86/kvm names ../../../virt/kvm/kvm_main.o, amdgpu what is in amd/display. */
static struct rk_err *find_elsewhere(struct rk_kbuild *kbuild, const char *object,
				     struct rk_place *ret, bool *ret_found)
{
	const char **dirs;

	RK_TRY(rk_dirs_reaching_out(kbuild, object, &dirs));
	for (; *dirs && !*ret_found; dirs++) {
		struct rk_kbuild_dir *dir;

		RK_TRY(rk_kbuild_dir(kbuild, *dirs, &dir));
		RK_TRY(find_in_dir(kbuild, dir, object, ret, ret_found));
	}
	return NULL;
}

/* Sorts the words of the compiler's command into what is the recipe's and what is this call's. */
static struct rk_err *take_cc(struct rk_kbuild *kbuild, const struct rk_command *command,
			      struct rk_recipe *recipe)
{
	const char **argv = rk_arena_calloc(&kbuild->arena, command->words.nr + 2, sizeof(*argv));
	bool has_debug_info = false;
	size_t nr = 0;

	if (!argv)
		return rk_err_nomem();
	for (size_t i = 0; i < command->words.nr; i++) {
		const char *word = command->words.v[i];

		if (rk_streq(word, "-c") || rk_has_prefix(word, "-Wp,-MMD,") ||
		    rk_has_prefix(word, "-Wp,-MD,"))
			continue;
		if (rk_streq(word, "-o")) {
			i++;
			continue;
		}
		if (word[0] != '-' && rk_has_suffix(word, ".c")) {
			recipe->input = word;
			continue;
		}
		has_debug_info = has_debug_info || rk_has_prefix(word, "-g");
		argv[nr++] = word;
	}
	/* Changed layouts and prototypes are seen by debug info, which a kernel without it needs too; it changes no code. */
	if (!has_debug_info)
		argv[nr++] = "-g";
	recipe->cc_argv = argv;
	if (!nr || !recipe->input)
		return rk_err(RK_ERR_FORMAT, "'%s': kbuild's compiler command names no input",
			      recipe->unit);
	return NULL;
}

static struct rk_err *take_objtool(struct rk_kbuild *kbuild, const struct rk_command *command,
				   const char *object, struct rk_recipe *recipe)
{
	const char **argv = rk_arena_calloc(&kbuild->arena, command->words.nr + 1, sizeof(*argv));
	size_t nr = 0;

	if (!argv)
		return rk_err_nomem();
	rk_vec_for_each(&command->words, word) {
		if (!rk_streq(*word, object))
			argv[nr++] = *word;
	}
	recipe->objtool_argv = argv;
	return NULL;
}

static struct rk_err *take_commands(struct rk_kbuild *kbuild, const char *text, const char *object,
				    struct rk_recipe *recipe)
{
	struct rk_commands commands;

	RK_TRY(rk_commands_parse(&kbuild->arena, text, &commands));
	struct rk_err *err = NULL;
	for (size_t i = 0; i < commands.list.nr && !err; i++) {
		const struct rk_command *command = &commands.list.v[i];
		const char *program = command->words.v[0];

		if (i == 0)
			err = take_cc(kbuild, command, recipe);
		else if (rk_has_suffix(program, "/objtool"))
			err = take_objtool(kbuild, command, object, recipe);
		else
			err = rk_err(RK_ERR_UNSUPPORTED,
				     "'%s': kbuild also runs '%s' on the object", recipe->unit,
				     program);
	}
	if (!err && commands.list.nr == 0)
		err = rk_err(RK_ERR_FORMAT, "'%s': kbuild names no compiler", recipe->unit);
	rk_commands_deinit(&commands);
	return err;
}

/* "-DKBUILD_MODNAME=\"ext4\"" → "ext4" */
static const char *modname_of(struct rk_kbuild *kbuild, const struct rk_recipe *recipe)
{
	const char *prefix = "-DKBUILD_MODNAME=";

	for (const char *const *word = recipe->cc_argv; *word; word++) {
		if (!rk_has_prefix(*word, prefix))
			continue;
		const char *s = *word + strlen(prefix);
		s += *s == '"';
		return rk_arena_strndup(&kbuild->arena, s, strcspn(s, "\""));
	}
	return NULL;
}

/* The module's file: the one in obj-m whose name is modname, but for '-'. */
static struct rk_err *find_module(struct rk_kbuild *kbuild, const struct rk_place *place,
				  const char *modname, struct rk_recipe *recipe)
{
	for (const char *s = place->dir->obj_m; *(s += strspn(s, " "));) {
		size_t n = strcspn(s, " ");
		char *path = rk_arena_printf(&kbuild->arena, "kernel/%.*s", (int)n, s);

		if (!path)
			return rk_err_nomem();
		s += n;
		if (!rk_has_suffix(path, ".o"))
			continue;
		path[strlen(path) - 2] = '\0';
		char *name = rk_arena_strdup(&kbuild->arena, strrchr(path, '/') + 1);
		if (!name)
			return rk_err_nomem();
		for (char *c = name; *c; c++)
			*c = *c == '-' || *c == ',' ? '_' : *c;
		if (rk_streq(name, modname)) {
			recipe->object = name;
			recipe->module_path = rk_arena_printf(&kbuild->arena, "%s.ko", path);
			return recipe->module_path ? NULL : rk_err_nomem();
		}
	}
	return rk_err(RK_ERR_FORMAT, "'%s': kbuild names no module '%s'", recipe->unit, modname);
}

static struct rk_err *take_object(struct rk_kbuild *kbuild, const struct rk_place *place,
				  struct rk_recipe *recipe)
{
	if (!place->in_module) {
		recipe->object = "vmlinux";
		return NULL;
	}
	const char *modname = modname_of(kbuild, recipe);
	if (!modname)
		return rk_err(RK_ERR_FORMAT, "'%s': kbuild gives it no module name", recipe->unit);
	if (strchr(modname, ':'))
		return rk_err(RK_ERR_UNSUPPORTED, "'%s' is linked into more than one module: %s",
			      recipe->unit, modname);
	return find_module(kbuild, place, modname, recipe);
}

/* One at a time: two makes that write the same file would spoil it. */
static struct rk_err *make_generated(struct rk_kbuild *kbuild, const struct rk_kbuild_dir *dir,
				     const char *file)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_close_ int lock = -1;
	const char *obj = rk_arena_printf(&kbuild->arena, "obj=%s", dir->path);
	const char *lock_file =
		kbuild->dir ? rk_arena_printf(&kbuild->arena, "%s/lock", kbuild->dir) : NULL;

	if (!obj || (kbuild->dir && !lock_file))
		return rk_err_nomem();
	if (lock_file)
		RK_TRY(rk_fs_lock(lock_file, RK_LOCK_EXCLUSIVE, false, &lock));
	const char *const args[] = {obj, "need-builtin=1", "need-modorder=1", file};
	return rk_err_wrap(rk_kbuild_make(kbuild, args, ARRAY_SIZE(args), &res), "cannot make '%s'",
			   file);
}

/* Files that the build generates and this unit includes ("flask.h"): made now if the tree hasn't got them yet. */
static struct rk_err *make_missing(struct rk_kbuild *kbuild, const struct rk_place *place,
				   const char *prerequisites)
{
	for (const char *s = prerequisites; *(s += strspn(s, " "));) {
		size_t n = strcspn(s, " ");
		_cleanup_free_ char *word = strndup(s, n);
		_cleanup_free_ char *file =
			word ? rk_path_join(kbuild->target->source, word) : NULL;

		s += n;
		if (!file)
			return rk_err_nomem();
		/* Also prerequisites that are only checks (lib/test_fortify.log), or FORCE. */
		if (!(rk_has_suffix(word, ".h") || rk_has_suffix(word, ".c")) || rk_fs_exists(file))
			continue;
		if (kbuild->target->user_source)
			return rk_err(RK_ERR_NOT_FOUND,
				      "'%s' isn't in the source tree; run 'make %s' there first",
				      word, place->object);
		RK_TRY(make_generated(kbuild, place->dir, word));
	}
	return NULL;
}

static struct rk_err *make_recipe(struct rk_kbuild *kbuild, const char *unit,
				  const struct rk_place *place, const struct rk_recipe **ret)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	struct rk_arena *arena = &kbuild->arena;
	struct rk_recipe *recipe = rk_arena_new(arena, struct rk_recipe);
	const char *obj = rk_arena_printf(arena, "obj=%s", place->dir->path);
	const char *source =
		rk_arena_printf(arena, "%.*s.c", (int)strlen(place->object) - 2, place->object);
	const char *command, *prerequisites;

	if (!recipe || !obj || !source || !(recipe->unit = rk_arena_strdup(arena, unit)))
		return rk_err_nomem();
	const char *const args[] = {
		obj,
		"need-builtin=1",
		"need-modorder=1",
		"-n",
		"-W",
		source,
		"rule_cc_o_c=$(info rk-cc: $(cmd_cc_o_c))$(info rk-prerequisites: $^)",
		place->object,
	};
	RK_TRY(rk_kbuild_make(kbuild, args, ARRAY_SIZE(args), &res));
	RK_TRY(rk_output_line(arena, rk_str_get(&res.output), "rk-cc: ", &command));
	RK_TRY(rk_output_line(arena, rk_str_get(&res.output),
			      "rk-prerequisites: ", &prerequisites));
	if (!command || !prerequisites)
		return rk_err(RK_ERR_FORMAT, "'%s': kbuild doesn't say how it is compiled", unit);
	RK_TRY(take_commands(kbuild, command, place->object, recipe));
	RK_TRY(take_object(kbuild, place, recipe));
	RK_TRY(make_missing(kbuild, place, prerequisites));
	*ret = recipe;
	return NULL;
}

/* ---- kept on disk: strings with a NUL behind each; an argv is its length and then its words ---- */

static void put_argv(struct rk_str *out, const char *const *argv)
{
	size_t nr = 0;

	while (argv && argv[nr])
		nr++;
	rk_str_addf(out, "%zu", nr);
	rk_str_add_char(out, '\0');
	for (size_t i = 0; i < nr; i++)
		rk_str_add_bytes(out, argv[i], strlen(argv[i]) + 1);
}

static struct rk_err *recipe_file(const struct rk_kbuild *kbuild, const char *unit, char **ret)
{
	char hex[RK_SHA256_HEX_SIZE];

	RK_TRY(rk_sha256_bytes(unit, strlen(unit), hex));
	*ret = rk_asprintf("%s/recipe-%.16s", kbuild->dir, hex);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *keep_recipe(const struct rk_kbuild *kbuild, const char *unit,
				  const struct rk_recipe *recipe)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	_cleanup_free_ char *file = NULL;
	const char *const fields[] = {unit, recipe->unit, recipe->input, recipe->object,
				      recipe->module_path ? recipe->module_path : ""};

	RK_TRY(recipe_file(kbuild, unit, &file));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		rk_str_add_bytes(&out, fields[i], strlen(fields[i]) + 1);
	put_argv(&out, recipe->cc_argv);
	put_argv(&out, recipe->objtool_argv);
	RK_TRY(rk_str_check(&out));
	return rk_fs_write(file, out.s, out.len, 0666);
}

/* The next string of s … end, NULL at the end. */
static const char *get_string(const char **s, const char *end)
{
	const char *at = *s;
	const char *nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;

	if (!nul)
		return NULL;
	*s = nul + 1;
	return at;
}

static struct rk_err *get_argv(struct rk_kbuild *kbuild, const char **s, const char *end,
			       const char *const **ret, bool *ret_ok)
{
	const char *count = get_string(s, end);
	unsigned long nr = count ? strtoul(count, NULL, 10) : 0;

	*ret = NULL;
	*ret_ok = count && nr <= (size_t)(end - *s);
	if (!*ret_ok || nr == 0)
		return NULL;
	const char **argv = rk_arena_calloc(&kbuild->arena, nr + 1, sizeof(*argv));
	if (!argv)
		return rk_err_nomem();
	for (unsigned long i = 0; i < nr; i++) {
		argv[i] = get_string(s, end);
		*ret_ok = *ret_ok && argv[i];
	}
	*ret = argv;
	return NULL;
}

/* *ret stays NULL when there is no file, or one that isn't what we write. */
static struct rk_err *kept_recipe(struct rk_kbuild *kbuild, const char *unit,
				  const struct rk_recipe **ret)
{
	_cleanup_free_ char *file = NULL, *data = NULL;
	size_t len;

	RK_TRY(recipe_file(kbuild, unit, &file));
	if (!rk_fs_exists(file))
		return NULL;
	RK_TRY(rk_fs_read(file, RECIPE_MAX, &data, &len));
	const char *s = rk_arena_memdup(&kbuild->arena, data, len);
	struct rk_recipe *recipe = rk_arena_new(&kbuild->arena, struct rk_recipe);
	if (!s || !recipe)
		return rk_err_nomem();

	const char *end = s + len, *asked = get_string(&s, end);
	bool cc_ok, objtool_ok;
	recipe->unit = get_string(&s, end);
	recipe->input = get_string(&s, end);
	recipe->object = get_string(&s, end);
	recipe->module_path = get_string(&s, end);
	RK_TRY(get_argv(kbuild, &s, end, &recipe->cc_argv, &cc_ok));
	RK_TRY(get_argv(kbuild, &s, end, &recipe->objtool_argv, &objtool_ok));
	if (!recipe->module_path || !cc_ok || !objtool_ok || !recipe->cc_argv ||
	    !rk_streq(asked, unit))
		return NULL;
	if (!*recipe->module_path)
		recipe->module_path = NULL;
	*ret = recipe;
	return NULL;
}

/* Is unit compiled, or part of one that is? Costs no call of make but for directories that weren't asked for yet. */
static struct rk_err *locate(struct rk_kbuild *kbuild, const char *unit, struct rk_unit *answer)
{
	_cleanup_free_ char *object = strdup(unit);
	bool found = false, is_certain;

	if (!object)
		return rk_err_nomem();
	if (answer->is_located)
		return NULL;
	/* Two files that include each other and are compiled by nobody ask for each other. */
	answer->is_located = true;
	if (rk_is_unit_name(unit)) {
		object[strlen(object) - 1] = 'o';
		RK_TRY(find_place(kbuild, object, &answer->place, &found));
	}
	if (found)
		return NULL;
	RK_TRY(rk_unit_including(kbuild, unit, &answer->including));
	if (answer->including)
		return NULL;
	RK_TRY(rk_unit_reason(kbuild, unit, &answer->reason, &is_certain));
	return is_certain ? NULL : find_elsewhere(kbuild, object, &answer->place, &found);
}

/* What is known of unit, with the recipe if that was kept. */
static struct rk_err *get_unit(struct rk_kbuild *kbuild, const char *unit, struct rk_unit **ret)
{
	struct rk_unit *answer = rk_map_get(&kbuild->units, unit);

	if (!answer) {
		const char *key = rk_arena_strdup(&kbuild->arena, unit);

		answer = rk_arena_new(&kbuild->arena, struct rk_unit);
		if (!answer || !key)
			return rk_err_nomem();
		answer->reason = "not linked into the kernel or a module";
		if (!rk_map_set(&kbuild->units, key, answer))
			return rk_err_nomem();
		if (kbuild->keeps_recipes)
			RK_TRY(kept_recipe(kbuild, unit, &answer->recipe));
	}
	*ret = answer;
	return NULL;
}

struct rk_err *rk_kbuild_is_unit(struct rk_kbuild *kbuild, const char *path, bool *ret)
{
	struct rk_unit *answer;

	RK_TRY(get_unit(kbuild, path, &answer));
	if (!answer->recipe)
		RK_TRY(locate(kbuild, path, answer));
	*ret = answer->recipe ? rk_streq(answer->recipe->unit, path) : answer->place.dir != NULL;
	return NULL;
}

struct rk_err *rk_kbuild_recipe(struct rk_kbuild *kbuild, const char *unit,
				const struct rk_recipe **ret, const char **ret_reason)
{
	struct rk_unit *answer;

	RK_TRY(get_unit(kbuild, unit, &answer));
	if (!answer->recipe) {
		RK_TRY(locate(kbuild, unit, answer));
		if (answer->place.dir)
			RK_TRY(make_recipe(kbuild, unit, &answer->place, &answer->recipe));
		else if (answer->including)
			RK_TRY(rk_kbuild_recipe(kbuild, answer->including, &answer->recipe,
						&answer->reason));
		if (answer->recipe && kbuild->keeps_recipes)
			RK_TRY(keep_recipe(kbuild, unit, answer->recipe));
	}
	*ret = answer->recipe;
	*ret_reason = answer->recipe ? NULL : answer->reason;
	return NULL;
}
