/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A package is an archive of archives (ar, tar, and in linux-source once more tar). Each level is a libarchive reader
 * that takes its bytes from a member of the one outside it, so nothing is written that isn't wanted in the end.
 */
#include "lib/target/deb.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/sha256.h"
#include "lib/base/vec.h"

#define READ_SIZE    (1u << 20)
#define CONTROL_MAX  (1u << 20) /* a control file is a few KiB */
#define SYMLINKS_MAX (1u << 20)

/* One level of archives. */
struct level {
	struct archive *archive;
	struct archive *outer; /* where its bytes come from; NULL for the file */
};

static void level_close(struct level *level)
{
	if (level->archive)
		archive_read_free(level->archive);
	level->archive = NULL;
}

static la_ssize_t read_outer(struct archive *archive, void *ctx, const void **ret)
{
	struct level *level = ctx;
	la_int64_t offset;
	size_t size = 0;
	int status = archive_read_data_block(level->outer, ret, &size, &offset);

	if (status == ARCHIVE_EOF)
		return 0;
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
		archive_set_error(archive, archive_errno(level->outer), "%s",
				  archive_error_string(level->outer));
		return -1;
	}
	return (la_ssize_t)size;
}

static struct rk_err *archive_failed(struct archive *archive, const char *deb)
{
	const char *text = archive_error_string(archive);

	return rk_err(RK_ERR_FORMAT, "cannot read '%s': %s", deb, text ? text : "damaged archive");
}

static struct rk_err *open_file(const char *deb, struct level *ret)
{
	struct level level = {.archive = archive_read_new()};

	if (!level.archive)
		return rk_err_nomem();
	archive_read_support_format_ar(level.archive);
	if (archive_read_open_filename(level.archive, deb, READ_SIZE) != ARCHIVE_OK) {
		struct rk_err *err = archive_failed(level.archive, deb);

		level_close(&level);
		return err;
	}
	*ret = level;
	return NULL;
}

/* Opens the member that outer stands at as a tar archive, however it is compressed. */
static struct rk_err *open_member(const char *deb, struct archive *outer, struct level *ret)
{
	*ret = (struct level){.archive = archive_read_new(), .outer = outer};
	if (!ret->archive)
		return rk_err_nomem();
	archive_read_support_format_tar(ret->archive);
	archive_read_support_filter_all(ret->archive);
	if (archive_read_open2(ret->archive, ret, NULL, read_outer, NULL, NULL) != ARCHIVE_OK)
		return archive_failed(ret->archive, deb);
	return NULL;
}

/* The next member; *ret is NULL at the end. */
static struct rk_err *next_member(struct archive *archive, const char *deb,
				  struct archive_entry **ret)
{
	int status = archive_read_next_header(archive, ret);

	if (status == ARCHIVE_EOF) {
		*ret = NULL;
		return NULL;
	}
	return status == ARCHIVE_OK || status == ARCHIVE_WARN ? NULL : archive_failed(archive, deb);
}

static const char *member_path(struct archive_entry *entry)
{
	const char *path = archive_entry_pathname(entry);

	if (!path)
		return "";
	return rk_has_prefix(path, "./") ? path + 2 : path;
}

/* Moves to the member that starts with (or is) name. */
static struct rk_err *find_member(struct archive *archive, const char *deb, const char *name,
				  bool prefix)
{
	struct archive_entry *entry;

	for (;;) {
		RK_TRY(next_member(archive, deb, &entry));
		if (!entry)
			return rk_err(RK_ERR_FORMAT, "'%s' has no '%s'", deb, name);
		const char *path = member_path(entry);
		if (prefix ? rk_has_prefix(path, name) : rk_streq(path, name))
			return NULL;
	}
}

/* What unpacking carries along. */
struct unpacker {
	const char *deb;
	const struct rk_unpack *spec;
	struct archive *file; /* the outermost, for how far we are */
	struct rk_str target; /* path below dest of the current member */
	rk_vec(char *) links; /* symbolic links, made at the end: pairs of content and path */
};

static void unpacker_deinit(struct unpacker *u)
{
	rk_str_deinit(&u->target);
	rk_vec_for_each(&u->links, link)
		free(*link);
	rk_vec_deinit(&u->links);
}

/* A path that can't leave the directory it is put below. */
static bool stays_inside(const char *path)
{
	if (path[0] == '/' || path[0] == '\0')
		return false;
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
			return false;
	}
	return true;
}

static struct rk_err *check_cancel(const struct unpacker *u)
{
	if (rk_is_interrupted() || (u->spec->cancel && atomic_load(u->spec->cancel)))
		return rk_err(RK_ERR_INTERRUPTED, "interrupted while unpacking '%s'", u->deb);
	return NULL;
}

static struct rk_err *write_all(int fd, const char *path, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot write '%s'", path);
		p += n;
		size -= (size_t)n;
	}
	return NULL;
}

static struct rk_err *copy_data(struct unpacker *u, struct archive *archive, int fd,
				const char *path, struct rk_sha256 *hash)
{
	const void *data;
	size_t size;
	la_int64_t offset, expected = 0;
	int status;

	while ((status = archive_read_data_block(archive, &data, &size, &offset)) == ARCHIVE_OK) {
		RK_TRY(check_cancel(u));
		/* Only sparse members have holes, and no kernel package has them. */
		if (offset != expected)
			return rk_err(RK_ERR_UNSUPPORTED, "'%s' in '%s' is a sparse file", path,
				      u->deb);
		expected += (la_int64_t)size;
		if (hash)
			rk_sha256_add(hash, data, size);
		RK_TRY(write_all(fd, path, data, size));
		if (u->spec->packed)
			atomic_store(u->spec->packed, (uint64_t)archive_filter_bytes(u->file, -1));
	}
	return status == ARCHIVE_EOF ? NULL : archive_failed(archive, u->deb);
}

static struct rk_err *unpack_file(struct unpacker *u, struct archive *archive,
				  struct archive_entry *entry, const char *path, bool stays)
{
	char hex[RK_SHA256_HEX_SIZE];
	struct rk_sha256 *hash = NULL;
	bool is_hashed = u->spec->hashes && stays;
	struct timespec times[2] = {
		{.tv_sec = archive_entry_mtime(entry)},
		{.tv_sec = archive_entry_mtime(entry)},
	};
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				      archive_entry_perm(entry) & 0777);

	if (fd < 0)
		return rk_err_sys(errno, "cannot create '%s'", path);
	if (is_hashed)
		RK_TRY(rk_sha256_create(&hash));
	struct rk_err *err = copy_data(u, archive, fd, path, hash);
	if (hash) {
		struct rk_err *hash_err = rk_sha256_finish(hash, hex);

		rk_err_free(err ? hash_err : NULL);
		err = err ? err : hash_err;
	}
	if (err)
		return err;
	if (is_hashed)
		rk_str_addf(u->spec->hashes, "%s  %s\n", hex, rk_str_get(&u->target));
	/* Makefile rules compare times: they are those of the package, not of the unpacking. */
	if (futimens(fd, times) < 0)
		return rk_err_sys(errno, "cannot set the time of '%s'", path);
	return NULL;
}

static struct rk_err *remember_link(struct unpacker *u, struct archive_entry *entry,
				    const char *path)
{
	const char *content = archive_entry_symlink(entry);
	char *pair[2] = {strdup(content ? content : ""), strdup(path)};

	if (u->links.nr >= SYMLINKS_MAX) {
		free(pair[0]);
		free(pair[1]);
		return rk_err(RK_ERR_LIMIT, "'%s' has too many symbolic links", u->deb);
	}
	for (int i = 0; i < 2; i++) {
		if (pair[i] && rk_vec_push(&u->links, pair[i]))
			continue;
		for (; i < 2; i++)
			free(pair[i]);
		return rk_err_nomem();
	}
	return NULL;
}

/* Links come last, so that no file is ever written through one. */
static struct rk_err *make_links(struct unpacker *u)
{
	for (size_t i = 0; i + 1 < u->links.nr; i += 2) {
		if (symlink(u->links.v[i], u->links.v[i + 1]) < 0)
			return rk_err_sys(errno, "cannot create '%s'", u->links.v[i + 1]);
	}
	return NULL;
}

static struct rk_err *lend_file(struct unpacker *u, struct archive *archive,
				struct archive_entry *entry, const char *path)
{
	RK_TRY(unpack_file(u, archive, entry, path, false));
	struct rk_err *err = u->spec->lend(u->spec->ctx, path);
	if (unlink(path) < 0 && !err)
		err = rk_err_sys(errno, "cannot remove '%s'", path);
	return err;
}

static struct rk_err *unpack_entry(struct unpacker *u, struct archive *archive,
				   struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	/* A hard link has no type of its own. */
	if (type != AE_IFREG && type != AE_IFLNK && !archive_entry_hardlink(entry))
		return NULL;
	rk_str_clear(&u->target);
	enum rk_unpack_choice choice =
		u->spec->choose(u->spec->ctx, member_path(entry), &u->target);
	if (choice == RK_UNPACK_SKIP)
		return NULL;
	RK_TRY(rk_str_check(&u->target));
	if (!stays_inside(rk_str_get(&u->target)) || archive_entry_hardlink(entry))
		return rk_err(RK_ERR_FORMAT, "'%s' has a member '%s' that can't be unpacked safely",
			      u->deb, member_path(entry));

	_cleanup_free_ char *path = rk_path_join(u->spec->dest, rk_str_get(&u->target));
	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_parent(path, 0755));
	if (choice == RK_UNPACK_LEND)
		return type == AE_IFLNK ? NULL : lend_file(u, archive, entry, path);
	return type == AE_IFLNK ? remember_link(u, entry, path)
				: unpack_file(u, archive, entry, path, true);
}

static struct rk_err *unpack_all(struct unpacker *u, struct archive *archive)
{
	struct archive_entry *entry;

	for (;;) {
		RK_TRY(check_cancel(u));
		RK_TRY(next_member(archive, u->deb, &entry));
		if (!entry)
			break;
		RK_TRY(unpack_entry(u, archive, entry));
		if (u->spec->packed)
			atomic_store(u->spec->packed, (uint64_t)archive_filter_bytes(u->file, -1));
	}
	return make_links(u);
}

struct rk_err *rk_deb_unpack(const char *deb, const struct rk_unpack *unpack)
{
	/* Declared outside in, freed inside out. */
	_cleanup_(level_close) struct level file = {};
	_cleanup_(level_close) struct level data = {};
	_cleanup_(level_close) struct level nested = {};
	_cleanup_(unpacker_deinit) struct unpacker u = {.deb = deb, .spec = unpack};

	RK_TRY(rk_fs_mkdir_p(unpack->dest, 0755));
	RK_TRY(open_file(deb, &file));
	u.file = file.archive;
	RK_TRY(find_member(file.archive, deb, "data.tar", true));
	RK_TRY(open_member(deb, file.archive, &data));
	if (!unpack->nested)
		return unpack_all(&u, data.archive);
	RK_TRY(find_member(data.archive, deb, unpack->nested, false));
	RK_TRY(open_member(deb, data.archive, &nested));
	return unpack_all(&u, nested.archive);
}

static struct rk_err *read_control(const char *deb, struct rk_str *ret)
{
	_cleanup_(level_close) struct level file = {};
	_cleanup_(level_close) struct level control = {};
	char buf[4096];
	la_ssize_t n;

	RK_TRY(open_file(deb, &file));
	RK_TRY(find_member(file.archive, deb, "control.tar", true));
	RK_TRY(open_member(deb, file.archive, &control));
	RK_TRY(find_member(control.archive, deb, "control", false));
	while ((n = archive_read_data(control.archive, buf, sizeof(buf))) > 0) {
		if (ret->len + (size_t)n > CONTROL_MAX)
			return rk_err(RK_ERR_LIMIT, "the control file of '%s' is too large", deb);
		rk_str_add_bytes(ret, buf, (size_t)n);
	}
	return n < 0 ? archive_failed(control.archive, deb) : rk_str_check(ret);
}

struct rk_err *rk_deb_field(const char *deb, const char *field, char **ret)
{
	_cleanup_str_ struct rk_str control = RK_STR_INIT;
	size_t len = strlen(field);

	RK_TRY(read_control(deb, &control));
	for (const char *p = rk_str_get(&control); p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, field, len) == 0 && p[len] == ':') {
			p += len + 1;
			p += strspn(p, " \t");
			*ret = strndup(p, strcspn(p, "\n"));
			return *ret ? NULL : rk_err_nomem();
		}
	}
	return rk_err(RK_ERR_FORMAT, "the control file of '%s' has no '%s'", deb, field);
}
