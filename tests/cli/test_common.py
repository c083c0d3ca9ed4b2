#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What all tools share: parsing, help, errors, JSON, progress and signals. Argument: the demo tool."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import contains, done, equal, golden, ok, run  # noqa: E402

TOOL = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))


def demo(*args, **kwargs):
    return run([TOOL, *args], **kwargs)


def check_usage(args, message, of=""):
    """Misuse: status 2, one precise line and where the help is, nothing on stdout."""
    result = demo(*args)
    what = f"demo-tool {of} --help" if of else "demo-tool --help"
    equal(result.stderr, f"error: {message}\ntry '{what}'\n", f"{args}: message")
    equal((result.returncode, result.stdout), (2, ""), f"{args}: status 2, no output")


def test_parsing():
    result = demo("show", "-nj3", "-oa", "--a-name-that-is-rather-long=CVE-1", "x", "--format", "html",
                  "--a-name-that-is-rather-long", "CVE-2", "--", "-y")
    equal(result.stdout, "output=a format=html jobs=3 dry-run=1\nfix=CVE-1\nfix=CVE-2\n"
          "operand=x\noperand=-y\n", "every kind of option")
    equal(result.returncode, 4, "the verb's own status")
    equal(demo("show", "-o", "a", "-o", "b", "-").stdout,
          "output=b format=- jobs=0 dry-run=0\noperand=-\n", "the last one counts; '-' is an operand")
    equal(demo("show", "--output=", "x").stdout.split()[0], "output=", "an empty value")
    equal(demo("show", "-j", "4294967295", "x").returncode, 0, "the largest number")


def test_beside():
    fix = "--a-name-that-is-rather-long"
    equal(demo("show", fix, "1", fix, "2", "--note", "b", fix, "3", "--note=c d", fix, "4", "x").stdout.splitlines()[1:],
          ["fix=1", "fix=2 note=b", "fix=3 note=c d", "fix=4", "operand=x"], "a note belongs to the value before it")
    equal(demo("show", fix, "1", fix, "2", "x").stdout.splitlines()[1:3], ["fix=1", "fix=2"], "none is needed")
    check_usage(["show", "--note", "a", fix, "1", "x"], f"option '--note' belongs behind a '{fix}'", "show")
    check_usage(["show", fix, "1", "--note", "a", "--note", "b", "x"], f"option '--note' is given twice for '{fix} 1'", "show")


def test_misuse():
    check_usage([], "no verb given")
    check_usage(["-n", "show"], "no verb before '-n': options follow the verb")
    check_usage(["shwo"], "unknown verb 'shwo' (did you mean 'show'?)")
    check_usage(["frobnicate"], "unknown verb 'frobnicate'")
    check_usage(["test"], "'test' needs a verb: one of 'fail', 'findings'")
    check_usage(["test", "--quiet"], "'test' needs a verb: one of 'fail', 'findings'")
    check_usage(["test", "x"], "unknown verb 'x' after 'test': one of 'fail', 'findings'")
    check_usage(["show"], "missing operand: THING...", "show")
    check_usage(["show", "1", "2", "3", "4"], "unexpected operand '4'", "show")
    check_usage(["show", "--outptu", "x"], "unknown option '--outptu' (did you mean '--output'?)", "show")
    check_usage(["show", "--outptu=x", "x"], "unknown option '--outptu' (did you mean '--output'?)", "show")
    check_usage(["show", "--zzz", "x"], "unknown option '--zzz'", "show")
    check_usage(["show", "-z"], "unknown option '-z'", "show")
    check_usage(["show", "-nz"], "unknown option '-z' in '-nz'", "show")
    check_usage(["show", "x", "--output"], "option '--output' needs a value: DIR", "show")
    check_usage(["show", "x", "-o"], "option '--output' needs a value: DIR", "show")
    check_usage(["show", "--dry-run=1"], "option '--dry-run' takes no value", "show")
    check_usage(["show", "--format=pdf"], "option '--format': 'pdf' is not one of text|html", "show")
    check_usage(["show", "--format=tex"], "option '--format': 'tex' is not one of text|html", "show")
    for number in ["x", "-1", "+1", " 1", "1x", "", "0x10"]:
        check_usage(["show", f"-j{number}" if number else "--jobs="],
                    f"option '--jobs': '{number}' is not a number", "show")
    check_usage(["show", "-j4294967296"], "option '--jobs': '4294967296' is too large", "show")
    result = demo("wait", "--json", "1")
    equal((result.returncode, json.loads(result.stdout)["error"]["message"]), (2, "unknown option '--json'"),
          "--json where there is no JSON")
    check_usage(["--completion", "fish"], "no completion for 'fish': 'bash' or 'zsh'")


def test_help():
    for args, name in [(["--help"], "tool"), (["show", "--help"], "show"), (["wait", "-h"], "wait"),
                       (["--list-options"], "list-options"), (["--completion", "bash"], "bash")]:
        result = demo(*args)
        equal((result.returncode, result.stderr), (0, ""), f"{args}: status 0, no complaint")
        golden(result.stdout, os.path.join(HERE, "golden", f"demo-{name}.txt"), f"{args}: text")
    equal(demo("show", "--help", "--no-such").returncode, 0, "--help before a mistake wins")
    ok(max(map(len, demo("show", "--help").stdout.splitlines())) <= 80, "help fits 80 columns")
    contains(demo("--version").stdout, "demo-tool ", "version")


def test_completion():
    script = demo("--completion", "bash").stdout
    for line, want in [("demo-tool ", "show test wait"), ("demo-tool te", "test"), ("demo-tool test ", "fail findings"),
                       ("demo-tool show --o", "--output"), ("demo-tool show --format ", "html text"),
                       ("demo-tool test fail --q", "--quiet"), ("demo-tool wait --j", "")]:
        words = line.split(" ")
        code = (f"{script}\nCOMP_WORDS=({' '.join(w or repr('') for w in words)})\n"
                f"COMP_CWORD={len(words) - 1}\n_demo_tool\nprintf '%s\\n' \"${{COMPREPLY[@]}}\" | sort")
        # where there are files, which are offered to a verb that takes some only
        result = run(["bash", "-c", code], cwd="/proc/self/fdinfo")
        equal((" ".join(result.stdout.split()), result.stderr), (want, ""), f"bash completes '{line}'")


def test_errors():
    status = {"invalid": 2, "verdict": 3}
    codes = ["no-memory", "system", "invalid", "format", "not-found", "mismatch", "unsupported", "tool",
             "patch", "compile", "verdict", "timeout", "interrupted", "limit"]
    for code in codes:
        want = {"no-memory": "as asked", "system": "cannot write 'x': No space left on device"}
        message = want.get(code, "as asked")
        result = demo("test", "fail", code)
        equal((result.returncode, result.stdout), (status.get(code, 1), ""), f"{code}: status")
        equal(result.stderr.splitlines()[0], f"error: {message}", f"{code}: message")
        result = demo("test", "fail", code, "--json")
        equal((json.loads(result.stdout), result.stderr),
              ({"error": {"code": code, "message": message}}, ""), f"{code}: JSON")
        equal(result.returncode, status.get(code, 1), f"{code}: status with --json")
    result = demo("show", "--json", "--zzz")
    equal((result.returncode, json.loads(result.stdout)["error"]["code"], result.stderr),
          (2, "invalid", ""), "misuse with --json")
    equal(json.loads(demo("show", "--json", "x").stdout), {"schema": "demo-show/1"}, "a document")


def test_findings():
    result = demo("test", "findings")
    equal(result.returncode, 3, "findings: status")
    golden(result.stdout, os.path.join(HERE, "golden", "demo-findings.txt"), "findings: text")
    golden(demo("test", "findings", "--json").stdout, os.path.join(HERE, "golden", "demo-findings.json"),
           "findings: JSON")


def test_output_failure():
    with open("/dev/full", "w") as full:
        result = demo("show", "x", stdout=full)
    equal((result.returncode, result.stderr),
          (1, "error: cannot write to standard output: No space left on device\n"), "a full disk")
    with open("/dev/full", "w") as full:
        equal(demo("--help", stdout=full).returncode, 1, "help to a full disk")
    read, write = os.pipe()
    os.close(read)
    result = demo("show", "x", stdout=write)
    os.close(write)
    equal((result.returncode, result.stderr), (1, ""), "a reader that went away")


def test_signals():
    for sig in (signal.SIGINT, signal.SIGTERM):
        child = subprocess.Popen([TOOL, "wait", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        child.stderr.readline()  # "wait: for 60 s": it runs
        time.sleep(0.2)
        start = time.monotonic()
        child.send_signal(sig)
        _, err = child.communicate(timeout=30)
        equal(child.returncode, -sig, f"{sig.name} ends it as killed by the signal")
        equal(err, "error: interrupted while 'sleep' ran\n", f"{sig.name}: says so")
        ok(time.monotonic() - start < 20, f"{sig.name}: at once")


def on_terminal(args, env):
    """What the tool writes to a terminal 40 columns wide."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(env)
        os.execv(TOOL, [TOOL, *args])
    import fcntl
    import struct
    import termios
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    out = b""
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        out += data
    os.waitpid(pid, 0)
    return out.decode()


def test_progress():
    equal(demo("wait", "0.1").stderr, "wait: for 0.1 s\n", "no terminal: one line a phase")
    equal(demo("wait", "0.1", "--verbose").stderr, "wait: for 0.1 s\na note\n", "--verbose shows notes")
    equal(demo("wait", "0.1", "--quiet").stderr, "", "--quiet is silent")
    color = {"TERM": "xterm", "NO_COLOR": ""}
    equal(on_terminal(["wait", "0.05"], color), "", "a terminal shows nothing in the first second")
    text = on_terminal(["wait", "2.2"], color)
    contains(text, "\rwait: for 2.2 s  1/4 units  1 s\033[K", "then one line with how far it is")
    ok(text.endswith("\r\033[K") and "\n" not in text, "which is gone at the end", repr(text))
    equal(on_terminal(["wait", "0.1"], {"TERM": "dumb"}), "wait: for 0.1 s\r\n", "a dumb terminal: lines")
    contains(on_terminal(["shwo"], color), "\033[1;31merror:\033[0m unknown verb", "colour on a terminal")
    contains(on_terminal(["shwo"], {"TERM": "xterm", "NO_COLOR": "1"}), "error: unknown verb", "NO_COLOR")
    ok("\033" not in on_terminal(["test", "findings"], {"TERM": "xterm", "NO_COLOR": "1"}),
       "NO_COLOR: no escapes in findings")
    narrow = on_terminal(["test", "findings"], {"TERM": "dumb"}).replace("\r\n", "\n")
    ok(all(len(line) <= 40 for line in narrow.splitlines()), "findings fit a narrow terminal", narrow)
    equal(narrow.split(), demo("test", "findings").stdout.split(), "and say the same words")


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
done()
