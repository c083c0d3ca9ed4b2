# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with systemd and a disk of its own that outlives reboots and power cuts. Commands go in over a serial port.

    guest = Guest(Disk(Target()))
    guest.boot()
    status, output = guest.run("uname -r")
    guest.kill()        # the power fails
    guest.boot()        # what was on the disk is still there

It has no way out but one: http://repository/, which a server in the test's own process answers (see web.py)."""

import atexit
import base64
import itertools
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import time

import tap

BOOT_TIMEOUT = 600
RUN_TIMEOUT = 600
MEMORY = 512
# With a thread for each processor QEMU 7.2 can go on for ever with an int3 that another processor has taken out of a function's first
# byte again (the monitor's "singlestep", which makes it translate anew, frees such a guest); it took 63 cycles of the soak.
ACCELERATOR = "tcg,thread=single"
# As kpatch-test boots: a processor that gets little time looks broken to the kernel, which panics at boot.
CMDLINE = "no_timer_check tsc=reliable console=ttyS0 loglevel=5 panic=-1 net.ifnames=0 systemd.show_status=no"


class GuestError(Exception):
    """The guest doesn't do what it was asked, or is gone."""


class Guest:
    _numbers = itertools.count(1)
    _running = set()

    def __init__(self, disk, server=None, folder=None, processors=1):
        """A new guest with a fresh copy of the disk; it is off. server: what http://repository/ leads to."""
        self.folder = pathlib.Path(folder or tap.tmpdir())
        self.name = f"guest-{next(self._numbers)}"
        self.image = self.folder / f"{self.name}.qcow2"
        self.console_path = self.folder / f"{self.name}.console"
        self.kernel, self.initramfs, self.base, self.server = disk.kernel, disk.initramfs, disk.image, server
        self.process = self.agent = None
        self.boots, self.drives, self.processors = 0, [], processors
        self._received = b""
        self._commands = itertools.count(1)
        made = tap.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk.image, self.image])
        if made.returncode != 0:
            raise GuestError(made.stderr)

    def _argv(self, cmdline, rtc):
        network = "user,id=net,restrict=on"
        if self.server:
            network += f",guestfwd=tcp:10.0.2.100:80-cmd:busybox nc 127.0.0.1 {self.server.server_address[1]}"
        more = [part for path in self.drives for part in ("-drive", f"file={path},format=qcow2,if=virtio")]
        return ["qemu-system-x86_64", "-accel", ACCELERATOR, "-cpu", "max", "-smp", str(self.processors), "-m", str(MEMORY), "-nodefaults",
                "-no-user-config", "-display", "none", "-no-reboot", "-kernel", self.kernel, "-initrd", self.initramfs,
                "-append", f"{CMDLINE} {cmdline}", "-rtc", f"base={rtc}",
                "-drive", f"file={self.image},format=qcow2,if=virtio,cache=writeback", *more, "-netdev", network,
                "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
                "-serial", f"file:{self.console_path}", "-serial", f"unix:{self.folder}/{self.name}.agent,server=on,wait=off",
                "-qmp", f"unix:{self.folder}/{self.name}.qmp,server=on,wait=off"]

    def start(self, cmdline="", rtc="utc", resume=None):
        """Switches it on and returns at once."""
        assert self.process is None
        self.boots += 1
        argv = self._argv(cmdline, rtc) + (["-loadvm", resume] if resume else [])
        self.log = open(self.folder / f"{self.name}.qemu", "ab")
        self.process = subprocess.Popen([str(arg) for arg in argv], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        Guest._running.add(self)
        self._received = b""
        self.agent = self._connect("agent")

    def boot(self, cmdline="", rtc="utc", wait="is-system-running", timeout=BOOT_TIMEOUT):
        """Switches it on and waits until it is up; wait=None: until it takes commands, early in the boot. Returns seconds."""
        began = time.monotonic()
        self.start(cmdline, rtc)
        self._read_line(b"ready", timeout)
        if wait:
            self.run(f"systemctl {wait} --wait", timeout)
        return time.monotonic() - began

    def pause(self):
        self._monitor("stop")

    def resume(self):
        self._monitor("cont")

    def copy_disk(self, to):
        """The disk of a guest that is paused, or off, as it would be if the power failed now."""
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", self.image, to], check=True)

    def forget_saved(self):
        """Drops what was saved in the disk of a guest that is off, which makes it as small as it can be."""
        smaller = self.image.with_suffix(".smaller")
        made = tap.run(["qemu-img", "convert", "-q", "-O", "qcow2", "-B", self.base, "-F", "raw", self.image, smaller])
        if made.returncode != 0:
            raise GuestError(made.stderr)
        smaller.rename(self.image)

    def save(self, name):
        """Keeps the running guest's state, memory and disk, to come back to."""
        self._monitor(f"savevm {name}")

    def copy(self, saved, server=None):
        """Another guest, running, as this one was when it was saved. This one is to be off. server: another one for it."""
        other = Guest.__new__(Guest)
        other.__dict__.update(self.__dict__)
        other.server = server or self.server
        other.name = f"guest-{next(self._numbers)}"
        other.image = self.folder / f"{other.name}.qcow2"
        other.console_path = self.folder / f"{other.name}.console"
        other.process, other.boots, other._commands = None, 0, itertools.count(1)
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", self.image, other.image], check=True)
        other.start(resume=saved)
        other.must(f"date -s @{int(time.time())}")
        return other

    def _connect(self, what):
        path = f"{self.folder}/{self.name}.{what}"
        until = time.monotonic() + 60
        while time.monotonic() < until:
            channel = socket.socket(socket.AF_UNIX)
            try:
                channel.connect(path)
                return channel
            except OSError:
                channel.close()
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        raise GuestError(f"no connection to '{path}': {(self.folder / f'{self.name}.qemu').read_text(errors='replace')[-500:]}")

    def _monitor(self, command):
        with self._connect("qmp") as channel, channel.makefile("rw") as stream:
            stream.readline()
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": "human-monitor-command", "arguments": {"command-line": command}}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                while "event" in (answer := json.loads(stream.readline())):
                    pass
        if answer.get("return"):
            raise GuestError(f"{command}: {answer}")

    def _read_line(self, start, timeout):
        """What came before a line that begins so, and that line."""
        until = time.monotonic() + timeout
        before = []
        while True:
            while b"\n" in self._received:
                line, self._received = self._received.split(b"\n", 1)
                line = line.rstrip(b"\r")
                if line.startswith(start):
                    return before, line
                before.append(line)
            left = until - time.monotonic()
            if left <= 0:
                raise GuestError(f"{self.name} didn't answer within {timeout} s; its console ends: {self.console()[-600:]}")
            self.agent.settimeout(left)
            try:
                got = self.agent.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                got = b""
            if not got:
                raise GuestError(f"{self.name} is off; its console ends: {self.console()[-600:]}")
            self._received += got

    def run(self, script, timeout=RUN_TIMEOUT):
        """Runs a shell script as root; its exit status and what it wrote to both streams."""
        return self.answer(self.send(script), timeout)

    def answer(self, number, timeout=RUN_TIMEOUT):
        """Of a script that was sent: its exit status and output."""
        lines, end = self._read_line(b"end %d " % number, timeout)
        output = base64.b64decode(lines[-1] if lines else b"").decode(errors="replace")
        return int(end.split()[2]), output

    def has_answered(self):
        """Whether the script that was sent last has come to its end, or the guest to its own."""
        return bool(select.select([self.agent], [], [], 0)[0])

    def send(self, script):
        """Starts a script without waiting for its end."""
        number = next(self._commands)
        self.agent.sendall(b"%d %s\n" % (number, base64.b64encode(script.encode())))
        return number

    def must(self, script, timeout=RUN_TIMEOUT):
        """Runs a script that has no business to fail; its output without the last line end."""
        status, output = self.run(script, timeout)
        if status != 0:
            raise GuestError(f"'{script}' ended with {status}: {output}")
        return output.rstrip("\n")

    def wait_for(self, script, timeout=RUN_TIMEOUT):
        """Until a script succeeds; whether it did."""
        status, _ = self.run(f"for i in $(seq {timeout * 5}); do ( {script}\n) >/dev/null 2>&1 && exit 0; sleep 0.2; done; exit 1", timeout * 3)
        return status == 0

    def console(self):
        try:
            return self.console_path.read_text(errors="replace")
        except OSError:
            return ""

    def wait_off(self, timeout=RUN_TIMEOUT):
        """Until it switches itself off, also by a panic; whether it did."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        self.kill()
        return True

    def shut_down(self, timeout=RUN_TIMEOUT):
        self.send("systemctl reboot")
        if not self.wait_off(timeout):
            raise GuestError(f"{self.name} doesn't shut down; its console ends: {self.console()[-600:]}")

    def reboot(self, cmdline="", rtc="utc", **how):
        self.shut_down()
        return self.boot(cmdline, rtc, **how)

    def kill(self):
        """The power fails; what the guest had not yet written is lost."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        Guest._running.discard(self)
        self.agent.close()
        self.log.close()
        self.process = self.agent = None
        for what in ("agent", "qmp"):
            pathlib.Path(f"{self.folder}/{self.name}.{what}").unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        os.unlink(self.image)


# whoever ends a test that takes too long ends its guests as well
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


@atexit.register
def _kill_all():
    for guest in list(Guest._running):
        guest.kill()
