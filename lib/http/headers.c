/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two headers that decide something (RFC 9110, 8.8.3 and 14.4), as the server wrote them. */
#include <string.h>
#include <strings.h>

#include "lib/http/internal.h"

static bool header_is(const char *line, size_t len, const char *name, const char **ret,
		      size_t *ret_len)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	line += n + 1;
	len -= n + 1;
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len && ((unsigned char)line[len - 1] <= ' '))
		len--;
	*ret = line;
	*ret_len = len;
	return true;
}

/* It goes into the next request's header: nothing but printable ASCII, nothing long. */
static void keep_etag(struct rk_http_headers *headers, const char *value, size_t len)
{
	if (len >= sizeof(headers->etag))
		return;
	for (size_t i = 0; i < len; i++)
		if (value[i] < 0x21 || value[i] > 0x7e)
			return;
	memcpy(headers->etag, value, len);
	headers->etag[len] = '\0';
}

/* "bytes 100-199/200" */
static void keep_range(struct rk_http_headers *headers, const char *value, size_t len)
{
	static const char unit[] = "bytes ";
	uint64_t from = 0;
	size_t i = strlen(unit);

	if (len <= i || strncasecmp(value, unit, i) != 0)
		return;
	for (; i < len && value[i] >= '0' && value[i] <= '9'; i++)
		if (__builtin_mul_overflow(from, 10, &from) ||
		    __builtin_add_overflow(from, (uint64_t)(value[i] - '0'), &from))
			return;
	if (i < len && value[i] == '-')
		headers->from = from;
}

void rk_http_header(const char *line, size_t len, struct rk_http_headers *headers)
{
	size_t value_len;
	const char *value;

	if (len >= strlen("HTTP/") && !strncmp(line, "HTTP/", strlen("HTTP/")))
		*headers = (struct rk_http_headers){};
	else if (header_is(line, len, "etag", &value, &value_len))
		keep_etag(headers, value, value_len);
	else if (header_is(line, len, "content-range", &value, &value_len))
		keep_range(headers, value, value_len);
}
