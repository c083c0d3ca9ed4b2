/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without history, the difference of a file between two releases is the finest thing a fix can be cut from. Which files differ
 * at all is found once, for the search for declarations that a fix needs from elsewhere.
 */
#include "bench/coverage/trees.h"

#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/target/apt.h"
#include "lib/target/source_tree.h"

#define FILE_MAX     (64u << 20)
#define DIFF_TROUBLE 2 /* diff(1): 0 the same, 1 different */

static struct rk_err *no_version(const struct rk_apt_packages *packages, const char *package,
				 const char *version)
{
	_cleanup_str_ struct rk_str offers = RK_STR_INIT;

	rk_vec_for_each(&packages->list, p)
		rk_str_addf(&offers, " %s", p->version);
	return rk_err(RK_ERR_NOT_FOUND, "'%s' %s isn't on offer: its fixes can't be cut; apt has%s",
		      package, version, offers.len ? rk_str_get(&offers) : " none");
}

static struct rk_err *download(const char *package, const char *version, const char *deb)
{
	_cleanup_apt_packages_ struct rk_apt_packages packages = {};

	RK_TRY(rk_apt_show(&package, 1, &packages));
	const struct rk_apt_package *found = rk_apt_find(&packages, package, version);
	if (!found)
		return no_version(&packages, package, version);
	return rk_apt_download(found, deb, NULL, NULL);
}

/* "6.1" of "6.1.170-3". */
static char *series_of(const char *version)
{
	const char *dot = strchr(version, '.');
	const char *end = dot ? dot + 1 + strcspn(dot + 1, ".-") : version + strlen(version);

	return strndup(version, (size_t)(end - version));
}

/* Into a directory of its own first: one that is there is whole. */
static struct rk_err *unpack(const struct rk_target *target, const char *version, const char *dir,
			     const struct rk_reporter *reporter)
{
	_cleanup_free_ char *series = series_of(target->source_version);
	_cleanup_free_ char *package = rk_asprintf("linux-source-%s", series ? series : "");
	_cleanup_free_ char *nested = rk_asprintf("usr/src/%s.tar.xz", package ? package : "");
	_cleanup_free_ char *deb = rk_asprintf("%s.deb", dir);
	_cleanup_free_ char *fresh = rk_asprintf("%s.new", dir);
	_Atomic uint64_t packed = 0;

	if (!series || !package || !nested || !deb || !fresh)
		return rk_err_nomem();
	rk_report_phase(reporter, "source", "fetching and unpacking '%s' %s", package, version);
	RK_TRY(rk_fs_remove_tree(fresh));
	RK_TRY(rk_fs_mkdir_p(fresh, 0777)); /* and what it lies in, for the package */
	RK_TRY(download(package, version, deb));
	RK_TRY(rk_source_tree_unpack(deb, nested, fresh, &packed, NULL));
	if (rename(fresh, dir) < 0)
		return rk_err_sys(errno, "cannot rename '%s'", fresh);
	unlink(deb);
	return NULL;
}

static struct rk_err *are_equal(const char *a, const char *b, bool *ret)
{
	_cleanup_free_ char *x = NULL, *y = NULL;
	struct stat sa, sb;
	size_t nx, ny;

	*ret = false;
	if (stat(a, &sa) < 0 || stat(b, &sb) < 0 || sa.st_size != sb.st_size)
		return NULL;
	RK_TRY(rk_fs_read(a, FILE_MAX, &x, &nx));
	RK_TRY(rk_fs_read(b, FILE_MAX, &y, &ny));
	*ret = nx == ny && memcmp(x, y, nx) == 0;
	return NULL;
}

/* A list as sha256sum(1) writes it: hash, two spaces, "source/", path. Fills map path → hash; both point into text. */
static struct rk_err *read_sums(const char *name, char *text, struct rk_map *map)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *space = strchr(line, ' ');
		char *slash = space ? strchr(space, '/') : NULL;
		if (!slash)
			return rk_err(RK_ERR_FORMAT, "'%s' isn't a list of hashes", name);
		*space = '\0';
		if (!rk_map_set(map, slash + 1, line))
			return rk_err_nomem();
	}
	return NULL;
}

static bool is_code(const char *path)
{
	return rk_has_suffix(path, ".c") || rk_has_suffix(path, ".h");
}

static struct rk_err *compare_sums(struct cov_trees *trees, const struct rk_map *older,
				   const struct rk_map *newer)
{
	const char *path;
	void *hash;

	for (size_t pos = 0; rk_map_next(newer, &pos, &path, &hash);) {
		const char *other = rk_map_get(older, path);
		if (!is_code(path) || (other && rk_streq(other, hash)))
			continue;
		char *copy = rk_arena_strdup(&trees->arena, path);
		if (!copy || !rk_vec_push(&trees->changed, copy))
			return rk_err_nomem();
	}
	return NULL;
}

/* The lists of hashes are beside the trees, written when they were unpacked. */
static struct rk_err *read_beside(const char *tree, char **ret_text, struct rk_map *map)
{
	_cleanup_free_ char *path = rk_asprintf("%s/../" RK_SOURCE_SUMS, tree);

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(path, FILE_MAX, ret_text, NULL));
	return read_sums(path, *ret_text, map);
}

static struct rk_err *compare_trees(struct cov_trees *trees)
{
	_cleanup_free_ char *older_text = NULL, *newer_text = NULL;
	struct rk_map older = {}, newer = {};

	struct rk_err *err = read_beside(trees->older, &older_text, &older);
	if (!err)
		err = read_beside(trees->newer, &newer_text, &newer);
	if (!err)
		err = compare_sums(trees, &older, &newer);
	rk_map_deinit(&older);
	rk_map_deinit(&newer);
	return err;
}

struct rk_err *cov_trees_compare(const char *older, const char *newer, struct cov_trees *ret)
{
	struct cov_trees trees = {.older = older, .newer = newer};
	struct rk_err *err = compare_trees(&trees);

	if (err) {
		cov_trees_deinit(&trees);
		return err;
	}
	if (trees.changed.nr)
		qsort(trees.changed.v, trees.changed.nr, sizeof(*trees.changed.v),
		      rk_compare_texts);
	*ret = trees;
	return NULL;
}

struct rk_err *cov_trees_open(const struct rk_target *target, const char *version, const char *dir,
			      bool offline, const struct rk_reporter *reporter,
			      struct cov_trees *ret)
{
	_cleanup_free_ char *newer = rk_path_join(dir, "source");
	struct cov_trees trees;

	if (!newer)
		return rk_err_nomem();
	if (!target->source_version)
		return rk_err(RK_ERR_INVALID, "'%s' has no source package to compare with",
			      target->id);
	if (!rk_fs_is_dir(newer) && offline)
		return rk_err(RK_ERR_NOT_FOUND,
			      "the source of %s isn't in '%s', and --offline forbids to fetch it",
			      version, dir);
	if (!rk_fs_is_dir(newer))
		RK_TRY(unpack(target, version, dir, reporter));
	rk_report_phase(reporter, "compare", "comparing the sources of %s and %s",
			target->source_version, version);
	RK_TRY(cov_trees_compare(target->source, newer, &trees));
	trees.newer = rk_arena_strdup(&trees.arena, newer);
	if (!trees.newer) {
		cov_trees_deinit(&trees);
		return rk_err_nomem();
	}
	*ret = trees;
	return NULL;
}

void cov_trees_deinit(struct cov_trees *trees)
{
	rk_vec_deinit(&trees->changed);
	rk_arena_deinit(&trees->arena);
}

const char *cov_file_state_name(enum cov_file_state state)
{
	static const char *const names[] = {
		[COV_FILE_DIFFERS] = "differs",
		[COV_FILE_SAME] = "same",
		[COV_FILE_OUTSIDE] = "outside",
	};
	return names[state];
}

struct rk_err *cov_trees_state(const struct cov_trees *trees, const char *path,
			       enum cov_file_state *ret)
{
	_cleanup_free_ char *older = rk_path_join(trees->older, path);
	_cleanup_free_ char *newer = rk_path_join(trees->newer, path);
	bool equal = false;

	if (!older || !newer)
		return rk_err_nomem();
	bool in_older = rk_fs_exists(older), in_newer = rk_fs_exists(newer);
	if (in_older && in_newer)
		RK_TRY(are_equal(older, newer, &equal));
	*ret = !in_older && !in_newer ? COV_FILE_OUTSIDE : equal ? COV_FILE_SAME : COV_FILE_DIFFERS;
	return NULL;
}

/* diff(1) between the two files, an absent one being /dev/null; its exit status is that of the worst case. */
static struct rk_err *run_diff(const char *const *argv, struct rk_process_result *ret)
{
	struct rk_process_spec spec = {.argv = argv};

	RK_TRY(rk_process_run(&spec, ret));
	if (ret->status < DIFF_TROUBLE)
		return NULL;
	return rk_err(RK_ERR_TOOL, "'diff' failed: %s", rk_str_get(&ret->output));
}

struct rk_err *cov_trees_diff(const struct cov_trees *trees, const char *path, struct rk_str *patch)
{
	_cleanup_free_ char *older = rk_path_join(trees->older, path);
	_cleanup_free_ char *newer = rk_path_join(trees->newer, path);
	_cleanup_free_ char *a = rk_asprintf("a/%s", path), *b = rk_asprintf("b/%s", path);
	_cleanup_process_result_ struct rk_process_result result = {};

	if (!older || !newer || !a || !b)
		return rk_err_nomem();
	bool in_older = rk_fs_exists(older), in_newer = rk_fs_exists(newer);
	const char *const argv[] = {"diff",
				    "-u",
				    "--label",
				    in_older ? a : "/dev/null",
				    "--label",
				    in_newer ? b : "/dev/null",
				    in_older ? older : "/dev/null",
				    in_newer ? newer : "/dev/null",
				    NULL};
	RK_TRY(run_diff(argv, &result));
	if (result.output.len >= RK_PROCESS_OUTPUT_MAX)
		return rk_err(RK_ERR_LIMIT, "the difference of '%s' is too large", path);
	rk_str_add_bytes(patch, rk_str_get(&result.output), result.output.len);
	return rk_str_check(patch);
}

bool cov_is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

bool cov_has_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = line; (p = strstr(p, word)); p += len)
		if ((p == line || !cov_is_word_char(p[-1])) && !cov_is_word_char(p[len]))
			return true;
	return false;
}

/* As the kernel's style has it, a definition begins in the first column and a call doesn't. */
static bool begins_definition(const char *line)
{
	return isalpha((unsigned char)*line) && !strchr(line, ';');
}

struct rk_err *cov_trees_adds_word(const struct cov_trees *trees, const char *path,
				   const char *word, bool defines, bool *ret)
{
	_cleanup_str_ struct rk_str patch = RK_STR_INIT;
	char *rest = NULL;

	RK_TRY(cov_trees_diff(trees, path, &patch));
	*ret = false;
	for (char *line = patch.len ? strtok_r(patch.s, "\n", &rest) : NULL; line && !*ret;
	     line = strtok_r(NULL, "\n", &rest))
		*ret = line[0] == '+' && !rk_has_prefix(line, "+++ ") &&
		       cov_has_word(line + 1, word) && (!defines || begins_definition(line + 1));
	return NULL;
}
