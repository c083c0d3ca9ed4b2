/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files for other programs, each written beside its name and renamed, so that a reader meets the old or the new one. */
#include "lib/host/effective.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/fs.h"

const char *rk_effective_release(const struct rk_host_kernel *kernel, const struct rk_patch *patch,
				 struct rk_arena *arena)
{
	return patch ? rk_arena_printf(arena, "%s+rk%" PRIu64, kernel->running.release,
				       patch->level)
		     : rk_arena_strdup(arena, kernel->running.release);
}

/* A label's value: backslash, quote and line end are escaped (Prometheus' text format 0.0.4). */
static void add_label(struct rk_str *out, const char *name, const char *value)
{
	rk_str_addf(out, "%s=\"", name);
	for (const char *c = value; *c; c++) {
		if (*c == '\\' || *c == '"')
			rk_str_add_char(out, '\\');
		if (*c == '\n')
			rk_str_add(out, "\\n");
		else
			rk_str_add_char(out, *c);
	}
	rk_str_add_char(out, '"');
}

static void add_gauge(struct rk_str *out, const char *name, const char *help, double value)
{
	rk_str_addf(out,
		    "# HELP readykernel_%s %s\n# TYPE readykernel_%s gauge\nreadykernel_%s %.15g\n",
		    name, help, name, name, value);
}

static size_t nr_blocked(const struct rk_status *s)
{
	size_t nr = 0;

	rk_vec_for_each(&s->state->levels, note)
		nr += note->verdict == RK_VERDICT_BLOCKED &&
		      rk_streq(note->build_id, s->kernel->running.build_id);
	return nr;
}

void rk_effective_metrics(const struct rk_status *s, int64_t now, struct rk_str *out)
{
	rk_str_add(out, "# HELP readykernel_info What runs here; always 1.\n"
			"# TYPE readykernel_info gauge\nreadykernel_info{");
	add_label(out, "kernel", s->kernel->running.release);
	rk_str_add_char(out, ',');
	add_label(out, "effective", s->effective);
	rk_str_add_char(out, ',');
	add_label(out, "channel", rk_channel_name(s->settings->channel));
	rk_str_add_char(out, ',');
	add_label(out, "verdict", rk_status_verdict_name(s->verdict));
	rk_str_add(out, "} 1\n");
	add_gauge(
		out, "status",
		"Exit status of 'readykernel status': 0 latest, 1 none, 2 outdated, 3 unsupported, "
		"4 stalled, 5 failed.",
		s->verdict);
	add_gauge(out, "level", "Level that is loaded; 0 none.",
		  s->loaded ? (double)s->loaded->level : 0);
	add_gauge(out, "available_level", "Newest level that is known; 0 none.",
		  (double)s->trust.newest);
	add_gauge(out, "cves_fixed", "CVEs that the loaded level fixes.", (double)s->nr_cves);
	add_gauge(out, "cves_missing", "CVEs that a newer level fixes.",
		  (double)s->nr_cves_missing);
	add_gauge(out, "cves_excluded", "CVEs that the freeze leaves out.",
		  (double)s->nr_cves_excluded);
	add_gauge(out, "blocked_levels", "Levels for this kernel that are blocked on this host.",
		  (double)nr_blocked(s));
	add_gauge(out, "transition_seconds", "How long the last transition took.",
		  s->state->loaded.transition_ms / 1000.0);
	add_gauge(out, "last_check_timestamp_seconds",
		  "When the repository was asked last; 0 never.", (double)s->state->last_check.at);
	add_gauge(out, "trust_timestamp_seconds",
		  "When what is known of the repository was signed; 0 never.",
		  (double)s->trust.timestamp_made);
	add_gauge(out, "covered_until_timestamp_seconds",
		  "Until when this kernel gets levels; 0 unknown.", (double)s->trust.covered_until);
	add_gauge(out, "written_timestamp_seconds", "When this file was written.", (double)now);
}

static struct rk_err *write_text(const char *path, const struct rk_str *text)
{
	RK_TRY(rk_str_check(text));
	return rk_fs_write(path, rk_str_get(text), text->len, 0644);
}

static struct rk_err *write_metrics(const struct rk_host *host, const struct rk_status *s)
{
	const char *file = s->settings->metrics_file;
	_cleanup_free_ char *path = rk_asprintf("%s%s", host->root, file);
	_cleanup_free_ char *dir = path ? rk_path_parent(path) : NULL;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	if (!dir)
		return rk_err_nomem();
	if (!rk_fs_is_dir(dir))
		return NULL;
	rk_effective_metrics(s, rk_host_time(host), &text);
	return write_text(path, &text);
}

struct rk_err *rk_effective_write(const struct rk_host *host, const struct rk_status *status)
{
	_cleanup_str_ struct rk_str effective = RK_STR_INIT, cves = RK_STR_INIT;

	RK_TRY(rk_fs_mkdir_p(host->run_dir, 0755));
	rk_str_addf(&effective, "%s\n", status->effective);
	RK_TRY(write_text(host->effective_file, &effective));
	for (size_t i = 0; i < status->nr_cves; i++)
		rk_str_addf(&cves, "%s\n", status->cves[i]);
	RK_TRY(write_text(host->cvelist_file, &cves));
	return *status->settings->metrics_file ? write_metrics(host, status) : NULL;
}
