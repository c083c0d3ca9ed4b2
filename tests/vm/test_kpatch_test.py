# SPDX-License-Identifier: GPL-2.0-or-later
"""kpatch-test and kpatch with the real kernel: live patches that are right and ones that are wrong in every way, built at test
time from tests/vm/modules. Each must get the right verdict for the right reason, in bounded time."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import sys
import time

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import ROOT, TEST, TOOLS, Target  # noqa: E402
from manifest import attach, make_manifest  # noqa: E402

KPATCH = TOOLS / "kpatch" / "kpatch"
SLACK = 120  # seconds beyond a guest's own limit: preparing it, ending it, a machine that is busy with other things
TIMEOUT = 300  # kpatch-test's own limit for one module
BOOTS = 2 * 90  # its limit for a boot that comes to nothing, and one more
VM_TIMEOUT = 1200
TRANSITION = 5  # seconds; nothing here takes long unless it is stuck
TOP = pathlib.Path(tap.tmpdir())
CHECK = """#!/bin/sh
read version < /proc/version
echo "$1 $KPATCH_TEST_PHASE: $version"
case $1:$version in
before:Linux*|unloaded:Linux*|after:fixed*|reloaded:fixed*) exit 0 ;;
esac
exit 1
"""


def build_modules(target):
    folder = TOP / "modules"
    shutil.copytree(ROOT / "tests/vm/modules", folder)
    result = tap.run(["make", "-s", "-C", target.source, f"M={folder}", f"KERNELRELEASE={target.release}",
                      f"CC={target.facts['compiler'].split()[0]}", "modules"], timeout=900)
    if result.returncode != 0:
        tap.bail_out(f"the test modules can't be compiled: {result.stdout}{result.stderr}")
    stock = TOP / "stock"
    stock.mkdir()
    shutil.copy(folder / "lp_sleeper.ko", stock)
    return folder


class Run:
    """One run of kpatch-test; checks are shown later, so that two runs at once don't mix."""

    def __init__(self, name, argv, limit):
        self.name = name
        self.checks = []
        self.out = TOP / f"{name}.evidence"
        start = time.monotonic()
        self.result = tap.run([TEST, *argv, "--quiet", "--output", self.out], timeout=VM_TIMEOUT)
        self.seconds = time.monotonic() - start
        self.text = self.result.stdout + self.result.stderr
        path = self.out / "evidence.json"
        self.evidence = json.loads(path.read_text()) if path.exists() else {"reasons": [], "steps": [], "verdict": None}
        self.check(self.seconds < limit, f"ends within {limit} s", f"took {self.seconds:.1f} s")

    def check(self, passed, text, detail=None):
        self.checks.append((passed, f"{self.name}: {text}", self.text if detail is None else detail))

    def has_verdict(self, status, verdict):
        self.check(self.result.returncode == status, f"status {status}")
        self.check(self.evidence["verdict"] == verdict, f"the evidence says {verdict}")

    def has_reason(self, *parts):
        found = any(all(part in reason for part in parts) for reason in self.evidence["reasons"])
        self.check(found, f"a reason says {' … '.join(parts)}")

    def step(self, name):
        return next((step for step in self.evidence["steps"] if step["name"] == name), {"result": None, "output": [], "tasks": []})


class Suite:
    def __init__(self, target, modules):
        self.target = target
        self.modules = modules
        self.kernel = ["--image", target.facts["image"], "--modules", target.facts["modules"]]
        self.script = TOP / "check.sh"
        self.script.write_text(CHECK)

    def run(self, name, *args, limit=TIMEOUT + BOOTS + SLACK, kernel=None):
        return Run(name, [self.modules / f"{name}.ko", "--transition-timeout", str(TRANSITION), *(kernel or self.kernel), *args], limit)

    def fix(self):
        run = self.run("lp_fix", "--before", self.script, "--after", self.script, "--module", "vsock", "--module-after", "dummy")
        run.has_verdict(0, "passed")
        run.check(run.evidence["target"]["version"] == self.target.facts["version"], "the guest ran the target's kernel")
        names = [step["name"] for step in run.evidence["steps"]]
        run.check(names == ["module vsock", "load", "module dummy", "functions", "check after", "unload", "check unloaded", "reload",
                            "check reloaded", "unload again"], "the steps", str(names))
        run.check("after after: fixed by lp_fix" in run.step("check after")["output"], "what the script printed is kept")
        run.check("livepatch: 'lp_fix': unpatching complete" in (run.out / "transcript.txt").read_text(), "the transcript has the log")
        return run

    def wrong_script(self):
        script = TOP / "wrong.sh"
        script.write_text("echo not fixed; exit 7\n")
        run = Run("a check that fails", [self.modules / "lp_fix.ko", *self.kernel, "--before", self.script, "--after", script], TIMEOUT + BOOTS + SLACK)
        run.has_verdict(3, "failed")
        run.has_reason("step 'check after' failed: exit status 7")
        run.check(run.step("check before")["result"] == "ok", "the check before is fine")
        run.check(run.step("unload again")["result"] == "ok", "the test goes on")
        return run

    def warn(self):
        run = self.run("lp_warn")
        run.has_verdict(3, "failed")
        run.has_reason("in step 'load' the kernel says (warning): WARNING: ", "lp_fix_init")
        return run

    def warn_exit(self):
        run = self.run("lp_warn_exit", "--no-reload")
        run.has_verdict(3, "failed")
        run.has_reason("in step 'unload' the kernel says (warning): WARNING: ", "lp_fix_exit")
        return run

    def panic(self):
        run = self.run("lp_panic")
        run.has_verdict(3, "failed")
        run.has_reason("the kernel panicked in step 'load'", "lp_panic panics on purpose")
        run.check("lp_panic panics on purpose" in (run.out / "transcript.txt").read_text(), "the transcript has the console")
        return run

    def oops(self):
        run = self.run("lp_oops")
        run.has_verdict(3, "failed")
        run.has_reason("the kernel panicked in step 'load'", "BUG: kernel NULL pointer dereference")
        return run

    def refused(self):
        run = self.run("lp_refused")
        run.has_verdict(3, "failed")
        run.has_reason("step 'load' failed", "symbol 'no_such_function_anywhere' not found in symbol table")
        return run

    def stuck(self):
        run = self.run("lp_stuck", "--module", "lp_sleeper", kernel=[*self.kernel[:2], "--modules", TOP / "stock"])
        run.has_verdict(3, "failed")
        run.has_reason(f"the transition did not end within {TRANSITION} s: 'lp_sleeper' (", "still runs the old code")
        tasks = run.step("load")["tasks"]
        run.check(any("lp_sleeper_wait" in " ".join(task["stack"]) for task in tasks), "its stack is shown", str(tasks))
        run.check(run.step("unload")["result"] == "not-run", "nothing is done after that")
        return run

    def hang(self):
        # 5 s for the transition and 30 s for everything else a load does, then the guest ends by itself
        run = self.run("lp_hang", limit=35 + BOOTS + SLACK)
        run.has_verdict(3, "failed")
        run.has_reason("step 'load' failed: did not end within 35 s")
        run.check(run.step("load")["result"] == "timed-out", "the step is the one that took too long")
        return run

    def hang_ended(self):
        run = Run("a guest that is ended", [self.modules / "lp_hang.ko", *self.kernel, "--timeout", "40"], 2 * 40 + SLACK)
        run.has_verdict(3, "failed")
        run.has_reason("the guest did not end within 40 s; it was ended in step 'load'")
        return run

    def many(self):
        """Good and bad ones in one call: each gets its own verdict, and one that takes the guest down costs the others nothing."""
        want = [("lp_fix", "passed", None), ("lp_sleeper", "failed", "cannot be tested: '"), ("lp_warn", "failed", "lp_fix_init"),
                ("lp_refused", "failed", "no_such_function_anywhere"), ("lp_empty", "failed", "the live patch replaces no function"), ("lp_panic", "failed", "lp_panic panics on purpose"),
                ("lp_next", "passed", None), ("lp_stuck", "failed", "'lp_sleeper' ("), ("lp_stack", "passed", None)]
        run = Run("many", [*[self.modules / f"{name}.ko" for name, _, _ in want], "--transition-timeout", str(TRANSITION),
                           "--image", self.target.facts["image"], "--modules", TOP / "stock", "--module", "lp_sleeper",
                           "--before", self.script, "--after", self.script], 3 * (TIMEOUT + BOOTS) + SLACK)
        run.check(run.result.returncode == 3, "status 3")
        path = run.out / "summary.json"
        summary = json.loads(path.read_text()) if path.exists() else {"modules": [], "boots": 0}
        run.check(len(summary["modules"]) == len(want) and summary["boots"] == 3, "one boot more for each that takes the guest down", run.text)
        for (name, verdict, reason), entry in zip(want, summary["modules"]):
            reasons = "\n".join(entry["reasons"])
            run.check(entry["verdict"] == verdict and (reason or "") in reasons, f"{name}: {verdict} {reason or ''}", reasons)
            if not entry["evidence"]:
                run.check(name == "lp_sleeper", f"{name}: evidence", run.text)
                continue
            folder = pathlib.Path(entry["evidence"])
            evidence = json.loads((folder / "evidence.json").read_text())
            transcript = (folder / "transcript.txt").read_text()
            run.check(folder == run.out / name and evidence["module"]["sha256"] == entry["sha256"], f"{name}: its own evidence", str(folder))
            others = [other for other, _, _ in want if other not in (name, "lp_sleeper") and f"'{other}'" in transcript]
            run.check(not others, f"{name}: its part of the transcript only", str(others))
        return run

    def sequence(self):
        """One replaces the other; the third lies on top."""
        names = ["lp_fix", "lp_next", "lp_stack"]
        script = TOP / "sequence.sh"
        script.write_text("#!/bin/sh\nread version < /proc/version\necho \"$KPATCH_TEST_MODULE $version\"\n"
                          "test \"$version\" = \"fixed by $KPATCH_TEST_MODULE\"\n")
        run = Run("sequence", ["--sequence", *[self.modules / f"{name}.ko" for name in names], *self.kernel, "--after", script], TIMEOUT + BOOTS + SLACK)
        run.check(run.result.returncode == 0, "status 0")
        steps = {name: json.loads((run.out / name / "evidence.json").read_text()) for name in names}
        seen = [[step["name"] for step in steps[name]["steps"]] for name in names]
        run.check(seen == [["load", "functions", "check after"], ["load", "functions", "check after", "replaced lp_fix"],
                           ["load", "functions", "check after", "replaced lp_next", "unload", "unload lp_next", "unload lp_fix"]],
                  "the steps", str(seen))
        below = next(step for step in steps["lp_stack"]["steps"] if step["name"] == "replaced lp_next")
        run.check(below["notes"] == ["stays loaded below the new one"], "a patch without replace leaves the other below it", str(below))
        run.check([module["name"] for module in steps["lp_stack"]["on_top_of"]] == names[:2], "what it was loaded on top of")
        return run

    def with_manifest(self, file, name, objects=(), functions=(), level=1, replace=True, target_build=None, **changes):
        """A copy of module name as file.ko, with a manifest for this kernel; changes to the target."""
        fix = {"name": "fix", "title": f"a fix of level {level}", "author": None, "origin": None, "file": "fix.patch", "sha256": "00" * 32,
               "cves": [f"CVE-2026-{level}"], "bugs": [], "fixes": [], "functions": []}
        functions = [{"object": o, "name": n, "unit": "unit.c", "sympos": 1, "old_size": 16, "new_size": 16} for o, n in functions]
        kernel = {**self.target.facts, "compiler": None, **changes, **({"build_id": target_build} if target_build else {})}
        manifest = make_manifest(kernel, level, name, replace=replace, fixes=[fix], functions=functions, objects=list(objects))
        return attach(manifest, self.modules / f"{name}.ko", TOP / f"{file}.ko")

    def stuck_with(self, file, build_id=None, srcversion=None, functions=(), **changes):
        """lp_stuck as made for a module lp_sleeper of that build."""
        return self.with_manifest(file, "lp_stuck", [{"name": "lp_sleeper", "build_id": build_id, "srcversion": srcversion}],
                                  functions, **changes)

    def kpatch(self):
        """The administrator's tool, as built, in the guest."""
        bad = bytearray((self.modules / "lp_fix.ko").read_bytes())
        at = bad.index(b"vermagic=") + len(b"vermagic=")
        bad[at:at + 1] = b"7"
        (TOP / "bad.ko").write_bytes(bad)
        version = [("vmlinux", "version_proc_show")]
        files = [*[self.modules / f"{name}.ko" for name in ["lp_warn_exit", "lp_refused", "lp_sleeper", "lp_stuck", "lp_probe"]],
                 TOP / "bad.ko", self.stuck_with("other_module", build_id="0123"), self.stuck_with("other_source", srcversion="0BAD"),
                 self.stuck_with("other_version", "0123", version="#2 SMP"), self.stuck_with("other_build", "0123", target_build="00ff"),
                 self.stuck_with("sleeping", functions=[("lp_sleeper", "lp_sleeper_wait")]),
                 self.with_manifest("level1", "lp_fix", functions=version), self.with_manifest("level2", "lp_next", functions=version, level=2),
                 self.with_manifest("on_top", "lp_stack", functions=version, replace=False), f"{KPATCH}:/bin/kpatch"]
        run = Run("kpatch", [self.modules / "lp_fix.ko", *self.kernel, "--memory", "1024", "--no-reload", "--verbose", "--timeout", "600",
                             "--before", ROOT / "tests/vm/kpatch-in-guest.sh", *[arg for f in files for arg in ("--file", f)]], 600 + BOOTS + SLACK)
        run.has_verdict(0, "passed")
        lines = run.step("check before")["output"]
        for line in lines:
            if line.startswith(("ok ", "not ok ")):
                run.check(line.startswith("ok "), line.split(" ", 1)[1] if line.startswith("ok") else line[7:], "\n".join(lines))
        run.check(any(line == "all done" for line in lines), "the script came to its end", "\n".join(lines))
        return run


def main():
    target = Target()
    suite = Suite(target, build_modules(target))
    cases = [suite.hang, suite.kpatch, suite.many, suite.sequence, suite.fix, suite.wrong_script, suite.warn, suite.warn_exit, suite.panic, suite.oops, suite.refused,
             suite.stuck, suite.hang_ended]
    only = os.environ.get("RK_TEST_CASES", "").split()
    cases = [case for case in cases if not only or case.__name__ in only]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for run in pool.map(lambda case: case(), cases):
            for check in run.checks:
                tap.ok(*check)
    tap.done()


main()
