/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Installed levels don't pile up: 'keep_levels' of this kernel stay besides the loaded one, the newest; and the last good one whatever its
 * age, because it is what a host goes back to. Those of other kernels stay: one of them may be booted again.
 */
#include "tools/readykernel/client.h"

static bool is_good(const struct readykernel *rk, const struct rk_patch *patch)
{
	return rk_host_state_verdict(rk->state, patch->build_id, patch->level) == RK_VERDICT_GOOD;
}

struct rk_err *readykernel_prune(struct readykernel *rk)
{
	const struct rk_patch *loaded = NULL;
	enum rk_livepatch_state state;
	const char *build_id = rk->kernel->running.build_id;
	unsigned int kept = 0;
	bool has_good = false;

	RK_TRY(rk_apply_loaded(rk->host, rk->patches, &rk->arena, &loaded, &state, NULL));
	for (size_t i = rk->patches->list.nr; i-- > 0;) {
		const struct rk_patch *patch = &rk->patches->list.v[i];
		bool is_last_good = !has_good && patch != loaded && is_good(rk, patch);

		has_good = has_good || is_last_good;
		if (patch == loaded || is_last_good || !patch->official ||
		    kept++ < rk->settings->keep_levels)
			continue;
		RK_TRY(rk_patches_remove(rk->host, build_id, patch->level));
	}
	RK_TRY(rk_patches_sweep(rk->host, build_id));
	return readykernel_reread_patches(rk);
}
