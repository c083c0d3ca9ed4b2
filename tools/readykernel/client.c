/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One opening for all verbs. Whoever changes the host holds a lock that tells its process id; whoever only looks needs neither
 * the lock nor root.
 */
#include "tools/readykernel/client.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "tools/common/render.h"

#define LOCK_STEP_MS 100

const struct rk_option readykernel_root_options[] = {
	READYKERNEL_OPT_ROOT(struct readykernel_common, root),
	RK_OPT_END,
};

/* --- one at a time --- */

/* flock(2) doesn't tell who has it: the file does. */
static void tell_pid(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());

	/* only a hint: a disk that is full must not stop an unload */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) < 0)
		return;
}

static struct rk_err *busy(const char *lock_file)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct rk_err *err = rk_fs_read(lock_file, 32, &text, NULL);
	long pid = err ? 0 : strtol(text, NULL, 10);

	if (pid <= 0)
		return rk_err(RK_ERR_VERDICT, "another readykernel is at work on this host");
	return rk_err(RK_ERR_VERDICT, "another readykernel is at work on this host: process %ld",
		      pid);
}

/* Who has something to write down yet, and little time once it is told to end; all others end then. */
enum patience {
	PATIENCE_UNTIL_TOLD, /* left passes, or the interrupt comes */
	PATIENCE_ONCE_TOLD,  /* left passes from the interrupt on */
};

/* Tried again and not waited for: whoever is told to end must not hang in flock(2). left: milliseconds. */
static struct rk_err *take_lock(struct readykernel *rk, unsigned int left, enum patience patience)
{
	for (;;) {
		struct rk_err *err = rk_host_lock(rk->host, true, &rk->lock);
		bool is_told = rk_is_interrupted();

		if (!err || rk_err_code(err) != RK_ERR_VERDICT || !left ||
		    (is_told && patience == PATIENCE_UNTIL_TOLD))
			return err;
		rk_err_free(err);
		nanosleep(&(struct timespec){.tv_nsec = LOCK_STEP_MS * 1000000}, NULL);
		if (is_told || patience == PATIENCE_UNTIL_TOLD)
			left -= LOCK_STEP_MS;
	}
}

void readykernel_leave(struct readykernel *rk)
{
	readykernel_close_trust(rk);
	rk_cleanup_close(&rk->lock);
	rk->lock = -1;
}

static struct rk_err *reread_state(struct readykernel *rk)
{
	struct rk_host_state *state;

	RK_TRY(rk_host_state_read(rk->host, &state));
	rk_host_state_free(rk->state);
	rk->state = state;
	return NULL;
}

struct rk_err *readykernel_enter(struct readykernel *rk)
{
	RK_TRY(take_lock(rk, READYKERNEL_LOCK_MS, PATIENCE_ONCE_TOLD));
	tell_pid(rk->lock);
	RK_TRY(reread_state(rk));
	RK_TRY(readykernel_reread_patches(rk));
	return readykernel_open_trust(rk);
}

static struct rk_err *lock(struct readykernel *rk)
{
	if (*rk->host->root == '\0' && geteuid() != 0)
		return rk_err_sys(EPERM, "only root may change which patches this host has");
	RK_TRY(rk_host_prepare(rk->host));
	bool waits = rk->need == READYKERNEL_CHANGE_WAIT || rk->need == READYKERNEL_SHUTDOWN;
	unsigned int left = waits ? READYKERNEL_LOCK_MS : 0;
	struct rk_err *err = take_lock(rk, left, PATIENCE_UNTIL_TOLD);
	if (err && rk_err_code(err) == RK_ERR_VERDICT) {
		rk_err_free(err);
		return busy(rk->host->lock_file);
	}
	if (!err)
		tell_pid(rk->lock);
	return err;
}

struct rk_err *readykernel_lock_fetch(const struct readykernel *rk, int *ret_fd)
{
	const char *path = rk->host->fetch_lock_file;
	int fd = -1;

	RK_TRY(rk_fs_lock(path, RK_LOCK_EXCLUSIVE, true, &fd));
	if (fd < 0)
		return busy(path);
	tell_pid(fd);
	*ret_fd = fd;
	return NULL;
}

/* --- opening --- */

/* Below a root of files there is no kernel that could load anything; this one must not be asked. */
static int refuse_insert(void *ctx, int fd, const char *path)
{
	return EOPNOTSUPP;
}

static int refuse_remove(void *ctx, const char *name)
{
	return EOPNOTSUPP;
}

static const struct rk_livepatch_calls no_calls = {refuse_insert, refuse_remove, NULL};

/* A typing error must not leave a host without patches: it is told, and its default stands. */
static void warn_of_problems(const struct readykernel *rk)
{
	for (size_t i = 0; i < rk->problems.nr; i++)
		rk_render_warning(stderr, "'%s' line %u: %s", rk->host->config_file,
				  rk->problems.v[i].line, rk->problems.v[i].text);
}

struct rk_err *readykernel_reread_patches(struct readykernel *rk)
{
	struct rk_patches *patches;

	RK_TRY(rk_patches_list(rk->host, rk->kernel->running.build_id, &patches));
	rk_patches_free(rk->patches);
	rk->patches = patches;
	return NULL;
}

/* Whoever only takes out what is loaded, or notes the host's end, does it without. */
static struct rk_err *read_patches(struct readykernel *rk)
{
	struct rk_err *err = readykernel_reread_patches(rk);

	if (!err || rk_err_code(err) == RK_ERR_NOMEM ||
	    (rk->need != READYKERNEL_UNLOAD && rk->need != READYKERNEL_SHUTDOWN))
		return err;
	rk_render_warning(stderr, "as if no level were installed: %s", rk_err_message(err));
	rk_err_free(err);
	rk->patches = calloc(1, sizeof(*rk->patches));
	return rk->patches ? NULL : rk_err_nomem();
}

struct rk_err *readykernel_open(const struct rk_cli *cli, const char *root,
				enum readykernel_need need, struct readykernel *ret)
{
	ret->cli = cli;
	ret->need = need;
	RK_TRY(rk_host_create(root ? root : "", &ret->host));
	if (*ret->host->root)
		ret->host->roots.calls = &no_calls;
	if (need != READYKERNEL_READ)
		RK_TRY(lock(ret));
	RK_TRY(rk_settings_read(ret->host->config_file, &ret->settings, &ret->problems));
	warn_of_problems(ret);
	RK_TRY(rk_host_kernel_read(ret->host, &ret->kernel));
	RK_TRY(rk_host_state_read(ret->host, &ret->state));
	RK_TRY(read_patches(ret));
	return readykernel_open_trust(ret);
}

void readykernel_close(struct readykernel *rk)
{
	readykernel_close_trust(rk);
	rk_patches_free(rk->patches);
	rk_host_state_free(rk->state);
	rk_host_kernel_free(rk->kernel);
	rk_settings_free(rk->settings);
	rk_vec_deinit(&rk->problems);
	rk_host_free(rk->host);
	rk_arena_deinit(&rk->arena);
	rk_cleanup_close(&rk->lock);
}

/* --- exit status --- */

/* Uptrack's numbers, which monitoring scripts know. */
enum {
	EXIT_NO_NETWORK = 10,
	EXIT_INTERNAL = 11,
	EXIT_KERNEL = 13, /* not one that can be patched */
	EXIT_BAD_KEY = 14,
	EXIT_TOO_OLD = 16, /* this program, to read what is there */
	EXIT_EXPIRED = 17,
	EXIT_SERVER = 18,
	EXIT_NO_KEY = 20,
	EXIT_NO_SYSFS = 21,
};

int readykernel_exit(const struct rk_err *err)
{
	enum rk_err_code code = rk_err_code(err);

	switch (code) {
	case RK_ERR_INVALID: return RK_EXIT_USAGE;
	case RK_ERR_VERDICT: return RK_EXIT_VERDICT;
	case RK_ERR_NETWORK:
	case RK_ERR_TIMEOUT: return EXIT_NO_NETWORK;
	case RK_ERR_NOMEM:
	case RK_ERR_INTERNAL: return EXIT_INTERNAL;
	case RK_ERR_UNSUPPORTED: return EXIT_KERNEL;
	case RK_ERR_KEY: return EXIT_BAD_KEY;
	case RK_ERR_NEWER: return EXIT_TOO_OLD;
	case RK_ERR_EXPIRED: return EXIT_EXPIRED;
	case RK_ERR_SERVER:
	case RK_ERR_NOT_FOUND: return EXIT_SERVER;
	case RK_ERR_NO_ROOT: return EXIT_NO_KEY;
	case RK_ERR_NO_SYSFS: return EXIT_NO_SYSFS;
	default: return rk_err_is_distrust(err) ? RK_EXIT_VERDICT : RK_EXIT_FAILED;
	}
}
