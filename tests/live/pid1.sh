#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Guard as the first process of a pid namespace, as in a container: it reaps what
# nobody else waits for, passes signals on, and ends with its command, as does the
# rest. Exercises engine/keeper, engine/slay.
. "${srcdir:-.}/tests/live/tap.sh"
need unshare setsid
unshare --fork --pid --mount-proc true 2>/dev/null || skip_all "no pid namespaces here (no privilege, or a chroot)"

policy quiet <<END
  - id: never
    expression: exec.file.path == "/nowhere"
    actions:
      - block: {errno: EPERM}
END
policy deny <<END
  - id: deny
    expression: exec.file.path =~ "**/usr/bin/true"
    actions:
      - block: {errno: EPERM}
END
# the end of unshare is the end of the namespace, whatever happens
first() { exec timeout -k 1 60 unshare --fork --pid --mount-proc --kill-child "$@"; }
guarded() { first "$guard" run -q -p "$work/quiet.policy" "${options[@]}" -- "$@"; }
options=()
inside() { (guarded "$@"); }
state_is() { [ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" = "$2" ]; }
gone() { [ ! -e "/proc/$1/root" ]; }
# outside PID: what the process PID of $namespace is called out here
outside()
{
	local pid
	# "/proc/N/status:NSpid: N M": processes come and go meanwhile
	# shellcheck disable=SC2013 # numbers
	for pid in $(grep -s '^NSpid:' /proc/[0-9]*/status | awk -v pid="$1" 'NF > 2 && $NF == pid { print $2 }'); do
		[ "$(readlink "/proc/$pid/ns/pid")" = "$namespace" ] && echo "$pid" && break
	done
}
# begin COMMAND...: COMMAND writes its pid to `ready`; guard is $guard_pid, it $workload_pid.
begin()
{
	rm -f ready log
	start guarded "$@"
	timeout_pid=$!
	eventually test -s ready || exit 99
	unshare_pid=$(children "$timeout_pid" | grep -oE '^[0-9]+')
	guard_pid=$(children "$unshare_pid" | grep -oE '^[0-9]+')
	namespace=$(readlink "/proc/$guard_pid/ns/pid")
	workload_pid=$(outside "$(cat ready)")
}
returns() { return "$1"; }
ends() { wait "$1"; exits "$2" returns $?; }

check "guard is the first process" prints guard inside cat /proc/1/comm
check "its status is the command's" exits 7 inside sh -c 'exit 7'
check "and of one that is killed" exits 137 inside sh -c 'kill -KILL $$'
check "and of one that does not exist" exits 127 inside no-such-command
cat >orphans.sh <<'E2'
for i in $(seq 100); do (sleep 0.01 & sleep 0.01 &); done
tries=0
while grep -qs '^State:.Z' /proc/[0-9]*/status || [ "$(pgrep -c sleep)" -gt 0 ]; do
	tries=$((tries + 1))
	[ "$tries" -lt 500 ] || break
	sleep 0.02
done
grep -ls '^State:.Z' /proc/[0-9]*/status | wc -l
E2
check "two hundred orphans leave no zombie" prints 0 inside bash orphans.sh

begin "$t_do" catch ready log
check "the command is found" test -n "$workload_pid"
got() { [ "$(grep -c "^$1\$" log 2>/dev/null)" -eq 1 ]; }
for sig in TERM INT HUP QUIT USR1 ALRM WINCH; do
	kill -"$sig" "$guard_pid"
	check "SIG$sig reaches the command" eventually got "$sig"
done
kill -USR2 "$guard_pid"
check "and guard ends with it" ends "$timeout_pid" 7

# it cannot be stopped itself: the command's stop is the command's
for group in "" setsid; do
	# shellcheck disable=SC2086 # none or one
	begin $group bash -c 'echo $$ >ready; kill -STOP $$; echo >log; exit 6'
	check "a command that stops, stops${group:+, in a session of its own}" eventually state_is "$workload_pid" T
	kill -WINCH "$guard_pid"
	check "guard goes on" not state_is "$guard_pid" T
	check "and it stays so" state_is "$workload_pid" T
	kill -CONT "$workload_pid"
	check "until somebody continues it" ends "$timeout_pid" 6
done

# what the command leaves behind
leftover='(trap "" TERM HUP; echo $BASHPID >left; exec sleep 1000) & while [ ! -s left ]; do sleep 0.02; done; echo $$ >ready; while [ ! -e end ]; do sleep 0.02; done; exit 4'
rm -f left end
begin bash -c "$leftover"
left=$(outside "$(cat left)")
check "a command with a child that heeds no signal" test -n "$left"
: >end
check "ends, and guard with its status" ends "$timeout_pid" 4
check "the child is gone" gone "$left"

# guard itself is killed
rm -f left end
begin bash -c "$leftover"
left=$(outside "$(cat left)")
supervisor=$(supervisor_of "$guard_pid")
kill -KILL "$supervisor"
another() { local now; now=$(supervisor_of "$guard_pid") && ! state_is "$now" Z && [ "$(sed -n 's/^PPid:\t//p' "/proc/$workload_pid/status")" = "$guard_pid" ]; }
check "the supervisor is replaced in a namespace as well" eventually another
check "and the command goes on" test ! -e end -a -e "/proc/$workload_pid/root"
kill -KILL "$guard_pid"
wait "$timeout_pid" 2>/dev/null
for pid in "$workload_pid" "$left" "$supervisor"; do
	check "guard killed: nothing is left" eventually gone "$pid"
done

# whoever started guard dies, and had asked for a signal (unshare --kill-child)
rm -f left end
begin bash -c "$leftover"
left=$(outside "$(cat left)")
kill -KILL "$unshare_pid"
wait "$timeout_pid" 2>/dev/null
for pid in "$workload_pid" "$left" "$guard_pid"; do
	check "its parent killed: nothing is left" eventually gone "$pid"
done

# in a root directory of its own, with little in it
mkdir root
cat >contain <<'E2'
# contain COMMAND...: COMMAND in a root directory with /usr, /proc and the build
mount -t tmpfs tmpfs "$work/root" && cd "$work/root" || exit 99
mkdir -p usr proc dev etc tmp "./$work"
mount --rbind /usr usr && mount --rbind "$work" "./$work" && mount -t proc proc proc || exit 99
for link in bin sbin lib lib64; do [ ! -L "/$link" ] || ln -s "usr/$link" "$link"; done
[ -z "$null" ] || { : >dev/null && mount --bind /dev/null dev/null; } || exit 99
exec chroot . "$@"
E2
reachable_by_all
export work guard null=yes
contained() { (first -m bash contain "$@"); }
confined() { contained "$guard" run -q -p "$work/quiet.policy" -- "$@"; }
if ! contained /usr/bin/true; then
	skip "in a root directory of its own" "no mounts here"
else
	check "in a root directory of its own" exits 7 confined sh -c 'exit 7'
	check "no account file is needed" prints "" confined sh -c 'ls /etc'
	check "a rule holds there" exits 126 contained "$guard" run -q -p "$work/deny.policy" -- \
		sh -c 'exec /usr/bin/true'
	null=
	check "without /dev/null as well" exits 7 confined sh -c 'exit 7'
fi
finish
