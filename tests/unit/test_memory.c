/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arenas, strings, arrays and maps: growth, limits, and that sticky failures are reported. */
#include <stdint.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/base/module_name.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "tests/unit/tap.h"

static bool is_zero(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i])
			return false;
	}
	return true;
}

static void test_arena(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	bool aligned = true, zeroed = true;

	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *p = rk_arena_alloc(&arena, size);

		if (!p)
			bail_out("out of memory");
		aligned = aligned && (uintptr_t)p % _Alignof(max_align_t) == 0;
		zeroed = zeroed && is_zero(p, size);
		memset(p, 0xff, size);
	}
	ok(aligned, "every allocation is aligned for any type");
	ok(zeroed, "every allocation is zeroed");

	char *small = rk_arena_strdup(&arena, "before");
	unsigned char *big = rk_arena_alloc(&arena, 1u << 20);
	char *after = rk_arena_strdup(&arena, "after");
	ok(big && is_zero(big, 1u << 20), "an allocation larger than a block");
	is_int(after - small, 16, "a large one leaves the current block in use");

	is_str(rk_arena_strndup(&arena, "abcdef", 3), "abc", "strndup cuts");
	is_str(rk_arena_strndup(&arena, "ab", 30), "ab", "strndup ends at the NUL");
	is_str(rk_arena_printf(&arena, "%s-%d", "x", 7), "x-7", "printf");
	is_mem(rk_arena_memdup(&arena, "a\0b", 3), 3, "a\0b", 3, "memdup keeps NULs");
	ok(rk_arena_memdup(&arena, NULL, 0) != NULL, "memdup of nothing");
	ok(!rk_arena_calloc(&arena, SIZE_MAX / 2, 3), "calloc refuses an overflow");
	ok(!rk_arena_alloc(&arena, SIZE_MAX), "alloc refuses a size that can't be rounded");
	ok(!rk_arena_alloc(&arena, SIZE_MAX - 64),
	   "alloc refuses a size with no room for its block");

	rk_arena_deinit(&arena);
	is_int((long long)arena.used, 0, "empty after deinit");
	is_str(rk_arena_strdup(&arena, "again"), "again", "usable after deinit");
}

static void test_str(void)
{
	_cleanup_str_ struct rk_str str = RK_STR_INIT;
	char *taken = NULL;

	is_str(rk_str_get(&str), "", "empty string");
	no_err(rk_str_take(&str, &taken), "an empty string can be taken");
	is_str(taken, "", "what was taken is never NULL");
	free(taken);

	for (int i = 0; i < 1000; i++)
		rk_str_addf(&str, "%d,", i);
	rk_str_add(&str, "end");
	rk_str_add_char(&str, '.');
	is_int((long long)str.len, 3890 + 4, "length after many appends");
	ok(rk_has_suffix(rk_str_get(&str), "998,999,end."), "content after many appends");
	no_err(rk_str_check(&str), "no failure");

	rk_str_clear(&str);
	rk_str_add_bytes(&str, "a\0b", 3);
	is_mem(str.s, str.len + 1, "a\0b", 4, "bytes with a NUL");

	/* A length no allocation can satisfy; the bytes themselves are never touched. */
	rk_str_add_bytes(&str, "x", SIZE_MAX - 1);
	rk_str_add(&str, "more");
	is_mem(str.s, str.len, "a\0b", 3, "a failed append changes nothing");
	is_err(rk_str_check(&str), RK_ERR_NOMEM, "out of memory", "the failure sticks");
	is_err(rk_str_take(&str, &taken), RK_ERR_NOMEM, "out of memory", "take reports it");
	rk_str_clear(&str);
	no_err(rk_str_check(&str), "clear forgets the failure");

	ok(rk_has_prefix("abc", "ab") && rk_has_prefix("abc", "") && !rk_has_prefix("ab", "abc"),
	   "prefixes");
	ok(rk_has_suffix("abc", "bc") && rk_has_suffix("abc", "") && !rk_has_suffix("bc", "abc"),
	   "suffixes");
	_cleanup_free_ char *formatted = rk_asprintf("%05d", 42);
	is_str(formatted, "00042", "asprintf");
}

static void test_scan(void)
{
	static const struct {
		const char *text;
		uint64_t max, want;
		const char *rest; /* NULL: refused */
	} cases[] = {
		{"12.json", 12, 12, ".json"},
		{"0", 0, 0, ""},
		{"007x", 7, 7, "x"},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX, ""},
		{"18446744073709551616", UINT64_MAX, 0, NULL},
		{"99999999999999999999999", UINT64_MAX, 0, NULL},
		{"13", 12, 0, NULL},
		{"", 9, 0, NULL},
		{"-1", 9, 0, NULL},
		{"+1", 9, 0, NULL},
		{" 1", 9, 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *s = cases[i].text;
		uint64_t got = 77;
		bool scanned = rk_scan_u64(&s, cases[i].max, &got);

		ok(scanned == !!cases[i].rest && got == (scanned ? cases[i].want : 77) &&
			   rk_streq(s, scanned ? cases[i].rest : cases[i].text),
		   "number '%s'", cases[i].text);
	}
}

static void test_words(void)
{
	const char *texts[] = {"b", "", "ab", "a"};
	unsigned int nr = 77;

	ok(rk_find_word("yes|no|ask", "yes", &nr) && nr == 0, "the first word");
	ok(rk_find_word("yes|no|ask", "ask", &nr) && nr == 2, "the last word");
	nr = 77;
	ok(!rk_find_word("yes|no", "ye", &nr) && !rk_find_word("yes|no", "yes|no", &nr) &&
		   !rk_find_word("yes|no", "", &nr) && !rk_find_word("", "a", &nr) && nr == 77,
	   "what is none");
	qsort(texts, ARRAY_SIZE(texts), sizeof(*texts), rk_compare_texts);
	ok(rk_streq(texts[0], "") && rk_streq(texts[1], "a") && rk_streq(texts[2], "ab") &&
		   rk_streq(texts[3], "b"),
	   "texts in order");

	const char *cves[] = {"CVE-2026-100", "CVE-2026-9", "CVE-2025-1000", "CVE-2026-10"};
	qsort(cves, ARRAY_SIZE(cves), sizeof(*cves), rk_compare_numbered);
	ok(rk_streq(cves[0], "CVE-2025-1000") && rk_streq(cves[1], "CVE-2026-9") &&
		   rk_streq(cves[2], "CVE-2026-10") && rk_streq(cves[3], "CVE-2026-100"),
	   "numbers within texts in order");
}

static void test_vec(void)
{
	rk_vec(int) v = {};
	size_t cap = SIZE_MAX / 4;
	void *p = NULL;
	long sum = 0;

	rk_vec_for_each(&v, it)
		ok(false, "an empty vector has no elements");
	for (int i = 0; i < 10000; i++) {
		if (!rk_vec_push(&v, i))
			bail_out("out of memory");
	}
	rk_vec_for_each(&v, it)
		sum += *it;
	is_int(sum, 49995000, "every element is there");
	ok(v.cap < 20000, "capacity stays near the size");
	rk_vec_deinit(&v);
	is_int((long long)v.nr, 0, "empty after deinit");
	ok(!rk_vec_grow(&p, &cap, cap, 8), "growth refuses an overflow");
	ok(!p && cap == SIZE_MAX / 4, "a failed growth changes nothing");
}

#define NR_KEYS 20000

static void test_map(void)
{
	static char keys[NR_KEYS][16];
	static int values[NR_KEYS];
	struct rk_map map = {};
	const char *key;
	void *value;
	size_t pos = 0, seen = 0, wrong = 0;

	ok(!rk_map_get(&map, "x") && !rk_map_get_ptr(&map, keys), "an empty map has nothing");
	ok(!rk_map_next(&map, &pos, &key, &value), "an empty map has no entries");
	for (int i = 0; i < NR_KEYS; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key%d", i);
		if (!rk_map_set(&map, keys[i], &values[i]))
			bail_out("out of memory");
	}
	is_int((long long)map.nr, NR_KEYS, "number of keys");
	for (int i = 0; i < NR_KEYS; i++) {
		char copy[16];

		memcpy(copy, keys[i], sizeof(copy));
		wrong += rk_map_get(&map, copy) != &values[i];
	}
	is_int((long long)wrong, 0, "every key is found by its text");
	ok(!rk_map_get(&map, "key20000") && !rk_map_get(&map, ""), "absent keys");

	ok(rk_map_set(&map, "key7", &values[0]), "set again");
	is_int((long long)map.nr, NR_KEYS, "replacing adds no key");
	ok(rk_map_get(&map, "key7") == &values[0], "the value is replaced");

	for (pos = 0; rk_map_next(&map, &pos, &key, &value);)
		seen += rk_map_get(&map, key) == value;
	is_int((long long)seen, NR_KEYS, "the walk sees every entry once");
	rk_map_deinit(&map);

	for (int i = 0; i < NR_KEYS; i++)
		wrong += !rk_map_set_ptr(&map, &values[i], keys[i]);
	for (int i = 0; i < NR_KEYS; i++)
		wrong += rk_map_get_ptr(&map, &values[i]) != keys[i];
	is_int((long long)wrong, 0, "pointers as keys");
	ok(!rk_map_get_ptr(&map, keys), "an absent pointer");
	rk_map_deinit(&map);
}

static void test_module_names(void)
{
	char name[] = "snd-hda-codec";

	is_str(rk_module_name_fold(name), "snd_hda_codec", "'-' is '_' in a module's name");
	ok(!rk_module_name_fold(NULL), "no name");
	ok(rk_module_name_is("nf-tables.ko", 9, "nf_tables") &&
		   rk_module_name_is("nf_tables", 9, "nf-tables"),
	   "the same module, whichever has which");
	ok(!rk_module_name_is("nf_tables", 9, "nf_table") &&
		   !rk_module_name_is("nf_table", 8, "nf_tables") &&
		   !rk_module_name_is("nf.tables", 9, "nf_tables"),
	   "a beginning isn't, nor is another sign");
}

int main(void)
{
	test_arena();
	test_str();
	test_scan();
	test_words();
	test_vec();
	test_map();
	test_module_names();
	return done_testing();
}
