/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process without privileges says: nothing of it moves a cursor or comes to root as anything but one line of text. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tools/readykernel/listen.h"

static void check(const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)text[0], next = (unsigned char)text[1];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			abort();
		if (byte == 0xc2 && next >= 0x80 && next < 0xa0)
			abort();
	}
}

static void on_phase(void *ctx, const char *phase, const char *text)
{
	check(phase);
	check(text);
}

static void on_advance(void *ctx, uint64_t done, uint64_t total, const char *unit)
{
}

static void on_note(void *ctx, const char *text)
{
	check(text);
}

static void on_sent(void *ctx, const char *name)
{
	check(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rk_reporter reporter = {on_phase, on_advance, on_note, NULL};
	struct readykernel_listener listener = {.reporter = &reporter, .on_sent = on_sent};

	/* in two parts, as a pipe gives them */
	readykernel_hear(&listener, (const char *)data, size / 2);
	readykernel_hear(&listener, (const char *)data + size / 2, size - size / 2);
	if (listener.err)
		check(rk_err_message(listener.err));
	check(rk_str_get(&listener.last));
	readykernel_listener_deinit(&listener);
	return 0;
}
