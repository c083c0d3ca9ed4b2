/* SPDX-License-Identifier: GPL-2.0 */
/* After. */
struct item;
struct ops {
	int (*call)(struct item *item, int n);
	int (*other)(struct item *item, int n);
};
struct item {
	const struct ops *ops;
	unsigned int count;
	union {
		long number;
		void *pointer;
		char bytes[8];
	};
	float new;
};
