/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What patches and side files say of a fix. */
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/patch_file.h"
#include "tests/unit/tap.h"

#define DIFF                                             \
	"---\n--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1 +1 @@\n" \
	"-a\n"                                           \
	"+b\n"

static struct rk_patch_file *parse(const char *header)
{
	_cleanup_free_ char *text = rk_asprintf("%s%s", header, DIFF);
	struct rk_patch_file *patch = NULL;

	if (!text ||
	    !no_err(rk_patch_file_parse("dir/0001-fix.patch", text, strlen(text), &patch), "reads"))
		bail_out("no patch, nothing to look at");
	return patch;
}

static void test_dep3(void)
{
	struct rk_patch_file *patch =
		parse("Description: short one\n"
		      " and a long text\n"
		      " .\n"
		      "Author: =?ISO-8859-1?Q?J=F6rg?= Example <j@example.org>\n"
		      "Origin: backport, https://example.org/a,\n"
		      " https://example.org/b\n"
		      "Bug: https://example.org/bug\n"
		      "Bug-Debian: https://bugs.example.org/1234567\n"
		      "Forwarded: not-needed\n"
		      "Applied-Upstream: 6.2, https://example.org/c\n"
		      "Last-Update: 2026-01-01\n");
	const struct rk_fix_metadata *m = &patch->metadata;

	is_str(m->name, "0001-fix", "the name is the file's without suffix");
	is_str(m->title, "short one", "the description's first line is the title");
	is_str(m->author, "J\u00f6rg Example <j@example.org>", "the author, decoded from Latin-1");
	is_str(m->origin, "backport, https://example.org/a, https://example.org/b",
	       "the origin goes on over folded lines");
	is_str(m->forwarded, "not-needed", "whether it was forwarded");
	is_str(m->applied_upstream, "6.2, https://example.org/c", "where it was applied");
	is_int((long long)m->bugs.nr, 2, "two bugs");
	is_str(m->bugs.v[1], "https://bugs.example.org/1234567", "the distribution's bug");
	rk_patch_file_free(patch);
}

static void test_mail(void)
{
	struct rk_patch_file *patch =
		parse("From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n"
		      "From: =?UTF-8?B?TcO8bGxlcg==?= <m@example.org>\n"
		      "Subject: [PATCH v2 3/7] =?utf-8?q?mm=3A_=C3=A4?=\n"
		      " =?utf-8?q?_b?= =?KOI8-R?Q?x?=\n"
		      "\n"
		      "Like CVE-2020-11111, which CVE-2020-22222 was about.\n"
		      "\n"
		      "Fixes: 1234567890ab (\"mm: make it\")\n"
		      "CVE: CVE-2026-33333, CVE-2026-44444\n"
		      "CVE: CVE-2026-33333\n"
		      "Subject: not this one\n");
	const struct rk_fix_metadata *m = &patch->metadata;

	is_str(m->title, "mm: \u00e4", "encoded words are decoded, a short subject isn't folded");
	is_str(m->author, "M\u00fcller <m@example.org>", "the author, decoded from base64");
	is_str(m->origin, "0123456789abcdef0123456789abcdef01234567", "the commit");
	is_int((long long)m->fixes.nr, 1, "one commit is mended");
	is_str(m->fixes.v[0], "1234567890ab (\"mm: make it\")", "which one");
	is_int((long long)m->cves.nr, 2, "CVE lines count, what the text mentions doesn't");
	is_str(m->cves.v[0], "CVE-2026-33333", "the first id");
	is_str(m->cves.v[1], "CVE-2026-44444", "the second id");
	rk_patch_file_free(patch);
}

static void test_nothing(void)
{
	struct rk_patch_file *patch = parse("Fixes:\nCVE: none\nSubject:\nBug-: x\nFrom:\n");
	const struct rk_fix_metadata *m = &patch->metadata;

	is_str(m->title, NULL, "an empty subject is none");
	is_str(m->author, NULL, "an empty author is none");
	is_int((long long)(m->cves.nr + m->fixes.nr + m->bugs.nr), 0, "empty fields are none");
	rk_patch_file_free(patch);
}

static void test_too_many(void)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	struct rk_patch_file *patch = NULL;

	for (int i = 0; i < 4097; i++)
		rk_str_addf(&text, "CVE-2026-%05d\n", i);
	rk_str_add(&text, DIFF);
	is_err_like(rk_patch_file_parse("x.patch", rk_str_get(&text), text.len, &patch),
		    RK_ERR_LIMIT, "more than 4096 ids", "a list of ids has an end");
}

static void side_refuses(const char *json, enum rk_err_code code, const char *message)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_fix_metadata m = {};

	is_err_like(rk_metadata_parse_side("x.json", json, strlen(json), &arena, &m), code, message,
		    message);
	rk_fix_metadata_deinit(&m);
}

static void test_side_file(void)
{
	static const char json[] =
		"{\"schema\": \"readykernel-fix-metadata/1\", \"name\": \"tcp-7\", \"title\": \"told\","
		" \"cves\": [\"CVE-2026-5\", \"CVE-2026-5\"], \"author\": \"A\", \"origin\": \"o\","
		" \"forwarded\": \"f\", \"applied_upstream\": \"6.2\", \"bugs\": [], \"fixes\": [\"x\"]}";
	struct rk_patch_file *patch = parse("Subject: said\nCVE-2020-12345\nBug: b\n");
	struct rk_fix_metadata *m = &patch->metadata;

	no_err(rk_metadata_parse_side("x.json", json, strlen(json), &patch->arena, m), "is read");
	is_str(m->name, "tcp-7", "its name");
	is_str(m->title, "told", "its title counts");
	is_str(m->applied_upstream, "6.2", "the last of the strings");
	is_int((long long)m->cves.nr, 1, "its ids take the place of the patch's, each once");
	is_str(m->cves.v[0], "CVE-2026-5", "the id");
	is_int((long long)m->bugs.nr, 0, "an empty list takes all away");
	is_str(m->fixes.v[0], "x", "the commit");
	rk_patch_file_free(patch);

	side_refuses("{", RK_ERR_FORMAT, "'x.json': line 1");
	side_refuses("[]", RK_ERR_FORMAT, "'x.json': not an object");
	side_refuses("{}", RK_ERR_FORMAT, "'schema' is not 'readykernel-fix-metadata/1'");
	side_refuses("{\"schema\": \"other\"}", RK_ERR_UNSUPPORTED, "schema 'other' is not");
#define SCHEMA "{\"schema\": \"readykernel-fix-metadata/1\", "
	side_refuses(SCHEMA "\"titel\": \"x\"}", RK_ERR_FORMAT, "unknown key 'titel'");
	side_refuses(SCHEMA "\"title\": 7}", RK_ERR_FORMAT, "'title' is not one line of text");
	side_refuses(SCHEMA "\"title\": \"a\\nb\"}", RK_ERR_FORMAT,
		     "'title' is not one line of text");
	side_refuses(SCHEMA "\"cves\": \"CVE-1\"}", RK_ERR_FORMAT, "'cves' is not a list");
	side_refuses(SCHEMA "\"bugs\": [1]}", RK_ERR_FORMAT, "'bugs' is not a list");
}

int main(void)
{
	test_dep3();
	test_mail();
	test_nothing();
	test_too_many();
	test_side_file();
	return done_testing();
}
