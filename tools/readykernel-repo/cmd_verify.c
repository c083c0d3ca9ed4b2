/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo verify, mirror, bundle: a walk through a repository as its clients see it, and what becomes of its files. */
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/trust/bundle.h"
#include "tools/common/render.h"
#include "tools/readykernel-repo/readykernel-repo.h"

/* --- verify --- */

struct verify_values {
	const char *root, *at;
};

static const struct rk_option verify_options[] = {
	ROOT_OPTION(struct verify_values),
	RK_OPT_STR(0, "at", struct verify_values, at, "TIME", "as hosts will see it at TIME (now)"),
	RK_OPT_END,
};

static struct rk_err *show_walked(const struct rk_cli *cli, const char *schema,
				  const struct rk_repo_walked *done)
{
	if (!cli->json) {
		if (!cli->quiet)
			repo_show_walked(done);
		return NULL;
	}
	json_t *doc = rk_render_document(schema, 1);

	json_object_set_new(doc, "root", json_integer((json_int_t)done->root));
	json_object_set_new(doc, "timestamp", json_integer((json_int_t)done->timestamp));
	json_object_set_new(doc, "valid_until", rk_json_time(done->timestamp_expires));
	json_object_set_new(doc, "kernels", json_integer((json_int_t)done->kernels));
	json_object_set_new(doc, "releases", json_integer((json_int_t)done->releases));
	json_object_set_new(doc, "levels", json_integer((json_int_t)done->levels));
	json_object_set_new(doc, "files", json_integer((json_int_t)done->files));
	json_object_set_new(doc, "bytes", json_integer((json_int_t)done->bytes));
	return rk_render_json(doc);
}

static struct rk_err *verify(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct verify_values *v = cli->values;
	_cleanup_repo_source_ struct repo_source source = {.fd = -1};
	struct rk_repo_walk walk = {
		.source = &source.source, .root_path = v->root, .reporter = cli->reporter};
	struct rk_repo_walked done;

	RK_TRY(repo_need_root(v->root));
	RK_TRY(repo_parse_time(v->at, &walk.now));
	if (!v->at)
		walk.now = repo_now();
	RK_TRY(repo_source_open(cli->nr_operands ? cli->operands[0] : ".", &source));
	walk.allow_bundle = walk.is_partial = source.bundle != NULL;
	RK_TRY(rk_repo_walk(&walk, &done));
	return show_walked(cli, "readykernel-repo-verify", &done);
}

const struct rk_verb verb_verify = {
	.name = "verify",
	.operands = "[DIR|URL|BUNDLE]",
	.summary = "check a whole repository as a host would, every file of it",
	.description = "Exit status 3 when a host would refuse any of it.",
	.options = verify_options,
	.values_size = sizeof(struct verify_values),
	.max_operands = 1,
	.has_json = true,
	.run = verify,
};

/* --- mirror --- */

struct mirror_values {
	const char *root;
};

static const struct rk_option mirror_options[] = {
	ROOT_OPTION(struct mirror_values),
	RK_OPT_END,
};

static struct rk_err *read_version(const char *name, const char *bytes, size_t len, uint64_t *ret)
{
	_cleanup_timestamp_ struct rk_timestamp *timestamp = NULL;
	_cleanup_root_ struct rk_root *root = NULL;
	struct rk_signed file;

	RK_TRY(rk_signed_parse(name, bytes, len, &file));
	if (rk_streq(name, RK_NAME_ROOT)) {
		RK_TRY(rk_root_parse(name, file.payload, file.payload_len, &root));
		*ret = root->version;
		return NULL;
	}
	RK_TRY(rk_timestamp_parse(name, file.payload, file.payload_len, &timestamp));
	*ret = timestamp->version;
	return NULL;
}

/* Those that don't have their version in their name. What can't be read in the copy is no newer one. */
static struct rk_err *refuse_older(const char *dir, const char *name, const char *bytes, size_t len)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);
	_cleanup_free_ char *old = NULL;
	uint64_t version, there = 0;
	size_t old_len;

	if (!path)
		return rk_err_nomem();
	RK_TRY(read_version(name, bytes, len, &version));
	struct rk_err *err = rk_fs_read(path, rk_repository_name_limit(name), &old, &old_len);
	if (!err)
		err = read_version(name, old, old_len, &there);
	rk_err_free(err);
	if (version >= there)
		return NULL;
	return rk_err(RK_ERR_ROLLBACK,
		      "'%s' has version %llu, and '%s' has version %llu, which stays; remove it if "
		      "it is wrong",
		      name, (unsigned long long)version, path, (unsigned long long)there);
}

static struct rk_err *write_file(void *ctx, const char *name, const char *bytes, size_t len)
{
	if (rk_streq(name, RK_NAME_ROOT) || rk_streq(name, RK_NAME_TIMESTAMP))
		RK_TRY(refuse_older(ctx, name, bytes, len));
	return rk_fs_write_below(ctx, name, bytes, len, 0644);
}

static bool has_file(void *ctx, const char *name, uint64_t length, const char *sha256)
{
	const char *dir = ctx;
	_cleanup_free_ char *path = rk_path_join(dir, name);
	_cleanup_free_ char *bytes = NULL;
	char hex[RK_SHA256_HEX_SIZE];
	size_t len;

	if (!path || !rk_fs_exists(path))
		return false;
	_cleanup_err_ struct rk_err *err = rk_fs_read(path, length, &bytes, &len);
	if (!err)
		err = rk_sha256_bytes(bytes, len, hex);
	return !err && len == length && rk_streq(hex, sha256);
}

static struct rk_err *mirror(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct mirror_values *v = cli->values;
	_cleanup_repo_source_ struct repo_source source = {.fd = -1};
	const struct rk_repo_walk walk = {
		.source = &source.source,
		.root_path = v->root,
		.now = repo_now(),
		.on_file = write_file,
		.has_file = has_file,
		.ctx = (void *)cli->operands[1],
		.reporter = cli->reporter,
	};
	struct rk_repo_walked done;

	RK_TRY(repo_need_root(v->root));
	RK_TRY(repo_source_open(cli->operands[0], &source));
	RK_TRY(rk_fs_mkdir_p(cli->operands[1], 0755));
	RK_TRY(rk_repo_walk(&walk, &done));
	return show_walked(cli, "readykernel-repo-mirror", &done);
}

const struct rk_verb verb_mirror = {
	.name = "mirror",
	.operands = "DIR|URL DIR",
	.summary = "copy a repository, verified, whole; again: what is new",
	.description =
		"Hosts can be served from the copy at any time: the timestamp is written last.",
	.options = mirror_options,
	.values_size = sizeof(struct mirror_values),
	.min_operands = 2,
	.max_operands = 2,
	.run = mirror,
};

/* --- bundle --- */

struct bundle_values {
	const char *repo, *channel, *days;
	struct rk_strings keys, kernels;
};

static const struct rk_option bundle_options[] = {
	REPO_OPTION(struct bundle_values),
	RK_OPT_LIST('k', "key", struct bundle_values, keys, "FILE",
		    "the private key that signs the bundle's timestamp"),
	KERNELS_OPTION(struct bundle_values),
	RK_OPT_CHOICE(0, "channel", struct bundle_values, channel, "test|early|stable",
		      "the channel (stable)"),
	RK_OPT_STR(0, "days", struct bundle_values, days, "N",
		   "how long it is valid, 1 to 365 (90)"),
	RK_OPT_END,
};

struct bundler {
	const struct bundle_values *v;
	enum rk_channel channel;
	unsigned int days;
	struct rk_bundle_writer *writer;
};

static bool wants(void *ctx, const struct rk_index_kernel *kernel, enum rk_channel channel)
{
	const struct bundler *b = ctx;

	return channel == b->channel && repo_is_meant(&b->v->kernels, kernel);
}

static struct rk_err *add_file(void *ctx, const char *name, const char *bytes, size_t len)
{
	struct bundler *b = ctx;

	/* the bundle has one of its own */
	if (rk_streq(name, RK_NAME_TIMESTAMP))
		return NULL;
	return rk_bundle_writer_add(b->writer, name, bytes, len);
}

/* What the repository's says, for longer. */
static struct rk_err *add_timestamp(struct bundler *b, const struct rk_repo *repo,
				    const struct repo_keys *keys)
{
	const struct rk_role *role = &rk_repo_root(repo)->roles[RK_ROLE_TIMESTAMP];
	_cleanup_timestamp_ struct rk_timestamp *t = NULL;
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	RK_TRY(rk_repo_timestamp(repo, &t));
	t->is_bundle = true;
	t->issued = repo_now();
	t->expires = t->issued + b->days * RK_DAY_SECONDS;
	RK_TRY(rk_timestamp_sign(t, role, (const struct rk_private_key *const *)keys->v, keys->nr,
				 &bytes, &len));
	return rk_bundle_writer_add(b->writer, RK_NAME_TIMESTAMP, bytes, len);
}

static struct rk_err *write_bundle(const struct rk_cli *cli, const struct rk_repo *repo,
				   const struct repo_keys *keys, struct bundler *b,
				   struct rk_repo_walked *ret)
{
	_cleanup_free_ char *root = rk_path_join(rk_repo_dir(repo), RK_NAME_ROOT);
	_cleanup_repo_source_ struct repo_source source = {.fd = -1};
	const struct rk_repo_walk walk = {
		.source = &source.source,
		.root_path = root, /* our own: it is what we publish */
		.now = repo_now(),
		.wants = wants,
		.on_file = add_file,
		.ctx = b,
		.reporter = cli->reporter,
	};

	if (!root)
		return rk_err_nomem();
	RK_TRY(repo_source_open(rk_repo_dir(repo), &source));
	RK_TRY(rk_repo_walk(&walk, ret));
	if (!ret->releases)
		return rk_err(RK_ERR_NOT_FOUND, "no published release is meant by that");
	return add_timestamp(b, repo, keys);
}

static struct rk_err *bundle(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct bundle_values *v = cli->values;
	_cleanup_repo_ struct rk_repo *repo = NULL;
	_cleanup_repo_keys_ struct repo_keys keys = {};
	struct bundler b = {.v = v, .channel = RK_CHANNEL_STABLE};
	struct rk_repo_walked done = {};

	RK_TRY(repo_parse_days(v->days, RK_BUNDLE_DAYS, RK_BUNDLE_DAYS_MAX, &b.days));
	RK_TRY(repo_read_keys(&v->keys, &keys));
	if (v->channel)
		RK_TRY(rk_channel_parse(v->channel, &b.channel));
	RK_TRY(repo_open(v->repo, RK_REPO_WRITE, &repo));
	if (!rk_repo_root(repo))
		return rk_err(RK_ERR_NOT_FOUND, "no root is published yet");
	RK_TRY(rk_bundle_writer_create(cli->operands[0], &b.writer));
	struct rk_err *err = write_bundle(cli, repo, &keys, &b, &done);
	if (err) {
		rk_bundle_writer_abandon(b.writer);
		return err;
	}
	RK_TRY(rk_bundle_writer_finish(b.writer));
	if (!cli->quiet)
		printf("%s holds %zu releases with %zu levels\n", cli->operands[0], done.releases,
		       done.levels);
	return NULL;
}

const struct rk_verb verb_bundle = {
	.name = "bundle",
	.operands = "FILE",
	.summary = "write a bundle for hosts without a network",
	.description =
		"One tar file of what hosts need, with a timestamp of its own that is valid for 90 days. It is installed with\n"
		"'readykernel bundle install'.",
	.options = bundle_options,
	.values_size = sizeof(struct bundle_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = bundle,
};
