/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/repomake.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/elf/write.h"
#include "lib/patch/manifest.h"
#include "tests/unit/tap.h"

/* Not every test is about memory: what is allocated here is freed with the repository or with the program. */
static const char *const key_names[REPOMAKE_KEYS] = {
	"root1", "root2", "root3", "timestamp", "builder", "releaser", "licence", "stranger",
};

static const char *id_of(const struct repomake *repo, enum repomake_key key)
{
	return rk_private_key_public(repo->keys[key])->id;
}

static void set_role(const struct repomake *repo, struct rk_root *root, enum rk_role_kind role,
		     unsigned int threshold, enum repomake_key first, size_t nr)
{
	const char *ids[REPOMAKE_KEYS];

	for (size_t i = 0; i < nr; i++)
		ids[i] = id_of(repo, (enum repomake_key)(first + i));
	must(rk_root_set_role(root, role, threshold, ids, nr));
}

struct rk_root *repomake_root(const struct repomake *repo)
{
	struct rk_root *root;

	must(rk_root_create(&root));
	root->version = 1;
	root->issued = REPOMAKE_NOW - 100 * RK_DAY_SECONDS;
	root->expires = root->issued + 365 * RK_DAY_SECONDS;
	for (size_t i = 0; i < REPOMAKE_STRANGER; i++)
		must(rk_root_add_key(root, rk_private_key_public(repo->keys[i]), key_names[i],
				     NULL));
	set_role(repo, root, RK_ROLE_ROOT, 2, REPOMAKE_ROOT1, 3);
	set_role(repo, root, RK_ROLE_TIMESTAMP, 1, REPOMAKE_TIMESTAMP, 1);
	set_role(repo, root, RK_ROLE_LICENCE, 1, REPOMAKE_LICENCE, 1);
	set_role(repo, root, RK_ROLE_RELEASE_TEST, 1, REPOMAKE_BUILDER, 1);
	set_role(repo, root, RK_ROLE_RELEASE_EARLY, 1, REPOMAKE_BUILDER, 1);
	set_role(repo, root, RK_ROLE_RELEASE_STABLE, 2, REPOMAKE_BUILDER, 2);
	return root;
}

struct repomake_file *repomake_find(struct repomake *repo, const char *name)
{
	rk_vec_for_each(&repo->files, file)
		if (rk_streq(file->name, name))
			return file;
	return NULL;
}

void repomake_put(struct repomake *repo, const char *name, const void *bytes, size_t len)
{
	struct repomake_file *file = repomake_find(repo, name);
	struct repomake_file item = {.len = len};

	item.bytes = malloc(len + 1);
	if (!item.bytes)
		bail_out("out of memory");
	memcpy(item.bytes, bytes, len);
	item.bytes[len] = '\0';
	if (file) {
		free(file->bytes);
		file->bytes = item.bytes;
		file->len = len;
		return;
	}
	item.name = strdup(name);
	if (!item.name || !rk_vec_push(&repo->files, item))
		bail_out("out of memory");
}

void repomake_remove(struct repomake *repo, const char *name)
{
	struct repomake_file *file = repomake_find(repo, name);

	if (!file)
		bail_out("no file '%s'", name);
	free(file->name);
	free(file->bytes);
	*file = repo->files.v[--repo->files.nr];
}

void repomake_put_signed(struct repomake *repo, const char *name, const char *role,
			 const char *payload, unsigned int keys)
{
	struct rk_signed file = {.name = name, .payload = payload, .payload_len = strlen(payload)};
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	for (size_t i = 0; i < REPOMAKE_KEYS; i++)
		if (keys & REPOMAKE_BIT(i))
			must(rk_signed_add(&file, role, repo->keys[i]));
	must(rk_signed_write(&file, &bytes, &len));
	repomake_put(repo, name, bytes, len);
}

void repomake_put_root(struct repomake *repo, const struct rk_root *root, unsigned int keys)
{
	_cleanup_free_ char *name = rk_name_root(root->version);
	_cleanup_free_ char *payload = NULL;

	must(rk_root_write(root, &payload));
	repomake_put_signed(repo, name, "root", payload, keys);
	repomake_put_signed(repo, RK_NAME_ROOT, "root", payload, keys);
}

struct rk_index_release repomake_put_release(struct repomake *repo, unsigned int keys)
{
	struct rk_release *release = &repo->release;
	_cleanup_free_ char *name =
		rk_name_release(release->kernel.build_id, release->channel, release->version);
	_cleanup_free_ char *payload = NULL;
	struct rk_index_release entry = {.version = release->version};

	must(rk_release_write(release, &payload));
	repomake_put_signed(repo, name, rk_role_name(rk_role_of_channel(release->channel)), payload,
			    keys);
	const struct repomake_file *file = repomake_find(repo, name);
	entry.length = file->len;
	must(rk_sha256_bytes(file->bytes, file->len, entry.sha256));
	return entry;
}

static void put_shard(struct repomake *repo, const struct rk_index *index, unsigned int shard)
{
	_cleanup_free_ char *text = NULL;

	must(rk_index_write(index, &text));
	repo->timestamp.shards[shard].length = strlen(text);
	must(rk_sha256_bytes(text, strlen(text), repo->timestamp.shards[shard].sha256));
	_cleanup_free_ char *name = rk_name_index(repo->timestamp.shards[shard].sha256);
	repomake_put(repo, name, text, strlen(text));
}

void repomake_put_index(struct repomake *repo, const struct rk_index_release *entry,
			enum rk_channel channel)
{
	struct rk_index index = {}, empty = {};
	struct rk_index_kernel kernel = {.build_id = repo->kernel.build_id,
					 .release = repo->kernel.release};

	kernel.channels[channel] = *entry;
	if (!rk_vec_push(&index.kernels, kernel))
		bail_out("out of memory");
	for (unsigned int i = 0; i < RK_INDEX_SHARDS; i++)
		put_shard(repo, i == rk_shard_of(kernel.build_id) ? &index : &empty, i);
	rk_vec_deinit(&index.kernels);
}

void repomake_put_timestamp(struct repomake *repo, enum repomake_key key)
{
	_cleanup_free_ char *payload = NULL;

	must(rk_timestamp_write(&repo->timestamp, &payload));
	repomake_put_signed(repo, RK_NAME_TIMESTAMP, "timestamp", payload, REPOMAKE_BIT(key));
}

void repomake_publish(struct repomake *repo, unsigned int release_keys)
{
	struct rk_index_release entry = repomake_put_release(repo, release_keys);

	repomake_put_index(repo, &entry, repo->release.channel);
	repomake_put_timestamp(repo, REPOMAKE_TIMESTAMP);
}

char *repomake_module(const char *name, uint64_t level, const struct rk_kernel_id *kernel,
		      size_t *ret_len)
{
	struct rk_manifest m = {
		.name = name,
		.level = level,
		.model = "hybrid",
		.replace = true,
		.tool_version = "0",
		.target_id = "test",
		.release = kernel->release,
		.version = kernel->version,
		.build_id = kernel->build_id,
	};
	_cleanup_elf_writer_ struct rk_elf_writer *w = NULL;
	_cleanup_free_ char *manifest = NULL;
	_cleanup_str_ struct rk_str modinfo = RK_STR_INIT;
	struct rk_out_section *section;
	void *elf;

	must(rk_manifest_to_json(&m, &manifest));
	rk_str_addf(&modinfo, "name=%s%clivepatch=Y%cvermagic=%s SMP %c", name, 0, 0,
		    kernel->release, 0);
	must(rk_elf_writer_create(EM_X86_64, &w));
	must(rk_elf_writer_section(w, ".modinfo", SHT_PROGBITS, SHF_ALLOC, 1, 0, modinfo.s,
				   modinfo.len, &section));
	must(rk_elf_writer_section(w, RK_MANIFEST_SECTION, SHT_PROGBITS, 0, 1, 0, manifest,
				   strlen(manifest), &section));
	must(rk_elf_writer_finish(w, &elf, ret_len));
	return elf;
}

void repomake_add_level(struct repomake *repo, uint64_t level, const char *name, const void *module,
			size_t len)
{
	struct rk_release *release = &repo->release;
	struct rk_arena *arena = &release->arena;
	char sha256[RK_SHA256_HEX_SIZE];

	must(rk_sha256_bytes(module, len, sha256));
	struct rk_release_level item = {
		.level = level,
		.name = rk_arena_strdup(arena, name),
		.file = rk_arena_printf(arena, "%s.ko", sha256),
		.length = len,
		.sha256 = rk_arena_strdup(arena, sha256),
		.without_evidence = "a test",
		.released = REPOMAKE_NOW - RK_DAY_SECONDS,
	};
	_cleanup_free_ char *file = rk_name_file(release->kernel.build_id, sha256, RK_FILE_MODULE);

	if (!rk_vec_push(&release->levels, item))
		bail_out("out of memory");
	repomake_put(repo, file, module, len);
}

static struct rk_err *get(void *ctx, const char *name, size_t max, char **ret, size_t *ret_len)
{
	struct repomake *repo = ctx;
	const struct repomake_file *file = repomake_find(repo, name);

	repo->nr_gets++;
	if (!file)
		return rk_err(RK_ERR_NOT_FOUND, "there is no '%s'", name);
	if (file->len > max && file->len > repo->ignore_limit)
		return rk_err(RK_ERR_TOO_LARGE, "'%s' has more than %zu bytes", name, max);
	repo->nr_bytes += file->len;
	*ret = malloc(file->len + 1);
	if (!*ret)
		return rk_err_nomem();
	memcpy(*ret, file->bytes, file->len + 1);
	*ret_len = file->len;
	return NULL;
}

struct rk_trust_source repomake_source(struct repomake *repo)
{
	return (struct rk_trust_source){get, repo};
}

void repomake_init(struct repomake *repo)
{
	*repo = (struct repomake){};
	for (size_t i = 0; i < REPOMAKE_KEYS; i++)
		must(rk_private_key_generate(&repo->keys[i]));
	repo->kernel = (struct rk_kernel_id){
		.release = "6.1.0-47-cloud-amd64",
		.version = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)",
		.build_id = REPOMAKE_BUILD_ID,
		.arch = "x86_64",
	};
	repo->release.product = "debian-12";
	repo->release.kernel = repo->kernel;
	repo->release.channel = RK_CHANNEL_STABLE;
	repo->release.version = 1;
	repo->release.issued = REPOMAKE_NOW - 3600;
	repo->timestamp.version = 1;
	repo->timestamp.issued = REPOMAKE_NOW - 3600;
	repo->timestamp.expires = repo->timestamp.issued + 7 * RK_DAY_SECONDS;
	repo->module = repomake_module("kpatch_1", 1, &repo->kernel, &repo->module_len);
	repomake_add_level(repo, 1, "kpatch_1", repo->module, repo->module_len);
	_cleanup_root_ struct rk_root *root = repomake_root(repo);
	repomake_put_root(repo, root, REPOMAKE_ROOT_KEYS);
	repomake_publish(repo, REPOMAKE_STABLE_KEYS);
}

void repomake_deinit(struct repomake *repo)
{
	for (size_t i = 0; i < REPOMAKE_KEYS; i++)
		rk_private_key_free(repo->keys[i]);
	rk_vec_for_each(&repo->files, file) {
		free(file->name);
		free(file->bytes);
	}
	rk_vec_deinit(&repo->files);
	rk_vec_deinit(&repo->timestamp.blocked);
	rk_vec_deinit(&repo->timestamp.withdrawn);
	rk_vec_deinit(&repo->timestamp.minimum);
	rk_vec_deinit(&repo->release.levels);
	rk_arena_deinit(&repo->release.arena);
	free(repo->module);
}

void repomake_write(const struct repomake *repo, const char *dir)
{
	rk_vec_for_each(&repo->files, file)
		must(rk_fs_write_below(dir, file->name, file->bytes, file->len, 0644));
}

char *repomake_root_path(struct repomake *repo)
{
	static int nr;
	const struct repomake_file *file = repomake_find(repo, "root/1.signed");
	char *path = rk_asprintf("%s/root-%d.signed", tap_tmpdir(), nr++);

	must(rk_fs_write(path, file->bytes, file->len, 0644));
	return path;
}
