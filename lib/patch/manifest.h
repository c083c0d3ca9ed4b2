/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest says what a patch module is: name, level, fixes, target, functions, objects, proof, tool, inputs. It is embedded
 * in the module (section .readykernel.manifest, not loaded) and written beside it as JSON; both are the same bytes.
 */
#ifndef RK_PATCH_MANIFEST_H
#define RK_PATCH_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

#define RK_MANIFEST_SCHEMA  "readykernel-manifest/1"
#define RK_MANIFEST_SECTION ".readykernel.manifest"

struct rk_manifest_strings {
	const char **v;
	size_t nr, cap;
};

/* One fix. Those that name or title is missing for were written before they existed. */
struct rk_manifest_fix {
	const char *name, *title, *author, *origin; /* or NULL */
	const char *forwarded, *applied_upstream;   /* or NULL */
	const char *file;			    /* base name of the input patch */
	const char *sha256;			    /* of the input patch */
	struct rk_manifest_strings cves, bugs;
	struct rk_manifest_strings fixes; /* commits whose mistake it mends */
	struct rk_manifest_strings
		functions; /* "<object>:<function>" that it changes, or may change */
};

/* A fix that was asked for and isn't in the module. */
struct rk_manifest_skipped {
	const char *name, *title, *file, *sha256; /* title: or NULL */
	const char *reason;			  /* one line */
	const char *depends_on; /* the left-out fix it can't do without; or NULL */
	struct rk_manifest_strings cves;
	struct rk_manifest_strings
		codes; /* of findings; "compile" and "patch" where there are none */
};

/* A module that this one takes the place of. */
struct rk_manifest_base {
	const char *name, *sha256;
	uint64_t level;
};

struct rk_manifest_func {
	const char *object, *name, *unit;
	uint32_t sympos;
	uint64_t old_size, new_size;
};

struct rk_manifest_object {
	const char *name, *build_id, *srcversion;
};

struct rk_manifest_unit {
	const char *path, *object;
	const char *original_sha256; /* of the compiled original's functions; or NULL */
	uint64_t matched, differing, absent, overridden, discarded;
};

struct rk_manifest_finding {
	const char *code, *severity, *place, *text;
	const char *reason; /* why a human accepted it, in that person's words; or NULL */
};

/* A function of the fix's author that livepatch runs when the object is patched or unpatched. */
struct rk_manifest_callback {
	const char *object; /* klp object */
	const char *kind;   /* "pre_patch", "post_patch", "pre_unpatch", "post_unpatch" */
	const char *function;
};

/* A livepatch state (struct klp_state): what replaces this patch must know it in this version or a later one. */
struct rk_manifest_state {
	uint64_t id;
	uint32_t version;
};

struct rk_manifest {
	struct rk_arena arena; /* all strings */
	const char *name;      /* module name: "kpatch_fix" */
	uint64_t level;
	const char *model; /* "hybrid" */
	bool replace;
	const char *tool_version;
	const char *target_id, *release, *version, *build_id, *compiler;
	rk_vec(struct rk_manifest_fix) fixes;
	rk_vec(struct rk_manifest_skipped) skipped;
	rk_vec(struct rk_manifest_base) supersedes; /* the one before, the one before that … */
	rk_vec(struct rk_manifest_object) objects;
	rk_vec(struct rk_manifest_func) funcs;
	rk_vec(struct rk_manifest_unit) units;
	rk_vec(struct rk_manifest_finding) findings;
	/* What outlives the patch or runs at its borders; manifests before these existed have none. */
	rk_vec(struct rk_manifest_callback) callbacks; /* by object, in the order of the kinds */
	rk_vec(struct rk_manifest_state) states;       /* by id */
	rk_vec(uint64_t) shadow_ids;		       /* ids of shadow variables, ascending */
};

struct rk_err *rk_manifest_create(struct rk_manifest **ret) __must_use;
void rk_manifest_free(struct rk_manifest *m);

/* As a document, its keys in their order; *ret is a new reference. RK_ERR_LIMIT: a number that JSON libraries can't hold. */
struct rk_err *rk_manifest_document(const struct rk_manifest *m, json_t **ret) __must_use;
/* Canonical JSON (fixed key order, two spaces, newline at the end); *ret malloc'ed. */
struct rk_err *rk_manifest_to_json(const struct rk_manifest *m, char **ret) __must_use;
/* Reads it back; unknown keys are ignored, wrong types and missing ones are RK_ERR_FORMAT with the path ("fixes[2].file"). */
struct rk_err *rk_manifest_parse(const char *name, const char *json, size_t len,
				 struct rk_manifest **ret) __must_use;
/* The same of a document that is parsed already. */
struct rk_err *rk_manifest_from_document(const char *name, const json_t *root,
					 struct rk_manifest **ret) __must_use;
/* From a module file; RK_ERR_NOT_FOUND if it has none. */
struct rk_err *rk_manifest_read_module(const char *path, struct rk_manifest **ret) __must_use;
/* From a module's bytes; name is for messages. */
struct rk_err *rk_manifest_read_bytes(const char *name, const void *bytes, size_t len,
				      struct rk_manifest **ret) __must_use;

static inline void rk_cleanup_manifest(struct rk_manifest **m)
{
	rk_manifest_free(*m);
}
#define _cleanup_manifest_ _cleanup_(rk_cleanup_manifest)

#endif
