#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kpatch on a host whose kernel none of these modules is for: help, misuse, files. What it does to a kernel is tested in a guest,
tests/vm/test_kpatch_test.py. Argument: kpatch."""

import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import tap  # noqa: E402
from tap import contains, equal, run  # noqa: E402

TOOL = sys.argv[1]
TMP = pathlib.Path(tap.tmpdir())
GOLDEN = pathlib.Path(__file__).parent / "golden"


def make_module(name, modinfo):
    source = TMP / f"{name}.S"
    source.write_text('.section .modinfo,"a"\n' + "".join(f'.asciz "{line}"\n' for line in modinfo))
    subprocess.run(["gcc", "-c", source, "-o", TMP / f"{name}.ko"], check=True)
    return TMP / f"{name}.ko"


def kpatch(*args):
    return run([TOOL, *args])


def test_help():
    text = ""
    for verb in [[], ["load"], ["unload"], ["replace"], ["list"], ["info"], ["status"], ["install"], ["uninstall"], ["signal"], ["force"]]:
        result = kpatch(*verb, "--help")
        equal((result.returncode, result.stderr), (0, ""), f"kpatch {' '.join(verb)} --help")
        text += f"$ kpatch {' '.join([*verb, '--help'])}\n{result.stdout}"
    tap.golden(text, str(GOLDEN / "kpatch-help.txt"), "--help: text")


def test_misuse():
    for args, message in [([], "no verb given"), (["laod"], "unknown verb 'laod' (did you mean 'load'?)"),
                          (["load"], "missing operand: FILE|NAME, or '--all'"), (["unload"], "missing operand: NAME, or '--all'"),
                          (["load", "--all", "x"], "'--all' takes no operand"), (["load", "--boot", "x"], "'--boot' goes with '--all'"),
                          (["load", "--root", "/nowhere", "x"], "'--root' goes with '--check': only this kernel can be patched"),
                          (["list", "x"], "unexpected operand 'x'"), (["load", "--force", "x"], "unknown option '--force'")]:
        result = kpatch(*args)
        equal((result.returncode, result.stdout, result.stderr.splitlines()[0]), (2, "", f"error: {message}"), message)


def test_info():
    path = make_module("kpatch-x", ["name=kpatch_x", "vermagic=6.1.0-1-x SMP ", "livepatch=Y"])
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    result = kpatch("info", path)
    equal((result.returncode, result.stderr), (0, ""), "info of a file")
    for line in ["name         kpatch_x", f"sha256       {sha256}", "livepatch    yes", "signed       no"]:
        contains(result.stdout, line + "\n", line)
    doc = json.loads(kpatch("info", "--json", path).stdout)
    equal({key: doc[key] for key in ["schema", "name", "vermagic", "livepatch", "signed", "sha256", "manifest"]},
          {"schema": "kpatch-info/1", "name": "kpatch_x", "vermagic": "6.1.0-1-x SMP ", "livepatch": True, "signed": False,
           "sha256": sha256, "manifest": None}, "info --json of a file")
    plain = make_module("plain", ["name=plain"])
    result = kpatch("info", plain)
    equal((result.returncode, result.stderr), (1, f"error: '{plain}' is not a kernel module: no vermagic in .modinfo\n"), "no module")
    text = TMP / "text"
    text.write_text("hello\n")
    result = kpatch("info", "--json", text)
    equal(result.returncode, 1, "info of a file that isn't ELF")
    equal(json.loads(result.stdout)["error"]["code"], "format", "… as JSON")


def test_manifest():
    path = make_module("kpatch-y", ["name=kpatch_y", "vermagic=6.1.0-1-x SMP ", "livepatch=Y"])
    manifest = {"schema": "readykernel-manifest/1", "name": "kpatch_y", "level": 3, "model": "hybrid", "replace": True, "tool_version": "0",
                "target": {"id": "debian:x", "release": "6.1.0-1-x", "version": None, "build_id": None, "compiler": None},
                "fixes": [{"file": "a.patch", "sha256": "00", "title": "net: mend it", "cves": ["CVE-2026-1"]}],
                "objects": [], "units": [], "findings": [],
                "functions": [{"object": "vmlinux", "name": "f", "sympos": 1, "unit": "net/a.c", "old_size": 1, "new_size": 2}],
                "callbacks": [{"object": "vmlinux", "kind": "pre_patch", "function": "prepare"},
                              {"object": "tun", "kind": "post_unpatch", "function": "clean_up"}],
                "states": [{"id": 7, "version": 2}], "shadow_ids": [5, 1 << 40]}
    (TMP / "manifest").write_text(json.dumps(manifest))
    subprocess.run(["objcopy", "--add-section", f".readykernel.manifest={TMP / 'manifest'}", path], check=True)
    text = kpatch("info", path).stdout
    want = ["level        3", "target       debian:x", "fix          CVE-2026-1 net: mend it", "function     vmlinux f",
            "callback     vmlinux pre_patch prepare", "callback     tun post_unpatch clean_up", "state        7 version 2",
            "shadow id    5", f"shadow id    {1 << 40}", "made by      0"]
    equal([line for line in text.splitlines() if line in want], want, "info shows the manifest, with what outlives the patch")
    doc = json.loads(kpatch("info", "--json", path).stdout)["manifest"]
    for key in ["callbacks", "states", "shadow_ids"]:
        equal(doc[key], manifest[key], f"info --json: {key}")


def test_refused():
    release = platform.release()
    other = make_module("other", ["name=other", "vermagic=0.0.1-none SMP ", "livepatch=Y"])
    result = kpatch("load", other)
    equal((result.returncode, result.stderr), (1, f"error: '{other}' was made for kernel 0.0.1-none, this is {release}\n"),
          "load of a module for another kernel")
    longer = make_module("longer", ["name=longer", f"vermagic={release}x SMP ", "livepatch=Y"])
    result = kpatch("load", longer)
    equal(result.returncode, 1, "a release that only begins alike is another")
    plain = make_module("stock", ["name=stock", f"vermagic={release} SMP "])
    result = kpatch("load", plain)
    equal((result.returncode, result.stderr), (1, f"error: '{plain}' is no live patch module (its .modinfo has no 'livepatch=Y')\n"),
          "load of a module that is no live patch")
    result = kpatch("load", TMP / "absent.ko")
    equal(result.returncode, 1, "load of a file that isn't there")
    contains(result.stderr, f"cannot open '{TMP}/absent.ko': No such file or directory", "… is named")
    result = kpatch("unload", "no_such_patch")
    equal((result.returncode, result.stderr), (1, "error: no live patch 'no_such_patch' is loaded; 'kpatch list' shows what is\n"),
          "unload of a patch that isn't loaded")


for function in [test_help, test_misuse, test_info, test_manifest, test_refused]:
    function()
tap.done()
