/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setting a key without touching anything else of the file: the line that sets it is written anew (its comment stays), else a line comes
 * behind the commented-out example of it, else at the end.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/host/settings_internal.h"

#define FILE_MODE 0644

struct place {
	size_t start, end; /* of the line, without its newline */
	size_t next;	   /* where the one behind it begins */
};

static bool next_line(const char *text, size_t len, struct place *line)
{
	const char *end;

	if (line->next >= len)
		return false;
	line->start = line->next;
	end = memchr(text + line->start, '\n', len - line->start);
	line->end = end ? (size_t)(end - text) : len;
	line->next = line->end + 1;
	return true;
}

/* Whether a line, after these first characters, sets key. */
static bool sets_key(const char *text, struct place line, const char *skip, const char *key)
{
	size_t pos = line.start, len = strlen(key);

	while (pos < line.end && strchr(skip, text[pos]))
		pos++;
	if (line.end - pos < len || memcmp(text + pos, key, len) != 0)
		return false;
	for (pos += len; pos < line.end && (text[pos] == ' ' || text[pos] == '\t'); pos++)
		;
	return pos < line.end && text[pos] == '=';
}

/* Where the comment behind the value begins, with the blanks before it; line.end if there is none. */
static size_t tail_of(const char *text, struct place line)
{
	bool quoted = false;

	for (size_t pos = line.start; pos < line.end; pos++) {
		if (text[pos] == '"')
			quoted = !quoted;
		if (quoted || text[pos] != '#' || !strchr(" \t=", text[pos - 1]))
			continue;
		while (strchr(" \t", text[pos - 1]))
			pos--;
		return pos;
	}
	return line.end;
}

static void add_line(struct rk_str *out, const char *key, const char *value)
{
	const char *quote = strpbrk(value, " \t#") ? "\"" : "";

	rk_str_addf(out, "%s = %s%s%s", key, quote, value, quote);
}

static struct rk_err *check(const char *key, const char *value)
{
	_cleanup_settings_ struct rk_settings *settings = NULL;
	const struct rk_settings_key *known = rk_settings_find(key);
	struct rk_err *err;

	if (!known)
		return rk_err(RK_ERR_INVALID, "unknown key '%s'", key);
	if (strpbrk(value, "\"\n\r"))
		return rk_err(RK_ERR_INVALID, "a value of '%s' can't hold quotes or line ends",
			      key);
	RK_TRY(rk_settings_create(&settings));
	err = rk_settings_assign(settings, known, value);
	if (!err || rk_err_code(err) == RK_ERR_NOMEM)
		return err;
	struct rk_err *wrong = rk_err(RK_ERR_INVALID, "%s", rk_err_message(err));
	rk_err_free(err);
	return wrong;
}

struct rk_err *rk_settings_edit(const char *text, size_t len, const char *key, const char *value,
				struct rk_str *ret)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	struct place line = {}, set = {}, example = {};

	RK_TRY(check(key, value));
	while (next_line(text, len, &line)) {
		if (sets_key(text, line, " \t", key))
			set = line;
		else if (text[line.start] == '#' && sets_key(text, line, "# \t", key))
			example = line;
	}
	if (set.end) {
		rk_str_add_bytes(&out, text, set.start);
		add_line(&out, key, value);
		size_t tail = tail_of(text, set);
		rk_str_add_bytes(&out, text + tail, len - tail);
	} else {
		size_t at = example.end ? example.end : len;
		rk_str_add_bytes(&out, text, at);
		if (at && text[at - 1] != '\n')
			rk_str_add_char(&out, '\n');
		add_line(&out, key, value);
		rk_str_add_bytes(&out, text + at, len - at);
		if (at == len)
			rk_str_add_char(&out, '\n');
	}
	RK_TRY(rk_str_check(&out));
	rk_str_deinit(ret);
	*ret = out;
	out = (struct rk_str)RK_STR_INIT;
	return NULL;
}

struct rk_err *rk_settings_set(const char *file, const char *key, const char *value)
{
	_cleanup_free_ char *target = realpath(file, NULL);
	_cleanup_free_ char *text = NULL;
	_cleanup_str_ struct rk_str edited = RK_STR_INIT;
	struct stat st = {.st_mode = FILE_MODE};
	size_t len = 0;

	if (!target && errno != ENOENT)
		return rk_err_sys(errno, "cannot open '%s'", file);
	if (target) {
		RK_TRY(rk_fs_read(target, RK_SETTINGS_MAX, &text, &len));
		if (stat(target, &st))
			return rk_err_sys(errno, "cannot open '%s'", target);
	}
	RK_TRY(rk_settings_edit(text ? text : "", len, key, value, &edited));
	return rk_fs_write(target ? target : file, rk_str_get(&edited), edited.len,
			   st.st_mode & 07777);
}
