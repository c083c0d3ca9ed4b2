#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs in the guest before the patch under test is loaded: what an administrator does with kpatch. One line a check.
test "$1" = before || exit 0

# check STATUS TEXT COMMAND…: runs COMMAND, which must end with STATUS and say TEXT
check() {
	want=$1 text=$2
	shift 2
	said=$("$@" 2>&1)
	status=$?
	case $said in
	*"$text"*) ;;
	*) status="$status, without '$text'" ;;
	esac
	if [ "$status" = "$want" ]; then
		echo "ok $*: $want, $text"
	else
		echo "not ok $*: $want, $text"
		echo "status $status: $said"
		failed=1
	fi
}

failed=0
check 0 "no live patch is loaded" kpatch list
check 0 '"loaded": []' kpatch list --json
check 0 "livepatch    yes" kpatch info lp_warn_exit.ko
check 0 '"livepatch": true' kpatch info --json lp_warn_exit.ko
check 1 "is neither a file nor a loaded live patch" kpatch info lp_warn_exit
check 0 "lp_warn_exit is loaded" kpatch load lp_warn_exit.ko
check 0 "fixed by lp_warn_exit" cat /proc/version
check 4 "'lp_warn_exit' is already loaded" kpatch load lp_warn_exit.ko
check 0 "lp_warn_exit [enabled]" kpatch list
check 0 '"state": "enabled"' kpatch list --json
check 0 "vmlinux version_proc_show" kpatch info lp_warn_exit
check 0 '"name": "version_proc_show"' kpatch info --json lp_warn_exit

# a disabled patch is gone for the kernel, its module isn't
echo 0 >/sys/kernel/livepatch/lp_warn_exit/enabled
sleep 3
check 0 "lp_warn_exit [disabled]" kpatch list
check 0 "lp_warn_exit is loaded" kpatch load lp_warn_exit.ko
check 0 "lp_warn_exit is unloaded" kpatch unload lp_warn_exit.ko
check 0 "Linux version" cat /proc/version
check 1 "no live patch 'lp_warn_exit' is loaded" kpatch unload lp_warn_exit

check 1 "or it changes a function this kernel lacks" kpatch load lp_refused.ko
check 1 "was made for kernel 7" kpatch load bad.ko
check 1 "is no live patch module" kpatch load lp_sleeper.ko
check 1 "cannot open" kpatch load absent.ko
check 2 "missing operand: FILE|NAME" kpatch load

check 1 "its version is '#2 SMP', this kernel's is '#" kpatch load other_version.ko
check 1 "its build-id is '00ff', this kernel's is '" kpatch load other_build.ko

# a patched module that isn't loaded: what modprobe would take is looked at
modules=/lib/modules/$(uname -r)
mkdir -p $modules/updates
cp lp_sleeper.ko $modules/updates/lp-sleeper.ko
printf 'kernel/other.ko: updates/lp-sleeper.ko\nupdates/lp-sleeper.ko:\n' >$modules/modules.dep
check 1 "'$modules/updates/lp-sleeper.ko', which would be loaded, has" kpatch load other_source.ko
rm -r $modules

# a transition that can't end: who is in its way, and the patch is taken back
insmod lp_sleeper.ko
check 1 "patches module 'lp_sleeper' with build-id 0123, the one that is loaded has" kpatch load other_module.ko
check 1 "patches module 'lp_sleeper' with srcversion 0BAD, the one that is loaded has" kpatch load other_source.ko
check 1 "it is not the kernel's own (see 'modinfo -n lp_sleeper')" kpatch load other_source.ko
kpatch load --wait 4 --timeout 4 lp_stuck.ko >said 2>&1 &
sleep 4
check 0 "lp_stuck [enabling]" kpatch list
check 0 "held up by lp_sleeper" kpatch list
check 0 '"comm": "lp_sleeper"' kpatch list --json
wait $!
check 1 "" sh -c "exit $?"
check 0 "held up by lp_sleeper" cat said
check 0 "lp_sleeper_wait" cat said
check 0 "cannot load 'lp_stuck'; it was taken back" cat said
check 0 "no live patch is loaded" kpatch list
rmmod lp_sleeper

# --- levels: level1.ko is lp_fix, level2.ko lp_next, on_top.ko lp_stack, with manifests ---
check 0 "ok       kernel: $(uname -r), build-id" kpatch load level1.ko
check 0 "lp_fix [enabled] level 1" kpatch list
check 0 "CVE-2026-1 a fix of level 1" kpatch list
check 0 "CVE-2026-1" kpatch info --json lp_fix
check 0 "ok       patches: takes over 1 functions from 'lp_fix', which goes" kpatch load --check level2.ko
check 0 "replace  level 2 takes the place of 'lp_fix'" kpatch load level2.ko
check 0 "fixed by lp_next" cat /proc/version
check 1 "" test -e /sys/module/lp_fix
check 1 "'lp_next' of level 2 is loaded, and this is level 1; unload it, or use 'kpatch replace'" kpatch load level1.ko
check 0 "fixed by lp_next" cat /proc/version
check 0 "change   'lp_next' of level 2 is loaded" kpatch replace level1.ko
check 0 "fixed by lp_fix" cat /proc/version
check 1 "" test -e /sys/module/lp_next

# --- another live patch on the same function, which doesn't replace it ---
check 0 "warning  patches: 'lp_fix' already replaces version_proc_show" kpatch load on_top.ko
check 0 "fixed by lp_stack" cat /proc/version
check 1 "'lp_stack' is loaded, which is no cumulative patch" kpatch load level2.ko
check 0 "lp_next is loaded" kpatch replace level2.ko
check 0 "lp_next is unloaded" kpatch unload --all
check 4 "no live patch is loaded" kpatch unload --all

# --- probes on the function ---
insmod lp_probe.ko
check 1 "a probe that may change the way of the CPU (a kprobe with a post_handler) is on version_proc_show" kpatch load level1.ko
rmmod lp_probe
tracing=/sys/kernel/debug/tracing
echo "p:late version_proc_show+5" >$tracing/kprobe_events
echo 1 >$tracing/events/kprobes/late/enable
check 0 "warning  probes: the kprobe at version_proc_show+0x5 will see nothing any more" kpatch load --check level1.ko
echo 0 >$tracing/events/kprobes/late/enable
echo >$tracing/kprobe_events
check 0 "ok       probes: none on its functions" kpatch load --check level1.ko
echo 0 >/proc/sys/kernel/ftrace_enabled
check 1 "ftrace is off, which live patches need" kpatch load level1.ko
echo 1 >/proc/sys/kernel/ftrace_enabled

# --- what is installed ---
check 0 "no live patch is installed or loaded" kpatch status
check 4 "no patch is installed for kernel $(uname -r)" kpatch load --all
check 0 "lp_fix is installed for kernel $(uname -r)" kpatch install level1.ko
check 0 "kpatch.service could not be enabled" kpatch install level2.ko
check 4 "'lp_next' is already installed" kpatch install level2.ko
check 1 "was made for kernel 7" kpatch install bad.ko
check 0 "lp_refused is installed" kpatch install lp_refused.ko
echo "no module" >"/var/lib/kpatch/$(uname -r)/broken.ko"
check 3 "an installed live patch is not loaded" kpatch status
echo "quiet kpatch.enable=0" >cmdline
mount -o bind cmdline /proc/cmdline
check 4 "nothing is loaded: 'kpatch.enable=0' is on the kernel's command line" kpatch load --all --boot
umount /proc/cmdline
kpatch load --all --boot >said 2>&1
check 1 "" sh -c "exit $?"
check 0 "lp_next is loaded" cat said
check 0 "error: lp_refused: " cat said
check 0 "error: broken: " cat said
check 0 "2 of the installed patches could not be loaded" cat said
check 0 "fixed by lp_next" cat /proc/version
check 0 "not loaded   lp_refused" sh -c "kpatch status; true"
check 0 "lp_refused is no longer installed" kpatch uninstall lp_refused
check 0 "broken is no longer installed" kpatch uninstall broken
check 4 "'lp_next' is already loaded" kpatch load --all
check 0 "every task runs the live patches" kpatch status
check 0 '"verdict": "patched"' kpatch status --json
check 0 "lp_fix ($(uname -r))" kpatch list
check 0 "level        1" kpatch info lp_fix

# --- a replacement that can't come in: what was there before is there again ---
insmod lp_sleeper.ko
check 0 "is in lp_sleeper_wait: the transition waits until it leaves" kpatch replace --check sleeping.ko
kpatch replace --wait 3 --timeout 5 lp_stuck.ko >said 2>&1 &
sleep 5
check 3 "a live patch is in transition" kpatch status
check 4 "this kernel signals the tasks that hold up 'lp_stuck' by itself" kpatch signal
check 3 "'--yes' does it" kpatch force
wait $!
check 1 "" sh -c "exit $?"
check 0 "after 3 s; the kernel signals the tasks that are left" cat said
check 0 "held up by lp_sleeper" cat said
check 0 "what was loaded before is loaded again" cat said
check 0 "fixed by lp_next" cat /proc/version
check 0 "lp_next [enabled] level 2" kpatch list
check 0 "it is still loaded" kpatch uninstall lp-next
check 0 "lp_next is unloaded" kpatch unload --all
check 4 "no live patch is in transition" kpatch force --yes

# --- forced, by a person: its own module can go afterwards, one that it replaced could not ---
kpatch load lp_stuck.ko >said 2>&1 &
sleep 3
check 0 "the transition of 'lp_stuck' was forced" kpatch force --yes
wait $!
check 0 "" sh -c "exit $?"
check 0 "lp_stuck is loaded" cat said
check 0 "lp_stuck is unloaded" kpatch unload lp_stuck
rmmod lp_sleeper
echo "all done"
exit $failed
