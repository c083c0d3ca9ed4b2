/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a target specification means, and which target this machine is running. */
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/str.h"
#include "lib/target/build_dir.h"
#include "lib/target/debian.h"
#include "lib/target/facts.h"
#include "lib/target/resolve.h"
#include "lib/target/version.h"

#define RUNNING_NOTES "/sys/kernel/notes"

void rk_spec_deinit(struct rk_spec *spec)
{
	rk_arena_deinit(&spec->arena);
}

struct rk_err *rk_spec_running(struct rk_spec *ret)
{
	_cleanup_spec_ struct rk_spec spec = {};
	struct utsname name;

	if (uname(&name) < 0)
		return rk_err(RK_ERR_UNSUPPORTED, "cannot ask the running kernel for its name");
	RK_TRY(rk_facts_debian_version(name.version, &spec.arena, &spec.package_version));
	if (!spec.package_version || !rk_release_is_valid(name.release))
		return rk_err(
			RK_ERR_UNSUPPORTED,
			"the running kernel '%s' ('%s') isn't Debian's; name a target (--target debian:REL, "
			"or dir:TREE for a kernel that was built here), or give explicit paths (--source, --config, "
			"--vmlinux, --symvers)",
			name.release, name.version);
	spec.release = rk_arena_strdup(&spec.arena, name.release);
	spec.id = rk_arena_printf(&spec.arena, RK_DEBIAN_PREFIX "%s", name.release);
	spec.version = rk_arena_strdup(&spec.arena, name.version);
	if (!spec.release || !spec.id || !spec.version)
		return rk_err_nomem();
	/* Containers hide it: then release and version have to do. */
	rk_err_free(rk_facts_notes(RUNNING_NOTES, &spec.arena, &spec.build_id));
	*ret = spec;
	spec = (struct rk_spec){};
	return NULL;
}

struct rk_err *rk_spec_parse(const char *text, struct rk_spec *ret)
{
	_cleanup_spec_ struct rk_spec spec = {};
	const char *rest;

	if (rk_streq(text, "running"))
		return rk_spec_running(ret);
	if (rk_build_dir_is_spec(text))
		return rk_err(
			RK_ERR_INVALID,
			"'%s' has no name in the cache; 'kpatch-build target list' shows what was made of it as 'path:…'",
			text);
	if (rk_has_prefix(text, RK_DEBIAN_PREFIX)) {
		rest = text + strlen(RK_DEBIAN_PREFIX);
		spec.release = rk_arena_strdup(&spec.arena, rest);
		if (!spec.release)
			return rk_err_nomem();
	} else {
		rest = rk_has_prefix(text, "path:") ? text + strlen("path:") : "";
		/* The directory of such a target is named by a number in hexadecimal. */
		if (strspn(rest, "0123456789abcdef") != strlen(rest))
			rest = "";
	}
	if (!*rest ||
	    (spec.release && (!rk_release_is_valid(rest) || rk_version_series(rest) == 0)))
		return rk_err(
			RK_ERR_INVALID,
			"'%s' is no target; write 'debian:RELEASE' (debian:6.1.0-50-cloud-amd64), 'running' or "
			"'dir:TREE', or give explicit paths",
			text);
	spec.id = rk_arena_strdup(&spec.arena, text);
	if (!spec.id)
		return rk_err_nomem();
	*ret = spec;
	spec = (struct rk_spec){};
	return NULL;
}
