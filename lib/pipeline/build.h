/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a fix through kpatch-build: source, orig, patched, proof, diff, link, module. Each phase reads what the one before made and
 * leaves what a person may want to see in a numbered folder of the work directory. Nothing is decided here that another part of
 * the library could decide; this file only says in which order they work.
 */
#ifndef RK_PIPELINE_BUILD_H
#define RK_PIPELINE_BUILD_H

#include "lib/base/finding.h"
#include "lib/base/progress.h"
#include "lib/build/compile.h"
#include "lib/diff/diff.h"
#include "lib/patch/manifest.h"
#include "lib/patch/module.h"
#include "lib/patch/plan.h"
#include "lib/source/patch_file.h"
#include "lib/target/proof.h"
#include "lib/target/target.h"

struct rk_build_options {
	const char *work_dir;		      /* absolute, exists and is empty */
	struct rk_patch_file *const *patches; /* in the order they apply */
	size_t nr_patches;
	const char *name;	 /* of the module, see rk_build_name() */
	const char *const *cves; /* more CVE ids of the first patch, besides those it names */
	size_t nr_cves;
	const char *const *targets; /* klp objects to build for ("vmlinux", "af_key"); none: all */
	size_t nr_targets;
	const struct rk_acceptance *accepted; /* findings a human has thought about */
	size_t nr_accepted;
	bool allow_wide; /* changed headers may bring along any number of units */
	uint64_t level;
	bool replace;			  /* atomic replace of other patches */
	const char *sign_key, *sign_cert; /* PEM files, both or none */
	const char *tool_version;
	bool skip_refused; /* leave out the fixes that stand in the way, and those that need them */
	const struct rk_module_info
		*base;			 /* the module this one is to take the place of, or NULL */
	const char *const *extra_cflags; /* NULL-terminated, or NULL: for tests of the proof */
	unsigned int jobs;
	const struct rk_reporter *reporter;
};

enum rk_build_phase {
	RK_PHASE_SOURCE,
	RK_PHASE_COMPILE, /* original and patched together */
	RK_PHASE_PROOF,
	RK_PHASE_DIFF,
	RK_PHASE_LINK,
	RK_PHASE_MODULE,
	RK_PHASES
};

/* A fix that isn't in the module. */
struct rk_left_out {
	const struct rk_patch_file *fix;
	const char *reason;		   /* one line */
	const struct rk_patch_file *needs; /* the left-out fix that it can't do without, or NULL */
	rk_vec(const char *) codes;	   /* of findings, or one of these: */
};
#define RK_LEFT_OUT_COMPILE "compile" /* it doesn't compile */
#define RK_LEFT_OUT_DEPENDS "depends" /* it needs a fix that is left out */

/* Units that changed headers may bring along without allow_wide: an hour of two processors. */
#define RK_WIDE_UNITS 400

/* What the changed headers bring along. */
struct rk_build_headers {
	size_t headers, declarations; /* changed */
	size_t units,
		vmlinux_units; /* that may use what changed, besides those the fixes change themselves */
	size_t modules;	       /* that units of are among them */
	size_t same;	       /* units that compile to the same code, and are left out */
};

/* One translation unit on its way. */
struct rk_build_unit {
	const struct rk_recipe *recipe; /* unit and klp object */
	const char *
		reason; /* the change of a header that it is compiled for; NULL if the fixes change the unit itself */
	bool is_same;			    /* it compiles to the same code */
	const struct rk_patch_file **fixes; /* that change what it is compiled from, in order */
	size_t nr_fixes;
	struct rk_err *compile_error; /* with skip_refused: the patched unit doesn't compile */
	const char *original_path, *patched_path;
	double original_seconds, patched_seconds; /* of gcc and objtool; 0 from the cache */
	struct rk_elf *original, *patched;
	struct rk_owner owner;
	struct rk_proof *proof;
	struct rk_diff *diff;
};

struct rk_session;
struct rk_session_part;

struct rk_build {
	struct rk_arena arena;
	const struct rk_target *target; /* borrowed, as are the options */
	const struct rk_build_options *options;
	struct rk_build_options
		own_options; /* what options points to: the user's, with the fixes that are in */
	struct rk_session *session;	    /* which it is a build of */
	const struct rk_session_part *part; /* of the series; only while it runs */
	bool owns_session;
	struct rk_view *view;
	struct rk_kbuild *kbuild;   /* the session's */
	struct rk_symbols *symbols; /* the session's */
	rk_vec(struct rk_build_unit)
		units; /* the fixes' own first, then the headers', each by path */
	struct rk_build_headers headers;
	struct rk_findings findings; /* sorted, all phases' */
	struct rk_plan *plan;	     /* NULL when a phase before had error findings */
	struct rk_manifest *manifest;
	char *manifest_json;
	void *module; /* NULL unless the verdict is positive */
	size_t module_size;
	double seconds[RK_PHASES];
};

/* The fixes that are not in the module, in the order of the series. */
const struct rk_left_out *rk_build_left_out(const struct rk_build *build, size_t *ret_nr);
/* Does anything of the fix reach the module? One that only touches what this kernel doesn't have changes nothing. */
bool rk_build_has_effect(const struct rk_build *build, const struct rk_patch_file *fix);

/* Runs all phases. A negative verdict (blocking findings) is no error: module stays NULL. Errors: what the phases return.
 * The caller frees *ret. target and options must outlive it. */
struct rk_err *rk_build_run(const struct rk_target *target, const struct rk_build_options *options,
			    struct rk_build **ret) __must_use;
void rk_build_free(struct rk_build *build);

/* The module's name for a wish or, without one, for a patch file's name: "fix-2.patch" → "kpatch_fix_2"; letters, digits and '_',
 * at most RK_MODULE_NAME_MAX; in arena, NULL without memory. */
#define RK_MODULE_NAME_MAX 55
const char *rk_build_name(struct rk_arena *arena, const char *wish, const char *patch_path);

/* "source", "compile", …: also the numbered folders' names. */
const char *rk_build_phase_name(enum rk_build_phase phase);

static inline void rk_cleanup_build(struct rk_build **b)
{
	rk_build_free(*b);
}
#define _cleanup_build_ _cleanup_(rk_cleanup_build)

#endif
