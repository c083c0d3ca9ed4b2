/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests from start to end: check that modules and image belong together, then boot with all tests that are left, judge those
 * whose turn came, and boot again for the others until none is left.
 */
#include "lib/vm/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/vm/image.h"
#include "lib/vm/test_internal.h"

#define MEMORY_MIB	512	   /* of a guest whose files are few */
#define FILES_FREE_MIB	64	   /* so many */
#define TRANSITIONS_MAX 4	   /* load, unload, load again, unload again */
#define FILES_FACTOR	2	   /* the archive and what is unpacked from it */
#define FILES_PER_S	(4u << 20) /* are unpacked while the kernel boots, on a slow machine */
#define BOOTS_MAX	2
#define SESSION_SIZE	(384u << 20) /* files of one boot; the tests that are left get another */

/* Steps first … first + nr - 1 of a session are test's. */
struct part {
	struct rk_vm_test *test;
	size_t first, nr;
};

struct runner {
	const struct rk_vm_test_spec *spec;
	struct rk_vm_tests *tests;
	rk_vm_on_test *on_test;
	void *ctx;
	char *initramfs, *console;
	struct rk_image_info image;
	struct rk_arena arena;
	/* of the session under way */
	rk_vec(struct part) parts;
	size_t part; /* under way */
	double started;
	unsigned int more_ms;
};

/* One module, or modules that need one another: what can't be tested is an error, not a verdict. */
static bool is_strict(const struct rk_vm_test_spec *spec)
{
	return spec->nr_modules == 1 || spec->is_sequence;
}

/* vermagic begins with the release: "6.1.0-47-cloud-amd64 SMP preempt …" */
static struct rk_err *check_match(const struct rk_vm_test *test, const struct rk_image_info *image)
{
	const struct rk_module_info *info = test->info;
	size_t len = strcspn(info->vermagic, " ");

	if (!info->is_livepatch)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s' is no live patch module (its .modinfo has no 'livepatch=Y')",
			      test->module);
	if (strlen(image->release) != len || strncmp(image->release, info->vermagic, len) != 0)
		return rk_err(RK_ERR_MISMATCH, "'%s' is kernel %s, '%s' was made for %.*s",
			      test->spec->image, image->release, test->module, (int)len,
			      info->vermagic);
	if (info->manifest && info->manifest->version &&
	    !rk_streq(info->manifest->version, image->version))
		return rk_err(RK_ERR_MISMATCH, "'%s' is kernel '%s', '%s' was made for '%s'",
			      test->spec->image, image->version, test->module,
			      info->manifest->version);
	return NULL;
}

static struct rk_err *finish_test(struct runner *r, struct rk_vm_test *test)
{
	test->is_judged = true;
	return r->on_test ? r->on_test(r->ctx, test) : NULL;
}

/* err means that test can't be made: handed on, or the test's reason to have failed. */
static struct rk_err *cannot_test(struct runner *r, struct rk_vm_test *test, struct rk_err *err)
{
	_cleanup_err_ struct rk_err *why = err;
	enum rk_err_code code = err ? rk_err_code(err) : RK_ERR_CODES;

	if (!err)
		return NULL;
	if (is_strict(r->spec) || code == RK_ERR_NOMEM || code == RK_ERR_INTERRUPTED)
		return take_ptr(why);
	RK_TRY(rk_vm_test_add_reason(test, "cannot be tested: %s", rk_err_message(why)));
	test->steps.list.nr = 0;
	return finish_test(r, test);
}

static struct rk_err *inspect(struct rk_vm_test *test, const struct rk_image_info *image)
{
	RK_TRY(rk_module_info_read(test->module, &test->info));
	return check_match(test, image);
}

static struct rk_err *create_tests(struct runner *r)
{
	const struct rk_vm_test_spec *spec = r->spec;
	struct rk_vm_test *previous = NULL;

	for (size_t i = 0; i < spec->nr_modules; i++) {
		struct rk_vm_test *test = calloc(1, sizeof(*test));

		if (!test || !rk_vec_push(&r->tests->list, test)) {
			free(test);
			return rk_err_nomem();
		}
		test->spec = spec;
		test->number = i;
		test->module = spec->modules[i];
		test->previous = spec->is_sequence ? previous : NULL;
		test->is_last = i == spec->nr_modules - 1;
		previous = test;
		RK_TRY(cannot_test(r, test, inspect(test, &r->image)));
	}
	return NULL;
}

/* --- one session --- */

static void set_date(struct rk_vm_session *session)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(session->date, sizeof(session->date), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static struct rk_err *hash_inputs(struct rk_vm_session *session, const struct rk_vm_test_spec *spec,
				  const char *initramfs)
{
	RK_TRY(rk_sha256_file(spec->image, session->image_sha256));
	RK_TRY(rk_sha256_file(initramfs, session->initramfs_sha256));
	RK_TRY(rk_sha256_bytes(spec->init, spec->init_size, session->init_sha256));
	if (spec->before)
		RK_TRY(rk_sha256_file(spec->before, session->before_sha256));
	if (spec->after)
		RK_TRY(rk_sha256_file(spec->after, session->after_sha256));
	for (size_t i = 0; i < spec->nr_files; i++) {
		char *sha256 = rk_arena_alloc(&session->arena, RK_SHA256_HEX_SIZE);

		if (!sha256 || !rk_vec_push(&session->file_sha256, sha256))
			return rk_err_nomem();
		RK_TRY(rk_sha256_file(spec->files[i].host, sha256));
	}
	return NULL;
}

static struct rk_err *add_part(struct runner *r, struct rk_vm_session *session,
			       struct rk_vm_test *test)
{
	struct part part = {test, session->steps.list.nr, test->steps.list.nr};

	rk_vec_for_each(&test->steps.list, step)
		if (!rk_vec_push(&session->steps.list, *step))
			return rk_err_nomem();
	if (!rk_vec_push(&r->parts, part))
		return rk_err_nomem();
	test->session = session;
	test->position = ++session->nr_tests;
	return NULL;
}

/* Plans tests that are left, as many as one boot takes. */
static struct rk_err *add_parts(struct runner *r, struct rk_vm_session *session,
				struct rk_vm_payload *payload)
{
	rk_vec_for_each(&r->tests->list, it) {
		struct rk_vm_test *test = *it;

		if (test->is_judged)
			continue;
		test->steps.list.nr = 0;
		RK_TRY(cannot_test(r, test, rk_vm_test_plan(test, payload)));
		if (test->is_judged)
			continue;
		RK_TRY(add_part(r, session, test));
		if (!r->spec->is_sequence && rk_initramfs_size(payload->fs) > SESSION_SIZE)
			break;
	}
	return NULL;
}

static unsigned int memory_for(const struct rk_vm_test_spec *spec, size_t files)
{
	unsigned int mib = (unsigned int)(files >> 20);

	if (spec->memory_mib)
		return spec->memory_mib;
	return MEMORY_MIB + (mib > FILES_FREE_MIB ? FILES_FACTOR * mib : 0);
}

/* All files are unpacked before init runs. */
static unsigned int boot_limit_for(const struct rk_vm_test_spec *spec, size_t files)
{
	unsigned int limit = spec->boot_s + (unsigned int)(files / FILES_PER_S);

	return limit < spec->timeout_s ? limit : spec->timeout_s;
}

static struct rk_err *prepare(struct runner *r, struct rk_vm_session *session)
{
	struct rk_vm_payload payload;
	struct rk_err *err;

	set_date(session);
	rk_report_phase(r->spec->reporter, "prepare", "initramfs");
	RK_TRY(rk_vm_payload_open(r->spec, r->initramfs, &payload));
	err = add_parts(r, session, &payload);
	if (err || !r->parts.nr) {
		rk_vm_payload_abandon(&payload);
		return err;
	}
	session->memory_mib = memory_for(r->spec, rk_initramfs_size(payload.fs));
	session->boot_s = boot_limit_for(r->spec, rk_initramfs_size(payload.fs));
	RK_TRY(rk_vm_payload_finish(&payload, &session->steps));
	return hash_inputs(session, r->spec, r->initramfs);
}

static void report_step(const struct runner *r, const struct part *part, size_t step, bool is_new)
{
	const struct rk_vm_test *test = part->test;

	if (r->spec->nr_modules == 1)
		rk_report_phase(r->spec->reporter, "test", "%s",
				test->steps.list.v[step - part->first].title);
	else if (is_new)
		rk_report_phase(r->spec->reporter, "test", "[%zu/%zu] %s", test->number + 1,
				r->spec->nr_modules, test->info->name);
}

static unsigned int work_ms(const struct rk_vm_test *test)
{
	return rk_vm_test_work_s(test) * TRANSITIONS_MAX * 1000;
}

/* The limit in time is one module's: it starts again with each. */
static void on_step(void *ctx, size_t step)
{
	struct runner *r = ctx;
	size_t i = r->part;

	while (i + 1 < r->parts.nr && step >= r->parts.v[i + 1].first)
		i++;
	report_step(r, &r->parts.v[i], step, i != r->part || !step);
	if (i != r->part)
		r->more_ms = (unsigned int)((rk_clock_seconds() - r->started) * 1000) +
			     work_ms(r->parts.v[i].test);
	r->part = i;
}

/* True when the guest came to a step of it. */
static bool has_begun(const struct rk_vm_result *run, const struct part *part)
{
	for (size_t i = part->first; i < part->first + part->nr; i++)
		if (run->steps.v[i].transcript_at)
			return true;
	return false;
}

static struct rk_err *judge_parts(struct runner *r, struct rk_vm_session *session)
{
	bool is_boot_failure = session->run.last_step == RK_VM_STEP_BOOT;

	rk_vec_for_each(&r->parts, part) {
		if (!is_boot_failure && !r->spec->is_sequence && !has_begun(&session->run, part))
			continue;
		RK_TRY(rk_vm_result_cut(&session->run, part->first, part->nr, &part->test->run));
		RK_TRY(rk_vm_test_judge(part->test));
		RK_TRY(finish_test(r, part->test));
	}
	return NULL;
}

static void report_boot(const struct runner *r, const struct rk_vm_session *session)
{
	if (r->spec->nr_modules == 1)
		rk_report_phase(r->spec->reporter, "boot", "kernel %s", r->image.release);
	else
		rk_report_phase(r->spec->reporter, "boot", "kernel %s for %zu module%s",
				r->image.release, session->nr_tests,
				session->nr_tests == 1 ? "" : "s");
}

/* A guest that was ended before its init ran: nothing of the patch was even read. */
static bool is_boot_stuck(const struct rk_vm_result *run)
{
	return run->is_timed_out && !run->is_up && !run->panic;
}

/* The last line of the console, where the kernel said something. */
static void last_words(const struct rk_vm_result *run, struct rk_str *ret)
{
	const char *end = run->console + strlen(run->console);
	const char *start;

	while (end > run->console && end[-1] == '\n')
		end--;
	start = end;
	while (start > run->console && start[-1] != '\n')
		start--;
	if (start < end)
		rk_str_addf(ret, "; its console ends with '%.*s'", (int)(end - start), start);
}

/* Twice is no accident: what is left can't be tested here. */
static struct rk_err *give_up(struct runner *r, struct rk_vm_session *session)
{
	_cleanup_str_ struct rk_str words = RK_STR_INIT;

	last_words(&session->run, &words);
	RK_TRY(rk_str_check(&words));
	rk_vec_for_each(&r->parts, part) {
		part->test->session = NULL;
		RK_TRY(cannot_test(
			r, part->test,
			rk_err(RK_ERR_TIMEOUT,
			       "kernel %s did not come up within %u s, %u times%s; is this "
			       "machine too busy? see --boot-timeout",
			       r->image.release, session->boot_s, BOOTS_MAX, rk_str_get(&words))));
	}
	return NULL;
}

static struct rk_err *boot(struct runner *r, struct rk_vm_session *session)
{
	struct rk_vm_machine machine = {
		.image = r->spec->image,
		.initramfs = r->initramfs,
		.console = r->console,
		.memory_mib = session->memory_mib,
		.cpus = r->spec->cpus,
		.boot_s = session->boot_s,
		.timeout_s = r->spec->timeout_s,
		.more_ms = &r->more_ms,
		.on_step = on_step,
		.on_step_ctx = r,
	};

	report_boot(r, session);
	r->started = rk_clock_seconds();
	rk_vm_result_deinit(&session->run);
	session->run = (struct rk_vm_result){};
	RK_TRY(rk_vm_boot(&machine, &session->steps, &session->run));
	session->seconds += session->run.seconds;
	session->boots++;
	return NULL;
}

static struct rk_err *run_session(struct runner *r)
{
	struct rk_vm_session *session = calloc(1, sizeof(*session));

	if (!session || !rk_vec_push(&r->tests->sessions, session)) {
		free(session);
		return rk_err_nomem();
	}
	session->number = r->tests->sessions.nr;
	r->parts.nr = 0;
	r->part = 0;
	RK_TRY(prepare(r, session));
	if (!r->parts.nr)
		return NULL;
	r->more_ms = work_ms(r->parts.v[0].test);
	do
		RK_TRY(boot(r, session));
	while (is_boot_stuck(&session->run) && session->boots < BOOTS_MAX);
	return is_boot_stuck(&session->run) ? give_up(r, session) : judge_parts(r, session);
}

static bool is_left(const struct rk_vm_tests *tests)
{
	rk_vec_for_each(&tests->list, test)
		if (!(*test)->is_judged)
			return true;
	return false;
}

static struct rk_err *run(struct runner *r)
{
	r->initramfs = rk_path_join(r->spec->work_dir, "initramfs.cpio");
	r->console = rk_path_join(r->spec->work_dir, "console.log");
	if (!r->initramfs || !r->console)
		return rk_err_nomem();
	RK_TRY(rk_image_info_read(r->spec->image, &r->arena, &r->image));
	RK_TRY(create_tests(r));
	while (is_left(r->tests))
		RK_TRY(run_session(r));
	return NULL;
}

struct rk_err *rk_vm_tests_run(const struct rk_vm_test_spec *spec, rk_vm_on_test *on_test,
			       void *ctx, struct rk_vm_tests **ret)
{
	_cleanup_vm_tests_ struct rk_vm_tests *tests = calloc(1, sizeof(*tests));
	struct runner r = {.spec = spec, .tests = tests, .on_test = on_test, .ctx = ctx};
	struct rk_err *err;

	if (!tests)
		return rk_err_nomem();
	tests->spec = spec;
	err = run(&r);
	free(r.initramfs);
	free(r.console);
	rk_vec_deinit(&r.parts);
	rk_arena_deinit(&r.arena);
	if (!err)
		*ret = take_ptr(tests);
	return err;
}

size_t rk_vm_tests_boots(const struct rk_vm_tests *tests)
{
	size_t boots = 0;

	rk_vec_for_each(&tests->sessions, session)
		boots += (*session)->boots;
	return boots;
}

double rk_vm_test_seconds(const struct rk_vm_test *test)
{
	double seconds = 0;

	rk_vec_for_each(&test->run.steps, step)
		seconds += step->seconds;
	return seconds;
}

static void free_test(struct rk_vm_test *test)
{
	if (test->info)
		rk_module_info_free(test->info);
	rk_vec_deinit(&test->steps.list);
	rk_vm_result_deinit(&test->run);
	rk_vec_deinit(&test->troubles);
	rk_vec_deinit(&test->reasons);
	rk_vec_deinit(&test->notes);
	rk_arena_deinit(&test->arena);
	free(test);
}

static void free_session(struct rk_vm_session *session)
{
	rk_vec_deinit(&session->steps.list);
	rk_vec_deinit(&session->file_sha256);
	rk_vm_result_deinit(&session->run);
	rk_arena_deinit(&session->arena);
	free(session);
}

void rk_vm_tests_free(struct rk_vm_tests *tests)
{
	if (!tests)
		return;
	rk_vec_for_each(&tests->list, test)
		free_test(*test);
	rk_vec_for_each(&tests->sessions, session)
		free_session(*session);
	rk_vec_deinit(&tests->list);
	rk_vec_deinit(&tests->sessions);
	free(tests);
}
