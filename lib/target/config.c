/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An option that isn't set is an option that isn't there: "# CONFIG_X is not set" lines are comments. */
#include "lib/target/config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/vec.h"

#define DRIFT_SHOWN 6 /* options named in a message */

void rk_config_deinit(struct rk_config *config)
{
	rk_map_deinit(&config->options);
	rk_arena_deinit(&config->arena);
}

struct rk_err *rk_config_parse(const char *path, char *text, struct rk_config *ret)
{
	_cleanup_config_ struct rk_config config = {};

	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		char *equals = strchr(line, '=');
		if (!rk_has_prefix(line, "CONFIG_") || !equals)
			continue;
		*equals = '\0';
		char *name = rk_arena_strdup(&config.arena, line);
		char *value = rk_arena_strdup(&config.arena, equals + 1);
		if (!name || !value || !rk_map_set(&config.options, name, value))
			return rk_err_nomem();
	}
	if (config.options.nr == 0)
		return rk_err(RK_ERR_FORMAT,
			      "'%s' is no kernel configuration: it sets no CONFIG_ option", path);
	*ret = config;
	config = (struct rk_config){};
	return NULL;
}

struct rk_err *rk_config_read(const char *path, struct rk_config *ret)
{
	_cleanup_free_ char *text = NULL;

	RK_TRY(rk_fs_read(path, RK_CONFIG_MAX, &text, NULL));
	return rk_config_parse(path, text, ret);
}

/* Options that code doesn't depend on: versions of tools, and what only matters to who builds and signs (Debian
 * leaves those out of /boot/config). */
static bool is_neutral(const char *name)
{
	static const char *const names[] = {
		"CONFIG_CC_VERSION_TEXT",      "CONFIG_GCC_VERSION",
		"CONFIG_CLANG_VERSION",	       "CONFIG_AS_VERSION",
		"CONFIG_LD_VERSION",	       "CONFIG_LLD_VERSION",
		"CONFIG_PAHOLE_VERSION",       "CONFIG_RUSTC_VERSION_TEXT",
		"CONFIG_BINDGEN_VERSION_TEXT", "CONFIG_BUILD_SALT",
		"CONFIG_MODULE_SIG_ALL",       "CONFIG_MODULE_SIG_KEY",
		"CONFIG_SYSTEM_TRUSTED_KEYS",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (rk_streq(name, names[i]))
			return true;
	}
	/* What the installed rustc is like; without CONFIG_RUST, which has a name of its own, nothing uses it. */
	return rk_has_prefix(name, "CONFIG_RUSTC_");
}

struct difference {
	const char *name;
	const char *shipped; /* NULL: not set */
	const char *ours;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct difference *)a)->name, ((const struct difference *)b)->name);
}

struct differences {
	rk_vec(struct difference) list;
};

/* Options of shipped whose value in ours is another. */
static bool collect_changed(const struct rk_config *shipped, const struct rk_config *ours,
			    struct differences *to)
{
	const char *name;
	void *value;

	for (size_t pos = 0; rk_map_next(&shipped->options, &pos, &name, &value);) {
		const char *other = rk_map_get(&ours->options, name);

		if (is_neutral(name) || (other && rk_streq(other, value)))
			continue;
		if (!rk_vec_push(&to->list, ((struct difference){name, value, other})))
			return false;
	}
	return true;
}

/* Options of ours that shipped doesn't set. */
static bool collect_added(const struct rk_config *shipped, const struct rk_config *ours,
			  struct differences *to)
{
	const char *name;
	void *value;

	for (size_t pos = 0; rk_map_next(&ours->options, &pos, &name, &value);) {
		if (is_neutral(name) || rk_map_get(&shipped->options, name))
			continue;
		if (!rk_vec_push(&to->list, ((struct difference){name, NULL, value})))
			return false;
	}
	return true;
}

struct rk_err *rk_config_compare(const struct rk_config *shipped, const struct rk_config *ours,
				 bool subset, struct rk_config_drift *ret)
{
	struct differences found = {};
	struct rk_str text = RK_STR_INIT;

	if (!collect_changed(shipped, ours, &found) ||
	    (!subset && !collect_added(shipped, ours, &found))) {
		rk_vec_deinit(&found.list);
		return rk_err_nomem();
	}
	if (found.list.nr)
		qsort(found.list.v, found.list.nr, sizeof(*found.list.v), by_name);
	for (size_t i = 0; i < found.list.nr && i < DRIFT_SHOWN; i++) {
		const struct difference *d = &found.list.v[i];

		rk_str_addf(&text, "%s%s (%s, %s)", i ? ", " : "", d->name,
			    d->shipped ? d->shipped : "not set", d->ours ? d->ours : "not set");
	}
	if (found.list.nr > DRIFT_SHOWN)
		rk_str_add(&text, " …");
	*ret = (struct rk_config_drift){found.list.nr, text};
	rk_vec_deinit(&found.list);
	return rk_str_check(&ret->text);
}
