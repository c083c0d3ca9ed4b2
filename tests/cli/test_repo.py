#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""readykernel-repo: a repository from its first key to a mirror and a bundle, and what it refuses on the way. Argument: readykernel-repo."""

import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import fake_repository  # noqa: E402
import tap  # noqa: E402
from tap import contains, equal, ok, run  # noqa: E402
from web import Server  # noqa: E402

TOOL = sys.argv[1]
TMP = pathlib.Path(tap.tmpdir())
GOLDEN = pathlib.Path(__file__).parent / "golden"
BUILD_ID = "4f61d8f6405b1c6eed15a7a3e2e27067394202d3"
RELEASE = "6.1.0-47-cloud-amd64"
VERSION = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)"
VERBS = ["init", "key new", "key show", "key rotate", "add", "promote", "block", "withdraw", "minimum", "sign", "list", "status",
         "verify", "mirror", "bundle", "packages", "licence issue", "licence show"]


def repo(*args):
    return run([TOOL, *args])


def done(*args, status=0):
    """Runs what must work; its output."""
    result = repo(*args)
    equal((result.returncode, result.stderr), (status, ""), " ".join(str(arg) for arg in args).replace(str(TMP), "…"))
    return result.stdout


def refused(args, message, name, status=1):
    result = repo(*args)
    first = (result.stderr.splitlines() or [""])[0]
    equal(result.returncode, status, f"{name}: status")
    contains(first, message, name)


def keys(*names):
    return [part for name in names for part in ("--key", TMP / f"{name}.key")]


def make_module(level, build_id=BUILD_ID, version=VERSION, cves=(), name=None):
    name = name or f"kpatch_{level}"
    path = TMP / f"{name}.ko"
    path.write_bytes(fake_repository.make_module(TMP, {"release": RELEASE, "version": version, "build_id": build_id}, level, name, cves))
    return path


def make_evidence(module, verdict="passed", **target):
    doc = {"schema": "readykernel-evidence/1", "verdict": verdict, "module": {"sha256": hashlib.sha256(module.read_bytes()).hexdigest()},
           "target": {"release": RELEASE, "version": VERSION, "build_id": BUILD_ID, **target}}
    path = module.with_suffix(".json")
    path.write_text(json.dumps(doc))
    return path


def test_help():
    text = ""
    for verb in ["", *VERBS]:
        result = repo(*verb.split(), "--help")
        equal((result.returncode, result.stderr), (0, ""), f"{verb} --help")
        text += f"$ readykernel-repo {' '.join([*verb.split(), '--help'])}\n{result.stdout}"
    tap.golden(text, str(GOLDEN / "readykernel-repo-help.txt"), "--help: text")


def test_keys():
    for name in ["root1", "root2", "root3", "builder", "releaser", "online", "office", "new", "stranger"]:
        done("key", "new", TMP / name, "--quiet")
    equal((TMP / "root1.key").stat().st_mode & 0o777, 0o600, "only its owner may read a private key")
    shown = done("key", "show", TMP / "root1.key")
    equal(done("key", "show", TMP / "root1.pub"), shown, "both files have one id")
    raw = subprocess.run(["openssl", "pkey", "-pubin", "-in", TMP / "root1.pub", "-outform", "DER"], stdout=subprocess.PIPE, check=True).stdout[-32:]
    equal(shown.strip(), hashlib.sha256(raw).hexdigest(), "the id is the hash of the public key")
    before = (TMP / "root1.key").read_bytes()
    refused(["key", "new", TMP / "root1"], "File exists", "a key is never written over")
    equal((TMP / "root1.key").read_bytes(), before, "… it is as it was")
    for kept, gone in [("pub", "key"), ("key", "pub")]:
        half = TMP / "half"
        half.mkdir()
        shutil.copy(TMP / f"root1.{kept}", half)
        before = (half / f"root1.{kept}").read_bytes()
        refused(["key", "new", half / "root1"], f"cannot create '{half}/root1.{kept}': File exists", f"… nor a .{kept} whose .{gone} is elsewhere")
        equal(((half / f"root1.{kept}").read_bytes(), (half / f"root1.{gone}").exists()), (before, False), "… and nothing is made beside it")
        shutil.rmtree(half)
    loose = TMP / "loose.key"
    shutil.copy(TMP / "builder.key", loose)
    loose.chmod(0o644)
    refused(["key", "show", loose], "others may read the private key", "a private key that others may read", 2)
    rsa = TMP / "rsa.pub"
    subprocess.run(f"openssl genrsa 2048 2>&1 | openssl rsa -pubout -out {rsa} 2>&1", shell=True, check=True, stdout=subprocess.DEVNULL)
    refused(["key", "show", rsa], "is no Ed25519 key", "a key of another kind")


def test_init():
    path = TMP / "repo"
    roles = ["--product", "debian-12", "--root", TMP / "root1.pub", "--root", TMP / "root2.pub", "--root", TMP / "root3.pub",
             "--release", TMP / "builder.pub", "--release", TMP / "releaser.pub", "--timestamp", TMP / "online.pub", "--licence", TMP / "office.pub"]
    refused(["init", path, *roles, "--root-threshold", "4"], "a threshold of 4 is impossible with 3 keys", "a threshold that can't be met", 2)
    ok(not path.exists(), "… leaves nothing")
    refused(["list", "--repo", path], "is no repository", "no repository")
    contains(done("init", path, *roles), "its root needs 2 signatures", "init")
    refused(["init", path, *roles], "is not empty", "a directory that is used", 2)
    (TMP / "half/.work").mkdir(parents=True)
    shutil.copy(path / ".work/root.signed", TMP / "half/.work")
    done("init", TMP / "half", *roles)
    contains(done("status", "--repo", TMP / "half"), "draft      root 1 has 0 of 2 signatures", "what an interrupted init left doesn't stop the next")
    shutil.rmtree(TMP / "half")
    contains(done("sign", "--repo", path, *keys("root1")), "root 1 has 1 of 2 signatures", "one signature of two")
    contains(done("sign", "--repo", path, *keys("root1"), status=0), "root 1 has 1 of 2 signatures", "… the same once more doesn't count")
    ok(not (path / "root.signed").exists(), "… and publishes nothing")
    contains(done("sign", "--repo", path, *keys("builder"), status=4), "nothing is to be signed with this key", "a key that has nothing to sign")
    contains(done("sign", "--repo", path, *keys("root3")), "root 1 is published", "two of three")
    shutil.copy(path / "root.signed", TMP / "root.signed")


def test_add():
    path = TMP / "repo"
    module = make_module(1, cves=["CVE-2026-1", "CVE-2026-2"])
    evidence = make_evidence(module)
    add = ["add", "--repo", path]
    refused([*add, module], "give the evidence of its test", "without evidence", 2)
    refused([*add, module, "--evidence", make_evidence(module, verdict="failed")], "says that the module failed", "evidence that failed", 3)
    refused([*add, module, "--evidence", make_evidence(module, build_id="00" * 20)], "is evidence of another kernel (build-id)", "evidence of another kernel")
    refused([*add, module, "--evidence", make_evidence(module, version="#1 SMP other")], "another kernel (version)", "… or of another build of it")
    other = make_module(7, name="kpatch_other")
    refused([*add, module, "--evidence", make_evidence(other)], "is evidence of another module", "evidence of another module")
    unbound = make_module(8, build_id=None, name="kpatch_unbound")
    refused([*add, unbound, "--without-evidence", "x"], "doesn't name its kernel by build-id", "a module of no certain kernel")
    evidence = make_evidence(module)
    evidence.write_text(evidence.read_text().replace('"verdict"', '"verdikt"'))
    refused([*add, module, "--evidence", evidence], "'verdict' is missing", "evidence that is damaged")
    ok(not (path / "kernels").exists(), "nothing of all this is kept")

    contains(done(*add, module, "--evidence", make_evidence(module), "--covered-until", "2027-05-08"), "level 1 of 4f61d8f6405b1c6e… (2 fixes, 2 CVEs more)",
             "a module with its evidence")
    again = make_module(1, cves=["CVE-2026-9"], name="kpatch_again")
    refused([*add, again, "--evidence", make_evidence(again)], "level 1 of this kernel is another file already", "a level is one file for ever")
    second = make_module(2, cves=["CVE-2026-1", "CVE-2026-2", "CVE-2026-3"])
    done(*add, second, "--without-evidence", "an emergency")
    doc = json.loads(done("list", "--repo", path, "--json"))
    equal([(r["channel"], r["draft"], r["covered_until"], [(level["level"], level["cves_added"], level["without_evidence"]) for level in r["levels"]])
           for r in doc["releases"]],
          [("test", True, "2027-05-08T00:00:00Z", [(1, ["CVE-2026-1", "CVE-2026-2"], None), (2, ["CVE-2026-3"], "an emergency")])], "list: the draft")


def test_publish():
    path = TMP / "repo"
    contains(done("sign", "--repo", path, *keys("builder")), "test 1 is published", "one signature is enough for test")
    done("promote", "1", "stable", "--repo", path)
    done("promote", "1", "stable", "--repo", path, status=4)
    refused(["promote", "9", "stable", "--repo", path], "has no level 9", "a level there isn't")
    contains(done("sign", "--repo", path, *keys("builder")), "stable 1 has 1 of 2 signatures", "one signature isn't for stable")
    contains(done("sign", "--repo", path, *keys("online")), "timestamp 1 is published", "the timestamp")
    equal(json.loads(done("verify", path, "--root", TMP / "root.signed", "--json"))["releases"], 1, "… speaks of what is published")
    contains(done("sign", "--repo", path, *keys("releaser", "online")), "stable 1 is published", "two signatures are")
    walked = json.loads(done("verify", path, "--root", TMP / "root.signed", "--json"))
    equal({key: walked[key] for key in ["schema", "root", "timestamp", "kernels", "releases", "levels"]},
          {"schema": "readykernel-repo-verify/1", "root": 1, "timestamp": 2, "kernels": 1, "releases": 2, "levels": 3}, "verify: what there is")
    status = json.loads(done("status", "--repo", path, "--json"))
    equal((status["root"]["version"], status["timestamp"]["version"], status["drafts"]), (1, 2, []), "status")


def test_interrupted():
    """Published and killed before the draft was gone, or the draft came back with a copy from another signer's machine."""
    path, root = TMP / "interrupted", TMP / "root.signed"
    shutil.copytree(TMP / "repo", path)
    sign, published, draft = ["sign", "--repo", path], path / f"kernels/{BUILD_ID}", path / f".work/releases/{BUILD_ID}.stable.signed"
    done("promote", "2", "stable", "--repo", path)
    done(*sign, *keys("builder"))
    second = draft.read_bytes()
    contains(done(*sign, *keys("releaser")), "stable 2 is published", "a release")
    draft.write_bytes(second)
    equal(json.loads(done("status", "--repo", path, "--json"))["drafts"], [], "a draft that is published is none")
    equal(done(*sign, *keys("builder", "releaser", "online")), "timestamp 3 is published\n", "… isn't published again under another name")
    ok(not draft.exists() and not (published / "stable.3.signed").exists(), "… and goes")
    equal(json.loads(done("verify", path, "--root", root, "--json"))["releases"], 2, "… as hosts see it, too")

    third = make_module(3, name="kpatch_3")
    done("add", "--repo", path, "--without-evidence", "x", "--channel", "stable", third)
    done(*sign, *keys("builder", "releaser"))
    draft.write_bytes(second)
    refused([*sign, *keys("builder", "online")], "doesn't follow from what is published; remove it", "a draft that came back from long ago isn't signed")
    refused(["add", "--repo", path, "--without-evidence", "x", "--channel", "stable", make_module(4)], "doesn't follow from what is published",
            "… nor is anything added to it")
    equal(draft.read_bytes(), second, "… and it is as it was")
    contains(done("status", "--repo", path), "(outdated) has 1 of 2 signatures", "… status says so")
    contains(done(*sign, *keys("online")), "timestamp 4 is published", "… and hosts are kept current")
    draft.unlink()

    shutil.copy(published / "stable.3.signed", published / "stable.4.signed")
    contains(done(*sign, *keys("online")), "stable 5 has 0 of 2 signatures", "a release that was published under another version's name is a draft again")
    equal(json.loads(done("verify", path, "--root", root, "--json"))["releases"], 1, "… which hosts aren't told of")
    contains(done(*sign, *keys("builder", "releaser", "online")), "stable 5 is published", "… until it is signed")
    walked = json.loads(done("verify", path, "--root", root, "--json"))
    equal((walked["releases"], walked["levels"]), (2, 5), "… then it is whole")

    draft = path / ".work/root.signed"
    done("key", "rotate", "--repo", path)
    done(*sign, *keys("root1"))
    second = draft.read_bytes()
    contains(done(*sign, *keys("root2")), "root 2 is published", "a root")
    draft.write_bytes(second)
    (path / "root/2.signed").unlink()
    done(*sign, *keys("online"))
    equal(((path / "root/2.signed").read_bytes(), draft.exists()), ((path / "root.signed").read_bytes(), False), "… has its other name and is no draft")
    (path / "root/2.signed").unlink()
    done("key", "rotate", "--repo", path)
    ok((path / "root/2.signed").exists(), "… also when the next thing that is done is the next root")
    done(*sign, *keys("root1", "root2"))
    draft.write_bytes(second)
    refused([*sign, *keys("root2")], "doesn't follow from what is published", "a root that came back from long ago")
    equal(json.loads(done("verify", path, "--root", root, "--json"))["root"], 3, "… isn't published")


def test_refused():
    """What a host would refuse, verify does too, with the same word."""
    root = TMP / "root.signed"
    cases = [
        ("a module that was exchanged", lambda p: flip(next(p.glob("kernels/*/files/*.ko"))), "[hash]"),
        ("evidence that was exchanged", lambda p: flip(next(p.glob("kernels/*/files/*.evidence.json"))), "[hash]"),
        ("an index that was exchanged", lambda p: [flip(f) for f in p.glob("index/*.json")], "[mix]"),
        ("a release that was exchanged", lambda p: flip(next(p.glob("kernels/*/stable.1.signed"))), "[mix]"),
        ("a timestamp that was changed", lambda p: flip(p / "timestamp.signed"), "[signature]"),
        ("a link instead of a file", lambda p: relink(next(p.glob("kernels/*/files/*.ko"))), "[name]"),
        ("a timestamp that is huge", lambda p: (p / "timestamp.signed").write_bytes(b"x" * (2 << 20)), "[too-large]"),
    ]
    for name, spoil, word in cases:
        copy = TMP / "spoilt"
        shutil.copytree(TMP / "repo", copy)
        spoil(copy)
        refused(["verify", copy, "--root", root], word, name, 3)
        shutil.rmtree(copy)
    refused(["verify", TMP / "repo", "--root", root, "--at", "2099-01-01"], "[expired]", "a time when nothing is valid any more", 3)
    refused(["verify", TMP / "repo", "--root", root, "--at", "2020-01-01"], "[clock]", "a time before it was made", 3)
    refused(["verify", TMP / "repo"], "missing option '--root'", "without a root", 2)
    error = json.loads(repo("verify", "--json", TMP / "repo", "--root", root, "--at", "2099-01-01").stdout)["error"]
    equal(error["code"], "expired", "… as JSON")
    evil = TMP / "evil"
    names = ["root1", "root2", "builder", "releaser", "online", "office"]
    evil.mkdir()
    for name in names:
        done("key", "new", evil / name, "--quiet")
    done("init", evil / "repo", "--product", "debian-12", "--root", evil / "root1.pub", "--root", evil / "root2.pub", "--release", evil / "builder.pub",
         "--release", evil / "releaser.pub", "--timestamp", evil / "online.pub", "--licence", evil / "office.pub")
    done("sign", "--repo", evil / "repo", "--key", evil / "root1.key", "--key", evil / "root2.key", "--key", evil / "online.key")
    refused(["verify", evil / "repo", "--root", root], "[key]", "somebody else's repository", 3)


def flip(path):
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)


def relink(path):
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def test_notices():
    path = TMP / "repo"
    refused(["block", "2", "--repo", path], "missing option '--reason'", "blocking needs a reason", 2)
    done("block", "2", "--repo", path, "--reason", "breaks nf_tables")
    done("withdraw", "2", "--repo", path, "--to", "1", "--reason", "breaks nf_tables")
    done("minimum", "1", "--repo", path, "--kernel", RELEASE)
    refused(["withdraw", "2", "--repo", path, "--to", "2", "--reason", "x"], "must be a level below 2", "going back goes down", 2)
    refused(["block", "2", "--repo", path, "--kernel", "ffff", "--reason", "x"], "0 kernels are meant by 'ffff'", "a kernel there isn't", 2)
    status = json.loads(done("status", "--repo", path, "--json"))
    equal([(key, status[key][0]["level"], status[key][0]["to"], status[key][0]["reason"]) for key in ["blocked", "withdrawn", "minimum"]],
          [("blocked", 2, 0, "breaks nf_tables"), ("withdrawn", 2, 1, "breaks nf_tables"), ("minimum", 1, 0, None)], "status shows them")
    done("sign", "--repo", path, *keys("online"))
    text = (path / "timestamp.signed").read_text()
    payload = json.loads(text.split("\n\n", 1)[1])
    equal((payload["version"], payload["blocked"]), (3, [{"build_id": BUILD_ID, "level": 2, "reason": "breaks nf_tables"}]), "hosts are told")
    result = repo("promote", "2", "early", "--repo", path)
    equal((result.returncode, result.stderr), (0, "warning: level 2 is withdrawn; no host will load it\n"), "promoting what must not be loaded")
    (path / f".work/releases/{BUILD_ID}.early.signed").unlink()
    done("block", "2", "--repo", path, "--undo")
    done("block", "2", "--repo", path, "--undo", status=4)
    done("sign", "--repo", path, *keys("online"))
    payload = json.loads((path / "timestamp.signed").read_text().split("\n\n", 1)[1])
    equal((payload["blocked"], payload["withdrawn"][0]["to"]), ([], 1), "what is taken back is gone, the rest stays")


def test_notices_of_kernels():
    """One command says it of several kernels, or of all that have the level."""
    path, other, third = TMP / "kernels", "6c" * 20, "7d" * 20
    shutil.copytree(TMP / "repo", path)
    for build_id, level in [(other, 1), (other, 2), (third, 1)]:
        module = make_module(level, build_id=build_id, name=f"kpatch_{build_id[0]}_{level}")
        done("add", "--repo", path, "--without-evidence", "x", "--channel", "stable", module)

    def told(key="blocked"):
        return sorted((notice["build_id"], notice["level"]) for notice in json.loads(done("status", "--repo", path, "--json"))[key])

    block = ["block", "--repo", path, "--reason", "x"]
    refused([*block, "1"], "there are 3 kernels", "of three kernels none is meant by itself", 2)
    refused([*block, "--all-kernels", "--kernel", other, "1"], "exclude each other", "all and one", 2)
    refused([*block, "--all-kernels", "9"], "no kernel has a level 9", "a level that none has")
    refused([*block, "--kernel", "6c", "22"], f"kernel {other[:16]}… has no level 22", "a level that one doesn't have")
    refused(["withdraw", "--repo", path, "--reason", "x", "--kernel", "6c", "--to", "1", "22"], "has no level 22", "… to be withdrawn")
    refused(["minimum", "--repo", path, "--kernel", "6c", "99"], "has no level 99", "… to be the least")
    done("add", "--repo", path, "--without-evidence", "x", make_module(17, build_id=third, name="kpatch_17"))
    for which in [["--kernel", third], ["--all-kernels"]]:
        refused(["withdraw", "--repo", path, "--reason", "x", *which, "--to", "16", "17"], "has no level 16", "a level to go back to that isn't there")
    refused([*block, "--kernel", "6c", "--kernel", "ff", "1"], "0 kernels are meant by 'ff'", "one of two isn't there", 2)
    equal(told(), [], "… blocks the other neither")
    text = done(*block, "--kernel", "6c", "--kernel", BUILD_ID, "1")
    equal(told(), [(BUILD_ID, 1), (other, 1)], "two kernels")
    for build_id in [other, BUILD_ID]:
        contains(text, f"block: level 1 of {build_id[:16]}…\n", "… are named")
    equal(done(*block, "--all-kernels", "2").count("level 2 of"), 2, "all that have the level")
    equal(told(), [(BUILD_ID, 1), (BUILD_ID, 2), (other, 1), (other, 2)], "… and no other")
    equal(done("block", "--repo", path, "--undo", "--all-kernels", "1").count("block --undo: level 1 of"), 2, "taken back wherever it is")
    done("block", "--repo", path, "--undo", "--all-kernels", "1", status=4)
    equal(told(), [(BUILD_ID, 2), (other, 2)], "… the others stay")
    done("minimum", "--repo", path, "--kernel", "6c", "1")
    contains(done("minimum", "--repo", path, "--kernel", "6c", "--undo", "2", status=4), "nothing was said of level 2", "what is taken back is that level's")
    ok((other, 1) in told("minimum"), "… a minimum, too")
    done("minimum", "--repo", path, "--kernel", "6c", "2")
    equal([notice for notice in told("minimum") if notice[0] == other], [(other, 2)], "a kernel has one minimum")
    done("minimum", "--repo", path, "--kernel", "6c", "--undo", "2")
    ok((other, 2) not in told("minimum"), "… which is gone then")


def notice_lines(path):
    return [line for line in done("status", "--repo", path).splitlines() if line.split()[0] in ["blocked", "withdrawn", "minimum"]]


def test_unsigned():
    """status tells what hosts know from what the next timestamp will tell them."""
    path = TMP / "unsigned"
    shutil.copytree(TMP / "repo", path)
    block, sign = ["block", "--repo", path, "--reason", "x", "--kernel", BUILD_ID], ["sign", "--repo", path, *keys("online")]
    for level in ["1", "2"]:
        done("withdraw", "--repo", path, "--undo", level, status=0 if level == "2" else 4)
    done("minimum", "--repo", path, "--undo", "1")
    done(*sign)
    done(*block, "1")
    line = f"blocked    {BUILD_ID[:16]}… level"
    equal(notice_lines(path), [f"{line} 1: x (not signed yet)"], "a level that is to be blocked")
    done(*sign)
    equal(notice_lines(path), [f"{line} 1: x"], "… and is")
    done("block", "--repo", path, "--undo", "1")
    done(*block, "2")
    equal(notice_lines(path), [f"{line} 2: x (not signed yet)", f"{line} 1: x (taken back, not signed yet)"], "one that is blocked no longer, soon")
    equal([(it["level"], it["state"]) for it in json.loads(done("status", "--repo", path, "--json"))["blocked"]], [(2, "unsigned"), (1, "taken-back")],
          "… as JSON")
    done(*sign)
    equal(json.loads(done("status", "--repo", path, "--json"))["blocked"][0]["state"], "signed", "… when it is signed")


def test_expired():
    past = fake_repository.Repository(TMP / "past", {"release": RELEASE, "version": VERSION, "build_id": BUILD_ID, "arch": "x86_64"}, TMP / "past-keys",
                                      now=int(time.time()) - 400 * 86400)
    past.publish()
    past.write(".work/settings.json", b'{"schema": "readykernel-repo-settings/1", "product": "debian-12"}')
    text = done("status", "--repo", past.root, status=3)
    equal([line.split()[:4] for line in text.splitlines()[:2]], [["root", "1,", "EXPIRED", "on"], ["timestamp", "1,", "EXPIRED", "on"]], "what has expired")
    doc = json.loads(done("status", "--repo", past.root, "--json", status=3))
    equal((doc["root"]["expired"], doc["timestamp"]["expired"]), (True, True), "… as JSON")
    key = past.keys["timestamp"].path
    key.chmod(0o600)
    result = repo("sign", "--repo", past.root, "--key", key)
    equal(result.returncode, 0, "a timestamp is signed under a root that has expired")
    contains(result.stderr, "warning: root 1 expired on", "… with a warning")
    text = done("status", "--repo", past.root, status=3)
    contains(text, "timestamp  2, valid until", "the root alone is reason enough")


def test_days():
    path, root = TMP / "days", TMP / "root.signed"
    shutil.copytree(TMP / "repo", path)
    for days in ["0", "31", "4294967295", "x"]:
        refused(["sign", "--repo", path, *keys("online"), "--days", days], f"'{days}' is not from 1 to 30", f"a timestamp for {days} days", 2)
    done("sign", "--repo", path, *keys("online"), "--days", "30")
    done("verify", path, "--root", root)
    for days in ["0", "366"]:
        refused(["bundle", TMP / "days.tar", "--repo", path, *keys("online"), "--days", days], "is not from 1 to 365", f"a bundle for {days} days", 2)
    done("bundle", TMP / "days.tar", "--repo", path, *keys("online"), "--days", "365")
    done("verify", TMP / "days.tar", "--root", root)


def test_lock():
    path = TMP / "repo"
    with open(path / ".work/lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(["sign", "--repo", path, *keys("online")], "another readykernel-repo is at work", "two at once")
        done("status", "--repo", path)


def test_mirror():
    root = TMP / "root.signed"
    done("mirror", TMP / "repo", TMP / "mirror", "--root", root)
    names = sorted(str(f.relative_to(TMP / "mirror")) for f in (TMP / "mirror").rglob("*") if f.is_file())
    ok(not any(name.startswith(".work") for name in names), "drafts aren't copied")
    done("verify", TMP / "mirror", "--root", root)
    newer, copy = TMP / "newer", TMP / "mirror4"
    shutil.copytree(TMP / "repo", newer)
    done("sign", "--repo", newer, *keys("online"))
    done("mirror", newer, copy, "--root", root)
    refused(["mirror", TMP / "repo", copy, "--root", root], "[rollback]", "an older timestamp than the copy has", 3)
    equal((copy / "timestamp.signed").read_bytes(), (newer / "timestamp.signed").read_bytes(), "… isn't taken")
    done("mirror", newer, copy, "--root", root)
    done("key", "rotate", "--repo", newer)
    done("sign", "--repo", newer, *keys("root1", "root2", "online"))
    done("mirror", newer, copy, "--root", root)
    refused(["mirror", TMP / "repo", copy, "--root", root], "'root.signed' has version 1", "an older root than the copy has", 3)
    done("verify", copy, "--root", copy / "root.signed")
    (copy / "timestamp.signed").write_bytes(b"x")
    done("mirror", newer, copy, "--root", root)
    done("verify", copy, "--root", root)
    spoilt = TMP / "spoilt"
    shutil.copytree(TMP / "repo", spoilt)
    flip(next(spoilt.glob("kernels/*/files/*.ko")))
    refused(["mirror", spoilt, TMP / "mirror2", "--root", root], "[hash]", "a module that was exchanged isn't copied", 3)
    ok(not (TMP / "mirror2/timestamp.signed").exists(), "… and no timestamp speaks of it")
    shutil.rmtree(spoilt)
    server = Server(TMP / "repo")
    done("mirror", server.url, TMP / "mirror3", "--root", root)
    done("verify", f"{server.url}/", "--root", root)
    server.stop()
    for name in names:
        if (TMP / "mirror3" / name).read_bytes() != (TMP / "mirror" / name).read_bytes():
            ok(False, f"mirror over HTTP: {name}")
    done("verify", TMP / "mirror3", "--root", root)


def test_bundle():
    path, root = TMP / "b.tar", TMP / "root.signed"
    refused(["bundle", path, "--repo", TMP / "repo", *keys("builder")], "[key]", "a bundle signed with another role's key", 3)
    ok(not path.exists(), "… isn't written")
    refused(["bundle", path, "--repo", TMP / "repo", *keys("online"), "--kernel", "ffff"], "no published release is meant", "a bundle of nothing")
    contains(done("bundle", path, "--repo", TMP / "repo", *keys("online"), "--kernel", RELEASE), "1 releases with 1 levels", "a bundle")
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        ok(all(m.isreg() and m.uid == 0 and m.mtime == 0 for m in members), "tar reads it; nothing of this machine is in it")
        stamp = json.loads(tar.extractfile("timestamp.signed").read().split(b"\n\n", 1)[1])
    ok(stamp["bundle"] is True, "its timestamp says what it is for")
    done("verify", path, "--root", root)
    unpacked = TMP / "unpacked"
    with tarfile.open(path) as tar:
        tar.extractall(unpacked)
    refused(["verify", unpacked, "--root", root], "[mix]", "its timestamp isn't taken from a directory or server", 3)
    for name, change in [("a symbolic link", lambda m: (setattr(m, "type", tarfile.SYMTYPE), setattr(m, "linkname", "/etc/passwd"))),
                         ("a directory", lambda m: setattr(m, "type", tarfile.DIRTYPE)), ("a device", lambda m: setattr(m, "type", tarfile.CHRTYPE))]:
        bad = TMP / "bad.tar"
        with tarfile.open(bad, "w", format=tarfile.USTAR_FORMAT) as tar:
            member = tarfile.TarInfo("timestamp.signed")
            change(member)
            tar.addfile(member)
        refused(["verify", bad, "--root", root], "[bundle-entry]", f"{name} in a bundle", 3)
    for name in ["../../etc/passwd", "/etc/passwd", "kernels/../root.signed", "x"]:
        with tarfile.open(bad, "w", format=tarfile.USTAR_FORMAT) as tar:
            tar.addfile(tarfile.TarInfo(name))
        refused(["verify", bad, "--root", root], "[name]", f"'{name}' in a bundle", 3)
    bad.write_bytes(path.read_bytes()[:3000])
    refused(["verify", bad, "--root", root], "is cut off", "a bundle that is cut off")


def test_rotate():
    path, root = TMP / "repo", TMP / "root.signed"
    rotate = ["key", "rotate", "--repo", path]
    refused([*rotate, "--remove", "timestamp:nobody"], "role 'timestamp' has no key 'nobody'", "a key there isn't", 2)
    refused([*rotate, "--add", f"cook:{TMP}/new.pub"], "doesn't begin with a role", "a role there isn't", 2)
    done(*rotate, "--add", f"root:{TMP}/new.pub", "--remove", "root:root1", "--remove", "release:builder", "--add", f"release:{TMP}/new.pub")
    again = repo(*rotate, "--add", f"root:{TMP}/new.pub", "--remove", "root:root1", "--remove", "release:builder", "--add", f"release:{TMP}/new.pub")
    equal((again.returncode, again.stderr), (0, "warning: the draft of root 2 that was there is replaced: its changes and its signatures are gone\n"),
          "a draft that is replaced")
    contains(done("sign", "--repo", path, *keys("root2", "new")), "root 2 has 1 of 2 signatures", "its own keys aren't enough")
    contains(done("sign", "--repo", path, *keys("root3", "online")), "root 2 is published", "enough of both are")
    walked = json.loads(done("verify", path, "--root", root, "--json"))
    equal((walked["root"], walked["releases"]), (2, 0), "a host follows; what a removed key signed is left out")
    contains(done("sign", "--repo", path, *keys("releaser", "new", "online")), "stable 2 is published", "… until it is signed again")
    equal(json.loads(done("verify", path, "--root", root, "--json"))["releases"], 2, "… then it is back")
    done("mirror", path, TMP / "mirror", "--root", root)
    done("verify", TMP / "mirror", "--root", TMP / "mirror/root.signed")


def test_licence():
    path, root = TMP / "acme.licence", TMP / "root.signed"
    issue = ["licence", "issue", "--key", TMP / "office.key", "--output", path, "--id", "A-1", "--holder", "Acme"]
    refused(issue[:-2], "missing option '--holder'", "a licence is somebody's", 2)
    refused([*issue, "--not-before", "2026-01-02", "--not-after", "2026-01-01"], "it ends before it begins", "a licence that never was valid")
    refused([*issue[:6], "--id", "../x", "--holder", "Acme"], "[name]", "an id that leads elsewhere", 3)
    ok(not path.exists(), "… isn't written")
    done(*issue, "--product", "debian-12", "--feature", "reports", "--hosts", "12", "--channel", "stable")
    doc = json.loads(done("licence", "show", path, "--root", root, "--json"))
    equal([doc[key] for key in ["id", "holder", "trial", "hosts", "products", "features", "channel", "state"]],
          ["A-1", "Acme", False, 12, ["debian-12"], ["reports"], "stable", "valid"], "licence show")
    done(*issue, "--not-before", "2020-01-01", "--not-after", "2020-06-01")
    contains(done("licence", "show", path, "--root", root), "expired", "one that has ended")
    done("licence", "issue", "--key", TMP / "stranger.key", "--output", path, "--id", "A-2", "--holder", "Eve")
    refused(["licence", "show", path, "--root", root], "[key]", "one that a stranger issued", 3)
    done(*issue, "--trial")
    flip(path)
    refused(["licence", "show", path, "--root", root], "[signature]", "one that was changed", 3)


for test in [test_help, test_keys, test_init, test_add, test_publish, test_interrupted, test_refused, test_notices, test_notices_of_kernels, test_unsigned, test_expired, test_days, test_lock, test_mirror, test_bundle, test_rotate,
             test_licence]:
    test()
tap.done()
