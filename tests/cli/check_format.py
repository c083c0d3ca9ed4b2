#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every C file is formatted as .clang-format says, has its licence line, and keeps the size limits."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import bail_out, done, ok, run, skip  # noqa: E402
from tree import ROOT, c_files, read  # noqa: E402

LINES_MAX = 1000
CLANG_FORMAT = "14"  # later versions format some macros differently

version = run(["clang-format", "--version"]) if c_files() else bail_out("no C files")
major = version.stdout.split("version ")[-1].split(".")[0] if version.returncode == 0 else ""

for path in c_files():
    text = read(path)
    ok(text.startswith(("/* SPDX-License-Identifier: GPL-2.0-or-later */", "/* SPDX-License-Identifier: GPL-2.0 */",
                        "// SPDX-License-Identifier: GPL-2.0")), f"{path}: opens with its licence")
    ok(text.count("\n") <= LINES_MAX, f"{path}: at most {LINES_MAX} lines", f"{text.count(chr(10))} lines")
    if major != CLANG_FORMAT:
        skip(f"{path}: formatted", f"needs clang-format {CLANG_FORMAT}, found '{major}'")
        continue
    result = run(["clang-format", "--dry-run", "-Werror", path], cwd=ROOT, stderr=subprocess.STDOUT)
    ok(result.returncode == 0, f"{path}: formatted", f"clang-format -i {path}\n" + result.stdout[:2000])
done()
