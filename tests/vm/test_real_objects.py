# SPDX-License-Identifier: GPL-2.0-or-later
"""Real units of the kernel: a patch that only adds comments, and so moves every line below, changes nothing.

What would betray it: line numbers in WARN(), might_sleep(), lockdep's and pr_debug's data, counters in names that macros make,
and the order of what the compiler numbers.
"""

import difflib
import json
import os
import pathlib
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import BUILD, Target  # noqa: E402

UNITS = {
    "net/ipv4/tcp_input.c": "vmlinux",
    "fs/namei.c": "vmlinux",
    "kernel/sched/core.c": "vmlinux",
    "kernel/bpf/syscall.c": "vmlinux",
    "mm/memory.c": "vmlinux",
    "net/key/af_key.c": "af_key",
    "arch/x86/kvm/x86.c": "kvm",
}
COMMENT = ["/*\n", " * One comment more, of several lines,\n", " * which move all that follows.\n", " */\n"]
# one more of every kind of place: near the start, and between functions all over the file
PLACES = 5
BUILD_TIMEOUT = 900


def commented(lines):
    """The file with comments behind some of the lines that end a function."""
    ends = [i for i, line in enumerate(lines) if line == "}\n" and not lines[i - 1].endswith("\\\n")]
    chosen = {ends[len(ends) * place // PLACES] for place in range(PLACES)}
    out = []
    for i, line in enumerate(lines):
        out.append(line)
        if i in chosen:
            out += COMMENT
    return out


def write_patch(target, path):
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("Subject: test: comments\n---\n")
        for unit in UNITS:
            old = (target.source / unit).read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
            file.writelines(difflib.unified_diff(old, commented(old), f"a/{unit}", f"b/{unit}"))


def main():
    target = Target()
    work = pathlib.Path(tap.tmpdir())
    write_patch(target, work / "comments.patch")
    result = tap.run([BUILD, "--target", target.id, "--offline", "--json", "--keep", work / "keep", "-n", "comments",
                      "-o", work / "out", work / "comments.patch"], timeout=BUILD_TIMEOUT)
    tap.equal(result.returncode, 3, "a patch of comments is refused")
    try:
        findings = json.loads(result.stdout)["findings"]
    except (ValueError, KeyError):
        tap.bail_out(result.stdout + result.stderr)
    tap.equal(sorted({f["code"] for f in findings if f["severity"] == "error"}), ["no-change"], "because it changes nothing")
    dumps = {}
    for path in (work / "keep" / "4-diff").glob("*.txt"):
        text = path.read_text()
        dumps[text.split()[1]] = text
    for unit, obj in UNITS.items():
        tap.equal(dumps.get(unit, ""), f"unit {unit} in {obj}\n", f"{unit}: nothing changed, nothing included, nothing found")
    tap.done()


main()
