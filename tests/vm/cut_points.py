# SPDX-License-Identifier: GPL-2.0-or-later
"""Where in an update the power fails. The guest runs in slices of a few milliseconds; after each it stands still, and the kernel's
console tells how far the update is: probes on what changes names below /var/lib/readykernel and livepatch's own messages write there
at once, before the next instruction. Of all these moments some are kept as disks, every phase having its share."""

import random
import re
import time

STATE = "/var/lib/readykernel"
# On the console from the moment it happens on (the guest has to be booted with tp_printk). Who asks may be anyone.
PROBES = f"""
cd /sys/kernel/tracing
echo 'p:renamed do_renameat2 to=+0(+0(%cx)):string' >kprobe_events
echo 'p:removed do_unlinkat name=+0(+0(%si)):string' >>kprobe_events
for event in renamed removed; do echo 'comm ~ "readykernel*"' >events/kprobes/$event/filter; echo 1 >events/kprobes/$event/enable; done
dmesg -n 7
"""
# A phase begins with a line of the console; those that were before it in this list are over. All moments from the intent to the end of
# the transition leave the same disk.
PHASES = [("fetch", None),
          ("verify", rf"renamed: .*{STATE}/trust/"),
          ("write", rf"renamed: .*{STATE}/patches/"),
          ("load and transition", rf"renamed: .*{STATE}/intent\.json"),
          ("quiet time", r"livepatch: '\w+': patching complete"),
          # the first record says that it is loaded, the second that it is good; then the intent goes
          ("mark good", rf"patching complete(?s:.*)renamed: .*{STATE}/state\.json(?s:.*)renamed: .*{STATE}/state\.json")]
NAMES = [name for name, _ in PHASES]


def phase(console):
    """The name of the latest phase that the console tells of."""
    return next((name for name, begin in reversed(PHASES) if begin and re.search(begin, console)), NAMES[0])


class Cuts:
    """Disks, at most `share` of each phase, each moment of a phase as likely as any other."""

    def __init__(self, guest, share):
        self.guest, self.share = guest, share
        self.moments = dict.fromkeys(NAMES, 0)
        self.disks = {name: [] for name in NAMES}

    def _keep(self, name):
        kept = self.disks[name]
        self.moments[name] += 1
        place = len(kept) if len(kept) < self.share else random.randrange(self.moments[name])
        if place >= self.share:
            return
        path = self.guest.folder / f"cut-{NAMES.index(name)}-{place}.qcow2"
        self.guest.copy_disk(path)
        if place == len(kept):
            kept.append(path)

    def take(self, script):
        """Runs the script, with the power failing all the while, to its end: its exit status and output."""
        start = len(self.guest.console())
        number = self.guest.send(script)
        while not self.guest.has_answered():
            time.sleep(random.uniform(0.001, 0.03))
            self.guest.pause()
            self._keep(phase(self.guest.console()[start:]))
            self.guest.resume()
        return self.guest.answer(number)

    def missing(self):
        return [name for name in NAMES if not self.disks[name]]

    def histogram(self):
        for name in NAMES:
            yield f"{name:20} {self.moments[name]:4} moments, {len(self.disks[name])} of them looked at"
