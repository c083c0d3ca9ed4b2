/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's init: mounts what a test needs, says hello, runs the steps the host put beside it, says bye and restarts,
 * which ends QEMU. It decides nothing: what a step's outcome means is the host's business. Linked statically, so that nothing
 * but the kernel is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/livepatch/livepatch.h"
#include "tools/kpatch-test/guest/guest.h"

#define STEPS_MAX	(16u << 20)
#define KMSG_RECORD_MAX 8192
#define SETTLE_MS	100 /* what the kernel still has to say after the last step */
#define HUNG_TASK_S	"20"

double guest_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

void guest_say(int fd, const char *kind, ...)
{
	_cleanup_str_ struct rk_str str = RK_STR_INIT;
	const char *fields[RK_VM_FIELDS_MAX] = {kind};
	size_t nr = 1;
	va_list ap;

	va_start(ap, kind);
	for (const char *f; nr < RK_VM_FIELDS_MAX && (f = va_arg(ap, const char *));)
		fields[nr++] = f;
	va_end(ap);
	rk_str_add(&str, RK_VM_MARK);
	rk_vm_record_add(&str, fields, nr);
	write_all(fd, rk_str_get(&str), str.len);
}

/* One record of /dev/kmsg: "priority,sequence,microseconds,flags;text" and further lines we don't need. */
static void relay_record(const struct guest *guest, char *record)
{
	unsigned int priority = 0;
	unsigned long long usec = 0;
	char *text = strchr(record, ';');
	char priority_text[16], seconds[32];

	if (!text || sscanf(record, "%u,%*u,%llu", &priority, &usec) != 2)
		return;
	text++;
	text[strcspn(text, "\n")] = 0;
	snprintf(priority_text, sizeof(priority_text), "%u", priority & 7);
	snprintf(seconds, sizeof(seconds), "%.6f", (double)usec / 1e6);
	guest_say(guest->port, "log", priority_text, seconds, text, NULL);
}

void guest_relay_log(const struct guest *guest)
{
	char record[KMSG_RECORD_MAX + 1];

	for (;;) {
		ssize_t n = guest->kmsg < 0 ? 0 : read(guest->kmsg, record, KMSG_RECORD_MAX);

		if (n < 0 && (errno == EPIPE ||
			      errno == EINTR)) /* EPIPE: records were overwritten before we came */
			continue;
		if (n <= 0)
			return;
		record[n] = 0;
		relay_record(guest, record);
	}
}

static const struct {
	const char *type, *dir;
} mounts[] = {
	{"devtmpfs", "/dev"},
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"tmpfs", "/tmp"},
	{"debugfs", "/sys/kernel/debug"},
	{"devpts", "/dev/pts"},
};

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	write_all(fd, text, strlen(text));
	close(fd);
}

/* Scripts and reproducers expect a loopback interface. */
static void start_loopback(void)
{
	struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &req);
	close(fd);
}

static void set_up_system(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		/* a kernel without one of these can still be tested */
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, ""))
			fprintf(stderr, "init: cannot mount %s: %s\n", mounts[i].dir,
				strerror(errno));
	}
	start_loopback();
	if (sethostname("kpatch-test", strlen("kpatch-test")))
		fprintf(stderr, "init: cannot set the host name: %s\n", strerror(errno));
	/* a task stuck in the kernel is reported within the time a test takes */
	write_text("/proc/sys/kernel/hung_task_timeout_secs", HUNG_TASK_S);
}

static int open_port(void)
{
	struct termios tio;
	int fd = open(RK_VM_PORT, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &tio))
		return fd;
	cfmakeraw(&tio);
	tcsetattr(fd, TCSANOW, &tio);
	return fd;
}

static struct rk_err *say_hello(const struct guest *guest)
{
	_cleanup_running_ struct rk_running running = {};

	RK_TRY(rk_running_read(&rk_livepatch_roots, &running));
	guest_say(guest->port, "hello", running.release, running.version,
		  running.build_id ? running.build_id : "", NULL);
	return NULL;
}

/* A check that fails is a result; without a module the steps after it mean nothing. */
static bool may_go_on(const struct rk_vm_step *step, enum guest_outcome outcome)
{
	return outcome == GUEST_OK || step->optional ||
	       (outcome == GUEST_FAILED &&
		(step->verb == RK_VM_CHECK || step->verb == RK_VM_FUNCTIONS));
}

/* A step that failed and left no live patch behind doesn't touch what comes after its group. */
static bool is_clean(enum guest_outcome outcome)
{
	struct rk_livepatch_list list = {};
	struct rk_err *err = rk_livepatch_list(&rk_livepatch_roots, &list);
	bool clean = !err && !list.list.nr && outcome == GUEST_FAILED;

	rk_err_free(err);
	rk_livepatch_list_deinit(&list);
	return clean;
}

/* Runs step *index; if it fails, *index becomes the last of its group. False: the guest is no good for further steps. */
static bool run_step(const struct guest *guest, const struct rk_vm_steps *steps, size_t *index)
{
	const struct rk_vm_step *step = &steps->list.v[*index];
	enum guest_outcome outcome = guest_run_step(guest, *index, step);

	if (may_go_on(step, outcome))
		return true;
	while (*index + 1 < steps->list.nr && steps->list.v[*index + 1].group == step->group)
		++*index;
	return is_clean(outcome);
}

static struct rk_err *run_steps(const struct guest *guest)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_free_ char *text = NULL;
	struct rk_vm_steps steps = {};

	RK_TRY(rk_fs_read(RK_VM_STEPS_PATH, STEPS_MAX, &text, NULL));
	RK_TRY(rk_vm_steps_parse(text, &arena, &steps));
	RK_TRY(say_hello(guest));
	guest_relay_log(guest);
	for (size_t i = 0; i < steps.list.nr; i++)
		if (!run_step(guest, &steps, &i))
			break;
	rk_vec_deinit(&steps.list);
	return NULL;
}

int main(void)
{
	struct guest guest;
	struct rk_err *err;

	set_up_system();
	guest.port = open_port();
	guest.kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	err = run_steps(&guest);
	if (err)
		fprintf(stderr, "init: %s\n", rk_err_message(err));
	usleep(SETTLE_MS * 1000);
	guest_relay_log(&guest);
	if (!err)
		guest_say(guest.port, "bye", NULL);
	rk_err_free(err);
	tcdrain(guest.port);
	/* an emergency restart stops no processor and asks no driver: one that hangs in a module can't hold it up */
	write_text("/proc/sysrq-trigger", "b");
	reboot(RB_AUTOBOOT);
	/* only if that failed: the kernel panics when init ends, and that ends the guest as well */
	return 1;
}
