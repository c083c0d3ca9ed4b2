/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings: the table of codes, copying, order, duplicates. */
#include <string.h>

#include "lib/base/finding.h"
#include "tests/unit/tap.h"

static void cleanup_findings(struct rk_findings *f)
{
	rk_findings_deinit(f);
}

#define _cleanup_findings_ _cleanup_(cleanup_findings)

static void test_codes(void)
{
	for (int code = 0; code < RK_FINDING_CODES; code++) {
		const char *name = rk_finding_code_name((enum rk_finding_code)code);
		size_t legal = strspn(name, "abcdefghijklmnopqrstuvwxyz-");
		int same = 0;

		for (int other = 0; other < RK_FINDING_CODES; other++)
			same += !strcmp(name, rk_finding_code_name((enum rk_finding_code)other));
		ok(*name && !name[legal] && same == 1, "'%s' is a unique name", name);
		ok(*rk_finding_code_title((enum rk_finding_code)code) &&
			   *rk_finding_code_advice((enum rk_finding_code)code),
		   "'%s' has a title and an advice", name);
	}
}

static void test_add(void)
{
	_cleanup_findings_ struct rk_findings f = {};
	char unit[] = "fs/exec.c";

	no_err(rk_finding_add(&f, RK_FINDING_NO_FENTRY, unit, NULL, "do_it", "%s has no %s",
			      "do_it", "fentry"),
	       "add");
	unit[0] = 'X';
	is_int((long long)f.list.nr, 1, "one finding");
	is_str(f.list.v[0].unit, "fs/exec.c", "strings are copied");
	is_str(f.list.v[0].object, NULL, "absent stays absent");
	is_str(f.list.v[0].text, "do_it has no fentry", "text is formatted");
	is_str(f.list.v[0].advice, "livepatch can't redirect it: change its callers instead",
	       "advice comes from the table");
	is_int(f.list.v[0].severity, RK_SEVERITY_ERROR, "so does the severity");
}

static struct rk_err *add(struct rk_findings *f, enum rk_finding_code code, const char *unit,
			  const char *symbol, const char *text)
{
	return rk_finding_add(f, code, unit, NULL, symbol, "%s", text);
}

static void test_merge_and_sort(void)
{
	static const char *const want[] = {"1", "2", "3", "4", "5", "6", "7"};
	_cleanup_findings_ struct rk_findings f = {};
	bool same = true;

	{
		_cleanup_findings_ struct rk_findings from = {};

		no_err(add(&from, RK_FINDING_NEW_DATA, "a.c", "x", "7"), "add");
		no_err(add(&from, RK_FINDING_POINTER_ESCAPES, "a.c", "x", "6"), "add");
		no_err(add(&from, RK_FINDING_NO_FENTRY, "b.c", "a", "5"), "add");
		no_err(add(&from, RK_FINDING_NO_FENTRY, "a.c", "b", "4"), "add");
		no_err(add(&from, RK_FINDING_NO_FENTRY, "a.c", "a", "3"), "add");
		no_err(add(&from, RK_FINDING_INIT_CODE, "a.c", "a", "2"), "add");
		no_err(add(&from, RK_FINDING_NO_FENTRY, NULL, NULL, "1"), "add");
		no_err(rk_findings_merge(&f, &from), "merge");
		no_err(rk_findings_merge(&f, &from), "merge again");
	}
	is_int((long long)f.list.nr, 14, "merge appends all");
	no_err(rk_findings_merge(&f, &f), "merge into itself");
	is_int((long long)f.list.nr, 28, "doubles it");

	rk_findings_sort(&f);
	is_int((long long)f.list.nr, 7, "sorting removes exact duplicates");
	for (size_t i = 0; i < f.list.nr && i < ARRAY_SIZE(want); i++)
		same = is_str(f.list.v[i].text, want[i], "order") && same;
	ok(same, "severity, unit, symbol, code, text");
	is_int((long long)rk_findings_count(&f, RK_SEVERITY_ERROR), 5, "errors");
	is_int((long long)rk_findings_count(&f, RK_SEVERITY_ACKNOWLEDGE), 1, "to acknowledge");
	is_int((long long)rk_findings_count(&f, RK_SEVERITY_INFO), 1, "infos");
}

static const struct rk_finding *nth(const struct rk_findings *f, size_t n)
{
	return &f->list.v[n];
}

static void test_accept(void)
{
	static const struct rk_acceptance list[] = {
		{"data-changed:limit", NULL},
		{"data-changed:b.c", "default is\nset by boot script"},
		{"mismatch", "no module can"},
		{"pointer-escapes", NULL},
		{"pointer-escapes", "later"},
		{"init-code:vmlinux", "never unloaded"},
		{"no-fentry:", "x"},
	};
	_cleanup_findings_ struct rk_findings f = {}, copies = {};

	no_err(add(&f, RK_FINDING_DATA_CHANGED, "a.c", "limit", "0"), "add");
	no_err(add(&f, RK_FINDING_DATA_CHANGED, "b.c", "limit", "1"), "add");
	no_err(add(&f, RK_FINDING_MISMATCH, "a.c", "x", "2"), "add");
	no_err(add(&f, RK_FINDING_POINTER_ESCAPES, "a.c", "x", "3"), "add");
	no_err(rk_finding_add(&f, RK_FINDING_INIT_CODE, "a.c", "vmlinux", "y", "4"), "add");
	no_err(add(&f, RK_FINDING_NEW_DATA, "a.c", "x", "5"), "add");
	is_int((long long)rk_findings_count_blocking(&f, RK_SEVERITY_ERROR), 4, "errors block");
	is_int((long long)rk_findings_count_blocking(&f, RK_SEVERITY_ACKNOWLEDGE), 1,
	       "so does what a human has to accept");
	is_int((long long)rk_findings_count_blocking(&f, RK_SEVERITY_INFO), 0,
	       "information doesn't");
	no_err(rk_findings_accept(&f, list, ARRAY_SIZE(list)), "accept");
	no_err(rk_findings_merge(&copies, &f), "merge");
	ok(!nth(&copies, 0)->is_accepted, "an error without a reason isn't accepted");
	ok(nth(&copies, 1)->is_accepted, "an error with a reason is, in its unit only");
	is_str(nth(&copies, 1)->reason, "default is\nset by boot script", "the reason is kept");
	ok(!nth(&copies, 2)->is_accepted, "an error no module could be made with isn't");
	ok(nth(&copies, 3)->is_accepted && !nth(&copies, 3)->reason,
	   "what a human has to accept needs no reason; the first acceptance counts");
	ok(nth(&copies, 4)->is_accepted, "by its object");
	is_int((long long)rk_findings_count_blocking(&copies, RK_SEVERITY_ERROR), 2,
	       "the others block");
	ok(!rk_finding_is_meant(nth(&f, 0), "data-changed:limi") &&
		   !rk_finding_is_meant(nth(&f, 0), "data-change") &&
		   !rk_finding_is_meant(nth(&f, 0), "data-changed-more") &&
		   !rk_finding_is_meant(nth(&f, 0), "data-changed:"),
	   "a part of a code or place is none");
}

static void test_fold(void)
{
	_cleanup_findings_ struct rk_findings f = {};

	for (int i = 0; i < 3; i++)
		no_err(add(&f, RK_FINDING_LAYOUT_CHANGED, "a.h", "struct x", "grew"), "add");
	no_err(add(&f, RK_FINDING_LAYOUT_CHANGED, "a.h", "struct y", "grew"), "add");
	no_err(add(&f, RK_FINDING_NEW_DATA, "a.c", "z", "1"), "add");
	no_err(add(&f, RK_FINDING_NEW_DATA, "a.c", "z", "1"), "add");
	no_err(rk_findings_fold(&f, RK_FINDING_LAYOUT_CHANGED, "units"), "fold");
	is_int((long long)f.list.nr, 4, "three are one now, of another code they aren't");
	is_str(nth(&f, 0)->text, "grew (in 3 units)", "it says how many they were");
	is_str(nth(&f, 1)->text, "grew", "one alone says nothing");
}

int main(void)
{
	_cleanup_findings_ struct rk_findings empty = {};

	test_codes();
	test_add();
	test_merge_and_sort();
	test_accept();
	test_fold();
	rk_findings_sort(&empty);
	is_int((long long)empty.list.nr, 0, "nothing to sort");
	is_str(rk_severity_name(RK_SEVERITY_ACKNOWLEDGE), "acknowledge", "name of a severity");
	return done_testing();
}
