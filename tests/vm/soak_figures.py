# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest says of its kernel between the cycles of a soak, and whether anything of it grows from cycle to cycle.

Free memory says nothing: caches fill it, and stay. What is compared was measured without load and with the caches dropped, many
times over a run; a leak is what grows with the cycles, by more than the figures' own noise."""

import math
import re

# One byte a cycle lost would be under a MiB in a million cycles; pages come and go by the hundred in any busy guest.
KB_A_CYCLE = 2.0
OBJECTS_A_CYCLE = 0.5
# Of a run too short to see a slope only a gross loss is seen.
SHORT_RUN = 200
SHORT_RUN_KB = 8192

TROUBLE = re.compile(r"WARNING:|BUG:|Oops|cut here|Call Trace|general protection|unable to handle|double fault|invalid opcode|Kernel panic"
                     r"|soft lockup|hard LOCKUP|blocked for more than|detected stall|self-detected|detected expedited|starved for|possible recursive"
                     r"|inconsistent lock|circular locking|suspicious RCU|bad page|Bad rss|page allocation failure|Out of memory"
                     r"|livepatch: .*failed|refcount_t|list_(add|del) corruption|kobject .*(leak|already)|sysfs: cannot create")
# Bits of /proc/sys/kernel/tainted that a kernel in good health doesn't set: died, bad page, warned, locked up.
TAINTS = {7: "died", 5: "bad page", 9: "warned", 14: "locked up"}


def sections(text):
    """The parts of the guest's figures, by name."""
    parts = re.split(r"^== (\w+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def troubles(log):
    """Lines of the kernel's console that are about trouble."""
    return [line for line in log.splitlines() if TROUBLE.search(line)]


def transitions(log):
    """Seconds from the start of each of the kernel's transitions to its end."""
    found, start = [], 0.0
    for at, what in re.findall(r"\[ *(\d+\.\d+)\] livepatch: '\w+': (starting|completing|(?:un)?patching complete)", log):
        if what == "starting":
            start = float(at)
        elif what.endswith("complete") and start:
            found.append(round(float(at) - start, 3))
    return found


def taints(text):
    value = int(text)
    return [name for bit, name in TAINTS.items() if value >> bit & 1]


def load(before, after, seconds):
    """What kept the guest busy between two of its /proc/stat: share of time not idle, context switches and new processes a second."""
    was, now = (dict(line.split(maxsplit=1) for line in text.splitlines() if " " in line) for text in (before, after))
    ticks = [int(b) - int(a) for a, b in zip(was["cpu"].split(), now["cpu"].split())][:8]
    each = {name: (int(now[name]) - int(was[name])) / seconds for name in ("ctxt", "processes")}
    return {"busy": 1 - (ticks[3] + ticks[4]) / max(1, sum(ticks)), "switches": each["ctxt"], "forks": each["processes"]}


def is_of_a_cycle(module):
    """Others come when systemd mounts what somebody looks at (binfmt_misc)."""
    return module.startswith("kpatch") or module in ("dummy", "vsock")


class Snapshot:
    """One measurement, in kB and objects."""

    def __init__(self, cycle, text):
        part = sections(text)
        self.cycle = cycle
        memory, full = ({name: int(kb) for name, kb in re.findall(r"^(\w+): +(\d+)", part[when], re.M)} for when in ("meminfo", "full"))
        held = memory["MemTotal"] - sum(memory[name] for name in ("MemFree", "Buffers", "Cached", "AnonPages"))
        known = sum(memory[name] for name in ("Slab", "VmallocUsed", "Percpu", "KernelStack", "PageTables"))
        self.kb = {"kernel": held, **{name: memory[name] for name in ("SUnreclaim", "SReclaimable", "VmallocUsed", "Percpu", "KernelStack", "PageTables")},
                   "other": held - known}
        free = {"free, caches full": full["MemFree"], "free, caches dropped": memory["MemFree"]}
        self.kb |= {"caches": sum(full[name] - memory[name] for name in ("Cached", "Buffers", "SReclaimable")), "programs": memory["AnonPages"]} | free
        self.objects = {row.split()[0]: int(row.split()[1]) for row in part["slabinfo"].splitlines()[2:]}
        self.left = {"live patches": part["livepatch"].replace("*", "").split(), "functions with a tracer": len(part["ftrace"].splitlines()),
                     "modules": sorted(name for name in re.findall(r"^\S+", part["modules"], re.M) if is_of_a_cycle(name))}

    def as_json(self):
        return {"cycle": self.cycle, "kb": self.kb}


def slope(points):
    """Growth a cycle by least squares, and its standard error; None where there are too few points to know."""
    number = len(points)
    x_mean, y_mean = (sum(point[i] for point in points) / number for i in (0, 1))
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    if number < 3 or not spread:
        return 0.0, None
    rise = sum((x - x_mean) * (y - y_mean) for x, y in points) / spread
    rest = sum((y - y_mean - rise * (x - x_mean)) ** 2 for x, y in points)
    return rise, math.sqrt(rest / (number - 2) / spread)


def growth(snapshots):
    """{"kb"|"objects": {name: (first, last, a cycle, error)}}; the first tenth of the run, in which caches are made, isn't counted."""
    counted = [s for s in snapshots if s.cycle >= snapshots[-1].cycle / 10]
    counted = counted if len(counted) >= 3 else snapshots
    table = {}
    for what in ("kb", "objects"):
        table[what] = {}
        for name in getattr(counted[0], what):
            points = [(s.cycle, getattr(s, what).get(name, 0)) for s in counted]
            table[what][name] = (points[0][1], points[-1][1], *slope(points))
    return table


def leaks(snapshots):
    """What grows with the cycles, in words; nothing if all is well."""
    table = growth(snapshots)
    _, _, rise, error = table["kb"]["kernel"]
    if snapshots[-1].cycle < SHORT_RUN or error is None:
        lost = snapshots[-1].kb["kernel"] - snapshots[0].kb["kernel"]
        return [f"the kernel holds {lost} kB more than before"] if lost > SHORT_RUN_KB else []
    found = [f"kernel memory: {rise:.2f} kB a cycle (± {error:.2f})"] if rise - 2 * error > KB_A_CYCLE else []
    for name, (first, last, rise, error) in table["objects"].items():
        if rise - 2 * error > OBJECTS_A_CYCLE:
            found.append(f"slab '{name}': {rise:.2f} objects a cycle (± {error:.2f}), {first} to {last}")
    return found
