/* SPDX-License-Identifier: GPL-2.0 */
/* Before. */
struct holes {
	char kind;
	long first;
	unsigned int one : 1;
	unsigned int two : 2;
	int last;
};
