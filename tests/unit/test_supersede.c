/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One level after another: when a module can take another one's place, and what may not get lost. */
#include <string.h>

#include "lib/base/str.h"
#include "lib/patch/supersede.h"
#include "tests/unit/tap.h"

static const char *const ids[] = {"aa", "bb"};

/* A manifest with one fix, one chain entry ("name,level"), a state, a shadow id and a callback. */
static struct rk_manifest *manifest(const char *name, uint64_t level)
{
	struct rk_manifest *m;

	if (!no_err(rk_manifest_create(&m), "a manifest"))
		bail_out("no memory");
	m->name = name;
	m->level = level;
	m->target_id = "debian:1";
	m->version = "#1 SMP";
	m->build_id = "00ff";
	return m;
}

static void refuses(const struct rk_module_info *base, const char *name, uint64_t level,
		    const char *build_id, enum rk_err_code code, const char *message)
{
	is_err(rk_supersede_check(base, "old.ko", name, level, "debian:2", "#2 SMP", build_id),
	       code, message, message);
}

static void test_check(void)
{
	struct rk_manifest *m = manifest("kpatch_a", 3);
	struct rk_module_info base = {.manifest = m, .sha256 = "12"};
	struct rk_module_info foreign = {};

	no_err(rk_supersede_check(&base, "old.ko", "kpatch_b", 4, "debian:1", "#1 SMP", "00ff"),
	       "the next level for the same kernel");
	m->build_id = NULL;
	no_err(rk_supersede_check(&base, "old.ko", "kpatch_b", 4, "debian:1", "#1 SMP", "00ff"),
	       "without a build-id the version tells");
	m->build_id = "00ff";
	refuses(&foreign, "b", 4, "00ff", RK_ERR_INVALID,
		"--base 'old.ko' has no manifest: it isn't one of our patch modules");
	refuses(&base, "b", 4, "1111", RK_ERR_MISMATCH,
		"--base 'old.ko' is for kernel 'debian:1' (#1 SMP), this build is for 'debian:2' (#2 SMP)");
	refuses(&base, "b", 3, "00ff", RK_ERR_INVALID,
		"--level must be greater than 3, the level of --base 'old.ko'");
	refuses(&base, "kpatch_a", 4, "00ff", RK_ERR_INVALID,
		"--base 'old.ko' is called 'kpatch_a', too: while one takes the place of the other the kernel holds "
		"both; choose another name with --name");

	struct rk_manifest_base old = {"kpatch_b", "34", 4};
	ok(rk_vec_push(&m->supersedes, old), "a chain");
	refuses(&base, "kpatch_b", 4, "00ff", RK_ERR_INVALID,
		"--base 'old.ko' is circular: 'kpatch_a', level 3, supersedes 'kpatch_b', level 4, which is the "
		"module to be built");
	refuses(&base, "kpatch_c", 4, "00ff", RK_ERR_INVALID,
		"--base 'old.ko' supersedes 'kpatch_b' of level 4, so level 4 isn't greater than all before it");
	m->supersedes.v[0] = (struct rk_manifest_base){"kpatch_a", "34", 3};
	refuses(&base, "kpatch_c", 4, "00ff", RK_ERR_INVALID,
		"--base 'old.ko' is circular: 'kpatch_a', level 3, supersedes 'kpatch_a', level 3, which is itself");
	m->supersedes.v[0] = (struct rk_manifest_base){"kpatch_x", "12", 1};
	refuses(&base, "kpatch_c", 4, "00ff", RK_ERR_INVALID,
		"--base 'old.ko' is circular: 'kpatch_a', level 3, supersedes 'kpatch_x', level 1, which is itself");
	rk_manifest_free(m);
}

static void test_record(void)
{
	struct rk_manifest *m = manifest("kpatch_a", 3), *next = manifest("kpatch_b", 4);
	struct rk_module_info base = {.manifest = m, .sha256 = "12"};

	ok(rk_vec_push(&m->supersedes, ((struct rk_manifest_base){"kpatch_x", "34", 1})),
	   "a chain");
	no_err(rk_supersede_record(next, &base), "is recorded");
	is_int((long long)next->supersedes.nr, 2, "two before it");
	is_str(next->supersedes.v[0].name, "kpatch_a", "the base first");
	is_str(next->supersedes.v[0].sha256, "12", "with its hash");
	is_int((long long)next->supersedes.v[1].level, 1, "then those before that");
	rk_manifest_free(m);
	rk_manifest_free(next);
}

static void add_fix(struct rk_manifest *m, const char *name, const char *sha256, const char *cve)
{
	struct rk_manifest_fix fix = {.name = name, .file = "x.patch", .sha256 = sha256};

	if (!rk_vec_push(&m->fixes, fix) ||
	    (cve && !rk_vec_push(&m->fixes.v[m->fixes.nr - 1].cves, cve)))
		bail_out("no memory");
}

/* The findings as "code symbol" with blanks between them. */
static char *compare(const struct rk_manifest *next, const struct rk_manifest *base)
{
	struct rk_findings findings = {};
	struct rk_str out = RK_STR_INIT;
	char *text = NULL;

	no_err(rk_supersede_compare(next, base, &findings), "are compared");
	rk_vec_for_each(&findings.list, f)
		rk_str_addf(&out, "%s%s %s", out.len ? "; " : "", rk_finding_code_name(f->code),
			    f->symbol);
	rk_err_free(rk_str_take(&out, &text));
	rk_findings_deinit(&findings);
	return text;
}

static void test_fixes(void)
{
	struct rk_manifest *m = manifest("kpatch_a", 1), *next = manifest("kpatch_b", 2);

	add_fix(m, "same-bytes", "1", NULL);
	add_fix(m, "same-name", "2", NULL);
	add_fix(m, "same-cve", "3", "CVE-2026-0003");
	add_fix(m, "gone", "4", "CVE-2026-0004");
	add_fix(next, "renamed", "1", NULL);
	add_fix(next, "same-name", "22", NULL);
	add_fix(next, "other", "33", "CVE-2026-0003");
	_cleanup_free_ char *got = compare(next, m);
	is_str(got, "fix-dropped gone", "a fix is there by its bytes, its name or its CVE ids");
	rk_manifest_free(m);
	rk_manifest_free(next);
}

static void test_state(void)
{
	struct rk_manifest *m = manifest("kpatch_a", 1), *next = manifest("kpatch_b", 2);
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ok = ok && rk_vec_push(&m->states, ((struct rk_manifest_state){i + 1, 2})) &&
		     rk_vec_push(&m->shadow_ids, i + 16) &&
		     rk_vec_push(&m->callbacks,
				 ((struct rk_manifest_callback){ids[i], "pre_patch", "f"}));
	ok = ok && rk_vec_push(&next->states, ((struct rk_manifest_state){1, 3})) &&
	     rk_vec_push(&next->states, ((struct rk_manifest_state){2, 1})) &&
	     rk_vec_push(&next->shadow_ids, 16) &&
	     rk_vec_push(&next->callbacks,
			 ((struct rk_manifest_callback){"aa", "pre_patch", "g"})) &&
	     rk_vec_push(&next->callbacks,
			 ((struct rk_manifest_callback){"bb", "post_patch", "f"}));
	ok(ok, "two manifests");
	_cleanup_free_ char *got = compare(next, m);
	is_str(got, "state-dropped 2; shadow-dropped 0x11; callback-dropped f",
	       "a newer state, a known id and a callback of the kind are no loss");
	_cleanup_free_ char *same = compare(m, m);
	is_str(same, "", "nothing is lost to itself");
	rk_manifest_free(m);
	rk_manifest_free(next);
}

int main(void)
{
	test_check();
	test_record();
	test_fixes();
	test_state();
	return done_testing();
}
