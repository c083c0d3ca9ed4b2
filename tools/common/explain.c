/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading docs/findings.md: entries and their blocks. */
#include "tools/common/explain.h"

#include <string.h>

extern const unsigned char rk_findings_text[];
extern const unsigned long rk_findings_text_size;

struct reader {
	struct rk_entries *entries;
	struct rk_str block; /* being gathered */
	enum rk_block_kind kind;
	bool in_code;
};

void rk_entries_deinit(struct rk_entries *entries)
{
	rk_vec_for_each(&entries->list, entry)
		rk_vec_deinit(&entry->blocks);
	rk_vec_deinit(&entries->list);
	rk_arena_deinit(&entries->arena);
}

static struct rk_err *begin_entry(struct reader *r, const char *name)
{
	struct rk_entry entry = {.name = rk_arena_strdup(&r->entries->arena, name)};

	return entry.name && rk_vec_push(&r->entries->list, entry) ? NULL : rk_err_nomem();
}

/* Hands over what was gathered. */
static struct rk_err *end_block(struct reader *r)
{
	struct rk_entry *entry = &r->entries->list.v[r->entries->list.nr - 1];

	RK_TRY(rk_str_check(&r->block));
	if (!r->block.len)
		return NULL;
	struct rk_block block = {
		.kind = r->kind,
		.text = rk_arena_strdup(&r->entries->arena, rk_str_get(&r->block)),
	};
	rk_str_clear(&r->block);
	return block.text && rk_vec_push(&entry->blocks, block) ? NULL : rk_err_nomem();
}

static struct rk_err *begin_block(struct reader *r, enum rk_block_kind kind, const char *text)
{
	RK_TRY(end_block(r));
	r->kind = kind;
	rk_str_add(&r->block, text);
	return NULL;
}

static struct rk_err *read_line(struct reader *r, const char *line)
{
	if (rk_has_prefix(line, "```")) {
		RK_TRY(end_block(r));
		r->in_code = !r->in_code;
		r->kind = r->in_code ? RK_BLOCK_CODE : RK_BLOCK_TEXT;
		return NULL;
	}
	if (r->in_code) {
		rk_str_addf(&r->block, "%s\n", line);
		return NULL;
	}
	if (!*line)
		return end_block(r);
	if (rk_has_prefix(line, "# "))
		return NULL;
	if (rk_has_prefix(line, "## ")) {
		RK_TRY(end_block(r));
		return begin_entry(r, line + strlen("## "));
	}
	if (rk_has_prefix(line, "### ")) {
		RK_TRY(begin_block(r, RK_BLOCK_HEADING, line + strlen("### ")));
		return end_block(r);
	}
	if (rk_has_prefix(line, "- "))
		return begin_block(r, RK_BLOCK_ITEM, line + strlen("- "));
	if (!r->block.len)
		r->kind = RK_BLOCK_TEXT;
	else
		rk_str_add_char(&r->block, ' ');
	rk_str_add(&r->block, line + strspn(line, " "));
	return NULL;
}

static struct rk_err *read_lines(struct reader *r, const char *text, size_t size)
{
	_cleanup_str_ struct rk_str line = RK_STR_INIT;

	RK_TRY(begin_entry(r, ""));
	for (size_t i = 0; i < size;) {
		const char *end = memchr(text + i, '\n', size - i);
		size_t len = end ? (size_t)(end - text) - i : size - i;

		rk_str_clear(&line);
		rk_str_add_bytes(&line, text + i, len);
		RK_TRY(rk_str_check(&line));
		RK_TRY(read_line(r, rk_str_get(&line)));
		i += len + 1;
	}
	return end_block(r);
}

struct rk_err *rk_entries_parse(struct rk_entries *ret, const char *text, size_t size)
{
	struct reader r = {.entries = ret};
	struct rk_err *err = read_lines(&r, text, size);

	rk_str_deinit(&r.block);
	return err;
}

struct rk_err *rk_entries_read(struct rk_entries *ret)
{
	return rk_entries_parse(ret, (const char *)rk_findings_text, rk_findings_text_size);
}

const struct rk_entry *rk_entries_find(const struct rk_entries *entries, const char *name)
{
	rk_vec_for_each(&entries->list, entry)
		if (rk_streq(entry->name, name))
			return entry;
	return NULL;
}
