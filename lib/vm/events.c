/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each kind of record has a handler; the table says how many fields it must have. */
#include "lib/vm/events.h"

#include <stdlib.h>
#include <string.h>

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static const char *copy(struct rk_vm_events *ev, const char *text)
{
	const char *s = rk_arena_strdup(&ev->result->arena, text);

	if (!s)
		ev->failed = true;
	return s ? s : "";
}

/* The result of the step a record names; NULL for a number that isn't one. */
static struct rk_vm_step_result *step_of(struct rk_vm_events *ev, const char *number,
					 size_t *ret_index)
{
	char *end;
	size_t index = strtoul(number, &end, 10);

	if (end == number || *end || index >= ev->result->steps.nr)
		return NULL;
	*ret_index = index;
	return &ev->result->steps.v[index];
}

static void take_hello(struct rk_vm_events *ev, char **f)
{
	struct rk_vm_result *r = ev->result;

	r->is_up = true;
	r->release = copy(ev, f[1]);
	r->version = copy(ev, f[2]);
	r->build_id = copy(ev, f[3]);
	r->boot_seconds = seconds_since(&ev->started);
	rk_str_addf(&r->transcript, "== boot: %.2f s, %s %s, build-id %s\n", r->boot_seconds, f[1],
		    f[2], f[3]);
}

static void take_begin(struct rk_vm_events *ev, char **f)
{
	size_t i;

	if (!step_of(ev, f[1], &i))
		return;
	ev->step = ev->result->last_step = i;
	ev->is_in_step = true;
	ev->result->steps.v[i].transcript_at = ev->result->transcript.len;
	rk_str_addf(&ev->result->transcript, "== %s\n", ev->steps->list.v[i].title);
	if (ev->on_step)
		ev->on_step(ev->on_step_ctx, i);
}

static void take_out(struct rk_vm_events *ev, char **f)
{
	size_t i;
	struct rk_vm_step_result *step = step_of(ev, f[1], &i);

	if (!step)
		return;
	if (!rk_vec_push(&step->output, copy(ev, f[2])))
		ev->failed = true;
	rk_str_addf(&ev->result->transcript, "| %s\n", f[2]);
}

static void take_note(struct rk_vm_events *ev, char **f)
{
	size_t i;
	struct rk_vm_step_result *step = step_of(ev, f[1], &i);

	if (!step)
		return;
	if (!rk_vec_push(&step->notes, copy(ev, f[2])))
		ev->failed = true;
	rk_str_addf(&ev->result->transcript, "   %s\n", f[2]);
}

static void take_task(struct rk_vm_events *ev, char **f)
{
	size_t i;
	struct rk_vm_step_result *step = step_of(ev, f[1], &i);
	struct rk_vm_task task = {.pid = (int)strtol(f[2], NULL, 10)};

	if (!step)
		return;
	task.comm = copy(ev, f[3]);
	task.stack = copy(ev, f[4]);
	if (!rk_vec_push(&step->tasks, task))
		ev->failed = true;
	rk_str_addf(&ev->result->transcript, "   held up by %s (%d)\n", f[3], task.pid);
	for (const char *line = f[4]; *line;) {
		size_t len = strcspn(line, "\n");

		rk_str_addf(&ev->result->transcript, "      %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

static enum rk_vm_outcome parse_outcome(const char *text)
{
	if (rk_streq(text, "ok"))
		return RK_VM_OK;
	return rk_streq(text, "timeout") ? RK_VM_TIMED_OUT : RK_VM_FAILED;
}

static void take_end(struct rk_vm_events *ev, char **f)
{
	size_t i;
	struct rk_vm_step_result *step = step_of(ev, f[1], &i);

	if (!step)
		return;
	step->outcome = parse_outcome(f[2]);
	step->seconds = strtod(f[3], NULL);
	step->detail = copy(ev, f[4]);
	ev->is_in_step = false;
	rk_str_addf(&ev->result->transcript, "== %s: %s, %.2f s%s%s\n", ev->steps->list.v[i].title,
		    f[2], step->seconds, f[4][0] ? ": " : "", f[4]);
}

static void take_log(struct rk_vm_events *ev, char **f)
{
	struct rk_vm_log_line line = {
		.priority = (unsigned int)strtoul(f[1], NULL, 10),
		.seconds = strtod(f[2], NULL),
		.text = copy(ev, f[3]),
		.step = ev->step,
	};

	if (!rk_vec_push(&ev->result->log, line))
		ev->failed = true;
	rk_str_addf(&ev->result->transcript, "[%12s] <%u> %s\n", f[2], line.priority, f[3]);
}

static void take_bye(struct rk_vm_events *ev, char **f)
{
	(void)f;
	ev->result->is_finished = true;
}

static const struct {
	const char *kind;
	size_t fields;
	void (*take)(struct rk_vm_events *ev, char **fields);
} kinds[] = {
	{"hello", 4, take_hello}, {"begin", 2, take_begin}, {"out", 3, take_out},
	{"note", 3, take_note},	  {"task", 5, take_task},   {"end", 5, take_end},
	{"log", 4, take_log},	  {"bye", 1, take_bye},
};

void rk_vm_events_line(struct rk_vm_events *ev, const char *line)
{
	char *fields[RK_VM_FIELDS_MAX];
	_cleanup_free_ char *record = NULL;
	size_t nr;

	if (!rk_has_prefix(line, RK_VM_MARK)) {
		if (line[0])
			rk_str_addf(&ev->other, "%s%s", ev->other.len ? "\n" : "", line);
		return;
	}
	record = strdup(line + strlen(RK_VM_MARK));
	if (!record) {
		ev->failed = true;
		return;
	}
	nr = rk_vm_record_split(record, fields, RK_VM_FIELDS_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (nr == kinds[i].fields && rk_streq(kinds[i].kind, fields[0]))
			kinds[i].take(ev, fields);
}

void rk_vm_events_end(struct rk_vm_events *ev)
{
	struct rk_vm_step_result *step;

	if (!ev->is_in_step)
		return;
	step = &ev->result->steps.v[ev->step];
	step->outcome = RK_VM_DIED;
	ev->is_in_step = false;
	rk_str_addf(&ev->result->transcript, "== %s: the guest ended in it\n",
		    ev->steps->list.v[ev->step].title);
}
