# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel makes of the module file itself: the patched module may go and come back, signatures are believed or not;
and the same input gives the same file."""

import hashlib
import json
import os
import pathlib
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import BUILD, ROOT, TEST, Target  # noqa: E402

# The firmware's key of package ovmf, made for tests; its passphrase is in the package's documentation.
SNAKEOIL = pathlib.Path("/usr/share/ovmf")

# A change in code of a module that refers to a variable of the module which isn't exported: pfkey_net_id.
FIX = {
    "schema": "readykernel-fix-1",
    "name": "module-file",
    "title": "test: a change in /proc/net/pfkey",
    "edits": [
        {
            "file": "net/key/af_key.c",
            "find": '\t\tseq_printf(f ,"sk       RefCnt Rmem   Wmem   User   Inode\\n");',
            "replace": ['\t\tseq_printf(f ,"patched %u\\nsk       RefCnt Rmem   Wmem   User   Inode\\n", pfkey_net_id);'],
        }
    ],
    "objects": ["af_key"],
    "expected": "built",
}

BEFORE = """#!/bin/sh
! grep -q '^patched' /proc/net/pfkey
"""

AFTER = """#!/bin/sh
is_patched() { grep -q '^patched [1-9]' /proc/net/pfkey || { echo "af_key isn't patched $1"; exit 1; }; }
is_patched "at first"
for time in 1 2; do
	rmmod af_key || exit 1
	insmod /modules/af_key.ko || exit 1
	is_patched "after it came back"
done
"""


def cut(target, work):
    (work / "fix.json").write_text(json.dumps(FIX))
    result = tap.run([ROOT / "tests/vm/make-fix", "--old", target.source, "--old-version", target.version, work / "fix.json",
                      "-o", work / "fix.patch"])
    if result.returncode != 0:
        tap.bail_out(result.stderr)


def build(target, work, out, *options):
    result = tap.run([BUILD, "--target", target.id, "--offline", "-n", "file", "-o", work / out, *options, work / "fix.patch"],
                     timeout=900)
    if not tap.ok(result.returncode == 0, f"{out}: is built", result.stdout + result.stderr):
        tap.done()
    return work / out / "kpatch-file.ko"


def check_reload(target, module, work):
    for name, text in (("before", BEFORE), ("after", AFTER)):
        (work / name).write_text(text)
        (work / name).chmod(0o755)
    result = tap.run([TEST, module, "--target", target.id, "--module", "af_key", "--before", work / "before", "--after",
                      work / "after", "--output", work / "evidence"], timeout=900)
    tap.ok(result.returncode == 0, "the patched module is unloaded and loaded again, twice", result.stdout + result.stderr)


def check_same_bytes(target, module, work):
    (work / "elsewhere" / "deeper").mkdir(parents=True)
    (work / "elsewhere" / "deeper" / "fix.patch").write_bytes((work / "fix.patch").read_bytes())
    again = build(target, work / "elsewhere" / "deeper", "again")
    tap.equal(hashlib.sha256(again.read_bytes()).hexdigest(), hashlib.sha256(module.read_bytes()).hexdigest(),
              "the same input gives the same bytes, wherever it lies")


def openssl(*argv):
    result = tap.run(["openssl", *argv])
    if result.returncode != 0:
        tap.bail_out(result.stderr)


def check_signatures(target, module, work):
    if not (SNAKEOIL / "PkKek-1-snakeoil.key").exists():
        tap.skip("the kernel's check of signatures", "package ovmf is not installed")
        return
    openssl("pkey", "-in", SNAKEOIL / "PkKek-1-snakeoil.key", "-passin", "pass:snakeoil", "-out", work / "trusted.key")
    openssl("req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=nobody", "-keyout", work / "unknown.key",
            "-out", work / "unknown.pem")
    trusted = build(target, work, "trusted", "--sign-key", work / "trusted.key", "--sign-cert", SNAKEOIL / "PkKek-1-snakeoil.pem")
    unknown = build(target, work, "unknown", "--sign-key", work / "unknown.key", "--sign-cert", work / "unknown.pem")
    result = tap.run([ROOT / "tests/vm/check-signature", target.facts["image"], trusted, unknown, module], timeout=900)
    lines = [line for line in result.stdout.splitlines() if line.startswith(("ok ", "not ok "))]
    tap.ok(lines, "the signatures are checked", result.stdout + result.stderr)
    for line in lines:
        tap.ok(line.startswith("ok "), line.split(" - ", 1)[1], result.stdout)


def main():
    target = Target()
    work = pathlib.Path(tap.tmpdir())
    cut(target, work)
    module = build(target, work, "out")
    check_reload(target, module, work)
    check_same_bytes(target, module, work)
    check_signatures(target, module, work)
    tap.done()


main()
