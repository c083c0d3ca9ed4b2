/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What makes the small sources of the golden tests look like kernel code to the compiler and the diff: section names and
 * entry layouts of Linux 6.1 on x86_64, written down anew from its documentation and from objects of it.
 */
#ifndef GOLDEN_KERNEL_H
#define GOLDEN_KERNEL_H

#include "../../include/kpatch-marks.h"

#define __used		 __attribute__((used))
#define __section(name)	 __attribute__((section(name)))
#define noinline	 __attribute__((noinline))
#define always_inline	 inline __attribute__((always_inline))
#define notrace		 __attribute__((no_instrument_function))
#define __cold		 __attribute__((cold))
#define __init		 __section(".init.text") __attribute__((cold)) notrace
#define __initdata	 __section(".init.data")
#define __exit		 __section(".exit.text") __attribute__((cold)) notrace
#define __sched		 __section(".sched.text")
#define __read_mostly	 __section(".data..read_mostly")
#define __percpu_section __section(".data..percpu")
#define __weak		 __attribute__((weak))
#define unlikely(x)	 __builtin_expect(!!(x), 0)

#define __paste(a, b) a##b
#define paste(a, b)   __paste(a, b)
#define __str(x)      #x
#define str(x)	      __str(x)

#define UNIQUE_ID(prefix) paste(paste(__UNIQUE_ID_, prefix), __COUNTER__)

/* Puts one entry into a section that the kernel collects. */
#define TABLE(name, flags, entry) \
	".pushsection " name ", \"" flags "\"\n\t" entry "\n\t.popsection\n\t"

/* An initcall: a place relative to itself, labelled with module, counter, line and function. */
#define initcall(fn)                                                    \
	asm(TABLE(".initcall6.init", "a",                               \
		  "__initcall__kmod_golden__" str(__COUNTER__) "_" str( \
			  __LINE__) "_" #fn "6: .long " #fn " - ."))

/* An export: value, name and namespace, each relative to its place. */
#define EXPORT_SYMBOL(sym)                                                   \
	asm(".pushsection __ksymtab_strings, \"aMS\", %progbits, 1\n"        \
	    "__kstrtab_" #sym ": .asciz \"" #sym "\"\n"                      \
	    "__kstrtabns_" #sym ": .asciz \"\"\n"                            \
	    ".popsection\n" TABLE("___ksymtab+" #sym, "a",                   \
				  ".balign 4\n"                              \
				  "__ksymtab_" #sym ": .long " #sym " - .\n" \
				  ".long __kstrtab_" #sym " - .\n.long __kstrtabns_" #sym " - ."))

struct static_key {
	int enabled;
};

/* A branch that a static key switches: a nop, and where it is, where it goes, and the key. */
static always_inline int static_branch(struct static_key *key)
{
	asm goto("1: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t" TABLE(
			 "__jump_table", "aw",
			 ".balign 8\n\t.long 1b - .\n\t.long %l[yes] - .\n\t.quad %c0 - .")
		 :
		 : "i"(key)
		 :
		 : yes);
	return 0;
yes:
	return 1;
}

#define static_call(name)                                                       \
	asm volatile("1: call __SCT__" #name                                    \
		     "\n\t" TABLE(".static_call_sites", "a",                    \
				  ".long 1b - .\n\t.long __SCK__" #name " - .") \
		     :                                                          \
		     :                                                          \
		     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory")

/* One instruction or another, as the processor's feature says. */
#define alternative(old, new, feature)                                                        \
	asm volatile("1: " old "\n2:\n\t" TABLE(".altinstructions", "a",                      \
						".long 1b - .\n\t.long 3f - .\n\t.word " str( \
							feature) "\n\t"                       \
								 ".byte 2b - 1b, 4f - 3f")    \
			     TABLE(".altinstr_replacement", "ax", "3: " new "\n4:")           \
		     :                                                                        \
		     :                                                                        \
		     : "memory")

#define WARN()                                                              \
	asm volatile("1: ud2\n\t" TABLE("__bug_table", "aw",                \
					".long 1b - .\n\t.long %c0 - .\n\t" \
					".word %c1\n\t.word %c2")           \
		     :                                                      \
		     : "i"(__FILE_NAME__), "i"(__LINE__), "i"(1))

#define get_user(to, from)                                                                         \
	asm volatile(                                                                              \
		"1: mov %1, %0\n2:\n\t" TABLE(                                                     \
			"__ex_table", "a", ".balign 4\n\t.long 1b - .\n\t.long 2b - .\n\t.long 3") \
		: "=r"(to)                                                                         \
		: "m"(*(from)))

#define atomic_inc(var)                                                                      \
	asm volatile(TABLE(".smp_locks", "a", ".balign 4\n\t.long 1f - .") "1: lock incl %0" \
		     : "+m"(*(var)))

/* Done the first time only; the flag is of this place alone. */
#define once(what)                                                  \
	({                                                          \
		static char __section(".data.once") __already_done; \
		if (unlikely(!__already_done)) {                    \
			__already_done = 1;                         \
			what;                                       \
		}                                                   \
	})

/* As the macros of include/kpatch-macros.h leave it. */
#define MARK(...)                                                                                  \
	static const struct kpatch_mark UNIQUE_ID(mark) __used __section(KPATCH_MARKS_SECTION) = { \
		__VA_ARGS__}

int printk(const char *format, ...);
void *lookup(const void *key);
void use(void *data);
int work(int x);

#endif
