#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With level 2: it has taken the place of level 1, which can go.
fail() { echo "$*"; exit 1; }

[ "$(cat /sys/kernel/livepatch/kpatch_series_2/enabled)" = 1 ] || fail "level 2 isn't enabled"
[ -e /sys/kernel/livepatch/kpatch_series_2/vmlinux/ipc_addid,1 ] || fail "level 2 doesn't replace ipc_addid"
[ ! -e /sys/kernel/livepatch/kpatch_series_1 ] || fail "level 1 is still there"
if [ "$KPATCH_TEST_PHASE" = after ]; then
	rmmod kpatch_series_1 || fail "level 1 can't be removed"
fi
