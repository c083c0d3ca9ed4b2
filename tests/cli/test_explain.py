#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kpatch-build --explain and kpatch-fixes(7): one source, no kernel needed. Arguments: the tool, the page."""

import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import contains, done, equal, ok, run  # noqa: E402
from tree import read  # noqa: E402

TOOL, PAGE = sys.argv[1:3]
CODES = re.findall(r'^RK_FINDING\(\w+, "([a-z-]+)"', read("lib/base/finding-codes.def"), re.MULTILINE)


def on_terminal(columns, *args):
    """What the tool writes to a terminal of that many columns."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execv(TOOL, [TOOL, *args])
    text = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.waitpid(pid, 0)
    return text.decode().replace("\r\n", "\n")


def too_wide(text, columns):
    """Lines of text, not of code, that don't fit though they have more than one word."""
    return [line for line in text.splitlines() if len(line) > columns and not line.startswith("      ") and " " in line.strip()]


def test_text():
    for code in CODES:
        result = run([TOOL, "--explain", code])
        equal((result.returncode, result.stderr), (0, ""), f"{code}: status 0, no complaint")
        equal(too_wide(result.stdout, 80), [], f"{code}: fits 80 columns in a pipe")
        ok(result.stdout.startswith(code + "\n"), f"{code}: begins with its name", result.stdout[:200])
    for columns in (50, 80, 120):
        text = on_terminal(columns, "--explain", "pointer-escapes")
        contains(text, "pointer-escapes\n", f"{columns} columns: the entry")
        equal(too_wide(text, columns), [], f"{columns} columns: text fits")
    ok(len(on_terminal(50, "--explain", "data-changed")) > 500, "a narrow terminal gets all of it")
    two = run([TOOL, "--explain", "data-changed", "no-fentry"]).stdout
    contains(two, "\n\nno-fentry\n", "two codes, two entries")


def test_list():
    result = run([TOOL, "--explain"])
    equal(result.stdout, run([TOOL, "--explain", "list"]).stdout, "without a code: the list")
    equal([line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")], CODES, "every code, in the table's order")
    equal(too_wide(on_terminal(50, "--explain", "list"), 50), [], "the list fits 50 columns")
    listed = json.loads(run([TOOL, "--explain", "list", "--json"]).stdout)
    equal([finding["code"] for finding in listed["findings"]], CODES, "the same as JSON")
    equal({finding["severity"] for finding in listed["findings"]}, {"error", "acknowledge", "info"}, "three levels")


def test_json():
    document = json.loads(run([TOOL, "--explain", "--json", "data-changed", "mismatch"]).stdout)
    equal(document["schema"], "kpatch-build-explain/1", "schema")
    equal([(f["code"], f["acceptable"]) for f in document["findings"]], [("data-changed", True), ("mismatch", False)], "what can be accepted")
    headings = [section["heading"] for section in document["findings"][0]["sections"]]
    equal(headings, ["Meaning", "Danger", "What to do", "Example", "If you accept it"], "the parts of an entry")
    ok(all(section["text"] for section in document["findings"][0]["sections"]), "none is empty", document)


def test_misuse():
    result = run([TOOL, "--explain", "dta-changed"])
    equal((result.returncode, result.stdout), (2, ""), "an unknown code is misuse")
    contains(result.stderr, "unknown finding 'dta-changed' (did you mean 'data-changed'?)", "with what may be meant")
    result = run([TOOL, "--explain", "nothing-like-it"])
    equal(result.returncode, 2, "another unknown code")
    contains(result.stderr, "unknown finding 'nothing-like-it'; '--explain list' shows all", "with where all are")
    result = run([TOOL])
    equal((result.returncode, result.stderr.splitlines()[0]), (2, "error: missing operand: PATCH..."), "without --explain operands are patches")


def test_accept():
    """What could never be accepted is misuse, found out before anything is built."""
    for argv, message in [
        (["--accept", "pointer-escape"], "unknown finding 'pointer-escape' (did you mean 'pointer-escapes'?)"),
        (["--accept", "mismatch:f", "--reason", "x"], "'mismatch:f' can't be accepted: no module could be made; see 'kpatch-build --explain mismatch'"),
        (["--accept", "data-changed:f"], "'--accept data-changed:f' accepts an error: say why with --reason"),
        (["--accept", "data-changed:f", "--reason", ""], "'--accept data-changed:f' accepts an error: say why with --reason"),
        (["--accept", "data-changed", "--accept", "init-code", "--reason", "x"], "'--accept data-changed' accepts an error: say why with --reason"),
        (["--reason", "x", "--accept", "init-code"], "option '--reason' belongs behind a '--accept'"),
    ]:
        result = run([TOOL, *argv, "x.patch"])
        equal((result.returncode, result.stderr.splitlines()[0]), (2, "error: " + message), " ".join(argv))


def test_page():
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    equal([name.replace("\\-", "-") for name in re.findall(r"^\.SS (.*)$", page, re.MULTILINE)], CODES, "the page has every code")
    man = run(["groff", "-man", "-ww", "-Tutf8", "-z", PAGE])
    equal(man.stdout + man.stderr, "", "the page is formatted without a complaint")
    shown = run(["groff", "-man", "-Tutf8", "-P-cbou", PAGE]).stdout
    words = " ".join(re.sub(r"‐\n\s*", "", shown).split())
    for code in CODES:
        section = json.loads(run([TOOL, "--explain", "--json", code]).stdout)["findings"][0]["sections"][0]
        text = " ".join(section["text"].replace("`", "").split())
        start = " ".join(re.findall(r"[A-Za-z]+", text)[:10])
        ok(start in " ".join(re.findall(r"[A-Za-z]+", words)), f"{code}: page and --explain say the same", start)


test_text()
test_list()
test_json()
test_misuse()
test_accept()
test_page()
done()
