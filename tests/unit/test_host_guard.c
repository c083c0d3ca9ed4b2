/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard of what kpatch loads at boot: rows of boots, each with what is left out in it, what happens, and how long it lasts. */
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/host/guard.h"
#include "tests/unit/hostmake.h"
#include "tests/unit/tap.h"

#define BOOTS_MAX 6
#define DAY	  86400

static struct hostmake h;
static char sha256[2][65]; /* of patches a and b */

/*
 * What happens in a boot, a letter each: "A" patch a is loaded, "a" its load begins and has no end, "f" the kernel refuses it; "B", "b" the
 * same for patch b; "." the host is shut down in order, "r" the unit is stopped and started again; by command: "u" a is unloaded, "t" tried
 * again; "n" its file is another from here on, "k" the clock goes back. Without a "." at its end a boot ends as a crash does.
 */
struct boot {
	const char *left_out; /* when it begins: of "ab" */
	const char *happens;
	int64_t lasts; /* seconds, with the way to the next boot */
};

static const struct {
	const char *what;
	struct boot boots[BOOTS_MAX];
} rows[] = {
	{"shutdowns, however soon",
	 {{"", "AB.", 20}, {"", "AB.", 20}, {"", "AB.", 20}, {"", "AB.", 20}}},
	{"a panic in the load itself",
	 {{"", "a", 20}, {"a", ".", 20}, {"a", "", DAY}, {"a", "", 20}}},
	{"the same, found late", {{"", "a", DAY}, {"a", ".", 20}}},
	{"a panic soon after", {{"", "A", 60}, {"a", ".", DAY}, {"a", ".", DAY}}},
	{"of several each may be it", {{"", "AB", 60}, {"ab", ".", DAY}, {"ab", "", 20}}},
	{"unless one was just being loaded", {{"", "Ab", 60}, {"b", "A.", DAY}, {"b", "A.", DAY}}},
	{"crashes long after", {{"", "A", DAY}, {"", "A", DAY}, {"", "A", DAY}, {"a", ".", DAY}}},
	{"with a shutdown between them",
	 {{"", "A", DAY},
	  {"", "A", DAY},
	  {"", "A.", DAY},
	  {"", "A", DAY},
	  {"", "A", DAY},
	  {"", "", 0}}},
	{"a boot without it in between",
	 {{"", "A", DAY},
	  {"", "", 20},
	  {"", "A", DAY},
	  {"", "", 20},
	  {"", "A", DAY},
	  {"a", "", 0}}},
	{"a host without a clock of its own",
	 {{"", "Ak", 60}, {"", "Ak", 60}, {"", "Ak", 60}, {"a", ".", 60}}},
	{"the unit is restarted, then a panic", {{"", "Ar", 60}, {"a", ".", 60}}},
	{"refused by the kernel, then a panic",
	 {{"", "f", 60}, {"", "f", 60}, {"", "f", 60}, {"", "", 0}}},
	{"unloaded by command, then a panic", {{"", "Au", 60}, {"", "A.", 60}}},
	{"tried again by command", {{"", "a", 60}, {"a", "t.", 60}, {"", "A", 60}, {"a", "", 0}}},
	{"another file of that name",
	 {{"", "a", 60}, {"a", "n.", 60}, {"", "A.", 60}, {"", "", 0}}},
	{"the other isn't forgotten with it",
	 {{"", "AB", 60}, {"ab", "t.", 60}, {"b", "A.", 60}, {"b", "", 0}}},
};

static void begin(const char *name)
{
	hostmake_init(&h, name);
	memset(sha256[0], 'a', 64);
	memset(sha256[1], 'b', 64);
}

static char *record(void)
{
	return rk_path_join(h.host->state_dir, "kpatch-boot.json");
}

static const char *name_of(char letter)
{
	return letter == 'a' ? "kpatch_a" : "kpatch_b";
}

static struct rk_guard *open_guard(bool keep)
{
	struct rk_guard *guard = NULL;

	must(rk_guard_open(h.host, keep, &guard));
	return guard;
}

static void load(struct rk_guard *guard, char letter, bool ends, bool loaded)
{
	const char *name = name_of(letter), *sha = sha256[letter == 'b'];

	no_err(rk_guard_begin(h.host, guard, name, sha), "a load begins");
	if (ends)
		no_err(rk_guard_end(guard, name, sha, loaded), "and ends");
}

static void happen(struct rk_guard **guard, char what)
{
	switch (what) {
	case 'A':
	case 'B': load(*guard, what == 'A' ? 'a' : 'b', true, true); break;
	case 'a':
	case 'b': load(*guard, what, false, false); break;
	case 'f': load(*guard, 'a', true, false); break;
	case '.': no_err(rk_guard_stopped(h.host), "a shutdown"); break;
	case 'r':
		no_err(rk_guard_stopped(h.host), "the unit is stopped");
		rk_guard_free(*guard);
		*guard = open_guard(true);
		break;
	case 'u': no_err(rk_guard_unloaded(h.host, "kpatch_a"), "unloaded"); break;
	case 't': no_err(rk_guard_retry(h.host, "kpatch_a"), "to be tried again"); break;
	case 'n': sha256[0][0] = 'c'; break;
	case 'k': h.now -= 100; break;
	default: bail_out("'%c' means nothing", what);
	}
}

static void check_left_out(const struct rk_guard *guard, const char *left_out)
{
	for (const char *letter = "ab"; *letter; letter++) {
		_cleanup_err_ struct rk_err *err =
			rk_guard_check(guard, name_of(*letter), sha256[*letter == 'b']);

		ok((err != NULL) == (strchr(left_out, *letter) != NULL), "patch %c: %s", *letter,
		   err ? rk_err_message(err) : "may be loaded");
	}
}

static void test_row(size_t i)
{
	_cleanup_free_ char *name = rk_asprintf("row-%zu", i);

	begin(name);
	for (size_t boot = 0; boot < BOOTS_MAX && rows[i].boots[boot].left_out; boot++) {
		const struct boot *b = &rows[i].boots[boot];

		diag("%s: boot %zu", rows[i].what, boot + 1);
		struct rk_guard *guard = open_guard(true);
		check_left_out(guard, b->left_out);
		for (const char *c = b->happens; *c; c++)
			happen(&guard, *c);
		rk_guard_free(guard);
		hostmake_reboot(&h, b->lasts);
	}
	hostmake_deinit(&h);
}

static void test_message(void)
{
	_cleanup_free_ char *path = NULL;

	begin("message");
	_cleanup_guard_ struct rk_guard *guard = open_guard(true);
	path = record();
	ok(!rk_fs_exists(path), "nothing is written where nothing is loaded");
	load(guard, 'a', false, false);
	ok(rk_fs_exists(path), "a load leaves its record");
	hostmake_reboot(&h, 20);
	_cleanup_guard_ struct rk_guard *looked = open_guard(false);
	no_err(rk_guard_check(looked, "kpatch_a", sha256[0]), "who only looks judges nothing");
	_cleanup_guard_ struct rk_guard *judged = open_guard(true);
	is_err(rk_guard_check(judged, "kpatch_a", sha256[0]), RK_ERR_VERDICT,
	       "left out, because the host went down while it was being loaded; if that was not its "
	       "doing (a power cut), 'kpatch load kpatch_a' tries it again",
	       "who is to load is told");
	hostmake_deinit(&h);
}

static void test_damaged(void)
{
	_cleanup_free_ char *path = NULL, *aside = NULL;
	struct rk_guard *guard = NULL;

	begin("damaged");
	path = record();
	aside = rk_asprintf("%s.damaged", path);
	must(rk_fs_write(path, "{", 1, 0644));
	_cleanup_err_ struct rk_err *looking = rk_guard_open(h.host, false, &guard);
	ok(looking && rk_fs_exists(path), "who only looks leaves it");
	_cleanup_err_ struct rk_err *err = rk_guard_open(h.host, true, &guard);
	is_int(rk_err_code(err), RK_ERR_STATE, "a record that can't be believed");
	ok(err && strstr(rk_err_message(err), "nothing is loaded in this boot"), "loads nothing");
	ok(rk_fs_exists(aside), "and is set aside");
	guard = open_guard(true);
	no_err(rk_guard_check(guard, "kpatch_a", sha256[0]), "the next boot begins anew");
	rk_guard_free(guard);
	guard = open_guard(true);
	load(guard, 'a', true, true);
	rk_guard_free(guard);
	if (chmod(path, 0666))
		bail_out("chmod");
	_cleanup_err_ struct rk_err *open_to_all = rk_guard_open(h.host, true, &guard);
	is_int(rk_err_code(open_to_all), RK_ERR_STATE, "one that others can write to is none");
	hostmake_deinit(&h);
}

static void test_unwritable(void)
{
	_cleanup_free_ char *path = NULL;

	begin("unwritable");
	path = record();
	_cleanup_guard_ struct rk_guard *guard = open_guard(true);
	must(rk_fs_mkdir_p(path, 0755));
	_cleanup_err_ struct rk_err *err = rk_guard_begin(h.host, guard, "kpatch_a", sha256[0]);
	ok(err && strstr(rk_err_message(err), "nothing was loaded"),
	   "without a record nothing is loaded: %s", err ? rk_err_message(err) : "");
	hostmake_deinit(&h);
}

/* What readykernel blocked isn't loaded as a package. */
static void test_level(void)
{
	begin("level");
	no_err(rk_guard_check_level(h.host, HOST_BUILD_ID, 2), "without readykernel");
	must(rk_host_state_block(h.state, HOST_BUILD_ID, 2, "crashed", "the host went down",
				 h.now));
	must(rk_host_state_write(h.host, h.state));
	is_err(rk_guard_check_level(h.host, HOST_BUILD_ID, 2), RK_ERR_VERDICT,
	       "left out, because readykernel blocked level 2 on this host: the host went down; "
	       "'readykernel load --force 2' tries it again",
	       "a blocked level");
	no_err(rk_guard_check_level(h.host, HOST_BUILD_ID, 3), "another level");
	no_err(rk_guard_check_level(h.host, "00", 2), "another kernel");
	must(rk_fs_write(h.host->state_file, "{", 1, 0644));
	no_err(rk_guard_check_level(h.host, HOST_BUILD_ID, 2), "a damaged state forbids nothing");
	ok(rk_fs_exists(h.host->state_file), "and is left for readykernel to find");
	hostmake_deinit(&h);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		test_row(i);
	test_message();
	test_damaged();
	test_unwritable();
	test_level();
	return done_testing();
}
