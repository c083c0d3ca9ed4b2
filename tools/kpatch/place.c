/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system is meant, and which file of it. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tools/common/render.h"
#include "tools/kpatch/kpatch.h"

struct rk_err *kpatch_place_init(const struct rk_cli *cli, struct kpatch_place *ret)
{
	const struct kpatch_values *values = cli->values;
	bool is_host = !values->root || rk_streq(values->root, "/");
	_cleanup_free_ char *root = NULL;
	struct rk_host *host;

	if (!is_host)
		RK_TRY(rk_cli_absolute_path(values->root, &root));
	RK_TRY(rk_host_create(is_host ? "" : root, &host));
	*ret = (struct kpatch_place){.host = host, .roots = host->roots, .is_host = is_host};
	return NULL;
}

void kpatch_place_deinit(struct kpatch_place *place)
{
	rk_host_free(place->host);
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

void kpatch_warn_guard(struct rk_err *err)
{
	if (err)
		rk_render_warning(stderr,
				  "what the next boot has to know can't be written down: %s",
				  rk_err_message(err));
	rk_err_free(err);
}
