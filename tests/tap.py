# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP for tests written in Python: checks print one line each, done() prints the plan and exits.

    from tap import ok, equal, run, done
    result = run([tool, "list", "--json"])
    equal(result.returncode, 0, "list: status")
    done()
"""

import atexit
import difflib
import os
import shutil
import subprocess
import sys
import tempfile
import threading

_count = 0
_failed = 0
_planned = False
_lock = threading.Lock()  # some tests have several guests at once


def diag(text):
    for line in str(text).splitlines():
        print("#", line)
    sys.stdout.flush()


def ok(passed, name, detail=""):
    """One check; detail is shown when it failed. Returns whether it passed."""
    global _count, _failed
    name = str(name).replace("#", " ").replace("\n", " ")
    with _lock:
        _count += 1
        print(f"{'' if passed else 'not '}ok {_count} - {name}", flush=True)
        if not passed:
            _failed += 1
            diag(detail)
    return bool(passed)


def equal(got, want, name):
    """got == want; texts of several lines are shown as a difference."""
    if got == want:
        return ok(True, name)
    if isinstance(got, str) and isinstance(want, str) and "\n" in got + want:
        lines = difflib.unified_diff(
            want.splitlines(), got.splitlines(), "wanted", "got", lineterm=""
        )
        return ok(False, name, "\n".join(lines) or f"wanted {want!r}\n   got {got!r}")
    return ok(False, name, f"wanted {want!r}\n   got {got!r}")


def contains(got, part, name):
    return ok(part in got, name, f"no {part!r} in\n{got}")


def skip(name, reason):
    """A check that can't be made here, and why."""
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {reason}", flush=True)


def skip_all(reason):
    """Ends the test: nothing in it can be tested here."""
    global _planned
    _planned = True
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def bail_out(reason):
    print(f"Bail out! {reason}", flush=True)
    sys.exit(1)


def done():
    """Prints the plan and exits: 0 only if there were checks and none failed."""
    global _planned
    _planned = True
    print(f"1..{_count}", flush=True)
    sys.exit(0 if _count and not _failed else 1)


@atexit.register
def _check_planned():
    if not _planned:
        diag("the test ended before done()")


def run(argv, timeout=120, env=None, **kwargs):
    """Runs a program; returns its CompletedProcess with text output. env adds to the environment."""
    return subprocess.run(
        [str(arg) for arg in argv],
        **({} if "input" in kwargs else {"stdin": kwargs.pop("stdin", subprocess.DEVNULL)}),
        stdout=kwargs.pop("stdout", subprocess.PIPE),
        stderr=kwargs.pop("stderr", subprocess.PIPE),
        env={**os.environ, **(env or {})},
        timeout=timeout,
        text=True,
        errors="replace",
        check=False,
        **kwargs,
    )


def tmpdir():
    """A fresh directory, removed at exit."""
    path = tempfile.mkdtemp(prefix="rk-test-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def golden(got, path, name):
    """got equals the file at path; with UPDATE_GOLDEN=1 the file is written instead."""
    if os.environ.get("UPDATE_GOLDEN") == "1":
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(got)
    try:
        with open(path, encoding="utf-8") as file:
            want = file.read()
    except OSError as error:
        return ok(False, name, f"{error}; UPDATE_GOLDEN=1 writes it")
    return equal(got, want, name)
