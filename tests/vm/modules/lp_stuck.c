// SPDX-License-Identifier: GPL-2.0
/* Patches the function that lp_sleeper's thread never leaves: the transition can't end. */
#include <linux/livepatch.h>
#include <linux/module.h>

static int lp_sleeper_wait_new(void)
{
	return 0;
}

static struct klp_func funcs[] = {{
					  .old_name = "lp_sleeper_wait",
					  .new_func = lp_sleeper_wait_new,
				  },
				  {}};

static struct klp_object objs[] = {{
					   .name = "lp_sleeper",
					   .funcs = funcs,
				   },
				   {}};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = true,
};

static int __init lp_stuck_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit lp_stuck_exit(void)
{
}

module_init(lp_stuck_init);
module_exit(lp_stuck_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("live patch whose transition can't end, for tests of the test tool");
MODULE_INFO(livepatch, "Y");
