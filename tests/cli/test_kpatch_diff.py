#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kpatch-diff on pairs that the golden tests have: text, JSON, exit status, misuse. With a kernel's files it is tested in
tests/vm/test_build.py. Argument: kpatch-diff."""

import json
import os
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "golden")]
import tap  # noqa: E402
from compile import compile_one, compiler  # noqa: E402
from tap import contains, equal, run  # noqa: E402

TOOL = sys.argv[1]
TMP = pathlib.Path(tap.tmpdir())
GOLDEN = pathlib.Path(__file__).parent / "golden"
DONE, FAILED, USAGE, VERDICT, NOTHING = range(5)

# What each shows: an instruction, an entry of a table, a pointer's target, a cold part, a carried function, data.
CASES = [("function-changed", DONE), ("static-key-swapped", DONE), ("string-changed", DONE), ("cold-added", DONE),
         ("part-split", DONE), ("notrace-carried", DONE), ("new-function", DONE), ("inlined", DONE), ("pointer-escapes", DONE),
         ("data-grew", VERDICT), ("notrace-global", VERDICT), ("only-lines", NOTHING)]


def kpatch_diff(*args):
    return run([TOOL, *args])


def pair(gcc, name):
    objects = []
    for which in ("orig", "patched"):
        obj, result = compile_one(gcc, TESTS / "golden" / name, which, TMP)
        if result.returncode:
            tap.bail_out(result.stderr)
        objects.append(obj)
    return objects


def test_cases(objects):
    text = ""
    for name, status in CASES:
        result = kpatch_diff("--unit", f"{name}.c", *objects[name])
        equal((result.returncode, result.stderr), (status, ""), f"{name}: exit status")
        text += result.stdout + "\n"
    tap.golden(text, str(GOLDEN / "kpatch-diff.txt"), "text")


def test_json(objects):
    doc = json.loads(kpatch_diff("--json", *objects["function-changed"]).stdout)
    equal((doc["schema"], doc["verdict"], doc["findings"]), ("kpatch-diff/1", "patchable", []), "json: head")
    unit = doc["units"][0]
    equal((unit["unit"], unit["object"]), ("unit.c", "vmlinux"), "json: the unit is named by the object")
    equal([(row["name"], row["old_size"] != row["size"], row["carried"]) for row in unit["changed"]],
          [("first", True, False), ("second", True, False)], "json: changed functions")
    contains(unit["changed"][0]["reason"], "now 'test edi, edi'", "json: a reason")
    equal([(row["name"], row["own"], row["local"]) for row in unit["needs"]],
          [("__fentry__", False, False), ("helper", True, True)], "json: what it needs")
    doc = json.loads(kpatch_diff("--json", *objects["data-grew"]).stdout)
    equal((doc["verdict"], [f["code"] for f in doc["findings"]]), ("refused", ["data-size-changed"]), "json: refused")
    doc = json.loads(kpatch_diff("--json", *objects["only-lines"]).stdout)
    equal(doc["verdict"], "no-difference", "json: no difference")


def test_several(objects):
    result = kpatch_diff("--json", "-u", "a.c", "--object", "mod", *objects["function-changed"], *objects["data-grew"])
    doc = json.loads(result.stdout)
    equal((result.returncode, [(u["unit"], u["object"]) for u in doc["units"]]), (VERDICT, [("a.c", "mod"), ("unit.c", "mod")]),
          "several pairs: one that can't be patched decides")
    result = kpatch_diff("--verbose", *objects["function-changed"])
    contains(result.stdout, "redirect first to first", "--verbose: the whole diff")


def test_misuse(objects):
    orig, patched = objects["function-changed"]
    for args, message in [([orig], "missing operand: ORIG.o PATCHED.o..."),
                          ([orig, patched, orig], f"'{orig}' has no patched object beside it"),
                          (["--unit", "a", "--unit", "b", orig, patched], "--unit is given 2 times for 1 pair"),
                          (["--vmlinux", orig, orig, patched], "--vmlinux and --symvers go together"),
                          (["--module", orig, orig, patched], "--module needs --vmlinux and --symvers")]:
        result = kpatch_diff(*args)
        equal((result.returncode, result.stdout, result.stderr.splitlines()[0]), (USAGE, "", f"error: {message}"), message)


def test_bad_files(objects):
    orig, patched = objects["function-changed"]
    program = TMP / "program"
    subprocess.run(["gcc", "-x", "c", "-", "-o", program], input=b"int main(void) { return 0; }", check=True)
    text = TMP / "text"
    text.write_text("hello\n")
    symvers = TMP / "symvers"
    symvers.write_text("")
    for args, message in [
            ([orig, TMP / "absent.o"], f"cannot open '{TMP}/absent.o': No such file or directory"),
            ([program, patched], f"'{program}' is no relocatable object: give the compiler's .o files"),
            ([orig, text], f"'{text}': "),
            (["--vmlinux", program, "--symvers", symvers, "-m", orig, orig, patched],
             f"'{orig}' is no kernel module: no name in .modinfo"),
            (["--vmlinux", program, "--symvers", symvers, orig, patched],
             "'vmlinux' has no symbols of a file 'unit.c'")]:
        result = kpatch_diff(*args)
        equal((result.returncode, result.stdout), (FAILED, ""), f"bad file: {message}")
        contains(result.stderr, f"error: {message}", "… says why")
    result = kpatch_diff("--json", orig, text)
    equal(json.loads(result.stdout)["error"]["code"], "format", "… as JSON")


def test_help():
    result = kpatch_diff("--help")
    equal((result.returncode, result.stderr), (DONE, ""), "--help")
    tap.golden(result.stdout, str(GOLDEN / "kpatch-diff-help.txt"), "--help: text")
    for shell in ("bash", "zsh"):
        result = kpatch_diff("--completion", shell)
        equal(result.returncode, DONE, f"completion for {shell}")
        contains(result.stdout, "--symvers", "… knows the options")


def main():
    gcc = compiler()
    objects = {name: pair(gcc, name) for name, _ in CASES}
    for function in [test_cases, test_json, test_several, test_misuse, test_bad_files]:
        function(objects)
    test_help()
    tap.done()


main()
