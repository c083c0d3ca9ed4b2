/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository of many kernels and levels: how long signing all of it takes, and how much a host fetches of it. Usage:
 * bench-repo DIR [KERNELS LEVELS]. DIR is made and left there.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/repo/repo.h"
#include "lib/trust/store.h"

#define KERNELS	     500
#define LEVELS	     40
#define CVES_A_LEVEL 20 /* about what a month's stable release of 6.1 brings */
#define TODAY	     INT64_C(1795348800)
#define FETCH_MAX    (64u << 10)
#define SIGN_SECONDS 30

static void must(struct rk_err *err)
{
	if (!err)
		return;
	fprintf(stderr, "error: %s\n", rk_err_message(err));
	exit(1);
}

/* Signs for every role: the time of a signature doesn't depend on whose it is; two are needed where two are. */
static struct rk_private_key *keys[2];

static void set_roles(struct rk_root *root)
{
	const char *ids[] = {rk_private_key_public(keys[0])->id,
			     rk_private_key_public(keys[1])->id};

	for (size_t i = 0; i < 2; i++)
		must(rk_root_add_key(root, rk_private_key_public(keys[i]), "bench", NULL));
	for (size_t i = 0; i < RK_ROLES; i++)
		must(rk_root_set_role(root, (enum rk_role_kind)i,
				      i == RK_ROLE_ROOT || i == RK_ROLE_RELEASE_STABLE ? 2 : 1, ids,
				      2));
}

static void add_levels(struct rk_release *release, size_t levels)
{
	struct rk_arena *arena = &release->arena;
	char sha256[RK_SHA256_HEX_SIZE];

	/* all share one small module: what is signed are the releases, not the modules */
	must(rk_sha256_bytes("a module", 8, sha256));
	for (size_t i = 1; i <= levels; i++) {
		struct rk_release_level level = {
			.level = i,
			.name = rk_arena_printf(arena, "kpatch_cumulative_%zu", i),
			.file = rk_arena_printf(arena, "%s.ko", sha256),
			.length = 8,
			.sha256 = rk_arena_strdup(arena, sha256),
			.evidence_sha256 = rk_arena_strdup(arena, sha256),
			.fixes = i * CVES_A_LEVEL,
			.released = TODAY,
		};
		bool has_memory = true;

		for (size_t k = 0; k < CVES_A_LEVEL; k++)
			has_memory &= rk_vec_push(&level.cves_added,
						  rk_arena_printf(arena, "CVE-2026-%05zu",
								  i * CVES_A_LEVEL + k));
		if (!has_memory || !rk_vec_push(&release->levels, level))
			must(rk_err_nomem());
	}
}

static void make_kernel(struct rk_repo *repo, size_t nr, size_t levels, const char **ret_build_id)
{
	struct rk_release *release = calloc(1, sizeof(*release));
	char text[32], build_id[RK_SHA256_HEX_SIZE];
	int len = snprintf(text, sizeof(text), "kernel %zu", nr);

	if (!release)
		must(rk_err_nomem());
	must(rk_sha256_bytes(text, (size_t)len, build_id));
	build_id[40] = '\0';
	release->product = "debian-12";
	release->channel = RK_CHANNEL_STABLE;
	release->kernel = (struct rk_kernel_id){
		.release = rk_arena_printf(&release->arena, "6.1.0-%zu-cloud-amd64", nr),
		.version = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)",
		.build_id = build_id,
		.arch = "x86_64",
	};
	add_levels(release, levels);
	must(rk_repo_set_draft(repo, release, TODAY));
	/* a kernel with files has a directory */
	_cleanup_free_ char *dir = rk_asprintf("%s/kernels/%s", rk_repo_dir(repo), build_id);
	must(rk_fs_mkdir_p(dir, 0755));
	*ret_build_id = strdup(build_id);
	rk_release_free(release);
}

/* A directory as a source that counts. */
struct counter {
	struct rk_trust_source source;
	size_t bytes, requests;
};

static struct rk_err *get(void *ctx, const char *name, size_t max, char **ret, size_t *ret_len)
{
	struct counter *c = ctx;

	c->requests++;
	RK_TRY(c->source.get(c->source.ctx, name, max, ret, ret_len));
	c->bytes += *ret_len;
	return NULL;
}

static bool check_fetch(const char *what, const struct counter *c, size_t max)
{
	printf("%-44s %8zu bytes, %zu requests\n", what, c->bytes, c->requests);
	if (max && c->bytes > max)
		printf("too much: the limit is %zu bytes\n", max);
	return !max || c->bytes <= max;
}

static void update(struct rk_trust *trust, const char *build_id, struct counter *c)
{
	const struct rk_kernel_id kernel = {.build_id = build_id};
	const struct rk_trust_request request = {
		.kernel = &kernel, .channel = RK_CHANNEL_STABLE, .now = TODAY};
	const struct rk_trust_source source = {get, c};

	c->bytes = c->requests = 0;
	must(rk_trust_update(trust, &request, &source, NULL));
}

/* Every other kernel of this one's part of the index gets a new release. */
static void change_others(struct rk_repo *repo, const char *build_id)
{
	_cleanup_repo_kernels_ struct rk_repo_kernels kernels = {};

	must(rk_repo_kernels(repo, &kernels));
	rk_vec_for_each(&kernels, kernel) {
		_cleanup_release_ struct rk_release *release = NULL;

		if (rk_shard_of(kernel->build_id) != rk_shard_of(build_id) ||
		    rk_streq(kernel->build_id, build_id))
			continue;
		must(rk_repo_newest(repo, kernel->build_id, RK_CHANNEL_STABLE, &release));
		must(rk_repo_set_draft(repo, release, TODAY));
	}
}

static bool fetch(const char *dir, const char *build_id, const struct rk_repo_signing *signing,
		  struct rk_repo *repo)
{
	_cleanup_free_ char *root = rk_path_join(dir, RK_NAME_ROOT);
	_cleanup_trust_ struct rk_trust *trust = NULL;
	_cleanup_repo_signed_ struct rk_repo_signed done = {};
	struct counter c = {};
	bool good;

	must(rk_trust_directory_open(dir, &c.source));
	must(rk_trust_open(NULL, root, RK_TRUST_READ_ONLY, &trust));
	update(trust, build_id, &c);
	good = check_fetch("a new host, with its kernel's release", &c, 0);
	update(trust, build_id, &c);
	good &= check_fetch("to learn that it is current, nothing new", &c, FETCH_MAX);
	change_others(repo, build_id);
	must(rk_repo_sign(repo, signing, &done));
	update(trust, build_id, &c);
	good &= check_fetch("to learn that it is current, all others new", &c, FETCH_MAX);
	rk_trust_directory_free(&c.source);
	return good;
}

static bool run(const char *dir, size_t kernels, size_t levels)
{
	_cleanup_root_ struct rk_root *root = NULL;
	_cleanup_repo_ struct rk_repo *repo = NULL;
	_cleanup_repo_signed_ struct rk_repo_signed done = {};
	const struct rk_repo_signing signing = {
		.keys = (const struct rk_private_key *const *)keys, .nr_keys = 2, .now = TODAY};
	_cleanup_free_ char *first = NULL;
	double start;

	must(rk_root_create(&root));
	root->version = 1;
	root->issued = TODAY;
	root->expires = TODAY + 365 * RK_DAY_SECONDS;
	set_roles(root);
	must(rk_repo_init(dir, "debian-12", root));
	must(rk_repo_open(dir, RK_REPO_WRITE, &repo));
	for (size_t i = 0; i < kernels; i++) {
		const char *build_id;

		make_kernel(repo, i, levels, &build_id);
		if (i)
			free((char *)build_id);
		else
			first = (char *)build_id;
	}
	start = rk_clock_seconds();
	must(rk_repo_sign(repo, &signing, &done));
	double seconds = rk_clock_seconds() - start;
	printf("%zu kernels x %zu levels signed by two keys:   %8.2f s\n", kernels, levels,
	       seconds);
	if (seconds > SIGN_SECONDS)
		printf("too slow: the limit is %d s\n", SIGN_SECONDS);
	return fetch(dir, first, &signing, repo) && seconds <= SIGN_SECONDS;
}

int main(int argc, char **argv)
{
	size_t kernels = argc > 2 ? strtoul(argv[2], NULL, 10) : KERNELS;
	size_t levels = argc > 3 ? strtoul(argv[3], NULL, 10) : LEVELS;

	if (argc < 2 || !kernels || !levels) {
		fprintf(stderr, "usage: bench-repo DIR [KERNELS LEVELS]\n");
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		must(rk_private_key_generate(&keys[i]));
	bool good = run(argv[1], kernels, levels);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		rk_private_key_free(keys[i]);
	return good ? 0 : 1;
}
