/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which level a host should have, of those there are, given what the timestamp says of them and what the host wants. */
#include "lib/base/str.h"
#include "lib/trust/store_internal.h"

enum rk_level_state rk_trust_level_state(const struct rk_trust *trust, const char *build_id,
					 uint64_t level, const struct rk_notice **ret)
{
	return rk_timestamp_level_state(trust->timestamp, build_id, level, ret);
}

struct chooser {
	const struct rk_trust *trust;
	const char *build_id;
	const struct rk_release *release;
	const struct rk_level_request *request;
};

static bool is_candidate(const struct chooser *c, const struct rk_release_level *level)
{
	const struct rk_level_request *request = c->request;

	if (request->is_refused && request->is_refused(request->ctx, level))
		return false;
	return rk_trust_level_state(c->trust, c->build_id, level->level, NULL) == RK_LEVEL_GOOD;
}

/* The greatest candidate above after and below before (0: no bound). */
static const struct rk_release_level *greatest(const struct chooser *c, uint64_t after,
					       uint64_t before)
{
	const struct rk_release_level *best = NULL;

	if (!c->release)
		return NULL;
	rk_vec_for_each(&c->release->levels, level)
		if (level->level > after && (!before || level->level < before) &&
		    is_candidate(c, level))
			best = level;
	return best;
}

/* In place of a loaded level that was withdrawn: the level that was named, else the greatest below. */
static void choose_lower(const struct chooser *c, const struct rk_notice *notice,
			 struct rk_level_choice *choice)
{
	const struct rk_release_level *level = NULL;

	if (notice->to) {
		level = c->release ? rk_release_find(c->release, notice->to) : NULL;
		if (!level || !is_candidate(c, level))
			level = greatest(c, 0, c->request->loaded);
	}
	choice->action = level ? RK_LEVEL_ACTION_LOAD : RK_LEVEL_ACTION_UNLOAD;
	choice->level = level;
	choice->is_downgrade = true;
}

void rk_trust_choose(const struct rk_trust *trust, const char *build_id,
		     const struct rk_release *release, const struct rk_level_request *request,
		     struct rk_level_choice *ret)
{
	const struct chooser c = {trust, build_id, release, request};
	struct rk_level_choice choice = {.action = RK_LEVEL_ACTION_KEEP};
	const struct rk_notice *notice = NULL;

	if (request->loaded)
		choice.loaded_state =
			rk_trust_level_state(trust, build_id, request->loaded, &notice);
	choice.level = greatest(&c, request->loaded, 0);
	if (choice.level)
		choice.action = RK_LEVEL_ACTION_LOAD;
	else if (choice.loaded_state == RK_LEVEL_WITHDRAWN)
		choose_lower(&c, notice, &choice);
	*ret = choice;
}
