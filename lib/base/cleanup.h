/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ownership of locals: a local that owns something says so with a _cleanup_…_ attribute and hands
 * it over with take_ptr() or take_fd(). Nothing is freed by hand on error paths.
 */
#ifndef RK_BASE_CLEANUP_H
#define RK_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define __must_use	   __attribute__((warn_unused_result))
#define __printf(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define _cleanup_(fn)	   __attribute__((cleanup(fn)))

static inline void rk_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void rk_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void rk_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void rk_cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define _cleanup_free_	   _cleanup_(rk_cleanup_free)
#define _cleanup_close_	   _cleanup_(rk_cleanup_close)
#define _cleanup_fclose_   _cleanup_(rk_cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(rk_cleanup_closedir)

/* The pointer's value; the local it was in becomes NULL, so that its cleanup does nothing. */
#define take_ptr(p)                        \
	({                                 \
		__typeof__(p) *_pp = &(p); \
		__typeof__(p) _v = *_pp;   \
		*_pp = NULL;               \
		_v;                        \
	})

/* The descriptor; the local it was in becomes -1. */
#define take_fd(fd)               \
	({                        \
		int *_pf = &(fd); \
		int _f = *_pf;    \
		*_pf = -1;        \
		_f;               \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
