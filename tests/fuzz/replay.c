/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over the files of the directories it is given, as a TAP test: for compilers without
 * libFuzzer, and so that every input that once crashed is tried again on every run. A crash ends the
 * program, which fails the test; the name of the input is printed before.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/vec.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (64u << 20)

struct paths {
	char **v;
	size_t nr;
	size_t cap;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool replay(const char *path, unsigned int number)
{
	_cleanup_free_ char *data = NULL;
	size_t len;
	_cleanup_err_ struct rk_err *err = rk_fs_read(path, INPUT_MAX, &data, &len);

	printf("# %s\n", path);
	fflush(stdout);
	if (err) {
		printf("not ok %u - %s\n# %s\n", number, path, rk_err_message(err));
		return false;
	}
	/* A copy of the exact size, so that the sanitizer sees one byte too many. */
	_cleanup_free_ uint8_t *exact = malloc(len ? len : 1);
	if (!exact)
		return false;
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	printf("ok %u - %s\n", number, strrchr(path, '/') + 1);
	return true;
}

static bool collect(const char *dir, struct paths *paths)
{
	DIR *d = opendir(dir);

	if (!d) {
		printf("Bail out! cannot open '%s': %s\n", dir, strerror(errno));
		return false;
	}
	for (const struct dirent *entry; (entry = readdir(d));) {
		char *path = entry->d_name[0] == '.' ? NULL : rk_path_join(dir, entry->d_name);

		if (path && !rk_vec_push(paths, path))
			free(path);
	}
	closedir(d);
	return true;
}

int main(int argc, char **argv)
{
	struct paths paths = {};
	unsigned int number = 0;
	bool passed = argc > 1;

	for (int i = 1; i < argc; i++)
		passed = collect(argv[i], &paths) && passed;
	if (paths.nr == 0) {
		printf("Bail out! no input to replay\n");
		return 1;
	}
	qsort(paths.v, paths.nr, sizeof(*paths.v), compare);
	rk_vec_for_each(&paths, it) {
		passed = replay(*it, ++number) && passed;
		free(*it);
	}
	rk_vec_deinit(&paths);
	printf("1..%u\n", number);
	return passed ? 0 : 1;
}
