/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pr_debug() in a replaced function has a descriptor and a key of its own; what was switched on stays with the old code.
 */
#include "kernel.h"

struct debug {
	const char *format;
	struct static_key key;
	int line;
};

#define pr_debug(text)                                                 \
	do {                                                           \
		static struct debug paste(__UNIQUE_ID_ddebug, 7)       \
			__section("__dyndbg") = {text, {0}, __LINE__}; \
		if (static_branch(&paste(__UNIQUE_ID_ddebug, 7).key))  \
			use(&paste(__UNIQUE_ID_ddebug, 7));            \
	} while (0)

int entry(int x)
{
	pr_debug("entered");
	return work(x);
}
