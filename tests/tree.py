# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of the tree: as git knows them, or in an unpacked archive all that isn't built."""

import os
import re
import subprocess

ROOT = os.environ.get("RK_SOURCE_ROOT") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEXT = (".c", ".h", ".def", ".py", ".sh", ".md", ".json", ".txt", ".S", ".in", ".service")


def files():
    result = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode == 0 and result.stdout:
        names = result.stdout.split("\0")
    else:
        names = []
        for top, dirs, found in os.walk(ROOT):
            dirs[:] = [d for d in dirs if d not in (".git", "build", "out")]
            names += [os.path.relpath(os.path.join(top, name), ROOT) for name in found]
    return sorted(name for name in names if name and os.path.isfile(os.path.join(ROOT, name)))


def c_files():
    return [name for name in files() if name.endswith((".c", ".h"))]


def text_files():
    """Without the corpus of the fuzzers, which is bytes."""
    return [name for name in files() if not name.startswith("tests/fuzz/corpus/")
            and (name.endswith(TEXT) or "." not in os.path.basename(name) or os.path.basename(name).startswith("."))]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def code_of(text):
    """C without comments and the contents of strings; lines stay where they are."""
    def blank(match):
        token = match[0]
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.DOTALL)
