/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packages and the lists of them: what is missing is packed, what is too much goes, then the distribution's own program lists. */
#include "lib/package/repository.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/package/internal.h"

#define LIST_MS (30u * 60 * 1000)

struct job {
	const struct rk_packages *packages;
	enum rk_package_format format;
	enum rk_channel channel;
	const char *gpg_key;
	const struct rk_reporter *reporter;
	const char *dir;	    /* "<dir>/apt", "<dir>/dnf/<channel>" */
	const char *pool;	    /* where the packages are */
	struct rk_arena arena;	    /* names */
	rk_vec(const char *) names; /* of the files that there are to be */
	struct rk_packages_result result;
};

static void job_deinit(struct job *job)
{
	rk_vec_deinit(&job->names);
	rk_arena_deinit(&job->arena);
}

/* --- packages --- */

static struct rk_err *write_one(struct job *job, const struct rk_package *package)
{
	_cleanup_free_ char *name = NULL;

	RK_TRY(rk_package_file_name(package, job->format, &name));
	_cleanup_free_ char *path = rk_path_join(job->pool, name);
	const char *kept = rk_arena_strdup(&job->arena, name);
	if (!path || !kept || !rk_vec_push(&job->names, kept))
		return rk_err_nomem();
	if (rk_fs_exists(path)) {
		job->result.kept++;
		return NULL;
	}
	rk_report_phase(job->reporter, "pack", "%s", name);
	RK_TRY(rk_package_write(package, job->format, job->pool));
	job->result.written++;
	return NULL;
}

static bool is_newest(const struct rk_packages *packages, const struct rk_package *package)
{
	rk_vec_for_each(&packages->list, other)
		if (rk_streq(other->kernel->build_id, package->kernel->build_id) &&
		    other->level->level > package->level->level)
			return false;
	return true;
}

/* apt and dnf know a kernel by its release only. */
static struct rk_err *check_releases(const struct rk_packages *packages)
{
	rk_vec_for_each(&packages->list, a)
		rk_vec_for_each(&packages->list, b)
			if (rk_streq(a->kernel->release, b->kernel->release) &&
			    !rk_streq(a->kernel->build_id, b->kernel->build_id))
				return rk_err(
					RK_ERR_INVALID,
					"kernels '%s' and '%s' both have the release '%s': their packages would "
					"have one name; choose one with --kernel",
					a->kernel->build_id, b->kernel->build_id,
					a->kernel->release);
	return NULL;
}

static struct rk_err *write_all(struct job *job)
{
	RK_TRY(check_releases(job->packages));
	rk_vec_for_each(&job->packages->list, package) {
		RK_TRY(write_one(job, package));
		if (!is_newest(job->packages, package))
			continue;
		struct rk_package depends = *package;
		depends.file = NULL;
		RK_TRY(write_one(job, &depends));
	}
	return NULL;
}

static bool is_wanted(const struct job *job, const char *name)
{
	rk_vec_for_each(&job->names, wanted)
		if (rk_streq(*wanted, name))
			return true;
	return false;
}

static struct rk_err *remove_others(struct job *job)
{
	const char *suffix = job->format == RK_PACKAGE_DEB ? ".deb" : ".rpm";
	_cleanup_closedir_ DIR *dir = opendir(job->pool);

	if (!dir)
		return rk_err_sys(errno, "cannot read '%s'", job->pool);
	for (struct dirent *e; (e = readdir(dir));) {
		if (!rk_has_prefix(e->d_name, "readykernel-patch-") ||
		    !rk_has_suffix(e->d_name, suffix) || is_wanted(job, e->d_name))
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) < 0)
			return rk_err_sys(errno, "cannot remove '%s/%s'", job->pool, e->d_name);
		job->result.removed++;
	}
	return NULL;
}

/* --- lists --- */

/* Runs a program in the repository; what it prints goes to the file output, if there is one. */
static struct rk_err *list(const struct job *job, const char *const *argv, const char *output)
{
	_cleanup_process_result_ struct rk_process_result result = {};
	struct rk_process_spec spec = {
		.argv = argv, .cwd = job->dir, .output_path = output, .timeout_ms = LIST_MS};

	RK_TRY(rk_process_run(&spec, &result));
	if (result.status != 0)
		return rk_err(RK_ERR_TOOL, "%s ended with status %d: %s", argv[0], result.status,
			      rk_str_get(&result.output));
	return NULL;
}

static struct rk_err *gpg(const struct job *job, const char *how, const char *from, const char *to)
{
	const char *const argv[] = {"gpg",	  "--batch",  "--yes", "--armor", "--local-user",
				    job->gpg_key, "--output", to,      how,	  from,
				    NULL};

	/* a signature of what was there before is worse than none */
	RK_TRY(rk_fs_unlink(to));
	return job->gpg_key ? list(job, argv, NULL) : NULL;
}

static struct rk_err *list_apt(const struct job *job)
{
	const char *channel = rk_channel_name(job->channel);
	_cleanup_free_ char *dists = rk_asprintf("%s/dists/%s", job->dir, channel);
	_cleanup_free_ char *suite = rk_asprintf("APT::FTPArchive::Release::Suite=%s", channel);
	_cleanup_free_ char *pool = rk_asprintf("pool/%s", channel);
	_cleanup_free_ char *rel = rk_asprintf("dists/%s", channel);

	if (!dists || !suite || !pool || !rel)
		return rk_err_nomem();
	_cleanup_free_ char *binary = rk_path_join(dists, "main/binary-amd64");
	_cleanup_free_ char *release = rk_path_join(dists, "Release");
	_cleanup_free_ char *inline_release = rk_path_join(dists, "InRelease");
	if (!binary || !release || !inline_release)
		return rk_err_nomem();
	_cleanup_free_ char *lists = rk_path_join(binary, "Packages");
	_cleanup_free_ char *draft = rk_path_join(job->dir, ".Release");
	if (!lists || !draft)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_p(binary, 0755));
	const char *const packages[] = {"apt-ftparchive", "-q=2", "packages", pool, NULL};
	RK_TRY(list(job, packages, lists));
	const char *const about[] = {"apt-ftparchive",
				     "-q=2",
				     "-o",
				     suite,
				     "-o",
				     "APT::FTPArchive::Release::Components=main",
				     "-o",
				     "APT::FTPArchive::Release::Architectures=amd64",
				     "-o",
				     "APT::FTPArchive::Release::Origin=ReadyKernel",
				     "release",
				     rel,
				     NULL};
	RK_TRY(rk_fs_unlink(release));
	RK_TRY(rk_fs_unlink(inline_release));
	RK_TRY(list(job, about, draft));
	RK_TRY(gpg(job, "--clearsign", draft, inline_release));
	if (rename(draft, release) < 0)
		return rk_err_sys(errno, "cannot rename '%s'", draft);
	return NULL;
}

static struct rk_err *list_dnf(const struct job *job)
{
	const char *const argv[] = {"createrepo_c", "--quiet", "--update", ".", NULL};
	_cleanup_free_ char *about = rk_path_join(job->dir, "repodata/repomd.xml");
	_cleanup_free_ char *signature = rk_path_join(job->dir, "repodata/repomd.xml.asc");

	if (!about || !signature)
		return rk_err_nomem();
	RK_TRY(list(job, argv, NULL));
	return gpg(job, "--detach-sign", about, signature);
}

static struct rk_err *run(struct job *job)
{
	RK_TRY(rk_fs_mkdir_p(job->pool, 0755));
	RK_TRY(write_all(job));
	RK_TRY(remove_others(job));
	rk_report_phase(job->reporter, "list", "packages of channel '%s'",
			rk_channel_name(job->channel));
	return job->format == RK_PACKAGE_DEB ? list_apt(job) : list_dnf(job);
}

struct rk_err *rk_packages_write(const struct rk_packages *packages, enum rk_package_format format,
				 enum rk_channel channel, const char *dir, const char *gpg_key,
				 const struct rk_reporter *reporter, struct rk_packages_result *ret)
{
	const char *name = rk_channel_name(channel);
	bool deb = format == RK_PACKAGE_DEB;
	/* rpmbuild changes its directory */
	_cleanup_free_ char *top = NULL;
	_cleanup_(job_deinit) struct job job = {.packages = packages,
						.format = format,
						.channel = channel,
						.gpg_key = gpg_key,
						.reporter = reporter};

	RK_TRY(rk_fs_mkdir_p(dir, 0755));
	top = realpath(dir, NULL);
	if (!top)
		return rk_err_sys(errno, "cannot resolve '%s'", dir);
	_cleanup_free_ char *place =
		deb ? rk_asprintf("%s/apt", top) : rk_asprintf("%s/dnf/%s", top, name);
	_cleanup_free_ char *pool = deb && place ? rk_asprintf("%s/pool/%s", place, name) : NULL;
	if (!place || (deb && !pool))
		return rk_err_nomem();
	job.dir = place;
	job.pool = deb ? pool : place;
	RK_TRY(run(&job));
	*ret = job.result;
	return NULL;
}
