# SPDX-License-Identifier: GPL-2.0-or-later
"""Real fixes from Debian's source packages: built, loaded into the stock kernel, unloaded; or refused for the right reason.

Each fix of tests/vm/fixes is built against the oldest kernel on offer. What is built goes through kpatch-test, with its
reproducer where there is one; what is refused must be refused with the findings that the fix names, and leave nothing behind.
"""

import concurrent.futures
import json
import os
import pathlib
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import BUILD, ROOT, TEST, Target, at_least, source_files, source_versions  # noqa: E402

BUILD_TIMEOUT = 300
VM_TIMEOUT = 300


class Outcome:
    """What one fix came to; printed in the order of names when all are done."""

    def __init__(self, name):
        self.name = name
        self.checks = []  # (passed, text, detail)
        self.skipped = None
        self.to_share = None  # (fix, report): tested in one boot with others

    def check(self, passed, text, detail=""):
        self.checks.append((bool(passed), f"{self.name}: {text}", detail))
        return bool(passed)

    def show(self):
        if self.skipped:
            tap.skip(self.name, self.skipped)
        for check in self.checks:
            tap.ok(*check)


def cut(fix, path, target, versions, work):
    """Writes the patch; returns None, or why it can't be made for this target."""
    argv = [ROOT / "tests/vm/make-fix", "--old", target.source, "--old-version", target.version, path, "-o", work / "fix.patch"]
    if "edits" not in fix:
        if not at_least(target.version, fix["from"]) or at_least(target.version, fix["to"]):
            return f"is for kernels from {fix['from']} on, below {fix['to']}; this one is {target.version}"
        newer = [v for v in versions if at_least(v, fix["to"])]
        if not newer:
            return f"apt offers no source package from {fix['to']} on"
        argv += ["--new", source_files(newer[0], fix["files"]), "--new-version", newer[0]]
    result = tap.run(argv)
    return result.stderr if result.returncode != 0 else None


def build(fix, target, work, outcome):
    """Builds; returns the report, None if it isn't one."""
    out = work / "out"
    argv = [BUILD, "--target", target.id, "--offline", "--json", "-n", fix["name"], "-j", "1", "-o", out, work / "fix.patch"]
    if "accept" in fix:
        result = tap.run(argv, timeout=BUILD_TIMEOUT)
        outcome.check(result.returncode == 3 and not list(out.glob("*")), "is built only when its findings are accepted", result.stdout + result.stderr)
        for accepted in fix["accept"]:
            argv += ["--accept", *([accepted["finding"], "--reason", accepted["reason"]] if isinstance(accepted, dict) else [accepted])]
    result = tap.run(argv, timeout=BUILD_TIMEOUT)
    try:
        report = json.loads(result.stdout)
    except ValueError:
        report = None
    want = 0 if fix["expected"] == "built" else 3
    detail = result.stdout + result.stderr
    if not outcome.check(result.returncode == want, f"kpatch-build exits with {want}", detail) or not report:
        return None
    codes = {finding["code"] for finding in report.get("findings", [])}
    missing = [code for code in fix.get("findings", []) if code not in codes]
    outcome.check(not missing, f"finds {' '.join(fix.get('findings', [])) or 'nothing in the way'}", detail)
    if want == 3:
        outcome.check(not out.exists() or not any(out.iterdir()), "nothing is written", str(out))
        return None
    reasons = {accepted["reason"] for accepted in fix.get("accept", []) if isinstance(accepted, dict)}
    manifest = json.loads((out / f"kpatch-{fix['name']}.manifest.json").read_text())
    kept = {finding["reason"] for finding in manifest["findings"] if "reason" in finding}
    outcome.check(kept == reasons, "the manifest keeps the reasons of what was accepted", manifest["findings"])
    differing = sum(unit["proof"]["differing"] for unit in report["units"])
    outcome.check(differing == 0, "every original function is the shipped one", detail)
    objects = {function["object"] for function in report["functions"]}
    outcome.check(objects == set(fix["objects"]), f"replaces functions of {' '.join(fix['objects'])}", detail)
    return report


def reproducer(fix, work):
    """Options of kpatch-test that show the flaw before and not after."""
    example = fix.get("example")
    if not example:
        return []
    program = work / "reproducer"
    compiled = tap.run(["gcc", "-O2", "-static", "-o", program, ROOT / "examples" / example / "reproducer.c"])
    if compiled.returncode != 0:
        raise RuntimeError(compiled.stderr)
    return ["--file", program, "--before", ROOT / "examples/expect-vulnerable.sh", "--after", ROOT / "examples/expect-fixed.sh"]


def test(fix, target, report, work, outcome):
    guest = fix.get("guest", {})
    argv = [TEST, report["module"], "--target", target.id, "--output", work / "evidence", "--json"]
    for module in guest.get("modules_before", []):
        argv += ["--module", module]
    for module in guest.get("modules_after", []):
        argv += ["--module-after", module]
    if "script" in guest:
        argv += ["--before", ROOT / "tests/vm/fixes" / guest["script"], "--after", ROOT / "tests/vm/fixes" / guest["script"]]
    if "after" in guest:
        (work / "after").write_text(f"#!/bin/sh\n{guest['after']}\n")
        argv += ["--after", work / "after"]
    result = tap.run(argv + reproducer(fix, work), timeout=VM_TIMEOUT)
    outcome.check(result.returncode == 0, "loads, works, unloads and loads again on the stock kernel", result.stdout[-4000:] + result.stderr)
    evidence = work / "evidence" / "evidence.json"
    if outcome.check(evidence.exists(), "leaves evidence", str(list(work.iterdir()))):
        outcome.check(json.loads(evidence.read_text())["verdict"] == "passed", "the evidence says passed", evidence.read_text()[-2000:])


def needs_own_boot(fix):
    return "example" in fix or set(fix.get("guest", {})) - {"modules_before"}


def test_together(outcomes, target, top):
    """What needs no script and no order of modules of its own is tested in one boot."""
    outcomes = [outcome for outcome in outcomes if outcome.to_share]
    if not outcomes:
        return
    modules = sorted({module for outcome in outcomes for module in outcome.to_share[0].get("guest", {}).get("modules_before", [])})
    argv = [TEST, *[outcome.to_share[1]["module"] for outcome in outcomes], "--target", target.id, "--reload", "--output", top / "together",
            "--quiet", *[arg for module in modules for arg in ("--module", module)]]
    result = tap.run(argv, timeout=VM_TIMEOUT + 10 * len(outcomes))
    summary, evidence = top / "together" / "summary.json", top / "together" / "evidence.json"
    entries = json.loads(summary.read_text())["modules"] if summary.exists() else []
    verdicts = {entry["file"]: entry for entry in entries}
    if len(outcomes) == 1 and evidence.exists():  # of a single module there is no summary
        verdicts[outcomes[0].to_share[1]["module"]] = json.loads(evidence.read_text())
    for outcome in outcomes:
        entry = verdicts.get(outcome.to_share[1]["module"], {"verdict": "missing"})
        outcome.check(entry["verdict"] == "passed", "loads, works, unloads and loads again on the stock kernel",
                      json.dumps(entry, indent=1) + result.stdout[-2000:] + result.stderr)


def run(path, target, versions, top):
    fix = json.loads(path.read_text())
    outcome = Outcome(fix["name"])
    work = top / fix["name"]
    work.mkdir()
    try:
        outcome.skipped = cut(fix, path, target, versions, work)
        if not outcome.skipped:
            report = build(fix, target, work, outcome)
            if report and not needs_own_boot(fix):
                outcome.to_share = (fix, report)
            elif report:
                test(fix, target, report, work, outcome)
    except Exception as error:  # one fix that can't be tested must not hide the others
        outcome.check(False, "runs to its end", repr(error))
    return outcome


def main():
    target = Target()
    versions = source_versions()
    tap.diag(f"target {target.id}, {target.version}; sources on offer: {' '.join(versions)}")
    paths = sorted((ROOT / "tests/vm/fixes").glob("*.json"))
    only = os.environ.get("RK_TEST_FIXES", "").split()
    paths = [path for path in paths if not only or path.stem in only]
    top = pathlib.Path(tap.tmpdir())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        outcomes = list(pool.map(lambda path: run(path, target, versions, top), paths))
    test_together(outcomes, target, top)
    for outcome in outcomes:
        outcome.show()
    tap.done()


main()
