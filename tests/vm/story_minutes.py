# SPDX-License-Identifier: GPL-2.0-or-later
"""README's chapter about an administrator's first minutes: its commands are run in a guest, one after the other, and what it shows must
be what they print. UPDATE_GOLDEN=1 writes what they print into README."""

import os
import pathlib
import re

from kernel import ROOT
from tap import diag, ok

CHAPTER = "## An administrator's first five minutes\n"
README = ROOT / "README.md"
COMMAND_TIMEOUT = 900
# What is another in each run, or on another day.
VARIES = [(r"[0-9]+\.[0-9]+[0-9A-Za-z.+~]*(-[0-9]+)?(-cloud|-rt)?-amd64", "RELEASE"), (r"#[0-9]+ SMP.*?\([0-9-]+\)", "VERSION"), (r"[0-9]+", "N"),
          (r" +", " ")]


def _chapter(text):
    """Where the chapter begins and ends."""
    start = text.index(CHAPTER)
    end = text.find("\n## ", start + 1)
    return start, end if end >= 0 else len(text)


def _blocks(text):
    """Of the chapter: [(start, end, [(command, [line])])], one for each block of a session."""
    first, last = _chapter(text)
    found = []
    for block in re.finditer(r"^```\n(# .*?)^```$", text[first:last], re.M | re.S):
        steps = []
        for line in block[1].splitlines():
            if line.startswith("# "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
        found.append((first + block.start(1), first + block.end(1), steps))
    return found


def _form(line):
    for pattern, word in VARIES:
        line = re.sub(pattern, word, line)
    return line.rstrip()


def _is_like(shown, printed):
    """Line by line; a line of "…" stands for any number of them."""
    if not shown:
        return not printed
    if shown[0].strip() == "…":
        return any(_is_like(shown[1:], printed[n:]) for n in range(len(printed) + 1))
    return bool(printed) and _form(shown[0]) == _form(printed[0]) and _is_like(shown[1:], printed[1:])


def _run(guest, command):
    if command == "reboot":
        guest.reboot()
        return []
    return guest.run(f"cd /var/tmp; {command}", COMMAND_TIMEOUT)[1].splitlines()


def first_minutes(guest, site):
    """guest: nothing of ours is on it."""
    text = README.read_text()
    repo = site.fork("rk")
    # what hosts have, and the guests' disk does without
    (site.www / "config").write_bytes((pathlib.Path(site.target.facts["image"]).parent / "config").read_bytes())
    guest.must("curl -sf -o /boot/config-$(uname -r) http://repository/config")
    guest.must("cd /var/tmp && for f in $(curl -sf http://repository/debs/Packages | sed -n 's,^Filename: \\./\\(readykernel_.*\\),\\1,p'); do "
               "curl -sf -o $f http://repository/debs/$f; done; rm -f /etc/apt/sources.list")
    made, done = "", 0
    for number, (start, end, steps) in enumerate(_blocks(text)):
        if number == 2:  # as the chapter says there
            site.publish(repo, 2)
        made += text[done:start]
        done = end
        for command, shown in steps:
            printed = _run(guest, command)
            made += f"# {command}\n" + "".join(line + "\n" for line in printed)
            if not os.environ.get("UPDATE_GOLDEN"):
                ok(_is_like(shown, printed), f"README: {command}", f"printed: {printed}")
    if os.environ.get("UPDATE_GOLDEN"):
        README.write_text(made + text[done:])
        diag("README's chapter was written anew")
    ok(done > 0, "README: the chapter has commands")
