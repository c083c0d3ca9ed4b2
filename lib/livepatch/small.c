/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's small files (sysfs, proc) and the clock that waits are measured with. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "lib/livepatch/internal.h"

struct rk_err *rk_livepatch_read_raw(const char *path, size_t max, struct rk_str *ret,
				     bool *ret_found)
{
	char buf[4096];

	rk_str_clear(ret);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ESRCH || errno == ENODEV)) {
		*ret_found = false;
		return NULL;
	}
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	while (ret->len < max) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ESRCH || errno == ENODEV)) {
			*ret_found = false;
			return NULL;
		}
		if (n < 0)
			return rk_err_sys(errno, "cannot read '%s'", path);
		if (!n)
			break;
		rk_str_add_bytes(ret, buf, (size_t)n);
	}
	RK_TRY(rk_str_check(ret));
	*ret_found = true;
	return NULL;
}

struct rk_err *rk_livepatch_read_small(const char *path, size_t max, struct rk_str *ret,
				       bool *ret_found)
{
	size_t len;

	RK_TRY(rk_livepatch_read_raw(path, max, ret, ret_found));
	for (len = ret->len; len && ret->s[len - 1] == '\n'; len--)
		;
	if (ret->s) {
		ret->s[len] = 0;
		ret->len = len;
	}
	return NULL;
}

unsigned long rk_livepatch_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long)ts.tv_sec * 1000 + (unsigned long)ts.tv_nsec / 1000000;
}

void rk_livepatch_sleep_ms(unsigned int ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}
