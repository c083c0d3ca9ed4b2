/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a kernel that isn't there. */
#include "tests/unit/sysmake.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/elf/write.h"
#include "lib/livepatch/store.h"
#include "tests/unit/tap.h"

void sysmake_put_bytes(const char *root, const char *path, const void *data, size_t len)
{
	must(rk_fs_write_below(root, path, data, len, 0644));
}

void sysmake_put(const char *root, const char *path, const char *text)
{
	sysmake_put_bytes(root, path, text, strlen(text));
}

/* Puts text under a path made of a directory, a name and a file. */
static void put_at(const char *root, const char *dir, const char *name, const char *file,
		   const char *text)
{
	_cleanup_free_ char *path = rk_asprintf("%s/%s/%s", dir, name, file);

	sysmake_put(root, path, text);
}

void sysmake_patch(struct sysmake *sys, const char *name, const char *enabled,
		   const char *transition)
{
	put_at(sys->roots.sys, "kernel/livepatch", name, "enabled", enabled);
	put_at(sys->roots.sys, "kernel/livepatch", name, "transition", transition);
}

void sysmake_module(struct sysmake *sys, const char *name, const char *taint, const char *refcnt)
{
	put_at(sys->roots.sys, "module", name, "taint", taint);
	put_at(sys->roots.sys, "module", name, "refcnt", refcnt);
	put_at(sys->roots.sys, "module", name, "initstate", "live\n");
}

void sysmake_thread(struct sysmake *sys, const char *pid, const char *tid, const char *comm,
		    const char *state, const char *stack)
{
	const char *const names[] = {"comm", "patch_state", "stack"};
	const char *values[] = {comm, state, stack};
	_cleanup_free_ char *dir = rk_asprintf("%s/task", pid);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (values[i])
			put_at(sys->roots.proc, dir, tid, names[i], values[i]);
}

static void note(struct sysmake *sys, char sign, const char *name)
{
	size_t len = strlen(sys->log);

	snprintf(sys->log + len, sizeof(sys->log) - len, "%s%c%s", len ? " " : "", sign, name);
}

static void hide(struct sysmake *sys, const char *dir, const char *name)
{
	_cleanup_free_ char *path = rk_asprintf("%s/%s/%s", sys->roots.sys, dir, name);

	must(rk_fs_remove_tree(path));
}

void sysmake_unpatch(struct sysmake *sys, const char *name)
{
	hide(sys, "kernel/livepatch", name);
}

static struct sysmake *acting; /* whose kernel does something when it is written to */

/* Whose enabled file fd is; NULL: it is another file. */
static char *switch_of(const struct sysmake *sys, int fd)
{
	_cleanup_free_ char *link = rk_asprintf("/proc/self/fd/%d", fd);
	_cleanup_free_ char *dir = rk_asprintf("%s/kernel/livepatch/", sys->roots.sys);
	_cleanup_free_ char *base = realpath(dir, NULL);
	char path[PATH_MAX] = "";
	size_t len = base ? strlen(base) : 0;

	if (!base || readlink(link, path, sizeof(path) - 1) < 0 || strncmp(path, base, len) ||
	    !rk_has_suffix(path, "/enabled"))
		return NULL;
	return strndup(path + len + 1, strcspn(path + len + 1, "/"));
}

/* Over the library's: the kernel hears of what is written to its files. */
ssize_t write(int fd, const void *data, size_t len)
{
	struct sysmake *sys = acting;
	_cleanup_free_ char *name = sys && sys->switched ? switch_of(sys, fd) : NULL;

	if (name) {
		acting = NULL; /* what follows is its own doing */
		int error = sys->switched(sys, name, *(const char *)data == '1');
		acting = sys;
		if (error) {
			errno = error;
			return -1;
		}
	}
	return syscall(SYS_write, fd, data, len);
}

static void replace_others(struct sysmake *sys, const char *name)
{
	struct rk_livepatch_list list = {};

	must(rk_livepatch_list(&sys->roots, &list));
	rk_vec_for_each(&list.list, patch)
		if (!rk_streq(patch->name, name))
			sysmake_unpatch(sys, patch->name);
	rk_livepatch_list_deinit(&list);
}

/* The note a module shows in sysfs: name size 4, description size 20, type 3 (NT_GNU_BUILD_ID). */
static size_t make_note(const char *hex, unsigned char *ret)
{
	const unsigned char head[] = {4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0};

	memcpy(ret, head, sizeof(head));
	for (size_t i = 0; i < 20; i++) {
		const char byte[] = {hex[2 * i], hex[2 * i + 1], 0};

		ret[sizeof(head) + i] = (unsigned char)strtoul(byte, NULL, 16);
	}
	return sizeof(head) + 20;
}

static int insert(void *ctx, int fd, const char *path)
{
	struct sysmake *sys = ctx;
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	int error = sys->error;

	(void)fd;
	sys->error = 0;
	if (error)
		return error;
	must(rk_module_info_read(path, &info));
	note(sys, '+', info->name);
	sysmake_module(sys, info->name, "OK\n", "1\n");
	if (info->build_id) {
		_cleanup_free_ char *notes =
			rk_asprintf("module/%s/notes/.note.gnu.build-id", info->name);
		unsigned char data[64];

		sysmake_put_bytes(sys->roots.sys, notes, data, make_note(info->build_id, data));
	}
	bool stuck = sys->stuck && rk_streq(sys->stuck, info->name);
	sysmake_patch(sys, info->name, "1\n", stuck ? "1\n" : "0\n");
	if (sys->replaces && !stuck)
		replace_others(sys, info->name);
	return 0;
}

/* A patch that was disabled is gone for the kernel by then. */
static int remove_module(void *ctx, const char *name)
{
	struct sysmake *sys = ctx;

	if (sys->removing)
		sys->removing(sys, name);
	if (sys->held && rk_streq(sys->held, name))
		return EWOULDBLOCK;
	note(sys, '-', name);
	sysmake_unpatch(sys, name);
	hide(sys, "module", name);
	return 0;
}

void sysmake_init(struct sysmake *sys, const char *name)
{
	struct utsname host;

	*sys = (struct sysmake){.calls = {insert, remove_module, sys}};
	uname(&host);
	sys->dir = rk_asprintf("%s/%s", tap_tmpdir(), name);
	sys->roots.sys = rk_asprintf("%s/sys", sys->dir);
	sys->roots.proc = rk_asprintf("%s/proc", sys->dir);
	sys->roots.modules = rk_asprintf("%s/modules", sys->dir);
	sys->roots.store = rk_asprintf("%s/store", sys->dir);
	sys->roots.run = rk_asprintf("%s/run", sys->dir);
	sys->roots.calls = &sys->calls;
	acting = sys;
	must(rk_fs_mkdir_p(sys->roots.proc, 0755));
}

void sysmake_deinit(struct sysmake *sys)
{
	acting = NULL;
	free((char *)sys->roots.sys);
	free((char *)sys->roots.proc);
	free((char *)sys->roots.modules);
	free((char *)sys->roots.store);
	free((char *)sys->roots.run);
	free(sys->dir);
}

static char *make_manifest(const char *name, unsigned int level, bool replace)
{
	struct utsname host;

	uname(&host);
	return rk_asprintf(
		"{\"schema\": \"readykernel-manifest/1\", \"name\": \"%s\", \"level\": %u, "
		"\"model\": \"hybrid\", \"replace\": %s, \"tool_version\": \"0\", \"target\": "
		"{\"id\": \"t\", \"release\": \"%s\", \"version\": \"%s\", \"build_id\": null, "
		"\"compiler\": null}, \"fixes\": [], \"functions\": [{\"object\": \"vmlinux\", "
		"\"name\": \"tcp_v4_rcv\", \"unit\": \"u\", \"sympos\": 1, \"old_size\": 1, "
		"\"new_size\": 2}], \"units\": [], \"findings\": [], \"objects\": []}",
		name, level, replace ? "true" : "false", host.release, host.version);
}

char *sysmake_file(struct sysmake *sys, const char *name, unsigned int level, bool replace,
		   const char *build_id)
{
	_cleanup_elf_writer_ struct rk_elf_writer *w = NULL;
	_cleanup_free_ char *manifest = make_manifest(name, level, replace);
	_cleanup_free_ char *file = rk_asprintf("%s.ko", name);
	_cleanup_free_ void *elf = NULL;
	unsigned char data[64];
	struct rk_out_section *section;
	struct utsname host;
	char modinfo[512];
	size_t size;

	uname(&host);
	int len = snprintf(modinfo, sizeof(modinfo), "name=%s%clivepatch=Y%cvermagic=%s SMP ", name,
			   0, 0, host.release);
	must(rk_elf_writer_create(EM_X86_64, &w));
	must(rk_elf_writer_section(w, ".modinfo", SHT_PROGBITS, SHF_ALLOC, 1, 0, modinfo,
				   (uint64_t)len + 1, &section));
	if (build_id)
		must(rk_elf_writer_section(w, ".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, 4, 0, data,
					   make_note(build_id, data), &section));
	if (level)
		must(rk_elf_writer_section(w, RK_MANIFEST_SECTION, SHT_PROGBITS, 0, 1, 0, manifest,
					   strlen(manifest), &section));
	must(rk_elf_writer_finish(w, &elf, &size));
	sysmake_put_bytes(sys->dir, file, elf, size);
	return rk_asprintf("%s/%s", sys->dir, file);
}
