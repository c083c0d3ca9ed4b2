/* SPDX-License-Identifier: GPL-2.0 */
/* After. */
struct part {
	char kind;
	long first;
	int last;
	int more;
	int added;
};
struct pointing {
	struct part *part;
};
