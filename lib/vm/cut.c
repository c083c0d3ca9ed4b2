/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One boot's result cut into what belongs to each test of it. */
#include <stdlib.h>
#include <string.h>

#include "lib/vm/test_internal.h"

struct range {
	size_t first, nr;
};

static bool has(struct range range, size_t step)
{
	return step >= range.first && step - range.first < range.nr;
}

/* True when what ended the guest came while these steps were under way. A guest that never came to a step failed them all. */
static bool is_end_of(const struct rk_vm_result *whole, struct range range)
{
	return whole->last_step == RK_VM_STEP_BOOT || has(range, whole->last_step);
}

static struct rk_err *cut_steps(struct rk_vm_result *whole, struct range range,
				struct rk_vm_result *ret)
{
	for (size_t i = range.first; i < range.first + range.nr; i++) {
		struct rk_vm_step_result *step = &whole->steps.v[i];

		if (!rk_vec_push(&ret->steps, *step))
			return rk_err_nomem();
		ret->seconds += step->seconds;
		/* the place in the transcript is still asked for */
		*step = (struct rk_vm_step_result){.outcome = step->outcome,
						   .detail = "",
						   .transcript_at = step->transcript_at};
	}
	return NULL;
}

static struct rk_err *cut_log(const struct rk_vm_result *whole, struct range range,
			      struct rk_vm_result *ret)
{
	rk_vec_for_each(&whole->log, line) {
		struct rk_vm_log_line copy = *line;

		if (has(range, line->step))
			copy.step -= range.first;
		else if (line->step != RK_VM_STEP_BOOT || range.first)
			continue;
		if (!rk_vec_push(&ret->log, copy))
			return rk_err_nomem();
	}
	return NULL;
}

/* Where the first of the steps from nr on that began stands in the transcript; its end if none did. */
static size_t transcript_from(const struct rk_vm_result *whole, size_t nr)
{
	for (size_t i = nr; i < whole->steps.nr; i++)
		if (whole->steps.v[i].transcript_at)
			return whole->steps.v[i].transcript_at;
	return whole->transcript.len;
}

static void cut_transcript(const struct rk_vm_result *whole, struct range range,
			   struct rk_vm_result *ret)
{
	size_t from = range.first ? transcript_from(whole, range.first) : 0;
	size_t to = transcript_from(whole, range.first + range.nr);

	rk_str_add_bytes(&ret->transcript, rk_str_get(&whole->transcript) + from, to - from);
}

struct rk_err *rk_vm_result_cut(struct rk_vm_result *whole, size_t first, size_t nr,
				struct rk_vm_result *ret)
{
	struct range range = {first, nr};
	bool is_end = is_end_of(whole, range);
	_cleanup_vm_result_ struct rk_vm_result cut = {
		.is_up = whole->is_up,
		.is_finished = is_end ? whole->is_finished : true,
		.is_timed_out = is_end && whole->is_timed_out,
		.release = whole->release,
		.version = whole->version,
		.build_id = whole->build_id,
		.boot_seconds = whole->boot_seconds,
		.last_step = is_end && whole->last_step != RK_VM_STEP_BOOT
				     ? whole->last_step - first
				     : RK_VM_STEP_BOOT,
		.console = strdup(is_end ? whole->console : ""),
		.panic = is_end ? whole->panic : NULL,
		.qemu_status = whole->qemu_status,
		.qemu_output = is_end ? whole->qemu_output : "",
	};

	if (!cut.console)
		return rk_err_nomem();
	cut_transcript(whole, range, &cut);
	RK_TRY(rk_str_check(&cut.transcript));
	RK_TRY(cut_steps(whole, range, &cut));
	RK_TRY(cut_log(whole, range, &cut));
	if (nr == whole->steps.nr)
		cut.seconds = whole->seconds;
	*ret = cut;
	cut = (struct rk_vm_result){};
	return NULL;
}
