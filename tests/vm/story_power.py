# SPDX-License-Identifier: GPL-2.0-or-later
"""The power fails in every phase of an update; what becomes of the disk that is left."""

import shutil

import tap
from cut_points import PROBES, Cuts
from delivery_guest import use, version
from guest import Guest
from tap import equal, ok

CUTS_A_PHASE = 4  # the checker has room for 25 disks
CUT_ATTEMPTS = 5
# What a boot and an administrator do on each disk, in a root of its own: what came of it in one line.
AFTER_CUT = """
mount --make-rprivate /
mount /dev/%s /mnt && mount -t tmpfs none /mnt/run && for d in proc sys dev; do mount --bind /$d /mnt/$d; done
chroot /mnt readykernel boot >/dev/null 2>&1; echo boot $?; cat /proc/version
chroot /mnt readykernel info >/dev/null 2>&1; echo info $?
chroot /mnt readykernel update >/dev/null 2>&1; echo update $?; cat /proc/version
chroot /mnt readykernel load --force 2 >/dev/null 2>&1; echo load $?; cat /proc/version
chroot /mnt readykernel unload >/dev/null 2>&1; echo unload $?
umount -R /mnt; e2fsck -fn /dev/%s >/dev/null 2>&1; echo fsck $?
"""


def take_cuts(guest, cuts):
    """Updates again and again, each from the same disk, until the power has failed in every phase."""
    before = guest.folder / "before.qcow2"
    guest.shut_down()
    guest.forget_saved()
    guest.copy_disk(before)
    for attempt in range(CUT_ATTEMPTS):
        if attempt:
            guest.kill()
            before.replace(guest.image) if attempt == CUT_ATTEMPTS - 1 else shutil.copy(before, guest.image)
        guest.boot("tp_printk")
        # what watches the level of this boot holds the lock for as long as it watches
        guest.wait_for("! systemctl is-active -q readykernel-confirm.service", 60)
        guest.must(PROBES)
        status, text = cuts.take("readykernel update 2>&1")
        equal((status, version(guest)), (0, "lp_next"), f"power cut: update {attempt + 1} itself")
        if not cuts.missing():
            break
    guest.kill()
    before.unlink(missing_ok=True)


def look_at_cut(checker, name, disk):
    """What a disk comes to; in one line what that was."""
    lines = checker.must(AFTER_CUT % (disk, disk)).splitlines()
    said = " ".join(line.removeprefix("fixed by ").split(" version")[0] for line in lines)
    booted, loaded = lines[1], lines[lines.index(next(line for line in lines if line.startswith("load "))) + 1]
    ok(lines[0] == "boot 0" and booted in ("fixed by lp_fix", "fixed by lp_next") and "info 0" in lines and "fsck 0" in lines
       and loaded == "fixed by lp_next", f"power cut in {name}: the disk boots and goes on", said)
    return said


def power_cuts(guest, site):
    """The power fails at random moments of each phase of an update; each disk that is left boots into a consistent state and goes on from there."""
    repo = site.fork("power")
    use(guest, repo)
    site.publish(repo, 2)
    # else a power cut within ten minutes of a load is held against the level, as it should be
    guest.must("sed -i 's/^quiet_time = .*/quiet_time = 3\\ncrash_window = 0/' /etc/readykernel.conf; sync")
    cuts = Cuts(guest, CUTS_A_PHASE)
    take_cuts(guest, cuts)
    tap.diag("\n".join(cuts.histogram()))
    equal(cuts.missing(), [], "power cut: in every phase of the update")
    disks = [(name, path) for name, paths in cuts.disks.items() for path in paths]
    with Guest(site.disk, guest.server, guest.folder) as checker:
        checker.drives = [path for _, path in disks]
        checker.boot()
        seen = {}
        for n, (name, _) in enumerate(disks):
            said = f"{name}: " + look_at_cut(checker, name, "vd" + chr(ord("b") + n))
            seen[said] = seen.get(said, 0) + 1
        tap.diag(f"what {len(disks)} cuts left:")
        for said, nr in seen.items():
            tap.diag(f"{nr} x {said}")
    for _, path in disks:
        path.unlink()
