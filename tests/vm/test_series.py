# SPDX-License-Identifier: GPL-2.0-or-later
"""A cumulative module of several fixes, the next level that takes its place, and the fixes that are left out of it.

Three fixes change one function of ipc/util.c, the third takes part of the second back; a fourth can't be patched live, a fifth
changes what the fourth wrote. With them go real fixes of other files, one of which can't be patched live either.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import BUILD, ROOT, TEST, Target, at_least, source_files, source_versions  # noqa: E402

FIXES = ROOT / "tests/vm/fixes"
SEQ = "\t\tnew->seq = ipcid_to_seqx(next_id);"
WRITTEN = "\t\tWRITE_ONCE(new->seq, ipcid_to_seqx(next_id));"
EDITS = {
    "same-function": [{"file": "ipc/util.c", "find": SEQ, "replace": [WRITTEN, "\t\tsmp_wmb();"]}],
    "takes-back": [{"file": "ipc/util.c", "find": "\t\tsmp_wmb();", "replace": []}],
    "on-top": [{"file": "ipc/util.c", "find": "late_initcall(ipc_late_init);", "replace": ["/* late */", "late_initcall(ipc_late_init);"]}],
    "conflict": [{"file": "ipc/util.c", "find": SEQ, "replace": ["\t\tnew->seq = 0;"]}],
}


class Maker:
    """Writes patches, each on top of those before it."""

    def __init__(self, target, work):
        self.target, self.work = target, work
        self.tree = work / "tree"
        newer = [v for v in source_versions() if at_least(v, "6.1.176-1")]
        if not newer or not at_least(target.version, "6.1.170-3") or at_least(target.version, "6.1.176-1"):
            tap.skip_all("the fixes are for 6.1.170 and need the source of 6.1.176")
        self.newer = newer[0]

    def make(self, name, out):
        if name in EDITS:
            path = self.work / f"{name}.json"
            path.write_text(json.dumps({"schema": "readykernel-fix-1", "name": name, "title": f"test: {name}", "edits": EDITS[name]}))
        else:
            path = FIXES / f"{name}.json"
        fix = json.loads(path.read_text())
        files = fix.get("files") or [edit["file"] for edit in fix["edits"]]
        for file in files:
            copy = self.tree / file
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.target.source / file, copy)
        argv = [ROOT / "tests/vm/make-fix", "--old", self.tree, path, "-o", out]
        if "files" in fix:
            argv += ["--new", source_files(self.newer, files), "--new-version", self.newer]
        made = tap.run(argv)
        if made.returncode != 0:
            tap.bail_out(made.stderr)
        subprocess.run(["patch", "-s", "-p1", "-d", self.tree, "-i", out], check=True)


def build(target, out, *argv):
    """The result and its report."""
    result = tap.run([BUILD, "--target", target.id, "--offline", "--json", "-o", out, *argv], timeout=900)
    try:
        return result, json.loads(result.stdout)
    except ValueError:
        return result, {}


def refuses(target, work, status, parts, name, *argv):
    out = work / "refused"
    result, report = build(target, out, *argv)
    text = report.get("error", {}).get("message", "") + json.dumps(report.get("findings", []))
    tap.equal(result.returncode, status, f"{name}: status")
    for part in parts:
        tap.contains(text, part, f"{name}: says '{part}'")
    tap.ok(not out.exists() or not list(out.iterdir()), f"{name}: nothing is written")


def check_level_2(report, manifest):
    left = {fix["name"]: fix for fix in report["fixes"] if fix["status"] == "left-out"}
    built = [fix["name"] for fix in report["fixes"] if fix["status"] == "built"]
    tap.equal(built, ["0001-inlined-callee", "0002-vmlinux-one-function", "0003-same-function", "0004-takes-back"], "what could be built is in")
    tap.equal(sorted(left), ["0005-refused-registration", "0006-on-top", "0007-refused-data"], "the rest is left out")
    tap.equal(left.get("0005-refused-registration", {}).get("codes"), ["new-registration"], "one of four fixes of a file is to blame")
    tap.equal(left.get("0006-on-top", {}).get("depends_on"), "0005-refused-registration", "what is on top of it goes with it")
    tap.contains(left.get("0007-refused-data", {}).get("codes", []), "data-changed", "the other one has its code")
    tap.equal([fix["name"] for fix in manifest["skipped"]], sorted(left), "the manifest names them")
    tap.equal([(old["name"], old["level"]) for old in manifest["supersedes"]], [("kpatch_series_1", 1)], "and the level before")
    real = manifest["fixes"][0]
    tap.equal(real["cves"], ["CVE-2026-52923"], "a fix has its CVE id")
    functions = [fix["functions"] for fix in manifest["fixes"]]
    tap.equal(functions[1], ["vmlinux:ip_options_get"], "and what it changes, where it is the only one of a unit")
    tap.ok(all(functions), "each fix changes something", str(functions))
    tap.equal({name for fix in functions for name in fix}, {f"{f['object']}:{f['name']}" for f in manifest["functions"]},
              "and each function is some fix's doing")
    tap.equal(functions[2], functions[3], "a fix that takes back what another wrote goes with it")
    names = [function["name"] for function in manifest["functions"]]
    tap.equal(sorted(set(names)), sorted(names), "each function is replaced once")


def forge(module, out, *replacements):
    """The module with another manifest of the same size."""
    data = module.read_bytes()
    for old, new in replacements:
        if data.count(old) != 1 or len(old) != len(new):
            tap.bail_out(f"{module}: {old} is there {data.count(old)} times")
        data = data.replace(old, new)
    out.write_bytes(data)
    return out


def check_bases(target, work, level_1, level_2, series):
    build_id = json.loads(level_1.with_suffix(".manifest.json").read_text())["target"]["build_id"].encode()
    other = forge(level_1, work / "other-kernel.ko", (b'"build_id": "' + build_id + b'",\n    "compiler"', b'"build_id": "' + build_id[::-1] + b'",\n    "compiler"'))
    refuses(target, work, 1, ["is for kernel", "this build is for"], "a base for another kernel", "--base", other, series)
    chain = b'"name": "kpatch_series_1",\n      "level": 1'
    loop = forge(level_2, work / "loop.ko", (chain, b'"name": "kpatch_series_3",\n      "level": 3'))
    refuses(target, work, 2, ["is circular", "the module to be built"], "a circular base", "--base", loop, "-n", "series-3", series)
    refuses(target, work, 2, ["--level must be greater than 2"], "a level that isn't greater", "--base", level_2, "--level", "2", "-n", "x", series)
    refuses(target, work, 2, ["is called 'kpatch_series_2', too"], "the name of the base", "--base", level_2, "-n", "series-2", series)
    refuses(target, work, 3, ["fix-dropped", "0002-vmlinux-one-function"], "a fix that disappears", "--base", level_1, "-n", "x", series / "0001-inlined-callee.patch")


def check_guest(target, level_1, level_2, work):
    argv = [TEST, level_2, "--target", target.id, "--file", f"{level_1}:/files/level-1.ko", "--before", ROOT / "tests/vm/series/before.sh",
            "--after", ROOT / "tests/vm/series/after.sh", "--output", work / "evidence"]
    result = tap.run(argv, timeout=900)
    tap.ok(result.returncode == 0, "level 2 takes the place of level 1 in the guest", result.stdout[-4000:] + result.stderr)


def main():
    target = Target()
    work = pathlib.Path(tap.tmpdir())
    series = work / "fixes"
    series.mkdir()
    maker = Maker(target, work)
    names = ["inlined-callee", "vmlinux-one-function", "same-function", "takes-back", "refused-registration", "on-top", "refused-data"]
    patches = [series / f"{i + 1:04}-{name}.patch" for i, name in enumerate(names)]
    for name, path in zip(names, patches):
        maker.make(name, path)
    (series / "first.series").write_text(f"# level 1\n{patches[0].name}\n{patches[1].name} -p1\n")
    result, report = build(target, work / "out", "-n", "series-1", series / "first.series")
    if not tap.ok(result.returncode == 0, "level 1 is built from a series file", result.stdout + result.stderr):
        tap.done()
    level_1 = pathlib.Path(report["module"])
    result, report = build(target, work / "out", "-n", "series-2", "--skip-refused", "--base", level_1, series)
    if not tap.ok(result.returncode == 0, "level 2 is built from a directory", result.stdout + result.stderr):
        tap.done()
    level_2 = pathlib.Path(report["module"])
    check_level_2(report, json.loads(level_2.with_suffix(".manifest.json").read_text()))
    refuses(target, work, 3, ["new-registration", "data-changed"], "without leaving out", series)
    shutil.rmtree(maker.tree)
    maker.make("conflict", work / "conflict.patch")
    refuses(target, work, 1, ["conflict.patch': hunk 1", "doesn't apply to 'ipc/util.c'", "changed before by", "0003-same-function.patch"],
            "a fix that conflicts with an earlier one", patches[0], patches[2], work / "conflict.patch")
    check_bases(target, work, level_1, level_2, series)
    check_guest(target, level_1, level_2, work)
    tap.done()


main()
