/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the readykernel.conf that packages bring: every key of the one table, commented out, with its default. */
#include <stdio.h>

#include "lib/host/settings.h"

int main(int argc, char **argv)
{
	FILE *out = argc == 2 ? fopen(argv[1], "we") : NULL;

	if (!out) {
		fputs("usage: default_conf FILE\n", stderr);
		return 2;
	}
	fputs("# Settings of readykernel(8), see readykernel.conf(5). What is commented out shows the defaults;\n"
	      "# 'readykernel doctor' checks this file.\n",
	      out);
	for (const struct rk_settings_key *key = rk_settings_keys; key->name; key++)
		fprintf(out, "\n# %s (%s)\n#%s = %s\n", key->summary, key->value, key->name,
			key->fallback);
	return fclose(out) == 0 ? 0 : 1;
}
