/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debian packages, built member by member: what is unpacked, and what must never be. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/target/deb.h"
#include "tests/unit/tap.h"

#define BLOCK 512

static void pad(struct rk_str *to, size_t align)
{
	while (to->len % align)
		rk_str_add_char(to, '\0');
}

/* A tar member (POSIX ustar): type '0' file, '2' symbolic link, '1' hard link. */
static void tar_add(struct rk_str *tar, const char *path, char type, const char *content)
{
	char header[BLOCK] = {};
	unsigned int sum = 0;
	size_t size = type == '0' ? strlen(content) : 0;

	snprintf(header, 100, "%s", path);
	snprintf(header + 100, 8, "%07o", 0644);
	snprintf(header + 108, 8, "%07o", 0);
	snprintf(header + 116, 8, "%07o", 0);
	snprintf(header + 124, 12, "%011o", (unsigned int)size);
	snprintf(header + 136, 12, "%011o", 1000000000);
	memset(header + 148, ' ', 8);
	header[156] = type;
	if (type != '0')
		snprintf(header + 157, 100, "%s", content);
	memcpy(header + 257, "ustar", 6);
	memcpy(header + 263, "00", 2);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	rk_str_add_bytes(tar, header, sizeof(header));
	rk_str_add_bytes(tar, content, size);
	pad(tar, BLOCK);
}

static void tar_end(struct rk_str *tar)
{
	char zero[2 * BLOCK] = {};

	rk_str_add_bytes(tar, zero, sizeof(zero));
}

static void ar_add(struct rk_str *ar, const char *name, const struct rk_str *content)
{
	if (ar->len == 0)
		rk_str_add(ar, "!<arch>\n");
	rk_str_addf(ar, "%-16s%-12d%-6d%-6d%-8o%-10zu`\n", name, 0, 0, 0, 0100644, content->len);
	rk_str_add_bytes(ar, rk_str_get(content), content->len);
	if (ar->len % 2)
		rk_str_add_char(ar, '\n');
}

/* Writes a package with data as its data.tar; returns its path, valid until the next call. */
static const char *write_deb(const char *name, const struct rk_str *data)
{
	static char path[4096];
	_cleanup_str_ struct rk_str ar = RK_STR_INIT, version = RK_STR_INIT, control = RK_STR_INIT;

	rk_str_add(&version, "2.0\n");
	tar_add(&control, "./control", '0',
		"Package: p\nVersion:  1.2-3 \nDescription: x\n more: y\n");
	tar_end(&control);
	ar_add(&ar, "debian-binary", &version);
	ar_add(&ar, "control.tar", &control);
	if (data)
		ar_add(&ar, "data.tar", data);
	snprintf(path, sizeof(path), "%s/%s", tap_tmpdir(), name);
	no_err(rk_fs_write(path, rk_str_get(&ar), ar.len, 0644), "package written");
	return path;
}

static char *dest(const char *name)
{
	return rk_path_join(tap_tmpdir(), name);
}

/* Takes everything, under the name it has. */
static enum rk_unpack_choice take_all(void *ctx, const char *path, struct rk_str *ret)
{
	rk_str_add(ret, path);
	return RK_UNPACK_TAKE;
}

static enum rk_unpack_choice take_b(void *ctx, const char *path, struct rk_str *ret)
{
	if (!rk_streq(path, "dir/b"))
		return RK_UNPACK_SKIP;
	rk_str_add(ret, "renamed");
	return RK_UNPACK_TAKE;
}

static enum rk_unpack_choice borrow_b(void *ctx, const char *path, struct rk_str *ret)
{
	rk_str_add(ret, rk_streq(path, "dir/b") ? "borrowed" : path);
	return rk_streq(path, "dir/b") ? RK_UNPACK_LEND : RK_UNPACK_TAKE;
}

/* What the file has while it is lent. */
static struct rk_err *read_borrowed(void *ctx, const char *file)
{
	_cleanup_free_ char *text = NULL;

	RK_TRY(rk_fs_read(file, 1024, &text, NULL));
	return rk_streq(text, ctx) ? NULL : rk_err(RK_ERR_MISMATCH, "it has '%s'", text);
}

static void is_file(const char *dir, const char *name, const char *want)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);
	_cleanup_free_ char *text = NULL;

	if (no_err(rk_fs_read(path, 1024, &text, NULL), name))
		is_str(text, want, name);
}

static void test_lend(const char *deb)
{
	_cleanup_str_ struct rk_str hashes = RK_STR_INIT;
	_cleanup_free_ char *dir = dest("lent"), *other = dest("lent again");
	_cleanup_free_ char *file = rk_path_join(dir, "borrowed");
	_cleanup_free_ char *kept = rk_path_join(other, "borrowed");
	struct rk_unpack unpack = {.dest = dir,
				   .choose = borrow_b,
				   .lend = read_borrowed,
				   .ctx = (char[]){"b"},
				   .hashes = &hashes};

	no_err(rk_deb_unpack(deb, &unpack), "a file is lent");
	is_file(dir, "dir/a", "content of a\n");
	ok(!rk_fs_exists(file), "and gone afterwards");
	ok(!strstr(rk_str_get(&hashes), "borrowed"), "no hash is kept of it");
	unpack.dest = other;
	unpack.ctx = (char[]){"c"};
	is_err_like(rk_deb_unpack(deb, &unpack), RK_ERR_MISMATCH, "it has 'b'",
		    "who borrows it finds fault");
	ok(!rk_fs_exists(kept), "and it is gone nevertheless");
}

static void test_unpack(void)
{
	_cleanup_str_ struct rk_str tar = RK_STR_INIT, hashes = RK_STR_INIT;
	_cleanup_free_ char *all = dest("all");
	_cleanup_free_ char *one = dest("one");
	_cleanup_free_ char *link = rk_path_join(all, "dir/link");
	_cleanup_free_ char *file = rk_path_join(all, "dir/a");
	_Atomic uint64_t packed = 0;
	struct stat st;
	char target[16] = {};

	tar_add(&tar, "./dir/link", '2', "/etc");
	tar_add(&tar, "./dir/a", '0', "content of a\n");
	tar_add(&tar, "./dir/b", '0', "b");
	tar_end(&tar);
	const char *deb = write_deb("good.deb", &tar);
	struct rk_unpack unpack = {
		.dest = all, .choose = take_all, .hashes = &hashes, .packed = &packed};
	no_err(rk_deb_unpack(deb, &unpack), "a package is unpacked");
	is_file(all, "dir/a", "content of a\n");
	is_file(all, "dir/b", "b");
	is_int(readlink(link, target, sizeof(target) - 1), 4, "a symbolic link");
	is_str(target, "/etc", "stays as it is");
	ok(stat(file, &st) == 0 && st.st_mtime == 1000000000, "files have the package's times");
	is_str(rk_str_get(&hashes),
	       "ae1234b2b51186ede2fca3f1c69ec585b263c4bdc45adaafcd3921bd3eb9fea6  dir/a\n"
	       "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  dir/b\n",
	       "hashes as sha256sum(1) writes them");
	ok(packed > 0, "how far it is");

	struct rk_unpack chosen = {.dest = one, .choose = take_b};
	no_err(rk_deb_unpack(deb, &chosen), "one file is chosen");
	is_file(one, "renamed", "b");
	is_err_like(rk_deb_unpack(deb, &unpack), RK_ERR_SYS, "cannot create",
		    "never over what is there");
	test_lend(deb);
}

static void test_nested(void)
{
	_cleanup_str_ struct rk_str inner = RK_STR_INIT, outer = RK_STR_INIT;
	_cleanup_free_ char *dir = dest("nested");

	tar_add(&inner, "tree/file", '0', "inside\n");
	tar_end(&inner);
	/* tar_add() takes text: a header has bytes of 0, so the member is made by hand. */
	tar_add(&outer, "./usr/src/tree.tar", '0', "");
	snprintf(outer.s + 124, 12, "%011o", (unsigned int)inner.len);
	memset(outer.s + 148, ' ', 8);
	unsigned int sum = 0;
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)outer.s[i];
	snprintf(outer.s + 148, 8, "%06o", sum);
	rk_str_add_bytes(&outer, inner.s, inner.len);
	pad(&outer, BLOCK);
	tar_end(&outer);

	const char *deb = write_deb("nested.deb", &outer);
	struct rk_unpack unpack = {.dest = dir, .nested = "usr/src/tree.tar", .choose = take_all};
	no_err(rk_deb_unpack(deb, &unpack), "an archive in a package is unpacked");
	is_file(dir, "tree/file", "inside\n");
	unpack.nested = "usr/src/other.tar";
	is_err_like(rk_deb_unpack(deb, &unpack), RK_ERR_FORMAT, "has no 'usr/src/other.tar'",
		    "an archive that isn't in it");
}

static void refuses(const char *path, char type, const char *content)
{
	_cleanup_str_ struct rk_str tar = RK_STR_INIT;
	_cleanup_free_ char *dir = dest("evil");
	_cleanup_free_ char *escaped = dest("escaped");
	struct rk_unpack unpack = {.dest = dir, .choose = take_all};

	tar_add(&tar, path, type, content);
	tar_end(&tar);
	is_err_like(rk_deb_unpack(write_deb("evil.deb", &tar), &unpack), RK_ERR_FORMAT,
		    "can't be unpacked safely", path);
	ok(!rk_fs_exists(escaped), "'%s' leaves nothing outside", path);
}

static void test_malicious(void)
{
	refuses("../escaped", '0', "x");
	refuses("a/../../escaped", '0', "x");
	refuses("/escaped", '0', "x");
	refuses("a/..", '0', "x");
	refuses("hard", '1', "/etc/passwd");

	/* A link to a directory outside, and a file "below" it. */
	_cleanup_str_ struct rk_str tar = RK_STR_INIT;
	_cleanup_free_ char *dir = dest("through");
	_cleanup_free_ char *outside = dest("outside");
	_cleanup_free_ char *escaped = rk_path_join(outside, "file");
	struct rk_unpack unpack = {.dest = dir, .choose = take_all};

	no_err(rk_fs_mkdir_p(outside, 0755), "a directory outside");
	tar_add(&tar, "link", '2', outside);
	tar_add(&tar, "link/file", '0', "x");
	tar_end(&tar);
	is_err_like(rk_deb_unpack(write_deb("through.deb", &tar), &unpack), RK_ERR_SYS,
		    "cannot create", "a link that is in the way of a directory");
	ok(!rk_fs_exists(escaped), "nothing is written through a link");
}

static void test_damaged(void)
{
	_cleanup_str_ struct rk_str tar = RK_STR_INIT;
	_cleanup_free_ char *dir = dest("damaged");
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *path = dest("short.deb");
	struct rk_unpack unpack = {.dest = dir, .choose = take_all};
	size_t len;

	tar_add(&tar, "file", '0', "0123456789");
	tar_end(&tar);
	no_err(rk_fs_read(write_deb("whole.deb", &tar), 1 << 20, &text, &len), "a whole package");
	no_err(rk_fs_write(path, text, len - tar.len + 515, 0644), "cut in the middle of a file");
	is_err_like(rk_deb_unpack(path, &unpack), RK_ERR_FORMAT, "cannot read",
		    "a package cut short");
	no_err(rk_fs_write(path, "no package", 10, 0644), "no package");
	is_err_like(rk_deb_unpack(path, &unpack), RK_ERR_FORMAT, "cannot read", "not a package");
	no_err(rk_fs_write(path, "", 0, 0644), "an empty file");
	is_err_like(rk_deb_unpack(path, &unpack), RK_ERR_FORMAT, "short.deb'", "an empty file");
	is_err_like(rk_deb_unpack(write_deb("nodata.deb", NULL), &unpack), RK_ERR_FORMAT,
		    "has no 'data.tar'", "a package without data");
	is_err_like(rk_deb_unpack("/nonexistent.deb", &unpack), RK_ERR_FORMAT, "/nonexistent.deb",
		    "no such file");
}

static void test_control(void)
{
	_cleanup_str_ struct rk_str tar = RK_STR_INIT;
	_cleanup_free_ char *package = NULL;

	tar_end(&tar);
	const char *deb = write_deb("control.deb", &tar);
	no_err(rk_deb_field(deb, "Package", &package), "a field");
	is_str(package, "p", "its value");
	char *none = NULL;
	is_err_like(rk_deb_field(deb, "more", &none), RK_ERR_FORMAT, "has no 'more'",
		    "a continuation line is no field");
	is_err_like(rk_deb_field(deb, "Pack", &none), RK_ERR_FORMAT, "has no 'Pack'",
		    "half a name is no field");
	ok(!none, "untouched on failure");
}

static void test_cancel(void)
{
	_cleanup_str_ struct rk_str tar = RK_STR_INIT;
	_cleanup_free_ char *dir = dest("cancelled");
	atomic_bool cancel = true;
	struct rk_unpack unpack = {.dest = dir, .choose = take_all, .cancel = &cancel};

	tar_add(&tar, "file", '0', "x");
	tar_end(&tar);
	is_err_like(rk_deb_unpack(write_deb("cancel.deb", &tar), &unpack), RK_ERR_INTERRUPTED,
		    "interrupted while unpacking", "unpacking can be ended from outside");
}

int main(void)
{
	test_unpack();
	test_nested();
	test_malicious();
	test_damaged();
	test_control();
	test_cancel();
	return done_testing();
}
