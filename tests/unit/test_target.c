/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of lib/target that need no archive: versions, configurations, facts, records, the cache's rules. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/target/cache.h"
#include "lib/target/config.h"
#include "lib/target/facts.h"
#include "lib/target/prepare.h"
#include "lib/target/record.h"
#include "lib/target/resolve.h"
#include "lib/target/source_tree.h"
#include "lib/target/target.h"
#include "lib/target/version.h"
#include "tests/unit/tap.h"

static char *path_in_tmp(const char *name)
{
	return rk_path_join(tap_tmpdir(), name);
}

static void write_text(const char *path, const char *text)
{
	no_err(rk_fs_write(path, text, strlen(text), 0644), path);
}

static void test_versions(void)
{
	/* Each is older than the next (Debian Policy 5.6.12 and releases seen in the archive). */
	static const char *const order[] = {
		"6.1~rc1-1",
		"6.1",
		"6.1-1",
		"6.1.0-9-amd64",
		"6.1.0-10-amd64",
		"6.1.0-10-cloud-amd64",
		"6.1.9-1",
		"6.1.10-1~bpo1",
		"6.1.10-1",
		"6.1.10-1+b1",
		"6.12.107-1~deb12u1",
		"6.12.107+deb12-amd64",
		"1:1.0-1",
		"2:0~",
		"2:0",
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(order); j++) {
			int got = rk_version_compare(order[i], order[j]);

			ok(i < j   ? got < 0
			   : i > j ? got > 0
				   : got == 0,
			   "'%s' against '%s'", order[i], order[j]);
		}
	}
	is_int(rk_version_compare("6.01-1", "6.1-1"), 0, "leading zeroes don't count");
	ok(rk_version_compare("99999999999999999999999", "100000000000000000000000") < 0,
	   "numbers of any length");
	is_int((long long)rk_version_series("6.12.107-1"), 4, "series of a version");
	is_int((long long)rk_version_series("6.1"), 3, "series of a series");
	is_int((long long)rk_version_series("amd64"), 0, "no series");
	is_int((long long)rk_version_series("6."), 0, "half a series");
}

static void test_specs(void)
{
	static const char *const bad[] = {
		"",
		"debian:",
		"debian:../x",
		"debian:6.1.0/../x",
		"debian:6.1.0 x",
		"debian:amd64",
		"debian:-6.1",
		"path:",
		"path:../x",
		"path:xyz",
		"6.1.0-1-amd64",
		"ubuntu:6.1.0-1",
		"debian:6.1;rm",
	};
	char *id = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		is_err_like(rk_target_id(bad[i], &id), RK_ERR_INVALID, "is no target", bad[i]);
	ok(!id, "untouched on failure");
	no_err(rk_target_id("debian:6.12.107+deb12-cloud-amd64", &id), "a release with a '+'");
	is_str(id, "debian:6.12.107+deb12-cloud-amd64", "is its own id");
	free(id);
	no_err(rk_target_id("path:0123456789abcdef", &id), "a copy of a user's tree");
	free(id);
}

static void test_options_exclude(void)
{
	struct rk_target_options options = {.cache_dir = tap_tmpdir(), .source = "/usr"};
	struct rk_target *target = NULL;

	is_err(rk_target_open("debian:6.1.0-1-amd64", RK_TARGET_ALL, &options, &target),
	       RK_ERR_INVALID,
	       "target 'debian:6.1.0-1-amd64' and explicit paths exclude each other", "both");
	is_err_like(rk_target_open(NULL, RK_TARGET_ALL, &options, &target), RK_ERR_INVALID,
		    "--config is missing", "some of the paths");
	ok(!target, "untouched on failure");
}

static void check_drift(const char *a, const char *b, bool subset, size_t nr, const char *text)
{
	_cleanup_free_ char *path_a = path_in_tmp("a.config");
	_cleanup_free_ char *path_b = path_in_tmp("b.config");
	_cleanup_config_ struct rk_config x = {}, y = {};
	struct rk_config_drift drift = {};

	write_text(path_a, a);
	write_text(path_b, b);
	no_err(rk_config_read(path_a, &x), "first");
	no_err(rk_config_read(path_b, &y), "second");
	no_err(rk_config_compare(&x, &y, subset, &drift), "compared");
	is_int((long long)drift.nr, (long long)nr, text);
	is_str(rk_str_get(&drift.text), text, "what differs");
	rk_str_deinit(&drift.text);
}

static void test_config(void)
{
	_cleanup_free_ char *path = path_in_tmp("no.config");
	_cleanup_config_ struct rk_config config = {};

	check_drift("CONFIG_A=y\n# CONFIG_B is not set\n", "# comment\nCONFIG_A=y", false, 0, "");
	check_drift("CONFIG_B=m\nCONFIG_A=y\n", "CONFIG_A=n\nCONFIG_C=\"x y\"\n", false, 3,
		    "CONFIG_A (y, n), CONFIG_B (m, not set), CONFIG_C (not set, \"x y\")");
	check_drift("CONFIG_A=y\n", "CONFIG_A=y\nCONFIG_B=y\n", true, 0, "");
	check_drift(
		"CONFIG_A=y\nCONFIG_CC_VERSION_TEXT=\"gcc 1\"\nCONFIG_PAHOLE_VERSION=124\n",
		"CONFIG_A=y\nCONFIG_BUILD_SALT=\"x\"\nCONFIG_PAHOLE_VERSION=0\nCONFIG_RUSTC_VERSION=1\n",
		false, 0, "");
	check_drift(
		"CONFIG_A=1\nCONFIG_B=1\nCONFIG_C=1\nCONFIG_D=1\nCONFIG_E=1\nCONFIG_F=1\nCONFIG_G=1\n",
		"CONFIG_X=1\nCONFIG_A=1\nCONFIG_B=2\n", true, 6,
		"CONFIG_B (1, 2), CONFIG_C (1, not set), CONFIG_D (1, not set), CONFIG_E (1, not set), "
		"CONFIG_F (1, not set), CONFIG_G (1, not set)");
	write_text(path, "hello\n");
	is_err_like(rk_config_read(path, &config), RK_ERR_FORMAT, "is no kernel configuration",
		    "not a configuration");
}

static void test_config_values(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const char config[] =
		"CONFIG_CC_VERSION_TEXT=\"gcc-12 (Debian) 12\"\nCONFIG_CC=y\nCONFIG_E=\"\"\n"
		"# CONFIG_N is not set\nCONFIG_Q=\"";
	const char *value;
	const struct {
		const char *name, *want;
	} cases[] = {
		{"CC_VERSION_TEXT", "gcc-12 (Debian) 12"},
		{"CC", "y"},
		{"E", ""},
		{"N", NULL},
		{"C", NULL},
		{"Q", "\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		no_err(rk_facts_config(config, cases[i].name, &arena, &value), cases[i].name);
		is_str(value, cases[i].want, cases[i].name);
	}
}

static void test_compiler_names(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const struct {
		const char *text, *wanted, *want;
	} cases[] = {
		{"gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0", NULL, "gcc-12"},
		{"gcc (GCC) 15.3.0", NULL, "gcc"},
		{"Debian clang version 14.0.6", NULL, "clang"},
		{"gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0", "/opt/gcc", "/opt/gcc"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *cc = NULL;

		no_err(rk_prepare_compiler(cases[i].text, cases[i].wanted, &arena, &cc),
		       cases[i].text);
		is_str(cc, cases[i].want, cases[i].text);
	}
	is_err(rk_prepare_check_compiler("gcc-of-nowhere", "gcc 1", false, NULL), RK_ERR_NOT_FOUND,
	       "the compiler 'gcc-of-nowhere' isn't installed; run 'apt-get install gcc-of-nowhere'",
	       "a compiler that isn't there");
}

static void test_debian_version(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const char *version;

	no_err(rk_facts_debian_version("#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)",
				       &arena, &version),
	       "a Debian kernel");
	is_str(version, "6.1.170-3", "its version");
	no_err(rk_facts_debian_version("#1 SMP PREEMPT_DYNAMIC @0", &arena, &version), "another");
	is_str(version, NULL, "has none");
}

static void test_notes(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_free_ char *path = path_in_tmp("notes");
	/* A foreign note of odd sizes, then the build-id (gABI "Note Section"). */
	const unsigned char notes[] = {
		6,   0,	  0, 0, 3, 0, 0,   0,	1,   0, 0,    0,    'L',  'i',	'n',
		'u', 'x', 0, 0, 0, 7, 7,   7,	0,   4, 0,    0,    0,	  4,	0,
		0,   0,	  3, 0, 0, 0, 'G', 'N', 'U', 0, 0xde, 0xad, 0xbe, 0xef,
	};
	const char *id = NULL;

	no_err(rk_fs_write(path, notes, sizeof(notes), 0644), "notes");
	no_err(rk_facts_notes(path, &arena, &id), "read");
	is_str(id, "deadbeef", "the build-id");
	for (size_t len = 0; len < sizeof(notes); len++) {
		no_err(rk_fs_write(path, notes, len, 0644), "cut");
		no_err(rk_facts_notes(path, &arena, &id), "cut notes");
		is_str(id, NULL, "no build-id in cut notes");
	}
}

static void test_images(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_free_ char *path = path_in_tmp("vmlinuz");
	struct rk_kernel_facts facts = {};
	unsigned char image[0x400] = {};

	no_err(rk_fs_write(path, image, 0x24f, 0644), "too small");
	is_err_like(rk_facts_image(path, &arena, &facts), RK_ERR_UNSUPPORTED,
		    "is no bootable x86 kernel", "an image smaller than its header");
	no_err(rk_fs_write(path, image, sizeof(image), 0644), "zeroes");
	is_err_like(rk_facts_image(path, &arena, &facts), RK_ERR_UNSUPPORTED,
		    "is no bootable x86 kernel", "an image without magic");
	memcpy(image + 0x202, "HdrS\x0f\x02", 6);
	memcpy(image + 0x20e, "\xff\xff", 2); /* version string far outside */
	memcpy(image + 0x248, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	no_err(rk_fs_write(path, image, sizeof(image), 0644), "offsets outside");
	is_err_like(rk_facts_image(path, &arena, &facts), RK_ERR_FORMAT,
		    "ends before its compressed kernel does", "a payload outside the file");
	memcpy(image + 0x248, "\0\0\0\0\0\0\0\0", 8);
	image[0x1f1] = 1;
	no_err(rk_fs_write(path, image, sizeof(image), 0644), "no payload");
	is_err_like(rk_facts_image(path, &arena, &facts), RK_ERR_UNSUPPORTED,
		    "cannot unpack the kernel in", "an empty payload");
	ok(!facts.release, "untouched on failure");
}

static void test_records(void)
{
	_cleanup_free_ char *path = path_in_tmp("part.json");
	_cleanup_record_ struct rk_record record = {
		.id = "debian:6.1.0-1-amd64",
		.release = "6.1.0-1-amd64",
		.version = "#1 \"quoted\" é",
		.build_id = "abcd",
		.bytes = 5000000000,
	};
	_cleanup_record_ struct rk_record read = {}, bad = {};
	struct rk_record_package package = {"linux-image", "6.1.7-1", "00ff", 4000000000};

	ok(rk_vec_push(&record.packages, package), "a package");
	no_err(rk_record_write(path, &record), "written");
	no_err(rk_record_read(path, &read), "read back");
	is_str(read.id, record.id, "id");
	is_str(read.version, record.version, "version");
	is_str(read.build_id, record.build_id, "build-id");
	is_str(read.source_version, NULL, "what is absent stays absent");
	is_int((long long)read.bytes, 5000000000, "bytes");
	is_int((long long)read.packages.nr, 1, "packages");
	is_str(read.packages.v[0].sha256, "00ff", "hash");
	is_int((long long)read.packages.v[0].size, 4000000000, "size");

	static const char *const damaged[] = {
		"",
		"[]",
		"{}",
		"{\"schema\":\"readykernel-target-part/2\",\"id\":\"x\",\"release\":\"r\",\"version\":\"v\"}",
		"{\"schema\":\"readykernel-target-part/1\",\"id\":\"x\",\"release\":7,\"version\":\"v\"}",
		("{\"schema\":\"readykernel-target-part/1\",\"id\":\"x\",\"release\":\"r\",\"version\":\"v\","
		 "\"packages\":[{\"name\":\"n\"}]}"),
		"{\"schema\":\"readykernel-target-part/1\",",
	};
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		write_text(path, damaged[i]);
		is_err_like(rk_record_read(path, &bad), RK_ERR_FORMAT, "is damaged", damaged[i]);
	}
	ok(!bad.id, "untouched on failure");
}

static void test_needed_sources(void)
{
	static const struct {
		const char *path;
		bool needed;
	} cases[] = {
		{"fs/exec.c", true},
		{"arch/x86/kernel/cpu/common.c", true},
		{"arch/x86_64.c", false},
		{"arch/arm64/kernel/entry.S", false},
		{"arch/arm64/Kconfig.debug", true},
		{"arch/arm64/Makefile", true},
		{"Documentation/Kconfig", true},
		{"Documentation/admin-guide/index.rst", false},
		{"tools/objtool/check.c", true},
		{"tools/perf/perf.c", false},
		{"tools/testing/selftests/livepatch/Makefile", true},
		{"drivers/gpu/drm/amd/amdgpu/amdgpu_device.c", true},
		{"Makefile", true},
		{"arch/Kconfig", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		is_int(rk_source_tree_needs(cases[i].path), cases[i].needed, cases[i].path);
}

static void test_cache(void)
{
	_cleanup_free_ char *cache = path_in_tmp("cache");
	_cleanup_slot_ struct rk_cache_slot a = {.use_fd = -1, .fetch_fd = -1};
	_cleanup_slot_ struct rk_cache_slot b = {.use_fd = -1, .fetch_fd = -1};
	struct rk_record record = {.id = "debian:6.1.0-1-amd64", .release = "r", .version = "v"};
	_cleanup_record_ struct rk_record read = {};
	bool found = true, in_use = false;

	no_err(rk_cache_slot_init(cache, "debian:6.1.0-1-amd64", &a), "a slot");
	no_err(rk_cache_slot_init(cache, "debian:6.1.0-1-amd64", &b), "the same");
	ok(!rk_fs_exists(cache), "nothing is created by looking");
	is_err_like(rk_cache_remove(&a, cache), RK_ERR_NOT_FOUND, "isn't in the cache",
		    "not there yet");
	no_err(rk_cache_use(&a, cache, NULL), "in use");
	no_err(rk_cache_begin_fetch(&a, NULL), "fetching");

	_cleanup_free_ char *left = rk_path_join(a.build, "source/file");
	no_err(rk_fs_mkdir_p(left, 0755), "half a part");
	no_err(rk_cache_part(a.build, &found, &read), "looked at");
	ok(!found, "a part without a record isn't there");
	rk_cache_end_fetch(&a);
	no_err(rk_cache_begin_fetch(&a, NULL), "fetching again");
	ok(!rk_fs_exists(a.build), "what was left is removed");

	no_err(rk_fs_mkdir_p(left, 0755), "a part");
	no_err(rk_cache_commit(a.build, &record), "made to count");
	rk_cache_end_fetch(&a);
	no_err(rk_cache_begin_fetch(&a, NULL), "and again");
	rk_cache_end_fetch(&a);
	no_err(rk_cache_part(a.build, &found, &read), "looked at");
	ok(found && rk_fs_exists(left) && read.bytes > 0, "a part with a record stays");

	no_err(rk_cache_in_use(&b, cache, &in_use), "asked");
	ok(in_use, "in use");
	struct rk_err *err = rk_cache_remove(&b, cache);
	is_int(err ? rk_err_errno(err) : 0, EBUSY, "not removed while in use");
	is_err_like(err, RK_ERR_SYS, "while another process uses it", "not removed while in use");
	close(take_fd(a.use_fd));
	no_err(rk_cache_remove(&b, cache), "removed");
	ok(!rk_fs_exists(a.dir), "all of it");
}

static void test_modules(void)
{
	_cleanup_free_ char *dir = path_in_tmp("modules");
	_cleanup_free_ char *sub = rk_path_join(dir, "kernel/net");
	_cleanup_free_ char *file = rk_path_join(sub, "nf-tables_x.ko");
	struct rk_target target = {.id = "debian:x", .modules = dir};
	char *path = NULL;

	no_err(rk_fs_mkdir_p(sub, 0755), "a directory");
	write_text(file, "");
	no_err(rk_target_module(&target, "nf_tables_x", &path), "'-' is '_' in a module's name");
	is_str(path, file, "its path");
	free(take_ptr(path));
	is_err_like(rk_target_module(&target, "nf_tables", &path), RK_ERR_NOT_FOUND,
		    "'debian:x' has no module 'nf_tables'", "the start of a name");
	is_err_like(rk_target_module(&target, "nf_tables_xy", &path), RK_ERR_NOT_FOUND,
		    "has no module", "more than a name");
	target.modules = NULL;
	is_err_like(rk_target_module(&target, "a", &path), RK_ERR_NOT_FOUND, "no modules are given",
		    "a target without modules");
	ok(!path, "untouched on failure");
}

int main(void)
{
	test_versions();
	test_specs();
	test_options_exclude();
	test_config();
	test_config_values();
	test_compiler_names();
	test_debian_version();
	test_notes();
	test_images();
	test_records();
	test_needed_sources();
	test_cache();
	test_modules();
	return done_testing();
}
