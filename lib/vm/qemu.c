/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU as a child process: no display, no network, no disk; the console goes to a file, the second serial port is
 * the child's standard output, which we read line by line. It ends when the guest reboots (at its end, and at
 * once when it panics), or when its time is over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/vm/events.h"

#define CONSOLE_MAX	   (64u << 20)
#define VERSION_TIMEOUT_MS 30000
/*
 * loglevel=5: warnings and worse on the console, where a panic's traces must be; the rest is read from /dev/kmsg.
 * An emulated processor that gets little time looks broken to the kernel: no_timer_check keeps it from giving up at boot
 * ("IO-APIC + timer doesn't work!"), tsc=reliable from complaining about its clock.
 */
#define KERNEL_ARGS "console=ttyS0 panic=-1 oops=panic loglevel=5 no_timer_check tsc=reliable"

static const char *const outcome_names[RK_VM_OUTCOMES] = {
	[RK_VM_NOT_RUN] = "not-run",	 [RK_VM_OK] = "ok",	[RK_VM_FAILED] = "failed",
	[RK_VM_TIMED_OUT] = "timed-out", [RK_VM_DIED] = "died",
};

const char *rk_vm_outcome_name(enum rk_vm_outcome outcome)
{
	return outcome < RK_VM_OUTCOMES ? outcome_names[outcome] : "unknown";
}

/* A missing program said in words that help. */
static struct rk_err *explain(struct rk_err *err)
{
	if (!err || (rk_err_code(err) != RK_ERR_NOT_FOUND && rk_err_errno(err) != ENOENT))
		return err;
	rk_err_free(err);
	return rk_err(RK_ERR_NOT_FOUND,
		      "'" RK_VM_QEMU "' is not installed; run 'apt install qemu-system-x86'");
}

struct rk_err *rk_vm_qemu_version(char **ret)
{
	const char *argv[] = {RK_VM_QEMU, "--version", NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = VERSION_TIMEOUT_MS};
	_cleanup_process_result_ struct rk_process_result result = {};
	const char *text;
	char *line;

	RK_TRY(explain(rk_process_check(&spec, &result)));
	text = rk_str_get(&result.output);
	line = strndup(text, strcspn(text, "\n"));
	if (!line)
		return rk_err_nomem();
	*ret = line;
	return NULL;
}

/* In QEMU's option syntax a comma within a value is doubled. malloc'ed. */
static char *double_commas(const char *path)
{
	_cleanup_str_ struct rk_str str = RK_STR_INIT;
	struct rk_err *err;
	char *ret = NULL;

	for (const char *c = path; *c; c++) {
		rk_str_add_char(&str, *c);
		if (*c == ',')
			rk_str_add_char(&str, ',');
	}
	err = rk_str_take(&str, &ret);
	rk_err_free(err);
	return ret;
}

/* Of a run: the limit in time is boot's first, and grows to that of the run when init says hello. */
struct run {
	const struct rk_vm_machine *machine;
	struct rk_vm_events *events;
	unsigned int more_ms;
};

static unsigned int boot_limit(const struct rk_vm_machine *machine)
{
	return machine->boot_s < machine->timeout_s ? machine->boot_s : machine->timeout_s;
}

static void on_line(void *ctx, const char *line)
{
	struct run *run = ctx;
	const struct rk_vm_machine *machine = run->machine;

	rk_vm_events_line(run->events, line);
	if (run->events->result->is_up)
		run->more_ms = (machine->timeout_s - boot_limit(machine)) * 1000 +
			       (machine->more_ms ? *machine->more_ms : 0);
}

static struct rk_err *run_qemu(const struct rk_vm_machine *machine, struct rk_vm_events *events)
{
	_cleanup_free_ char *console_path = double_commas(machine->console);
	_cleanup_free_ char *console =
		rk_asprintf("file,id=console,path=%s", console_path ? console_path : "");
	_cleanup_free_ char *memory = rk_asprintf("%u", machine->memory_mib);
	_cleanup_free_ char *cpus = rk_asprintf("%u", machine->cpus);
	_cleanup_process_result_ struct rk_process_result result = {};
	struct run run = {.machine = machine, .events = events};

	if (!console_path || !console || !memory || !cpus)
		return rk_err_nomem();
	const char *argv[] = {
		RK_VM_QEMU,
		"-accel",
		"tcg",
		"-cpu",
		"max",
		"-m",
		memory,
		"-smp",
		cpus,
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-no-reboot",
		"-chardev",
		console,
		"-serial",
		"chardev:console",
		"-chardev",
		"stdio,id=port,signal=off",
		"-serial",
		"chardev:port",
		"-kernel",
		machine->image,
		"-initrd",
		machine->initramfs,
		"-append",
		KERNEL_ARGS,
		NULL,
	};
	struct rk_process_spec spec = {
		.argv = argv,
		.timeout_ms = boot_limit(machine) * 1000,
		.more_ms = &run.more_ms,
		.on_line = on_line,
		.on_line_ctx = &run,
	};
	struct rk_err *err = rk_process_run(&spec, &result);

	events->result->qemu_status = result.status;
	events->result->seconds = result.seconds;
	if (err && rk_err_code(err) == RK_ERR_TIMEOUT) {
		rk_err_free(err);
		events->result->is_timed_out = true;
		events->result->seconds = boot_limit(machine) + run.more_ms / 1000.0;
		return NULL;
	}
	return explain(err);
}

/* The line that says why the kernel gave up; NULL if it didn't. */
static const char *find_panic(struct rk_arena *arena, const char *console)
{
	const char *at = strstr(console, "Kernel panic - not syncing");

	return at ? rk_arena_strndup(arena, at, strcspn(at, "\r\n")) : NULL;
}

static struct rk_err *read_console(const char *path, struct rk_vm_result *result)
{
	size_t len = 0, to = 0;

	if (rk_fs_exists(path))
		RK_TRY(rk_fs_read(path, CONSOLE_MAX, &result->console, &len));
	else
		result->console = strdup("");
	if (!result->console)
		return rk_err_nomem();
	for (size_t i = 0; i < len; i++)
		if (result->console[i] && result->console[i] != '\r')
			result->console[to++] = result->console[i];
	result->console[to] = 0;
	result->panic = find_panic(&result->arena, result->console);
	return NULL;
}

static struct rk_err *finish(struct rk_vm_events *events)
{
	struct rk_vm_result *result = events->result;

	rk_vm_events_end(events);
	if (events->failed)
		return rk_err_nomem();
	RK_TRY(rk_str_check(&events->other));
	RK_TRY(rk_str_check(&result->transcript));
	result->qemu_output = rk_arena_strdup(&result->arena, rk_str_get(&events->other));
	if (!result->qemu_output)
		return rk_err_nomem();
	/* no hello, no console, and a complaint: QEMU never ran the guest */
	if (!result->is_up && !result->is_timed_out && result->qemu_status && !result->console[0])
		return rk_err(RK_ERR_TOOL, "'" RK_VM_QEMU "' ended with status %d: %s",
			      result->qemu_status, result->qemu_output);
	return NULL;
}

struct rk_err *rk_vm_boot(const struct rk_vm_machine *machine, const struct rk_vm_steps *steps,
			  struct rk_vm_result *ret)
{
	_cleanup_vm_result_ struct rk_vm_result result = {.last_step = RK_VM_STEP_BOOT};
	struct rk_vm_events events = {
		.steps = steps,
		.on_step = machine->on_step,
		.on_step_ctx = machine->on_step_ctx,
		.result = &result,
		.step = RK_VM_STEP_BOOT,
	};
	struct rk_vm_step_result empty = {.detail = ""};
	struct rk_err *err;

	for (size_t i = 0; i < steps->list.nr; i++)
		if (!rk_vec_push(&result.steps, empty))
			return rk_err_nomem();
	clock_gettime(CLOCK_MONOTONIC, &events.started);
	err = run_qemu(machine, &events);
	if (!err)
		err = read_console(machine->console, &result);
	if (!err)
		err = finish(&events);
	rk_str_deinit(&events.other);
	if (err)
		return err;
	*ret = result;
	result = (struct rk_vm_result){};
	return NULL;
}

void rk_vm_result_deinit(struct rk_vm_result *result)
{
	rk_vec_for_each(&result->steps, step) {
		rk_vec_deinit(&step->output);
		rk_vec_deinit(&step->notes);
		rk_vec_deinit(&step->tasks);
	}
	rk_vec_deinit(&result->steps);
	rk_vec_deinit(&result->log);
	rk_str_deinit(&result->transcript);
	free(result->console);
	rk_arena_deinit(&result->arena);
}
