/* SPDX-License-Identifier: GPL-2.0 */
/* Before. */
struct part {
	char kind;
	long first;
	int last;
	int more;
};
struct pointing {
	struct part *part;
};
