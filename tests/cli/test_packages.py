#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Levels as packages: readykernel-repo packages writes what apt and dnf read. What the packages do on a host is tested in a guest.
Argument: readykernel-repo."""

import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import tap  # noqa: E402
from fake_repository import make_module  # noqa: E402
from tap import contains, equal, ok, run  # noqa: E402

TOOL = sys.argv[1]
TMP = pathlib.Path(tap.tmpdir())
REPO, OUT = TMP / "repo", TMP / "out"
KERNEL = {"release": "6.1.0-47-cloud-amd64", "version": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)",
          "build_id": "4f61d8f6405b1c6eed15a7a3e2e27067394202d3", "arch": "x86_64"}
NAME = f"readykernel-patch-{KERNEL['release']}"


def must(*args):
    result = run([TOOL, *args])
    if result.returncode != 0:
        tap.bail_out(f"{args}: {result.stderr}")
    return result.stdout


def keys(*names):
    return [part for name in names for part in ("--key", TMP / f"{name}.key")]


def make_repository():
    for name in ("root1", "root2", "release1", "release2", "timestamp"):
        must("key", "new", TMP / name)
    public = {name: TMP / f"{name}.pub" for name in ("root1", "root2", "release1", "release2", "timestamp")}
    must("init", "--root", public["root1"], "--root", public["root2"], "--release", public["release1"], "--release", public["release2"],
         "--timestamp", public["timestamp"], "--licence", public["timestamp"], "--product", "debian-12", REPO)
    must("sign", "--repo", REPO, *keys("root1", "root2"))
    for level in (1, 2):
        add(level)
    sign()
    shutil.copy(REPO / "root.signed", TMP / "root.signed")


def add(level):
    path = TMP / f"kpatch_{level}.ko"
    path.write_bytes(make_module(TMP, KERNEL, level, f"kpatch_{level}", [f"CVE-2026-{n}" for n in range(1, 100 * level)]))
    must("add", "--repo", REPO, "--without-evidence", "a test", "--channel", "stable", path)


def sign():
    must("sign", "--repo", REPO, *keys("release1", "release2", "timestamp"))


def packages(*args, env=None):
    return run([TOOL, "packages", "--root", TMP / "root.signed", *args, REPO, OUT], env=env)


def names(place, suffix):
    return sorted(path.name for path in (OUT / place).glob(f"*{suffix}"))


def test_written():
    result = packages()
    equal((result.returncode, result.stdout), (0, "6 packages written, 0 kept, 0 removed\n"), "written")
    equal(names("apt/pool/stable", ".deb"), [f"{NAME}-1_1_amd64.deb", f"{NAME}-2_2_amd64.deb", f"{NAME}_2_amd64.deb"], "debs")
    equal(names("dnf/stable", ".rpm"), [f"{NAME}-1-1-1.x86_64.rpm", f"{NAME}-2-1.x86_64.rpm", f"{NAME}-2-2-1.x86_64.rpm"], "rpms")
    equal([path.name for path in OUT.iterdir() if path.name.startswith(".")], [], "nothing is left lying about")


def test_deb():
    deb = OUT / f"apt/pool/stable/{NAME}-2_2_amd64.deb"
    fields = {name: run(["dpkg-deb", "-f", deb, name]).stdout.strip() for name in ("Package", "Version", "Architecture", "Depends")}
    equal(fields, {"Package": f"{NAME}-2", "Version": "2", "Architecture": "amd64", "Depends": "readykernel"}, "deb: control")
    about = run(["dpkg-deb", "-f", deb, "Description"]).stdout
    contains(about, "CVE-2026-100\n", "deb: names its CVEs")
    contains(about, "and 40 more CVEs", "deb: not all of them")
    module = TMP / "unpacked"
    subprocess.run(["dpkg-deb", "-x", deb, module], check=True)
    path = module / f"usr/lib/readykernel/patches/{KERNEL['release']}/kpatch_2.ko"
    ok(path.exists() and path.read_bytes() == (TMP / "kpatch_2.ko").read_bytes(), "deb: the module as it is")
    for script in ("postinst", "prerm"):
        text = run(["dpkg-deb", "-I", deb, script]).stdout
        ok("@" not in text.replace("$@", "") and "kpatch_2" in text, f"deb: {script} is filled in", text)
        path = TMP / script
        path.write_text(text)
        equal(run(["sh", "-n", path]).returncode, 0, f"deb: {script} is shell")
    equal(run(["dpkg-deb", "-f", OUT / f"apt/pool/stable/{NAME}_2_amd64.deb", "Depends"]).stdout, f"{NAME}-2\n", "deb: one that follows the newest")
    result = run(["lintian", "--fail-on", "error", "--suppress-tags",
                  "no-changelog,no-copyright-file,maintainer-script-ignores-errors,bogus-mail-host", deb])
    equal((result.returncode, [line for line in result.stdout.splitlines() if line.startswith(("E:", "W:"))]), (0, []), "deb: lintian")


def test_rpm():
    rpm = OUT / f"dnf/stable/{NAME}-2-2-1.x86_64.rpm"
    equal(run(["rpm", "-qp", "--qf", "%{NAME} %{VERSION} %{ARCH}\\n", rpm]).stdout, f"{NAME}-2 2 x86_64\n", "rpm: names")
    requires = run(["rpm", "-qpR", rpm]).stdout.split("\n")
    ok("readykernel" in requires and not any("kernel(" in line for line in requires), "rpm: needs readykernel", str(requires))
    equal(run(["rpm", "-qpl", rpm]).stdout, f"/usr/lib/readykernel/patches/{KERNEL['release']}/kpatch_2.ko\n", "rpm: files")
    scripts = run(["rpm", "-qp", "--scripts", rpm]).stdout
    ok(all(text in scripts for text in ("postinstall", "kpatch load", "preuninstall", "kpatch unload")), "rpm: scripts", scripts)
    equal(run(["rpm", "-qpR", OUT / f"dnf/stable/{NAME}-2-1.x86_64.rpm"]).stdout.split("\n")[0], f"{NAME}-2", "rpm: one that follows the newest")


def test_lists():
    lists = (OUT / "apt/dists/stable/main/binary-amd64/Packages").read_text()
    equal(lists.count("\nFilename: pool/stable/readykernel-patch-") + lists.startswith("Filename:"), 3, "apt: all are listed")
    release = (OUT / "apt/dists/stable/Release").read_text()
    contains(release, "Suite: stable", "apt: Release")
    contains(release, "main/binary-amd64/Packages", "apt: Release has the list's hash")
    ok((OUT / "dnf/stable/repodata/repomd.xml").exists(), "dnf: repodata")


def test_again():
    equal(packages().stdout, "0 packages written, 6 kept, 0 removed\n", "again: nothing to do")
    before = (OUT / f"apt/pool/stable/{NAME}-1_1_amd64.deb").read_bytes()
    rpm = (OUT / f"dnf/stable/{NAME}-1-1-1.x86_64.rpm").read_bytes()
    shutil.rmtree(OUT)
    packages()
    equal((OUT / f"apt/pool/stable/{NAME}-1_1_amd64.deb").read_bytes() == before, True, "again: the same bytes, deb")
    equal((OUT / f"dnf/stable/{NAME}-1-1-1.x86_64.rpm").read_bytes() == rpm, True, "again: the same bytes, rpm")
    add(3)
    must("block", "--repo", REPO, "--reason", "a test", "2")
    sign()
    equal(packages().stdout, "4 packages written, 2 kept, 4 removed\n", "a blocked level goes, a new one comes")
    equal(names("apt/pool/stable", ".deb"), [f"{NAME}-1_1_amd64.deb", f"{NAME}-3_3_amd64.deb", f"{NAME}_3_amd64.deb"], "debs then")


def test_gpg():
    home = TMP / "gpg"
    home.mkdir(mode=0o700)
    env = {"GNUPGHOME": str(home)}
    made = run(["gpg", "--batch", "--passphrase", "", "--quick-generate-key", "packages@example.org", "ed25519", "sign", "never"], env=env)
    if made.returncode != 0:
        tap.bail_out(made.stderr)
    equal(packages("--gpg-key", "packages@example.org", env=env).returncode, 0, "gpg: signed")
    equal(run(["gpg", "--verify", OUT / "apt/dists/stable/InRelease"], env=env).returncode, 0, "gpg: InRelease")
    data = OUT / "dnf/stable/repodata/repomd.xml"
    equal(run(["gpg", "--verify", f"{data}.asc", data], env=env).returncode, 0, "gpg: repomd.xml")
    run(["gpgconf", "--kill", "all"], env=env)


def test_refused():
    result = run([TOOL, "packages", REPO, OUT])
    equal(result.returncode, 2, "refused: no root")
    contains(result.stderr, "missing option '--root'", "refused: no root")
    module = next(REPO.glob("kernels/*/files/*.ko"))
    module.write_bytes(module.read_bytes()[:-1] + b"x")
    before = names("apt/pool/stable", ".deb")
    result = packages()
    equal((result.returncode, names("apt/pool/stable", ".deb")), (3, before), "refused: a repository that was changed")


def test_postinst():
    """The script of a package with a kpatch that answers as it is told."""
    folder = TMP / "bin"
    folder.mkdir()
    (folder / "kpatch").write_text('#!/bin/sh\necho "$1" >>"$LOG"\n[ "$1" = install ] && exit "$INSTALL"\nexit 0\n')
    (folder / "kpatch").chmod(0o755)
    text = (pathlib.Path(os.environ["RK_SOURCE_ROOT"]) / "lib/package/install.sh").read_text()
    for key, value in {"KERNEL": os.uname().release, "FILE": "/x/kpatch_1.ko", "MODULE": "kpatch_1", "PACKAGE": NAME}.items():
        text = text.replace(f"@{key}@", value)
    # what the host's own command line and administrator say is none of this
    text = text.replace("/proc/cmdline", os.devnull).replace("/etc/readykernel/disable", str(TMP / "none"))
    for status, what, calls in [(0, "installed now", ["install", "load"]), (4, "after one that was cut off", ["install", "load"]),
                                (1, "refused", ["install"])]:
        log = TMP / f"postinst-{status}"
        result = run(["sh", "-c", text], env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "LOG": str(log), "INSTALL": str(status)})
        equal((result.returncode, log.read_text().split()), (0, calls), f"postinst: {what}")


make_repository()
test_postinst()
test_written()
test_deb()
test_rpm()
test_lists()
test_again()
test_gpg()
test_refused()
tap.done()
