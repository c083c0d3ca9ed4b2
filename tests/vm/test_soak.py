# SPDX-License-Identifier: GPL-2.0-or-later
"""Live patches come and go again and again in one guest that stress-ng keeps busy; its kernel may not complain or lose memory.

    test_soak.py [--cycles N] [--minutes M] [--compare C] [--output DIR]

Two modules by kpatch-build: level 1 replaces functions of the kernel, one of them run by the load all the time; level 2 takes its
place and adds one of a module, with a shadow variable and a callback. What a cycle is stands in tests/soak/in-guest.sh. --compare
goes before with C cycles of doing nothing and C of stock modules, to hold the memory figures against. A run that --minutes ends
early fails: it has not shown what it was asked for. DIR gets soak.json and soak.txt."""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests", folder) for folder in (".", "cli")]
import soak_figures as figures  # noqa: E402
import tap  # noqa: E402
import web  # noqa: E402
from guest import Guest  # noqa: E402
from guest_disk import Disk  # noqa: E402
from kernel import BUILD, ROOT, TOOLS, Target  # noqa: E402

BATCH = 10
SNAPSHOTS = 40
PROGRESS = 60  # seconds between lines
CYCLE_TIMEOUT = 300
LEVELS = {1: ["version-1", "hot"], 2: ["version-1", "hot", "version-2", "module"]}
# A guest that waits for work half of the time isn't under load.
BUSY = 0.8


def make_patches(target, work):
    """The fixes of tests/soak/fixes.json, each on top of those before it."""
    fixes, tree = json.loads((ROOT / "tests/soak/fixes.json").read_text()), work / "tree"
    for file in {edit["file"] for fix in fixes.values() for edit in fix["edits"]}:
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(target.source / file, tree / file)
    for name, fix in fixes.items():
        (work / f"{name}.json").write_text(json.dumps(fix))
        made = tap.run([ROOT / "tests/vm/make-fix", "--old", tree, work / f"{name}.json", "-o", work / f"{name}.patch"])
        if made.returncode != 0:
            tap.bail_out(made.stderr)
        subprocess.run(["patch", "-s", "-p1", "-d", tree, "-i", work / f"{name}.patch"], check=True)


def build_levels(target, work, www):
    base = []
    for level, names in LEVELS.items():
        patches = [work / f"{name}.patch" for name in names]
        built = tap.run([BUILD, "--target", target.id, "--offline", "-n", f"level-{level}", "-o", work, *base, *patches], timeout=900)
        if built.returncode != 0:
            tap.bail_out(built.stdout + built.stderr)
        module = work / f"kpatch-level-{level}.ko"
        shutil.copy(module, www / f"level-{level}.ko")
        base = ["--base", module]


class Soak:
    def __init__(self, guest, options):
        self.guest, self.options = guest, options
        self.began = time.monotonic()
        self.operations, self.snapshots, self.loads, self.troubles, self.tainted, self.failures = {}, {}, [], [], [], []
        self.done = 0
        self.log = guest.console()
        self.silent = len(self.log)

    def call(self, what, timeout=CYCLE_TIMEOUT):
        return self.guest.run(f"bash -c '. /soak/in-guest.sh; {what}'", timeout)[1]

    def judge_log(self, part):
        """The console has all that the kernel says, however much; its own log is a ring. A last line that isn't whole waits."""
        said = self.guest.console()
        self.log, start = said[:said.rfind("\n") + 1], len(self.log)
        self.troubles += figures.troubles(self.log[start:])
        self.operations["kernel: transition"] = figures.transitions(self.log[self.silent:])
        self.tainted = figures.taints(part["tainted"])

    def measure(self, kind, cycle):
        text = self.call("figures")
        part = figures.sections(text)
        self.judge_log(part)
        self.snapshots.setdefault(kind, []).append(figures.Snapshot(cycle, text))
        self.busy = part["stat"], time.monotonic()

    def batch(self, kind, first, last):
        text = self.call(f"cycles {kind} {first} {last}", CYCLE_TIMEOUT * (last - first + 1))
        part = figures.sections(text)
        self.failures += re.findall(r"^failed (.*)", text, re.M)
        if "tainted" not in part:
            part = figures.sections(self.call("figures load"))
        self.judge_log(part)
        for what, took in re.findall(r"^did (.*) (\d+)$", text, re.M):
            self.operations.setdefault(what, []).append(int(took) / 1e6)
        before, since = self.busy
        if kind == "patch":
            self.loads.append(figures.load(before, part["stat"], time.monotonic() - since))
            self.done += len(re.findall(r"^cycle \d+$", text, re.M))
        self.busy = part["stat"], time.monotonic()

    def is_over(self):
        return self.failures or self.troubles or self.tainted or (self.options.minutes and time.monotonic() - self.began > self.options.minutes * 60)

    def run(self, kind, cycles):
        every = max(BATCH, cycles // SNAPSHOTS // BATCH * BATCH)
        began = told = time.monotonic()
        self.measure(kind, 0)
        for first in range(1, cycles + 1, BATCH):
            last = min(first + BATCH - 1, cycles)
            self.batch(kind, first, last)
            over = self.is_over()
            if last % every == 0 or last == cycles or over:
                self.measure(kind, last)
            if last == cycles or over or time.monotonic() - told >= PROGRESS:
                told = time.monotonic()
                each = (told - began) / last
                tap.diag(f"{kind}: cycle {last} of {cycles}, {each:.1f} s each, {each * (cycles - last) / 60:.0f} min left, "
                         f"kernel memory {self.snapshots[kind][-1].kb['kernel']} kB")
            if over:
                return


def median_and_most(values):
    return f"{statistics.median(values):8.2f} s {max(values):8.2f} s" if values else "-"


def shown(error):
    return "-" if error is None else f"{error:7.2f}"


def table(soak, seconds):
    """The result for people."""
    shots = soak.snapshots["patch"]
    yield f"{soak.done} cycles of {soak.options.cycles} in {seconds / 60:.0f} minutes"
    if soak.loads:
        mean = {name: statistics.mean(load[name] for load in soak.loads) for name in soak.loads[0]}
        yield f"load: busy {mean['busy']:.0%} of the time, {mean['switches']:.0f} context switches and {mean['forks']:.0f} new processes a second"
    yield f"{'operation':28} {'times':>6} {'median':>10} {'most':>10}"
    for name, took in sorted(soak.operations.items()):
        yield f"{name:28} {len(took):6} {median_and_most(took)}"
    yield f"{'memory, kB':28} {'first':>9} {'last':>9} {'a cycle':>9} {'error':>7}"
    for kind in soak.snapshots:
        for name, (first, last, rise, error) in figures.growth(soak.snapshots[kind])["kb"].items():
            yield f"{kind + ' ' + name:28} {first:9} {last:9} {rise:9.2f} {shown(error)}"
    objects = figures.growth(shots)["objects"]
    yield f"{'slab, objects':28} {'first':>9} {'last':>9} {'a cycle':>9} {'error':>7}"
    for name, (first, last, rise, error) in sorted(objects.items(), key=lambda item: -abs(item[1][2]))[:8]:
        yield f"{name:28} {first:9} {last:9} {rise:9.2f} {shown(error)}"


def keep(soak, seconds, leaks):
    folder = pathlib.Path(soak.options.output)
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(table(soak, seconds)) + "\n"
    (folder / "soak.txt").write_text(text)
    result = {"schema": "readykernel-soak/1", "cycles": soak.done, "wanted": soak.options.cycles, "seconds": round(seconds), "failures": soak.failures,
              "kernel_log": soak.troubles, "tainted": soak.tainted, "leaks": leaks, "load": soak.loads, "operations": soak.operations,
              "memory": {kind: [shot.as_json() for shot in shots] for kind, shots in soak.snapshots.items()},
              "growth": {kind: figures.growth(shots) for kind, shots in soak.snapshots.items()}}
    (folder / "soak.json").write_text(json.dumps(result, indent=1) + "\n")
    tap.diag(text)


def verdict(soak):
    seconds = time.monotonic() - soak.began
    shots = soak.snapshots["patch"]
    leaks = figures.leaks(shots)
    keep(soak, seconds, leaks)
    tap.equal((soak.done, soak.failures), (soak.options.cycles, []), "every cycle came to its end")
    transitions = soak.operations["kernel: transition"]
    tap.ok(len(transitions) >= 2 * soak.done > 0, "the kernel's log tells of every transition", f"{len(transitions)} of {soak.done} cycles")
    tap.equal(soak.troubles, [], "and of no trouble")
    tap.equal(soak.tainted, [], "the kernel knows of no trouble")
    tap.ok(soak.loads and statistics.mean(load["busy"] for load in soak.loads) > BUSY, "the guest was busy all the while", str(soak.loads))
    tap.equal(shots[-1].left, shots[0].left, "no patch, module or tracer is left")
    tap.equal(leaks, [], "nothing grows with the cycles")


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=8)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--compare", type=int, default=0)
    parser.add_argument("--output", default=tap.tmpdir())
    return parser.parse_args()


def main():
    options = parse()
    target = Target()
    work, www = pathlib.Path(tap.tmpdir()), pathlib.Path(tap.tmpdir())
    make_patches(target, work)
    build_levels(target, work, www)
    for file in (TOOLS / "kpatch/kpatch", ROOT / "tests/soak/in-guest.sh"):
        shutil.copy(file, www)
    with Guest(Disk(target), web.Server(www), processors=2) as guest:
        tap.diag(f"the guest boots in {guest.boot():.0f} s")
        guest.must("mkdir /soak && cd /soak && for f in level-1.ko level-2.ko kpatch in-guest.sh; do curl -sf -O http://repository/$f || exit 1; done; "
                   "install kpatch /usr/sbin/kpatch && modprobe dummy numdummies=0 && bash -c '. /soak/in-guest.sh; load_on'; dmesg --console-level 7")
        soak = Soak(guest, options)
        for kind in ("idle", "stock") if options.compare else ():
            soak.run(kind, options.compare)
        soak.run("patch", options.cycles)
        verdict(soak)
    tap.done()


main()
