/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program and what it needs to start. Which shared libraries that is, the program's own interpreter knows best
 * (search paths, ld.so.cache, nested dependencies): "ld.so --list PROGRAM" maps them and prints their paths
 * without running the program.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/vm/initramfs.h"

#define PROGRAM_MAX	(512u << 20)
#define INTERPRETER_MAX 256
#define LIST_TIMEOUT_MS 10000

/* The interpreter that an ELF executable asks for, malloc'ed; NULL in *ret for anything else. */
static struct rk_err *find_interpreter(const char *path, const char *data, size_t size, char **ret)
{
	Elf64_Ehdr ehdr;

	*ret = NULL;
	if (size < sizeof(ehdr) || memcmp(data, ELFMAG, SELFMAG) || data[EI_CLASS] != ELFCLASS64)
		return NULL;
	memcpy(&ehdr, data, sizeof(ehdr));
	for (size_t i = 0; i < ehdr.e_phnum; i++) {
		Elf64_Phdr phdr;
		size_t offset;

		if (__builtin_add_overflow(ehdr.e_phoff, i * sizeof(phdr), &offset) ||
		    offset > size || size - offset < sizeof(phdr))
			return rk_err(RK_ERR_FORMAT, "'%s' has program headers outside the file",
				      path);
		memcpy(&phdr, data + offset, sizeof(phdr));
		if (phdr.p_type != PT_INTERP)
			continue;
		if (phdr.p_offset > size || phdr.p_filesz > size - phdr.p_offset ||
		    !phdr.p_filesz || phdr.p_filesz > INTERPRETER_MAX ||
		    data[phdr.p_offset + phdr.p_filesz - 1])
			return rk_err(RK_ERR_FORMAT, "'%s' has no valid interpreter path", path);
		*ret = strdup(data + phdr.p_offset);
		return *ret ? NULL : rk_err_nomem();
	}
	return NULL;
}

/* One line of the list: "\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x…)" or "\t/lib64/ld-linux… (0x…)". */
static struct rk_err *add_library(struct rk_initramfs *fs, const char *program, char *line)
{
	char *arrow = strstr(line, " => ");
	char *path = arrow ? arrow + strlen(" => ") : line + strspn(line, " \t");
	char *end = strstr(path, " (0x");

	if (rk_has_prefix(path, "not found"))
		return rk_err(RK_ERR_NOT_FOUND,
			      "'%s' needs a shared library that isn't installed: %s", program,
			      line + strspn(line, " \t"));
	if (path[0] != '/' || !end)
		return NULL; /* linux-vdso, "statically linked" */
	*end = 0;
	return rk_initramfs_add_file(fs, path, 0755, path);
}

static struct rk_err *add_libraries(struct rk_initramfs *fs, const char *interpreter,
				    const char *program)
{
	const char *argv[] = {interpreter, "--list", program, NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = LIST_TIMEOUT_MS};
	_cleanup_process_result_ struct rk_process_result result = {};
	_cleanup_free_ char *text = NULL;

	RK_TRY(rk_err_wrap(rk_process_check(&spec, &result),
			   "cannot list the shared libraries of '%s'", program));
	RK_TRY(rk_str_take(&result.output, &text));
	for (char *line = text; line && *line;) {
		char *next = strchr(line, '\n');

		if (next)
			*next++ = 0;
		RK_TRY(add_library(fs, program, line));
		line = next;
	}
	return rk_initramfs_add_file(fs, interpreter, 0755, interpreter);
}

struct rk_err *rk_initramfs_add_program(struct rk_initramfs *fs, const char *guest_path,
					const char *host_path)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_free_ char *interpreter = NULL;
	size_t size;

	RK_TRY(rk_fs_read(host_path, PROGRAM_MAX, &data, &size));
	RK_TRY(rk_initramfs_add_bytes(fs, guest_path, 0755, data, size));
	RK_TRY(find_interpreter(host_path, data, size, &interpreter));
	return interpreter ? add_libraries(fs, interpreter, host_path) : NULL;
}
