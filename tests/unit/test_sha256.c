/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 against the examples NIST publishes with FIPS 180-4. */
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/sha256.h"
#include "tests/unit/tap.h"

static const struct {
	const char *text;
	const char *hex;
} vectors[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_millions(void)
{
	char hex[RK_SHA256_HEX_SIZE];
	struct rk_sha256 *h;
	char part[1000];

	memset(part, 'a', sizeof(part));
	if (!no_err(rk_sha256_create(&h), "create"))
		return;
	for (int i = 0; i < 1000; i++)
		rk_sha256_add(h, part, sizeof(part));
	no_err(rk_sha256_finish(h, hex), "finish");
	is_str(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	       "a million times 'a', in parts");
}

static void test_parts(void)
{
	char one[RK_SHA256_HEX_SIZE], other[RK_SHA256_HEX_SIZE];
	struct rk_sha256 *h;

	no_err(rk_sha256_create(&h), "create");
	rk_sha256_add_str(h, "ab");
	rk_sha256_add_str(h, "c");
	no_err(rk_sha256_finish(h, one), "finish");
	no_err(rk_sha256_create(&h), "create");
	rk_sha256_add_str(h, "a");
	rk_sha256_add_str(h, "bc");
	no_err(rk_sha256_finish(h, other), "finish");
	ok(strcmp(one, other) != 0, "strings don't run together");
}

static void test_file(void)
{
	_cleanup_free_ char *path = rk_path_join(tap_tmpdir(), "f");
	char hex[RK_SHA256_HEX_SIZE] = "untouched";

	no_err(rk_fs_write(path, "abc", 3, 0600), "write");
	no_err(rk_sha256_file(path, hex), "hash of a file");
	is_str(hex, vectors[1].hex, "is that of its content");

	memcpy(hex, "untouched", 10);
	is_err(rk_sha256_file("/nonexistent/f", hex), RK_ERR_SYS,
	       "cannot open '/nonexistent/f': No such file or directory", "absent file");
	is_err_like(rk_sha256_file(tap_tmpdir(), hex), RK_ERR_SYS, "Is a directory", "directory");
	is_str(hex, "untouched", "output is untouched on failure");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		char hex[RK_SHA256_HEX_SIZE];

		no_err(rk_sha256_bytes(vectors[i].text, strlen(vectors[i].text), hex), "bytes");
		is_str(hex, vectors[i].hex, "digest");
	}
	test_millions();
	test_parts();
	test_file();
	return done_testing();
}
