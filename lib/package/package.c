/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both formats have in common: names, texts, and that a package is there whole or not at all. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/vec.h"
#include "lib/package/internal.h"

#define CVES_SHOWN 60 /* in a description; `kpatch info` shows all */
#define PACK_MS	   (10u * 60 * 1000)

static const struct {
	const char *uname, *deb, *rpm;
} architectures[] = {
	{"x86_64", "amd64", "x86_64"},
	{"aarch64", "arm64", "aarch64"},
};

/* Names of packages go into scripts, control files and paths. */
static bool is_release(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._+~-", *c))
			return false;
	return *text && *text != '.' && *text != '-' && strlen(text) <= 64;
}

static struct rk_err *check(const struct rk_package *package)
{
	if (!is_release(package->kernel->release))
		return rk_err(RK_ERR_NAME, "'%s' is no release of a kernel that a package can have",
			      package->kernel->release);
	if (!rk_is_patch_name(package->level->name))
		return rk_err(RK_ERR_NAME, "'%s' is no name of a live patch", package->level->name);
	return NULL;
}

struct rk_err *rk_package_name(const struct rk_package *package, enum rk_package_format format,
			       char **ret)
{
	char *name;

	RK_TRY(check(package));
	if (package->file)
		name = rk_asprintf("readykernel-patch-%s-%" PRIu64, package->kernel->release,
				   package->level->level);
	else
		name = rk_asprintf("readykernel-patch-%s", package->kernel->release);
	if (!name)
		return rk_err_nomem();
	for (char *c = name; format == RK_PACKAGE_DEB && *c; c++)
		*c = *c == '_' || *c == '~' ? '-' : (char)tolower((unsigned char)*c);
	*ret = name;
	return NULL;
}

struct rk_err *rk_package_file_name(const struct rk_package *package, enum rk_package_format format,
				    char **ret)
{
	_cleanup_free_ char *name = NULL;

	RK_TRY(rk_package_name(package, format, &name));
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		if (!rk_streq(architectures[i].uname, package->kernel->arch))
			continue;
		char *file = format == RK_PACKAGE_DEB
				     ? rk_asprintf("%s_%" PRIu64 "_%s.deb", name,
						   package->level->level, architectures[i].deb)
				     : rk_asprintf("%s-%" PRIu64 "-1.%s.rpm", name,
						   package->level->level, architectures[i].rpm);
		if (!file)
			return rk_err_nomem();
		*ret = file;
		return NULL;
	}
	return rk_err(RK_ERR_UNSUPPORTED, "packages for architecture '%s' have no name",
		      package->kernel->arch);
}

char *rk_package_module_path(const struct rk_package *package)
{
	return rk_asprintf("/usr/lib/readykernel/patches/%s/%s.ko", package->kernel->release,
			   package->level->name);
}

struct rk_err *rk_package_script(const struct rk_package *package, enum rk_package_format format,
				 const unsigned char *text, size_t len, struct rk_str *ret)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *path = rk_package_module_path(package);

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_package_name(package, format, &name));
	const struct {
		const char *what, *by;
	} words[] = {{"@PACKAGE@", name},
		     {"@KERNEL@", package->kernel->release},
		     {"@MODULE@", package->level->name},
		     {"@FILE@", path}};
	for (size_t at = 0; at < len;) {
		const char *here = (const char *)text + at;
		size_t i = 0;

		while (i < ARRAY_SIZE(words) &&
		       (len - at < strlen(words[i].what) ||
			memcmp(here, words[i].what, strlen(words[i].what)) != 0))
			i++;
		if (i == ARRAY_SIZE(words)) {
			rk_str_add_char(ret, *here);
			at++;
		} else {
			rk_str_add(ret, words[i].by);
			at += strlen(words[i].what);
		}
	}
	return rk_str_check(ret);
}

char *rk_package_summary(const struct rk_package *package)
{
	return package->file
		       ? rk_asprintf("live patch level %" PRIu64 " for Linux %s",
				     package->level->level, package->kernel->release)
		       : rk_asprintf("newest live patch for Linux %s", package->kernel->release);
}

void rk_package_describe(const struct rk_package *package, const char *prefix, struct rk_str *ret)
{
	const struct rk_release_strings *cves = &package->level->cves_added;
	size_t shown = cves->nr > CVES_SHOWN ? CVES_SHOWN : cves->nr;

	rk_str_addf(ret, "%sFor the kernel with build-id\n%s%s.\n", prefix, prefix,
		    package->kernel->build_id);
	if (!package->file) {
		rk_str_addf(ret, "%sHas no files of its own and depends on the newest level.\n",
			    prefix);
		return;
	}
	rk_str_addf(ret,
		    "%sIt is loaded when it is installed and at every boot, and unloaded when\n"
		    "%sit is removed. It holds %" PRIu64 " fixes; new in this level:\n",
		    prefix, prefix, package->level->fixes);
	for (size_t i = 0; i < shown; i++)
		rk_str_addf(ret, "%s%s\n", prefix, cves->v[i]);
	if (shown < cves->nr)
		rk_str_addf(ret, "%sand %zu more CVEs.\n", prefix, cves->nr - shown);
	else if (!shown)
		rk_str_addf(ret, "%sno CVEs.\n", prefix);
}

struct rk_err *rk_package_run(const struct rk_package *package, const char *work,
			      const char *const *argv)
{
	_cleanup_free_ char *epoch =
		rk_asprintf("SOURCE_DATE_EPOCH=%" PRId64, package->level->released);
	/* rpmbuild makes directories in its user's home */
	_cleanup_free_ char *home = rk_asprintf("HOME=%s", work);
	const char *const env[] = {epoch, "LC_ALL=C.UTF-8", home,
				   "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	_cleanup_process_result_ struct rk_process_result result = {};
	struct rk_process_spec spec = {.argv = argv, .env = env, .timeout_ms = PACK_MS};

	if (!epoch || !home)
		return rk_err_nomem();
	return rk_process_check(&spec, &result);
}

static struct rk_err *write_in(const struct rk_package *package, enum rk_package_format format,
			       const char *work, const char *dir)
{
	_cleanup_free_ char *name = NULL;

	RK_TRY(rk_package_file_name(package, format, &name));
	_cleanup_free_ char *made = rk_path_join(work, name), *to = rk_path_join(dir, name);
	if (!made || !to)
		return rk_err_nomem();
	RK_TRY(format == RK_PACKAGE_DEB ? rk_package_write_deb(package, work, made)
					: rk_package_write_rpm(package, work, made));
	if (rename(made, to) < 0)
		return rk_err_sys(errno, "cannot rename '%s' to '%s'", made, to);
	return NULL;
}

struct rk_err *rk_package_write(const struct rk_package *package, enum rk_package_format format,
				const char *dir)
{
	_cleanup_free_ char *work = NULL;

	RK_TRY(check(package));
	RK_TRY(rk_fs_mkdtemp(dir, ".package-", &work));
	struct rk_err *err = write_in(package, format, work, dir);
	struct rk_err *left = rk_fs_remove_tree(work);
	if (err) {
		rk_err_free(left);
		return rk_err_wrap(err, "level %" PRIu64 " for '%s'", package->level->level,
				   package->kernel->release);
	}
	return left;
}
