/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open addressing with linear probing in a table of a power of two, at most three quarters full.
 * Entries are never removed one by one, so there are no tombstones.
 */
#include "lib/base/map.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 16

struct rk_map_slot {
	const void *key; /* NULL: free */
	void *value;
	uint64_t hash;
};

void rk_map_deinit(struct rk_map *map)
{
	free(map->slots);
	*map = (struct rk_map){};
}

/* The finalizer of MurmurHash3 (public domain): every input bit reaches the low bits we index by. */
static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	h ^= h >> 33;
	return h;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_string(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
	return mix(h);
}

static uint64_t hash_pointer(const void *p)
{
	return mix((uint64_t)(uintptr_t)p);
}

/* The slot that holds key, or the free one where it would go; the table has at least one free. */
static struct rk_map_slot *find(const struct rk_map *map, const void *key, uint64_t hash,
				bool is_string)
{
	size_t mask = map->cap - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct rk_map_slot *slot = &map->slots[i];

		if (!slot->key || slot->key == key)
			return slot;
		if (is_string && slot->hash == hash && strcmp(slot->key, key) == 0)
			return slot;
	}
}

static bool grow(struct rk_map *map)
{
	struct rk_map bigger = {.nr = map->nr, .cap = map->cap ? map->cap * 2 : FIRST_CAP};

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < map->cap; i++) {
		const struct rk_map_slot *slot = &map->slots[i];

		/* Keys are known to differ, so the pointer comparison of find() is enough. */
		if (slot->key)
			*find(&bigger, slot->key, slot->hash, false) = *slot;
	}
	free(map->slots);
	*map = bigger;
	return true;
}

static bool set(struct rk_map *map, const void *key, uint64_t hash, bool is_string, void *value)
{
	if (map->nr >= map->cap / 4 * 3 && !grow(map))
		return false;

	struct rk_map_slot *slot = find(map, key, hash, is_string);
	if (!slot->key) {
		slot->key = key;
		slot->hash = hash;
		map->nr++;
	}
	slot->value = value;
	return true;
}

void *rk_map_get(const struct rk_map *map, const char *key)
{
	return map->cap ? find(map, key, hash_string(key), true)->value : NULL;
}

bool rk_map_set(struct rk_map *map, const char *key, void *value)
{
	return set(map, key, hash_string(key), true, value);
}

void *rk_map_get_ptr(const struct rk_map *map, const void *key)
{
	return map->cap ? find(map, key, hash_pointer(key), false)->value : NULL;
}

bool rk_map_set_ptr(struct rk_map *map, const void *key, void *value)
{
	return set(map, key, hash_pointer(key), false, value);
}

bool rk_map_next(const struct rk_map *map, size_t *pos, const char **ret_key, void **ret_value)
{
	for (; *pos < map->cap; (*pos)++) {
		const struct rk_map_slot *slot = &map->slots[*pos];

		if (!slot->key)
			continue;
		if (ret_key)
			*ret_key = slot->key;
		if (ret_value)
			*ret_value = slot->value;
		(*pos)++;
		return true;
	}
	return false;
}
