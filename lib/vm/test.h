/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test of patch modules on their target's own kernel: does each load, does its transition end, is every function replaced, do the
 * scripts find what they should before, after and without it, can it be unloaded and loaded again, and what does the kernel's log say
 * meanwhile? Many modules are tested in one boot, one after the other; when one takes the guest down, the others get a new one.
 */
#ifndef RK_VM_TEST_H
#define RK_VM_TEST_H

#include <jansson.h>

#include "lib/base/progress.h"
#include "lib/patch/module.h"
#include "lib/vm/vm.h"

#define RK_EVIDENCE_SCHEMA "readykernel-evidence/1"

struct rk_vm_file {
	const char *host;  /* absolute */
	const char *guest; /* absolute, in the guest */
};

/* What to test and how. All paths are absolute, strings borrowed until the test is freed. */
struct rk_vm_test_spec {
	const char *const *modules; /* the patch modules' files */
	size_t nr_modules;
	bool is_sequence;	 /* each is loaded on top of those before it */
	const char *image;	 /* vmlinuz */
	const char *modules_dir; /* stock modules; NULL: none can be loaded */
	const char *target_id;	 /* for the evidence; NULL for explicit paths */
	const char *before;	 /* script: without the patch; or NULL */
	const char *after;	 /* script: with the patch; or NULL */
	const char *const *load; /* stock modules to load before the patch */
	size_t nr_load;
	const char *const *load_after; /* while the patch is active */
	size_t nr_load_after;
	const struct rk_vm_file *files;
	size_t nr_files;
	const void *init; /* the guest's init, a static executable */
	size_t init_size;
	const char *
		work_dir; /* exists; initramfs.cpio and console.log of the last boot are made in it */
	const char *qemu; /* rk_vm_qemu_version() */
	const char *tool_version;
	unsigned int memory_mib; /* 0: what the modules take */
	unsigned int cpus;
	unsigned int boot_s;	   /* of boot, until init runs: more for many files */
	unsigned int timeout_s;	   /* of boot, and of everything that is done with one module */
	unsigned int transition_s; /* of one transition */
	unsigned int check_s;	   /* of a script; 0: two minutes */
	bool no_reload;
	const struct rk_reporter *reporter;
};

/* A line of the kernel's log that tells of trouble. */
struct rk_vm_trouble {
	const char *kind; /* lib/livepatch/klog.h */
	const char *step; /* title, "boot" */
	const char *text;
	double seconds; /* since the kernel started; negative: unknown (from the console) */
	bool counts;	/* false: it came without the patch and isn't its doing */
};

/* One boot: what went in, and all that came out. */
struct rk_vm_session {
	struct rk_arena arena;
	size_t number, nr_tests; /* number counts from 1 */
	size_t boots;		 /* 2: the first never came to init */
	unsigned int boot_s;
	unsigned int memory_mib;
	char date[32]; /* UTC, "2026-11-22T06:50:00Z" */
	char image_sha256[RK_SHA256_HEX_SIZE], initramfs_sha256[RK_SHA256_HEX_SIZE],
		init_sha256[RK_SHA256_HEX_SIZE];
	char before_sha256[RK_SHA256_HEX_SIZE],
		after_sha256[RK_SHA256_HEX_SIZE]; /* "" without script */
	rk_vec(const char *) file_sha256;	  /* one for each of spec->files */
	struct rk_vm_steps steps;		  /* of all its tests; strings are theirs */
	struct rk_vm_result run;		  /* what belongs to a test has been moved there */
	double seconds;				  /* of all of it, in QEMU */
};

/* The test of one module. */
struct rk_vm_test {
	struct rk_arena arena;
	const struct rk_vm_test_spec *spec;
	const char *module;		   /* file */
	size_t number;			   /* of spec->modules */
	const struct rk_vm_test *previous; /* in a sequence: what it is loaded on top of; or NULL */
	bool is_last;			   /* of the sequence */
	struct rk_module_info *info;	   /* NULL: not even that could be read */
	bool is_judged;
	struct rk_vm_steps steps;
	const struct rk_vm_session *session; /* NULL: could not be tested at all */
	size_t position;		     /* among the tests of the session, from 1 */
	struct rk_vm_result run; /* its part of the session's; strings are the session's */
	rk_vec(struct rk_vm_trouble) troubles;
	rk_vec(const char *) reasons; /* why it failed, one sentence each; none: passed */
	rk_vec(const char *) notes;   /* what to know although it passed */
};

struct rk_vm_tests {
	const struct rk_vm_test_spec *spec;
	rk_vec(struct rk_vm_test *) list; /* one for each of spec->modules, in their order */
	rk_vec(struct rk_vm_session *) sessions;
};

/* Called for each test when it has been judged. An error ends the run. */
typedef struct rk_err *rk_vm_on_test(void *ctx, const struct rk_vm_test *test);

/* Runs them. A test that failed is no error: look at reasons. With more than one module, one that can't be tested (no live patch, of
 * another kernel, a stock module is missing) is a failed test too; a single one is an error. Errors: RK_ERR_UNSUPPORTED (module is no
 * live patch), RK_ERR_MISMATCH (image and module are of different kernels), RK_ERR_NOT_FOUND (QEMU, busybox, a stock module),
 * RK_ERR_TIMEOUT (the kernel didn't come up within boot_s, twice), RK_ERR_TOOL, RK_ERR_SYS, RK_ERR_INTERRUPTED. on_test may be NULL. Free with rk_vm_tests_free(). */
struct rk_err *rk_vm_tests_run(const struct rk_vm_test_spec *spec, rk_vm_on_test *on_test,
			       void *ctx, struct rk_vm_tests **ret) __must_use;
void rk_vm_tests_free(struct rk_vm_tests *tests);

static inline bool rk_vm_test_has_passed(const struct rk_vm_test *test)
{
	return !test->reasons.nr;
}

/* How often a guest was started. */
size_t rk_vm_tests_boots(const struct rk_vm_tests *tests);

/* Seconds of all its steps. */
double rk_vm_test_seconds(const struct rk_vm_test *test);

/* Readable record of a test that has a session: steps, what scripts printed, the kernel's log, the console. */
struct rk_err *rk_vm_test_transcript(const struct rk_vm_test *test, struct rk_str *ret) __must_use;

/* The evidence document of a test that has a session. transcript is hashed into it. A new reference. */
struct rk_err *rk_vm_test_evidence(const struct rk_vm_test *test, const struct rk_str *transcript,
				   json_t **ret) __must_use;

static inline void rk_cleanup_vm_tests(struct rk_vm_tests **t)
{
	if (*t)
		rk_vm_tests_free(*t);
}
#define _cleanup_vm_tests_ _cleanup_(rk_cleanup_vm_tests)

#endif
