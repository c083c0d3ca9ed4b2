/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel of plain files: what sysfs and proc show of live patches, in a directory of the test; and one that acts: a module that is
 * inserted shows up there, as the test says that it should.
 */
#ifndef RK_TESTS_UNIT_SYSMAKE_H
#define RK_TESTS_UNIT_SYSMAKE_H

#include "lib/livepatch/livepatch.h"
#include "lib/patch/module.h"

struct sysmake {
	struct rk_livepatch_roots roots;
	struct rk_livepatch_calls calls;
	char *dir;
	const char *build_id; /* what inserted modules get; NULL: none */
	const char *stuck;    /* name of a module whose transition never ends */
	/* what the kernel makes of the "0" or "1" that is written to a patch's enabled file, before the writer goes on: an errno refuses it;
	 * NULL: nothing, the transition is over as soon as its file says so */
	int (*switched)(struct sysmake *sys, const char *name, bool enabled);
	int error; /* the errno of the next insertion */
	void (*removing)(struct sysmake *sys,
			 const char *name); /* before a module goes; NULL: nothing */
	const char *held;		    /* name of a module that something refers to for ever */
	bool replaces;			    /* an inserted module disables all others */
	char log[1024];			    /* "+a +b -a": modules as they came and went */
};

/* A new, empty kernel below the test's directory. */
void sysmake_init(struct sysmake *sys, const char *name);
void sysmake_deinit(struct sysmake *sys);

/* Writes <root>/<path>, with its directories. */
void sysmake_put_bytes(const char *root, const char *path, const void *data, size_t len);
void sysmake_put(const char *root, const char *path, const char *text);
/* A live patch's files. */
void sysmake_patch(struct sysmake *sys, const char *name, const char *enabled,
		   const char *transition);
/* Its directory goes, as when it is disabled or replaced. */
void sysmake_unpatch(struct sysmake *sys, const char *name);
/* A module's files; taint 'K' is a live patch's. */
void sysmake_module(struct sysmake *sys, const char *name, const char *taint, const char *refcnt);
/* A thread; NULL leaves a file out. */
void sysmake_thread(struct sysmake *sys, const char *pid, const char *tid, const char *comm,
		    const char *state, const char *stack);

/* A module's file as it is written by a build: an ELF with .modinfo, a build-id, and a manifest when level isn't 0 (cumulative unless
 * replace is false). Returns its path; build_id is 40 hex digits, or NULL. */
char *sysmake_file(struct sysmake *sys, const char *name, unsigned int level, bool replace,
		   const char *build_id);

#endif
