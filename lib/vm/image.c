/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The setup header of a bzImage (Documentation/x86/boot.rst): "HdrS" at 0x202, and at 0x20e the place, less 0x200,
 * of "RELEASE (who built it) VERSION".
 */
#include "lib/vm/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/str.h"

#define SETUP_MAX	  (64 * 1024) /* 64 sectors of setup code are the most in use */
#define HEADER_AT	  0x202
#define KERNEL_VERSION_AT 0x20e
#define SECTOR		  0x200

struct rk_err *rk_image_info_read(const char *path, struct rk_arena *arena,
				  struct rk_image_info *ret)
{
	struct rk_image_info info;
	uint16_t at;
	const char *text, *open_paren, *close_paren;

	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return rk_err_sys(errno, "cannot open kernel image '%s'", path);
	char *setup = rk_arena_alloc(arena, SETUP_MAX + 1);
	if (!setup)
		return rk_err_nomem();
	ssize_t size = pread(fd, setup, SETUP_MAX, 0);
	if (size < 0)
		return rk_err_sys(errno, "cannot read kernel image '%s'", path);
	if (size < KERNEL_VERSION_AT + 2 || memcmp(setup + HEADER_AT, "HdrS", 4))
		return rk_err(RK_ERR_FORMAT, "'%s' is no bootable x86 kernel image (bzImage)",
			      path);
	memcpy(&at, setup + KERNEL_VERSION_AT, sizeof(at));
	if (!at || at + SECTOR >= size)
		return rk_err(RK_ERR_FORMAT, "kernel image '%s' names no version", path);
	text = setup + at + SECTOR;
	open_paren = strstr(text, " (");
	close_paren = open_paren ? strstr(open_paren, ") #") : NULL;
	if (!close_paren)
		return rk_err(RK_ERR_FORMAT, "kernel image '%s' has a version text of unknown form",
			      path);
	info.release = rk_arena_strndup(arena, text, (size_t)(open_paren - text));
	info.version = rk_arena_strdup(arena, close_paren + 2);
	if (!info.release || !info.version)
		return rk_err_nomem();
	*ret = info;
	return NULL;
}
