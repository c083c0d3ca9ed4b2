/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stock modules of a kernel as files below one directory, and the order in which a module's dependencies must be
 * loaded. Read from the modules themselves (.modinfo depends, softdep), so a directory that depmod never saw is enough.
 */
#ifndef RK_VM_STOCK_H
#define RK_VM_STOCK_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"

struct rk_stock {
	struct rk_arena arena;
	const char *dir;
	struct rk_map files;   /* module name ('-' as '_') → path of its .ko */
	struct rk_map builtin; /* module name → itself, for what is part of the kernel's image */
	struct rk_map builtin_aliases; /* the same of the aliases that these have */
	struct rk_map chosen;	       /* names that an order lists already */
};

struct rk_stock_module {
	const char *name;
	const char *path;
};

/* Finds the modules below dir (/lib/modules/RELEASE or what is unpacked of it). */
struct rk_err *rk_stock_open(const char *dir, struct rk_stock **ret) __must_use;
void rk_stock_close(struct rk_stock *stock);

struct rk_stock_order {
	rk_vec(struct rk_stock_module) list; /* strings belong to the rk_stock */
};

/* Appends name and what it needs, dependencies first, each module once over all calls since rk_stock_restart(). A built-in module needs nothing and is
 * left out. Errors: RK_ERR_NOT_FOUND, RK_ERR_FORMAT. */
struct rk_err *rk_stock_add(struct rk_stock *stock, const char *name, struct rk_stock_order *order)
	__must_use;

/* Forgets which modules were appended. */
void rk_stock_restart(struct rk_stock *stock);

/* True when the kernel has name built in. */
bool rk_stock_is_builtin(struct rk_stock *stock, const char *name);

#endif
