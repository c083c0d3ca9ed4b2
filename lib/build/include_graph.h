/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file of a tree includes which, by the text of the #include lines in all configurations. An operand that can't be
 * resolved for certain counts for every file it could mean.
 */
#ifndef RK_BUILD_INCLUDE_GRAPH_H
#define RK_BUILD_INCLUDE_GRAPH_H

#include "lib/build/internal.h"

struct rk_include_graph;

/* Collects the lines at the first time for a tree, which takes seconds, and keeps them. only_c: only lines that name a C file, and
 * only files with such lines. */
struct rk_err *rk_include_graph_open(struct rk_kbuild *kbuild, bool only_c,
				     struct rk_include_graph **ret) __must_use;
void rk_include_graph_close(struct rk_include_graph *graph);

/* Files, each once, in the order they were found; the paths belong to the graph or the caller. */
struct rk_file_set {
	struct rk_map seen;
	rk_vec(const char *) list;
};
void rk_file_set_deinit(struct rk_file_set *set);
struct rk_err *rk_file_set_add(struct rk_file_set *set, const char *path) __must_use;
bool rk_file_set_has(const struct rk_file_set *set, const char *path);

/* Adds path and all that read it, directly or not; if the compiler is told to read one of them, every C file. path must outlive
 * the set. */
struct rk_err *rk_include_graph_readers(const struct rk_include_graph *graph, const char *path,
					struct rk_file_set *set) __must_use;

/* Adds what the files of the set read, directly or not. */
struct rk_err *rk_include_graph_read_by(const struct rk_include_graph *graph,
					struct rk_file_set *set) __must_use;

#endif
