/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Replaced functions that a thread never leaves, that ran at boot, that need more stack, that lock otherwise.
 */
#include "kernel.h"

void *kthread_create_on_node(int (*fn)(void *data), void *data, int node, const char *name);
void *svc_create_pooled(void *prog, void *stats, unsigned int size, int (*fn)(void *data));
void setup_clear_cpu_cap(unsigned int bit);
void mutex_lock(void *lock);
void mutex_unlock(void *lock);
void use(void *buffer);

static int runs_for_ever(void *data)
{
	for (;;)
		work(1);
	return 0;
}

static int called_at_times(void *data)
{
	return work(5);
}

static int serves(void *data)
{
	return work(10);
}

static int is_its_data(void *data)
{
	return work(20);
}

void start(void *data)
{
	svc_create_pooled(0, 0, 5, serves);
	kthread_create_on_node((int (*)(void *))data, is_its_data, 0, "name");
	kthread_create_on_node(runs_for_ever, data, 0, "name");
	called_at_times(data);
}

void do_idle(void)
{
	work(7);
}

void set_up(void)
{
	work(3);
}

void grows_little(int x)
{
	char buffer[32];

	use(buffer);
}

void grows(int x)
{
	char buffer[32];

	use(buffer);
}

void grows_much(int x)
{
	char buffer[32];

	use(buffer);
}

void locks(void *lock)
{
	mutex_lock(lock);
	work(4);
	mutex_unlock(lock);
}
