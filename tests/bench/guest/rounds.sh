#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# The rounds of `make bench`, in the guest: each recorder in turn, an untraced run
# before and after each, the next repetition in reverse order. What they say goes to
# /host/bench/rounds, one "round" line before what belongs to it.
#
#	rounds.sh REPETITIONS COUNT [CPUS]
#
# CPUS, a mask, binds the recorders; the loads bind themselves to the first CPU.
PATH=/bin
repetitions=$1 count=$2
pin=${3:+taskset $3}
dir=/host/bench
say() {
	echo "$*" >>$dir/rounds
}

# The peers' files, where their own interpreter and libraries look for them.
install_peers() {
	mkdir -p /peers
	tar -xf $dir/peers.tar -C /peers
	mkdir -p /lib64
	ln -s /peers/lib64/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
	export LD_LIBRARY_PATH=/peers/lib
	mkdir -p /peers/proc/sys/kernel /peers/sys /peers/dev /peers/host /peers/tmp /peers/realproc
	mount --rbind /sys /peers/sys
	mount --bind /dev /peers/dev
	mount --bind /host /peers/host
	mount --bind /tmp /peers/tmp
	mount -t proc proc /peers/realproc
	cp /proc/mounts /proc/filesystems /proc/cmdline /proc/version /proc/kallsyms /peers/proc/
	echo 1 >/peers/proc/sys/kernel/ftrace_enabled
}

# trace-cmd wants to switch ftrace on by a sysctl, which a kernel without
# CONFIG_PROC_SYSCTL (the lab's) does not have: it is shown one.
trace_cmd() {
	if [ -f /proc/sys/kernel/ftrace_enabled ]; then
		$pin /peers/bin/trace-cmd "$@"
	else
		LD_LIBRARY_PATH=/lib $pin chroot /peers /bin/trace-cmd "$@"
	fi
}

# "enter|exit module function" of every hook that only live update passes. Those that
# the whole machine passes are left to us: the peers have no way to pick the few that matter.
hooks() {
	/vfiotrace probes | awk '
		$1 != "fentry" && $1 != "fexit" { next }
		$2 ~ /^rec\./ || $2 == "file.fput" || $2 == "file.anon" || $2 == "vfio.zap" { next }
		{ print $1 == "fentry" ? "enter" : "exit", $4, $3 }' | sort -u
}

# The floor: what it takes to be there at all, on every function that we hook. The programs are empty.
floor_script() {
	/vfiotrace probes | awk '
		$1 != "fentry" && $1 != "fexit" { next }
		{ print ($1 == "fentry" ? "kfunc:" : "kretfunc:") ($4 == "vmlinux" ? "" : $4 ":") $3 " { }" }' | sort -u
}

bpftrace_script() {
	awk '
		{
			probe = ($1 == "enter" ? "kfunc:" : "kretfunc:") ($2 == "vmlinux" ? "" : $2 ":") $3
			printf "%s { printf(\"%%llu %%d %%d %%d %%s %s %s\\n\", nsecs, cpu, pid, tid, comm); }\n", probe, $1, $3
		}' $dir/hooks
}

untraced() {
	say "round untraced $repetition"
	/host/bench/load run "$count" >>$dir/rounds 2>&1
}

# A ring that holds a whole run, as the peers' buffers do: a record that is lost costs nothing.
with_vfiotrace() {
	say "round vfiotrace $repetition"
	/host/bench/load now >>$dir/rounds
	$pin /vfiotrace record -v --ring 64M -o /tmp/bench.vft -- /host/bench/load run "$count" >>$dir/rounds 2>&1
	say "bytes $(stat -c %s /tmp/bench.vft)"
	/vfiotrace show -f json /tmp/bench.vft >/tmp/bench.json
	say "events $(grep -c '"record":"event"' /tmp/bench.json)"
	say "lost $(grep '"record":"loss"' /tmp/bench.json | sed 's/.*"count":"*\([0-9]*\).*/\1/' |
		awk '{ n += $1 } END { print n + 0 }')"
	rm -f /tmp/bench.vft /tmp/bench.json
}

with_bpftrace() {
	say "round bpftrace $repetition"
	/host/bench/load now >>$dir/rounds
	BPFTRACE_MAX_PROBES=4096 BPFTRACE_PERF_RB_PAGES=1024 $pin /peers/bin/bpftrace -o /tmp/bench.txt \
		-c "/host/bench/load run $count" /tmp/hooks.bt >>$dir/rounds 2>&1
	say "bytes $(stat -c %s /tmp/bench.txt)"
	say "events $(grep -c ' e[nx][ti]' /tmp/bench.txt)"
	say "lost $(grep -c '^Lost' /tmp/bench.txt)"
	rm -f /tmp/bench.txt
}

with_floor() {
	say "round floor $repetition"
	/host/bench/load now >>$dir/rounds
	BPFTRACE_MAX_PROBES=4096 $pin /peers/bin/bpftrace -o /tmp/bench.txt \
		-c "/host/bench/load run $count" /tmp/floor.bt >>$dir/rounds 2>&1
}

with_tracecmd() {
	say "round trace-cmd $repetition"
	/host/bench/load now >>$dir/rounds
	# shellcheck disable=SC2046 # one argument per function
	trace_cmd record -q -p function_graph -b 4096 -o /tmp/bench.dat \
		$(awk '{ print $3 }' $dir/hooks | sort -u | sed 's/^/-l /') \
		/host/bench/load run "$count" >>$dir/rounds 2>&1
	say "bytes $(stat -c %s /tmp/bench.dat)"
	trace_cmd report -t /tmp/bench.dat >/tmp/bench.txt 2>&1
	say "events $(grep -c 'funcgraph_e' /tmp/bench.txt)"
	say "lost $(grep -c 'EVENTS DROPPED' /tmp/bench.txt)"
	rm -f /tmp/bench.dat /tmp/bench.txt
	trace_cmd reset >/dev/null 2>&1
}

rm -f $dir/rounds
order=vfiotrace
if [ -f $dir/peers.tar ]; then
	install_peers
	order="vfiotrace floor bpftrace tracecmd"
fi
hooks >$dir/hooks
bpftrace_script >/tmp/hooks.bt
floor_script >/tmp/floor.bt
$dir/load next
repetition=0
while [ $repetition -lt "$repetitions" ]; do
	repetition=$((repetition + 1))
	for tool in $order; do
		untraced
		"with_$tool"
	done
	untraced
	order="$(echo "$order" | awk '{ for (i = NF; i; i--) printf "%s ", $i }')"
done
say "done"
