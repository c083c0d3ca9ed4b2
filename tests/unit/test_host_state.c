/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host keeps on disk: state, intent, levels, queue; and the choice made from it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/host/choose.h"
#include "lib/host/queue.h"
#include "tests/unit/hostmake.h"
#include "tests/unit/tap.h"

static struct hostmake h;

/* The other tests have a kernel of their own making in place of these. */
static void test_paths(void)
{
	_cleanup_host_ struct rk_host *host = NULL;

	no_err(rk_host_create("/top", &host), "a host");
	is_str(host->state_file, "/top/var/lib/readykernel/state.json", "its state");
	is_str(host->roots.sys, "/top/sys", "for lib/livepatch: /sys");
	is_str(host->roots.proc, "/top/proc", "/proc");
	is_str(host->roots.modules, "/top/lib/modules", "/lib/modules");
	is_str(host->roots.store, "/top/var/lib/kpatch", "/var/lib/kpatch");
	is_str(host->roots.run, "/top/run/kpatch", "/run/kpatch");
}

static void test_round_trip(void)
{
	_cleanup_host_state_ struct rk_host_state *again = NULL;
	_cleanup_free_ char *first = NULL, *second = NULL;
	struct rk_loaded_state loaded = {.build_id = HOST_BUILD_ID,
					 .level = 3,
					 .name = "kpatch_3",
					 .boot_id = "b",
					 .load = "l",
					 .at = 1790000000,
					 .transition_ms = 812,
					 .stopped = true};

	hostmake_init(&h, "round-trip");
	no_err(rk_host_state_set_good(h.state, HOST_BUILD_ID, 3, "l", 1790000000), "good");
	no_err(rk_host_state_block(h.state, HOST_BUILD_ID, 4, "crashed", "went\ndown \x80",
				   1790000001),
	       "blocked");
	no_err(rk_host_state_set_loaded(h.state, &loaded), "loaded");
	no_err(rk_host_state_set_last(h.state, &h.state->last_check, 1790000002, "ok", NULL, 4),
	       "check");
	h.state->freeze = (struct rk_freeze){.kind = RK_FREEZE_DATE, .date = 1795000000};
	no_err(rk_host_state_write(h.host, h.state), "writes");
	no_err(rk_host_state_read(h.host, &again), "reads");
	no_err(rk_host_state_to_json(h.state, &first), "as JSON");
	no_err(rk_host_state_to_json(again, &second), "again");
	is_str(second, first, "the same");
	is_str(rk_host_state_find(again, HOST_BUILD_ID, 4)->reason, "went down ?",
	       "a reason is one line");
	is_int(again->freeze.kind, RK_FREEZE_DATE, "the freeze");
	ok(!rk_host_state_find(again, HOST_BUILD_ID, 5), "nothing is known of another level");
	ok(!rk_host_state_find(again, "ff", 4), "or another kernel");
	rk_host_state_unblock(again, HOST_BUILD_ID, 4);
	ok(!rk_host_state_find(again, HOST_BUILD_ID, 4), "unblocked");
	hostmake_deinit(&h);
}

static void test_distrust(void)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"", "line 1, column 0"},
		{"{\"schema\": \"readykernel-state/1\"}", "is missing"},
		{"{\"schema\": \"readykernel-state/9\"}",
		 "schema 'readykernel-state/9' is newer than"},
		{"[1]", "object"},
		{"{\"schema\": \"readykernel-state/1\", \"available\": -1}", "is not a number"},
	};

	hostmake_init(&h, "distrust");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sysmake_put(h.host->root, "var/lib/readykernel/state.json", cases[i].text);
		hostmake_read_state(&h);
		ok(h.state->damaged && strstr(h.state->problem, cases[i].problem), "%s: %s",
		   cases[i].problem, h.state->problem);
		is_int(h.state->freeze.kind, RK_FREEZE_LOST, "nothing is loaded by itself");
		ok(rk_fs_exists(h.host->state_file), "who reads leaves it where it is");
	}
	_cleanup_free_ char *aside = rk_asprintf("%s.damaged", h.host->state_file);
	no_err(rk_host_state_write(h.host, h.state), "who writes");
	ok(rk_fs_exists(aside), "sets it aside");
	hostmake_read_state(&h);
	ok(!h.state->damaged && h.state->freeze.kind == RK_FREEZE_LOST, "that is not forgotten");
	h.state->freeze.kind = RK_FREEZE_NONE;
	no_err(rk_host_state_set_good(h.state, HOST_BUILD_ID, 1, "l", 1), "good");
	no_err(rk_host_state_write(h.host, h.state), "writes");
	ok(!chmod(h.host->state_file, 0664), "a group may write it");
	hostmake_read_state(&h);
	ok(h.state->damaged && strstr(h.state->problem, "can be written by others"), "%s",
	   h.state->problem);
	is_str(hostmake_verdict(&h, 1), "none", "nothing in it counts");
	no_err(rk_host_state_write(h.host, h.state), "writes");
	_cleanup_free_ char *other = rk_asprintf("%s.other", h.host->state_file);
	ok(!rename(h.host->state_file, other) && !symlink(other, h.host->state_file), "a link");
	hostmake_read_state(&h);
	ok(h.state->damaged && strstr(h.state->problem, "neither a file nor a directory"), "%s",
	   h.state->problem);
	h.host->owner = geteuid() + 1;
	is_err_like(rk_host_prepare(h.host), RK_ERR_STATE, "it isn't believed",
		    "somebody else's directories");
	hostmake_deinit(&h);
}

static void test_bounded(void)
{
	hostmake_init(&h, "bounded");
	for (uint64_t level = 1; level <= RK_STATE_LEVELS_MAX + 5; level++)
		if (rk_host_state_block(h.state, HOST_BUILD_ID, level, "crashed", "",
					(int64_t)level))
			bail_out("out of memory");
	no_err(rk_host_state_write(h.host, h.state), "writes");
	hostmake_read_state(&h);
	is_int((long long)h.state->levels.nr, RK_STATE_LEVELS_MAX, "so many levels");
	ok(!rk_host_state_find(h.state, HOST_BUILD_ID, 5), "the oldest went");
	ok(rk_host_state_find(h.state, HOST_BUILD_ID, 6) != NULL, "the others stay");
	hostmake_deinit(&h);
}

static void test_freeze(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"none", "none"},
		{"12", "level 12"},
		{"2026-11-30", "2026-11-30T23:59:59Z"},
		{"2026-11-30T12:00:00Z", "2026-11-30T12:00:00Z"},
		{"0", NULL},
		{"-1", NULL},
		{"2026-13-01", NULL},
		{"2026-11-30 ", NULL},
		{"99999999999999999999", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rk_freeze freeze = {};
		struct rk_err *err = rk_freeze_parse(cases[i].text, &freeze);

		is_str(err ? NULL : rk_freeze_text(&freeze, &arena), cases[i].shown, cases[i].text);
		rk_err_free(err);
	}
	const struct rk_freeze date = {.kind = RK_FREEZE_DATE, .date = 100};
	ok(rk_freeze_allows(&date, 9, 100) && !rk_freeze_allows(&date, 1, 101), "by date");
	ok(!rk_freeze_allows(&date, 1, 0), "a level of no date isn't allowed by one");
}

/* What rk_choose() says of each installed level, and the choice. */
static void check_choice(const struct rk_policy *policy, const char *want, const char *name)
{
	_cleanup_patches_ struct rk_patches *patches = NULL;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	struct rk_choice choice;

	if (!no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), name) ||
	    !no_err(rk_choose(patches, h.state, policy, &choice), name))
		return;
	for (size_t i = 0; i < patches->list.nr; i++)
		rk_str_addf(&text, "%s%s ", patches->list.v[i].name + strlen("kpatch_"),
			    choice.passed.v[i] ? rk_passed_name(choice.passed.v[i]) : "");
	rk_str_addf(&text, "-> %s", choice.patch ? choice.patch->name : "nothing");
	is_str(rk_str_get(&text), want, name);
	rk_choice_deinit(&choice);
}

static enum rk_passed judge(void *ctx, const char *build_id, uint64_t level)
{
	const char *words = ctx;

	(void)build_id;
	switch (words[level - 1]) {
	case 'b': return RK_PASSED_BLOCKED_BY_VENDOR;
	case 'w': return RK_PASSED_WITHDRAWN;
	case 'm': return RK_PASSED_MINIMUM;
	default: return RK_PASSED_NOT;
	}
}

static void test_choose(void)
{
	struct rk_policy policy = {judge, NULL};

	hostmake_init(&h, "choose");
	check_choice(NULL, "-> nothing", "nothing is installed");
	for (unsigned int level = 1; level <= 4; level++)
		hostmake_install(&h, level);
	check_choice(NULL, "1 2 3 4 -> kpatch_4", "the newest");
	policy.ctx = (char[]){"...b"};
	check_choice(&policy, "1 2 3 4blocked-by-vendor -> kpatch_3", "blocked by its maker");
	policy.ctx = (char[]){"mmww"};
	check_choice(&policy, "1below-minimum 2below-minimum 3withdrawn 4withdrawn -> kpatch_2",
		     "below the minimum is better than nothing");
	h.state->freeze = (struct rk_freeze){.kind = RK_FREEZE_LEVEL, .level = 2};
	check_choice(NULL, "1 2 3frozen 4frozen -> kpatch_2", "frozen");
	h.state->freeze.kind = RK_FREEZE_NONE;
	no_err(rk_host_state_block(h.state, HOST_BUILD_ID, 4, "crashed", "x", 1), "blocked");
	check_choice(NULL, "1untried 2untried 3untried 4blocked-here -> nothing",
		     "below a level that hurt, what never was good isn't tried");
	no_err(rk_host_state_set_good(h.state, HOST_BUILD_ID, 2, "l", 1), "good");
	check_choice(NULL, "1untried 2 3untried 4blocked-here -> kpatch_2", "what was good is");
	hostmake_install(&h, 5);
	check_choice(NULL, "1untried 2 3untried 4blocked-here 5 -> kpatch_5", "a newer one is");
	hostmake_deinit(&h);
}

static void test_excluded(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const char *new_cves[] = {"CVE-2026-3", "CVE-2026-1", "CVE-2026-2"};
	const char *old_cves[] = {"CVE-2026-1"};
	const struct rk_patch newest = {.cves = new_cves, .nr_cves = 3};
	const struct rk_patch allowed = {.cves = old_cves, .nr_cves = 1};
	const char **cves = NULL;
	size_t nr = 0;

	no_err(rk_excluded_cves(&newest, &allowed, &arena, &cves, &nr), "excluded");
	ok(nr == 2 && rk_streq(cves[0], "CVE-2026-2") && rk_streq(cves[1], "CVE-2026-3"), "sorted");
	no_err(rk_excluded_cves(&newest, NULL, &arena, &cves, &nr), "nothing is loaded");
	is_int((long long)nr, 3, "all");
	no_err(rk_excluded_cves(NULL, &allowed, &arena, &cves, &nr), "nothing is known");
	is_int((long long)nr, 0, "none");
}

static void test_patches(void)
{
	_cleanup_patches_ struct rk_patches *patches = NULL, *again = NULL;
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_free_ char *junk = NULL;
	struct rk_patch patch;

	hostmake_init(&h, "patches");
	hostmake_install(&h, 10);
	hostmake_install(&h, 9);
	hostmake_install(&h, 9);
	junk = rk_asprintf("var/lib/readykernel/patches/%s/deadbeef.ko.x8Fq2a", HOST_BUILD_ID);
	sysmake_put(h.host->root, junk, "what a power cut left");
	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "lists");
	is_int((long long)patches->list.nr, 2, "two levels");
	is_int((long long)patches->list.v[0].level, 9, "by level");
	is_int((long long)patches->list.v[1].nr_cves, 10, "with their CVEs");
	ok(patches->list.v[1].signed_path != NULL, "and the signed file");
	no_err(rk_patch_check_file(&patches->list.v[1], patches->list.v[1].module_path),
	       "the module");
	no_err(rk_patches_sweep(h.host, HOST_BUILD_ID), "sweeps");
	_cleanup_free_ char *path = rk_path_join(h.host->root, junk);
	ok(!rk_fs_exists(path), "what no record names goes");
	ok(rk_fs_exists(patches->list.v[0].module_path), "what one names stays");

	patch = hostmake_patch(&arena, 11, patches->list.v[0].module_path);
	is_err_like(rk_patches_install(h.host, &patch, patches->list.v[1].module_path, "s", 1),
		    RK_ERR_HASH, "cannot install level 11", "another module than its record says");
	patch.build_id = "../../etc";
	is_err_like(rk_patches_install(h.host, &patch, patches->list.v[0].module_path, "s", 1),
		    RK_ERR_NAME, "is no build-id", "a build-id that leads elsewhere");
	patch = patches->list.v[0];
	patch.level = 12;
	patch.name = "../x";
	is_err_like(rk_patches_install(h.host, &patch, patches->list.v[0].module_path, "s", 1),
		    RK_ERR_NAME, "can't be installed", "a name that leads elsewhere");
	_cleanup_free_ char *record =
		rk_asprintf("var/lib/readykernel/patches/%s/7.json", HOST_BUILD_ID);
	sysmake_put(h.host->root, record, "{");
	no_err(rk_patches_remove(h.host, HOST_BUILD_ID, 9), "removes");
	no_err(rk_patches_remove(h.host, HOST_BUILD_ID, 9), "once more");
	ok(!rk_fs_exists(patches->list.v[0].module_path), "the module is gone");
	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &again), "lists");
	is_int((long long)again->list.nr, 1, "one level");
	is_int((long long)again->damaged.nr, 1, "and one that can't be read");
	hostmake_deinit(&h);
}

static void test_intent(void)
{
	_cleanup_intent_ struct rk_intent *intent = NULL;
	_cleanup_free_ char *text = NULL, *again = NULL;
	struct rk_intent made = {
		.load = "b-1",
		.boot_id = "b",
		.build_id = HOST_BUILD_ID,
		.name = "kpatch_1",
		.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		.level = 1,
		.phase = RK_INTENT_QUIET,
		.at = 1790000000,
		.kmsg = 812,
		.at_boot = true};

	hostmake_init(&h, "intent");
	no_err(rk_intent_read(h.host, &intent), "none");
	ok(!intent, "is none");
	no_err(rk_intent_write(h.host, &made), "writes");
	no_err(rk_intent_read(h.host, &intent), "reads");
	no_err(rk_intent_to_json(&made, &text), "as JSON");
	if (intent) {
		no_err(rk_intent_to_json(intent, &again), "again");
		is_str(again, text, "the same");
	}
	no_err(rk_intent_remove(h.host), "removes");
	no_err(rk_intent_remove(h.host), "once more");
	sysmake_put(h.host->root, "var/lib/readykernel/intent.json", text);
	ok(!chmod(h.host->intent_file, 0646), "others may write it");
	_cleanup_intent_ struct rk_intent *none = NULL;
	is_err_like(rk_intent_read(h.host, &none), RK_ERR_STATE, "can be written by others",
		    "which isn't believed");
	hostmake_deinit(&h);
}

static void test_queue(void)
{
	_cleanup_queue_ struct rk_queue *queue = NULL;
	json_t *body = json_pack("{s:s}", "code", "ok"), *large = json_object();
	struct stat st;

	hostmake_init(&h, "queue");
	for (unsigned int i = 0; i < RK_QUEUE_MAX + 10; i++) {
		json_object_set_new(body, "nr", json_integer(i));
		h.now += i == 20 ? -1000 : (int)(i % 3);
		if (rk_queue_push(h.host, "ping", "b", body))
			bail_out("can't queue");
	}
	for (unsigned int i = 0; i < 1000; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", i);
		json_object_set_new(large, key, json_string("0123456789"));
	}
	is_err_like(rk_queue_push(h.host, "ping", "b", large), RK_ERR_LIMIT, "can't be queued",
		    "a large message");
	is_err_like(rk_queue_push(h.host, "../x", "b", body), RK_ERR_INVALID, "no kind of message",
		    "a kind that leads elsewhere");
	sysmake_put(h.host->queue_dir, "00000000000000000000-00000000000000000000.json", "{}");
	no_err(rk_queue_list(h.host, &queue), "lists");
	is_int((long long)queue->list.nr, RK_QUEUE_MAX, "so many are kept");
	for (size_t i = 0; i < queue->list.nr; i++)
		if (json_integer_value(json_object_get(
			    json_object_get(queue->list.v[i].message, "body"), "nr")) !=
		    (json_int_t)i + 10)
			ok(false, "message %zu is in order", i);
	ok(!stat(h.host->queue_dir, &st) && (st.st_mode & 0777) == 0700, "nobody else reads them");
	is_err_like(rk_queue_remove(h.host, "../state.json"), RK_ERR_INVALID, "no message",
		    "another file isn't removed");
	no_err(rk_queue_remove(h.host, queue->list.v[0].name), "one is");
	json_decref(body);
	json_decref(large);
	hostmake_deinit(&h);
}

int main(void)
{
	test_paths();
	test_round_trip();
	test_distrust();
	test_bounded();
	test_freeze();
	test_choose();
	test_excluded();
	test_patches();
	test_intent();
	test_queue();
	return done_testing();
}
