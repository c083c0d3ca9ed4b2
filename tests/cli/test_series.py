# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be wrong with the fixes a build is given: one clear message each, before any kernel is looked at."""

import os
import pathlib
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402

BUILD = sys.argv[1]
PATCH = "Subject: x\n---\n--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1 +1 @@\n-a\n+b\n"
top = pathlib.Path(tap.tmpdir())


def refuses(argv, status, message, name):
    out = top / "out"
    result = tap.run([BUILD, "--target", "debian:0.0.0-none", "--offline", "-o", out, *argv])
    tap.equal(result.returncode, status, f"{name}: status")
    tap.contains(result.stderr, message, name)
    tap.equal(len(result.stderr.strip().splitlines()), 1 if status == 1 else 2, f"{name}: one message")
    tap.ok(not out.exists(), f"{name}: nothing is written")


def main():
    series = top / "s"
    series.mkdir()
    (series / "a.patch").write_text(PATCH)
    (series / "series").write_text("a.patch\ngone.patch\n")
    refuses([series], 1, "series' line 2: there is no patch '", "a series file that names a missing patch")
    (series / "series").write_text("a.patch -R\n")
    refuses([series / "series"], 1, "series' line 1: a reversed patch (-R)", "a reversed patch")
    (series / "series").unlink()
    (series / "a.patch.json").write_text('{"schema": "readykernel-fix-metadata/1", "cve": []}')
    refuses([series], 1, "a.patch.json': unknown key 'cve'", "a side file with a wrong key")
    (series / "a.patch.json").unlink()
    (series / "empty").mkdir()
    refuses([series / "empty"], 1, "holds no patches", "an empty directory")
    patch = series / "a.patch"
    refuses(["--git", top, patch], 2, "--git and --commits go together", "half of --git")
    refuses(["--git", top / "none", "--commits", "a..b"], 1, "there is no repository", "no repository")
    refuses(["--git", top, "--commits", "a"], 2, "'a' is not a range of commits", "no range")
    refuses(["--base", "x.ko", "-R", patch], 2, "--base and --non-replace exclude each other", "a base that isn't replaced")
    refuses(["--base", top / "x.ko", patch], 1, "--base: ", "a base that isn't there")
    (top / "y.ko").write_bytes(b"not a module")
    refuses(["--base", top / "y.ko", patch], 1, "--base: ", "a base that isn't a module")
    tap.done()


main()
