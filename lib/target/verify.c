/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checking a target again, as it lies in the cache: every unpacked file against the hash it had in its package, the
 * kernels against each other and the records, the packages against what apt promises today.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/target/apt.h"
#include "lib/target/config.h"
#include "lib/target/facts.h"
#include "lib/target/inlines.h"
#include "lib/target/resolve.h"
#include "lib/target/source_tree.h"
#include "lib/target/target.h"

#define SUMS_MAX     (64u << 20)
#define NAMED_FILES  4 /* of those that differ, in the message */
#define REPORT_EVERY 256

/* How far a check of files is. */
struct sums {
	const char *dir;
	size_t nr, bad;
	struct rk_str named;
	const struct rk_reporter *reporter;
};

static void sums_deinit(struct sums *s)
{
	rk_str_deinit(&s->named);
}

static void add_bad(struct sums *s, const char *path, const char *why)
{
	if (s->bad++ < NAMED_FILES)
		rk_str_addf(&s->named, "%s'%s' %s", s->named.len ? ", " : "", path, why);
}

static struct rk_err *check_file(struct sums *s, const char *hash, const char *name)
{
	_cleanup_free_ char *path = rk_path_join(s->dir, name);
	char found[RK_SHA256_HEX_SIZE];

	if (!path)
		return rk_err_nomem();
	if (rk_is_interrupted())
		return rk_err(RK_ERR_INTERRUPTED, "interrupted while checking '%s'", s->dir);
	struct rk_err *err = rk_sha256_file(path, found);
	if (err && rk_err_errno(err) != ENOENT)
		return err;
	if (err)
		add_bad(s, path, "is missing");
	else if (!rk_streq(found, hash))
		add_bad(s, path, "was changed");
	rk_err_free(err);
	if (++s->nr % REPORT_EVERY == 0)
		rk_report_advance(s->reporter, s->nr, 0, "files");
	return NULL;
}

/* Checks the lines "<sha256>  <path below dir>" of dir/name. */
static struct rk_err *check_sums(const char *dir, const char *name,
				 const struct rk_reporter *reporter)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);
	_cleanup_free_ char *text = NULL;
	_cleanup_(sums_deinit) struct sums s = {.dir = dir, .reporter = reporter};

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(path, SUMS_MAX, &text, NULL));
	for (char *line = text, *next; *line; line = next) {
		size_t len = strcspn(line, "\n");

		next = line + len + (line[len] == '\n');
		line[len] = '\0';
		if (len < RK_SHA256_HEX_SIZE + 2)
			return rk_err(RK_ERR_FORMAT, "'%s' is damaged: '%s'", path, line);
		line[RK_SHA256_HEX_SIZE - 1] = '\0';
		RK_TRY(check_file(&s, line, line + RK_SHA256_HEX_SIZE + 1));
	}
	RK_TRY(rk_str_check(&s.named));
	if (s.bad)
		return rk_err(RK_ERR_MISMATCH, "%zu of %zu files aren't what the package had: %s%s",
			      s.bad, s.nr, rk_str_get(&s.named), s.bad > NAMED_FILES ? " …" : "");
	return NULL;
}

static struct rk_err *check_facts(const char *path, const struct rk_kernel_facts *facts,
				  const struct rk_record *record)
{
	const struct {
		const char *what, *found, *recorded;
	} pairs[] = {
		{"release", facts->release, record->release},
		{"version", facts->version, record->version},
		{"build-id", facts->build_id, record->build_id},
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const char *found = pairs[i].found ? pairs[i].found : "none";
		const char *recorded = pairs[i].recorded ? pairs[i].recorded : "none";

		if (!rk_streq(found, recorded))
			return rk_err(RK_ERR_MISMATCH, "the %s of '%s' is '%s', not '%s'",
				      pairs[i].what, path, found, recorded);
	}
	return NULL;
}

static struct rk_err *verify_image(const struct rk_cache_slot *slot, const struct rk_record *record,
				   const struct rk_reporter *reporter)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_free_ char *vmlinuz = rk_path_join(slot->image, "vmlinuz");
	struct rk_kernel_facts facts = {};

	if (!vmlinuz)
		return rk_err_nomem();
	RK_TRY(check_sums(slot->image, "image.sha256", reporter));
	RK_TRY(rk_facts_image(vmlinuz, &arena, &facts));
	return check_facts(vmlinuz, &facts, record);
}

/* The prepared tree must still be configured as the shipped kernel. */
static struct rk_err *check_config(const struct rk_cache_slot *slot)
{
	_cleanup_free_ char *shipped = rk_path_join(slot->build, "config");
	_cleanup_free_ char *prepared = rk_path_join(slot->build, "source/.config");
	_cleanup_config_ struct rk_config a = {}, b = {};
	struct rk_config_drift drift = {};
	struct rk_err *err = NULL;

	if (!shipped || !prepared)
		return rk_err_nomem();
	RK_TRY(rk_config_read(shipped, &a));
	RK_TRY(rk_config_read(prepared, &b));
	RK_TRY(rk_config_compare(&a, &b, false, &drift));
	if (drift.nr)
		err = rk_err(RK_ERR_MISMATCH,
			     "%zu options of '%s' differ from the shipped kernel's: %s", drift.nr,
			     prepared, rk_str_get(&drift.text));
	rk_str_deinit(&drift.text);
	return err;
}

/* It knows its own hash. Targets that were fetched by earlier versions have none. */
static struct rk_err *check_inlines(const struct rk_cache_slot *slot)
{
	_cleanup_free_ char *path = rk_path_join(slot->build, RK_INLINES);
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;

	if (!path)
		return rk_err_nomem();
	return rk_fs_exists(path) ? rk_inline_index_open(path, &index) : NULL;
}

static struct rk_err *verify_build(const struct rk_cache_slot *slot, const struct rk_record *record,
				   const struct rk_reporter *reporter)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_free_ char *vmlinux = rk_path_join(slot->build, "vmlinux");
	struct rk_kernel_facts facts = {};

	if (!vmlinux)
		return rk_err_nomem();
	RK_TRY(check_config(slot));
	RK_TRY(check_inlines(slot));
	if (record->origin) /* a copy of the user's tree: nobody promised what is in it */
		return NULL;
	RK_TRY(rk_facts_vmlinux(vmlinux, &arena, &facts));
	RK_TRY(check_facts(vmlinux, &facts, record));
	RK_TRY(check_sums(slot->build, "vmlinux.sha256", reporter));
	return check_sums(slot->build, RK_SOURCE_SUMS, reporter);
}

/* A package that is still on offer under the same version must still be the same package. */
static struct rk_err *check_packages(const struct rk_record *record)
{
	_cleanup_apt_packages_ struct rk_apt_packages offers = {};
	const char *names[8];
	size_t nr = 0;

	rk_vec_for_each(&record->packages, p) {
		if (nr < ARRAY_SIZE(names))
			names[nr++] = p->name;
	}
	if (nr == 0)
		return NULL;
	RK_TRY(rk_apt_show(names, nr, &offers));
	rk_vec_for_each(&record->packages, p) {
		const struct rk_apt_package *offer = rk_apt_find(&offers, p->name, p->version);

		if (offer && !rk_streq(offer->sha256, p->sha256))
			return rk_err(
				RK_ERR_MISMATCH,
				"'%s' %s on offer isn't the package that was fetched (SHA-256 %s, fetched %s)",
				p->name, p->version, offer->sha256, p->sha256);
	}
	return NULL;
}

static struct rk_err *verify_agreement(const struct rk_record *image, const struct rk_record *build)
{
	if (build->origin ||
	    (rk_streq(image->release, build->release) && rk_streq(image->version, build->version)))
		return NULL;
	return rk_err(RK_ERR_MISMATCH, "image is of '%s' %s, the build part of '%s' %s",
		      image->release, image->version, build->release, build->version);
}

static struct rk_err *verify_slot(const struct rk_cache_slot *slot,
				  const struct rk_target_options *options)
{
	_cleanup_record_ struct rk_record image = {}, build = {};
	bool has_image, has_build;

	RK_TRY(rk_cache_part(slot->image, &has_image, &image));
	RK_TRY(rk_cache_part(slot->build, &has_build, &build));
	if (!has_image && !has_build)
		return rk_err(RK_ERR_NOT_FOUND, "target '%s' isn't in the cache '%s'", slot->id,
			      options->cache_dir);
	rk_report_phase(options->reporter, "verify", "checking '%s'", slot->id);
	if (has_image && has_build)
		RK_TRY(verify_agreement(&image, &build));
	if (has_image)
		RK_TRY(verify_image(slot, &image, options->reporter));
	if (has_build)
		RK_TRY(verify_build(slot, &build, options->reporter));
	if (options->offline)
		return NULL;
	RK_TRY(check_packages(&image));
	return check_packages(&build);
}

struct rk_err *rk_target_verify(const char *text, const struct rk_target_options *options)
{
	_cleanup_spec_ struct rk_spec spec = {};
	_cleanup_slot_ struct rk_cache_slot slot = {.use_fd = -1, .fetch_fd = -1};

	RK_TRY(rk_spec_parse(text, &spec));
	RK_TRY(rk_cache_slot_init(options->cache_dir, spec.id, &slot));
	RK_TRY(rk_cache_use(&slot, options->cache_dir, options->reporter));
	return verify_slot(&slot, options);
}

struct rk_err *rk_target_remove(const char *text, const struct rk_target_options *options)
{
	_cleanup_spec_ struct rk_spec spec = {};
	_cleanup_slot_ struct rk_cache_slot slot = {.use_fd = -1, .fetch_fd = -1};

	RK_TRY(rk_spec_parse(text, &spec));
	RK_TRY(rk_cache_slot_init(options->cache_dir, spec.id, &slot));
	return rk_cache_remove(&slot, options->cache_dir);
}
