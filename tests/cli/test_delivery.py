#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""From readykernel-repo over HTTP to readykernel: what one writes the other takes. Arguments: readykernel-repo, readykernel."""

import json
import os
import pathlib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import tap  # noqa: E402
import web  # noqa: E402
from fake_host import BUILD_ID, KERNEL, Host  # noqa: E402
from fake_repository import make_module  # noqa: E402
from tap import contains, equal, run  # noqa: E402

REPO, CLIENT = map(os.path.abspath, sys.argv[1:])
TMP = pathlib.Path(tap.tmpdir())
WWW = TMP / "www"
os.chmod(TMP, 0o755)
for NAME in ["http_proxy", "no_proxy"]:
    os.environ.pop(NAME, None)


def repo(*args):
    result = run([REPO, *args], cwd=TMP)
    equal((result.returncode, result.stderr), (0, ""), f"readykernel-repo {' '.join(str(arg) for arg in args[:2])}")
    return result.stdout


def client(*args):
    return run([CLIENT, *args, "--root", HOST.root])


def installed():
    return sorted(int(p.stem) for p in HOST.path(f"var/lib/readykernel/patches/{BUILD_ID}").glob("*.json"))


def add(level):
    path = TMP / f"level{level}.ko"
    path.write_bytes(make_module(TMP, KERNEL, level, f"kpatch_{level}", [f"CVE-2026-{level}"], size=100000))
    repo("add", "--repo", WWW, "--without-evidence", "a test", "--channel", "stable", "--arch", KERNEL["arch"], path)


def sign(*keys):
    repo("sign", "--repo", WWW, *[arg for key in keys for arg in ["--key", f"{key}.key"]])


KEYS = ["root1", "root2", "root3", "release1", "release2", "timestamp", "licence"]
ROLES = [arg for key in KEYS for arg in [f"--{key.rstrip('123')}", f"{key}.pub"]]
for KEY in [*KEYS, "timestamp-new"]:
    repo("key", "new", KEY)
repo("init", "--product", "debian-12", *ROLES, WWW)
sign("root1", "root2")
add(1)
sign("release1", "release2", "timestamp")
SERVER = web.Server(WWW)
HOST = Host(TMP / "host", SERVER.url, "autoload = no\n")
HOST.write("etc/readykernel/root.signed", (WWW / "root.signed").read_bytes())


def test_update():
    result = client("update")
    equal((result.returncode, result.stdout), (0, "level 1 was fetched\n"), "the first level")
    HOST.set_loaded("kpatch_1")
    equal(client("status").returncode, 0, "status")
    equal(client("cvelist").stdout, "CVE-2026-1\n", "cvelist: the manifest's CVEs came through")
    add(2)
    sign("release1", "timestamp")
    equal(client("check-update").returncode, 4, "one signature of two: nothing is published")
    sign("release2", "timestamp")
    equal(client("update").stdout, "level 2 was fetched\n", "two: the next level")
    equal(installed(), [1, 2], "both are here")


def test_rotation():
    repo("key", "rotate", "--repo", WWW, "--add", "timestamp:timestamp-new.pub", "--remove", "timestamp:timestamp")
    sign("root1", "root3")
    sign("timestamp-new")
    equal(json.loads(client("check-update", "--json").stdout)["level"], 2, "a new root and its timestamp key are followed")
    equal(json.loads(client("status", "--json").stdout)["trust"]["root"], 2, "… and known")


def test_release_keys():
    """What is installed stays loadable when other keys sign: its proof is renewed with the release."""
    for key in ["release3", "release4"]:
        repo("key", "new", key)
    changes = ["--add", "release:release3.pub", "--add", "release:release4.pub", "--remove", "release:release1", "--remove", "release:release2"]
    repo("key", "rotate", "--repo", WWW, *changes)
    sign("root1", "root3")
    sign("timestamp-new")
    HOST.set_loaded(None)
    equal(client("check-update").returncode, 4, "other keys sign releases, but have not yet")
    result = client("load", "1")
    equal((result.returncode, "the kernel refused" in result.stderr), (1, True), "… what was installed before holds until they have, else a boot would leave the host without")
    sign("release3", "release4")
    sign("timestamp-new")
    equal(client("check-update").stdout, "level 2 is there for this host\n", "they have")
    for level in [1, 2]:
        result = client("load", str(level))
        equal((result.returncode, "the kernel refused" in result.stderr), (1, True), f"… level {level}, which was installed before, comes as far as the kernel")
    HOST.set_loaded("kpatch_1")


def test_notices():
    repo("block", "--repo", WWW, "--reason", "it is slow", "2")
    sign("timestamp-new")
    doc = json.loads(client("check-update", "--json").stdout)
    equal((doc["loaded"], doc["level"]), (1, 1), "a blocked level isn't wanted any more")
    result = client("load", "2")
    equal(result.returncode, 3, "… nor loaded from the disk")
    contains(result.stderr, "level 2 is blocked by its publisher: it is slow", "… the reason is told")
    rows = json.loads(client("patches", "--json").stdout)["levels"]
    equal([row["against"] for row in rows], ["", "blocked-by-vendor"], "… and shown")
    repo("withdraw", "--repo", WWW, "--reason", "it is wrong", "2")
    sign("timestamp-new")
    client("check-update")
    result = client("load", "2")
    equal(result.returncode, 3, "blocked and withdrawn: not loaded either")
    contains(result.stderr, "level 2 was withdrawn by its publisher: it is wrong", "… the reason is told")
    repo("block", "--repo", WWW, "--undo", "2")
    sign("timestamp-new")
    client("check-update")
    equal(client("load", "2").returncode, 3, "nor when it is only withdrawn")


def test_licence():
    repo("licence", "issue", "--key", "licence.key", "--output", "licence", "--id", "L-7", "--holder", "Example", "--days", "10")
    equal(client("licence", "install", TMP / "licence").returncode, 0, "a licence is taken")
    equal(json.loads(client("licence", "status", "--json").stdout)["id"], "L-7", "… and shown")


def test_bundle():
    add(3)
    sign("release3", "release4", "timestamp-new")
    repo("bundle", "--repo", WWW, "--key", "timestamp-new.key", "bundle.tar")
    SERVER.stop()
    result = client("bundle", "install", TMP / "bundle.tar")
    equal((result.returncode, result.stdout), (0, "level 3 was fetched\n"), "a bundle, without a network")
    equal(json.loads(client("status", "--json").stdout)["trust"]["bundle"], True, "… is known as one")


for function in [test_update, test_rotation, test_release_keys, test_notices, test_licence, test_bundle]:
    function()
tap.done()
