/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status as a document: words of the state as other vendors' dashboards know them, and all that a person is shown. */
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/host/json_write.h"
#include "lib/host/status.h"

#define STATUS_SCHEMA "readykernel-status/1"

/* "applied", "applied-with-bug", "applying", "unapplied", "apply-failed", "check-failed", "needs-check", "nothing-to-apply",
 * "kernel-upgrade-required" */
static const char *patch_state(const struct rk_status *s)
{
	switch (s->loaded_state) {
	case RK_LIVEPATCH_ENABLED:
		return s->taken_back == RK_PASSED_NOT ? "applied" : "applied-with-bug";
	case RK_LIVEPATCH_ENABLING:
	case RK_LIVEPATCH_DISABLING: return "applying";
	default: break;
	}
	if (s->is_blind && !*s->state->last_error.code)
		return "check-failed";
	if (s->verdict == RK_STATUS_NONE && !s->state->last_check.at)
		return "needs-check";
	switch (s->verdict) {
	case RK_STATUS_FAILED: return "apply-failed";
	case RK_STATUS_LATEST: return "nothing-to-apply";
	case RK_STATUS_UNSUPPORTED: return "kernel-upgrade-required";
	default: return "unapplied";
	}
}

static struct rk_err *add_blockers(const struct rk_status *s, json_t *patch)
{
	json_t *list = json_array();

	RK_TRY(rk_json_set(patch, "blockers", list));
	rk_vec_for_each(&s->blockers.list, it) {
		json_t *stack = json_array();

		for (const char *line = it->stack; *line;) {
			size_t len = strcspn(line, "\n");

			if (json_array_append_new(stack, json_stringn(line, len))) {
				json_decref(stack);
				return rk_err_nomem();
			}
			line += len + (line[len] == '\n');
		}
		if (json_array_append_new(list,
					  json_pack("{s:i, s:i, s:s, s:o}", "pid", it->pid, "tid",
						    it->tid, "comm", it->comm, "stack", stack)))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *add_patch(const struct rk_status *s, json_t *root)
{
	const struct rk_loaded_state *loaded = &s->state->loaded;
	bool known = s->loaded && loaded->level == s->loaded->level &&
		     rk_streq(loaded->build_id, s->loaded->build_id);
	json_t *patch = json_object();

	RK_TRY(rk_json_set(root, "patch", patch));
	RK_TRY(rk_json_set(patch, "state", json_string(patch_state(s))));
	RK_TRY(rk_json_set(patch, "name", rk_json_text(s->loaded ? s->loaded->name : NULL)));
	RK_TRY(rk_json_set(patch, "level",
			   s->loaded ? json_integer((json_int_t)s->loaded->level) : json_null()));
	RK_TRY(rk_json_set(patch, "loaded_at", rk_json_time_or_null(known ? loaded->at : 0)));
	RK_TRY(rk_json_set(patch, "transition_s",
			   known ? json_real(loaded->transition_ms / 1000.0) : json_null()));
	RK_TRY(rk_json_set(patch, "cves", rk_json_texts(s->cves, s->nr_cves)));
	RK_TRY(add_blockers(s, patch));
	return rk_json_set(root, "other_patch", rk_json_text(s->foreign));
}

static struct rk_err *add_choice(const struct rk_status *s, json_t *root)
{
	const struct rk_freeze *freeze = &s->state->freeze;
	json_t *available = json_object(), *frozen = json_object();

	RK_TRY(rk_json_set(root, "available", available));
	RK_TRY(rk_json_set(root, "freeze", frozen));
	RK_TRY(rk_json_set(available, "level",
			   s->trust.newest ? json_integer((json_int_t)s->trust.newest)
					   : json_null()));
	RK_TRY(rk_json_set(available, "cves_added",
			   rk_json_texts(s->cves_missing, s->nr_cves_missing)));
	RK_TRY(rk_json_set(frozen, "mode", json_string(rk_freeze_name(freeze->kind))));
	RK_TRY(rk_json_set(frozen, "level",
			   freeze->kind == RK_FREEZE_LEVEL ? json_integer((json_int_t)freeze->level)
							   : json_null()));
	RK_TRY(rk_json_set(frozen, "until", rk_json_time_or_null(freeze->date)));
	return rk_json_set(frozen, "excluded_cves",
			   rk_json_texts(s->cves_excluded, s->nr_cves_excluded));
}

static struct rk_err *add_blocked(const struct rk_status *s, json_t *root)
{
	json_t *list = json_array();

	RK_TRY(rk_json_set(root, "blocked", list));
	rk_vec_for_each(&s->state->levels, note) {
		if (note->verdict != RK_VERDICT_BLOCKED ||
		    !rk_streq(note->build_id, s->kernel->running.build_id))
			continue;
		if (json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:o}", "level",
							  (json_int_t)note->level, "code",
							  note->code, "reason", note->reason, "at",
							  rk_json_time_or_null(note->at))))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *add_trust(const struct rk_status *s, json_t *root)
{
	const struct rk_status_trust *trust = &s->trust;
	json_t *object = json_object(), *licence = json_object();

	RK_TRY(rk_json_set(root, "trust", object));
	RK_TRY(rk_json_set(root, "licence", licence));
	RK_TRY(rk_json_set(object, "root", json_integer((json_int_t)trust->root_version)));
	RK_TRY(rk_json_set(object, "timestamp_age_s",
			   trust->timestamp_made ? json_integer(s->now - trust->timestamp_made)
						 : json_null()));
	RK_TRY(rk_json_set(object, "expires", rk_json_time_or_null(trust->timestamp_expires)));
	RK_TRY(rk_json_set(object, "bundle", json_boolean(trust->from_bundle)));
	RK_TRY(rk_json_set(licence, "id", rk_json_text(trust->licence_id)));
	RK_TRY(rk_json_set(licence, "state", rk_json_text(trust->licence_state)));
	return rk_json_set(licence, "not_after", rk_json_time_or_null(trust->licence_not_after));
}

/* word: how it ended, by another name for each */
static struct rk_err *add_last(json_t *root, const char *key, const char *word,
			       const struct rk_last *last)
{
	json_t *object = json_object();

	RK_TRY(rk_json_set(root, key, object));
	RK_TRY(rk_json_set(object, "at", rk_json_time_or_null(last->at)));
	RK_TRY(rk_json_set(object, word, json_string(last->code)));
	return rk_json_set(object, "text", json_string(last->text));
}

static struct rk_err *add_kernel(const struct rk_status *s, json_t *root)
{
	const struct rk_running *running = &s->kernel->running;
	const char *product = s->loaded		      ? s->loaded->product
			      : s->trust.newest_patch ? s->trust.newest_patch->product
						      : NULL;

	RK_TRY(rk_json_set(root, "kernel", json_string(running->release)));
	RK_TRY(rk_json_set(root, "version", json_string(running->version)));
	RK_TRY(rk_json_set(root, "arch", json_string(running->machine)));
	RK_TRY(rk_json_set(root, "build_id", json_string(running->build_id)));
	RK_TRY(rk_json_set(root, "effective_kernel", json_string(s->effective)));
	RK_TRY(rk_json_set(root, "product", rk_json_text(product)));
	RK_TRY(rk_json_set(root, "covered_until", rk_json_time_or_null(s->trust.covered_until)));
	RK_TRY(rk_json_set(root, "switched", json_string(rk_switch_name(s->kernel->switched))));
	return rk_json_set(root, "channel", json_string(rk_channel_name(s->settings->channel)));
}

static struct rk_err *fill(const struct rk_status *s, json_t *root)
{
	RK_TRY(rk_json_set(root, "schema", json_string(STATUS_SCHEMA)));
	RK_TRY(add_kernel(s, root));
	RK_TRY(add_patch(s, root));
	RK_TRY(add_choice(s, root));
	RK_TRY(add_blocked(s, root));
	RK_TRY(add_trust(s, root));
	RK_TRY(add_last(root, "last_check", "result", &s->state->last_check));
	RK_TRY(add_last(root, "last_error", "code", &s->state->last_error));
	RK_TRY(rk_json_set(root, "secure_boot",
			   s->secure_boot == RK_SECURE_BOOT_UNKNOWN
				   ? json_null()
				   : json_boolean(s->secure_boot == RK_SECURE_BOOT_ON)));
	RK_TRY(rk_json_set(root, "taint", json_integer((json_int_t)s->taint)));
	RK_TRY(rk_json_set(root, "verdict", json_string(rk_status_verdict_name(s->verdict))));
	RK_TRY(rk_json_set(root, "summary", json_string(s->summary)));
	return rk_json_set(root, "exit", json_integer(s->verdict));
}

json_t *rk_status_to_json(const struct rk_status *status)
{
	_cleanup_json_ json_t *root = json_object();
	_cleanup_err_ struct rk_err *err = root ? fill(status, root) : rk_err_nomem();

	return err ? NULL : take_ptr(root);
}
