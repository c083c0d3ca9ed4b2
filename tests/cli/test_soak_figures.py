# SPDX-License-Identifier: GPL-2.0-or-later
"""What the soak makes of a guest's figures: a leak is found in them, noise and warm caches are not, and trouble in the log is."""

import os
import random
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests", folder) for folder in (".", "vm")]
import soak_figures as figures  # noqa: E402
from tap import done, equal, ok  # noqa: E402

LOG = """[  10.000000] livepatch: 'kpatch_level_1': starting patching transition
[  11.500000] livepatch: 'kpatch_level_1': patching complete
[  11.600000] kpatch_level_1: tainting kernel with TAINT_LIVEPATCH
[  12.000000] livepatch: 'kpatch_level_1': starting unpatching transition
[  12.250000] livepatch: 'kpatch_level_1': unpatching complete
"""


def guest_says(free, objects, kernel_stack=1000, cached=0):
    memory = {"MemTotal": 500000, "MemFree": free - cached, "Buffers": 0, "Cached": 20000 + cached, "AnonPages": 30000, "Slab": 20000, "SReclaimable": 10000,
              "SUnreclaim": 10000, "VmallocUsed": 6000, "Percpu": 600, "KernelStack": kernel_stack, "PageTables": 400}
    text = "".join(f"{name}: {kb:8} kB\n" for name, kb in memory.items())
    return (f"== full\n{text}== meminfo\n{text}== slabinfo\nslabinfo - version: 2.1\n# name\nkmalloc-64 {objects} 4096 64 64 1 : tunables\n"
            "== modules\ndummy 16384 0 - Live 0x0\n== livepatch\n== ftrace\n")


def run(cycles, lost_kb=0.0, lost_objects=0.0, warm_kb=0):
    """Measurements of a run that loses so much a cycle, on top of noise; warm_kb: what the first cycles take once."""
    dice = random.Random(1)
    shots = []
    for cycle in range(0, cycles + 1, max(1, cycles // 40)):
        warm = warm_kb if cycle else 0
        shots.append(figures.Snapshot(cycle, guest_says(400000 - warm - int(lost_kb * cycle) - dice.randrange(400), int(2000 + lost_objects * cycle + dice.randrange(100)))))
    return figures.leaks(shots)


def main():
    equal(run(1000), [], "noise is no leak")
    equal(run(1000, warm_kb=6000), [], "nor is what the first cycles take once")
    found = run(1000, lost_kb=4)
    ok(len(found) == 1 and found[0].startswith("kernel memory: "), "a page a cycle is", str(found))
    found = run(1000, lost_objects=1)
    ok(len(found) == 1 and found[0].startswith("slab 'kmalloc-64': 1.0"), "an object a cycle is", str(found))
    equal(run(20, lost_kb=4), [], "twenty cycles are too few to see that")
    ok(len(run(20, lost_kb=500)) == 1, "but not to see a gross loss")
    equal((figures.transitions(LOG), figures.troubles(LOG)), ([1.5, 0.25], []), "transitions are timed, and are no trouble")
    for line in ("[ 1.0] WARNING: CPU: 0 PID: 1 at kernel/x.c:1", "[ 1.0] INFO: task x:1 blocked for more than 120 seconds.", "[ 1.0] ------------[ cut here ]------------",
                 "[ 1.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks", "[ 1.0] WARNING: possible recursive locking detected"):
        equal(figures.troubles(f"[ 0.1] fine\n{line}\n"), [line], f"trouble: {line[7:]}")
    equal((figures.taints("36864"), figures.taints("37376")), ([], ["warned"]), "what the kernel is tainted by")
    equal(figures.load("cpu 10 0 10 80 0\nctxt 100\nprocesses 10\n", "cpu 60 0 50 90 0\nctxt 300\nprocesses 30\n", 10),
          {"busy": 0.9, "switches": 20.0, "forks": 2.0}, "how busy it was")
    done()


main()
