# SPDX-License-Identifier: GPL-2.0-or-later
"""What packages do on a host: ReadyKernel's own through their whole life, levels that come as packages, and the same as rpms."""

from delivery_guest import put, version
from tap import contains, equal, ok

APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y"
OURS = ("readykernel", "kpatch-build", "readykernel-repo")
UNITS = "kpatch.service readykernel.service readykernel-confirm.service readykernel-update.timer"
# All that a package could leave behind; what apt, dpkg and logs keep of every package isn't.
LIST = """{ find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp -o -path ~root -o -path /var/tmp -o -path /var/log
	-o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg \\) -prune -o -print | sort; getent passwd; getent group; ls /run; } """.replace("\n\t", " ")
BEFORE = "/var/tmp/before"


def remember(guest):
    """What there is before anything of ours is installed."""
    guest.must(f"{LIST} >{BEFORE}")


def packages(guest, site):
    """All three of ours: installed, upgraded, removed, installed again, purged."""
    status, text = guest.run(f"{APT} install kpatch-build readykernel-repo")
    ok(status == 0, "packages: apt installs the other two", text)
    contains(guest.run("kpatch-build --version; kpatch-test --version; kpatch-diff --version")[1], "kpatch-diff ", "packages: kpatch-build runs")
    equal(guest.run("cd /var/tmp && readykernel-repo key new k && test -s k.key -a -s k.pub; rm -f k.key k.pub")[0], 0, "packages: readykernel-repo runs")
    upgrade(guest)
    removal(guest)
    purge(guest)


def upgrade(guest):
    # readykernel-confirm has ended, and is started once more, to find nothing
    what = f"systemctl show -P InvocationID {UNITS.replace('readykernel-confirm.service ', '')}; systemctl is-enabled {UNITS}; cat /etc/readykernel.conf /run/readykernel/effective"
    before = guest.must(what)
    put(guest, "/etc/apt/sources.list", "deb [trusted=yes] http://repository/newer ./\n")
    status, text = guest.run(f"apt-get -q update && {APT} upgrade")
    versions = guest.must(f"dpkg-query -W -f '${{Version}}\\n' {' '.join(OURS)}").split()
    ok(status == 0 and len(versions) == 3 and all(each.endswith(".newer") for each in versions), "upgrade: all three", text)
    equal((guest.must(what), version(guest)), (before, "lp_fix"), "upgrade: no unit is restarted, configuration and patch stay")
    equal(guest.run("readykernel status; systemctl is-system-running"), (0, "patched: level 1 is loaded, nothing newer is there\nrunning\n"),
          "upgrade: the new one takes over")


def removal(guest):
    """Packages go, what is loaded stays."""
    status, text = guest.run(f"{APT} remove {' '.join(OURS)}")
    equal(status, 0, "remove: apt is content")
    contains(text, "live patch 'lp_fix' stays loaded until the next boot", "remove: says what stays")
    equal((version(guest), guest.run("test -e /var/lib/readykernel/state.json")[0]), ("lp_fix", 0), "remove: the patch and the state stay")
    equal(guest.run(f"systemctl is-active {UNITS}; systemctl --failed --no-legend")[1].split(), ["inactive"] * 4, "remove: no timer, no unit, nothing failed")
    equal(guest.run("command -v readykernel kpatch kpatch-build readykernel-repo")[1], "", "remove: no program")
    status, text = guest.run(f"{APT} install {' '.join(OURS)}")
    ok(status == 0 and guest.run("readykernel status")[0] == 0, "install again: goes on with what was left", text)
    equal(guest.run(f"systemctl is-enabled {UNITS}")[1].split(), ["enabled"] * 4, "install again: units are enabled")


def purge(guest):
    """Nothing is left."""
    guest.must("readykernel unload")
    status, text = guest.run(f"{APT} purge {' '.join(OURS)}; systemctl daemon-reload; {LIST} >/var/tmp/after")
    equal(status, 0, "purge: apt is content")
    # what this test itself wrote, and copies that others make of what they change
    status, text = guest.run(f"diff {BEFORE} /var/tmp/after | grep -v -e '^[0-9,acd]*$' -e ' /etc/apt/' -e ' /var/lib/systemd/random-seed' -e ' /etc/[a-z]*-$' -e ' /var/lib/systemd/timers$'")
    equal(text, "", "purge: files, users, groups and /run are as before the first installation")
    equal(guest.run("systemctl list-unit-files --no-legend 'readykernel*' 'kpatch*'; systemctl is-system-running")[1], "running\n", "purge: nor units")


def patch_packages(guest, site):
    """Levels that come as packages of the distribution, without the client."""
    name = f"readykernel-patch-{guest.must('uname -r')}"
    guest.must("readykernel unload")
    put(guest, "/etc/apt/sources.list", "deb [trusted=yes] http://repository/patches/apt stable main\n")
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -q -y"
    status, text = guest.run(f"apt-get -q update && {apt} install {name}")
    equal((status, version(guest)), (0, "lp_next"), "patch package: installing loads the newest level")
    status, text = guest.run(f"{apt} install {name}-1")
    equal((status, version(guest)), (0, "lp_next"), "patch package: an older level doesn't take its place")
    status, text = guest.run(f"{apt} remove {name}-2")
    ok((status, version(guest)) == (0, "lp_fix"), "patch package: when the newer one is removed it does", text)
    status, text = guest.run(f"{apt} remove {name}-1")
    ok((status, version(guest)) == (0, "stock"), "patch package: removing the last one unloads it", text)
    guest.must("touch /etc/readykernel/disable")
    status, text = guest.run(f"{apt} install {name}-1")
    equal((status, "switched off" in text, version(guest)), (0, True, "stock"), "patch package: not on a host where patches are switched off")
    guest.must(f"rm /etc/readykernel/disable; {apt} remove {name}-1")
    rpm_packages(guest, name)


def bad_package(guest, site):
    """A patch of kpatch.service's that takes the host down after each boot does so once."""
    (site.www / "late.ko").write_bytes(site.modules[3])
    guest.must("readykernel autoload disable; readykernel unload")
    guest.must("curl -sf -o /var/tmp/late.ko http://repository/late.ko && kpatch install /var/tmp/late.ko")
    guest.shut_down()
    guest.start()
    ok(guest.wait_off(300), "bad package: the host goes down with it")
    contains(guest.console(), "lp_late panics on purpose", "bad package: the console says why")
    for boot in ("the next", "another"):
        guest.boot()
        equal((version(guest), guest.run("systemctl --failed --no-legend")), ("stock", (0, "")), f"bad package: {boot} boot goes without it")
        contains(guest.must("journalctl -b -u kpatch.service -o cat --no-pager"), "lp_late", f"bad package: {boot} boot's journal names it")
        guest.must("sync")
        guest.kill()


def rpm_packages(guest, name):
    """The scriptlets, in a root of their own that looks like this host's."""
    guest.must("mkdir -p /run/over /run/root; mount -t tmpfs none /run/over; mkdir /run/over/up /run/over/work; "
               "mount -t overlay -o lowerdir=/,upperdir=/run/over/up,workdir=/run/over/work none /run/root; "
               "for d in proc sys dev; do mount --bind /$d /run/root/$d; done; rm -f /run/root/usr/sbin/kpatch; "
               "for f in readykernel.rpm dnf/stable/%s-1-1-1.x86_64.rpm dnf/stable/%s-2-2-1.x86_64.rpm; do "
               "curl -sf -o /run/${f##*/} http://repository/patches/$f; done" % (name, name))
    rpm = "rpm --root /run/root --nodeps"
    status, text = guest.run(f"{rpm} -i --replacefiles /run/readykernel.rpm && test -x /run/root/usr/sbin/kpatch")
    equal(status, 0, "rpm: the client's package installs")
    equal(guest.run("readlink /run/root/etc/systemd/system/multi-user.target.wants/readykernel.service")[0], 0, "rpm: its units are enabled")
    for level, module in ((1, "lp_fix"), (2, "lp_next")):
        status, text = guest.run(f"{rpm} -i /run/{name}-{level}-{level}-1.x86_64.rpm")
        ok((status, version(guest)) == (0, module), f"rpm: installing level {level} loads it", text)
    status, text = guest.run(f"{rpm} -e {name}-2")
    ok((status, version(guest)) == (0, "lp_fix"), "rpm: removing it brings the one before back", text)
    status, text = guest.run(f"{rpm} -e readykernel")
    contains(text, "stays loaded until the next boot", "rpm: removing the client says what stays")
    our_rpms(guest)


def our_rpms(guest):
    """Of ours: an upgrade, the other two packages, and all of them gone."""
    rpm = "rpm --root /run/root --nodeps"
    guest.must("for f in readykernel readykernel-repo kpatch-build; do curl -sf -o /run/$f.rpm http://repository/patches/$f.rpm; done; "
               "for d in usr/bin usr/sbin; do rm -f /run/root/$d/readykernel* /run/root/$d/kpatch*; done")
    wants = "ls /run/root/etc/systemd/system/*.wants"
    status, text = guest.run(f"{rpm} -i --replacefiles /run/readykernel.rpm /run/readykernel-repo.rpm /run/kpatch-build.rpm")
    equal((status, guest.run("cd /run/root/usr && test -x bin/kpatch-build -a -x bin/readykernel-repo -a -x sbin/readykernel")[0]), (0, 0),
          "rpm: all three install")
    contains(guest.must(wants), "readykernel-update.timer", "rpm: the timer is enabled")
    guest.must("echo '# mine' >>/run/root/etc/readykernel.conf")
    status, text = guest.run(f"{rpm} -U --force /run/readykernel.rpm")
    equal((status, guest.run(f"{wants} | grep -c -e readykernel -e kpatch")[1]), (0, "4\n"), "rpm: an upgrade leaves the units enabled")
    contains(guest.must("tail -1 /run/root/etc/readykernel.conf"), "# mine", "rpm: and the configuration as it is")
    status, text = guest.run(f"{rpm} -e readykernel readykernel-repo kpatch-build")
    ok(status == 0 and guest.run(f"{wants} | grep -e readykernel -e kpatch")[1] == "", "rpm: removed, no unit is enabled", text)
    equal(guest.run("cd /run/root/usr && ls bin/kpatch-build bin/readykernel-repo sbin/readykernel libexec/readykernel share/kpatch 2>/dev/null")[1], "",
          "rpm: and nothing is left of the programs")
