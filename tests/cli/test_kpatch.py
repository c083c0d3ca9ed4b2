#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kpatch on a host whose kernel none of these modules is for: help, misuse, files. What it does to a kernel is tested in a guest,
tests/vm/test_kpatch_test.py. Argument: kpatch."""

import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import tap  # noqa: E402
from manifest import attach, make_manifest  # noqa: E402
from tap import contains, equal, ok, run  # noqa: E402

TOOL = os.path.abspath(sys.argv[1])
TMP = pathlib.Path(tap.tmpdir())
GOLDEN = pathlib.Path(__file__).parent / "golden"


def make_module(name, modinfo, manifest=None):
    source = TMP / f"{name}.S"
    source.write_text('.section .modinfo,"a"\n' + "".join(f'.asciz "{line}"\n' for line in modinfo))
    subprocess.run(["gcc", "-c", source, "-o", TMP / f"{name}.ko"], check=True)
    if manifest:
        attach(manifest, TMP / f"{name}.ko")
    return TMP / f"{name}.ko"


def make_patch(name, level):
    """A live patch for this host's kernel, cumulative, that replaces tcp_v4_rcv."""
    fix = {"file": "fix.patch", "sha256": "00" * 32, "title": f"fix of level {level}", "cves": [f"CVE-2026-{level}"]}
    function = {"object": "vmlinux", "name": "tcp_v4_rcv", "unit": "u", "sympos": 1, "old_size": 1, "new_size": 1}
    host = {"id": "host", "release": platform.release(), "version": platform.version()}
    manifest = make_manifest(host, level, name, fixes=[fix], functions=[function])
    return make_module(name, [f"name={name}", f"vermagic={platform.release()} SMP ", "livepatch=Y"], manifest)


def kpatch(*args, env=None):
    return run([TOOL, *args], env=env)


class Tree:
    """A system of plain files, for --root."""

    def __init__(self, name):
        self.path = TMP / name
        (self.path / "sys/kernel/livepatch").mkdir(parents=True)
        self.put("proc/sys/kernel/ftrace_enabled", "1\n")
        self.put("proc/cmdline", "quiet\n")
        self.put("proc/1/task/1/comm", "init\n")
        self.put("proc/1/task/1/patch_state", "-1\n")
        self.put("proc/1/task/1/stack", "[<0>] do_epoll_wait+0x1/0x2\n")
        self.put("sys/kernel/tracing/enabled_functions", "")
        self.put("sys/kernel/debug/kprobes/list", "")

    def put(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def patch(self, name, enabled, transition):
        self.put(f"sys/kernel/livepatch/{name}/enabled", f"{enabled}\n")
        self.put(f"sys/kernel/livepatch/{name}/transition", f"{transition}\n")
        self.put(f"sys/kernel/livepatch/{name}/vmlinux/patched", "1\n")
        self.put(f"sys/kernel/livepatch/{name}/vmlinux/tcp_v4_rcv,1/x", "")
        self.put(f"sys/module/{name}/refcnt", "1\n")
        self.put(f"sys/module/{name}/taint", "OK\n")
        self.put(f"sys/module/{name}/initstate", "live\n")

    def kpatch(self, verb, *args, env=None):
        return kpatch(verb, "--root", self.path, *args, env=env)


def test_help():
    text = ""
    for verb in [[], ["load"], ["unload"], ["replace"], ["list"], ["info"], ["status"], ["install"], ["uninstall"], ["signal"], ["force"], ["shutdown"]]:
        result = kpatch(*verb, "--help")
        equal((result.returncode, result.stderr), (0, ""), f"kpatch {' '.join(verb)} --help")
        text += f"$ kpatch {' '.join([*verb, '--help'])}\n{result.stdout}"
    tap.golden(text, str(GOLDEN / "kpatch-help.txt"), "--help: text")


def test_misuse():
    for args, message in [([], "no verb given"), (["laod"], "unknown verb 'laod' (did you mean 'load'?)"),
                          (["load"], "missing operand: FILE|NAME, or '--all'"), (["unload"], "missing operand: NAME, or '--all'"),
                          (["load", "--all", "x"], "'--all' takes no operand"), (["load", "--boot", "x"], "'--boot' goes with '--all'"),
                          (["load", "--root", "/nowhere", "x"], "'--root' goes with '--check': only this kernel can be patched"),
                          (["list", "x"], "unexpected operand 'x'"), (["load", "--force", "x"], "unknown option '--force'")]:
        result = kpatch(*args)
        equal((result.returncode, result.stdout, result.stderr.splitlines()[0]), (2, "", f"error: {message}"), message)


def test_info():
    path = make_module("kpatch-x", ["name=kpatch_x", "vermagic=6.1.0-1-x SMP ", "livepatch=Y"])
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    result = kpatch("info", path)
    equal((result.returncode, result.stderr), (0, ""), "info of a file")
    for line in ["name         kpatch_x", f"sha256       {sha256}", "livepatch    yes", "signed       no"]:
        contains(result.stdout, line + "\n", line)
    doc = json.loads(kpatch("info", "--json", path).stdout)
    equal({key: doc[key] for key in ["schema", "name", "vermagic", "livepatch", "signed", "sha256", "manifest"]},
          {"schema": "kpatch-info/1", "name": "kpatch_x", "vermagic": "6.1.0-1-x SMP ", "livepatch": True, "signed": False,
           "sha256": sha256, "manifest": None}, "info --json of a file")
    plain = make_module("plain", ["name=plain"])
    result = kpatch("info", plain)
    equal((result.returncode, result.stderr), (1, f"error: '{plain}' is not a kernel module: no vermagic in .modinfo\n"), "no module")
    text = TMP / "text"
    text.write_text("hello\n")
    result = kpatch("info", "--json", text)
    equal(result.returncode, 1, "info of a file that isn't ELF")
    equal(json.loads(result.stdout)["error"]["code"], "format", "… as JSON")


def test_manifest():
    manifest = make_manifest(
        {"id": "debian:x", "release": "6.1.0-1-x"}, 3, "kpatch_y",
        fixes=[{"file": "a.patch", "sha256": "00", "title": "net: mend it", "cves": ["CVE-2026-1"]}],
        functions=[{"object": "vmlinux", "name": "f", "sympos": 1, "unit": "net/a.c", "old_size": 1, "new_size": 2}],
        callbacks=[{"object": "vmlinux", "kind": "pre_patch", "function": "prepare"},
                   {"object": "tun", "kind": "post_unpatch", "function": "clean_up"}],
        states=[{"id": 7, "version": 2}], shadow_ids=[5, 1 << 40])
    path = make_module("kpatch-y", ["name=kpatch_y", "vermagic=6.1.0-1-x SMP ", "livepatch=Y"], manifest)
    text = kpatch("info", path).stdout
    want = ["level        3", "target       debian:x", "fix          CVE-2026-1 net: mend it", "function     vmlinux f",
            "callback     vmlinux pre_patch prepare", "callback     tun post_unpatch clean_up", "state        7 version 2",
            "shadow id    5", f"shadow id    {1 << 40}", "made by      0"]
    equal([line for line in text.splitlines() if line in want], want, "info shows the manifest, with what outlives the patch")
    doc = json.loads(kpatch("info", "--json", path).stdout)["manifest"]
    for key in ["callbacks", "states", "shadow_ids"]:
        equal(doc[key], manifest[key], f"info --json: {key}")


def test_refused():
    release = platform.release()
    other = make_module("other", ["name=other", "vermagic=0.0.1-none SMP ", "livepatch=Y"])
    result = kpatch("load", other)
    equal((result.returncode, result.stderr), (1, f"error: '{other}' was made for kernel 0.0.1-none, this is {release}\n"),
          "load of a module for another kernel")
    longer = make_module("longer", ["name=longer", f"vermagic={release}x SMP ", "livepatch=Y"])
    result = kpatch("load", longer)
    equal(result.returncode, 1, "a release that only begins alike is another")
    plain = make_module("stock", ["name=stock", f"vermagic={release} SMP "])
    result = kpatch("load", plain)
    equal((result.returncode, result.stderr), (1, f"error: '{plain}' is no live patch module (its .modinfo has no 'livepatch=Y')\n"),
          "load of a module that is no live patch")
    result = kpatch("load", TMP / "absent.ko")
    equal(result.returncode, 1, "load of a file that isn't there")
    contains(result.stderr, f"cannot open '{TMP}/absent.ko': No such file or directory", "… is named")
    result = kpatch("unload", "no_such_patch")
    equal((result.returncode, result.stderr), (1, "error: no live patch 'no_such_patch' is loaded; 'kpatch list' shows what is\n"),
          "unload of a patch that isn't loaded")


def test_nothing():
    tree = Tree("nothing")
    result = tree.kpatch("list")
    equal((result.returncode, result.stdout, result.stderr), (0, "no live patch is loaded\nno patch is installed\n", ""), "list of nothing")
    result = tree.kpatch("status")
    equal(result.returncode, 0, "status of nothing")
    contains(result.stdout, "\nno live patch is installed or loaded\n", "… is its last line")
    result = tree.kpatch("info", "absent")
    equal((result.returncode, result.stderr), (1, "error: 'absent' is neither a file nor a loaded live patch, nor is it installed\n"),
          "info of an unknown name")


def test_transition():
    tree = Tree("transition")
    tree.patch("coming", 1, 1)
    tree.put("proc/7/task/8/comm", "slow one\n")
    tree.put("proc/7/task/8/patch_state", "0\n")
    tree.put("proc/7/task/8/stack", "[<0>] schedule+0x1/0x2\n[<0>] tcp_v4_rcv+0x3/0x4\n")
    result = tree.kpatch("list")
    equal(result.stdout, "loaded live patches:\n  coming [enabling]\nheld up by slow one (8):\n  [<0>] schedule+0x1/0x2\n"
                         "  [<0>] tcp_v4_rcv+0x3/0x4\nno patch is installed\n", "a transition, who holds it up, and where")
    doc = json.loads(tree.kpatch("list", "--json").stdout)
    equal((doc["schema"], doc["loaded"][0]["state"], doc["blockers"]),
          ("kpatch-list/1", "enabling", [{"pid": 7, "tid": 8, "comm": "slow one", "stack": "[<0>] schedule+0x1/0x2\n[<0>] tcp_v4_rcv+0x3/0x4"}]),
          "the same as JSON")
    result = tree.kpatch("status", "--json")
    equal((result.returncode, json.loads(result.stdout)["verdict"]), (3, "transition"), "status")


def fake_systemctl():
    """A systemctl that writes down what it is told; its answer is the file's content."""
    folder = TMP / "bin"
    folder.mkdir(exist_ok=True)
    tool = folder / "systemctl"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{TMP}/systemctl.log\nexit "$(cat {TMP}/systemctl.exit)"\n')
    tool.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_install():
    tree = Tree("install")
    env = fake_systemctl()
    (TMP / "systemctl.exit").write_text("0")
    one, two = make_patch("kpatch_one", 1), make_patch("kpatch_two", 2)
    release = platform.release()
    result = tree.kpatch("install", one, env=env)
    equal((result.returncode, result.stdout, result.stderr), (0, f"kpatch_one is installed for kernel {release}\n", ""), "install")
    equal((TMP / "systemctl.log").read_text(), f"--quiet enable kpatch.service --root={tree.path}\n", "the service is enabled")
    there = tree.path / "var/lib/kpatch" / release / "kpatch_one.ko"
    equal(there.read_bytes(), one.read_bytes(), "the file is in its place")
    result = tree.kpatch("install", one, env=env)
    equal((result.returncode, result.stderr), (4, f"'kpatch_one' is already installed for kernel {release}\n"), "install again")
    equal((TMP / "systemctl.log").read_text().count("enable kpatch.service"), 2, "… sees to the service, too")
    (TMP / "systemctl.exit").write_text("1")
    result = tree.kpatch("install", two, env=env)
    equal(result.returncode, 0, "a service that can't be enabled is no failure")
    contains(result.stderr, "have 'kpatch load --all --boot' run when the system starts", "… but told")
    result = tree.kpatch("install", "-k", "0.0.1-other", one, env=env)
    equal((result.returncode, result.stderr), (1, f"error: '{one}' was made for kernel {release}, not for 0.0.1-other; '-k' names another\n"),
          "install for another kernel")
    other = make_module("other_kernel", ["name=other_kernel", "vermagic=0.0.1-other SMP ", "livepatch=Y"])
    equal(tree.kpatch("install", "--kernel", "0.0.1-other", other, env=env).returncode, 0, "a patch for that kernel")
    contains(tree.kpatch("list").stdout, f"installed:\n  other_kernel (0.0.1-other)\n  kpatch_one ({release}) level 1, 1 fix\n"
             f"  kpatch_two ({release}) level 2, 1 fix\n",
             "list shows all kernels' patches")
    result = tree.kpatch("status")
    equal(result.returncode, 3, "status: what is installed isn't loaded")
    contains(result.stdout, "not loaded   kpatch_two\n", "… of the cumulative ones the greatest")
    ok("kpatch_one" not in result.stdout, "… and no lesser one", result.stdout)
    tree.patch("kpatch_two", 1, 0)
    result = tree.kpatch("status", "--json")
    equal((result.returncode, json.loads(result.stdout)["verdict"]), (0, "patched"), "status when it is loaded")
    contains(tree.kpatch("info", "kpatch-one").stdout, "fix          CVE-2026-1 fix of level 1\n", "info of an installed patch")
    result = tree.kpatch("uninstall", "kpatch-two")
    contains(result.stdout, "it is still loaded; 'kpatch unload kpatch_two' unloads it\n", "uninstall doesn't unload")
    result = tree.kpatch("uninstall", "kpatch_two")
    equal((result.returncode, result.stderr), (1, f"error: no patch 'kpatch_two' is installed for kernel {release}\n"), "uninstall again")
    result = tree.kpatch("uninstall", "../kpatch_one")
    equal((result.returncode, result.stderr), (2, "error: '../kpatch_one' is no module's name\ntry 'kpatch uninstall --help'\n"),
          "uninstall of a path")


def test_checks():
    tree = Tree("checks")
    one = make_patch("kpatch_checked", 1)
    result = tree.kpatch("load", "--check", one)
    equal((result.returncode, result.stderr), (0, ""), "a patch without anything in its way")
    for line in ["ok       module: level 1, 1 fixes, 1 functions", "ok       ftrace: on", "ok       probes: none on its functions",
                 "ok       tasks: none of 1 is in its functions", "add      no live patch is enabled"]:
        contains(result.stdout, line + "\n", line)
    tree.put("proc/1/task/1/stack", "[<0>] tcp_v4_rcv+0x1/0x2\n")
    result = tree.kpatch("load", "--check", "--quiet", one)
    equal((result.returncode, result.stdout, result.stderr),
          (0, "", "warning  tasks: 'init' (1) is in tcp_v4_rcv: the transition waits until it leaves\n           [<0>] tcp_v4_rcv+0x1/0x2\n"),
          "--quiet leaves the warnings, with the stack")
    tree.put("proc/sys/kernel/ftrace_enabled", "0\n")
    tree.put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    result = tree.kpatch("load", "--check", one)
    equal(result.returncode, 1, "errors stop")
    ok(result.stderr.startswith("error    ftrace: ftrace is off"), "the second one is shown among the checks", result.stderr)
    contains(result.stderr, f"error: '{one}' is not signed, and the kernel is locked down", "the first one as the error")
    tree.patch("stranger", 1, 0)
    tree.put("proc/sys/kernel/ftrace_enabled", "1\n")
    tree.put("sys/kernel/security/lockdown", "[none] integrity confidentiality\n")
    result = tree.kpatch("load", "--check", one)
    contains(result.stderr, "error: 'stranger' is loaded, which is no cumulative patch; unload it, or use 'kpatch replace'", "the rules of replacing")
    result = tree.kpatch("replace", "--check", one)
    contains(result.stdout, "change   'stranger' is loaded, which is no cumulative patch\n", "replace says what it would do")


def test_names():
    """A name is never a file of the working directory."""
    tree = Tree("names")
    planted = TMP / "planted"
    planted.write_bytes(make_patch("planted", 1).read_bytes())
    result = run([TOOL, "load", "--check", "--root", tree.path, "planted"], cwd=TMP)
    equal(result.returncode, 1, "a file without '.ko' in the working directory")
    contains(result.stderr, "'planted' is not installed for kernel", "… isn't taken for a patch of that name")
    equal(run([TOOL, "load", "--check", "--root", tree.path, "./planted"], cwd=TMP).returncode, 0, "with a '/' it is a path")
    equal(run([TOOL, "load", "--check", "--root", tree.path, "planted.ko"], cwd=TMP).returncode, 0, "with '.ko' as well")


def test_boot():
    tree = Tree("boot")
    tree.put("proc/cmdline", "BOOT_IMAGE=/vmlinuz kpatch.enable=0 quiet\n")
    result = tree.kpatch("load", "--all", "--boot", "--check")
    equal((result.returncode, result.stderr), (4, "nothing is loaded: 'kpatch.enable=0' is on the kernel's command line\n"), "switched off")
    for word in ["readykernel=off", "readykernel=no-load"]:
        tree.put("proc/cmdline", f"BOOT_IMAGE=/vmlinuz {word} quiet\n")
        result = tree.kpatch("load", "--all", "--boot", "--check")
        equal((result.returncode, result.stderr), (4, f"nothing is loaded: '{word}' is on the kernel's command line\n"), f"{word}: switched off, too")
        equal(tree.kpatch("load", "--all", "--check").stderr, "", f"{word}: not by command")
    tree.put("proc/cmdline", "quiet\n")
    tree.put("etc/readykernel/disable", "")
    result = tree.kpatch("load", "--all", "--boot", "--check")
    equal((result.returncode, result.stderr), (4, f"nothing is loaded: '{tree.path}/etc/readykernel/disable' is there\n"), "a file that forbids it")
    (tree.path / "etc/readykernel/disable").unlink()
    for line, name in [("xkpatch.enable=0 kpatch.enable=00 kpatch.enable=1", "not switched off"),
                       ("quiet -- kpatch.enable=0", "what is init's switches nothing off")]:
        tree.put("proc/cmdline", f"{line}\n")
        result = tree.kpatch("load", "--all", "--boot", "--check")
        equal((result.returncode, result.stdout), (4, f"no patch is installed for kernel {platform.release()}\n"), name)
    tree.put(f"var/lib/kpatch/{platform.release()}/broken.ko", "no ELF")
    (tree.path / "var/lib/kpatch" / platform.release() / "fine.ko").write_bytes(make_patch("fine", 1).read_bytes())
    result = tree.kpatch("load", "--all", "--boot", "--check")
    equal(result.returncode, 1, "one that is broken makes it fail")
    contains(result.stdout, "fine:\nok       module: level 1", "… and doesn't stop the others")
    contains(result.stderr, "error: broken: ", "… and is named")
    contains(result.stderr, "error: 1 of the installed patches could not be loaded\n", "… and counted")


def test_guard():
    """What a host went down with is left out of what is loaded at boot, and nothing else is."""
    tree = Tree("guard")
    store = tree.path / "var/lib/kpatch" / platform.release()
    store.mkdir(parents=True)
    files = {level: make_patch(f"guarded_{level}", level) for level in [1, 2]}
    for level, file in files.items():
        (store / f"guarded_{level}.ko").write_bytes(file.read_bytes())
    record = tree.path / "var/lib/readykernel/kpatch-boot.json"
    record.parent.mkdir(parents=True)
    entry = {"name": "guarded_2", "sha256": hashlib.sha256(files[2].read_bytes()).hexdigest(), "phase": "skipped", "unclean": 0,
             "reason": "the host went down while it was being loaded"}
    boot_id = "01234567-89ab-cdef-0123-456789abcdef"
    document = {"schema": "kpatch-boot/1", "boot_id": boot_id, "at": "2026-11-22T13:30:00Z", "stopped": False}

    def put(**more):
        record.write_text(json.dumps({**document, "patches": [{**entry, **more}]}))

    for args in [["--boot"], []]:
        put()
        result = tree.kpatch("load", "--all", "--check", *args)
        equal(result.returncode, 1, f"load --all {' '.join(args)}: one is left out")
        contains(result.stderr, "error: guarded_2: left out, because the host went down while it was being loaded; if that was not its doing "
                 "(a power cut), 'kpatch load guarded_2' tries it again\n", "… and named")
        contains(result.stdout, "guarded_1:\nok       module: level 1", "… the lesser one takes its place")
    equal(tree.kpatch("load", "--check", "guarded_2").returncode, 0, "by name it may be tried")
    put(sha256="00" * 32)
    ok("guarded_1:" not in tree.kpatch("load", "--all", "--boot", "--check").stdout, "another file of that name is another patch")
    put()
    equal(tree.kpatch("install", files[2], env=fake_systemctl()).returncode, 4, "installing it once more")
    equal(json.loads(record.read_text())["patches"], [], "… is to try it again")
    put()
    tree.kpatch("uninstall", "guarded-2")
    equal(json.loads(record.read_text())["patches"], [], "what isn't installed isn't kept in mind")
    tree.put("proc/sys/kernel/random/boot_id", f"{boot_id}\n")
    tree.put("proc/stat", "cpu 0\nbtime 1790000000\n")
    put(phase="loaded", reason="")
    equal(tree.kpatch("shutdown").returncode, 0, "a shutdown")
    ok(json.loads(record.read_text())["stopped"], "… is noted")
    record.write_text("{")
    result = tree.kpatch("load", "--all", "--boot", "--check")
    equal(result.returncode, 3, "a record that is damaged")
    contains(result.stderr, "the record of what was loaded at boot can't be believed; nothing is loaded in this boot: ", "… is told")


def test_damaged_store():
    """Whatever lies in the store, list and status end soon, tell each file's fault, and use what is good."""
    release, tree = platform.release(), Tree("damaged")
    store = tree.path / "var/lib/kpatch" / release
    store.mkdir(parents=True)
    modinfo = ["name=good", f"vermagic={release} SMP ", "livepatch=Y"]
    good = make_patch("good", 3).read_bytes()
    (store / "good.ko").write_bytes(good)
    (store / "cut.ko").write_bytes(good[:-100])
    (store / "empty.ko").write_bytes(b"")
    (store / "noise.ko").write_bytes(bytes(i * 7 % 256 for i in range(3 << 20)))
    (store / "dir.ko").mkdir()
    os.mkfifo(store / "fifo.ko")
    (store / "dangling.ko").symlink_to("nowhere")
    (store / "zero.ko").symlink_to("/dev/zero")
    for name, document in [("deep", "[" * 100000), ("huge", "[" + "1," * (5 << 20) + "1]"), ("text", "no JSON"), ("type", {"schema": "readykernel-manifest/1",
                                                                                                                         "name": 5})]:
        (TMP / f"{name}.json").write_text(document if isinstance(document, str) else json.dumps(document))
        module = make_module(name, modinfo)
        subprocess.run(["objcopy", "--add-section", f".readykernel.manifest={TMP}/{name}.json", module, store / f"{name}.ko"], check=True)
    faults = {"cut": "lie outside of the file", "empty": "not an ELF file", "noise": "not an ELF file", "dir": "Is a directory", "fifo": "not a regular file",
              "dangling": "No such file or directory", "zero": "not a regular file", "deep": "maximum parsing depth reached",
              "huge": "a manifest of more than 8388608 bytes", "text": "expected near 'no'", "type": "'name' is not a string"}
    result = tree.kpatch("list")
    equal((result.returncode, result.stderr), (0, ""), "list of a damaged store")
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    for name, fault in faults.items():
        contains(lines.get(name, ""), fault, f"list: {name}")
    equal(lines["good"], f"  good ({release}) level 3, 1 fix", "list: what is good")
    result = tree.kpatch("status")
    equal(result.returncode, 3, "status of a damaged store")
    for name, fault in faults.items():
        ok(any(line.startswith(f"not loaded   {name}: ") and fault in line for line in result.stdout.splitlines()), f"status: why {name} isn't loaded")
    contains(result.stdout, "\nnot loaded   good\n", "status: what could be")
    damaged = [entry["name"] for entry in json.loads(tree.kpatch("list", "--json").stdout)["installed"] if entry["error"]]
    equal(sorted(damaged), sorted(faults), "list --json names them too")


def test_not_root():
    """Who may not load is told so, whatever else is wrong; who builds patches may look at what is installed on any kernel."""
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", TOOL]
    if os.geteuid() == 0 and run([*other, "--version"]).returncode == 0:
        result = run([*other, "load", make_patch("mine", 1)])
        equal((result.returncode, result.stderr),
              (1, "error: only root may change which live patches are loaded: Operation not permitted\n"), "load by somebody else")
    else:
        tap.skip("load by somebody else", "it takes root, and a build directory that others can read")
    tree = Tree("plain")
    store = tree.path / "var/lib/kpatch" / platform.release()
    store.mkdir(parents=True)
    (store / "here.ko").write_bytes(make_patch("here", 2).read_bytes())
    (tree.path / "sys/kernel/livepatch").rmdir()
    contains(tree.kpatch("info", "here").stdout, "level        2\n", "info of an installed patch, on a kernel without live patching")


def test_unit():
    """The unit's conditions and its place in the boot."""
    units = pathlib.Path(os.environ["RK_SOURCE_ROOT"]) / "packaging/systemd"
    for unit in sorted(units.glob("*.service")):
        contains(unit.read_text(), "TimeoutStopSec=15min\n", f"{unit.name}: a change of the kernel isn't killed in its midst")
    text = (units / "kpatch.service").read_text()
    for line in ["ConditionKernelCommandLine=!kpatch.enable=0", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=-kpatch load --all --boot", "ExecStop=kpatch shutdown",
                 "Before=network-pre.target shutdown.target", "Wants=network-pre.target", "DefaultDependencies=no", "WantedBy=multi-user.target"]:
        contains(text, line + "\n", f"kpatch.service: {line}")


for function in [test_help, test_misuse, test_info, test_manifest, test_refused, test_nothing, test_transition, test_install, test_checks, test_names, test_boot,
                 test_guard, test_damaged_store, test_not_root, test_unit]:
    function()
tap.done()
