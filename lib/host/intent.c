/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The intent record on disk: one small file, written whole and durable, removed durably. */
#include "lib/host/intent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/host/json_write.h"

static const char *const phase_names[] = {[RK_INTENT_LOADING] = "loading",
					  [RK_INTENT_QUIET] = "quiet",
					  [RK_INTENT_STOPPED] = "stopped"};

const char *rk_intent_phase_name(enum rk_intent_phase phase)
{
	return phase_names[phase];
}

struct intent_words {
	struct rk_intent intent;
	const char *phase;
};

#define INTENT(member, what) RK_JSON_FIELD(intent_words, intent.member, #member, what)
static const struct rk_json_field fields[] = {
	INTENT(load, STRING),	    INTENT(boot_id, STRING),
	INTENT(build_id, STRING),   INTENT(name, STRING),
	INTENT(sha256, SHA256),	    INTENT(level, U64),
	INTENT(previous, U64),	    RK_JSON_FIELD(intent_words, phase, "phase", STRING),
	INTENT(at, TIME),	    INTENT(kmsg, U64),
	INTENT(transition_ms, U32), INTENT(at_boot, BOOL),
	INTENT(forced, BOOL),
};

void rk_intent_free(struct rk_intent *intent)
{
	if (intent)
		rk_arena_deinit(&intent->arena);
	free(intent);
}

static struct rk_err *read_all(const struct rk_json_reader *r, const json_t *root,
			       struct rk_intent *intent)
{
	struct intent_words words = {};
	unsigned int phase;

	RK_TRY(rk_json_fields(r, "", root, fields, ARRAY_SIZE(fields), &words));
	words.intent.arena = intent->arena;
	*intent = words.intent;
	if (!rk_find_text(phase_names, RK_INTENT_PHASES, words.phase, &phase))
		return rk_json_wrong(r, "", "phase", root, "loading, quiet or stopped");
	intent->phase = phase;
	return NULL;
}

struct rk_err *rk_intent_parse(const char *name, const char *json, size_t len,
			       struct rk_intent **ret)
{
	_cleanup_intent_ struct rk_intent *intent = calloc(1, sizeof(*intent));
	_cleanup_json_ json_t *root = NULL;

	if (!intent)
		return rk_err_nomem();
	if (len > RK_INTENT_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s' is larger than %u bytes", name, RK_INTENT_MAX);
	RK_TRY(rk_json_load_schema(name, json, len, RK_INTENT_SCHEMA, &root));
	struct rk_json_reader r = {.name = name, .arena = &intent->arena};
	RK_TRY(read_all(&r, root, intent));
	*ret = take_ptr(intent);
	return NULL;
}

struct rk_err *rk_intent_to_json(const struct rk_intent *intent, char **ret)
{
	struct intent_words words = {*intent, phase_names[intent->phase]};
	_cleanup_json_ json_t *root = json_object();

	if (!root)
		return rk_err_nomem();
	RK_TRY(rk_json_set(root, "schema", json_string(RK_INTENT_SCHEMA)));
	RK_TRY(rk_json_write(root, fields, ARRAY_SIZE(fields), &words));
	return rk_json_dump(take_ptr(root), RK_JSON_READABLE, ret);
}

struct rk_err *rk_intent_read(const struct rk_host *host, struct rk_intent **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct rk_err *err = rk_host_check_owner(host, host->intent_file);

	if (err && rk_err_errno(err) == ENOENT) {
		rk_err_free(err);
		*ret = NULL;
		return NULL;
	}
	if (err)
		return err;
	RK_TRY(rk_fs_read(host->intent_file, RK_INTENT_MAX, &text, &len));
	return rk_intent_parse(host->intent_file, text, len, ret);
}

struct rk_err *rk_intent_write(const struct rk_host *host, const struct rk_intent *intent)
{
	_cleanup_free_ char *text = NULL;

	RK_TRY(rk_intent_to_json(intent, &text));
	return rk_fs_write(host->intent_file, text, strlen(text), 0644);
}

struct rk_err *rk_intent_remove(const struct rk_host *host)
{
	return rk_fs_unlink_durably(host->intent_file);
}

struct rk_err *rk_intent_set_aside(const struct rk_host *host)
{
	return rk_host_set_aside(host, host->intent_file);
}
