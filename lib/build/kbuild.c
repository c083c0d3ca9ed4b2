/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kbuild's own environment: the top Makefile works out the compiler's flags and exports them to the Makefiles below.
 * One run of it with a rule of ours shows that environment; with it any directory's Makefile can be asked directly,
 * in hundredths of a second, and answers exactly as in a real build. Nothing in the source tree is written.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

#define CONFIG_MAX	(16u << 20)
#define ENV_MAX		(4u << 20)
#define MAKE_TIMEOUT_MS (10u * 60 * 1000)

/* kbuild brings the configuration up to date, by writing into the tree, except for goals that look like an installation. */
#define ENV_GOAL "rk-env-install"

/* Of make itself or of the process, not of kbuild. */
static const char *const dropped[] = {
	"MAKEFLAGS=",	 "MFLAGS=",	 "MAKELEVEL=", "MAKEOVERRIDES=", "MAKEFILES=",
	"GNUMAKEFLAGS=", "PWD=",	 "OLDPWD=",    "SHLVL=",	 "_=",
	"TMPOUT=",	 "RK_ENV_FILE=",
};

static bool is_dropped(const char *entry)
{
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++) {
		if (rk_has_prefix(entry, dropped[i]))
			return true;
	}
	return false;
}

/* data: "K=V" entries, each with a NUL behind it, living as long as kbuild. */
static struct rk_err *set_env(struct rk_kbuild *kbuild, const char *data, size_t len)
{
	size_t nr = 0;

	for (size_t i = 0; i < len; i++)
		nr += data[i] == '\0';
	const char **env = rk_arena_calloc(&kbuild->arena, nr + 1, sizeof(*env));
	if (!env)
		return rk_err_nomem();
	size_t kept = 0;
	for (const char *s = data; s < data + len; s += strlen(s) + 1) {
		if (is_dropped(s))
			continue;
		if (rk_has_prefix(s, "SRCARCH="))
			kbuild->srcarch = s + strlen("SRCARCH=");
		env[kept++] = s;
	}
	if (!kbuild->srcarch)
		return rk_err(RK_ERR_FORMAT,
			      "'%s': its Makefile exports no SRCARCH: not a kernel source tree",
			      kbuild->target->source);
	kbuild->env = env;
	return NULL;
}

/* Temporary files of cc-option would go into the tree. make reads "$$$$" as the shell's "$$", its process id. */
static const char *tmpout_argument(struct rk_kbuild *kbuild)
{
	return kbuild->dir ? rk_arena_printf(&kbuild->arena, "TMPOUT=%s/tmp-$$$$", kbuild->dir)
			   : "TMPOUT=/tmp/rk-kbuild-$$$$";
}

static struct rk_err *dump_env(struct rk_kbuild *kbuild, const char *file)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	struct rk_arena *arena = &kbuild->arena;
	const char *release = rk_arena_printf(arena, "KERNELRELEASE=%s", kbuild->target->release);
	const char *cc = rk_arena_printf(arena, "CC=%s", kbuild->target->cc);
	const char *env_file = rk_arena_printf(arena, "RK_ENV_FILE=%s", file);
	const char *tmpout = tmpout_argument(kbuild);

	if (!release || !cc || !env_file || !tmpout)
		return rk_err_nomem();
	const char *const argv[] = {
		"make",
		"-s",
		release,
		cc,
		tmpout,
		"--eval",
		ENV_GOAL ": ; @env -0 > \"$$RK_ENV_FILE\"",
		ENV_GOAL,
		NULL,
	};
	const char *const env[] = {RK_BUILD_PATH, "LC_ALL=C", "HOME=/", env_file, NULL};
	struct rk_process_spec spec = {
		.argv = argv,
		.env = env,
		.cwd = kbuild->target->source,
		.timeout_ms = MAKE_TIMEOUT_MS,
	};
	rk_report_phase(kbuild->reporter, "kbuild", "reading the kernel's build flags");
	return rk_err_wrap(rk_process_check(&spec, &res), "cannot read the build flags of '%s'",
			   kbuild->target->source);
}

/* Reads file, or has it written by make first. */
static struct rk_err *load_env(struct rk_kbuild *kbuild, const char *file)
{
	_cleanup_free_ char *data = NULL, *tmp = NULL;
	size_t len;

	if (!rk_fs_exists(file)) {
		tmp = rk_asprintf("%s.%ld", file, (long)getpid());
		if (!tmp)
			return rk_err_nomem();
		struct rk_err *err = dump_env(kbuild, tmp);
		if (!err && rename(tmp, file) < 0)
			err = rk_err_sys(errno, "cannot create '%s'", file);
		if (err) {
			unlink(tmp);
			return err;
		}
	}
	RK_TRY(rk_fs_read(file, ENV_MAX, &data, &len));
	const char *copy = rk_arena_memdup(&kbuild->arena, data, len + 1);
	return copy ? set_env(kbuild, copy, len) : rk_err_nomem();
}

/* What the flags depend on names the directory they are kept in. */
static struct rk_err *identity(const struct rk_target *target, char ret[RK_SHA256_HEX_SIZE])
{
	_cleanup_free_ char *config = NULL;
	struct rk_sha256 *hash;
	size_t len;

	RK_TRY(rk_fs_read(target->config, CONFIG_MAX, &config, &len));
	RK_TRY(rk_sha256_create(&hash));
	rk_sha256_add_str(hash, RK_BUILD_CACHE_VERSION);
	rk_sha256_add_str(hash, target->source);
	rk_sha256_add_str(hash, target->release);
	rk_sha256_add_str(hash, target->cc);
	rk_sha256_add_str(hash, config);
	return rk_sha256_finish(hash, ret);
}

static struct rk_err *open_kbuild(struct rk_kbuild *kbuild)
{
	_cleanup_free_ char *file = NULL;
	char id[RK_SHA256_HEX_SIZE];

	RK_TRY(identity(kbuild->target, id));
	if (kbuild->target->dir) {
		kbuild->dir =
			rk_arena_printf(&kbuild->arena, "%s/kbuild-%.16s", kbuild->target->dir, id);
		if (!kbuild->dir)
			return rk_err_nomem();
		RK_TRY(rk_fs_mkdir_p(kbuild->dir, 0777));
		file = rk_path_join(kbuild->dir, "environment");
		return file ? load_env(kbuild, file) : rk_err_nomem();
	}
	_cleanup_free_ char *tmp = NULL;
	RK_TRY(rk_fs_mkdtemp("/tmp", "rk-kbuild-", &tmp));
	file = rk_path_join(tmp, "environment");
	struct rk_err *err = file ? load_env(kbuild, file) : rk_err_nomem();
	rk_err_free(rk_fs_remove_tree(tmp));
	return err;
}

struct rk_err *rk_kbuild_open(const struct rk_target *target, const struct rk_reporter *reporter,
			      struct rk_kbuild **ret)
{
	struct rk_kbuild *kbuild = calloc(1, sizeof(*kbuild));

	if (!kbuild)
		return rk_err_nomem();
	rk_arena_init(&kbuild->arena);
	kbuild->target = target;
	kbuild->reporter = reporter;
	struct rk_err *err = open_kbuild(kbuild);
	if (err) {
		rk_kbuild_close(kbuild);
		return err;
	}
	kbuild->keeps_recipes = kbuild->dir && !target->user_source;
	*ret = kbuild;
	return NULL;
}

void rk_kbuild_close(struct rk_kbuild *kbuild)
{
	if (!kbuild)
		return;
	rk_map_deinit(&kbuild->dirs);
	rk_map_deinit(&kbuild->units);
	rk_map_deinit(&kbuild->makefiles);
	rk_map_deinit(&kbuild->inclusions);
	free(kbuild->config);
	rk_arena_deinit(&kbuild->arena);
	free(kbuild);
}

struct rk_err *rk_kbuild_make(struct rk_kbuild *kbuild, const char *const *args, unsigned int nr,
			      struct rk_process_result *ret)
{
	const char *const fixed[] = {"make", "-rR", "--no-print-directory", "-f",
				     "scripts/Makefile.build"};
	const size_t nr_fixed = ARRAY_SIZE(fixed);
	const char *tmpout = tmpout_argument(kbuild);
	const char **argv = rk_arena_calloc(&kbuild->arena, nr_fixed + nr + 2, sizeof(*argv));

	if (!argv || !tmpout)
		return rk_err_nomem();
	memcpy(argv, fixed, sizeof(fixed));
	argv[nr_fixed] = tmpout;
	memcpy(argv + nr_fixed + 1, args, nr * sizeof(*args));
	struct rk_process_spec spec = {
		.argv = argv,
		.env = kbuild->env,
		.cwd = kbuild->target->source,
		.timeout_ms = MAKE_TIMEOUT_MS,
	};
	return rk_process_check(&spec, ret);
}

struct rk_err *rk_output_line(struct rk_arena *arena, const char *output, const char *prefix,
			      const char **ret)
{
	const char *found = NULL;

	for (const char *s = output; s && *s && !found; s = strchr(s, '\n'), s = s ? s + 1 : NULL) {
		if (rk_has_prefix(s, prefix))
			found = s + strlen(prefix);
	}
	*ret = NULL;
	if (!found)
		return NULL;
	*ret = rk_arena_strndup(arena, found, strcspn(found, "\n"));
	return *ret ? NULL : rk_err_nomem();
}
