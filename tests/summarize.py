#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts the checks of test runs from Meson's JSON logs.

A TAP test counts once per check, any other test once. A test that ends badly without a failed check
(a crash, a sanitizer's report, a timeout, a missing plan) counts as one failure. The last line is
"N passed, N failed, N skipped"; the exit status is 0 only if nothing failed and something passed.
"""

import json
import re
import sys

CHECK = re.compile(r"^(?P<no>not )?ok\b\s*(?P<number>\d+)?\s*(?:- ?)?(?P<name>[^#]*)(?:#\s*(?P<directive>.*))?$")
PLAN = re.compile(r"^1\.\.(?P<count>\d+)\s*(?:#\s*SKIP\b\s*(?P<reason>.*))?$", re.IGNORECASE)
GOOD = {"OK", "SKIP", "EXPECTEDFAIL"}


class Counts:
    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = []


def count_check(match, test, counts):
    """Counts one TAP line; returns whether it failed."""
    name = f"{test}: {match['name'].strip()}"
    directive = (match["directive"] or "").strip()
    if directive.upper().startswith("SKIP"):
        counts.skips.append((name, directive[4:].strip() or "no reason given"))
    elif match["no"]:
        counts.failures.append(name)
        return True
    else:
        counts.passed += 1
    return False


def count_tap(entry, test, counts):
    """Counts the TAP lines of a test; returns whether there were any, and whether one failed."""
    found = failed = False
    for line in entry.get("stdout", "").splitlines():
        match = CHECK.match(line)
        if match:
            found = True
            failed |= count_check(match, test, counts)
            continue
        plan = PLAN.match(line)
        if plan and plan["count"] == "0" and plan["reason"] is not None:
            found = True
            counts.skips.append((test, plan["reason"].strip() or "no reason given"))
    return found, failed


def count_entry(entry, counts):
    # Meson names a test "project:suite / name".
    test = re.sub(r"^[^:]*:", "", entry["name"]).replace(" / ", "/")
    result = entry["result"]
    found, failed = count_tap(entry, test, counts)
    if result not in GOOD and not failed:
        counts.failures.append(f"{test}: {result.lower()}")
    elif not found and result == "SKIP":
        reason = (entry.get("stdout", "") + entry.get("stderr", "")).strip().splitlines()
        counts.skips.append((test, reason[-1] if reason else "no reason given"))
    elif not found and result in GOOD:
        counts.passed += 1


def main(paths):
    counts = Counts()
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as log:
                entries = [json.loads(line) for line in log if line.strip()]
        except OSError as error:
            counts.failures.append(f"cannot read the log of a run: {error}")
            continue
        for entry in entries:
            count_entry(entry, counts)
    for name, reason in counts.skips:
        print(f"skipped: {name}: {reason}")
    for name in counts.failures:
        print(f"failed: {name}")
    print(f"{counts.passed} passed, {len(counts.failures)} failed, {len(counts.skips)} skipped")
    return 0 if counts.passed and not counts.failures else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
