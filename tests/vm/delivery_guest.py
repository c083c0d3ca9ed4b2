# SPDX-License-Identifier: GPL-2.0-or-later
"""What the stories of test_delivery.py ask of a guest."""

import json

from tap import ok

CONFIG = """repository = http://repository/first
quiet_time = 1
spread = 0
transition_wait = 2
transition_limit = 2
connect_timeout = 10
report_url = http://repository/inbox
"""


def put(guest, path, text):
    guest.must(f"mkdir -p $(dirname {path}); cat >{path} <<'END'\n{text}END")


def use(guest, repo):
    guest.must(f"sed -i 's,^repository = .*,repository = http://repository/{repo.root.name},' /etc/readykernel.conf")


def version(guest):
    """What /proc/version says: "stock", or who fixed it."""
    text = guest.must("cat /proc/version")
    return text.removeprefix("fixed by ") if text.startswith("fixed by ") else "stock"


def readykernel(guest, *args):
    status, text = guest.run(f"readykernel {' '.join(args)} --json")
    try:
        return status, json.loads(text[text.index("{"):])
    except ValueError:
        return status, text


def before_network(guest, what):
    """Both units ended before anything of the network began, and systemd is bound to that order."""
    times = guest.must("for unit in kpatch readykernel; do systemctl show -P ExecMainExitTimestampMonotonic $unit.service; done; "
                       "systemctl show -P ActiveEnterTimestampMonotonic network-pre.target; "
                       "systemctl show -P ExecMainStartTimestampMonotonic systemd-networkd.service").split()
    ok(len(times) == 4 and all(0 < int(mine) <= int(times[2]) <= int(times[3]) for mine in times[:2]), f"{what}: before the network", str(times))
    orders = guest.must("systemctl show -P Before kpatch.service; systemctl show -P Before readykernel.service").splitlines()
    ok(len(orders) == 2 and all("network-pre.target" in order.split() for order in orders), f"{what}: and not by chance", str(orders))
