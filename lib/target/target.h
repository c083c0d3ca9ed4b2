/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target is one exact kernel build and where its parts are: image, vmlinux, config, source, symvers,
 * modules. It comes from a distribution ("debian:6.1.0-50-cloud-amd64"), from the running system
 * ("running"), from the directory it was built in ("dir:/usr/src/linux"), or from explicit paths; whoever uses it doesn't see the difference.
 */
#ifndef RK_TARGET_TARGET_H
#define RK_TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/vec.h"

/* What of a target is asked for; fetching and unpacking stop there. */
enum rk_target_parts {
	RK_TARGET_IMAGE = 1 << 0, /* vmlinuz and modules: enough for kpatch-test */
	RK_TARGET_BUILD = 1 << 1, /* vmlinux with symbols, source, config, symvers, prepared tree */
	RK_TARGET_ALL = RK_TARGET_IMAGE | RK_TARGET_BUILD,
};

struct rk_target {
	struct rk_arena arena; /* all strings */
	const char *id;	       /* "debian:6.1.0-50-cloud-amd64"; "path:<hash>" for explicit paths */
	const char *release;   /* uname -r: "6.1.0-50-cloud-amd64" */
	const char *version;   /* uname -v: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-…)" */
	const char *source_version; /* "6.1.176-1"; NULL for explicit paths */
	const char *build_id;	    /* of vmlinux, hexadecimal */
	const char *compiler;	    /* the kernel's CONFIG_CC_VERSION_TEXT */
	const char *cc;		    /* compiler to run: "gcc-12" */
	const char *dir;       /* cache directory of this target, absolute; NULL for explicit paths
				     * until rk_target_open made one for the prepared tree */
	const char *cache_dir; /* that dir is in */
	const char *source;    /* prepared source tree, absolute; never written after prepare */
	const char *config;    /* its .config */
	const char *vmlinux;   /* with symbols */
	const char *symvers;   /* Module.symvers of the shipped kernel */
	const char *image;     /* bootable vmlinuz, or NULL */
	const char *modules;   /* directory with kernel/…/x.ko, or NULL */
	const char *
		source_files; /* list of every file of the source package, one path a line: more than is
				     * unpacked in source; NULL for explicit paths */
	bool user_source;     /* the tree is the user's: nothing may be written into it */
	int use_fd;	      /* private: the lock that keeps it in the cache */
};

/* Where to look and what is allowed. */
struct rk_target_options {
	const char *cache_dir;	  /* absolute; ".../readykernel" */
	bool offline;		  /* use what is in the cache, never fetch */
	bool skip_compiler_check; /* a compiler mismatch becomes a note */
	unsigned int jobs;	  /* for make; 0: number of processors */
	const char *cc;		  /* NULL: as the kernel's config says */
	/* explicit paths (all NULL for a named target) */
	const char *source, *config, *vmlinux, *symvers, *modules, *image;
	const struct rk_reporter *reporter;
};

/* Resolves spec, fetches, checks, unpacks and prepares what isn't there yet (locks make two calls at once safe; a
 * killed call leaves nothing half-done), and describes it. spec: "debian:REL", "running", "dir:TREE" or
 * "dir:SOURCE,BUILD" (absolute, with modules and image among the options if they are elsewhere), or NULL with explicit paths. Errors: RK_ERR_NOT_FOUND (unknown release, missing package: names it and what is on offer),
 * RK_ERR_MISMATCH (versions, compiler), RK_ERR_TOOL, RK_ERR_SYS (ENOSPC says how much is needed), RK_ERR_INTERRUPTED. */
struct rk_err *rk_target_open(const char *spec, enum rk_target_parts parts,
			      const struct rk_target_options *options, struct rk_target **ret)
	__must_use;
void rk_target_close(struct rk_target *target);

/* One target in the cache or on offer. */
struct rk_target_entry {
	const char *id, *release, *source_version;
	bool has_image,
		has_build; /* in the cache; neither, with bytes: what an unfinished fetch left */
	bool available;	   /* all packages of one version on offer by apt */
	bool in_use;	   /* by another process, now */
	uint64_t bytes;	   /* on disk */
};

struct rk_target_list {
	struct rk_arena arena;
	rk_vec(struct rk_target_entry) list; /* by release, oldest first (version order) */
};

/* cached: those in the cache; available: also those apt has every package of. */
struct rk_err *rk_target_list(const struct rk_target_options *options, bool available,
			      struct rk_target_list *ret) __must_use;
void rk_target_list_deinit(struct rk_target_list *list);

/* The id that spec ("debian:REL", "path:HASH", "running") means, malloc'ed; RK_ERR_INVALID if it means none. */
struct rk_err *rk_target_id(const char *spec, char **ret) __must_use;

/* Checks everything that is in the cache for spec again (package hashes, build-ids, versions). */
struct rk_err *rk_target_verify(const char *spec, const struct rk_target_options *options)
	__must_use;
/* Removes it from the cache; waits for no one: RK_ERR_SYS (EBUSY) while it is in use. */
struct rk_err *rk_target_remove(const char *spec, const struct rk_target_options *options)
	__must_use;

/* Path of the .ko whose module name (with '-' as '_') is name, malloc'ed; RK_ERR_NOT_FOUND. */
struct rk_err *rk_target_module(const struct rk_target *target, const char *name, char **ret)
	__must_use;

static inline void rk_cleanup_target(struct rk_target **t)
{
	if (*t)
		rk_target_close(*t);
}
#define _cleanup_target_ _cleanup_(rk_cleanup_target)

#endif
