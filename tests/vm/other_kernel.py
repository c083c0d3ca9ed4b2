# SPDX-License-Identifier: GPL-2.0-or-later
"""Another kernel for a guest than the target's: its image package alone, from wherever this machine's apt gets packages from."""

import fcntl
import pathlib
import re
import shutil
import subprocess

import tap
from guest_disk import add_kernel, make_initramfs
from kernel import BUILD, cache_dir, query

DOWNLOAD_TIMEOUT = 600


def _pick(target):
    """The next newer kernel of the same series and flavour, or any other of it; None without one."""
    series = ".".join(target.release.split(".")[:2]) + "."
    flavour = re.search(r"-((cloud|rt)-)?[^-]+$", target.release)[0]
    offers = [offer["release"] for offer in query(BUILD, "target", "list", "--available")["targets"] if offer["available"]]
    others = [release for release in offers if release.startswith(series) and release.endswith(flavour) and release != target.release]
    later = offers.index(target.release) if target.release in offers else 0
    return next((release for release in offers[later:] if release in others), others[0] if others else None)


def _fetch(release, folder):
    log = folder / "log"
    package = f"linux-image-{release}"
    result = tap.run(["apt-get", "-q", "download", package], cwd=folder, timeout=DOWNLOAD_TIMEOUT)
    debs = list(folder.glob("*.deb"))
    if result.returncode != 0 or not debs:
        raise RuntimeError(f"apt-get download {package}: {result.stderr}")
    subprocess.run(["dpkg-deb", "-x", debs[0], folder / "package"], check=True)
    debs[0].unlink()
    root = folder / "root"
    add_kernel(root, log, release, folder / "package/lib/modules" / release)
    make_initramfs(root, release, folder / "initramfs.img", log)
    shutil.copy(folder / f"package/boot/vmlinuz-{release}", folder / "vmlinuz")
    shutil.rmtree(folder / "package")
    shutil.rmtree(root)


class OtherKernel:
    """release, kernel and initramfs: what a Guest starts with; release is None when apt has no other."""

    def __init__(self, target):
        self.release = _pick(target)
        if not self.release:
            return
        self.folder = cache_dir() / "tests" / f"kernel-{self.release}"
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(self.folder.parent / "kernel.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.folder / "initramfs.img").exists() or not (self.folder / "vmlinuz").exists():
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir()
                _fetch(self.release, self.folder)
        self.kernel = pathlib.Path(self.folder / "vmlinuz")
        self.initramfs = self.folder / "initramfs.img"
