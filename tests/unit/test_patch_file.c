/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source patches as data: every form they come in, and every way they can be broken. */
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/source/patch_file.h"
#include "tests/unit/tap.h"

static struct rk_patch_file *parse(const char *text, const char *name)
{
	struct rk_patch_file *patch = NULL;

	return no_err(rk_patch_file_parse("fix.patch", text, strlen(text), &patch), name) ? patch
											  : NULL;
}

static void refuses(const char *text, enum rk_err_code code, const char *message, const char *name)
{
	struct rk_patch_file *patch = NULL;

	is_err(rk_patch_file_parse("fix.patch", text, strlen(text), &patch), code, message, name);
	ok(patch == NULL, "%s: no patch", name);
}

#define HUNK                \
	"@@ -1,3 +1,4 @@\n" \
	" a\n"              \
	"-b\n"              \
	"+c\n"              \
	"+d\n"              \
	" e\n"

static void test_format_patch(void)
{
	struct rk_patch_file *patch = parse(
		"From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n"
		"From: A Person <a@example.org>\n"
		"Date: Mon, 1 Jan 2024 00:00:00 +0000\n"
		"Subject: [PATCH 6.1 03/12] net: keep the reference until the last user of the\n"
		" socket is gone\n"
		"\n"
		"This is CVE-2024-12345, see also CVE-2023-9999 and CVE-2024-12345 again;\n"
		"CVE-12-1 and CVE-2024-123 are none.\n"
		"---\n"
		" net/core/sock.c | 3 ++-\n"
		" 1 file changed\n"
		"\n"
		"diff --git a/net/core/sock.c b/net/core/sock.c\n"
		"index 1111111..2222222 100644\n"
		"--- a/net/core/sock.c\n"
		"+++ b/net/core/sock.c\n" HUNK "-- \n"
		"2.39.2\n",
		"format-patch");

	if (!patch)
		return;
	is_str(patch->metadata.title,
	       "net: keep the reference until the last user of the socket is gone",
	       "the folded subject without its brackets");
	is_str(patch->metadata.origin, "0123456789abcdef0123456789abcdef01234567", "the commit id");
	is_int((long long)patch->metadata.cves.nr, 2, "two different CVE ids");
	is_str(patch->metadata.cves.v[0], "CVE-2024-12345", "the first id");
	is_str(patch->metadata.cves.v[1], "CVE-2023-9999", "the second id");
	is_int((long long)patch->files.nr, 1, "one file");
	struct rk_file_change *change = &patch->files.v[0];
	is_str(change->old_path, "net/core/sock.c", "the old path, stripped");
	is_str(change->new_name, "b/net/core/sock.c", "the new name as written");
	ok(!change->is_new && !change->is_delete && !change->is_rename, "an ordinary change");
	is_int((long long)change->hunks.nr, 1, "one hunk: the signature isn't part of it");
	struct rk_hunk *hunk = &change->hunks.v[0];
	is_int(hunk->line, 17, "the line of the hunk");
	is_int(hunk->old_start, 1, "old start");
	is_int(hunk->new_count, 4, "new count");
	is_int((long long)hunk->lines.nr, 5, "five lines");
	ok(hunk->lines.v[1].kind == '-' && hunk->lines.v[1].len == 1, "the removed line");
	is_int((long long)strlen(patch->sha256), 64, "the hash of the file");
	rk_patch_file_free(patch);
}

static void test_dep3(void)
{
	struct rk_patch_file *patch =
		parse("Description: fix the reference count\n"
		      " of a socket, CVE-2025-0001\n"
		      "Origin: backport, https://example.org/linus/abcdef\n"
		      "Bug-Debian-Security: https://example.org/tracker/CVE-2025-0002\n"
		      "\n"
		      "Index: linux-6.1/net/core/sock.c\n"
		      "===================================================================\n"
		      "--- linux-6.1.orig/net/core/sock.c\t2024-01-01 00:00:00.000000000 +0000\n"
		      "+++ linux-6.1/net/core/sock.c\t2024-01-02 00:00:00.000000000 +0000\n" HUNK,
		      "quilt with DEP-3");

	if (!patch)
		return;
	is_str(patch->metadata.title, "fix the reference count", "the description's first line");
	is_str(patch->metadata.origin, "backport, https://example.org/linus/abcdef", "the origin");
	is_int((long long)patch->metadata.cves.nr, 2, "ids in description and tracker link");
	is_str(patch->files.v[0].old_path, "net/core/sock.c", "any top directory is stripped");
	is_str(patch->files.v[0].old_name, "linux-6.1.orig/net/core/sock.c",
	       "the name without the date");
	rk_patch_file_free(patch);

	patch = parse("Subject: short\n a longer text that follows\n--- a/x.c\n+++ b/x.c\n" HUNK,
		      "DEP-3 with Subject");
	if (patch)
		is_str(patch->metadata.title, "short",
		       "folded lines of a short subject are its long text");
	rk_patch_file_free(patch);

	patch = parse(
		"Subject: =?UTF-8?q?fix=20f=C3=BCr?= =?UTF-8?q?_alle?=\n--- a/x.c\n+++ b/x.c\n" HUNK,
		"encoded subject");
	if (patch)
		is_str(patch->metadata.title, "fix für alle",
		       "encoded words are decoded and joined");
	rk_patch_file_free(patch);
}

static void test_plain(void)
{
	struct rk_patch_file *patch =
		parse("Only in b: junk\ndiff -ru a/x/y.c b/x/y.c\n--- a/x/y.c\n+++ b/x/y.c\n" HUNK
		      "@@ -20 +21,0 @@ int f(void)\n-gone\n\\ No newline at end of file\n"
		      "--- top.c\n+++ top.c\n@@ -0,0 +1 @@\n+new\n",
		      "plain diff");

	if (!patch)
		return;
	is_str(patch->metadata.title, NULL, "no title");
	is_str(patch->metadata.origin, NULL, "no origin");
	is_int((long long)patch->files.nr, 2, "two files");
	is_int((long long)patch->files.v[0].hunks.nr, 2, "two hunks");
	struct rk_hunk *hunk = &patch->files.v[0].hunks.v[1];
	is_int(hunk->old_count, 1, "a count left out is 1");
	is_int(hunk->new_count, 0, "an empty side");
	ok(hunk->lines.v[0].no_newline, "the end-of-file marker");
	is_str(patch->files.v[1].new_path, "top.c", "a name without directory stays");
	ok(patch->files.v[1].is_new, "a lone empty old side is a new file");
	rk_patch_file_free(patch);
}

static void test_git_changes(void)
{
	struct rk_patch_file *patch =
		parse("diff --git a/new.c b/new.c\nnew file mode 100644\nindex 0000000..1\n"
		      "--- /dev/null\n+++ b/new.c\n@@ -0,0 +1 @@\n+x\n"
		      "diff --git a/d/gone.c b/d/gone.c\ndeleted file mode 100644\n"
		      "--- a/d/gone.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
		      "diff --git a/old/n.c b/new/n.c\nsimilarity index 100%\nrename from old/n.c\n"
		      "rename to new/n.c\n"
		      "diff --git a/old/m.c b/new/m.c\nsimilarity index 90%\nrename from old/m.c\n"
		      "rename to new/m.c\nindex 1..2 100644\n--- a/old/m.c\n+++ b/new/m.c\n" HUNK
		      "diff --git a/mode.sh b/mode.sh\nold mode 100644\nnew mode 100755\n"
		      "diff --git a/empty.c b/empty.c\nnew file mode 100644\nindex 0..0\n"
		      "diff --git a/was empty.c b/was empty.c\ndeleted file mode 100644\n",
		      "git's own headers");

	if (!patch)
		return;
	is_int((long long)patch->files.nr, 6, "the change of a mode is no change");
	const struct rk_file_change *f = patch->files.v;
	ok(f[0].is_new && !f[0].old_path, "new file");
	is_str(f[0].new_path, "new.c", "its path");
	ok(f[1].is_delete && !f[1].new_path, "deleted file");
	is_str(f[1].old_path, "d/gone.c", "its path");
	ok(f[2].is_rename && f[2].hunks.nr == 0, "pure rename");
	is_str(f[2].old_path, "old/n.c", "from");
	is_str(f[2].new_path, "new/n.c", "to");
	ok(f[3].is_rename && f[3].hunks.nr == 1, "rename with a hunk");
	is_str(f[3].new_path, "new/m.c", "its new path");
	ok(f[4].is_new && f[4].hunks.nr == 0, "new empty file");
	is_str(f[4].new_path, "empty.c", "its path from the diff line");
	ok(f[5].is_delete, "deleted empty file");
	is_str(f[5].old_path, "was empty.c", "a path with a blank");
	rk_patch_file_free(patch);
}

static void test_odd_lines(void)
{
	struct rk_patch_file *patch =
		parse("--- a/x.c\r\n+++ b/x.c\r\n@@ -1,2 +1,2 @@\r\n a\r\n-b\r\n+c\r\n",
		      "a patch in CR LF");
	if (patch)
		is_int((long long)patch->files.v[0].hunks.v[0].lines.v[2].len, 1,
		       "CR is taken off");
	rk_patch_file_free(patch);

	patch = parse("--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n",
		      "a file in CR LF");
	if (patch)
		is_int((long long)patch->files.v[0].hunks.v[0].lines.v[2].len, 2, "CR is content");
	rk_patch_file_free(patch);

	patch = parse("--- a/x.c\n+++ b/x.c\n@@ -1,3 +1,2 @@\n a\n\n-- \n-- \n2.39\n",
		      "a removed line that looks like a signature");
	if (patch) {
		is_int((long long)patch->files.v[0].hunks.v[0].lines.nr, 3, "counts decide");
		is_int((long long)patch->files.v[0].hunks.v[0].lines.v[1].len, 0,
		       "an empty line is empty context");
	}
	rk_patch_file_free(patch);

	patch = parse("--- ./a/x.c\n+++ ./b/x.c\n" HUNK
		      "From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n"
		      "Subject: second, CVE-2024-1111\n\n--- a/y.c\n+++ b/y.c\n" HUNK,
		      "two patches in one file");
	if (patch) {
		is_int((long long)patch->files.nr, 2, "both files");
		is_str(patch->metadata.title, NULL, "the second's subject is not the first's");
		is_int((long long)patch->metadata.cves.nr, 1, "ids are found between diffs, too");
		is_str(patch->files.v[0].old_path, "x.c", "a leading ./ is no directory");
	}
	rk_patch_file_free(patch);
}

static void test_refused(void)
{
	refuses("just text\n", RK_ERR_FORMAT, "'fix.patch': no unified diff in it", "no diff");
	refuses("", RK_ERR_FORMAT, "'fix.patch': no unified diff in it", "nothing");
	refuses("*** a/x.c\n--- b/x.c\n***************\n*** 1,2 ****\n", RK_ERR_FORMAT,
		"'fix.patch': no unified diff in it", "a context diff");
	refuses("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", RK_ERR_FORMAT,
		"'fix.patch': no unified diff in it", "a change of mode only");
	refuses("--- a/x.c\n+++ b/x.c\n", RK_ERR_FORMAT,
		"'fix.patch' line 3: a hunk ('@@ -…') must follow the file's header", "no hunk");
	refuses("@@ -1 +1 @@\n-a\n+b\n", RK_ERR_FORMAT,
		"'fix.patch' line 1: a hunk without the names of its file ('---', '+++')",
		"a hunk without a file");
	refuses("--- a/x.c\n+++ b/x.c\n@@ -1,x +1 @@\n", RK_ERR_FORMAT,
		"'fix.patch' line 3: the hunk's header is malformed", "not a number");
	refuses("--- a/x.c\n+++ b/x.c\n@@ -0,1 +1 @@\n-a\n+b\n", RK_ERR_FORMAT,
		"'fix.patch' line 3: the hunk's header is malformed", "line 0");
	refuses("--- a/x.c\n+++ b/x.c\n@@ -1,99999999999999999999 +1 @@\n", RK_ERR_FORMAT,
		"'fix.patch' line 3: the hunk's header is malformed", "a number without end");
	refuses("--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n a\n-b\n", RK_ERR_FORMAT,
		"'fix.patch' line 6: the patch ends inside the hunk of line 3", "cut off");
	refuses("--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n a\n?b\n", RK_ERR_FORMAT,
		"'fix.patch' line 5: not a line of a diff, but the hunk of line 3 isn't complete",
		"a strange line");
	refuses("--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,1 @@\n a\n+b\n-c\n", RK_ERR_FORMAT,
		"'fix.patch' line 5: the hunk of line 3 has other lines than its header counts",
		"wrong counts");
	refuses("--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n+c\n", RK_ERR_FORMAT,
		"'fix.patch' line 6: the hunk of line 3 has more lines than its header counts",
		"too many lines");
	refuses("--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n\\ No newline at end of file\n", RK_ERR_FORMAT,
		"'fix.patch' line 4: not a line of a diff, but the hunk of line 3 isn't complete",
		"an end-of-file marker for nothing");
	refuses("--- /dev/null\n+++ /dev/null\n" HUNK, RK_ERR_FORMAT,
		"'fix.patch' line 3: both sides of the change are /dev/null", "no file at all");
}

static void test_refused_names(void)
{
	refuses("--- a/../../etc/passwd\n+++ b/x.c\n" HUNK, RK_ERR_FORMAT,
		"'fix.patch' line 1: path 'a/../../etc/passwd' is not a plain one", "climbs out");
	refuses("--- a/x.c\n+++ /etc/passwd\n" HUNK, RK_ERR_FORMAT,
		"'fix.patch' line 2: absolute path '/etc/passwd'", "absolute");
	refuses("--- a/x.c\n+++ b//x.c\n" HUNK, RK_ERR_FORMAT,
		"'fix.patch' line 2: path 'b//x.c' is not a plain one", "an empty part");
	refuses("--- a/x/\n+++ b/x/\n" HUNK, RK_ERR_FORMAT,
		"'fix.patch' line 1: path 'a/x/' is a directory", "a directory");
	refuses("--- \"a/x\\303.c\"\n+++ b/x.c\n" HUNK, RK_ERR_FORMAT,
		"'fix.patch' line 1: a file name that is empty or quoted", "a quoted name");
	refuses("diff --git a/x b/y\nrename from ../x\nrename to y\n", RK_ERR_FORMAT,
		"'fix.patch' line 2: path '../x' is not a plain one", "a rename from outside");
	refuses("diff --git a/x b/y\nrename from x\n", RK_ERR_FORMAT,
		"'fix.patch' line 3: a rename needs both 'rename from' and 'rename to'",
		"half a rename");

	_cleanup_free_ char *path = malloc(6000), *text = NULL;
	if (!path)
		bail_out("out of memory");
	memset(path, 'x', 5999);
	path[5999] = '\0';
	text = rk_asprintf("--- a/%s\n+++ b/x.c\n" HUNK, path);
	refuses(text, RK_ERR_LIMIT, "'fix.patch' line 1: a file name that is too long",
		"long name");
}

static void test_unsupported(void)
{
	refuses("diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 1\n",
		RK_ERR_UNSUPPORTED, "'fix.patch' line 3: binary patches can't be read",
		"git binary");
	refuses("Binary files a/x and b/x differ\n", RK_ERR_UNSUPPORTED,
		"'fix.patch' line 1: binary patches can't be read", "binary files");
	refuses("diff --cc x.c\n", RK_ERR_UNSUPPORTED,
		"'fix.patch' line 1: combined diffs of merges can't be read", "a merge");
	refuses("diff --git a/x b/y\nsimilarity index 90%\ncopy from x\ncopy to y\n",
		RK_ERR_UNSUPPORTED,
		"'fix.patch' line 3: copies of files can't be read; use git diff without -C",
		"a copy");
	refuses("diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+x\n",
		RK_ERR_UNSUPPORTED,
		"'fix.patch' line 2: symbolic links and submodules can't be patched",
		"a symbolic link");

	struct rk_patch_file *patch = NULL;
	is_err(rk_patch_file_parse("fix.patch", "--- a\0b\n", 8, &patch), RK_ERR_FORMAT,
	       "'fix.patch' holds NUL bytes: not a source patch", "NUL bytes");
}

static void test_read(void)
{
	_cleanup_free_ char *path = rk_path_join(tap_tmpdir(), "real.patch");
	const char *text = "--- a/x.c\n+++ b/x.c\n" HUNK;
	struct rk_patch_file *patch = NULL;

	no_err(rk_fs_write(path, text, strlen(text), 0644), "write a patch");
	if (no_err(rk_patch_file_read(path, &patch), "read it"))
		is_str(patch->path, path, "its path is its name");
	rk_patch_file_free(patch);
	is_err_like(rk_patch_file_read("/nonexistent/x.patch", &patch), RK_ERR_SYS,
		    "cannot open '/nonexistent/x.patch'", "an absent file");
	rk_patch_file_free(NULL);
}

int main(void)
{
	test_format_patch();
	test_dep3();
	test_plain();
	test_git_changes();
	test_odd_lines();
	test_refused();
	test_refused_names();
	test_unsupported();
	test_read();
	return done_testing();
}
