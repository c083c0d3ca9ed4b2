/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of a response: whatever a server sends, the ETag that goes into the next request is one printable word. */
#include <stdlib.h>
#include <string.h>

#include "lib/http/internal.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rk_http_headers headers = {};

	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) + 1 : size;
		/* a copy: a byte read behind the line is found */
		char *line = malloc(len);

		memcpy(line, data, len);
		rk_http_header(line, len, &headers);
		free(line);
		data += len;
		size -= len;
	}
	for (const char *c = headers.etag; *c; c++)
		if (*c < 0x21 || *c > 0x7e)
			abort();
	return 0;
}
