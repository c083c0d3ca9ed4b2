/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preparing is kbuild's own work; ours is to keep the user's environment out of it and to notice when it silently
 * changes the configuration. Without pahole, say, DEBUG_INFO_BTF goes off, struct module shrinks, and every
 * module built from the tree is refused or worse.
 */
#include "lib/target/prepare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/target/config.h"

#define LOG_MAX		  (16u << 20)
#define LOG_QUOTED	  8 /* lines of the log in an error message */
#define PROGRAM_NOT_FOUND 127

/* Variables that would reach into kbuild from the caller's environment: "make demo" exports MAKEFLAGS. */
#define CLEAN_ENV                                                                                  \
	"env", "-u", "MAKEFLAGS", "-u", "MFLAGS", "-u", "MAKELEVEL", "-u", "ARCH", "-u",           \
		"SUBARCH", "-u", "CROSS_COMPILE", "-u", "KCFLAGS", "-u", "KAFLAGS", "-u",          \
		"KCPPFLAGS", "-u", "CFLAGS", "-u", "CPPFLAGS", "-u", "LDFLAGS", "-u", "HOSTCC",    \
		"-u", "HOSTCFLAGS", "-u", "HOSTLDFLAGS", "-u", "LOCALVERSION", "-u", "LLVM", "-u", \
		"O", "-u", "V", "-u", "C", "-u", "W", "-u", "M", "-u", "KBUILD_OUTPUT", "-u",      \
		"KBUILD_EXTMOD", "-u", "KCONFIG_CONFIG", "-u", "INSTALL_MOD_PATH", "LC_ALL=C",     \
		"KBUILD_BUILD_TIMESTAMP=1970-01-01", "KBUILD_BUILD_USER=readykernel",              \
		"KBUILD_BUILD_HOST=readykernel"

/* What preparing a 6.1 tree runs, and the Debian package each comes from. */
static const struct {
	const char *argv[6]; /* must exit 0 */
	const char *what;
	const char *package;
} tools[] = {
	{{"make", "--version"}, "make", "make"},
	{{"gcc", "--version"}, "gcc", "gcc"},
	{{"ld", "--version"}, "ld", "binutils"},
	{{"flex", "--version"}, "flex", "flex"},
	{{"bison", "--version"}, "bison", "bison"},
	{{"bc", "--version"}, "bc", "bc"},
	{{"perl", "-e", "1"}, "perl", "perl"},
	{{"pahole", "--version"}, "pahole", "dwarves"},
	{{"gcc", "-E", "-include", "gelf.h", "-xc", "/dev/null"}, "gelf.h", "libelf-dev"},
	{{"gcc", "-E", "-include", "openssl/evp.h", "-xc", "/dev/null"},
	 "openssl/evp.h",
	 "libssl-dev"},
};

static struct rk_err *runs(const char *const *argv, bool *ret)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	struct rk_process_spec spec = {.argv = argv};
	struct rk_err *err = rk_process_run(&spec, &res);

	if (err && rk_err_code(err) == RK_ERR_NOT_FOUND) {
		rk_err_free(err);
		*ret = false;
		return NULL;
	}
	*ret = !err && res.status == 0;
	return err;
}

static struct rk_err *compiler_missing(const char *cc)
{
	return rk_err(RK_ERR_NOT_FOUND,
		      "the compiler '%s' isn't installed; run 'apt-get install %s'", cc, cc);
}

struct rk_err *rk_prepare_check_tools(const char *cc)
{
	_cleanup_str_ struct rk_str missing = RK_STR_INIT;
	_cleanup_str_ struct rk_str packages = RK_STR_INIT;
	const char *cc_argv[] = {cc, "--version", NULL};
	bool there;

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		const char *argv[ARRAY_SIZE(tools[i].argv) + 1] = {};

		memcpy(argv, tools[i].argv, sizeof(tools[i].argv));
		RK_TRY(runs(argv, &there));
		if (!there) {
			rk_str_addf(&missing, "%s'%s'", missing.len ? ", " : "", tools[i].what);
			rk_str_addf(&packages, " %s", tools[i].package);
		}
	}
	RK_TRY(rk_str_check(&missing));
	RK_TRY(rk_str_check(&packages));
	if (missing.len)
		return rk_err(RK_ERR_NOT_FOUND,
			      "cannot prepare a kernel tree without %s; run 'apt-get install%s'",
			      rk_str_get(&missing), rk_str_get(&packages));
	RK_TRY(runs(cc_argv, &there));
	return there ? NULL : compiler_missing(cc);
}

struct rk_err *rk_prepare_compiler(const char *text, const char *wanted, struct rk_arena *arena,
				   const char **ret)
{
	const char *cc = wanted ? rk_arena_strdup(arena, wanted)
				: rk_arena_strndup(arena, text, strcspn(text, " "));

	if (!cc)
		return rk_err_nomem();
	/* "x86_64-linux-gnu-gcc-12 (Debian …)" and "gcc (GCC) …" are run as they are named; "Debian clang
	 * version 14.0.6" names its program in the second word. */
	if (!wanted && rk_has_prefix(text, "Debian clang"))
		cc = "clang";
	*ret = cc;
	return NULL;
}

/* The part of a compiler's version line that doesn't depend on the name it was called by. */
static const char *behind_name(const char *text)
{
	const char *space = strchr(text, ' ');

	return space ? space + 1 : text;
}

struct rk_err *rk_prepare_check_compiler(const char *cc, const char *text, bool skip,
					 const struct rk_reporter *reporter)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	const char *argv[] = {"env", "LC_ALL=C", cc, "--version", NULL};
	struct rk_process_spec spec = {.argv = argv};

	RK_TRY(rk_process_run(&spec, &res));
	if (res.status == PROGRAM_NOT_FOUND)
		return compiler_missing(cc);
	if (res.status != 0)
		return rk_err(RK_ERR_TOOL, "'%s --version' failed with status %d", cc, res.status);

	const char *output = rk_str_get(&res.output);
	_cleanup_free_ char *line = strndup(output, strcspn(output, "\n"));
	if (!line)
		return rk_err_nomem();
	if (rk_streq(behind_name(line), behind_name(text)))
		return NULL;
	if (skip) {
		rk_report_note(reporter,
			       "compiler mismatch: the kernel was built by '%s', '%s' is '%s'",
			       text, cc, line);
		return NULL;
	}
	return rk_err(
		RK_ERR_MISMATCH,
		"the kernel was built by '%s', but '%s' is '%s'; install that version, or use "
		"--skip-compiler-check and let the proof of match decide",
		text, cc, line);
}

/* The last lines of the log, for an error message. Malloc'ed; "" if it can't be read. */
static char *log_end(const char *log)
{
	char *text = NULL;
	size_t len;
	struct rk_err *err = rk_fs_read(log, LOG_MAX, &text, &len);

	if (err) {
		rk_err_free(err);
		return strdup("");
	}
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	int lines = 0;
	size_t at = len;
	while (at > 0 && !(text[at - 1] == '\n' && ++lines == LOG_QUOTED))
		at--;
	memmove(text, text + at, len - at + 1);
	return text;
}

static struct rk_err *make_failed(const struct rk_prepare *p, int status)
{
	_cleanup_free_ char *end = log_end(p->log);

	if (!end)
		return rk_err_nomem();
	if (strstr(end, "No space left on device"))
		return rk_err_sys(ENOSPC, "cannot prepare '%s'", p->source);
	return rk_err(
		RK_ERR_TOOL,
		"preparing '%s' failed: 'make' ended with status %d; the whole log is '%s':\n%s",
		p->source, status, p->log, end);
}

static struct rk_err *run_make(const struct rk_prepare *p)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	unsigned int jobs = p->jobs ? p->jobs : (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	_cleanup_free_ char *jobs_arg = rk_asprintf("-j%u", jobs);
	_cleanup_free_ char *cc_arg = rk_asprintf("CC=%s", p->cc);
	_cleanup_free_ char *release_arg = rk_asprintf("KERNELRELEASE=%s", p->release);
	const char *argv[] = {CLEAN_ENV,      "make",	 jobs_arg,	    cc_arg, release_arg,
			      "olddefconfig", "prepare", "modules_prepare", NULL};
	struct rk_process_spec spec = {.argv = argv, .cwd = p->source, .output_path = p->log};

	if (!jobs_arg || !cc_arg || !release_arg)
		return rk_err_nomem();
	RK_TRY(rk_process_run(&spec, &res));
	return res.status == 0 ? NULL : make_failed(p, res.status);
}

static struct rk_err *judge_drift(const struct rk_prepare *p, const struct rk_config_drift *drift)
{
	const char *text = rk_str_get(&drift->text);

	if (drift->nr == 0)
		return NULL;
	if (p->skip_compiler_check) {
		rk_report_note(p->reporter,
			       "%zu options differ from the shipped kernel's (shipped, here): %s",
			       drift->nr, text);
		return NULL;
	}
	return rk_err(
		RK_ERR_MISMATCH,
		"with the tools installed here %zu options differ from the shipped kernel's (shipped, here): "
		"%s; install the compiler, binutils and pahole that built it",
		drift->nr, text);
}

struct rk_err *rk_prepare_check(const struct rk_prepare *p)
{
	_cleanup_free_ char *result = rk_path_join(p->source, ".config");
	_cleanup_config_ struct rk_config shipped = {}, ours = {};
	struct rk_config_drift drift = {};

	if (!result)
		return rk_err_nomem();
	RK_TRY(rk_config_read(p->config, &shipped));
	RK_TRY(rk_config_read(result, &ours));
	RK_TRY(rk_config_compare(&shipped, &ours, false, &drift));
	struct rk_err *err = judge_drift(p, &drift);
	rk_str_deinit(&drift.text);
	return err;
}

struct rk_err *rk_prepare_run(const struct rk_prepare *p)
{
	_cleanup_free_ char *config = rk_path_join(p->source, ".config");
	_cleanup_free_ char *symvers = rk_path_join(p->source, "Module.symvers");

	if (!config || !symvers)
		return rk_err_nomem();
	RK_TRY(rk_fs_copy(p->config, config, 0644));
	RK_TRY(run_make(p));
	/* Modules built against the tree get the shipped kernel's checksums. */
	return p->symvers ? rk_fs_copy(p->symvers, symvers, 0644) : NULL;
}
