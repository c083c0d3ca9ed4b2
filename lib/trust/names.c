/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few forms a repository's names have: each is a pattern, and a name must be all of it. */
#include "lib/trust/names.h"

#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"

#define SHA256_LEN	 (RK_SHA256_HEX_SIZE - 1)
#define BUILD_ID_LEN_MIN 16
#define VERSION_LEN_MAX	 18 /* digits: below 2^63 */

static const char *const channel_names[RK_CHANNELS] = {
	[RK_CHANNEL_TEST] = "test",
	[RK_CHANNEL_EARLY] = "early",
	[RK_CHANNEL_STABLE] = "stable",
};

static const char *const kind_endings[] = {
	[RK_FILE_MODULE] = ".ko",
	[RK_FILE_MANIFEST] = ".manifest.json",
	[RK_FILE_EVIDENCE] = ".evidence.json",
};

/* In a pattern, what begins with '%': %b a build-id, %c a channel, %v a version, %s a SHA-256. */
static const struct {
	const char *pattern;
	size_t limit;
} forms[] = {
	{RK_NAME_ROOT, RK_ROOT_SIZE_MAX},
	{"root/%v.signed", RK_ROOT_SIZE_MAX},
	{RK_NAME_TIMESTAMP, RK_TIMESTAMP_SIZE_MAX},
	{"index/%s.json", RK_INDEX_SIZE_MAX},
	{"kernels/%b/%c.%v.signed", RK_RELEASE_SIZE_MAX},
	{"kernels/%b/files/%s.ko", RK_PATCH_SIZE_MAX},
	{"kernels/%b/files/%s.manifest.json", RK_RECORD_SIZE_MAX},
	{"kernels/%b/files/%s.evidence.json", RK_RECORD_SIZE_MAX},
};

const char *rk_channel_name(enum rk_channel channel)
{
	return channel_names[channel];
}

/* How long the channel's name is that text begins with, 0 if none. */
static size_t channel_prefix(const char *text, enum rk_channel *ret)
{
	for (size_t i = 0; i < RK_CHANNELS; i++) {
		if (!rk_has_prefix(text, channel_names[i]))
			continue;
		*ret = (enum rk_channel)i;
		return strlen(channel_names[i]);
	}
	return 0;
}

struct rk_err *rk_channel_parse(const char *text, enum rk_channel *ret)
{
	enum rk_channel channel = RK_CHANNEL_TEST;
	size_t len = channel_prefix(text, &channel);

	if (!len || text[len])
		return rk_err(RK_ERR_NAME, "'%s' is no channel: there are test, early and stable",
			      text);
	*ret = channel;
	return NULL;
}

static size_t hex_prefix(const char *text)
{
	size_t len = 0;

	while (text[len] && rk_is_hex(text + len, 1))
		len++;
	return len;
}

static bool is_build_id_len(size_t len)
{
	return len >= BUILD_ID_LEN_MIN && len <= RK_BUILD_ID_LEN_MAX && len % 2 == 0;
}

bool rk_is_build_id(const char *text)
{
	size_t len = hex_prefix(text);

	return !text[len] && is_build_id_len(len);
}

bool rk_is_sha256(const char *text)
{
	return hex_prefix(text) == SHA256_LEN && !text[SHA256_LEN];
}

bool rk_is_patch_name(const char *text)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return len > 0 && len <= RK_PATCH_NAME_MAX && !text[len];
}

/* How much of text the piece of a pattern takes, 0 if it doesn't fit. */
static size_t match_piece(char piece, const char *text)
{
	enum rk_channel channel;
	size_t len;

	switch (piece) {
	case 'b': len = hex_prefix(text); return is_build_id_len(len) ? len : 0;
	case 's': return hex_prefix(text) == SHA256_LEN ? SHA256_LEN : 0;
	case 'c': return channel_prefix(text, &channel);
	default:
		len = strspn(text, "0123456789");
		return text[0] != '0' && len <= VERSION_LEN_MAX ? len : 0;
	}
}

static bool matches(const char *pattern, const char *text)
{
	while (*pattern) {
		size_t len = 1;

		if (*pattern == '%') {
			len = match_piece(pattern[1], text);
			pattern++;
		} else if (*pattern != *text) {
			return false;
		}
		if (!len)
			return false;
		pattern++;
		text += len;
	}
	return !*text;
}

size_t rk_repository_name_limit(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (matches(forms[i].pattern, text))
			return forms[i].limit;
	return 0;
}

bool rk_is_repository_name(const char *text)
{
	return rk_repository_name_limit(text) > 0;
}

char *rk_name_root(uint64_t version)
{
	return rk_asprintf("root/%llu.signed", (unsigned long long)version);
}

char *rk_name_index(const char *sha256)
{
	return rk_asprintf("index/%s.json", sha256);
}

char *rk_name_release(const char *build_id, enum rk_channel channel, uint64_t version)
{
	return rk_asprintf("kernels/%s/%s.%llu.signed", build_id, rk_channel_name(channel),
			   (unsigned long long)version);
}

char *rk_name_file(const char *build_id, const char *sha256, enum rk_file_kind kind)
{
	return rk_asprintf("kernels/%s/files/%s%s", build_id, sha256, kind_endings[kind]);
}
