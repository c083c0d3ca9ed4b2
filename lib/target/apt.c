/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apt is asked through its stable, script-safe commands: apt-cache for what there is, apt-get --print-uris
 * for where it is, and apt-helper for the download itself.
 */
#include "lib/target/apt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/target/version.h"

#define APT_HELPER "/usr/lib/apt/apt-helper"
#define NO_PROGRAM 127 /* of env(1) */

void rk_apt_packages_deinit(struct rk_apt_packages *packages)
{
	rk_vec_deinit(&packages->list);
	rk_arena_deinit(&packages->arena);
}

void rk_apt_names_deinit(struct rk_apt_names *names)
{
	rk_vec_deinit(&names->list);
	rk_arena_deinit(&names->arena);
}

/* Runs an apt program in the C locale, so that its words are the ones we know. */
static struct rk_err *run_apt(const char *const *argv, void (*on_line)(void *ctx, const char *line),
			      void *ctx, struct rk_process_result *ret)
{
	struct rk_process_spec spec = {
		.argv = argv,
		.cwd = "/",
		.on_line = on_line,
		.on_line_ctx = ctx,
	};

	RK_TRY(rk_process_run(&spec, ret));
	if (ret->status == NO_PROGRAM)
		return rk_err(
			RK_ERR_NOT_FOUND,
			"cannot run '%s': Debian targets are fetched through apt; on another "
			"system give explicit paths (--source, --config, --vmlinux, --symvers)",
			argv[2]);
	return NULL;
}

/* The stanza of apt-cache's output that is being read. */
struct show {
	struct rk_apt_packages *to;
	struct rk_apt_package current;
	bool failed; /* out of memory */
};

static void end_stanza(struct show *s)
{
	const struct rk_apt_package *p = &s->current;

	if (p->name && p->version && p->sha256 && !rk_apt_find(s->to, p->name, p->version) &&
	    !rk_vec_push(&s->to->list, *p))
		s->failed = true;
	s->current = (struct rk_apt_package){};
}

static void read_field(struct show *s, const char **field, const char *value)
{
	*field = rk_arena_strdup(&s->to->arena, value);
	if (!*field)
		s->failed = true;
}

static void show_line(void *ctx, const char *line)
{
	struct show *s = ctx;
	const char *colon = strstr(line, ": ");

	if (line[0] == '\0') {
		end_stanza(s);
		return;
	}
	if (!colon || line[0] == ' ')
		return;

	const char *value = colon + 2;
	size_t len = (size_t)(colon - line);
	const struct {
		const char *name;
		const char **field;
	} fields[] = {
		{"Package", &s->current.name},
		{"Version", &s->current.version},
		{"SHA256", &s->current.sha256},
		{"Built-Using", &s->current.built_using},
	};
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strlen(fields[i].name) == len && memcmp(line, fields[i].name, len) == 0)
			read_field(s, fields[i].field, value);
	}
	if (rk_has_prefix(line, "Size: "))
		s->current.size = strtoull(value, NULL, 10);
	if (rk_has_prefix(line, "Installed-Size: "))
		s->current.installed_bytes = strtoull(value, NULL, 10) << 10;
}

struct rk_err *rk_apt_show(const char *const *names, size_t nr, struct rk_apt_packages *ret)
{
	_cleanup_apt_packages_ struct rk_apt_packages packages = {};
	_cleanup_process_result_ struct rk_process_result res = {};
	struct show show = {.to = &packages};
	_cleanup_free_ const char **argv = calloc(nr + 6, sizeof(*argv));
	size_t n = 0;

	if (!argv)
		return rk_err_nomem();
	argv[n++] = "env";
	argv[n++] = "LC_ALL=C";
	argv[n++] = "apt-cache";
	argv[n++] = "show";
	argv[n++] = "--";
	for (size_t i = 0; i < nr; i++)
		argv[n++] = names[i];
	/* The exit status says only whether all names are known: what counts is what was shown. */
	RK_TRY(run_apt(argv, show_line, &show, &res));
	end_stanza(&show);
	if (show.failed)
		return rk_err_nomem();
	*ret = packages;
	packages = (struct rk_apt_packages){};
	return NULL;
}

const struct rk_apt_package *rk_apt_find(const struct rk_apt_packages *packages, const char *name,
					 const char *version)
{
	const struct rk_apt_package *found = NULL;

	rk_vec_for_each(&packages->list, p) {
		if (!rk_streq(p->name, name) || (version && !rk_streq(p->version, version)))
			continue;
		if (!found || rk_version_compare(p->version, found->version) > 0)
			found = p;
	}
	return found;
}

struct names_reader {
	struct rk_apt_names *to;
	const char *prefix;
	bool failed;
};

static void names_line(void *ctx, const char *line)
{
	struct names_reader *r = ctx;

	if (!rk_has_prefix(line, r->prefix))
		return;
	const char *name = rk_arena_strdup(&r->to->arena, line);
	if (!name || !rk_vec_push(&r->to->list, name))
		r->failed = true;
}

struct rk_err *rk_apt_names(const char *prefix, struct rk_apt_names *ret)
{
	_cleanup_apt_names_ struct rk_apt_names names = {};
	_cleanup_process_result_ struct rk_process_result res = {};
	struct names_reader reader = {&names, prefix, false};
	const char *argv[] = {"env", "LC_ALL=C", "apt-cache", "pkgnames", prefix, NULL};

	RK_TRY(run_apt(argv, names_line, &reader, &res));
	if (reader.failed)
		return rk_err_nomem();
	*ret = names;
	names = (struct rk_apt_names){};
	return NULL;
}

/* The last error line of apt's output, NULL if there is none. Malloc'ed. */
static char *apt_error(const char *output)
{
	const char *found = NULL;

	for (const char *p = output; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (rk_has_prefix(p, "E: ") && (!found || !rk_has_prefix(p, "E: Download Failed")))
			found = p + 3;
	}
	return found ? strndup(found, strcspn(found, "\n")) : NULL;
}

/* Where apt would get package from: "'URI' file size hash" is the line to look for. */
static struct rk_err *find_uri(const struct rk_apt_package *package, char **ret)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_free_ char *name = rk_asprintf("%s=%s", package->name, package->version);
	/* An archive directory without anything in it: apt leaves out what it has already. */
	const char *argv[] = {
		"env",
		"LC_ALL=C",
		"apt-get",
		"-q",
		"--print-uris",
		"-o",
		"Dir::Cache::archives=/nonexistent/",
		"download",
		name,
		NULL,
	};

	if (!name)
		return rk_err_nomem();
	RK_TRY(run_apt(argv, NULL, NULL, &res));
	const char *output = rk_str_get(&res.output);
	const char *quote = output[0] == '\'' ? output : strstr(output, "\n'");
	const char *uri = quote ? strchr(quote, '\'') + 1 : NULL;
	const char *end = uri ? strchr(uri, '\'') : NULL;
	if (!end) {
		_cleanup_free_ char *said = apt_error(output);

		return rk_err(RK_ERR_TOOL, "apt doesn't say where '%s' is%s%s", name,
			      said ? ": " : "", said ? said : "");
	}
	*ret = strndup(uri, (size_t)(end - uri));
	return *ret ? NULL : rk_err_nomem();
}

/* A download under way. */
struct download {
	const struct rk_apt_package *package;
	const char *stamp; /* file that keeps the server's Last-Modified, or NULL */
	void (*progress)(void *ctx, uint64_t bytes);
	void *ctx;
};

static void download_line(void *ctx, const char *line)
{
	struct download *d = ctx;
	const char last_modified[] = "Last-Modified: ";

	/* "dlstatus:<nr>:<percent>:<text>" (apt's README.progress-reporting) */
	if (rk_has_prefix(line, "dlstatus:")) {
		const char *percent = strchr(line + strlen("dlstatus:"), ':');

		if (percent && d->progress)
			d->progress(d->ctx, (uint64_t)((double)d->package->size *
						       strtod(percent + 1, NULL) / 100));
	} else if (strncasecmp(line, last_modified, strlen(last_modified)) == 0) {
		const char *date = line + strlen(last_modified);

		/* Only a help for resuming: without it the download starts again. */
		rk_err_free(rk_fs_write(d->stamp, date, strcspn(date, "\r\n"), 0644));
	}
}

/*
 * apt asks for the rest of a partial file "If-Range" its modification time is the server's. apt sets that time
 * only when it is ended in good order; after a kill the time is that of the last write, and the server would send
 * everything again. So the server's time is kept beside the file and put back here.
 */
static void restore_time(const char *path, const char *stamp)
{
	_cleanup_free_ char *date = NULL;
	struct tm tm = {};
	struct rk_err *err = rk_fs_read(stamp, 128, &date, NULL);

	if (err) {
		rk_err_free(err);
		return;
	}
	const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (!end)
		return;
	struct timespec times[2] = {{.tv_sec = timegm(&tm)}, {.tv_sec = timegm(&tm)}};
	utimensat(AT_FDCWD, path, times,
		  0); /* fails if there is no partial file: nothing to resume */
}

static struct rk_err *download_failed(const struct rk_apt_package *package, const char *path,
				      const struct rk_process_result *res)
{
	_cleanup_free_ char *said = apt_error(rk_str_get(&res->output));

	if (said && strstr(said, "No space left on device"))
		return rk_err_sys(ENOSPC, "cannot write '%s'", path);
	return rk_err(
		RK_ERR_TOOL,
		"cannot download '%s' %s: %s; run the command again to go on, or 'apt-get update' "
		"if apt's lists are old",
		package->name, package->version, said ? said : "apt-helper failed");
}

static bool is_right(const struct rk_apt_package *package, const char *path)
{
	char hash[RK_SHA256_HEX_SIZE];
	struct stat st;

	if (stat(path, &st) < 0 || (uint64_t)st.st_size != package->size)
		return false;
	struct rk_err *err = rk_sha256_file(path, hash);
	rk_err_free(err);
	return !err && rk_streq(hash, package->sha256);
}

struct rk_err *rk_apt_download(const struct rk_apt_package *package, const char *path,
			       void (*progress)(void *ctx, uint64_t bytes), void *ctx)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_free_ char *uri = NULL;
	_cleanup_free_ char *stamp = rk_asprintf("%s.last-modified", path);
	_cleanup_free_ char *hash = rk_asprintf("SHA256:%s", package->sha256);
	struct download download = {package, stamp, progress, ctx};

	if (!stamp || !hash)
		return rk_err_nomem();
	if (is_right(package, path))
		return NULL;
	RK_TRY(find_uri(package, &uri));
	restore_time(path, stamp);
	/* The target's directory is the user's own: apt's sandbox user couldn't write there. */
	const char *argv[] = {
		"env",
		"LC_ALL=C",
		APT_HELPER,
		"-q",
		"-o",
		"APT::Sandbox::User=root",
		"-o",
		"APT::Status-Fd=1",
		"-o",
		"Debug::Acquire::http=true",
		"-o",
		"Debug::Acquire::https=true",
		"download-file",
		uri,
		path,
		hash,
		NULL,
	};
	RK_TRY(run_apt(argv, download_line, &download, &res));
	if (res.status != 0)
		return download_failed(package, path, &res);
	if (!is_right(package, path))
		return rk_err(RK_ERR_MISMATCH,
			      "'%s' isn't what apt promised (SHA-256 of '%s' differs)", path,
			      package->name);
	unlink(stamp);
	return NULL;
}
