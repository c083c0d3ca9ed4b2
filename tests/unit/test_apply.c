/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying fixes to a small source tree and looking at the view: what is real, what is a link, and what is told of a bad fix. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/source/paths.h"
#include "lib/source/view.h"
#include "tests/unit/tap.h"

static const char *source; /* the tree; never written after main() has made it */
static int view_nr;

static const char numbers[] = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

static void put(const char *root, const char *path, const char *text)
{
	if (!no_err(rk_fs_write_below(root, path, text, strlen(text), 0644), path))
		bail_out("no source tree");
}

/* Bytes of a file below root, "(none)" if there is none. */
static char *get(const char *root, const char *path)
{
	_cleanup_free_ char *full = rk_path_join(root, path);
	char *text = NULL;

	if (!rk_fs_exists(full))
		return strdup("(none)");
	if (!no_err(rk_fs_read(full, 1 << 20, &text, NULL), path))
		bail_out("cannot read");
	return text;
}

static void is_text(const struct rk_view *view, const char *path, const char *want,
		    const char *name)
{
	_cleanup_free_ char *text = get(view->dir, path);

	is_str(text, want, name);
}

enum kind {
	NOTHING,
	LINK,
	DIRECTORY,
	REGULAR
};

static void is_kind(const struct rk_view *view, const char *path, enum kind want, const char *name)
{
	_cleanup_free_ char *full = rk_path_join(view->dir, path);
	struct stat st;
	enum kind kind = NOTHING;

	if (lstat(full, &st) == 0)
		kind = S_ISLNK(st.st_mode) ? LINK : S_ISDIR(st.st_mode) ? DIRECTORY : REGULAR;
	is_int(kind, want, name);
}

/* Applies up to four patches given as text. */
static struct rk_err *apply(const char *const *texts, size_t nr, struct rk_view **ret)
{
	static const char *const names[] = {"1.patch", "2.patch", "3.patch", "4.patch"};
	_cleanup_free_ char *dir = rk_asprintf("%s/view-%d", tap_tmpdir(), ++view_nr);
	struct rk_patch_file *patches[4] = {};
	struct rk_err *err = NULL;

	for (size_t i = 0; i < nr && !err; i++)
		err = rk_patch_file_parse(names[i], texts[i], strlen(texts[i]), &patches[i]);
	if (!err) {
		err = rk_view_create(source, dir, patches, nr, "x86", ret);
		if (err)
			ok(!rk_fs_exists(dir), "nothing is left of a view that failed");
	}
	for (size_t i = 0; i < nr; i++)
		rk_patch_file_free(patches[i]);
	return err;
}

static struct rk_view *view_of(const char *const *texts, size_t nr, const char *name)
{
	struct rk_view *view = NULL;

	if (!no_err(apply(texts, nr, &view), name))
		bail_out("no view: %s", name);
	return view;
}

static struct rk_view *view_of_one(const char *text, const char *name)
{
	return view_of(&text, 1, name);
}

static void refuses(const char *text, const char *message, const char *name)
{
	struct rk_view *view = NULL;

	is_err(apply(&text, 1, &view), RK_ERR_PATCH, message, name);
}

static void is_range(const struct rk_changed_file *file, size_t nr, uint32_t first, uint32_t last)
{
	ok(nr < file->nr_ranges && file->ranges[nr].first == first && file->ranges[nr].last == last,
	   "%s: range %zu is %u to %u", file->path, nr, first, last);
}

/* fixes: their numbers among the patches, as digits. */
static void is_touched_by(const struct rk_changed_file *file, size_t nr, const char *fixes)
{
	const struct rk_line_range *range = &file->ranges[nr];
	char got[16] = "";

	for (size_t i = 0; i < range->nr_fixes && i < sizeof(got) - 1; i++)
		for (size_t j = 0; j < file->nr_fixes; j++)
			if (file->fixes[j] == range->fixes[i])
				got[i] = (char)('0' + j);
	is_str(got, fixes, "whose doing the range is");
}

#define HEAD "--- a/net/core/a.c\n+++ b/net/core/a.c\n"

static void test_plain(void)
{
	struct rk_view *view = view_of_one(
		HEAD "@@ -2,3 +2,4 @@\n two\n-three\n+THREE\n+and more\n four\n", "a plain change");

	is_text(view, "net/core/a.c",
		"one\ntwo\nTHREE\nand more\n#line 4\nfour\nfive\nsix\nseven\neight\nnine\nten\n",
		"the change and the line number after it");
	is_kind(view, "net", DIRECTORY, "directories on the way are real");
	is_kind(view, "net/core", DIRECTORY, "all of them");
	is_kind(view, "net/core/a.c", REGULAR, "the changed file is real");
	is_kind(view, "net/core/b.c", LINK, "its neighbour is a link");
	is_kind(view, "net/ipv4", LINK, "so is a directory beside the way");
	is_kind(view, "include", LINK, "and one at the top");
	is_kind(view, ".config", LINK, "hidden files are there");
	is_text(view, "net/ipv4/c.c", "in c\n", "a file through a link");
	is_int((long long)view->files.nr, 1, "one changed file");
	is_str(view->files.v[0].path, "net/core/a.c", "its path");
	is_int(view->files.v[0].kind, RK_FILE_UNIT, "its kind");
	is_int((long long)view->files.v[0].nr_ranges, 1, "one range");
	is_range(&view->files.v[0], 0, 3, 3);
	ok(strcmp(view->source, source) == 0, "the tree it lies over");
	rk_view_free(view);

	_cleanup_free_ char *text = get(source, "net/core/a.c");
	is_str(text, numbers, "the tree is as it was");
}

static void test_offset(void)
{
	struct rk_view *view = view_of_one(HEAD "@@ -102,3 +102,3 @@\n two\n-three\n+THREE\n four\n"
						"@@ -107,2 +107,1 @@\n seven\n-eight\n",
					   "hunks with an offset");

	is_text(view, "net/core/a.c",
		"one\ntwo\nTHREE\nfour\nfive\nsix\nseven\n#line 9\nnine\nten\n", "both are found");
	is_range(&view->files.v[0], 1, 8, 8);
	rk_view_free(view);

	view = view_of_one(HEAD "@@ -0,0 +1 @@\n+zero\n@@ -10,0 +12 @@\n+eleven\n", "no context");
	is_text(view, "net/core/a.c",
		"zero\n#line 1\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\n",
		"the number alone says where");
	is_range(&view->files.v[0], 0, 1, 1);
	is_range(&view->files.v[0], 1, 10, 10);
	rk_view_free(view);

	view = view_of_one(
		"--- a/net/core/twice.c\n+++ b/net/core/twice.c\n@@ -6,2 +6,2 @@\n x\n-y\n+Y\n",
		"two places that agree");
	is_text(view, "net/core/twice.c", "x\ny\n1\n2\nx\nY\n", "the nearer one is taken");
	rk_view_free(view);
}

static void test_series(void)
{
	const char *const texts[] = {
		HEAD "@@ -1,2 +1,3 @@\n one\n+first\n two\n",
		HEAD
		"@@ -2,3 +2,3 @@\n-first\n+second\n two\n three\n@@ -10,2 +10,1 @@\n nine\n-ten\n",
		HEAD "@@ -4,1 +4,2 @@\n three\n+third\n",
	};
	struct rk_view *view = view_of(texts, ARRAY_SIZE(texts), "three patches of one file");

	is_text(view, "net/core/a.c",
		"one\nsecond\n#line 2\ntwo\nthree\nthird\n#line 4\nfour\nfive\nsix\nseven\neight\nnine\n",
		"they compose");
	is_int((long long)view->files.v[0].nr_ranges, 3, "three ranges of the unchanged file");
	is_range(&view->files.v[0], 0, 1, 2);
	is_range(&view->files.v[0], 1, 3, 4);
	is_range(&view->files.v[0], 2, 10, 10);
	is_touched_by(&view->files.v[0], 0, "1");
	is_touched_by(&view->files.v[0], 1, "2");
	is_touched_by(&view->files.v[0], 2, "1");
	rk_view_free(view);

	const char *const undone[] = {
		HEAD "@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n",
		"--- a/net/core/b.c\n+++ b/net/core/b.c\n@@ -1 +1 @@\n-in b\n+in B\n",
		HEAD "@@ -1,2 +1,2 @@\n-ONE\n+one\n two\n",
	};
	view = view_of(undone, ARRAY_SIZE(undone), "a change that is taken back");
	is_int((long long)view->files.nr, 1, "is no change");
	is_str(view->files.v[0].path, "net/core/b.c", "only the other is");
	is_kind(view, "net/core/a.c", LINK, "the file is a link again");
	rk_view_free(view);
}

static void test_new_and_deleted(void)
{
	const char *const texts[] = {
		"diff --git a/net/new/n.c b/net/new/n.c\nnew file mode 100644\n--- /dev/null\n"
		"+++ b/net/new/n.c\n@@ -0,0 +1,2 @@\n+fresh\n+text\n",
		"diff --git a/net/core/b.c b/net/core/b.c\ndeleted file mode 100644\n"
		"--- a/net/core/b.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-in b\n",
		"diff --git a/include/h.h b/include/net/h.h\nsimilarity index 100%\n"
		"rename from include/h.h\nrename to include/net/h.h\n",
		"--- a/net/new/n.c\n+++ b/net/new/n.c\n@@ -1,2 +1,2 @@\n fresh\n-text\n+words\n",
	};
	struct rk_view *view = view_of(texts, ARRAY_SIZE(texts), "new, deleted and renamed files");

	is_text(view, "net/new/n.c", "fresh\nwords\n",
		"a new file, changed again, without directives");
	is_kind(view, "net/core/b.c", NOTHING, "a deleted file is gone");
	is_kind(view, "include/h.h", NOTHING, "so is a renamed one");
	is_text(view, "include/net/h.h", "in h\n", "under its new name");
	is_int((long long)view->files.nr, 4, "four changed files");
	is_str(view->files.v[0].path, "include/h.h", "sorted by path");
	ok(view->files.v[0].is_delete && !view->files.v[0].is_new, "the old name is deleted");
	ok(view->files.v[1].is_new && view->files.v[1].kind == RK_FILE_HEADER,
	   "the new one is new");
	ok(view->files.v[2].is_delete, "b.c is deleted");
	ok(view->files.v[3].is_new, "n.c is new");
	rk_view_free(view);
}

static void test_names(void)
{
	struct rk_view *view =
		view_of_one("--- net/core/a.c\n+++ net/core/a.c\n@@ -1 +1 @@\n-one\n+ONE\n",
			    "without a/ and b/");
	is_kind(view, "net/core/a.c", REGULAR, "-p0 is seen from the tree");
	rk_view_free(view);

	view = view_of_one(
		"--- linux-6.1/net/core/a.c.orig\t2024-01-01\n+++ linux-6.1/net/core/a.c\n"
		"@@ -1 +1 @@\n-one\n+ONE\n",
		"an editor's backup as the old side");
	is_kind(view, "net/core/a.c", REGULAR, "the name that exists is meant");
	rk_view_free(view);

	view = view_of_one("--- /dev/null\n+++ net/core/fresh.c\n@@ -0,0 +1 @@\n+x\n",
			   "a new file with -p0");
	is_kind(view, "net/core/fresh.c", REGULAR, "goes where its directory is");
	rk_view_free(view);

	view = view_of_one(
		"--- a/Documentation/d.rst\n+++ b/Documentation/d.rst\n@@ -1,2 +1,3 @@\n in d\n+new\n end\n",
		"a file that is not C");
	is_text(view, "Documentation/d.rst", "in d\nnew\nend\n", "gets no directives");
	is_int(view->files.v[0].kind, RK_FILE_NOT_CODE, "and is not code");
	rk_view_free(view);

	view = view_of_one(
		"--- a/net/core/noeol.c\n+++ b/net/core/noeol.c\n@@ -1,2 +1,3 @@\n-first\n+FIRST\n"
		" last\n\\ No newline at end of file\n+more\n",
		"lines behind a missing newline");
	is_text(view, "net/core/noeol.c", "FIRST\nlast\nmore\n", "it is put in");
	rk_view_free(view);
}

static void test_refused(void)
{
	refuses(HEAD "@@ -2,7 +2,7 @@\n two\n three\n four\n-FIVE\n+5\n six\n seven\n eight\n",
		"'1.patch': hunk 1 (@@ -2,7 +2,7 @@) doesn't apply to 'net/core/a.c'; nearest match at line 2: "
		"6 of 7 lines agree, first difference at line 5: the patch has 'FIVE', the file has 'five'",
		"one line differs");
	refuses(HEAD "@@ -1 +1 @@\n-one\n+1\n@@ -9,3 +9,3 @@\n nine\n-ten\n+10\n eleven\n",
		"'1.patch': hunk 2 (@@ -9,3 +9,3 @@) doesn't apply to 'net/core/a.c'; nearest match at line 9: "
		"2 of 3 lines agree, first difference at line 11: the patch has 'eleven', the file has ended",
		"the file is too short");
	refuses(HEAD "@@ -2,3 +2,3 @@\n two\n-drei\n+three\n four\n",
		"'1.patch': hunk 1 (@@ -2,3 +2,3 @@) doesn't apply to 'net/core/a.c'; it is already applied",
		"already applied");
	refuses(HEAD "@@ -2,2 +2,1 @@\n alpha\n-beta\n",
		"'1.patch': hunk 1 (@@ -2,2 +2,1 @@) doesn't apply to 'net/core/a.c'; none of its lines is in "
		"the file",
		"nothing like it");
	refuses(HEAD "@@ -30,0 +31 @@\n+x\n",
		"'1.patch': hunk 1 (@@ -30,0 +31,1 @@) doesn't apply to 'net/core/a.c'; the file has 10 lines",
		"beyond the end");
	refuses(HEAD "@@ -5,2 +5,2 @@\n five\n-six\n+6\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n",
		"'1.patch': hunk 2 (@@ -1,2 +1,2 @@) doesn't apply to 'net/core/a.c'; nearest match at line 1: "
		"2 of 2 lines agree",
		"hunks out of order");
	refuses(HEAD
		"@@ -10 +10 @@\n-ten\n\\ No newline at end of file\n+10\n@@ -2 +2 @@\n-two\n+2\n",
		"'1.patch': hunk 2 (@@ -2,1 +2,1 @@) doesn't apply to 'net/core/a.c'; nearest match at line 2: "
		"1 of 1 lines agree",
		"a hunk before the last one's place");
}

/* A fix that doesn't fit names those that were there before it. */
static void test_conflicts(void)
{
	const char *const edited[] = {
		"--- a/net/core/b.c\n+++ b/net/core/b.c\n@@ -1 +1 @@\n-in b\n+in B\n",
		HEAD "@@ -2,3 +2,3 @@\n two\n-three\n+drei\n four\n",
		HEAD "@@ -2,3 +2,3 @@\n two\n-three\n+trois\n four\n",
	};
	const char *const gone[] = {
		HEAD "@@ -5,3 +5,2 @@\n five\n-six\n seven\n",
		HEAD "@@ -5,3 +5,3 @@\n five\n six\n-seven\n+7\n",
	};
	struct rk_view *view = NULL;

	is_err(apply(edited, ARRAY_SIZE(edited), &view), RK_ERR_PATCH,
	       "'3.patch': hunk 1 (@@ -2,3 +2,3 @@) doesn't apply to 'net/core/a.c'; nearest match at line 2: "
	       "2 of 3 lines agree, first difference at line 3: the patch has 'three', the file has 'drei'; "
	       "these lines were changed before by '2.patch'",
	       "two fixes change one line");
	is_err_like(apply(gone, ARRAY_SIZE(gone), &view), RK_ERR_PATCH,
		    "; these lines were changed before by '1.patch'", "a line is gone");
}

/* Which fix can't do without which. */
static void test_needs(void)
{
	const char *const texts[] = {
		HEAD "@@ -1,2 +1,3 @@\n one\n+first\n two\n",
		HEAD "@@ -2,2 +2,3 @@\n first\n two\n+more\n",
		HEAD "@@ -7,3 +7,2 @@\n five\n-six\n seven\n",
		HEAD "@@ -7,2 +7,3 @@\n five\n seven\n+7\n",
	};
	struct rk_patch_file *patches[4] = {};
	_cleanup_free_ char *dir = rk_asprintf("%s/view-needs", tap_tmpdir());
	struct rk_view *view = NULL;
	const struct rk_patch_file *failed;
	struct rk_err *err = NULL;

	for (size_t i = 0; i < 4; i++)
		if (!no_err(rk_patch_file_parse("x.patch", texts[i], strlen(texts[i]), &patches[i]),
			    "parses"))
			bail_out("no patch");
	if (no_err(rk_view_create(source, dir, patches, 4, "x86", &view), "all four apply")) {
		is_int((long long)view->needs.nr, 2, "two fixes need others");
		ok(view->needs.v[0].fix == patches[1] && view->needs.v[0].needs == patches[0],
		   "the second needs a line of the first");
		ok(view->needs.v[1].fix == patches[3] && view->needs.v[1].needs == patches[2],
		   "the fourth needs what the third took away to be gone");
		is_int((long long)view->files.v[0].nr_fixes, 4, "all four change the file");
		is_int((long long)strlen(view->files.v[0].sha256), 64, "its bytes have a hash");
		rk_view_free(view);
	}
	no_err(rk_view_try(source, patches, 4, "x86", &failed, &err), "all are tried");
	ok(!failed && !err, "none fails");
	no_err(rk_view_try(source, patches + 1, 3, "x86", &failed, &err), "without the first");
	ok(failed == patches[1], "the second fails");
	is_err_like(err, RK_ERR_PATCH, "hunk 1", "and says where");
	for (size_t i = 0; i < 4; i++)
		rk_patch_file_free(patches[i]);
}

static void test_refused_files(void)
{
	refuses("--- a/net/core/none.c\n+++ b/net/core/none.c\n@@ -1 +1 @@\n-x\n+y\n",
		"'1.patch' line 1: 'net/core/none.c' is not in the source tree", "no such file");
	refuses("--- /dev/null\n+++ b/net/core/a.c\n@@ -0,0 +1 @@\n+x\n",
		"'1.patch' line 1: 'net/core/a.c' is new in the patch but exists in the source tree",
		"a new file that exists");
	refuses("--- a/net/core/a.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n",
		"'1.patch' line 1: 'net/core/a.c' is to be deleted but has more lines than the patch removes",
		"half a deletion");
	refuses("diff --git a/x b/y\nrename from net/none.c\nrename to net/n.c\n",
		"'1.patch' line 1: 'net/none.c' is not in the source tree", "a rename of nothing");
	refuses("diff --git a/x b/y\nrename from net/core/a.c\nrename to net/core/b.c\n",
		"'1.patch' line 1: 'net/core/a.c' is renamed to 'net/core/b.c', which exists",
		"a rename onto another");
	refuses("--- /dev/null\n+++ b/net/core/a.c/x.c\n@@ -0,0 +1 @@\n+x\n",
		"'net/core/a.c' is a file and a directory", "a file as a directory");
}

static void test_realise(void)
{
	struct rk_view *view = view_of_one(
		"--- a/include/h.h\n+++ b/include/h.h\n@@ -1 +1 @@\n-in h\n+IN H\n", "a header");
	const char *const paths[] = {"net/ipv4/../../include/h.h", "top.c", "../outside/x.h"};

	is_text(view, "net/ipv4/../../include/h.h", "in h\n",
		"through a link \"..\" leads into the unchanged tree");
	no_err(rk_view_realise(view, paths, ARRAY_SIZE(paths)), "make the way real");
	is_kind(view, "net/ipv4", DIRECTORY, "the directory is real now");
	is_kind(view, "net/ipv4/c.c", LINK, "what is in it is not");
	is_text(view, "net/ipv4/../../include/h.h", "IN H\n", "the changed header is met");
	no_err(rk_view_realise(view, paths, ARRAY_SIZE(paths)), "a second time");
	is_text(view, "include/h.h", "IN H\n", "changed files stay");
	rk_view_free(view);

	_cleanup_free_ char *text = get(source, "include/h.h");
	is_str(text, "in h\n", "the tree is as it was");
	is_err_like(rk_view_create(source, tap_tmpdir(), NULL, 0, "x86", &view), RK_ERR_SYS,
		    "File exists", "a directory that exists is not taken");
}

static void test_paths(void)
{
	const struct {
		const char *path, *plain;
	} cases[] = {
		{"a/b", "a/b"},
		{"./a", "a"},
		{"a/./b//c", "a/b/c"},
		{"a/../b", "b"},
		{"a/b/../../c", "c"},
		{"../a", "../a"},
		{"../../a", "../../a"},
		{"a/../../b", "../b"},
		{"a/b/", "a/b"},
		{"", ""},
		{"a/..", ""},
		{"..", ".."},
		{"x/y/../z/w.o", "x/z/w.o"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = strdup(cases[i].path);

		rk_path_normalise(path);
		is_str(path, cases[i].plain, cases[i].path);
	}
}

static void make_source(void)
{
	static char path[4096];
	_cleanup_free_ char *dir = rk_path_join(tap_tmpdir(), "source");

	put(dir, "net/core/a.c", numbers);
	put(dir, "net/core/b.c", "in b\n");
	put(dir, "net/core/twice.c", "x\ny\n1\n2\nx\ny\n");
	put(dir, "net/core/noeol.c", "first\nlast");
	put(dir, "net/ipv4/c.c", "in c\n");
	put(dir, "include/h.h", "in h\n");
	put(dir, "Documentation/d.rst", "in d\nend\n");
	put(dir, ".config", "CONFIG_A=y\n");
	put(dir, "top.c", "top\n");
	if (!realpath(dir, path))
		bail_out("no source tree");
	source = path;
}

int main(void)
{
	make_source();
	test_plain();
	test_offset();
	test_series();
	test_new_and_deleted();
	test_names();
	test_refused();
	test_conflicts();
	test_needs();
	test_refused_files();
	test_realise();
	test_paths();
	rk_view_free(NULL);
	return done_testing();
}
