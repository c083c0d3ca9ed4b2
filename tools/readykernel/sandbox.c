/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that fetches has the rights of a user who owns one directory. This takes away what such a user could still do with a
 * hole in a TLS library: start programs, outlive who is waited for, reach for the kernel's rarely tried corners, write elsewhere.
 */
#include "tools/readykernel/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

#define DESCRIPTORS 64		 /* a few connections and files at a time */
#define MEMORY	    (512u << 20) /* of addresses; TLS and a 4 MiB index need a tenth */

/* A sanitizer reserves terabytes of addresses and looks for leaks with ptrace. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

static struct rk_err *limit(int resource, rlim_t value)
{
	struct rlimit l = {value, value};

	if (setrlimit(resource, &l) < 0)
		return rk_err_sys(errno, "cannot set a resource limit");
	return NULL;
}

static struct rk_err *set_limits(uint64_t max_file)
{
	RK_TRY(limit(RLIMIT_CORE, 0));
	RK_TRY(limit(RLIMIT_FSIZE, max_file));
	RK_TRY(limit(RLIMIT_NOFILE, DESCRIPTORS));
	return IS_SANITIZED ? NULL : limit(RLIMIT_AS, MEMORY);
}

/* --- Landlock: writing --- */

#define WRITES                                                           \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define WRITES_HERE                                                       \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |    \
	 LANDLOCK_ACCESS_FS_MAKE_REG | RENAMES)
/* Since ABI 2 (5.19). Before, nothing could be renamed into another directory, which is not done here. */
#ifdef LANDLOCK_ACCESS_FS_REFER
#define RENAMES LANDLOCK_ACCESS_FS_REFER
#else
#define RENAMES 0
#endif

static struct rk_err *allow_writes_here(int ruleset, uint64_t handled)
{
	_cleanup_close_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {
		.allowed_access = WRITES_HERE & handled,
		.parent_fd = here,
	};

	if (here < 0)
		return rk_err_sys(errno, "cannot open the directory for what is fetched");
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return rk_err_sys(errno, "cannot restrict where files are written");
	return NULL;
}

static struct rk_err *restrict_writes(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = {.handled_access_fs = WRITES};

	if (abi < 1) /* ENOSYS, or EOPNOTSUPP: not in this kernel, or turned off at boot */
		return NULL;
	if (abi >= 2)
		attr.handled_access_fs |= RENAMES;
	_cleanup_close_ int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return rk_err_sys(errno, "cannot restrict where files are written");
	RK_TRY(allow_writes_here(ruleset, attr.handled_access_fs));
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return rk_err_sys(errno, "cannot restrict where files are written");
	return NULL;
}

/* --- seccomp: system calls that fetching never makes --- */

static const unsigned int denied[] = {
/* processes that stay: root ends the group of the one that it started */
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
	SYS_setpgid,
	SYS_setsid,
	/* other programs, other namespaces */
	SYS_execve,
	SYS_execveat,
	SYS_unshare,
	SYS_setns,
	SYS_chroot,
	SYS_pivot_root,
	SYS_mount,
	SYS_umount2,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsmount,
	/* the kernel itself */
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_syslog,
	/* other processes, keys */
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_getfd,
	SYS_add_key,
	SYS_keyctl,
	SYS_request_key,
#if !IS_SANITIZED
	SYS_ptrace,
#endif
};

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#define X32_BIT	 0x40000000u /* the same numbers again, with this bit */
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "the system calls of this architecture are not filtered yet"
#endif

#define LOAD(field)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))

/* What clone(2) must make. A sanitizer looks for leaks from a process that shares the memory, and is no thread. */
#define CLONED (IS_SANITIZED ? CLONE_VM : CLONE_THREAD)

/* libcurl looks names up in a thread. A filter can't see clone3(2)'s flags; without it libc takes clone(2). */
static size_t allow_threads(struct sock_filter *f)
{
	size_t i = 0;

	f[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	f[i++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | ENOSYS);
	f[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
	f[i++] = (struct sock_filter)LOAD(args[0]); /* its lower half: both are little-endian */
	f[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONED, 0, 1);
	f[i++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	f[i++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	return i;
}

/* arch; x32; threads; one comparison a call, each jumping to the refusal at the end */
static size_t make_filter(struct sock_filter *f)
{
	const size_t nr = ARRAY_SIZE(denied);
	size_t i = 0;

	f[i++] = (struct sock_filter)LOAD(arch);
	f[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	f[i++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	f[i++] = (struct sock_filter)LOAD(nr);
#ifdef X32_BIT
	f[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	f[i++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
#endif
	i += allow_threads(f + i);
	for (size_t d = 0; d < nr; d++)
		f[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied[d],
						      (uint8_t)(nr - d), 0);
	f[i++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	f[i++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	return i;
}

static struct rk_err *filter_calls(void)
{
	struct sock_filter filter[ARRAY_SIZE(denied) + 15];
	struct sock_fprog program = {.filter = filter};

	program.len = (unsigned short)make_filter(filter);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 && errno != EINVAL)
		return rk_err_sys(errno, "cannot restrict system calls");
	return NULL; /* EINVAL: a kernel without filters */
}

struct rk_err *readykernel_sandbox(uint64_t max_file)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return rk_err_sys(errno, "cannot give up new privileges");
	RK_TRY(set_limits(max_file));
	RK_TRY(restrict_writes());
	return filter_calls();
}
