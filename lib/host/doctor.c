/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of checks, and those that look at readykernel's own affairs: settings, disk, clock, trust, levels. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/host/doctor_internal.h"

#define MIB	  (1u << 20)
#define DISK_FAIL (16 * MIB)	       /* not even a level with its copy */
#define DISK_WARN (128 * MIB)	       /* a few levels */
#define OLD_TRUST (3 * RK_DAY_SECONDS) /* half of a timestamp's life */
#define TEXT_MAX  (256u << 10)

const char *rk_health_name(enum rk_health health)
{
	static const char *const names[] = {
		[RK_HEALTH_OK] = "ok", [RK_HEALTH_WARN] = "warn", [RK_HEALTH_FAIL] = "fail"};

	return names[health];
}

struct rk_err *rk_doctor_say(struct rk_examination *x, enum rk_health health, const char *advice,
			     const char *fmt, ...)
{
	struct rk_doctor_check check = {.name = x->name, .health = health};
	va_list ap;

	va_start(ap, fmt);
	check.text = rk_arena_vprintf(&x->report->arena, fmt, ap);
	va_end(ap);
	check.advice = rk_arena_strdup(&x->report->arena, advice);
	return check.text && check.advice && rk_vec_push(&x->report->list, check) ? NULL
										  : rk_err_nomem();
}

struct rk_err *rk_doctor_read(struct rk_examination *x, const char *root, const char *path,
			      const char **ret)
{
	_cleanup_free_ char *file = rk_path_join(root, path), *text = NULL;
	size_t len = 0;
	struct rk_err *err = file ? rk_fs_read(file, TEXT_MAX, &text, &len) : rk_err_nomem();

	*ret = NULL;
	if (err && rk_err_code(err) == RK_ERR_NOMEM)
		return err;
	if (err) {
		rk_err_free(err);
		return NULL;
	}
	while (len && text[len - 1] == '\n')
		len--;
	*ret = rk_arena_strndup(&x->report->arena, text, len);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *check_settings(struct rk_examination *x)
{
	const struct rk_doctor *d = x->doctor;

	if (d->problems && d->problems->nr) {
		for (size_t i = 0; i < d->problems->nr; i++)
			RK_TRY(rk_doctor_say(x, RK_HEALTH_FAIL,
					     "mend the line; until then the default stands for it",
					     "'%s' line %u: %s", d->host->config_file,
					     d->problems->v[i].line, d->problems->v[i].text));
		return NULL;
	}
	if (!*d->settings->repository)
		return rk_doctor_say(x, RK_HEALTH_WARN,
				     "set 'repository' there, or install bundles with 'readykernel "
				     "bundle install'",
				     "'%s' names no repository", d->host->config_file);
	return rk_doctor_say(x, RK_HEALTH_OK, "", "'%s' is in order", d->host->config_file);
}

static struct rk_err *check_switch(struct rk_examination *x)
{
	const struct rk_doctor *d = x->doctor;
	_cleanup_err_ struct rk_err *err = rk_host_may_load(d->host, true);

	if (err)
		return rk_doctor_say(x, RK_HEALTH_WARN, "this always wins over all settings", "%s",
				     rk_err_message(err));
	return rk_doctor_say(x, RK_HEALTH_OK, "", "nothing switches loading off");
}

static struct rk_err *check_disk(struct rk_examination *x)
{
	const char *dir = x->doctor->host->state_dir;
	uint64_t bytes = 0;
	_cleanup_err_ struct rk_err *err = rk_fs_free_bytes(dir, &bytes);

	if (err)
		return rk_doctor_say(x, RK_HEALTH_WARN, "run this as root after the first start",
				     "%s", rk_err_message(err));
	return rk_doctor_say(x,
			     bytes < DISK_FAIL	 ? RK_HEALTH_FAIL
			     : bytes < DISK_WARN ? RK_HEALTH_WARN
						 : RK_HEALTH_OK,
			     bytes < DISK_WARN ? "make room: without it nothing is fetched, and "
						 "nothing is loaded that can't be recorded first"
					       : "",
			     "'%s' has %" PRIu64 " MiB free", dir, bytes / MIB);
}

static struct rk_err *check_clock(struct rk_examination *x)
{
	const struct rk_status *s = x->doctor->status;
	char now[RK_UTC_TEXT_SIZE], then[RK_UTC_TEXT_SIZE];
	int64_t latest = s->trust.timestamp_made;

	rk_utc_format(s->now, now);
	if (s->now < latest)
		return rk_doctor_say(x, RK_HEALTH_FAIL,
				     "set the clock: what was signed can't be judged by it",
				     "the clock says %s, but the repository signed at %s", now,
				     rk_utc_format(latest, then));
	latest = s->state->highest_time;
	if (s->now < latest - RK_DAY_SECONDS)
		return rk_doctor_say(x, RK_HEALTH_WARN, "set the clock if it is wrong",
				     "the clock says %s, and said %s before", now,
				     rk_utc_format(latest, then));
	return rk_doctor_say(x, RK_HEALTH_OK, "", "the clock says %s", now);
}

static struct rk_err *check_trust(struct rk_examination *x)
{
	const struct rk_status_trust *trust = &x->doctor->status->trust;
	int64_t now = x->doctor->status->now;
	char text[RK_UTC_TEXT_SIZE];

	if (trust->problem)
		return rk_doctor_say(
			x, RK_HEALTH_FAIL,
			"when it is clear who did it: put the right root.signed in its place, remove "
			"the directory 'trust', and run 'readykernel check-update' (with --begin-anew "
			"for another repository than before)",
			"%s", trust->problem);
	if (!trust->timestamp_made)
		return rk_doctor_say(x, RK_HEALTH_WARN, "run 'readykernel check-update'",
				     "nothing is known of the repository yet");
	rk_utc_format(trust->timestamp_made, text);
	if (now > trust->timestamp_expires)
		return rk_doctor_say(x, RK_HEALTH_FAIL,
				     trust->from_bundle
					     ? "install a newer bundle"
					     : "see why 'readykernel check-update' fails",
				     "what is known of the repository is of %s and has expired",
				     text);
	if (rk_status_was_refused(x->doctor->status))
		return rk_doctor_say(
			x, RK_HEALTH_WARN,
			"run 'readykernel check-update'; if it is refused again, ask who runs the "
			"repository, or the network between",
			"what the last check found was refused: %s",
			x->doctor->status->state->last_check.text);
	if (now - trust->timestamp_made > OLD_TRUST && !trust->from_bundle)
		return rk_doctor_say(x, RK_HEALTH_WARN, "see 'readykernel check-update'",
				     "what is known of the repository is of %s", text);
	return rk_doctor_say(x, RK_HEALTH_OK, "", "what is known of the repository is of %s", text);
}

static struct rk_err *check_licence(struct rk_examination *x)
{
	const struct rk_status_trust *trust = &x->doctor->status->trust;
	const char *state = trust->licence_state ? trust->licence_state : "none";
	char until[RK_UTC_TEXT_SIZE];

	if (trust->licence_problem)
		return rk_doctor_say(
			x, RK_HEALTH_FAIL,
			"nothing new is fetched with it: 'readykernel licence install' "
			"another one, or 'readykernel licence remove'",
			"%s", trust->licence_problem);
	if (!trust->root_version)
		return rk_doctor_say(x, RK_HEALTH_WARN, "see 'trust'",
				     "whether there is one can't be told while nothing is trusted");
	if (!trust->licence_id)
		return rk_doctor_say(x, RK_HEALTH_OK, "", "none is installed");
	rk_utc_format(trust->licence_not_after, until);
	if (rk_streq(state, "expired"))
		return rk_doctor_say(
			x, RK_HEALTH_FAIL,
			"no new levels are fetched; what is loaded stays: 'readykernel "
			"licence install' a new one",
			"licence '%s' ended at %s", trust->licence_id, until);
	if (rk_streq(state, "grace"))
		return rk_doctor_say(
			x, RK_HEALTH_WARN,
			"new levels are fetched for 14 days more at most: 'readykernel "
			"licence install' a new one",
			"licence '%s' ended at %s, and is in its days of grace", trust->licence_id,
			until);
	if (rk_streq(state, "valid"))
		return rk_doctor_say(x, RK_HEALTH_OK, "", "licence '%s' is valid until %s",
				     trust->licence_id, until);
	return rk_doctor_say(x, RK_HEALTH_FAIL, "nothing is fetched with it; is the clock right?",
			     "licence '%s' is not valid yet", trust->licence_id);
}

static struct rk_err *check_levels(struct rk_examination *x)
{
	const struct rk_status *s = x->doctor->status;
	size_t before = x->report->list.nr;

	if (s->state->freeze.kind == RK_FREEZE_LOST)
		RK_TRY(rk_doctor_say(
			x, RK_HEALTH_FAIL,
			"'readykernel freeze off' or 'freeze LEVEL' says which may be loaded again",
			"which levels are blocked or frozen on this host was lost%s%s",
			*s->state->problem ? ": " : "", s->state->problem));
	rk_vec_for_each(&s->patches->damaged, text)
		RK_TRY(rk_doctor_say(x, RK_HEALTH_WARN, "'readykernel update' installs it again",
				     "%s", *text));
	rk_vec_for_each(&s->state->levels, note)
		if (note->verdict == RK_VERDICT_BLOCKED &&
		    rk_streq(note->build_id, s->kernel->running.build_id))
			RK_TRY(rk_doctor_say(x, RK_HEALTH_WARN,
					     "a newer level takes its place; 'readykernel load "
					     "--force' tries it again",
					     "level %" PRIu64 " is blocked: %s", note->level,
					     note->reason));
	if (x->report->list.nr > before)
		return NULL;
	return rk_doctor_say(x, RK_HEALTH_OK, "", "levels installed: %zu, none is blocked",
			     s->patches->list.nr);
}

static struct rk_err *check_transition(struct rk_examination *x)
{
	const struct rk_status *s = x->doctor->status;

	if (!rk_livepatch_is_moving(s->loaded_state))
		return rk_doctor_say(x, RK_HEALTH_OK, "", "no level is in transition");
	rk_vec_for_each(&s->blockers.list, it)
		RK_TRY(rk_doctor_say(x, RK_HEALTH_WARN, "end or restart what it belongs to",
				     "%s (%d) holds the transition up", it->comm, it->tid));
	return rk_doctor_say(x, RK_HEALTH_WARN, "'kpatch status' shows the stacks",
			     "level %" PRIu64 " is in transition", s->loaded->level);
}

static const struct {
	const char *name;
	struct rk_err *(*run)(struct rk_examination *x);
} checks[] = {
	{"settings", check_settings},
	{"switch", check_switch},
	{"kernel-config", rk_doctor_kernel_config},
	{"livepatch", rk_doctor_livepatch},
	{"lockdown", rk_doctor_lockdown},
	{"signatures", rk_doctor_signatures},
	{"keyrings", rk_doctor_keyrings},
	{"certificate", rk_doctor_certificate},
	{"ftrace", rk_doctor_ftrace},
	{"tracers", rk_doctor_tracers},
	{"kprobes", rk_doctor_kprobes},
	{"taint", rk_doctor_taint},
	{"disk", check_disk},
	{"clock", check_clock},
	{"trust", check_trust},
	{"licence", check_licence},
	{"levels", check_levels},
	{"transition", check_transition},
};

struct rk_err *rk_doctor_run(const struct rk_doctor *doctor, struct rk_doctor_report **ret)
{
	_cleanup_doctor_report_ struct rk_doctor_report *report = calloc(1, sizeof(*report));

	if (!report)
		return rk_err_nomem();
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct rk_examination x = {doctor, report, checks[i].name};

		RK_TRY(checks[i].run(&x));
	}
	*ret = take_ptr(report);
	return NULL;
}

void rk_doctor_report_free(struct rk_doctor_report *report)
{
	if (!report)
		return;
	rk_vec_deinit(&report->list);
	rk_arena_deinit(&report->arena);
	free(report);
}

enum rk_health rk_doctor_report_worst(const struct rk_doctor_report *report)
{
	enum rk_health worst = RK_HEALTH_OK;

	rk_vec_for_each(&report->list, check)
		if (check->health > worst)
			worst = check->health;
	return worst;
}
