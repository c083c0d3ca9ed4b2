/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Original objects are compiled once: the tree of a target never changes, so an object follows from the unit, its recipe
 * and the compiler. Entries appear by rename and are only ever replaced by their equals, so builds need no lock.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

#define CACHE_MAX_BYTES (512ull << 20) /* a target may take 3.5 GB in all */
#define SOURCE_MAX	(256u << 20)

/* Size and time of the program that cc would run: a package update changes them, whatever the version says. */
static struct rk_err *add_program(struct rk_kbuild *kbuild, const char *name, struct rk_str *out)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_free_ char *option = rk_asprintf("-print-prog-name=%s", name);
	struct stat st = {};

	if (!option)
		return rk_err_nomem();
	const char *const argv[] = {kbuild->target->cc, option, NULL};
	const char *const env[] = {RK_BUILD_PATH, "LC_ALL=C", NULL};
	struct rk_process_spec spec = {.argv = argv, .env = env};
	RK_TRY(rk_process_check(&spec, &res));

	const char *path = rk_str_get(&res.output);
	_cleanup_free_ char *file = strndup(path, strcspn(path, "\n"));
	if (!file)
		return rk_err_nomem();
	/* "as" without a directory: the one in PATH */
	if (!strchr(file, '/')) {
		char *in_path = rk_asprintf("/usr/bin/%s", file);
		free(file);
		file = in_path;
	}
	if (file && stat(file, &st) == 0)
		rk_str_addf(out, "%s %lld %lld.%09ld\n", name, (long long)st.st_size,
			    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return NULL;
}

struct rk_err *rk_compiler_identity(struct rk_kbuild *kbuild, const char **ret)
{
	const char *const argv[] = {kbuild->target->cc, "--version", NULL};
	const char *const env[] = {RK_BUILD_PATH, "LC_ALL=C", NULL};
	struct rk_process_spec spec = {.argv = argv, .env = env};
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	if (!kbuild->compiler) {
		RK_TRY(rk_process_check(&spec, &res));
		rk_str_add(&out, rk_str_get(&res.output));
		RK_TRY(add_program(kbuild, "cc1", &out));
		RK_TRY(add_program(kbuild, "as", &out));
		RK_TRY(rk_str_check(&out));
		kbuild->compiler = rk_arena_strdup(&kbuild->arena, rk_str_get(&out));
		if (!kbuild->compiler)
			return rk_err_nomem();
	}
	*ret = kbuild->compiler;
	return NULL;
}

static void add_words(struct rk_sha256 *hash, const char *const *words)
{
	for (; words && *words; words++)
		rk_sha256_add_str(hash, *words);
	rk_sha256_add_str(hash, "");
}

struct rk_err *rk_objcache_key(struct rk_kbuild *kbuild, const struct rk_compile_job *job,
			       char ret_key[RK_SHA256_HEX_SIZE])
{
	_cleanup_free_ char *unit = NULL, *path = NULL;
	const struct rk_recipe *recipe = job->recipe;
	const char *compiler;
	struct rk_sha256 *hash;
	size_t len;

	ret_key[0] = '\0';
	/* What a user's tree holds now may differ from what it held when the object was compiled. */
	if (!job->is_original || !kbuild->dir || kbuild->target->user_source)
		return NULL;
	RK_TRY(rk_compiler_identity(kbuild, &compiler));
	path = rk_path_join(job->root, recipe->unit);
	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(path, SOURCE_MAX, &unit, &len));
	RK_TRY(rk_sha256_create(&hash));
	rk_sha256_add_str(hash, RK_BUILD_CACHE_VERSION);
	rk_sha256_add_str(hash, kbuild->target->id);
	rk_sha256_add_str(hash, compiler);
	rk_sha256_add_str(hash, recipe->input);
	rk_sha256_add(hash, unit, len);
	add_words(hash, recipe->cc_argv);
	add_words(hash, recipe->objtool_argv);
	add_words(hash, job->extra);
	return rk_sha256_finish(hash, ret_key);
}

static struct rk_err *entry_path(const struct rk_kbuild *kbuild, const char *key,
				 const char *suffix, char **ret)
{
	*ret = rk_asprintf("%s/objects/%s%s", kbuild->dir, key, suffix);
	return *ret ? NULL : rk_err_nomem();
}

struct rk_err *rk_objcache_get(const struct rk_kbuild *kbuild, const char *key, const char *object,
			       const char *depfile, bool *ret_found)
{
	_cleanup_free_ char *from_object = NULL, *from_deps = NULL;

	*ret_found = false;
	RK_TRY(entry_path(kbuild, key, ".o", &from_object));
	RK_TRY(entry_path(kbuild, key, ".d", &from_deps));
	if (!rk_fs_exists(from_object))
		return NULL;
	struct rk_err *err = rk_fs_copy(from_deps, depfile, 0666);
	if (!err)
		err = rk_fs_copy(from_object, object, 0666);
	if (err && rk_err_errno(err) == ENOENT) { /* another build has just cleaned up */
		rk_err_free(err);
		return NULL;
	}
	if (!err) {
		*ret_found = true;
		/* What was used last goes last; where that can't be noted, it goes earlier. */
		if (utimensat(AT_FDCWD, from_object, NULL, 0) < 0)
			return NULL;
	}
	return err;
}

struct entry {
	char *name;
	off_t size;
	struct timespec time;
};

static int compare_age(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->time,
			      *y = &((const struct entry *)b)->time;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* Removes the entries that weren't used for the longest time until the rest is small enough. Its failures don't matter: the
 * next one cleans up. */
static void clean(const char *dir_path)
{
	rk_vec(struct entry) entries = {};
	unsigned long long total = 0;
	struct dirent *item;
	_cleanup_closedir_ DIR *dir = opendir(dir_path);

	while (dir && (item = readdir(dir))) {
		struct stat st;

		if (!rk_has_suffix(item->d_name, ".o") ||
		    fstatat(dirfd(dir), item->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		struct entry entry = {strdup(item->d_name), st.st_size, st.st_mtim};
		total += (unsigned long long)st.st_size;
		if (!entry.name || !rk_vec_push(&entries, entry))
			free(entry.name);
	}
	if (entries.nr)
		qsort(entries.v, entries.nr, sizeof(*entries.v), compare_age);
	rk_vec_for_each(&entries, it) {
		if (total > CACHE_MAX_BYTES && unlinkat(dirfd(dir), it->name, 0) == 0) {
			total -= (unsigned long long)it->size;
			it->name[strlen(it->name) - 1] = 'd';
			unlinkat(dirfd(dir), it->name, 0);
		}
		free(it->name);
	}
	rk_vec_deinit(&entries);
}

struct rk_err *rk_objcache_put(const struct rk_kbuild *kbuild, const char *key, const char *object,
			       const char *depfile)
{
	_cleanup_free_ char *to_object = NULL, *to_deps = NULL;
	_cleanup_free_ char *dir = rk_path_join(kbuild->dir, "objects");

	if (!dir)
		return rk_err_nomem();
	RK_TRY(entry_path(kbuild, key, ".o", &to_object));
	RK_TRY(entry_path(kbuild, key, ".d", &to_deps));
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	/* The object comes last: where it is, its dependencies are. */
	RK_TRY(rk_fs_copy(depfile, to_deps, 0666));
	RK_TRY(rk_fs_copy(object, to_object, 0666));
	clean(dir);
	return NULL;
}
