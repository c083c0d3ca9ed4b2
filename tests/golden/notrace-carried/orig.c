/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A changed function that can't be traced is carried by the functions that call it, over more than one step.
 */
#include "kernel.h"

static noinline notrace int inner(int x)
{
	return work(x);
}

static noinline notrace int middle(int x)
{
	return inner(x) * 3;
}

int outer(int x)
{
	return middle(x) + 2;
}

int bystander(int x)
{
	return work(x);
}
