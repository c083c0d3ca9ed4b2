/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs at build time only: turns files into C arrays, so that an installed tool needs no source tree.
 * embed OUTPUT NAME FILE [NAME FILE …]
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int embed(FILE *out, const char *name, const char *path)
{
	FILE *in = fopen(path, "rb");
	if (!in)
		return -1;
	fprintf(out, "const unsigned char %s[] = {", name);
	unsigned long n = 0;
	for (int c; (c = getc(in)) != EOF; n++)
		fprintf(out, "%s%d,", n % 20 ? "" : "\n\t", c);
	fprintf(out, "\n};\nconst unsigned long %s_size = %lu;\n", name, n);
	int failed = ferror(in);
	fclose(in);
	return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc % 2) {
		fprintf(stderr, "usage: embed OUTPUT NAME FILE [NAME FILE ...]\n");
		return 2;
	}
	FILE *out = fopen(argv[1], "wb");
	if (!out) {
		fprintf(stderr, "error: cannot write '%s': %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (int i = 2; i < argc; i += 2) {
		if (embed(out, argv[i], argv[i + 1])) {
			fprintf(stderr, "error: cannot read '%s': %s\n", argv[i + 1],
				strerror(errno));
			fclose(out);
			return 1;
		}
	}
	if (fclose(out)) {
		fprintf(stderr, "error: cannot write '%s': %s\n", argv[1], strerror(errno));
		return 1;
	}
	return 0;
}
