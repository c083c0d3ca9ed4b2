/* SPDX-License-Identifier: GPL-2.0-or-later */
/* '-' and '_' are the same in the name of a module. */
#include "lib/base/module_name.h"

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

char *rk_module_name_fold(char *name)
{
	for (char *c = name; c && *c; c++)
		*c = fold(*c);
	return name;
}

bool rk_module_name_is(const char *text, size_t len, const char *name)
{
	size_t i = 0;

	while (i < len && name[i] && fold(text[i]) == fold(name[i]))
		i++;
	return i == len && !name[i];
}
