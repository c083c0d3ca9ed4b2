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
FUNCTION_MAX = 100
CLANG_FORMAT = "14"  # later versions format some macros differently

LICENCES = tuple(f"{opening} SPDX-License-Identifier: {licence}{end}\n" for opening, end in (("/*", " */"), ("//", ""))
                 for licence in ("GPL-2.0-or-later", "GPL-2.0"))

files = c_files()
if not files:
    bail_out("no C files")

unlicensed = [path for path in files if not read(path).startswith(LICENCES)]
ok(not unlicensed, "every C file opens with its licence", "\n".join(unlicensed))

long = [f"{path}: {read(path).count(chr(10))}" for path in files if read(path).count("\n") > LINES_MAX]
ok(not long, f"no C file has more than {LINES_MAX} lines", "\n".join(long))



def functions(text):
    """Names and lengths of the functions of a file, whose braces stand alone in the first column."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield lines[start - 1].strip(), number - start - 1
            start = None


long = [f"{path}: {name}: {length}" for path in files for name, length in functions(read(path)) if length > FUNCTION_MAX]
ok(not long, f"no function has more than {FUNCTION_MAX} lines", "\n".join(long))
ok(list(functions("int f(void)\n{\n\ta();\n\tb();\n}\n")) == [("int f(void)", 2)], "functions are measured")

version = run(["clang-format", "--version"]).stdout
found = version.split("version ")[-1].split(".")[0]
if found != CLANG_FORMAT:
    skip("every C file is formatted", f"needs clang-format {CLANG_FORMAT}, found '{found}'")
else:
    result = run(["clang-format", "--dry-run", "-Werror", *files], cwd=ROOT, stderr=subprocess.STDOUT)
    places = [line for line in result.stdout.splitlines() if "error:" in line]
    ok(result.returncode == 0, "every C file is formatted", "\n".join(places[:100]) or result.stdout)
    sloppy = "int  f( void ){return 0;}\n"
    result = run(["clang-format", "--dry-run", "-Werror", "--assume-filename=x.c", "--style=file:.clang-format"],
                 cwd=ROOT, input=sloppy)
    ok(result.returncode != 0, "what isn't formatted is found")
done()
