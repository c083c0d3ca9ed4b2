#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The count at the end of a test run: nothing that went wrong is lost in it."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import done, equal, run, tmpdir  # noqa: E402
from tree import ROOT  # noqa: E402

DIR = tmpdir()


def summarize(*entries):
    path = os.path.join(DIR, "log.json")
    with open(path, "w") as file:
        for result, stdout in entries:
            file.write(json.dumps({"name": "project:unit / x", "result": result, "stdout": stdout, "stderr": ""}) + "\n")
    return run([sys.executable, os.path.join(ROOT, "tests/summarize.py"), path])


def check(name, entries, last, status, before=""):
    result = summarize(*entries)
    equal(result.stdout, before + last + "\n", f"{name}: text")
    equal(result.returncode, status, f"{name}: status")


check("all pass", [("OK", "ok 1 - a\nok 2 - b\n1..2\n"), ("OK", "ok 1\n1..1\n")],
      "3 passed, 0 failed, 0 skipped", 0)
check("one fails", [("FAIL", "ok 1 - a\nnot ok 2 - b\n1..2\n")],
      "1 passed, 1 failed, 0 skipped", 1, "failed: unit/x: b\n")
check("a crash after checks", [("ERROR", "ok 1 - a\n")],
      "1 passed, 1 failed, 0 skipped", 1, "failed: unit/x: error\n")
check("a timeout", [("TIMEOUT", "")], "0 passed, 1 failed, 0 skipped", 1, "failed: unit/x: timeout\n")
check("a skipped check", [("OK", "ok 1 - a\nok 2 - b # SKIP no disk\n1..2\n")],
      "1 passed, 0 failed, 1 skipped", 0, "skipped: unit/x: b: no disk\n")
check("a skipped test", [("SKIP", "1..0 # SKIP no QEMU\n"), ("OK", "ok 1\n1..1\n")],
      "1 passed, 0 failed, 1 skipped", 0, "skipped: unit/x: no QEMU\n")
check("only skipped", [("SKIP", "1..0 # SKIP no QEMU\n")],
      "0 passed, 0 failed, 1 skipped", 1, "skipped: unit/x: no QEMU\n")
check("a test without TAP", [("OK", "")], "1 passed, 0 failed, 0 skipped", 0)
check("nothing ran", [], "0 passed, 0 failed, 0 skipped", 1)
result = run([sys.executable, os.path.join(ROOT, "tests/summarize.py"), os.path.join(DIR, "absent.json")])
equal((result.returncode, result.stdout.splitlines()[-1]), (1, "0 passed, 1 failed, 0 skipped"), "a run without a log")
done()
