#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree stands alone: nothing in it depends on the machine it was written on or names a download host."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import done, ok  # noqa: E402
from tree import read, text_files  # noqa: E402

# Built from parts, so that this file doesn't find itself.
RULES = [
    ("a path of one machine", re.compile(r"(?<![\w.$}])(?<!\w\")/(?:wo" + r"rk|ro" + r"ot|home/\w+|tmp/r" + r"k)(?![\w-])")),
    ("a directory beside the tree", re.compile(r"\.\./sha" + r"red\b")),
    ("a package host", re.compile(r"\b(?:[a-z0-9-]+\.)*(?:deb" + r"ian\.org|ubu" + r"ntu\.com|py" + r"pi\.org)\b")),
    ("a merge mark", re.compile(r"^(?:<{7}|>{7})( |$)", re.MULTILINE)),
    ("unfinished work", re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")),
    ("a blank at the end of a line", re.compile(r"[ \t]+$", re.MULTILINE)),
]
# A licence is somebody else's text; the first line of a Debian copyright file is the name of its format.
EXEMPT = {"LICENSES/GPL-2.0.txt", "LICENSES/GPL-2.0-or-later.txt", "packaging/debian/copyright"}

for what, pattern in RULES:
    sample = {"a path of one machine": "cd /wo" + "rk/main", "a directory beside the tree": "../sha" + "red/x",
              "a package host": "http://ftp.deb" + "ian.org/", "a merge mark": "<<<<<<< HEAD",
              "unfinished work": "/* TO" + "DO */", "a blank at the end of a line": "x \n"}[what]
    ok(pattern.search(sample), f"the rule finds {what}")

for what, pattern in RULES:
    found = [f"{path}:{read(path).count(chr(10), 0, m.start()) + 1}: {m[0]!r}"
             for path in text_files() if path not in EXEMPT for m in pattern.finditer(read(path))]
    ok(not found, f"no file holds {what}", "\n".join(found))
done()
