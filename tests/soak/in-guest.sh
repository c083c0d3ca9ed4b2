#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs in the guest before the patch under test is loaded: SOAK_CYCLES times load, replace by the next level, unload, with stress-ng all the
# while. The kernel may not complain, and at the end everything must be as it was.
test "$1" = before || exit 0
cycles=$(cat cycles)
stress-ng --quiet --cpu 1 --pipe 1 --fork 1 --switch 1 --timer 1 --procfs 1 --temp-path /tmp --timeout 0 &
stress=$!
free_kb() { sed -n 's/^MemFree: *\([0-9]*\).*/\1/p' /proc/meminfo; }
dmesg -c >/dev/null
start=$(free_kb)
i=0
# step WANTED COMMAND…: the command succeeds, and /proc/version begins with WANTED
step() {
	want=$1
	shift
	said=$("$@" 2>&1) || { echo "cycle $i: $*: $said"; exit 1; }
	read -r version </proc/version
	case $version in "$want"*) ;; *) echo "cycle $i: after $*: $version"; exit 1 ;; esac
}
while [ $i -lt "$cycles" ]; do
	i=$((i + 1))
	step "fixed by lp_fix" kpatch load --quiet level1.ko
	[ $((i % 4)) -ne 0 ] || step "fixed by lp_next" kpatch load --quiet level2.ko
	step "Linux version" kpatch unload --quiet --all
	# the log is a ring: what it says has to be looked at before it is gone
	if dmesg -c | grep -E 'WARNING|BUG:|Oops|cut here|Call Trace|hung|soft lockup|possible recursive'; then
		echo "cycle $i: the kernel complains"
		exit 1
	fi
	[ $((i % 25)) -ne 0 ] || echo "cycle $i: free memory $(free_kb) kB of $start kB at first"
done
kill $stress
wait
echo "$i cycles done, free memory $(free_kb) kB of $start kB at first"
