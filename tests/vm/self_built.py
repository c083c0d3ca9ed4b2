# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel of our own, for "dir:" targets: the target's source built with tests/vm/configs/tiny-livepatch.config into a directory of
its own ('make O='), once; it is kept in the user's cache under a hash of all it was made from."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import time

import tap
from kernel import ROOT, cache_dir

CONFIG = ROOT / "tests/vm/configs/tiny-livepatch.config"
BUILD_TIMEOUT = 2400
# No line of these is compiled with that configuration; of them only what make and Kconfig read is copied.
LEFT_OUT = ("crypto/", "drivers/ata/", "drivers/block/", "drivers/bluetooth/", "drivers/clk/", "drivers/comedi/", "drivers/crypto/",
            "drivers/gpu/", "drivers/hwmon/", "drivers/i2c/", "drivers/iio/", "drivers/infiniband/", "drivers/input/", "drivers/isdn/",
            "drivers/md/", "drivers/media/", "drivers/mfd/", "drivers/mtd/", "drivers/net/", "drivers/nvme/", "drivers/phy/",
            "drivers/pinctrl/", "drivers/power/", "drivers/regulator/", "drivers/scsi/", "drivers/soc/", "drivers/spi/",
            "drivers/staging/", "drivers/target/", "drivers/thunderbolt/", "drivers/usb/", "drivers/video/", "fs/afs/", "fs/btrfs/",
            "fs/ceph/", "fs/cifs/", "fs/ext4/", "fs/f2fs/", "fs/gfs2/", "fs/jfs/", "fs/nfs", "fs/nilfs2/", "fs/ntfs", "fs/ocfs2/",
            "fs/reiserfs/", "fs/ubifs/", "fs/xfs/", "net/", "security/apparmor/", "security/selinux/", "sound/", "tools/bpf/",
            "tools/power/", "tools/testing/")
BUILD_FILES = ("Kconfig", "Makefile", "Kbuild")


def _is_needed(name):
    return name.rsplit("/", 1)[-1].startswith(BUILD_FILES) or not name.startswith(LEFT_OUT)


def _copy_source(source, to):
    """The files of the source package that are there: the tree itself is prepared for another configuration."""
    made = set()
    for name in (source.parent / "source-files.txt").read_text().splitlines():
        if _is_needed(name) and (source / name).is_file():
            if (folder := os.path.dirname(to / name)) not in made:
                os.makedirs(folder, exist_ok=True)
                made.add(folder)
            shutil.copy2(source / name, to / name, follow_symlinks=False)


def _make(source, build, *args):
    jobs = os.cpu_count() or 1
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH", "O", "V")}
    with open(build.parent / "make.log", "a", encoding="utf-8") as log:
        result = subprocess.run(["make", f"O={build}", "CC=gcc-12", f"-j{jobs}", *args], cwd=source, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, timeout=BUILD_TIMEOUT, env=environment, check=False)
    if result.returncode != 0:
        tap.bail_out(f"make {' '.join(args)} failed; {build.parent}/make.log says why")


def _build(top, target):
    partial = top.with_name(top.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    source, build = partial / "source", partial / "build"
    started = time.monotonic()
    _copy_source(target.source, source)
    build.mkdir()
    _make(source, build, f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig")
    # 'source' in the build directory is an absolute link: the tree is built where it is used
    partial.rename(top)
    _make(top / "source", top / "build")
    (top / "done").write_text(f"{time.monotonic() - started:.0f} s\n")
    tap.diag(f"a kernel of our own was built in {(top / 'done').read_text().strip()}")


class SelfBuilt:
    def __init__(self, target):
        """Builds it from the target's source unless it is there."""
        key = hashlib.sha256(CONFIG.read_bytes() + pathlib.Path(__file__).read_bytes() + target.version.encode()).hexdigest()[:16]
        top = cache_dir() / "tests" / f"self-built-{key}"
        if not (top / "done").exists():
            for old in top.parent.glob("self-built-*"):
                shutil.rmtree(old)
            top.parent.mkdir(parents=True, exist_ok=True)
            _build(top, target)
        self.source = top / "source"
        self.build = top / "build"
        missing = [line for line in CONFIG.read_text().splitlines() if line.startswith("CONFIG_") and line not in self.config()]
        tap.equal(missing, [], "self-built: the configuration is what was asked for")

    def config(self):
        return (self.build / ".config").read_text().splitlines()

    def state(self):
        """Every file with its size and times."""
        found = {}
        for top in (self.source, self.build):
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    info = os.lstat(path)
                    found[path] = (info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        return found
