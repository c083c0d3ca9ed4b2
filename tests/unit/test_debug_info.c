// SPDX-License-Identifier: GPL-2.0-or-later
/* What debug info says of small sources, in both versions of DWARF that the kernel is built with, and of files that have none. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/elf/debug_info.h"
#include "tests/unit/tap.h"

static const char header[] = "struct of_header { int a; };\n"
			     "static inline int header_function(int x) { return x; }\n";
static const char source[] =
	"#include \"header.h\"\n"
	"struct list { struct list *next, *prev; };\n"
	"typedef unsigned int u32;\n"
	"struct item {\n"
	"	struct list list;\n"
	"	u32 kind : 3, small : 5;\n"
	"	const char *volatile names[4][2];\n"
	"	int (*call)(struct item *, void *, ...);\n"
	"	union { long number; struct { char low, high; }; };\n"
	"	struct of_header *header;\n"
	"	enum { NO, YES = 5 } amount;\n"
	"	unsigned char rest[];\n"
	"};\n"
	"typedef struct { u32 a : 4, b : 12; struct { u32 c : 1; }; } packed_t;\n"
	"packed_t packed;\n"
	"union value { int i; void *p; };\n"
	"enum state { IDLE = -1, BUSY, LAST = 7 };\n"
	"extern int declared(int x);\n"
	"static __attribute__((noinline)) enum state local(union value v) { return v.i ? BUSY : LAST; }\n"
	"static inline int folded(int x) { return x + 1; }\n"
	"struct item *entry(struct item *item, u32 n, const struct of_header *h)\n"
	"{\n"
	"	item->kind = local((union value){.i = declared(folded(n)) + header_function(h->a)});\n"
	"	return item;\n"
	"}\n"
	"void variadic(const char *format, ...) {}\n"
	"int nothing(void) { return 0; }\n";

static const char *dir;

static char *compile(const char *name, const char *text, const char *flag)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);
	char *object = rk_asprintf("%s.o", path);
	const char *const argv[] = {"gcc", "-O2", flag, "-w", "-c", path, "-o", object, NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = 60000};
	_cleanup_process_result_ struct rk_process_result res = {};

	if (!no_err(rk_fs_write(path, text, strlen(text), 0666), name) ||
	    !no_err(rk_process_check(&spec, &res), flag))
		bail_out("no object");
	return object;
}

static struct rk_debug_type *find_type(const struct rk_debug_info *info, const char *name)
{
	rk_vec_for_each(&info->types, type)
		if (type->name && strcmp(type->name, name) == 0)
			return type;
	return NULL;
}

static const struct rk_debug_func *find_func(const struct rk_debug_info *info, const char *name)
{
	rk_vec_for_each(&info->funcs, func)
		if (strcmp(func->name, name) == 0)
			return func;
	return NULL;
}

/* "0 struct list * next", "bit 3/5 u32 small" or "BUSY = 0" */
static const char *text_of(const struct rk_debug_type *type, const struct rk_debug_member *m)
{
	static char text[200];
	if (type->is_enum)
		snprintf(text, sizeof(text), "%s = %lld", m->name, (long long)m->value);
	else if (m->is_bit_field)
		snprintf(text, sizeof(text), "bit %llu/%llu %s %s", (unsigned long long)m->bit,
			 (unsigned long long)m->bits, m->type, m->name);
	else
		snprintf(text, sizeof(text), "%llu/%llu %s %s%s%s", (unsigned long long)m->bit / 8,
			 (unsigned long long)m->bits / 8, m->type, m->name,
			 m->embeds ? " embeds " : "", m->embeds ? m->embeds : "");
	return text;
}

static void has_members(struct rk_debug_info *info, const char *name, uint64_t size,
			const char *const *members)
{
	struct rk_debug_type *type = find_type(info, name);
	if (!ok(type != NULL, "%s is described", name) ||
	    !no_err(rk_debug_info_load_members(info, type), name))
		return;
	is_int((long long)type->size, (long long)size, name);
	size_t n = 0;
	for (; members[n]; n++)
		is_str(n < type->nr_members ? text_of(type, &type->members[n]) : NULL, members[n],
		       members[n]);
	is_int((long long)type->nr_members, (long long)n, "number of members");
}

static void has_prototype(const struct rk_debug_info *info, const char *name, const char *prototype,
			  bool external)
{
	const struct rk_debug_func *func = find_func(info, name);
	if (!ok(func != NULL, "%s is described", name))
		return;
	is_str(func->prototype, prototype, name);
	ok(func->external == external, "%s is %s", name, external ? "global" : "static");
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_version(const char *flag)
{
	_cleanup_free_ char *object = compile("unit.c", source, flag);
	_cleanup_debug_info_ struct rk_debug_info *info = NULL;
	if (!no_err(rk_debug_info_read(object, &info), flag))
		return;
	has_members(info, "struct list", 16,
		    LIST("0/8 struct list * next", "8/8 struct list * prev"));
	has_members(info, "struct item", 120,
		    LIST("0/16 struct list list embeds struct list", "bit 128/3 u32 kind",
			 "bit 131/5 u32 small", "24/64 char const * volatile[4][2] volatile names",
			 "88/8 int (struct item *, void *, ...) * call", "96/8 long int number",
			 "96/1 char low", "97/1 char high", "104/8 struct of_header * header",
			 "112/4 enum (unnamed) amount", "116/0 unsigned char[0] rest"));
	has_members(info, "packed_t", 8, LIST("bit 0/4 u32 a", "bit 4/12 u32 b", "bit 32/1 u32 c"));
	has_members(info, "union value", 8, LIST("0/4 int i", "0/8 void * p"));
	has_members(info, "enum state", 4, LIST("IDLE = -1", "BUSY = 0", "LAST = 7"));
	has_members(info, "struct of_header", 4, LIST("0/4 int a"));
	const struct rk_debug_type *own = find_type(info, "struct item");
	const struct rk_debug_type *of_header = find_type(info, "struct of_header");
	ok(own && own->is_own && of_header && !of_header->is_own,
	   "the unit's types and a header's are told apart");
	ok(of_header && strstr(of_header->file, "header.h"), "the header is named");
	has_prototype(info, "entry", "struct item * (struct item *, u32, struct of_header const *)",
		      true);
	has_prototype(info, "local", "enum state (union value)", false);
	has_prototype(info, "folded", "int (int)", false);
	has_prototype(info, "variadic", "void (char const *, ...)", true);
	has_prototype(info, "nothing", "int ()", true);
	ok(!find_func(info, "declared"), "a declaration is left out");
	ok(!find_func(info, "header_function"), "a header's function is left out");
}

static void test_without(void)
{
	_cleanup_free_ char *object = compile("unit.c", source, "-g0");
	_cleanup_debug_info_ struct rk_debug_info *info = NULL;
	if (no_err(rk_debug_info_read(object, &info), "an object without debug info")) {
		is_int((long long)info->types.nr, 0, "no types");
		is_int((long long)info->funcs.nr, 0, "no functions");
	}
	_cleanup_free_ char *missing = rk_path_join(dir, "missing.o");
	struct rk_debug_info *none = NULL;
	is_err_like(rk_debug_info_read(missing, &none), RK_ERR_SYS, "missing.o", "a missing file");
	_cleanup_free_ char *text = rk_path_join(dir, "unit.c");
	is_err_like(rk_debug_info_read(text, &none), RK_ERR_FORMAT, "unit.c", "not an object");
	ok(!none, "untouched on failure");
}

int main(void)
{
	dir = tap_tmpdir();
	_cleanup_free_ char *path = rk_path_join(dir, "header.h");
	no_err(rk_fs_write(path, header, strlen(header), 0666), "header");
	test_version("-gdwarf-5");
	test_version("-gdwarf-4");
	test_without();
	return done_testing();
}
