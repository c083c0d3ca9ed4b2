/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths inside a source tree as text: no file system is asked. */
#include "lib/source/paths.h"

#include <stdbool.h>
#include <string.h>

static bool is_dotdot(const char *s, size_t len)
{
	return len == 2 && s[0] == '.' && s[1] == '.';
}

/* The last part of path … end. */
static char *last_part(char *path, char *end)
{
	while (end > path && end[-1] != '/')
		end--;
	return end;
}

void rk_path_normalise(char *path)
{
	const char *end = path + strlen(path);
	char *out = path; /* behind what is kept, without a slash */

	for (const char *s = path; s < end;) {
		size_t n = strcspn(s, "/");
		const char *next = s + n + (s + n < end);
		char *last = last_part(path, out);

		if (is_dotdot(s, n) && out > path && !is_dotdot(last, (size_t)(out - last))) {
			out = last > path ? last - 1 : path;
		} else if (n > 0 && !(n == 1 && s[0] == '.')) {
			if (out > path)
				*out++ = '/';
			memmove(out, s, n);
			out += n;
		}
		s = next;
	}
	*out = '\0';
}
