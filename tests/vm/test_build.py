# SPDX-License-Identifier: GPL-2.0-or-later
"""kpatch-build on a real target: what goes wrong is said clearly and leaves nothing behind; what goes right is the same every time."""

import difflib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from kernel import BUILD, DIFF, TEST, Target, cache_dir  # noqa: E402

UNIT = "net/ipv4/tcp_minisocks.c"
FUNCTION = "tcp_timewait_state_process"

target = Target()
top = pathlib.Path(tap.tmpdir())


def patch_text(unit, change, title="a change made for a test"):
    """The patch that change(lines) makes of a unit of the target's source."""
    before = (target.source / unit).read_text().splitlines(keepends=True)
    diff = difflib.unified_diff(before, change(list(before)), "a/" + unit, "b/" + unit)
    return f"Subject: {title}\n---\n" + "".join(diff)


def body_of(lines, function):
    """Index of the line after the function's opening brace."""
    start = next(i for i, line in enumerate(lines) if function + "(" in line and not line.rstrip().endswith(";") and not line.startswith((" ", "\t")))
    return next(i for i in range(start, len(lines)) if lines[i].startswith("{")) + 1


def insert(text, function=FUNCTION, after=None):
    """A change that puts text into a function: after the line that contains `after`, else behind its declarations."""

    def change(lines):
        at = body_of(lines, function)
        if after:
            at = next(i for i in range(at, len(lines)) if after in lines[i]) + 1
        else:
            while lines[at].strip():
                at += 1
            at += 1
        return lines[:at] + [text + "\n"] + lines[at:]

    return change


def write(name, text):
    path = top / name
    path.write_text(text)
    return path


GOOD = write("good.patch", patch_text(UNIT, insert('\tpr_info_once("live\\n");')))


def build(patch, out, *options, **kwargs):
    argv = [BUILD, "--target", target.id, "--offline", "-o", out, *options, *([patch] if not isinstance(patch, list) else patch)]
    return tap.run(argv, timeout=900, **kwargs)


def refuses(name, patch, status, *parts, options=()):
    """A build that ends with status, says all parts, and writes nothing."""
    out = top / ("out-" + name.replace(" ", "-"))
    result = build(patch, out, *options)
    tap.equal(result.returncode, status, f"{name}: status")
    text = result.stdout + result.stderr
    for part in parts:
        tap.contains(text, part, f"{name}: says '{part}'")
    tap.ok(not out.exists() or not any(out.iterdir()), f"{name}: nothing is written", str(out))
    return text


def forget_originals():
    """Empties the cache of compiled originals."""
    for objects in (cache_dir() / "targets").glob("*/kbuild-*/objects"):
        shutil.rmtree(objects, ignore_errors=True)


def bad_patches():
    lines = GOOD.read_text().splitlines(keepends=True)
    context = next(i for i, line in enumerate(lines) if line.startswith(" ") and line.strip())
    lines[context] = " something that isn't there\n"
    refuses("doesn't apply", write("stale.patch", "".join(lines)), 1, "hunk 1", UNIT, "nearest match at line")
    refuses("no patch", write("empty.patch", "nothing here\n"), 1, "empty.patch")
    refuses("missing file", top / "absent.patch", 1, "absent.patch")
    refuses("changes nothing", write("comment.patch", patch_text(UNIT, lambda l: l[:40] + ["/* more words,\n", " * on two lines */\n"] + l[40:])), 3, "no-change")
    text = refuses("doesn't compile", write("broken.patch", patch_text(UNIT, insert("\tno_such_thing = 1;"))), 1, "no_such_thing")
    first = next(line for line in text.splitlines() if "error" in line)
    tap.contains(first, UNIT, "doesn't compile: the compiler's own message comes first")


def broken_header():
    """A header that one of the units it reaches can't be compiled with: unit and header are named, nothing is written."""
    header = "include/net/tcp.h"
    change = lambda l: [line.replace("(HZ/2U)", "(no_such_thing)") if "TCP_RESOURCE_PROBE_INTERVAL" in line else line for line in l]  # noqa: E731
    refuses("a broken header", write("broken-header.patch", patch_text(header, change)), 1, "no_such_thing", "doesn't compile with the fix", f"macro 'TCP_RESOURCE_PROBE_INTERVAL' of '{header}'")


def not_in_this_kernel():
    other = "arch/arm64/kernel/process.c"
    text = f"--- a/{other}\n+++ b/{other}\n@@ -1,1 +1,2 @@\n+/* more */\n // SPDX-License-Identifier: GPL-2.0-only\n"
    refuses("for another machine", write("arm64.patch", text), 3, "no-change", "another machine")
    config = (target.source / ".config").read_text()
    unit, option = "net/x25/af_x25.c", "CONFIG_X25"
    if f"{option}=" in config:
        tap.skip("not compiled", f"{option} is set in this kernel")
        return
    refuses("not compiled", write("x25.patch", patch_text(unit, lambda l: l[:60] + ["\n"] + l[60:])), 3, "no-change", option)


def codes(name, patch, status, wanted, *options):
    """A build that ends with status and whose findings are (code, file), whatever else there is about other files."""
    out = top / ("out-" + name.replace(" ", "-"))
    result = build(patch, out, "--json", *options)
    tap.equal(result.returncode, status, f"{name}: status")
    try:
        found = [(f["code"], f.get("unit")) for f in json.loads(result.stdout)["findings"]]
    except (ValueError, KeyError) as error:
        tap.ok(False, f"{name}: findings in JSON", f"{error!r}\n{result.stdout}{result.stderr}")
        return
    for finding in wanted:
        tap.ok(finding in found, f"{name}: {finding[0]} of {finding[1]}", str(found))


def merged(name, *texts):
    """One patch of several."""
    return write(name, texts[0] + "".join(text[text.index("--- a/"):] for text in texts[1:]))


def absent_text(path):
    """A patch of a file that the target's tree may not have: no part of this kernel's build."""
    return f"--- a/{path}\n+++ b/{path}\n@@ -1,1 +1,2 @@\n+more\n something\n"


def finding_codes():
    good, header = GOOD.read_text(), "include/net/tcp.h"
    document, arm64, x25 = "Documentation/networking/ip-sysctl.rst", "arch/arm64/kernel/process.c", "net/x25/af_x25.c"
    codes("a document too", merged("document.patch", good, absent_text(document)), 0, [("not-code", document), ("accept-unused", None)],
          "--accept", "pointer-escapes:nowhere")
    codes("another machine too", merged("arm64-too.patch", good, absent_text(arm64)), 0, [("not-compiled", arm64)])
    if "CONFIG_X25=" not in (target.source / ".config").read_text():
        patch = merged("x25-too.patch", good, patch_text(x25, lambda l: l[:60] + ["\n"] + l[60:]))
        codes("an absent option too", patch, 0, [("not-compiled", x25)])
    at_end = lambda l: l[:-1] + ["extern int rk_nothing;\n"] + l[-1:]  # noqa: E731
    codes("a header too", merged("header.patch", good, patch_text(header, at_end)), 0, [("header-users", header)])
    perl = "arch/x86/crypto/poly1305-x86_64-cryptogams.pl"
    if (target.source / perl).exists():
        codes("a generator too", merged("perl.patch", good, patch_text(perl, lambda l: l[:1] + ["# more\n"] + l[1:])), 3, [("unpatchable-file", perl)])
    disabled = "kernel/locking/rwbase_rt.c"
    if (target.source / disabled).exists() and "CONFIG_PREEMPT_RT=y" not in (target.source / ".config").read_text():
        patch = write("disabled.patch", patch_text(disabled, lambda l: [line.replace("return 0;", "return 1;") for line in l]))
        codes("a disabled include", patch, 3, [("not-compiled", disabled), ("no-change", disabled)])


def twin_units():
    """A C file that is a unit and is included by another one."""
    if "CONFIG_COMPAT_BINFMT_ELF=y" not in (target.source / ".config").read_text():
        tap.skip("twin units", "this kernel has no 32-bit ELF loader")
        return
    patch = write("twin.patch", patch_text("fs/binfmt_elf.c", insert('\tpr_info_once("live\\n");', "load_elf_binary", "retval = -ENOEXEC;")))
    out = top / "out-twin"
    result = build(patch, out)
    tap.ok(result.returncode == 0, "twin units: status", result.stdout + result.stderr)
    manifest = out / "kpatch-twin.manifest.json"
    if not tap.ok(manifest.exists(), "twin units: a manifest"):
        return
    functions = [f for f in json.loads(manifest.read_text())["functions"] if f["name"] == "load_elf_binary"]
    tap.equal(len(functions), 2, "twin units: the function of both units is replaced")
    tap.equal(sorted(f["unit"] for f in functions), ["fs/binfmt_elf.c", "fs/compat_binfmt_elf.c"], "twin units: one each")


def replace(header, old, new):
    """A patch of a header's text; None when this kernel's header doesn't have it."""
    text = patch_text(header, lambda lines: [line.replace(old, new) for line in lines])
    return write(pathlib.Path(header).stem + "-inline.patch", text) if "@@" in text else None


def inlined_elsewhere():
    """The debug info of vmlinux knows a unit that has the function inlined, which was left out."""
    patch = replace("net/netlink/af_netlink.h", "return container_of(sk, struct netlink_sock, sk)", "return sk ? container_of(sk, struct netlink_sock, sk) : NULL")
    refuses("inlined elsewhere", patch, 3, "[inline-incomplete]", "'net/netlink/af_netlink.c'", "has 'nlk_sk' of", options=["-t", "netlink_diag"])


def inlined_in_modules():
    """The debug info of modules agrees with the units that are rebuilt, and names the one that is left out."""
    header = "include/net/af_vsock.h"
    patch = replace(header, "return !list_empty(&vsk->bound_table)", "return !list_empty_careful(&vsk->bound_table)")
    if not patch:
        tap.skip("inlined in modules", f"'{header}' doesn't have the function")
        return
    refuses("a module left out", patch, 3, "[inline-incomplete]", "'net/vmw_vsock/diag.c'",
            "vsock_diag_dump: has '__vsock_in_bound_table' of 'include/net/af_vsock.h' inlined and isn't rebuilt (module 'vsock_diag')", options=["-t", "vsock"])
    out = top / "out-inlined"
    result = build(patch, out, "--json")
    if not tap.ok(result.returncode == 0, "inlined in modules: all are rebuilt", result.stdout + result.stderr):
        return
    report = json.loads(result.stdout)
    tap.equal([f for f in report["findings"] if f["code"].startswith("inline-")], [], "inlined in modules: debug info of vmlinux and modules has nothing to add")
    functions = {(f["unit"], f["name"]) for f in json.loads(next(out.glob("*.manifest.json")).read_text())["functions"]}
    for wanted in (("net/vmw_vsock/diag.c", "vsock_diag_dump"), ("net/vmw_vsock/af_vsock.c", "vsock_remove_bound")):
        tap.ok(wanted in functions, f"inlined in modules: {wanted[1]} is replaced", str(functions))


def inlined_in_init_code():
    """Init code of vmlinux ran at boot; that of a module runs when it is loaded."""
    keyed = replace("include/crypto/blake2s.h", "__blake2s_init(state, outlen, key, keylen)", "__blake2s_init(state, outlen, key, keylen & 63)")
    balloon = replace("include/linux/balloon_compaction.h", "balloon->isolated_pages = 0", "balloon->isolated_pages = 1")
    if not keyed or not balloon:
        tap.skip("inlined in init code", "these headers don't have the functions")
        return
    refuses("init code of vmlinux", keyed, 3, "[inline-incomplete]", "blake2s_selftest: has 'blake2s_init_key' of 'include/crypto/blake2s.h' inlined, and ran at boot [inline-ran]",
            options=["-t", "wireguard"])
    result = build(balloon, top / "out-balloon", "-t", "virtio_balloon")
    tap.ok(result.returncode == 0, "init code of a module: status", result.stdout + result.stderr)
    tap.contains(result.stdout + result.stderr, "vmballoon_init: has 'balloon_devinfo_init' of 'include/linux/balloon_compaction.h' inlined, and runs as it is whenever the module is loaded [inline-ran]",
                 "init code of a module: it is said")


def changed_crcs():
    """A member in a hole of a structure that exported functions know: their CRCs are others."""
    header, unit = "include/net/af_vsock.h", "net/vmw_vsock/af_vsock.c"
    member, use = "\tbool ignore_connecting_rst;\n", "\treturn vsk->transport->stream_has_data(vsk);\n"
    if not all(text in (target.source / path).read_text() for path, text in ((header, member), (unit, use))):
        tap.skip("changed CRCs", f"'{header}' or '{unit}' is another one")
        return
    patch = merged("crcs.patch", patch_text(header, lambda lines: "".join(lines).replace(member, member + "\tbool rk_more;\n").splitlines(True)),
                   patch_text(unit, lambda lines: "".join(lines).replace(use, "\tvsk->rk_more = true;\n" + use).splitlines(True)))
    result = build(patch, top / "out-crcs", "-t", "vsock", "--accept", "member-added")
    text = result.stdout + result.stderr
    tap.ok(result.returncode == 0, "changed CRCs: status", text)
    tap.ok(re.search(rf"info: '{unit}': other CRCs of exports:.* '\w+' \(was 0x[0-9a-f]{{8}}, now 0x[0-9a-f]{{8}}\).* \[crc-changed\]", text), "changed CRCs: before and after", text)


def wrong_compiler():
    patch = write("o3.patch", patch_text(UNIT, insert('\tpr_info_once("live\\n");', "tcp_check_req")))
    text = refuses("-O3", patch, 3, "[mismatch]", "tcp_check_req", options=["--cflag", "-O3"])
    tap.contains(text, "shipped:", "-O3: the first differing instruction is shown")
    if not shutil.which("clang"):
        tap.skip("clang", "clang isn't installed")
        return
    refuses("clang", GOOD, 1, "compiler", options=["--cc", "clang"])


def wrong_target():
    out = top / "out-target"
    result = tap.run([BUILD, "--target", "debian:6.1.0-999-cloud-amd64", "-o", out, GOOD])
    tap.equal(result.returncode, 1, "unknown target: status")
    tap.contains(result.stderr, "6.1.0-999-cloud-amd64", "unknown target: it is named")
    result = tap.run([BUILD, "--target", target.id, "--source", "/", "-o", out, GOOD])
    tap.equal(result.returncode, 2, "target and paths: status")
    tap.ok(not out.exists(), "wrong target: nothing is written")


def same_bytes():
    """Other folders, other number of jobs, cold and warm cache of originals, another day: the same module."""
    first = build(GOOD, top / "one", "-j", "1")
    tap.equal(first.returncode, 0, "reproducible: first build")
    forget_originals()
    elsewhere = top / "a longer folder name" / "deeper"
    elsewhere.mkdir(parents=True)
    copy = elsewhere / GOOD.name
    shutil.copy(GOOD, copy)
    second = build(copy, elsewhere / "two", "-j", "2", cwd=elsewhere, env={"TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8"})
    tap.equal(second.returncode, 0, "reproducible: second build")
    names = sorted(path.name for path in (top / "one").iterdir())
    tap.equal(names, ["kpatch-good.ko", "kpatch-good.manifest.json", "kpatch-good.report.html"], "reproducible: module, manifest, report")
    for name in names:
        tap.equal(digest(elsewhere / "two" / name), digest(top / "one" / name), f"reproducible: {name}")
    manifest = json.loads((top / "one" / "kpatch-good.manifest.json").read_text())
    tap.equal(manifest["target"]["release"], target.release, "manifest: release")
    tap.equal([f["name"] for f in manifest["functions"]], [FUNCTION], "manifest: functions")
    tap.equal(manifest["fixes"][0]["sha256"], digest(GOOD), "manifest: hash of the input")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def explicit_paths():
    facts = target.facts
    argv = [BUILD, "--source", facts["source"], "--config", facts["config"], "--vmlinux", facts["vmlinux"], "--symvers", facts["symvers"],
            "--modules", facts["modules"], "-t", "vmlinux", "-o", top / "paths", GOOD]
    marker = top / "marker"
    marker.touch()
    result = tap.run(argv, timeout=900)
    tap.equal(result.returncode, 0, "explicit paths: status")
    tap.contains(result.stdout, f"  {FUNCTION}  vmlinux", "explicit paths: the function is replaced")
    changed = subprocess.run(["find", facts["source"], "-newer", marker, "-not", "-type", "d"], capture_output=True, text=True, check=False).stdout
    tap.equal(changed, "", "explicit paths: the source tree is as it was")


def same_as_kpatch_diff():
    """kpatch-diff on the objects that a build kept, with the kernel's files, comes to the same plan."""
    work = top / "kept"
    result = build(GOOD, top / "out-kept", "--keep", work)
    if not tap.ok(result.returncode == 0, "kpatch-diff: a build whose work is kept", result.stdout + result.stderr):
        return
    plan, dumped = (work / "5-link/plan.txt").read_text(), (work / "4-diff").glob("*.txt")
    [orig], [patched] = (work / "2-orig").glob("*.o"), (work / "3-patched").glob("*.o")
    argv = [DIFF, "--vmlinux", target.facts["vmlinux"], "--symvers", target.facts["symvers"], "--unit", UNIT, orig, patched]
    result = tap.run([*argv, "--verbose"])
    tap.ok(result.returncode == 0, "kpatch-diff: status", result.stderr)
    for text in [plan, *(path.read_text() for path in dumped)]:
        tap.contains(result.stdout, text, "kpatch-diff: diff and plan are the build's")
    doc = json.loads(tap.run([*argv, "--json"]).stdout)
    tap.equal((doc["verdict"], [f["name"] for f in doc["functions"]]), ("patchable", [FUNCTION]), "kpatch-diff: verdict and function")
    proof = doc["units"][0]["proof"]
    tap.ok(proof["matched"] > 5 and not proof["differing"], "kpatch-diff: the proof", str(proof))
    module = next(pathlib.Path(target.facts["modules"]).rglob("af_key.ko"))
    result = tap.run([*argv, "--module", module])
    tap.equal(result.returncode, 3, "kpatch-diff: the unit is not of the module that is given")
    tap.contains(result.stdout, "[absent]", "kpatch-diff: … which is a finding")


def together():
    """Two builds at once on one cache."""
    forget_originals()
    running = [subprocess.Popen([BUILD, "--target", target.id, "--offline", "--quiet", "-o", top / f"at-once-{i}", GOOD],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for i in range(2)]
    for i, process in enumerate(running):
        text = process.communicate(timeout=900)[0]
        tap.ok(process.returncode == 0, f"two at once: build {i + 1}", text)
    tap.equal(digest(top / "at-once-0/kpatch-good.ko"), digest(top / "at-once-1/kpatch-good.ko"), "two at once: same module")


def interrupted():
    """Ctrl-C while the compiler runs."""
    work = top / "tmp-interrupted"
    work.mkdir()
    out = top / "out-interrupted"
    process = subprocess.Popen([BUILD, "--target", target.id, "--offline", "--cflag", "-DRK_NOT_CACHED", "-o", out, GOOD],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(work)})
    for line in process.stderr:
        if line.startswith("compile"):
            break
    time.sleep(0.3)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=300)[1]
    tap.ok(process.returncode in (-signal.SIGINT, 128 + signal.SIGINT), "interrupted: ends as interrupted", f"{process.returncode}\n{text}")
    tap.ok(time.monotonic() - started < 60, "interrupted: soon")
    tap.ok(not out.exists() or not any(out.iterdir()), "interrupted: nothing is written")
    tap.equal(list(work.iterdir()), [], "interrupted: no work folder is left")
    left = list((cache_dir() / "targets").glob("*/kbuild-*/objects/*.tmp*"))
    tap.equal(left, [], "interrupted: no half object in the cache")


def disk_full():
    small = top / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", small], capture_output=True, check=False).returncode != 0:
        tap.skip("disk full", "this user can't mount a small file system")
        return
    try:
        result = build(GOOD, small / "out")
        tap.equal(result.returncode, 1, "disk full: status")
        tap.contains(result.stderr, "No space left on device", "disk full: says so")
        left = list((small / "out").iterdir()) if (small / "out").exists() else []
        tap.equal(left, [], "disk full: nothing is written")
    finally:
        subprocess.run(["umount", small], check=False)


def signed():
    key, cert = top / "key.pem", top / "cert.pem"
    made = tap.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=test", "-keyout", key, "-out", cert])
    tap.equal(made.returncode, 0, "signed: a key")
    result = build(GOOD, top / "signed", "--sign-key", key, "--sign-cert", cert)
    tap.equal(result.returncode, 0, "signed: status")
    module = (top / "signed" / "kpatch-good.ko").read_bytes()
    tap.ok(module.endswith(b"~Module signature appended~\n"), "signed: the module ends with the magic text")
    plain = (top / "one" / "kpatch-good.ko").read_bytes()
    tap.ok(module.startswith(plain), "signed: what is signed is the module that would be written without")
    refuses("no key", GOOD, 1, "absent.pem", options=["--sign-key", top / "absent.pem", "--sign-cert", cert])


def no_qemu():
    empty = top / "no-programs"
    empty.mkdir()
    result = tap.run([TEST, top / "one" / "kpatch-good.ko"], env={"PATH": str(empty)})
    tap.equal(result.returncode, 1, "no QEMU: status")
    tap.contains(result.stderr, "qemu-system-x86", "no QEMU: names the package")


PARTS = os.environ.get("RK_TEST_PARTS", "").split()
for part in (bad_patches, not_in_this_kernel, broken_header, finding_codes, twin_units, inlined_elsewhere, inlined_in_modules, inlined_in_init_code, changed_crcs, wrong_compiler, wrong_target, same_bytes, explicit_paths, same_as_kpatch_diff, together, interrupted, disk_full, signed, no_qemu):
    if not PARTS or part.__name__ in PARTS:
        part()
tap.done()
