// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The decoder of the kernel's symbol table on any bytes. The input is form, number, and the sizes
 * of the four tables, then the tables one behind the other; what is decoded must be found again by
 * name.
 */
#include <string.h>

#include "lib/target/kallsyms.h"
#include "tests/fuzz/fuzz.h"

struct header {
	uint8_t form;
	uint8_t nr[3]; /* little-endian */
	uint16_t names, token_table, addresses;
};

/* size bytes of the input, or what is left; a copy, so that one byte too many is seen. */
static uint8_t *cut(const uint8_t **data, size_t *left, size_t size, size_t *ret_size)
{
	*ret_size = size < *left ? size : *left;
	uint8_t *copy = malloc(*ret_size ? *ret_size : 1);
	if (!copy)
		abort();
	memcpy(copy, *data, *ret_size);
	*data += *ret_size;
	*left -= *ret_size;
	return copy;
}

static void check(const struct rk_kallsyms *k)
{
	size_t found = 0;

	for (size_t i = 0; i < k->nr; i++) {
		const struct rk_ksym *sym = rk_kallsyms_find(k, k->v[i].name);
		if (!sym || strlen(k->v[i].name) >= RK_KSYM_NAME_LEN)
			abort();
		/* each chain is in table order; walk it from its first entry only */
		if (sym != &k->v[i])
			continue;
		for (; sym; sym = sym->next, found++)
			if (strcmp(sym->name, k->v[i].name) != 0 || (sym->next && sym->next <= sym))
				abort();
	}
	if (found != k->nr)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header h;
	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	data += sizeof(h);
	size -= sizeof(h);

	struct rk_kallsyms_tables t = {
		.form = (enum rk_kallsyms_form)(h.form % 3),
		.nr = h.nr[0] | (uint32_t)h.nr[1] << 8 | (uint32_t)h.nr[2] << 16,
		.relative_base = 0xffffffff81000000ULL,
	};
	_cleanup_free_ uint8_t *names = cut(&data, &size, h.names, &t.names_size);
	_cleanup_free_ uint8_t *tokens = cut(&data, &size, h.token_table, &t.token_table_size);
	_cleanup_free_ uint8_t *index = cut(&data, &size, 512, &t.token_index_size);
	_cleanup_free_ uint8_t *addresses = cut(&data, &size, h.addresses, &t.addresses_size);
	t.names = names;
	t.token_table = tokens;
	t.token_index = index;
	t.addresses = addresses;

	_cleanup_kallsyms_ struct rk_kallsyms *k = NULL;
	_cleanup_err_ struct rk_err *err = rk_kallsyms_decode(&t, &k);
	if (!err)
		check(k);
	return 0;
}
