#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in for kpatch-build and kpatch-test: what a word in the patch says is how the build ends."""

import hashlib
import json
import os
import pathlib
import signal
import sys
import time


def finding(code, severity):
    return {"code": code, "severity": severity, "unit": "net/a.c", "symbol": "f", "text": "as asked for"}


def finish(status, **document):
    print(json.dumps(document))
    sys.exit(status)


def build(argv):
    patch = "".join(pathlib.Path(arg).read_text() for arg in argv if arg.endswith(".patch"))
    name, output = argv[argv.index("--name") + 1], pathlib.Path(argv[argv.index("--output") + 1])
    with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as log:
        log.write(f"{name}\n")
    if "+slow" in patch and os.path.exists(os.environ["FAKE_SLOW"]):
        pathlib.Path(os.environ["FAKE_SLOW"] + ".reached").touch()
        time.sleep(600)
    units = [{"path": "net/a.c", "object": "vmlinux"}]
    if "+crash" in patch:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "+mute" in patch:
        sys.exit(1)
    if "+needs" in patch and "b/include/decl.h" not in patch:
        finish(1, error={"code": "compile", "message": "net/a.c:1:1: error: implicit declaration of function 'declared'\n'net/a.c' doesn't compile"})
    if "+foreign" in patch:
        finish(1, error={"code": "compile", "message": "net/a.c:20:1: error: 'foreign' undeclared\n'net/a.c' doesn't compile"})
    if "+hopeless" in patch:
        finish(1, error={"code": "compile", "message": "In file included\nnet/a.c:1:1: error: 'nowhere' undeclared\n'net/a.c' doesn't compile"})
    if "+init" in patch:
        finish(3, verdict="refused", units=units, functions=[], findings=[finding("init-code", "error")], module=None, size=0)
    if "+elsewhere" in patch:
        finish(3, verdict="refused", units=[], functions=[], findings=[finding("no-change", "error")], module=None, size=0)
    if "+idle" in patch:
        finish(3, verdict="refused", units=units, functions=[], findings=[finding("no-change", "error")], module=None, size=0)
    if "+think" in patch and "pointer-escapes" not in " ".join(argv):
        finish(3, verdict="refused", units=units, functions=[], findings=[finding("pointer-escapes", "acknowledge")], module=None, size=0)
    module = output / f"kpatch-{name}.ko"
    module.write_text(hashlib.sha256(patch.encode()).hexdigest() + ("warns" if "+warns" in patch else ""))
    finish(0, verdict="built", units=units, functions=[{"name": "f", "object": "vmlinux"}], findings=[], module=str(module), size=module.stat().st_size)


def load(argv):
    if os.environ.get("FAKE_TEST_FAILS"):
        print("no guest today")
        sys.exit(1)
    modules = [a for a in argv if a.endswith(".ko")]
    verdicts = [{"file": m, "verdict": "failed" if "warns" in pathlib.Path(m).read_text() else "passed", "reasons": [], "seconds": 1.0} for m in modules]
    if len(modules) == 1:
        finish(0, **verdicts[0])
    finish(0, modules=verdicts)


(build if os.path.basename(sys.argv[0]) == "kpatch-build" else load)(sys.argv[1:])
