#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: make_host.py DIR LEVELS: DIR/host, a host for readykernel --root, its newest level loaded; DIR/www, its repository, served by
nobody (file://). For bench/run-client."""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fake_host import KERNEL, Host  # noqa: E402
from fake_repository import Repository, make_module  # noqa: E402

DIR, LEVELS = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
CVES = 40  # a level

DIR.mkdir(parents=True, exist_ok=True)
os.chmod(DIR, 0o755)
repo = Repository(DIR / "www", KERNEL, DIR / "keys")
for level in range(1, LEVELS + 1):
    cves = [f"CVE-2026-{level * 100 + i}" for i in range(CVES)]
    repo.add_level(level, make_module(DIR, KERNEL, level, f"kpatch_{level}", cves, size=1 << 20), cves)
repo.publish()
host = Host(DIR / "host", f"file://{DIR}/www", "autoload = no\n")
host.write("etc/readykernel/root.signed", (DIR / "www/root.signed").read_bytes())
subprocess.run(["readykernel", "update", "--quiet", "--root", host.root], check=True)
host.set_loaded(f"kpatch_{LEVELS}")
print(host.root)
