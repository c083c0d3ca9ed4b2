/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * $JOURNAL_STREAM is device and inode of the stream that systemd gave a service (systemd.exec(5)). The variable is inherited, the
 * stream may have been redirected: both are compared.
 */
#include "tools/common/journal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool is_journal(FILE *out)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fileno(out), &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

const char *rk_journal_prefix(FILE *out, enum rk_priority priority)
{
	if (!is_journal(out))
		return "";
	switch (priority) {
	case RK_PRIORITY_ERROR: return "<3>";
	case RK_PRIORITY_WARNING: return "<4>";
	case RK_PRIORITY_INFO: return "<6>";
	default: return "<7>";
	}
}
