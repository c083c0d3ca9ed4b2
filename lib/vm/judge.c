/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run means: which steps did not end as they should, and which lines of the kernel's log are held against the
 * patch. What the kernel already said before the patch was loaded, and says again without it, isn't the patch's doing: a
 * reproducer may show its flaw by a warning.
 */
#include <string.h>

#include "lib/livepatch/klog.h"
#include "lib/vm/test_internal.h"

/* A trace belongs to the trouble above it when it comes within this many lines. */
#define TRACE_DISTANCE 40

struct rk_err *rk_vm_test_add_reason(struct rk_vm_test *test, const char *fmt, ...)
{
	char buf[2048];
	va_list ap;
	const char *reason;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	reason = rk_arena_strdup(&test->arena, buf);
	if (!reason || !rk_vec_push(&test->reasons, reason))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *__printf(2, 3) add_note(struct rk_vm_test *test, const char *fmt, ...)
{
	char buf[2048];
	va_list ap;
	const char *note;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	note = rk_arena_strdup(&test->arena, buf);
	if (!note || !rk_vec_push(&test->notes, note))
		return rk_err_nomem();
	return NULL;
}

/* --- the kernel's log --- */

static size_t first_load(const struct rk_vm_test *test)
{
	for (size_t i = 0; i < test->steps.list.nr; i++)
		if (test->steps.list.v[i].verb == RK_VM_LOAD)
			return i;
	return test->steps.list.nr;
}

static bool is_before_load(const struct rk_vm_test *test, const struct rk_vm_log_line *line)
{
	return line->step == RK_VM_STEP_BOOT || line->step < first_load(test);
}

/* True when line is what the kernel also said before the patch was ever loaded, and comes from a check without it. */
static bool is_old_trouble(const struct rk_vm_test *test, const struct rk_vm_log_line *line)
{
	const struct rk_vm_step *step;

	if (is_before_load(test, line))
		return true;
	step = &test->steps.list.v[line->step];
	if (step->verb != RK_VM_CHECK || !rk_streq(step->arg, "unloaded"))
		return false;
	rk_vec_for_each(&test->run.log, other)
		if (is_before_load(test, other) && rk_klog_is_same(other->text, line->text))
			return true;
	return false;
}

/* True when a reason quotes text already. */
static bool is_quoted(const struct rk_vm_test *test, const char *text)
{
	rk_vec_for_each(&test->reasons, reason)
		if (strstr(*reason, text))
			return true;
	return false;
}

static struct rk_err *add_trouble(struct rk_vm_test *test, const struct rk_vm_log_line *line,
				  const char *kind)
{
	struct rk_vm_trouble trouble = {
		.kind = kind,
		.step = line->step == RK_VM_STEP_BOOT ? "boot"
						      : test->steps.list.v[line->step].title,
		.text = line->text,
		.seconds = line->seconds,
		.counts = !is_old_trouble(test, line),
	};

	if (!rk_vec_push(&test->troubles, trouble))
		return rk_err_nomem();
	if (!trouble.counts)
		return add_note(test, "in step '%s', without the patch, the kernel says (%s): %s",
				trouble.step, kind, trouble.text);
	if (is_quoted(test, trouble.text))
		return NULL;
	return rk_vm_test_add_reason(test, "in step '%s' the kernel says (%s): %s", trouble.step,
				     kind, trouble.text);
}

static struct rk_err *judge_log(struct rk_vm_test *test)
{
	size_t last = (size_t)-TRACE_DISTANCE; /* line of the last trouble */

	for (size_t i = 0; i < test->run.log.nr; i++) {
		const struct rk_vm_log_line *line = &test->run.log.v[i];
		const char *kind = rk_klog_trouble(line->priority, line->text);
		bool is_part = kind && rk_streq(kind, "trace") && i - last < TRACE_DISTANCE;

		if (!kind)
			continue;
		last = i;
		if (!is_part)
			RK_TRY(add_trouble(test, line, kind));
	}
	return NULL;
}

/* --- the steps --- */

/* What the kernel said about the patch in a step that failed: the last line of its own that is no mere notice. */
static const char *kernel_word(const struct rk_vm_test *test, size_t step)
{
	const char *word = NULL;

	rk_vec_for_each(&test->run.log, line)
		if (line->step == step && line->priority <= 4 &&
		    (strstr(line->text, "livepatch: ") ||
		     rk_has_prefix(line->text, test->info->name)) &&
		    !strstr(line->text, "taint"))
			word = line->text;
	return word;
}

/* A line of the console without its time; NULL without memory. */
static const char *console_line(struct rk_vm_test *test, const char *line, size_t len)
{
	const char *bracket = line[0] == '[' ? memchr(line, ']', len) : NULL;
	size_t skip = bracket ? (size_t)(bracket - line) + 1 : 0;

	while (skip < len && line[skip] == ' ')
		skip++;
	return rk_arena_strndup(&test->arena, line + skip, len - skip);
}

/* Why it panicked: the last complaint on the console before it; the panic's own words where there is none ("Fatal exception"
 * says nothing, the BUG above it does). The log's records of that moment never came. */
static const char *panic_cause(struct rk_vm_test *test)
{
	const char *end = strstr(test->run.console, test->run.panic);
	const char *cause = NULL;

	for (const char *line = test->run.console; line < end;) {
		size_t len = strcspn(line, "\n");
		const char *text = console_line(test, line, len);
		const char *kind = text ? rk_klog_trouble(0, text) : NULL;

		if (kind && (rk_streq(kind, "bug") || (!cause && rk_streq(kind, "oops"))))
			cause = text;
		line += len + (line[len] == '\n');
	}
	return cause;
}

static struct rk_err *judge_panic(struct rk_vm_test *test, const char *where, const char *step)
{
	struct rk_vm_trouble trouble = {
		.kind = "panic",
		.step = step,
		.text = test->run.panic,
		.seconds = -1,
		.counts = true,
	};
	const char *cause = panic_cause(test);

	if (!rk_vec_push(&test->troubles, trouble))
		return rk_err_nomem();
	return rk_vm_test_add_reason(test, "the kernel panicked %s: %s%s%s", where,
				     cause ? cause : "", cause ? "; " : "", test->run.panic);
}

static struct rk_err *judge_died(struct rk_vm_test *test, const char *where, const char *step)
{
	const struct rk_vm_result *run = &test->run;

	if (run->panic)
		return judge_panic(test, where, step);
	if (run->is_timed_out)
		return rk_vm_test_add_reason(test,
					     "the guest did not end within %u s; it was ended %s",
					     test->spec->timeout_s, where);
	return rk_vm_test_add_reason(test, "the guest ended by itself %s%s%s", where,
				     run->qemu_output[0] ? "; QEMU says: " : "", run->qemu_output);
}

static struct rk_err *judge_failed(struct rk_vm_test *test, size_t i)
{
	const struct rk_vm_step *step = &test->steps.list.v[i];
	const struct rk_vm_step_result *result = &test->run.steps.v[i];
	const char *word = kernel_word(test, i);

	if (step->optional)
		return add_note(
			test,
			"'%s' could not be loaded here, so what is patched in it was not tested: %s",
			step->arg, result->detail);
	return rk_vm_test_add_reason(test, "step '%s' failed: %s%s%s", step->title, result->detail,
				     word ? "; the kernel says: " : "", word ? word : "");
}

static struct rk_err *judge_step(struct rk_vm_test *test, size_t i)
{
	_cleanup_free_ char *where = rk_asprintf("in step '%s'", test->steps.list.v[i].title);

	if (!where)
		return rk_err_nomem();
	switch (test->run.steps.v[i].outcome) {
	case RK_VM_FAILED:
	case RK_VM_TIMED_OUT: return judge_failed(test, i);
	case RK_VM_DIED: return judge_died(test, where, test->steps.list.v[i].title);
	default: return NULL;
	}
}

static struct rk_err *judge_identity(struct rk_vm_test *test)
{
	const struct rk_manifest *manifest = test->info->manifest;
	const struct rk_vm_result *run = &test->run;

	if (!manifest || !run->is_up)
		return NULL;
	if (manifest->version && !rk_streq(manifest->version, run->version))
		RK_TRY(rk_vm_test_add_reason(test,
					     "the guest runs '%s', the module was made for '%s'",
					     run->version, manifest->version));
	if (manifest->build_id && run->build_id[0] && !rk_streq(manifest->build_id, run->build_id))
		RK_TRY(rk_vm_test_add_reason(
			test, "the guest's kernel has build-id %s, the module was made for %s",
			run->build_id, manifest->build_id));
	return NULL;
}

/* A guest that ended outside any step, and steps that should have run but didn't for no reason given so far. */
static struct rk_err *judge_end(struct rk_vm_test *test)
{
	if (!test->run.is_up)
		return judge_died(test, "before init was running", "boot");
	if (!test->run.is_finished && !test->reasons.nr)
		return judge_died(test, "between two steps", "");
	if (test->reasons.nr)
		return NULL;
	for (size_t i = 0; i < test->run.steps.nr; i++)
		if (test->run.steps.v[i].outcome == RK_VM_NOT_RUN)
			return rk_vm_test_add_reason(test, "step '%s' was not run",
						     test->steps.list.v[i].title);
	return NULL;
}

struct rk_err *rk_vm_test_judge(struct rk_vm_test *test)
{
	if (test->session->boots > 1)
		RK_TRY(add_note(test,
				"the guest's kernel was still booting after %u s; it was ended and "
				"booted once more",
				test->session->boot_s));
	RK_TRY(judge_identity(test));
	for (size_t i = 0; i < test->run.steps.nr; i++)
		RK_TRY(judge_step(test, i));
	RK_TRY(judge_log(test));
	return judge_end(test);
}
