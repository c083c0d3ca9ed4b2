# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk that guests start from: a small Debian with systemd and the target's kernel, installed by apt from wherever this
machine's apt installs from, once; kept in the user's cache under a hash of all that it was made from for as long as it is used."""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

import tap
from kernel import cache_dir

SIZE = "1500M"
INSTALL_TIMEOUT = 1800
KEPT_SECONDS = 86400  # since its last use: another tree's tests may be at it just now
# What a host has anyway, and what the packages under test depend on: guests have no network to fetch it from.
PACKAGES = ("systemd-sysv", "udev", "dbus", "iproute2", "kmod", "curl", "procps", "rpm", "stress-ng",
            "libjansson4", "libssl3", "libelf1", "libdw1", "libkmod2", "libcurl4", "libarchive13", "libzydis4.0")
UNWANTED = ("usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "usr/share/info/*")
# Units that only cost time in a machine that lives for a minute.
MASKED = ("dev-hugepages.mount", "dev-mqueue.mount", "systemd-logind.service", "modprobe@.service",
          "systemd-ask-password-wall.path", "systemd-ask-password-console.path", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
          "getty@tty1.service", "serial-getty@ttyS0.service", "systemd-tmpfiles-clean.timer", "systemd-update-utmp.service",
          "systemd-update-utmp-runlevel.service", "systemd-networkd-wait-online.service", "systemd-pstore.service")
AGENT = """#!/bin/sh
# Runs what comes in over the second serial port: lines of a number and a script in base64.
exec 3<>/dev/ttyS1
stty raw -echo <&3
echo ready >&3
while read -r number script <&3; do
	printf %s "$script" | base64 -d >/run/agent.sh
	sh /run/agent.sh >/run/agent.out 2>&1 </dev/null 3<&-
	status=$?
	{ base64 -w 0 /run/agent.out; echo; echo "end $number $status"; } >&3
done
"""
AGENT_UNIT = """[Unit]
Description=Agent of the tests
DefaultDependencies=no
After=systemd-remount-fs.service systemd-tmpfiles-setup.service
[Service]
ExecStart=/usr/local/sbin/agent
Restart=always
OOMScoreAdjust=-1000
[Install]
WantedBy=sysinit.target
"""
# The drivers are there already (see INIT): no need to have udev look at everything.
TRIGGER = """[Service]
ExecStart=
ExecStart=udevadm trigger --type=all --action=add --subsystem-match=block --subsystem-match=net
"""
DRIVERS = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_rng")
NETWORK = """[Match]
Name=eth0
[Network]
Address=10.0.2.15/24
"""
# What the initramfs does until the disk's own init runs.
INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
for module in $(/bin/busybox cat /modules); do /bin/busybox insmod /$module; done
for attempt in 1 2 3 4 5 6 7 8 9 10; do [ -b /dev/vda ] && break; /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /disk || exec /bin/busybox reboot -f
exec /bin/busybox switch_root /disk /sbin/init
"""


def _sh(argv, log, timeout=INSTALL_TIMEOUT, **kwargs):
    with open(log, "ab") as file:
        result = subprocess.run([str(arg) for arg in argv], stdin=kwargs.pop("stdin", subprocess.DEVNULL), stdout=file,
                                stderr=subprocess.STDOUT, timeout=timeout, check=False, **kwargs)
    if result.returncode != 0:
        last = pathlib.Path(log).read_text(errors="replace").splitlines()[-6:]
        tap.bail_out(f"{argv[0]}: {' / '.join(last)}; {log} says more")


def _debian_sources():
    """Where apt gets Debian itself from on this machine: lines for a sources.list, and the release's name."""
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(CODENAME)"
    listed = tap.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).stdout.splitlines()
    rows = [row for row in dict.fromkeys(tuple(line.split("|")) for line in listed) if len(row) == 5 and row[3] == "Debian"]
    names = re.search(r"^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text(), re.M)
    if not rows or not names:
        tap.skip_all("apt knows no sources of Debian here")
    release = names[1]
    return release, [f"deb {row[0]} {row[1]} {row[2]}" for row in rows if row[4].startswith(release)]


def _apt_options():
    """How this machine's apt reaches its sources: proxies and the like."""
    dump = tap.run(["apt-config", "dump", "Acquire"]).stdout.splitlines()
    return [f"--aptopt={line}" for line in dump if re.match(r"Acquire::(http|https)(::\S+)? \"", line) and not line.endswith('"";')]


def _install(folder, log):
    release, sources = _debian_sources()
    keys = pathlib.Path(tap.tmpdir())
    keys.chmod(0o755)  # apt looks at them as a user of its own
    for place in ("/usr/share/keyrings", "/etc/apt/trusted.gpg.d", "/etc/apt/keyrings"):
        for key in pathlib.Path(place).glob("*"):
            if key.suffix in (".gpg", ".asc"):
                shutil.copy(key, keys)
    exclude = [f"--dpkgopt=path-exclude=/{pattern}" for pattern in UNWANTED]
    _sh(["mmdebstrap", "--variant=minbase", "--dpkgopt=force-unsafe-io", f"--keyring={keys}", *exclude, *_apt_options(),
         f"--include={','.join(PACKAGES)}", release, folder / "root.tar", *sources], log)


def _write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _link(path, to):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(to)


def _configure(root):
    """What is added to the installed system, as a tree that is laid over it."""
    units = root / "etc/systemd/system"
    for unit in MASKED:
        _link(units / unit, "/dev/null")
    _write(root / "usr/local/sbin/agent", AGENT, 0o755)
    _write(units / "agent.service", AGENT_UNIT)
    _write(units / "systemd-udev-trigger.service.d/fewer.conf", TRIGGER)
    _link(units / "sysinit.target.wants/agent.service", "../agent.service")
    _link(units / "default.target", "/usr/lib/systemd/system/multi-user.target")
    _link(units / "multi-user.target.wants/systemd-networkd.service", "/usr/lib/systemd/system/systemd-networkd.service")
    _write(root / "etc/systemd/network/eth0.network", NETWORK)
    _write(root / "etc/hosts", "127.0.0.1 localhost\n10.0.2.15 guest\n10.0.2.100 repository\n")
    _write(root / "etc/hostname", "guest\n")
    _write(root / "etc/machine-id", "c0ffee00c0ffee00c0ffee00c0ffee00\n")
    _write(root / "etc/apt/sources.list", "")
    (root / "var/log/journal").mkdir(parents=True)


def add_kernel(root, log, release, modules):
    """Puts a kernel's modules below root, with the tables that modprobe needs."""
    shutil.copytree(modules, root / "lib/modules" / release, symlinks=True, ignore=shutil.ignore_patterns("build", "source"))
    _sh(["depmod", "-b", root, release], log)


def make_initramfs(root, release, to, log):
    """busybox, the modules that the disk needs, and a script."""
    work = to.with_name("initramfs")
    shutil.rmtree(work, ignore_errors=True)
    for name in ("dev", "disk", "bin"):
        (work / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), work / "bin/busybox")
    order = []
    for name in DRIVERS:
        shown = tap.run(["modprobe", "-d", root, "-S", release, "--show-depends", name]).stdout
        for line in shown.splitlines():
            if line.startswith("insmod ") and line.split()[1] not in order:
                order.append(line.split()[1])
    for path in order:
        shutil.copy(path, work)
    _write(work / "modules", "".join(os.path.basename(path) + "\n" for path in order))
    _write(work / "init", INIT, 0o755)
    names = "\n".join(str(path.relative_to(work)) for path in sorted(work.rglob("*")))
    made = subprocess.run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=work, input=names.encode(), stdout=subprocess.PIPE, check=True)
    to.write_bytes(made.stdout)
    shutil.rmtree(work)


def _make_image(folder, overlay, log):
    """root.tar and the overlay become an ext4 file system; who isn't root has fakeroot remember the owners."""
    script = f"""set -e
mkdir tree
tar -C tree --exclude='./dev/*' -xpf root.tar
cp -a --no-preserve=ownership {overlay.name}/. tree/
rm -rf tree/var/lib/apt/lists/* tree/var/cache/apt/*.bin
truncate -s {SIZE} root.img
mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -J size=16 -d tree root.img"""
    _sh([*([] if os.geteuid() == 0 else ["fakeroot"]), "sh", "-c", script], log, cwd=folder)
    for name in ("tree", overlay.name):
        shutil.rmtree(folder / name)
    (folder / "root.tar").unlink()


class Disk:
    """The files a guest starts from: image, kernel and initramfs of the target. They are never written to."""

    def __init__(self, target):
        made_from = pathlib.Path(__file__).read_bytes() + target.facts["version"].encode() + str(target.facts["build_id"]).encode()
        self.folder = cache_dir() / "tests" / f"disk-{hashlib.sha256(made_from).hexdigest()[:16]}"
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(self.folder.parent / "guest.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.folder / "done").exists():
                for old in self.folder.parent.glob("disk-*"):
                    if time.time() - old.stat().st_mtime > KEPT_SECONDS:
                        shutil.rmtree(old)
                shutil.rmtree(self.folder, ignore_errors=True)
                self._build(target)
            os.utime(self.folder)
        self.image = self.folder / "root.img"
        self.initramfs = self.folder / "initramfs.img"
        self.kernel = pathlib.Path(target.facts["image"])

    def _build(self, target):
        started = time.monotonic()
        folder, log = self.folder, self.folder / "log"
        overlay = folder / "overlay"
        (overlay / "usr/lib").mkdir(parents=True)
        _link(overlay / "lib", "usr/lib")
        _install(folder, log)
        _configure(overlay)
        add_kernel(overlay, log, target.release, pathlib.Path(target.facts["modules"]))
        make_initramfs(overlay, target.release, folder / "initramfs.img", log)
        _make_image(folder, overlay, log)
        (folder / "done").write_text(f"{time.monotonic() - started:.0f} s\n")
        tap.diag(f"the guests' disk was made in {(folder / 'done').read_text().strip()}")
