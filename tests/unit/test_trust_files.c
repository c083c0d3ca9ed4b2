/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files from outside: names, directories, bundles, modules; each refused with its own code. And what follows from what was believed: which level, what a
 * licence allows. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/hex.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/trust/bundle.h"
#include "lib/trust/licence.h"
#include "lib/trust/tar.h"
#include "tests/unit/repomake.h"
#include "tests/unit/tap.h"

/* --- text --- */

static void test_text(void)
{
	static const char *const bad[] = {"2026-02-30T00:00:00Z", "2026-11-22T12:00:00",
					  "2026-11-22 12:00:00Z", "1969-12-31T23:59:59Z",
					  "2026-11-22T24:00:00Z", "2026-11-22T12:00:00+0",
					  "26-11-22T12:00:00Z",	  ""};
	char text[RK_UTC_TEXT_SIZE], hex[9];
	int64_t seconds = 0;
	uint8_t bytes[4];

	ok(rk_utc_parse("2026-11-22T12:00:00Z", &seconds), "a time is read");
	is_int(seconds, REPOMAKE_NOW, "… as seconds");
	is_str(rk_utc_format(seconds, text), "2026-11-22T12:00:00Z", "… and written");
	is_str(rk_utc_format(-5, text), "1970-01-01T00:00:00Z", "a time before 1970");
	is_str(rk_utc_format(INT64_MAX, text), "9999-12-31T23:59:59Z", "a time after 9999");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!rk_utc_parse(bad[i], &seconds), "'%s' is no time", bad[i]);
	ok(rk_hex_decode("00ff10ab", 4, bytes), "hexadecimal text is read");
	is_str(rk_hex_encode(bytes, 4, hex), "00ff10ab", "… and written");
	ok(!rk_hex_decode("00FF10ab", 4, bytes), "capitals aren't");
	ok(!rk_hex_decode("00ff10a", 4, bytes), "nor is half a byte");
}

#define SHA   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FILES "kernels/" REPOMAKE_BUILD_ID "/files/"

static void test_names(void)
{
	static const char *const good[] = {"root.signed",
					   "timestamp.signed",
					   "root/1.signed",
					   "root/123456789012345678.signed",
					   "index/" SHA ".json",
					   "kernels/" REPOMAKE_BUILD_ID "/stable.1.signed",
					   "kernels/" REPOMAKE_BUILD_ID "/test.20.signed",
					   FILES SHA ".ko",
					   FILES SHA ".manifest.json",
					   FILES SHA ".evidence.json"};
	static const char *const bad[] = {"",
					  "/timestamp.signed",
					  "root.signed/",
					  "./root.signed",
					  "../root.signed",
					  "root/0.signed",
					  "root/01.signed",
					  "root/-1.signed",
					  "root/1234567890123456789.signed",
					  "root/../timestamp.signed",
					  "root//1.signed",
					  "index/x.json",
					  "index/" SHA "0.json",
					  "kernels/" REPOMAKE_BUILD_ID "/stable.signed",
					  "kernels/" REPOMAKE_BUILD_ID "/beta.1.signed",
					  "kernels/0123/stable.1.signed",
					  "kernels/" REPOMAKE_BUILD_ID "0/stable.1.signed",
					  "kernels/../stable.1.signed",
					  FILES SHA ".sh",
					  FILES "../../../etc/passwd",
					  FILES SHA ".ko.sh",
					  ".work/settings.json"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ok(rk_is_repository_name(good[i]), "'%s' is a name", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!rk_is_repository_name(bad[i]), "'%s' is none", bad[i]);
	ok(!rk_is_patch_name("a123456789012345678901234567890123456789012345678901234567"),
	   "a module's name has a length that the kernel takes");
}

/* --- modules --- */

static int open_bytes(const void *bytes, size_t len)
{
	_cleanup_free_ char *path = rk_asprintf("%s/in", tap_tmpdir());

	must(rk_fs_write(path, bytes, len, 0644));
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Copies bytes as the release's only level. */
static struct rk_err *copy(const struct repomake *repo, const void *bytes, size_t len,
			   const char *path)
{
	_cleanup_close_ int fd = open_bytes(bytes, len);

	return rk_trust_copy_module(fd, &repo->release, &repo->release.levels.v[0], path);
}

static void test_swapped_module(void)
{
	_cleanup_free_ char *path = rk_asprintf("%s/out.ko", tap_tmpdir());
	_cleanup_free_ char *longer = NULL;
	struct repomake repo;

	repomake_init(&repo);
	longer = calloc(1, repo.module_len + 10);
	memcpy(longer, repo.module, repo.module_len);
	is_err_like(copy(&repo, longer, repo.module_len + 10, path), RK_ERR_HASH,
		    "its length isn't the one that was signed", "a module that is longer");
	is_err_like(copy(&repo, longer, repo.module_len - 1, path), RK_ERR_HASH, "its length isn't",
		    "… or shorter");
	longer[repo.module_len / 2] ^= 1;
	is_err_like(copy(&repo, longer, repo.module_len, path), RK_ERR_HASH,
		    "its SHA-256 isn't the one that was signed", "… or of other bytes");
	ok(!rk_fs_exists(path), "nothing is left of it");
	no_err(copy(&repo, repo.module, repo.module_len, path), "the right one is copied");
	const struct rk_release_level *level = &repo.release.levels.v[0];
	no_err(rk_trust_check_module(path, &repo.release, level), "… and can be checked again");
	must(rk_fs_write(path, longer, repo.module_len, 0644));
	is_err_like(rk_trust_check_module(path, &repo.release, level), RK_ERR_HASH, "SHA-256",
		    "… when it was changed where it lies, too");
	repomake_deinit(&repo);
}

/* Signed as level 1 of this kernel, but made for something else. */
static void refuse_module(const char *name, uint64_t level, const struct rk_kernel_id *kernel,
			  const char *message, const char *what)
{
	_cleanup_free_ char *path = rk_asprintf("%s/other.ko", tap_tmpdir());
	_cleanup_free_ char *module = NULL;
	struct repomake repo;
	size_t len;

	repomake_init(&repo);
	module = repomake_module(name, level, kernel ? kernel : &repo.kernel, &len);
	repo.release.levels.nr = 0;
	repomake_add_level(&repo, 1, "kpatch_1", module, len);
	is_err_like(copy(&repo, module, len, path), RK_ERR_TARGET, message, what);
	ok(!rk_fs_exists(path), "… and nothing is left of it");
	repomake_deinit(&repo);
}

static void test_other_module(void)
{
	struct rk_kernel_id kernel = {"6.1.0-47-cloud-amd64",
				      "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)",
				      "ffffffffffffffffffffffffffffffffffffffff", "x86_64"};

	refuse_module("kpatch_1", 1, &kernel, "the module's build-id is 'ffff",
		      "a module for another build-id");
	kernel.build_id = REPOMAKE_BUILD_ID;
	kernel.version = "#2";
	refuse_module("kpatch_1", 1, &kernel, "the module's kernel version is '#2'",
		      "… or another version");
	kernel.build_id = NULL;
	refuse_module("kpatch_1", 1, &kernel, "the module's build-id is 'unknown'",
		      "… or one that doesn't say");
	refuse_module("kpatch_2", 1, NULL, "the module's name is 'kpatch_2'",
		      "a module that is another than listed");
	refuse_module("kpatch_1", 2, NULL, "the module is level 2, it is listed as 1",
		      "… or another level");

	struct repomake repo;
	_cleanup_free_ char *path = rk_asprintf("%s/text.ko", tap_tmpdir());
	repomake_init(&repo);
	repo.release.levels.nr = 0;
	repomake_add_level(&repo, 1, "kpatch_1", "no module", 9);
	is_err_like(copy(&repo, "no module", 9, path), RK_ERR_TARGET, "kpatch_1",
		    "… or no module at all");
	repomake_deinit(&repo);
}

/* --- directories --- */

static void test_directory(void)
{
	_cleanup_free_ char *dir = rk_asprintf("%s/dir", tap_tmpdir());
	_cleanup_free_ char *file = rk_path_join(dir, RK_NAME_TIMESTAMP);
	_cleanup_free_ char *root = rk_path_join(dir, "root");
	_cleanup_free_ char *moved = rk_path_join(dir, "moved");
	_cleanup_trust_directory_ struct rk_trust_source source = {};
	struct repomake repo;
	char *bytes;
	size_t len;

	repomake_init(&repo);
	repomake_write(&repo, dir);
	repomake_deinit(&repo);
	must(rk_trust_directory_open(dir, &source));
	no_err(source.get(source.ctx, RK_NAME_TIMESTAMP, RK_TIMESTAMP_SIZE_MAX, &bytes, &len),
	       "a directory: a file");
	free(bytes);
	is_err_like(source.get(source.ctx, RK_NAME_TIMESTAMP, 10, &bytes, &len), RK_ERR_TOO_LARGE,
		    "more than 10 bytes", "… that is too large");
	is_err_like(source.get(source.ctx, "root/9.signed", 10, &bytes, &len), RK_ERR_NOT_FOUND,
		    "isn't there", "… that isn't there");
	is_err_like(source.get(source.ctx, "../../etc/passwd", 10, &bytes, &len), RK_ERR_NAME,
		    "no name of a repository's file", "… that leads elsewhere");
	unlink(file);
	if (symlink("/etc/passwd", file) < 0)
		bail_out("cannot make a link");
	is_err_like(source.get(source.ctx, RK_NAME_TIMESTAMP, 1 << 20, &bytes, &len), RK_ERR_NAME,
		    "is or goes through a symbolic link", "a link to elsewhere");
	unlink(file);
	if (mkfifo(file, 0644) < 0)
		bail_out("cannot make a pipe");
	is_err_like(source.get(source.ctx, RK_NAME_TIMESTAMP, 1 << 20, &bytes, &len), RK_ERR_NAME,
		    "is no regular file", "a pipe, without waiting for it");
	if (rename(root, moved) < 0 || symlink("moved", root) < 0)
		bail_out("cannot move a directory");
	is_err_like(source.get(source.ctx, "root/1.signed", 1 << 20, &bytes, &len), RK_ERR_NAME,
		    "symbolic link", "a directory that is a link, even to within");
}

/* --- bundles --- */

/* An entry that is right but for what change() does to its header, before or after the checksum is made. */
static void tar_add(struct rk_str *tar, const char *name, const char *content,
		    void (*change)(struct rk_tar_header *), bool damages)
{
	struct rk_tar_header header = {
		.mode = "0000644", .type = '0', .magic = "ustar", .version = {'0', '0'}};
	static const char zeros[RK_TAR_BLOCK];
	size_t len = strlen(content);

	memcpy(header.name, name, strlen(name));
	rk_tar_put_octal(header.size, 11, len);
	if (change && !damages)
		change(&header);
	rk_tar_put_octal(header.checksum, 6, rk_tar_checksum(&header));
	if (change && damages)
		change(&header);
	rk_str_add_bytes(tar, &header, sizeof(header));
	rk_str_add_bytes(tar, content, len);
	rk_str_add_bytes(tar, zeros, (RK_TAR_BLOCK - len % RK_TAR_BLOCK) % RK_TAR_BLOCK);
}

static struct rk_err *tar_open(struct rk_str *tar, bool ends, struct rk_bundle **ret)
{
	static const char end[2 * RK_TAR_BLOCK];
	static int fd = -1;

	if (ends)
		rk_str_add_bytes(tar, end, sizeof(end));
	if (fd >= 0)
		close(fd);
	fd = open_bytes(rk_str_get(tar), tar->len);
	struct rk_err *err = rk_bundle_open(fd, "b.tar", ret);
	if (err || !ret) {
		close(fd);
		fd = -1;
	}
	return err;
}

static void make_link(struct rk_tar_header *h)
{
	h->type = '2';
	memcpy(h->link, "/etc/passwd", 11);
}
static void make_hard_link(struct rk_tar_header *h)
{
	h->type = '1';
}
static void make_directory(struct rk_tar_header *h)
{
	h->type = '5';
}
static void make_long_name(struct rk_tar_header *h)
{
	h->type = 'L';
}
static void make_extended(struct rk_tar_header *h)
{
	h->type = 'x';
}
static void make_hidden_link(struct rk_tar_header *h)
{
	h->link[0] = 'x';
}
static void make_no_size(struct rk_tar_header *h)
{
	memcpy(h->size, "-0000000001", 11);
}
static void make_binary_size(struct rk_tar_header *h)
{
	memset(h->size, 0xff, sizeof(h->size));
}
static void make_huge(struct rk_tar_header *h)
{
	memcpy(h->size, "77777777777", 11);
}
static void make_longer(struct rk_tar_header *h)
{
	memcpy(h->size, "00000010000", 11);
}
static void make_damaged(struct rk_tar_header *h)
{
	h->mode[0] = '7';
}
static void make_other(struct rk_tar_header *h)
{
	memcpy(h->magic, "zstar", 5);
}
static void make_prefix(struct rk_tar_header *h)
{
	memcpy(h->prefix, "../../etc", 9);
}

static void test_bad_bundles(void)
{
	static const struct {
		const char *name;
		void (*change)(struct rk_tar_header *);
		enum rk_err_code code;
		const char *message, *what;
		bool damages;
	} cases[] = {
		{RK_NAME_TIMESTAMP, make_link, RK_ERR_BUNDLE, "is no regular file",
		 "a symbolic link"},
		{RK_NAME_TIMESTAMP, make_hard_link, RK_ERR_BUNDLE, "is no regular file",
		 "a hard link"},
		{RK_NAME_TIMESTAMP, make_directory, RK_ERR_BUNDLE, "is no regular file",
		 "a directory"},
		{RK_NAME_TIMESTAMP, make_long_name, RK_ERR_BUNDLE, "is no regular file",
		 "GNU's long name"},
		{RK_NAME_TIMESTAMP, make_extended, RK_ERR_BUNDLE, "is no regular file",
		 "an extended header"},
		{RK_NAME_TIMESTAMP, make_hidden_link, RK_ERR_BUNDLE, "is a link",
		 "a file with a target"},
		{RK_NAME_TIMESTAMP, make_no_size, RK_ERR_BUNDLE, "is no number", "a size below 0"},
		{RK_NAME_TIMESTAMP, make_binary_size, RK_ERR_BUNDLE, "is no number",
		 "a size in binary"},
		{RK_NAME_TIMESTAMP, make_huge, RK_ERR_TOO_LARGE, "has more than 1048576 bytes",
		 "a huge file"},
		{RK_NAME_TIMESTAMP, make_longer, RK_ERR_FORMAT, "is cut off",
		 "a file beyond the end"},
		{RK_NAME_TIMESTAMP, make_damaged, RK_ERR_BUNDLE, "is damaged", "a wrong checksum",
		 true},
		{RK_NAME_TIMESTAMP, make_other, RK_ERR_FORMAT, "no ustar archive", "another magic"},
		{RK_NAME_TIMESTAMP, make_prefix, RK_ERR_NAME, "no name of a repository's",
		 "a prefix that leads elsewhere"},
		{"../timestamp.signed", NULL, RK_ERR_NAME, "no name of a repository's",
		 "a name that leads elsewhere"},
		{"/etc/passwd", NULL, RK_ERR_NAME, "no name of a repository's",
		 "a name from the root"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_str_ struct rk_str tar = RK_STR_INIT;
		struct rk_bundle *bundle;

		tar_add(&tar, RK_NAME_ROOT, "x", NULL, false);
		tar_add(&tar, cases[i].name, "x", cases[i].change, cases[i].damages);
		is_err_like(tar_open(&tar, true, &bundle), cases[i].code, cases[i].message,
			    cases[i].what);
	}
}

static void test_bundle(void)
{
	_cleanup_str_ struct rk_str tar = RK_STR_INIT;
	_cleanup_str_ struct rk_str twice = RK_STR_INIT;
	_cleanup_str_ struct rk_str cut = RK_STR_INIT;
	_cleanup_free_ char *path = rk_asprintf("%s/w.tar", tap_tmpdir());
	_cleanup_free_ char *dir = rk_asprintf("%s/extracted", tap_tmpdir());
	struct rk_bundle_writer *writer;
	struct rk_bundle *bundle;
	char *bytes;
	size_t len;

	tar_add(&twice, RK_NAME_ROOT, "x", NULL, false);
	tar_add(&twice, RK_NAME_ROOT, "y", NULL, false);
	is_err_like(tar_open(&twice, true, &bundle), RK_ERR_BUNDLE, "comes twice",
		    "an entry that comes twice");
	tar_add(&cut, RK_NAME_ROOT, "x", NULL, false);
	is_err_like(tar_open(&cut, false, &bundle), RK_ERR_FORMAT, "is cut off",
		    "a bundle without an end");

	must(rk_bundle_writer_create(path, &writer));
	no_err(rk_bundle_writer_add(writer, RK_NAME_ROOT, "the root", 8), "a bundle is written");
	no_err(rk_bundle_writer_add(writer, FILES SHA ".manifest.json", "{}", 2),
	       "… also a name of more than 100 characters");
	is_err_like(rk_bundle_writer_add(writer, "../x", "", 0), RK_ERR_NAME, "no name",
		    "… but no other name");
	ok(!rk_fs_exists(path), "it isn't there before it is whole");
	no_err(rk_bundle_writer_finish(writer), "… then it is");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	must(rk_bundle_open(fd, path, &bundle));
	is_int((long long)rk_bundle_nr_entries(bundle), 2, "it is read again");
	is_str(rk_bundle_entry(bundle, 1)->name, FILES SHA ".manifest.json", "… with long names");
	struct rk_trust_source source = rk_bundle_source(bundle);
	no_err(source.get(source.ctx, RK_NAME_ROOT, 8, &bytes, &len), "… as a source");
	is_mem(bytes, len, "the root", 8, "… with its contents");
	free(bytes);
	is_err_like(source.get(source.ctx, RK_NAME_ROOT, 7, &bytes, &len), RK_ERR_TOO_LARGE,
		    "more than 7 bytes", "… within the limit");
	is_err_like(source.get(source.ctx, RK_NAME_TIMESTAMP, 7, &bytes, &len), RK_ERR_NOT_FOUND,
		    "there is no", "… and only what is in it");
	must(rk_fs_mkdir_p(dir, 0755));
	no_err(rk_bundle_extract(bundle, dir), "it is extracted");
	_cleanup_free_ char *extracted = rk_path_join(dir, FILES SHA ".manifest.json");
	ok(rk_fs_exists(extracted), "… below the directory");
	rk_bundle_free(bundle);
}

/* --- licences --- */

static struct rk_licence some_licence(void)
{
	return (struct rk_licence){.id = "A-1",
				   .holder = "Acme",
				   .not_before = REPOMAKE_NOW,
				   .not_after = REPOMAKE_NOW + 100 * RK_DAY_SECONDS};
}

static void test_licence_state(void)
{
	struct rk_licence l = some_licence();
	const int64_t end = l.not_after;

	is_int(rk_licence_state(NULL, 0), RK_LICENCE_NONE, "no licence");
	is_int(rk_licence_state(&l, REPOMAKE_NOW - 1), RK_LICENCE_FUTURE, "one of the future");
	is_int(rk_licence_state(&l, REPOMAKE_NOW), RK_LICENCE_VALID, "its first second");
	is_int(rk_licence_state(&l, end - 1), RK_LICENCE_VALID, "its last second");
	is_int(rk_licence_state(&l, end), RK_LICENCE_GRACE, "the first day of grace");
	is_int(rk_licence_state(&l, end + 14 * RK_DAY_SECONDS - 1), RK_LICENCE_GRACE,
	       "the last second of grace");
	is_int(rk_licence_state(&l, end + 14 * RK_DAY_SECONDS), RK_LICENCE_EXPIRED, "the end");
	l.is_trial = true;
	is_int(rk_licence_state(&l, end), RK_LICENCE_EXPIRED, "a trial has no grace");
	is_str(rk_licence_state_name(RK_LICENCE_GRACE), "grace", "states have names");
	l = some_licence();
	ok(rk_licence_allows(&l, REPOMAKE_NOW, "debian-12", RK_CHANNEL_TEST),
	   "without products and channel it allows all");
	ok(rk_licence_allows(&l, end, "debian-12", RK_CHANNEL_TEST), "… in its grace, too");
	ok(!rk_licence_allows(&l, end + 15 * RK_DAY_SECONDS, "debian-12", RK_CHANNEL_TEST),
	   "… afterwards nothing");
	ok(!rk_licence_allows(NULL, end, "debian-12", RK_CHANNEL_TEST), "nor does none");
	const char *products[] = {"debian-12"};
	l.products.v = products;
	l.products.nr = 1;
	l.has_channel = true;
	l.channel = RK_CHANNEL_EARLY;
	ok(!rk_licence_allows(&l, REPOMAKE_NOW, "debian-13", RK_CHANNEL_STABLE),
	   "another product isn't allowed");
	ok(!rk_licence_allows(&l, REPOMAKE_NOW, "debian-12", RK_CHANNEL_TEST),
	   "nor is a channel that is tried less");
	ok(rk_licence_allows(&l, REPOMAKE_NOW, "debian-12", RK_CHANNEL_STABLE),
	   "one that is tried more is");
}

static void test_licence_file(void)
{
	_cleanup_root_ struct rk_root *root = NULL;
	_cleanup_licence_ struct rk_licence *read = NULL;
	_cleanup_free_ char *payload = NULL;
	struct rk_licence l = some_licence();
	struct repomake repo;
	const struct repomake_file *file;

	repomake_init(&repo);
	root = repomake_root(&repo);
	must(rk_licence_write(&l, &payload));
	repomake_put_signed(&repo, "l", "licence", payload, REPOMAKE_BIT(REPOMAKE_LICENCE));
	file = repomake_find(&repo, "l");
	no_err(rk_licence_read(root, "l", file->bytes, file->len, &read), "a licence is read");
	is_str(read->holder, "Acme", "… with its holder");
	is_int(read->not_after, l.not_after, "… and its end");
	struct rk_licence *none;
	is_err_like(rk_licence_read(root, "l", file->bytes, RK_LICENCE_SIZE_MAX + 1, &none),
		    RK_ERR_TOO_LARGE, "more than", "a huge one isn't");
	file->bytes[file->len - 3] ^= 1;
	is_err_like(rk_licence_read(root, "l", file->bytes, file->len, &none), RK_ERR_SIGNATURE,
		    "doesn't hold", "nor one that was changed");
	repomake_put_signed(&repo, "l", "licence", payload, REPOMAKE_BIT(REPOMAKE_TIMESTAMP));
	file = repomake_find(&repo, "l");
	is_err_like(rk_licence_read(root, "l", file->bytes, file->len, &none), RK_ERR_KEY,
		    "no key of role 'licence'", "nor one that another role's key signed");
	repomake_deinit(&repo);
}

/* --- levels --- */

struct chosen {
	enum rk_level_action action;
	uint64_t level;
	bool is_downgrade;
};

static bool refuses_5(void *ctx, const struct rk_release_level *level)
{
	return level->level == 5;
}

static bool refuses_above(void *ctx, const struct rk_release_level *level)
{
	return level->level > *(const uint64_t *)ctx;
}

static bool refuses_released_since(void *ctx, const struct rk_release_level *level)
{
	return level->released >= *(const int64_t *)ctx;
}

/* A request of a host that is frozen at a level. */
static struct rk_level_request up_to(uint64_t *level)
{
	return (struct rk_level_request){.is_refused = refuses_above, .ctx = level};
}

static void check_choice(const struct rk_trust *trust, const struct rk_release *release,
			 struct rk_level_request request, struct chosen want, const char *name)
{
	struct rk_level_choice choice;

	rk_trust_choose(trust, REPOMAKE_BUILD_ID, release, &request, &choice);
	ok(choice.action == want.action && (choice.level ? choice.level->level : 0) == want.level &&
		   choice.is_downgrade == want.is_downgrade,
	   "%s", name);
}

static void add_notice(struct rk_notices *list, uint64_t level, uint64_t to)
{
	const struct rk_notice notice = {REPOMAKE_BUILD_ID, level, to, "a reason"};

	ok(rk_vec_push(list, notice), "a notice of level %llu", (unsigned long long)level);
}

/* A store that knows levels 1 to 5, and what the timestamp says of them. */
static struct rk_trust *trust_of_levels(struct repomake *repo)
{
	_cleanup_free_ char *path = NULL;
	struct rk_trust_source source = repomake_source(repo);
	struct rk_trust_request request = {
		.kernel = &repo->kernel, .channel = RK_CHANNEL_STABLE, .now = REPOMAKE_NOW};
	struct rk_trust *trust;

	repo->release.levels.nr = 0;
	for (uint64_t i = 1; i <= 5; i++) {
		repomake_add_level(repo, i, "kpatch_x", &i, sizeof(i));
		repo->release.levels.v[i - 1].released = REPOMAKE_NOW + (int64_t)i;
	}
	repomake_publish(repo, REPOMAKE_STABLE_KEYS);
	path = repomake_root_path(repo);
	must(rk_trust_open(NULL, path, RK_TRUST_READ_ONLY, &trust));
	must(rk_trust_update(trust, &request, &source, NULL));
	return trust;
}

static void test_choose(void)
{
	_cleanup_trust_ struct rk_trust *trust = NULL;
	const struct rk_release *r;
	struct repomake repo;

	repomake_init(&repo);
	add_notice(&repo.timestamp.blocked, 4, 0);
	add_notice(&repo.timestamp.withdrawn, 3, 1);
	add_notice(&repo.timestamp.withdrawn, 2, 0);
	trust = trust_of_levels(&repo);
	must(rk_trust_release(trust, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &r));
	const struct chosen keep = {RK_LEVEL_ACTION_KEEP};
	check_choice(trust, r, (struct rk_level_request){},
		     (struct chosen){RK_LEVEL_ACTION_LOAD, 5}, "the greatest level");
	check_choice(trust, r, (struct rk_level_request){.loaded = 5}, keep, "… which stays");
	check_choice(trust, r, (struct rk_level_request){.loaded = 9}, keep,
		     "a greater one isn't replaced");
	uint64_t four = 4;
	check_choice(trust, r, up_to(&four), (struct chosen){RK_LEVEL_ACTION_LOAD, 1},
		     "within a freeze, neither blocked nor withdrawn");
	int64_t date = REPOMAKE_NOW + 2;
	check_choice(trust, r,
		     (struct rk_level_request){.is_refused = refuses_released_since, .ctx = &date},
		     (struct chosen){RK_LEVEL_ACTION_LOAD, 1}, "… by date");
	check_choice(trust, r, (struct rk_level_request){.is_refused = refuses_5, .loaded = 1},
		     keep, "a level that the host refuses isn't taken");
	check_choice(trust, r, (struct rk_level_request){.is_refused = refuses_5, .loaded = 3},
		     (struct chosen){RK_LEVEL_ACTION_LOAD, 1, true},
		     "what was withdrawn makes way for the level that was named");
	check_choice(trust, r, (struct rk_level_request){.loaded = 3},
		     (struct chosen){RK_LEVEL_ACTION_LOAD, 5}, "… unless there is a greater one");
	check_choice(trust, r, (struct rk_level_request){.is_refused = refuses_5, .loaded = 2},
		     (struct chosen){RK_LEVEL_ACTION_UNLOAD, 0, true}, "… or for none");
	check_choice(trust, r, (struct rk_level_request){.is_refused = refuses_5, .loaded = 4},
		     keep, "what is blocked stays until there is something better");
	check_choice(trust, NULL, (struct rk_level_request){.loaded = 1}, keep,
		     "without a release nothing changes");
	const struct rk_notice *notice;
	is_int(rk_trust_level_state(trust, REPOMAKE_BUILD_ID, 3, &notice), RK_LEVEL_WITHDRAWN,
	       "a level's state");
	is_str(notice->reason, "a reason", "… and why");
	repomake_deinit(&repo);
}

static void test_minimum(void)
{
	_cleanup_trust_ struct rk_trust *trust = NULL;
	const struct rk_release *r;
	struct repomake repo;

	repomake_init(&repo);
	add_notice(&repo.timestamp.minimum, 4, 0);
	trust = trust_of_levels(&repo);
	must(rk_trust_release(trust, REPOMAKE_BUILD_ID, RK_CHANNEL_STABLE, &r));
	uint64_t level = 3;
	check_choice(trust, r, up_to(&level), (struct chosen){RK_LEVEL_ACTION_KEEP},
		     "below the minimum nothing is loaded");
	level = 4;
	check_choice(trust, r, up_to(&level), (struct chosen){RK_LEVEL_ACTION_LOAD, 4},
		     "the minimum is");
	is_int(rk_trust_level_state(trust, REPOMAKE_BUILD_ID, 3, NULL), RK_LEVEL_BELOW_MINIMUM,
	       "a level's state");
	is_str(rk_level_state_name(RK_LEVEL_BELOW_MINIMUM), "below-minimum", "… and its name");
	repomake_deinit(&repo);
}

int main(void)
{
	test_text();
	test_names();
	test_swapped_module();
	test_other_module();
	test_directory();
	test_bad_bundles();
	test_bundle();
	test_licence_state();
	test_licence_file();
	test_choose();
	test_minimum();
	return done_testing();
}
