/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host is attacked with, one function each: an update that is refused with its own code, after which the host knows what it knew before.
 * Each attack is first made without its poison, so that nothing is refused for another reason.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "tests/unit/repomake.h"
#include "tests/unit/tap.h"

/* A host and the repository it updates from. */
struct host {
	struct repomake repo;
	char *root_path, *dir;
	struct rk_trust *trust;
	struct rk_trust_request request;
	struct rk_trust_news news;
};

static void host_reopen(struct host *h)
{
	rk_trust_free(h->trust);
	h->trust = NULL;
	must(rk_trust_open(h->dir, h->root_path, RK_TRUST_READ_WRITE, &h->trust));
}

static void host_init(struct host *h)
{
	static int nr;

	*h = (struct host){};
	repomake_init(&h->repo);
	h->root_path = repomake_root_path(&h->repo);
	h->dir = rk_asprintf("%s/trust-%d", tap_tmpdir(), nr++);
	h->request = (struct rk_trust_request){
		.kernel = &h->repo.kernel, .channel = RK_CHANNEL_STABLE, .now = REPOMAKE_NOW};
	host_reopen(h);
}

static void host_deinit(struct host *h)
{
	rk_trust_free(h->trust);
	repomake_deinit(&h->repo);
	free(h->root_path);
	free(h->dir);
}

#define _cleanup_host_ _cleanup_(host_deinit)

static struct rk_err *update(struct host *h)
{
	struct rk_trust_source source = repomake_source(&h->repo);

	h->news = (struct rk_trust_news){};
	return rk_trust_update(h->trust, &h->request, &source, &h->news);
}

static void update_ok(struct host *h, const char *name)
{
	no_err(update(h), name);
}

/* All bytes below the store's directory as one hash. */
static void hash_of_store(const struct host *h, char hex[RK_SHA256_HEX_SIZE])
{
	static const char *const names[] = {"seen.json",
					    RK_NAME_TIMESTAMP,
					    "index.0.json",
					    "root/2.signed",
					    "root/3.signed",
					    REPOMAKE_BUILD_ID ".stable.signed",
					    REPOMAKE_BUILD_ID ".test.signed"};
	struct rk_sha256 *hash;

	must(rk_sha256_create(&hash));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = rk_path_join(h->dir, names[i]);
		_cleanup_free_ char *bytes = NULL;
		size_t len = 0;

		if (rk_fs_exists(path))
			must(rk_fs_read(path, 1u << 20, &bytes, &len));
		rk_sha256_add_str(hash, names[i]);
		rk_sha256_add(hash, bytes ? bytes : "", len);
	}
	must(rk_sha256_finish(hash, hex));
}

/* The update is refused with this code and message, and nothing of it is kept, in memory or on disk. */
static void refused(struct host *h, enum rk_err_code code, const char *message, const char *name)
{
	char before[RK_SHA256_HEX_SIZE], after[RK_SHA256_HEX_SIZE];
	const struct rk_timestamp *old = rk_trust_timestamp(h->trust);
	uint64_t version = old ? old->version : 0;
	const struct rk_release *release;

	hash_of_store(h, before);
	is_err_like(update(h), code, message, name);
	hash_of_store(h, after);
	is_str(after, before, "… nothing is kept on disk");
	const struct rk_timestamp *new = rk_trust_timestamp(h->trust);
	is_int(new ? (long long)new->version : 0, (long long)version, "… nor in memory");
	if (h->news.is_known || !version)
		return;
	no_err(rk_trust_release(h->trust, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &release),
	       "… what was known is still there");
	ok(release && release->version == 1, "… as it was");
}

/* --- nothing wrong --- */

static void test_update(void)
{
	_cleanup_host_ struct host h;
	const struct rk_release *release;

	host_init(&h);
	ok(!rk_trust_timestamp(h.trust), "at first nothing is known");
	no_err(rk_trust_release(h.trust, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &release),
	       "nor is a release");
	ok(!release, "… there is none");
	update_ok(&h, "an update that is right");
	ok(h.news.timestamp_changed && h.news.release_changed && h.news.is_known, "is news");
	ok(!h.news.root_changed && !h.news.clock_behind_s, "… of the release only");
	is_int((long long)h.repo.nr_gets, 4, "… made of the next root, timestamp, index, release");

	h.repo.nr_gets = h.repo.nr_bytes = 0;
	update_ok(&h, "the same once more");
	ok(!h.news.timestamp_changed && !h.news.release_changed && h.news.is_known, "is no news");
	is_int((long long)h.repo.nr_gets, 2, "… and fetches no more than root and timestamp");

	host_reopen(&h);
	ok(rk_trust_timestamp(h.trust) && rk_trust_timestamp(h.trust)->version == 1,
	   "the timestamp is stored");
	no_err(rk_trust_release(h.trust, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &release),
	       "so is the release");
	ok(release && release->levels.nr == 1 && release->levels.v[0].level == 1,
	   "… with its level");
}

static void test_unknown_kernel(void)
{
	_cleanup_host_ struct host h;
	struct rk_kernel_id other;

	host_init(&h);
	other = h.repo.kernel;
	other.build_id = "f123456789abcdef0123456789abcdef01234567";
	h.request.kernel = &other;
	update_ok(&h, "a kernel that isn't in the repository is no error");
	ok(!h.news.is_known && h.news.timestamp_changed, "… it is known that it isn't");
	h.request.kernel = &h.repo.kernel;
	h.request.channel = RK_CHANNEL_TEST;
	update_ok(&h, "nor is a channel it has no release in");
	ok(!h.news.is_known, "… it is known that there is none");
	other.build_id = "../../etc";
	h.request.kernel = &other;
	is_err(update(&h), RK_ERR_NAME, "'../../etc' is no build-id", "a build-id is one");
}

static void test_read_only(void)
{
	_cleanup_host_ struct host h;
	const struct rk_release *release;
	struct rk_trust_source source;
	struct rk_trust *reader;

	host_init(&h);
	source = repomake_source(&h.repo);
	must(rk_trust_open(h.dir, h.root_path, RK_TRUST_READ_ONLY, &reader));
	no_err(rk_trust_update(reader, &h.request, &source, &h.news), "read only: an update");
	no_err(rk_trust_release(reader, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &release),
	       "… what it brought is known");
	ok(release && release->levels.nr == 1, "… in memory");
	rk_trust_free(reader);
	_cleanup_free_ char *seen = rk_path_join(h.dir, "seen.json");
	ok(!rk_fs_exists(seen), "… and nothing is written");
	must(rk_trust_open(NULL, h.root_path, RK_TRUST_READ_ONLY, &reader));
	no_err(rk_trust_update(reader, &h.request, &source, NULL), "a store in memory: an update");
	rk_trust_free(reader);
}

/* --- signatures --- */

static void test_wrong_key(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	repomake_put_timestamp(&h.repo, REPOMAKE_STRANGER);
	refused(&h, RK_ERR_KEY, "'timestamp.signed': no key of role 'timestamp' has signed it",
		"a timestamp signed by a stranger");
	repomake_put_timestamp(&h.repo, REPOMAKE_BUILDER);
	refused(&h, RK_ERR_KEY, "no key of role 'timestamp'", "… or with a key of another role");
	repomake_publish(&h.repo, REPOMAKE_BIT(REPOMAKE_STRANGER));
	refused(&h, RK_ERR_KEY, "no key of role 'release-stable' has signed it",
		"a release signed by a stranger");
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	update_ok(&h, "… while it is the right key's");
}

/* What was signed as one thing isn't believed as another. */
static void test_wrong_role(void)
{
	_cleanup_host_ struct host h;
	_cleanup_root_ struct rk_root *root = NULL;
	_cleanup_free_ char *payload = NULL;

	host_init(&h);
	root = repomake_root(&h.repo);
	root->version = 2;
	/* the same key for two roles */
	const char *id = rk_private_key_public(h.repo.keys[REPOMAKE_TIMESTAMP])->id;
	must(rk_root_set_role(root, RK_ROLE_RELEASE_TEST, 1, &id, 1));
	repomake_put_root(&h.repo, root, REPOMAKE_ROOT_KEYS);
	must(rk_timestamp_write(&h.repo.timestamp, &payload));
	repomake_put_signed(&h.repo, RK_NAME_TIMESTAMP, "release-test", payload,
			    REPOMAKE_BIT(REPOMAKE_TIMESTAMP));
	is_err_like(update(&h), RK_ERR_SIGNATURE, "doesn't hold",
		    "a signature made for another role");
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	update_ok(&h, "… while it is made for this one");
}

static void test_threshold(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	repomake_publish(&h.repo, REPOMAKE_BIT(REPOMAKE_BUILDER));
	refused(&h, RK_ERR_THRESHOLD, "role 'release-stable' needs 2 signatures, it has 1",
		"one signature of two");
	repomake_publish(&h.repo, REPOMAKE_BIT(REPOMAKE_BUILDER) | REPOMAKE_BIT(REPOMAKE_STRANGER));
	refused(&h, RK_ERR_THRESHOLD, "needs 2 signatures, it has 1",
		"… and a stranger's beside it");
}

/* The bytes of a signed file with its first line of signature once more. */
static void repeat_signature(struct repomake *repo, const char *name)
{
	struct repomake_file *file = repomake_find(repo, name);
	const char *line = strchr(file->bytes, '\n') + 1;
	const char *end = strchr(line, '\n') + 1;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	rk_str_add_bytes(&text, file->bytes, (size_t)(end - file->bytes));
	rk_str_add_bytes(&text, line, (size_t)(end - line));
	rk_str_add_bytes(&text, end, file->len - (size_t)(end - file->bytes));
	repomake_put(repo, name, text.s, text.len);
}

static void index_file(struct repomake *repo, const char *name)
{
	const struct repomake_file *file = repomake_find(repo, name);
	struct rk_index_release entry = {.version = repo->release.version, .length = file->len};

	must(rk_sha256_bytes(file->bytes, file->len, entry.sha256));
	repomake_put_index(repo, &entry, RK_CHANNEL_STABLE);
	repomake_put_timestamp(repo, REPOMAKE_TIMESTAMP);
}

#define RELEASE_NAME "kernels/" REPOMAKE_BUILD_ID "/stable.1.signed"

static void test_same_key_twice(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	repomake_put_release(&h.repo, REPOMAKE_BIT(REPOMAKE_BUILDER));
	repeat_signature(&h.repo, RELEASE_NAME);
	index_file(&h.repo, RELEASE_NAME);
	refused(&h, RK_ERR_THRESHOLD, "needs 2 signatures, it has 1", "the same key twice");
	repomake_put_release(&h.repo, REPOMAKE_STABLE_KEYS);
	repeat_signature(&h.repo, RELEASE_NAME);
	index_file(&h.repo, RELEASE_NAME);
	update_ok(&h, "… which does no harm beside another's");
}

static void test_changed_payload(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	struct repomake_file *file = repomake_find(&h.repo, RK_NAME_TIMESTAMP);
	char *at = strstr(file->bytes, "\"version\": 1");
	at[strlen("\"version\": ")] = '7';
	refused(&h, RK_ERR_SIGNATURE, "the signature of a key of role 'timestamp' doesn't hold",
		"a payload that was changed after it was signed");
	repomake_put(&h.repo, RK_NAME_TIMESTAMP, "{}", 2);
	refused(&h, RK_ERR_FORMAT, "no signed file", "one without signatures");
	repomake_put(&h.repo, RK_NAME_TIMESTAMP, "readykernel-signed/1\n\n{}", 24);
	refused(&h, RK_ERR_KEY, "no key of role 'timestamp'", "… or with none of them");
}

/* --- time --- */

static void test_expired(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	h.request.now = h.repo.timestamp.expires;
	refused(&h, RK_ERR_EXPIRED, "'timestamp.signed' expired 0 seconds ago",
		"an expired timestamp");
	h.request.now--;
	update_ok(&h, "… which holds a second earlier");
	h.repo.timestamp.version++;
	h.repo.timestamp.issued = h.request.now = REPOMAKE_NOW + 266 * RK_DAY_SECONDS;
	h.repo.timestamp.expires = h.request.now + RK_DAY_SECONDS;
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	refused(&h, RK_ERR_EXPIRED, "root 1 has expired", "an expired root");
}

static void test_clock(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	h.request.now = 0;
	refused(&h, RK_ERR_CLOCK, "set the clock", "a clock of 1970 isn't believed");
	h.request.now = REPOMAKE_NOW;
	update_ok(&h, "an update at the right time");
	/* a clock behind what was signed doesn't let an expired timestamp pass */
	h.repo.timestamp.version = 2;
	h.repo.timestamp.issued = REPOMAKE_NOW - 30 * RK_DAY_SECONDS;
	h.repo.timestamp.expires = REPOMAKE_NOW - 20 * RK_DAY_SECONDS;
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	h.request.now = REPOMAKE_NOW - 25 * RK_DAY_SECONDS;
	refused(&h, RK_ERR_EXPIRED, "expired", "a clock that was put back doesn't revive anything");
	h.repo.timestamp.issued = REPOMAKE_NOW;
	h.repo.timestamp.expires = REPOMAKE_NOW + 7 * RK_DAY_SECONDS;
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	update_ok(&h, "what is current holds with a clock that is behind");
	is_int(h.news.clock_behind_s, 25 * RK_DAY_SECONDS - 3600, "… and it is said by how much");
	h.repo.timestamp.version = 3;
	h.repo.timestamp.issued = REPOMAKE_NOW + RK_CLOCK_SKEW + 1;
	h.repo.timestamp.expires = REPOMAKE_NOW + 7 * RK_DAY_SECONDS;
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	h.request.now = REPOMAKE_NOW;
	is_err_like(update(&h), RK_ERR_CLOCK, "this host's clock is behind, or the signer's ahead",
		    "a timestamp from the future");
	h.request.now = REPOMAKE_NOW + 1;
	update_ok(&h, "… which a second later is near enough");
}

static void test_valid_too_long(void)
{
	_cleanup_host_ struct host h;
	const struct {
		bool is_bundle;
		int days;
	} cases[] = {{false, RK_TIMESTAMP_DAYS_MAX}, {true, RK_BUNDLE_DAYS_MAX}};

	host_init(&h);
	h.request.allow_bundle = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		h.repo.timestamp.version++;
		h.repo.timestamp.is_bundle = cases[i].is_bundle;
		h.repo.timestamp.expires =
			h.repo.timestamp.issued + cases[i].days * RK_DAY_SECONDS + 1;
		repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
		refused(&h, RK_ERR_CLOCK,
			cases[i].is_bundle ? "is valid for more than 365 days"
					   : "is valid for more than 30 days",
			"a timestamp that nobody has to renew");
		h.repo.timestamp.expires--;
		repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
		update_ok(&h, "… a second less is allowed");
	}
}

/* --- old metadata --- */

static void test_rollback_timestamp(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	h.repo.timestamp.version = 5;
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	update_ok(&h, "timestamp 5");
	h.repo.timestamp.version = 4;
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	refused(&h, RK_ERR_ROLLBACK, "'timestamp.signed' has version 4, version 5 was seen",
		"an old timestamp replayed");
	host_reopen(&h);
	refused(&h, RK_ERR_ROLLBACK, "version 5 was seen", "… also after a restart");
}

static void test_rollback_release(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	h.repo.release.version = 9;
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	update_ok(&h, "release 9");
	h.repo.release.version = 8;
	h.repo.timestamp.version = 2;
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	host_reopen(&h);
	is_err_like(update(&h), RK_ERR_ROLLBACK,
		    "stable.8.signed' has version 8, version 9 was seen",
		    "an old release in a new timestamp");
	h.repo.release.version = 10;
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	update_ok(&h, "… while a newer one is taken");
}

static void test_rollback_root(void)
{
	_cleanup_host_ struct host h;
	const struct repomake_file *old;

	host_init(&h);
	old = repomake_find(&h.repo, "root/1.signed");
	repomake_put(&h.repo, "root/2.signed", old->bytes, old->len);
	refused(&h, RK_ERR_ROLLBACK, "'root/2.signed' is root 1, root 1 is known already",
		"an old root replayed");
}

/* --- mixed metadata --- */

static void test_mixed_index(void)
{
	_cleanup_host_ struct host h;
	_cleanup_free_ char *old_index = NULL;

	host_init(&h);
	update_ok(&h, "timestamp 1");
	const struct repomake_file *old = NULL;
	rk_vec_for_each(&h.repo.files, file)
		if (rk_has_prefix(file->name, "index/") && strstr(file->bytes, REPOMAKE_BUILD_ID))
			old = file;
	old_index = strdup(old->bytes);
	h.repo.timestamp.version = 2;
	h.repo.release.version = 2;
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	_cleanup_free_ char *name = rk_name_index(h.repo.timestamp.shards[0].sha256);
	repomake_put(&h.repo, name, old_index, strlen(old_index));
	refused(&h, RK_ERR_MIX, "is not the one that was signed for this time",
		"the index of another timestamp");
}

static void test_mixed_timestamp(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	update_ok(&h, "timestamp 1");
	h.repo.release.version = 2;
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	refused(&h, RK_ERR_MIX, "says something else than the one of version 1 before",
		"two timestamps of one version");
	h.repo.timestamp.version = 2;
	h.repo.timestamp.is_bundle = true;
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	refused(&h, RK_ERR_MIX, "was made for bundles", "a bundle's timestamp from a server");
	h.request.allow_bundle = true;
	update_ok(&h, "… which is taken where a bundle is installed");
}

/* The files of one release under the name that another has. */
static void test_mixed_release(void)
{
	_cleanup_host_ struct host h;
	struct rk_index_release entry;
	const struct repomake_file *file;
	static const char other_id[] = "0fffffffffffffffffffffffffffffffffffffff";

	host_init(&h);
	update_ok(&h, "release 1");
	h.repo.timestamp.version = 2;
	h.repo.release.version = 2;
	h.repo.release.kernel.build_id = other_id;
	entry = repomake_put_release(&h.repo, REPOMAKE_STABLE_KEYS);
	file = repomake_find(&h.repo,
			     "kernels/0fffffffffffffffffffffffffffffffffffffff/stable.2.signed");
	repomake_put(&h.repo, "kernels/" REPOMAKE_BUILD_ID "/stable.2.signed", file->bytes,
		     file->len);
	repomake_put_index(&h.repo, &entry, RK_CHANNEL_STABLE);
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	refused(&h, RK_ERR_MIX, "is the release of another kernel",
		"the release of another kernel");

	h.repo.release.kernel.build_id = REPOMAKE_BUILD_ID;
	h.repo.release.version = 3;
	entry = repomake_put_release(&h.repo, REPOMAKE_STABLE_KEYS);
	file = repomake_find(&h.repo, "kernels/" REPOMAKE_BUILD_ID "/stable.3.signed");
	repomake_put(&h.repo, "kernels/" REPOMAKE_BUILD_ID "/stable.2.signed", file->bytes,
		     file->len);
	entry.version = 2;
	repomake_put_index(&h.repo, &entry, RK_CHANNEL_STABLE);
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	refused(&h, RK_ERR_MIX, "stable.2.signed' has version 3", "another version of the release");
}

/* A level that was only tested can't be served as a stable one. */
static void test_mixed_channel(void)
{
	_cleanup_host_ struct host h;
	_cleanup_free_ char *payload = NULL;

	host_init(&h);
	h.repo.release.channel = RK_CHANNEL_TEST;
	must(rk_release_write(&h.repo.release, &payload));
	repomake_put_signed(&h.repo, RELEASE_NAME, "release-test", payload, REPOMAKE_STABLE_KEYS);
	index_file(&h.repo, RELEASE_NAME);
	refused(&h, RK_ERR_SIGNATURE, "role 'release-stable' doesn't hold",
		"the release of the test channel as a stable one");
	repomake_put_signed(&h.repo, RELEASE_NAME, "release-stable", payload, REPOMAKE_STABLE_KEYS);
	index_file(&h.repo, RELEASE_NAME);
	refused(&h, RK_ERR_MIX, "is the release of channel 'test'", "… even where it is signed so");
}

static void test_other_kernel(void)
{
	_cleanup_host_ struct host h;
	struct rk_kernel_id host;

	host_init(&h);
	host = h.repo.kernel;
	host.version = "#1 SMP Debian 6.1.171-1 (2026-06-08)";
	h.request.kernel = &host;
	refused(&h, RK_ERR_TARGET, "is for a kernel whose version is",
		"a kernel of the same build-id with another version");
}

/* --- names and sizes --- */

static void test_names(void)
{
	_cleanup_host_ struct host h;
	struct rk_release_level *level;

	host_init(&h);
	level = &h.repo.release.levels.v[0];
	static const char *const names[] = {"../../../etc/cron.d/x", "kpatch/1", ".kpatch", "",
					    "kpatch-1.ko",	     "kpatch 1"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		level->name = names[i];
		repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
		refused(&h, RK_ERR_NAME, "'levels[0].name' is not a name that may be used",
			"a level's name that leads elsewhere");
	}
	level->name = "kpatch_1";
	const char *file = level->file;
	level->file = "../../../../etc/passwd";
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	refused(&h, RK_ERR_NAME, "'levels[0].file'", "a level's file that leads elsewhere");
	level->file = file;
	h.repo.release.kernel.release = "../x";
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	refused(&h, RK_ERR_NAME, "'kernel.release'", "a kernel release that leads elsewhere");
}

static void test_huge(void)
{
	_cleanup_host_ struct host h;
	const size_t size = RK_TIMESTAMP_SIZE_MAX + 1;
	char *huge = calloc(1, RK_ROOT_SIZE_MAX + size);

	host_init(&h);
	struct repomake_file *good = repomake_find(&h.repo, RK_NAME_TIMESTAMP);
	memcpy(huge, good->bytes, good->len);
	repomake_put(&h.repo, RK_NAME_TIMESTAMP, huge, size);
	refused(&h, RK_ERR_TOO_LARGE, "'timestamp.signed' has more than 1048576 bytes",
		"a huge timestamp");
	h.repo.ignore_limit = SIZE_MAX;
	refused(&h, RK_ERR_TOO_LARGE, "'timestamp.signed' has more than 1048576 bytes",
		"… also from a source that doesn't stop");
	repomake_put(&h.repo, "root/2.signed", huge, RK_ROOT_SIZE_MAX + 1);
	refused(&h, RK_ERR_TOO_LARGE, "'root/2.signed' has more than", "a huge root");
	repomake_remove(&h.repo, "root/2.signed");
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	repomake_put(&h.repo, RELEASE_NAME, huge, size);
	refused(&h, RK_ERR_TOO_LARGE, "stable.1.signed' has more than",
		"a release that is longer than signed");
	h.repo.release.levels.v[0].length = RK_PATCH_SIZE_MAX + 1;
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	refused(&h, RK_ERR_TOO_LARGE, "'levels[0]' is a module of more than",
		"a huge module is refused before it is fetched");
	free(huge);
}

/* --- roots --- */

static void test_rotation(void)
{
	_cleanup_host_ struct host h;
	_cleanup_root_ struct rk_root *root = NULL;
	const unsigned int all = REPOMAKE_BIT(REPOMAKE_ROOT1) | REPOMAKE_BIT(REPOMAKE_ROOT2) |
				 REPOMAKE_BIT(REPOMAKE_STRANGER);

	host_init(&h);
	update_ok(&h, "root 1");
	root = repomake_root(&h.repo);
	root->version = 2;
	must(rk_root_add_key(root, rk_private_key_public(h.repo.keys[REPOMAKE_STRANGER]), "new",
			     NULL));
	const char *ids[] = {rk_private_key_public(h.repo.keys[REPOMAKE_ROOT2])->id,
			     rk_private_key_public(h.repo.keys[REPOMAKE_STRANGER])->id};
	must(rk_root_set_role(root, RK_ROLE_ROOT, 2, ids, 2));

	repomake_put_root(&h.repo, root,
			  REPOMAKE_BIT(REPOMAKE_ROOT2) | REPOMAKE_BIT(REPOMAKE_STRANGER));
	refused(&h, RK_ERR_CHAIN, "'root/2.signed' does not follow from the root before it",
		"a root that too few of the old keys signed");
	repomake_put_root(&h.repo, root, REPOMAKE_ROOT_KEYS);
	refused(&h, RK_ERR_CHAIN, "needs 2 signatures, it has 1",
		"… or that too few of its own keys signed");
	root->version = 3;
	repomake_put_root(&h.repo, root, all);
	const struct repomake_file *file = repomake_find(&h.repo, "root/3.signed");
	repomake_put(&h.repo, "root/2.signed", file->bytes, file->len);
	refused(&h, RK_ERR_CHAIN, "is root 3 where 2 must follow", "… or that leaves one out");
	root->version = 2;
	repomake_put_root(&h.repo, root, all);
	repomake_remove(&h.repo, "root/3.signed");
	update_ok(&h, "a root that both have signed");
	ok(h.news.root_changed && rk_trust_root(h.trust)->version == 2, "… is taken");
	host_reopen(&h);
	is_int((long long)rk_trust_root(h.trust)->version, 2, "… and stored");
	ok(rk_trust_timestamp(h.trust), "… with the timestamp, whose key is the same");
}

/* Root 2, in which the stranger's key takes the place of the timestamps'. */
static void put_other_timestamp_key(struct host *h)
{
	const struct rk_public_key *key = rk_private_key_public(h->repo.keys[REPOMAKE_STRANGER]);
	_cleanup_root_ struct rk_root *root = repomake_root(&h->repo);
	const char *id = key->id;

	root->version = 2;
	must(rk_root_add_key(root, key, "new", NULL));
	must(rk_root_set_role(root, RK_ROLE_TIMESTAMP, 1, &id, 1));
	repomake_put_root(&h->repo, root, REPOMAKE_ROOT_KEYS);
}

/* A key that somebody else had is taken out; what it signed no longer bounds anything, but what was blocked stays blocked. */
static void test_fast_forward(void)
{
	_cleanup_host_ struct host h;
	struct rk_notice notice = {REPOMAKE_BUILD_ID, 1, 0, "breaks nf_tables"};

	host_init(&h);
	h.repo.timestamp.version = UINT64_C(1) << 62;
	ok(rk_vec_push(&h.repo.timestamp.blocked, notice), "a level is blocked");
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	update_ok(&h, "a timestamp of a huge version");
	put_other_timestamp_key(&h);
	is_err_like(update(&h), RK_ERR_KEY, "no key of role 'timestamp'",
		    "the old key's timestamps are refused under the new root");
	host_reopen(&h);
	is_int(rk_trust_level_state(h.trust, REPOMAKE_BUILD_ID, 1, NULL), RK_LEVEL_BLOCKED,
	       "what it blocked stays blocked");
	h.repo.timestamp.version = 7;
	repomake_put_timestamp(&h.repo, REPOMAKE_STRANGER);
	update_ok(&h, "the new key's begin again at any version");
	host_reopen(&h);
	is_int((long long)rk_trust_timestamp(h.trust)->version, 7, "… which is stored");
}

/* --- the store was removed: somebody else has to remember --- */

static const struct rk_trust_witness saw_five = {.root = 1, .timestamp = 5};

static void put_version(struct host *h, uint64_t version)
{
	h->repo.timestamp.version = version;
	repomake_put_timestamp(&h->repo, REPOMAKE_TIMESTAMP);
}

static void test_witness(void)
{
	_cleanup_host_ struct host h;

	host_init(&h);
	rk_trust_set_witness(h.trust, &saw_five);
	put_version(&h, 4);
	refused(&h, RK_ERR_WITNESS,
		"'timestamp.signed' has version 4, but this host has accepted version 5 before",
		"an older timestamp on an empty store");
	rk_trust_set_witness(h.trust, NULL);
	update_ok(&h, "… which begins anew when told so");
	host_reopen(&h);
	rk_trust_set_witness(h.trust, &saw_five);
	refused(&h, RK_ERR_WITNESS, "accepted version 5", "… on an older store, too");
	put_version(&h, 5);
	update_ok(&h, "what was seen is taken again");
	host_reopen(&h);
	rk_trust_set_witness(h.trust, &(struct rk_trust_witness){.root = 1, .timestamp = 5});
	put_version(&h, 4);
	refused(&h, RK_ERR_ROLLBACK, "version 5 was seen",
		"a store that knows as much speaks itself");
}

static void test_witness_root(void)
{
	_cleanup_host_ struct host h;
	struct rk_trust_witness saw = {.root = 2, .timestamp = 1};

	host_init(&h);
	rk_trust_set_witness(h.trust, &saw);
	refused(&h, RK_ERR_WITNESS, "'root.signed' has version 1", "a repository without root 2");
	_cleanup_root_ struct rk_root *root = repomake_root(&h.repo);
	root->version = 2;
	repomake_put_root(&h.repo, root, REPOMAKE_ROOT_KEYS);
	update_ok(&h, "… and one with it");
}

static void test_witness_release(void)
{
	_cleanup_host_ struct host h;
	struct rk_trust_witness saw = {.channel = RK_CHANNEL_STABLE, .release = 9};

	host_init(&h);
	snprintf(saw.build_id, sizeof(saw.build_id), "%s", REPOMAKE_BUILD_ID);
	rk_trust_set_witness(h.trust, &saw);
	is_err_like(update(&h), RK_ERR_WITNESS, "stable.1.signed' has version 1",
		    "an older release than what is installed came from");
	saw.channel = RK_CHANNEL_TEST;
	rk_trust_set_witness(h.trust, &saw);
	update_ok(&h, "… of another channel says nothing");
	saw.channel = RK_CHANNEL_STABLE;
	host_reopen(&h);
	rk_trust_set_witness(h.trust, &saw);
	update_ok(&h, "… nor where the store knows");
}

/* What a key that was taken away has signed binds nobody, whoever remembers it. */
static void test_witness_rotation(void)
{
	_cleanup_host_ struct host h;
	struct rk_trust_witness saw = {.root = 1, .timestamp = UINT64_C(1) << 62};

	host_init(&h);
	rk_trust_set_witness(h.trust, &saw);
	is_err_like(update(&h), RK_ERR_WITNESS, "accepted version", "a huge version is remembered");
	put_other_timestamp_key(&h);
	repomake_put_timestamp(&h.repo, REPOMAKE_STRANGER);
	update_ok(&h, "… until its key is taken away");
}

/* --- the state directory --- */

static void write_state(const struct host *h, const char *name, const char *bytes, size_t len)
{
	_cleanup_free_ char *path = rk_path_join(h->dir, name);

	must(rk_fs_write(path, bytes, len, 0644));
}

static struct rk_err *open_again(struct host *h)
{
	rk_trust_free(h->trust);
	h->trust = NULL;
	return rk_trust_open(h->dir, h->root_path, RK_TRUST_READ_WRITE, &h->trust);
}

static char *read_state(const struct host *h, const char *name)
{
	_cleanup_free_ char *path = rk_path_join(h->dir, name);
	char *bytes;

	must(rk_fs_read(path, 1u << 20, &bytes, NULL));
	return bytes;
}

static void test_tampered_files(void)
{
	_cleanup_host_ struct host h;
	const struct rk_release *release;

	host_init(&h);
	_cleanup_free_ char *first = strdup(repomake_find(&h.repo, RK_NAME_TIMESTAMP)->bytes);
	h.repo.timestamp.version = 2;
	repomake_put_timestamp(&h.repo, REPOMAKE_TIMESTAMP);
	update_ok(&h, "an update");
	_cleanup_free_ char *second = read_state(&h, RK_NAME_TIMESTAMP);
	_cleanup_free_ char *seen = read_state(&h, "seen.json");

	write_state(&h, RK_NAME_TIMESTAMP, first, strlen(first));
	is_err_like(open_again(&h), RK_ERR_STATE, "version 1 is older than 2, which was seen",
		    "an older timestamp put into the store");
	_cleanup_free_ char *path = rk_path_join(h.dir, RK_NAME_TIMESTAMP);
	unlink(path);
	is_err_like(open_again(&h), RK_ERR_STATE, "timestamp.signed' is gone", "… or taken out");
	write_state(&h, RK_NAME_TIMESTAMP, "x", 1);
	is_err_like(open_again(&h), RK_ERR_STATE, "isn't what was stored", "… or overwritten");
	write_state(&h, RK_NAME_TIMESTAMP, second, strlen(second));
	no_err(open_again(&h), "it opens when it is as it was");

	write_state(&h, "seen.json", "{\"schema\": 1}", 13);
	is_err_like(open_again(&h), RK_ERR_STATE, "seen.json' isn't what was stored",
		    "a damaged record of what was seen");
	write_state(&h, "seen.json", seen, strlen(seen));

	write_state(&h, REPOMAKE_BUILD_ID ".stable.signed", "x", 1);
	no_err(open_again(&h), "a release is read when it is asked for");
	is_err_like(rk_trust_release(h.trust, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &release),
		    RK_ERR_STATE, "stable.signed' isn't what was stored", "… and verified then");
	update_ok(&h, "an update mends it");
	no_err(rk_trust_release(h.trust, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &release),
	       "… from the repository");
}

/* Files are written one after another: whatever of them has arrived when the power fails, the store opens and goes on. */
static void test_power_cut(void)
{
	static const char *const order[] = {REPOMAKE_BUILD_ID ".stable.signed", "index.0.json",
					    RK_NAME_TIMESTAMP, "seen.json"};
	char *old[ARRAY_SIZE(order)], *new[ARRAY_SIZE(order)];
	_cleanup_host_ struct host h;

	host_init(&h);
	update_ok(&h, "an update");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		old[i] = read_state(&h, order[i]);
	h.repo.timestamp.version = h.repo.release.version = 2;
	repomake_publish(&h.repo, REPOMAKE_STABLE_KEYS);
	update_ok(&h, "the next one");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		new[i] = read_state(&h, order[i]);
	for (size_t arrived = 0; arrived <= ARRAY_SIZE(order); arrived++) {
		const struct rk_release *release;

		for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
			const char *bytes = i < arrived ? new[i] : old[i];

			write_state(&h, order[i], bytes, strlen(bytes));
		}
		no_err(open_again(&h), "the store opens");
		no_err(rk_trust_release(h.trust, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &release),
		       "… the release is there");
		ok(release && release->version == (arrived ? 2 : 1), "… the old or the new");
		update_ok(&h, "… and the next update ends what was begun");
		is_int((long long)rk_trust_timestamp(h.trust)->version, 2, "… with what is newest");
	}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		free(old[i]);
		free(new[i]);
	}
}

static void test_tampered_root(void)
{
	_cleanup_host_ struct host h;
	struct repomake evil;

	host_init(&h);
	update_ok(&h, "an update");
	repomake_init(&evil);
	_cleanup_root_ struct rk_root *root = repomake_root(&evil);
	root->version = 2;
	repomake_put_root(&evil, root, REPOMAKE_ROOT_KEYS);
	const struct repomake_file *file = repomake_find(&evil, "root/2.signed");
	write_state(&h, "root/2.signed", file->bytes, file->len);
	is_err_like(open_again(&h), RK_ERR_STATE, "root/2.signed' isn't what was stored",
		    "somebody else's root put into the store");
	repomake_deinit(&evil);
}

static void test_tampered_modes(void)
{
	_cleanup_host_ struct host h;
	_cleanup_free_ char *seen = NULL;

	host_init(&h);
	update_ok(&h, "an update");
	seen = rk_path_join(h.dir, "seen.json");
	chmod(h.dir, 0777);
	is_err_like(open_again(&h), RK_ERR_STATE, "may be written by others",
		    "a store that others may write to");
	chmod(h.dir, 0755);
	chmod(seen, 0666);
	is_err_like(open_again(&h), RK_ERR_STATE, "may be written by others",
		    "a file that others may write to");
	unlink(seen);
	if (symlink("/etc/passwd", seen) < 0)
		bail_out("cannot make a link");
	is_err_like(open_again(&h), RK_ERR_STATE, "is no regular file", "a link instead of a file");
	unlink(seen);
	_cleanup_free_ char *moved = rk_asprintf("%s.moved", h.dir);
	if (rename(h.dir, moved) < 0 || symlink(moved, h.dir) < 0)
		bail_out("cannot move the store");
	is_err_like(open_again(&h), RK_ERR_STATE, "is no directory", "a link instead of the store");
	unlink(h.dir);
	if (chown(moved, 12345, 12345) < 0) {
		skip("a store of another user", "only root can give a directory away");
		return;
	}
	if (rename(moved, h.dir) < 0)
		bail_out("cannot move the store");
	is_err_like(open_again(&h), RK_ERR_STATE, "belongs to another user",
		    "a store of another user");
}

int main(void)
{
	test_update();
	test_unknown_kernel();
	test_read_only();
	test_wrong_key();
	test_wrong_role();
	test_threshold();
	test_same_key_twice();
	test_changed_payload();
	test_expired();
	test_clock();
	test_valid_too_long();
	test_rollback_timestamp();
	test_rollback_release();
	test_rollback_root();
	test_mixed_index();
	test_mixed_timestamp();
	test_mixed_release();
	test_mixed_channel();
	test_other_kernel();
	test_names();
	test_huge();
	test_rotation();
	test_fast_forward();
	test_witness();
	test_witness_root();
	test_witness_release();
	test_witness_rotation();
	test_tampered_files();
	test_power_cut();
	test_tampered_root();
	test_tampered_modes();
	return done_testing();
}
