/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the kernel's listings, none of which says which of several functions of one name it means. */
#include "lib/livepatch/listing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LIVEPATCH "klp_" /* livepatch's own handler */

/* A word ends with blanks, a line with its newline or the text. */
static const char *next_word(const char *text)
{
	text += strcspn(text, " \t\n");
	return text + strspn(text, " \t");
}

/* The object named behind a function: "[module]" on stacks and by ftrace, "module" in the list of kprobes; what else stands there (a count in
 * parentheses, flags in capitals) means vmlinux. */
static void read_object(const char *text, struct rk_listed *ret)
{
	if (*text == '[')
		text++;
	ret->object_len = strcspn(text, " \t]\n");
	if (ret->object_len && *text != '(' && !isupper((unsigned char)*text)) {
		ret->object = text;
		return;
	}
	ret->object = "vmlinux";
	ret->object_len = strlen(ret->object);
}

/* "… (2) R I D …": of those who want the function only one may have I; livepatch's patches share theirs. */
static bool is_exclusive(const char *line, size_t len)
{
	const char *flags = memchr(line, ')', len);

	if (!flags)
		return false;
	len -= (size_t)(flags - line);
	for (size_t i = 1; i < len && (flags[i] == ' ' || isupper((unsigned char)flags[i])); i++)
		if (flags[i] == 'I' && flags[i - 1] == ' ')
			return !memmem(flags, len, LIVEPATCH, strlen(LIVEPATCH));
	return false;
}

bool rk_listing_line(enum rk_listing kind, const char **text, struct rk_listed *ret)
{
	const char *line = *text, *place = line;
	size_t len = strcspn(line, "\n");

	*text = line + len + (line[len] == '\n');
	*ret = (struct rk_listed){};
	if (kind != RK_LISTING_TRACED)
		place = next_word(place);
	if (kind == RK_LISTING_KPROBES) {
		ret->is_return = *place == 'r';
		place = next_word(place);
	}
	ret->name = place;
	ret->name_len = strcspn(place, "+ \t\n");
	if (!ret->name_len)
		return false;
	if (place[ret->name_len] == '+')
		ret->offset = strtoul(place + ret->name_len + 1, NULL, 0);
	read_object(next_word(place), ret);
	ret->is_exclusive = kind == RK_LISTING_TRACED && is_exclusive(line, len);
	return true;
}
