/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report of trouble is many lines: the first says what it is, a later one names the module ("RIP: 0010:f+0x1/0x10 [kpatch_12]"), and
 * "---[ end trace" closes it. The list of all modules that every report carries names nobody.
 */
#include "lib/host/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/livepatch/klog.h"

#define RECORD_MAX   8192	 /* CONSOLE_EXT_LOG_MAX of kernel 6.1 */
#define REPORT_LINES 300	 /* a report without an end is over after these */
#define LINES_MAX    (32u << 10) /* bytes of lines that are kept */

struct rk_kmsg {
	int fd;
	bool is_stream; /* a plain file of records: tests, and a saved log */
	char *name;	/* "[kpatch_12" */
	uint64_t from, next;
	struct rk_str pending;	   /* of a plain file: what isn't a whole line yet */
	struct rk_str report;	   /* the one that is going on */
	unsigned int report_lines; /* 0: none is */
	bool named;		   /* the report named the patch */
	struct rk_str lines;	   /* of all reports that did */
	bool trouble;
};

bool rk_kmsg_parse(char *record, unsigned int *ret_priority, uint64_t *ret_sequence,
		   const char **ret_text)
{
	char *text = strchr(record, ';'), *end;
	unsigned long long number;

	if (!text || record[0] < '0' || record[0] > '9')
		return false;
	number = strtoull(record, &end, 10);
	if (*end != ',' || end[1] < '0' || end[1] > '9')
		return false;
	*ret_priority = (unsigned int)(number & 7); /* the rest is the facility */
	*ret_sequence = strtoull(end + 1, &end, 10);
	if (*end != ',' || end > text)
		return false;
	*ret_text = text + 1;
	text[1 + strcspn(text + 1, "\n")] = '\0';
	return true;
}

struct rk_err *rk_kmsg_open(const struct rk_host *host, const char *patch, uint64_t from,
			    struct rk_kmsg **ret)
{
	_cleanup_kmsg_ struct rk_kmsg *kmsg = calloc(1, sizeof(*kmsg));
	struct stat st;

	if (!kmsg)
		return rk_err_nomem();
	kmsg->from = kmsg->next = from;
	kmsg->fd = open(host->kmsg, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg->fd < 0 || fstat(kmsg->fd, &st))
		return rk_err_sys(errno, "cannot open the kernel log '%s'", host->kmsg);
	kmsg->is_stream = S_ISREG(st.st_mode);
	kmsg->name = rk_asprintf("[%s", patch);
	if (!kmsg->name)
		return rk_err_nomem();
	*ret = take_ptr(kmsg);
	return NULL;
}

void rk_kmsg_free(struct rk_kmsg *kmsg)
{
	if (!kmsg)
		return;
	if (kmsg->fd >= 0)
		close(kmsg->fd);
	rk_str_deinit(&kmsg->pending);
	rk_str_deinit(&kmsg->report);
	rk_str_deinit(&kmsg->lines);
	free(kmsg->name);
	free(kmsg);
}

/* "[kpatch_12]", or with the build-id that some kernels add: "[kpatch_12 0123…]". */
static bool names_patch(const struct rk_kmsg *kmsg, const char *text)
{
	const char *at = text;

	if (strstr(text, "Modules linked in:"))
		return false;
	while ((at = strstr(at, kmsg->name))) {
		at += strlen(kmsg->name);
		if (*at == ']' || *at == ' ')
			return true;
	}
	return false;
}

static bool says_livepatch(const struct rk_kmsg *kmsg, const char *kind, const char *text)
{
	const char *at = rk_streq(kind, "livepatch") ? strstr(text, kmsg->name + 1) : NULL;
	size_t len = strlen(kmsg->name + 1);

	return at && at > text && at[-1] == '\'' && at[len] == '\'';
}

static void end_report(struct rk_kmsg *kmsg)
{
	if (kmsg->named && kmsg->lines.len < LINES_MAX)
		rk_str_add(&kmsg->lines, rk_str_get(&kmsg->report));
	rk_str_clear(&kmsg->report);
	kmsg->report_lines = 0;
	kmsg->named = false;
}

static void take_record(struct rk_kmsg *kmsg, char *record)
{
	unsigned int priority;
	uint64_t sequence;
	const char *text, *kind;

	if (!rk_kmsg_parse(record, &priority, &sequence, &text) || sequence < kmsg->from)
		return;
	kmsg->next = sequence + 1;
	kind = rk_klog_trouble(priority, text);
	if (!kind && !kmsg->report_lines)
		return;
	kmsg->report_lines++;
	rk_str_addf(&kmsg->report, "%s\n", text);
	if (names_patch(kmsg, text) || (kind && says_livepatch(kmsg, kind, text)))
		kmsg->named = kmsg->trouble = true;
	if (strstr(text, "---[ end trace") || kmsg->report_lines >= REPORT_LINES)
		end_report(kmsg);
}

/* Records of a plain file: lines, where those that begin with a blank belong to the one before. */
static void take_stream(struct rk_kmsg *kmsg, const char *data, size_t len)
{
	char *line, *end;
	size_t done;

	rk_str_add_bytes(&kmsg->pending, data, len);
	line = kmsg->pending.s;
	while (line && (end = strchr(line, '\n'))) {
		*end = '\0';
		take_record(kmsg, line);
		line = end + 1;
	}
	if (!line)
		return;
	done = (size_t)(line - kmsg->pending.s);
	memmove(kmsg->pending.s, line, kmsg->pending.len - done + 1);
	kmsg->pending.len -= done;
}

struct rk_err *rk_kmsg_read(struct rk_kmsg *kmsg)
{
	char record[RECORD_MAX + 1];

	for (;;) {
		ssize_t n = read(kmsg->fd, record, RECORD_MAX);

		/* EPIPE: records were overwritten before we came; the next read goes on with the oldest there is */
		if (n < 0 && (errno == EINTR || errno == EPIPE))
			continue;
		if (!n || (n < 0 && errno == EAGAIN))
			break;
		if (n < 0)
			return rk_err_sys(errno, "cannot read the kernel log");
		record[n] = '\0';
		if (kmsg->is_stream)
			take_stream(kmsg, record, (size_t)n);
		else
			take_record(kmsg, record);
	}
	RK_TRY(rk_str_check(&kmsg->pending));
	RK_TRY(rk_str_check(&kmsg->report));
	return rk_str_check(&kmsg->lines);
}

void rk_kmsg_wait(struct rk_kmsg *kmsg, unsigned int ms)
{
	struct pollfd fd = {.fd = kmsg->is_stream ? -1 : kmsg->fd, .events = POLLIN};

	(void)poll(&fd, 1, (int)ms);
}

bool rk_kmsg_has_trouble(const struct rk_kmsg *kmsg)
{
	return kmsg->trouble;
}

const char *rk_kmsg_lines(const struct rk_kmsg *kmsg)
{
	/* a report that is still going on counts as soon as it has named the patch */
	return kmsg->lines.len ? rk_str_get(&kmsg->lines)
	       : kmsg->named   ? rk_str_get(&kmsg->report)
			       : "";
}

struct rk_err *rk_kmsg_next(const struct rk_host *host, uint64_t *ret)
{
	_cleanup_kmsg_ struct rk_kmsg *kmsg = NULL;

	RK_TRY(rk_kmsg_open(host, "", 0, &kmsg));
	RK_TRY(rk_kmsg_read(kmsg));
	*ret = kmsg->next;
	return NULL;
}
