/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the index: nothing in it is believed but what its hash says, and each offset is checked where it is used. */
#include "lib/target/inline_index.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"

#define HASHED_FROM offsetof(struct rk_inline_header, origin)

struct rk_inline_index {
	char *name; /* of the file, for messages */
	char origin[RK_SHA256_HEX_SIZE];
	const struct rk_inline_object *objects;
	const struct rk_inline_unit *units;
	const struct rk_inline_function *functions;
	const struct rk_inline_place *places;
	const char *strings;
	uint32_t nr_objects, nr_units, nr_functions, nr_places, nr_string_bytes;
	void *map; /* NULL: the caller's bytes */
	size_t map_size;
};

static struct rk_err *damaged(const char *name)
{
	return rk_err(RK_ERR_FORMAT, "'%s' is damaged; remove the target and fetch it again", name);
}

/* Parts of four bytes at least stand at offsets that are multiples of four. */
static struct rk_err *lay_out(struct rk_inline_index *index, const struct rk_inline_header *h,
			      size_t size)
{
	const char *start = (const char *)h;
	size_t at = sizeof(*h);
	const struct {
		uint32_t value, *nr;
		const void *part;
		size_t each;
	} parts[] = {
		{h->nr_objects, &index->nr_objects, &index->objects, sizeof(*index->objects)},
		{h->nr_units, &index->nr_units, &index->units, sizeof(*index->units)},
		{h->nr_functions, &index->nr_functions, &index->functions,
		 sizeof(*index->functions)},
		{h->nr_places, &index->nr_places, &index->places, sizeof(*index->places)},
		{h->nr_string_bytes, &index->nr_string_bytes, &index->strings, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		uint32_t nr = le32toh(parts[i].value);

		if (nr > (size - at) / parts[i].each)
			return damaged(index->name);
		*parts[i].nr = nr;
		memcpy((void *)parts[i].part, &(const void *){start + at}, sizeof(void *));
		at += nr * parts[i].each;
	}
	if (at != size || (index->nr_string_bytes && start[size - 1] != '\0'))
		return damaged(index->name);
	return NULL;
}

static struct rk_err *check(struct rk_inline_index *index, const void *data, size_t size)
{
	const struct rk_inline_header *h = data;
	static const char magic[sizeof(h->magic)] = RK_INLINE_MAGIC;
	char hash[RK_SHA256_HEX_SIZE];

	if (size < sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0)
		return rk_err(RK_ERR_FORMAT, "'%s' is no index of inlined functions", index->name);
	RK_TRY(rk_sha256_bytes((const char *)data + HASHED_FROM, size - HASHED_FROM, hash));
	if (memcmp(hash, h->hash, sizeof(h->hash)) != 0)
		return damaged(index->name);
	memcpy(index->origin, h->origin, sizeof(h->origin));
	return lay_out(index, h, size);
}

struct rk_err *rk_inline_index_parse(const char *name, const void *data, size_t size,
				     struct rk_inline_index **ret)
{
	_cleanup_inline_index_ struct rk_inline_index *index = calloc(1, sizeof(*index));

	if (!index)
		return rk_err_nomem();
	index->name = strdup(name);
	if (!index->name)
		return rk_err_nomem();
	RK_TRY(check(index, data, size));
	*ret = take_ptr(index);
	return NULL;
}

struct rk_err *rk_inline_index_open(const char *path, struct rk_inline_index **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return rk_err(RK_ERR_FORMAT, "'%s' is no index of inlined functions", path);
	size_t size = (size_t)st.st_size;
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return rk_err_sys(errno, "cannot read '%s'", path);
	struct rk_err *err = rk_inline_index_parse(path, map, size, ret);
	if (err) {
		munmap(map, size);
		return err;
	}
	(*ret)->map = map;
	(*ret)->map_size = size;
	return NULL;
}

void rk_inline_index_close(struct rk_inline_index *index)
{
	if (!index)
		return;
	if (index->map)
		munmap(index->map, index->map_size);
	free(index->name);
	free(index);
}

const char *rk_inline_index_origin(const struct rk_inline_index *index)
{
	return index->origin;
}

static struct rk_err *get_string(const struct rk_inline_index *index, uint32_t offset,
				 const char **ret)
{
	offset = le32toh(offset);
	if (offset >= index->nr_string_bytes)
		return damaged(index->name);
	*ret = index->strings + offset;
	return NULL;
}

struct rk_err *rk_inline_index_count(const struct rk_inline_index *index,
				     struct rk_inline_counts *ret)
{
	struct rk_inline_counts counts = {};

	for (uint32_t i = 0; i < index->nr_objects; i++) {
		const char *name;

		RK_TRY(get_string(index, index->objects[i].name, &name));
		if (rk_streq(name, "vmlinux")) {
			counts.knows_vmlinux = index->objects[i].is_known;
			continue;
		}
		counts.modules++;
		counts.unknown_modules += !index->objects[i].is_known;
	}
	*ret = counts;
	return NULL;
}

/* The first function of the name, or where it would be. */
static struct rk_err *find_first(const struct rk_inline_index *index, const char *function,
				 uint32_t *ret)
{
	uint32_t low = 0, high = index->nr_functions;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const char *name;

		RK_TRY(get_string(index, index->functions[mid].name, &name));
		if (strcmp(name, function) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = low;
	return NULL;
}

static struct rk_err *get_place(const struct rk_inline_index *index,
				const struct rk_inline_place *place, struct rk_inline *ret)
{
	uint32_t unit = le32toh(place->unit), container = le32toh(place->container);
	struct rk_inline found = {};

	if (unit >= index->nr_units || le32toh(index->units[unit].object) >= index->nr_objects)
		return damaged(index->name);
	const struct rk_inline_object *object = &index->objects[le32toh(index->units[unit].object)];
	RK_TRY(get_string(index, index->units[unit].name, &found.unit));
	RK_TRY(get_string(index, object->name, &found.object));
	if (container != RK_INLINE_NOWHERE) {
		found.is_init = container & RK_INLINE_INIT;
		RK_TRY(get_string(index, htole32(container & ~RK_INLINE_INIT), &found.container));
	}
	*ret = found;
	return NULL;
}

static struct rk_err *visit(const struct rk_inline_index *index,
			    const struct rk_inline_function *function,
			    struct rk_err *(*fn)(void *, const struct rk_inline *), void *ctx)
{
	uint32_t first = le32toh(function->first_place), nr = le32toh(function->nr_places);

	if (first > index->nr_places || nr > index->nr_places - first)
		return damaged(index->name);
	for (uint32_t i = first; i < first + nr; i++) {
		struct rk_inline found;

		RK_TRY(get_place(index, &index->places[i], &found));
		RK_TRY(fn(ctx, &found));
	}
	return NULL;
}

struct rk_err *rk_inline_index_find(const struct rk_inline_index *index, const char *function,
				    const char *file,
				    struct rk_err *(*fn)(void *ctx, const struct rk_inline *found),
				    void *ctx)
{
	const char *name, *path;
	uint32_t i;

	RK_TRY(find_first(index, function, &i));
	for (; i < index->nr_functions; i++) {
		RK_TRY(get_string(index, index->functions[i].name, &name));
		if (!rk_streq(name, function))
			break;
		RK_TRY(get_string(index, index->functions[i].file, &path));
		if (rk_is_path_of(path, file))
			RK_TRY(visit(index, &index->functions[i], fn, ctx));
	}
	return NULL;
}
