// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's listings of functions: each line is left behind, and what was read of it lies in it. */
#include <stdlib.h>
#include <string.h>

#include "lib/livepatch/listing.h"
#include "tests/fuzz/fuzz.h"

static bool is_within(const char *line, const char *end, const char *part, size_t len)
{
	return part >= line && part <= end && len <= (size_t)(end - part);
}

static void read_all(enum rk_listing kind, const char *text)
{
	while (*text) {
		const char *line = text, *end = line + strcspn(line, "\n");
		struct rk_listed listed;
		bool found = rk_listing_line(kind, &text, &listed);

		if (text != end + (*end == '\n'))
			abort();
		if (!found)
			continue;
		if (!listed.name_len || !is_within(line, end, listed.name, listed.name_len))
			abort();
		if (!listed.object_len ||
		    (!is_within(line, end, listed.object, listed.object_len) &&
		     strcmp(listed.object, "vmlinux") != 0))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	read_all(RK_LISTING_TRACED, text);
	read_all(RK_LISTING_KPROBES, text);
	read_all(RK_LISTING_STACK, text);
	free(text);
	return 0;
}
