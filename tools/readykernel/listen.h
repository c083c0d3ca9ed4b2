/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What readykernel-fetch says, line by line. It is shown and told on; "sent" alone is acted on, by whoever asked for a report. */
#ifndef READYKERNEL_LISTEN_H
#define READYKERNEL_LISTEN_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/str.h"

#define READYKERNEL_LINE_MAX 4096 /* bytes; the rest of a longer line is dropped */

struct readykernel_listener {
	const struct rk_reporter *reporter; /* told of phases and progress */
	/* of a message's name; NULL: not asked for. It may be any text. */
	void (*on_sent)(void *ctx, const char *name);
	void *ctx;
	char line[READYKERNEL_LINE_MAX];
	size_t len;
	bool done;
	struct rk_err *err; /* the first that it says went wrong */
	struct rk_str last; /* the last line that isn't of ours: a crash's */
};

/* Takes the next bytes as they came, of lines and parts of lines. Nothing of them reaches the reporter that could move a cursor. */
void readykernel_hear(struct readykernel_listener *l, const char *data, size_t len);
void readykernel_listener_deinit(struct readykernel_listener *l);

#endif
