# SPDX-License-Identifier: GPL-2.0-or-later
"""Manifests of patch modules, as far as nobody but a kernel looks into the rest."""

import json
import subprocess


def make_manifest(kernel, level, name, **changes):
    """What a cumulative patch of no fix and no function says of itself; kernel: what is known of it (id, release, version, build_id, compiler)."""
    target = {"id": "test", **{key: kernel.get(key) for key in ("release", "version", "build_id", "compiler")}}
    return {
        "schema": "readykernel-manifest/1", "name": name, "level": level, "model": "hybrid", "replace": True, "tool_version": "0",
        "target": {**target, **({"id": kernel["id"]} if "id" in kernel else {})},
        "fixes": [], "supersedes": [], "objects": [], "functions": [], "units": [], "findings": [], **changes}


def attach(manifest, module, made=None, *options):
    """Gives the module file (a copy of it: made) that manifest."""
    made = made or module
    text = made.with_suffix(".manifest")
    text.write_text(json.dumps(manifest))
    subprocess.run(["objcopy", *options, "--add-section", f".readykernel.manifest={text}", module, made], check=True)
    return made
