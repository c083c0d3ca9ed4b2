/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making the index. Strings have numbers in the order in which they came; once all are known these become ranks, by which all else is sorted. */
#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/elf/debug_inlines.h"
#include "lib/source/paths.h"
#include "lib/target/inline_index.h"

#define PATH_LENGTH_MAX 4096
#define NO_STRING	UINT32_MAX

struct string {
	const char *text;
	uint32_t number, offset;
};

/* Numbers of strings; of units in the case of unit. */
struct record {
	uint32_t function, file, unit, container;
	bool is_init;
};

struct object {
	uint32_t name;
	bool is_known;
};

struct unit {
	uint32_t object, name, number;
};

struct rk_inline_builder {
	pthread_mutex_t lock;
	struct rk_arena arena;
	struct rk_map numbers; /* of strings, plus 1 */
	rk_vec(struct string) strings;
	rk_vec(struct object) objects;
	rk_vec(struct unit) units;
	rk_vec(struct record) records;
};

/* One file that is read. */
struct source {
	struct rk_inline_builder *builder;
	uint32_t object; /* number of its name */
	uint32_t unit;
	char unit_name[PATH_LENGTH_MAX]; /* of unit; "": none yet */
};

struct rk_err *rk_inline_builder_create(struct rk_inline_builder **ret)
{
	struct rk_inline_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return rk_err_nomem();
	pthread_mutex_init(&builder->lock, NULL);
	*ret = builder;
	return NULL;
}

void rk_inline_builder_destroy(struct rk_inline_builder *builder)
{
	if (!builder)
		return;
	pthread_mutex_destroy(&builder->lock);
	rk_map_deinit(&builder->numbers);
	rk_vec_deinit(&builder->strings);
	rk_vec_deinit(&builder->objects);
	rk_vec_deinit(&builder->units);
	rk_vec_deinit(&builder->records);
	rk_arena_deinit(&builder->arena);
	free(builder);
}

static struct rk_err *intern(struct rk_inline_builder *b, const char *text, uint32_t *ret)
{
	uintptr_t number = (uintptr_t)rk_map_get(&b->numbers, text);

	if (number) {
		*ret = (uint32_t)(number - 1);
		return NULL;
	}
	struct string string = {rk_arena_strdup(&b->arena, text), (uint32_t)b->strings.nr, 0};
	if (!string.text || !rk_vec_push(&b->strings, string) ||
	    !rk_map_set(&b->numbers, string.text, (void *)(uintptr_t)b->strings.nr))
		return rk_err_nomem();
	*ret = string.number;
	return NULL;
}

/* Paths are kept as they are in the source tree. A longer one than any compiler has is of no use and stays as it is cut. */
static void copy_path(char into[PATH_LENGTH_MAX], const char *path)
{
	size_t len = strnlen(path, PATH_LENGTH_MAX - 1);

	memcpy(into, path, len);
	into[len] = '\0';
	rk_path_normalise(into + (*into == '/'));
}

static struct rk_err *find_unit(struct source *s, const char *name)
{
	struct rk_inline_builder *b = s->builder;
	char path[PATH_LENGTH_MAX];
	struct unit unit = {.object = s->object, .number = (uint32_t)b->units.nr};

	copy_path(path, name);
	if (*s->unit_name && rk_streq(path, s->unit_name))
		return NULL;
	RK_TRY(intern(b, path, &unit.name));
	if (!rk_vec_push(&b->units, unit))
		return rk_err_nomem();
	s->unit = unit.number;
	memcpy(s->unit_name, path, sizeof(path));
	return NULL;
}

static struct rk_err *add_record(struct source *s, const struct rk_debug_inline *found)
{
	struct rk_inline_builder *b = s->builder;
	struct record record = {.container = NO_STRING, .is_init = found->is_init};
	char path[PATH_LENGTH_MAX];

	RK_TRY(find_unit(s, found->unit));
	record.unit = s->unit;
	copy_path(path, found->file);
	RK_TRY(intern(b, path, &record.file));
	RK_TRY(intern(b, found->function, &record.function));
	if (found->container)
		RK_TRY(intern(b, found->container, &record.container));
	return rk_vec_push(&b->records, record) ? NULL : rk_err_nomem();
}

static struct rk_err *take(void *ctx, const struct rk_debug_inline *found)
{
	struct source *s = ctx;

	pthread_mutex_lock(&s->builder->lock);
	struct rk_err *err = add_record(s, found);
	pthread_mutex_unlock(&s->builder->lock);
	return err;
}

static struct rk_err *add_object(struct source *s, bool known)
{
	struct object object = {.name = s->object, .is_known = known};

	pthread_mutex_lock(&s->builder->lock);
	bool added = rk_vec_push(&s->builder->objects, object);
	pthread_mutex_unlock(&s->builder->lock);
	return added ? NULL : rk_err_nomem();
}

static struct rk_err *name_object(struct source *s, const char *name)
{
	pthread_mutex_lock(&s->builder->lock);
	struct rk_err *err = intern(s->builder, name, &s->object);
	pthread_mutex_unlock(&s->builder->lock);
	return err;
}

struct rk_err *rk_inline_builder_add(struct rk_inline_builder *builder, const char *object,
				     const char *path)
{
	struct source s = {.builder = builder};
	bool known = false;

	RK_TRY(name_object(&s, object));
	RK_TRY(rk_debug_inlines_read(path, take, &s, &known));
	return add_object(&s, known);
}

struct rk_err *rk_inline_builder_add_unknown(struct rk_inline_builder *builder, const char *object)
{
	struct source s = {.builder = builder};

	RK_TRY(name_object(&s, object));
	rk_vec_for_each(&builder->objects, other)
		if (other->name == s.object)
			return NULL;
	return add_object(&s, false);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct string *)a)->text, ((const struct string *)b)->text);
}

#define ORDER(x, y)                                \
	do {                                       \
		if ((x) != (y))                    \
			return (x) < (y) ? -1 : 1; \
	} while (0)

static int by_unit(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;

	ORDER(x->object, y->object);
	ORDER(x->name, y->name);
	ORDER(x->number, y->number);
	return 0;
}

static int by_object(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	ORDER(x->name, y->name);
	ORDER(x->is_known, y->is_known);
	return 0;
}

static int by_record(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	ORDER(x->function, y->function);
	ORDER(x->file, y->file);
	ORDER(x->unit, y->unit);
	ORDER(x->container, y->container);
	ORDER(x->is_init, y->is_init);
	return 0;
}

#define SORT(vec, order)                                                      \
	do {                                                                  \
		if ((vec)->nr)                                                \
			qsort((vec)->v, (vec)->nr, sizeof(*(vec)->v), order); \
	} while (0)

/* What the file is made of. */
struct output {
	struct rk_str objects, units, functions, places, strings;
	uint32_t nr_objects, nr_units, nr_functions, nr_places;
};

static void output_deinit(struct output *out)
{
	struct rk_str *parts[] = {&out->objects, &out->units, &out->functions, &out->places,
				  &out->strings};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		rk_str_deinit(parts[i]);
}

static void add_number(struct rk_str *part, uint32_t number)
{
	uint32_t bytes = htole32(number);

	rk_str_add_bytes(part, &bytes, sizeof(bytes));
}

/* Strings become sorted; ranks[] tells where each number is now. */
static struct rk_err *rank_strings(struct rk_inline_builder *b, struct output *out, uint32_t *ranks)
{
	SORT(&b->strings, by_text);
	for (uint32_t i = 0; i < b->strings.nr; i++) {
		struct string *string = &b->strings.v[i];

		if (out->strings.len >= RK_INLINE_INIT)
			return rk_err(RK_ERR_LIMIT, "there are too many names of functions");
		ranks[string->number] = i;
		string->offset = (uint32_t)out->strings.len;
		rk_str_add_bytes(&out->strings, string->text, strlen(string->text) + 1);
	}
	return rk_str_check(&out->strings);
}

static uint32_t offset_of(const struct rk_inline_builder *b, uint32_t rank)
{
	return b->strings.v[rank].offset;
}

static uint32_t place_of_object(const struct rk_inline_builder *b, uint32_t name)
{
	size_t low = 0, high = b->objects.nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->objects.v[mid].name < name)
			low = mid + 1;
		else
			high = mid;
	}
	return (uint32_t)low;
}

static void put_objects(struct rk_inline_builder *b, struct output *out, const uint32_t *ranks)
{
	rk_vec_for_each(&b->objects, object)
		object->name = ranks[object->name];
	SORT(&b->objects, by_object);
	rk_vec_for_each(&b->objects, object) {
		add_number(&out->objects, offset_of(b, object->name));
		add_number(&out->objects, object->is_known);
	}
	out->nr_objects = (uint32_t)b->objects.nr;
}

/* Two compilations of one name in one object (32-bit vDSO) are one unit. places[] tells where each number is now. */
static void put_units(struct rk_inline_builder *b, struct output *out, const uint32_t *ranks,
		      uint32_t *places)
{
	const struct unit *last = NULL;

	rk_vec_for_each(&b->units, unit) {
		unit->object = ranks[unit->object];
		unit->name = ranks[unit->name];
	}
	SORT(&b->units, by_unit);
	rk_vec_for_each(&b->units, unit) {
		if (!last || last->object != unit->object || last->name != unit->name) {
			add_number(&out->units, offset_of(b, unit->name));
			add_number(&out->units, place_of_object(b, unit->object));
			out->nr_units++;
		}
		places[unit->number] = out->nr_units - 1;
		last = unit;
	}
}

static void put_function(const struct rk_inline_builder *b, const struct record *record,
			 uint32_t first, struct output *out)
{
	add_number(&out->functions, offset_of(b, record->function));
	add_number(&out->functions, offset_of(b, record->file));
	add_number(&out->functions, first);
	add_number(&out->functions, out->nr_places - first);
	out->nr_functions++;
}

static void put_place(const struct rk_inline_builder *b, const struct record *record,
		      struct output *out)
{
	uint32_t container = RK_INLINE_NOWHERE;

	if (record->container != NO_STRING)
		container =
			offset_of(b, record->container) | (record->is_init ? RK_INLINE_INIT : 0);
	add_number(&out->places, record->unit);
	add_number(&out->places, container);
	out->nr_places++;
}

static void put_records(struct rk_inline_builder *b, struct output *out, const uint32_t *ranks,
			const uint32_t *units)
{
	const struct record *last = NULL;
	uint32_t first = 0;

	rk_vec_for_each(&b->records, record) {
		record->function = ranks[record->function];
		record->file = ranks[record->file];
		record->unit = units[record->unit];
		if (record->container != NO_STRING)
			record->container = ranks[record->container];
	}
	SORT(&b->records, by_record);
	rk_vec_for_each(&b->records, record) {
		if (last && (last->function != record->function || last->file != record->file)) {
			put_function(b, last, first, out);
			first = out->nr_places;
		}
		if (!last || by_record(last, record) != 0)
			put_place(b, record, out);
		last = record;
	}
	if (last)
		put_function(b, last, first, out);
}

static struct rk_err *put_all(struct rk_inline_builder *b, struct output *out)
{
	_cleanup_free_ uint32_t *ranks = calloc(b->strings.nr + 1, sizeof(*ranks));
	_cleanup_free_ uint32_t *units = calloc(b->units.nr + 1, sizeof(*units));

	if (!ranks || !units)
		return rk_err_nomem();
	RK_TRY(rank_strings(b, out, ranks));
	put_objects(b, out, ranks);
	put_units(b, out, ranks, units);
	put_records(b, out, ranks, units);
	return NULL;
}

struct rk_err *rk_inline_builder_write(struct rk_inline_builder *b, const char *origin,
				       const char *path)
{
	_cleanup_(output_deinit) struct output out = {};
	_cleanup_str_ struct rk_str file = RK_STR_INIT;
	struct rk_inline_header h = {.magic = RK_INLINE_MAGIC};
	char hash[RK_SHA256_HEX_SIZE];

	RK_TRY(put_all(b, &out));
	if (origin)
		memcpy(h.origin, origin, sizeof(h.origin));
	h.nr_objects = htole32(out.nr_objects);
	h.nr_units = htole32(out.nr_units);
	h.nr_functions = htole32(out.nr_functions);
	h.nr_places = htole32(out.nr_places);
	h.nr_string_bytes = htole32((uint32_t)out.strings.len);
	rk_str_add_bytes(&file, &h, sizeof(h));
	const struct rk_str *parts[] = {&out.objects, &out.units, &out.functions, &out.places,
					&out.strings};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		RK_TRY(rk_str_check(parts[i]));
		rk_str_add_bytes(&file, rk_str_get(parts[i]), parts[i]->len);
	}
	RK_TRY(rk_str_check(&file));
	char *bytes = (char *)rk_str_get(&file);
	size_t from = offsetof(struct rk_inline_header, origin);
	RK_TRY(rk_sha256_bytes(bytes + from, file.len - from, hash));
	memcpy(bytes + offsetof(struct rk_inline_header, hash), hash, sizeof(h.hash));
	return rk_fs_write(path, bytes, file.len, 0644);
}
