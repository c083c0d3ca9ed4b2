# SPDX-License-Identifier: GPL-2.0-or-later
"""Delivery on the real thing: a Debian guest with systemd that boots from a disk of its own installs the packages with apt and
keeps itself patched from a repository, over reboots, crashes and whatever an administrator does."""

import concurrent.futures
import json
import os
import sys
import tarfile

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from delivery_guest import CONFIG, before_network, put, readykernel, use, version  # noqa: E402
from delivery_site import LEVELS, Site, web  # noqa: E402
import attacks  # noqa: E402
from guest import Guest  # noqa: E402
from guest_disk import Disk  # noqa: E402
from kernel import Target  # noqa: E402
from other_kernel import OtherKernel  # noqa: E402
from story_minutes import first_minutes  # noqa: E402
from story_power import power_cuts  # noqa: E402
from story_packages import bad_package, packages, patch_packages, remember  # noqa: E402
from tap import contains, equal, ok  # noqa: E402

FAST_TIMER = "[Timer]\nOnCalendar=\nOnActiveSec=1s\nRandomizedDelaySec=0\nAccuracySec=1s\n"
CLEAN, INSTALLED = "clean", "installed"


def test_guest(target, guest):
    """The guest is what the other tests take it for."""
    tap.diag(f"a guest boots in {guest.boot():.0f} s")
    equal(guest.run("uname -r; systemctl is-system-running"), (0, f"{target.release}\nrunning\n"), "guest: the target's kernel, and systemd is content")
    equal(guest.run(f"curl -s -m 3 http://10.0.2.2:{guest.server.server_address[1]}/ || curl -s -m 3 http://10.0.2.3/")[0] != 0, True,
          "guest: reaches nothing but the repository")


def test_install(guest):
    remember(guest)
    put(guest, "/etc/apt/sources.list", "deb [trusted=yes] http://repository/debs ./\n")
    put(guest, "/etc/readykernel.conf", CONFIG)
    status, text = guest.run("apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Options::=--force-confold install readykernel")
    ok(status == 0, "install: apt installs the package", text)
    guest.must("curl -s -o /etc/readykernel/root.signed http://repository/first/root.signed")
    equal(guest.must("cat /etc/readykernel.conf"), CONFIG.rstrip("\n"), "install: a configuration that is there stays")
    units = "kpatch.service readykernel.service readykernel-confirm.service readykernel-update.timer"
    equal(guest.run(f"systemctl is-enabled {units}")[1].split(), ["enabled"] * 4, "install: units are enabled")
    equal(guest.run("systemctl is-active readykernel.service readykernel-update.timer")[1].split(), ["active"] * 2, "install: and active")
    contains(guest.must("getent passwd readykernel"), "nologin", "install: a user for what fetches, without a shell")
    equal(guest.run("systemctl --failed --no-legend; systemctl is-system-running"), (0, "running\n"), "install: nothing failed")
    equal(guest.run("readykernel status")[0], 1, "install: no level is loaded yet")


def test_update_by_service(guest):
    status, text = guest.run("systemctl start readykernel-update.service; journalctl -u readykernel-update.service -o cat --no-pager | tail -20")
    ok(version(guest) == "lp_fix", "update: the sandboxed unit fetches and loads the first level", text)
    equal(guest.run("readykernel status")[0], 0, "update: the host is protected")
    equal(guest.must("stat -c %U /var/lib/readykernel/incoming"), "readykernel", "update: what fetches has a directory of its own")
    equal(guest.must("cat /run/readykernel/cvelist"), "CVE-2026-1", "update: the list for scanners")
    contains(guest.run("/usr/lib/nagios/plugins/check_readykernel")[1], "READYKERNEL OK", "update: the check is content")
    equal((reported(guest), guest.must("ls /var/lib/readykernel/queue")), ([("ping", "ok"), ("ping", "good")], ""), "update: a server is told, nothing stays queued")


def reported(guest):
    """What came to report_url."""
    messages = [json.loads(body) for path, _, body in guest.server.posted if path == "/inbox"]
    return [(message["kind"], message["body"]["code"]) for message in messages]


def newer_by_timer(guest, site, repo):
    site.publish(repo, 2)
    put(guest, "/etc/systemd/system/readykernel-update.timer.d/now.conf", FAST_TIMER)
    guest.must("systemctl daemon-reload; systemctl restart readykernel-update.timer")
    came = guest.wait_for("grep -q lp_next /proc/version", 60)
    ok(came, "timer: a newer level is loaded by itself", guest.run("systemctl status readykernel-update.timer readykernel-update.service; journalctl -n 20 --no-pager")[1])
    guest.must("rm -r /etc/systemd/system/readykernel-update.timer.d; systemctl daemon-reload; systemctl restart readykernel-update.timer")
    guest.wait_for('[ "$(systemctl show -P ActiveState readykernel-update.service)" = inactive ]', 60)


def administrator(guest):
    equal((guest.run("readykernel rollback")[0], version(guest)), (0, "lp_fix"), "rollback: the level before is loaded")
    equal((guest.run("readykernel update")[0], version(guest)), (4, "lp_fix"), "rollback: no update brings it back")
    equal((guest.run("readykernel load 2")[0], version(guest)), (3, "lp_fix"), "load: a level that was blocked here is refused")
    equal((guest.run("readykernel load --force 2")[0], version(guest)), (0, "lp_next"), "load --force: not then")
    equal((guest.run("readykernel freeze 1")[0], guest.run("readykernel update")[0] in (0, 4)), (0, True), "freeze: at level 1")
    equal((guest.run("readykernel unload")[0], version(guest)), (0, "stock"), "unload: the stock kernel is back")
    equal((guest.run("readykernel load")[0], version(guest)), (0, "lp_fix"), "freeze: load takes the level of the freeze")
    status, text = guest.run("readykernel info")
    contains(text, "CVE-2026-2", "freeze: info names what stays unfixed")
    equal((guest.run("readykernel freeze off")[0], guest.run("readykernel update")[0], version(guest)), (0, 0, "lp_next"), "freeze off: the newest again")


READERS = """for i in 1 2; do ( while [ ! -e /run/enough ]; do cat /proc/version /proc/loadavg >/dev/null; done ) & done;"""


def pairs(guest, site, repo):
    """Up and down between two levels, of which the upper one fixes one function more, while both functions are called all the time."""
    def fixed():
        return [text.removeprefix("fixed by ") if text.startswith("fixed by ") else "stock" for text in guest.must("head -qn1 /proc/version /proc/loadavg").splitlines()]

    repo.blocked += [repo.notice(level, reason="not for pairs") for level in (3, 4)]
    site.publish(repo, 5)
    guest.must(f"rm -f /run/enough; {READERS} dmesg -C")
    equal((guest.run("readykernel update")[0], fixed()), (0, ["lp_more", "lp_more"]), "pair: 2 to 5, both functions are fixed")
    for turn in (1, 2, 3):
        equal((guest.run("readykernel rollback --no-wait 2")[0], fixed()), (0, ["lp_next", "stock"]), f"pair: 5 to 2, the other is as it was, {turn}")
        equal((guest.run("readykernel load --force --no-wait 5")[0], fixed()), (0, ["lp_more", "lp_more"]), f"pair: 2 to 5 again, {turn}")
    equal((guest.run("readykernel unload")[0], fixed()), (0, ["stock", "stock"]), "pair: both are as they were")
    equal((guest.run("readykernel load 5")[0], fixed()), (0, ["lp_more", "lp_more"]), "pair: 5 fresh")
    guest.must("touch /run/enough")
    equal(guest.run("dmesg --level=emerg,alert,crit,err,warn")[1], "", "pair: the kernel has nothing to say")
    equal((guest.run("readykernel rollback 2")[0], fixed()), (0, ["lp_next", "stock"]), "pair: 2 is good again")


def reboot(guest):
    guest.must("sed -i 's/^quiet_time = .*/quiet_time = 10m/' /etc/readykernel.conf")
    tap.diag(f"a guest with the packages boots in {guest.reboot():.0f} s")
    equal(version(guest), "lp_next", "reboot: patched again")
    before_network(guest, "reboot")
    status, text = guest.run("readykernel update; readykernel check-update; systemctl is-active readykernel-confirm.service")
    ok((status, text.splitlines()[-1:]) == (0, ["active"]) and "is the newest for this host" in text and "at work" not in text,
       "reboot: nobody has to wait for what is only watched", f"{status}: {text}")
    guest.must("sed -i 's/^quiet_time = .*/quiet_time = 1/' /etc/readykernel.conf; systemctl restart readykernel-confirm.service")
    ok(guest.wait_for("! systemctl is-active -q readykernel-confirm.service", 60), "reboot: a watch that begins anew goes on")
    contains(guest.must("journalctl -b -u readykernel-confirm.service -o cat --no-pager"), "level 2 is good", "reboot: the level is found good")
    equal(guest.run("readykernel status")[0], 0, "reboot: the host is protected")


def another_kernel(guest, site):
    """An upgrade brings a kernel for which there is no level yet; the old one, booted again, is patched as before."""
    other = OtherKernel(site.target)
    if not other.release:
        tap.skip("another kernel", "apt offers none of this series")
        return
    kept = "find /var/lib/kpatch /var/lib/readykernel/patches -type f | sort | xargs sha256sum"
    (site.www / "level1.ko").write_bytes(site.modules[1])
    guest.must("curl -sf -o /var/tmp/level1.ko http://repository/level1.ko && kpatch install /var/tmp/level1.ko")
    before = guest.must(kept)
    own = guest.kernel, guest.initramfs
    guest.kernel, guest.initramfs = other.kernel, other.initramfs
    guest.reboot()
    equal(guest.must("uname -r; systemctl is-system-running").split(), [other.release, "running"], "another kernel: it runs, nothing failed")
    equal(guest.must("systemctl is-active kpatch.service readykernel.service").split(), ["active"] * 2, "another kernel: the units are content")
    contains(guest.must("journalctl -b -u readykernel.service -o cat --no-pager"), f"no level is loaded for kernel {other.release}",
             "another kernel: the journal says what that means")
    equal(guest.run("readykernel update 2>/dev/null"), (4, f"there are no levels for kernel {other.release} in channel 'stable' yet\n"),
          "another kernel: an update has nothing to do, which is no error")
    equal(guest.run("readykernel status"), (3, f"not covered: the repository has no levels for kernel {other.release} yet\n"),
          "another kernel: status says so with a number of its own")
    equal(guest.run("systemctl start readykernel-update.service; systemctl is-system-running"), (0, "running\n"), "another kernel: the timer's unit doesn't fail")
    equal(guest.must(kept), before, "another kernel: what the old one has stays")
    guest.kernel, guest.initramfs = own
    guest.reboot()
    equal((guest.must("uname -r"), version(guest)), (site.target.release, "lp_next"), "the old kernel again: patched")
    before_network(guest, "the old kernel again")
    equal((guest.must(kept), guest.run("readykernel status")[0]), (before, 0), "the old kernel again: as it was left")
    contains(guest.must("journalctl -b -u kpatch.service -o cat --no-pager"), "lp_fix", "the old kernel again: kpatch.service loaded what is its own")
    guest.must("kpatch uninstall lp_fix")


def crash(guest, site, repo):
    """A level that takes the kernel down: the next boot comes up without it, and says so."""
    repo.blocked.append(repo.notice(4, reason="holds hosts up"))
    site.publish(repo, 2, 3)
    guest.must("sed -i 's/^quiet_time = .*/quiet_time = 60/' /etc/readykernel.conf")
    guest.send("readykernel update")
    if not ok(guest.wait_off(120), "crash: the level panics the kernel"):
        return
    contains(guest.console(), "lp_late panics on purpose", "crash: the console says why")
    guest.boot()
    equal(version(guest), "lp_fix", "crash: the next boot loads the level that was good")
    contains(guest.must("journalctl -b -u readykernel.service -o cat --no-pager"), "level 3", "crash: the journal names the level")
    status, text = guest.run("readykernel info")
    contains(text, "blocked", "crash: info says that it is blocked")
    status, text = guest.run("readykernel load 3")
    ok(status == 3 and "level 3 is blocked on this host" in text and version(guest) == "lp_fix", "crash: it isn't loaded again", text)
    innocent(guest)


def innocent(guest):
    """A power cut looks like a crash of what was loaded: it is blocked, and whoever knows better is told how to go on."""
    guest.must("sed -i 's/^quiet_time = .*/quiet_time = 1/' /etc/readykernel.conf; systemctl restart readykernel-confirm.service")
    guest.wait_for("! systemctl is-active -q readykernel-confirm.service", 60)
    guest.must("sync")
    guest.kill()
    guest.boot()
    equal(version(guest), "stock", "power cut: the level that was loaded a moment before is blocked")
    advice = "'readykernel load --force 1' tries it again"
    contains(guest.must("journalctl -b -u readykernel.service -o cat --no-pager"), f"if that was not its doing (a power cut), {advice}",
             "power cut: the journal says what to do")
    contains(guest.run("readykernel info")[1], advice, "power cut: info, too")
    status, text = guest.run("readykernel load")
    ok(status == 3 and "'readykernel load --force LEVEL' tries one that is blocked here again" in text, "power cut: load says how", text)
    equal((guest.run("readykernel load --force 1")[0], version(guest), guest.run("readykernel status")[0] in (2, 5)), (0, "lp_fix", True),
          "power cut: load --force takes the block away")
    guest.reboot()
    equal(version(guest), "lp_fix", "power cut: for the next boots, too")


def stuck(guest, site, repo):
    """A transition that can't end: the level before stays, and whoever held it up is named."""
    guest.must("curl -s -o /var/tmp/lp_sleeper.ko http://repository/lp_sleeper.ko && insmod /var/tmp/lp_sleeper.ko")
    site.publish(repo, 4)
    status, text = guest.run("readykernel update")
    equal(status, 3, "stuck: the transition is taken back")
    contains(text, "lp_sleeper", "stuck: who held it up is named")
    contains(text, "lp_sleeper_wait", "stuck: with its stack")
    equal((version(guest), guest.run("readykernel status")[0]), ("lp_fix", 5), "stuck: the level before stays, status says that the change failed")


def servers(guest, repo):
    """A server that is down, slow, endless or cuts off; nothing comes of it, and later all is well."""
    guest.must("sed -i 's/^connect_timeout = .*/connect_timeout = 15\\nfetch_timeout = 15/' /etc/readykernel.conf")
    repo.publish()
    for name, say, code in [("down", lambda handler, body: handler.connection.shutdown(2), "network"), ("one byte a second", web.slow, "timeout"),
                            ("endless", web.endless, "too-large"), ("truncated", web.truncated, "network")]:
        guest.server.say_all = say
        status, answer = readykernel(guest, "check-update")
        equal((status, isinstance(answer, dict) and answer["error"]["code"], version(guest)), (3 if code == "too-large" else 10, code, "lp_fix"),
              f"server: {name}")
    guest.server.say_all = None
    guest.must("sed -i 's/^fetch_timeout = .*/fetch_timeout = 60/' /etc/readykernel.conf")
    equal(guest.run("readykernel update")[0], 4, "server: back again")


def disk_full(guest, site, repo):
    """On the host that level 3 took down: it wants none below that it doesn't know, but a newer one."""
    site.publish(repo, 5)
    guest.must("sed -i 's/^quiet_time = .*/quiet_time = 1/' /etc/readykernel.conf; systemctl restart readykernel-confirm.service")
    guest.wait_for("! systemctl is-active -q readykernel-confirm.service", 60)
    guest.must("fallocate -l $(( $(df --output=avail -B1 /var | tail -1) )) /var/filler || dd if=/dev/zero of=/var/filler bs=1M 2>/dev/null; "
               "dd if=/dev/zero of=/var/filler2 bs=4k 2>/dev/null; true")
    status, text = guest.run("readykernel update")
    ok(status in (1, 10) and "No space left" in text, "disk full: the update fails and says why", f"{status}: {text}")
    equal((version(guest), guest.run("readykernel patches")[0]), ("lp_fix", 0), "disk full: what was there stays")
    guest.must("rm /var/filler /var/filler2")
    equal((guest.run("readykernel update")[0], version(guest)), (0, "lp_more"), "disk full: with space it goes on")


def swap(site, repo):
    site.publish(repo, 9)
    file = repo.root / "kernels" / repo.kernel["build_id"] / "files" / repo.levels[-1]["file"]
    file.write_bytes(file.read_bytes()[:-1] + b"x")


def listed(repo, module, **changes):
    repo.add_level(9, module, name="lp_next", **changes)
    repo.publish()


def attacked(guest, site, repo):
    """What somebody between the publisher and this host can do. tests/cli/attacks.py has many more, on a host that is a directory."""
    site.modules[9], LEVELS[9] = site.module(9, "lp_next"), "lp_next"
    look = lambda: guest.run("readykernel check-update")  # noqa: E731
    trust = "/var/lib/readykernel/trust"
    for name, code, attack in [
            ("wrong key", "key", lambda: attacks.wrong_key(repo, look)),
            ("one signature of two", "threshold", lambda: attacks.one_of_two(repo, look)),
            ("expired timestamp", "expired", lambda: attacks.expired(repo, look)),
            ("old metadata", "rollback", lambda: attacks.replay(repo, look)),
            ("mixed metadata", "mix", lambda: attacks.mix(repo, look)),
            ("huge file", "too-large", lambda: attacks.huge(repo, look)),
            ("swapped module", "hash", lambda: swap(site, repo)),
            ("a module for another build-id", "target", lambda: listed(repo, site.module(9, "lp_next", build_id=attacks.OTHER_BUILD_ID))),
            ("a path in a name", "name", lambda: listed(repo, site.modules[9], file="../../../../etc/cron.d/x")),
            ("tampered state", "state", lambda: guest.must(f"cp -a {trust}/seen.json /var/tmp; echo '{{' >{trust}/seen.json"))]:
        attack()
        status, text = guest.run("readykernel update")
        said = json.loads(guest.must("cat /var/lib/readykernel/state.json"))["last_check"]["code"]
        ok((said, version(guest)) == (code, "lp_more") and status in (3, 14, 17), f"attack: {name}", f"{status}, {said}, {version(guest)}: {text}")
        repo.levels = [level for level in repo.levels if level["level"] != 9]
        repo.publish()
    guest.must(f"cp -a /var/tmp/seen.json {trust}/")
    link = repo.member("kernels/x", kind=tarfile.SYMTYPE, link="/etc/passwd")
    repo.bundle(site.www / "bundle.tar", [(link, b"")])
    status, text = guest.run("curl -s -o /var/tmp/bundle.tar http://repository/bundle.tar; readykernel bundle install /var/tmp/bundle.tar")
    ok(status == 3 and "bundle" in text and version(guest) == "lp_more", "attack: a link in a bundle", f"{status}: {text}")
    equal(guest.run("readykernel update")[0], 4, "after all of them: back again")
    told = set(reported(guest))
    ok({("refusal", code) for code in ("key", "threshold", "expired", "rollback", "mix", "too-large", "hash", "name", "stalled")} <= told
       and ("crash", "crashed") in told, "a server was told of everything that was refused", str(sorted(told)))


def clock(guest, repo):
    repo.publish()
    guest.must("date -s '2020-01-01'")
    status, text = guest.run("readykernel update")
    ok(status in (3, 4), "clock: years behind", text)
    guest.must("date -s '2040-01-01'")
    status, text = guest.run("readykernel update")
    equal((status, version(guest)), (17, "lp_more"), "clock: years ahead, all has expired; what is loaded stays")


def life(guest, site):
    """What a host sees in its life."""
    repo = site.fork("life")
    use(guest, repo)
    newer_by_timer(guest, site, repo)
    administrator(guest)
    reboot(guest)
    another_kernel(guest, site)
    switched_off(guest)
    pairs(guest, site, repo)


def trouble(guest, site):
    """What goes wrong, and what becomes of it."""
    repo = site.fork("trouble")
    use(guest, repo)
    servers(guest, repo)
    stuck(guest, site, repo)
    crash(guest, site, repo)
    disk_full(guest, site, repo)
    attacked(guest, site, repo)
    clock(guest, repo)


def switched_off(guest):
    guest.reboot("kpatch.enable=0 readykernel=off")
    equal(version(guest), "stock", "readykernel=off: nothing is loaded at boot")
    equal(guest.run("systemctl is-active kpatch.service")[1], "inactive\n", "kpatch.enable=0: kpatch.service doesn't run")
    equal(guest.run("systemctl --failed --no-legend"), (0, ""), "readykernel=off: which is no failure of any unit")
    status, text = guest.run("readykernel update")
    ok(status != 0 and version(guest) == "stock", "readykernel=off: nor by an update", text)
    guest.reboot()
    equal(version(guest), "lp_next", "without it all is as before")


def tell(story, first, site):
    with first.copy(CLEAN if story == first_minutes else INSTALLED, site.serve()) as guest:
        story(guest, site)


# RK_TEST_STORIES names some of them. The first takes longest: it waits out each quiet minute.
STORIES = [globals()[name] for name in os.environ.get("RK_TEST_STORIES", "first_minutes power_cuts life trouble packages patch_packages bad_package").split()]


def main():
    target = Target()
    site = Site(target)
    site.pack()
    site.pack_newer()
    site.disk = Disk(target)
    first = Guest(site.disk, site.serve())
    test_guest(target, first)
    if first_minutes in STORIES:
        first.save(CLEAN)
    test_install(first)
    test_update_by_service(first)
    first.save(INSTALLED)
    first.kill()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = []
        for story in STORIES:
            jobs.append((story, pool.submit(tell, story, first, site)))
        for story, job in jobs:
            try:
                job.result()
            except Exception as error:  # the others go on
                ok(False, story.__name__, f"{type(error).__name__}: {error}")
    tap.done()


main()
