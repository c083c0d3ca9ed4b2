/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of this host in one record: what `readykernel info`, `status`, the metrics, the Nagios check and the files in /run show. Collected
 * without network, root or waiting; the trust part is given by the caller, who reads it through lib/trust.
 */
#ifndef RK_HOST_STATUS_H
#define RK_HOST_STATUS_H

#include <jansson.h>

#include "lib/host/choose.h"
#include "lib/host/kernel.h"
#include "lib/host/settings.h"

/* The exit status of `readykernel status`: the first four are kcarectl's. The worst that holds counts. */
enum rk_status_verdict {
	RK_STATUS_LATEST = 0,	   /* the newest level that is allowed here is loaded */
	RK_STATUS_NONE = 1,	   /* nothing is loaded */
	RK_STATUS_OUTDATED = 2,	   /* a newer one is there */
	RK_STATUS_UNSUPPORTED = 3, /* no patches for this kernel, or it has no live patching */
	RK_STATUS_STALLED = 4,	   /* in transition longer than its limit */
	/* the last change failed, the level is blocked or was taken back, or it isn't known any more what is newest */
	RK_STATUS_FAILED = 5,
};
/* "latest", "none", "outdated", "unsupported", "stalled", "failed" */
const char *rk_status_verdict_name(enum rk_status_verdict verdict);

enum rk_secure_boot {
	RK_SECURE_BOOT_UNKNOWN,
	RK_SECURE_BOOT_OFF,
	RK_SECURE_BOOT_ON
};

/* What lib/trust knows; all zero: nothing (no repository yet). */
struct rk_status_trust {
	uint64_t root_version;
	int64_t timestamp_made, timestamp_expires; /* seconds since 1970; 0 unknown */
	bool from_bundle;
	bool kernel_known;  /* the repository lists this build-id */
	bool kernel_absent; /* it proves that there is nothing for it */
	uint64_t newest;    /* level; 0 none */
	int64_t covered_until;
	const struct rk_patch *newest_patch;	/* for cves_added; or NULL */
	const struct rk_patch *allowed_patch;	/* the newest within the freeze; or NULL */
	const char *licence_id, *licence_state; /* or NULL */
	int64_t licence_not_after;
	const char *licence_problem; /* why the one that is installed isn't one; or NULL */
	const char *problem;	     /* why nothing of it can be believed; or NULL */
	struct rk_policy says;	     /* what its publisher says of levels now */
};

struct rk_status {
	struct rk_arena arena;
	int64_t now; /* seconds since 1970, when it was collected */
	const struct rk_host_kernel *kernel;
	const struct rk_settings *settings;
	const struct rk_host_state *state;
	const struct rk_patches *patches;
	struct rk_status_trust trust;
	const struct rk_patch *loaded; /* NULL: none of ours */
	enum rk_livepatch_state loaded_state;
	const struct rk_patch
		*allowed;    /* the newest within the freeze, loaded or to be had; or NULL */
	const char *foreign; /* another live patch that is loaded; or NULL */
	bool has_livepatch;  /* the kernel can be patched at all */
	bool is_blind; /* that nothing newer is there can't be known: trust.problem, refused, or expired */
	enum rk_passed
		taken_back; /* what the publisher says of the loaded level; RK_PASSED_NOT: nothing */
	const char *effective; /* version the kernel is as safe as */
	const char **cves, **cves_missing,
		**cves_excluded; /* fixed; of the newest level and not loaded; of these by freeze */
	size_t nr_cves, nr_cves_missing, nr_cves_excluded;
	struct rk_livepatch_blockers blockers; /* when in transition; stacks only for root */
	enum rk_secure_boot secure_boot;
	uint64_t taint; /* of the kernel: /proc/sys/kernel/tainted */
	enum rk_status_verdict verdict;
	const char *summary; /* the verdict in one line */
};

/* Somebody served what is not to be trusted when this host looked last. */
bool rk_status_was_refused(const struct rk_status *status);

/* Everything given must outlive *ret. patches: of the running kernel. trust may be NULL. */
struct rk_err *rk_status_collect(const struct rk_host *host, const struct rk_settings *settings,
				 const struct rk_host_kernel *kernel,
				 const struct rk_host_state *state,
				 const struct rk_patches *patches,
				 const struct rk_status_trust *trust, struct rk_status **ret)
	__must_use;
void rk_status_free(struct rk_status *status);

/* The document of `status --json`, schema "readykernel-status/1"; a new reference, NULL without memory. */
json_t *rk_status_to_json(const struct rk_status *status);

static inline void rk_cleanup_status(struct rk_status **status)
{
	rk_status_free(*status);
}
#define _cleanup_status_ _cleanup_(rk_cleanup_status)

#endif
