/* SPDX-License-Identifier: GPL-2.0 */
/*
 * New calls that start something which goes on by itself; a call that was there already is none.
 */
#include "kernel.h"

int mod_timer(void *timer, long expires);
int queue_work_on(int cpu, void *wq, void *work);
void *timer, *item;

int entry(int x)
{
	mod_timer(timer, x);
	return work(x);
}
