# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian archive in miniature: packages of a kernel of ours, served over HTTP, and an apt of its own that knows only
them. The kernel is a few lines of C and make, but everything that is looked at is where Debian has it."""

import email.utils
import gzip
import hashlib
import http.server
import io
import lzma
import os
import shutil
import struct
import subprocess
import tarfile
import textwrap
import threading
import time

DATE = "(2026-01-02)"
MODIFIED = 1767225600  # what every file of the archive says it was last modified

MAKEFILE = """\
olddefconfig:
	@echo configuring
	@test ! -e olddefconfig.sh || sh olddefconfig.sh

prepare: olddefconfig
	@mkdir -p include/generated
	@echo '#define UTS_RELEASE "$(KERNELRELEASE)"' > include/generated/utsrelease.h
	@echo '$(CC)' > include/generated/cc
	@echo '#define LINUX_PACKAGE_ID ""' > include/generated/package.h
	@test ! -e prepare.sh || sh prepare.sh

modules_prepare: prepare
	@echo prepared
"""

CONFIG = """\
CONFIG_CC_VERSION_TEXT="{compiler}"
CONFIG_LIVEPATCH=y
CONFIG_KALLSYMS_ALL=y
CONFIG_MODULES=y
# CONFIG_UBSAN is not set
"""


def host_compiler():
    """The compiler there is, as a kernel's configuration would name it."""
    for name in ("gcc-12", "gcc"):
        if shutil.which(name):
            out = subprocess.run([name, "--version"], capture_output=True, text=True, check=True,
                                 env={**os.environ, "LC_ALL": "C"}).stdout.splitlines()[0]
            return f"{name} {out.split(' ', 1)[1]}"
    raise RuntimeError("no gcc")


class Kernel:
    """One release; attributes may be changed before packages are made."""

    def __init__(self, abi="1", version="6.1.7-1", flavour="cloud-amd64"):
        self.release = f"6.1.0-{abi}-{flavour}"
        self.version = version
        self.compiler = host_compiler()
        self.build_id = hashlib.sha1(self.release.encode() + version.encode()).hexdigest()
        self.debug_build_id = None  # another one than the image's
        self.debug_module = None  # other bytes than those of Archive.module()
        self.config = CONFIG
        self.boot_config_extra = ""
        self.config_extra = 'CONFIG_BUILD_SALT="salt"\n'  # Debian leaves it out of /boot/config
        self.source_files = {
            "Makefile": MAKEFILE,
            "Kbuild": "",
            "Kconfig": "",
            "fs/exec.c": "int exec;\n",
            "fs/Makefile": "obj-y += exec.o\n",
            "arch/x86/kernel/cpu.c": "int cpu;\n",
            "arch/arm/kernel/cpu.c": "int arm;\n",
            "arch/arm/Kconfig": "",
            "Documentation/index.rst": "hello\n",
            "Documentation/Kconfig": "",
        }
        self.links = {"scripts/link": "../fs"}

    def banner(self, number="#1"):
        return (f"Linux version {self.release} (us@here) ({self.compiler}, GNU ld) {number} SMP "
                f"Debian {self.version} {DATE}\n")


class Archive:
    """Packages below self.root, served at self.url, known to the apt of self.env."""

    def __init__(self, root):
        self.root = os.path.join(root, "archive")
        self.work = os.path.join(root, "work")
        os.makedirs(self.root)
        os.makedirs(self.work)
        self.requests = []  # (path, Range header or None)
        self.delay = 0.0  # seconds before each KiB that is sent, from the second on
        self.last_modified = True
        self.stanzas = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.handle_error = lambda request, address: None  # clients are killed on purpose
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.env = {"APT_CONFIG": self.write_apt_config(root)}

    def handler(archive):  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                path = os.path.join(archive.root, self.path.lstrip("/"))
                wanted = self.headers.get("Range")
                archive.requests.append((self.path, wanted))
                if not os.path.isfile(path):
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                with open(path, "rb") as file:
                    data = file.read()
                date = email.utils.formatdate(MODIFIED, usegmt=True)
                start = 0
                if wanted and archive.last_modified and self.headers.get("If-Range") == date:
                    start = int(wanted.split("=")[1].split("-")[0])
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                if archive.last_modified:
                    self.send_header("Last-Modified", date)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                try:
                    for at in range(start, len(data), 1024):
                        if archive.delay and at > start:
                            time.sleep(archive.delay)
                        self.wfile.write(data[at:at + 1024])
                except OSError:
                    pass

        return Handler

    def write_apt_config(self, root):
        """An apt that knows our archive and nothing else, and leaves the machine's alone."""
        base = os.path.join(root, "apt")
        for name in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/conf.d"):
            os.makedirs(os.path.join(base, name))
        with open(os.path.join(base, "status"), "w", encoding="ascii"):
            pass
        with open(os.path.join(base, "etc/sources.list"), "w", encoding="ascii") as file:
            file.write(f"deb [trusted=yes] {self.url} ./\n")
        path = os.path.join(base, "apt.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(textwrap.dedent(f"""\
                Dir::State "{base}/state/";
                Dir::State::status "{base}/status";
                Dir::Cache "{base}/cache/";
                Dir::Etc "{base}/etc/";
                Dir::Etc::sourcelist "{base}/etc/sources.list";
                Dir::Etc::sourceparts "/dev/null";
                Dir::Etc::parts "{base}/etc/conf.d";
                Dir::Log "{base}";
                Acquire::http::Proxy "DIRECT";
                Acquire::http::Timeout "20";
                Acquire::Retries "0";
                Acquire::Languages "none";
                APT::Sandbox::User "root";
                APT::Architecture "amd64";
                APT::Architectures {{ "amd64"; }};
                """))
        return path

    def update(self):
        with open(os.path.join(self.root, "Packages"), "w", encoding="utf-8") as file:
            file.write("\n".join(self.stanzas))
        return subprocess.run(["apt-get", "update"], env={**os.environ, **self.env}, capture_output=True,
                              text=True, check=True)

    def add_deb(self, name, version, files, extra=""):
        """A package of files (path → bytes or text; a value of None is a directory)."""
        tree = os.path.join(self.work, name)
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(os.path.join(tree, "DEBIAN"))
        for path, content in files.items():
            full = os.path.join(tree, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        control = (f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: us <us@here>\n"
                   f"Installed-Size: 100\n{extra}Description: test\n")
        with open(os.path.join(tree, "DEBIAN/control"), "w", encoding="utf-8") as file:
            file.write(control)
        deb = f"{name}_{version}_amd64.deb"
        path = os.path.join(self.root, deb)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", tree, path], check=True,
                       capture_output=True)
        with open(path, "rb") as file:
            data = file.read()
        self.stanzas.append(f"{control}Filename: ./{deb}\nSize: {len(data)}\n"
                            f"SHA256: {hashlib.sha256(data).hexdigest()}\n")
        return path

    def vmlinux(self, kernel, build_id):
        """An ELF file with the banners and the build-id of a kernel."""
        source = os.path.join(self.work, "vmlinux.c")
        output = os.path.join(self.work, "vmlinux")
        with open(source, "w", encoding="utf-8") as file:
            for name, text in (("early", kernel.banner("#")), ("proc", "Linux version %s (x) (y) %s\n"),
                               ("banner", kernel.banner())):
                escaped = text.replace("\n", "\\n").replace('"', '\\"')
                file.write(f'const char {name}[] = "{escaped}";\n')
            file.write("void _start(void) {}\n")
        subprocess.run(["gcc", "-nostdlib", "-static", "-fno-pie", "-no-pie", f"-Wl,--build-id=0x{build_id}",
                        "-o", output, source], check=True, capture_output=True)
        with open(output, "rb") as file:
            return file.read()

    def module(self, unit="net/foo.c", options=("-g",)):
        """A module with debug info: foo_run() and, in init code, foo_init() have foo_ok() of include/net/foo.h inlined."""
        files = {
            "include/net/foo.h": "extern int foo_state;\nstatic inline int foo_ok(int x) { return x > 3 ? x * foo_state : foo_state; }\n",
            unit: '#include "include/net/foo.h"\nint foo_run(int x) { return foo_ok(x + 1); }\n'
                  '__attribute__((section(".init.text"))) int foo_init(int x) { return foo_ok(x - 1); }\n',
        }
        tree = os.path.join(self.work, "module")
        for path, text in files.items():
            full = os.path.join(tree, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="ascii") as file:
                file.write(text)
        subprocess.run(["gcc", "-O2", "-I.", *options, "-c", "-o", "foo.o", unit], cwd=tree, check=True, capture_output=True)
        with open(os.path.join(tree, "foo.o"), "rb") as file:
            return file.read()

    def vmlinuz(self, kernel):
        """A boot image: setup header, version string, compressed vmlinux (boot protocol 2.15)."""
        version = kernel.banner().removeprefix("Linux version ").rstrip("\n")
        release, rest = version.split(" ", 1)
        version = f"{release} (us@here) {rest[rest.index(') #') + 2:]}".encode() + b"\0"
        payload = gzip.compress(self.vmlinux(kernel, kernel.build_id), mtime=0)
        setup = bytearray(5 * 512)
        setup[0x1f1] = 4
        struct.pack_into("<4sH", setup, 0x202, b"HdrS", 0x20f)
        struct.pack_into("<H", setup, 0x20e, 0x300 - 0x200)
        struct.pack_into("<II", setup, 0x248, 16, len(payload))
        setup[0x300:0x300 + len(version)] = version
        return bytes(setup) + bytes(16) + payload

    def source_tarball(self, kernel):
        path = os.path.join(self.work, "source.tar.xz")
        with lzma.open(path, "wb", preset=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
            for name, content in kernel.source_files.items():
                data = content if isinstance(content, bytes) else content.encode()
                info = tarfile.TarInfo(f"linux-source-6.1/{name}")
                info.size = len(data)
                info.mode = 0o755 if name.endswith(".sh") else 0o644
                info.mtime = MODIFIED
                tar.addfile(info, fileobj=io.BytesIO(data))
            for name, content in kernel.links.items():
                info = tarfile.TarInfo(f"linux-source-6.1/{name}")
                info.type = tarfile.SYMTYPE
                info.linkname = content
                tar.addfile(info)
        with open(path, "rb") as file:
            return file.read()

    def add_image(self, kernel):
        config = kernel.config.format(compiler=kernel.compiler) + kernel.boot_config_extra
        return self.add_deb(f"linux-image-{kernel.release}", kernel.version, {
            f"boot/vmlinuz-{kernel.release}": self.vmlinuz(kernel),
            f"boot/config-{kernel.release}": config,
            f"lib/modules/{kernel.release}/kernel/net/foo-bar.ko": b"module",
            f"lib/modules/{kernel.release}/kernel/net/without.ko": b"module",
            f"lib/modules/{kernel.release}/modules.order": "kernel/net/foo-bar.ko\n",
        }, f"Source: linux-signed-amd64 ({kernel.version.replace('-', '+')})\n"
           f"Built-Using: linux (= {kernel.version})\n")

    def add_debug(self, kernel):
        release = kernel.release
        build_id = kernel.debug_build_id or kernel.build_id
        module = self.module() if kernel.debug_module is None else kernel.debug_module
        return self.add_deb(f"linux-image-{release}-dbg", kernel.version, {
            f"usr/lib/debug/boot/vmlinux-{release}": self.vmlinux(kernel, build_id),
            f"usr/lib/debug/lib/modules/{release}/kernel/net/foo-bar.ko": module,
            f"usr/lib/debug/lib/modules/{release}/noise": os.urandom(4096),
        })

    def add_headers(self, kernel):
        config = kernel.config.format(compiler=kernel.compiler) + kernel.config_extra
        return self.add_deb(f"linux-headers-{kernel.release}", kernel.version, {
            f"usr/src/linux-headers-{kernel.release}/.config": config,
            f"usr/src/linux-headers-{kernel.release}/include/generated/package.h":
                f'#define LINUX_PACKAGE_ID " Debian {kernel.version}"\n',
            f"usr/src/linux-headers-{kernel.release}/Module.symvers":
                "0x12345678\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n",
        })

    def add_source(self, kernel):
        return self.add_deb("linux-source-6.1", kernel.version, {
            "usr/src/linux-source-6.1.tar.xz": self.source_tarball(kernel),
        })

    def add(self, kernel, source=True):
        """All packages of a release (source: unless another release of that version brought it)."""
        self.add_image(kernel)
        self.add_debug(kernel)
        self.add_headers(kernel)
        if source:
            self.add_source(kernel)
        self.update()

    def fetched(self, part):
        """How often a file whose name contains part was asked for."""
        return [wanted for path, wanted in self.requests if part in path and path.endswith(".deb")]
