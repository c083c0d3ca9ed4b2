/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch-diff: what a live patch would make of compiled objects, original against patched, with or without the kernel they are of. */
#include "lib/base/str.h"
#include "tools/common/cli.h"
#include "tools/kpatch-diff/comparison.h"

struct diff_values {
	struct rk_strings units, modules;
	const char *object, *vmlinux, *symvers;
};

/* clang-format off */
static const struct rk_option options[] = {
	RK_OPT_GROUP("what the objects are"),
	RK_OPT_LIST('u', "unit", struct diff_values, units, "NAME", "source file of the first pair, for messages (again for the next pairs; default: as the object says)"),
	RK_OPT_STR('t', "object", struct diff_values, object, "OBJECT", "kernel object they are linked into: vmlinux, or a module's name (default: vmlinux, or the module of --module)"),
	RK_OPT_GROUP("the kernel, to prove that the originals are what it runs, and to find every symbol"),
	RK_OPT_STR('v', "vmlinux", struct diff_values, vmlinux, "FILE", "its vmlinux, with symbols"),
	RK_OPT_STR(0, "symvers", struct diff_values, symvers, "FILE", "its Module.symvers"),
	RK_OPT_LIST('m', "module", struct diff_values, modules, "FILE", "a module of it, whose code the objects are or use (again for more)"),
	RK_OPT_END,
};
/* clang-format on */

static const char description[] =
	"Shows, for each pair of objects, which functions differ and where they begin to, what a patch\n"
	"module takes along, what it needs of the kernel, and what stands in the way of a live patch.\n"
	"The objects have to be compiled with -ffunction-sections and -fdata-sections.\n";

static struct rk_err *check(const struct rk_cli *cli)
{
	const struct diff_values *v = cli->values;

	if (cli->nr_operands % 2)
		return rk_err(RK_ERR_INVALID, "'%s' has no patched object beside it",
			      cli->operands[cli->nr_operands - 1]);
	if (v->units.nr > cli->nr_operands / 2)
		return rk_err(RK_ERR_INVALID, "--unit is given %zu times for %zu pair%s",
			      v->units.nr, cli->nr_operands / 2, cli->nr_operands == 2 ? "" : "s");
	if (!v->vmlinux != !v->symvers)
		return rk_err(RK_ERR_INVALID, "--vmlinux and --symvers go together");
	if (v->modules.nr && !v->vmlinux)
		return rk_err(RK_ERR_INVALID, "--module needs --vmlinux and --symvers");
	return NULL;
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct diff_values *v = cli->values;
	_cleanup_(comparison_deinit) struct comparison c = {
		.object = v->object,
		.kernel = {v->vmlinux, v->symvers, v->modules.v, v->modules.nr},
	};

	RK_TRY(check(cli));
	c.pairs = rk_arena_calloc(&c.arena, cli->nr_operands / 2, sizeof(*c.pairs));
	if (!c.pairs)
		return rk_err_nomem();
	for (; c.nr_pairs < cli->nr_operands / 2; c.nr_pairs++)
		c.pairs[c.nr_pairs] = (struct pair){
			.orig_path = cli->operands[2 * c.nr_pairs],
			.patched_path = cli->operands[2 * c.nr_pairs + 1],
			.unit = c.nr_pairs < v->units.nr ? v->units.v[c.nr_pairs] : NULL,
		};
	RK_TRY(comparison_run(&c));
	*ret_exit = rk_findings_count(&c.findings, RK_SEVERITY_ERROR) ? RK_EXIT_VERDICT
		    : c.nr_functions				      ? RK_EXIT_DONE
								      : RK_EXIT_NOTHING;
	return cli->json ? comparison_print_json(&c) : comparison_print(&c, cli->verbose);
}

static const struct rk_verb verb = {
	.name = "",
	.operands = "ORIG.o PATCHED.o...",
	.summary = "show what a live patch would make of compiled objects",
	.description = description,
	.options = options,
	.values_size = sizeof(struct diff_values),
	.min_operands = 2,
	.max_operands = RK_OPERANDS_MAX,
	.has_json = true,
	.run = run,
};

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb, NULL};
	static const struct rk_tool tool = {
		.name = "kpatch-diff",
		.summary = "show what a live patch would make of compiled objects",
		.verbs = verbs,
	};

	return rk_cli_main(&tool, argc, argv);
}
