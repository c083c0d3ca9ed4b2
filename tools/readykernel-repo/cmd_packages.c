/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo packages: the levels of a repository as packages that apt and dnf install. The repository is walked through as
 * for a copy; what its timestamp says must not be loaded doesn't become a package, and ceases to be one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/package/repository.h"
#include "tools/common/render.h"
#include "tools/readykernel-repo/readykernel-repo.h"

struct packages_values {
	const char *root, *channel, *format, *gpg_key;
	struct rk_strings kernels;
};

static const struct rk_option options[] = {
	ROOT_OPTION(struct packages_values),
	KERNELS_OPTION(struct packages_values),
	RK_OPT_CHOICE(0, "channel", struct packages_values, channel, "test|early|stable",
		      "only this one (all that have levels)"),
	RK_OPT_CHOICE(0, "format", struct packages_values, format, "deb|rpm", "only these (both)"),
	RK_OPT_STR(0, "gpg-key", struct packages_values, gpg_key, "KEY",
		   "sign the lists with this key of your GnuPG keyring"),
	RK_OPT_END,
};

struct collection {
	const struct packages_values *v;
	char *work; /* modules lie here until they are packed */
	rk_vec(struct rk_release *) releases;
	struct rk_timestamp *timestamp;
};

static void collection_deinit(struct collection *c)
{
	rk_vec_for_each(&c->releases, release)
		rk_release_free(*release);
	rk_vec_deinit(&c->releases);
	rk_timestamp_free(c->timestamp);
	if (c->work)
		rk_err_free(rk_fs_remove_tree(c->work));
	free(c->work);
}

/* --- collecting --- */

static bool wants(void *ctx, const struct rk_index_kernel *kernel, enum rk_channel channel)
{
	const struct packages_values *v = ((const struct collection *)ctx)->v;

	return repo_is_meant(&v->kernels, kernel) &&
	       (!v->channel || rk_streq(v->channel, rk_channel_name(channel)));
}

/* Where a module lies: its name in the repository is its hash. */
static char *module_path(const struct collection *c, const char *file)
{
	return rk_path_join(c->work, file);
}

static struct rk_err *on_file(void *ctx, const char *name, const char *bytes, size_t len)
{
	struct collection *c = ctx;
	struct rk_signed file;

	if (rk_streq(name, RK_NAME_TIMESTAMP)) {
		RK_TRY(rk_signed_parse(name, bytes, len, &file));
		return rk_timestamp_parse(name, file.payload, file.payload_len, &c->timestamp);
	}
	if (!rk_has_suffix(name, ".ko"))
		return NULL;
	_cleanup_free_ char *path = module_path(c, strrchr(name, '/') + 1);
	return path ? rk_fs_write(path, bytes, len, 0644) : rk_err_nomem();
}

/* The walk's own is gone with the next one. */
static struct rk_err *on_release(void *ctx, const struct rk_release *release)
{
	struct collection *c = ctx;
	_cleanup_free_ char *text = NULL;
	_cleanup_release_ struct rk_release *copy = NULL;

	RK_TRY(rk_release_write(release, &text));
	RK_TRY(rk_release_parse("release", text, strlen(text), &copy));
	if (!rk_vec_push(&c->releases, copy))
		return rk_err_nomem();
	take_ptr(copy);
	return NULL;
}

static struct rk_err *collect(const struct rk_cli *cli, struct collection *c)
{
	_cleanup_repo_source_ struct repo_source source = {.fd = -1};
	const struct rk_repo_walk walk = {
		.source = &source.source,
		.root_path = c->v->root,
		.now = repo_now(),
		.wants = wants,
		.on_file = on_file,
		.on_release = on_release,
		.ctx = c,
		.reporter = cli->reporter,
	};
	struct rk_repo_walked done;

	RK_TRY(repo_source_open(cli->operands[0], &source));
	return rk_repo_walk(&walk, &done);
}

/* --- choosing --- */

static struct rk_err *add_packages(const struct collection *c, const struct rk_release *release,
				   struct rk_arena *arena, struct rk_packages *packages)
{
	rk_vec_for_each(&release->levels, level) {
		if (rk_timestamp_level_state(c->timestamp, release->kernel.build_id, level->level,
					     NULL) != RK_LEVEL_GOOD)
			continue;
		_cleanup_free_ char *path = module_path(c, level->file);
		struct rk_package package = {.kernel = &release->kernel, .level = level};

		package.file = path ? rk_arena_strdup(arena, path) : NULL;
		if (!package.file || !rk_vec_push(&packages->list, package))
			return rk_err_nomem();
	}
	return NULL;
}

/* --- writing --- */

static struct rk_err *write_format(const struct rk_cli *cli, const struct collection *c,
				   const struct rk_packages *packages, enum rk_channel channel,
				   enum rk_package_format format, struct rk_packages_result *sum)
{
	const char *name = format == RK_PACKAGE_DEB ? "deb" : "rpm";
	struct rk_packages_result done;

	if (c->v->format && !rk_streq(c->v->format, name))
		return NULL;
	RK_TRY(rk_packages_write(packages, format, channel, cli->operands[1], c->v->gpg_key,
				 cli->reporter, &done));
	sum->written += done.written;
	sum->kept += done.kept;
	sum->removed += done.removed;
	return NULL;
}

static struct rk_err *write_channel(const struct rk_cli *cli, const struct collection *c,
				    enum rk_channel channel, struct rk_packages_result *sum)
{
	struct rk_packages packages = {};
	struct rk_arena arena;
	struct rk_err *err = NULL;
	bool is_there = false;

	rk_arena_init(&arena);
	rk_vec_for_each(&c->releases, release) {
		if ((*release)->channel != channel || err)
			continue;
		is_there = true;
		err = add_packages(c, *release, &arena, &packages);
	}
	for (int format = 0; is_there && !err && format < RK_PACKAGE_FORMATS; format++)
		err = write_format(cli, c, &packages, channel, (enum rk_package_format)format, sum);
	rk_vec_deinit(&packages.list);
	rk_arena_deinit(&arena);
	return err;
}

static struct rk_err *packages(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct packages_values *v = cli->values;
	_cleanup_(collection_deinit) struct collection c = {.v = v};
	struct rk_packages_result sum = {};

	RK_TRY(repo_need_root(v->root));
	RK_TRY(rk_fs_mkdir_p(cli->operands[1], 0755));
	_cleanup_free_ char *out = realpath(cli->operands[1], NULL);
	if (!out)
		return rk_err_sys(errno, "cannot resolve '%s'", cli->operands[1]);
	RK_TRY(rk_fs_mkdtemp(out, ".modules-", &c.work));
	RK_TRY(collect(cli, &c));
	for (int channel = 0; channel < RK_CHANNELS; channel++)
		RK_TRY(write_channel(cli, &c, (enum rk_channel)channel, &sum));
	if (!cli->quiet)
		printf("%" PRIu64 " packages written, %" PRIu64 " kept, %" PRIu64 " removed\n",
		       sum.written, sum.kept, sum.removed);
	return NULL;
}

const struct rk_verb verb_packages = {
	.name = "packages",
	.operands = "DIR|URL DIR",
	.summary = "write the levels of a repository as packages for apt and dnf",
	.description =
		"Each level becomes a deb and an rpm that loads it when it is installed and unloads it when it is removed:\n"
		"readykernel-patch-KERNEL-LEVEL, and readykernel-patch-KERNEL that depends on the newest. The second directory\n"
		"then has apt/ and dnf/ for any web server. Blocked and withdrawn levels are left out. Again: what is new.",
	.options = options,
	.values_size = sizeof(struct packages_values),
	.min_operands = 2,
	.max_operands = 2,
	.run = packages,
};
