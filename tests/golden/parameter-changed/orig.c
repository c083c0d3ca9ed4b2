/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The permissions of a parameter are not in what it refers to.
 */
#include "kernel.h"

struct parameter {
	const char *name;
	void *arg;
	unsigned short mode;
};
static int limit = 4;
static const char name[] = "limit";
static const struct parameter __param_limit __used __section("__param") = {name, &limit, 0644};
static const struct parameter __param_same __used __section("__param") = {name, &limit, 0600};
int entry(int x)
{
	return work(x + limit);
}
