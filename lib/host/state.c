/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host state as JSON: read with suspicion, written whole. */
#include "lib/host/state.h"

#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/host/json_write.h"

static const char *const verdict_names[] = {
	[RK_VERDICT_NONE] = "none", [RK_VERDICT_GOOD] = "good", [RK_VERDICT_BLOCKED] = "blocked"};

const char *rk_verdict_name(enum rk_verdict verdict)
{
	return verdict_names[verdict];
}

/* The structs as they stand in the document: enums are words there. */
struct note_words {
	struct rk_level_note note;
	const char *verdict;
};
struct freeze_words {
	struct rk_freeze freeze;
	const char *kind;
};

#define NOTE(member, key, kind)                                               \
	{                                                                     \
		key, RK_JSON_##kind, offsetof(struct note_words, note.member) \
	}
static const struct rk_json_field note_fields[] = {
	NOTE(build_id, "build_id", STRING),
	NOTE(level, "level", U64),
	RK_JSON_FIELD(note_words, verdict, "verdict", STRING),
	NOTE(was_good, "was_good", BOOL),
	NOTE(at, "at", TIME),
	NOTE(load, "load", STRING),
	NOTE(code, "code", STRING),
	NOTE(reason, "reason", STRING),
	NOTE(unclean, "unclean", U32),
};
static const struct rk_json_field freeze_fields[] = {
	RK_JSON_FIELD(freeze_words, kind, "kind", STRING),
	RK_JSON_FIELD(freeze_words, freeze.level, "level", U64),
	RK_JSON_FIELD(freeze_words, freeze.date, "date", TIME),
};
static const struct rk_json_field loaded_fields[] = {
	RK_JSON_FIELD(rk_loaded_state, build_id, "build_id", STRING),
	RK_JSON_FIELD(rk_loaded_state, level, "level", U64),
	RK_JSON_FIELD(rk_loaded_state, name, "name", STRING),
	RK_JSON_FIELD(rk_loaded_state, boot_id, "boot_id", STRING),
	RK_JSON_FIELD(rk_loaded_state, load, "load", STRING),
	RK_JSON_FIELD(rk_loaded_state, at, "at", TIME),
	RK_JSON_FIELD(rk_loaded_state, transition_ms, "transition_ms", U32),
	RK_JSON_FIELD(rk_loaded_state, stopped, "stopped", BOOL),
};
static const struct rk_json_field last_fields[] = {
	RK_JSON_FIELD(rk_last, at, "at", TIME),
	RK_JSON_FIELD(rk_last, code, "code", STRING),
	RK_JSON_FIELD(rk_last, text, "text", STRING),
	RK_JSON_FIELD(rk_last, level, "level", U64),
};
static const struct rk_json_field root_fields[] = {
	RK_JSON_FIELD(rk_host_state, available, "available", U64),
	RK_JSON_FIELD(rk_host_state, available_build_id, "available_build_id", STRING),
	RK_JSON_FIELD(rk_host_state, highest_time, "highest_time", TIME),
};

/* Absent in states of before. */
static const struct rk_json_field seen_fields[] = {
	RK_JSON_FIELD(rk_host_state, seen_root, "root", U64),
	RK_JSON_FIELD(rk_host_state, seen_timestamp, "timestamp", U64),
};

static const char *const freeze_names[RK_FREEZES] = {[RK_FREEZE_NONE] = "none",
						     [RK_FREEZE_LEVEL] = "level",
						     [RK_FREEZE_DATE] = "date",
						     [RK_FREEZE_LOST] = "lost"};

const char *rk_freeze_name(enum rk_freeze_kind kind)
{
	return freeze_names[kind];
}

/* Nothing is NULL in a state that nothing is known of. */
static void set_empty(struct rk_host_state *state)
{
	state->available_build_id = "";
	state->problem = "";
	state->loaded =
		(struct rk_loaded_state){.build_id = "", .name = "", .boot_id = "", .load = ""};
	state->last_check = state->last_error = (struct rk_last){.code = "", .text = ""};
}

static struct rk_err *create(struct rk_host_state **ret)
{
	struct rk_host_state *state = calloc(1, sizeof(*state));

	if (!state)
		return rk_err_nomem();
	set_empty(state);
	*ret = state;
	return NULL;
}

void rk_host_state_free(struct rk_host_state *state)
{
	if (!state)
		return;
	rk_vec_deinit(&state->levels);
	rk_arena_deinit(&state->arena);
	free(state);
}

static struct rk_err *read_note(const struct rk_json_reader *r, const json_t *list, size_t i,
				struct rk_host_state *state)
{
	const json_t *entry = json_array_get(list, i);
	struct note_words words = {};
	const char *path;
	unsigned int verdict;

	RK_TRY(rk_json_entry(r, "", "levels", i, entry, &path));
	RK_TRY(rk_json_fields(r, path, entry, note_fields, ARRAY_SIZE(note_fields), &words));
	if (!rk_find_text(verdict_names, RK_VERDICTS, words.verdict, &verdict))
		return rk_json_wrong(r, path, "verdict", json_object_get(entry, "verdict"),
				     "none, good or blocked");
	words.note.verdict = verdict;
	return rk_vec_push(&state->levels, words.note) ? NULL : rk_err_nomem();
}

static struct rk_err *read_levels(const struct rk_json_reader *r, const json_t *root,
				  struct rk_host_state *state)
{
	const json_t *list;

	RK_TRY(rk_json_list(r, "", root, "levels", false, &list));
	if (json_array_size(list) > RK_STATE_LEVELS_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s': more than %u levels", r->name,
			      RK_STATE_LEVELS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++)
		RK_TRY(read_note(r, list, i, state));
	return NULL;
}

static struct rk_err *read_freeze(const struct rk_json_reader *r, const json_t *root,
				  struct rk_freeze *ret)
{
	struct freeze_words words = {};
	const json_t *object;
	unsigned int kind;

	RK_TRY(rk_json_object(r, "", root, "freeze", &object));
	RK_TRY(rk_json_fields(r, "freeze", object, freeze_fields, ARRAY_SIZE(freeze_fields),
			      &words));
	if (!rk_find_text(freeze_names, ARRAY_SIZE(freeze_names), words.kind, &kind))
		return rk_json_wrong(r, "freeze", "kind", json_object_get(object, "kind"),
				     "none, level or date");
	*ret = words.freeze;
	ret->kind = kind;
	return NULL;
}

/* The object root.key with these fields. */
static struct rk_err *read_part(const struct rk_json_reader *r, const json_t *root, const char *key,
				const struct rk_json_field *fields, size_t nr, void *to)
{
	const json_t *object;

	RK_TRY(rk_json_object(r, "", root, key, &object));
	return rk_json_fields(r, key, object, fields, nr, to);
}

static struct rk_err *read_all(const struct rk_json_reader *r, const json_t *root,
			       struct rk_host_state *state)
{
	RK_TRY(rk_json_fields(r, "", root, root_fields, ARRAY_SIZE(root_fields), state));
	RK_TRY(read_levels(r, root, state));
	RK_TRY(read_freeze(r, root, &state->freeze));
	if (json_object_get(root, "seen"))
		RK_TRY(read_part(r, root, "seen", seen_fields, ARRAY_SIZE(seen_fields), state));
	RK_TRY(read_part(r, root, "loaded", loaded_fields, ARRAY_SIZE(loaded_fields),
			 &state->loaded));
	RK_TRY(read_part(r, root, "last_check", last_fields, ARRAY_SIZE(last_fields),
			 &state->last_check));
	return read_part(r, root, "last_error", last_fields, ARRAY_SIZE(last_fields),
			 &state->last_error);
}

struct rk_err *rk_host_state_parse(const char *name, const char *json, size_t len,
				   struct rk_host_state **ret)
{
	_cleanup_host_state_ struct rk_host_state *state = NULL;
	_cleanup_json_ json_t *root = NULL;
	struct rk_json_reader r = {.name = name};

	if (len > RK_STATE_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s' is larger than %u bytes", name, RK_STATE_MAX);
	RK_TRY(rk_json_load_schema(name, json, len, RK_STATE_SCHEMA, &root));
	RK_TRY(create(&state));
	r.arena = &state->arena;
	RK_TRY(read_all(&r, root, state));
	*ret = take_ptr(state);
	return NULL;
}

static struct rk_err *write_levels(const struct rk_host_state *state, json_t *root)
{
	json_t *list = json_array();

	RK_TRY(rk_json_set(root, "levels", list));
	rk_vec_for_each(&state->levels, note) {
		struct note_words words = {*note, verdict_names[note->verdict]};
		json_t *entry = json_object();

		if (json_array_append_new(list, entry))
			return rk_err_nomem();
		RK_TRY(rk_json_write(entry, note_fields, ARRAY_SIZE(note_fields), &words));
	}
	return NULL;
}

static struct rk_err *write_part(json_t *root, const char *key, const struct rk_json_field *fields,
				 size_t nr, const void *from)
{
	json_t *object = json_object();

	RK_TRY(rk_json_set(root, key, object));
	return rk_json_write(object, fields, nr, from);
}

struct rk_err *rk_host_state_to_json(const struct rk_host_state *state, char **ret)
{
	struct freeze_words freeze = {state->freeze, freeze_names[state->freeze.kind]};
	_cleanup_json_ json_t *root = json_object();

	if (!root)
		return rk_err_nomem();
	RK_TRY(rk_json_set(root, "schema", json_string(RK_STATE_SCHEMA)));
	RK_TRY(rk_json_write(root, root_fields, ARRAY_SIZE(root_fields), state));
	RK_TRY(write_part(root, "freeze", freeze_fields, ARRAY_SIZE(freeze_fields), &freeze));
	RK_TRY(write_part(root, "seen", seen_fields, ARRAY_SIZE(seen_fields), state));
	RK_TRY(write_part(root, "loaded", loaded_fields, ARRAY_SIZE(loaded_fields),
			  &state->loaded));
	RK_TRY(write_part(root, "last_check", last_fields, ARRAY_SIZE(last_fields),
			  &state->last_check));
	RK_TRY(write_part(root, "last_error", last_fields, ARRAY_SIZE(last_fields),
			  &state->last_error));
	RK_TRY(write_levels(state, root));
	return rk_json_dump(take_ptr(root), RK_JSON_READABLE, ret);
}

/* A state that says why. Which levels were blocked is lost with the freeze. */
static struct rk_err *create_damaged(struct rk_err *why, struct rk_host_state **ret)
{
	_cleanup_err_ struct rk_err *reason = why;
	_cleanup_host_state_ struct rk_host_state *state = NULL;

	RK_TRY(create(&state));
	state->damaged = true;
	state->freeze.kind = RK_FREEZE_LOST;
	state->problem = rk_arena_strdup(&state->arena, rk_err_message(reason));
	if (!state->problem)
		return rk_err_nomem();
	*ret = take_ptr(state);
	return NULL;
}

static bool is_damage(const struct rk_err *err)
{
	switch (rk_err_code(err)) {
	case RK_ERR_FORMAT:
	case RK_ERR_LIMIT:
	case RK_ERR_UNSUPPORTED:
	case RK_ERR_NEWER:
	case RK_ERR_STATE: return true;
	default: return false;
	}
}

struct rk_err *rk_host_state_read(const struct rk_host *host, struct rk_host_state **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct rk_err *err = rk_host_check_owner(host, host->state_file);

	if (err && rk_err_errno(err) == ENOENT) {
		rk_err_free(err);
		return create(ret);
	}
	if (!err)
		err = rk_fs_read(host->state_file, RK_STATE_MAX, &text, &len);
	if (!err)
		err = rk_host_state_parse(host->state_file, text, len, ret);
	return err && is_damage(err) ? create_damaged(err, ret) : err;
}

/* Levels of other kernels that are known longest go first: a host that sees many kernels keeps a bounded file. */
static void drop_oldest(struct rk_host_state *state)
{
	while (state->levels.nr > RK_STATE_LEVELS_MAX) {
		size_t oldest = 0;

		for (size_t i = 1; i < state->levels.nr; i++)
			if (state->levels.v[i].at < state->levels.v[oldest].at)
				oldest = i;
		state->levels.v[oldest] = state->levels.v[--state->levels.nr];
	}
}

struct rk_err *rk_host_state_write(const struct rk_host *host, struct rk_host_state *state)
{
	_cleanup_free_ char *text = NULL;
	int64_t now = rk_host_time(host);

	if (now > state->highest_time)
		state->highest_time = now;
	drop_oldest(state);
	RK_TRY(rk_host_state_to_json(state, &text));
	if (state->damaged)
		RK_TRY(rk_host_set_aside(host, host->state_file));
	state->damaged = false;
	return rk_fs_write(host->state_file, text, strlen(text), 0644);
}
