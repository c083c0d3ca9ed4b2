#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Without level 2: the first time level 1 is loaded and left to be replaced.
fail() { echo "$*"; exit 1; }
live() { [ "$(cat /sys/kernel/livepatch/$1/transition 2>/dev/null)" = 0 ]; }

[ "$KPATCH_TEST_PHASE" = before ] || exit 0
insmod /files/level-1.ko || fail "level 1 can't be loaded"
for i in $(seq 100); do live kpatch_series_1 && break; usleep 200000; done
live kpatch_series_1 || fail "level 1 isn't live"
[ -e /sys/kernel/livepatch/kpatch_series_1/vmlinux/ipc_addid,1 ] || fail "level 1 doesn't replace ipc_addid"
