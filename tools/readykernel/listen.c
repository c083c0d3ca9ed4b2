/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A word, a tab, text: see request.h. Whoever writes it may be in somebody else's hands. */
#include "tools/readykernel/listen.h"

#include <stdio.h>
#include <string.h>

void readykernel_listener_deinit(struct readykernel_listener *l)
{
	rk_err_free(l->err);
	rk_str_deinit(&l->last);
}

/* The code of that name; RK_ERR_TOOL for one that there isn't. */
static enum rk_err_code code_of(const char *name)
{
	enum rk_err_code code = rk_err_code_named(name);

	return code < RK_ERR_CODES ? code : RK_ERR_TOOL;
}

/* "not-found\t\tcannot fetch …" */
static void hear_error(struct readykernel_listener *l, char *text)
{
	char *message = strchr(text, '\t');

	if (!message || l->err)
		return;
	*message++ = '\0';
	message += strspn(message, "\t");
	l->err = rk_err(code_of(text), "%s", message);
}

static void hear_advance(struct readykernel_listener *l, const char *text)
{
	unsigned long long done, total;

	if (sscanf(text, "%20llu %20llu", &done, &total) == 2)
		rk_report_advance(l->reporter, done, total, "bytes");
}

static void hear_phase(struct readykernel_listener *l, char *text)
{
	char *colon = strstr(text, ": ");

	if (!colon)
		return;
	*colon = '\0';
	rk_report_phase(l->reporter, text, "%s", colon + 2);
}

/* Bytes of the control character at s, 0 if there is none: C0, DEL, or C1 as UTF-8 has it (U+009B is as good as ESC and '['). */
static size_t control_length(const char *s)
{
	unsigned char first = (unsigned char)s[0], second = (unsigned char)s[1];

	if ((first < 0x20 && first != '\t') || first == 0x7f)
		return 1;
	return first == 0xc2 && second >= 0x80 && second < 0xa0 ? 2 : 0;
}

static void hear(struct readykernel_listener *l, char *line)
{
	char *text = strchr(line, '\t');

	/* it may say what it likes, but not move our cursor */
	for (char *c = line; *c; c++)
		memset(c, '?', control_length(c));
	if (text)
		*text++ = '\0';
	if (!text) {
		rk_str_clear(&l->last);
		rk_str_add(&l->last, line);
		rk_report_note(l->reporter, "readykernel-fetch: %s", line);
	} else if (rk_streq(line, "phase")) {
		hear_phase(l, text);
	} else if (rk_streq(line, "advance")) {
		hear_advance(l, text);
	} else if (rk_streq(line, "note")) {
		rk_report_note(l->reporter, "%s", text);
	} else if (rk_streq(line, "error")) {
		hear_error(l, text);
	} else if (rk_streq(line, "sent")) {
		if (l->on_sent)
			l->on_sent(l->ctx, text);
	} else if (rk_streq(line, "done")) {
		l->done = true;
	}
}

void readykernel_hear(struct readykernel_listener *l, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			l->line[l->len] = '\0';
			l->len = 0;
			hear(l, l->line);
		} else if (data[i] && l->len < sizeof(l->line) - 1) {
			l->line[l->len++] = data[i];
		}
	}
}
