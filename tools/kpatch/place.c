/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system is meant, and which file of it. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tools/kpatch/kpatch.h"

struct rk_err *kpatch_place_init(const struct rk_cli *cli, struct kpatch_place *ret)
{
	const struct kpatch_values *values = cli->values;
	struct kpatch_place place = {
		.roots = rk_livepatch_roots,
		.disable_file = "/etc/readykernel/disable",
		.is_host = true,
	};
	const char **paths[] = {&place.roots.sys,   &place.roots.proc, &place.roots.modules,
				&place.roots.store, &place.roots.run,  &place.disable_file};

	if (values->root && !rk_streq(values->root, "/")) {
		_cleanup_free_ char *root = NULL;

		RK_TRY(rk_cli_absolute_path(values->root, &root));
		place.is_host = false;
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
			*paths[i] = rk_arena_printf(&place.arena, "%s%s", root, *paths[i]);
			if (!*paths[i]) {
				kpatch_place_deinit(&place);
				return rk_err_nomem();
			}
		}
	}
	*ret = place;
	return NULL;
}

void kpatch_place_deinit(struct kpatch_place *place)
{
	rk_arena_deinit(&place->arena);
}

struct rk_livepatch_patience kpatch_patience(const struct rk_cli *cli)
{
	const struct kpatch_values *values = cli->values;
	struct rk_livepatch_patience patience = rk_livepatch_patience;

	if (values->wait_s)
		patience.first_ms = values->wait_s * 1000;
	if (values->timeout_s)
		patience.second_ms = values->timeout_s * 1000;
	return patience;
}

bool kpatch_is_path(const char *what)
{
	return strchr(what, '/') || (rk_has_suffix(what, ".ko") && rk_fs_exists(what));
}

struct rk_err *kpatch_find_file(const struct kpatch_place *place, const char *release,
				const char *what, char **ret)
{
	if (kpatch_is_path(what))
		return rk_cli_absolute_path(what, ret);
	RK_TRY(rk_installed_find(&place->roots, release, what, ret));
	if (*ret)
		return NULL;
	if (rk_has_suffix(what, ".ko"))
		return rk_cli_absolute_path(what, ret);
	return rk_err(
		RK_ERR_NOT_FOUND,
		"'%s' is not installed for kernel %s, and a file's name ends with '.ko' or has a "
		"'/'; 'kpatch list' shows what is installed",
		what, release);
}
