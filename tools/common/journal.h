/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Priorities for systemd's journal: a line that begins with "<3>" is an error there (sd-daemon(3)). */
#ifndef RK_TOOLS_COMMON_JOURNAL_H
#define RK_TOOLS_COMMON_JOURNAL_H

#include <stdio.h>

enum rk_priority { /* syslog(3)'s numbers */
	RK_PRIORITY_ERROR = 3,
	RK_PRIORITY_WARNING = 4,
	RK_PRIORITY_INFO = 6,
	RK_PRIORITY_DEBUG = 7,
};

/* What a line on out begins with: "" unless out leads to the journal, as $JOURNAL_STREAM says. */
const char *rk_journal_prefix(FILE *out, enum rk_priority priority);

#endif
