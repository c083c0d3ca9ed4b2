/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live patches of the running kernel, as its own interface shows them (Documentation/ABI/testing/sysfs-kernel-livepatch,
 * kernel 6.1): what is loaded and in which state, loading and unloading, the end of a transition, and who holds it
 * up. Used by kpatch on a host and by the test tool's init in its guest: one implementation for both.
 */
#ifndef RK_LIVEPATCH_LIVEPATCH_H
#define RK_LIVEPATCH_LIVEPATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/vec.h"

/* The two system calls that can't be had from a tree of files; each returns 0 or an errno. */
struct rk_livepatch_calls {
	int (*insert)(void *ctx, int fd, const char *path); /* finit_module */
	int (*remove)(void *ctx, const char *name);	    /* delete_module, never waiting */
	void *ctx;
};

/* Where the kernel's file systems are, and what we keep ourselves. Tests put a tree of plain files there. */
struct rk_livepatch_roots {
	const char *sys;     /* "/sys" */
	const char *proc;    /* "/proc" */
	const char *modules; /* "/lib/modules" */
	const char
		*store;	 /* "/var/lib/kpatch": installed patches, a directory per kernel release */
	const char *run; /* "/run/kpatch": what is loaded, as long as this kernel runs */
	const struct rk_livepatch_calls *calls; /* NULL: the kernel's own */
};

extern const struct rk_livepatch_roots rk_livepatch_roots;

enum rk_livepatch_state {
	RK_LIVEPATCH_ABSENT, /* no module of that name is loaded */
	RK_LIVEPATCH_DISABLED, /* the module is still there, its patch is not: it can only be unloaded */
	RK_LIVEPATCH_ENABLED,	/* every task runs the new code */
	RK_LIVEPATCH_ENABLING,	/* in transition to the new code */
	RK_LIVEPATCH_DISABLING, /* in transition back to the old code */
	RK_LIVEPATCH_STATES
};

/* "absent", "disabled", "enabled", "enabling", "disabling": part of --json. */
const char *rk_livepatch_state_name(enum rk_livepatch_state state);
static inline bool rk_livepatch_is_moving(enum rk_livepatch_state state)
{
	return state == RK_LIVEPATCH_ENABLING || state == RK_LIVEPATCH_DISABLING;
}

struct rk_livepatch_func {
	const char *name;
	unsigned int sympos; /* as the kernel shows it: 1 for names that are unique */
};

struct rk_livepatch_object {
	const char *name;			/* "vmlinux" or a module's name */
	bool patched;				/* false: that module isn't loaded */
	rk_vec(struct rk_livepatch_func) funcs; /* by name */
};

struct rk_livepatch {
	const char *name;
	enum rk_livepatch_state state;
	int refcount;				    /* of the module; -1 when unknown */
	const char *taint;			    /* the module's taint letters, "" when none */
	rk_vec(struct rk_livepatch_object) objects; /* by name; none while disabled */
};

struct rk_livepatch_list {
	struct rk_arena arena;
	rk_vec(struct rk_livepatch) list; /* by name */
};

/* Every live patch, also modules whose patch is disabled (module taint 'K'). A kernel without live patching:
 * RK_ERR_UNSUPPORTED. ret is untouched on failure; free with rk_livepatch_list_deinit(). */
struct rk_err *rk_livepatch_list(const struct rk_livepatch_roots *roots,
				 struct rk_livepatch_list *ret) __must_use;
void rk_livepatch_list_deinit(struct rk_livepatch_list *list);

/* The state of one; never an error for an absent one. */
struct rk_err *rk_livepatch_state(const struct rk_livepatch_roots *roots, const char *name,
				  enum rk_livepatch_state *ret) __must_use;

/* One task that has not changed over yet. */
struct rk_livepatch_blocker {
	int pid, tid; /* of its process, and its own */
	const char *comm;
	const char *
		stack; /* kernel stack as /proc shows it, lines separated by '\n'; "" when unreadable */
};

struct rk_livepatch_blockers {
	struct rk_arena arena;
	rk_vec(struct rk_livepatch_blocker) list; /* by tid */
};

/* Tasks whose patch_state is neither -1 nor that of the target state. Tasks that end meanwhile are left out. */
struct rk_err *rk_livepatch_blockers(const struct rk_livepatch_roots *roots, bool enabling,
				     struct rk_livepatch_blockers *ret) __must_use;
void rk_livepatch_blockers_deinit(struct rk_livepatch_blockers *blockers);

/* How long to wait. note_ms: signal the tasks that are left, and say that it takes long, after that time (0: never). */
struct rk_livepatch_limits {
	unsigned int note_ms;
	unsigned int end_ms;
	/* more time once every task has changed over: the kernel then takes out one function after the other, some 0.1 s each
	 * (klp_unpatch_objects()), and nothing can hold that up or turn it round */
	unsigned int finish_ms;
	bool goes_on; /* also when interrupted, which else waits only for what can't be turned round any more */
};

/* Waits until name is no more in transition; what it ended in is *ret. Errors: RK_ERR_TIMEOUT (still in
 * transition at end_ms and after finish_ms), RK_ERR_INTERRUPTED. */
struct rk_err *rk_livepatch_wait(const struct rk_livepatch_roots *roots, const char *name,
				 const struct rk_livepatch_limits *limits,
				 const struct rk_reporter *reporter, enum rk_livepatch_state *ret)
	__must_use;

/* Asks the tasks that hold name's transition up to pass through the kernel's border: kernels before 5.1 have a file for that; later ones do
 * it by themselves every 15 s, and nothing is done: *ret_by_kernel. An absent patch: RK_ERR_NOT_FOUND. */
struct rk_err *rk_livepatch_signal(const struct rk_livepatch_roots *roots, const char *name,
				   bool *ret_by_kernel) __must_use;

/* Declares name's transition over, whatever the tasks that are left run: no consistency for them, and the modules of patches that were
 * being taken out (disabled or replaced) can't be removed until reboot (klp_force_transition(), kernel 6.1). Only ever on a person's word. */
struct rk_err *rk_livepatch_force(const struct rk_livepatch_roots *roots, const char *name)
	__must_use;

/* Gives the module file to the kernel (finit_module) and returns when its init is over; the transition may go on.
 * While another transition runs (EBUSY) it tries again, tries times in all, 2 s apart.
 * A refusal (RK_ERR_SYS) says in words what the errno means here and where to look. */
struct rk_err *rk_livepatch_insert(const struct rk_livepatch_roots *roots, const char *path,
				   unsigned int tries, const struct rk_reporter *reporter)
	__must_use;
/* The same of an open file, which the kernel reads from its start; path is for messages. goes_on: also when interrupted. */
struct rk_err *rk_livepatch_insert_fd(const struct rk_livepatch_roots *roots, int fd,
				      const char *path, unsigned int tries, bool goes_on,
				      const struct rk_reporter *reporter) __must_use;

/* Writes 0 (disable, or reverse an enabling) or 1 (reverse a disabling) to the patch's enabled file. */
struct rk_err *rk_livepatch_set_enabled(const struct rk_livepatch_roots *roots, const char *name,
					bool enabled) __must_use;

/* Removes the module once nothing refers to it: waits at most limit_ms, also when interrupted (6.1 drops the reference of a disabled
 * patch from a work item, shortly after its end), then RK_ERR_TIMEOUT. An absent module is success. */
struct rk_err *rk_livepatch_remove(const struct rk_livepatch_roots *roots, const char *name,
				   unsigned int limit_ms) __must_use;

/* What is running: compare with a patch module's manifest. */
struct rk_running {
	struct rk_arena arena;
	const char *release;  /* uname -r */
	const char *version;  /* uname -v */
	const char *machine;  /* uname -m */
	const char *build_id; /* of the kernel, from /sys/kernel/notes; NULL when it shows none */
};
struct rk_err *rk_running_read(const struct rk_livepatch_roots *roots, struct rk_running *ret)
	__must_use;
void rk_running_deinit(struct rk_running *running);

/* Which build a loaded module is. */
struct rk_running_module {
	const char *build_id;	/* from its notes in sysfs; NULL when it isn't loaded or has none */
	const char *srcversion; /* NULL when it isn't loaded or has none */
};

/* Strings are in arena. A module that isn't loaded is no error. */
struct rk_err *rk_running_module(const struct rk_livepatch_roots *roots, const char *name,
				 struct rk_arena *arena, struct rk_running_module *ret) __must_use;

static inline void rk_cleanup_livepatch_list(struct rk_livepatch_list *l)
{
	rk_livepatch_list_deinit(l);
}
static inline void rk_cleanup_livepatch_blockers(struct rk_livepatch_blockers *b)
{
	rk_livepatch_blockers_deinit(b);
}
static inline void rk_cleanup_running(struct rk_running *r)
{
	rk_running_deinit(r);
}
#define _cleanup_livepatch_list_     _cleanup_(rk_cleanup_livepatch_list)
#define _cleanup_livepatch_blockers_ _cleanup_(rk_cleanup_livepatch_blockers)
#define _cleanup_running_	     _cleanup_(rk_cleanup_running)

#endif
