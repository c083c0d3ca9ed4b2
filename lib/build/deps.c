/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of files a compilation read, as gcc -MMD writes it: one make rule, continued lines, blanks escaped. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

void rk_deps_free(char **deps)
{
	for (char **it = deps; it && *it; it++)
		free(*it);
	free(deps);
}

/* The next word at *s, escapes resolved; false at the end. */
static bool next_word(const char **s, struct rk_str *word)
{
	const char *p = *s;

	rk_str_clear(word);
	while (*p == ' ' || *p == '\n' || *p == '\t' || (p[0] == '\\' && p[1] == '\n'))
		p++;
	for (; *p && *p != ' ' && *p != '\n' && *p != '\t'; p++) {
		if (p[0] == '\\' && p[1] == '\n')
			break;
		if ((p[0] == '\\' && (p[1] == ' ' || p[1] == '#' || p[1] == '\\')) ||
		    (p[0] == '$' && p[1] == '$'))
			p++;
		rk_str_add_char(word, *p);
	}
	*s = p;
	return word->len > 0;
}

struct rk_err *rk_deps_parse(const char *text, char ***ret)
{
	_cleanup_str_ struct rk_str word = RK_STR_INIT;
	rk_vec(char *) deps = {};
	const char *s = strstr(text, ": ");
	bool failed = false;

	if (!s)
		return rk_err(RK_ERR_FORMAT, "the compiler's list of dependencies has no rule");
	for (s++; !failed && next_word(&s, &word);) {
		const char *path = rk_str_get(&word);

		while (rk_has_prefix(path, "./"))
			path += 2;
		char *copy = strdup(path);
		failed = !copy || word.failed || !rk_vec_push(&deps, copy);
		if (failed)
			free(copy);
	}
	failed = !rk_vec_push(&deps, NULL) || failed;
	if (failed) {
		rk_vec_for_each(&deps, it)
			free(*it);
		rk_vec_deinit(&deps);
		return rk_err_nomem();
	}
	*ret = deps.v;
	return NULL;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *rk_compile_stale_dep(const struct rk_compile_job *job, const struct rk_view *view)
{
	size_t source_len = strlen(view->source);

	for (char **dep = job->deps; dep && *dep; dep++) {
		rk_vec_for_each(&view->files, file) {
			char real[PATH_MAX];

			/* A file keeps its name on the way through links between directories. */
			if (!rk_streq(last_part(*dep), last_part(file->path)))
				continue;
			_cleanup_free_ char *full = rk_path_join(job->root, *dep);
			if (!full || !realpath(full, real))
				continue;
			if (strncmp(real, view->source, source_len) == 0 &&
			    real[source_len] == '/' && rk_streq(real + source_len + 1, file->path))
				return file->path;
		}
	}
	return NULL;
}
