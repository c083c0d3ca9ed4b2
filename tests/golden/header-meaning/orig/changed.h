/* SPDX-License-Identifier: GPL-2.0 */
/* Before. */
struct item;
struct ops {
	int (*call)(struct item *item, int n);
	int (*other)(struct item *item);
};
struct item {
	const struct ops *ops;
	int count;
	union {
		long number;
		void *pointer;
	};
	int old;
};
