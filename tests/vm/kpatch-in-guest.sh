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
echo "all done"
exit $failed
