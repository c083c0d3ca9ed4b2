/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of escaped text fields, and the list of steps written as such records. */
#include "lib/vm/protocol.h"

#include <stdlib.h>
#include <string.h>

enum {
	FIELD_VERB,
	FIELD_LIMIT,
	FIELD_OPTIONAL,
	FIELD_GROUP,
	FIELD_TITLE,
	FIELD_PATH,
	FIELD_ARG,
	FIELD_PATCH,
	FIELD_WORK,
	STEP_FIELDS
};

static const char *const verb_names[RK_VM_VERBS] = {
	[RK_VM_INSMOD] = "insmod",
	[RK_VM_LOAD] = "load",
	[RK_VM_CHECK] = "check",
	[RK_VM_UNLOAD] = "unload",
	[RK_VM_FUNCTIONS] = "functions",
	[RK_VM_REPLACED] = "replaced",
	[RK_VM_UNLOAD_REST] = "unload-rest",
};

const char *rk_vm_verb_name(enum rk_vm_verb verb)
{
	return verb_names[verb];
}

static void add_escaped(struct rk_str *str, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '\\')
			rk_str_add(str, "\\\\");
		else if (*c < 0x20 || *c == 0x7f)
			rk_str_addf(str, "\\x%02x", *c);
		else
			rk_str_add_char(str, (char)*c);
	}
}

void rk_vm_record_add(struct rk_str *str, const char *const *fields, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i)
			rk_str_add_char(str, '\t');
		add_escaped(str, fields[i]);
	}
	rk_str_add_char(str, '\n');
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] == '\\') {
			*to++ = '\\';
			from++;
		} else if (from[0] == '\\' && from[1] == 'x' && hex_value(from[2]) >= 0 &&
			   hex_value(from[3]) >= 0) {
			*to++ = (char)(hex_value(from[2]) * 16 + hex_value(from[3]));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = 0;
}

size_t rk_vm_record_split(char *line, char **fields, size_t max)
{
	size_t nr = 0;

	while (line && nr < max) {
		char *tab = strchr(line, '\t');

		if (tab)
			*tab = 0;
		unescape(line);
		fields[nr++] = line;
		line = tab ? tab + 1 : NULL;
	}
	return nr;
}

struct rk_err *rk_vm_steps_format(const struct rk_vm_steps *steps, struct rk_str *ret)
{
	rk_vec_for_each(&steps->list, step) {
		_cleanup_free_ char *limit = rk_asprintf("%u", step->limit_s);
		_cleanup_free_ char *work = rk_asprintf("%u", step->work_s);
		_cleanup_free_ char *group = rk_asprintf("%u", step->group);
		const char *fields[STEP_FIELDS] = {
			[FIELD_VERB] = verb_names[step->verb],
			[FIELD_LIMIT] = limit,
			[FIELD_WORK] = work,
			[FIELD_OPTIONAL] = step->optional ? "1" : "0",
			[FIELD_GROUP] = group,
			[FIELD_TITLE] = step->title,
			[FIELD_PATH] = step->path,
			[FIELD_ARG] = step->arg,
			[FIELD_PATCH] = step->patch,
		};

		if (!limit || !work || !group)
			return rk_err_nomem();
		rk_vm_record_add(ret, fields, STEP_FIELDS);
	}
	return rk_str_check(ret);
}

static struct rk_err *parse_step(char *line, size_t number, struct rk_vm_steps *steps)
{
	char *fields[STEP_FIELDS];
	struct rk_vm_step step = {};
	size_t nr = rk_vm_record_split(line, fields, STEP_FIELDS);

	if (nr != STEP_FIELDS)
		return rk_err(RK_ERR_FORMAT, "step %zu has %zu fields, not %d", number, nr,
			      STEP_FIELDS);
	while (step.verb < RK_VM_VERBS && !rk_streq(verb_names[step.verb], fields[FIELD_VERB]))
		step.verb++;
	if (step.verb == RK_VM_VERBS)
		return rk_err(RK_ERR_FORMAT, "step %zu has the unknown verb '%s'", number,
			      fields[FIELD_VERB]);
	step.limit_s = (unsigned int)strtoul(fields[FIELD_LIMIT], NULL, 10);
	step.work_s = (unsigned int)strtoul(fields[FIELD_WORK], NULL, 10);
	step.optional = rk_streq(fields[FIELD_OPTIONAL], "1");
	step.group = (unsigned int)strtoul(fields[FIELD_GROUP], NULL, 10);
	step.title = fields[FIELD_TITLE];
	step.path = fields[FIELD_PATH];
	step.arg = fields[FIELD_ARG];
	step.patch = fields[FIELD_PATCH];
	return rk_vec_push(&steps->list, step) ? NULL : rk_err_nomem();
}

struct rk_err *rk_vm_steps_parse(const char *text, struct rk_arena *arena, struct rk_vm_steps *ret)
{
	struct rk_vm_steps steps = {};
	size_t number = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = rk_arena_strndup(arena, text, len);
		struct rk_err *err = line ? parse_step(line, number++, &steps) : rk_err_nomem();

		if (err) {
			rk_vec_deinit(&steps.list);
			return err;
		}
		text += len + (text[len] == '\n');
	}
	*ret = steps;
	return NULL;
}
