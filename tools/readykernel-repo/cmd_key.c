/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo key: new keys, and who may sign what. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "tools/common/render.h"
#include "tools/readykernel-repo/readykernel-repo.h"
#include "tools/readykernel-repo/roles.h"

/* --- key new --- */

static struct rk_err *key_new(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_free_ char *private = rk_asprintf("%s.key", cli->operands[0]);
	_cleanup_free_ char *public = rk_asprintf("%s.pub", cli->operands[0]);
	_cleanup_private_key_ struct rk_private_key *key = NULL;

	if (!private || !public)
		return rk_err_nomem();
	if (rk_fs_exists(private))
		return rk_err_sys(EEXIST, "cannot create '%s'", private);
	RK_TRY(rk_private_key_generate(&key));
	/* first: what an interruption leaves is a public key that nobody ever had, not a private one without it */
	RK_TRY(rk_public_key_write(rk_private_key_public(key), public));
	struct rk_err *err = rk_private_key_write(key, private);
	if (err) {
		rk_err_free(rk_fs_unlink(public));
		return err;
	}
	if (!cli->quiet)
		printf("%s  %s %s\n", rk_private_key_public(key)->id, private, public);
	return NULL;
}

const struct rk_verb verb_key_new = {
	.name = "key new",
	.operands = "NAME",
	.summary = "make a key: NAME.key, which only its owner may read, and NAME.pub",
	.min_operands = 1,
	.max_operands = 1,
	.run = key_new,
};

/* --- key show --- */

static struct rk_err *read_any(const char *path, struct rk_public_key *ret)
{
	_cleanup_private_key_ struct rk_private_key *key = NULL;
	struct rk_err *err = rk_public_key_read(path, ret);

	if (!err || rk_err_code(err) != RK_ERR_FORMAT)
		return err;
	rk_err_free(err);
	RK_TRY(rk_private_key_read(path, &key));
	*ret = *rk_private_key_public(key);
	return NULL;
}

static struct rk_err *key_show(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	struct rk_public_key key;

	RK_TRY(read_any(cli->operands[0], &key));
	if (cli->json) {
		json_t *doc = rk_render_document("readykernel-repo-key-show", 1);

		json_object_set_new(doc, "id", json_string(key.id));
		return rk_render_json(doc);
	}
	printf("%s\n", key.id);
	return NULL;
}

const struct rk_verb verb_key_show = {
	.name = "key show",
	.operands = "FILE",
	.summary = "show the id of a key",
	.min_operands = 1,
	.max_operands = 1,
	.has_json = true,
	.run = key_show,
};

/* --- key rotate --- */

struct rotate_values {
	const char *repo;
	struct rk_strings add, remove, threshold;
	unsigned int days;
};

static const struct rk_option rotate_options[] = {
	REPO_OPTION(struct rotate_values),
	RK_OPT_LIST(0, "add", struct rotate_values, add, "ROLE:FILE",
		    "a public key that may sign for ROLE from now on"),
	RK_OPT_LIST(0, "remove", struct rotate_values, remove, "ROLE:KEY",
		    "a key that may no more: its name or the beginning of its id"),
	RK_OPT_LIST(0, "threshold", struct rotate_values, threshold, "ROLE:N",
		    "how many must sign for ROLE"),
	RK_OPT_UINT(0, "days", struct rotate_values, days, "N", "how long the root is valid (365)"),
	RK_OPT_END,
};

/* Does one thing to each role that a text names. */
static struct rk_err *for_roles(struct repo_roles *roles, struct rk_root *root,
				const struct rk_strings *texts,
				struct rk_err *(*change)(struct repo_roles *, struct rk_root *,
							 enum rk_role_kind, const char *))
{
	for (size_t i = 0; i < texts->nr; i++) {
		unsigned int bits;
		const char *rest;

		RK_TRY(repo_parse_role(texts->v[i], &bits, &rest));
		for (size_t role = 0; role < RK_ROLES; role++)
			if (bits & 1u << role)
				RK_TRY(change(roles, root, (enum rk_role_kind)role, rest));
	}
	return NULL;
}

static struct rk_err *remove_key(struct repo_roles *roles, struct rk_root *root,
				 enum rk_role_kind role, const char *text)
{
	return repo_roles_remove(roles, root, role, text);
}

static struct rk_err *set_threshold(struct repo_roles *roles, struct rk_root *root,
				    enum rk_role_kind role, const char *text)
{
	uint64_t n;

	RK_TRY(repo_parse_level(text, &n));
	if (n == 0 || n > RK_ROOT_KEYS_MAX)
		return rk_err(RK_ERR_INVALID, "'%s' is no threshold", text);
	roles->v[role].threshold = (unsigned int)n;
	return NULL;
}

/* A new root with only those keys that some role uses. */
static struct rk_err *next_root(const struct rk_root *all, const struct repo_roles *roles,
				struct rk_root **ret)
{
	_cleanup_root_ struct rk_root *root = NULL;

	RK_TRY(rk_root_create(&root));
	for (size_t i = 0; i < RK_ROLES; i++)
		rk_vec_for_each(&roles->v[i].ids, id) {
			const struct rk_root_key *key = rk_root_find_key(all, *id);

			RK_TRY(rk_root_add_key(root, &key->key, key->name, NULL));
		}
	RK_TRY(repo_roles_apply(roles, root));
	*ret = take_ptr(root);
	return NULL;
}

static struct rk_err *copy_root(const struct rk_root *from, struct rk_root **ret)
{
	_cleanup_free_ char *text = NULL;

	RK_TRY(rk_root_write(from, &text));
	return rk_root_parse("the root", text, strlen(text), ret);
}

static struct rk_err *rotate(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct rotate_values *v = cli->values;
	_cleanup_repo_ struct rk_repo *repo = NULL;
	_cleanup_root_ struct rk_root *work = NULL;
	_cleanup_root_ struct rk_root *next = NULL;
	_cleanup_root_ struct rk_root *replaced = NULL;
	_cleanup_repo_roles_ struct repo_roles roles = {};

	RK_TRY(repo_open(v->repo, RK_REPO_WRITE, &repo));
	if (!rk_repo_root(repo))
		return rk_err(RK_ERR_INVALID, "the first root isn't published yet; sign it first");
	RK_TRY(copy_root(rk_repo_root(repo), &work));
	RK_TRY(repo_roles_from_root(work, &roles));
	RK_TRY(for_roles(&roles, work, &v->add, repo_roles_add));
	RK_TRY(for_roles(&roles, work, &v->remove, remove_key));
	RK_TRY(for_roles(&roles, work, &v->threshold, set_threshold));
	RK_TRY(next_root(work, &roles, &next));
	next->version = work->version + 1;
	next->issued = repo_now();
	next->expires = next->issued + (v->days ? v->days : RK_ROOT_DAYS) * RK_DAY_SECONDS;
	RK_TRY(rk_repo_next_root(repo, &replaced));
	RK_TRY(rk_repo_set_next_root(repo, next));
	if (replaced)
		rk_render_warning(stderr,
				  "the draft of root %llu that was there is replaced: its changes "
				  "and its signatures are gone",
				  (unsigned long long)replaced->version);
	if (!cli->quiet)
		printf("root %llu is to be signed by %u keys of root %llu and %u of its own\n",
		       (unsigned long long)next->version, work->roles[RK_ROLE_ROOT].threshold,
		       (unsigned long long)work->version, next->roles[RK_ROLE_ROOT].threshold);
	return NULL;
}

const struct rk_verb verb_key_rotate = {
	.name = "key rotate",
	.summary = "make the next root: other keys, other thresholds, or only another year",
	.description =
		"ROLE is root, timestamp, licence, release-test, release-early, release-stable, or release for these three. The new\n"
		"root has to be signed by enough keys of the old one and enough of its own. A draft that was there is replaced.",
	.options = rotate_options,
	.values_size = sizeof(struct rotate_values),
	.run = rotate,
};
