// SPDX-License-Identifier: GPL-2.0
/* A kernel thread that sleeps in lp_sleeper_wait() until the module goes: whoever patches that function waits for ever. */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>

static DECLARE_COMPLETION(never);
static struct task_struct *thread;

static noinline int lp_sleeper_wait(void)
{
	wait_for_completion(&never);
	return 0;
}

static int lp_sleeper_thread(void *unused)
{
	int ret = lp_sleeper_wait();

	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return ret;
}

static int __init lp_sleeper_init(void)
{
	thread = kthread_run(lp_sleeper_thread, NULL, "lp_sleeper");
	return PTR_ERR_OR_ZERO(thread);
}

static void __exit lp_sleeper_exit(void)
{
	complete_all(&never);
	kthread_stop(thread);
}

module_init(lp_sleeper_init);
module_exit(lp_sleeper_exit);
MODULE_LICENSE("GPL");
/* modpost gives a module with a version a srcversion too */
MODULE_VERSION("1");
MODULE_DESCRIPTION("a function that is never left, for tests of the test tool");
