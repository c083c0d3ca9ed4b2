/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's listings of functions, a line each: what ftrace calls for them, kprobes, a task's stack (formats of kernel 6.1). */
#ifndef RK_LIVEPATCH_LISTING_H
#define RK_LIVEPATCH_LISTING_H

#include <stdbool.h>
#include <stddef.h>

enum rk_listing {
	RK_LISTING_TRACED,  /* tracefs' enabled_functions: "name [module] (2) R I D …" */
	RK_LISTING_KPROBES, /* debugfs' kprobes/list: "address  k  name+0x10  module  [FLAGS]" */
	RK_LISTING_STACK,   /* /proc/PID/stack: "[<0>] name+0x10/0x20 [module]" */
};

/* One line; the strings point into it and aren't terminated. */
struct rk_listed {
	const char *name;
	size_t name_len;
	const char *object; /* the module's name, or "vmlinux" */
	size_t object_len;
	unsigned long offset; /* behind the function's entry */
	bool is_return;	      /* KPROBES: it waits for the function's return */
	bool is_exclusive; /* TRACED: somebody other than livepatch may change where the CPU goes on (IPMODIFY) */
};

/* Reads the line that *text, which is terminated, begins with and moves *text behind it. False: it names no function. */
bool rk_listing_line(enum rk_listing kind, const char **text, struct rk_listed *ret);

#endif
