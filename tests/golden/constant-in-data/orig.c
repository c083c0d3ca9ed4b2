/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pointer to the constant stands in data of the running kernel: that can't be changed from here.
 */
#include "kernel.h"

static const int policy[] = {
	1,
	2,
	3,
};
const struct {
	const int *policy;
} family = {policy};
int parse(int x)
{
	return policy[x];
}
