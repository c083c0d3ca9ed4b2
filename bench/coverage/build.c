/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One fix: its patch is cut, kpatch-build runs as a process of its own (so that a crash is a result and not the end), and
 * its JSON is boiled down to a line of the table. Findings that a human must think about are accepted in a second call, as a human would.
 */
#include <string.h>

#include "bench/coverage/coverage.h"
#include "lib/base/fs.h"

/* A header can reach 400 units; on a busy machine they take their time. */
#define BUILD_TIMEOUT_MS (60 * 60 * 1000)
#define CARRIED_MAX	 12 /* files a fix may get from elsewhere before it is given up as incomplete */
#define LEFT_OUT_MAX	 3 /* words whose hunks may be left out of a fix */
#define STATUS_VERDICT	 3

static const char *const outcome_names[COV_OUTCOMES] = {
	[COV_BUILT] = "built",
	[COV_ACKNOWLEDGED] = "acknowledged",
	[COV_REFUSED] = "refused",
	[COV_INCOMPLETE] = "incomplete",
	[COV_ERROR] = "error",
	[COV_NO_EFFECT] = "no-effect",
	[COV_NOT_COMPILED] = "not-compiled",
	[COV_NO_DIFFERENCE] = "no-difference",
};

const char *cov_outcome_name(enum cov_outcome outcome)
{
	return outcome_names[outcome];
}

bool cov_outcome_counts(enum cov_outcome outcome)
{
	return outcome < COV_NO_EFFECT;
}

enum cov_outcome cov_outcome_of(const json_t *result)
{
	const char *name = json_string_value(json_object_get(result, "outcome"));
	enum cov_outcome o = 0;

	while (o < COV_OUTCOMES && (!name || !rk_streq(name, outcome_names[o])))
		o++;
	return o;
}

/* A fix while it is built. */
struct attempt {
	const struct cov_run *run;
	const struct cov_fix *fix;
	const char *dir;
	char *patch_path, *name;
	struct cov_paths carried, useless; /* files from elsewhere, and those that didn't help */
	char *complaint;		   /* of the last compile that failed */
	char *unknown; /* the word that the first compile stumbled over; "": any other complaint */
	struct cov_paths left_out; /* words, owned: hunks that add them aren't cut */
	json_t *result;
	double seconds, cpu_seconds;
	long peak_kib;
};

static void attempt_deinit(struct attempt *a)
{
	free(a->patch_path);
	free(a->name);
	free(a->complaint);
	free(a->unknown);
	rk_vec_for_each(&a->left_out.list, word)
		free((char *)*word);
	rk_vec_deinit(&a->left_out.list);
	rk_vec_deinit(&a->carried.list);
	rk_vec_deinit(&a->useless.list);
	json_decref(a->result);
}

struct rk_err *cov_cut(const struct cov_trees *trees, const struct cov_fix *fix,
		       const struct cov_paths *files, const struct cov_paths *left_out,
		       const char *path, bool *ret_differs)
{
	_cleanup_str_ struct rk_str patch = RK_STR_INIT;

	rk_str_addf(&patch, "Subject: [PATCH] %s\n\n", fix->cves.v[0]->title);
	rk_vec_for_each(&fix->cves, cve)
		rk_str_addf(&patch, "%s\n", (*cve)->id);
	rk_str_add(&patch, "---\n");
	size_t head = patch.len;
	rk_vec_for_each(&files->list, file) {
		_cleanup_str_ struct rk_str diff = RK_STR_INIT;
		RK_TRY(cov_trees_diff(trees, *file, &diff));
		RK_TRY(cov_leave_out(rk_str_get(&diff), left_out, &patch));
	}
	*ret_differs = patch.len > head;
	return rk_fs_write(path, rk_str_get(&patch), patch.len, 0644);
}

/* The patch of the fix's own files and those it carries; *ret_differs: there is any difference. */
static struct rk_err *cut(struct attempt *a, bool *ret_differs)
{
	struct cov_paths files = {};
	bool ok = true;

	rk_vec_for_each(&a->fix->files, path)
		ok = ok && rk_vec_push(&files.list, *path);
	rk_vec_for_each(&a->carried.list, path)
		ok = ok && rk_vec_push(&files.list, *path);
	struct rk_err *err = ok ? cov_cut(a->run->trees, a->fix, &files, &a->left_out,
					  a->patch_path, ret_differs)
				: rk_err_nomem();
	rk_vec_deinit(&files.list);
	return err;
}

static struct rk_err *call_build(struct attempt *a, const json_t *accepted, struct cov_call *ret)
{
	_cleanup_cov_words_ struct cov_words words = {};
	const char *const fixed[] = {"kpatch-build",	"--json", "--quiet", "--offline", "--jobs",
				     a->run->jobs_each, "--name", a->name,   "--output",  a->dir};
	const json_t *code;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		cov_words_add(&words, fixed[i]);
	for (i = 0; a->run->target_args[i]; i++)
		cov_words_add(&words, a->run->target_args[i]);
	json_array_foreach(accepted, i, code)
	{
		cov_words_add(&words, "--accept");
		cov_words_add(&words, json_string_value(code));
	}
	cov_words_add(&words, a->patch_path);
	RK_TRY(cov_call(cov_words_end(&words), BUILD_TIMEOUT_MS, ret));
	a->seconds += ret->process.seconds;
	a->cpu_seconds += ret->process.cpu_seconds;
	if (ret->process.peak_kib > a->peak_kib)
		a->peak_kib = ret->process.peak_kib;
	return NULL;
}

static bool is_severity(const json_t *finding, const char *severity)
{
	const char *s = json_string_value(json_object_get(finding, "severity"));
	return s && rk_streq(s, severity);
}

static const char *code_of(const json_t *finding)
{
	const char *code = json_string_value(json_object_get(finding, "code"));
	return code ? code : "";
}

/* Codes of the findings of that severity, each once; a new reference. */
static json_t *codes_of(const json_t *findings, const char *severity)
{
	json_t *seen = json_object(), *codes = json_array();
	const json_t *finding;
	size_t i;

	json_array_foreach(findings, i, finding)
	{
		const char *code = code_of(finding);
		if (!is_severity(finding, severity) || json_object_get(seen, code))
			continue;
		json_object_set_new(seen, code, json_true());
		json_array_append_new(codes, json_string(code));
	}
	json_decref(seen);
	return codes;
}

/* What a negative verdict comes to: a fix without effect here isn't one that was refused. */
static enum cov_outcome refusal(const json_t *doc, const json_t *errors)
{
	const char *only = json_string_value(json_array_get(errors, 0));

	if (json_array_size(errors) != 1 || !rk_streq(only, "no-change"))
		return COV_REFUSED;
	return json_array_size(json_object_get(doc, "units")) ? COV_NO_EFFECT : COV_NOT_COMPILED;
}

static void set_outcome(struct attempt *a, enum cov_outcome outcome)
{
	json_object_set_new(a->result, "outcome", json_string(outcome_names[outcome]));
}

/* The facts of a document that kpatch-build printed. */
static void take_document(struct attempt *a, const json_t *doc)
{
	const json_t *units = json_object_get(doc, "units");
	json_t *paths = json_array(), *objects = json_array(), *seen = json_object();
	const json_t *unit;
	size_t i;

	json_array_foreach(units, i, unit)
	{
		json_t *object = json_object_get(unit, "object");
		json_array_append(paths, json_object_get(unit, "path"));
		if (object && json_object_set(seen, json_string_value(object), object) == 0 &&
		    json_object_size(seen) > json_array_size(objects))
			json_array_append(objects, object);
	}
	json_decref(seen);
	json_object_set_new(a->result, "units", paths);
	json_object_set_new(a->result, "objects", objects);
	json_object_set(a->result, "functions", json_object_get(doc, "functions"));
	json_object_set(a->result, "findings", json_object_get(doc, "findings"));
	json_object_set(a->result, "module", json_object_get(doc, "module"));
	json_object_set(a->result, "size", json_object_get(doc, "size"));
}

/* Of what a compiler said the first complaint; of other messages the first line. */
static const char *first_complaint(const char *message, size_t *ret_len)
{
	for (const char *p = message; *p;) {
		size_t len = strcspn(p, "\n");
		const char *mark = memmem(p, len, "error: ", strlen("error: "));
		if (mark) {
			*ret_len = len;
			return p;
		}
		p += len + (p[len] != '\0');
	}
	*ret_len = strcspn(message, "\n");
	return message;
}

static void set_message(struct attempt *a, const char *message)
{
	size_t len;
	const char *line = first_complaint(message, &len);

	json_object_set_new(a->result, "message", json_stringn_nocheck(line, len));
}

/* A file that was carried along and left the complaint as it was is dropped again. */
static struct rk_err *drop_useless(struct attempt *a, const char *message)
{
	size_t len;
	const char *line = first_complaint(message, &len);
	_cleanup_free_ char *complaint = strndup(line, len);
	size_t last = a->carried.list.nr - 1;

	if (!complaint)
		return rk_err_nomem();
	if (a->complaint && a->carried.list.nr && rk_streq(a->complaint, complaint)) {
		if (!rk_vec_push(&a->useless.list, a->carried.list.v[last]))
			return rk_err_nomem();
		a->carried.list.nr = last;
	}
	free(a->complaint);
	a->complaint = take_ptr(complaint);
	return NULL;
}

static bool is_among(const struct cov_paths *paths, const char *path)
{
	rk_vec_for_each(&paths->list, it)
		if (rk_streq(*it, path))
			return true;
	return false;
}

static struct rk_err *add_carried(struct attempt *a, const char *message, bool *ret_grew)
{
	struct cov_paths found = {};

	*ret_grew = false;
	RK_TRY(drop_useless(a, message));
	struct rk_err *err = cov_missing_declarations(a->run->trees, message, &found);
	for (size_t i = 0; i < found.list.nr && !err && !*ret_grew; i++) {
		bool known = is_among(&a->carried, found.list.v[i]) ||
			     is_among(&a->useless, found.list.v[i]);
		rk_vec_for_each(&a->fix->files, path)
			known |= rk_streq(*path, found.list.v[i]);
		if (known || a->carried.list.nr + a->useless.list.nr >= CARRIED_MAX)
			continue;
		*ret_grew = rk_vec_push(&a->carried.list, found.list.v[i]);
		err = *ret_grew ? NULL : rk_err_nomem();
	}
	rk_vec_deinit(&found.list);
	return err;
}

/* Once nothing more can be carried along: without the hunks that ask for it, and without what was carried for them. */
static struct rk_err *leave_out(struct attempt *a, bool *ret_again)
{
	if (!a->unknown || !*a->unknown || a->left_out.list.nr == LEFT_OUT_MAX)
		return NULL;
	if (!rk_vec_push(&a->left_out.list, a->unknown))
		return rk_err_nomem();
	a->unknown = NULL;
	free(take_ptr(a->complaint));
	a->carried.list.nr = a->useless.list.nr = 0;
	*ret_again = true;
	return NULL;
}

static struct rk_err *complete(struct attempt *a, const char *message, bool *ret_again)
{
	if (!a->unknown) {
		RK_TRY(cov_unknown_word(a->run->trees, a->fix, message, &a->unknown));
		a->unknown = a->unknown ? a->unknown : strdup("");
		if (!a->unknown)
			return rk_err_nomem();
	}
	RK_TRY(add_carried(a, message, ret_again));
	return *ret_again ? NULL : leave_out(a, ret_again);
}

/* A failed call: its error, or that it ended without saying anything. *ret_again: with one more file it may be another. */
static struct rk_err *take_failure(struct attempt *a, const struct cov_call *call, bool *ret_again)
{
	const json_t *error = json_object_get(call->json, "error");
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *message = json_string_value(json_object_get(error, "message"));

	*ret_again = false;
	if (code && message && rk_streq(code, rk_err_code_name(RK_ERR_COMPILE))) {
		RK_TRY(complete(a, message, ret_again));
		set_outcome(a, COV_INCOMPLETE);
	} else {
		set_outcome(a, COV_ERROR);
	}
	json_object_set_new(a->result, "compiler", json_string(message ? message : ""));
	if (message)
		set_message(a, message);
	else
		json_object_set_new(a->result, "message",
				    json_sprintf("kpatch-build ended with status %d and no result",
						 call->process.status));
	return NULL;
}

/* The names that a refused build says can't be reached: a function that another part of the update brought. */
static char *unresolved_of(const json_t *findings)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	const json_t *finding;
	size_t i;
	char *names;

	json_array_foreach(findings, i,
			   finding) if (rk_streq(code_of(finding), "symbol-unresolved"))
		rk_str_addf(&text, "undefined reference to '%s'\n",
			    json_string_value(json_object_get(finding, "symbol")));
	struct rk_err *err = rk_str_take(&text, &names);
	rk_err_free(err);
	return err ? NULL : names;
}

static struct rk_err *accept_all(struct attempt *a, json_t *codes, bool *ret_again)
{
	_cleanup_cov_call_ struct cov_call call = {};

	RK_TRY(call_build(a, codes, &call));
	if (call.process.status == 0 && call.json) {
		set_outcome(a, COV_ACKNOWLEDGED);
		take_document(a, call.json);
		return NULL;
	}
	if (call.process.status != STATUS_VERDICT)
		return take_failure(a, &call, ret_again);
	take_document(a, call.json);
	set_outcome(a, COV_REFUSED);
	return NULL;
}

static struct rk_err *take_verdict(struct attempt *a, const json_t *doc, bool *ret_again)
{
	const json_t *findings = json_object_get(doc, "findings");
	json_t *errors = codes_of(findings, "error");
	json_t *open = codes_of(findings, "acknowledge");
	_cleanup_free_ char *missing = unresolved_of(findings);
	struct rk_err *err = NULL;

	take_document(a, doc);
	set_outcome(a, refusal(doc, errors));
	if (cov_outcome_counts(refusal(doc, errors))) {
		json_object_set(a->result, "errors", errors);
		json_object_set(a->result, "acknowledge", open);
	} else {
		json_object_del(a->result, "findings");
	}
	if (json_array_size(errors) == 0)
		err = accept_all(a, open, ret_again);
	else if (missing && *missing)
		err = add_carried(a, missing, ret_again);
	json_decref(errors);
	json_decref(open);
	return err;
}

static struct rk_err *try_once(struct attempt *a, bool *ret_again)
{
	_cleanup_cov_call_ struct cov_call call = {};
	bool differs;

	*ret_again = false;
	RK_TRY(cut(a, &differs));
	if (!differs) {
		set_outcome(a, a->left_out.list.nr ? COV_INCOMPLETE : COV_NO_DIFFERENCE);
		return NULL;
	}
	RK_TRY(call_build(a, NULL, &call));
	if (call.process.status == STATUS_VERDICT && call.json)
		return take_verdict(a, call.json, ret_again);
	if (call.process.status != 0 || !call.json)
		return take_failure(a, &call, ret_again);
	set_outcome(a, COV_BUILT);
	take_document(a, call.json);
	return NULL;
}

static struct rk_err *describe(struct attempt *a)
{
	json_t *cves = json_array(), *files = json_array(), *carried = json_array();
	json_t *left_out = json_array();

	rk_vec_for_each(&a->fix->cves, c)
		json_array_append_new(cves,
				      json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", (*c)->id,
						"title", (*c)->title, "severity", (*c)->severity,
						"score", (*c)->score, "fixed_in", (*c)->fixed_in));
	json_object_set_new(a->result, "cves", cves);
	rk_vec_for_each(&a->fix->files, path) {
		enum cov_file_state state;
		RK_TRY(cov_trees_state(a->run->trees, *path, &state));
		json_array_append_new(files, json_pack("{s:s, s:s}", "path", *path, "state",
						       cov_file_state_name(state)));
	}
	json_object_set_new(a->result, "files", files);
	rk_vec_for_each(&a->carried.list, path)
		json_array_append_new(carried, json_string(*path));
	json_object_set_new(a->result, "carried", carried);
	rk_vec_for_each(&a->left_out.list, word)
		json_array_append_new(left_out, json_string(*word));
	json_object_set_new(a->result, "left_out", left_out);
	json_object_set_new(a->result, "seconds", json_real(a->seconds));
	json_object_set_new(a->result, "cpu_seconds", json_real(a->cpu_seconds));
	json_object_set_new(a->result, "peak_kib", json_integer(a->peak_kib));
	return NULL;
}

static struct rk_err *attempt_all(struct attempt *a)
{
	bool again = true;

	while (again) {
		json_object_clear(a->result);
		json_object_set_new(a->result, "id", json_string(a->fix->id));
		RK_TRY(try_once(a, &again));
	}
	return describe(a);
}

/* By its hash a module is known: whether it is the one that was loaded, and whether another build gives the same. */
static struct rk_err *add_hash(struct attempt *a)
{
	const char *module = json_string_value(json_object_get(a->result, "module"));
	char hex[RK_SHA256_HEX_SIZE];

	if (!module)
		return NULL;
	RK_TRY(rk_sha256_file(module, hex));
	json_object_set_new(a->result, "module_sha256", json_string(hex));
	return NULL;
}

struct rk_err *cov_build_fix(const struct cov_run *run, const struct cov_fix *fix, const char *dir,
			     json_t **ret)
{
	_cleanup_(attempt_deinit) struct attempt a = {
		.run = run,
		.fix = fix,
		.dir = dir,
		.patch_path = rk_path_join(dir, "fix.patch"),
		.name = strdup(fix->id),
		.result = json_object(),
	};

	if (!a.patch_path || !a.name || !a.result)
		return rk_err_nomem();
	RK_TRY(rk_fs_remove_tree(dir));
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	RK_TRY(attempt_all(&a));
	RK_TRY(add_hash(&a));
	*ret = json_incref(a.result);
	return NULL;
}
