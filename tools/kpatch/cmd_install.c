/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch install and uninstall: what is loaded when the system starts. */
#include <stdio.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/host/guard.h"
#include "tools/kpatch/kpatch.h"

#define SYSTEMCTL_TIMEOUT_MS 30000
#define UNIT		     "kpatch.service"

static struct rk_err *release_of(const struct rk_cli *cli, const struct kpatch_place *place,
				 struct rk_running *running, const char **ret)
{
	const struct kpatch_values *values = cli->values;

	RK_TRY(rk_running_read(&place->roots, running));
	*ret = values->kernel ? values->kernel : running->release;
	return NULL;
}

/* A patch that is installed but isn't loaded at boot is worth a word, not a failure. */
static void enable_service(const struct rk_cli *cli)
{
	const struct kpatch_values *values = cli->values;
	_cleanup_free_ char *root = rk_asprintf("--root=%s", values->root ? values->root : "/");
	const char *argv[] = {"systemctl", "--quiet", "enable", UNIT, NULL, NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = SYSTEMCTL_TIMEOUT_MS};
	_cleanup_process_result_ struct rk_process_result result = {};
	_cleanup_err_ struct rk_err *err = NULL;

	if (!root)
		return;
	if (values->root)
		argv[4] = root;
	err = rk_process_check(&spec, &result);
	if (err)
		fprintf(stderr,
			"note: " UNIT
			" could not be enabled (%s); have 'kpatch load --all --boot' run "
			"when the system starts\n",
			rk_err_message(err));
}

static struct rk_err *install(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_place_ struct kpatch_place place = {};
	_cleanup_running_ struct rk_running running = {};
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	const char *path = cli->operands[0];
	const char *release;
	bool there;

	RK_TRY(kpatch_place_init(cli, &place));
	RK_TRY(release_of(cli, &place, &running, &release));
	RK_TRY(rk_module_info_read(path, &info));
	RK_TRY(rk_installed_add(&place.roots, release, path, info, &there));
	kpatch_warn_guard(rk_guard_retry(place.host, info->name));
	/* also again: an install that was cut off may have ended before */
	enable_service(cli);
	if (there) {
		fprintf(stderr, "'%s' is already installed for kernel %s\n", info->name, release);
		*ret_exit = RK_EXIT_NOTHING;
		return NULL;
	}
	if (!cli->quiet)
		printf("%s is installed for kernel %s\n", info->name, release);
	return NULL;
}

static struct rk_err *uninstall(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_place_ struct kpatch_place place = {};
	_cleanup_running_ struct rk_running running = {};
	_cleanup_free_ char *name = rk_livepatch_module_name(cli->operands[0]);
	enum rk_livepatch_state state;
	const char *release;

	(void)ret_exit;
	if (!name)
		return rk_err_nomem();
	RK_TRY(kpatch_place_init(cli, &place));
	RK_TRY(release_of(cli, &place, &running, &release));
	RK_TRY(rk_installed_remove(&place.roots, release, cli->operands[0]));
	kpatch_warn_guard(rk_guard_retry(place.host, name));
	if (cli->quiet)
		return NULL;
	printf("%s is no longer installed for kernel %s\n", name, release);
	RK_TRY(rk_livepatch_state(&place.roots, name, &state));
	if (state != RK_LIVEPATCH_ABSENT && rk_streq(release, running.release))
		printf("it is still loaded; 'kpatch unload %s' unloads it\n", name);
	return NULL;
}

static const struct rk_option options[] = {
	RK_OPT_STR('k', "kernel", struct kpatch_values, kernel, "REL",
		   "for the kernel whose 'uname -r' is REL (default: the one that runs)"),
	KPATCH_OPT_ROOT,
	RK_OPT_END,
};

const struct rk_verb verb_install = {
	.name = "install",
	.operands = "FILE",
	.summary = "have a live patch loaded when the system starts",
	.description =
		"Copies it to /var/lib/kpatch and enables kpatch.service. Nothing is loaded now.",
	.options = options,
	.values_size = sizeof(struct kpatch_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = install,
};

const struct rk_verb verb_uninstall = {
	.name = "uninstall",
	.operands = "NAME",
	.summary = "have a live patch no longer loaded when the system starts",
	.description = "A patch that is loaded stays loaded.",
	.options = options,
	.values_size = sizeof(struct kpatch_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = uninstall,
};
