/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of the kernel: what it was built with, what it accepts, and who else changes its code. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/host/doctor_internal.h"
#include "lib/patch/module.h"
#include "lib/target/config.h"

/* Options without which nothing here works (kernel 6.1). */
static const char *const needed[] = {
	"CONFIG_LIVEPATCH",
	"CONFIG_MODULES",
	"CONFIG_DYNAMIC_FTRACE",
	"CONFIG_KALLSYMS_ALL",
	"CONFIG_HAVE_RELIABLE_STACKTRACE",
	"CONFIG_SYSFS",
};

/* What gzip makes of the configuration in /proc/config.gz; "" in *ret when it can't be read. zlib and not libarchive, whose own
 * libraries would triple the time in which every verb starts. */
static struct rk_err *unpack(const char *path, char **ret)
{
	char *text = calloc(1, RK_CONFIG_MAX + 1);
	gzFile file = text ? gzopen(path, "re") : NULL;
	int n = file ? gzread(file, text, RK_CONFIG_MAX) : 0;

	if (file)
		gzclose(file);
	if (!text)
		return rk_err_nomem();
	text[n > 0 ? n : 0] = '\0';
	*ret = text;
	return NULL;
}

static struct rk_err *read_config(const struct rk_examination *x, struct rk_config *ret)
{
	const struct rk_host *host = x->doctor->host;
	_cleanup_free_ char *file =
		rk_asprintf("%s/config-%s", host->boot, x->doctor->kernel->running.release);
	_cleanup_free_ char *packed = rk_path_join(host->proc, "config.gz"), *text = NULL;

	if (!file || !packed)
		return rk_err_nomem();
	if (rk_fs_exists(file))
		return rk_config_read(file, ret);
	if (!rk_fs_exists(packed))
		return rk_err(RK_ERR_NOT_FOUND, "neither '%s' nor '%s' is there", file, packed);
	RK_TRY(unpack(packed, &text));
	return rk_config_parse(packed, text, ret);
}

struct rk_err *rk_doctor_kernel_config(struct rk_examination *x)
{
	_cleanup_config_ struct rk_config config = {};
	_cleanup_str_ struct rk_str missing = RK_STR_INIT;
	_cleanup_err_ struct rk_err *err = read_config(x, &config);

	if (err)
		return rk_doctor_say(x, RK_HEALTH_WARN, "install the kernel's configuration file",
				     "the kernel's configuration can't be read: %s",
				     rk_err_message(err));
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!rk_map_get(&config.options, needed[i]))
			rk_str_addf(&missing, "%s%s", missing.len ? ", " : "", needed[i]);
	RK_TRY(rk_str_check(&missing));
	if (missing.len)
		return rk_doctor_say(x, RK_HEALTH_FAIL, "use a kernel that is built with them",
				     "this kernel is built without %s", rk_str_get(&missing));
	return rk_doctor_say(x, RK_HEALTH_OK, "", "this kernel is built for live patches");
}

struct rk_err *rk_doctor_livepatch(struct rk_examination *x)
{
	const struct rk_status *s = x->doctor->status;

	if (!s->has_livepatch)
		return rk_doctor_say(x, RK_HEALTH_FAIL, "mount /sys, or use a kernel that can",
				     "'%s/kernel/livepatch' isn't there", x->doctor->host->sys);
	if (s->foreign)
		return rk_doctor_say(x, RK_HEALTH_WARN,
				     "unload it, or leave live patching to whoever loaded it",
				     "'%s' is loaded, which isn't one of ours", s->foreign);
	return rk_doctor_say(x, RK_HEALTH_OK, "", "this kernel takes live patches");
}

/* The word in brackets: "none [integrity] confidentiality". */
static const char *chosen(const char *text, struct rk_arena *arena)
{
	const char *start = strchr(text, '[');

	return rk_arena_strndup(arena, start ? start + 1 : text,
				strcspn(start ? start + 1 : text, "]"));
}

static struct rk_err *read_lockdown(struct rk_examination *x, const char **ret)
{
	const char *text;

	RK_TRY(rk_doctor_read(x, x->doctor->host->sys, "kernel/security/lockdown", &text));
	*ret = text ? chosen(text, &x->report->arena) : NULL;
	return NULL;
}

struct rk_err *rk_doctor_is_enforced(struct rk_examination *x, bool *ret)
{
	const char *enforce, *lockdown;

	RK_TRY(rk_doctor_read(x, x->doctor->host->sys, "module/module/parameters/sig_enforce",
			      &enforce));
	RK_TRY(read_lockdown(x, &lockdown));
	*ret = (enforce && rk_streq(enforce, "Y")) || (lockdown && !rk_streq(lockdown, "none"));
	return NULL;
}

struct rk_err *rk_doctor_lockdown(struct rk_examination *x)
{
	static const char *const secure_boot[] = {[RK_SECURE_BOOT_UNKNOWN] = "isn't there",
						  [RK_SECURE_BOOT_OFF] = "is off",
						  [RK_SECURE_BOOT_ON] = "is on"};
	const char *boot = secure_boot[x->doctor->status->secure_boot], *mode;

	RK_TRY(read_lockdown(x, &mode));
	if (!mode || rk_streq(mode, "none"))
		return rk_doctor_say(x, RK_HEALTH_OK, "",
				     "the kernel isn't locked down; Secure Boot %s", boot);
	return rk_doctor_say(x, RK_HEALTH_WARN,
			     "only modules signed with an enrolled key can be loaded",
			     "the kernel is locked down ('%s'); Secure Boot %s", mode, boot);
}

struct rk_err *rk_doctor_signatures(struct rk_examination *x)
{
	const struct rk_patches *patches = x->doctor->status->patches;
	size_t nr_unsigned = 0;
	bool enforced;

	RK_TRY(rk_doctor_is_enforced(x, &enforced));
	if (!enforced)
		return rk_doctor_say(x, RK_HEALTH_OK, "",
				     "the kernel takes modules without a signature");
	rk_vec_for_each(&patches->list, patch) {
		_cleanup_module_info_ struct rk_module_info *info = NULL;
		_cleanup_err_ struct rk_err *err = rk_module_info_read(patch->module_path, &info);

		nr_unsigned += !err && !info->is_signed;
	}
	if (nr_unsigned)
		return rk_doctor_say(
			x, RK_HEALTH_FAIL,
			"get levels that are signed for the kernel, and enrol their key "
			"with 'readykernel mok enroll'",
			"the kernel takes only signed modules, and %zu of %zu levels "
			"aren't signed",
			nr_unsigned, patches->list.nr);
	return rk_doctor_say(x, RK_HEALTH_OK, "", "the kernel takes only signed modules");
}

struct rk_err *rk_doctor_ftrace(struct rk_examination *x)
{
	const char *enabled;

	RK_TRY(rk_doctor_read(x, x->doctor->host->proc, "sys/kernel/ftrace_enabled", &enabled));
	if (!enabled)
		return rk_doctor_say(x, RK_HEALTH_FAIL, "use a kernel with CONFIG_DYNAMIC_FTRACE",
				     "this kernel has no ftrace, which live patches go through");
	if (!rk_streq(enabled, "1"))
		return rk_doctor_say(x, RK_HEALTH_FAIL, "sysctl kernel.ftrace_enabled=1",
				     "ftrace is switched off; live patches go through it");
	return rk_doctor_say(x, RK_HEALTH_OK, "", "ftrace is on");
}

struct rk_err *rk_doctor_tracers(struct rk_examination *x)
{
	const char *tracer;

	RK_TRY(rk_doctor_read(x, x->doctor->host->sys, "kernel/tracing/current_tracer", &tracer));
	if (!tracer)
		return rk_doctor_say(x, RK_HEALTH_OK, "", "tracers can't be seen from here");
	if (!rk_streq(tracer, "nop"))
		return rk_doctor_say(
			x, RK_HEALTH_WARN, "stop tracing before an update",
			"tracer '%s' is running; it sees replaced functions by their old "
			"names",
			tracer);
	return rk_doctor_say(x, RK_HEALTH_OK, "", "no tracer is running");
}

struct rk_err *rk_doctor_kprobes(struct rk_examination *x)
{
	const char *list;
	size_t nr = 0;

	RK_TRY(rk_doctor_read(x, x->doctor->host->sys, "kernel/debug/kprobes/list", &list));
	if (!list)
		return rk_doctor_say(x, RK_HEALTH_OK, "", "kprobes can't be seen from here");
	for (const char *c = list; *c; c = *c ? c + 1 : c, nr++)
		c += strcspn(c, "\n");
	if (nr)
		return rk_doctor_say(
			x, RK_HEALTH_WARN, "'kpatch load' tells which of them a patch touches",
			"%zu kprobes are set; inside a replaced function they see nothing "
			"any more",
			nr);
	return rk_doctor_say(x, RK_HEALTH_OK, "", "no kprobes are set");
}

struct rk_err *rk_doctor_taint(struct rk_examination *x)
{
	static const struct {
		unsigned int bit;
		const char *text;
	} serious[] = {
		/* Documentation/admin-guide/tainted-kernels.rst */
		{1, "a module was loaded by force"}, {4, "a machine check happened"},
		{5, "a page was in a bad state"},    {7, "there was an oops or BUG"},
		{9, "there was a warning"},	     {14, "there was a soft lockup"},
	};
	uint64_t taint = x->doctor->status->taint;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(serious); i++)
		if (taint & (UINT64_C(1) << serious[i].bit))
			rk_str_addf(&text, "%s%s", text.len ? "; " : "", serious[i].text);
	RK_TRY(rk_str_check(&text));
	if (text.len)
		return rk_doctor_say(x, RK_HEALTH_WARN,
				     "see the kernel log; a reboot makes it clean",
				     "since it was started: %s", rk_str_get(&text));
	return rk_doctor_say(x, RK_HEALTH_OK, "",
			     "nothing has gone wrong in the kernel (taint %" PRIu64 ")", taint);
}
