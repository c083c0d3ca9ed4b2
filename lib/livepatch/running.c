/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running kernel's identity: what uname says, and the build-ids in the notes that sysfs shows of it and its modules. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/str.h"
#include "lib/livepatch/internal.h"
#include "lib/livepatch/livepatch.h"

#define NOTES_MAX      (64 * 1024)
#define BUILD_ID_MAX   64
#define SRCVERSION_MAX 64

static size_t round_up4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* The description of the GNU build-id note in a row of notes (gABI "Note Section"); NULL if there is none. */
static const unsigned char *find_build_id(const unsigned char *data, size_t size, size_t *ret_size)
{
	size_t pos = 0;

	while (size - pos >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		size_t left, name, desc;

		memcpy(&note, data + pos, sizeof(note));
		pos += sizeof(note);
		left = size - pos;
		name = round_up4(note.n_namesz);
		desc = round_up4(note.n_descsz);
		if (name > left || desc > left - name)
			return NULL;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(data + pos, "GNU", 4)) {
			*ret_size = note.n_descsz;
			return data + pos + name;
		}
		pos += name + desc;
	}
	return NULL;
}

static struct rk_err *read_build_id(const char *path, struct rk_arena *arena, const char **ret)
{
	_cleanup_str_ struct rk_str notes = RK_STR_INIT;
	_cleanup_str_ struct rk_str hex = RK_STR_INIT;
	const unsigned char *id;
	size_t size = 0;
	bool found;

	RK_TRY(rk_livepatch_read_raw(path, NOTES_MAX, &notes, &found));
	id = found ? find_build_id((const unsigned char *)rk_str_get(&notes), notes.len, &size)
		   : NULL;
	if (!id || size > BUILD_ID_MAX) {
		*ret = NULL;
		return NULL;
	}
	for (size_t i = 0; i < size; i++)
		rk_str_addf(&hex, "%02x", id[i]);
	RK_TRY(rk_str_check(&hex));
	*ret = rk_arena_strdup(arena, rk_str_get(&hex));
	return *ret ? NULL : rk_err_nomem();
}

struct rk_err *rk_running_read(const struct rk_livepatch_roots *roots, struct rk_running *ret)
{
	_cleanup_running_ struct rk_running running = {};
	_cleanup_free_ char *notes = rk_asprintf("%s/kernel/notes", roots->sys);
	struct utsname name;

	if (!notes)
		return rk_err_nomem();
	if (uname(&name))
		return rk_err_sys(errno, "cannot ask for the kernel's name");
	running.release = rk_arena_strdup(&running.arena, name.release);
	running.version = rk_arena_strdup(&running.arena, name.version);
	running.machine = rk_arena_strdup(&running.arena, name.machine);
	if (!running.release || !running.version || !running.machine)
		return rk_err_nomem();
	RK_TRY(read_build_id(notes, &running.arena, &running.build_id));
	*ret = running;
	running = (struct rk_running){};
	return NULL;
}

static struct rk_err *read_srcversion(const char *path, struct rk_arena *arena, const char **ret)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	bool found;

	RK_TRY(rk_livepatch_read_small(path, SRCVERSION_MAX, &text, &found));
	*ret = found ? rk_arena_strdup(arena, rk_str_get(&text)) : NULL;
	return found && !*ret ? rk_err_nomem() : NULL;
}

struct rk_err *rk_running_module(const struct rk_livepatch_roots *roots, const char *name,
				 struct rk_arena *arena, struct rk_running_module *ret)
{
	_cleanup_free_ char *notes =
		rk_asprintf("%s/module/%s/notes/.note.gnu.build-id", roots->sys, name);
	_cleanup_free_ char *srcversion = rk_asprintf("%s/module/%s/srcversion", roots->sys, name);
	struct rk_running_module module;

	if (!notes || !srcversion)
		return rk_err_nomem();
	RK_TRY(read_build_id(notes, arena, &module.build_id));
	RK_TRY(read_srcversion(srcversion, arena, &module.srcversion));
	*ret = module;
	return NULL;
}

void rk_running_deinit(struct rk_running *running)
{
	rk_arena_deinit(&running->arena);
}
