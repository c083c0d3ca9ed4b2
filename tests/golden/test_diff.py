# SPDX-License-Identifier: GPL-2.0-or-later
"""Every folder here that has orig.c and patched.c: compiled as the kernel is, and the diff's dump held against expected.txt.

The first lines of orig.c say what the case shows; "flags:" there adds flags for both. UPDATE_GOLDEN=1 renews the expected
output. It is what gcc 12 makes of the sources, so other compilers are of no use here.
"""

import concurrent.futures
import os
import pathlib
import sys

from compile import HERE, compile_one, compiler
from tap import bail_out, done, golden, ok, run, tmpdir


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
