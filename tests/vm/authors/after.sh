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

# code with jump labels, exceptions, alternatives, per-CPU data and so on, in vmlinux and in a module
sees() { tail -n +2 "$1" | grep -q "^$2" || fail "$1: not '$2': $(cat $1)"; }
sees /proc/uptime "vmlinux key 1 delayacct 0 calls 1 fault -14 switch three sum 9 indirect 42 count 1 fpu 1"
sees /proc/uptime "vmlinux key 1 .* count 2 "
sees /proc/uptime "vmlinux user 8 cpus 2 resched 1"
sees /proc/net/pfkey "af_key key 0 delayacct 0 calls 1 fault -14 switch three sum 9 indirect 42 count . fpu 1"
[ "$(dmesg | grep -c 'authors: vmlinux once')" = 1 ] || fail "printk_once: not once per load"
control=/proc/dynamic_debug/control
for name in vmlinux af_key; do
	grep -q "\[kpatch_level_2\].*authors: $name debug" $control || fail "pr_debug of $name isn't listed"
done
dmesg -c >/dev/null
echo 'module kpatch_level_2 +p' >$control
cat /proc/uptime /proc/net/pfkey >/dev/null
for name in vmlinux af_key; do
	dmesg | grep -q "authors: $name debug" || fail "pr_debug of $name can't be switched on"
done

# a module that has callbacks only
rmmod dummy || fail "dummy stays"
[ "$(said 2)" = "authors: pre_unpatch dummy
authors: post_unpatch dummy" ] || fail "dummy goes without its callbacks"
insmod /modules/dummy.ko || fail "dummy can't come back"
[ "$(said 2)" = "authors: pre_patch dummy
authors: post_patch dummy" ] || fail "dummy comes without its callbacks"
