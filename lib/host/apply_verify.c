/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds for every change: proof of what is loaded, names of how it ended, and where that is written down. */
#include <inttypes.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/host/apply_internal.h"
#include "lib/host/queue.h"

static const char *const code_names[] = {
	[RK_APPLY_OK] = "ok",
	[RK_APPLY_ALREADY] = "already",
	[RK_APPLY_DISABLED] = "disabled",
	[RK_APPLY_BLOCKED] = "blocked",
	[RK_APPLY_UNVERIFIED] = "unverified",
	[RK_APPLY_WRONG_KERNEL] = "wrong-kernel",
	[RK_APPLY_NO_INTENT] = "no-intent",
	[RK_APPLY_REFUSED] = "refused",
	[RK_APPLY_BUSY] = "busy",
	[RK_APPLY_STALLED] = "stalled",
	[RK_APPLY_STUCK] = "stuck",
	[RK_APPLY_WARNED] = "warned",
	[RK_APPLY_CRASHED] = "crashed",
	[RK_APPLY_VANISHED] = "vanished",
	[RK_APPLY_INTERRUPTED] = "interrupted",
	[RK_APPLY_FAILED] = "failed",
};

const char *rk_apply_code_name(enum rk_apply_code code)
{
	return code_names[code];
}

static struct rk_err *check_same(const struct rk_patch *patch, const char *what,
				 const char *made_for, const char *runs)
{
	if (rk_streq(made_for, runs))
		return NULL;
	return rk_err(RK_ERR_TARGET,
		      "level %" PRIu64
		      " is for another kernel: its %s is '%s', this kernel's is '%s'",
		      patch->level, what, made_for, runs);
}

struct rk_err *rk_apply_verify(const struct rk_apply *apply, const struct rk_patch *patch,
			       enum rk_apply_code *ret_code)
{
	const struct rk_running *running = &apply->kernel->running;

	*ret_code = RK_APPLY_WRONG_KERNEL;
	RK_TRY(check_same(patch, "build-id", patch->build_id, running->build_id));
	RK_TRY(check_same(patch, "release", patch->release, running->release));
	RK_TRY(check_same(patch, "version", patch->version, running->version));
	RK_TRY(check_same(patch, "architecture", patch->arch, running->machine));
	*ret_code = RK_APPLY_UNVERIFIED;
	RK_TRY(rk_host_check_owner(apply->host, patch->module_path));
	RK_TRY(rk_patch_check_file(patch, patch->module_path));
	return apply->verify ? apply->verify(apply->verify_ctx, patch) : NULL;
}

void rk_apply_report(const struct rk_host *host, const struct rk_host_kernel *kernel,
		     const struct rk_reporter *reporter, const char *kind, const char *code,
		     uint64_t level, const char *text)
{
	_cleanup_json_ json_t *body =
		json_pack("{s:s, s:I, s:s, s:s, s:s*}", "code", code, "level", (json_int_t)level,
			  "build_id", kernel->running.build_id, "release", kernel->running.release,
			  "text", text);
	_cleanup_err_ struct rk_err *err =
		body ? rk_queue_push(host, kind, kernel->boot_id, body) : rk_err_nomem();

	if (err)
		rk_report_note(reporter, "cannot queue a message: %s", rk_err_message(err));
}

/* What a server wants to hear of: that a level works here, and that it doesn't. */
static const char *message_kind(enum rk_apply_code code)
{
	switch (code) {
	case RK_APPLY_ALREADY:
	case RK_APPLY_DISABLED:
	case RK_APPLY_INTERRUPTED: return NULL;
	case RK_APPLY_OK: return "ping";
	default: return "refusal";
	}
}

struct rk_err *rk_apply_end(const struct rk_apply *apply, enum rk_apply_code code, uint64_t level,
			    struct rk_err *err, struct rk_apply_result *ret)
{
	const char *kind = message_kind(code), *text = err ? rk_err_message(err) : NULL;
	struct rk_err *second;

	ret->code = code;
	/* that it is switched off is somebody's wish, not a failure to be remembered */
	if (code == RK_APPLY_DISABLED)
		return err;
	second = rk_host_state_set_last(apply->state, &apply->state->last_error,
					rk_host_time(apply->host), err ? code_names[code] : "",
					text, level);
	if (!second)
		second = rk_host_state_write(apply->host, apply->state);
	if (kind)
		rk_apply_report(apply->host, apply->kernel, apply->reporter, kind, code_names[code],
				level, text);
	if (!err)
		return rk_err_wrap(second, "level %" PRIu64, level);
	if (second)
		rk_report_note(apply->reporter, "%s", rk_err_message(second));
	rk_err_free(second);
	return err;
}
