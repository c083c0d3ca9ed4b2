/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of what the kernel (6.1) prints when something is wrong; the first row that fits decides. */
#include "lib/livepatch/klog.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define ANY_PRIORITY 7
#define ERROR	     3 /* KERN_ERR */

static const struct {
	const char *kind;
	const char *text;	   /* somewhere in the line */
	const char *also;	   /* also somewhere in it, or NULL */
	unsigned int max_priority; /* this important or more */
} troubles[] = {
	{"panic", "Kernel panic - not syncing", NULL, ANY_PRIORITY},
	{"lockup", "soft lockup", NULL, ANY_PRIORITY},
	{"lockup", "hard LOCKUP", NULL, ANY_PRIORITY},
	{"stall", "rcu", "self-detected stall", ANY_PRIORITY},
	{"stall", "rcu", "detected stalls on CPUs", ANY_PRIORITY},
	{"stall", "rcu", "detected expedited stalls", ANY_PRIORITY},
	{"stall", "rcu", "kthread starved", ANY_PRIORITY},
	{"hung-task", "INFO: task", "blocked for more than", ANY_PRIORITY},
	{"bug", "BUG: ", NULL, ANY_PRIORITY},
	{"bug", "kernel BUG at", NULL, ANY_PRIORITY},
	{"oops", "Oops: ", NULL, ANY_PRIORITY},
	{"oops", "general protection fault", ", probably for", 1},
	{"oops", "general protection fault: ", " SMP", ANY_PRIORITY},
	{"oops", "unable to handle page fault", NULL, ANY_PRIORITY},
	{"oops", "double fault: ", NULL, ANY_PRIORITY},
	{"oops", "invalid opcode: ", NULL, ANY_PRIORITY},
	{"warning", "WARNING: ", NULL, 4},
	{"trace", "Call Trace:", NULL, ANY_PRIORITY},
	{"livepatch", "livepatch: ", NULL, ERROR},
	{"livepatch", "livepatch: ", "failed", 4},
	{"module", ": Unknown symbol ", NULL, ANY_PRIORITY},
	{"module", ": disagrees about version of symbol", NULL, ANY_PRIORITY},
	{"module", ": no symbol version for", NULL, ANY_PRIORITY},
	{"module", ": version magic ", " should be ", ANY_PRIORITY},
	{"module", "x86/modules: ", NULL, ERROR},
	{"module", "module ", ": .gnu.linkonce.this_module", ANY_PRIORITY},
};

const char *rk_klog_trouble(unsigned int priority, const char *text)
{
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
		if (priority <= troubles[i].max_priority && strstr(text, troubles[i].text) &&
		    (!troubles[i].also || strstr(text, troubles[i].also)))
			return troubles[i].kind;
	return NULL;
}

/* Skips a run of hexadecimal digits and 'x' that begins with a digit; false if text isn't at one. */
static bool skip_number(const char **text)
{
	if (!isdigit((unsigned char)**text))
		return false;
	while (isxdigit((unsigned char)**text) || **text == 'x')
		(*text)++;
	return true;
}

bool rk_klog_is_same(const char *a, const char *b)
{
	while (*a && *b) {
		bool has_number = skip_number(&a);

		if (has_number != skip_number(&b))
			return false;
		if (has_number)
			continue;
		if (*a++ != *b++)
			return false;
	}
	return !*a && !*b;
}
