/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of linking: place.c (where spans go), orc.c (unwind data), resolve.c (what names mean), callers.c, crossings.c, link.c. */
#ifndef RK_PATCH_LINK_INTERNAL_H
#define RK_PATCH_LINK_INTERNAL_H

#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/patch/link.h"

/* A section of the plan while it grows. */
struct rk_link_section {
	struct rk_plan_section *plan;
	struct rk_str bytes;	       /* not used for NOBITS */
	struct rk_plan_symbol *symbol; /* its section symbol, made when needed */
	struct rk_map strings;	       /* literal → struct rk_link_place, in string sections */
};

/* Where a span has been put. */
struct rk_link_place {
	struct rk_link_section *section;
	uint64_t offset;
	struct rk_plan_symbol *symbol; /* of named spans */
};

/* Code of one object that uses a new global of another one. */
struct rk_link_crossing {
	const struct rk_link_unit *unit;
	const struct rk_span *from;
	const struct rk_link_place *to;
};

struct rk_linker {
	struct rk_symbols *symbols;
	const struct rk_link_unit *units;
	size_t nr_units;
	struct rk_findings *findings;
	struct rk_plan *plan;
	rk_vec(struct rk_link_section *) sections;
	struct rk_map sections_by_name;
	struct rk_map places; /* span → struct rk_link_place */
	struct rk_map
		new_globals; /* "<object> <name>" → struct rk_link_place of a new global of some unit */
	struct rk_map resolved; /* "<unit index> <name>" → struct rk_plan_symbol */
	struct rk_map
		by_identity; /* symbol's final name → struct rk_plan_symbol, so that each is in the plan once */
	rk_vec(struct rk_link_crossing) crossings;
};

/* place.c */
/* The new global of that name that code of the object means: the object's own, else vmlinux', else that of the only or first other object. */
const struct rk_link_place *rk_link_find_global(const struct rk_linker *l, const char *object,
						const char *name);
struct rk_err *rk_link_place_unit(struct rk_linker *l, const struct rk_link_unit *unit) __must_use;
struct rk_err *rk_link_section_symbol(struct rk_linker *l, struct rk_link_section *section,
				      struct rk_plan_symbol **ret) __must_use;
struct rk_err *rk_link_add_reloc(struct rk_linker *l, struct rk_link_section *section,
				 uint64_t offset, uint32_t type, struct rk_plan_symbol *symbol,
				 int64_t addend) __must_use;
/* Appends size bytes (NULL: zeros) aligned to align; *ret_offset is where. */
struct rk_err *rk_link_append(struct rk_link_section *section, const void *data, uint64_t size,
			      uint64_t align, uint64_t *ret_offset) __must_use;
/* The section of that name, made at the first call. */
struct rk_err *rk_link_get_section(struct rk_linker *l, const char *name, const char *object,
				   uint32_t type, uint64_t flags, uint64_t align, uint64_t entsize,
				   struct rk_link_section **ret) __must_use;

/* orc.c: unwind entries of all functions of the unit that were placed. */
struct rk_err *rk_link_orc(struct rk_linker *l, const struct rk_link_unit *unit) __must_use;

/* resolve.c: what `name`, used by code of unit, is at run time: the unit's local symbol of that name or, when is_local is false,
 * what the linker would find. *ret is NULL after a finding said why it can't be reached. */
struct rk_err *rk_link_resolve(struct rk_linker *l, const struct rk_link_unit *unit,
			       const char *name, bool is_local, struct rk_plan_symbol **ret)
	__must_use;
/* Does object need the module, itself or through another? Otherwise that one may not be loaded when the object's code runs. */
struct rk_err *rk_link_depends_on(struct rk_linker *l, const struct rk_klp_object *object,
				  const char *module, bool *ret) __must_use;
/* One function to redirect: old is unit's, of that name in the original object, new_unit has the code at place. */
struct rk_err *rk_link_add_function(struct rk_linker *l, const struct rk_link_unit *unit,
				    const char *old, const struct rk_link_unit *new_unit,
				    const struct rk_link_place *place) __must_use;
/* The running kernel's function that `function` (name in the original object) is, for redirection; adds a finding and
 * leaves *ret NULL when its proof or the kernel's search fails. */
struct rk_err *rk_link_find_old(struct rk_linker *l, const struct rk_link_unit *unit,
				const char *function, const struct rk_symbol **ret,
				uint32_t *ret_sympos) __must_use;

/* moves.c: global functions that went to another unit of the object. */
struct rk_err *rk_link_moves(struct rk_linker *l) __must_use;

/* proofs.c: everything else that the patch replaces or that stays beside it must be what we compiled. */
struct rk_err *rk_link_check_proofs(struct rk_linker *l, const struct rk_link_unit *unit)
	__must_use;

/* author.c: what the unit's author declared, into the plan. */
struct rk_err *rk_link_marks(struct rk_linker *l, const struct rk_link_unit *unit) __must_use;
/* And, when all units and sections are in the plan, what must be said about it. */
struct rk_err *rk_link_finish_marks(struct rk_linker *l) __must_use;

/* crossings.c: notes that from, code of unit, uses what was put at to. */
struct rk_err *rk_link_cross(struct rk_linker *l, const struct rk_link_unit *unit,
			     const struct rk_span *from, const struct rk_link_place *to) __must_use;
/* And, when the plan's sections are complete, whether that is bound by then. */
struct rk_err *rk_link_check_crossings(struct rk_linker *l) __must_use;

/* callers.c: prototypes that changed while callers elsewhere stay. */
struct rk_err *rk_link_check_callers(struct rk_linker *l) __must_use;

#endif
