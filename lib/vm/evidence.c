/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of a test, bound to what it was about by hashes: evidence.json for programs, the transcript for people.
 * File names are without directories: evidence is handed on to others.
 */
#include <string.h>

#include "lib/vm/test.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A text or null. Text of a guest may be any bytes; JSON takes only UTF-8. */
static json_t *text(const char *s)
{
	_cleanup_str_ struct rk_str clean = RK_STR_INIT;
	json_t *json;

	if (!s)
		return json_null();
	json = json_string(s);
	if (json)
		return json;
	for (const unsigned char *c = (const unsigned char *)s; *c; c++)
		rk_str_add_char(&clean, *c < 0x80 ? (char)*c : '?');
	return clean.failed ? NULL : json_string(rk_str_get(&clean));
}

static json_t *rounded(double seconds)
{
	return json_real((double)(long long)(seconds * 100 + 0.5) / 100);
}

static json_t *file(const char *path, const char *sha256)
{
	return path ? json_pack("{s:o, s:s}", "file", text(base_name(path)), "sha256", sha256)
		    : json_null();
}

/* An array of the lines of a text. */
static json_t *lines(const char *s)
{
	json_t *array = json_array();

	while (*s) {
		size_t len = strcspn(s, "\n");

		json_array_append_new(array, json_stringn(s, len));
		s += len + (s[len] == '\n');
	}
	return array;
}

static json_t *tasks(const struct rk_vm_step_result *result)
{
	json_t *array = json_array();

	rk_vec_for_each(&result->tasks, task)
		json_array_append_new(array,
				      json_pack("{s:i, s:o, s:o}", "pid", task->pid, "comm",
						text(task->comm), "stack", lines(task->stack)));
	return array;
}

static json_t *strings(const char *const *v, size_t nr)
{
	json_t *array = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(array, text(v[i]));
	return array;
}

static json_t *step(const struct rk_vm_step *step, const struct rk_vm_step_result *result)
{
	json_t *doc = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "name", step->title, "verb",
				rk_vm_verb_name(step->verb), "result",
				rk_vm_outcome_name(result->outcome), "seconds",
				rounded(result->seconds), "detail", text(result->detail), "output",
				strings(result->output.v, result->output.nr), "notes",
				strings(result->notes.v, result->notes.nr));

	if (doc && step->verb == RK_VM_CHECK)
		json_object_set_new(doc, "phase", json_string(step->arg));
	if (doc && result->tasks.nr)
		json_object_set_new(doc, "tasks", tasks(result));
	return doc;
}

static json_t *steps(const struct rk_vm_test *test)
{
	json_t *array = json_array();

	for (size_t i = 0; i < test->steps.list.nr; i++)
		json_array_append_new(array, step(&test->steps.list.v[i], &test->run.steps.v[i]));
	return array;
}

static json_t *findings(const struct rk_vm_test *test)
{
	json_t *array = json_array();

	rk_vec_for_each(&test->troubles, it)
		json_array_append_new(
			array, json_pack("{s:s, s:s, s:o, s:o, s:b}", "kind", it->kind, "step",
					 it->step, "text", text(it->text), "kernel_seconds",
					 it->seconds < 0 ? json_null() : json_real(it->seconds),
					 "counts", it->counts));
	return array;
}

static json_t *module(const struct rk_vm_test *test)
{
	const struct rk_manifest *manifest = test->info->manifest;
	json_t *doc = json_pack("{s:o, s:s, s:s, s:s}", "file", text(base_name(test->module)),
				"sha256", test->info->sha256, "name", test->info->name, "vermagic",
				test->info->vermagic);
	json_t *cves;

	if (!doc || !manifest)
		return doc;
	cves = json_array();
	rk_vec_for_each(&manifest->fixes, fix)
		rk_vec_for_each(&fix->cves, cve)
			json_array_append_new(cves, text(*cve));
	json_object_set_new(doc, "level", json_integer((json_int_t)manifest->level));
	json_object_set_new(doc, "cves", cves);
	return doc;
}

static json_t *target(const struct rk_vm_test *test)
{
	const struct rk_vm_result *run = &test->run;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", text(test->spec->target_id), "release",
			 text(run->release), "version", text(run->version), "build_id",
			 text(run->build_id), "image",
			 file(test->spec->image, test->session->image_sha256));
}

static json_t *machine(const struct rk_vm_test *test)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:s, s:s}", "qemu", test->spec->qemu, "accelerator",
			 "tcg", "cpus", (int)test->spec->cpus, "memory_mib",
			 (int)test->session->memory_mib, "init_sha256", test->session->init_sha256,
			 "initramfs_sha256", test->session->initramfs_sha256);
}

static json_t *scripts(const struct rk_vm_test *test)
{
	return json_pack("{s:o, s:o}", "before",
			 file(test->spec->before, test->session->before_sha256), "after",
			 file(test->spec->after, test->session->after_sha256));
}

static json_t *files(const struct rk_vm_test *test)
{
	json_t *array = json_array();

	for (size_t i = 0; i < test->spec->nr_files; i++) {
		json_t *doc = file(test->spec->files[i].host, test->session->file_sha256.v[i]);

		json_object_set_new(doc, "guest", text(test->spec->files[i].guest));
		json_array_append_new(array, doc);
	}
	return array;
}

/* The modules of a sequence that were loaded before, oldest first. */
static json_t *on_top_of(const struct rk_vm_test *test)
{
	json_t *array = json_array();

	for (const struct rk_vm_test *t = test->previous; t; t = t->previous)
		json_array_insert_new(array, 0, module(t));
	return array;
}

struct rk_err *rk_vm_test_evidence(const struct rk_vm_test *test, const struct rk_str *transcript,
				   json_t **ret)
{
	const struct rk_vm_test_spec *spec = test->spec;
	const char *verdict = rk_vm_test_has_passed(test) ? "passed" : "failed";
	char sha256[RK_SHA256_HEX_SIZE];

	RK_TRY(rk_sha256_bytes(rk_str_get(transcript), transcript->len, sha256));
	struct {
		const char *key;
		json_t *value;
	} members[] = {
		{"schema", json_string(RK_EVIDENCE_SCHEMA)},
		{"tool",
		 json_pack("{s:s, s:s}", "name", "kpatch-test", "version", spec->tool_version)},
		{"date", json_string(test->session->date)},
		{"verdict", json_string(verdict)},
		{"reasons", strings(test->reasons.v, test->reasons.nr)},
		{"notes", strings(test->notes.v, test->notes.nr)},
		{"module", module(test)},
		{"target", target(test)},
		{"machine", machine(test)},
		{"scripts", scripts(test)},
		{"files", files(test)},
		{"boot", json_pack("{s:i, s:i, s:i, s:i}", "number", (int)test->session->number,
				   "modules", (int)test->session->nr_tests, "position",
				   (int)test->position, "attempts", (int)test->session->boots)},
		{"on_top_of", on_top_of(test)},
		{"limits", json_pack("{s:i, s:i, s:i}", "boot_seconds", (int)test->session->boot_s,
				     "run_seconds", (int)spec->timeout_s, "transition_seconds",
				     (int)spec->transition_s)},
		{"boot_seconds", rounded(test->run.boot_seconds)},
		{"seconds", rounded(test->run.seconds)},
		{"steps", steps(test)},
		{"findings", findings(test)},
		{"transcript", file("transcript.txt", sha256)},
	};
	json_t *doc = json_object();
	bool failed = !doc;

	/* a member that is NULL, or couldn't be set, leaves a document that isn't whole */
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		failed |= json_object_set_new(doc, members[i].key, members[i].value) != 0;
	if (failed) {
		json_decref(doc);
		return rk_err_nomem();
	}
	*ret = doc;
	return NULL;
}

struct rk_err *rk_vm_test_transcript(const struct rk_vm_test *test, struct rk_str *ret)
{
	const struct rk_vm_result *run = &test->run;

	rk_str_addf(ret, "# test of '%s' (%s) on %s\n", test->info->name, base_name(test->module),
		    test->session->date);
	rk_str_addf(ret, "# %s\n\n", test->spec->qemu);
	rk_str_add_bytes(ret, rk_str_get(&run->transcript), run->transcript.len);
	if (run->qemu_output[0])
		rk_str_addf(ret, "\n# what QEMU said\n%s\n", run->qemu_output);
	rk_str_addf(ret, "\n# the console\n%s\n", run->console);
	rk_str_addf(ret, "\n# verdict: %s\n", rk_vm_test_has_passed(test) ? "passed" : "failed");
	rk_vec_for_each(&test->reasons, reason)
		rk_str_addf(ret, "#   %s\n", *reason);
	rk_vec_for_each(&test->notes, note)
		rk_str_addf(ret, "#   note: %s\n", *note);
	return rk_str_check(ret);
}
