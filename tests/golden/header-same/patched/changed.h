/* SPDX-License-Identifier: GPL-2.0 */
/* After. */
typedef unsigned int u32;
enum unused {
	FIRST,
	SECOND
};
struct new
{
	int of[4];
};
struct item {
	u32 count;
	char *name;
	struct {
		int a, b;
	} pair;
	int new_name;
};
