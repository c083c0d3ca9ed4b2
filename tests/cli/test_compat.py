#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Command lines as they are written for kpatch-build 0.9: they mean the same, or are refused with the way out. Argument: kpatch-build."""

import os
import pathlib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import tap  # noqa: E402
from tap import contains, equal, ok, run  # noqa: E402

TOOL = os.path.abspath(sys.argv[1])
TMP = pathlib.Path(tap.tmpdir())
CACHE = TMP / "cache"
PATCH = TMP / "fix.patch"
PATCH.write_text("--- a/fs/exec.c\n+++ b/fs/exec.c\n@@ -1 +1 @@\n-int a;\n+int b;\n")
ENV = {"XDG_CACHE_HOME": str(CACHE), "TMPDIR": str(TMP / "work")}
(TMP / "work").mkdir()


def build(*args):
    return run([TOOL, "--offline", *args, PATCH], env=ENV, cwd=TMP)


def work_dirs():
    return sorted(path.name for path in (TMP / "work").iterdir())


def test_refused():
    for args, message in [
            (["-r", "kernel.src.rpm"], "--sourcerpm isn't supported: unpack 'kernel.src.rpm'"),
            (["--sourcerpm=kernel.src.rpm"], "--sourcerpm isn't supported"),
            (["--oot-module", "x.ko"], "--oot-module isn't supported"),
            (["--oot-module-src", "x"], "--oot-module-src isn't supported"),
            (["--target", "vmlinux"], "--target 'vmlinux' names no kernel (debian:RELEASE, running, dir:TREE); what to build for is said with --object"),
            (["-a", "6.1.170-3"], "--archversion '6.1.170-3' is no kernel release"),
            (["--archversion", "../x-y"], "--archversion '../x-y' is no kernel release"),
            (["-a", "6.1.0-9-amd64", "--target", "running"], "--target and --archversion exclude each other"),
            (["-a", "6.1.0-9-amd64", "-s", "/"], "--archversion and explicit paths exclude each other"),
            (["-v", "vmlinux"], "explicit paths need all of")]:
        result = build(*args)
        equal((result.returncode, result.stdout), (2, ""), f"{' '.join(args)}: usage")
        contains(result.stderr, f"error: {message}", "… and why")
    equal(work_dirs(), [], "no work is left")


def test_archversion():
    """-a REL means debian:REL."""
    for args in (["-a", "6.1.0-9-amd64"], ["--archversion=6.1.0-9-amd64"]):
        result = build(*args)
        equal(result.returncode, 1, f"{args[0]}: not in the cache")
        contains(result.stderr, "'debian:6.1.0-9-amd64'", "… is the target looked for")


def test_source():
    """-s alone takes .config, vmlinux and Module.symvers from the tree, the others override."""
    tree = TMP / "tree"
    tree.mkdir()
    (tree / "Kbuild").touch()
    for name, option in [(".config", "--config"), ("vmlinux", "--vmlinux"), ("Module.symvers", "--symvers")]:
        result = build("-s", "tree")
        contains(result.stderr, f"{option} is missing", f"-s without {name} in the tree")
        (tree / name).write_text("CONFIG_X=y\n")
    result = build("-s", "tree")
    equal(result.returncode, 1, "-s DIR: its vmlinux is read")
    contains(result.stderr, f"'{tree}/vmlinux'", "… and named")
    (TMP / "other").write_text("no ELF\n")
    contains(build("--sourcedir", "tree").stderr, f"'{tree}/vmlinux'", "--sourcedir is --source")
    contains(build("-s", "tree", "-v", "other").stderr, f"'{TMP}/other'", "-v overrides it")


def test_debug():
    """-d takes no value, may be repeated, and keeps the work; so does --skip-cleanup."""
    for args in (["-d"], ["-d", "-d"], ["-dd"], ["--debug"], ["--skip-cleanup"]):
        result = build(*args, "-a", "6.1.0-9-amd64")
        kept = work_dirs()
        equal(len(kept), 1, f"{' '.join(args)}: the work is kept")
        contains(result.stderr, f"the work is kept in '{TMP}/work/{kept[0]}'" if kept else "-", "… and said where")
        run(["rm", "-rf", *(TMP / "work" / name for name in kept)])
    build("-a", "6.1.0-9-amd64")
    equal(work_dirs(), [], "without them it isn't")


def test_same_options():
    result = build("-j", "2", "-n", "name", "-o", "out", "-R", "-t", "vmlinux", "--skip-compiler-check", "-a", "6.1.0-9-amd64")
    contains(result.stderr, "isn't complete in the cache", "-j -n -o -R -t --skip-compiler-check are taken as they are")
    ok(not (TMP / "out").exists(), "… and nothing is written")


for function in (test_refused, test_archversion, test_source, test_debug, test_same_options):
    function()
tap.done()
