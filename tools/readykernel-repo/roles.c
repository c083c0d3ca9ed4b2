/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Roles and keys as the command line names them. */
#include "tools/readykernel-repo/roles.h"

#include <string.h>

#include "lib/base/str.h"

#define RELEASE_ROLES \
	(1u << RK_ROLE_RELEASE_TEST | 1u << RK_ROLE_RELEASE_EARLY | 1u << RK_ROLE_RELEASE_STABLE)

void repo_roles_deinit(struct repo_roles *roles)
{
	for (size_t i = 0; i < RK_ROLES; i++)
		rk_vec_deinit(&roles->v[i].ids);
	rk_arena_deinit(&roles->arena);
}

struct rk_err *repo_roles_from_root(const struct rk_root *root, struct repo_roles *ret)
{
	for (size_t i = 0; i < RK_ROLES; i++) {
		const struct rk_role *role = &root->roles[i];

		ret->v[i].threshold = role->threshold;
		for (size_t k = 0; k < role->nr_keys; k++) {
			const char *id = rk_arena_strdup(&ret->arena, role->keys[k]->id);

			if (!id || !rk_vec_push(&ret->v[i].ids, id))
				return rk_err_nomem();
		}
	}
	return NULL;
}

/* "dir/alice.pub" is alice's. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t len = strlen(base);

	if (rk_has_suffix(base, ".pub"))
		len -= strlen(".pub");
	return strndup(base, len);
}

struct rk_err *repo_roles_add(struct repo_roles *roles, struct rk_root *root,
			      enum rk_role_kind role, const char *path)
{
	_cleanup_free_ char *name = name_of(path);
	struct rk_public_key key;
	const struct rk_root_key *added;

	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_public_key_read(path, &key));
	RK_TRY(rk_root_add_key(root, &key, name, &added));
	rk_vec_for_each(&roles->v[role].ids, id)
		if (rk_streq(*id, key.id))
			return NULL;
	return rk_vec_push(&roles->v[role].ids, added->key.id) ? NULL : rk_err_nomem();
}

struct rk_err *repo_roles_remove(struct repo_roles *roles, const struct rk_root *root,
				 enum rk_role_kind role, const char *text)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < roles->v[role].ids.nr; i++) {
		const char *id = roles->v[role].ids.v[i];
		const struct rk_root_key *key = rk_root_find_key(root, id);

		if (!rk_has_prefix(id, text) && !(key && rk_streq(key->name, text)))
			continue;
		if (found != SIZE_MAX)
			return rk_err(RK_ERR_INVALID, "several keys of role '%s' are meant by '%s'",
				      rk_role_name(role), text);
		found = i;
	}
	if (found == SIZE_MAX)
		return rk_err(RK_ERR_INVALID, "role '%s' has no key '%s'", rk_role_name(role),
			      text);
	roles->v[role].ids.v[found] = roles->v[role].ids.v[--roles->v[role].ids.nr];
	return NULL;
}

struct rk_err *repo_roles_apply(const struct repo_roles *roles, struct rk_root *root)
{
	for (size_t i = 0; i < RK_ROLES; i++)
		RK_TRY(rk_root_set_role(root, (enum rk_role_kind)i, roles->v[i].threshold,
					roles->v[i].ids.v, roles->v[i].ids.nr));
	return NULL;
}

struct rk_err *repo_parse_role(const char *text, unsigned int *ret_roles, const char **ret_rest)
{
	size_t len = strcspn(text, ":");
	unsigned int roles = 0;

	for (size_t i = 0; i < RK_ROLES; i++) {
		const char *name = rk_role_name((enum rk_role_kind)i);

		if (strlen(name) == len && !strncmp(name, text, len))
			roles = 1u << i;
	}
	if (len == strlen("release") && !strncmp(text, "release", len))
		roles = RELEASE_ROLES;
	if (!roles || text[len] != ':')
		return rk_err(RK_ERR_INVALID,
			      "'%s' doesn't begin with a role and ':': root, timestamp, licence, "
			      "release, release-test, release-early or release-stable",
			      text);
	*ret_roles = roles;
	*ret_rest = text + len + 1;
	return NULL;
}
