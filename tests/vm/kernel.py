# SPDX-License-Identifier: GPL-2.0-or-later
"""The target that VM tests use: the oldest kernel apt offers whole, fetched once into the user's cache."""

import json
import os
import pathlib
import subprocess

import tap

ROOT = pathlib.Path(os.environ["RK_SOURCE_ROOT"])
TOOLS = pathlib.Path(os.environ["RK_BUILD_ROOT"]) / "tools"
BUILD = TOOLS / "kpatch-build" / "kpatch-build"
DIFF = TOOLS / "kpatch-diff" / "kpatch-diff"
TEST = TOOLS / "kpatch-test" / "kpatch-test"
# A cold fetch and prepare takes some three minutes on two processors; two tests may wait for one another.
FETCH_TIMEOUT = 1500


def query(*argv, timeout=FETCH_TIMEOUT):
    result = tap.run([*argv, "--json"], timeout=timeout)
    try:
        return json.loads(result.stdout)
    except ValueError:
        tap.bail_out(f"{' '.join(map(str, argv))}: {result.stdout}{result.stderr}")


class Target:
    def __init__(self):
        """Picks the oldest cloud kernel on offer, or RK_TEST_TARGET, and makes sure it is there."""
        self.id = os.environ.get("RK_TEST_TARGET")
        if not self.id:
            offers = query(BUILD, "target", "list", "--available")["targets"]
            whole = [t for t in offers if (t.get("available") or t.get("has_build")) and t["release"].endswith("-cloud-amd64")]
            if not whole:
                tap.skip_all("apt offers no kernel with image, debug image, headers and source of one version")
            self.id = whole[0]["id"]
        fetched = tap.run([BUILD, "target", "fetch", self.id], timeout=FETCH_TIMEOUT)
        if fetched.returncode != 0:
            tap.bail_out(f"{self.id}: {fetched.stderr}")
        facts = query(BUILD, "target", "show", self.id)
        self.release = facts["release"]
        self.version = facts["source_version"]
        self.source = pathlib.Path(facts["source"])
        self.facts = facts


def at_least(version, other):
    return subprocess.run(["dpkg", "--compare-versions", version, "ge", other], check=False).returncode == 0


def source_versions():
    """Versions of the source package on offer, oldest first."""
    result = tap.run(["apt-cache", "madison", "linux-source-6.1"])
    found = {line.split("|")[1].strip() for line in result.stdout.splitlines() if "|" in line}
    ordered = []
    for version in found:
        place = sum(1 for other in found if other != version and at_least(version, other))
        ordered.append((place, version))
    return [version for _, version in sorted(ordered)]


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "readykernel"


def source_files(version, files):
    """A folder with these files of that source package."""
    folder = cache_dir() / "sources" / version
    result = tap.run([ROOT / "examples" / "source-files", version, folder, *files], timeout=900)
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    return folder
