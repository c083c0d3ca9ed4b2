# SPDX-License-Identifier: GPL-2.0-or-later
"""Every folder here that has orig.c and patched.c: compiled as the kernel is, and the diff's dump held against expected.txt.

The first lines of orig.c say what the case shows; "flags:" there adds flags for both. UPDATE_GOLDEN=1 renews the expected
output. It is what gcc 12 makes of the sources, so other compilers are of no use here.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from tap import bail_out, done, golden, ok, run, skip_all, tmpdir  # noqa: E402

FLAGS = """
    -c -O2 -std=gnu11 -w -mfentry -pg -mrecord-mcount -ffunction-sections -fdata-sections -fno-PIE -mcmodel=kernel
    -fcf-protection=none -fno-asynchronous-unwind-tables -mno-sse -mno-red-zone -ffreestanding -fno-common
    -fno-strict-aliasing -fno-stack-protector -fno-jump-tables -falign-jumps=1 -falign-loops=1
""".split()


def compiler():
    for name in ("gcc-12", "gcc"):
        path = shutil.which(name)
        if path and run([path, "-dumpversion"]).stdout.split(".")[0].strip() == "12":
            return path
    return skip_all("needs gcc 12, which the expected output is of")


def compile_one(gcc, case, which, work):
    text = (case / "orig.c").read_text()
    more = re.search(r"^ \* flags: (.*?)(?: \*/)?$", text, re.MULTILINE)
    obj = work / f"{case.name}.{which}.o"
    flags = FLAGS + (more[1].split() if more else [])
    # both are called unit.c, as original and patched source of one unit are
    source = work / which / case.name
    source.mkdir(parents=True)
    shutil.copy(case / f"{which}.c", source / "unit.c")
    result = run([gcc, *flags, "-I", HERE, f"-ffile-prefix-map={source}/=", source / "unit.c", "-o", obj])
    return obj, result


def one(gcc, case, dump, work):
    orig, a = compile_one(gcc, case, "orig", work)
    patched, b = compile_one(gcc, case, "patched", work)
    if a.returncode or b.returncode:
        return None, a.stderr + b.stderr
    result = run([dump, case.name, "vmlinux", orig, patched])
    return (result.stdout, result.stderr) if result.returncode == 0 else (None, result.stderr)


def main():
    dump, only = sys.argv[1], sys.argv[2:]
    gcc = compiler()
    work = pathlib.Path(tmpdir())
    cases = sorted(path.parent for path in HERE.glob("*/orig.c"))
    cases = [case for case in cases if not only or case.name in only]
    if not cases:
        bail_out("no cases")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for case, (text, messages) in zip(cases, pool.map(lambda c: one(gcc, c, dump, work), cases)):
            if ok(text is not None, f"{case.name}: compiles and has a diff", messages):
                golden(text, str(case / "expected.txt"), f"{case.name}: as expected")
    done()


main()
