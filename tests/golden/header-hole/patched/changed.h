/* SPDX-License-Identifier: GPL-2.0 */
/* After. */
struct holes {
	char kind;
	short added;
	long renamed;
	unsigned int one : 1;
	unsigned int two : 2;
	unsigned int three : 3;
	int last;
};
