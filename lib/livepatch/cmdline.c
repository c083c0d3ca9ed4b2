/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of /proc/cmdline, as the kernel takes them apart; quotes matter to none that is asked for here. */
#include "lib/livepatch/cmdline.h"

#include <string.h>

#define BLANKS " \t\n"

bool rk_cmdline_is(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && !memcmp(word, text, len);
}

const char *rk_cmdline_word(const char **at, size_t *ret_len)
{
	const char *word = *at + strspn(*at, BLANKS);
	size_t len = strcspn(word, BLANKS);

	if (!len || rk_cmdline_is(word, len, "--"))
		return NULL;
	*at = word + len;
	*ret_len = len;
	return word;
}

bool rk_livepatch_is_off(const char *cmdline)
{
	bool off = false;
	size_t len;

	for (const char *word; (word = rk_cmdline_word(&cmdline, &len));) {
		if (rk_cmdline_is(word, len, "kpatch.enable=0"))
			off = true;
		else if (rk_cmdline_is(word, len, "kpatch.enable=1"))
			off = false;
	}
	return off;
}
