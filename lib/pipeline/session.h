/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session: several builds of parts of one series for one target, to find out which fixes can be in the module. What is the same for all of
 * them is opened once, and a patched unit is compiled once for each content of what it reads.
 */
#ifndef RK_PIPELINE_SESSION_H
#define RK_PIPELINE_SESSION_H

#include "lib/base/map.h"
#include "lib/pipeline/build.h"

/* A patched object that a build of the session has made. */
struct rk_session_object {
	const char *path;
	char **deps; /* what the compiler read */
	char digest[RK_SHA256_HEX_SIZE];
	struct rk_session_object *next; /* of the same unit */
};

struct rk_session {
	struct rk_arena arena;
	const struct rk_target *target;
	const struct rk_build_options *options; /* the user's */
	struct rk_kbuild *kbuild;
	struct rk_symbols *symbols;
	struct rk_map objects; /* unit → the last struct rk_session_object */
	size_t nr_objects, nr_builds;
	rk_vec(struct rk_left_out) left_out; /* in the order of the series at the end */
};

/* What a build of the session is of. */
struct rk_session_part {
	struct rk_patch_file **patches; /* in the order of the series */
	size_t nr;
	const char *const *units; /* only these, for a probe; NULL: all */
	size_t nr_units;
};

/* Runs the phases for part in dir (exists, is empty); a probe stops before the module. */
struct rk_err *rk_session_build(struct rk_session *session, const struct rk_session_part *part,
				const char *dir, struct rk_build **ret) __must_use;
void rk_session_free(struct rk_session *session);

/* Does a build of the session have unit's patched object for what the view holds now? Then it is put at output, and *ret_deps is
 * what was read for it (to be freed as a job's). Otherwise *ret_deps is NULL. */
struct rk_err *rk_session_get(struct rk_session *session, const struct rk_view *view,
			      const char *unit, const char *output, char ***ret_deps) __must_use;
/* Keeps the object. */
struct rk_err *rk_session_put(struct rk_session *session, const struct rk_view *view,
			      const char *unit, const char *object, char **deps) __must_use;

/* Takes the patched objects that the session has, compiles the rest of the jobs, and keeps what came out. Errors as rk_compile(). */
struct rk_err *rk_session_compile(struct rk_build *build, struct rk_compile_job *jobs, size_t nr)
	__must_use;
struct rk_err *rk_session_keep(struct rk_build *build, const struct rk_compile_job *jobs, size_t nr)
	__must_use;

/* leave_out.c: the fixes that stand in build's way, and those that can't do without them, go from the list of active ones to
 * session->left_out. *ret_nr: how many. */
struct rk_err *rk_session_leave_out(struct rk_session *session, const struct rk_build *build,
				    struct rk_patch_list *active, size_t *ret_nr) __must_use;

/* attribute.c: which of the fixes are to blame for what stands in build's way at unit (compilation or findings): one
 * entry of session->left_out each. */
struct rk_err *rk_session_blame(struct rk_session *session, const struct rk_build *build,
				const char *unit, const struct rk_patch_list *candidates)
	__must_use;

#endif
