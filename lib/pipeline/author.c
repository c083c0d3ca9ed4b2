/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The headers that patched units may include besides those of the kernel: written into the work directory for the compiler. */
#include "lib/base/fs.h"
#include "lib/pipeline/author_headers.h"
#include "lib/pipeline/internal.h"

#define FOLDER "include"

static struct rk_err *write_header(struct rk_build *build, const char *folder, const char *name,
				   const void *text, size_t size)
{
	const char *path;

	RK_TRY(rk_build_path(build, folder, name, &path));
	return rk_fs_write(path, text, size, 0666);
}

static size_t count(const char *const *words)
{
	size_t nr = 0;

	while (words && words[nr])
		nr++;
	return nr;
}

struct rk_err *rk_build_author_flags(struct rk_build *build, const char *const **ret)
{
	const char *const *extra = build->options->extra_cflags;
	size_t nr = count(extra);
	const char **flags = rk_arena_calloc(&build->arena, nr + 2, sizeof(*flags));

	RK_TRY(write_header(build, FOLDER, "kpatch-macros.h", rk_author_macros,
			    rk_author_macros_size));
	RK_TRY(write_header(build, FOLDER, "kpatch-syscall.h", rk_author_syscall,
			    rk_author_syscall_size));
	RK_TRY(write_header(build, FOLDER, "kpatch-marks.h", rk_author_marks,
			    rk_author_marks_size));
	RK_TRY(write_header(build, FOLDER "/linux", "livepatch_helpers.h", rk_author_helpers,
			    rk_author_helpers_size));
	if (!flags)
		return rk_err_nomem();
	/* after the kernel's own directories: what it has of these names is meant */
	flags[0] = rk_arena_printf(&build->arena, "-I%s/" FOLDER, build->options->work_dir);
	if (!flags[0])
		return rk_err_nomem();
	for (size_t i = 0; i < nr; i++)
		flags[i + 1] = extra[i];
	*ret = flags;
	return NULL;
}
