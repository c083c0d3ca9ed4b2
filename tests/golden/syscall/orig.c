/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A system call whose body is a copy of an inline function: its stubs, native and compat, are replaced; what describes it stays.
 */
#include "kernel.h"

#define SYSCALL(name, arg)                                                                   \
	static const char *args__##name[] = {#arg};                                          \
	static struct syscall_meta {                                                         \
		const char *name;                                                            \
		const char **args;                                                           \
		int nr;                                                                      \
	} __syscall_meta__##name = {"sys_" #name, args__##name, 1};                          \
	static struct syscall_meta *p_meta__##name __used __section("__syscalls_metadata") = \
		&__syscall_meta__##name;                                                     \
	static long __se_sys_##name(long a);                                                 \
	static notrace noinline long __do_sys_##name(int arg);                               \
	long __x64_sys_##name(const long *regs)                                              \
	{                                                                                    \
		return __se_sys_##name(regs[14]);                                            \
	}                                                                                    \
	long __ia32_sys_##name(const long *regs)                                             \
	{                                                                                    \
		return __se_sys_##name((unsigned int)regs[5]);                               \
	}                                                                                    \
	static long __se_sys_##name(long a)                                                  \
	{                                                                                    \
		return __do_sys_##name((int)a);                                              \
	}                                                                                    \
	static notrace noinline long __do_sys_##name(int arg)

SYSCALL(frob, mask)
{
	return work(mask & 7);
}
