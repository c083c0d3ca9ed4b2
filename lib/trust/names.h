/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of a repository's files. There are no others: a name that isn't one of these forms is neither fetched, taken out of a
 * bundle nor written. What changes has its version or hash in its name, so that a reader never meets half of a change:
 *
 *	root.signed  root/<N>.signed  timestamp.signed  index/<sha256>.json
 *	kernels/<build-id>/<channel>.<version>.signed
 *	kernels/<build-id>/files/<sha256>.ko  ….manifest.json  ….evidence.json   (sha256: of the module in all three)
 *
 * Functions that make a name return malloc'ed text, NULL without memory.
 */
#ifndef RK_TRUST_NAMES_H
#define RK_TRUST_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define RK_NAME_ROOT	  "root.signed"
#define RK_NAME_TIMESTAMP "timestamp.signed"

/* Sizes beyond which a file isn't taken, whoever signed it; they hold before and while it is read. */
#define RK_ROOT_SIZE_MAX      (256u << 10) /* 64 keys with names are 20 KiB */
#define RK_TIMESTAMP_SIZE_MAX (1u << 20)   /* thousands of blocked levels */
#define RK_INDEX_SIZE_MAX     (4u << 20)   /* about 8,000 kernels in each of the 16 */
#define RK_RELEASE_SIZE_MAX   (4u << 20)   /* 40 levels with 3,000 CVEs in all are 100 KiB */
#define RK_LICENCE_SIZE_MAX   (64u << 10)
#define RK_PATCH_SIZE_MAX     (64u << 20) /* the largest module that bench/ makes has 1.3 MiB */
#define RK_RECORD_SIZE_MAX    (64u << 20) /* a manifest or evidence */

#define RK_BUILD_ID_LEN_MAX 64 /* hexadecimal digits; the kernel's are 40 */
#define RK_PATCH_NAME_MAX   55 /* MODULE_NAME_LEN - 1 of a 64-bit kernel */

enum rk_channel {
	RK_CHANNEL_TEST,
	RK_CHANNEL_EARLY,
	RK_CHANNEL_STABLE,
	RK_CHANNELS
};

/* "test", "early", "stable". */
const char *rk_channel_name(enum rk_channel channel);
/* RK_ERR_NAME for any other text. */
struct rk_err *rk_channel_parse(const char *text, enum rk_channel *ret) __must_use;

/* 16 to RK_BUILD_ID_LEN_MAX lower-case hexadecimal digits, an even number. */
bool rk_is_build_id(const char *text);
/* 64 lower-case hexadecimal digits. */
bool rk_is_sha256(const char *text);
/* A module's name: letters, digits and '_' only. */
bool rk_is_patch_name(const char *text);

/* True when the text is one of the forms above. */
bool rk_is_repository_name(const char *text);
/* The size limit of the file of this name; 0 when it is no name of a repository. */
size_t rk_repository_name_limit(const char *text);

enum rk_file_kind {
	RK_FILE_MODULE,
	RK_FILE_MANIFEST,
	RK_FILE_EVIDENCE
};

char *rk_name_root(uint64_t version) __must_use;
char *rk_name_index(const char *sha256) __must_use;
char *rk_name_release(const char *build_id, enum rk_channel channel, uint64_t version) __must_use;
/* sha256: of the module, whichever of the three is asked for. */
char *rk_name_file(const char *build_id, const char *sha256, enum rk_file_kind kind) __must_use;

#endif
