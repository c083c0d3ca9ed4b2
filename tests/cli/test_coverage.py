#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The corpus runner with stand-ins for our tools: every way a fix can end, stopped and gone on, and what it can't work with."""

import csv
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import contains, done, equal, ok, run, tmpdir  # noqa: E402

RUNNER = os.path.abspath(sys.argv[1])
FAKE = os.path.abspath(sys.argv[2])
WORK = pathlib.Path(tmpdir())
BIN = WORK / "bin"
BIN.mkdir()
for tool in ("kpatch-build", "kpatch-test"):
    (BIN / tool).symlink_to(FAKE)
ENV = {"PATH": f"{BIN}:{os.environ['PATH']}", "FAKE_LOG": str(WORK / "log"), "FAKE_SLOW": str(WORK / "slow"), "XDG_CACHE_HOME": str(WORK / "cache")}

# How a fix ends, by what its file gets.
WANT = {
    "plain": "built", "think": "acknowledged", "init": "refused", "hopeless": "incomplete", "crash": "error", "mute": "error",
    "idle": "no-effect", "elsewhere": "not-compiled", "": "no-difference", "needs": "built", "warns": "built", "slow": "built",
}


def put(tree, path, text):
    file = WORK / tree / "source" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    with open(WORK / tree / "source.sha256", "a", encoding="utf-8") as sums:
        sums.write(f"{hashlib.sha256(text.encode()).hexdigest()}  source/{path}\n")


rows = ["fixed_ver\tcve\tcvss\tseverity\tfiles\ttitle"]
for number, word in enumerate(WANT):
    path = f"net/file{number}.c"
    put("old", path, "one\n")
    put("new", path, f"one\n{word}\n" if word else "one\n")
    rows.append(f"6.1.171\tCVE-2026-{1000 + number}\t7.8\tHIGH\t{path}\tabout <{word}>")
rows.append("6.1.172\tCVE-2026-2000\t5.5\tMEDIUM\tnet/file0.c,Documentation/a.txt\tthe same file again")
rows.append("6.1.172\tCVE-2026-2001\t5.5\tMEDIUM\tarch/arm/b.c,Documentation/a.txt\tfor another machine")
put("old", "include/decl.h", "x\n")
put("new", "include/decl.h", "x\nint declared(void);\n")
TABLE = WORK / "cves.tsv"
TABLE.write_text("\n".join(rows) + "\n")


def arguments(state="state", output="out", table=TABLE, extra=()):
    return [RUNNER, "--table", table, "--older-tree", WORK / "old/source", "--newer-tree", WORK / "new/source", "--target", "debian:none",
            "--state", WORK / state, "--output", WORK / output, *extra]


def calls():
    log = WORK / "log"
    lines = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def table(output="out"):
    return json.loads((WORK / output / "coverage.json").read_text())


def settled(document):
    """What doesn't depend on the clock."""
    return [{k: v for k, v in row.items() if k not in ("seconds", "cpu_seconds", "peak_kib")} for row in document["fixes"]]


result = run(arguments(), env=ENV)
ok(result.returncode == 0, "a whole run: status", result.stderr)
document = table()
by_id = {row["id"]: row for row in document["fixes"]}
for number, (word, outcome) in enumerate(WANT.items()):
    equal(by_id[f"CVE-2026-{1000 + number}"]["outcome"], outcome, f"'{word}' ends as {outcome}")
every = sorted(cve["id"] for row in document["fixes"] for cve in row["cves"])
equal(every, sorted(line.split("\t")[1] for line in rows[1:]), "every CVE is in the table once")
equal([c["id"] for c in by_id["CVE-2026-1000"]["cves"]], ["CVE-2026-1000", "CVE-2026-2000"], "a common file makes one fix of two")
equal(by_id["CVE-2026-2001"]["outcome"], "no-difference", "what is only for another machine is in the table too")
equal(by_id["CVE-2026-2001"]["files"][0]["state"], "outside", "and says why")
equal(by_id["CVE-2026-1009"]["carried"], ["include/decl.h"], "a declaration from elsewhere is carried along")
contains(by_id["CVE-2026-1003"]["message"], "'nowhere' undeclared", "the compiler's complaint is in the table")
contains(by_id["CVE-2026-1004"]["message"], "status 139", "a crash is told")
equal(by_id["CVE-2026-1002"]["errors"], ["init-code"], "refused with its code")
equal(by_id["CVE-2026-1001"]["acknowledge"], ["pointer-escapes"], "acknowledged with its code")
equal(by_id["CVE-2026-1010"]["load"]["result"], "failed", "a module that warns")
equal(by_id["CVE-2026-1000"]["load"]["result"], "passed", "a module that loads")
figures = document["summary"]
equal((figures["fixes"], figures["counted"], figures["built"]), (13, 9, 5), "figures")
contains(result.stdout, "built 5 of 9 fixes that count (55.6 %), of 13 in the table", "the last line")
with open(WORK / "out/coverage.csv", newline="", encoding="utf-8") as file:
    lines = list(csv.DictReader(file))
equal([line["outcome"] for line in lines], [row["outcome"] for row in document["fixes"]], "the CSV has the same rows")
page = (WORK / "out/coverage.html").read_text()
ok("<script" not in page and "about &lt;init&gt;" in page and "<svg" in page, "the page: no script, escaped, a chart")
contains((WORK / "out/COVERAGE.md").read_text(), "| CVE-2026-1000, CVE-2026-2000 | built |", "the text has every fix")
calls()

# A second run has nothing to do; another tool begins again.
equal(run(arguments(), env=ENV).returncode, 0, "a second run")
equal(calls(), [], "builds nothing again")
equal(settled(table()), settled(document), "and has the same table")
other = WORK / "other"
other.mkdir()
(other / "kpatch-build").write_text(pathlib.Path(FAKE).read_text() + "# built again\n")
(other / "kpatch-build").chmod(0o755)
OTHER = {**ENV, "PATH": f"{other}:{ENV['PATH']}"}
equal(run(arguments(extra=["--keep-older"]), env=OTHER).returncode, 0, "another build of the tool, older results kept")
equal(calls(), [], "builds nothing")
equal(run(arguments(extra=["--keep-older", "CVE-2026-1000"]), env=OTHER).returncode, 0, "one fix by it")
contains((WORK / "out/COVERAGE.md").read_text(), "not all of the same build", "the text says that the rows are of two builds")
calls()
equal(run(arguments(), env=ENV).returncode, 0, "back with the first one")
equal(calls(), ["CVE-2026-1000"], "only what isn't its own is built")
equal(run(arguments(extra=["CVE-2026-2000"]), env=ENV).returncode, 0, "one CVE by name")
equal(calls(), ["CVE-2026-1000"], "builds its fix again, and only that")

# A hunk that nothing can complete is left out, unless it is all there is; a refusal comes with what was found by hand.
lines = [f"line {n}\n" for n in range(20)]
put("old", "net/two.c", "".join(lines))
put("new", "net/two.c", "plain\n" + "".join(lines) + "foreign\n")
put("old", "net/only.c", "one\n")
put("new", "net/only.c", "one\nforeign\n")
(WORK / "few.tsv").write_text(rows[0] + "\n" + "".join(f"6.1.171\tCVE-2026-300{n}\t7.8\tHIGH\tnet/{file}.c\tthree\n" for n, file in enumerate(["two", "only", "file2"])))
(WORK / "why.tsv").write_text("CVE-2026-3002\tit has run\n")
FEW = {"state": "few", "output": "few-out", "table": WORK / "few.tsv"}
result = run(arguments(**FEW, extra=["--refusals", WORK / "why.tsv", "--cumulative"]), env=ENV)
equal(result.returncode, 0, "a table with hunks of other changes")
two, only, refused = table("few-out")["fixes"]
equal((two["outcome"], two["left_out"], two["carried"]), ("built", ["foreign"], []), "built without the hunk that asks for it")
equal((only["outcome"], only["left_out"]), ("incomplete", ["foreign"]), "without any hunk left it stays incomplete")
equal(refused["inherent"], "it has run", "why a refusal is inherent is in the table")
for patch in ("few/fixes/CVE-2026-3000/fix.patch", "few/whole/CVE-2026-3000.patch"):
    text = (WORK / patch).read_text()
    ok("+plain" in text and "+foreign" not in text, f"{patch} hasn't got it", text)
text = (WORK / "few-out/COVERAGE.md").read_text()
contains(text, "without hunks with foreign", "the text says so")
contains(text, "| CVE-2026-3002 | init-code `f` | it has run |", "and why the refusal is inherent")
(WORK / "why.tsv").write_text("CVE-2026-3002\n")
result = run(arguments(**FEW, extra=["--refusals", WORK / "why.tsv", "--report"]), env=ENV)
contains(result.stderr, "line 1: there is no reason", "a reason that isn't there")
calls()

# What is measured on many fixes together.
equal(run(arguments(extra=["--cumulative", "--repeat"]), env=ENV).returncode, 0, "cumulative and repeated")
whole, again = table()["cumulative"], table()["repeat"]
equal((whole["outcome"], whole["fixes"], whole["cves"], whole["load"]["result"]), ("built", 5, 6, "failed"), "one module of all that were built")
patches = sorted(p.name for p in (WORK / "state/whole").glob("*.patch"))
ok("CVE-2026-1009-carried.patch" in patches and "CVE-2026-1009.patch" in patches, "what a fix carries is a patch of its own", patches)
equal((again["fixes"], again["same"], again["different"]), (5, 5, []), "the same bytes on another path")
contains((WORK / "out/COVERAGE.md").read_text(), "| built: 5 fixes, ", "and both are in the text")
ok(table()["runs"] is None, "a run that went on says nothing of how long the whole takes")
equal(run(arguments(extra=["--fresh", "--no-load"]), env=ENV).returncode, 0, "begun again")
equal([run["jobs"] for run in table()["runs"].values()], [os.cpu_count()], "tells how long the whole takes")
equal(table()["cumulative"], None, "and has forgotten what was")
equal(run(arguments(), env=ENV).returncode, 0, "and loaded")
calls()

# Killed in the middle, gone on.
(WORK / "slow").touch()
runner = subprocess.Popen([str(a) for a in arguments(state="state2", output="out2", extra=["-j", "1"])], env={**os.environ, **ENV},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
limit = time.monotonic() + 60
while not (WORK / "slow.reached").exists() and time.monotonic() < limit:
    time.sleep(0.05)
runner.send_signal(signal.SIGKILL)
runner.wait()
before = calls()
ok("CVE-2026-1011" in before, "killed while it built", before)
ok(not (WORK / "out2").exists(), "no table is written by a run that was killed")
(WORK / "slow").unlink()
equal(run(arguments(state="state2", output="out2"), env=ENV).returncode, 0, "the run goes on")
equal(calls(), ["CVE-2026-1011"], "with the fix it was at")
equal(settled(table("out2")), settled(document), "and ends with the same table")

# --report writes what there is, also when nothing was run.
equal(run(arguments(state="state3", output="out3", extra=["--report"]), env=ENV).returncode, 0, "only a report")
equal(table("out3")["summary"]["outcomes"], {"pending": 13}, "what wasn't run is in the table as that")

# What it can't work with.
broken = WORK / "broken.tsv"
broken.write_text(rows[0] + "\n6.1\tCVE-x\t\t\ta.c\tt\n")
for name, arg, env, status, message in (
        ("no table", arguments(table=WORK / "none"), {}, 1, "No such file"),
        ("a broken table", arguments(table=broken), {}, 1, "line 2: no CVE id"),
        ("a CVE that isn't in it", arguments(extra=["CVE-1999-1"]), {}, 1, "'CVE-1999-1' isn't in the table"),
        ("no tool", arguments(), {"PATH": "/nowhere"}, 1, "'kpatch-build' isn't in PATH"),
        ("a tester that fails", arguments(state="state4"), {"FAKE_TEST_FAILS": "1"}, 1, "no guest today")):
    result = run(arg, env={**ENV, **env})
    equal(result.returncode, status, f"{name}: status")
    contains(result.stderr, message, f"{name}: message")
result = run([RUNNER, "--table", TABLE, "--older-tree", WORK / "old"], env=ENV)
equal(result.returncode, 2, "one tree only: status")
contains(result.stderr, "--older-tree and --newer-tree go together", "one tree only: message")
shutil.rmtree(WORK / "old")
contains(run(arguments(), env=ENV).stderr, "source.sha256", "trees without their list of hashes")
done()
