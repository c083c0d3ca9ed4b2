/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The #include lines of a tree. They are collected once and kept; those that name a C file, a few hundred, also by
 * themselves: every build asks for them.
 */
#include "lib/build/include_graph.h"

#include <dirent.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/parallel.h"
#include "lib/base/str.h"
#include "lib/source/paths.h"

/* Larger headers hold register definitions of graphics and media chips and include nothing: a third of a tree's bytes. */
#define HEADER_MAX (512u << 10)
#define SOURCE_MAX (64u << 20)
#define GRAPH_MAX  (256u << 20)
/* Tens of thousands of small files: one reader alone would wait for the disk most of the time. */
#define READERS 16

/* ---- collecting: one line per file, then one per #include, a tab and the operand with its opening sign before it ---- */

static void add_operand(const char *line, bool only_c, struct rk_str *out)
{
	const char *s = line + strlen("include");

	s += strspn(s, " \t");
	size_t n = strcspn(s + (*s != '\0'), "\">\n");
	if (only_c && (n < 3 || s[n - 1] != '.' || s[n] != 'c'))
		return;
	if ((*s == '"' || *s == '<') && n > 0)
		rk_str_addf(out, "\t%.*s\n", (int)n + 1, s);
}

static void add_includes(const char *text, bool only_c, struct rk_str *out)
{
	for (const char *s = text; (s = strchr(s, '#'));) {
		const char *before = s++;

		while (before > text && (before[-1] == ' ' || before[-1] == '\t'))
			before--;
		s += strspn(s, " \t");
		/* A comment before it, of which only the end matters, may leave it at the beginning. */
		if ((before == text || before[-1] == '\n' || before[-1] == '/') &&
		    rk_has_prefix(s, "include"))
			add_operand(s, only_c, out);
	}
}

/* One file to read, and its #include lines. */
struct source_file {
	const char *path;
	off_t size;
	struct rk_str lines;
};

struct collection {
	const struct rk_kbuild *kbuild;
	bool only_c; /* only lines that name a C file, and only files with such lines */
	struct rk_arena arena;
	rk_vec(struct source_file) files;
};

static void collection_deinit(struct collection *all)
{
	rk_vec_for_each(&all->files, file)
		rk_str_deinit(&file->lines);
	rk_vec_deinit(&all->files);
	rk_arena_deinit(&all->arena);
}

static struct rk_err *read_file(void *ctx, size_t i)
{
	const struct collection *all = ctx;
	struct source_file *file = &all->files.v[i];
	_cleanup_free_ char *full = rk_path_join(all->kbuild->target->source, file->path);
	_cleanup_free_ char *text = NULL;

	if (!full)
		return rk_err_nomem();
	if (rk_has_suffix(file->path, ".h") && file->size > HEADER_MAX)
		return NULL;
	RK_TRY(rk_fs_read(full, SOURCE_MAX, &text, NULL));
	add_includes(text, all->only_c, &file->lines);
	return rk_str_check(&file->lines);
}

static struct rk_err *add_file(void *ctx, const char *path, off_t size)
{
	struct collection *all = ctx;
	struct source_file file = {NULL, size, RK_STR_INIT};

	if (!rk_has_suffix(path, ".c") && !rk_has_suffix(path, ".h") &&
	    !rk_has_suffix(path, ".inc") && !rk_has_suffix(path, ".S"))
		return NULL;
	file.path = rk_arena_strdup(&all->arena, path);
	return file.path && rk_vec_push(&all->files, file) ? NULL : rk_err_nomem();
}

static struct rk_err *collect(const struct rk_kbuild *kbuild, bool only_c, struct rk_str *out)
{
	struct collection all = {.kbuild = kbuild, .only_c = only_c};
	struct rk_err *err = rk_kbuild_walk(kbuild, add_file, &all);

	if (!err)
		err = rk_parallel(all.files.nr, READERS, read_file, &all);
	rk_vec_for_each(&all.files, file)
		if (!only_c || file->lines.len)
			rk_str_addf(out, "%s\n%s", file->path, rk_str_get(&file->lines));
	collection_deinit(&all);
	return err ? err : rk_str_check(out);
}

static struct rk_err *get_graph(struct rk_kbuild *kbuild, bool only_c, char **ret)
{
	const char *name = only_c ? "includes-of-c" : "include-graph";
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	_cleanup_free_ char *file = kbuild->dir ? rk_path_join(kbuild->dir, name) : NULL;

	if (kbuild->dir && !file)
		return rk_err_nomem();
	if (kbuild->keeps_recipes && rk_fs_exists(file))
		return rk_fs_read(file, GRAPH_MAX, ret, NULL);
	rk_report_phase(kbuild->reporter, "kbuild", "%s",
			only_c ? "reading which file includes a C file"
			       : "reading which file includes which");
	RK_TRY(collect(kbuild, only_c, &out));
	if (kbuild->keeps_recipes)
		RK_TRY(rk_fs_write(file, rk_str_get(&out), out.len, 0666));
	return rk_str_take(&out, ret);
}

/* ---- walking ---- */

/* One #include line. */
struct edge {
	const char *from;    /* file it is in */
	const char *operand; /* as written, the opening quote or bracket first */
	struct edge *next;   /* of the same last part */
	struct edge *below;  /* of the same file */
};

/* Files of the same last part. */
struct namesake {
	const char *path;
	struct namesake *next;
};

struct rk_include_graph {
	const struct rk_kbuild *kbuild;
	bool only_c;
	char *text;
	struct rk_arena arena;
	struct rk_map files;   /* path → path */
	struct rk_map by_name; /* last part of the operand → edges */
	struct rk_map by_from; /* path → edges */
	struct rk_map by_part; /* last part of the path → namesakes */
};

void rk_include_graph_close(struct rk_include_graph *graph)
{
	if (!graph)
		return;
	rk_map_deinit(&graph->files);
	rk_map_deinit(&graph->by_name);
	rk_map_deinit(&graph->by_from);
	rk_map_deinit(&graph->by_part);
	rk_arena_deinit(&graph->arena);
	free(graph->text);
	free(graph);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool add_edge(struct rk_include_graph *graph, const char *from, const char *operand)
{
	const char *name = last_part(operand + 1);
	struct edge *edge = rk_arena_new(&graph->arena, struct edge);

	if (!edge)
		return false;
	*edge = (struct edge){from, operand, rk_map_get(&graph->by_name, name),
			      rk_map_get(&graph->by_from, from)};
	return rk_map_set(&graph->by_name, name, edge) && rk_map_set(&graph->by_from, from, edge);
}

static bool add_graph_file(struct rk_include_graph *graph, char *path)
{
	const char *name = last_part(path);
	struct namesake *own = rk_arena_new(&graph->arena, struct namesake);

	if (!own)
		return false;
	*own = (struct namesake){path, rk_map_get(&graph->by_part, name)};
	return rk_map_set(&graph->by_part, name, own) && rk_map_set(&graph->files, path, path);
}

static struct rk_err *parse_graph(struct rk_include_graph *graph)
{
	const char *file = NULL;

	for (char *s = graph->text, *end; *s; s = end + 1) {
		bool ok = true;

		end = strchr(s, '\n');
		if (!end)
			return rk_err(RK_ERR_FORMAT, "the list of #include lines is cut off");
		*end = '\0';
		if (*s != '\t') {
			file = s;
			ok = add_graph_file(graph, s);
		} else if (file && s[1] && s[2]) {
			ok = add_edge(graph, file, s + 1);
		}
		if (!ok)
			return rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_include_graph_open(struct rk_kbuild *kbuild, bool only_c,
				     struct rk_include_graph **ret)
{
	struct rk_include_graph *graph = calloc(1, sizeof(*graph));

	if (!graph)
		return rk_err_nomem();
	graph->kbuild = kbuild;
	graph->only_c = only_c;
	struct rk_err *err = get_graph(kbuild, only_c, &graph->text);
	if (!err)
		err = parse_graph(graph);
	if (err) {
		rk_include_graph_close(graph);
		return err;
	}
	*ret = graph;
	return NULL;
}

/* The path operand means when it is looked for in the includer's own directory; malloc'ed. */
static char *beside(const struct edge *edge)
{
	const char *slash = strrchr(edge->from, '/');
	char *path = rk_asprintf("%.*s/%s", slash ? (int)(slash - edge->from) : 1,
				 slash ? edge->from : ".", edge->operand + 1);

	if (path)
		rk_path_normalise(path);
	return path;
}

static struct rk_err *is_file(const struct rk_include_graph *graph, const char *path, bool *ret)
{
	if (!graph->only_c) {
		*ret = rk_map_get(&graph->files, path) != NULL;
		return NULL;
	}
	_cleanup_free_ char *full = rk_path_join(graph->kbuild->target->source, path);
	if (!full)
		return rk_err_nomem();
	*ret = rk_fs_exists(full);
	return NULL;
}

/* Can the line mean path? Only a file beside the includer is certain: all else hangs on -I options. */
static struct rk_err *may_mean(const struct rk_include_graph *graph, const struct edge *edge,
			       const char *path, bool *ret)
{
	const char *operand = edge->operand + 1;

	*ret = false;
	if (edge->operand[0] == '"') {
		_cleanup_free_ char *near = beside(edge);
		bool is_there;

		if (!near)
			return rk_err_nomem();
		RK_TRY(is_file(graph, near, &is_there));
		if (is_there) {
			*ret = rk_streq(near, path);
			return NULL;
		}
	}
	while (rk_has_prefix(operand, "../") || rk_has_prefix(operand, "./"))
		operand = strchr(operand, '/') + 1;
	size_t n = strlen(operand), len = strlen(path);
	*ret = len >= n && rk_streq(path + len - n, operand) &&
	       (len == n || path[len - n - 1] == '/');
	return NULL;
}

void rk_file_set_deinit(struct rk_file_set *set)
{
	rk_map_deinit(&set->seen);
	rk_vec_deinit(&set->list);
}

bool rk_file_set_has(const struct rk_file_set *set, const char *path)
{
	return rk_map_get(&set->seen, path) != NULL;
}

struct rk_err *rk_file_set_add(struct rk_file_set *set, const char *path)
{
	if (rk_file_set_has(set, path))
		return NULL;
	if (!rk_map_set(&set->seen, path, (void *)path) || !rk_vec_push(&set->list, path))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *add_all_units(const struct rk_include_graph *graph, struct rk_file_set *set)
{
	size_t pos = 0;
	const char *path;
	void *value;

	while (rk_map_next(&graph->files, &pos, &path, &value))
		if (rk_has_suffix(path, ".c"))
			RK_TRY(rk_file_set_add(set, path));
	return NULL;
}

/* What the kernel's top Makefile gives the compiler with -include. */
static bool is_forced(const char *path)
{
	return rk_streq(path, "include/linux/kconfig.h") ||
	       rk_streq(path, "include/linux/compiler-version.h") ||
	       rk_streq(path, "include/linux/compiler_types.h");
}

struct rk_err *rk_include_graph_readers(const struct rk_include_graph *graph, const char *path,
					struct rk_file_set *set)
{
	size_t i = set->list.nr;

	RK_TRY(rk_file_set_add(set, path));
	for (; i < set->list.nr; i++) {
		const char *read = set->list.v[i];
		const struct edge *edge = rk_map_get(&graph->by_name, last_part(read));

		if (is_forced(read))
			return add_all_units(graph, set);
		for (; edge; edge = edge->next) {
			bool means;

			if (rk_file_set_has(set, edge->from))
				continue;
			RK_TRY(may_mean(graph, edge, read, &means));
			if (means)
				RK_TRY(rk_file_set_add(set, edge->from));
		}
	}
	return NULL;
}

struct rk_err *rk_include_graph_read_by(const struct rk_include_graph *graph,
					struct rk_file_set *set)
{
	for (size_t i = 0; i < set->list.nr; i++) {
		const struct edge *edge = rk_map_get(&graph->by_from, set->list.v[i]);

		for (; edge; edge = edge->below) {
			const struct namesake *file =
				rk_map_get(&graph->by_part, last_part(edge->operand + 1));

			for (; file; file = file->next) {
				bool means = false;

				if (!rk_file_set_has(set, file->path))
					RK_TRY(may_mean(graph, edge, file->path, &means));
				if (means)
					RK_TRY(rk_file_set_add(set, file->path));
			}
		}
	}
	return NULL;
}
