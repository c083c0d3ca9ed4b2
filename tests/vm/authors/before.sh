#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Without the patch under test. The first time it loads level 1 and leaves it to be replaced; its troubles don't count here.
fail() { echo "$*"; dmesg | grep authors; exit 1; }
said() { dmesg | grep -o 'authors: .*' | tail -n "$1"; }
live() { [ "$(cat /sys/kernel/livepatch/$1/transition 2>/dev/null)" = 0 ]; }
wait_for() { for i in $(seq 100); do "$@" && return; usleep 200000; done; fail "never: $*"; }

[ "$(umask 0123; umask)" = 0123 ] || fail "umask is patched"
! grep -q born /proc/net/pfkey || fail "af_key is patched"
if [ "$KPATCH_TEST_PHASE" != before ]; then
	kill $(cat /tmp/keysock.pid) 2>/dev/null
	exit 0
fi

insmod /files/refusing.ko 2>/dev/null && fail "a refusing pre_patch is ignored"
dmesg | grep -q "pre-patch callback failed for object 'vmlinux'" || fail "no pre_patch"
[ ! -e /sys/kernel/livepatch/kpatch_refusing ] || fail "the refused patch is still there"
! grep -q kpatch_refusing /proc/modules || fail "the refused module is still there"

insmod /files/level-1.ko || fail "level 1 can't be loaded"
wait_for live kpatch_level_1
[ "$(said 4)" = "authors: pre_patch vmlinux, state 1, before 0
authors: pre_patch af_key, net id set
authors: post_patch vmlinux" ] || [ "$(said 3)" = "authors: pre_patch vmlinux, state 1, before 0
authors: pre_patch af_key, net id set
authors: post_patch vmlinux" ] || fail "level 1: other callbacks"
insmod /files/refusing.ko 2>/dev/null && fail "a patch without the state replaces one that has it"

# the module comes and goes; insmod asks the kernel twice, and each time the fields are cleared that were set for it
rmmod af_key || fail "af_key stays"
[ "$(said 1)" = "authors: post_unpatch af_key, net id set" ] || fail "af_key goes without its callback"
insmod /modules/af_key.ko 2>/dev/null && fail "pre_patch can't refuse a module"
insmod /modules/af_key.ko || fail "af_key can't come back after it was refused"
[ "$(said 1)" = "authors: pre_patch af_key, net id not set" ] || fail "af_key comes without its callback"

[ "$(umask 0123; umask)" = 0321 ] || fail "the system call isn't patched"
setsid /files/keysock >/tmp/keysock.out 2>&1 &
echo $! >/tmp/keysock.pid
wait_for grep -q open /tmp/keysock.out
grep -q 'level 1 born 1' /proc/net/pfkey || fail "no shadow variable: $(cat /proc/net/pfkey)"
