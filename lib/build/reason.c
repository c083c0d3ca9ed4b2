/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a file isn't part of this kernel, in kbuild's terms. make only tells that an object is not in its lists; the reason
 * is read from the text of the Makefile: the assignment that names the object and the option it hangs on.
 */
#include <ctype.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

#define MAKEFILE_MAX  (4u << 20)
#define CONFIG_MAX    (16u << 20)
#define COMPOSITE_MAX 8	  /* objects of objects of … */
#define OPTION_MAX    128 /* length of a configuration option's name */

struct search {
	struct rk_kbuild *kbuild;
	const char *config;
	char option[OPTION_MAX]; /* the first option that is off */
};

static bool is_set(const struct search *search, const char *option)
{
	size_t n = strlen(option);

	for (const char *s = search->config; (s = strstr(s, option)); s += n) {
		if ((s == search->config || s[-1] == '\n') && s[n] == '=')
			return s[n + 1] != 'n';
	}
	return false;
}

/* The option in "obj-$(CONFIG_X25)" or "ifeq ($(CONFIG_X25),y)". */
static bool find_option(const char *s, const char *end, char ret[OPTION_MAX])
{
	for (; s + strlen("CONFIG_") < end; s++) {
		size_t n = 0;

		if (memcmp(s, "CONFIG_", strlen("CONFIG_")) != 0)
			continue;
		while (s + n < end && (isalnum((unsigned char)s[n]) || s[n] == '_'))
			n++;
		if (n >= OPTION_MAX)
			return false;
		memcpy(ret, s, n);
		ret[n] = '\0';
		return true;
	}
	return false;
}

static void note_option(struct search *search, const char *s, const char *end)
{
	char option[OPTION_MAX];

	if (!search->option[0] && find_option(s, end, option) && !is_set(search, option))
		memcpy(search->option, option, sizeof(option));
}

static bool has_word(const char *s, const char *end, const char *word)
{
	size_t len = strlen(word);

	while (s < end) {
		size_t n = 0;

		while (s < end && isspace((unsigned char)*s))
			s++;
		while (s + n < end && !isspace((unsigned char)s[n]))
			n++;
		if (n == len && memcmp(s, word, n) == 0)
			return true;
		s += n;
	}
	return false;
}

/* "foo-$(CONFIG_X) := a.o b.o": is it an assignment that names word? *ret_value is behind its operator. */
static bool assigns(const char *line, const char *end, const char *word, const char **ret_value)
{
	const char *op = memchr(line, '=', (size_t)(end - line));

	if (!op || line == op || isspace((unsigned char)*line))
		return false;
	*ret_value = op + 1;
	return has_word(op + 1, end, word);
}

/* Joins continued lines, in place. */
static void join_lines(char *text)
{
	for (char *s = text; (s = strstr(s, "\\\n"));)
		s[0] = s[1] = ' ';
}

/* The composite object that "foo-y", "foo-objs", "foo-$(…)" builds: "foo.o"; false for the kernel's own lists. */
static bool composite_name(const char *line, const char *end, char *ret, size_t size)
{
	const char *const own[] = {"obj", "lib", "subdir", "extra", "always", "hostprogs"};
	size_t n = 0;

	while (line + n < end && !isspace((unsigned char)line[n]) && line[n] != '=' &&
	       line[n] != '$' && line[n] != ':' && line[n] != '+')
		n++;
	while (n > 0 && line[n - 1] != '-')
		n--;
	if (n < 2 || n + 2 > size)
		return false;
	n--;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (n == strlen(own[i]) && memcmp(line, own[i], n) == 0)
			return false;
	}
	snprintf(ret, size, "%.*s.o", (int)n, line);
	return true;
}

/* Follows word ("x25.o" or "x25/") through the Makefile's assignments; true when the Makefile names it at all. */
static bool follow(struct search *search, const char *text, const char *word, int depth)
{
	const char *conditions[COMPOSITE_MAX * 4];
	size_t nr_conditions = 0;
	bool found = false;

	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n"), *value;
		const char *first = line + strspn(line, " \t");

		if (rk_has_prefix(first, "if") && nr_conditions < ARRAY_SIZE(conditions))
			conditions[nr_conditions++] = first;
		else if (rk_has_prefix(first, "endif") && nr_conditions > 0)
			nr_conditions--;
		if (assigns(line, end, word, &value)) {
			char composite[256];

			found = true;
			note_option(search, line, value);
			for (size_t i = 0; i < nr_conditions; i++)
				note_option(search, conditions[i],
					    conditions[i] + strcspn(conditions[i], "\n"));
			if (!search->option[0] && depth < COMPOSITE_MAX &&
			    composite_name(line, end, composite, sizeof(composite)))
				follow(search, text, composite, depth + 1);
		}
		line = *end ? end + 1 : end;
	}
	return found;
}

struct rk_err *rk_makefile(struct rk_kbuild *kbuild, const char *path, const char **ret)
{
	static const char none[] = "";
	const char *known = rk_map_get(&kbuild->makefiles, path);

	if (!known) {
		_cleanup_free_ char *file = rk_path_join(kbuild->target->source, path);
		_cleanup_free_ char *text = NULL;
		const char *key = rk_arena_strdup(&kbuild->arena, path);

		if (!file || !key)
			return rk_err_nomem();
		known = none;
		if (rk_fs_exists(file)) {
			RK_TRY(rk_fs_read(file, MAKEFILE_MAX, &text, NULL));
			join_lines(text);
			known = rk_arena_strdup(&kbuild->arena, text);
		}
		if (!known || !rk_map_set(&kbuild->makefiles, key, (void *)known))
			return rk_err_nomem();
	}
	*ret = known == none ? NULL : known;
	return NULL;
}

/* *ret_text stays NULL when dir has none. */
static struct rk_err *makefile_of(struct rk_kbuild *kbuild, const char *dir, const char **ret_text,
				  char **ret_name)
{
	const char *const names[] = {"Kbuild", "Makefile"};

	for (size_t i = 0; i < ARRAY_SIZE(names) && !*ret_text; i++) {
		_cleanup_free_ char *name =
			rk_streq(dir, ".") ? strdup(names[i]) : rk_path_join(dir, names[i]);

		if (!name)
			return rk_err_nomem();
		RK_TRY(rk_makefile(kbuild, name, ret_text));
		if (*ret_text)
			*ret_name = take_ptr(name);
	}
	return NULL;
}

/* Looks for path ("net/x25/x25_in.o", then "net/x25/") in the Makefiles above it. *ret is NULL when all of them are
 * content with it. */
static struct rk_err *climb(struct search *search, const char *path, const char **ret)
{
	struct rk_arena *arena = &search->kbuild->arena;
	_cleanup_free_ char *word_path = strdup(path), *dir = strdup(path);
	const char *unnamed = NULL;
	bool is_first = true;
	char *slash;

	if (!word_path || !dir)
		return rk_err_nomem();
	*ret = NULL;
	while (*dir && !rk_streq(dir, ".")) {
		_cleanup_free_ char *name = NULL;
		const char *word = word_path, *text = NULL;

		slash = strrchr(dir, '/');
		if (slash) {
			*slash = '\0';
			word = word_path + strlen(dir) + 1;
		} else {
			memcpy(dir, ".", 2);
		}
		RK_TRY(makefile_of(search->kbuild, dir, &text, &name));
		if (!text)
			continue;
		if (!follow(search, text, word, 0) && is_first) {
			unnamed = rk_arena_printf(arena, "not named by %s", name);
			if (!unnamed)
				return rk_err_nomem();
		}
		is_first = false;
		if (search->option[0]) {
			*ret = rk_arena_printf(arena, "%s is not set", search->option);
			return *ret ? NULL : rk_err_nomem();
		}
		/* Named or not: from here on the question is whether the build gets into this directory. */
		snprintf(word_path, strlen(path) + 1, "%s/", dir);
	}
	*ret = unnamed;
	return NULL;
}

struct rk_err *rk_unit_reason(struct rk_kbuild *kbuild, const char *unit, const char **ret,
			      bool *ret_is_certain)
{
	struct search search = {.kbuild = kbuild};
	struct rk_arena *arena = &kbuild->arena;
	_cleanup_free_ char *object = strdup(unit);
	size_t arch_len = strcspn(rk_has_prefix(unit, "arch/") ? unit + 5 : "", "/");

	*ret_is_certain = true;
	if (!object)
		return rk_err_nomem();
	if (arch_len && (arch_len != strlen(kbuild->srcarch) ||
			 memcmp(unit + 5, kbuild->srcarch, arch_len) != 0)) {
		*ret = rk_arena_printf(arena, "for another machine (arch/%.*s)", (int)arch_len,
				       unit + 5);
		return *ret ? NULL : rk_err_nomem();
	}
	if (!rk_has_suffix(unit, ".c")) {
		*ret = "not a C file";
		return NULL;
	}
	object[strlen(object) - 1] = 'o';
	if (!kbuild->config)
		RK_TRY(rk_fs_read(kbuild->target->config, CONFIG_MAX, &kbuild->config, NULL));
	search.config = kbuild->config;
	RK_TRY(climb(&search, object, ret));
	*ret_is_certain = search.option[0] != '\0';
	if (!*ret)
		*ret = "not linked into the kernel or a module";
	return NULL;
}
