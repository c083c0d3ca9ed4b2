#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Twelve fixes of the corpus: cut from two source packages, built, and loaded in one boot by the corpus runner."""

import csv
import hashlib
import json
import os
import pathlib
import shutil
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import BUILD, ROOT, TEST, TOOLS, Target, source_files, source_versions  # noqa: E402

TABLE = ROOT / "bench/data/linux-6.1.171-176.tsv"
OLDER, NEWER = "6.1.170-3", "6.1.176-1"
# Of vmlinux and of modules, of one function and of several.
SAMPLE = {
    "CVE-2023-54271": "built", "CVE-2024-56647": "built", "CVE-2026-23255": "built", "CVE-2026-31625": "built",
    "CVE-2026-31673": "built", "CVE-2026-31681": "built", "CVE-2026-43080": "built", "CVE-2026-43493": "built",
    "CVE-2026-43494": "built", "CVE-2026-45999": "built", "CVE-2026-46033": "built", "CVE-2026-46040": "built",
}


def files_of_sample():
    """The files of the sample's CVEs and of those that are one fix with them."""
    with open(TABLE, newline="", encoding="utf-8") as table:
        rows = [(row["cve"], set(row["files"].split(","))) for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)]
    files = set().union(*(paths for cve, paths in rows if cve in SAMPLE))
    while True:
        more = files.union(*(paths for _, paths in rows if paths & files))
        if more == files:
            return sorted(files)
        files = more


def newer_tree(work, files):
    """The files of the newer package, with their hashes as an unpacked package has them."""
    folder = source_files(NEWER, files)
    sums = []
    for path in files:
        if (folder / path).is_file():
            copy = work / "newer/source" / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, copy)
            sums.append(f"{hashlib.sha256(copy.read_bytes()).hexdigest()}  source/{path}\n")
    (work / "newer/source.sha256").write_text("".join(sums))
    return work / "newer/source"


target = Target()
if target.version != OLDER or NEWER not in source_versions():
    tap.skip_all(f"the sample is of {OLDER} and {NEWER}, on offer are target {target.version} and sources {' '.join(source_versions())}")
work = pathlib.Path(tap.tmpdir())
newer = newer_tree(work, files_of_sample())
path = f"{BUILD.parent}:{TEST.parent}:{os.environ['PATH']}"
result = tap.run([TOOLS.parent / "bench/coverage/bench-coverage", "--verbose", "--table", TABLE, "--target", target.id, "--older-tree", target.source,
                  "--newer-tree", newer, "--state", work / "state", "--output", work / "out", *SAMPLE], env={"PATH": path}, timeout=1500)
if not tap.ok(result.returncode == 0, "the runner ends well", result.stdout + result.stderr):
    tap.done()
rows = {cve["id"]: row for row in json.loads((work / "out/coverage.json").read_text())["fixes"] for cve in row["cves"]}
for cve, outcome in SAMPLE.items():
    row = rows[cve]
    tap.ok(row.get("outcome") == outcome, f"{cve}: {outcome}", json.dumps(row, indent=1))
    tap.ok(row.get("load", {}).get("result") == "passed", f"{cve}: loads, replaces its functions, unloads", json.dumps(row.get("load")))
boots = {json.loads(evidence.read_text())["boot"]["number"] for evidence in (work / "state/evidence").rglob("evidence.json")}
tap.equal(boots, {1}, "all in one boot")
tap.done()
