/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts on levels, last results, and the freeze: what changes in a state. */
#include <inttypes.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/host/state.h"

/* One line that JSON can hold: text may come from the kernel's log. */
static const char *copy_line(struct rk_host_state *state, const char *text)
{
	char *copy = rk_arena_strndup(&state->arena, text, strnlen(text, RK_STATE_TEXT_MAX));

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = *c == '\n' || *c == '\t' ? ' ' : '?';
	return copy;
}

const struct rk_level_note *rk_host_state_find(const struct rk_host_state *state,
					       const char *build_id, uint64_t level)
{
	rk_vec_for_each(&state->levels, note)
		if (note->level == level && rk_streq(note->build_id, build_id))
			return note;
	return NULL;
}

bool rk_level_note_blocks_above(const struct rk_level_note *note, const char *build_id,
				uint64_t level)
{
	return note->verdict == RK_VERDICT_BLOCKED && note->level > level &&
	       rk_streq(note->build_id, build_id);
}

enum rk_verdict rk_host_state_verdict(const struct rk_host_state *state, const char *build_id,
				      uint64_t level)
{
	const struct rk_level_note *note =
		state ? rk_host_state_find(state, build_id, level) : NULL;

	return note ? note->verdict : RK_VERDICT_NONE;
}

struct rk_err *rk_host_state_note(struct rk_host_state *state, const char *build_id, uint64_t level,
				  struct rk_level_note **ret)
{
	struct rk_level_note note = {.level = level, .load = "", .code = "", .reason = ""};

	rk_vec_for_each(&state->levels, it)
		if (it->level == level && rk_streq(it->build_id, build_id)) {
			*ret = it;
			return NULL;
		}
	note.build_id = rk_arena_strdup(&state->arena, build_id);
	if (!note.build_id || !rk_vec_push(&state->levels, note))
		return rk_err_nomem();
	*ret = &state->levels.v[state->levels.nr - 1];
	return NULL;
}

struct rk_err *rk_host_state_set_good(struct rk_host_state *state, const char *build_id,
				      uint64_t level, const char *load, int64_t at)
{
	const char *copy = rk_arena_strdup(&state->arena, load);
	struct rk_level_note *note;

	if (!copy)
		return rk_err_nomem();
	RK_TRY(rk_host_state_note(state, build_id, level, &note));
	note->verdict = RK_VERDICT_GOOD;
	note->was_good = true;
	note->load = copy;
	note->at = at;
	note->code = note->reason = "";
	return NULL;
}

struct rk_err *rk_host_state_block(struct rk_host_state *state, const char *build_id,
				   uint64_t level, const char *code, const char *reason, int64_t at)
{
	const char *code_copy = rk_arena_strdup(&state->arena, code);
	const char *reason_copy = copy_line(state, reason);
	struct rk_level_note *note;

	if (!code_copy || !reason_copy)
		return rk_err_nomem();
	RK_TRY(rk_host_state_note(state, build_id, level, &note));
	note->verdict = RK_VERDICT_BLOCKED;
	note->code = code_copy;
	note->reason = reason_copy;
	note->at = at;
	note->unclean = 0;
	return NULL;
}

void rk_host_state_unblock(struct rk_host_state *state, const char *build_id, uint64_t level)
{
	for (size_t i = 0; i < state->levels.nr; i++)
		if (state->levels.v[i].level == level &&
		    rk_streq(state->levels.v[i].build_id, build_id)) {
			state->levels.v[i] = state->levels.v[--state->levels.nr];
			return;
		}
}

struct rk_err *rk_host_state_set_last(struct rk_host_state *state, struct rk_last *last, int64_t at,
				      const char *code, const char *text, uint64_t level)
{
	const char *code_copy = rk_arena_strdup(&state->arena, code);
	const char *text_copy = copy_line(state, text ? text : "");

	if (!code_copy || !text_copy)
		return rk_err_nomem();
	*last = (struct rk_last){.at = at, .code = code_copy, .text = text_copy, .level = level};
	return NULL;
}

struct rk_err *rk_host_state_set_loaded(struct rk_host_state *state,
					const struct rk_loaded_state *loaded)
{
	struct rk_loaded_state copy = *loaded;

	copy.build_id = rk_arena_strdup(&state->arena, loaded->build_id);
	copy.name = rk_arena_strdup(&state->arena, loaded->name);
	copy.boot_id = rk_arena_strdup(&state->arena, loaded->boot_id);
	copy.load = rk_arena_strdup(&state->arena, loaded->load);
	if (!copy.build_id || !copy.name || !copy.boot_id || !copy.load)
		return rk_err_nomem();
	state->loaded = copy;
	return NULL;
}

struct rk_err *rk_host_state_forget_loaded(struct rk_host_state *state)
{
	const struct rk_loaded_state none = {.build_id = "", .name = "", .boot_id = "", .load = ""};

	return rk_host_state_set_loaded(state, &none);
}

/* "2026-11-30": the end of that day. */
static bool parse_day(const char *text, int64_t *ret)
{
	_cleanup_free_ char *end = rk_asprintf("%sT23:59:59Z", text);

	return end && strlen(text) == strlen("2026-11-30") && rk_utc_parse(end, ret);
}

static bool parse_level(const char *text, uint64_t *ret)
{
	uint64_t level;

	if (!rk_scan_u64(&text, INT64_MAX, &level) || *text || !level)
		return false;
	*ret = level;
	return true;
}

struct rk_err *rk_freeze_parse(const char *text, struct rk_freeze *ret)
{
	struct rk_freeze freeze = {};

	if (rk_streq(text, "none"))
		;
	else if (parse_level(text, &freeze.level))
		freeze.kind = RK_FREEZE_LEVEL;
	else if (parse_day(text, &freeze.date) || rk_utc_parse(text, &freeze.date))
		freeze.kind = RK_FREEZE_DATE;
	else
		return rk_err(RK_ERR_INVALID,
			      "'%s' is neither a level ('12') nor a date ('2026-11-30') nor 'none'",
			      text);
	*ret = freeze;
	return NULL;
}

const char *rk_freeze_text(const struct rk_freeze *freeze, struct rk_arena *arena)
{
	char time[RK_UTC_TEXT_SIZE];

	switch (freeze->kind) {
	case RK_FREEZE_LEVEL: return rk_arena_printf(arena, "level %" PRIu64, freeze->level);
	case RK_FREEZE_DATE: return rk_arena_strdup(arena, rk_utc_format(freeze->date, time));
	default: return rk_freeze_name(freeze->kind);
	}
}
