/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An initramfs made by us: a newc cpio archive, uncompressed (the guest's emulated CPU unpacks slowly), without
 * times or owners, so that the same content gives the same bytes and its hash means something.
 */
#ifndef RK_VM_INITRAMFS_H
#define RK_VM_INITRAMFS_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"

struct rk_initramfs;

/* Starts one in the file path, with the directories /dev /proc /sys /tmp and the node /dev/console. */
struct rk_err *rk_initramfs_create(const char *path, struct rk_initramfs **ret) __must_use;

/* Each adds the directories above guest_path. A path that is already there is not added again. */
struct rk_err *rk_initramfs_add_bytes(struct rk_initramfs *fs, const char *guest_path, mode_t mode,
				      const void *data, size_t size) __must_use;
struct rk_err *rk_initramfs_add_file(struct rk_initramfs *fs, const char *guest_path, mode_t mode,
				     const char *host_path) __must_use;
struct rk_err *rk_initramfs_add_link(struct rk_initramfs *fs, const char *guest_path,
				     const char *to) __must_use;
struct rk_err *rk_initramfs_add_dir(struct rk_initramfs *fs, const char *guest_path) __must_use;

/* A program with what it needs to start: for a dynamic ELF executable its interpreter and shared libraries, at the
 * paths this system finds them. Anything else is added as a plain executable file. */
struct rk_err *rk_initramfs_add_program(struct rk_initramfs *fs, const char *guest_path,
					const char *host_path) __must_use;

/* Bytes of all files so far. */
size_t rk_initramfs_size(const struct rk_initramfs *fs);

/* Ends the archive; frees fs in any case. */
struct rk_err *rk_initramfs_finish(struct rk_initramfs *fs) __must_use;
/* Gives up: frees fs and removes the file. NULL is allowed. */
void rk_initramfs_abandon(struct rk_initramfs *fs);

#endif
