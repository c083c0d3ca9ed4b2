# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches as authors write them for kpatch-build: callbacks, states, shadow variables and the system call macro, in one guest.

The guest's scripts see what the patches do: in which order callbacks run, also for a module that comes and goes, that a callback
can refuse, and that a shadow variable attached under level 1 is read by the code of level 2 which replaces it.
"""

import json
import os
import pathlib
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import BUILD, ROOT, TEST, Target  # noqa: E402

HERE = ROOT / "tests/vm/authors"


def build(target, work, name, *options):
    """The module and its manifest."""
    patch = work / f"{name}.patch"
    made = tap.run([ROOT / "tests/vm/make-fix", "--old", target.source, "--old-version", target.version, HERE / f"{name}.json", "-o", patch])
    if made.returncode != 0:
        tap.bail_out(made.stderr)
    result = tap.run([BUILD, "--target", target.id, "--offline", "-n", name, "-o", work / "out", *options, patch], timeout=900)
    if not tap.ok(result.returncode == 0, f"{name}: is built", result.stdout + result.stderr):
        tap.done()
    return work / "out" / f"kpatch-{name}.ko", json.loads((work / "out" / f"kpatch-{name}.manifest.json").read_text())


def check_manifest(manifest):
    tap.equal(manifest["states"], [{"id": 0x5E55, "version": 2}], "the manifest has the state")
    tap.equal(manifest["shadow_ids"], [0x5E55], "and the id of the shadow variable")
    callbacks = [f"{c['object']} {c['kind']} {c['function']}" for c in manifest["callbacks"]]
    kinds = ("pre_patch", "post_patch", "pre_unpatch", "post_unpatch")
    want = [f"vmlinux {kind} authors_{kind}" for kind in kinds]
    want += ["af_key pre_patch key_pre_patch", "af_key post_unpatch key_post_unpatch"]
    want += [f"dummy {kind} dummy_{kind}" for kind in kinds]
    tap.equal(callbacks, want, "and the callbacks, by object and kind")


def check_refused(target, work):
    """Two callbacks of one kind; both are named."""
    fix = json.loads((HERE / "refusing.json").read_text())
    fix["edits"].append({"file": "kernel/sys.c", "find": "#include <asm/unistd.h>", "replace": [
        "#include <asm/unistd.h>", '#include "kpatch-macros.h"', "static int other_pre_patch(patch_object *obj)", "{", "\treturn 0;", "}",
        "KPATCH_PRE_PATCH_CALLBACK(other_pre_patch);"]})
    (work / "twice.json").write_text(json.dumps(fix))
    made = tap.run([ROOT / "tests/vm/make-fix", "--old", target.source, work / "twice.json", "-o", work / "twice.patch"])
    if made.returncode != 0:
        tap.bail_out(made.stderr)
    result = tap.run([BUILD, "--target", target.id, "--offline", "--json", "-o", work / "twice", work / "twice.patch"], timeout=900)
    tap.equal(result.returncode, 3, "two pre_patch callbacks of vmlinux are refused")
    texts = [f"{f['symbol']}: {f['text']}" for f in json.loads(result.stdout)["findings"] if f["code"] == "declared-twice"]
    tap.equal(texts, ["other_pre_patch: 'authors_pre_patch' of 'fs/proc/version.c' is the pre_patch callback of 'vmlinux' already"],
              "and both are named")


def check_guest(target, module, others, work):
    program = work / "keysock"
    compiled = tap.run(["gcc", "-O2", "-static", "-o", program, HERE / "keysock.c"])
    if compiled.returncode != 0:
        tap.bail_out(compiled.stderr)
    argv = [TEST, module, "--target", target.id, "--file", program, "--before", HERE / "before.sh", "--after", HERE / "after.sh",
            "--output", work / "evidence"]
    for name, other in others.items():
        argv += ["--file", f"{other}:/files/{name}.ko"]
    result = tap.run(argv, timeout=900)
    tap.ok(result.returncode == 0, "callbacks, states and shadow variables work in the guest", result.stdout + result.stderr)
    steps = json.loads((work / "evidence" / "evidence.json").read_text())["steps"]
    for step in steps:
        tap.ok(step["result"] == "ok", f"the guest: {step['name']}", json.dumps(step, indent=1))


def main():
    target = Target()
    work = pathlib.Path(tap.tmpdir())
    refusing, _ = build(target, work, "refusing", "--accept", "unload-unsafe")
    level_1, _ = build(target, work, "level-1")
    level_2, manifest = build(target, work, "level-2")
    check_manifest(manifest)
    check_refused(target, work)
    check_guest(target, level_2, {"refusing": refusing, "level-1": level_1}, work)
    tap.done()


main()
