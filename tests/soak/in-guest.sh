# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the soak does in its guest; sourced by bash, which then calls one of load_on, cycles and figures.
# Lines for the host: "did WHAT MICROSECONDS", "cycle N", "failed WHY".
cd /soak || exit 1
# The kernel is to be busy; that kpatch waits for its turn shows nothing. And every program that starts costs a second in a busy
# guest without KVM, which is why there are so few here.
renice -n -15 -p $$ >/dev/null

show() {
	local lines
	mapfile lines <"$1"
	printf "%s" "${lines[@]}"
}

load_on() {
	setsid nice -n 15 stress-ng --quiet --temp-path /soak --cpu 1 --vm 1 --vm-bytes 48m --io 1 --fork 1 --switch 1 --timeout 0 >/dev/null 2>&1 &
	echo $! >load.pid
	disown
}
load_is() { kill "-$1" -- "-$(<load.pid)"; } # a signal to all its processes

# step VERSION COMMAND...: it succeeds, and /proc/version begins so afterwards
step() {
	local want=$1 before=${EPOCHREALTIME/./} said version
	shift
	said=$("$@" 2>&1) || { echo "failed $*: $said"; exit 1; }
	echo "did $2 ${4%.ko} $((${EPOCHREALTIME/./} - before))"
	read -r version </proc/version
	[[ $version == "$want"* ]] || { echo "failed $*: /proc/version: $version"; exit 1; }
}

# device LENGTH: the module's function runs, the new one with its shadow variable; a new device's queue says which it was.
device() {
	local length
	if ! { ip link add soak0 type dummy && read -r length </sys/class/net/soak0/tx_queue_len && ip link del soak0; }; then
		echo "failed device"
		exit 1
	fi
	[[ $length == "$1" ]] || { echo "failed device: a queue of $length, not $1"; exit 1; }
}

one() { step "level 1" kpatch load --quiet level-1.ko; }
two() { step "level 2" kpatch load --quiet level-2.ko; }
back() { step "level 1" kpatch replace --quiet level-1.ko; }
off() { step "Linux version" kpatch unload --quiet --all; }

# A cycle begins and ends without a live patch. Of ten, four are of the kernel alone, four of kernel and module, in one of them
# the module goes and comes back, and two go up a level and down again.
patch_cycle() {
	case $(($1 % 10)) in
	0 | 5) one && two && device 4711 && back && device 1000 && off ;;
	2) two && rmmod dummy && modprobe dummy numdummies=0 && device 4711 && off && device 1000 ;;
	4 | 6 | 8) two && device 4711 && off && device 1000 ;;
	*) one && off ;;
	esac
}
# What the others are held against: modules of the kernel come and go, without a live patch; and nothing at all.
stock_cycle() { modprobe vsock && rmmod vsock && rmmod dummy && modprobe dummy numdummies=0; }
idle_cycle() { sleep 2; }

# cycles KIND FIRST LAST
cycles() {
	local i
	for ((i = $2; i <= $3; i++)); do
		"$1_cycle" "$i" || { echo "failed $1 $i"; exit 1; }
		echo "cycle $i"
	done
	figures load
}

# figures [load]: what the kernel says of itself, in sections. All but the load is measured while the load stands still and with the
# caches dropped, else it couldn't be compared.
figures() {
	if [[ ! ${1-} ]]; then
		load_is STOP
		echo "== full"; show /proc/meminfo
		sync
		for _ in 1 2; do echo 3 >/proc/sys/vm/drop_caches; done
		echo "== meminfo"; show /proc/meminfo
		echo "== slabinfo"; show /proc/slabinfo
		echo "== modules"; show /proc/modules
		echo "== livepatch"; (cd /sys/kernel/livepatch && echo *)
		echo "== ftrace"; show /sys/kernel/tracing/enabled_functions
		load_is CONT
	fi
	echo "== stat"; show /proc/stat
	echo "== tainted"; show /proc/sys/kernel/tainted
}
