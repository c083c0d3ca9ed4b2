/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a replaced function says once, or so many times a second, it may say again.
 */
#include "kernel.h"

struct ratelimit {
	int interval, burst;
};

int limited(struct ratelimit *rs);

int entry(int x)
{
	static struct ratelimit _rs = {5, 10};

	once(printk("once"));
	if (limited(&_rs))
		printk("limited");
	return work(x);
}
