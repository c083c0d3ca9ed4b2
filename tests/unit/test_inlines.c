// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The index of inlined functions: made of a linked file and of two relocatable ones, in both versions of DWARF; asked; damaged in every way a
 * byte or an end can be.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/target/inlines.h"
#include "tests/unit/tap.h"

static const char header[] =
	"extern int state;\n"
	"static inline int checked(int x) { return x > 3 ? x * state : state; }\n"
	"static inline int outer(int x) { return checked(x) + 7; }\n"
	"static inline int ab(int x) { return state - x; }\n"
	"static inline int unused(int x) { return state / x; }\n"
	"static inline int checked_too(int x) { return state % x; }\n"
	"static inline void *cast(int *x) { return x; }\n"
	"__attribute__((noinline)) static int copied(int x) { return state ^ x; }\n";
static const char one[] =
	"#include \"header.h\"\n"
	"int state = 5;\n"
	"int direct(int x) { return checked(x); }\n"
	"int nested(int x) { if (x) { int y = x - 1; return outer(y); } return 0; }\n"
	"__attribute__((section(\".init.text\"))) int other(int x) { return ab(x); }\n"
	"int two_entry(int x);\nint unit_start(int x) { return two_entry(x); }\n";
static const char two[] = "#include \"sub/../header.h\"\n"
			  "static inline int namesake(int x) { return x / (state - 11); }\n"
			  "void *with_cast(int *x) { return cast(x); }\n"
			  "int two_entry(int x) { return outer(x) + copied(x) + namesake(x); }\n"
			  "int (*pointer)(int) = unused;\n"
			  "int with_too(int x) { return checked_too(x); }\n";

static const char *dir;

static char *put(const char *name, const char *text)
{
	char *path = rk_path_join(dir, name);

	if (!no_err(rk_fs_write(path, text, strlen(text), 0666), name))
		bail_out("no sources");
	return path;
}

static void put_sources(void)
{
	_cleanup_free_ char *h = put("header.h", header), *a = put("one.c", one),
			    *b = put("two.c", two), *sub = rk_path_join(dir, "sub");

	if (!no_err(rk_fs_mkdir_p(sub, 0755), "a directory that is left again"))
		bail_out("no sources");
}

/* Compiles the source, or links both with their debug info as flag says. */
static char *compile(const char *flag, const char *source, const char *name)
{
	char *path = rk_path_join(dir, name);
	const char *const linked[] = {"gcc",	 "-O2",	      flag,	 "-w", "-fno-pie",
				      "-no-pie", "-nostdlib", "-static", "-e", "unit_start",
				      "one.c",	 "two.c",     "-o",	 path, NULL};
	const char *const module[] = {"gcc", "-O2", flag, "-w", "-c", source, "-o", path, NULL};
	struct rk_process_spec spec = {
		.argv = source ? module : linked, .cwd = dir, .timeout_ms = 60000};
	_cleanup_process_result_ struct rk_process_result res = {};

	if (!no_err(rk_process_check(&spec, &res), name))
		bail_out("nothing is compiled");
	return path;
}

static struct rk_err *write_down(void *ctx, const struct rk_inline *found)
{
	struct rk_str *text = ctx;

	rk_str_addf(text, "%s%s %s %s%s", text->len ? ", " : "", found->object, found->unit,
		    found->container ? found->container : "?", found->is_init ? " init" : "");
	return NULL;
}

/* The answer as "object unit function, …" */
static void finds(const struct rk_inline_index *index, const char *function, const char *file,
		  const char *want)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	if (no_err(rk_inline_index_find(index, function, file, write_down, &text), function))
		is_str(rk_str_get(&text), want, function);
}

static void add(struct rk_inline_builder *builder, const char *object, const char *path)
{
	no_err(rk_inline_builder_add(builder, object, path), object);
}

static struct rk_inline_index *make(const char *flag, bool backwards, const char *name)
{
	_cleanup_inline_builder_ struct rk_inline_builder *builder = NULL;
	struct rk_inline_index *index = NULL;
	_cleanup_free_ char *linked = compile(flag, NULL, "linked");
	_cleanup_free_ char *first = compile(flag, "one.c", "first.ko");
	_cleanup_free_ char *second = compile(flag, "two.c", "second.ko");
	_cleanup_free_ char *path = rk_path_join(dir, name);

	if (!no_err(rk_inline_builder_create(&builder), flag))
		bail_out("no memory");
	if (backwards)
		add(builder, "second", second);
	add(builder, "vmlinux", linked);
	add(builder, "first", first);
	if (!backwards)
		add(builder, "second", second);
	no_err(rk_inline_builder_add_unknown(builder, "first"), "a module that is known");
	no_err(rk_inline_builder_add_unknown(builder, "third"), "a module that isn't");
	if (!no_err(rk_inline_builder_write(builder, NULL, path), "the index is written") ||
	    !no_err(rk_inline_index_open(path, &index), "and opened"))
		bail_out("no index");
	return index;
}

static void test_version(const char *flag)
{
	_cleanup_inline_index_ struct rk_inline_index *in = make(flag, false, "index");
	struct rk_inline_counts counts;

	/* the path by which two.c has the header makes it another one, of the same name */
	finds(in, "checked", "header.h",
	      "first one.c direct, first one.c nested, vmlinux one.c direct, vmlinux one.c nested, "
	      "second two.c two_entry, vmlinux two.c two_entry");
	finds(in, "outer", "header.h",
	      "first one.c nested, vmlinux one.c nested, second two.c two_entry, vmlinux two.c two_entry");
	finds(in, "ab", "header.h", "first one.c other init, vmlinux one.c other init");
	finds(in, "unused", "header.h", "second two.c unused, vmlinux two.c unused");
	finds(in, "copied", "header.h", "second two.c copied, vmlinux two.c copied");
	finds(in, "cast", "header.h", "second two.c ?, vmlinux two.c ?");
	finds(in, "namesake", "header.h", "");
	finds(in, "namesake", "two.c", "");
	finds(in, "checked", "other.h", "");
	finds(in, "check", "header.h", "");
	finds(in, "nothing_of_that_name", "header.h", "");
	finds(in, "", "header.h", "");
	if (no_err(rk_inline_index_count(in, &counts), "counted")) {
		ok(counts.knows_vmlinux, "vmlinux is known");
		is_int((long long)counts.modules, 3, "modules");
		is_int((long long)counts.unknown_modules, 1, "one of which without debug info");
	}
	is_str(rk_inline_index_origin(in), "", "from nowhere");
}

static char *read_index(const char *name, size_t *ret_size)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);
	char *bytes = NULL;

	if (!no_err(rk_fs_read(path, 1 << 20, &bytes, ret_size), name))
		bail_out("no index");
	return bytes;
}

static void test_order(void)
{
	_cleanup_inline_index_ struct rk_inline_index *a = make("-gdwarf-5", false, "index"),
						      *b = make("-gdwarf-5", true, "backwards");
	size_t n, m;
	_cleanup_free_ char *x = read_index("index", &n), *y = read_index("backwards", &m);

	ok(a && b && n == m && memcmp(x, y, n) == 0, "in which order files are read says nothing");
}

static void test_without(void)
{
	_cleanup_inline_builder_ struct rk_inline_builder *builder = NULL;
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;
	_cleanup_free_ char *linked = compile("-g0", NULL, "without");
	_cleanup_free_ char *text = put("text", "no ELF file, but text");
	_cleanup_free_ char *path = rk_path_join(dir, "empty index");
	char origin[RK_SHA256_HEX_SIZE];
	struct rk_inline_counts counts;

	memset(origin, 'a', sizeof(origin) - 1);
	origin[sizeof(origin) - 1] = '\0';
	no_err(rk_inline_builder_create(&builder), "a builder");
	add(builder, "vmlinux", linked);
	is_err_like(rk_inline_builder_add(builder, "text", text), RK_ERR_FORMAT, "text", "text");
	is_err_like(rk_inline_builder_add(builder, "none", "/nowhere/vmlinux"), RK_ERR_SYS,
		    "/nowhere/vmlinux", "a missing file");
	no_err(rk_inline_builder_write(builder, origin, path), "an index of nothing");
	if (!no_err(rk_inline_index_open(path, &index), "is one"))
		return;
	finds(index, "checked", "header.h", "");
	is_str(rk_inline_index_origin(index), origin, "it says what it was made from");
	if (no_err(rk_inline_index_count(index, &counts), "counted"))
		ok(!counts.knows_vmlinux && counts.modules == 0, "vmlinux isn't known");
}

static bool is_refused(const char *bytes, size_t size)
{
	/* as long as it is, so that one byte too many is seen */
	_cleanup_free_ char *copy = malloc(size ? size : 1);
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;

	memcpy(copy, bytes, size);
	_cleanup_err_ struct rk_err *err = rk_inline_index_parse("index", copy, size, &index);
	return err && rk_err_code(err) == RK_ERR_FORMAT;
}

static void test_damaged(void)
{
	_cleanup_inline_index_ struct rk_inline_index *good = make("-gdwarf-5", false, "index"),
						      *none = NULL;
	_cleanup_free_ char *text = put("text", "no index"), *empty = put("empty", "");
	size_t size, taken = 0;
	_cleanup_free_ char *bytes = read_index("index", &size);

	for (size_t i = 0; i < size; i++)
		taken += !is_refused(bytes, i);
	is_int((long long)taken, 0, "cut off anywhere");
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 0x10;
		taken += !is_refused(bytes, size);
		bytes[i] ^= 0x10;
	}
	is_int((long long)taken, 0, "another byte anywhere");
	ok(!is_refused(bytes, size), "as it was");
	bytes[size / 2] ^= 1;
	is_err_like(rk_inline_index_parse("the index", bytes, size, &none), RK_ERR_FORMAT,
		    "'the index' is damaged; remove the target and fetch it again", "what is said");
	is_err_like(rk_inline_index_open(text, &none), RK_ERR_FORMAT, "no index of inlined",
		    "a file of something else");
	is_err_like(rk_inline_index_open(empty, &none), RK_ERR_FORMAT, "no index of inlined",
		    "an empty file");
	is_err_like(rk_inline_index_open("/nowhere/inlines", &none), RK_ERR_SYS, "/nowhere/inlines",
		    "no file");
}

static char *under(const char *name)
{
	char *path = rk_path_join(dir, name);
	_cleanup_free_ char *parent = strdup(path);

	*strrchr(parent, '/') = '\0';
	if (!no_err(rk_fs_mkdir_p(parent, 0755), parent))
		bail_out("no directory");
	return path;
}

/* A kernel that was built here: its cache has a directory and nothing else. */
static void counts_are(const struct rk_target *target, size_t modules, size_t unknown,
		       const char *want, const char *what)
{
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;
	struct rk_inline_counts counts = {};

	if (!no_err(rk_target_inlines(target, 2, NULL, &index), what))
		return;
	no_err(rk_inline_index_count(index, &counts), "counted");
	ok(counts.knows_vmlinux, "vmlinux is known");
	is_int((long long)counts.modules, (long long)modules, "modules");
	is_int((long long)counts.unknown_modules, (long long)unknown, "without debug info");
	finds(index, "copied", "header.h", want);
}

static long long inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (long long)st.st_ino : -1;
}

static void test_target(void)
{
	_cleanup_free_ char *vmlinux = compile("-gdwarf-5", NULL, "vmlinux");
	_cleanup_free_ char *record = under("cache/targets/path_1/build/part.json");
	_cleanup_free_ char *lock = under("cache/locks/any");
	_cleanup_free_ char *path = under("cache/targets/path_1/build/inlines");
	_cleanup_free_ char *cache = rk_path_join(dir, "cache"),
			    *modules = rk_path_join(dir, "modules"),
			    *own = rk_path_join(dir, "cache/targets/path_1"),
			    *deep = under("modules/kernel/net/with-dash.ko"),
			    *flat = under("modules/kernel/without.ko");
	_cleanup_free_ char *with = compile("-gdwarf-5", "two.c", deep),
			    *without = compile("-g0", "one.c", flat);
	struct rk_target target = {.id = "path:1",
				   .cache_dir = cache,
				   .dir = own,
				   .vmlinux = vmlinux,
				   .modules = modules};

	no_err(rk_fs_write(record, "{}", 2, 0644), "a part");
	counts_are(&target, 2, 1, "vmlinux two.c copied, with_dash two.c copied", "made");
	long long first = inode_of(path);
	counts_are(&target, 2, 1, "vmlinux two.c copied, with_dash two.c copied", "again");
	is_int(inode_of(path), first, "it is kept");
	_cleanup_free_ char *more = under("modules/kernel/more.ko"),
			    *third = compile("-gdwarf-4", "two.c", more);
	counts_are(&target, 3, 1, "more two.c copied, vmlinux two.c copied, with_dash two.c copied",
		   "made again with one more module");
	target.modules = NULL;
	counts_are(&target, 0, 0, "vmlinux two.c copied", "made again without modules");

	/* one that was made while fetching is taken as it is */
	_cleanup_inline_index_ struct rk_inline_index *fetched = make("-gdwarf-5", false, path);
	counts_are(&target, 3, 1, "second two.c copied, vmlinux two.c copied", "as it was fetched");
	if (truncate(path, 100) < 0)
		bail_out("the index can't be cut");
	_cleanup_inline_index_ struct rk_inline_index *none = NULL;
	is_err_like(rk_target_inlines(&target, 2, NULL, &none), RK_ERR_FORMAT,
		    "no index of inlined", "damaged");
}

int main(void)
{
	dir = tap_tmpdir();
	put_sources();
	test_version("-gdwarf-4");
	test_version("-gdwarf-5");
	test_order();
	test_without();
	test_damaged();
	test_target();
	return done_testing();
}
