/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the fixes of a build come from, and in which order. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/source/series.h"
#include "tests/unit/tap.h"

static char *in_dir(const char *name)
{
	char *path = rk_path_join(tap_tmpdir(), name);
	return path ? path : (bail_out("no memory"), NULL);
}

static void put(const char *name, const char *text)
{
	struct rk_err *err = rk_fs_write_below(tap_tmpdir(), name, text, strlen(text), 0666);

	if (err)
		bail_out("cannot write '%s': %s", name, rk_err_message(err));
}

static void put_patch(const char *name, const char *title)
{
	_cleanup_free_ char *text = rk_asprintf(
		"Subject: %s\n---\n--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1 +1 @@\n-a\n+b\n", title);
	put(name, text ? text : "");
}

/* The titles in order, with blanks between; free() it. */
static char *titles(const struct rk_series *series)
{
	struct rk_str out = RK_STR_INIT;
	char *text = NULL;

	rk_vec_for_each(&series->patches, patch)
		rk_str_addf(&out, "%s%s", out.len ? " " : "", (*patch)->metadata.title);
	rk_err_free(rk_str_take(&out, &text));
	return text;
}

static void holds(const char *name, const char *want, const char *what)
{
	_cleanup_series_ struct rk_series series = {};
	_cleanup_free_ char *path = in_dir(name);

	if (!no_err(rk_series_add(&series, path), what))
		return;
	_cleanup_free_ char *got = titles(&series);
	is_str(got, want, what);
}

static void refuses(const char *name, enum rk_err_code code, const char *message)
{
	_cleanup_series_ struct rk_series series = {};
	_cleanup_free_ char *path = in_dir(name);

	is_err_like(rk_series_add(&series, path), code, message, message);
}

static void test_directories(void)
{
	put_patch("dir/b.diff", "b");
	put_patch("dir/a.patch", "a");
	put_patch("dir/C.patch", "C");
	put("dir/readme", "not a patch");
	put("dir/.hidden.patch", "not a patch");
	holds("dir", "C a b", "a directory's patches, sorted by their bytes");
	holds("dir/a.patch", "a", "a patch");

	put("dir/a.patch.json",
	    "{\"schema\": \"readykernel-fix-metadata/1\", \"title\": \"told\"}");
	holds("dir/a.patch", "told", "a side file is read with its patch");
	put("dir/a.patch.json", "{}");
	refuses("dir", RK_ERR_FORMAT, "a.patch.json': 'schema' is not");
	refuses("absent", RK_ERR_SYS, "absent");
	put("empty/readme", "");
	refuses("empty", RK_ERR_NOT_FOUND, "holds no patches");
}

static void test_series_files(void)
{
	put_patch("q/net/a.patch", "a");
	put_patch("q/b.patch", "b");
	put_patch("q/unused.patch", "unused");
	put("q/series", "# comment\n\n b.patch  # why\nnet/a.patch -p1\r\n");
	holds("q/series", "b a", "a series file's order");
	holds("q", "b a", "a directory's series file counts");
	put("q/other.series", "net/a.patch");
	holds("q/other.series", "a", "another series file, without a newline at the end");
	put("q/other.series", "b.patch\ngone.patch\n");
	refuses("q/other.series", RK_ERR_NOT_FOUND, "other.series' line 2: there is no patch '");
	put("q/other.series", "b.patch -R\n");
	refuses("q/other.series", RK_ERR_UNSUPPORTED, "line 1: a reversed patch");
	put("q/other.series", "b.patch -x\n");
	refuses("q/other.series", RK_ERR_FORMAT, "line 1: '-x' is not an option");
	put("q/other.series", "b.patch -p999\n");
	refuses("q/other.series", RK_ERR_FORMAT, "'-p999' is not an option");
	put("q/other.series", "# none\n");
	refuses("q/other.series", RK_ERR_NOT_FOUND, "names no patch");
	put("q/other.series", "b.patch -p7\n");
	refuses("q/other.series", RK_ERR_FORMAT, "fewer than 7 directories");
}

static void test_strip(void)
{
	_cleanup_series_ struct rk_series series = {};
	_cleanup_free_ char *path = in_dir("s/series");

	put("s/x.patch", "--- a/b/mm/x.c\n+++ a/b/mm/x.c\n@@ -1 +1 @@\n-a\n+b\n");
	put("s/series", "x.patch -p2\nx.patch -p0\nx.patch\n");
	if (!no_err(rk_series_add(&series, path), "a series with -pN"))
		return;
	is_str(series.patches.v[0]->files.v[0].new_path, "mm/x.c", "-p2 takes two directories");
	is_str(series.patches.v[1]->files.v[0].new_path, "a/b/mm/x.c", "-p0 takes none");
	is_str(series.patches.v[2]->files.v[0].new_path, "b/mm/x.c", "one is usual");
}

static bool git(const char *repository, const char *const *words)
{
	const char *argv[24] = {"git",
				"-C",
				repository,
				"-c",
				"user.name=A",
				"-c",
				"user.email=a@example.org",
				"-c",
				"commit.gpgSign=false"};
	size_t nr = 9;
	_cleanup_process_result_ struct rk_process_result res = {};

	while (*words)
		argv[nr++] = *words++;
	return no_err(rk_process_check(&(struct rk_process_spec){.argv = argv}, &res), argv[9]);
}

#define GIT(...) git(repository, (const char *const[]){__VA_ARGS__, NULL})

static void note(void *ctx, const char *text)
{
	struct rk_str *notes = ctx;
	rk_str_addf(notes, "%s\n", text);
}

static void test_commits(void)
{
	_cleanup_free_ char *repository = in_dir("repo"), *out = in_dir("commits");
	_cleanup_str_ struct rk_str notes = RK_STR_INIT;
	const struct rk_reporter reporter = {.note = note, .ctx = &notes};
	_cleanup_series_ struct rk_series series = {};

	put("repo/mm/x.c", "a\n");
	put("repo/mm/y.c", "a\n");
	bool ok = GIT("init", "-q", "-b", "main") && GIT("add", ".") &&
		  GIT("commit", "-qm", "start") && GIT("tag", "start") &&
		  GIT("checkout", "-qb", "side");
	put("repo/mm/y.c", "b\n");
	ok = ok && GIT("commit", "-qam", "on a side") && GIT("checkout", "-q", "main");
	put("repo/mm/x.c", "b\n");
	ok = ok && GIT("commit", "-qam", "first\n\nCVE: CVE-2026-1234") &&
	     GIT("commit", "-q", "--allow-empty", "-m", "nothing") &&
	     GIT("merge", "-q", "--no-ff", "-m", "joined", "side");
	put("repo/mm/x.c", "c\n");
	ok = ok && GIT("commit", "-qam", "second") && GIT("config", "diff.noprefix", "true") &&
	     GIT("config", "diff.external", "false");
	rk_err_free(rk_fs_mkdir_p(out, 0777));
	if (!ok ||
	    !no_err(rk_series_add_commits(&series, repository, "start..main", out, &reporter),
		    "commits are read, whatever the configuration says"))
		return;
	is_int((long long)series.patches.nr, 3, "three commits");
	is_str(series.patches.v[2]->metadata.title, "second", "the last one is last");
	for (size_t i = 0; i < 2; i++) {
		const struct rk_patch_file *patch = series.patches.v[i];
		if (!rk_streq(patch->metadata.title, "first"))
			continue;
		is_str(patch->metadata.cves.v[0], "CVE-2026-1234", "its message is read");
		is_str(patch->files.v[0].new_path, "mm/x.c", "its file");
		is_int((long long)strlen(patch->metadata.origin), 40, "its origin is the commit");
	}
	ok(strstr(rk_str_get(&notes), "merge left out: ") && strstr(rk_str_get(&notes), "joined"),
	   "the merge is named");
	ok(strstr(rk_str_get(&notes), "commit without a diff left out: ") != NULL,
	   "the empty one, too");
	is_err_like(rk_series_add_commits(&series, repository, "main", out, NULL), RK_ERR_INVALID,
		    "'main' is not a range", "a range is needed");
	is_err_like(rk_series_add_commits(&series, repository, "main..main", out, NULL),
		    RK_ERR_NOT_FOUND, "there is no commit in 'main..main'", "an empty range");
	is_err_like(rk_series_add_commits(&series, repository, "--output=x..y", out, NULL),
		    RK_ERR_TOOL, "--output=x..y", "a range isn't an option");
	is_err_like(rk_series_add_commits(&series, "/nonexistent", "a..b", out, NULL),
		    RK_ERR_NOT_FOUND, "there is no repository", "no repository");
}

int main(void)
{
	test_directories();
	test_series_files();
	test_strip();
	test_commits();
	return done_testing();
}
