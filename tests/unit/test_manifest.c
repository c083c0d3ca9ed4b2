/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest: canonical bytes, what is read back, and each way a document can be wrong with its message. */
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/patch/manifest.h"
#include "tests/unit/tap.h"

static const char full[] = "{\n"
			   "  \"schema\": \"readykernel-manifest/1\",\n"
			   "  \"name\": \"kpatch_fix\",\n"
			   "  \"level\": 3,\n"
			   "  \"model\": \"hybrid\",\n"
			   "  \"replace\": true,\n"
			   "  \"tool_version\": \"0.1.0\",\n"
			   "  \"target\": {\n"
			   "    \"id\": \"debian:6.1.0-1-amd64\",\n"
			   "    \"release\": \"6.1.0-1-amd64\",\n"
			   "    \"version\": \"#1 SMP\",\n"
			   "    \"build_id\": \"00ff\",\n"
			   "    \"compiler\": null\n"
			   "  },\n"
			   "  \"fixes\": [\n"
			   "    {\n"
			   "      \"name\": \"fix\",\n"
			   "      \"title\": \"tcp: \\\"quoted\\\" \u00fc\",\n"
			   "      \"author\": \"A <a@example.org>\",\n"
			   "      \"origin\": null,\n"
			   "      \"forwarded\": \"no\",\n"
			   "      \"applied_upstream\": \"6.2, commit:abc\",\n"
			   "      \"file\": \"fix.patch\",\n"
			   "      \"sha256\": \"ab\",\n"
			   "      \"cves\": [\n"
			   "        \"CVE-2026-1\",\n"
			   "        \"CVE-2026-2\"\n"
			   "      ],\n"
			   "      \"bugs\": [\n"
			   "        \"https://example.org/1\"\n"
			   "      ],\n"
			   "      \"fixes\": [],\n"
			   "      \"functions\": [\n"
			   "        \"vmlinux:tcp_ack\"\n"
			   "      ]\n"
			   "    }\n"
			   "  ],\n"
			   "  \"skipped\": [\n"
			   "    {\n"
			   "      \"name\": \"other\",\n"
			   "      \"title\": null,\n"
			   "      \"file\": \"other.patch\",\n"
			   "      \"sha256\": \"ef\",\n"
			   "      \"cves\": [\n"
			   "        \"CVE-2026-3\"\n"
			   "      ],\n"
			   "      \"codes\": [\n"
			   "        \"data-changed\"\n"
			   "      ],\n"
			   "      \"reason\": \"initial value changed\",\n"
			   "      \"depends_on\": null\n"
			   "    }\n"
			   "  ],\n"
			   "  \"supersedes\": [\n"
			   "    {\n"
			   "      \"name\": \"kpatch_old\",\n"
			   "      \"level\": 2,\n"
			   "      \"sha256\": \"12\"\n"
			   "    }\n"
			   "  ],\n"
			   "  \"objects\": [\n"
			   "    {\n"
			   "      \"name\": \"vmlinux\",\n"
			   "      \"build_id\": \"00ff\",\n"
			   "      \"srcversion\": null\n"
			   "    }\n"
			   "  ],\n"
			   "  \"functions\": [\n"
			   "    {\n"
			   "      \"object\": \"vmlinux\",\n"
			   "      \"name\": \"tcp_ack\",\n"
			   "      \"sympos\": 1,\n"
			   "      \"unit\": \"net/ipv4/tcp_input.c\",\n"
			   "      \"old_size\": 100,\n"
			   "      \"new_size\": 9223372036854775807\n"
			   "    }\n"
			   "  ],\n"
			   "  \"units\": [\n"
			   "    {\n"
			   "      \"path\": \"net/ipv4/tcp_input.c\",\n"
			   "      \"object\": \"vmlinux\",\n"
			   "      \"original_sha256\": \"cd\",\n"
			   "      \"matched\": 171,\n"
			   "      \"differing\": 0,\n"
			   "      \"absent\": 1,\n"
			   "      \"overridden\": 2,\n"
			   "      \"discarded\": 3\n"
			   "    }\n"
			   "  ],\n"
			   "  \"findings\": [\n"
			   "    {\n"
			   "      \"code\": \"new-function\",\n"
			   "      \"severity\": \"info\",\n"
			   "      \"place\": null,\n"
			   "      \"text\": \"a new function\"\n"
			   "    },\n"
			   "    {\n"
			   "      \"code\": \"data-changed\",\n"
			   "      \"severity\": \"error\",\n"
			   "      \"place\": \"a.c:limit\",\n"
			   "      \"text\": \"was 1, now 2\",\n"
			   "      \"reason\": \"set by our boot script\"\n"
			   "    }\n"
			   "  ],\n"
			   "  \"callbacks\": [\n"
			   "    {\n"
			   "      \"object\": \"vmlinux\",\n"
			   "      \"kind\": \"pre_patch\",\n"
			   "      \"function\": \"prepare\"\n"
			   "    }\n"
			   "  ],\n"
			   "  \"states\": [\n"
			   "    {\n"
			   "      \"id\": 77,\n"
			   "      \"version\": 2\n"
			   "    }\n"
			   "  ],\n"
			   "  \"shadow_ids\": [\n"
			   "    1,\n"
			   "    9223372036854775807\n"
			   "  ]\n"
			   "}\n";

static void test_round_trip(void)
{
	struct rk_manifest *m;
	char *json;

	if (!no_err(rk_manifest_parse("m", full, strlen(full), &m), "a full manifest is read"))
		return;
	is_str(m->name, "kpatch_fix", "name");
	is_int(m->level, 3, "level");
	ok(m->replace, "replace");
	is_str(m->release, "6.1.0-1-amd64", "release");
	is_str(m->compiler, NULL, "a null string is NULL");
	is_int(m->fixes.nr, 1, "one fix");
	is_str(m->fixes.v[0].title, "tcp: \"quoted\" \u00fc", "title");
	is_str(m->fixes.v[0].cves.v[1], "CVE-2026-2", "second CVE");
	is_str(m->fixes.v[0].functions.v[0], "vmlinux:tcp_ack", "what it changes");
	is_str(m->skipped.v[0].codes.v[0], "data-changed", "why one was left out");
	is_str(m->supersedes.v[0].name, "kpatch_old", "what it takes the place of");
	is_int(m->funcs.v[0].sympos, 1, "sympos");
	is_int(m->funcs.v[0].new_size, INT64_MAX, "largest number");
	is_int(m->units.v[0].discarded, 3, "discarded");
	is_str(m->findings.v[0].code, "new-function", "finding");
	is_str(m->findings.v[0].reason, NULL, "not accepted by anybody");
	is_str(m->findings.v[1].reason, "set by our boot script", "why it was accepted");
	is_str(m->callbacks.v[0].function, "prepare", "callback");
	is_int(m->states.v[0].version, 2, "version of a state");
	is_int(m->shadow_ids.v[1], INT64_MAX, "shadow id");
	if (no_err(rk_manifest_to_json(m, &json), "and written")) {
		is_str(json, full, "the same bytes");
		free(json);
	}
	rk_manifest_free(m);
}

static void test_unknown_keys(void)
{
	_cleanup_free_ char *json = rk_asprintf("{\"future\": [1, {}], %s", full + 1);
	struct rk_manifest *m;

	if (no_err(rk_manifest_parse("m", json, strlen(json), &m), "unknown keys are ignored"))
		rk_manifest_free(m);
}

static void test_older(void)
{
	const char *cut = strstr(full, ",\n  \"callbacks\"");
	_cleanup_free_ char *json = rk_asprintf("%.*s}", (int)(cut - full), full);
	struct rk_manifest *m;

	if (!no_err(rk_manifest_parse("m", json, strlen(json), &m),
		    "lists that came later may miss"))
		return;
	is_int(m->callbacks.nr + m->states.nr + m->shadow_ids.nr, 0, "and are empty then");
	rk_manifest_free(m);
}

/* A document that is full, with the first `from` replaced by `to`. */
static char *changed(const char *from, const char *to)
{
	const char *at = strstr(full, from);

	if (!at)
		bail_out("the test's document has no '%s'", from);
	return rk_asprintf("%.*s%s%s", (int)(at - full), full, to, at + strlen(from));
}

static void test_malformed(void)
{
	static const struct {
		const char *from, *to;
		enum rk_err_code code;
		const char *message;
	} cases[] = {
		{"\"level\": 3", "\"level\": \"3\"", RK_ERR_FORMAT,
		 "'m': 'level' is not a number from 0 up"},
		{"\"level\": 3", "\"level\": -3", RK_ERR_FORMAT,
		 "'m': 'level' is not a number from 0 up"},
		{"\"level\": 3", "\"level\": 3.0", RK_ERR_FORMAT,
		 "'m': 'level' is not a number from 0 up"},
		{"\"level\": 3,", "", RK_ERR_FORMAT, "'m': 'level' is missing"},
		{"\"replace\": true", "\"replace\": 1", RK_ERR_FORMAT,
		 "'m': 'replace' is not true or false"},
		{"\"name\": \"kpatch_fix\"", "\"name\": null", RK_ERR_FORMAT,
		 "'m': 'name' is not a string"},
		{"\"release\": \"6.1.0-1-amd64\",", "", RK_ERR_FORMAT,
		 "'m': 'target.release' is missing"},
		{"\"compiler\": null", "\"compiler\": 12", RK_ERR_FORMAT,
		 "'m': 'target.compiler' is not a string"},
		{"\"file\": \"fix.patch\"", "\"file\": 1", RK_ERR_FORMAT,
		 "'m': 'fixes[0].file' is not a string"},
		{"\"CVE-2026-2\"", "{}", RK_ERR_FORMAT, "'m': 'fixes[0].cves[1]' is not a string"},
		{"\"sympos\": 1", "\"sympos\": 4294967296", RK_ERR_FORMAT,
		 "'m': 'functions[0].sympos' is not a number from 0 to 2^32 - 1"},
		{"\"kind\": \"pre_patch\",", "", RK_ERR_FORMAT,
		 "'m': 'callbacks[0].kind' is missing"},
		{"\"id\": 77", "\"id\": -1", RK_ERR_FORMAT,
		 "'m': 'states[0].id' is not a number from 0 up"},
		{"    1,\n", "    \"1\",\n", RK_ERR_FORMAT,
		 "'m': 'shadow_ids[0]' is not a number from 0 up"},
		{"\"states\": [", "\"states\": {}, \"x\": [", RK_ERR_FORMAT,
		 "'m': 'states' is not a list"},
		{"\"fixes\": [", "\"fixes\": [7, ", RK_ERR_FORMAT,
		 "'m': 'fixes[0]' is not an object"},
		{"\"units\"", "\"unit\"", RK_ERR_FORMAT, "'m': 'units' is missing"},
		{"\"target\"", "\"goal\"", RK_ERR_FORMAT, "'m': 'target' is missing"},
		{"manifest/1", "manifest/9", RK_ERR_NEWER,
		 "'m': schema 'readykernel-manifest/9' is newer than 'readykernel-manifest/1', "
		 "which is all that this program knows; update the program"},
		{"manifest/1", "manifest/0", RK_ERR_FORMAT,
		 "'m': schema 'readykernel-manifest/0' is not 'readykernel-manifest/1'"},
		{"manifest/1", "manifest/2x", RK_ERR_FORMAT,
		 "'m': schema 'readykernel-manifest/2x' is not 'readykernel-manifest/1'"},
		{"\"schema\"", "\"scheme\"", RK_ERR_FORMAT, "'m': 'schema' is missing"},
		{"\"replace\"", "\"level\"", RK_ERR_FORMAT,
		 "'m': line 6, column 9: duplicate object key near '\"level\"'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *json = changed(cases[i].from, cases[i].to);
		struct rk_manifest *m;
		is_err(rk_manifest_parse("m", json, strlen(json), &m), cases[i].code,
		       cases[i].message, cases[i].message);
	}
}

static void test_not_json(void)
{
	struct rk_manifest *m;

	is_err(rk_manifest_parse("m", "[]", 2, &m), RK_ERR_FORMAT, "'m': not an object", "a list");
	is_err_like(rk_manifest_parse("m", "", 0, &m), RK_ERR_FORMAT,
		    "'m': line 1, column 0:", "nothing");
	is_err_like(rk_manifest_parse("m", full, strlen(full) - 3, &m), RK_ERR_FORMAT, "'m': line",
		    "cut off");
	is_err_like(rk_manifest_parse("m", "{\"a\": \"\xff\"}", 10, &m), RK_ERR_FORMAT,
		    "unable to decode byte 0xff", "not UTF-8");
	is_err_like(rk_manifest_parse("m", "{\"a\": \"\\u0000\"}", 15, &m), RK_ERR_FORMAT, "NUL",
		    "a NUL");

	char deep[20000];
	memset(deep, '[', sizeof(deep));
	is_err_like(rk_manifest_parse("m", deep, sizeof(deep), &m), RK_ERR_FORMAT, "depth",
		    "nested too deep");
}

static void test_other_encodings(void)
{
	static const struct {
		const char *bytes, *expected;
	} cases[] = {
		{"\xfc"
		 "ber",
		 "\ufffdber"},
		{"\u00fcber \u20ac \U0001f600 \x7f", "\u00fcber \u20ac \U0001f600 \x7f"},
		{"a\xc3", "a\ufffd"},
		{"\xc0\x80", "\ufffd\ufffd"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"\xe2\x82z", "\ufffd\ufffdz"},
		{"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
		{"\xff", "\ufffd"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rk_manifest *m, *back;
		char *json;
		if (!no_err(rk_manifest_parse("m", full, strlen(full), &m), "a manifest"))
			return;
		m->fixes.v[0].title = cases[i].bytes;
		if (no_err(rk_manifest_to_json(m, &json), "with a title that isn't UTF-8") &&
		    no_err(rk_manifest_parse("m", json, strlen(json), &back), "is readable")) {
			is_str(back->fixes.v[0].title, cases[i].expected, cases[i].expected);
			rk_manifest_free(back);
			free(json);
		}
		rk_manifest_free(m);
	}
}

static void test_write_refuses(void)
{
	struct rk_manifest *m;
	char *json;

	if (!no_err(rk_manifest_create(&m), "an empty manifest"))
		return;
	m->level = UINT64_MAX;
	is_err(rk_manifest_to_json(m, &json), RK_ERR_LIMIT,
	       "manifest: 'level' is too large: 18446744073709551615",
	       "a number JSON readers can't hold");
	rk_manifest_free(m);
}

static void test_module_without(void)
{
	_cleanup_free_ char *path = rk_path_join(tap_tmpdir(), "x.ko");
	struct rk_manifest *m;

	if (no_err(rk_fs_write(path, "\177ELF", 4, 0644), "a file"))
		is_err_like(rk_manifest_read_module(path, &m), RK_ERR_FORMAT, "x.ko",
			    "that is no module");
}

int main(void)
{
	test_round_trip();
	test_older();
	test_unknown_keys();
	test_malformed();
	test_not_json();
	test_other_encodings();
	test_write_refuses();
	test_module_without();
	return done_testing();
}
