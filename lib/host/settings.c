/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading /etc/readykernel.conf: a line is a comment, nothing, or a key of the table with a value of its kind. */
#include "lib/host/settings.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/nearest.h"
#include "lib/host/settings_internal.h"

/* Where in the file a key was set, so that a second time can be told; 0: not yet. */
struct reader {
	const char *name; /* of the file */
	struct rk_settings *settings;
	struct rk_settings_problems *problems; /* or NULL */
	unsigned int line;
	unsigned int *set_in; /* for each key of the table */
};

static size_t nr_keys(void)
{
	size_t nr = 0;

	while (rk_settings_keys[nr].name)
		nr++;
	return nr;
}

static struct rk_err *unknown_key(const char *name)
{
	const struct rk_settings_key *nearest = NULL;
	size_t least = SIZE_MAX;

	for (const struct rk_settings_key *key = rk_settings_keys; key->name; key++) {
		size_t distance = rk_word_distance(name, key->name);

		if (distance < least) {
			least = distance;
			nearest = key;
		}
	}
	if (!nearest || !rk_is_near(name, least))
		return rk_err(RK_ERR_FORMAT, "unknown key '%s' (see readykernel.conf(5))", name);
	return rk_err(RK_ERR_FORMAT, "unknown key '%s' (did you mean '%s'?)", name, nearest->name);
}

/* Takes the part of the line before a comment apart; *ret_key is NULL for a line that says nothing. */
struct rk_err *rk_settings_split(char *line, char **ret_key, char **ret_value)
{
	char *key = line + strspn(line, " \t\r");
	char *equals, *value, *end;

	*ret_key = *ret_value = NULL;
	if (!*key || *key == '#')
		return NULL;
	for (const unsigned char *c = (const unsigned char *)key; *c; c++)
		if (*c != '\t' && *c != '\r' && iscntrl(*c))
			return rk_err(RK_ERR_FORMAT, "the line holds a control character");
	equals = strchr(key, '=');
	if (!equals)
		return rk_err(RK_ERR_FORMAT, "'%s' is not 'key = value'", key);
	for (end = equals; end > key && (end[-1] == ' ' || end[-1] == '\t'); end--)
		;
	value = equals + 1 + strspn(equals + 1, " \t\r");
	*end = '\0';
	if (*value == '"') {
		end = strchr(++value, '"');
		if (!end)
			return rk_err(RK_ERR_FORMAT, "the value of '%s' has no closing quote", key);
		const char *rest = end + 1 + strspn(end + 1, " \t\r");
		if (*rest && *rest != '#')
			return rk_err(RK_ERR_FORMAT, "'%s' follows the quoted value of '%s'", rest,
				      key);
	} else {
		/* a '#' within a word is part of it: URLs may have one */
		for (end = value;
		     *end && !(*end == '#' && (end == value || isspace((unsigned char)end[-1])));
		     end++)
			;
		for (; end > value && isspace((unsigned char)end[-1]); end--)
			;
	}
	*end = '\0';
	*ret_key = key;
	*ret_value = value;
	return NULL;
}

static struct rk_err *take_line(struct reader *r, char *line)
{
	const struct rk_settings_key *key;
	char *name, *value;

	RK_TRY(rk_settings_split(line, &name, &value));
	if (!name)
		return NULL;
	key = rk_settings_find(name);
	if (!key)
		return unknown_key(name);
	unsigned int *set_in = &r->set_in[key - rk_settings_keys];
	if (*set_in)
		return rk_err(RK_ERR_FORMAT, "'%s' was set in line %u already", name, *set_in);
	RK_TRY(rk_settings_assign(r->settings, key, value));
	*set_in = r->line;
	return NULL;
}

/* A faulty line ends reading, or becomes a problem where these are collected. */
static struct rk_err *fault(struct reader *r, struct rk_err *err)
{
	struct rk_settings_problem problem = {.line = r->line};

	if (!r->problems || rk_err_code(err) == RK_ERR_NOMEM)
		return rk_err_wrap(err, "'%s' line %u", r->name, r->line);
	problem.text = rk_arena_strdup(&r->settings->arena, rk_err_message(err));
	rk_err_free(err);
	return problem.text && rk_vec_push(r->problems, problem) ? NULL : rk_err_nomem();
}

static struct rk_err *take_text(struct reader *r, const char *text, size_t len)
{
	for (size_t pos = 0; pos < len;) {
		const char *end = memchr(text + pos, '\n', len - pos);
		size_t size = end ? (size_t)(end - text) - pos : len - pos;
		_cleanup_str_ struct rk_str copy = RK_STR_INIT;
		_cleanup_free_ char *line = NULL;
		struct rk_err *err;

		/* not strndup(): the text has no NUL at its end */
		rk_str_add_bytes(&copy, text + pos, size);
		RK_TRY(rk_str_take(&copy, &line));
		r->line++;
		err = strlen(line) == size ? take_line(r, line)
					   : rk_err(RK_ERR_FORMAT, "the line holds a NUL byte");
		if (err)
			RK_TRY(fault(r, err));
		pos += size + 1;
	}
	return NULL;
}

struct rk_err *rk_settings_create(struct rk_settings **ret)
{
	_cleanup_settings_ struct rk_settings *settings = calloc(1, sizeof(*settings));

	if (!settings)
		return rk_err_nomem();
	for (const struct rk_settings_key *key = rk_settings_keys; key->name; key++)
		RK_TRY(rk_settings_assign(settings, key, key->fallback));
	*ret = take_ptr(settings);
	return NULL;
}

void rk_settings_free(struct rk_settings *settings)
{
	if (settings)
		rk_arena_deinit(&settings->arena);
	free(settings);
}

struct rk_err *rk_settings_parse(const char *name, const char *text, size_t len,
				 struct rk_settings **ret,
				 struct rk_settings_problems *ret_problems)
{
	_cleanup_settings_ struct rk_settings *settings = NULL;
	_cleanup_free_ unsigned int *set_in = calloc(nr_keys(), sizeof(*set_in));
	struct rk_settings_problems problems = {};
	struct reader r = {
		.name = name, .problems = ret_problems ? &problems : NULL, .set_in = set_in};
	struct rk_err *err;

	if (!set_in)
		return rk_err_nomem();
	if (len > RK_SETTINGS_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s' is larger than %u bytes", name, RK_SETTINGS_MAX);
	RK_TRY(rk_settings_create(&settings));
	r.settings = settings;
	err = take_text(&r, text, len);
	if (err) {
		rk_vec_deinit(&problems);
		return err;
	}
	if (ret_problems)
		*ret_problems = problems;
	*ret = take_ptr(settings);
	return NULL;
}

struct rk_err *rk_settings_read(const char *file, struct rk_settings **ret,
				struct rk_settings_problems *ret_problems)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct rk_err *err = rk_fs_read(file, RK_SETTINGS_MAX, &text, &len);

	if (err && rk_err_errno(err) != ENOENT)
		return err;
	rk_err_free(err);
	return rk_settings_parse(file, text ? text : "", len, ret, ret_problems);
}
