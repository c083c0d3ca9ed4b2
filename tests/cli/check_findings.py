#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/dangerous-changes.md names findings there are, and tests in which they are found."""

import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import done, equal, ok  # noqa: E402
from tree import ROOT, read  # noqa: E402

CODES = dict(re.findall(r'^RK_FINDING\((\w+), "([a-z-]+)"', read("lib/base/finding-codes.def"), re.MULTILINE))
NAMES = {name: identifier for identifier, name in CODES.items()}


def shows(test, code):
    """Is the finding among what the test expects?"""
    path = os.path.join(ROOT, test)
    files = glob.glob(os.path.join(path, "expected.txt")) if os.path.isdir(path) else [path]
    texts = [read(os.path.relpath(file, ROOT)) for file in files if os.path.exists(file)]
    return any(re.search(rf"(?<![\w-]){code}(?![\w-])", text) or re.search(rf"\bRK_FINDING_{NAMES[code]}\b", text) for text in texts)


rows = re.findall(r"^\| ([0-9][0-9, ]*) \| .* \| (.*) \| (.*) \|$", read("docs/dangerous-changes.md"), re.MULTILINE)
ok(len(rows) > 20, "the table has rows")
for number, findings, tests in rows:
    codes = re.findall(r"`([a-z-]+)`", findings)
    paths = re.findall(r"tests/[\w/.-]+", tests)
    equal([code for code in codes if code not in NAMES], [], f"row {number}: its findings exist")
    ok(bool(codes) == bool(paths), f"row {number}: has tests for what is found", tests)
    for code in codes:
        ok(any(shows(path, code) for path in paths), f"row {number}: a test shows {code}", tests)
    for path in paths:
        ok(any(shows(path, code) for code in codes), f"row {number}: {path} shows one of {' '.join(codes)}")
done()
