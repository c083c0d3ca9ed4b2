/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of the configuration: from text into the struct and back, one way for each kind of key. */
#include <inttypes.h>
#include <string.h>

#include "lib/host/settings_internal.h"

/* Letters that may follow a number, the largest last. */
struct unit {
	char letter;
	uint64_t factor;
};
static const struct unit seconds[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {}};
static const struct unit bytes[] = {{'K', 1u << 10}, {'M', 1u << 20}, {'G', 1u << 30}, {}};
static const struct unit none[] = {{}};

static const struct unit *units_of(enum rk_settings_kind kind)
{
	return kind == RK_SETTINGS_SECONDS ? seconds : kind == RK_SETTINGS_BYTES ? bytes : none;
}

static bool parse_number(const char *text, const struct unit *units, uint64_t *ret)
{
	uint64_t number;
	const char *c = text;

	if (!rk_scan_u64(&c, UINT64_MAX, &number))
		return false;
	for (const struct unit *unit = units; *c && unit->letter; unit++)
		if (*c == unit->letter) {
			if (__builtin_mul_overflow(number, unit->factor, &number))
				return false;
			c++;
			break;
		}
	*ret = number;
	return !*c;
}

static struct rk_err *wrong(const struct rk_settings_key *key, const char *text, const char *what)
{
	return rk_err(RK_ERR_FORMAT, "'%s' is '%s', not %s", key->name, text, what);
}

static struct rk_err *assign_number(const struct rk_settings_key *key, const char *text,
				    uint64_t *ret)
{
	uint64_t number;

	if (parse_number(text, units_of(key->kind), &number) && number >= key->minimum &&
	    number <= key->maximum) {
		*ret = number;
		return NULL;
	}
	return rk_err(RK_ERR_FORMAT, "'%s' is '%s', not a number from %" PRIu64 " to %" PRIu64 "%s",
		      key->name, text, key->minimum, key->maximum,
		      key->kind == RK_SETTINGS_SECONDS ? " (seconds; or with m, h, d)"
		      : key->kind == RK_SETTINGS_BYTES ? " (bytes; or with K, M, G)"
						       : "");
}

static struct rk_err *assign_choice(const struct rk_settings_key *key, const char *text,
				    unsigned int *ret)
{
	if (rk_find_word(key->value, text, ret))
		return NULL;
	return rk_err(RK_ERR_FORMAT, "'%s' is '%s', not one of %s", key->name, text, key->value);
}

static struct rk_err *assign_bool(const struct rk_settings_key *key, const char *text, bool *ret)
{
	if (!rk_streq(text, "yes") && !rk_streq(text, "no"))
		return wrong(key, text, "yes or no");
	*ret = rk_streq(text, "yes");
	return NULL;
}

static struct rk_err *assign_hour(const struct rk_settings_key *key, const char *text,
				  unsigned int *ret)
{
	uint64_t hour = RK_SETTINGS_NO_HOUR;

	if (!rk_streq(text, "any") && (!parse_number(text, none, &hour) || hour > key->maximum))
		return wrong(key, text, "an hour from 0 to 23, or any");
	*ret = (unsigned int)hour;
	return NULL;
}

static bool is_url(const char *text)
{
	static const char *const schemes[] = {"https://", "http://", "file:///"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (rk_has_prefix(text, schemes[i]) && text[strlen(schemes[i])])
			return !strpbrk(text, " \t");
	return false;
}

static struct rk_err *assign_string(struct rk_settings *settings, const struct rk_settings_key *key,
				    const char *text, const char **ret)
{
	size_t len = strlen(text);
	char *copy;

	if (*text && key->kind == RK_SETTINGS_URL && !is_url(text))
		return wrong(key, text, "a URL that begins with https://, http:// or file:///");
	if (*text && key->kind == RK_SETTINGS_PATH && text[0] != '/')
		return wrong(key, text, "an absolute path");
	while (key->kind == RK_SETTINGS_URL && len && text[len - 1] == '/')
		len--;
	copy = rk_arena_strndup(&settings->arena, text, len);
	if (!copy)
		return rk_err_nomem();
	*ret = copy;
	return NULL;
}

struct rk_err *rk_settings_assign(struct rk_settings *settings, const struct rk_settings_key *key,
				  const char *text)
{
	void *at = (char *)settings + key->offset;
	uint64_t number = 0;

	switch (key->kind) {
	case RK_SETTINGS_URL:
	case RK_SETTINGS_PATH: return assign_string(settings, key, text, at);
	case RK_SETTINGS_BOOL: return assign_bool(key, text, at);
	case RK_SETTINGS_HOUR: return assign_hour(key, text, at);
	case RK_SETTINGS_CHOICE: return assign_choice(key, text, at);
	case RK_SETTINGS_BYTES: return assign_number(key, text, at);
	case RK_SETTINGS_NUMBER:
	case RK_SETTINGS_SECONDS:
		RK_TRY(assign_number(key, text, &number));
		*(unsigned int *)at = (unsigned int)number;
		return NULL;
	}
	return rk_err(RK_ERR_INTERNAL, "'%s' is of no known kind", key->name);
}

/* The number with the largest letter that leaves none over: "10m". */
static const char *number_text(uint64_t number, const struct unit *units, struct rk_arena *arena)
{
	const struct unit *best = NULL;

	for (const struct unit *unit = units; unit->letter; unit++)
		if (number && number % unit->factor == 0 && unit->factor > 1)
			best = unit;
	return best ? rk_arena_printf(arena, "%" PRIu64 "%c", number / best->factor, best->letter)
		    : rk_arena_printf(arena, "%" PRIu64, number);
}

static const char *choice_text(const char *words, unsigned int nr, struct rk_arena *arena)
{
	for (; nr && *words; nr--) {
		words += strcspn(words, "|");
		words += *words == '|';
	}
	return rk_arena_strndup(arena, words, strcspn(words, "|"));
}

struct rk_err *rk_settings_show(const struct rk_settings *settings,
				const struct rk_settings_key *key, struct rk_arena *arena,
				const char **ret)
{
	const void *at = (const char *)settings + key->offset;
	const char *text = NULL;

	switch (key->kind) {
	case RK_SETTINGS_URL:
	case RK_SETTINGS_PATH: text = *(const char *const *)at; break;
	case RK_SETTINGS_BOOL: text = *(const bool *)at ? "yes" : "no"; break;
	case RK_SETTINGS_HOUR:
		text = *(const unsigned int *)at == RK_SETTINGS_NO_HOUR
			       ? "any"
			       : rk_arena_printf(arena, "%u", *(const unsigned int *)at);
		break;
	case RK_SETTINGS_CHOICE:
		text = choice_text(key->value, *(const unsigned int *)at, arena);
		break;
	case RK_SETTINGS_BYTES: text = number_text(*(const uint64_t *)at, bytes, arena); break;
	case RK_SETTINGS_NUMBER:
	case RK_SETTINGS_SECONDS:
		text = number_text(*(const unsigned int *)at, units_of(key->kind), arena);
		break;
	}
	if (!text)
		return rk_err_nomem();
	*ret = text;
	return NULL;
}
