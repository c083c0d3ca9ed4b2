# SPDX-License-Identifier: GPL-2.0-or-later
"""ReadyKernel's own packages as Debian's checker sees them. What they do on a host is told by test_delivery.py."""

import os
import re
import shutil
import sys

sys.path[:0] = [os.path.join(os.environ["RK_SOURCE_ROOT"], "tests")]
import tap  # noqa: E402
from delivery_site import our_packages  # noqa: E402
from tap import equal, ok  # noqa: E402

# What lintian says and why it may: (package, tag).
KNOWN = {
    ("readykernel", "package-supports-alternative-init-but-no-init.d-script"): "what loads before the network needs systemd's order of units",
    ("readykernel", "spare-manual-page"): "check_readykernel is a plugin, run by its path",
}


def main():
    if not shutil.which("lintian"):
        tap.skip_all("no lintian; scripts/install-deps test installs it")
    debs = sorted(our_packages().glob("*.deb"))
    equal(sorted(deb.name.split("_")[0] for deb in debs), ["kpatch-build", "readykernel", "readykernel-repo"], "three packages")
    result = tap.run(["lintian", "--display-info", "--tag-display-limit", "0", "--fail-on", "error,warning", *debs], timeout=600)
    said = re.findall(r"^([EWI]): (\S+?): (\S+)(.*)$", result.stdout, re.M)
    unknown = [" ".join(row) for row in said if (row[1], row[2]) not in KNOWN]
    ok(result.returncode == 0 and not unknown, "lintian has nothing new to say", f"{result.returncode}: {unknown} {result.stderr}")
    equal(sorted(KNOWN), sorted({(row[1], row[2]) for row in said}), "lintian still says what is listed here")
    tap.done()


main()
