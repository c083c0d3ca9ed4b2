/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a host that isn't there. */
#include "tests/unit/hostmake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/fs.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "tests/unit/tap.h"

#define FIRST_TIME INT64_C(1790000000) /* September 2026 */

/* These hosts end with their test: what is synced would only wait for a busy disk. A test may have an own one. */
__attribute__((weak)) int fsync(int fd)
{
	(void)fd;
	return 0;
}

static int64_t host_time(void *ctx)
{
	return ((const struct hostmake *)ctx)->now;
}

/* The kernel's own notes: one with its build-id. */
static void put_notes(struct hostmake *h)
{
	unsigned char note[36] = {4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0};

	for (size_t i = 0; i < 20; i++) {
		const char byte[] = {HOST_BUILD_ID[2 * i], HOST_BUILD_ID[2 * i + 1], 0};

		note[16 + i] = (unsigned char)strtoul(byte, NULL, 16);
	}
	sysmake_put_bytes(h->sys.roots.sys, "kernel/notes", note, sizeof(note));
}

void hostmake_cmdline(struct hostmake *h, const char *text)
{
	sysmake_put(h->sys.roots.proc, "cmdline", text);
	rk_host_kernel_free(h->kernel);
	h->kernel = NULL;
	must(rk_host_kernel_read(h->host, &h->kernel));
}

void hostmake_read_state(struct hostmake *h)
{
	rk_host_state_free(h->state);
	h->state = NULL;
	must(rk_host_state_read(h->host, &h->state));
}

void hostmake_reboot(struct hostmake *h, int64_t seconds)
{
	_cleanup_free_ char *modules = rk_path_join(h->sys.roots.sys, "module");
	_cleanup_free_ char *patches = rk_path_join(h->sys.roots.sys, "kernel/livepatch");
	_cleanup_free_ char *boot_id = NULL, *stat = NULL;

	h->now += seconds;
	h->boots++;
	h->records = 0;
	boot_id = rk_asprintf("%08u-0000-4000-8000-000000000000\n", h->boots);
	stat = rk_asprintf("cpu 1 2 3\nbtime %lld\n", (long long)h->now);
	must(rk_fs_remove_tree(modules));
	must(rk_fs_remove_tree(patches));
	must(rk_fs_remove_tree(h->sys.roots.run));
	must(rk_fs_remove_tree(h->host->run_dir));
	must(rk_fs_mkdir_p(patches, 0755));
	sysmake_put(h->sys.roots.proc, "sys/kernel/random/boot_id", boot_id);
	sysmake_put(h->sys.roots.proc, "stat", stat);
	sysmake_put_bytes(h->host->root, "dev/kmsg", "", 0);
	must(rk_host_prepare(h->host));
	hostmake_cmdline(h, "root=/dev/vda quiet\n");
	hostmake_read_state(h);
}

void hostmake_init(struct hostmake *h, const char *name)
{
	*h = (struct hostmake){.now = FIRST_TIME};
	sysmake_init(&h->sys, name);
	h->sys.replaces = true;
	must(rk_host_create(h->sys.dir, &h->host));
	h->host->roots = h->sys.roots;
	h->host->time = host_time;
	h->host->time_ctx = h;
	must(rk_settings_create(&h->settings));
	h->settings->transition_wait = 0;
	h->settings->transition_limit = 1;
	h->settings->quiet_time = 0;
	put_notes(h);
	hostmake_reboot(h, 0);
}

void hostmake_deinit(struct hostmake *h)
{
	rk_host_state_free(h->state);
	rk_settings_free(h->settings);
	rk_host_kernel_free(h->kernel);
	rk_host_free(h->host);
	sysmake_deinit(&h->sys);
}

void hostmake_log(struct hostmake *h, unsigned int priority, const char *text)
{
	FILE *f = fopen(h->host->kmsg, "ae");

	if (!f || fprintf(f, "%u,%u,%u,-;%s\n", priority, h->records++, 1000000, text) < 0 ||
	    fclose(f))
		bail_out("cannot write the kernel log");
}

/* The kernel's part in a reversal: when the patch is disabled, its transition comes to an end. */
static int end_reversal(struct sysmake *sys, const char *name, bool enabled)
{
	if (!enabled && rk_streq(name, sys->stuck))
		sysmake_patch(sys, name, "0\n", "0\n");
	return 0;
}

void hostmake_stick(struct hostmake *h, const char *name)
{
	sysmake_thread(&h->sys, "70", "70", "holder\n", "0\n", "");
	h->sys.stuck = name;
	h->sys.switched = end_reversal;
}

void hostmake_unstick(struct hostmake *h)
{
	sysmake_thread(&h->sys, "70", "70", "holder\n", "-1\n", "");
	h->sys.stuck = NULL;
	h->sys.switched = NULL;
}

struct rk_patch hostmake_patch(struct rk_arena *arena, unsigned int level, const char *module)
{
	struct rk_patch patch = {.level = level, .official = true, .channel = "stable"};
	char sha256[RK_SHA256_HEX_SIZE];
	_cleanup_free_ char *bytes = NULL;
	struct utsname name;
	size_t length;

	uname(&name);
	must(rk_fs_read(module, 1 << 20, &bytes, &length));
	must(rk_sha256_bytes(bytes, length, sha256));
	patch.name = rk_arena_printf(arena, "kpatch_%u", level);
	patch.build_id = HOST_BUILD_ID;
	patch.release = rk_arena_strdup(arena, name.release);
	patch.version = rk_arena_strdup(arena, name.version);
	patch.arch = rk_arena_strdup(arena, name.machine);
	patch.sha256 = rk_arena_strdup(arena, sha256);
	patch.length = length;
	patch.product = "debian-12";
	patch.released = FIRST_TIME + level * INT64_C(86400);
	patch.covered_until = FIRST_TIME + 400 * INT64_C(86400);
	patch.nr_cves = level;
	patch.cves = rk_arena_calloc(arena, level, sizeof(*patch.cves));
	for (unsigned int i = 0; i < level; i++)
		patch.cves[i] = rk_arena_printf(arena, "CVE-2026-%05u", i + 1);
	return patch;
}

void hostmake_install(struct hostmake *h, unsigned int level)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_free_ char *name = rk_asprintf("kpatch_%u", level);
	_cleanup_free_ char *id = rk_asprintf("%040x", level);
	_cleanup_free_ char *module = sysmake_file(&h->sys, name, level, true, id);
	struct rk_patch patch = hostmake_patch(&arena, level, module);

	must(rk_patches_install(h->host, &patch, module, "signed", strlen("signed")));
}

struct rk_apply hostmake_apply(struct hostmake *h)
{
	return (struct rk_apply){
		.host = h->host, .settings = h->settings, .kernel = h->kernel, .state = h->state};
}

static struct rk_patches *installed(struct hostmake *h)
{
	struct rk_patches *patches = NULL;

	must(rk_patches_list(h->host, HOST_BUILD_ID, &patches));
	return patches;
}

struct rk_err *hostmake_load(struct hostmake *h, unsigned int level, bool force,
			     struct rk_apply_result *ret)
{
	_cleanup_patches_ struct rk_patches *patches = installed(h);
	const struct rk_patch *patch = rk_patches_find(patches, level);
	struct rk_apply apply = hostmake_apply(h);

	apply.force = force;
	if (!patch)
		bail_out("level %u isn't installed", level);
	return rk_apply_load(&apply, patch, ret);
}

struct rk_err *hostmake_confirm(struct hostmake *h, struct rk_apply_result *ret)
{
	_cleanup_patches_ struct rk_patches *patches = installed(h);
	struct rk_apply apply = hostmake_apply(h);

	return rk_apply_confirm(&apply, patches, ret);
}

struct rk_err *hostmake_boot(struct hostmake *h, struct rk_boot_review *ret_review,
			     struct rk_apply_result *ret)
{
	_cleanup_patches_ struct rk_patches *patches = installed(h);
	struct rk_apply apply = hostmake_apply(h);

	apply.at_boot = true;
	return rk_boot_load(&apply, patches, NULL, ret_review, ret);
}

uint64_t hostmake_loaded(struct hostmake *h)
{
	_cleanup_patches_ struct rk_patches *patches = installed(h);
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const struct rk_patch *patch = NULL;
	enum rk_livepatch_state state;

	must(rk_apply_loaded(h->host, patches, &arena, &patch, &state, NULL));
	return patch ? patch->level : 0;
}

const char *hostmake_verdict(struct hostmake *h, unsigned int level)
{
	const struct rk_level_note *note = rk_host_state_find(h->state, HOST_BUILD_ID, level);

	return rk_verdict_name(note ? note->verdict : RK_VERDICT_NONE);
}

void hostmake_load_good(struct hostmake *h, unsigned int level)
{
	_cleanup_apply_result_ struct rk_apply_result loaded = {}, good = {};

	no_err(hostmake_load(h, level, false, &loaded), "a level loads");
	no_err(hostmake_confirm(h, &good), "and is good after the quiet time");
	is_str(rk_apply_code_name(good.code), "ok", "it says so");
}

void hostmake_check_boot(struct hostmake *h, const char *finding, uint64_t level, const char *code)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_boot_review review = {};
	struct rk_err *err = hostmake_boot(h, &review, &result);

	is_str(rk_boot_finding_name(review.finding), finding, "what the last boot ended with");
	is_int((long long)hostmake_loaded(h), (long long)level, "the level loaded at boot");
	is_str(rk_apply_code_name(result.code), code, "how the boot's load ended");
	rk_err_free(err);
}
