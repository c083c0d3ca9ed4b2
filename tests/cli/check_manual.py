#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every option and verb of a tool is in its manual page, and the page names no option there isn't.

Arguments: the tools. Their own tables (--list-options) are what is compared with."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import done, equal, ok, run  # noqa: E402
from tree import ROOT, files, read  # noqa: E402

# Every verb has these; a page says so once, or leaves them to --help.
COMMON = {"--help", "--quiet", "--verbose", "--version", "--json"}


def text_of(page):
    """A page's text without fonts and escapes: "\\-\\-name" is "--name"."""
    text = re.sub(r'^\.\\".*$', "", read(page), flags=re.MULTILINE)
    text = re.sub(r"\\f(?:[A-Z]|\(..|\[[^]]*\])", "", text)
    return text.replace("\\-", "-").replace("\\&", "").replace("\\(aq", "'")


def check(tool):
    name = os.path.basename(tool)
    pages = [path for path in files() if re.fullmatch(rf"man/{re.escape(name)}\.[18]", path)]
    if not ok(len(pages) == 1, f"{name}: has one manual page"):
        return
    result = run([tool, "--list-options"])
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    equal((result.returncode, [row for row in rows if len(row) != 5]), (0, []), f"{name}: lists its options")
    text = text_of(pages[0])
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text))
    known = {row[3] for row in rows}
    ok(known - COMMON <= named, f"{name}: every option is in the page", "\n".join(sorted(known - COMMON - named)))
    # A page may speak of other programs' options only in other words.
    ok(named <= known, f"{name}: the page names no other option", "\n".join(sorted(named - known)))
    short = {row[2] for row in rows if row[2] != "-" and row[2] != "-h"}
    missing = {o for o in short if not re.search(rf"(?<![\w-]){re.escape(o)}\b", text)}
    ok(not missing, f"{name}: every short option is in the page", "\n".join(sorted(missing)))
    verbs = {row[1] for row in rows if row[1] != "-"}
    missing = {verb for verb in verbs if not re.search(rf"\b{verb.split()[-1]}\b", text)}
    ok(not missing, f"{name}: every verb is in the page", "\n".join(sorted(missing)))
    man = run(["groff", "-man", "-ww", "-Tutf8", "-z", os.path.join(ROOT, pages[0])])
    equal(man.stdout + man.stderr, "", f"{name}: the page is formatted without a complaint")


for path in sys.argv[1:]:
    check(path)
done()
