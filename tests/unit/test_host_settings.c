/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel.conf: values of every kind, every error with its line, and editing that keeps what others wrote. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/nearest.h"
#include "lib/host/settings.h"
#include "tests/unit/tap.h"

static struct rk_err *parse(const char *text, struct rk_settings **ret)
{
	return rk_settings_parse("readykernel.conf", text, strlen(text), ret, NULL);
}

static void test_values(void)
{
	_cleanup_settings_ struct rk_settings *settings = NULL;
	static const char text[] = "# where levels come from\n"
				   "repository = https://patches.example/rk//\n"
				   "\n"
				   "channel=early # before the others\n"
				   "\tautoupdate = no\r\n"
				   "autoupdate_hour = 3\n"
				   "spread = 2h\n"
				   "on_warning = \"keep\"   # quoted\n"
				   "module_limit = 16M\n"
				   "proxy = http://proxy:3128/#part\n"
				   "metrics_file = \"\"\n"
				   "transition_wait=20";

	if (!no_err(parse(text, &settings), "a file with every kind of value"))
		return;
	is_str(settings->repository, "https://patches.example/rk",
	       "a URL loses slashes at its end");
	is_int(settings->channel, RK_CHANNEL_EARLY, "a choice");
	ok(!settings->autoupdate, "a switch");
	is_int(settings->autoupdate_hour, 3, "an hour");
	is_int(settings->spread, 7200, "hours become seconds");
	is_int(settings->on_warning, RK_ON_WARNING_KEEP, "a value in quotes");
	is_int((long long)settings->module_limit, 16 << 20, "a size");
	is_str(settings->proxy, "http://proxy:3128/#part", "'#' within a word is part of it");
	is_str(settings->metrics_file, "", "an empty value");
	is_int(settings->transition_wait, 20, "the last line needs no end");
	is_int(settings->transition_limit, 60, "what isn't set has its default");
	is_int(settings->quiet_time, 60, "also this");
}

static void test_errors(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"chanel = test\n",
		 "'readykernel.conf' line 1: unknown key 'chanel' (did you mean 'channel'?)"},
		{"\n\nautoupdate_huor = 3\n",
		 "'readykernel.conf' line 3: unknown key "
		 "'autoupdate_huor' (did you mean 'autoupdate_hour'?)"},
		{"colour = red\n",
		 "'readykernel.conf' line 1: unknown key 'colour' (see readykernel.conf(5))"},
		{"channel = fast\n", "'readykernel.conf' line 1: 'channel' is 'fast', not one of "
				     "test|early|stable"},
		{"channel\n", "'readykernel.conf' line 1: 'channel' is not 'key = value'"},
		{"= 3\n", "'readykernel.conf' line 1: unknown key '' (see readykernel.conf(5))"},
		{"autoload = true\n",
		 "'readykernel.conf' line 1: 'autoload' is 'true', not yes or no"},
		{"autoupdate_hour = 24\n",
		 "'readykernel.conf' line 1: 'autoupdate_hour' is '24', not "
		 "an hour from 0 to 23, or any"},
		{"transition_wait = 0\n",
		 "'readykernel.conf' line 1: 'transition_wait' is '0', not a "
		 "number from 1 to 3600 (seconds; or with m, h, d)"},
		{"crash_limit = 99999999999999999999\n",
		 "'readykernel.conf' line 1: 'crash_limit' is '99999999999999999999', not a number "
		 "from 0 to 100"},
		{"spread = 99999999999999999d\n",
		 "'readykernel.conf' line 1: 'spread' is '99999999999999999d', not a number from 0 "
		 "to 86400 (seconds; or with m, h, d)"},
		{"spread = -1\n",
		 "'readykernel.conf' line 1: 'spread' is '-1', not a number from 0 "
		 "to 86400 (seconds; or with m, h, d)"},
		{"module_limit = 1MB\n",
		 "'readykernel.conf' line 1: 'module_limit' is '1MB', not a "
		 "number from 4096 to 67108864 (bytes; or with K, M, G)"},
		{"repository = patches.example\n",
		 "'readykernel.conf' line 1: 'repository' is 'patches.example', not a URL that begins "
		 "with https://, http:// or file:///"},
		{"repository = https://a b\n",
		 "'readykernel.conf' line 1: 'repository' is 'https://a b', not a URL that begins "
		 "with https://, http:// or file:///"},
		{"metrics_file = x.prom\n",
		 "'readykernel.conf' line 1: 'metrics_file' is 'x.prom', not an absolute path"},
		{"channel = test\nspread = 1\nchannel = early\n",
		 "'readykernel.conf' line 3: 'channel' was set in line 1 already"},
		{"proxy = \"http://x\n",
		 "'readykernel.conf' line 1: the value of 'proxy' has no closing quote"},
		{"channel = \"test\" early\n",
		 "'readykernel.conf' line 1: 'early' follows the quoted value of 'channel'"},
		{"channel = te\001st\n",
		 "'readykernel.conf' line 1: the line holds a control character"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_settings_ struct rk_settings *settings = NULL;

		is_err(parse(cases[i].text, &settings), RK_ERR_FORMAT, cases[i].message,
		       cases[i].message);
	}
	_cleanup_settings_ struct rk_settings *settings = NULL;
	is_err(rk_settings_parse("f", "spread = 1\0\n", 12, &settings, NULL), RK_ERR_FORMAT,
	       "'f' line 1: the line holds a NUL byte", "a NUL byte");
}

static void test_problems(void)
{
	_cleanup_settings_ struct rk_settings *settings = NULL;
	struct rk_settings_problems problems = {};
	static const char text[] = "chanel = test\nspread = 5m\nautoload = maybe\n";

	no_err(rk_settings_parse("f", text, strlen(text), &settings, &problems), "with problems");
	is_int((long long)problems.nr, 2, "each faulty line is one");
	is_int(settings->spread, 300, "the good lines count");
	ok(settings->autoload, "a faulty one leaves the default");
	if (problems.nr == 2) {
		is_int(problems.v[1].line, 3, "with its line");
		is_str(problems.v[1].text, "'autoload' is 'maybe', not yes or no", "and text");
	}
	rk_vec_deinit(&problems);
}

static void test_defaults(void)
{
	_cleanup_settings_ struct rk_settings *settings = NULL, *again = NULL;
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	no_err(rk_settings_read("/nonexistent/readykernel.conf", &settings, NULL),
	       "a file that isn't there is all defaults");
	for (const struct rk_settings_key *key = rk_settings_keys; key->name; key++) {
		const char *shown = NULL;

		no_err(rk_settings_show(settings, key, &arena, &shown), key->name);
		is_str(shown, key->fallback, "is shown as it would be written");
		rk_str_addf(&text, "%s = \"%s\"\n", key->name, shown);
	}
	no_err(parse(rk_str_get(&text), &again), "and reads back");
}

static void test_edit(void)
{
	static const struct {
		const char *name, *before, *key, *value, *after;
	} cases[] = {
		{"the line that sets it", "# mine\nchannel = test  # why\n\nspread = 1\n",
		 "channel", "early", "# mine\nchannel = early  # why\n\nspread = 1\n"},
		{"indented, without blanks", "\tautoupdate=no\n", "autoupdate", "yes",
		 "autoupdate = yes\n"},
		{"behind its example", "# a\n#autoupdate = yes\n# b\n", "autoupdate", "no",
		 "# a\n#autoupdate = yes\nautoupdate = no\n# b\n"},
		{"at the end", "spread = 1\n", "channel", "test", "spread = 1\nchannel = test\n"},
		{"an end without newline", "spread = 1", "channel", "test",
		 "spread = 1\nchannel = test\n"},
		{"an empty file", "", "channel", "test", "channel = test\n"},
		{"blank lines first", "\n\nchannel = test", "channel", "stable",
		 "\n\nchannel = stable"},
		{"the last of two", "spread = 1\nspread = 2\n", "spread", "3",
		 "spread = 1\nspread = 3\n"},
		{"no key with the same beginning", "autoupdate_hour = 3\n", "autoupdate", "no",
		 "autoupdate_hour = 3\nautoupdate = no\n"},
		{"a quoted value with '#'", "proxy = \"http://a/#b\" # c\n", "proxy", "http://d",
		 "proxy = http://d # c\n"},
		{"faulty lines stay", "what is this\nchannel = x\n", "channel", "test",
		 "what is this\nchannel = test\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_str_ struct rk_str out = RK_STR_INIT;

		no_err(rk_settings_edit(cases[i].before, strlen(cases[i].before), cases[i].key,
					cases[i].value, &out),
		       cases[i].name);
		is_str(rk_str_get(&out), cases[i].after, cases[i].name);
	}
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	is_err(rk_settings_edit("", 0, "chanel", "x", &out), RK_ERR_INVALID, "unknown key 'chanel'",
	       "an unknown key");
	is_err(rk_settings_edit("", 0, "channel", "x", &out), RK_ERR_INVALID,
	       "'channel' is 'x', not one of test|early|stable", "a wrong value");
	is_err(rk_settings_edit("", 0, "proxy", "http://a\"\nautoload = no", &out), RK_ERR_INVALID,
	       "a value of 'proxy' can't hold quotes or line ends", "a value that is more lines");
}

static void test_set(void)
{
	_cleanup_free_ char *file = rk_asprintf("%s/etc.conf", tap_tmpdir());
	_cleanup_free_ char *link = rk_asprintf("%s/link.conf", tap_tmpdir());
	_cleanup_free_ char *text = NULL;
	struct stat st;

	no_err(rk_settings_set(file, "autoupdate", "no"), "a file that isn't there is made");
	ok(!chmod(file, 0640) && !symlink(file, link), "a link to it");
	no_err(rk_settings_set(link, "autoupdate_hour", "5"), "is written through");
	ok(!lstat(link, &st) && S_ISLNK(st.st_mode), "and stays a link");
	ok(!stat(file, &st) && (st.st_mode & 07777) == 0640, "the mode stays");
	no_err(rk_fs_read(file, 4096, &text, NULL), "reads");
	is_str(text, "autoupdate = no\nautoupdate_hour = 5\n", "both");
	is_err_like(rk_settings_set("/nonexistent/a.conf", "channel", "test"), RK_ERR_SYS,
		    "cannot create", "a directory that isn't there");
}

/* Every key stands in the page, with its values and its default; and the page knows no other. */
static void test_page(void)
{
	_cleanup_free_ char *page = NULL;
	size_t nr = 0, keys = 0;

	if (!no_err(rk_fs_read("man/readykernel.conf.5", 1 << 20, &page, NULL), "the page"))
		return;
	for (const struct rk_settings_key *key = rk_settings_keys; key->name; key++, keys++) {
		_cleanup_free_ char *head = rk_asprintf("\n.BR %s \" = ", key->name);
		const char *at = strstr(page, head),
			   *fallback = at ? strstr(at, "\nDefault: ") : NULL;
		_cleanup_free_ char *shown = NULL;

		if (!ok(fallback != NULL, "'%s' has an entry with a default", key->name))
			continue;
		shown = strndup(fallback + strlen("\nDefault: "),
				strcspn(fallback + strlen("\nDefault: "), ",;\n"));
		for (char *c = shown; *c; c++)
			if (c[0] == '\\' && c[1] == '-')
				memmove(c, c + 1, strlen(c));
		if (rk_has_suffix(shown, "."))
			shown[strlen(shown) - 1] = 0;
		is_str(shown, *key->fallback ? key->fallback : "none", key->name);
	}
	for (const char *line = page; *line; line += strcspn(line, "\n") + 1) {
		const char *equals = strstr(line, "\" = ");

		nr += rk_has_prefix(line, ".BR ") && equals &&
		      (size_t)(equals - line) < strcspn(line, "\n");
	}
	is_int((long long)nr, (long long)keys, "the page knows no other key");
}

static void test_nearest(void)
{
	is_int((long long)rk_word_distance("channel", "channel"), 0, "the same");
	is_int((long long)rk_word_distance("chanel", "channel"), 1, "a letter left out");
	is_int((long long)rk_word_distance("chnanel", "channel"), 1, "two swapped");
	is_int((long long)rk_word_distance("", "abc"), 3, "from nothing");
	is_int((long long)rk_word_distance("kitten", "sitting"), 3, "the usual example");
	ok(rk_is_near("abc", 1) && !rk_is_near("abcd", 2), "how far is near");
	char large[200];
	memset(large, 'a', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	is_int((long long)rk_word_distance(large, "a"), 199, "too long to be compared");
}

int main(void)
{
	test_values();
	test_errors();
	test_problems();
	test_defaults();
	test_edit();
	test_set();
	test_page();
	test_nearest();
	return done_testing();
}
