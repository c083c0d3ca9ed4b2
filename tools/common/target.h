/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel that a command line names: the same options mean the same in every tool. */
#ifndef RK_TOOLS_COMMON_TARGET_H
#define RK_TOOLS_COMMON_TARGET_H

#include "lib/target/target.h"
#include "tools/common/cli.h"

/* A member of a verb's values; what a tool has no option for stays zero. */
struct rk_cli_target {
	const char *spec;
	const char *release; /* "debian:RELEASE" in other words */
	const char *source, *config, *vmlinux, *symvers, *modules;
	const char *cc;
	unsigned int jobs;
	bool skip_compiler_check, offline;
};

/* The options that name a kernel. member: the struct rk_cli_target in type. */
/* clang-format off */
#define RK_OPT_TARGET(type, member) \
	RK_OPT_STR(0, "target", type, member.spec, "TARGET", "the kernel: debian:RELEASE, running (the default), or dir:TREE for one that was built here")
#define RK_OPT_TARGET_PATHS(type, member) \
	RK_OPT_STR('s', "source", type, member.source, "DIR", "kernel source tree, of any kernel (with --config, --vmlinux and --symvers, unless they are in it)"), \
	RK_OPT_STR('c', "config", type, member.config, "FILE", "the kernel's configuration"), \
	RK_OPT_STR('v', "vmlinux", type, member.vmlinux, "FILE", "the kernel's vmlinux, with symbols"), \
	RK_OPT_STR(0, "symvers", type, member.symvers, "FILE", "the kernel's Module.symvers"), \
	RK_OPT_STR(0, "modules", type, member.modules, "DIR", "the kernel's modules (/lib/modules/RELEASE)")
#define RK_OPT_TARGET_OFFLINE(type, member) \
	RK_OPT_FLAG(0, "offline", type, member.offline, "use what is in the cache, download nothing")
/* clang-format on */

/* RK_ERR_INVALID if the options contradict each other; costs nothing. */
struct rk_err *rk_cli_target_check(const struct rk_cli_target *t) __must_use;
/* Opens it: spec or release, else the explicit paths, else the running kernel. Of the paths, those that aren't given are the files of
 * the source tree, as a build in it leaves them. */
struct rk_err *rk_cli_target_open(const struct rk_cli *cli, const struct rk_cli_target *t,
				  enum rk_target_parts parts, struct rk_target **ret) __must_use;

/* spec with the paths of a "dir:" target as seen from the working directory; malloc'ed. */
struct rk_err *rk_cli_target_spec(const char *spec, char **ret) __must_use;

#endif
