/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From operands and options to the fixes of a build. */
#include "tools/kpatch-build/inputs.h"

#include "lib/base/fs.h"
#include "lib/base/str.h"

struct rk_err *inputs_check(const struct rk_cli *cli, const struct input_values *values)
{
	if (!values->git != !values->commits)
		return rk_err(RK_ERR_INVALID, "--git and --commits go together");
	if (!cli->nr_operands && !values->git)
		return rk_err(RK_ERR_INVALID, "missing operand: PATCH...");
	return NULL;
}

static struct rk_err *read_commits(const struct rk_cli *cli, const struct input_values *values,
				   const char *work_dir, struct rk_series *series)
{
	_cleanup_free_ char *dir = rk_path_join(work_dir, "0-commits");

	if (!dir)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	return rk_series_add_commits(series, values->git, values->commits, dir, cli->reporter);
}

struct rk_err *inputs_read(const struct rk_cli *cli, const struct input_values *values,
			   const char *work_dir, struct rk_series *ret)
{
	struct rk_series series = {};
	struct rk_err *err = NULL;

	for (size_t i = 0; i < cli->nr_operands && !err; i++)
		err = rk_series_add(&series, cli->operands[i]);
	if (!err && values->git)
		err = read_commits(cli, values, work_dir, &series);
	if (err) {
		rk_series_deinit(&series);
		return err;
	}
	*ret = series;
	return NULL;
}

struct rk_err *inputs_name(const struct rk_cli *cli, const struct input_values *values, char **ret)
{
	_cleanup_free_ char *path = NULL;

	if (!cli->nr_operands) {
		const char *end = strstr(values->commits, "..");
		*ret = strdup(end[2] == '.' ? end + 3 : end[2] ? end + 2 : "HEAD");
		return *ret ? NULL : rk_err_nomem();
	}
	RK_TRY(rk_cli_absolute_path(cli->operands[0], &path));
	bool is_dir = rk_fs_is_dir(path);
	char *slash = strrchr(path, '/');
	/* debian/patches/series → patches */
	if (!is_dir && (rk_streq(slash + 1, "series") || rk_has_suffix(slash + 1, ".series")))
		*slash = '\0';
	slash = strrchr(path, '/');
	while (slash && slash > path && !slash[1]) {
		*slash = '\0';
		slash = strrchr(path, '/');
	}
	*ret = strdup(slash && slash[1] ? slash + 1 : "fixes");
	return *ret ? NULL : rk_err_nomem();
}
