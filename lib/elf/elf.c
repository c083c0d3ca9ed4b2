/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening an ELF file: the image is mapped, then read in phases (sections, symbols, relocations), each of
 * which checks what it reads before the next relies on it. Nothing is copied but what the graph needs, so
 * debug sections of a large vmlinux are never touched.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/elf/internal.h"

struct rk_elf_quoted rk_elf_quote(const char *name)
{
	struct rk_elf_quoted q;
	size_t n = 0;

	while (name[n] && n < RK_ELF_QUOTE_MAX) {
		unsigned char c = (unsigned char)name[n];

		q.s[n++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	memcpy(q.s + n, name[n] ? "..." : "", name[n] ? 4 : 1);
	return q;
}

struct rk_err *rk_elf_err(const struct rk_elf *elf, enum rk_err_code code, const char *fmt, ...)
{
	struct rk_err *err;
	va_list ap;

	va_start(ap, fmt);
	err = rk_verr(code, fmt, ap);
	va_end(ap);
	return rk_err_wrap(err, "'%s'", elf->path);
}

struct rk_err *rk_elf_section_err(const struct rk_elf *elf, const struct rk_section *section,
				  enum rk_err_code code, const char *fmt, ...)
{
	struct rk_err *err;
	va_list ap;

	va_start(ap, fmt);
	err = rk_verr(code, fmt, ap);
	va_end(ap);
	err = rk_err_wrap(err, "section %u '%s'", section->index, rk_elf_quote(section->name).s);
	return rk_err_wrap(err, "'%s'", elf->path);
}

static struct rk_err *check_ident(struct rk_elf *elf)
{
	const uint8_t *ident = elf->image;

	if (elf->image_size < SELFMAG || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return rk_elf_err(elf, RK_ERR_FORMAT, "not an ELF file");
	if (elf->image_size < sizeof(Elf64_Ehdr))
		return rk_elf_err(elf, RK_ERR_FORMAT,
				  "ELF header is cut off: %zu bytes of %zu are there",
				  elf->image_size, sizeof(Elf64_Ehdr));
	if (ident[EI_CLASS] != ELFCLASS64)
		return rk_elf_err(elf, RK_ERR_UNSUPPORTED, "ELF class is %u, only 64-bit is read",
				  ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB)
		return rk_elf_err(elf, RK_ERR_UNSUPPORTED,
				  "byte order is %u, only little-endian is read", ident[EI_DATA]);
	if (ident[EI_VERSION] != EV_CURRENT)
		return rk_elf_err(elf, RK_ERR_FORMAT, "ELF identification has version %u, not %u",
				  ident[EI_VERSION], EV_CURRENT);
	return NULL;
}

static struct rk_err *read_header(struct rk_elf *elf)
{
	const uint8_t *h = elf->image;
	uint32_t version;
	uint16_t size;

	RK_TRY(check_ident(elf));
	elf->type = rk_load16(h + offsetof(Elf64_Ehdr, e_type));
	elf->machine = rk_load16(h + offsetof(Elf64_Ehdr, e_machine));
	elf->flags = rk_load32(h + offsetof(Elf64_Ehdr, e_flags));
	version = rk_load32(h + offsetof(Elf64_Ehdr, e_version));
	if (version != EV_CURRENT)
		return rk_elf_err(elf, RK_ERR_FORMAT, "ELF header has version %u, not %u", version,
				  EV_CURRENT);
	if (elf->type != ET_REL && elf->type != ET_EXEC && elf->type != ET_DYN)
		return rk_elf_err(elf, RK_ERR_UNSUPPORTED,
				  "ELF type is %u, only objects and executables are read",
				  elf->type);
	size = rk_load16(h + offsetof(Elf64_Ehdr, e_ehsize));
	if (size != sizeof(Elf64_Ehdr))
		return rk_elf_err(elf, RK_ERR_FORMAT, "size of the ELF header is %u, not %zu", size,
				  sizeof(Elf64_Ehdr));
	size = rk_load16(h + offsetof(Elf64_Ehdr, e_shentsize));
	if (size != sizeof(Elf64_Shdr))
		return rk_elf_err(elf, RK_ERR_FORMAT, "size of a section header is %u, not %zu",
				  size, sizeof(Elf64_Shdr));
	return NULL;
}

static struct rk_err *read_all(struct rk_elf *elf, enum rk_elf_load load)
{
	RK_TRY(read_header(elf));
	RK_TRY(rk_elf_read_sections(elf));
	RK_TRY(rk_elf_read_symbols(elf));
	RK_TRY(rk_elf_connect_relocs(elf));
	return load == RK_ELF_LOAD_ALL ? rk_elf_load_alloc_relocs(elf) : NULL;
}

static struct rk_err *open_image(const char *name, const void *data, size_t size, void *map,
				 enum rk_elf_load load, struct rk_elf **ret)
{
	_cleanup_elf_ struct rk_elf *elf = calloc(1, sizeof(*elf));

	if (!elf) {
		if (map)
			munmap(map, size);
		return rk_err_nomem();
	}
	rk_arena_init(&elf->arena);
	elf->map = map;
	elf->image = data;
	elf->image_size = size;
	elf->path = rk_arena_strdup(&elf->arena, name);
	if (!elf->path)
		return rk_err_nomem();
	RK_TRY(read_all(elf, load));
	*ret = take_ptr(elf);
	return NULL;
}

struct rk_err *rk_elf_open_memory(const char *name, const void *data, size_t size,
				  enum rk_elf_load load, struct rk_elf **ret)
{
	return open_image(name, data, size, NULL, load, ret);
}

struct rk_err *rk_elf_open(const char *path, enum rk_elf_load load, struct rk_elf **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	void *map;

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	if (fstat(fd, &st))
		return rk_err_sys(errno, "cannot examine '%s'", path);
	if (!S_ISREG(st.st_mode))
		return rk_err(RK_ERR_FORMAT, "'%s': not a regular file", path);
	if (st.st_size == 0)
		return rk_err(RK_ERR_FORMAT, "'%s': not an ELF file: it is empty", path);
	if ((uint64_t)st.st_size > RK_ELF_MAX_FILE)
		return rk_err(RK_ERR_LIMIT, "'%s': %llu bytes, the limit for ELF files is %llu",
			      path, (unsigned long long)st.st_size, RK_ELF_MAX_FILE);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return rk_err_sys(errno, "cannot map '%s'", path);
	return open_image(path, map, (size_t)st.st_size, map, load, ret);
}

void rk_elf_close(struct rk_elf *elf)
{
	if (!elf)
		return;
	if (elf->map)
		munmap(elf->map, elf->image_size);
	rk_arena_deinit(&elf->arena);
	free(elf);
}
