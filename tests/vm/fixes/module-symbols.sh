#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs in the guest: zram, which uses zsmalloc, and lzo-rle come and go while a patch of all three is loaded.
fail() {
	echo "$1"
	exit 1
}

load() {
	for m in "$@"; do
		insmod /modules/$m.ko || fail "$m can't be loaded"
	done
}

unload() {
	for m in "$@"; do
		rmmod $m || fail "$m can't be removed"
	done
}

# What each of the four patched objects shows. $1: yes or no
is_fixed() {
	lines=$(dmesg | grep -c 'fixed lzo-rle')
	echo 1M >/sys/block/zram0/disksize || fail "no disksize"
	lines=$(($(dmesg | grep -c 'fixed lzo-rle') - lines))
	read -r version </proc/version
	set -- $1 $lines "${version%% *}" $(cat /sys/block/zram0/mm_stat)
	echo "$*"
	case $1 in
	# fixed, nr_processes() > 1, -EBADF, io_stat_show() wrote something; zsmalloc's pages + 7
	yes) test $2 -gt 0 && test "$3 $4 $5 $6 $7 ${10}" = "fixed fixed 1 -9 1 28672" ;;
	no) test $2 -eq 0 && test "$3 $6" = "Linux 0" ;;
	esac || fail "not as it should be in phase $KPATCH_TEST_PHASE"
	unload zram
	load zram
}

case $1 in
before)
	is_fixed no
	;;
after)
	is_fixed yes
	# one, with the other staying; both; each twice
	is_fixed yes
	for i in 1 2; do
		unload zram zsmalloc lzo_rle
		load zsmalloc zram lzo_rle
		is_fixed yes
	done
	unload zram lzo_rle
	load lzo_rle zram
	is_fixed yes
	# the patch is disabled while they are not there
	unload zram zsmalloc lzo_rle
	;;
unloaded)
	load lzo_rle zsmalloc zram
	is_fixed no
	unload lzo_rle zram zsmalloc
	;;
reloaded)
	# all come while the patch is there, and are there when it goes
	load zsmalloc lzo_rle zram
	is_fixed yes
	unload zram zsmalloc
	load zsmalloc zram
	is_fixed yes
	;;
esac
