# SPDX-License-Identifier: GPL-2.0-or-later
"""Delivery on the real thing: a Debian guest with systemd that boots from a disk of its own, and a repository it can reach."""

import os
import pathlib
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from guest import Guest  # noqa: E402
from guest_disk import Disk  # noqa: E402
from http_server import Server  # noqa: E402
from kernel import Target  # noqa: E402
from tap import equal, ok  # noqa: E402

SAVED = "up"


class Site:
    """What the guests can reach at http://repository/."""

    def __init__(self):
        self.folder = pathlib.Path(tap.tmpdir())
        (self.folder / "greeting").write_text("hello\n" * 50)
        self.server = Server(self.folder)


def test_guest(target, site):
    """The guest is what the other tests take it for. Returns one that is off, with its state saved."""
    guest = Guest(Disk(target), site.server)
    tap.diag(f"a guest boots in {guest.boot():.0f} s")
    equal(guest.run("uname -r; systemctl is-system-running"), (0, f"{target.release}\nrunning\n"), "guest: the target's kernel, and systemd is content")
    equal(guest.run("curl -s http://repository/greeting"), (0, "hello\n" * 50), "guest: reaches the repository")
    site.server.fault, site.server.only = "truncated", "greeting"
    equal(guest.run("curl -s http://repository/greeting | wc -c"), (0, "150\n"), "guest: sees the repository misbehave")
    site.server.fault = None
    equal(guest.run("curl -s -m 3 http://10.0.2.2:%d/greeting || curl -s -m 3 http://10.0.2.3/" % site.server.port)[0] != 0, True, "guest: reaches nothing else")
    guest.must("echo kept >/var/tmp/kept; sync /var/tmp/kept /var/tmp; echo lost >/run/lost")
    guest.save(SAVED)
    guest.kill()
    return guest


def test_power_cut(guest):
    guest.boot()
    equal(guest.run("cat /var/tmp/kept; ls /run/lost")[1].splitlines()[0], "kept", "power cut: what was synced is there")
    ok(not guest.run("test -e /run/lost")[0] == 0, "power cut: memory is not")
    guest.kill()


def main():
    target = Target()
    site = Site()
    guest = test_guest(target, site)
    test_power_cut(guest)
    with guest.copy(SAVED) as other:
        equal(other.run("cat /run/lost; curl -s http://repository/greeting | wc -c"), (0, "lost\n300\n"), "a saved guest goes on where it was")
    tap.done()


main()
