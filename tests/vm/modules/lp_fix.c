// SPDX-License-Identifier: GPL-2.0
/* A live patch that works: /proc/version says that it is there. */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int lp_version_show(struct seq_file *m, void *v)
{
	seq_puts(m, "fixed by " KBUILD_MODNAME "\n");
	return 0;
}

static struct klp_func funcs[] = {{
					  .old_name = "version_proc_show",
					  .new_func = lp_version_show,
				  },
#ifdef LP_MORE
				  {
					  .old_name = "loadavg_proc_show",
					  .new_func = lp_version_show,
				  },
#endif
				  {}};

static struct klp_object objs[] = {{
					   .funcs = funcs,
				   },
				   {}};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = !IS_ENABLED(LP_STACK),
};

static int __init lp_fix_init(void)
{
#if defined(LP_WARN)
	WARN(1, "lp_warn warns on purpose\n");
#elif defined(LP_PANIC)
	panic("lp_panic panics on purpose");
#elif defined(LP_OOPS)
	*(volatile int *)8 = 1;
#elif defined(LP_HANG)
	for (;;)
		cpu_relax();
#elif defined(LP_EMPTY)
	funcs[0] = (struct klp_func){};
#elif defined(LP_REFUSED)
	funcs[0].old_name = "no_such_function_anywhere";
#endif
#ifdef LP_LATE
	schedule_delayed_work(&late_work, 5 * HZ);
#endif
	return klp_enable_patch(&patch);
}

/* The kernel lets a live patch go only once nothing runs it any more: nothing to undo here. */
static void __exit lp_fix_exit(void)
{
#ifdef LP_LATE
	cancel_delayed_work_sync(&late_work);
#endif
#if defined(LP_WARN_EXIT)
	WARN(1, "lp_warn_exit warns on purpose\n");
#endif
}

module_init(lp_fix_init);
module_exit(lp_fix_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("live patch for tests of the test tool");
MODULE_INFO(livepatch, "Y");
