/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commits as fixes: git lists them and writes one diff each, in a form that no configuration of the user's changes, so that the
 * same commits give the same bytes everywhere.
 */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/source/series.h"

#define COMMITS_MAX	20000
#define GIT_TIMEOUT	(10 * 60 * 1000) /* ms; a diff of a cold repository on a slow disk */
#define FILE_NAME_MAX	60
#define PATCH_BYTES_MAX (64u << 20)

/* GIT_NO_LAZY_FETCH and GIT_ALLOW_PROTOCOL: what a partial clone lacks isn't fetched. */
#define GIT                                                                                      \
	"env", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C", \
		"git", "--no-pager", "-C"

struct commits {
	struct rk_series *series;
	const char *repository, *range, *dir;
	const struct rk_reporter *reporter;
};

static struct rk_err *run(const char *const *argv, const char *output_path,
			  struct rk_process_result *ret)
{
	struct rk_process_spec spec = {
		.argv = argv,
		.output_path = output_path,
		.timeout_ms = GIT_TIMEOUT,
	};
	return rk_process_check(&spec, ret);
}

static struct rk_err *list(const struct commits *c, const char *which, const char *format,
			   struct rk_process_result *ret)
{
	const char *const argv[] = {GIT,
				    c->repository,
				    "log",
				    "--reverse",
				    "--topo-order",
				    "--no-show-signature",
				    "--no-color",
				    "--no-decorate",
				    which,
				    format,
				    "--end-of-options",
				    c->range,
				    "--",
				    NULL};
	RK_TRY(run(argv, NULL, ret));
	if (ret->output.len >= RK_PROCESS_OUTPUT_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s' has too many commits", c->range);
	return NULL;
}

static struct rk_err *write_patch(const struct commits *c, const char *commit, const char *path)
{
	static const char format[] = "--format=From %H%nFrom: %aN <%aE>%nSubject: %s%n%n%b%n---";
	const char *const argv[] = {GIT,
				    c->repository,
				    "show",
				    "--no-show-signature",
				    "--no-notes",
				    "--encoding=UTF-8",
				    "--no-color",
				    "--no-ext-diff",
				    "--no-textconv",
				    "--no-renames",
				    "--no-indent-heuristic",
				    "--diff-algorithm=myers",
				    "--src-prefix=a/",
				    "--dst-prefix=b/",
				    "--no-relative",
				    "--full-index",
				    "--submodule=short",
				    "-U3",
				    "--patch",
				    format,
				    "--end-of-options",
				    commit,
				    "--",
				    NULL};
	_cleanup_process_result_ struct rk_process_result res = {};

	return run(argv, path, &res);
}

/* An empty commit is no fix, and no mistake either. */
static struct rk_err *has_diff(const char *path, bool *ret)
{
	_cleanup_free_ char *text = NULL;

	RK_TRY(rk_fs_read(path, PATCH_BYTES_MAX, &text, NULL));
	*ret = strstr(text, "\ndiff --git ") != NULL;
	return NULL;
}

/* line is "<commit id> <subject as a file name>"; it is written to. */
static struct rk_err *add_commit(const struct commits *c, char *line, size_t nr)
{
	char *space = strchr(line, ' ');
	const char *subject = space ? space + 1 : "";

	if (space)
		*space = '\0';
	_cleanup_free_ char *path = rk_asprintf("%s/%04zu-%.*s.patch", c->dir, nr, FILE_NAME_MAX,
						*subject ? subject : line);
	if (!path)
		return rk_err_nomem();
	bool is_fix;
	RK_TRY(write_patch(c, line, path));
	RK_TRY(has_diff(path, &is_fix));
	if (!is_fix) {
		rk_report_note(c->reporter, "commit without a diff left out: %.12s %s", line,
			       subject);
		return NULL;
	}
	return rk_err_wrap(rk_series_add(c->series, path), "commit %.12s", line);
}

static struct rk_err *add_commits(const struct commits *c)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	size_t nr = 0;

	RK_TRY(list(c, "--no-merges", "--format=%H %f", &res));
	RK_TRY(rk_str_take(&res.output, &text));
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		if (++nr > COMMITS_MAX)
			return rk_err(RK_ERR_LIMIT, "'%s' has more than %d commits", c->range,
				      COMMITS_MAX);
		RK_TRY(add_commit(c, line, nr));
	}
	if (!nr)
		return rk_err(RK_ERR_NOT_FOUND, "there is no commit in '%s' of '%s'", c->range,
			      c->repository);
	return NULL;
}

static struct rk_err *note_merges(const struct commits *c)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_free_ char *text = NULL;
	char *rest, *line;

	RK_TRY(list(c, "--merges", "--format=%h %s", &res));
	RK_TRY(rk_str_take(&res.output, &text));
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			rk_report_note(c->reporter, "merge left out: %s", line);
	return NULL;
}

struct rk_err *rk_series_add_commits(struct rk_series *series, const char *repository,
				     const char *range, const char *dir,
				     const struct rk_reporter *reporter)
{
	struct commits c = {
		.series = series,
		.repository = repository,
		.range = range,
		.dir = dir,
		.reporter = reporter,
	};

	if (!strstr(range, ".."))
		return rk_err(RK_ERR_INVALID, "'%s' is not a range of commits: A..B is", range);
	if (!rk_fs_is_dir(repository))
		return rk_err(RK_ERR_NOT_FOUND, "there is no repository '%s'", repository);
	RK_TRY(note_merges(&c));
	return add_commits(&c);
}
