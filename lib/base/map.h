/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hash map from strings or pointers to pointers. Keys are borrowed: they must outlive the map. */
#ifndef RK_BASE_MAP_H
#define RK_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_map_slot;

struct rk_map {
	struct rk_map_slot *slots;
	size_t nr; /* keys in use */
	size_t cap;
};

void rk_map_deinit(struct rk_map *map);

/* The value of key, NULL if absent. */
void *rk_map_get(const struct rk_map *map, const char *key);
/* Sets or replaces; false without memory. value must not be NULL. */
bool rk_map_set(struct rk_map *map, const char *key, void *value);

/* The same with the pointer itself as key; one map holds keys of one kind only. */
void *rk_map_get_ptr(const struct rk_map *map, const void *key);
bool rk_map_set_ptr(struct rk_map *map, const void *key, void *value);

/* Walks all entries in no stable order: start with *pos = 0; false at the end. */
bool rk_map_next(const struct rk_map *map, size_t *pos, const char **ret_key, void **ret_value);

#endif
