#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No C file uses a function that lib/base/banned.h bans; lib/ neither prints, exits nor reads the environment."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import bail_out, done, ok  # noqa: E402
from tree import c_files, code_of, read  # noqa: E402

LIBRARY = ["printf", "vprintf", "puts", "putchar", "perror", "exit", "_Exit", "abort", "getenv", "secure_getenv",
           "getcwd", "chdir", "err", "errx", "warn", "warnx"]
# A child between fork() and exec() is no longer the library.
ALLOWED = {("lib/base/process.c", "chdir")}

banned = re.findall(r"^#define (\w+)\(\.\.\.\)", read("lib/base/banned.h"), re.MULTILINE)
if "strcpy" not in banned or "system" not in banned:
    bail_out("lib/base/banned.h bans nothing")


def uses(path, names):
    calls = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")
    for number, line in enumerate(code_of(read(path)).splitlines(), 1):
        for call in calls.finditer(line):
            if (path, call[1]) not in ALLOWED:
                yield f"{path}:{number}: {call[1]}()"


# The rule itself is tried on what it must find and what it must leave.
sample = 'int f(void)\n{\n\tstrcpy(a, b); /* sprintf(x) */ x.system("gets(1)");\n}\n'
found = [m[1] for m in re.finditer(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(", code_of(sample))]
ok(found == ["strcpy"], "comments, strings and members are no calls", found)

bad = [use for path in c_files() if path != "lib/base/banned.h" for use in uses(path, banned)]
ok(not bad, "no C file calls a banned function", "\n".join(bad))
bad = [use for path in c_files() if path.startswith("lib/") for use in uses(path, LIBRARY)]
ok(not bad, "the library neither prints, exits nor reads its environment", "\n".join(bad))
done()
