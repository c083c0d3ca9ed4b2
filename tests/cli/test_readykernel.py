#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""readykernel on a host that is a directory, with a repository behind a real web server: what it fetches, what it refuses and
how it says so. Loading is tested in a guest. Argument: readykernel."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import attacks  # noqa: E402
import tap  # noqa: E402
import web  # noqa: E402
from fake_host import BUILD_ID, KERNEL, USER_ID, Host  # noqa: E402
from fake_repository import Repository, make_module, sha256, utc  # noqa: E402
from tap import contains, equal, ok, run  # noqa: E402

TOOL = sys.argv[1]
TMP = pathlib.Path(tap.tmpdir())
GOLDEN = pathlib.Path(__file__).parent / "golden"
os.chmod(TMP, 0o755)  # the process that fetches is another user, and must come through
DAY = 86400
for NAME in ["http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"]:
    os.environ.pop(NAME, None)

FIRST = Repository(TMP / "www", KERNEL, TMP / "keys")
MODULES = {level: make_module(TMP, KERNEL, level, f"kpatch_{level}", [f"CVE-2026-{level}"], size=300000) for level in [1, 2, 3]}
FIRST.add_level(1, MODULES[1], ["CVE-2026-1"], released=FIRST.now - 10 * DAY)
FIRST.publish()
SERVER = web.Server(TMP / "www")


class World:
    """A repository that began like all the others, a host that trusts it."""

    count = 0

    def __init__(self, config="autoload = no\n"):
        World.count += 1
        self.tool = TOOL
        self.repo = FIRST.fork(TMP / f"www{World.count}")
        self.serve()
        self.host = Host(TMP / f"host{World.count}", SERVER.url, config)
        self.host.write("etc/readykernel/root.signed", (self.repo.root / "root.signed").read_bytes())

    def serve(self):
        SERVER.root = self.repo.root
        SERVER.say.clear()
        SERVER.say_all = None
        SERVER.requests.clear()

    def run(self, *args, **kwargs):
        return run([self.tool, *args, "--root", self.host.root], **kwargs)

    def json(self, *args):
        return json.loads(self.run(*args, "--json").stdout)

    def installed(self):
        return sorted(int(p.stem) for p in self.host.path(f"var/lib/readykernel/patches/{BUILD_ID}").glob("*.json"))

    def refused(self, name, code, message="", status=3, args=("update",)):
        """Says why, with its own code; nothing came of it."""
        before = self.installed()
        result = self.run(*args)
        equal(result.returncode, status, f"{name}: exit status")
        contains(result.stderr, message, f"{name}: message")
        equal(self.installed(), before, f"{name}: nothing is installed")
        if args[0] in ["update", "bundle"]:
            state = json.loads(self.host.path("var/lib/readykernel/state.json").read_text())
            equal(state["last_check"]["code"], code, f"{name}: code")
        return result


def test_help():
    text = ""
    rows = run([TOOL, "--list-options"]).stdout.splitlines()
    verbs = list(dict.fromkeys(row.split("\t")[1] for row in rows if row.split("\t")[1] != "-"))
    for verb in [[], *[verb.split() for verb in verbs]]:
        result = run([TOOL, *verb, "--help"])
        equal((result.returncode, result.stderr), (0, ""), f"readykernel {' '.join(verb)} --help")
        text += f"$ readykernel {' '.join([*verb, '--help'])}\n{result.stdout}"
    tap.golden(text, str(GOLDEN / "readykernel-help.txt"), "--help: text")


def test_thread():
    world = World()
    result = world.run("check-update")
    equal((result.returncode, result.stdout), (0, "level 1 is there for this host\n"), "check-update")
    equal(world.installed(), [], "check-update installs nothing")
    asked = sum(len((world.repo.root / path.lstrip("/")).read_bytes()) for path, _ in SERVER.requests if (world.repo.root / path.lstrip("/")).is_file())
    ok(asked < 65536, "a check asks for less than 64 KB", asked)
    equal(world.json("check-update"), {"schema": "readykernel-update/1", "kernel": KERNEL["release"], "build_id": BUILD_ID, "known": True,
                                       "loaded": 0, "level": 1, "downgrade": False, "installed": False}, "check-update --json")
    result = world.run("update")
    equal((result.returncode, result.stdout), (0, "level 1 was fetched\n"), "update")
    equal(world.installed(), [1], "the level is installed")
    module = next(world.host.path(f"var/lib/readykernel/patches/{BUILD_ID}").glob("*.ko"))
    equal((module.stat().st_uid, module.stat().st_nlink, module.read_bytes() == MODULES[1]), (os.geteuid(), 1, True), "… as root's own copy")
    SERVER.requests.clear()
    world.run("check-update")
    headers = [headers for path, headers in SERVER.requests if path == "/timestamp.signed"]
    ok(headers and "If-None-Match" in headers[0], "what is kept is asked for with its ETag", SERVER.requests)
    equal([path.lstrip("/") for path, _ in SERVER.requests], ["root/2.signed", "timestamp.signed"], "… and nothing else is asked for")
    world.host.set_loaded("kpatch_1")
    result = world.run("update")
    equal((result.returncode, result.stdout), (4, "level 1 is the newest for this host and is loaded\n"), "nothing to do")
    world.repo.add_level(2, MODULES[2], ["CVE-2026-2"])
    world.repo.publish()
    equal(world.run("check-update").stdout, "level 2 is there for this host\n", "a newer level")
    levels = world.json("patches")["levels"]
    equal([(row["level"], row["loaded"], row["installed"], row["available"], row["cves_added"]) for row in levels],
          [(1, True, True, True, ["CVE-2026-1"]), (2, False, False, True, ["CVE-2026-2"])], "patches --json")
    equal(world.run("update").stdout, "level 2 was fetched\n", "update to the newer one")
    equal(world.installed(), [1, 2], "both are here")


def test_nothing_for_us():
    world = World()
    world.repo.publish_timestamp(world.repo.publish_index(None))
    result = world.run("update")
    equal((result.returncode, result.stdout), (4, f"there are no levels for kernel {KERNEL['release']} in channel 'stable' yet\n"),
          "a kernel that the repository doesn't have is no error")
    world = World("autoload = no\nchannel = early\n")
    equal(world.run("update").returncode, 4, "nor is a channel without it")
    world.host.config("")
    result = world.run("update")
    equal(result.returncode, 2, "no repository: usage")
    contains(result.stderr, "no repository is configured; set 'repository' in", "… says where")
    world.host.path("etc/readykernel/root.signed").unlink()
    result = world.run("update")
    equal(result.returncode, 20, "no root")
    contains(result.stderr, "etc/readykernel/root.signed': no repository is trusted", "… says so")


def test_notices():
    world = World()
    for level in [2, 3]:
        world.repo.add_level(level, MODULES[level], [f"CVE-2026-{level}"])
    world.repo.blocked = [world.repo.notice(3, reason="it panics")]
    world.repo.publish()
    equal(world.run("update").stdout, "level 2 was fetched\n", "a blocked level isn't taken")
    world.host.set_loaded("kpatch_2")
    for notices, why in [(world.repo.blocked, "its publisher blocked it"), (world.repo.minimum, "its publisher wants a newer one loaded")]:
        notices.append(world.repo.notice(2 if notices is world.repo.blocked else 3, reason="it is slow"))
        world.repo.publish()
        result = world.run("update")
        equal((result.returncode, result.stdout), (4, f"level 2 stays loaded although {why}: there is none to take its place\n"), "one that isn't good isn't praised")
        notices.pop()
    world.repo.withdrawn = [world.repo.notice(2, to=1, reason="it is slow")]
    world.repo.publish()
    equal(world.run("update").stdout, "level 2 was withdrawn; level 1 takes its place\n", "a withdrawn level makes way")
    equal(world.installed(), [1, 2], "… for one that is fetched")


def test_freeze():
    world = World()
    for level in [2, 3]:
        world.repo.add_level(level, MODULES[level], [f"CVE-2026-{level}"], released=world.repo.now - (4 - level) * DAY)
    world.repo.publish()
    equal(world.run("freeze", "2").returncode, 0, "freeze LEVEL")
    equal(world.run("update").stdout, "level 2 was fetched\n", "… nothing newer is taken")
    date = time.strftime("%Y-%m-%d", time.gmtime(world.repo.now - 5 * DAY))
    result = world.run("freeze", date)
    contains(result.stdout, f"nothing newer than {date}T23:59:59Z", "freeze DATE")
    equal(world.json("check-update")["level"], 1, "… only what was released until then")
    world.run("freeze", utc(world.repo.now - 10 * DAY))
    equal(world.json("check-update")["level"], 1, "… what was released in that very second, too")
    world.run("freeze", utc(world.repo.now - 10 * DAY - 1))
    equal(world.json("check-update")["level"], 0, "… and nothing of the second after")
    equal(world.run("freeze", "off").returncode, 0, "freeze off")
    equal(world.json("check-update")["level"], 3, "… all are allowed again")
    result = world.run("freeze", "soon")
    equal(result.returncode, 2, "freeze of what is no date")


def test_overview():
    """info, status, uname, cvelist: one answer in every form, with no network and changing nothing."""
    world = World()
    status = lambda: (world.run("status").returncode, world.json("status")["verdict"])  # noqa: E731
    equal(status(), (1, "none"), "status: nothing is loaded")
    contains(world.run("info").stdout, "patch          none\n", "info: nothing is loaded")
    world.run("update")
    world.host.set_loaded("kpatch_1")
    SERVER.requests.clear()
    equal(status(), (0, "latest"), "status: the newest is loaded")
    info = world.run("info").stdout
    for line in [f"kernel         {KERNEL['release']} ({KERNEL['version']})", "patch          kpatch_1, level 1 (enabled)",
                 "fixes          1: CVE-2026-1", "channel        stable"]:
        contains(info, line + "\n", f"info: {line.split()[0]}")
    contains(info, f"covered until  {utc(world.repo.now + 100 * DAY)[:10]}", "info: until when")
    equal(info.splitlines()[-1], world.run("status").stdout.strip(), "info: the verdict stands last")
    equal(world.run("cvelist").stdout, "CVE-2026-1\n", "cvelist")
    equal(world.json("cvelist")["cves"], ["CVE-2026-1"], "cvelist --json")
    effective = world.json("status")["effective_kernel"]
    equal((world.run("uname").stdout, world.run("uname", "-r").stdout), (effective + "\n",) * 2, "uname, uname -r")
    equal(world.run("uname", "-a").stdout, f"Linux {os.uname().nodename} {effective} {KERNEL['version']} {KERNEL['arch']} GNU/Linux\n",
          "uname -a")
    doc = world.json("uname")
    equal([doc[key] for key in ["release", "kernel", "version", "machine", "nodename"]],
          [effective, KERNEL["release"], KERNEL["version"], KERNEL["arch"], os.uname().nodename], "uname --json")
    equal(world.json("status")["last_check"]["result"], "ok", "status: the last check")
    equal(world.host.path("run/readykernel/effective").read_text(), KERNEL["release"] + "\n", "/run: as of the last change")
    world.run("check-update")
    equal(world.host.path("run/readykernel/effective").read_text(), effective + "\n", "/run/readykernel/effective")
    equal(world.host.path("run/readykernel/cvelist").read_text(), "CVE-2026-1\n", "/run/readykernel/cvelist")
    for level in [2, 3]:
        world.repo.add_level(level, MODULES[level], [f"CVE-2026-{level}"], released=world.repo.now - (4 - level) * DAY)
    world.repo.publish()
    world.run("check-update")
    doc = world.json("status")
    equal((doc["exit"], doc["verdict"], doc["available"]), (2, "outdated", {"level": 3, "cves_added": ["CVE-2026-2", "CVE-2026-3"]}),
          "status: a newer one is there")
    result = world.run("freeze", "2")
    contains(result.stdout, "not fixed because of it: CVE-2026-3\n", "freeze says what it leaves out")
    doc = world.json("status")
    equal((doc["exit"], doc["freeze"]["excluded_cves"]), (2, ["CVE-2026-3"]), "frozen at 2, 1 is loaded: there is a newer one")
    world.run("freeze", "1")
    equal((status(), world.json("status")["freeze"]["excluded_cves"]), ((0, "latest"), ["CVE-2026-2", "CVE-2026-3"]), "frozen at 1")
    contains(world.run("info").stdout, "left by freeze 2: CVE-2026-2 CVE-2026-3\n", "info shows it")
    world.host.set_loaded("somebody_elses")
    contains(world.run("info").stdout, "other patch    somebody_elses (not one of ours)\n", "info: another live patch")
    checks = world.json("doctor")["checks"]
    ok(all(check["health"] in ["ok", "warn", "fail"] and (check["advice"] or check["health"] == "ok") for check in checks),
       "doctor: each problem has advice", checks)
    equal(world.run("doctor").returncode, 3 if any(check["health"] == "fail" for check in checks) else 0, "doctor: exit status")


def metrics(text):
    """The samples of a file in Prometheus' text format 0.0.4, each family with one HELP and one TYPE line before its samples."""
    values, families, kind = {}, [], None
    label = r'[a-z_]+="(?:[^"\\\n]|\\.)*"'
    for line in text.splitlines():
        head = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)", line)
        sample = re.fullmatch(rf"([a-z_]+)(|\{{{label}(?:,{label})*\}}) (-?[0-9.e+]+)", line)
        ok(head or sample, "metrics: a line of the format", line)
        if head and head[1] == "HELP":
            ok(head[2] not in families, f"metrics: {head[2]} is one family", families)
            families.append(head[2])
        elif head:
            equal((head[2], head[3]), (families[-1], "gauge"), f"metrics: the type of {head[2]}")
            kind = head[2]
        elif sample:
            equal(sample[1], kind, "metrics: a sample behind its type")
            values[sample[1]] = (sample[2], float(sample[3]))
    equal(sorted(values), sorted(families), "metrics: each family has its sample")
    return values


def test_metrics():
    world = World()
    place = world.host.path("var/lib/prometheus/node-exporter")
    place.mkdir(parents=True)
    world.run("update")
    world.host.set_loaded("kpatch_1")
    world.run("check-update")
    values = metrics((place / "readykernel.prom").read_text())
    for name, value in [("status", 0), ("level", 1), ("available_level", 1), ("cves_fixed", 1), ("blocked_levels", 0)]:
        equal(values[f"readykernel_{name}"], ("", value), f"metrics: {name}")
    contains(values["readykernel_info"][0], f'kernel="{KERNEL["release"]}"', "metrics: the kernel")
    equal([path.name for path in place.iterdir()], ["readykernel.prom"], "metrics: nothing else is left there for the collector")
    equal((place / "readykernel.prom").stat().st_mode & 0o777, 0o644, "metrics: the collector may read it")


def test_blind():
    """A mirror that stands still, or a store that was tampered with, must not look like a host that is current."""
    world = World()
    world.run("update")
    world.host.set_loaded("kpatch_1")
    equal(world.run("status").returncode, 0, "all is known")
    expires = int(time.time()) + 2
    world.repo.publish(expires=utc(expires))
    equal(world.run("check-update").returncode, 4, "until soon")
    while time.time() < expires:
        time.sleep(0.1)
    result = world.run("status")
    equal(result.returncode, 5, "what is known has expired: status")
    contains(result.stdout, "what is known of the repository has expired", "… says so")
    equal(world.run("check-update").returncode, 17, "… so does an update")
    world.repo.publish()
    world.run("check-update")
    equal(world.run("status").returncode, 0, "it is renewed")
    world.repo.withdrawn = [world.repo.notice(1, to=0, reason="it is slow")]
    world.repo.publish()
    world.run("check-update")
    result = world.run("status")
    equal(result.returncode, 5, "what is loaded was withdrawn: status")
    contains(result.stdout, "level 1 is loaded, which was withdrawn by its publisher", "… says so")
    equal(world.json("status")["patch"]["state"], "applied-with-bug", "… in others' words")
    world.host.path("var/lib/readykernel/trust/seen.json").write_text("{")
    result = world.run("status")
    equal(result.returncode, 5, "the store was tampered with: status")
    contains(result.stdout, "seen.json' isn't what was stored", "… says so")
    checks = {check["name"]: check for check in world.json("doctor")["checks"]}
    equal(checks["trust"]["health"], "fail", "… and doctor")
    contains(checks["trust"]["text"], "seen.json' isn't what was stored", "… says why")
    contains(checks["trust"]["advice"], "trust", "… and what to do")
    world.host.path("etc/readykernel/root.signed").unlink()
    contains(world.run("status").stdout, "no repository is trusted", "no root: status says so")


def test_untried():
    """After a level that hurt this host no older one comes by itself that never ran here."""
    world = World()
    for level in [2, 3]:
        world.repo.add_level(level, MODULES[level])
    world.repo.publish()
    world.run("check-update")
    path = world.host.path("var/lib/readykernel/state.json")
    state = json.loads(path.read_text())
    note = {"build_id": BUILD_ID, "at": utc(world.repo.now), "load": "x", "code": "", "reason": "", "was_good": False, "unclean": 0}
    state["levels"] = [{**note, "level": 1, "verdict": "good"}, {**note, "level": 3, "verdict": "blocked", "code": "crashed", "reason": "it crashed"}]
    path.write_text(json.dumps(state))
    equal(world.run("update").stdout, "level 1 was fetched\n", "the one that was good, not the one in between")
    world.host.set_loaded("kpatch_1")
    equal(world.run("update").returncode, 4, "… which isn't taken on top of it, either")
    state["levels"] = [{**note, "level": 3, "verdict": "blocked", "code": "crashed", "reason": "it crashed"}]

    def again():
        world.host.set_loaded(None)
        for file in world.host.path(f"var/lib/readykernel/patches/{BUILD_ID}").iterdir():
            file.unlink()
        path.write_text(json.dumps(state))

    again()
    equal((world.run("update").returncode, world.installed()), (4, []), "none was good: none comes by itself")
    world.repo.withdrawn = [{**world.repo.notice(3, reason="it crashes"), "to": 0}]
    world.repo.publish()
    equal((world.run("update").returncode, world.installed()), (4, []), "… nor when it is withdrawn")
    result = world.run("status")
    equal(result.stdout, "not patched: level 3 is blocked here (it crashed), and level 2 has never run here; 'readykernel update 2' loads it all the same\n", "… says why, and the way out")
    equal((world.run("update", "2").stdout, world.installed()), ("level 2 was fetched\n", [2]), "… which works")
    equal(world.run("update", "7").returncode, 3, "a level that isn't there")
    contains(world.run("update", "1").stdout, "level 1 was fetched", "one below the newest")
    again()
    world.repo.withdrawn = [{**world.repo.notice(3, reason="it crashes"), "to": 1}]
    world.repo.publish()
    equal((world.run("update").stdout, world.installed()), ("level 1 was fetched\n", [1]), "what its publisher puts in its place comes by itself")


def test_keeping():
    """Levels don't pile up."""
    world = World("autoload = no\nkeep_levels = 2\n")
    world.run("update")
    world.host.set_loaded("kpatch_1")
    for level in range(2, 6):
        world.repo.add_level(level, make_module(TMP, KERNEL, level, f"kpatch_{level}"))
        world.repo.publish()
        world.run("update")
    equal(world.installed(), [1, 4, 5], "the loaded one and two more are kept")
    files = list(world.host.path(f"var/lib/readykernel/patches/{BUILD_ID}").iterdir())
    equal(len([file for file in files if file.suffix == ".ko"]), 3, "… of modules, too")


def test_proxy():
    world = World(f"autoload = no\nproxy = {SERVER.url}\n")
    world.host.config("http://repository.invalid/debian", f"autoload = no\nproxy = {SERVER.url}\n")
    world.run("check-update")
    contains(str(SERVER.requests), "http://repository.invalid/debian/timestamp.signed", "the settings' proxy is asked")
    SERVER.requests.clear()
    world.host.config("http://repository.invalid/debian", "autoload = no\n")
    world.run("check-update", env={"http_proxy": SERVER.url})
    contains(str(SERVER.requests), "http://repository.invalid/debian/timestamp.signed", "else the caller's")
    SERVER.requests.clear()
    world.run("check-update", env={"http_proxy": SERVER.url, "no_proxy": "repository.invalid"})
    equal(SERVER.requests, [], "… not for what is asked directly")


def attack_swapped(repo, look):
    repo.write(f"kernels/{BUILD_ID}/files/{sha256(MODULES[1])}.ko", MODULES[2].replace(b"kpatch_2", b"kpatch_1")[: len(MODULES[1])])


def attack_huge_module(repo, look):
    repo.write(f"kernels/{BUILD_ID}/files/{sha256(MODULES[1])}.ko", MODULES[1] + b"x" * 100)


def attack_other_build_id(repo, look):
    """Listed with the right hash: somebody signed the wrong module."""
    module = make_module(TMP, {**KERNEL, "build_id": attacks.OTHER_BUILD_ID}, 9, "kpatch_9")
    repo.add_level(9, module)
    repo.publish()


def attack_other_level(repo, look):
    repo.add_level(8, make_module(TMP, KERNEL, 7, "kpatch_8"), name="kpatch_8")
    repo.publish()


def attack_traversal(repo, look):
    repo.add_level(9, MODULES[2], file="../../../../etc/cron.d/x")
    repo.publish()


ATTACKS = [
    (attacks.wrong_key, "key", "timestamp.signed", 14),
    (attacks.changed, "signature", "timestamp.signed", 3),
    (attacks.role, "signature", "timestamp.signed", 3),
    (attacks.one_of_two, "threshold", "stable.", 3),
    (attacks.same_twice, "threshold", "stable.", 3),
    (attacks.expired, "expired", "expired", 17),
    (attacks.future, "clock", "clock", 3),
    (attacks.replay, "rollback", "version", 3),
    (attacks.release_replay, "rollback", "version", 3),
    (attacks.mix, "mix", "is not the one that was signed for this time", 3),
    (attacks.other_kernels_release, "mix", "another kernel", 3),
    (attacks.other_version, "target", "another build", 3),
    (attacks.root_skips, "root-chain", "root", 3),
    (attacks.root_one_signature, "root-chain", "root", 3),
    (attacks.root_stolen, "root-chain", "root", 3),
    (attack_swapped, "hash", "SHA-256", 3),
    (attack_huge_module, "too-large", "larger than", 3),
    (attack_other_build_id, "target", "build-id", 3),
    (attack_other_level, "target", "level 7", 3),
    (attack_traversal, "name", "file", 3),
    (attacks.huge, "too-large", "larger than 1048576 bytes", 3),
    (attacks.no_signatures, "format", "timestamp.signed", 1),
    (attacks.not_json, "format", "timestamp.signed", 1),
]


def test_attacks():
    for attack, code, message, status in ATTACKS:
        world = World()
        world.run("check-update")
        attack(world.repo, lambda: world.run("check-update"))
        world.refused(attack.__name__, code, message, status)


def test_exit_codes():
    """Those of Uptrack's numbers that no other test gives a cause."""
    world = World()
    world.run("check-update")
    world.repo.publish(schema="readykernel-timestamp/2")
    result = world.refused("metadata of a later time", "newer", "schema 'readykernel-timestamp/2' is newer than", 16)
    contains(result.stderr, "update the program", "… says what to do")
    equal(world.json("check-update")["error"]["code"], "newer", "… code")
    world.repo.write("timestamp.signed", b"readykernel-signed/2\nx\n\n{}")
    world.refused("a signed file of a later time", "newer", "is newer than 'readykernel-signed/1'", 16)
    world.repo.publish(schema="readykernel-timestamp/0")
    world.refused("metadata of no time", "format", "is not 'readykernel-timestamp/1'", 1)
    world.repo.publish()
    SERVER.say["/timestamp.signed"] = web.status(503)
    world.refused("a server in trouble", "server", "the server answered HTTP 503", 18)
    SERVER.say["/timestamp.signed"] = web.status(404)
    world.refused("a server without a repository", "not-found", "the server has no such file (HTTP 404)", 18)
    SERVER.say.clear()
    path = world.host.path("etc/readykernel/root.signed")
    root = path.read_bytes()
    path.unlink()
    world.refused("no root.signed", "no-root", "no repository is trusted", 20)
    path.write_bytes(root)
    equal(world.run("update").returncode, 0, "all is well again")
    world.host.path("sys/kernel").rename(world.host.path("sys/elsewhere"))
    for verb in ["info", "status", "update", "doctor"]:
        result = world.run(verb)
        equal(result.returncode, 21, f"no /sys: {verb}")
        contains(result.stderr, "mount sysfs on", "… says what to do")
    equal(world.json("status")["error"]["code"], "no-sysfs", "no /sys: code")
    world.host.path("sys/elsewhere").rename(world.host.path("sys/kernel"))
    world.host.path("sys/kernel/notes").unlink()
    equal(world.run("update").returncode, 13, "a kernel without a build-id")


def test_refusals_are_kept():
    world = World()
    world.run("check-update")
    attacks.wrong_key(world.repo, None)
    world.run("update")
    queue = [json.loads(path.read_text()) for path in sorted(world.host.path("var/lib/readykernel/queue").glob("*.json"))]
    equal([(item["kind"], item["body"]["code"]) for item in queue], [("refusal", "key")], "a refusal waits for whoever watches")


def test_report():
    """What is queued goes to report_url, and never into the way of an update."""
    queue = lambda: sorted(world.host.path("var/lib/readykernel/queue").glob("*.json"))  # noqa: E731
    codes = lambda: [json.loads(body)["body"]["code"] for _, _, body in SERVER.posted]  # noqa: E731
    world = World(f"autoload = no\nreport_url = {SERVER.url}/inbox\n")
    world.host.write("etc/machine-id", "c0ffee00c0ffee00c0ffee00c0ffee00\n")
    SERVER.posted.clear()
    equal((world.run("check-update").returncode, SERVER.posted), (0, []), "report: nothing is queued, nothing is sent")
    attacks.wrong_key(world.repo, None)
    result = world.run("update")
    equal((result.returncode, len(SERVER.posted), queue()), (14, 1, []), "report: a refusal is sent at once, and not kept")
    path, headers, body = SERVER.posted[0]
    message = json.loads(body)
    equal((path, headers["Content-Type"]), ("/inbox", "application/json"), "report: one POST")
    contains(headers["User-Agent"], "readykernel/", "report: who sends")
    equal(sorted(message), ["at", "body", "boot_id", "host", "id", "kind", "schema"], "report: what a message has")
    equal((message["schema"], message["kind"], message["body"]["code"]), ("readykernel-message/1", "refusal", "key"), "report: what it says")
    equal(message["host"], sha256(b"readykernel-host:c0ffee00c0ffee00c0ffee00c0ffee00")[:32], "report: whose it is, without the machine id")
    if os.geteuid() == 0:
        users = [path.stat().st_uid for path in world.host.path("var/lib/readykernel").rglob("*") if "incoming" not in path.parts]
        equal(set(users), {0}, "report: what queues stays root's")
    # a server that is down, slow or fails keeps nothing from going on
    for name, say in [("fails", web.status(500)), ("redirects", web.redirect("/other")), ("cuts off", lambda handler, _: handler.connection.shutdown(2)),
                      ("is no such place", web.status(404)), ("answers without end", web.endless)]:
        SERVER.say["/inbox"] = say
        SERVER.posted.clear()
        attacks.wrong_key(world.repo, None)
        world.run("update")
        world.repo.publish()
        before = len(queue())
        result = world.run("check-update")
        equal((result.returncode, result.stdout), (0, "level 1 is there for this host\n"), f"report server {name}: the verb's result is its own")
        ok(len(queue()) == before > 0 and set(codes()) == {"key"}, f"report server {name}: messages are kept", f"{before}, {codes()}")
        contains(world.run("check-update", "--verbose").stderr, "messages stay queued: cannot send to", f"report server {name}: is told")
    world.host.config(SERVER.url, "autoload = no\nreport_url = http://127.0.0.1:1/\n")
    equal((world.run("check-update").returncode, len(queue())), (0, before), "report server down: messages are kept")
    # one that is refused as such isn't in the way of the others
    world.host.config(SERVER.url, f"autoload = no\nreport_url = {SERVER.url}/inbox\n")
    SERVER.say.clear()
    first = queue()[0].name.removesuffix(".json")
    SERVER.take = lambda body: 422 if json.loads(body)["id"] == first else 200
    SERVER.posted.clear()
    result = world.run("check-update", "--verbose")
    equal((result.returncode, [path.name for path in queue()]), (0, [f"{first}.json"]), "a message that is refused stays, the others go")
    contains(result.stderr, f"message '{first}.json' stays in the queue: ", "… and is told of")
    ids = [json.loads(body)["id"] for _, _, body in SERVER.posted]
    equal((len(ids), ids), (before, sorted(ids)), "… each once, the oldest first")
    SERVER.take = lambda body: 204
    world.run("check-update")
    equal(queue(), [], "… until it is taken")
    bounds(world, queue)


def bounds(world, queue):
    """Of one report, and of what is kept."""
    template = {"schema": "readykernel-message/1", "kind": "ping", "at": utc(0), "boot_id": "x", "body": {"code": "ok", "text": '\n"' * 1500}}
    for n in range(300):
        world.host.write(f"var/lib/readykernel/queue/{n:020}-{0:020}.json", json.dumps(template))
    for path in queue():
        path.chmod(0o600)
    SERVER.posted.clear()
    world.run("check-update")
    equal((len(SERVER.posted), len(queue())), (64, 236), "report: so many at once and no more")
    equal(SERVER.posted[0][2].count(b"\\n"), 1500, "report: as it was queued")
    world.host.write("etc/readykernel/disable", "")
    SERVER.posted.clear()
    equal((world.run("update").returncode, SERVER.posted), (3, []), "report: switched off means that nothing is sent")
    world.host.path("etc/readykernel/disable").unlink()
    hour = (time.localtime().tm_hour + 5) % 24
    world.host.config(SERVER.url, f"autoload = no\nspread = 0\nautoupdate_hour = {hour}\nreport_url = {SERVER.url}/inbox\n")
    SERVER.requests.clear()
    equal((world.run("update", "--timer").returncode, SERVER.requests, len(SERVER.posted)), (4, [], 64), "--timer: not this hour, but messages don't wait for it")
    SERVER.posted.clear()
    attacks.wrong_key(world.repo, None)
    world.host.config(SERVER.url, "autoload = no\n")
    for n in range(300, 600):
        world.host.write(f"var/lib/readykernel/queue/{n:020}-{0:020}.json", json.dumps(template))
    world.run("update")
    ok(len(queue()) == 256 and json.loads(queue()[-1].read_text())["kind"] == "refusal" and SERVER.posted == [],
       "without a report_url messages wait, the oldest make room", len(queue()))


def test_state_tampered():
    for name, change in [
        ("timestamp of before", lambda w, trust, old: (trust / "timestamp.signed").write_bytes(old)),
        ("writable by others", lambda w, trust, old: os.chmod(trust, 0o777)),
        ("garbage", lambda w, trust, old: (trust / "seen.json").write_text("{")),
    ]:
        world = World()
        world.run("check-update")
        trust = world.host.path("var/lib/readykernel/trust")
        old = (trust / "timestamp.signed").read_bytes()
        world.repo.publish()
        world.run("check-update")
        change(world, trust, old)
        world.refused(f"state tampered: {name}", "state", args=("check-update",))
        equal(world.json("check-update")["error"]["code"], "state", f"state tampered: {name}: code")
    world = World()
    world.run("check-update")
    next(world.host.path("var/lib/readykernel/trust").glob("*.stable.signed")).unlink()
    equal(world.run("update").stdout, "level 1 was fetched\n", "a release file that is gone is fetched again")


def test_state_lost():
    """What was blocked or frozen isn't forgotten in silence with the file that said so."""
    world = World()
    world.repo.add_level(2, MODULES[2])
    world.repo.publish()
    world.run("freeze", "1")
    world.run("update")
    state = world.host.path("var/lib/readykernel/state.json")
    whole = state.read_text()
    for text in (whole[:-20], whole.replace("readykernel-state/1", "readykernel-state/2")):
        state.write_text(text)
        for _ in (1, 2):
            result = world.run("status")
            equal(result.returncode, 5, "state damaged: status")
            contains(result.stdout, "failed: which levels are blocked or frozen on this host was lost: ", "… says why, and again")
        equal(state.read_text(), text, "… who looks changes nothing")
        equal((world.run("update").returncode, world.installed()), (4, [1]), "… no update goes beyond the freeze that nobody knows")
        equal(state.with_suffix(".json.damaged").read_text(), text, "… what was there is set aside")
        result = world.run("status")
        equal((result.returncode, "'readykernel freeze off' or 'freeze LEVEL'" in result.stdout), (5, True), "… which is still known then, and what to do")
        equal(world.json("status")["freeze"]["mode"], "lost", "… --json")
        result = world.run("load")
        equal((result.returncode, "which are blocked or frozen here was lost" in result.stderr), (3, True), "… load chooses none")
    equal(world.run("freeze", "off").returncode, 0, "freeze off ends it")
    equal((world.run("update").returncode, world.installed()), (0, [1, 2]), "… updates go on")


def test_trust_removed():
    """The whole store is gone, and an older repository that hasn't expired is served."""
    world = World()
    world.run("update")
    trust, state = world.host.path("var/lib/readykernel/trust"), world.host.path("var/lib/readykernel/state.json")
    before = {path: path.read_bytes() for path in world.repo.root.rglob("*") if path.is_file()}
    world.repo.add_level(2, MODULES[2])
    world.repo.publish()
    world.run("update")
    equal(json.loads(state.read_text())["seen"], {"root": 1, "timestamp": world.repo.version["timestamp"]}, "what was seen is remembered elsewhere, too")
    newest = {path: path.read_bytes() for path in world.repo.root.rglob("*") if path.is_file()}

    def serve(files):
        for path, data in files.items():
            path.write_bytes(data)

    def replay(args=("update",)):
        serve(before)
        shutil.rmtree(trust, ignore_errors=True)
        return world.refused("trust directory removed, older repository replayed", "witness", "before what it knew was removed", args=args)

    shutil.rmtree(trust)
    contains(world.run("status").stdout, f"gone from '{trust}' ('readykernel update' fetches it again)", "trust directory removed: status doesn't say that all is well")
    contains(replay().stderr, "say 'readykernel check-update --begin-anew'", "… what to do when it is meant so")
    equal(world.json("check-update")["error"]["code"], "witness", "… code")
    serve(newest)
    equal(world.run("check-update").returncode, 0, "… the right one is taken again")
    # state.json is gone, too: the files beside the installed levels remember
    state.unlink()
    contains(replay(("check-update",)).stderr, ".signed' has version", "state.json removed, too: the installed levels tell")
    serve(newest)
    equal(world.run("check-update").returncode, 0, "… the right one is taken again")
    replay()
    equal(world.run("check-update", "--begin-anew").returncode, 0, "--begin-anew: it is taken")
    equal(world.run("check-update").returncode, 0, "… and stays")
    serve(newest)
    equal(world.run("check-update").returncode, 0, "… until there is more")
    serve(before)
    world.refused("--begin-anew doesn't weaken a store that is there", "rollback", "was seen", args=("check-update", "--begin-anew"))
    world = World()
    world.repo.publish(bundle=True, days=90)
    world.repo.bundle(TMP / "older.tar")
    world.repo.publish(bundle=True, days=90)
    world.run("bundle", "install", world.repo.bundle(TMP / "newer.tar"))
    shutil.rmtree(world.host.path("var/lib/readykernel/trust"))
    world.refused("an older bundle", "witness", "begin-anew", args=("bundle", "install", TMP / "older.tar"))
    equal(world.run("bundle", "install", "--begin-anew", TMP / "older.tar").returncode, 0, "… when told so")


def test_servers():
    for name, say, code, message in [
        ("truncated", web.truncated, "network", "ended after"),
        ("endless", web.endless, "too-large", "larger than"),
        ("silent", web.silent, "timeout", "not done within 2 s"),
        ("one byte a second", web.slow, "timeout", "not done within 2 s"),
        ("HTTP 500", web.status(500), "server", "HTTP 500"),
        ("redirect to a file", web.redirect("file:///etc/passwd"), "network", "not allowed"),
    ]:
        world = World("autoload = no\nfetch_timeout = 2\n")
        world.run("check-update")
        SERVER.say["/timestamp.signed"] = say
        world.refused(f"server: {name}", code, message, {"too-large": 3, "server": 18}.get(code, 10))
        equal(world.run("patches").returncode, 0, f"server: {name}: what is known is still shown")
    world.host.config("http://127.0.0.1:1", "autoload = no\n")
    world.refused("server: down", "network", "cannot fetch 'http://127.0.0.1:1/", 10)
    # a module whose transfer is cut goes on where it ended
    world.serve()
    world.host.config(SERVER.url, "autoload = no\n")
    path = f"/kernels/{BUILD_ID}/files/{sha256(MODULES[1])}.ko"
    SERVER.say[path] = web.truncated_once
    world.refused("server: a module cut off", "network", "ended after", 10)
    equal(world.run("update").stdout, "level 1 was fetched\n", "… goes on")
    ranges = [headers.get("Range") for asked, headers in SERVER.requests if asked == path]
    equal(ranges, [None, f"bytes={len(MODULES[1]) // 2}-"], "… from there")


def status_of(pid):
    lines = (pathlib.Path("/proc") / str(pid) / "status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def fetchers(parent):
    """Processes of readykernel-fetch below parent."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and status_of(entry.name)["PPid"] == str(parent):
                found.append(int(entry.name))
        except (OSError, KeyError):
            pass
    return found


def start_slow(world):
    """An update that waits for a silent server; the process, and the one that fetches for it."""
    SERVER.say["/timestamp.signed"] = web.silent
    child = subprocess.Popen([TOOL, "update", "--root", world.host.root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not any(path == "/timestamp.signed" for path, _ in SERVER.requests):
        if child.poll() is not None:
            ok(False, "the update waits", child.communicate()[1])
            break
        time.sleep(0.02)
    return child, fetchers(child.pid)


def test_privileges():
    world = World()
    child, below = start_slow(world)
    equal(len(below), 1, "one process fetches")
    status = status_of(below[0])
    root = os.geteuid() == 0
    user = USER_ID if root else os.geteuid()
    equal(status["Uid"].split(), [str(user)] * 4, "its user")
    if root:
        equal((status["Gid"].split(), status["Groups"].strip()), ([str(user)] * 4, ""), "its groups")
        for kind in ["CapInh", "CapPrm", "CapEff", "CapAmb"]:
            equal(int(status[kind], 16), 0, f"its capabilities: {kind}")
    equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "no new privileges, system calls filtered")
    place = pathlib.Path("/proc") / str(below[0])
    limits = (place / "limits").read_text()
    contains(" ".join(limits.split()), "Max file size 67108864 67108864", "no large file")
    equal(os.readlink(place / "cwd"), str(world.host.path("var/lib/readykernel/incoming")), "its directory")
    open_files = [os.readlink(fd) for fd in (place / "fd").iterdir()]
    ours = [name for name in open_files if str(TMP) in name]
    equal(ours, [], "nothing of ours is open in it")
    equal(sorted((place / "environ").read_bytes().split(b"\0")), [b"", b"LC_ALL=C.UTF-8", b"PATH=/nonexistent"], "nothing of our environment")
    # two at once
    result = world.run("update")
    equal((result.returncode, result.stderr), (3, f"error: another readykernel is at work on this host: process {child.pid}\n"),
          "a second one is told who is at work")
    equal(world.run("patches").returncode, 0, "… and may look")
    # a clean end, for which a unit waits
    waiting = subprocess.Popen([TOOL, "shutdown", "--root", world.host.root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=60)
    equal(child.returncode, -signal.SIGTERM, "interrupted: ends as the signal ends it")
    contains(err, "error: interrupted", "… says so")
    equal((waiting.communicate(timeout=60)[1], waiting.returncode), ("", 0), "the unit at shutdown waited for it")
    ok(not place.exists(), "… and nobody fetches any more")
    world.serve()
    equal(world.run("update").stdout, "level 1 was fetched\n", "the next one works")


def test_beside_a_watch():
    """While a level is only watched nobody has to wait, and what then becomes of it ends the watch."""
    world = World("autoload = no\nquiet_time = 1d\n")
    world.run("update")
    world.host.set_loaded("kpatch_1")
    boot_id = world.host.path("proc/sys/kernel/random/boot_id").read_text().strip()
    intent = {"schema": "readykernel-intent/1", "load": "one", "boot_id": boot_id, "build_id": BUILD_ID, "name": "kpatch_1", "sha256": sha256(MODULES[1]),
              "level": 1, "previous": 0, "phase": "quiet", "at": utc(int(time.time())), "kmsg": 0, "transition_ms": 0, "at_boot": True, "forced": False}
    path = world.host.write("var/lib/readykernel/intent.json", json.dumps(intent))
    watch = subprocess.Popen([TOOL, "confirm", "--root", world.host.root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "watch" not in (line := watch.stderr.readline()):
        if not line:
            break
    contains(line, "watching the kernel log for", "a watch begins")
    world.repo.add_level(2, MODULES[2], ["CVE-2026-2"])
    world.repo.publish()
    result = world.run("update", timeout=60)
    equal((result.returncode, result.stdout, watch.poll()), (0, "level 2 was fetched\n", None), "an update beside it")
    equal(world.run("freeze", "1", timeout=60).returncode, 0, "a freeze beside it")
    # as somebody leaves the host who loaded another level
    path.write_text(json.dumps({**intent, "load": "two", "level": 2, "name": "kpatch_2"}))
    world.host.set_loaded("kpatch_2")
    out, err = watch.communicate(timeout=60)
    equal((watch.returncode, out), (4, "level 1 is not watched any more: somebody else changed what is loaded\n"), "the watch ends by itself, and says why")
    ok("error" not in err, "… which is no error", err)
    ok(json.loads(path.read_text())["load"] == "two", "… the other's record stays")


def asked_for(path):
    return any(asked == path for asked, _ in SERVER.requests)


def start_held(world, path, *args):
    """An update that waits for path; the process, and what lets the server go on."""
    go_on = threading.Event()
    SERVER.say[path] = lambda handler, body: (go_on.wait(60), web.plain(handler, body))
    child = subprocess.Popen([TOOL, "update", *args, "--root", world.host.root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not asked_for(path) and child.poll() is None:
        time.sleep(0.02)
    return child, go_on


def test_beside_a_fetch():
    """A server that is slow keeps nobody from changing this host, and what he made of it counts."""
    world = World()
    world.run("update")
    world.host.set_loaded("kpatch_1")
    world.repo.add_level(2, MODULES[2], ["CVE-2026-2"])
    world.repo.publish()
    SERVER.requests.clear()
    child, go_on = start_held(world, "/timestamp.signed")
    equal(world.run("freeze", "1").returncode, 0, "a freeze beside a fetch")
    equal(world.run("shutdown").returncode, 0, "the unit at shutdown doesn't wait for it")
    for args in [["load", "1"], ["unload"], ["rollback"]]:
        ok("another readykernel" not in world.run(*args).stderr, f"{' '.join(args)}: nor does whoever is asked to")
    world.host.set_loaded("kpatch_1")
    for args in [["update"], ["check-update"], ["bundle", "install", "/dev/null"]]:
        result = world.run(*args)
        equal((result.returncode, result.stderr), (3, f"error: another readykernel is at work on this host: process {child.pid}\n"),
              f"{' '.join(args)}: one at a time fetches")
    ok(child.poll() is None, "the first one goes on")
    go_on.set()
    out, err = child.communicate(timeout=60)
    equal((child.returncode, out), (4, "level 1 is the newest for this host and is loaded\n"), f"… and does as the freeze says {err}")
    state = json.loads(world.host.path("var/lib/readykernel/state.json").read_text())
    equal((state["freeze"]["level"], state["last_check"]["code"], state["seen"]["timestamp"]), (1, "ok", world.repo.version["timestamp"]), "nobody's writing is lost")
    world.run("freeze", "off")
    # the level itself comes slowly
    world.repo.add_level(3, MODULES[3], ["CVE-2026-3"])
    world.repo.publish()
    SERVER.requests.clear()
    child, go_on = start_held(world, f"/kernels/{BUILD_ID}/files/{sha256(MODULES[3])}.ko")
    equal(world.run("freeze", "2").returncode, 0, "a freeze below the level that is fetched")
    go_on.set()
    out, err = child.communicate(timeout=60)
    equal((child.returncode, out, world.installed()), (0, "level 2 was fetched\n", [1, 2]), f"the newest that it allows is installed, no other {err}")
    world.run("freeze", "off")
    world.host.config(SERVER.url, "")
    SERVER.requests.clear()
    child, go_on = start_held(world, "/timestamp.signed")
    equal(world.run("autoload", "disable").returncode, 0, "autoload is disabled meanwhile")
    go_on.set()
    out, err = child.communicate(timeout=60)
    equal((child.returncode, out, "the kernel refused" in err), (0, "level 3 was fetched\n", False), f"nothing is loaded {err}")


def test_beside_a_report():
    world = World(f"autoload = no\nreport_url = {SERVER.url}/slow-inbox\n")
    attacks.wrong_key(world.repo, None)
    asked, go_on = threading.Event(), threading.Event()
    SERVER.say["/slow-inbox"] = lambda handler, body: (asked.set(), go_on.wait(60), web.respond(handler, b""))
    child = subprocess.Popen([TOOL, "check-update", "--root", world.host.root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ok(asked.wait(60), "a report is sent")
    equal(world.run("freeze", "1").returncode, 0, "a freeze beside a report")
    go_on.set()
    child.communicate(timeout=60)
    equal((child.returncode, list(world.host.path("var/lib/readykernel/queue").iterdir())), (14, []), "… which is sent")


def test_killed():
    """Root's part is killed: the other goes with it."""
    world = World()
    child, below = start_slow(world)
    child.kill()
    child.communicate()
    place = pathlib.Path("/proc") / str(below[0])
    for _ in range(500):
        if not place.exists() or status_of(below[0])["State"].startswith("Z"):
            break
        time.sleep(0.02)
    ok(not place.exists() or status_of(below[0])["State"].startswith("Z"), "killed: nobody fetches any more")
    world.serve()
    equal(world.run("update").stdout, "level 1 was fetched\n", "killed: the next one works")


def give_away(world, name, code):
    """From now on somebody has what fetches for this world: code, where main() has read its request."""
    place = TMP / f"given-away-{name}"
    place.mkdir()
    world.tool = shutil.copy(TOOL, place)
    (place / "main.c").write_text("#include <stdio.h>\n#include <stdlib.h>\n#include <sys/stat.h>\n#include <unistd.h>\nint main(void)\n{\n"
                                  + f"while (getchar() != EOF) ;\n{code}\nfflush(stdout);\nreturn 1;\n}}\n")
    subprocess.run(["gcc", "-Wno-unused-result", "-o", place / "readykernel-fetch", place / "main.c"], check=True)


def left_behind(world):
    """Processes in the directory for what is fetched."""
    return [link for link in pathlib.Path("/proc").glob("[0-9]*/cwd") if os.path.exists(link) and os.readlink(link) == str(world.host.path("var/lib/readykernel/incoming"))]


def test_children():
    """What the process that fetches starts doesn't outlive it, nor keep anybody waiting."""
    world = World("autoload = no\nfetch_timeout = 1\n")
    give_away(world, "children", 'if (!fork()) { sleep(60); _exit(0); } puts("error\\tnetwork\\t\\tgone");')
    begin = time.monotonic()
    result = world.run("check-update")
    equal((result.returncode, "error: gone" in result.stderr), (10, True), "children: what was told counts")
    ok(time.monotonic() - begin < 8, "children: nobody waits for them", time.monotonic() - begin)
    equal(left_behind(world), [], "children: none is left")


def test_what_it_says():
    """Whoever has the process that fetches can say what he likes, but not to the terminal."""
    world = World("autoload = no\nfetch_timeout = 1\n")
    give_away(world, "says", 'puts("note\\tx\\nerror\\thash\\t\\t\\xc3\\xa4 \\xc2\\x9b" "31mred \\x1b[2J\\x7f");')
    equal(world.run("check-update").stderr, "error: ä ??31mred ?[2J? [hash]\n", "control characters of each kind are gone, others aren't")


def test_left_in_the_way():
    """Who had the process that fetches once, and hasn't any more, doesn't keep updates away."""
    world = World()
    incoming = world.host.path("var/lib/readykernel/incoming")
    give_away(world, "deep", 'for (int i = 0; i < 300; i++) { mkdir("d", 0700); chdir("d"); } puts("error\\tnetwork\\t\\tgone");')
    equal(world.run("update").returncode, 10, "in the way: directories, very deep")
    world.tool = TOOL
    equal(world.run("update").stdout, "level 1 was fetched\n", "… are gone at once")
    for name, put in [("a directory", lambda: (incoming / "timestamp.signed").mkdir()), ("a pipe", lambda: os.mkfifo(incoming / "timestamp.signed")),
                      ("a directory for a tag", lambda: (incoming / "timestamp.signed.etag").mkdir()),
                      ("a file where a directory belongs", lambda: (incoming / "root").write_text("x")),
                      ("a root that no server has", lambda: (incoming / "root").mkdir() or (incoming / "root/2.signed").write_text("x"))]:
        shutil.rmtree(incoming)
        incoming.mkdir(mode=0o700)
        put()
        for path in [incoming, *incoming.rglob("*")]:
            os.chown(path, *([USER_ID] * 2 if os.geteuid() == 0 else [-1, -1]))
        world.run("check-update")
        result = world.run("check-update")
        equal((result.returncode, result.stdout), (0, "level 1 is there for this host\n"), f"in the way: {name} {result.stderr}")


def test_no_user():
    world = World()
    world.host.write("etc/passwd", "root:x:0:0::/:/bin/sh\n")
    if os.geteuid() != 0:
        return tap.skip("no user", "only root gives up its rights")
    result = world.run("update")
    equal(result.returncode, 1, "no user to fetch as")
    contains(result.stderr, "there is no user 'readykernel' in", "… says so")
    world.host.write("etc/passwd", "readykernel:x:0:0::/:/bin/sh\n")
    contains(world.run("update").stderr, "nothing is fetched as root", "a user who is root isn't taken")


def test_licence():
    world = World()
    path = TMP / "licence"
    doctor = lambda: [(row["health"], row["text"]) for row in world.json("doctor")["checks"] if row["name"] == "licence"][0]  # noqa: E731
    equal(world.json("licence", "status")["state"], "none", "no licence")
    equal(doctor(), ("ok", "none is installed"), "… doctor")
    result = world.run("licence", "install", world.repo.licence(path))
    equal(result.returncode, 0, "install")
    contains(result.stdout, "licence 'L-1' of Example is installed; it is valid until", "… says until when")
    equal(world.run("update").stdout, "level 1 was fetched\n", "valid: an update")
    equal((doctor()[0], "licence 'L-1' is valid until" in doctor()[1]), ("ok", True), "… doctor")
    world.repo.add_level(2, MODULES[2])
    world.repo.publish()
    world.run("licence", "install", world.repo.licence(path, days=-13))
    equal(world.json("licence", "status")["state"], "grace", "ended 13 days ago: grace")
    equal(world.run("check-update").returncode, 0, "… still works")
    equal((doctor()[0], "days of grace" in doctor()[1]), ("warn", True), "… doctor")
    world.run("licence", "install", world.repo.licence(path, days=-15))
    equal(world.json("licence", "status")["state"], "expired", "ended 15 days ago")
    equal(world.run("licence", "status").returncode, 3, "… exit status")
    equal((doctor()[0], "licence 'L-1' ended at" in doctor()[1]), ("fail", True), "… doctor")
    SERVER.requests.clear()
    world.refused("licence expired", "expired", "no new levels are fetched; what is loaded stays and can be unloaded", 17)
    equal(SERVER.requests, [], "… nothing is asked for")
    equal(world.installed(), [1], "… what is there stays")
    world.run("licence", "install", world.repo.licence(path, days=-1, trial=True))
    world.refused("trial expired", "expired", "no new levels are fetched", 17)
    world.run("licence", "install", world.repo.licence(path, products=["debian-13"]))
    world.refused("licence for another product", "expired", "is not for product 'debian-12'", 17)
    result = world.run("licence", "install", world.repo.licence(path, key="timestamp"))
    equal(result.returncode, 14, "signed by another key: refused")
    equal(world.json("licence", "status")["id"], "L-1", "… and the one before stays")
    root = world.host.path("etc/readykernel/root.signed")
    root.rename(root.with_suffix(".away"))
    result = world.run("licence", "status")
    equal((result.returncode, result.stdout, "no repository is trusted" in result.stderr), (20, "", True), "one that can't be checked is not none")
    root.with_suffix(".away").rename(root)
    equal((world.run("licence", "remove").returncode, world.run("licence", "remove").returncode), (0, 4), "remove, twice")
    equal(world.run("update").stdout, "level 2 was fetched\n", "without one: an update")


def test_bundle():
    world = World()
    world.repo.publish(bundle=True, days=90)
    path = world.repo.bundle(TMP / "bundle.tar")
    world.host.config("http://127.0.0.1:1", "autoload = no\n")
    SERVER.requests.clear()
    result = world.run("bundle", "install", path)
    equal((result.returncode, result.stdout, SERVER.requests), (0, "level 1 was fetched\n", []), "bundle install, without a network")
    equal(world.installed(), [1], "the level is installed")
    member = world.repo.member
    for name, code, message, extra in [
        ("symlink", "bundle-entry", "", member("root.signed.x", kind=tarfile.SYMTYPE, link="/etc/shadow")),
        ("symlink with a good name", "bundle-entry", "", member("index/" + "0" * 64 + ".json", kind=tarfile.SYMTYPE, link="/etc/shadow")),
        ("way out", "name", "", member("../../etc/cron.d/x")),
        ("absolute", "name", "", member("/etc/cron.d/x")),
        ("device", "bundle-entry", "", member("root/5.signed", kind=tarfile.CHRTYPE)),
    ]:
        world = World()
        world.repo.publish(bundle=True, days=90)
        path = world.repo.bundle(TMP / "bad.tar", [(extra, b"")])
        world.refused(f"bundle with {name}", code, message, args=("bundle", "install", path))
        left = [p for p in world.host.path("var/lib/readykernel/incoming").rglob("*")]
        equal(left, [], f"bundle with {name}: nothing was taken out")
    truncated = TMP / "truncated.tar"
    truncated.write_bytes(path.read_bytes()[:5000])
    world.refused("truncated bundle", "format", "", 1, args=("bundle", "install", truncated))
    world.repo.publish(bundle=True, days=90)
    world.refused("a bundle's timestamp from a server", "mix", "made for bundles")


def test_switches():
    world = World()
    world.host.write("etc/readykernel/disable", "")
    SERVER.requests.clear()
    result = world.run("update")
    equal((result.returncode, SERVER.requests), (3, []), "disable: nothing is fetched")
    contains(result.stderr, "etc/readykernel/disable' is there; remove it", "… says what to do")
    result = world.run("boot")
    equal(result.returncode, 4, "disable: at boot there is nothing to do, which is no failure of the unit")
    contains(result.stdout, "etc/readykernel/disable' is there; remove it", "… says why")
    world.host.path("etc/readykernel/disable").unlink()
    world.host.write("proc/cmdline", "quiet readykernel=off\n")
    equal(world.run("update").returncode, 3, "readykernel=off: nothing is fetched")
    equal((world.run("boot").returncode, world.run("update", "--timer").returncode, SERVER.requests), (4, 4, []), "… by the units neither, and none fails")
    world.host.config(SERVER.url, "")
    world.host.write("proc/cmdline", "quiet readykernel=no-load\n")
    equal(world.run("update").stdout, "level 1 was fetched\n", "readykernel=no-load: fetched, not loaded")


def test_settings():
    world = World("# mine\nautoload = no\n")
    for args, line in [(["autoupdate", "enable", "3"], "autoupdate_hour = 3"), (["autoupdate", "disable"], "autoupdate = no"),
                       (["autoupdate", "enable", "any"], "autoupdate = yes"), (["autoload", "enable"], "autoload = yes"),
                       (["autoload", "disable"], "autoload = no")]:
        equal(world.run(*args).returncode, 0, f"{' '.join(args)}")
        contains(world.host.path("etc/readykernel.conf").read_text(), line + "\n", "… is written")
    contains(world.host.path("etc/readykernel.conf").read_text(), "# mine\n", "the rest of the file stays")
    equal(world.run("autoupdate", "enable", "25").returncode, 2, "an hour that isn't one")
    world.host.config(SERVER.url, "autoload = no\nchanel = early\nautoupdate = no\n")
    result = world.run("check-update")
    contains(result.stderr, "warning: ", "a typing error is told")
    contains(result.stderr, "line 3: unknown key 'chanel' (did you mean 'channel'?)", "… with its line")
    equal(result.returncode, 0, "… and stops nothing")
    SERVER.requests.clear()
    equal((world.run("update", "--timer").returncode, SERVER.requests), (4, []), "--timer: autoupdate is disabled")
    hour = (time.localtime().tm_hour + 5) % 24
    world.host.config(SERVER.url, f"autoload = no\nspread = 0\nautoupdate_hour = {hour}\n")
    equal((world.run("update", "--timer").returncode, SERVER.requests), (4, []), "--timer: not this hour")
    world.host.config(SERVER.url, "autoload = no\nspread = 0\n")
    equal(world.run("update", "--timer").stdout, "level 1 was fetched\n", "--timer: its turn")


def test_mok():
    """What is handed to mokutil(1), and what isn't."""
    world = World()
    result = world.run("mok", "enroll")
    equal(result.returncode, 2, "no certificate")
    contains(result.stderr, "etc/readykernel/module-signing.der'", "… says where it would be")
    pem, der = TMP / "mok.pem", world.host.path("etc/readykernel/module-signing.der")
    run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=modules", "-out", pem])
    result = world.run("mok", "enroll", pem)
    equal(result.returncode, 1, "a certificate in another form")
    contains(result.stderr, "'openssl x509 -outform DER' makes one", "… says what to do")
    run(["openssl", "x509", "-in", pem, "-outform", "DER", "-out", der])
    result = world.run("mok", "enroll")
    equal(result.returncode, 3, "no UEFI")
    contains(result.stderr, "there is no Secure Boot", "… says so")
    world.host.write("sys/firmware/efi/fw_platform_size", "64\n")
    tools = TMP / "mok-tools"
    tools.mkdir()
    result = world.run("mok", "enroll", env={"PATH": str(tools)})
    equal(result.returncode, 1, "no mokutil")
    contains(result.stderr, "install the package of that name", "… says what to do")
    mokutil = tools / "mokutil"
    for status in [0, 5]:
        mokutil.write_text(f'#!/bin/sh\necho "$@" >{TMP}/mok-args\nexit {status}\n')
        mokutil.chmod(0o755)
        result = world.run("mok", "enroll", env={"PATH": f"{tools}:{os.environ['PATH']}"})
        equal((result.returncode, (TMP / "mok-args").read_text()), (1 if status else 0, f"--import {der}\n"), f"mokutil that ends with {status}")
        contains(result.stdout + result.stderr, "nothing was enrolled" if status else "now reboot and confirm at the console", "… what is told")


def test_journal():
    """Run by systemd, lines have priorities."""
    world = World("autoload = no\nreport_url = http://127.0.0.1:9/\n")

    def journal():
        read, write = os.pipe()
        stat = os.fstat(write)
        env = {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
        run([TOOL, "update", "--root", world.host.root], stderr=write, env=env)
        os.close(write)
        return env, os.fdopen(read).read().splitlines()

    SERVER.say["/timestamp.signed"] = web.status(500)
    _, lines = journal()
    ok(any(line.startswith("<6>fetch: timestamp.signed") for line in lines), "what is done: <6>", lines)
    ok(any(line.startswith("<3>error: cannot fetch") for line in lines), "errors: <3>", lines)
    SERVER.say.clear()
    attacks.wrong_key(world.repo, lambda: world.run("check-update"))
    world.run("update")  # its refusal is what can't be sent
    world.repo.publish()
    env, lines = journal()
    ok(any(line.startswith("<7>messages stay queued: ") for line in lines), "what --verbose shows: <7>", lines)
    result = world.run("update", env=env)
    ok("<" not in result.stderr and "stay queued" not in result.stderr, "elsewhere: neither", result.stderr)


def test_local():
    """What needs no repository."""
    world = World()
    for args, message in [(["load", "7"], "level 7 is not installed for kernel"), (["load"], "no level is installed for kernel"),
                          (["rollback"], "no level is loaded that could be rolled back")]:
        result = world.run(*args)
        equal(result.returncode, 3, f"{' '.join(args)}: nothing there")
        contains(result.stderr, message, "… says so")
    equal(world.run("load", "0").returncode, 2, "a level that isn't one")
    equal(world.run("unload").returncode, 4, "unload: nothing is loaded")
    world.run("update")
    result = world.run("load")
    equal(result.returncode, 1, "a root of files has no kernel to load into")
    contains(result.stderr, "the kernel refused", "… is said")


def test_rollback():
    """The level that is left is blocked, but not for one that may not be loaded."""
    world = World()
    world.run("update")
    world.repo.add_level(2, MODULES[2], ["CVE-2026-2"])
    world.repo.publish()
    world.run("update")
    world.host.set_loaded("kpatch_2")
    path = world.host.path("var/lib/readykernel/state.json")
    state = json.loads(path.read_text())
    note = {"build_id": BUILD_ID, "at": utc(world.repo.now), "load": "x", "unclean": 0}
    good = {**note, "verdict": "good", "code": "", "reason": "", "was_good": True}
    blocked = {**note, "verdict": "blocked", "code": "crashed", "reason": "the host went down", "was_good": False}

    def verdicts():
        return {it["level"]: it["verdict"] for it in json.loads(path.read_text())["levels"]}

    state["levels"] = [{**blocked, "level": 1}, {**good, "level": 2}]
    path.write_text(json.dumps(state))
    result = world.run("rollback", "1")
    equal(result.returncode, 3, "rollback to a level that is blocked")
    contains(result.stderr, "level 1 is blocked on this host: the host went down", "… is refused")
    equal(verdicts(), {1: "blocked", 2: "good"}, "… and the loaded one stays good")
    state["levels"] = [{**good, "level": 1}, {**good, "level": 2}]
    path.write_text(json.dumps(state))
    world.host.write("proc/cmdline", "readykernel=no-load\n")
    equal(world.run("rollback").returncode, 3, "rollback where nothing may be loaded")
    equal(verdicts(), {1: "good", 2: "good"}, "… blocks nothing")
    world.host.write("proc/cmdline", "quiet\n")
    # below a root nothing can be unloaded
    equal(world.run("rollback").returncode, 1, "rollback to one that was good")
    equal(verdicts(), {1: "good", 2: "blocked"}, "… blocks the other, whatever comes of it")


def test_undo():
    """Unloading and shutting down go without what they don't need."""
    world = World()
    world.run("update")
    world.host.set_loaded("kpatch_1")
    path = world.host.path("var/lib/readykernel/state.json")
    state = json.loads(path.read_text())
    boot_id = world.host.path("proc/sys/kernel/random/boot_id").read_text().strip()
    state["loaded"] = {"build_id": BUILD_ID, "level": 1, "name": "kpatch_1", "boot_id": boot_id, "load": "x", "at": utc(world.repo.now), "transition_ms": 1,
                       "stopped": False}
    installed = world.host.path(f"var/lib/readykernel/patches/{BUILD_ID}")

    def check(what):
        path.write_text(json.dumps(state))
        result = world.run("unload")
        enabled = world.host.path("sys/kernel/livepatch/kpatch_1/enabled").read_text().strip()
        equal((result.returncode, enabled), (0, "0"), f"{what}: unload disables it")
        world.host.set_loaded("kpatch_1")
        path.write_text(json.dumps(state))
        equal(world.run("shutdown").returncode, 0, f"{what}: shutdown")
        ok(json.loads(path.read_text())["loaded"]["stopped"], "… is noted")
        return result.stderr

    check("all is well")
    installed.chmod(0o775)
    contains(check("a directory that others can write to"), "warning: as if no level were installed: ", "… is told")
    equal(world.run("load").returncode, 3, "… and nothing is loaded from it")
    installed.chmod(0o755)
    world.host.write("proc/stat", "cpu 0\n")
    check("no boot time")


for function in [test_help, test_thread, test_nothing_for_us, test_notices, test_freeze, test_overview, test_metrics, test_blind, test_untried, test_keeping,
                 test_proxy, test_attacks, test_exit_codes, test_refusals_are_kept, test_report, test_state_tampered, test_state_lost,
                 test_trust_removed, test_servers, test_privileges, test_beside_a_watch, test_beside_a_fetch, test_beside_a_report, test_killed,
                 test_children, test_what_it_says, test_left_in_the_way, test_no_user, test_licence, test_bundle, test_switches, test_settings,
                 test_mok, test_journal, test_local, test_rollback, test_undo]:
    function()
SERVER.stop()
tap.done()
