# SPDX-License-Identifier: GPL-2.0-or-later
"""A host that is a directory: what readykernel --root DIR reads of /proc, /sys and /etc. Its kernel can't load anything; what is
loaded is what set_loaded() says."""

import os
import pathlib
import platform
import shutil
import struct

USER_ID = 64123  # of "readykernel" on that host; nobody's here
BUILD_ID = "5" + "ab" * 19 + "c"
KERNEL = {"release": platform.release(), "version": platform.version(), "build_id": BUILD_ID, "arch": platform.machine()}


class Host:
    def __init__(self, root, repository=None, config=""):
        self.root = pathlib.Path(root)
        self.root.mkdir(parents=True)
        # the process that fetches has to come through, as on a real host
        os.chmod(self.root, 0o755)
        note = struct.pack("<III4s", 4, len(BUILD_ID) // 2, 3, b"GNU\0") + bytes.fromhex(BUILD_ID)
        self.write("sys/kernel/notes", note)
        self.write("proc/cmdline", "BOOT_IMAGE=/vmlinuz quiet\n")
        self.write("proc/stat", "cpu 0 0 0 0\nbtime 1700000000\n")
        self.write("proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n")
        self.write("proc/modules", "")
        self.write("etc/passwd", f"root:x:0:0::/:/bin/sh\nreadykernel:x:{USER_ID}:{USER_ID}::/nonexistent:/usr/sbin/nologin\n")
        (self.root / "sys/kernel/livepatch").mkdir(parents=True)
        (self.root / "etc/readykernel").mkdir(parents=True)
        self.config(repository, config)

    def write(self, name, data):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def config(self, repository, more=""):
        self.write("etc/readykernel.conf", (f"repository = {repository}\n" if repository else "") + more)

    def set_loaded(self, name):
        """name None: nothing."""
        for place in ["sys/kernel/livepatch", "sys/module"]:
            shutil.rmtree(self.root / place, ignore_errors=True)
            (self.root / place).mkdir()
        if name:
            self.write(f"sys/kernel/livepatch/{name}/enabled", "1\n")
            self.write(f"sys/kernel/livepatch/{name}/transition", "0\n")
            self.write(f"sys/module/{name}/taint", "OEK\n")
            self.write(f"sys/module/{name}/refcnt", "0\n")
            self.write(f"sys/module/{name}/initstate", "live\n")

    def path(self, name):
        return self.root / name
