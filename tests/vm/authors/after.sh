#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With level 2: the first time it has replaced level 1, the second time there was nothing.
fail() { echo "$*"; dmesg | grep authors; exit 1; }
said() { dmesg | grep -o 'authors: .*' | tail -n "$1"; }

[ "$(umask 0123; umask)" = 0321 ] || fail "the system call isn't patched"
before=0
if [ "$KPATCH_TEST_PHASE" = after ]; then
	before=1
	grep -q 'level 2 born 1' /proc/net/pfkey || fail "the shadow variable is gone: $(cat /proc/net/pfkey)"
	! dmesg | grep -q 'authors: .*unpatch vmlinux' || fail "callbacks of the replaced patch ran"
	[ ! -e /sys/kernel/livepatch/kpatch_level_1 ] || fail "level 1 is still there"
	rmmod kpatch_level_1 || fail "level 1 can't be removed"
else
	! grep -q born /proc/net/pfkey || fail "a shadow variable outlived the patch"
	[ "$(dmesg | grep -o 'authors: p.*unpatch vmlinux' | tail -n 2)" = "authors: pre_unpatch vmlinux
authors: post_unpatch vmlinux" ] || fail "no unpatch callbacks"
fi
dmesg | grep -q "authors: pre_patch vmlinux, state 2, before $before" || fail "the state before isn't $before"

# a module that has callbacks only
rmmod dummy || fail "dummy stays"
[ "$(said 2)" = "authors: pre_unpatch dummy
authors: post_unpatch dummy" ] || fail "dummy goes without its callbacks"
insmod /modules/dummy.ko || fail "dummy can't come back"
[ "$(said 2)" = "authors: pre_patch dummy
authors: post_patch dummy" ] || fail "dummy comes without its callbacks"
