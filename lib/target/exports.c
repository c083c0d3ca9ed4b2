// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading Module.symvers: one line per export, five fields with tabs between them: CRC, name, path
 * of the object without suffix, kind of export, namespace (often empty).
 */
#include "lib/target/exports.h"

#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"

enum field {
	CRC,
	NAME,
	PATH,
	KIND,
	NAMESPACE,
	NR_FIELDS
};

/*
 * Cuts line at its tabs; fields that aren't there are NULL. False when there are more than
 * NR_FIELDS.
 */
static bool split(char *line, char *ret_fields[NR_FIELDS])
{
	for (int i = 0; i < NR_FIELDS; i++) {
		ret_fields[i] = line;
		if (!line)
			continue;
		char *tab = strchr(line, '\t');
		if (tab)
			*tab++ = '\0';
		line = tab;
	}
	return !line;
}

static bool parse_crc(const char *s, uint32_t *ret)
{
	char *end;

	if (s[0] != '0' || s[1] != 'x' || !s[2] || strlen(s) > 10)
		return false;
	if (strspn(s + 2, "0123456789abcdefABCDEF") != strlen(s + 2))
		return false;
	errno = 0;
	unsigned long crc = strtoul(s, &end, 16);
	if (errno || *end)
		return false;
	*ret = (uint32_t)crc;
	return true;
}

/*
 * "net/key/af-key" is the module af_key (scripts/Makefile.lib name-fix-token); path is changed in
 * place.
 */
static const char *object_name(char *path)
{
	char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	size_t len = strlen(base);
	/* external modules' files may carry the suffix */
	if (len > 3 && rk_has_suffix(base, ".ko"))
		base[len - 3] = '\0';
	for (char *c = base; *c; c++)
		if (*c == '-')
			*c = '_';
	return base;
}

static struct rk_err *parse_line(const char *file, unsigned int number, char *line,
				 struct rk_exports *exports)
{
	char *field[NR_FIELDS];
	if (!split(line, field) || !field[KIND])
		return rk_err(RK_ERR_FORMAT, "'%s' line %u: not five fields with tabs between them",
			      file, number);
	struct rk_export *export = rk_arena_new(&exports->arena, struct rk_export);
	if (!export)
		return rk_err_nomem();
	if (!parse_crc(field[CRC], &export->crc))
		return rk_err(RK_ERR_FORMAT, "'%s' line %u: '%s' is not a CRC", file, number,
			      field[CRC]);
	if (!rk_has_prefix(field[KIND], "EXPORT_SYMBOL"))
		return rk_err(RK_ERR_FORMAT, "'%s' line %u: unknown kind of export '%s'", file,
			      number, field[KIND]);
	export->name = field[NAME];
	export->object = object_name(field[PATH]);
	if (!*export->name || !*export->object)
		return rk_err(RK_ERR_FORMAT, "'%s' line %u: symbol or object is empty", file,
			      number);
	export->gpl = rk_has_suffix(field[KIND], "_GPL");
	export->ns = field[NAMESPACE] ? field[NAMESPACE] : "";
	if (rk_map_get(&exports->by_name, export->name))
		return rk_err(RK_ERR_FORMAT, "'%s' line %u: '%s' is exported twice", file, number,
			      export->name);
	if (!rk_map_set(&exports->by_name, export->name, export))
		return rk_err_nomem();
	exports->nr++;
	return NULL;
}

struct rk_err *rk_exports_parse(const char *name, const char *text, size_t size,
				struct rk_exports **ret)
{
	if (memchr(text, '\0', size))
		return rk_err(RK_ERR_FORMAT, "'%s' is not a text file", name);
	_cleanup_exports_ struct rk_exports *exports = calloc(1, sizeof(*exports));
	if (!exports)
		return rk_err_nomem();
	rk_arena_init(&exports->arena);
	char *line = rk_arena_strndup(&exports->arena, text, size);
	if (!line)
		return rk_err_nomem();
	for (unsigned int number = 1; line && *line; number++) {
		char *next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		RK_TRY(parse_line(name, number, line, exports));
		line = next;
	}
	*ret = take_ptr(exports);
	return NULL;
}

struct rk_err *rk_exports_read(const char *path, struct rk_exports **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	RK_TRY(rk_fs_read(path, RK_SYMVERS_MAX, &text, &size));
	return rk_exports_parse(path, text, size, ret);
}

void rk_exports_free(struct rk_exports *exports)
{
	if (!exports)
		return;
	rk_map_deinit(&exports->by_name);
	rk_arena_deinit(&exports->arena);
	free(exports);
}

const struct rk_export *rk_exports_find(const struct rk_exports *exports, const char *name)
{
	return rk_map_get(&exports->by_name, name);
}
