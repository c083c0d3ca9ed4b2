# SPDX-License-Identifier: GPL-2.0-or-later
"""What guests reach at http://repository/: our packages for apt, and signed repositories with the modules of tests/vm/modules."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests", "cli")]
import guest_disk
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
        self._stand_in(self.www / "debs")
        self._list_packages("debs")
        _build_modules(target, self.top / "modules")
        self.modules = {level: self.module(level, name) for level, name in LEVELS.items()}
        self.first = Repository(self.www / "first", self.kernel, self.top / "keys")
        self.first.add_level(1, self.modules[1], ["CVE-2026-1"], name=LEVELS[1], released=self.first.now - 10 * DAY)
        self.first.publish()
        shutil.copy(self.top / "modules/lp_sleeper.ko", self.www)

    def _stand_in(self, folder):
        """For what kpatch-build depends on and the guests' disk doesn't have, compilers and the like: empty packages of that name."""
        deb = next(folder.glob("kpatch-build_*.deb"))
        depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], capture_output=True, check=True, text=True).stdout
        tree = self.top / "empty"
        (tree / "DEBIAN").mkdir(parents=True)
        for depend in depends.strip().split(", "):
            name = depend.split()[0].removesuffix(":any")
            if "(" in depend or name in guest_disk.PACKAGES:  # libraries are real ones
                continue
            (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 99~empty\nArchitecture: amd64\nMulti-Arch: allowed\n"
                                                 f"Maintainer: Tests <tests@example.org>\nDescription: stands in for {name}\n")
            subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, folder / f"{name}_empty.deb"], check=True, capture_output=True)
        shutil.rmtree(tree)

    def _list_packages(self, folder):
        lists = subprocess.run(["apt-ftparchive", "packages", "."], cwd=self.www / folder, capture_output=True, check=True).stdout
        (self.www / folder / "Packages").write_bytes(lists)

    def pack_newer(self):
        """The same packages under a greater version, at http://repository/newer."""
        folder = self.www / "newer"
        folder.mkdir()
        for deb in sorted(our_packages().glob("*.deb")):
            tree = self.top / "repacked"
            subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
            control = tree / "DEBIAN/control"
            control.write_text(re.sub(r"^Version: (.*)$", r"Version: \1.newer", control.read_text(), flags=re.M))
            subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, folder / deb.name.replace("_amd64", ".newer_amd64")],
                           check=True, capture_output=True)
            shutil.rmtree(tree)
        self._list_packages("newer")

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
        for rpm in (self.www / "debs").glob("*.rpm"):
            shutil.copy(rpm, self.www / "patches" / f"{re.sub(r'-[0-9].*', '', rpm.name)}.rpm")

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
