/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the verbs of kpatch. */
#ifndef RK_KPATCH_H
#define RK_KPATCH_H

#include <jansson.h>

#include "lib/host/host.h"
#include "lib/livepatch/apply.h"
#include "lib/livepatch/check.h"
#include "lib/livepatch/store.h"
#include "tools/common/cli.h"

extern const struct rk_verb verb_load, verb_unload, verb_replace, verb_list, verb_info, verb_status,
	verb_install, verb_uninstall, verb_signal, verb_force, verb_shutdown;

/* The options of all verbs; each has a table of those it knows. */
struct kpatch_values {
	const char *root;	/* NULL: "/" */
	const char *kernel;	/* release; NULL: the one that runs */
	unsigned int wait_s;	/* 0: rk_livepatch_patience */
	unsigned int timeout_s; /* 0: rk_livepatch_patience */
	bool all;
	bool boot;
	bool check_only;
	bool yes;
};

#define KPATCH_OPT_ROOT                                          \
	RK_OPT_STR(0, "root", struct kpatch_values, root, "DIR", \
		   "look at the system below DIR, a mounted image for example")
#define KPATCH_OPT_WAIT                                                                 \
	RK_OPT_UINT(0, "wait", struct kpatch_values, wait_s, "S",                       \
		    "signal the tasks that hold up a transition after S seconds (15)"), \
		RK_OPT_UINT(0, "timeout", struct kpatch_values, timeout_s, "S",         \
			    "turn it round when it does not end S seconds after that (60)")

/* Where the verb works: cli->values' root before each of the usual paths. */
struct kpatch_place {
	struct rk_host *host;
	struct rk_livepatch_roots roots; /* the host's */
	bool is_host;			 /* no other root */
};
struct rk_err *kpatch_place_init(const struct rk_cli *cli, struct kpatch_place *ret) __must_use;
void kpatch_place_deinit(struct kpatch_place *place);
#define _cleanup_place_ _cleanup_(kpatch_place_deinit)

struct rk_livepatch_patience kpatch_patience(const struct rk_cli *cli);

/* A file and no name: it has a '/', or ends with ".ko" and is there. A name never means what somebody left in the working directory. */
bool kpatch_is_path(const char *what);

/* The file that is meant: one that is there, else an installed one of that name, made absolute. RK_ERR_NOT_FOUND, RK_ERR_SYS. */
struct rk_err *kpatch_find_file(const struct kpatch_place *place, const char *release,
				const char *what, char **ret) __must_use;

/* Who holds up the transition of one of these, if one is in it; ret is untouched if none is. */
struct rk_err *kpatch_read_blockers(const struct kpatch_place *place,
				    const struct rk_livepatch_list *list,
				    struct rk_livepatch_blockers *ret) __must_use;

/* Why a record for the next boot couldn't be changed; frees err, which may be NULL. */
void kpatch_warn_guard(struct rk_err *err);

/* --- show.c --- */
void kpatch_show_checks(const struct rk_cli *cli, const struct rk_checks *checks);
json_t *kpatch_checks_json(const struct rk_checks *checks);
/* Tasks that hold a transition up, on out. */
void kpatch_show_blockers(FILE *out, const struct rk_livepatch_blockers *blockers);
json_t *kpatch_blockers_json(const struct rk_livepatch_blockers *blockers);
/* "CVE-2026-1 CVE-2026-2 title", a line a fix. */
void kpatch_show_fixes(const char *indent, const struct rk_manifest *manifest);
json_t *kpatch_fixes_json(const struct rk_manifest *manifest);

#endif
