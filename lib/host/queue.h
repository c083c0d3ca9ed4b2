/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for a server that may not be there: health pings and refusals, one small JSON file each, named by time and a counter. Bounded in number
 * and size, the oldest go first; whoever sends them removes them.
 */
#ifndef RK_HOST_QUEUE_H
#define RK_HOST_QUEUE_H

#include <jansson.h>

#include "lib/base/vec.h"
#include "lib/host/host.h"

#define RK_QUEUE_MAX	  256	     /* messages */
#define RK_QUEUE_SIZE_MAX (8u << 10) /* bytes of one */

struct rk_queue_item {
	const char *name; /* file name: sorts by time */
	const char *kind; /* "ping", "refusal", "crash" … */
	json_t *message;  /* the whole: {"schema","kind","at","boot_id","body"} */
};

struct rk_queue {
	struct rk_arena arena;
	rk_vec(struct rk_queue_item)
		list; /* oldest first; files that aren't messages are left out */
};

/* Puts {"schema","kind","at","boot_id","body"} into the queue, durable; makes room. body is borrowed. kind: letters and '-'.
 * Errors: RK_ERR_LIMIT (body too large), RK_ERR_SYS. A message that can't be kept must never stop what it tells of: callers note it. */
struct rk_err *rk_queue_push(const struct rk_host *host, const char *kind, const char *boot_id,
			     const json_t *body) __must_use;
struct rk_err *rk_queue_list(const struct rk_host *host, struct rk_queue **ret) __must_use;
/* An absent one is success. RK_ERR_INVALID for what is no name of the queue. */
struct rk_err *rk_queue_remove(const struct rk_host *host, const char *name) __must_use;
void rk_queue_free(struct rk_queue *queue);

static inline void rk_cleanup_queue(struct rk_queue **queue)
{
	rk_queue_free(*queue);
}
#define _cleanup_queue_ _cleanup_(rk_cleanup_queue)

#endif
