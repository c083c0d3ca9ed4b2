/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading bundles. The headers are all walked before anything is taken out: an archive with one bad entry is refused as a whole. Only
 * plain ustar is read; the extensions by which other tars name long files and links have types of their own and are refused with them.
 */
#include "lib/trust/bundle.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/trust/tar.h"

struct rk_bundle {
	struct rk_arena arena;
	const char *path; /* for messages */
	int fd;
	uint64_t size;
	rk_vec(struct rk_bundle_entry *) entries;
	struct rk_map by_name;
};

unsigned int rk_tar_checksum(const struct rk_tar_header *header)
{
	const uint8_t *bytes = (const uint8_t *)header;
	const size_t from = offsetof(struct rk_tar_header, checksum);
	unsigned int sum = 0;

	for (size_t i = 0; i < sizeof(*header); i++)
		sum += i >= from && i < from + sizeof(header->checksum) ? ' ' : bytes[i];
	return sum;
}

/* Digits, then blanks or NULs to the end of the field. */
static bool parse_octal(const char *field, size_t size, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		n = n * 8 + (uint64_t)(field[i] - '0');
	if (i == 0)
		return false;
	for (; i < size; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return false;
	*ret = n;
	return true;
}

static struct rk_err *read_at(const struct rk_bundle *bundle, uint64_t offset, void *to, size_t len)
{
	char *at = to;

	while (len > 0) {
		ssize_t n = pread(bundle->fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot read '%s'", bundle->path);
		if (n == 0)
			return rk_err(RK_ERR_FORMAT, "'%s' is cut off", bundle->path);
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return NULL;
}

static struct rk_err *check_header(const struct rk_bundle *bundle,
				   const struct rk_tar_header *header, const char *name,
				   uint64_t *ret_length)
{
	uint64_t checksum;

	if (memcmp(header->magic,
		   "ustar\0"
		   "00",
		   8) != 0)
		return rk_err(RK_ERR_FORMAT, "'%s' is no bundle (no ustar archive)", bundle->path);
	if (!parse_octal(header->checksum, sizeof(header->checksum), &checksum) ||
	    checksum != rk_tar_checksum(header))
		return rk_err(RK_ERR_BUNDLE, "'%s': the header of an entry is damaged",
			      bundle->path);
	if (header->type != '0')
		return rk_err(RK_ERR_BUNDLE, "'%s': entry '%s' is no regular file", bundle->path,
			      name);
	if (header->link[0])
		return rk_err(RK_ERR_BUNDLE, "'%s': entry '%s' is a link", bundle->path, name);
	if (!parse_octal(header->size, sizeof(header->size), ret_length))
		return rk_err(RK_ERR_BUNDLE, "'%s': the size of entry '%s' is no number",
			      bundle->path, name);
	return NULL;
}

static struct rk_err *check_entry(const struct rk_bundle *bundle, const char *name, uint64_t length)
{
	size_t limit = rk_repository_name_limit(name);

	if (!limit)
		return rk_err(RK_ERR_NAME, "'%s': '%s' is no name of a repository's file",
			      bundle->path, name);
	if (length > limit)
		return rk_err(RK_ERR_TOO_LARGE, "'%s': entry '%s' has more than %zu bytes",
			      bundle->path, name, limit);
	if (bundle->entries.nr == RK_BUNDLE_ENTRIES_MAX)
		return rk_err(RK_ERR_TOO_LARGE, "'%s': more than %d entries", bundle->path,
			      RK_BUNDLE_ENTRIES_MAX);
	if (rk_map_get(&bundle->by_name, name))
		return rk_err(RK_ERR_BUNDLE, "'%s': entry '%s' comes twice", bundle->path, name);
	return NULL;
}

/* What a header's name field says, printable or not, with its prefix. */
static const char *name_of(struct rk_bundle *bundle, const struct rk_tar_header *header)
{
	return rk_arena_printf(&bundle->arena, "%.*s%s%.*s", (int)sizeof(header->prefix),
			       header->prefix, header->prefix[0] ? "/" : "",
			       (int)sizeof(header->name), header->name);
}

static struct rk_err *read_entry(struct rk_bundle *bundle, const struct rk_tar_header *header,
				 uint64_t *offset)
{
	const char *name = name_of(bundle, header);
	struct rk_bundle_entry *entry = rk_arena_new(&bundle->arena, struct rk_bundle_entry);
	uint64_t length;

	if (!name || !entry)
		return rk_err_nomem();
	RK_TRY(check_header(bundle, header, name, &length));
	RK_TRY(check_entry(bundle, name, length));
	*entry = (struct rk_bundle_entry){name, *offset, length};
	/* length has at most 36 bits, the file's size 63: no sum here can overflow */
	*offset += (length + RK_TAR_BLOCK - 1) / RK_TAR_BLOCK * RK_TAR_BLOCK;
	if (*offset > bundle->size)
		return rk_err(RK_ERR_FORMAT, "'%s' is cut off", bundle->path);
	if (!rk_vec_push(&bundle->entries, entry) || !rk_map_set(&bundle->by_name, name, entry))
		return rk_err_nomem();
	return NULL;
}

static bool is_zero(const struct rk_tar_header *header)
{
	static const struct rk_tar_header zero;

	return memcmp(header, &zero, sizeof(zero)) == 0;
}

static struct rk_err *read_entries(struct rk_bundle *bundle)
{
	uint64_t offset = 0;

	for (;;) {
		struct rk_tar_header header;

		RK_TRY(read_at(bundle, offset, &header, sizeof(header)));
		offset += sizeof(header);
		if (is_zero(&header))
			return NULL;
		RK_TRY(read_entry(bundle, &header, &offset));
	}
}

struct rk_err *rk_bundle_open(int fd, const char *name, struct rk_bundle **ret)
{
	_cleanup_bundle_ struct rk_bundle *bundle = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return rk_err_sys(errno, "cannot read '%s'", name);
	if (!S_ISREG(st.st_mode))
		return rk_err(RK_ERR_FORMAT, "'%s' is no regular file", name);
	if ((uint64_t)st.st_size > RK_BUNDLE_SIZE_MAX)
		return rk_err(RK_ERR_TOO_LARGE, "'%s' has more than %llu bytes", name,
			      (unsigned long long)RK_BUNDLE_SIZE_MAX);
	bundle = calloc(1, sizeof(*bundle));
	if (!bundle)
		return rk_err_nomem();
	bundle->fd = fd;
	bundle->size = (uint64_t)st.st_size;
	bundle->path = rk_arena_strdup(&bundle->arena, name);
	if (!bundle->path)
		return rk_err_nomem();
	RK_TRY(read_entries(bundle));
	*ret = take_ptr(bundle);
	return NULL;
}

void rk_bundle_free(struct rk_bundle *bundle)
{
	if (!bundle)
		return;
	rk_vec_deinit(&bundle->entries);
	rk_map_deinit(&bundle->by_name);
	rk_arena_deinit(&bundle->arena);
	free(bundle);
}

size_t rk_bundle_nr_entries(const struct rk_bundle *bundle)
{
	return bundle->entries.nr;
}

const struct rk_bundle_entry *rk_bundle_entry(const struct rk_bundle *bundle, size_t i)
{
	return bundle->entries.v[i];
}

static struct rk_err *read_content(const struct rk_bundle *bundle,
				   const struct rk_bundle_entry *entry, char **ret)
{
	_cleanup_free_ char *bytes = malloc((size_t)entry->length + 1);

	if (!bytes)
		return rk_err_nomem();
	RK_TRY(read_at(bundle, entry->offset, bytes, (size_t)entry->length));
	bytes[entry->length] = '\0';
	*ret = take_ptr(bytes);
	return NULL;
}

static struct rk_err *get(void *ctx, const char *name, size_t max, char **ret, size_t *ret_len)
{
	const struct rk_bundle *bundle = ctx;
	const struct rk_bundle_entry *entry = rk_map_get(&bundle->by_name, name);

	if (!entry)
		return rk_err(RK_ERR_NOT_FOUND, "'%s': there is no '%s' in it", bundle->path, name);
	if (entry->length > max)
		return rk_err(RK_ERR_TOO_LARGE, "'%s': '%s' has more than %zu bytes", bundle->path,
			      name, max);
	RK_TRY(read_content(bundle, entry, ret));
	*ret_len = (size_t)entry->length;
	return NULL;
}

struct rk_trust_source rk_bundle_source(struct rk_bundle *bundle)
{
	return (struct rk_trust_source){get, bundle};
}

static struct rk_err *extract(const struct rk_bundle *bundle, const struct rk_bundle_entry *entry,
			      const char *dir)
{
	_cleanup_free_ char *bytes = NULL;

	RK_TRY(read_content(bundle, entry, &bytes));
	return rk_fs_write_below(dir, entry->name, bytes, (size_t)entry->length, 0644);
}

struct rk_err *rk_bundle_extract(struct rk_bundle *bundle, const char *dir)
{
	rk_vec_for_each(&bundle->entries, entry)
		RK_TRY(extract(bundle, *entry, dir));
	return NULL;
}
