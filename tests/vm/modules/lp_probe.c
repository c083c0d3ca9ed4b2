// SPDX-License-Identifier: GPL-2.0
/* A kprobe that may change where the CPU goes on: the function it is on can't be live patched meanwhile. */
#include <linux/kprobes.h>
#include <linux/module.h>

static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.symbol_name = "version_proc_show",
	.post_handler = after,
};

static int __init lp_probe_init(void)
{
	return register_kprobe(&probe);
}

static void __exit lp_probe_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(lp_probe_init);
module_exit(lp_probe_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("a probe in the way of a live patch, for tests of kpatch");
