#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The data that demos and VM tests are made of, the program that makes patches of it, and how run-demo chooses."""

import json
import os
import pathlib
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import contains, done, equal, ok, run, tmpdir  # noqa: E402
from tree import ROOT  # noqa: E402

ROOT = pathlib.Path(ROOT)
MAKE_FIX = ROOT / "tests/vm/make-fix"
WORK = pathlib.Path(tmpdir())
CODES = set(re.findall(r'^RK_FINDING\(\w+, "([a-z-]+)"', (ROOT / "lib/base/finding-codes.def").read_text(), re.M))
VERSION = re.compile(r"^6\.1\.\d+-\d+$")


def problems_of_example(path, data):
    readme = (path.parent / "README.md").read_text()
    want = {"schema", "cve", "title", "subsystem", "files", "affects_from", "fixed_in", "objects", "modules", "expect"}
    if set(data) != want:
        yield f"fields {set(data) ^ want}"
    if data["schema"] != "readykernel-example-1" or data["cve"] != path.parent.name:
        yield "schema or CVE"
    if not VERSION.match(data["affects_from"]) or not VERSION.match(data["fixed_in"]):
        yield "a version"
    if not data["files"] or not data["objects"] or not set(data["objects"]) - {"vmlinux"} <= set(data["modules"]):
        yield "files, objects or modules"
    if not data["expect"]["before_text"].startswith("VULNERABLE: ") or not data["expect"]["after_text"].startswith("FIXED: "):
        yield "expected texts"
    if not readme.startswith(f"# {data['cve']}: {data['title']}\n"):
        yield "title of README.md"
    if f"({data['cve']}/README.md)" not in (ROOT / "examples/README.md").read_text():
        yield "not in examples/README.md"


def problems_of_fix(path, data):
    if data["schema"] != "readykernel-fix-1" or data["name"] != path.stem:
        yield "schema or name"
    if ("edits" in data) == ("files" in data) or ("files" in data) != ("to" in data):
        yield "either edits, or from, to and files"
    if ("edits" in data) != data["title"].startswith("test: "):
        yield "title tells whether it is made for the test"
    if data["expected"] not in ("built", "refused") or not data["covers"] or not data["objects"]:
        yield "expected, covers or objects"
    if data["expected"] == "refused" and not data["findings"]:
        yield "refused without a reason"
    if set(data.get("findings", [])) - CODES:
        yield f"no such finding: {set(data['findings']) - CODES}"
    if "example" in data and not (ROOT / "examples" / data["example"] / "reproducer.c").exists():
        yield "no such example"
    if f"`{data['name']}`" not in (path.parent / "README.md").read_text():
        yield "not in README.md"


def check_data():
    examples = sorted((ROOT / "examples").glob("CVE-*/example.json"))
    fixes = sorted((ROOT / "tests/vm/fixes").glob("*.json"))
    ok(len(examples) >= 3, "three examples or more")
    ok(len([f for f in fixes if json.loads(f.read_text())["expected"] == "built"]) >= 8, "eight fixes or more that can be built")
    for paths, problems in ((examples, problems_of_example), (fixes, problems_of_fix)):
        for path in paths:
            equal(list(problems(path, json.loads(path.read_text()))), [], str(path.relative_to(ROOT)))
    used = {json.loads(f.read_text()).get("example") for f in fixes}
    equal([p.parent.name for p in examples if p.parent.name not in used], [], "a VM test runs each example's reproducer")


def check_reproducers():
    for source in sorted((ROOT / "examples").glob("CVE-*/reproducer.c")):
        result = run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source])
        ok(result.returncode == 0, f"{source.relative_to(ROOT)}: compiles", result.stderr)


def tree(name, files):
    for path, text in files.items():
        file = WORK / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return WORK / name


def make_fix(fix, *options):
    path = WORK / "fix.json"
    path.write_text(fix if isinstance(fix, str) else json.dumps(fix))
    return run([MAKE_FIX, path, *options])


def check_make_fix():
    old = tree("old", {"a.c": "one\ntwo\nthree\n", "same.c": "same\n", "twice.c": "x\ny\nx\n", "end.c": "one\ntwo"})
    new = tree("new", {"a.c": "one\n2\nthree\n", "same.c": "same\n", "b.h": "new\n", "end.c": "one\n2"})
    delta = {"title": "a title", "cve": "CVE-2026-12345", "files": ["a.c", "b.h"]}
    result = make_fix(delta, "--old", old, "--new", new, "--old-version", "1-1", "--new-version", "2-1")
    equal(result.stdout,
          "Subject: a title\nOrigin: vendor, difference of linux-source 1-1 and 2-1\nBug-CVE: CVE-2026-12345\n---\n"
          "--- a/a.c\n+++ b/a.c\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
          "--- /dev/null\n+++ b/b.h\n@@ -0,0 +1 @@\n+new\n", "difference of two trees, with a new file")
    result = make_fix({"title": "t", "files": ["end.c"]}, "--old", old, "--new", new)
    contains(result.stdout, "-two\n\\ No newline at end of file\n+2\n\\ No newline at end of file\n", "a file without a newline at its end")
    edit = {"title": "t", "edits": [{"file": "a.c", "find": "two", "replace": ["2", "2.5"]}, {"file": "a.c", "find": "three", "replace": []}]}
    result = make_fix(edit, "--old", old)
    contains(result.stdout, "@@ -1,3 +1,3 @@\n one\n-two\n-three\n+2\n+2.5\n", "two edits of one file")
    edit = {"title": "t", "edits": [{"file": "twice.c", "find": "x", "of": 2, "which": 2, "replace": ["z"]}]}
    contains(make_fix(edit, "--old", old).stdout, " x\n y\n-x\n+z\n", "the second of two equal lines")
    for name, fix, options, message in (
        ("the same in both trees", {"title": "t", "files": ["same.c"]}, ["--new", new], "'same.c' is the same in both trees"),
        ("no newer tree", {"title": "t", "files": ["a.c"]}, [], "name the newer one with --new"),
        ("a line that isn't there", {"title": "t", "edits": [{"file": "a.c", "find": "four", "replace": []}]}, [], "the line 'four' is there 0 times, not 1"),
        ("a line too often there", {"title": "t", "edits": [{"file": "twice.c", "find": "x", "replace": []}]}, [], "the line 'x' is there 2 times, not 1"),
        ("a file that isn't there", {"title": "t", "edits": [{"file": "z.c", "find": "x", "replace": []}]}, [], "'z.c': no such file"),
        ("no JSON", "{", [], "error: "),
    ):
        result = make_fix(fix, "--old", old, *options)
        equal((result.returncode, result.stdout), (1, ""), f"{name}: status")
        contains(result.stderr, message, f"{name}: message")


def fake_tool(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def run_demo(kernels, sources, *args):
    """run-demo with an apt and a kpatch-build that only know what is on offer; fetching ends it."""
    build = WORK / "build"
    tools = build / "release/tools"
    offer = {"targets": [{"release": release, "source_version": version, "available": True} for release, version in kernels]}
    fake_tool(tools / "kpatch-build/kpatch-build", f"[ \"$2\" = list ] && exec cat {WORK}/offer.json\necho fetching; exit 1\n")
    fake_tool(tools / "kpatch-test/kpatch-test", "exit 1\n")
    fake_tool(tools / "kpatch-build/apt-cache", f"cat {WORK}/madison\n")
    (WORK / "offer.json").write_text(json.dumps(offer))
    (WORK / "madison").write_text("".join(f"linux-source-6.1 | {v} | somewhere\n" for v in sources))
    return run([ROOT / "examples/run-demo", *args], env={"BUILD": str(build), "XDG_CACHE_HOME": str(WORK / "cache"), "NO_COLOR": "1"})


def check_run_demo():
    kernels = [("6.1.0-53-cloud-amd64", "6.1.187-1"), ("6.1.0-50-cloud-amd64", "6.1.176-1"), ("6.1.0-50-amd64", "6.1.176-1")]
    sources = ["6.1.190-1", "6.1.187-1", "6.1.176-1", "6.1.192-1"]
    result = run_demo(kernels, sources)
    contains(result.stdout, "CVE-2026-68320: ", "the first example that fits")
    contains(result.stdout, "kernel 6.1.0-50-cloud-amd64 (6.1.176-1), fixed in 6.1.187-1\n", "the oldest kernel, the next source with the fix")
    contains(result.stdout, "$ kpatch-build target fetch debian:6.1.0-50-cloud-amd64\nfetching\n", "it begins with that kernel")
    ok(result.returncode != 0, "a step that fails ends it")
    contains(run_demo(kernels, sources, "CVE-2026-93146").stdout, "kernel 6.1.0-50-cloud-amd64 (6.1.176-1), fixed in 6.1.192-1\n", "one example")
    contains(run_demo(kernels, sources, "CVE-2026-89560", "6.1.0-53-cloud-amd64").stdout,
             "kernel 6.1.0-53-cloud-amd64 (6.1.187-1), fixed in 6.1.190-1\n", "one example on one kernel")
    for name, args, message in (
        ("an unknown example", ["CVE-1"], "error: no example 'CVE-1'; see examples/README.md\n"),
        ("a kernel without the flaw", ["CVE-2026-53249"], "error: no kernel that apt offers (any) has the flaw (CVE-2026-53249)"),
    ):
        result = run_demo(kernels, sources, *args)
        equal(result.returncode, 1, f"{name}: status")
        contains(result.stderr, message, f"{name}: message")
    contains(run_demo(kernels, ["6.1.176-1"]).stderr, "has the flaw (any example)", "no newer source on offer")


check_data()
check_reproducers()
check_make_fix()
check_run_demo()
done()
