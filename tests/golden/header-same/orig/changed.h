/* SPDX-License-Identifier: GPL-2.0 */
/* Before. */
struct item {
	unsigned int count;
	const char *name;
	struct {
		int a, b;
	} pair;
	int old_name;
};
