#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Targets, from apt to a prepared tree, on a Debian archive of our own. Arguments: kpatch-build, and
one test to run (all)."""

import fcntl
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_debian import Archive, Kernel  # noqa: E402
from tap import contains, done, equal, ok, run, skip, skip_all, tmpdir  # noqa: E402

TOOL = os.path.abspath(sys.argv[1])

for needed in ("apt-get", "dpkg-deb", "gcc", "pahole", "flex", "bison", "bc"):
    if not shutil.which(needed):
        skip_all(f"'{needed}' isn't installed")


class Bench:
    """An archive and a cache of one test."""

    def __init__(self, *kernels):
        self.root = tmpdir()
        self.archive = Archive(self.root)
        self.cache = os.path.join(self.root, "xdg")
        self.env = {**self.archive.env, "XDG_CACHE_HOME": self.cache}
        for i, kernel in enumerate(kernels):
            self.archive.add(kernel, source=kernel.version not in [k.version for k in kernels[:i]])

    def tool(self, *args, **kwargs):
        return run([TOOL, *args], env=self.env, **kwargs)

    def target(self, *args, **kwargs):
        return self.tool("target", *args, **kwargs)

    def start(self, *args):
        return subprocess.Popen([TOOL, "target", *args], env={**os.environ, **self.env}, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def dir(self, kernel, *path):
        return os.path.join(self.cache, "readykernel/targets", f"debian_{kernel.release}", *path)

    def has(self, kernel, *path):
        return os.path.lexists(self.dir(kernel, *path))

    def read(self, kernel, *path):
        with open(self.dir(kernel, *path), encoding="utf-8") as file:
            return file.read()


def spec(kernel):
    return f"debian:{kernel.release}"


def fails(result, status, *parts):
    """The command ended with status and one error that contains all parts."""
    name = parts[0]
    equal(result.returncode, status, f"{name}: status")
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    equal(len(errors), 1, f"{name}: one error")
    for part in parts:
        contains(result.stderr, part, f"{name}: message")


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    ok(False, what, f"not within {seconds} s")


def test_fetch():
    kernel = Kernel()
    bench = Bench(kernel)
    empty = bench.target("list")
    contains(empty.stdout, "no targets in", "an empty cache says so")
    equal(json.loads(bench.target("list", "--json").stdout),
          {"schema": "kpatch-build-target-list/1", "targets": []}, "an empty list in JSON")
    fails(bench.target("show", spec(kernel)), 1, f"target '{spec(kernel)}' isn't in the cache",
          f"kpatch-build target fetch {spec(kernel)}")

    offer = json.loads(bench.target("list", "--available", "--json").stdout)["targets"]
    equal([(t["id"], t["source_version"], t["available"], t["has_build"]) for t in offer],
          [(spec(kernel), kernel.version, True, False)], "a complete release is on offer")

    result = bench.target("fetch", spec(kernel))
    equal(result.returncode, 0, "fetch")
    contains(result.stdout, f"target '{spec(kernel)}' {kernel.version} is ready in '{bench.dir(kernel)}'",
             "fetch says where it is")
    equal(re.findall(r"^(\w+):", result.stderr, re.M), ["fetch", "unpack", "prepare"], "one line per phase")

    shown = json.loads(bench.target("show", "--json", spec(kernel)).stdout)
    expected = {
        "schema": "kpatch-build-target-show/1",
        "id": spec(kernel), "release": kernel.release, "source_version": kernel.version,
        "version": f"#1 SMP Debian {kernel.version} (2026-01-02)", "build_id": kernel.build_id,
        "compiler": kernel.compiler, "dir": bench.dir(kernel), "source": bench.dir(kernel, "build/source"),
        "config": bench.dir(kernel, "build/config"), "vmlinux": bench.dir(kernel, "build/vmlinux"),
        "symvers": bench.dir(kernel, "build/Module.symvers"), "image": bench.dir(kernel, "image/vmlinuz"),
        "modules": bench.dir(kernel, "image/modules"), "in_use": False,
    }
    bytes_used = shown.pop("bytes")
    equal(shown, expected, "everything that is known")
    ok(0 < bytes_used < 10e6, "its size", bytes_used)
    for name in ("source", "config", "vmlinux", "symvers", "image", "modules"):
        ok(os.path.exists(shown[name]), f"{name} is there", shown[name])
    contains(bench.target("show", spec(kernel)).stdout, f"build_id        {kernel.build_id}", "show in words")

    source = bench.dir(kernel, "build/source")
    contains(bench.read(kernel, "build/source/include/generated/utsrelease.h"), kernel.release, "KERNELRELEASE")
    equal(bench.read(kernel, "build/source/include/generated/cc").strip(), kernel.compiler.split()[0], "CC")
    contains(bench.read(kernel, "build/source/.config"), "CONFIG_BUILD_SALT", "the headers' complete .config")
    contains(bench.read(kernel, "build/source/Module.symvers"), "printk", "Module.symvers of the headers")
    contains(bench.read(kernel, "build/source/include/generated/package.h"), f'" Debian {kernel.version}"', "the package's name is the shipped kernel's")
    equal(os.readlink(os.path.join(source, "scripts/link")), "../fs", "symbolic links stay links")
    there = [p for p in kernel.source_files if os.path.exists(os.path.join(source, p))]
    equal(sorted(set(kernel.source_files) - set(there)), ["Documentation/index.rst", "arch/arm/kernel/cpu.c"],
          "what x86 code doesn't need isn't unpacked")
    equal(sorted(bench.read(kernel, "build/source-files.txt").split()),
          sorted([*kernel.source_files, *kernel.links]), "but is known to exist")
    ok(not bench.has(kernel, "download"), "packages are gone once they are unpacked")
    ok(not bench.has(kernel, "build/usr") and not bench.has(kernel, "build/source/usr"), "nothing else is unpacked")

    asked = len(bench.archive.requests)
    equal(bench.target("fetch", spec(kernel)).returncode, 0, "fetch again")
    equal(len(bench.archive.requests), asked, "nothing is downloaded twice")
    contains(bench.target("list").stdout, f"{spec(kernel)}  {kernel.version}", "listed")
    return bench, kernel


def test_verify_and_remove():
    bench, kernel = test_fetch()
    equal(bench.target("verify", spec(kernel)).returncode, 0, "verify a good target")
    path = bench.dir(kernel, "build/source/fs/exec.c")
    os.chmod(path, 0o644)
    with open(path, "a", encoding="utf-8") as file:
        file.write("/* edited */\n")
    fails(bench.target("verify", spec(kernel)), 1,
          f"1 of 8 files aren't what the package had: '{path}' was changed")
    path = bench.dir(kernel, "image/modules/kernel/net/foo-bar.ko")
    os.unlink(path)
    fails(bench.target("verify", spec(kernel)), 1, f"'{path}' is missing")

    with open(os.path.join(bench.cache, f"readykernel/locks/debian_{kernel.release}.use"), "w",
              encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        equal(json.loads(bench.target("list", "--json").stdout)["targets"][0]["in_use"], True, "in use")
        fails(bench.target("rm", spec(kernel)), 1, f"cannot remove '{spec(kernel)}' while another process uses it")
        ok(bench.has(kernel, "build/part.json"), "a target in use stays")
    equal(bench.target("rm", spec(kernel)).returncode, 0, "rm")
    equal(os.listdir(os.path.join(bench.cache, "readykernel/targets")), [], "nothing is left of it")
    fails(bench.target("rm", spec(kernel)), 1, f"target '{spec(kernel)}' isn't in the cache")
    fails(bench.target("verify", spec(kernel)), 1, f"target '{spec(kernel)}' isn't in the cache")


def inlined(path):
    """The index of inlined functions: modules (with debug info?), and (function, object, unit, container, in init code) of each place."""
    with open(path, "rb") as file:
        data = file.read()
    counts = struct.unpack_from("<5I", data, 144)
    parts, at = [], 164
    for count, width in zip(counts, (2, 2, 4, 2)):
        parts.append([struct.unpack_from(f"<{width}I", data, at + 4 * width * i) for i in range(count)])
        at += 4 * width * count
    objects, units, functions, places = parts
    equal(len(data), at + counts[4], "index: nothing behind its strings")

    def text(offset):
        return data[at + offset:data.index(b"\0", at + offset)].decode()

    return {text(name): bool(known) for name, known in objects}, [
        (text(name), text(objects[units[unit][1]][0]), text(units[unit][0]), text(container & 0x7fffffff), bool(container >> 31))
        for name, _, first, nr in functions for unit, container in places[first:first + nr]]


def test_inlines():
    """While the debug package is unpacked, each module's debug info is read once, and none stays."""
    kernel = Kernel()
    bench = Bench(kernel)
    path = bench.dir(kernel, "build/inlines")
    equal(bench.target("fetch", spec(kernel)).returncode, 0, "index: fetch")
    modules, places = inlined(path)
    equal(modules, {"foo_bar": True, "vmlinux": False, "without": False}, "index: what there is, and of what debug info")
    equal(places, [("foo_ok", "foo_bar", "net/foo.c", "foo_init", True), ("foo_ok", "foo_bar", "net/foo.c", "foo_run", False)], "index: what is inlined")
    left = subprocess.run(["grep", "-rlac", "foo_run", bench.dir(kernel)], capture_output=True, text=True, check=False).stdout
    equal(left, path + "\n", "index: no debug info stays unpacked")
    equal(bench.target("verify", spec(kernel)).returncode, 0, "index: verified")
    with open(path, "r+b") as file:
        file.seek(-2, os.SEEK_END)
        file.write(b"!")
    fails(bench.target("verify", spec(kernel)), 1, f"'{path}' is damaged; remove the target and fetch it again")
    os.truncate(path, 100)
    fails(bench.target("verify", spec(kernel)), 1, f"'{path}' is no index of inlined functions")

    broken = Kernel(abi="2")
    broken.debug_module = b"no ELF file"
    bench.archive.add(broken, source=False)
    fails(bench.target("fetch", spec(broken)), 1, "cannot read the debug info of module 'foo_bar'")
    check_nothing_half_done(bench, broken, "a module that can't be read")


def test_image_only():
    kernel = Kernel()
    bench = Bench(kernel)
    equal(bench.target("fetch", "--image-only", spec(kernel)).returncode, 0, "fetch --image-only")
    ok(bench.has(kernel, "image/vmlinuz") and not bench.has(kernel, "build"), "the image and no more")
    entry = json.loads(bench.target("list", "--json").stdout)["targets"][0]
    equal((entry["has_image"], entry["has_build"]), (True, False), "listed as such")
    equal(bench.archive.fetched("-dbg"), [], "the debug image isn't fetched for it")
    # A newer version of the same release must not be mixed with the part that is there.
    older = bench.archive.stanzas
    newer = Kernel(version="6.1.7-2")
    bench.archive.stanzas = []
    bench.archive.add(newer)
    fails(bench.target("fetch", spec(kernel)), 1, "the image in the cache is of version 6.1.7-1",
          f"kpatch-build target rm {spec(kernel)}", "apt has no 'linux-image-")
    bench.archive.stanzas += older
    bench.archive.update()
    equal(bench.target("fetch", spec(kernel)).returncode, 0, "then the rest")
    equal(json.loads(bench.target("show", "--json", spec(kernel)).stdout)["source_version"], "6.1.7-1",
          "parts are of one version")
    equal(len(bench.archive.fetched(f"linux-image-{kernel.release}_")), 1, "the image isn't fetched again")


def test_versions():
    old, new = Kernel("9"), Kernel("10", "6.1.8-1")
    bench = Bench(new, old)
    equal([t["release"] for t in json.loads(bench.target("list", "--available", "--json").stdout)["targets"]],
          [old.release, new.release], "oldest first, in version order")
    fails(bench.target("fetch", "debian:6.1.0-11-cloud-amd64"), 1,
          "apt has no 'linux-image-6.1.0-11-cloud-amd64' on offer", f"complete on offer are: {new.release}, {old.release}")
    equal(os.listdir(os.path.join(bench.cache, "readykernel/targets")), [], "an unknown release leaves nothing")
    fails(bench.target("fetch", "debian:../../etc"), 2, "'debian:../../etc' is no target")
    fails(bench.target("fetch", "6.1.0-9-cloud-amd64"), 2, "'6.1.0-9-cloud-amd64' is no target")

    lonely = Kernel("12", "6.1.9-1")
    bench.archive.add_image(lonely)
    bench.archive.add_headers(lonely)
    bench.archive.update()
    fails(bench.target("fetch", spec(lonely)), 1,
          f"apt has no 'linux-image-{lonely.release}-dbg' of version 6.1.9-1 on offer", "(on offer: none)")
    bench.archive.add_debug(lonely)
    bench.archive.update()
    fails(bench.target("fetch", spec(lonely)), 1, "apt has no 'linux-source-6.1' of version 6.1.9-1 on offer",
          "(on offer: 6.1.8-1, 6.1.7-1)")
    ok(not bench.has(lonely, "image"), "nothing is fetched of an incomplete release")
    equal(bench.archive.fetched("linux"), [], "not even downloaded")
    equal(bench.target("fetch", "--image-only", spec(lonely)).returncode, 0, "its image is enough for tests")

    realtime = Kernel("13", "6.1.8-1", "rt-amd64")
    bench.archive.add(realtime, source=False)
    fails(bench.target("fetch", spec(realtime)), 1, "is built from a source with the real-time patches")


def test_no_lists():
    bench = Bench()
    fails(bench.target("fetch", "debian:6.1.0-1-cloud-amd64"), 1, "apt has no kernel packages on offer",
          "'apt-get update'")


def check_nothing_half_done(bench, kernel, name, parts=("build",)):
    for part in parts:
        ok(not bench.has(kernel, part), f"{name}: no half-made '{part}' is left")


def test_mismatch():
    kernel = Kernel()
    kernel.debug_build_id = "ab" * 20
    bench = Bench(kernel)
    fails(bench.target("fetch", spec(kernel)), 1,
          f"the build-ids of image ({kernel.build_id}) and debug image ({'ab' * 20}) differ")
    check_nothing_half_done(bench, kernel, "build-id")

    kernel = Kernel()
    kernel.boot_config_extra = "CONFIG_KASAN=y\n"
    bench = Bench(kernel)
    fails(bench.target("fetch", spec(kernel)), 1, "differ (image, headers): CONFIG_KASAN (y, not set)")
    check_nothing_half_done(bench, kernel, "config")
    equal(bench.archive.fetched("-dbg"), [], "config: caught before the large downloads")


def test_compiler():
    kernel = Kernel()
    name = kernel.compiler.split()[0]
    theirs = f"{name} (Debian 99.9-1) 99.9.0"
    ours, kernel.compiler = kernel.compiler, theirs
    bench = Bench(kernel)
    fails(bench.target("fetch", spec(kernel)), 1, f"the kernel was built by '{theirs}', but '{name}' is ",
          ours.split(" ", 1)[1], "--skip-compiler-check")
    equal(bench.archive.fetched("-dbg"), [], "compiler: caught before the large downloads")
    equal(bench.target("fetch", "--skip-compiler-check", spec(kernel)).returncode, 0, "--skip-compiler-check")
    equal(bench.target("show", spec(kernel)).returncode, 0, "show doesn't judge this machine's compiler")
    fails(bench.target("fetch", spec(kernel)), 1, f"the kernel was built by '{theirs}'")

    kernel = Kernel()
    kernel.compiler = "gcc-77 (Debian 77) 77.0.0"
    bench = Bench(kernel)
    fails(bench.target("fetch", spec(kernel)), 1, "the compiler 'gcc-77' isn't installed", "apt-get install gcc-77")


def test_prepare_fails():
    kernel = Kernel()
    kernel.source_files["prepare.sh"] = "echo something is wrong here >&2; exit 3\n"
    bench = Bench(kernel)
    fails(bench.target("fetch", spec(kernel)), 1, "something is wrong here", bench.dir(kernel, "prepare.log"))
    contains(bench.read(kernel, "prepare.log"), "configuring", "the whole log is kept")
    check_nothing_half_done(bench, kernel, "prepare")
    ok(bench.has(kernel, "image/part.json"), "prepare: the image is good and stays")
    asked = len(bench.archive.fetched("-dbg"))
    bench.target("fetch", spec(kernel))
    equal(len(bench.archive.fetched("-dbg")), asked, "prepare: the packages are kept for the next try")

    kernel = Kernel()
    kernel.source_files["olddefconfig.sh"] = "sed -i 's/^CONFIG_LIVEPATCH=y/CONFIG_LIVEPATCH=m/' .config\n"
    bench = Bench(kernel)
    fails(bench.target("fetch", spec(kernel)), 1, "1 options differ from the shipped kernel's",
          "CONFIG_LIVEPATCH (y, m)")
    check_nothing_half_done(bench, kernel, "options")
    result = bench.target("fetch", "--verbose", "--skip-compiler-check", spec(kernel))
    equal(result.returncode, 0, "options: not judged with --skip-compiler-check")
    contains(result.stderr, "CONFIG_LIVEPATCH (y, m)", "options: but told")

    # kbuild must not see what the caller's environment has for other makes.
    kernel = Kernel()
    kernel.source_files["prepare.sh"] = 'test -z "$ARCH$KCFLAGS$CROSS_COMPILE" || exit 1\n'
    bench = Bench(kernel)
    bench.env.update(ARCH="arm", KCFLAGS="-O9", CROSS_COMPILE="arm-", MAKEFLAGS="-n --jobserver-auth=77,78")
    equal(bench.target("fetch", spec(kernel)).returncode, 0, "the caller's environment doesn't reach kbuild")
    ok(bench.has(kernel, "build/source/include/generated/cc"), "not even MAKEFLAGS=-n")


def big_kernel():
    kernel = Kernel()
    kernel.source_files["fs/big.c"] = os.urandom(600_000)
    return kernel


def resume(last_modified):
    kernel = big_kernel()
    bench = Bench(kernel)
    bench.archive.delay = 0.004
    bench.archive.last_modified = last_modified
    process = bench.start("fetch", spec(kernel))
    partial = bench.dir(kernel, f"download/linux-source-6.1_{kernel.version}.deb")
    wait_for(lambda: os.path.exists(partial) and os.path.getsize(partial) > 100_000, "a download under way")
    process.kill()
    process.communicate()
    check_nothing_half_done(bench, kernel, "killed download", parts=("build/source",))
    ok(not bench.has(kernel, "build/part.json"), "killed download: no build part")
    equal([t["has_build"] for t in json.loads(bench.target("list", "--json").stdout)["targets"]], [False],
          "killed download: not listed as there")
    bench.archive.delay = 0
    bench.archive.requests.clear()
    result = bench.target("fetch", spec(kernel))
    equal((result.returncode, bench.has(kernel, "build/part.json")), (0, True), "fetch after a kill")
    equal(bench.target("verify", spec(kernel)).returncode, 0, "and everything is right")
    return bench.archive.fetched("linux-source"), bench.archive.fetched(f"linux-image-{kernel.release}_")


def test_resume():
    source, image = resume(last_modified=True)
    start = int(re.match(r"bytes=(\d+)-", source[0] or "bytes=0-")[1]) if source else 0
    ok(start >= 100_000, "the download goes on where it was killed", source)
    equal(image, [], "what was complete isn't asked for again")
    source, image = resume(last_modified=False)
    ok(len(source) in (1, 2), "a server that doesn't say when: the one package from its start", source)
    equal(image, [], "what was complete isn't asked for again")


def test_leftovers():
    kernel = Kernel()
    kernel.debug_build_id = "ab" * 20
    bench = Bench(kernel)
    bench.target("fetch", spec(kernel))
    shutil.rmtree(bench.dir(kernel, "image"))
    entry = json.loads(bench.target("list", "--json").stdout)["targets"][0]
    ok(not entry["has_image"] and not entry["has_build"] and entry["bytes"] > 0, "leftovers are listed", entry)
    contains(bench.target("list", "--available").stdout, f"{kernel.version}  leftovers", "in words")
    fails(bench.target("show", spec(kernel)), 1, f"target '{spec(kernel)}' isn't in the cache")
    equal(bench.target("rm", spec(kernel)).returncode, 0, "and can be removed")
    ok(not bench.has(kernel), "nothing is left")


def test_wrong_hash():
    kernel = Kernel()
    bench = Bench(kernel)
    path = os.path.join(bench.archive.root, f"linux-source-6.1_{kernel.version}_amd64.deb")
    with open(path, "r+b") as file:
        file.seek(-10, os.SEEK_END)
        file.write(b"\0\1\2\3")
    fails(bench.target("fetch", spec(kernel)), 1, "cannot download 'linux-source-6.1' 6.1.7-1")
    check_nothing_half_done(bench, kernel, "hash")


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def slow_prepare():
    kernel = Kernel()
    kernel.source_files["prepare.sh"] = "test -e ../../go || { echo $$ > ../../waiting; exec sleep 600; }\n"
    return kernel


def test_killed_prepare():
    kernel = slow_prepare()
    bench = Bench(kernel)
    process = bench.start("fetch", spec(kernel))
    wait_for(lambda: bench.has(kernel, "waiting"), "a prepare under way")
    process.kill()
    process.communicate()
    with open(bench.dir(kernel, "go"), "w", encoding="ascii"):
        pass
    marker = bench.dir(kernel, "build/source/left-by-the-killed-one")
    with open(marker, "w", encoding="ascii"):
        pass
    equal(json.loads(bench.target("list", "--json").stdout)["targets"][0]["has_build"], False,
          "killed prepare: the part doesn't count")
    # What the killed one had started may still write to its tree: it is waited for.
    process = bench.start("fetch", spec(kernel))
    first = process.stderr.readline()
    equal(first, f"wait: for another process that fetches '{spec(kernel)}'\n", "leftovers are waited for")
    os.kill(int(bench.read(kernel, "waiting")), signal.SIGTERM)
    process.communicate(timeout=60)
    equal(process.returncode, 0, "fetch after a killed prepare")
    ok(not os.path.exists(marker), "starts with a clean tree")
    equal(bench.target("verify", spec(kernel)).returncode, 0, "and everything is right")


def test_interrupt():
    kernel = slow_prepare()
    bench = Bench(kernel)
    process = bench.start("fetch", spec(kernel))
    wait_for(lambda: bench.has(kernel, "waiting"), "a prepare under way")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    equal(process.returncode, -signal.SIGINT, "Ctrl-C ends as a shell expects it")
    check_nothing_half_done(bench, kernel, "Ctrl-C")
    pid = int(bench.read(kernel, "waiting"))
    wait_for(lambda: not is_running(pid), "Ctrl-C: what it had started is gone")
    ok(not is_running(pid), "Ctrl-C: what it had started is gone")

    kernel = big_kernel()
    bench = Bench(kernel)
    bench.archive.delay = 0.01
    process = bench.start("fetch", spec(kernel))
    partial = bench.dir(kernel, f"download/linux-source-6.1_{kernel.version}.deb")
    wait_for(lambda: os.path.exists(partial) and os.path.getsize(partial) > 20_000, "a download under way")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    equal(process.returncode, -signal.SIGINT, "Ctrl-C in a download")
    check_nothing_half_done(bench, kernel, "Ctrl-C in a download")


def test_two_at_once():
    kernel = big_kernel()
    bench = Bench(kernel)
    bench.archive.delay = 0.001
    processes = [bench.start("fetch", spec(kernel)) for _ in range(3)]
    for process in processes:
        out, err = process.communicate(timeout=120)
        equal(process.returncode, 0, "several fetches at once")
        contains(out, "is ready in", "several fetches at once")
    for name in ("linux-source", "-dbg", "linux-headers", f"linux-image-{kernel.release}_"):
        equal(len(bench.archive.fetched(name)), 1, f"'{name}' is downloaded once")
    equal(bench.target("verify", spec(kernel)).returncode, 0, "several fetches at once: all is right")


def test_offline():
    kernel = Kernel()
    bench = Bench(kernel)
    patch = os.path.join(bench.root, "fix.patch")
    with open(patch, "w", encoding="ascii") as file:
        file.write("--- a/fs/exec.c\n+++ b/fs/exec.c\n@@ -1 +1 @@\n-int exec;\n+int exec2;\n")
    fails(bench.tool("--offline", "--target", spec(kernel), patch), 1,
          f"target '{spec(kernel)}' isn't complete in the cache", "--offline",
          f"kpatch-build target fetch {spec(kernel)}")
    equal(bench.archive.fetched("linux"), [], "--offline asks nobody")
    bench.archive.server.shutdown()
    bench.archive.server.server_close()
    fails(bench.target("fetch", spec(kernel)), 1, f"cannot download 'linux-image-{kernel.release}'",
          "run the command again to go on")


def mount_tmpfs(bench, size):
    os.makedirs(bench.cache, exist_ok=True)
    result = run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", bench.cache])
    return result.returncode == 0


def test_disk_full():
    kernel = Kernel()
    bench = Bench(kernel)
    if not mount_tmpfs(bench, "100k"):
        skip("disk full", "mounting a small file system isn't allowed here")
        return
    try:
        fails(bench.target("fetch", spec(kernel)), 1, "needs 0.0 GB in", "kpatch-build target rm",
              "No space left on device")
        equal(bench.archive.fetched("linux"), [], "disk full: said before anything is downloaded")
    finally:
        run(["umount", bench.cache])

    # What unpacks to more than anybody can know before.
    kernel.source_files["fs/zero.c"] = bytes(8_000_000)
    bench = Bench(kernel)
    mount_tmpfs(bench, "4m")
    try:
        fails(bench.target("fetch", spec(kernel)), 1, "No space left on device")
        check_nothing_half_done(bench, kernel, "disk full")
    finally:
        run(["umount", bench.cache])


def test_explicit_paths():
    kernel = Kernel()
    bench = Bench(kernel)
    bench.target("fetch", spec(kernel))
    user = os.path.join(bench.root, "user")
    build = bench.dir(kernel, "build")
    shutil.copytree(os.path.join(build, "source"), user, symlinks=True)
    for name in ("fs/exec.o", "fs/.exec.o.cmd", "vmlinux"):
        with open(os.path.join(user, name), "w", encoding="ascii") as file:
            file.write("left by a build\n")
    patch = os.path.join(bench.root, "fix.patch")
    with open(patch, "w", encoding="ascii") as file:
        file.write("--- a/fs/exec.c\n+++ b/fs/exec.c\n@@ -1 +1 @@\n-int exec;\n+int exec2;\n")

    def state():
        return [(root, sorted(files), [os.stat(os.path.join(root, f), follow_symlinks=False).st_mtime_ns
                                       for f in sorted(files)]) for root, _, files in sorted(os.walk(user))]

    def build_with(**changed):
        paths = {"source": user, "config": f"{build}/config", "vmlinux": f"{build}/vmlinux",
                 "symvers": f"{build}/Module.symvers", **changed}
        return bench.tool(*[arg for name, path in paths.items() for arg in (f"--{name}", path)], "-o",
                          os.path.join(bench.root, "out"), patch)

    def copies():
        targets = os.path.join(bench.cache, "readykernel/targets")
        return sorted(name for name in os.listdir(targets) if name.startswith("path_"))

    before = state()
    first = build_with()
    contains(first.stderr, f"prepare: preparing the copy of '{user}'", "a tree of the user is copied and prepared")
    equal(state(), before, "the user's tree isn't written to")
    equal(len(copies()), 1, "one copy")
    copy = os.path.join(bench.cache, "readykernel/targets", copies()[0], "build")
    ok(os.path.exists(f"{copy}/source/include/generated/utsrelease.h"), "the copy is prepared")
    ok(not os.path.exists(f"{copy}/source/fs/exec.o") and not os.path.exists(f"{copy}/source/vmlinux"),
       "what a build had left isn't copied")
    ok("prepare:" not in build_with().stderr, "the copy is used again")
    with open(os.path.join(user, "fs/exec.c"), "a", encoding="ascii") as file:
        file.write("int more;\n")
    contains(build_with().stderr, "prepare: preparing", "an edited tree is another one")
    ok(len(copies()) == 1 and os.path.basename(os.path.dirname(copy)) not in copies(),
       "and the copy of its earlier state is removed", copies())
    fails(build_with(symvers="/nonexistent"), 1, "--symvers '/nonexistent' doesn't exist")
    fails(build_with(source=build), 1, "is no kernel source tree")
    fails(build_with(vmlinux=f"{build}/config"), 1, f"'{build}/config'")
    listed = json.loads(bench.target("list", "--json").stdout)["targets"]
    equal(sorted(t["id"].split(":")[0] for t in listed), ["debian", "path"], "listed beside the others")
    path_id = next(t["id"] for t in listed if t["id"].startswith("path:"))
    equal(bench.target("verify", path_id).returncode, 0, "verify a copy")
    equal(bench.target("rm", path_id).returncode, 0, "remove a copy")


def test_build_dir():
    """A kernel that was built here, in its tree or beside it: each thing that isn't there is named with what makes it."""
    kernel = Kernel()
    bench = Bench(kernel)
    bench.target("fetch", spec(kernel))
    made = bench.dir(kernel, "build")
    tree, beside = os.path.join(bench.root, "tree"), os.path.join(bench.root, "beside")
    shutil.copytree(os.path.join(made, "source"), tree, symlinks=True)
    os.remove(os.path.join(tree, ".config"))
    os.makedirs(beside)

    def fetch(*names, cwd="/"):
        return bench.target("fetch", "dir:" + ",".join(names), cwd=cwd)

    fails(fetch("/nonexistent"), 1, "'/nonexistent' is no directory")
    fails(fetch(""), 2, "'dir:' is no target")
    fails(fetch(tree, ""), 2, "is no target; write dir:TREE or dir:SOURCE,BUILD")
    fails(fetch(beside), 1, f"'{beside}' is neither a kernel source tree (it has no 'Kbuild') nor a build directory")
    for name, source, message in [(".config", "config", "configure the kernel"), ("vmlinux", "vmlinux", "build the kernel ('make')"),
                                  ("Module.symvers", "Module.symvers", "('make modules')")]:
        if os.path.exists(os.path.join(tree, name)):
            os.remove(os.path.join(tree, name))
        fails(fetch(tree), 1, f"'{tree}' has no '{name}'", message)
        for place in (tree, beside):
            shutil.copy(os.path.join(made, source), os.path.join(place, name))
    before = sorted(os.listdir(tree))
    ok(fetch(tree).returncode == 0, "a tree that was built in place")
    ok(fetch("tree", cwd=bench.root).returncode == 0, "… by a path from here")
    os.symlink(tree, os.path.join(beside, "source"))
    for names in ((beside,), (tree, beside)):
        result = fetch(*names)
        equal((result.returncode, result.stderr), (0, ""), f"dir:{','.join(names)}: the copy that was made is used")
    equal(sorted(os.listdir(tree)), before, "the tree isn't written to")
    fails(bench.target("show", f"dir:{tree}"), 2, "has no name in the cache")
    fails(bench.tool("--target", spec(kernel), "--modules", "/", "x.patch"), 2, "--modules goes with explicit paths or --target dir:")


def test_demands():
    """A kernel that won't do is refused by the option that is in the way, before the large packages are fetched."""
    for old, new, message in [("CONFIG_LIVEPATCH=y", "# CONFIG_LIVEPATCH is not set", "CONFIG_LIVEPATCH is not set"),
                              ("CONFIG_MODULES=y", "CONFIG_MODULES=y\nCONFIG_X86_KERNEL_IBT=y", "CONFIG_X86_KERNEL_IBT is set"),
                              ("CONFIG_MODULES=y", "CONFIG_MODULES=y\nCONFIG_LTO_CLANG=y", "CONFIG_LTO_CLANG is set")]:
        kernel = Kernel()
        kernel.config = kernel.config.replace(old, new)
        bench = Bench(kernel)
        fails(bench.target("fetch", spec(kernel)), 1, "no live patches can be built for this kernel", message)
        ok(not os.path.exists(bench.dir(kernel, "build")), f"{message}: nothing is left")


def test_running():
    bench = Bench()
    if "Debian" in os.uname().version:
        skip("running", "this machine runs Debian's kernel")
        return
    fails(bench.target("fetch", "running"), 1, f"the running kernel '{os.uname().release}'", "isn't Debian's")


if len(sys.argv) > 2:
    globals()[f"test_{sys.argv[2]}"]()
    done()
for test in (test_verify_and_remove, test_inlines, test_image_only, test_versions, test_no_lists, test_mismatch, test_compiler,
             test_prepare_fails, test_resume, test_leftovers, test_wrong_hash, test_killed_prepare, test_interrupt,
             test_two_at_once, test_offline, test_disk_full, test_explicit_paths, test_build_dir, test_demands,
             test_running):
    test()
done()
