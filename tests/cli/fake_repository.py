# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository of signed files made with openssl(1) and json, so that it can also be wrong in every way. Files and forms are
those of lib/trust's headers.

    repo = Repository(dir, KERNEL)          # keys and the first root
    repo.add_level(1, module_bytes, cves=["CVE-…"])
    repo.publish()                          # release, index, timestamp; versions go up
"""

import copy
import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import time

from manifest import make_manifest

CHANNELS = ["test", "early", "stable"]
SHARDS = 16


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Key:
    """An Ed25519 key in a file."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.path], check=True, capture_output=True)
        public = subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER"], check=True, capture_output=True)
        self.raw = public.stdout[-32:]
        self.id = sha256(self.raw)

    def sign(self, role, payload):
        message = self.path.with_suffix(".message")
        message.write_bytes(f"readykernel:{role}:1\n".encode() + payload)
        result = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", message], check=True,
                                capture_output=True)
        return result.stdout.hex()


def signed(role, payload, keys):
    if not isinstance(payload, bytes):
        payload = (json.dumps(payload, indent=2) + "\n").encode()
    lines = "".join(f"sig {key.id} {key.sign(role, payload)}\n" for key in keys)
    return b"readykernel-signed/1\n" + lines.encode() + b"\n" + payload


def make_module(tmp, kernel, level, name, cves=(), size=0, **manifest):
    """A module file as far as anybody but a kernel looks into it."""
    fixes = [{"file": f"{cve}.patch", "sha256": "0" * 64, "cves": [cve]} for cve in cves]
    doc = make_manifest(kernel, level, name, **{"fixes": fixes, **manifest})
    base = pathlib.Path(tmp) / f"{name}-{level}"
    base.with_suffix(".json").write_text(json.dumps(doc))
    base.with_suffix(".S").write_text(
        '.section .modinfo,"a"\n' + f'.asciz "name={name}"\n.asciz "vermagic={kernel["release"]} SMP "\n.asciz "livepatch=Y"\n'
        + f'.section .readykernel.manifest\n.incbin "{base}.json"\n.section .data\n.fill {size}\n')
    subprocess.run(["gcc", "-c", base.with_suffix(".S"), "-o", base.with_suffix(".ko")], check=True)
    return base.with_suffix(".ko").read_bytes()


class Repository:
    def __init__(self, root, kernel, keys, channel="stable", now=None):
        self.root, self.kernel, self.channel = pathlib.Path(root), kernel, channel
        self.now = now or int(time.time())
        self.keys_dir = pathlib.Path(keys)
        self.keys_dir.mkdir(parents=True, exist_ok=True)
        self.keys = {name: Key(self.keys_dir / f"{name}.pem") for name in
                     ["root1", "root2", "root3", "release1", "release2", "timestamp", "licence"]}
        self.levels, self.blocked, self.withdrawn, self.minimum = [], [], [], []
        self.version = {"root": 0, "timestamp": 0, "release": 0}
        self.root_doc = None
        self.publish_root()

    def fork(self, root):
        """One that goes on from this by itself in a directory of its own; hosts that trust the one trust the other."""
        shutil.copytree(self.root, root)
        repo = copy.copy(self)
        repo.root = pathlib.Path(root)
        for name in ["levels", "blocked", "withdrawn", "minimum", "version"]:
            setattr(repo, name, copy.deepcopy(getattr(self, name)))
        return repo

    def write(self, name, data):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return data

    def make_root(self, roles=None):
        ids = {name: key.id for name, key in self.keys.items()}
        roles = roles or {
            "root": (2, ["root1", "root2", "root3"]), "timestamp": (1, ["timestamp"]), "licence": (1, ["licence"]),
            "release-test": (1, ["release1", "release2"]), "release-early": (1, ["release1", "release2"]),
            "release-stable": (2, ["release1", "release2"])}
        self.version["root"] += 1
        return {
            "schema": "readykernel-root/1", "version": self.version["root"], "issued": utc(self.now - 3600),
            "expires": utc(self.now + 365 * 86400),
            "keys": [{"id": key.id, "name": name, "public": key.raw.hex()} for name, key in self.keys.items()],
            "roles": {role: {"threshold": threshold, "keys": [ids[name] for name in names]}
                      for role, (threshold, names) in roles.items()}}

    def publish_root(self, signers=("root1", "root2"), **changes):
        self.root_doc = {**self.make_root(), **changes}
        data = signed("root", self.root_doc, [self.keys[name] for name in signers])
        self.write(f"root/{self.version['root']}.signed", data)
        return self.write("root.signed", data)

    def add_level(self, level, module, cves=(), name=None, released=None, **changes):
        digest = sha256(module)
        self.write(f"kernels/{self.kernel['build_id']}/files/{digest}.ko", module)
        self.levels.append({
            "level": level, "name": name or f"kpatch_{level}", "file": f"{digest}.ko", "length": len(module), "sha256": digest,
            "evidence_sha256": None, "without_evidence": "a test", "fixes": len(cves), "cves_added": list(cves),
            "supersedes": [], "released": utc(released or self.now - 3600), **changes})

    def release_doc(self, **changes):
        self.version["release"] += 1
        return {"schema": "readykernel-release/1", "product": "debian-12", "kernel": dict(self.kernel), "channel": self.channel,
                "version": self.version["release"], "issued": utc(self.now - 60), "covered_until": utc(self.now + 100 * 86400),
                "levels": copy.deepcopy(self.levels), **changes}

    def publish_release(self, signers=("release1", "release2"), doc=None, role=None):
        """The release file; returns its entry for the index."""
        doc = doc or self.release_doc()
        data = signed(role or f"release-{self.channel}", doc, [self.keys[name] for name in signers])
        self.write(f"kernels/{self.kernel['build_id']}/{self.channel}.{doc['version']}.signed", data)
        return {"version": doc["version"], "length": len(data), "sha256": sha256(data)}

    def publish_index(self, entry):
        """All shards; returns their entries for the timestamp. entry None: the kernel isn't in it."""
        shards, mine = [], int(self.kernel["build_id"][0], 16)
        for shard in range(SHARDS):
            kernels = []
            if entry and shard == mine:
                kernels = [{"build_id": self.kernel["build_id"], "release": self.kernel["release"], "channels": {self.channel: entry}}]
            data = json.dumps({"schema": "readykernel-index/1", "kernels": kernels}).encode() + b"\n"
            self.write(f"index/{sha256(data)}.json", data)
            shards.append({"length": len(data), "sha256": sha256(data)})
        return shards

    def publish_timestamp(self, shards, days=7, signers=("timestamp",), bundle=False, role="timestamp", **changes):
        self.version["timestamp"] += 1
        doc = {"schema": "readykernel-timestamp/1", "version": self.version["timestamp"], "issued": utc(self.now - 60),
               "expires": utc(self.now + days * 86400), "bundle": bundle, "index": shards, "blocked": self.blocked,
               "withdrawn": self.withdrawn, "minimum": self.minimum, **changes}
        return self.write("timestamp.signed", signed(role, doc, [self.keys[name] for name in signers]))

    def publish(self, **changes):
        return self.publish_timestamp(self.publish_index(self.publish_release()), **changes)

    def notice(self, level, **more):
        return {"build_id": self.kernel["build_id"], "level": level, **more}

    def licence(self, path, days=30, key="licence", **changes):
        doc = {"schema": "readykernel-licence/1", "id": "L-1", "holder": "Example", "trial": False, "hosts": 0, "products": [],
               "features": [], "channel": None, "not_before": utc(self.now - 30 * 86400), "not_after": utc(self.now + days * 86400), **changes}
        pathlib.Path(path).write_bytes(signed("licence", doc, [self.keys[key]]))
        return path

    def bundle(self, path, extra=()):
        """Everything as one tar file; extra: more tarfile.TarInfo with data."""
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for file in sorted(self.root.rglob("*")):
                if file.is_file():
                    tar.addfile(self.member(str(file.relative_to(self.root)), file.stat().st_size), io.BytesIO(file.read_bytes()))
            for member, data in extra:
                tar.addfile(member, io.BytesIO(data))
        return path

    @staticmethod
    def member(name, size=0, kind=tarfile.REGTYPE, link=""):
        info = tarfile.TarInfo(name)
        info.size, info.type, info.linkname, info.mode = size, kind, link, 0o644
        return info
