# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiles a case of this folder, orig.c and patched.c, as the kernel's units are. Lines "flags:" at the top of orig.c add flags for both.

Headers that differ are in orig/ and patched/.
"""

import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from tap import run, skip_all  # noqa: E402

FLAGS = """
    -c -O2 -std=gnu11 -w -mfentry -pg -mrecord-mcount -ffunction-sections -fdata-sections -fno-PIE -mcmodel=kernel
    -fcf-protection=none -fno-asynchronous-unwind-tables -mno-sse -mno-red-zone -ffreestanding -fno-common
    -fno-strict-aliasing -fno-stack-protector -fno-jump-tables -falign-jumps=1 -falign-loops=1
""".split()


def compiler():
    """gcc 12: expected output is of what it makes."""
    for name in ("gcc-12", "gcc"):
        path = shutil.which(name)
        if path and run([path, "-dumpversion"]).stdout.split(".")[0].strip() == "12":
            return path
    return skip_all("needs gcc 12, which the expected output is of")


def compile_one(gcc, case, which, work):
    """The object's path and the compiler's CompletedProcess."""
    text = (case / "orig.c").read_text()
    more = re.search(r"^ \* flags: (.*?)(?: \*/)?$", text, re.MULTILINE)
    obj = work / f"{case.name}.{which}.o"
    flags = FLAGS + (more[1].split() if more else [])
    # both are called unit.c, as original and patched source of one unit are
    source = work / which / case.name
    source.mkdir(parents=True)
    shutil.copy(case / f"{which}.c", source / "unit.c")
    for header in sorted(case.glob(f"{which}/*.h")):
        shutil.copy(header, source)
    result = run([gcc, *flags, "-I", HERE, f"-ffile-prefix-map={source}/=", source / "unit.c", "-o", obj])
    return obj, result
