# SPDX-License-Identifier: GPL-2.0-or-later
"""What guests reach at http://repository/: our packages for apt, and signed repositories with the modules of tests/vm/modules."""

import os
import pathlib
import shutil
import subprocess
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests", "cli")]
import tap
import web
from fake_repository import Repository
from kernel import ROOT, TOOLS
from manifest import attach, make_manifest

DAY = 86400
# Levels of the modules; what they do stands in tests/vm/modules.
LEVELS = {1: "lp_fix", 2: "lp_next", 3: "lp_late", 4: "lp_stuck", 5: "lp_more"}
# What each replaces; others than lp_stuck have version_proc_show alone.
FUNCTIONS = {"lp_stuck": [], "lp_more": ["version_proc_show", "loadavg_proc_show"]}
NEEDED = [*LEVELS.values(), "lp_sleeper"]


def _build_modules(target, folder):
    shutil.copytree(ROOT / "tests/vm/modules", folder)
    (folder / "Kbuild").write_text(f"obj-m := {' '.join(f'{name}.o' for name in NEEDED)}\n")
    result = tap.run(["make", "-s", "-C", target.source, f"M={folder}", f"KERNELRELEASE={target.release}",
                      f"CC={target.facts['compiler'].split()[0]}", "modules"], timeout=600)
    if result.returncode != 0:
        tap.bail_out(f"the test modules can't be compiled: {result.stdout}{result.stderr}")


def our_packages():
    """Where make packages left them."""
    folder = pathlib.Path(os.environ.get("RK_PACKAGES") or pathlib.Path(os.environ["RK_BUILD_ROOT"]).parent / "packages")
    if not list(folder.glob("readykernel_*.deb")):
        tap.bail_out(f"no packages in '{folder}': make packages")
    return folder


class Site:
    def __init__(self, target):
        self.target = target
        self.top = pathlib.Path(tap.tmpdir())
        self.www = self.top / "www"
        self.kernel = {"release": target.release, "version": target.facts["version"], "build_id": target.facts["build_id"], "arch": "x86_64"}
        shutil.copytree(our_packages(), self.www / "debs")
        lists = subprocess.run(["apt-ftparchive", "packages", "."], cwd=self.www / "debs", capture_output=True, check=True).stdout
        (self.www / "debs/Packages").write_bytes(lists)
        _build_modules(target, self.top / "modules")
        self.modules = {level: self.module(level, name) for level, name in LEVELS.items()}
        self.first = Repository(self.www / "first", self.kernel, self.top / "keys")
        self.first.add_level(1, self.modules[1], ["CVE-2026-1"], name=LEVELS[1], released=self.first.now - 10 * DAY)
        self.first.publish()
        shutil.copy(self.top / "modules/lp_sleeper.ko", self.www)

    def pack(self):
        """Levels 1 and 2 as packages at http://repository/patches/, by readykernel-repo from its own first key on."""
        def repo(*args):
            result = tap.run([TOOLS / "readykernel-repo" / "readykernel-repo", *args])
            if result.returncode != 0:
                raise RuntimeError(f"readykernel-repo {args[0]}: {result.stderr}")

        folder, keys = self.top / "own", self.top / "own-keys"
        keys.mkdir()
        for name in ("root", "release", "timestamp"):
            repo("key", "new", keys / name)
        roles = [part for role in ("root", "release", "timestamp") for part in (f"--{role}", keys / f"{role}.pub")]
        repo("init", *roles, "--licence", keys / "root.pub", "--root-threshold", "1", "--release-threshold", "1", "--product", "debian-12", folder)
        repo("sign", "--repo", folder, "--key", keys / "root.key")
        for level in (1, 2):
            file = self.top / f"{LEVELS[level]}.ko"
            file.write_bytes(self.modules[level])
            repo("add", "--repo", folder, "--without-evidence", "a test", "--channel", "stable", file)
        repo("sign", "--repo", folder, "--key", keys / "release.key", "--key", keys / "timestamp.key")
        repo("packages", "--root", folder / "root.signed", folder, self.www / "patches")
        for rpm in [*(self.www / "debs").glob("readykernel-0*.rpm")]:
            shutil.copy(rpm, self.www / "patches/readykernel.rpm")

    def serve(self):
        """A server of it all for one guest, so that it can misbehave to that one alone."""
        return web.Server(self.www)

    def module(self, level, name, **changes):
        """The bytes of a test module with a manifest for this kernel; changes to what it says of its target."""
        fixes = [{"name": "fix", "title": f"a fix of level {level}", "author": None, "origin": None, "file": "fix.patch", "sha256": "00" * 32,
                  "cves": [f"CVE-2026-{n}" for n in range(1, level + 1)], "bugs": [], "fixes": [], "functions": []}]
        functions = [{"object": "vmlinux", "name": function, "unit": "", "sympos": 1, "old_size": 0, "new_size": 0}
                     for function in FUNCTIONS.get(name, ["version_proc_show"])]
        manifest = make_manifest({**self.target.facts, **changes}, level, name, fixes=fixes, functions=functions)
        made = attach(manifest, self.top / "modules" / f"{name}.ko", self.top / f"{name}.ko", "--strip-debug")
        return made.read_bytes()

    def fork(self, name):
        """A repository that goes on from the first by itself, at http://repository/<name>."""
        return self.first.fork(self.www / name)

    def publish(self, repo, *levels, **changes):
        for level in levels:
            repo.add_level(level, self.modules[level], [f"CVE-2026-{level}"], name=LEVELS[level], supersedes=list(range(1, level)))
        repo.levels.sort(key=lambda level: level["level"])
        repo.publish(**changes)
