// SPDX-License-Identifier: GPL-2.0
/*
 * Livepatch of kernels before 6.3 forgets, when a patched module goes, that it wrote the module's addresses into the patch; when
 * the module comes again, it finds these fields not zero and refuses the module (x86 apply_relocate_add(), "existing value is
 * nonzero"). So a patch with such fields clears them itself, as clear_relocate_add() of 6.3 does.
 */
#include <linux/livepatch.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/mutex.h>

/* It doesn't include what it needs of the above. */
#include <asm/text-patching.h>

#include "layout.h"

extern struct klp_object rk_klp_objects[];
extern const struct rk_clear_entry rk_clear_entries[];
extern const struct rk_chained rk_chained[];

int rk_clear_pre_patch(struct klp_object *obj);
void rk_clear_relocs(struct klp_object *obj);

/* A live module means that the patch is being disabled: it won't be applied again, and what still runs of it (a timer, a work
 * item) needs the addresses. */
static void clear(struct klp_object *obj)
{
	static const u8 zeros[sizeof(u64)];
	const struct rk_clear_entry *entry;
	unsigned int index = obj - rk_klp_objects;

	if (!obj->mod || obj->mod->state == MODULE_STATE_LIVE)
		return;

	/* As klp_apply_object_relocs() wrote them; klp_mutex is held there and here. */
	mutex_lock(&text_mutex);
	for (entry = rk_clear_entries; entry->address; entry++) {
		if (entry->object == index && entry->size <= sizeof(zeros))
			text_poke((void *)entry->address, zeros, entry->size);
	}
	text_poke_sync();
	mutex_unlock(&text_mutex);
}

/* The pre_patch callback of an object whose author has one: when it refuses a module, post_unpatch isn't called for it. */
int rk_clear_pre_patch(struct klp_object *obj)
{
	int ret = rk_chained[obj - rk_klp_objects].pre_patch(obj);

	if (ret)
		clear(obj);
	return ret;
}

/* The post_unpatch callback of a module's klp_object; the author's may use what is cleared. */
void rk_clear_relocs(struct klp_object *obj)
{
	const struct rk_chained *chained = &rk_chained[obj - rk_klp_objects];

	if (chained->post_unpatch)
		chained->post_unpatch(obj);
	clear(obj);
}
