/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fetching is a pipeline: while the next package is downloaded, the last one is unpacked, and the tree is prepared
 * while the debug image is. Small packages come first, so that a mismatch shows before the large ones are fetched.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/target/config.h"
#include "lib/target/deb.h"
#include "lib/target/debian.h"
#include "lib/target/demands.h"
#include "lib/target/facts.h"
#include "lib/target/prepare.h"
#include "lib/target/source_tree.h"
#include "lib/target/version.h"

/* What unpacks to more than its package says, or to less: measured on 6.1 and 6.12, rounded up. */
#define SOURCE_GROWTH 12u /* prepared tree per byte of linux-source's .deb */
#define DEBUG_SHARE_PERCENT \
	45u /* vmlinux and one module at a time, in what the debug package installs */
#define POLL_NS (50 * 1000 * 1000L)

struct fetch;

/* Work on one package beside the downloads. */
struct worker {
	struct fetch *fetch;
	struct rk_err *(*run)(struct fetch *fetch, struct worker *worker);
	const char *deb;
	uint64_t deb_size;
	pthread_t thread;
	bool started;
	struct rk_err *err;
	_Atomic uint64_t packed; /* bytes of the package that are unpacked */
	atomic_bool unpacked;	 /* unpacking is over, well or not */
	atomic_bool done;
};

struct fetch {
	struct rk_cache_slot *slot;
	const char *release;
	const struct rk_target_options *options;
	struct rk_debian_packages packages;
	struct rk_record image; /* of the part that is there or was just made */
	struct rk_record build; /* being made */
	const char *cc;
	char *config; /* paths */
	char *symvers;
	char *source;
	char *vmlinux;
	char *modules;
	uint64_t total; /* bytes to download */
	uint64_t done;	/* bytes of the packages that are there */
	struct worker unpack_source;
	struct worker unpack_debug;
	atomic_bool cancel;
};

static void fetch_deinit(struct fetch *f)
{
	struct worker *workers[] = {&f->unpack_source, &f->unpack_debug};

	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		rk_err_free(workers[i]->err);
		free((char *)workers[i]->deb);
	}
	free(f->config);
	free(f->symvers);
	free(f->source);
	free(f->vmlinux);
	free(f->modules);
	rk_record_deinit(&f->image);
	rk_record_deinit(&f->build);
}

static void downloaded(void *ctx, uint64_t bytes)
{
	const struct fetch *f = ctx;

	rk_report_advance(f->options->reporter, f->done + bytes, f->total, "bytes");
}

/* The control file must say what apt said: a wrong file under the right name is caught here. */
static struct rk_err *check_control(const struct rk_apt_package *package, const char *deb)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *version = NULL;

	RK_TRY(rk_deb_field(deb, "Package", &name));
	RK_TRY(rk_deb_field(deb, "Version", &version));
	if (!rk_streq(name, package->name) || !rk_streq(version, package->version))
		return rk_err(RK_ERR_MISMATCH, "'%s' is '%s' %s, not '%s' %s", deb, name, version,
			      package->name, package->version);
	return NULL;
}

static struct rk_err *download(struct fetch *f, const struct rk_apt_package *package,
			       char **ret_deb)
{
	_cleanup_free_ char *deb =
		rk_asprintf("%s/%s_%s.deb", f->slot->download, package->name, package->version);

	if (!deb)
		return rk_err_nomem();
	RK_TRY(rk_apt_download(package, deb, downloaded, f));
	f->done += package->size;
	rk_report_advance(f->options->reporter, f->done, f->total, "bytes");
	RK_TRY(check_control(package, deb));
	*ret_deb = take_ptr(deb);
	return NULL;
}

static struct rk_err *add_package(struct rk_record *record, const struct rk_apt_package *package)
{
	struct rk_record_package p = {package->name, package->version, package->sha256,
				      package->size};

	return rk_vec_push(&record->packages, p) ? NULL : rk_err_nomem();
}

/* Needed at the most: packages and what they unpack to are there at the same time. */
static uint64_t space_needed(const struct rk_debian_packages *p, bool image, bool build)
{
	uint64_t needed = 0;

	if (image)
		needed += p->image->size + p->image->installed_bytes;
	if (build)
		needed += p->headers->size + p->headers->installed_bytes + p->debug->size +
			  p->debug->installed_bytes / 100 * DEBUG_SHARE_PERCENT + p->source->size +
			  p->source->size * SOURCE_GROWTH;
	return needed;
}

static struct rk_err *check_space(const struct fetch *f, bool image, bool build)
{
	uint64_t needed = space_needed(&f->packages, image, build);
	uint64_t free_bytes;

	RK_TRY(rk_fs_free_bytes(f->slot->dir, &free_bytes));
	if (free_bytes >= needed)
		return NULL;
	return rk_err_sys(
		ENOSPC,
		"target '%s' needs %.1f GB in '%s', where %.1f GB are free; remove a target "
		"('kpatch-build target rm'), or put the cache elsewhere (XDG_CACHE_HOME)",
		f->slot->id, (double)needed / 1e9, f->slot->dir, (double)free_bytes / 1e9);
}

struct image_paths {
	char *boot;    /* "boot/vmlinuz-REL" */
	char *config;  /* "boot/config-REL" */
	char *modules; /* "lib/modules/REL/" */
};

static void image_paths_deinit(struct image_paths *p)
{
	free(p->boot);
	free(p->config);
	free(p->modules);
}

static enum rk_unpack_choice choose_image(void *ctx, const char *path, struct rk_str *ret)
{
	const struct image_paths *paths = ctx;

	/* Merged /usr: later releases install below usr/. */
	if (rk_has_prefix(path, "usr/lib/"))
		path += strlen("usr/");
	if (rk_streq(path, paths->boot))
		rk_str_add(ret, "vmlinuz");
	else if (rk_streq(path, paths->config))
		rk_str_add(ret, "config");
	else if (rk_has_prefix(path, paths->modules))
		rk_str_addf(ret, "modules/%s", path + strlen(paths->modules));
	else
		return RK_UNPACK_SKIP;
	return RK_UNPACK_TAKE;
}

static struct rk_err *unpack_image(struct fetch *f, const char *deb)
{
	_cleanup_(image_paths_deinit) struct image_paths paths = {
		.boot = rk_asprintf("boot/vmlinuz-%s", f->release),
		.config = rk_asprintf("boot/config-%s", f->release),
		.modules = rk_asprintf("lib/modules/%s/", f->release),
	};
	_cleanup_free_ char *sums = rk_path_join(f->slot->image, "image.sha256");
	_cleanup_str_ struct rk_str hashes = RK_STR_INIT;
	struct rk_unpack unpack = {
		.dest = f->slot->image,
		.choose = choose_image,
		.ctx = &paths,
		.hashes = &hashes,
	};

	if (!paths.boot || !paths.config || !paths.modules || !sums)
		return rk_err_nomem();
	RK_TRY(rk_deb_unpack(deb, &unpack));
	RK_TRY(rk_str_check(&hashes));
	return rk_fs_write(sums, rk_str_get(&hashes), hashes.len, 0644);
}

/* The image must be of the release it is packaged as, and of the version. */
static struct rk_err *read_image_facts(struct fetch *f, struct rk_record *record)
{
	_cleanup_free_ char *vmlinuz = rk_path_join(f->slot->image, "vmlinuz");
	struct rk_kernel_facts facts = {};
	const char *version = NULL;

	if (!vmlinuz)
		return rk_err_nomem();
	if (!rk_fs_exists(vmlinuz))
		return rk_err(RK_ERR_FORMAT, "'%s' has no 'boot/vmlinuz-%s'",
			      f->packages.image->name, f->release);
	RK_TRY(rk_facts_image(vmlinuz, &record->arena, &facts));
	if (!facts.release || !rk_streq(facts.release, f->release))
		return rk_err(RK_ERR_MISMATCH, "the image in '%s' says it is '%s'",
			      f->packages.image->name, facts.release ? facts.release : "nothing");
	RK_TRY(rk_facts_debian_version(facts.version, &record->arena, &version));
	if (!version || !rk_streq(version, f->packages.image->version))
		return rk_err(RK_ERR_MISMATCH, "the image in '%s' %s says it is version '%s'",
			      f->packages.image->name, f->packages.image->version, facts.version);
	record->release = facts.release;
	record->version = facts.version;
	record->build_id = facts.build_id;
	record->source_version = version;
	return NULL;
}

static struct rk_err *make_image_part(struct fetch *f)
{
	_cleanup_free_ char *deb = NULL;
	_cleanup_record_ struct rk_record record = {.id = f->slot->id};
	bool found;

	RK_TRY(download(f, f->packages.image, &deb));
	RK_TRY(unpack_image(f, deb));
	RK_TRY(read_image_facts(f, &record));
	RK_TRY(add_package(&record, f->packages.image));
	RK_TRY(rk_cache_commit(f->slot->image, &record));
	if (unlink(deb) < 0)
		return rk_err_sys(errno, "cannot remove '%s'", deb);
	return rk_cache_part(f->slot->image, &found, &f->image);
}

/* " Debian 6.1.170-3", which kernel/hung_task.c prints: made from variables that only Debian's own build has. */
#define PACKAGE_HEADER	    "include/generated/package.h"
#define PACKAGE_HEADER_KEPT "package.h"

static enum rk_unpack_choice choose_headers(void *ctx, const char *path, struct rk_str *ret)
{
	const char *dir = ctx; /* "usr/src/linux-headers-REL/" */

	if (!rk_has_prefix(path, dir))
		return RK_UNPACK_SKIP;
	path += strlen(dir);
	if (rk_streq(path, ".config"))
		rk_str_add(ret, "config");
	else if (rk_streq(path, "Module.symvers"))
		rk_str_add(ret, "Module.symvers");
	else if (rk_streq(path, PACKAGE_HEADER))
		rk_str_add(ret, PACKAGE_HEADER_KEPT);
	else
		return RK_UNPACK_SKIP;
	return RK_UNPACK_TAKE;
}

/*
 * The headers' .config is the complete configuration. The image's /boot/config is the same without what only matters
 * to who builds and signs (BUILD_SALT, MODULE_SIG_KEY …), so everything it has must agree.
 */
static struct rk_err *check_configs(struct fetch *f)
{
	_cleanup_free_ char *boot_config = rk_path_join(f->slot->image, "config");
	_cleanup_config_ struct rk_config headers = {}, image = {};
	struct rk_config_drift drift = {};
	struct rk_err *err = NULL;

	if (!boot_config)
		return rk_err_nomem();
	RK_TRY(rk_config_read(f->config, &headers));
	RK_TRY(rk_config_read(boot_config, &image));
	RK_TRY(rk_config_compare(&image, &headers, true, &drift));
	if (drift.nr)
		err = rk_err(RK_ERR_MISMATCH,
			     "the configurations of '%s' and '%s' differ (image, headers): %s",
			     f->packages.image->name, f->packages.headers->name,
			     rk_str_get(&drift.text));
	rk_str_deinit(&drift.text);
	return err;
}

static struct rk_err *unpack_headers(struct fetch *f)
{
	_cleanup_free_ char *deb = NULL;
	_cleanup_free_ char *dir = rk_asprintf("usr/src/linux-headers-%s/", f->release);
	struct rk_unpack unpack = {.dest = f->slot->build, .choose = choose_headers, .ctx = dir};

	if (!dir)
		return rk_err_nomem();
	RK_TRY(download(f, f->packages.headers, &deb));
	RK_TRY(rk_deb_unpack(deb, &unpack));
	if (!rk_fs_exists(f->config) || !rk_fs_exists(f->symvers))
		return rk_err(RK_ERR_FORMAT, "'%s' has no '.config' and 'Module.symvers'",
			      f->packages.headers->name);
	return check_configs(f);
}

/* Needs the configuration only, so it comes before the large downloads. */
static struct rk_err *check_compiler(struct fetch *f)
{
	struct rk_arena *arena = &f->build.arena;
	_cleanup_free_ char *config = NULL;

	RK_TRY(rk_fs_read(f->config, RK_CONFIG_MAX, &config, NULL));
	RK_TRY(rk_facts_config(config, "CC_VERSION_TEXT", arena, &f->build.compiler));
	if (!f->build.compiler)
		return rk_err(RK_ERR_FORMAT, "'%s' has no CONFIG_CC_VERSION_TEXT", f->config);
	RK_TRY(rk_demands_check(f->config));
	RK_TRY(rk_prepare_compiler(f->build.compiler, f->options->cc, arena, &f->cc));
	RK_TRY(rk_prepare_check_tools(f->cc));
	return rk_prepare_check_compiler(f->cc, f->build.compiler, f->options->skip_compiler_check,
					 f->options->reporter);
}

static struct rk_prepare prepare_spec(const struct fetch *f)
{
	return (struct rk_prepare){
		.source = f->source,
		.config = f->config,
		.symvers = f->symvers,
		.release = f->release,
		.cc = f->cc,
		.log = f->slot->log,
		.jobs = f->options->jobs,
		.skip_compiler_check = f->options->skip_compiler_check,
		.reporter = f->options->reporter,
	};
}

/* kbuild made one that knows no package. */
static struct rk_err *keep_package_header(const struct fetch *f)
{
	_cleanup_free_ char *shipped = rk_path_join(f->slot->build, PACKAGE_HEADER_KEPT);
	_cleanup_free_ char *generated = rk_path_join(f->source, PACKAGE_HEADER);

	if (!shipped || !generated)
		return rk_err_nomem();
	if (!rk_fs_exists(shipped) || !rk_fs_exists(generated))
		return NULL;
	return rk_fs_copy(shipped, generated, 0644);
}

static struct rk_err *run_source(struct fetch *f, struct worker *w)
{
	struct rk_prepare prepare = prepare_spec(f);
	size_t series = rk_version_series(f->release);
	_cleanup_free_ char *nested =
		rk_asprintf("usr/src/linux-source-%.*s.tar.xz", (int)series, f->release);

	if (!nested)
		return rk_err_nomem();
	RK_TRY(rk_source_tree_unpack(w->deb, nested, f->slot->build, &w->packed, &f->cancel));
	atomic_store(&w->unpacked, true);
	RK_TRY(rk_prepare_run(&prepare));
	return keep_package_header(f);
}

/* The debug twin must be the very build the image was made from. */
static struct rk_err *check_vmlinux(struct fetch *f, struct rk_arena *arena)
{
	struct rk_kernel_facts facts = {};

	if (!rk_fs_exists(f->vmlinux))
		return rk_err(RK_ERR_FORMAT, "'%s' has no 'usr/lib/debug/boot/vmlinux-%s'",
			      f->packages.debug->name, f->release);
	RK_TRY(rk_facts_vmlinux(f->vmlinux, arena, &facts));
	if (!rk_streq(facts.release, f->release) || !rk_streq(facts.version, f->image.version))
		return rk_err(RK_ERR_MISMATCH, "'%s' is of '%s' %s, the image of '%s' %s",
			      f->packages.debug->name, facts.release, facts.version, f->release,
			      f->image.version);
	if (!facts.build_id || !f->image.build_id || !rk_streq(facts.build_id, f->image.build_id))
		return rk_err(RK_ERR_MISMATCH,
			      "the build-ids of image (%s) and debug image (%s) differ",
			      f->image.build_id ? f->image.build_id : "none",
			      facts.build_id ? facts.build_id : "none");
	return NULL;
}

static struct rk_err *run_debug(struct fetch *f, struct worker *w)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_debian_debug debug = {
		.deb = w->deb,
		.release = f->release,
		.dest = f->slot->build,
		.modules = f->modules,
		.packed = &w->packed,
		.cancel = &f->cancel,
	};

	RK_TRY(rk_debian_unpack_debug(&debug));
	return check_vmlinux(f, &arena);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	w->err = w->run(w->fetch, w);
	if (w->err)
		atomic_store(&w->fetch->cancel, true);
	atomic_store(&w->packed, w->deb_size);
	atomic_store(&w->unpacked, true);
	atomic_store(&w->done, true);
	return NULL;
}

static struct rk_err *start(struct fetch *f, struct worker *w, const struct rk_apt_package *package,
			    struct rk_err *(*run)(struct fetch *, struct worker *))
{
	char *deb = NULL;

	RK_TRY(download(f, package, &deb));
	w->fetch = f;
	w->run = run;
	w->deb = deb;
	w->deb_size = package->size;
	int error = pthread_create(&w->thread, NULL, worker_main, w);
	if (error)
		return rk_err_sys(error, "cannot start a thread");
	w->started = true;
	return NULL;
}

/* Shows how far the workers are until both are where done() wants them. */
static void watch(struct fetch *f, bool until_done)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	struct worker *a = &f->unpack_source, *b = &f->unpack_debug;

	while (until_done ? !(atomic_load(&a->done) && atomic_load(&b->done))
			  : !(atomic_load(&a->unpacked) && atomic_load(&b->unpacked))) {
		if (!until_done)
			rk_report_advance(f->options->reporter,
					  atomic_load(&a->packed) + atomic_load(&b->packed),
					  a->deb_size + b->deb_size, "bytes");
		nanosleep(&pause, NULL);
	}
}

/* What a worker that was told to stop says isn't the reason why. */
static struct rk_err *join(struct fetch *f, struct rk_err *err)
{
	struct worker *workers[] = {&f->unpack_source, &f->unpack_debug};

	if (err)
		atomic_store(&f->cancel, true);
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		if (workers[i]->started)
			pthread_join(workers[i]->thread, NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		struct rk_err *found = workers[i]->err;

		if (!found || (err && rk_err_code(err) != RK_ERR_INTERRUPTED))
			continue;
		if (err && rk_err_code(found) == RK_ERR_INTERRUPTED)
			continue;
		rk_err_free(err);
		err = take_ptr(workers[i]->err);
	}
	return err;
}

static struct rk_err *run_pipeline(struct fetch *f)
{
	const struct rk_reporter *reporter = f->options->reporter;

	RK_TRY(start(f, &f->unpack_source, f->packages.source, run_source));
	if (!atomic_load(&f->cancel))
		RK_TRY(start(f, &f->unpack_debug, f->packages.debug, run_debug));
	else
		return rk_err(RK_ERR_INTERRUPTED, "interrupted");
	rk_report_phase(reporter, "unpack", "unpacking source and debug image of '%s'",
			f->slot->id);
	watch(f, false);
	rk_report_phase(reporter, "prepare", "preparing the source tree of '%s'", f->slot->id);
	watch(f, true);
	return NULL;
}

static struct rk_err *remove_downloads(struct fetch *f)
{
	return rk_fs_remove_tree(f->slot->download);
}

static struct rk_err *make_build_part(struct fetch *f)
{
	const struct rk_apt_package *const packages[] = {f->packages.headers, f->packages.source,
							 f->packages.debug};

	RK_TRY(unpack_headers(f));
	RK_TRY(check_compiler(f));
	RK_TRY(join(f, run_pipeline(f)));
	struct rk_prepare prepare = prepare_spec(f);
	RK_TRY(rk_prepare_check(&prepare));
	f->build.id = f->slot->id;
	f->build.release = f->image.release;
	f->build.version = f->image.version;
	f->build.source_version = f->packages.source->version;
	f->build.build_id = f->image.build_id;
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
		RK_TRY(add_package(&f->build, packages[i]));
	return rk_cache_commit(f->slot->build, &f->build);
}

static struct rk_err *fetch_parts(struct fetch *f, bool image, bool build)
{
	const struct rk_debian_packages *p = &f->packages;

	f->total = (image ? p->image->size : 0) +
		   (build ? p->headers->size + p->source->size + p->debug->size : 0);
	RK_TRY(check_space(f, image, build));
	RK_TRY(rk_fs_mkdir_p(f->slot->download, 0755));
	rk_report_phase(f->options->reporter, "fetch", "downloading '%s' %s (%.0f MB)", f->slot->id,
			p->image->version, (double)f->total / 1e6);
	if (image)
		RK_TRY(make_image_part(f));
	if (build)
		RK_TRY(make_build_part(f));
	return remove_downloads(f);
}

/* What an error leaves: packages stay for the next try, half-made parts don't. */
static struct rk_err *clean_up(struct fetch *f, struct rk_err *err)
{
	const char *parts[] = {f->slot->image, f->slot->build};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_record_ struct rk_record record = {};
		bool found = false;

		struct rk_err *read_err = rk_cache_part(parts[i], &found, &record);
		rk_err_free(read_err);
		if (!found && !read_err)
			rk_err_free(rk_fs_remove_tree(parts[i]));
	}
	return err;
}

static struct rk_err *check_flavour(const char *release, bool build)
{
	if (build && rk_debian_is_realtime(release))
		return rk_err(
			RK_ERR_UNSUPPORTED,
			"'%s' is built from a source with the real-time patches, which linux-source "
			"doesn't have; apply debian/patches-rt of the source package 'linux' to a copy of it, and give "
			"explicit paths (--source …)",
			release);
	return NULL;
}

struct rk_err *rk_debian_fetch(struct rk_cache_slot *slot, const char *release,
			       enum rk_target_parts parts, const char *wanted_version,
			       const struct rk_target_options *options)
{
	_cleanup_apt_packages_ struct rk_apt_packages offers = {};
	_cleanup_(fetch_deinit) struct fetch f = {
		.slot = slot,
		.release = release,
		.options = options,
		.config = rk_path_join(slot->build, "config"),
		.symvers = rk_path_join(slot->build, "Module.symvers"),
		.source = rk_path_join(slot->build, "source"),
		.vmlinux = rk_path_join(slot->build, "vmlinux"),
		.modules = rk_path_join(slot->image, "modules"),
	};
	bool has_image, has_build;

	if (!f.config || !f.symvers || !f.source || !f.vmlinux || !f.modules)
		return rk_err_nomem();
	RK_TRY(rk_cache_part(slot->image, &has_image, &f.image));
	RK_TRY(rk_cache_part(slot->build, &has_build, &f.build));
	bool build = (parts & RK_TARGET_BUILD) && !has_build;
	RK_TRY(check_flavour(release, build));
	/* The other part must be of the same version, whatever is newest by now. */
	if (has_image)
		wanted_version = f.image.source_version;
	struct rk_err *err = rk_debian_choose(release, build ? RK_TARGET_ALL : RK_TARGET_IMAGE,
					      wanted_version, &offers, &f.packages);
	if (err && has_image)
		return rk_err_wrap(
			err,
			"the image in the cache is of version %s; if that is no longer on "
			"offer, remove it ('kpatch-build target rm %s')",
			f.image.source_version, slot->id);
	if (err)
		return err;
	err = fetch_parts(&f, !has_image, build);
	return err ? clean_up(&f, err) : NULL;
}
