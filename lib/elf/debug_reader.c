/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening debug info: of exactly the file that is named, never of one that a distribution has elsewhere. libdwfl applies the relocations of
 * the debug sections, which libdw alone doesn't for relocatable files.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/elf/debug_internal.h"

static int no_separate_debug_info(Dwfl_Module *mod, void **userdata, const char *name,
				  Dwarf_Addr base, const char *file_name, const char *debuglink,
				  GElf_Word crc, char **ret)
{
	(void)mod, (void)userdata, (void)name, (void)base, (void)file_name, (void)debuglink,
		(void)crc, (void)ret;
	return -1;
}

struct rk_err *rk_debug_open(const char *path, struct rk_debug_reader *ret)
{
	static const Dwfl_Callbacks callbacks = {
		.find_debuginfo = no_separate_debug_info,
		.section_address = dwfl_offline_section_address,
	};
	int fd;

	ret->dwfl = dwfl_begin(&callbacks);
	if (!ret->dwfl)
		return rk_err_nomem();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	ret->mod = dwfl_report_offline(ret->dwfl, "", path, fd); /* takes fd when it succeeds */
	if (!ret->mod) {
		close(fd);
		return rk_err(RK_ERR_FORMAT, "'%s': %s", path, dwfl_errmsg(-1));
	}
	dwfl_report_end(ret->dwfl, NULL, NULL);
	ret->dwarf = dwfl_module_getdwarf(ret->mod, &ret->bias);
	return NULL;
}

void rk_debug_close(struct rk_debug_reader *reader)
{
	if (reader->dwfl)
		dwfl_end(reader->dwfl);
	*reader = (struct rk_debug_reader){};
}
