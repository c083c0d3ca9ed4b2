#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever is installed is in one package, deb and rpm, and the packages bring nothing that isn't installed. Argument: the build's directory."""

import fnmatch
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from tap import bail_out, done, equal, run  # noqa: E402
from tree import files, read  # noqa: E402


def installed(build):
    """Paths below a prefix of /usr."""
    result = run(["meson", "introspect", "--installed", build])
    if result.returncode != 0:
        bail_out(result.stderr)
    options = {option["name"]: option["value"] for option in json.loads(run(["meson", "introspect", "--buildoptions", build]).stdout)}
    prefix, etc = options["prefix"], os.path.join(options["prefix"], options["sysconfdir"])
    paths = set()
    for path in json.loads(result.stdout).values():
        if path.startswith(etc + "/"):
            paths.add("etc" + path.removeprefix(etc))
        else:
            paths.add("usr" + path.removeprefix(prefix))
    return paths


def in_debs():
    """Patterns of the .install files, where debian/rules moved something back to where it was installed."""
    lists = [read(path) for path in files() if re.fullmatch(r"packaging/debian/.*\.install", path)]
    words = [line.split()[0] for text in lists for line in text.splitlines() if line.strip()]
    return [re.sub(r"^lib/systemd/", "usr/lib/systemd/", word) for word in words]


def in_rpms():
    spec = read("packaging/rpm/readykernel.spec").replace("%{unitdir}", "/usr/lib/systemd/system")
    files_parts = spec.split("\n%files", 1)[1]
    return [line.split()[-1].lstrip("/") for line in files_parts.splitlines() if re.match(r"(%config\S* )?/", line)]


def is_in(path, pattern):
    return fnmatch.fnmatch(path, pattern) or path.startswith(pattern + "/")


paths = installed(sys.argv[1])
for what, patterns in (("deb", in_debs()), ("rpm", in_rpms())):
    equal(sorted(path for path in paths if not any(is_in(path, pattern) for pattern in patterns)), [], f"{what}: all that is installed is packed")
    # completions are written by the tools when they are installed
    wanted = [pattern for pattern in patterns if "completion" not in pattern and "site-functions" not in pattern
              and pattern != "etc/readykernel"]  # a directory for what is put there later
    equal(sorted(pattern for pattern in wanted if not any(is_in(path, pattern) for path in paths)), [], f"{what}: nothing else is listed")
done()
