/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which columns there are the first line says, so that the table may grow others. What is later used as a path or as a name
 * of a file is checked here, once.
 */
#include "bench/coverage/table.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"

#define COLUMNS_MAX 64
#define FIELD_MAX   4096

enum column {
	COLUMN_CVE,
	COLUMN_FILES,
	COLUMN_TITLE,
	COLUMN_SEVERITY,
	COLUMN_SCORE,
	COLUMN_FIXED,
	COLUMNS
};

static const char *const column_names[COLUMNS] = {"cve",      "files", "title",
						  "severity", "cvss",  "fixed_ver"};

struct field {
	const char *s;
	size_t len;
};

struct reader {
	const char *name;
	size_t line;
	size_t place[COLUMNS]; /* which field a column is */
	struct cov_table *table;
};

static struct rk_err *bad(const struct reader *r, const char *what)
{
	return rk_err(RK_ERR_FORMAT, "'%s' line %zu: %s", r->name, r->line, what);
}

/* Cuts line into fields; how many there are, at most COLUMNS_MAX. */
static size_t split(const char *line, size_t len, struct field fields[COLUMNS_MAX])
{
	size_t nr = 0;

	for (const char *p = line, *end = line + len; nr < COLUMNS_MAX;) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));
		fields[nr++] = (struct field){p, (size_t)((tab ? tab : end) - p)};
		if (!tab)
			break;
		p = tab + 1;
	}
	return nr;
}

static struct rk_err *read_names(struct reader *r, const struct field *fields, size_t nr)
{
	for (size_t c = 0; c < COLUMNS; c++) {
		size_t i = 0;
		while (i < nr && (fields[i].len != strlen(column_names[c]) ||
				  memcmp(fields[i].s, column_names[c], fields[i].len) != 0))
			i++;
		if (i == nr)
			return rk_err(RK_ERR_FORMAT, "'%s' line %zu: there is no column '%s'",
				      r->name, r->line, column_names[c]);
		r->place[c] = i;
	}
	return NULL;
}

/* "CVE-", four digits, "-", digits. */
static bool is_cve(const char *id)
{
	static const char form[] = "CVE-0000-0";

	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)id[i]) : id[i] != form[i])
			return false;
	return id[strspn(id + 4, "0123456789-") + 4] == '\0' && strlen(id) <= 20 &&
	       !strchr(id + 9, '-');
}

int cov_cve_compare(const char *a, const char *b)
{
	int year = strncmp(a, b, strlen("CVE-2026-"));
	size_t x = strlen(a), y = strlen(b);

	if (year != 0 || x == y)
		return year ? year : strcmp(a, b);
	return x < y ? -1 : 1;
}

/* A path within the tree, in its shortest form. */
static bool is_path(const char *path)
{
	if (!*path || *path == '/')
		return false;
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		size_t len = strcspn(part, "/");
		if (len == 0 || (len == 1 && part[0] == '.') ||
		    (len == 2 && part[0] == '.' && part[1] == '.'))
			return false;
	}
	return true;
}

static struct rk_err *add_file(struct reader *r, struct cov_cve *cve, const char *path)
{
	if (!is_path(path))
		return bad(r, "a file's name isn't a path within the kernel tree");
	rk_vec_for_each(&cve->files, known)
		if (rk_streq(*known, path))
			return NULL;
	return rk_vec_push(&cve->files, path) ? NULL : rk_err_nomem();
}

static struct rk_err *add_files(struct reader *r, struct cov_cve *cve, char *list)
{
	char *rest = list;

	while (rest) {
		char *comma = strchr(rest, ',');
		if (comma)
			*comma++ = '\0';
		RK_TRY(add_file(r, cve, rest));
		rest = comma;
	}
	return NULL;
}

static struct rk_err *find_or_add(struct reader *r, char *id, struct cov_cve **ret)
{
	struct cov_table *t = r->table;
	struct cov_cve *cve = rk_map_get(&t->by_id, id);

	if (!is_cve(id))
		return bad(r, "no CVE id");
	if (!cve) {
		cve = rk_arena_new(&t->arena, struct cov_cve);
		if (!cve)
			return rk_err_nomem();
		cve->id = id;
		if (!rk_vec_push(&t->cves, cve) || !rk_map_set(&t->by_id, id, cve))
			return rk_err_nomem();
	}
	*ret = cve;
	return NULL;
}

static struct rk_err *read_line(struct reader *r, const struct field *fields, size_t nr)
{
	char *text[COLUMNS];
	struct cov_cve *cve = NULL;

	for (size_t c = 0; c < COLUMNS; c++) {
		if (r->place[c] >= nr)
			return bad(r, "it has fewer fields than there are columns");
		const struct field *f = &fields[r->place[c]];
		if (f->len > FIELD_MAX || memchr(f->s, '\0', f->len))
			return bad(r, "a field is too long or isn't text");
		text[c] = rk_arena_strndup(&r->table->arena, f->s, f->len);
		if (!text[c])
			return rk_err_nomem();
	}
	RK_TRY(find_or_add(r, text[COLUMN_CVE], &cve));
	cve->title = text[COLUMN_TITLE];
	cve->severity = text[COLUMN_SEVERITY];
	cve->score = text[COLUMN_SCORE];
	cve->fixed_in = text[COLUMN_FIXED];
	return add_files(r, cve, text[COLUMN_FILES]);
}

static struct rk_err *read_all(struct reader *r, const char *text, size_t len)
{
	struct field fields[COLUMNS_MAX];

	for (const char *p = text, *end = text + len; p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t line_len = (size_t)((newline ? newline : end) - p);
		r->line++;
		size_t nr = split(p, line_len, fields);
		RK_TRY(r->line == 1 ? read_names(r, fields, nr) : read_line(r, fields, nr));
		p += line_len + 1;
	}
	return r->table->cves.nr ? NULL : rk_err(RK_ERR_FORMAT, "'%s' names no CVE", r->name);
}

static int compare_cves(const void *a, const void *b)
{
	return cov_cve_compare((*(struct cov_cve *const *)a)->id,
			       (*(struct cov_cve *const *)b)->id);
}

struct rk_err *cov_table_parse(const char *name, const char *text, size_t len,
			       struct cov_table *ret)
{
	struct cov_table table = {};
	struct reader r = {.name = name, .table = &table};
	struct rk_err *err = read_all(&r, text, len);

	if (err) {
		cov_table_deinit(&table);
		return err;
	}
	qsort(table.cves.v, table.cves.nr, sizeof(*table.cves.v), compare_cves);
	*ret = table;
	return NULL;
}

void cov_table_deinit(struct cov_table *table)
{
	rk_vec_for_each(&table->cves, cve)
		rk_vec_deinit(&(*cve)->files);
	rk_vec_deinit(&table->cves);
	rk_map_deinit(&table->by_id);
	rk_arena_deinit(&table->arena);
}
