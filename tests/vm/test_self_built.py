# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel of our own as "dir:" target: found by its build directory, patched in vmlinux and in a module, loaded in QEMU; nothing is
written into its tree. It is unlike Debian's: one processor, no module versions, no debug info."""

import json
import os
import pathlib
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import BUILD, ROOT, TEST, Target  # noqa: E402
from self_built import SelfBuilt  # noqa: E402

FIX = {
    "schema": "readykernel-fix-1",
    "name": "self-built",
    "title": "test: changes in vmlinux and in a module",
    "edits": [
        {"file": "fs/proc/cmdline.c", "find": "\tseq_puts(m, saved_command_line);",
         "replace": ["\tseq_puts(m, saved_command_line);", '\tseq_puts(m, " patched");']},
        {"file": "fs/binfmt_misc.c", "find": '\tchar *s = enabled ? "enabled\\n" : "disabled\\n";',
         "replace": ['\tchar *s = enabled ? "patched\\n" : "disabled\\n";']},
    ],
    "objects": ["vmlinux", "binfmt_misc"],
    "expected": "built",
}

LAYOUT = {
    "schema": "readykernel-fix-1",
    "name": "layout",
    "title": "test: a structure of the file grows",
    "edits": [{"file": "fs/binfmt_misc.c", "find": "\tstruct list_head list;", "replace": ["\tlong more;", "\tstruct list_head list;"]}],
    "objects": ["binfmt_misc"],
    "expected": "refused",
}

STATUS = "mkdir -p /tmp/misc; grep -q misc /proc/mounts || mount -t binfmt_misc none /tmp/misc\nstatus=$(cat /tmp/misc/status)\n"
BEFORE = "#!/bin/sh\n! grep -q patched /proc/cmdline || exit 1\n" + STATUS + '[ "$status" = enabled ]\n'
AFTER = "#!/bin/sh\ngrep -q ' patched$' /proc/cmdline || exit 1\n" + STATUS + '[ "$status" = patched ]\n'

target = Target()
top = pathlib.Path(tap.tmpdir())
kernel = SelfBuilt(target)
spec = f"dir:{kernel.build}"


def cut(fix):
    (top / f"{fix['name']}.json").write_text(json.dumps(fix))
    patch = top / f"{fix['name']}.patch"
    result = tap.run([ROOT / "tests/vm/make-fix", "--old", kernel.source, "--old-version", target.version, top / f"{fix['name']}.json", "-o", patch])
    if result.returncode != 0:
        tap.bail_out(result.stderr)
    return patch


def build(spec, fix, out, *options):
    return tap.run([BUILD, "--target", spec, "-o", top / out, *options, cut(fix)], timeout=1200)


def script(name, text):
    (top / name).write_text(text)
    (top / name).chmod(0o755)
    return top / name


def test_build():
    result = build(spec, FIX, "one", "--json")
    if not tap.ok(result.returncode == 0, "a fix is built", result.stdout[-3000:] + result.stderr[-3000:]):
        return
    doc = json.loads(result.stdout)
    tap.equal(sorted((f["object"], f["name"]) for f in doc["functions"]),
              [("binfmt_misc", "bm_status_read"), ("vmlinux", "cmdline_proc_show")], "functions of vmlinux and of the module")
    for unit in doc["units"]:
        proof = unit["proof"]
        tap.ok(proof["matched"] and not proof["differing"], f"{unit['path']}: every function matches", str(proof))
    manifest = json.loads((top / "one/kpatch-self-built.manifest.json").read_text())
    tap.ok(manifest["target"]["release"].endswith("-tiny"), "the release is the kernel's", str(manifest["target"]))


def test_source_and_build():
    result = build(f"dir:{os.path.relpath(kernel.source)},{os.path.relpath(kernel.build)}", FIX, "two")
    tap.ok(result.returncode == 0, "source and build directory, relative", result.stderr[-3000:])
    tap.equal((top / "two/kpatch-self-built.ko").read_bytes(), (top / "one/kpatch-self-built.ko").read_bytes(), "… give the same module")


def test_layout():
    result = build(spec, LAYOUT, "layout", "--json")
    tap.equal(result.returncode, 3, "without debug info: a changed layout is refused")
    codes = {f["code"] for f in json.loads(result.stdout)["findings"]}
    tap.ok("layout-changed" in codes, "… as what it is", str(codes))


def test_load():
    result = tap.run([TEST, "--target", spec, "--module", "binfmt_misc", "--before", script("before.sh", BEFORE), "--after", script("after.sh", AFTER),
                      "--cpus", "1", "-o", top / "evidence", top / "one/kpatch-self-built.ko"], timeout=900)
    tap.ok(result.returncode == 0, "loads, works, unloads, loads again", result.stdout[-3000:] + result.stderr[-3000:])


before = kernel.state()
test_build()
if (top / "one/kpatch-self-built.ko").exists():
    test_source_and_build()
    test_load()
test_layout()
after = kernel.state()
tap.equal({path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}, set(), "the tree is as it was")
tap.done()
