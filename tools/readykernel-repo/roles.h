/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Roles and keys as the command line names them. */
#ifndef RK_TOOLS_READYKERNEL_REPO_ROLES_H
#define RK_TOOLS_READYKERNEL_REPO_ROLES_H

#include "lib/base/arena.h"
#include "lib/trust/metadata.h"
#include "tools/common/option.h"

/* Who may sign for each role; becomes the roles of a root. */
struct repo_roles {
	struct rk_arena arena;
	struct {
		unsigned int threshold;
		rk_vec(const char *) ids;
	} v[RK_ROLES];
};

void repo_roles_deinit(struct repo_roles *roles);
#define _cleanup_repo_roles_ _cleanup_(repo_roles_deinit)

/* As they are in a root. */
struct rk_err *repo_roles_from_root(const struct rk_root *root, struct repo_roles *ret) __must_use;
/* Adds the public key of the file to the root, and to the role; one that has it stays as it is. */
struct rk_err *repo_roles_add(struct repo_roles *roles, struct rk_root *root,
			      enum rk_role_kind role, const char *path) __must_use;
/* Takes a key out of a role: text is its name or the beginning of its id. */
struct rk_err *repo_roles_remove(struct repo_roles *roles, const struct rk_root *root,
				 enum rk_role_kind role, const char *text) __must_use;
/* Sets them in the root. */
struct rk_err *repo_roles_apply(const struct repo_roles *roles, struct rk_root *root) __must_use;

/* "ROLE:REST"; ROLE "release" means all three channels. *ret_roles: bits. */
struct rk_err *repo_parse_role(const char *text, unsigned int *ret_roles, const char **ret_rest)
	__must_use;

#endif
