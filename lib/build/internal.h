/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lib/build share: kbuild of one target, what its directories hold, words of a shell command. */
#ifndef RK_BUILD_INTERNAL_H
#define RK_BUILD_INTERNAL_H

#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/build/compile.h"

/* Raised when recipes or cached objects come out differently than before. */
#define RK_BUILD_CACHE_VERSION "1"

/* PATH of everything we run: the build must not depend on who runs it. */
#define RK_BUILD_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct rk_kbuild {
	struct rk_arena arena;
	const struct rk_target *target;
	const struct rk_reporter *reporter;
	const char *dir;	  /* where our files of this kbuild are kept, or NULL */
	const char *const *env;	  /* what the top Makefile exports */
	const char *srcarch;	  /* the machine's directory below arch/ */
	const char *compiler;	  /* identity of the compiler, once it was asked for */
	struct rk_map dirs;	  /* path → struct rk_kbuild_dir */
	struct rk_map units;	  /* unit → struct rk_unit */
	struct rk_map makefiles;  /* path → text; see rk_makefile() */
	struct rk_map inclusions; /* path → what the files of that directory include */
	char *config;		  /* text of the configuration, once it was asked for */
	bool keeps_recipes;	  /* the Makefiles can't change behind our back */
};

/* What one directory's Makefile says in this configuration; lists are separated by spaces. */
struct rk_kbuild_dir {
	const char *path; /* "." is the root */
	const char *obj_m, *real_obj_y, *real_obj_m, *lib_y, *subdir_builtin, *subdir_modorder;
	bool has_makefile;
	bool builtin;  /* the build enters it, and its obj-y is linked into vmlinux */
	bool modorder; /* the build enters it for modules; in neither case are the lists NULL */
};

/* Where an object comes from: a directory's Makefile and the name it uses for it. */
struct rk_place {
	struct rk_kbuild_dir *dir;
	const char *object; /* "fs/ext4/inode.o", or with ".." inside */
	bool in_module;
};

/* What is known of a file; the recipe only once it was asked for. */
struct rk_unit {
	const struct rk_recipe *recipe;
	const char *reason;
	bool is_located;       /* the next two are answered */
	struct rk_place place; /* without dir if it isn't compiled by itself */
	const char *including; /* the unit that it is part of, or NULL */
};

/* What may be compiled by itself, or assembled; what else may be is included by it. */
static inline bool rk_is_unit_name(const char *path)
{
	return rk_has_suffix(path, ".c") || rk_has_suffix(path, ".S");
}

/* Runs make in the source tree with kbuild's environment; output as it comes. RK_ERR_TOOL. */
struct rk_err *rk_kbuild_make(struct rk_kbuild *kbuild, const char *const *args, unsigned int nr,
			      struct rk_process_result *ret) __must_use;

/* The directory at path, NULL if nothing there has a Makefile. */
struct rk_err *rk_kbuild_dir(struct rk_kbuild *kbuild, const char *path, struct rk_kbuild_dir **ret)
	__must_use;

/* The text of a Makefile, by its path below the source tree, with continued lines joined; NULL if there is none. As long as kbuild. */
struct rk_err *rk_makefile(struct rk_kbuild *kbuild, const char *path, const char **ret) __must_use;

/* Is word, a path that is compared after ".." is resolved, in list? The word as it stands there, malloc'ed, or NULL. */
struct rk_err *rk_list_find(const char *list, const char *word, char **ret) __must_use;

/* The text behind prefix of the first line of output that begins with it, in the arena; NULL if there is none. */
struct rk_err *rk_output_line(struct rk_arena *arena, const char *output, const char *prefix,
			      const char **ret) __must_use;

/* Why the unit isn't compiled; never NULL on success. *ret_is_certain is false when it is only that no Makefile above it
 * names it. */
struct rk_err *rk_unit_reason(struct rk_kbuild *kbuild, const char *unit, const char **ret,
			      bool *ret_is_certain) __must_use;

/* Directories whose Makefiles take files from elsewhere, nearest to unit first; in the arena, NULL-terminated. */
struct rk_err *rk_dirs_reaching_out(struct rk_kbuild *kbuild, const char *unit, const char ***ret)
	__must_use;

/* The unit that includes path (a .c or private header) by name, or NULL. */
struct rk_err *rk_unit_including(struct rk_kbuild *kbuild, const char *path, const char **ret)
	__must_use;

/* path: within the source tree. */
typedef struct rk_err *rk_kbuild_on_file(void *ctx, const char *path, off_t size);
/* Calls on_file for each regular file that may belong to this kernel, always in the same order, until one fails: what is hidden, documentation,
 * tools and other architectures is left out. */
struct rk_err *rk_kbuild_walk(const struct rk_kbuild *kbuild, rk_kbuild_on_file *on_file, void *ctx)
	__must_use;

/* Words of one shell command line, quotes resolved; commands separated by ';' are separate arrays. */
struct rk_command {
	rk_vec(const char *) words;
};
struct rk_commands {
	rk_vec(struct rk_command) list;
};
/* Errors: RK_ERR_FORMAT when a quote is open or the line needs a real shell. */
struct rk_err *rk_commands_parse(struct rk_arena *arena, const char *line, struct rk_commands *ret)
	__must_use;
void rk_commands_deinit(struct rk_commands *commands);

/* Identity of the compiler and assembler, as text: what a cached object depends on besides its recipe. */
struct rk_err *rk_compiler_identity(struct rk_kbuild *kbuild, const char **ret) __must_use;

/* Files a Makefile fragment of gcc -MMD names; malloc'ed, NULL-terminated. */
struct rk_err *rk_deps_parse(const char *text, char ***ret) __must_use;
void rk_deps_free(char **deps);

/* The cache of original objects. *ret_key is empty when the target has no place for one. */
struct rk_err *rk_objcache_key(struct rk_kbuild *kbuild, const struct rk_compile_job *job,
			       char ret_key[RK_SHA256_HEX_SIZE]) __must_use;
/* Copies the object and its dependency file from the cache; *ret_found is false if it isn't there. */
struct rk_err *rk_objcache_get(const struct rk_kbuild *kbuild, const char *key, const char *object,
			       const char *depfile, bool *ret_found) __must_use;
struct rk_err *rk_objcache_put(const struct rk_kbuild *kbuild, const char *key, const char *object,
			       const char *depfile) __must_use;

#endif
