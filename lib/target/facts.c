/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts are read from the binaries themselves, never from the name of a file or package. */
#include "lib/target/facts.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <elf.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/elf/elf.h"

#define IMAGE_MAX   (256u << 20)
#define VMLINUX_MAX (1u << 30) /* unpacked, stripped: some 50 MiB */
#define NOTES_MAX   (64u << 10)
#define BANNER_MAX  512

/* Offsets in the setup header of boot protocol 2.08 and later. */
#define SETUP_SECTS	 0x1f1
#define SETUP_MAGIC	 0x202
#define SETUP_PROTOCOL	 0x206
#define SETUP_VERSION	 0x20e
#define PAYLOAD_OFFSET	 0x248
#define PAYLOAD_LENGTH	 0x24c
#define SETUP_HEADER_END 0x250
#define SECTOR		 512u

static uint32_t le16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

/* "Linux version REL (who) (compiler) #1 SMP …\n": REL up to the space, the version from the '#'. Leaves ret alone if it
 * is none: vmlinux has an unfinished one ("# SMP …") too, from before the build's number was known. */
static struct rk_err *split_banner(const char *banner, size_t max, struct rk_arena *arena,
				   struct rk_kernel_facts *ret)
{
	size_t len = strnlen(banner, max < BANNER_MAX ? max : BANNER_MAX);
	const char *end = memchr(banner, '\n', len);
	const char *release = banner + strlen("Linux version ");

	end = end ? end : banner + len;
	const char *space = memchr(release, ' ', (size_t)(end - release));
	const char *version = memmem(banner, (size_t)(end - banner), ") #", 3);
	if (!space || !version || !isdigit((unsigned char)version[3]))
		return NULL;
	ret->release = rk_arena_strndup(arena, release, (size_t)(space - release));
	ret->version = rk_arena_strndup(arena, version + 2, (size_t)(end - version - 2));
	return ret->release && ret->version ? NULL : rk_err_nomem();
}

/* linux_banner; linux_proc_banner has "%s" where this has the release. */
static struct rk_err *find_banner(const struct rk_elf *elf, struct rk_arena *arena,
				  struct rk_kernel_facts *ret)
{
	const char start[] = "Linux version ";
	const size_t start_len = sizeof(start) - 1;

	rk_elf_for_each_section(elf, s) {
		const uint8_t *p = s->data, *end = s->data ? s->data + s->size : NULL;

		if (!(s->flags & SHF_ALLOC) || !rk_has_prefix(s->name, ".rodata"))
			continue;
		while (p && (p = memmem(p, (size_t)(end - p), start, start_len))) {
			const uint8_t *after = p + start_len;

			if (after < end && *after >= '0' && *after <= '9')
				RK_TRY(split_banner((const char *)p, (size_t)(end - p), arena,
						    ret));
			if (ret->release)
				return NULL;
			p = after;
		}
	}
	return rk_err(RK_ERR_FORMAT, "'%s' is no Linux kernel: it has no 'Linux version' banner",
		      elf->path);
}

static struct rk_err *copy_build_id(struct rk_elf *elf, struct rk_arena *arena, const char **ret)
{
	const char *build_id = NULL;

	RK_TRY(rk_elf_build_id(elf, &build_id));
	if (!build_id)
		return NULL;
	*ret = rk_arena_strdup(arena, build_id);
	return *ret ? NULL : rk_err_nomem();
}

struct rk_err *rk_facts_vmlinux(const char *path, struct rk_arena *arena,
				struct rk_kernel_facts *ret)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	struct rk_kernel_facts facts = {};

	RK_TRY(rk_elf_open(path, RK_ELF_LOAD_NO_RELOCS, &elf));
	RK_TRY(find_banner(elf, arena, &facts));
	RK_TRY(copy_build_id(elf, arena, &facts.build_id));
	*ret = facts;
	return NULL;
}

static void free_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

/* The payload of an image, unpacked: whatever it is compressed with, libarchive tells by its magic. */
static struct rk_err *unpack_payload(const char *path, const uint8_t *payload, size_t size,
				     struct rk_str *ret)
{
	_cleanup_(free_archive) struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	const void *data;
	size_t len;
	la_int64_t offset;

	if (!archive)
		return rk_err_nomem();
	archive_read_support_format_raw(archive);
	archive_read_support_filter_all(archive);
	if (archive_read_open_memory(archive, payload, size) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return rk_err(RK_ERR_UNSUPPORTED, "cannot unpack the kernel in '%s': %s", path,
			      archive_error_string(archive));
	/* The kernel's build puts the unpacked size behind the compressed data; a reader that stumbles over it at
	 * the end has given everything before. */
	while (archive_read_data_block(archive, &data, &len, &offset) == ARCHIVE_OK) {
		if (ret->len + len > VMLINUX_MAX)
			return rk_err(RK_ERR_LIMIT, "the kernel in '%s' is larger than %u bytes",
				      path, VMLINUX_MAX);
		rk_str_add_bytes(ret, data, len);
	}
	return rk_str_check(ret);
}

static struct rk_err *image_version(const uint8_t *data, size_t size, struct rk_arena *arena,
				    struct rk_kernel_facts *ret)
{
	size_t at = le16(data + SETUP_VERSION) + SECTOR;

	if (at == SECTOR || at >= size)
		return NULL;
	const char *text = (const char *)data + at;
	size_t len = strnlen(text, size - at < BANNER_MAX ? size - at : BANNER_MAX);
	const char *space = memchr(text, ' ', len);
	const char *version = memmem(text, len, ") #", 3);
	if (!space || !version)
		return NULL;
	ret->release = rk_arena_strndup(arena, text, (size_t)(space - text));
	ret->version = rk_arena_strndup(arena, version + 2, (size_t)(text + len - version - 2));
	return ret->release && ret->version ? NULL : rk_err_nomem();
}

struct rk_err *rk_facts_image(const char *path, struct rk_arena *arena, struct rk_kernel_facts *ret)
{
	_cleanup_str_ struct rk_str payload = RK_STR_INIT;
	_cleanup_elf_ struct rk_elf *elf = NULL;
	_cleanup_free_ char *text = NULL;
	struct rk_kernel_facts facts = {};
	size_t size;

	RK_TRY(rk_fs_read(path, IMAGE_MAX, &text, &size));
	const uint8_t *data = (const uint8_t *)text;
	if (size < SETUP_HEADER_END || memcmp(data + SETUP_MAGIC, "HdrS", 4) != 0 ||
	    le16(data + SETUP_PROTOCOL) < 0x208)
		return rk_err(RK_ERR_UNSUPPORTED, "'%s' is no bootable x86 kernel image", path);
	RK_TRY(image_version(data, size, arena, &facts));

	/* A setup_sects of 0 means 4, for historical reasons (boot protocol). */
	uint64_t start = ((data[SETUP_SECTS] ? data[SETUP_SECTS] : 4u) + 1ull) * SECTOR +
			 le32(data + PAYLOAD_OFFSET);
	uint64_t length = le32(data + PAYLOAD_LENGTH);
	if (start > size || length > size - start)
		return rk_err(RK_ERR_FORMAT, "'%s' ends before its compressed kernel does", path);
	RK_TRY(unpack_payload(path, data + start, length, &payload));
	RK_TRY(rk_elf_open_memory(path, rk_str_get(&payload), payload.len, RK_ELF_LOAD_NO_RELOCS,
				  &elf));
	RK_TRY(copy_build_id(elf, arena, &facts.build_id));
	*ret = facts;
	return NULL;
}

struct rk_err *rk_facts_config(const char *config, const char *name, struct rk_arena *arena,
			       const char **ret)
{
	size_t len = strlen(name);

	for (const char *p = config; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!rk_has_prefix(p, "CONFIG_") || strncmp(p + 7, name, len) != 0 ||
		    p[7 + len] != '=')
			continue;
		const char *value = p + 7 + len + 1;
		size_t value_len = strcspn(value, "\n");
		if (value_len >= 2 && value[0] == '"' && value[value_len - 1] == '"') {
			value++;
			value_len -= 2;
		}
		*ret = rk_arena_strndup(arena, value, value_len);
		return *ret ? NULL : rk_err_nomem();
	}
	*ret = NULL;
	return NULL;
}

struct rk_err *rk_facts_debian_version(const char *version, struct rk_arena *arena,
				       const char **ret)
{
	const char *found = strstr(version, " Debian ");

	*ret = NULL;
	if (!found)
		return NULL;
	found += strlen(" Debian ");
	*ret = rk_arena_strndup(arena, found, strcspn(found, " "));
	return *ret ? NULL : rk_err_nomem();
}

struct rk_err *rk_facts_notes(const char *path, struct rk_arena *arena, const char **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size, at = 0;

	*ret = NULL;
	RK_TRY(rk_fs_read(path, NOTES_MAX, &text, &size));
	const uint8_t *data = (const uint8_t *)text;
	while (size - at >= 12) {
		uint64_t namesz = (le32(data + at) + 3ull) & ~3ull;
		uint64_t descsz = le32(data + at + 4);
		uint32_t type = le32(data + at + 8);

		at += 12;
		if (namesz > size - at || descsz > size - at - namesz)
			break;
		if (type == NT_GNU_BUILD_ID && namesz == 4 && memcmp(data + at, "GNU", 4) == 0) {
			char *hex = rk_arena_alloc(arena, descsz * 2 + 1);

			if (!hex)
				return rk_err_nomem();
			for (uint64_t i = 0; i < descsz; i++)
				snprintf(hex + 2 * i, 3, "%02x", data[at + namesz + i]);
			*ret = hex;
			return NULL;
		}
		uint64_t step = namesz + ((descsz + 3) & ~3ull);
		if (step > size - at)
			break;
		at += step;
	}
	return NULL;
}
