#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kpatch-test without a kernel: a stand-in for QEMU plays what a guest would say, so every verdict is tested in no time.
Arguments: kpatch-test and the stand-in."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import tap  # noqa: E402
from manifest import attach, make_manifest  # noqa: E402
from tap import contains, equal, ok, run  # noqa: E402

TOOL, FAKE = sys.argv[1], sys.argv[2]
TMP = pathlib.Path(tap.tmpdir())
RELEASE = "6.1.0-1-test"
VERSION = "#1 SMP Debian 6.1.1-1 (2026-01-01)"
BIN = TMP / "bin"


def make_module(name, modinfo):
    """A file that has a module's .modinfo; the stand-in doesn't load it."""
    lines = "".join(f'.asciz "{line}"\n' for line in modinfo)
    source = TMP / f"{name}.S"
    source.write_text(f'.section .modinfo,"a"\n{lines}')
    path = TMP / f"{name}.ko"
    subprocess.run(["gcc", "-c", source, "-o", path], check=True)
    return path


def make_image(name, release=RELEASE, version=VERSION):
    """The first sectors of a bzImage."""
    text = f"{release} (me@here) {version}\0".encode()
    data = bytearray(2048)
    data[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", data, 0x20E, 0x400 - 0x200)
    data[0x400:0x400 + len(text)] = text
    path = TMP / name
    path.write_bytes(data)
    return path


def record(*fields):
    return "@rk\t" + "\t".join(str(field) for field in fields) + "\n"


HELLO = record("hello", RELEASE, VERSION, "00ff")
TITLES = ["load", "functions", "unload", "reload", "unload again"]


def guest(steps, end=True):
    """What a guest says in which these steps went well."""
    text = HELLO
    for i in range(steps):
        text += record("begin", i) + record("end", i, "ok", "0.25", "")
    return text + (record("bye") if end else "")


MODINFO = ["name=lp_test", f"vermagic={RELEASE} SMP mod_unload ", "livepatch=Y", "depends="]
MODULE = make_module("kpatch-test", MODINFO)
IMAGE = make_image("vmlinuz")


def test(*args, play="", console="", end="exit", module=MODULE, image=IMAGE, env=None, **kwargs):
    (TMP / "play").write_text(play)
    (TMP / "console").write_text(console)
    env = {"PATH": f"{BIN}:{os.environ['PATH']}", "FAKE_QEMU_PLAY": str(TMP / "play"), "FAKE_QEMU_END": end,
           "FAKE_QEMU_CONSOLE": str(TMP / "console"), "FAKE_QEMU_PID": str(TMP / "pid"), "FAKE_QEMU_ARGS": str(TMP / "args"),
           "TMPDIR": str(TMP / "work"), **(env or {})}
    return run([TOOL, module, "--image", image, "--quiet", "-o", TMP / "evidence", *args], env=env, **kwargs)


def evidence():
    return json.loads((TMP / "evidence" / "evidence.json").read_text())


def test_passed():
    result = test(play=guest(5))
    equal((result.returncode, result.stderr), (0, ""), "all steps ended well: status 0")
    contains(result.stdout, "passed in ", "the verdict is shown")
    for title in TITLES:
        contains(result.stdout, f"  {title:<24}   0.25 s  ok\n", f"{title}: shown with its time")
    doc = evidence()
    equal((doc["schema"], doc["verdict"], doc["reasons"]), ("readykernel-evidence/1", "passed", []), "evidence: passed")
    equal([step["name"] for step in doc["steps"]], TITLES, "evidence: steps")
    equal(doc["module"]["sha256"], hashlib.sha256(MODULE.read_bytes()).hexdigest(), "evidence: the module's hash")
    equal(doc["target"]["image"]["sha256"], hashlib.sha256(IMAGE.read_bytes()).hexdigest(), "evidence: the image's hash")
    equal(doc["target"]["release"], RELEASE, "evidence: what the guest said it runs")
    equal(doc["machine"]["qemu"], "QEMU emulator version 7.2.0 (stand-in)", "evidence: QEMU's version")
    transcript = (TMP / "evidence" / "transcript.txt").read_bytes()
    equal(doc["transcript"]["sha256"], hashlib.sha256(transcript).hexdigest(), "evidence: the transcript's hash")
    ok(not any((TMP / "work").iterdir()), "nothing is left in the work directory")
    result = test("--json", play=guest(5))
    equal(json.loads(result.stdout), evidence(), "--json prints the evidence")
    equal((TMP / "evidence" / "evidence.json").stat().st_mode & 0o777, 0o644, "evidence can be read by all")


def test_machine():
    test("--memory", "300", "--cpus", "3", "--keep", TMP / "kept", play=guest(5))
    args = (TMP / "args").read_text().split("\n")
    equal(args[args.index("-m") + 1], "300", "--memory")
    equal(args[args.index("-smp") + 1], "3", "--cpus")
    equal(args[args.index("-accel") + 1], "tcg", "emulation only")
    ok("-nodefaults" in args and "-netdev" not in args, "no network")
    equal(sorted(p.name for p in (TMP / "kept").iterdir()), ["console.log", "initramfs.cpio"], "--keep")


def initramfs():
    listing = run(["cpio", "-itv", "--quiet"], stdin=open(TMP / "kept" / "initramfs.cpio", "rb"))
    # the name comes last; a link's target follows " -> "
    return {line.split(" -> ")[0].split()[-1]: line.split()[0] for line in listing.stdout.splitlines()}


def guest_file(name):
    result = run(["cpio", "-i", "--quiet", "--to-stdout", name], stdin=open(TMP / "kept" / "initramfs.cpio", "rb"))
    return result.stdout


def test_initramfs():
    script = TMP / "check.sh"
    script.write_text("exit 0\n")
    program = TMP / "prog"
    subprocess.run(["gcc", "-x", "c", "-", "-o", program, "-ljansson"], input=b"int main(void){return 0;}", check=True)
    shutil.copy("/bin/true", TMP / "a")
    test("--before", script, "--after", script, "--file", program, "--file", f"{TMP / 'a'}:sub/b", "--file", f"{script}:/etc/c",
         "--no-reload", "--keep", TMP / "kept", play=guest(6))
    files = initramfs()
    for name in ["init", "bin/busybox", "bin/sh", "patch/0/lp_test.ko", "patch/0/functions", "scripts/before", "scripts/after", "files/prog", "files/sub/b",
                 "etc/c", "kpatch-test/steps"]:
        ok(name in files, f"in the guest: {name}", "\n".join(files))
    ok(any("ld-linux" in name for name in files), "a dynamic program brings its interpreter")
    ok(any(name.endswith("/libc.so.6") for name in files), "… and its libraries")
    equal(files.get("scripts/before", "")[:4], "-rwx", "scripts are executable")
    equal(files.get("dev/console", "")[:1], "c", "there is a console before init has mounted anything")
    steps = [line.split("\t") for line in guest_file("kpatch-test/steps").splitlines()]
    equal([(s[0], s[4], s[6]) for s in steps],
          [("check", "check before", "before"), ("load", "load", "lp_test"), ("functions", "functions", "lp_test"),
           ("check", "check after", "after"),
           ("unload", "unload", "lp_test"), ("check", "check unloaded", "unloaded")], "the list of steps")
    one = (TMP / "kept" / "initramfs.cpio").read_bytes()
    os.utime(script)
    test("--before", script, "--after", script, "--file", program, "--file", f"{TMP / 'a'}:sub/b", "--file", f"{script}:/etc/c",
         "--no-reload", "--keep", TMP / "kept", play=guest(6))
    ok(one == (TMP / "kept" / "initramfs.cpio").read_bytes(), "the same input gives the same initramfs")


def test_modules():
    modules = TMP / "modules" / "kernel" / "net"
    modules.mkdir(parents=True)
    for name, depends in [("top-one", "middle"), ("middle", "low,built_in"), ("low", ""), ("late", "low")]:
        path = make_module(name, [f"name={name.replace('-', '_')}", f"depends={depends}"])
        path.rename(modules / f"{name}.ko")
    (TMP / "modules" / "modules.builtin").write_text("kernel/lib/built-in.ko\n")
    test("--modules", TMP / "modules", "--module", "top_one", "--module-after", "late", "--keep", TMP / "kept", play=guest(9))
    steps = [line.split("\t")[4] for line in guest_file("kpatch-test/steps").splitlines()]
    equal(steps, ["module low", "module middle", "module top_one", "load", "module late", "functions", "unload", "reload", "unload again"],
          "modules come after what they need, once, and without what is built in")
    result = test("--modules", TMP / "modules", "--module", "nothing", play=guest(5))
    equal((result.returncode, result.stderr), (1, f"error: no module 'nothing' below '{TMP}/modules'\n"), "a module that isn't there")
    result = test("--module", "low", play=guest(5))
    equal((result.returncode, result.stderr.splitlines()[0]),
          (2, "error: module 'low' is to be loaded, but no directory of modules is given"), "no directory of modules")
    needy = make_module("needy", [*MODINFO[:3], "depends=low"])
    test("--modules", TMP / "modules", "--no-reload", "--keep", TMP / "kept", module=needy, play=guest(4))
    steps = [line.split("\t")[4] for line in guest_file("kpatch-test/steps").splitlines()]
    equal(steps, ["module low", "load", "functions", "unload"], "what the patch module itself needs")


def failed(name, reasons, *args, **kwargs):
    """The test must fail for exactly these reasons."""
    result = test(*args, **kwargs)
    equal(result.returncode, 3, f"{name}: status 3")
    equal(evidence()["reasons"], reasons, f"{name}: reasons")
    equal(evidence()["verdict"], "failed", f"{name}: verdict")
    for reason in reasons:
        contains(result.stdout, f"failed: {reason}\n", f"{name}: shown")
    return result


def test_failed_steps():
    refused = record("begin", 0) + record("log", 3, "1.5", "livepatch: symbol 'x' not found in symbol table") + \
        record("end", 0, "failed", "0.10", "the kernel refused it: Invalid argument")
    failed("refused", ["step 'load' failed: the kernel refused it: Invalid argument; the kernel says: livepatch: symbol 'x' not "
                       "found in symbol table"], play=HELLO + refused + record("bye"))
    equal([s["result"] for s in evidence()["steps"]], ["failed", "not-run", "not-run", "not-run", "not-run"], "later steps were not run")
    equal(evidence()["findings"][0]["kind"], "livepatch", "the line is a finding")

    stalled = record("begin", 0) + record("task", 0, 85, "kworker", "[<0>] f+0x1/0x2\\x0a[<0>] g+0x1/0x2") + \
        record("end", 0, "failed", "60.0", "the transition did not end within 60 s: 'kworker' (85) still runs the old code")
    result = failed("stalled", ["step 'load' failed: the transition did not end within 60 s: 'kworker' (85) still runs the old code"],
                    play=HELLO + stalled + record("bye"))
    contains(result.stdout, "    held up by kworker (85):\n      [<0>] f+0x1/0x2\n      [<0>] g+0x1/0x2\n", "who holds it up, with stack")
    equal(evidence()["steps"][0]["tasks"], [{"pid": 85, "comm": "kworker", "stack": ["[<0>] f+0x1/0x2", "[<0>] g+0x1/0x2"]}],
          "… in the evidence too")
    failed("step too long", ["step 'load' failed: did not end within 90 s"],
           play=HELLO + record("begin", 0) + record("end", 0, "timeout", "90", "did not end within 90 s") + record("bye"))
    equal(evidence()["steps"][0]["result"], "timed-out", "timed-out in the evidence")


def test_checks():
    script = TMP / "check.sh"
    script.write_text("exit 0\n")
    play = HELLO + record("begin", 0) + "".join(record("out", 0, f"line {i}") for i in range(8)) + \
        record("end", 0, "failed", "0.1", "exit status 1")
    play += "".join(record("begin", i) + record("end", i, "ok", "0.1", "") for i in range(1, 7)) + record("bye")
    result = failed("check", ["step 'check before' failed: exit status 1"], "--before", script, play=play)
    contains(result.stdout, "    … 3 lines more, see the transcript\n    | line 3\n", "the end of a script's output is shown")
    equal(evidence()["steps"][0]["phase"], "before", "phase in the evidence")
    equal(evidence()["scripts"]["before"]["file"], "check.sh", "script in the evidence, without directory")
    result = test("--before", script, "--verbose", play=play)
    contains(result.stdout, "    | line 0\n", "--verbose shows all of it")


WARNING = "WARNING: CPU: 1 PID: 77 at net/core/dev.c:12 f+0x10/0x20"


def test_log():
    def play(step):
        lines = record("log", 4, "2.5", WARNING) + record("log", 4, "2.6", "Call Trace:")
        text = HELLO + (lines if step < 0 else "")
        for i in range(5):
            text += record("begin", i) + (lines if i == step else "") + record("end", i, "ok", "0.1", "")
        return text + record("bye")

    failed("a warning", [f"in step 'unload' the kernel says (warning): {WARNING}"], play=play(2))
    equal([f["counts"] for f in evidence()["findings"]], [True], "one finding: the trace belongs to it")
    result = test(play=play(-1))
    equal(result.returncode, 0, "a warning while booting isn't the patch's doing")
    contains(result.stdout, f"note: in step 'boot', without the patch, the kernel says (warning): {WARNING}\n", "… but is noted")
    equal([f["counts"] for f in evidence()["findings"]], [False], "… also in the evidence")

    taints = ["lp_test: loading out-of-tree module taints kernel.", "lp_test: tainting kernel with TAINT_LIVEPATCH",
              "lp_test: module verification failed: signature and/or required key missing - tainting kernel",
              "livepatch: enabling patch 'lp_test'"]
    text = HELLO + record("begin", 0) + "".join(record("log", 4, "1", taint) for taint in taints) + guest(5)[len(HELLO):]
    equal(test(play=text).returncode, 0, "that the kernel is tainted is no trouble")


def test_old_trouble():
    script = TMP / "check.sh"
    script.write_text("exit 0\n")

    def play(*said):
        text = HELLO
        for i in range(7):
            log = "".join(record("log", 4, "1", line) for step, line in said if step == i)
            text += record("begin", i) + log + record("end", i, "ok", "0.1", "")
        return text + record("bye")

    again = WARNING.replace("PID: 77", "PID: 99").replace("CPU: 1", "CPU: 0")
    result = test("--before", script, play=play((0, WARNING), (4, again)))
    equal(result.returncode, 0, "a reproducer may warn before and after the patch")
    failed("another warning", [f"in step 'check unloaded' the kernel says (warning): {WARNING.replace('f+', 'g+')}"],
           "--before", script, play=play((0, WARNING), (4, WARNING.replace("f+", "g+"))))
    failed("the same warning with the patch", [f"in step 'unload' the kernel says (warning): {again}"],
           "--before", script, play=play((0, WARNING), (3, again)))


def test_died():
    console = "[    1.0] lp_test: loading out-of-tree module taints kernel.\r\n[    2.0] BUG: kernel NULL pointer dereference, address: 8\r\n" \
        "[    2.1] Kernel panic - not syncing: Fatal exception\r\n"
    failed("panic", ["the kernel panicked in step 'load': BUG: kernel NULL pointer dereference, address: 8; Kernel panic - not "
                     "syncing: Fatal exception"], play=HELLO + record("begin", 0), console=console)
    equal(evidence()["steps"][0]["result"], "died", "the step it died in")
    contains((TMP / "evidence" / "transcript.txt").read_text(), "address: 8\n", "the console is in the transcript")
    failed("ended", ["the guest ended by itself in step 'load'"], play=HELLO + record("begin", 0))
    failed("ended between", ["the guest ended by itself between two steps"], play=guest(2, end=False))
    failed("no init", ["the guest ended by itself before init was running"], console="[    1.0] odd\n")
    start = time.monotonic()
    failed("hang", ["the guest did not end within 2 s; it was ended in step 'load'"], "--timeout", "2",
           play=HELLO + record("begin", 0), end="hang")
    ok(time.monotonic() - start < 120, "a hung guest is ended soon after its limit")
    failed("cut short", ["the guest ended by itself in step 'load'"], play=HELLO + record("begin", 0) + "@rk\tend\t0\tok")


def test_stuck_boot():
    """A guest that never comes to its init says nothing about the patch."""
    plays = TMP / "plays"
    plays.mkdir()
    (plays / "1").write_text("")
    (plays / "2").write_text(guest(5))
    result = test("--boot-timeout", "1", end="hang", console="[    0.1] odd\n[    0.2] stops here\n")
    equal((result.returncode, result.stdout, result.stderr),
          (1, "", f"error: kernel {RELEASE} did not come up within 1 s, 2 times; its console ends with '[    0.2] stops here'; is this "
           "machine too busy? see --boot-timeout\n"), "a kernel that doesn't come up twice: no verdict")
    result = test("--boot-timeout", "4", end="hang", env={"FAKE_QEMU_PLAYS": str(plays)})
    note = "the guest's kernel was still booting after 4 s; it was ended and booted once more"
    equal((result.returncode, evidence()["verdict"], evidence()["notes"]), (0, "passed", [note]), "one that comes up the second time: tested, and noted")
    equal((evidence()["boot"]["attempts"], evidence()["limits"]["boot_seconds"]), (2, 4), "… with the number of attempts")
    contains(result.stdout, f"note: {note}\n", "… shown")
    (plays / "1").write_text(HELLO + record("begin", 0))
    failed("hang after boot", ["the guest did not end within 5 s; it was ended in step 'load'"], "--boot-timeout", "4", "--timeout", "5", end="hang",
           env={"FAKE_QEMU_PLAYS": str(plays)})
    equal(evidence()["boot"]["attempts"], 1, "… the limit of the boot is over with the boot")
    other = make_module("other", ["name=lp_other", *MODINFO[1:]])
    result = test(other, "--boot-timeout", "1", end="hang")
    summary = json.loads((TMP / "evidence" / "summary.json").read_text())
    reasons = {reason for module in summary["modules"] for reason in module["reasons"]}
    equal((result.returncode, summary["boots"], [m["evidence"] for m in summary["modules"]]), (3, 2, [None, None]), "several modules: none can be tested")
    equal(reasons, {f"cannot be tested: kernel {RELEASE} did not come up within 1 s, 2 times; is this machine too busy? see --boot-timeout"},
          "… with the reason")


def test_identity():
    other = make_image("other", release="6.1.0-2-test")
    result = test(image=other, play=guest(5))
    equal((result.returncode, result.stderr), (1, f"error: '{other}' is kernel 6.1.0-2-test, '{MODULE}' was made for {RELEASE}\n"),
          "an image of another release")
    result = test(image=MODULE, play=guest(5))
    equal((result.returncode, result.stderr), (1, f"error: '{MODULE}' is no bootable x86 kernel image (bzImage)\n"), "no image")
    plain = make_module("plain", ["name=lp_plain", MODINFO[1]])
    result = test(module=plain, play=guest(5))
    equal((result.returncode, result.stderr),
          (1, f"error: '{plain}' is no live patch module (its .modinfo has no 'livepatch=Y')\n"), "a module that is no live patch")
    result = test(module=IMAGE, play=guest(5))
    equal(result.returncode, 1, "a file that is no module")
    contains(result.stderr, f"'{IMAGE}'", "… is named")


def make_patch(name, **target):
    """A patch module with a manifest: for RELEASE, of vmlinux and the module 'stock'."""
    kernel = {"id": "path:x", "release": RELEASE, "version": VERSION, "build_id": "00ff", **target}
    manifest = make_manifest(kernel, 2, name, fixes=[{"title": None, "origin": None, "file": "fix.patch", "sha256": "ab", "cves": ["CVE-2026-1"]}],
                             objects=[{"name": "vmlinux", "build_id": "00ff", "srcversion": None},
                                      {"name": "stock", "build_id": "0123", "srcversion": "0A1B"}])
    return attach(manifest, make_module(name, [f"name={name}", *MODINFO[1:]]))


def make_stock(build_id, srcversion="srcversion=0A1B"):
    folder = TMP / "stock"
    folder.mkdir(exist_ok=True)
    make_module("stock", ["name=stock", srcversion]).rename(folder / "stock.ko")
    note = struct.pack("<III", 4, len(build_id), 3) + b"GNU\0" + build_id
    (TMP / "note").write_bytes(note + b"\0" * (-len(note) % 4))
    subprocess.run(["objcopy", "--add-section", f".note.gnu.build-id={TMP / 'note'}", "--set-section-flags",
                    ".note.gnu.build-id=alloc,readonly", "--remove-section", ".note.gnu.property", folder / "stock.ko"], check=True)
    return folder


def test_manifest():
    patch = make_patch("lp_manifest")
    stock = make_stock(bytes.fromhex("0123"))
    result = test("--modules", stock, "--no-reload", module=patch, play=guest(4))
    equal((result.returncode, result.stderr), (0, ""), "a patch with a manifest")
    equal([step["name"] for step in evidence()["steps"]], ["module stock", "load", "functions", "unload"], "the module it patches is loaded")
    equal((evidence()["module"]["level"], evidence()["module"]["cves"]), (2, ["CVE-2026-1"]), "level and fixes are in the evidence")

    play = HELLO + record("begin", 0) + record("end", 0, "failed", "0.1", "cannot load module 'stock': No such device") + \
        guest(4)[len(HELLO + record("begin", 0) + record("end", 0, "ok", "0.25", "")):]
    result = test("--modules", stock, "--no-reload", module=patch, play=play)
    equal(result.returncode, 0, "a patched module without its hardware doesn't fail the test")
    contains(result.stdout, "note: 'stock' could not be loaded here, so what is patched in it was not tested: cannot load module 'stock'",
             "… it is noted")
    equal(len(evidence()["notes"]), 1, "… also in the evidence")

    failed("another build", ["the guest's kernel has build-id 0bad, the module was made for 00ff"], "--modules", stock, "--no-reload",
           module=patch, play=guest(4).replace("00ff", "0bad"))
    failed("another version", [f"the guest runs '#2', the module was made for '{VERSION}'"], "--modules", stock, "--no-reload",
           module=patch, play=guest(4).replace(VERSION, "#2"))
    result = test(image=make_image("vmlinuz-2", version="#2 SMP"), module=patch, play=guest(4))
    equal((result.returncode, result.stderr),
          (1, f"error: '{TMP}/vmlinuz-2' is kernel '#2 SMP', '{patch}' was made for '{VERSION}'\n"), "an image of another version")
    empty = TMP / "no-modules"
    empty.mkdir()
    result = test("--modules", empty, module=patch, play=guest(3))
    equal((result.returncode, result.stderr), (1, f"error: '{patch}' patches 'stock': no module 'stock' below '{empty}'\n"),
          "a patched module that the kernel's directory doesn't have")
    stock = make_stock(bytes.fromhex("4567"))
    result = test("--modules", stock, module=patch, play=guest(4))
    equal((result.returncode, result.stderr), (1, f"error: '{patch}' patches 'stock': '{stock}/stock.ko' has build-id 4567, the patch was made for 0123\n"),
          "a stock module of another build")
    stock = make_stock(bytes.fromhex("0123"), "srcversion=0BAD")
    result = test("--modules", stock, module=patch, play=guest(3))
    equal((result.returncode, result.stderr), (1, f"error: '{patch}' patches 'stock': '{stock}/stock.ko' has srcversion 0BAD, the patch was made for 0A1B\n"),
          "a stock module of other source")
    result = run([TOOL, patch], env={"PATH": f"{BIN}:{os.environ['PATH']}"})
    equal((result.returncode, result.stderr.splitlines()[0]),
          (2, f"error: '{patch}' does not say which target it is for; use --target or --image"), "a target of explicit paths")


def test_many():
    other = make_module("other", ["name=lp_other", *MODINFO[1:]])
    plain = TMP / "plain.ko"
    folder = TMP / "copy"
    folder.mkdir()
    same = folder / MODULE.name
    shutil.copy(MODULE, same)
    result = test(plain, other, same, play=guest(9))
    equal(result.returncode, 3, "one of several failed: status 3")
    lines = result.stdout.splitlines()
    equal([line.split() for line in lines if line.startswith(("passed", "failed"))],
          [["failed", "0.00", "s", "lp_plain"], ["passed", "0.75", "s", "lp_test"], ["passed", "0.75", "s", "lp_other"],
           ["passed", "0.75", "s", "lp_test"]], "one line each")
    contains(result.stdout, f"    failed: cannot be tested: '{plain}' is no live patch module", "… with its reason")
    contains(result.stdout, "4 modules: 3 passed, 1 failed; 1 boot, ", "the sum")
    summary = json.loads((TMP / "evidence" / "summary.json").read_text())
    equal((summary["schema"], summary["verdict"], summary["passed"], summary["failed"]), ("kpatch-test-summary/1", "failed", 3, 1), "summary")
    equal([(m["name"], m["verdict"], m["evidence"]) for m in summary["modules"]],
          [("lp_test", "passed", f"{TMP}/evidence/kpatch-test"), ("lp_plain", "failed", None), ("lp_other", "passed", f"{TMP}/evidence/other"),
           ("lp_test", "passed", f"{TMP}/evidence/kpatch-test-4")], "… in the order of the command line, each with its place")
    first = json.loads((TMP / "evidence" / "other" / "evidence.json").read_text())
    equal((first["verdict"], [step["name"] for step in first["steps"]]), ("passed", ["load", "functions", "unload"]), "its evidence is its own")
    equal(first["boot"], {"number": 1, "modules": 3, "position": 2, "attempts": 1}, "… and says in which boot it was tested")
    args = (TMP / "args").read_text().split("\n")
    equal(args[args.index("-smp") + 1], "1", "one processor")
    equal(json.loads(test(other, "--json", play=guest(6)).stdout), json.loads((TMP / "evidence" / "summary.json").read_text()),
          "--json prints the summary")


def test_many_died():
    other = make_module("other", ["name=lp_other", *MODINFO[1:]])
    result = test(other, play=HELLO + record("begin", 0), console="Kernel panic - not syncing: x\n")
    summary = json.loads((TMP / "evidence" / "summary.json").read_text())
    equal((result.returncode, summary["boots"]), (3, 2), "a guest that died in the first module: another boot for the second")
    equal([m["reasons"] for m in summary["modules"]], [["the kernel panicked in step 'load': Kernel panic - not syncing: x"]] * 2,
          "each with what happened in its own boot")
    result = test(other, play="", console="Kernel panic - not syncing: x\n")
    summary = json.loads((TMP / "evidence" / "summary.json").read_text())
    equal([m["reasons"] for m in summary["modules"]],
          [["the kernel panicked before init was running: Kernel panic - not syncing: x"]] * 2, "a kernel that doesn't come up fails all")
    equal(summary["boots"], 1, "… at once")
    result = test(other, "--timeout", "2", play=guest(4, end=False), end="hang")
    contains(result.stdout, "failed: the guest did not end within 2 s", "a guest that hangs in one of several")


def test_sequence():
    other = make_module("other", ["name=lp_other", *MODINFO[1:]])
    test(other, "--sequence", "--keep", TMP / "kept", play=guest(7))
    steps = [line.split("\t") for line in guest_file("kpatch-test/steps").splitlines()]
    equal([(s[4], s[6]) for s in steps],
          [("load", "lp_test"), ("functions", "lp_test"), ("load", "lp_other"), ("functions", "lp_other"), ("replaced lp_test", "lp_test"),
           ("unload", "lp_other"), ("unload lp_test", "lp_test")], "the list of steps")
    equal({s[3] for s in steps}, {"0"}, "a failure ends all of it")
    result = test(other, "--sequence", play=HELLO + record("begin", 0) + record("end", 0, "failed", "0.1", "no") + record("bye"))
    summary = json.loads((TMP / "evidence" / "summary.json").read_text())
    equal([m["reasons"] for m in summary["modules"]], [["step 'load' failed: no"], ["step 'load' was not run"]], "… and the rest was not run")
    plain = TMP / "plain.ko"
    result = test(plain, "--sequence", play=guest(4))
    equal(result.returncode, 1, "a sequence with a module that is no live patch: status 1")
    contains(result.stderr, f"error: '{plain}' is no live patch module", "… with its reason")


def test_tool_failures():
    empty = TMP / "empty"
    empty.mkdir()
    result = test(play=guest(5), env={"PATH": str(empty)})
    equal((result.returncode, result.stderr),
          (1, "error: 'qemu-system-x86_64' is not installed; run 'apt install qemu-system-x86'\n"), "no QEMU")
    shutil.rmtree(TMP / "evidence", ignore_errors=True)
    result = test(end="fail")
    equal(result.returncode, 1, "QEMU that can't start: status 1")
    contains(result.stderr, "cannot set up guest memory", "… with its own words")
    ok(not (TMP / "evidence").exists(), "… and no evidence")
    result = test("--json", end="fail")
    equal(json.loads(result.stdout)["error"]["code"], "tool", "errors as JSON")


def test_interrupted():
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "FAKE_QEMU_END": "hang", "FAKE_QEMU_PID": str(TMP / "pid"),
           "TMPDIR": str(TMP / "work")}
    shutil.rmtree(TMP / "evidence", ignore_errors=True)
    (TMP / "pid").unlink(missing_ok=True)
    with subprocess.Popen([TOOL, MODULE, "--image", IMAGE, "--quiet", "-o", TMP / "evidence"], env=env, stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not ((TMP / "pid").exists() and (TMP / "pid").read_text().strip()) and time.monotonic() < deadline:
            time.sleep(0.05)
        qemu = int((TMP / "pid").read_text())
        process.send_signal(signal.SIGINT)
        stderr = process.communicate(timeout=60)[1]
    equal(process.returncode, -signal.SIGINT, "Ctrl-C: ends as the signal would")
    contains(stderr, "interrupted", "… with a word")
    ok(not pathlib.Path(f"/proc/{qemu}").exists(), "… and QEMU is ended")
    ok(not any((TMP / "work").iterdir()), "… and nothing is left in the work directory")
    ok(not (TMP / "evidence").exists(), "… and no evidence")


def test_usage():
    def usage(message, *args):
        result = test(*args, play=guest(5))
        equal((result.returncode, result.stderr.splitlines()[:1]), (2, [f"error: {message}"]), message)

    usage("--cpus must be 1 to 64, not 65", "--cpus", "65")
    usage("--memory must be 128 to 1048576, not 1", "--memory", "1")
    usage("--target and --image exclude each other", "--target", "x")
    usage("--reload and --sequence exclude each other", "--reload", "--sequence")
    usage("--reload and --no-reload exclude each other", "--reload", "--no-reload")
    usage("'--file a:' does not name a file; it must be HOST or HOST:GUEST", "--file", "a:")
    result = test("--before", TMP / "absent", play=guest(5))
    equal((result.returncode, result.stderr), (1, f"error: '{TMP}/absent' does not exist\n"), "a script that isn't there")
    result = run([TOOL])
    equal((result.returncode, result.stderr), (2, "error: missing operand: MODULE...\ntry 'kpatch-test --help'\n"), "no module")
    result = run([TOOL, "--help"])
    equal((result.returncode, result.stderr), (0, ""), "--help")
    tap.golden(result.stdout, os.path.join(os.path.dirname(__file__), "golden", "kpatch-test-help.txt"), "--help: text")


BIN.mkdir()
(TMP / "work").mkdir()
(BIN / "qemu-system-x86_64").symlink_to(FAKE)
for function in [test_passed, test_machine, test_initramfs, test_modules, test_failed_steps, test_checks, test_log, test_old_trouble,
                 test_died, test_stuck_boot, test_identity, test_manifest, test_many, test_many_died, test_sequence, test_tool_failures, test_interrupted, test_usage]:
    function()
tap.done()
