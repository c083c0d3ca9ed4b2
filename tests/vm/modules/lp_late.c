// SPDX-License-Identifier: GPL-2.0
/* A live patch that works, until the kernel panics some seconds after it was loaded. */
#include <linux/module.h>
#include <linux/workqueue.h>

static void late(struct work_struct *work)
{
	panic("lp_late panics on purpose");
}

static DECLARE_DELAYED_WORK(late_work, late);

#define LP_LATE
#include "lp_fix.c"
