/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log while a patch is watched: does an oops, a warning or another report of trouble name it? Read from /dev/kmsg
 * (Documentation/ABI/testing/dev-kmsg, kernel 6.1), one record at a time, each with its sequence number.
 */
#ifndef RK_HOST_KMSG_H
#define RK_HOST_KMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"
#include "lib/host/host.h"

struct rk_kmsg; /* a watch */

/* Watches for trouble that names the module patch ("kpatch_12") from record number `from` on. Without a kernel log: RK_ERR_SYS. */
struct rk_err *rk_kmsg_open(const struct rk_host *host, const char *patch, uint64_t from,
			    struct rk_kmsg **ret) __must_use;
void rk_kmsg_free(struct rk_kmsg *kmsg);

/* Reads what has come. */
struct rk_err *rk_kmsg_read(struct rk_kmsg *kmsg) __must_use;
/* Waits for more at most ms. */
void rk_kmsg_wait(struct rk_kmsg *kmsg, unsigned int ms);

/* Whether trouble was found, and the lines of the reports that name the patch ("" if none); valid until the next read. */
bool rk_kmsg_has_trouble(const struct rk_kmsg *kmsg);
const char *rk_kmsg_lines(const struct rk_kmsg *kmsg);

/* The number of the record that will come next: where a watch that begins now begins. */
struct rk_err *rk_kmsg_next(const struct rk_host *host, uint64_t *ret) __must_use;

/* Takes one record apart: "6,1234,98765,-;text\n KEY=value\n". *ret_text is cut at the first line's end, in place. False for
 * what is no record. */
bool rk_kmsg_parse(char *record, unsigned int *ret_priority, uint64_t *ret_sequence,
		   const char **ret_text);

static inline void rk_cleanup_kmsg(struct rk_kmsg **kmsg)
{
	rk_kmsg_free(*kmsg);
}
#define _cleanup_kmsg_ _cleanup_(rk_cleanup_kmsg)

#endif
