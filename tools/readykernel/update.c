/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a repository or a bundle to a level on this disk. Each file goes the same way: the process without rights fetches it into
 * incoming/, root reads it from there once, believes only what the signatures say, and keeps a copy of its own. A server may be slow: whoever
 * waits for one leaves this host to others, and looks anew at what they made of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "lib/base/fs.h"
#include "lib/host/choose.h"
#include "lib/host/queue.h"
#include "tools/common/render.h"
#include "tools/readykernel/client.h"
#include "tools/readykernel/fetch.h"

#define SMALL_FILES    10 /* that a check of metadata waits for at most, each fetch_timeout */
#define UNPACK_SECONDS 600
#define INCOMING_KEPT \
	(64u << 20) /* bytes of earlier updates that are left for the next to go on with */

/* --- the process that fetches --- */

static const char *from_environment(const char *name, const char *again)
{
	const char *value = getenv(name);

	return value ? value : getenv(again);
}

/* The settings', else that of whoever called: units have none. HTTP_PROXY in capitals is what a CGI's caller can set. */
static const char *find_proxy(const struct rk_settings *settings, const char *url)
{
	if (*settings->proxy)
		return settings->proxy;
	if (rk_has_prefix(url, "https:"))
		return from_environment("https_proxy", "HTTPS_PROXY");
	return getenv("http_proxy");
}

void readykernel_start_request(struct readykernel *rk, enum readykernel_request_kind kind,
			       const char *url, struct readykernel_request *ret)
{
	const struct rk_settings *settings = rk->settings;
	const struct rk_running *running = &rk->kernel->running;
	*ret = (struct readykernel_request){
		.kind = kind,
		.repository = settings->repository,
		.proxy = find_proxy(settings, url),
		.no_proxy = *settings->proxy ? NULL : from_environment("no_proxy", "NO_PROXY"),
		.connect_timeout = settings->connect_timeout,
		.fetch_timeout = settings->fetch_timeout,
		.minimum_speed = (unsigned int)settings->minimum_speed,
		.metadata_limit = settings->metadata_limit,
		.max_file = RK_PATCH_SIZE_MAX,
		.trust_dir = rk->host->trust_dir,
		.root_file = readykernel_root_file(rk),
		.kernel = {running->release, running->version, running->build_id, running->machine},
		.channel = settings->channel,
	};
}

static void start_request(struct readykernel *rk, enum readykernel_request_kind kind, int64_t now,
			  struct readykernel_request *ret)
{
	readykernel_start_request(rk, kind, rk->settings->repository, ret);
	ret->now = now;
}

static struct rk_err *fetch(struct readykernel *rk, const struct readykernel_request *request,
			    int bundle, unsigned int limit_s)
{
	struct readykernel_job job = {
		.request = request,
		.input = bundle,
		.limit_s = limit_s,
		.reporter = rk->cli->reporter,
	};

	readykernel_leave(rk);
	struct rk_err *err = readykernel_fetch(rk->host, &job);
	struct rk_err *second = readykernel_enter(rk);
	if (err) {
		rk_err_free(second);
		return err;
	}
	RK_TRY(second);
	return readykernel_need_trust(rk);
}

/* What earlier updates left is worth something only to an update that goes on where one was interrupted. */
static struct rk_err *tidy_incoming(const struct rk_host *host)
{
	uint64_t bytes = 0;

	if (!rk_fs_exists(host->incoming_dir))
		return NULL;
	/* no update leaves what can't be measured */
	_cleanup_err_ struct rk_err *err = rk_fs_usage(host->incoming_dir, &bytes);
	return err || bytes > INCOMING_KEPT ? rk_fs_remove_tree(host->incoming_dir) : NULL;
}

/* Any other failure can be the work of what lies in incoming/: whoever had the process that fetches once must not stop all updates to come. */
static void tidy_after(const struct rk_host *host, const struct rk_err *err)
{
	switch (rk_err_code(err)) {
	case RK_ERR_NETWORK:
	case RK_ERR_SERVER:
	case RK_ERR_TIMEOUT:
	case RK_ERR_INTERRUPTED: return;
	default: rk_err_free(rk_fs_remove_tree(host->incoming_dir));
	}
}

static struct rk_err *fetch_metadata(struct readykernel *rk, int64_t now)
{
	struct readykernel_request request;

	if (!*rk->settings->repository)
		return rk_err(RK_ERR_INVALID,
			      "no repository is configured; set 'repository' in '%s', or use "
			      "'readykernel bundle install'",
			      rk->host->config_file);
	start_request(rk, READYKERNEL_METADATA, now, &request);
	return fetch(rk, &request, -1, SMALL_FILES * rk->settings->fetch_timeout);
}

static struct rk_err *unpack(struct readykernel *rk, const char *path, int64_t now)
{
	struct readykernel_request request;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	/* one bundle at a time, and nothing that isn't of it */
	RK_TRY(rk_fs_remove_tree(rk->host->incoming_dir));
	start_request(rk, READYKERNEL_UNPACK, now, &request);
	request.bundle = path;
	return fetch(rk, &request, fd, UNPACK_SECONDS);
}

/* In rk->arena, NULL without memory. */
static const char *module_name(struct readykernel *rk, const struct rk_release_level *level)
{
	_cleanup_free_ char *name =
		rk_name_file(rk->release->kernel.build_id, level->sha256, RK_FILE_MODULE);

	return name ? rk_arena_strdup(&rk->arena, name) : NULL;
}

static struct rk_err *fetch_module(struct readykernel *rk, const struct rk_release_level *level)
{
	struct readykernel_request request;

	if (level->length > rk->settings->module_limit)
		return rk_err(RK_ERR_LIMIT,
			      "level %" PRIu64 " has %" PRIu64 " bytes, 'module_limit' is %" PRIu64,
			      level->level, level->length, rk->settings->module_limit);
	start_request(rk, READYKERNEL_FILE, 0, &request);
	/* copies: level goes with the store */
	request.file = module_name(rk, level);
	request.sha256 = rk_arena_strdup(&rk->arena, level->sha256);
	if (!request.file || !request.sha256)
		return rk_err_nomem();
	request.length = level->length;
	return fetch(rk, &request, -1, rk->settings->fetch_timeout + 60);
}

/* --- root's part --- */

static struct rk_err *believe(struct readykernel *rk, int64_t now, bool bundle,
			      struct rk_trust_news *ret)
{
	_cleanup_trust_directory_ struct rk_trust_source source = {};
	const struct rk_running *running = &rk->kernel->running;
	struct rk_kernel_id kernel = {running->release, running->version, running->build_id,
				      running->machine};
	struct rk_trust_request request = {&kernel, rk->settings->channel, now, bundle};

	RK_TRY(rk_trust_directory_open(rk->host->incoming_dir, &source));
	rk->release = NULL; /* belongs to what is replaced */
	RK_TRY(rk_trust_update(rk->trust, &request, &source, ret));
	return readykernel_reread_trust(rk);
}

static struct rk_err *renew_level(struct readykernel *rk, const struct rk_patch *installed,
				  const char *bytes, size_t len)
{
	const struct rk_release_level *level = rk_release_find(rk->release, installed->level);
	struct rk_patch record;

	if (!level)
		return NULL;
	RK_TRY(readykernel_record(rk->release, level, &rk->arena, &record));
	return rk_patches_renew(rk->host, installed, &record, bytes, len);
}

/* What is installed and still listed is as well proved as what comes new. */
static struct rk_err *renew_installed(struct readykernel *rk)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	if (!rk->release || !rk->patches->list.nr)
		return NULL;
	RK_TRY(rk_trust_release_bytes(rk->trust, rk->kernel->running.build_id, rk->release->channel,
				      &bytes, &len));
	rk_vec_for_each(&rk->patches->list, installed)
		RK_TRY(renew_level(rk, installed, bytes, len));
	return readykernel_reread_patches(rk);
}

/* All of the signed file that the level is listed in, to be installed beside it. */
static struct rk_err *install_copy(struct readykernel *rk, const struct rk_release_level *level,
				   const char *module)
{
	struct rk_patch record;
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	RK_TRY(readykernel_record(rk->release, level, &rk->arena, &record));
	RK_TRY(rk_trust_release_bytes(rk->trust, record.build_id, rk->release->channel, &bytes,
				      &len));
	RK_TRY(rk_patches_install(rk->host, &record, module, bytes, len));
	return readykernel_reread_patches(rk);
}

static struct rk_err *copy_module(struct readykernel *rk, const struct rk_release_level *level,
				  const char *name, const char *to)
{
	_cleanup_trust_directory_ struct rk_trust_source source = {};
	_cleanup_close_ int fd = -1;

	RK_TRY(rk_trust_directory_open(rk->host->incoming_dir, &source));
	RK_TRY(rk_trust_directory_file(&source, name, &fd));
	return rk_trust_copy_module(fd, rk->release, level, to);
}

static struct rk_err *install(struct readykernel *rk, const struct rk_release_level *level)
{
	const char *name = module_name(rk, level);
	const char *copy = rk_arena_printf(&rk->arena, "%s/verified.ko", rk->host->state_dir);

	if (!name || !copy)
		return rk_err_nomem();
	struct rk_err *err = copy_module(rk, level, name, copy);
	if (!err)
		err = install_copy(rk, level, copy);
	unlink(copy);
	return err;
}

/* --- which level --- */

struct refused {
	const struct rk_host_state *state;
	const struct rk_trust *trust;
	const char *build_id;
	uint64_t wanted; /* this one alone, 0: any */
};

/* Its publisher takes the one that hurt this host back, and says that level is to take its place: so somebody knows it to be better. */
static bool is_replaced_by(const struct refused *r, uint64_t blocked, uint64_t level)
{
	const struct rk_notice *notice = NULL;

	return rk_trust_level_state(r->trust, r->build_id, blocked, &notice) ==
		       RK_LEVEL_WITHDRAWN &&
	       notice->to == level;
}

/* Below one that hurt this host only what was good here comes by itself: what holds at boot (rk_choose()) holds an hour later. */
static bool is_below_blocked(const struct refused *r, uint64_t level)
{
	rk_vec_for_each(&r->state->levels, note)
		if (rk_level_note_blocks_above(note, r->build_id, level) &&
		    !is_replaced_by(r, note->level, level))
			return true;
	return false;
}

static bool is_refused(void *ctx, const struct rk_release_level *level)
{
	const struct refused *r = ctx;

	enum rk_verdict verdict = rk_host_state_verdict(r->state, r->build_id, level->level);

	/* whoever names a level isn't asked what this host holds of it; the load asks for --force where it must */
	if (r->wanted)
		return level->level != r->wanted;
	if (!rk_freeze_allows(&r->state->freeze, level->level, level->released))
		return true;
	return verdict == RK_VERDICT_BLOCKED ||
	       (verdict == RK_VERDICT_NONE && is_below_blocked(r, level->level));
}

static struct rk_err *choose(struct readykernel *rk, uint64_t wanted, struct rk_level_choice *ret,
			     struct readykernel_updated *updated)
{
	struct refused refused = {rk->state, rk->trust, rk->kernel->running.build_id, wanted};
	struct rk_level_request request = {.is_refused = is_refused, .ctx = &refused};
	const struct rk_patch *loaded = NULL;
	enum rk_livepatch_state state;

	RK_TRY(rk_apply_loaded(rk->host, rk->patches, &rk->arena, &loaded, &state, NULL));
	request.loaded = loaded ? loaded->level : 0;
	rk_trust_choose(rk->trust, refused.build_id, rk->release, &request, ret);
	updated->loaded = updated->chosen = request.loaded;
	if (ret->action != RK_LEVEL_ACTION_KEEP)
		updated->chosen = ret->action == RK_LEVEL_ACTION_LOAD ? ret->level->level : 0;
	updated->is_downgrade = ret->is_downgrade;
	updated->loaded_state = ret->loaded_state;
	if (!wanted || updated->chosen == wanted)
		return NULL;
	return rk_err(RK_ERR_VERDICT,
		      "level %" PRIu64 " is not to be had: the repository hasn't it for this "
		      "kernel, its publisher took it back, or a higher one is loaded ('readykernel "
		      "rollback %" PRIu64 "' goes back to one that is installed)",
		      wanted, wanted);
}

/* --- the whole --- */

static struct rk_err *renew_metadata(struct readykernel *rk, const struct readykernel_update *what,
				     struct readykernel_updated *ret)
{
	struct rk_trust_news news = {};
	int64_t now =
		rk_host_time(rk->host); /* one time for all, lest something expires meanwhile */

	if (rk->kernel->switched >= RK_SWITCH_DISABLED) /* off, or the file: "nothing" means it */
		RK_TRY(rk_host_may_load(rk->host, false));
	RK_TRY(readykernel_need_trust(rk));
	RK_TRY(readykernel_may_fetch(rk));
	RK_TRY(tidy_incoming(rk->host));
	if (what->bundle)
		RK_TRY(unpack(rk, what->bundle, now));
	else
		RK_TRY(fetch_metadata(rk, now));
	if (what->begin_anew)
		rk_trust_set_witness(rk->trust, NULL);
	RK_TRY(believe(rk, now, what->bundle != NULL, &news));
	rk->state->seen_root = rk_trust_root(rk->trust)->version;
	rk->state->seen_timestamp = rk_trust_timestamp(rk->trust)->version;
	RK_TRY(rk_host_state_write(rk->host, rk->state));
	if (news.clock_behind_s > 0)
		rk_report_note(rk->cli->reporter,
			       "this host's clock is at least %" PRId64 " s behind",
			       news.clock_behind_s);
	ret->is_known = rk->release != NULL;
	/* the product is known only now */
	return readykernel_may_fetch(rk);
}

/* For whoever watches over many hosts. That it can't be kept is no reason to fail. */
static void note_refusal(struct readykernel *rk, const struct rk_err *err)
{
	json_t *body = json_pack("{s:s, s:s}", "code", rk_err_code_name(rk_err_code(err)), "text",
				 rk_err_message(err));
	struct rk_err *second = rk_queue_push(rk->host, "refusal", rk->kernel->boot_id, body);

	json_decref(body);
	rk_err_free(second);
}

static struct rk_err *note_check(struct readykernel *rk, const struct rk_err *err, uint64_t level)
{
	if (err && rk_err_is_distrust(err))
		note_refusal(rk, err);
	RK_TRY(rk_host_state_set_last(rk->state, &rk->state->last_check, rk_host_time(rk->host),
				      err ? rk_err_code_name(rk_err_code(err)) : "ok",
				      err ? rk_err_message(err) : NULL, level));
	return rk_host_state_write(rk->host, rk->state);
}

static struct rk_err *renew(struct readykernel *rk, const struct readykernel_update *what,
			    struct readykernel_updated *ret)
{
	struct rk_level_choice choice = {};
	uint64_t fetched = 0;

	RK_TRY(renew_metadata(rk, what, ret));
	RK_TRY(renew_installed(rk));
	for (;;) {
		RK_TRY(choose(rk, what->level, &choice, ret));
		if (!what->fetch || choice.action != RK_LEVEL_ACTION_LOAD ||
		    rk_patches_find(rk->patches, ret->chosen))
			return NULL;
		if (what->bundle || fetched == ret->chosen)
			break;
		fetched = ret->chosen;
		RK_TRY(fetch_module(rk, choice.level));
		/* somebody may have frozen, blocked or loaded a level meanwhile: chosen again */
	}
	RK_TRY(install(rk, choice.level));
	ret->installed = true;
	return NULL;
}

struct rk_err *readykernel_renew(struct readykernel *rk, const struct readykernel_update *what,
				 struct readykernel_updated *ret)
{
	struct readykernel_updated updated = {};
	_cleanup_close_ int turn = -1;

	RK_TRY(readykernel_lock_fetch(rk, &turn));
	struct rk_err *err = renew(rk, what, &updated);
	if (err)
		tidy_after(rk->host, err);
	if (rk->lock < 0) /* somebody else has the host: its state isn't ours to write */
		return err;
	struct rk_err *second = note_check(rk, err, updated.chosen);

	if (err)
		rk_err_free(second);
	if (err || second)
		return err ? err : second;
	*ret = updated;
	return NULL;
}
