#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_readykernel says what `readykernel status` says, in the words and exit statuses of a monitoring plugin. Argument: the check."""

import json
import os
import pathlib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import tap  # noqa: E402
from tap import contains, done, equal, run  # noqa: E402

CHECK = sys.argv[1]
TMP = pathlib.Path(tap.tmpdir())
TOOL = TMP / "readykernel"


def answer(text, status=0):
    """What the program that is asked prints and exits with."""
    (TMP / "answer").write_text(text)
    TOOL.write_text(f'#!/bin/sh\n[ "$*" = "status --json" ] || exit 99\ncat {TMP}/answer\nexit {status}\n')
    TOOL.chmod(0o755)


def status(verdict, summary="a summary", level=None, available=None):
    return json.dumps({"schema": "readykernel-status/1", "verdict": verdict, "summary": summary,
                       "patch": {"level": level, "cves": ["CVE-2026-1"] * (level or 0)},
                       "available": {"level": available, "cves_added": ["CVE-2026-9"] * ((available or 0) - (level or 0))}})


def check(name, want, text, *args):
    result = run([CHECK, "-t", str(TOOL), *args])
    equal((result.returncode, result.stdout, result.stderr), (want, text, ""), name)


answer(status("latest", "patched: level 3 is loaded, nothing newer is there", 3, 3))
check("patched", 0, "READYKERNEL OK - patched: level 3 is loaded, nothing newer is there | level=3 available=3 cves_fixed=3 cves_missing=0\n")
answer(status("outdated", "outdated", 3, 5), 2)
check("outdated", 1, "READYKERNEL WARNING - outdated | level=3 available=5 cves_fixed=3 cves_missing=2\n")
check("outdated, which is critical", 2, "READYKERNEL CRITICAL - outdated | level=3 available=5 cves_fixed=3 cves_missing=2\n", "-c", "none,outdated")
for verdict, code, word in [("none", 2, "CRITICAL"), ("unsupported", 3, "UNKNOWN"), ("stalled", 2, "CRITICAL"), ("failed", 2, "CRITICAL"),
                            ("another", 3, "UNKNOWN")]:
    answer(status(verdict, "x | y"), 5)
    check(f"{verdict}, with a bar in its text", code, f"READYKERNEL {word} - x   y | level=0 available=0 cves_fixed=0 cves_missing=0\n")
answer(status("unsupported"), 3)
check("unsupported, which is a warning", 1, "READYKERNEL WARNING - a summary | level=0 available=0 cves_fixed=0 cves_missing=0\n", "-w", "unsupported")
answer(json.dumps({"error": {"code": "system", "message": "cannot open '/sys'"}}), 1)
check("an error", 3, "READYKERNEL UNKNOWN - cannot open '/sys'\n")
answer("killed", 137)
check("no document", 3, "READYKERNEL UNKNOWN - readykernel gives no status\n")
answer("a note\n" + status("latest", level=1, available=1) + "\nanother\n")
check("notes around it", 0, "READYKERNEL OK - a summary | level=1 available=1 cves_fixed=1 cves_missing=0\n")
answer("{}")
check("another document", 3, "READYKERNEL UNKNOWN - readykernel says nothing that can be understood\n")
TOOL.unlink()
result = run([CHECK, "-t", str(TOOL)])
equal(result.returncode, 3, "no readykernel is unknown")
contains(result.stdout, "READYKERNEL UNKNOWN - ", "and said")
equal(run([CHECK, "-x"]).returncode, 3, "an unknown option is unknown, too")
contains(run([CHECK, "-h"]).stdout, "-c VERDICTS", "help")
done()
