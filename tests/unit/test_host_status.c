/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host says of itself: verdict and summary in every situation, the document, the files for other programs, the doctor's findings. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/host/certificate.h"
#include "lib/host/doctor.h"
#include "lib/host/effective.h"
#include "tests/unit/hostmake.h"
#include "tests/unit/tap.h"

#define GOOD_CONFIG                                                                       \
	"CONFIG_LIVEPATCH=y\nCONFIG_MODULES=y\nCONFIG_DYNAMIC_FTRACE=y\nCONFIG_SYSFS=y\n" \
	"CONFIG_KALLSYMS_ALL=y\nCONFIG_HAVE_RELIABLE_STACKTRACE=y\n"

static struct hostmake h;
static struct rk_patches *patches;
static struct rk_status_trust trust;

static void begin(const char *name)
{
	hostmake_init(&h, name);
	trust = (struct rk_status_trust){};
}

static struct rk_status *collect(void)
{
	struct rk_status *status = NULL;

	rk_patches_free(patches);
	patches = NULL;
	if (!no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "levels") ||
	    !no_err(rk_status_collect(h.host, h.settings, h.kernel, h.state, patches, &trust,
				      &status),
		    "status"))
		bail_out("there is no status");
	return status;
}

static void end(void)
{
	rk_patches_free(patches);
	patches = NULL;
	hostmake_deinit(&h);
}

static void check(enum rk_status_verdict verdict, const char *summary)
{
	_cleanup_status_ struct rk_status *status = collect();

	is_int(status->verdict, verdict, summary);
	is_str(status->summary, summary, "the summary");
}

static void test_verdicts(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_boot_review review;
	struct rk_patch newest, first;

	begin("verdicts");
	check(RK_STATUS_NONE, "not patched: no level is loaded; 'readykernel update' loads one");
	trust.kernel_absent = true;
	trust.timestamp_made = 1;
	_cleanup_free_ char *absent =
		rk_asprintf("not covered: the repository has no levels for kernel %s yet",
			    h.kernel->running.release);
	check(RK_STATUS_UNSUPPORTED, absent);
	trust.kernel_absent = false;
	trust.kernel_known = true;
	check(RK_STATUS_LATEST, "covered: no level is needed for this kernel yet");
	hostmake_install(&h, 1);
	trust.newest = 1;
	check(RK_STATUS_NONE, "not patched: no level is loaded; 'readykernel update' loads one");
	hostmake_load_good(&h, 1);
	check(RK_STATUS_LATEST, "patched: level 1 is loaded, nothing newer is there");
	_cleanup_status_ struct rk_status *one = collect();
	newest = hostmake_patch(&arena, 3, one->loaded->module_path);
	first = hostmake_patch(&arena, 1, one->loaded->module_path);
	trust.newest = 3;
	trust.newest_patch = &newest;
	check(RK_STATUS_OUTDATED,
	      "outdated: level 1 is loaded, level 3 is there; 'readykernel update' loads it");
	trust.newest = 1;
	trust.newest_patch = &first;
	no_err(rk_host_state_set_last(h.state, &h.state->last_check, 1, "mix", "it is another's",
				      0),
	       "an attack");
	check(RK_STATUS_FAILED,
	      "failed: whether there is a newer level isn't known: what the last check found was "
	      "refused: it is another's; level 1 is loaded");
	no_err(rk_host_state_set_last(h.state, &h.state->last_check, 1, "network", "no way", 0),
	       "a server that is down");
	check(RK_STATUS_LATEST, "patched: level 1 is loaded, nothing newer is there");
	trust.newest = 3;
	trust.newest_patch = &newest;
	h.state->freeze = (struct rk_freeze){.kind = RK_FREEZE_LEVEL, .level = 2};
	check(RK_STATUS_LATEST,
	      "patched: level 1 is loaded, frozen there; 2 CVEs of level 3 are left out");
	h.state->freeze.kind = RK_FREEZE_NONE;
	no_err(rk_host_state_block(h.state, HOST_BUILD_ID, 3, RK_CODE_ROLLED_BACK, "as wanted", 1),
	       "a rollback");
	check(RK_STATUS_OUTDATED,
	      "rolled back: level 1 is loaded; 'readykernel load --force 3' loads level 3 again");
	rk_host_state_unblock(h.state, HOST_BUILD_ID, 3);
	hostmake_install(&h, 3);
	no_err(hostmake_load(&h, 3, false, &result), "level 3 loads");
	hostmake_reboot(&h, 5);
	rk_apply_result_deinit(&result);
	no_err(hostmake_boot(&h, &review, &result), "after a crash");
	check(RK_STATUS_FAILED,
	      "failed: level 3 is blocked here (the host went down before it had been quiet long "
	      "enough; 'readykernel load --force 3' tries it again); level 1 is loaded");
	rk_host_state_unblock(h.state, HOST_BUILD_ID, 3);
	no_err(rk_host_state_set_last(h.state, &h.state->last_error, 1, "stalled", "it stalled", 3),
	       "a failure");
	check(RK_STATUS_FAILED, "failed: it stalled; level 1 is loaded");
	no_err(rk_host_state_set_last(h.state, &h.state->last_error, 1, "", NULL, 3), "none");
	sysmake_patch(&h.sys, "kpatch_1", "1\n", "1\n");
	sysmake_thread(&h.sys, "9", "9", "vhost-9", "0\n", "[<0>] vhost_worker+0x1/0x2\n[<0>] x\n");
	no_err(rk_intent_remove(h.host), "nobody waits");
	check(RK_STATUS_STALLED,
	      "stalled: the transition of level 1 doesn't end; 1 tasks hold it up");
	end();

	begin("rolled back to nothing, another boot");
	hostmake_install(&h, 1);
	no_err(rk_host_state_block(h.state, HOST_BUILD_ID, 1, RK_CODE_ROLLED_BACK, "as wanted", 1),
	       "a rollback");
	check(RK_STATUS_NONE,
	      "rolled back: no level is loaded; 'readykernel load --force 1' loads level 1 again");
	no_err(rk_host_state_set_last(h.state, &h.state->last_error, 1, "stalled", "it stalled", 3),
	       "a failure");
	check(RK_STATUS_FAILED, "failed: it stalled; no level is loaded");
	no_err(rk_host_state_write(h.host, h.state), "both are kept");
	hostmake_reboot(&h, 5);
	rk_apply_result_deinit(&result);
	no_err(hostmake_boot(&h, &review, &result), "with nothing to load");
	check(RK_STATUS_NONE,
	      "rolled back: no level is loaded; 'readykernel load --force 1' loads level 1 again");
	end();

	begin("switched");
	hostmake_install(&h, 1);
	hostmake_cmdline(&h, "readykernel=off");
	check(RK_STATUS_NONE, "not patched: switched off ('off')");
	_cleanup_free_ char *livepatch = rk_path_join(h.host->sys, "kernel/livepatch");
	no_err(rk_fs_remove_tree(livepatch), "no live patching");
	check(RK_STATUS_UNSUPPORTED, "not covered: this kernel has no live patching");
	end();
}

static const char *text_at(const json_t *root, const char *first, const char *second);

static enum rk_passed says;
static enum rk_passed say(void *ctx, const char *build_id, uint64_t level)
{
	(void)ctx;
	return rk_streq(build_id, HOST_BUILD_ID) && level == 1 ? says : RK_PASSED_NOT;
}

static void check_state(const char *want)
{
	_cleanup_status_ struct rk_status *status = collect();
	json_t *root = rk_status_to_json(status);

	is_str(text_at(root, "patch", "state"), want, "the state in others' words");
	json_decref(root);
}

/* A level that its publisher took back is no good state to be in, whether or not there is another. */
static void test_taken_back(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_patch newest;

	begin("taken back");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	trust.timestamp_expires = h.now + 600;
	trust.says = (struct rk_policy){say, NULL};
	says = RK_PASSED_NOT;
	check(RK_STATUS_LATEST, "patched: level 1 is loaded, nothing newer is there");
	check_state("applied");
	says = RK_PASSED_BLOCKED_BY_VENDOR;
	check(RK_STATUS_FAILED, "failed: level 1 is loaded, which is blocked by its publisher; "
				"'readykernel unload' takes it out");
	check_state("applied-with-bug");
	says = RK_PASSED_WITHDRAWN;
	check(RK_STATUS_FAILED, "failed: level 1 is loaded, which was withdrawn by its publisher; "
				"'readykernel update' puts another in its place");
	says = RK_PASSED_MINIMUM;
	_cleanup_status_ struct rk_status *one = collect();
	newest = hostmake_patch(&arena, 3, one->loaded->module_path);
	trust.newest = 3;
	trust.newest_patch = &newest;
	check(RK_STATUS_FAILED,
	      "failed: level 1 is loaded, which is below what its publisher holds for safe; "
	      "'readykernel update' puts another in its place");
	end();
}

/* That nothing newer is there is only said when it is known. */
static void test_blind(void)
{
	begin("blind");
	check_state("needs-check");
	no_err(rk_host_state_set_last(h.state, &h.state->last_check, 1, "ok", NULL, 0), "checked");
	check_state("unapplied");
	trust.problem = "'seen.json' isn't what was stored";
	check(RK_STATUS_NONE, "not patched: 'seen.json' isn't what was stored");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	check(RK_STATUS_FAILED, "failed: whether there is a newer level isn't known: 'seen.json' "
				"isn't what was stored; level 1 is loaded");
	trust.problem = NULL;
	trust.timestamp_expires = h.now;
	check(RK_STATUS_FAILED,
	      "failed: whether there is a newer level isn't known: what is known of the repository "
	      "has expired (see 'readykernel check-update'); level 1 is loaded");
	trust.timestamp_expires = h.now + 1;
	check(RK_STATUS_LATEST, "patched: level 1 is loaded, nothing newer is there");
	end();

	begin("blind, nothing loaded");
	trust.kernel_known = true;
	trust.timestamp_expires = h.now;
	check(RK_STATUS_FAILED,
	      "failed: whether there is a newer level isn't known: what is known of the repository "
	      "has expired (see 'readykernel check-update'); no level is loaded");
	check_state("check-failed");
	end();
}

static const char *text_at(const json_t *root, const char *first, const char *second)
{
	return json_string_value(json_object_get(json_object_get(root, first), second));
}

static void test_document(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const unsigned char secure_boot[] = {6, 0, 0, 0, 1};
	struct rk_patch newest;

	begin("document");
	hostmake_install(&h, 2);
	hostmake_load_good(&h, 2);
	_cleanup_status_ struct rk_status *two = collect();
	newest = hostmake_patch(&arena, 4, two->loaded->module_path);
	trust = (struct rk_status_trust){.root_version = 3,
					 .timestamp_made = h.now - 60,
					 .timestamp_expires = h.now + 600,
					 .kernel_known = true,
					 .newest = 4,
					 .newest_patch = &newest,
					 .covered_until = newest.covered_until};
	sysmake_put_bytes(h.host->sys,
			  "firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
			  secure_boot, sizeof(secure_boot));
	sysmake_put(h.host->proc, "sys/kernel/tainted", "36864\n");
	sysmake_patch(&h.sys, "kpatch_2", "1\n", "1\n");
	sysmake_thread(&h.sys, "9", "9", "vhost-9", "0\n", "[<0>] vhost_worker+0x1/0x2\n[<0>] x\n");
	_cleanup_status_ struct rk_status *status = collect();
	json_t *root = rk_status_to_json(status);
	const json_t *patch = json_object_get(root, "patch");
	const json_t *blocker = json_array_get(json_object_get(patch, "blockers"), 0);

	is_str(json_string_value(json_object_get(root, "schema")), "readykernel-status/1",
	       "schema");
	is_str(text_at(root, "patch", "state"), "applying", "the state in others' words");
	is_str(text_at(root, "patch", "name"), "kpatch_2", "the module");
	is_int(json_integer_value(json_object_get(patch, "level")), 2, "the level");
	is_str(json_string_value(json_object_get(blocker, "comm")), "vhost-9", "who is in the way");
	is_int((long long)json_array_size(json_object_get(blocker, "stack")), 2, "with the stack");
	is_int(json_integer_value(json_object_get(blocker, "pid")), 9, "its process");
	is_int(json_integer_value(json_object_get(blocker, "tid")), 9, "its thread");
	ok(json_is_null(json_object_get(json_object_get(root, "last_check"), "at")),
	   "never checked");
	is_str(text_at(root, "last_check", "result"), "", "with no result");
	is_int((long long)json_array_size(
		       json_object_get(json_object_get(root, "available"), "cves_added")),
	       2, "CVEs to be had");
	is_int(json_integer_value(
		       json_object_get(json_object_get(root, "trust"), "timestamp_age_s")),
	       60, "the age of what is known");
	ok(json_is_true(json_object_get(root, "secure_boot")), "Secure Boot");
	is_int(json_integer_value(json_object_get(root, "taint")), 36864, "taint");
	is_str(text_at(root, "freeze", "mode"), "none", "no freeze");
	ok(json_is_null(json_object_get(json_object_get(root, "freeze"), "until")), "of no time");
	_cleanup_free_ char *effective = rk_asprintf("%s+rk2", h.kernel->running.release);
	is_str(json_string_value(json_object_get(root, "effective_kernel")), effective,
	       "effective");
	json_decref(root);
	end();
}

static void test_files(void)
{
	_cleanup_free_ char *effective = NULL, *cves = NULL, *metrics = NULL, *want = NULL;

	begin("files");
	hostmake_install(&h, 2);
	hostmake_load_good(&h, 2);
	_cleanup_status_ struct rk_status *status = collect();
	no_err(rk_effective_write(h.host, status), "without node_exporter's directory");
	no_err(rk_fs_read(h.host->effective_file, 4096, &effective, NULL), "effective");
	no_err(rk_fs_read(h.host->cvelist_file, 4096, &cves, NULL), "cvelist");
	want = rk_asprintf("%s+rk2\n", h.kernel->running.release);
	is_str(effective, want, "one line");
	is_str(cves, "CVE-2026-00001\nCVE-2026-00002\n", "a CVE a line");
	_cleanup_free_ char *file = rk_asprintf("%s%s", h.host->root, h.settings->metrics_file);
	ok(!rk_fs_exists(file), "no metrics");
	sysmake_put(h.host->root, "var/lib/prometheus/node-exporter/apt.prom", "");
	no_err(rk_effective_write(h.host, status), "with the directory");
	no_err(rk_fs_read(file, 65536, &metrics, NULL), "metrics");
	ok(strstr(metrics, "\nreadykernel_level 2\n") &&
		   strstr(metrics, "\nreadykernel_status 0\n") &&
		   strstr(metrics, "channel=\"stable\",verdict=\"latest\"} 1\n"),
	   "the figures");
	for (const char *line = metrics; *line; line += strcspn(line, "\n") + 1)
		if (!rk_has_prefix(line, "# HELP readykernel_") &&
		    !rk_has_prefix(line, "# TYPE readykernel_") &&
		    !rk_has_prefix(line, "readykernel_"))
			ok(false, "a line of another form: %.40s", line);
	end();
}

/* The health of the first line of a check, and its text. */
static void check_doctor(const char *name, const char *health, const char *part)
{
	_cleanup_status_ struct rk_status *status = collect();
	_cleanup_doctor_report_ struct rk_doctor_report *report = NULL;
	struct rk_settings_problem problem = {3, "unknown key 'x' (see readykernel.conf(5))"};
	struct rk_settings_problems problems = {&problem, rk_streq(name, "settings"), 1};
	struct rk_doctor doctor = {h.host, h.kernel, h.settings, &problems, status};

	if (!no_err(rk_doctor_run(&doctor, &report), name))
		return;
	rk_vec_for_each(&report->list, it)
		if (rk_streq(it->name, name)) {
			is_str(rk_health_name(it->health), health, name);
			ok(strstr(it->text, part) != NULL, "%s: %s", name, it->text);
			ok(!*it->advice == (it->health == RK_HEALTH_OK),
			   "advice when it isn't well");
			return;
		}
	ok(false, "there is a check '%s'", name);
}

static void put_sick(void)
{
	static const struct {
		const char *path, *text;
	} sys[] = {{"kernel/security/lockdown", "none [integrity] confidentiality\n"},
		   {"kernel/tracing/current_tracer", "function\n"},
		   {"kernel/debug/kprobes/list", "c0 k a+0x0\nc1 k b+0x0 [DISABLED]\n"}};

	for (size_t i = 0; i < ARRAY_SIZE(sys); i++)
		sysmake_put(h.host->sys, sys[i].path, sys[i].text);
	sysmake_put(h.host->proc, "sys/kernel/ftrace_enabled", "0\n");
	sysmake_put(h.host->proc, "sys/kernel/tainted", "640\n");
	sysmake_put(h.host->proc, "keys",
		    "1a I------ 1 perm 1f0b0000 0 0 keyring   .builtin_trusted_keys: 2\n"
		    "1b I------ 1 perm 1f0b0000 0 0 keyring   .machine: empty\n");
}

/* A certificate of the shortest kind: what its id is was asked of openssl(1). */
static void put_certificate(void)
{
	_cleanup_free_ char *file = rk_asprintf("%s" RK_CERTIFICATE_FILE, h.host->root);
	const char *const argv[] = {"openssl", "req",	  "-x509",     "-newkey", "ed25519",
				    "-nodes",  "-keyout", "/dev/null", "-subj",	  "/CN=modules",
				    "-out",    file,	  "-outform",  "DER",	  NULL};
	const struct rk_process_spec spec = {.argv = argv};
	_cleanup_process_result_ struct rk_process_result result = {};

	no_err(rk_process_check(&spec, &result), "a certificate");
}

static void check_keys(const char *id, const char *health, const char *part)
{
	_cleanup_str_ struct rk_str keys = RK_STR_INIT;

	rk_str_addf(&keys,
		    "1b I------ 1 perm 1f0b0000 0 0 keyring   .machine: empty\n"
		    "1c I------ 1 perm 1f0b0000 0 0 keyring   .platform: 1\n"
		    "1d I------ 1 perm 1f010000 0 0 asymmetri modules: %s: X509.rsa 01234567 []\n",
		    id);
	sysmake_put(h.host->proc, "keys", rk_str_get(&keys));
	check_doctor("certificate", health, part);
}

static void test_certificate(void)
{
	_cleanup_free_ char *file = NULL;
	char id[RK_CERTIFICATE_ID_SIZE] = "";

	begin("certificate");
	file = rk_asprintf("%s" RK_CERTIFICATE_FILE, h.host->root);
	check_doctor("certificate", "ok", "no certificate of who signs modules is there");
	sysmake_put(h.host->root, RK_CERTIFICATE_FILE + 1, "-----BEGIN CERTIFICATE-----\n");
	is_err_like(rk_certificate_key_id(file, id), RK_ERR_FORMAT,
		    "is no X.509 certificate in DER form", "a certificate in another form");
	check_doctor("certificate", "fail", "is no X.509 certificate in DER form");
	put_certificate();
	no_err(rk_certificate_key_id(file, id), "one in DER form");
	is_int((long long)strlen(id) % 2, 0, "an id of bytes");
	check_keys("00", "ok", "and doesn't ask for it");
	sysmake_put(h.host->sys, "kernel/security/lockdown", "none [integrity] confidentiality\n");
	check_keys("00", "fail", "doesn't list the key");
	check_keys(id, "ok", "knows the key");
	check_doctor("keyrings", "ok", "1 of the machine's owner");
	end();
}

static void test_doctor(void)
{
	_cleanup_free_ char *config = NULL;

	begin("doctor");
	config = rk_asprintf("config-%s", h.kernel->running.release);
	check_doctor("settings", "fail", "line 3: unknown key 'x'");
	check_doctor("switch", "ok", "nothing switches");
	check_doctor("kernel-config", "warn", "can't be read");
	sysmake_put(h.host->boot, config, GOOD_CONFIG);
	check_doctor("kernel-config", "ok", "is built for live patches");
	sysmake_put(h.host->boot, config, "CONFIG_MODULES=y\nCONFIG_SYSFS=y\n");
	check_doctor("kernel-config", "fail",
		     "without CONFIG_LIVEPATCH, CONFIG_DYNAMIC_FTRACE, CONFIG_KALLSYMS_ALL");
	check_doctor("livepatch", "ok", "takes live patches");
	check_doctor("lockdown", "ok", "isn't locked down; Secure Boot isn't there");
	check_doctor("ftrace", "fail", "has no ftrace");
	check_doctor("trust", "warn", "nothing is known");
	check_doctor("disk", "ok", "MiB free");
	check_doctor("clock", "ok", "2026-09-21T");
	check_doctor("levels", "ok", "levels installed: 0");
	check_doctor("transition", "ok", "no level");
	hostmake_install(&h, 1);
	put_sick();
	check_doctor("lockdown", "warn", "locked down ('integrity')");
	check_doctor("signatures", "fail", "1 of 1 levels aren't signed");
	check_doctor("keyrings", "warn", "2 built in, 0 secondary, 0 of the machine's owner");
	check_doctor("ftrace", "fail", "switched off");
	check_doctor("tracers", "warn", "'function'");
	check_doctor("kprobes", "warn", "2 kprobes");
	check_doctor("taint", "warn", "there was an oops or BUG; there was a warning");
	trust.timestamp_made = h.now - 8 * 86400;
	trust.timestamp_expires = h.now - 86400;
	check_doctor("trust", "fail", "has expired");
	trust.timestamp_expires = h.now + 86400;
	check_doctor("trust", "warn", "is of 2026-09-13T");
	trust.timestamp_made = h.now + 3600;
	check_doctor("clock", "fail", "but the repository signed at");
	trust.timestamp_made = h.now;
	check_doctor("trust", "ok", "is of 2026-09-21T");
	h.state->highest_time = h.now + 2 * 86400;
	check_doctor("clock", "warn", "and said 2026-09-23T");
	no_err(rk_host_state_block(h.state, HOST_BUILD_ID, 1, "crashed", "the host went down", 1),
	       "blocked");
	check_doctor("levels", "warn", "level 1 is blocked: the host went down");
	sysmake_patch(&h.sys, "other", "1\n", "0\n");
	check_doctor("livepatch", "warn", "'other' is loaded");
	sysmake_put(h.host->root, "etc/readykernel/disable", "");
	hostmake_cmdline(&h, "quiet");
	check_doctor("switch", "warn", "remove it");
	end();
}

static void test_licence(void)
{
	begin("licence");
	check_doctor("licence", "warn", "can't be told while nothing is trusted");
	trust.root_version = 1;
	trust.licence_state = "none";
	check_doctor("licence", "ok", "none is installed");
	trust.licence_id = "L-1";
	trust.licence_state = "valid";
	trust.licence_not_after = h.now;
	check_doctor("licence", "ok", "licence 'L-1' is valid until 2026-09-21T");
	trust.licence_state = "grace";
	check_doctor("licence", "warn", "licence 'L-1' ended at 2026-09-21T");
	trust.licence_state = "expired";
	check_doctor("licence", "fail", "licence 'L-1' ended at 2026-09-21T");
	trust.licence_state = "future";
	check_doctor("licence", "fail", "licence 'L-1' is not valid yet");
	trust.licence_id = NULL;
	trust.licence_problem = "no key of role 'licence' has signed it";
	check_doctor("licence", "fail", "no key of role 'licence'");
	end();
}

/* A configuration as the kernel shows it: packed. */
static void test_packed_config(void)
{
	/* gzip of "CONFIG_X=y\n", as "printf 'CONFIG_X=y\n' | gzip -n" makes it */
	static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
					       0x00, 0x03, 0x73, 0xf6, 0xf7, 0x73, 0xf3, 0x74,
					       0x8f, 0x8f, 0xb0, 0xad, 0xe4, 0x02, 0x00, 0x9b,
					       0xa9, 0x91, 0xf7, 0x0b, 0x00, 0x00, 0x00};

	begin("packed");
	sysmake_put_bytes(h.host->proc, "config.gz", packed, sizeof(packed));
	check_doctor("kernel-config", "fail", "this kernel is built without CONFIG_LIVEPATCH");
	sysmake_put_bytes(h.host->proc, "config.gz", "not packed", 10);
	check_doctor("kernel-config", "warn", "no kernel configuration");
	end();
}

int main(void)
{
	test_verdicts();
	test_taken_back();
	test_blind();
	test_document();
	test_files();
	test_doctor();
	test_certificate();
	test_licence();
	test_packed_config();
	return done_testing();
}
