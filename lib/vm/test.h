/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test of one patch module on its target's own kernel: does it load, does its transition end, do the scripts find what they should
 * before, after and without it, can it be unloaded and loaded again, and what does the kernel's log say meanwhile?
 */
#ifndef RK_VM_TEST_H
#define RK_VM_TEST_H

#include <jansson.h>

#include "lib/patch/module.h"
#include "lib/vm/vm.h"

#define RK_EVIDENCE_SCHEMA "readykernel-evidence/1"

struct rk_vm_file {
	const char *host;  /* absolute */
	const char *guest; /* absolute, in the guest */
};

/* What to test and how. All paths are absolute, strings borrowed until the test is freed. */
struct rk_vm_test_spec {
	const char *module;	 /* the patch module's file */
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
	const char *work_dir; /* exists; initramfs.cpio and console.log are made in it */
	const char *qemu;     /* rk_vm_qemu_version() */
	const char *tool_version;
	unsigned int memory_mib, cpus;
	unsigned int timeout_s;	   /* of everything in the guest */
	unsigned int transition_s; /* of one transition */
	bool no_reload;
	const struct rk_reporter *reporter;
};

/* A line of the kernel's log that tells of trouble. */
struct rk_vm_trouble {
	const char *kind; /* lib/vm/klog.h */
	const char *step; /* title, "boot" */
	const char *text;
	double seconds; /* since the kernel started; negative: unknown (from the console) */
	bool counts;	/* false: it came without the patch and isn't its doing */
};

struct rk_vm_test {
	struct rk_arena arena;
	const struct rk_vm_test_spec *spec;
	struct rk_module_info *info;
	struct rk_vm_steps steps;
	struct rk_vm_result run;
	char date[32]; /* UTC, "2026-11-22T06:50:00Z" */
	char image_sha256[RK_SHA256_HEX_SIZE], initramfs_sha256[RK_SHA256_HEX_SIZE],
		init_sha256[RK_SHA256_HEX_SIZE];
	char before_sha256[RK_SHA256_HEX_SIZE],
		after_sha256[RK_SHA256_HEX_SIZE]; /* "" without script */
	rk_vec(const char *) file_sha256;	  /* one for each of spec->files */
	rk_vec(struct rk_vm_trouble) troubles;
	rk_vec(const char *) reasons; /* why it failed, one sentence each; none: passed */
	rk_vec(const char *) notes;   /* what to know although it passed */
};

/* Runs it. A test that failed is no error: look at reasons. Errors: RK_ERR_UNSUPPORTED (module is no live patch),
 * RK_ERR_MISMATCH (image and module are of different kernels), RK_ERR_NOT_FOUND (QEMU, busybox, a stock module), RK_ERR_TOOL,
 * RK_ERR_SYS, RK_ERR_INTERRUPTED. Free with rk_vm_test_free(). */
struct rk_err *rk_vm_test_run(const struct rk_vm_test_spec *spec, struct rk_vm_test **ret)
	__must_use;
void rk_vm_test_free(struct rk_vm_test *test);

static inline bool rk_vm_test_has_passed(const struct rk_vm_test *test)
{
	return !test->reasons.nr;
}

/* Readable record of the run: steps, what scripts printed, the kernel's log, the console. */
struct rk_err *rk_vm_test_transcript(const struct rk_vm_test *test, struct rk_str *ret) __must_use;

/* The evidence document. transcript is hashed into it. A new reference. */
struct rk_err *rk_vm_test_evidence(const struct rk_vm_test *test, const struct rk_str *transcript,
				   json_t **ret) __must_use;

static inline void rk_cleanup_vm_test(struct rk_vm_test **t)
{
	if (*t)
		rk_vm_test_free(*t);
}
#define _cleanup_vm_test_ _cleanup_(rk_cleanup_vm_test)

#endif
