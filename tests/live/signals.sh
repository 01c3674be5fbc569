#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Signals that somebody sends to guard reach the workload, once; stops are
# mirrored; the workload does not outlive guard. Exercises engine/keeper.
. "${srcdir:-.}/tests/live/tap.sh"

policy quiet <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
guarded() { exec "$guard" run -q -p "$work/quiet.policy" -- "$@"; }

workload_starts()
{
	rm -f ready log
	start guarded "$t_do" catch ready log
	guard_pid=$!
	eventually test -s ready || return
	workload_pid=$(cat ready)
}
state_is() { [ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" = "$2" ]; }
gone() { ! kill -0 "$1" 2>/dev/null || state_is "$1" Z; }
got() { [ "$(grep -c "^$1\$" log 2>/dev/null)" -eq "$2" ]; }

# ends_with STATUS: SIGUSR2 ends the workload, which is the end of guard.
ends_with()
{
	kill -USR2 "$guard_pid"
	wait "$guard_pid"
	exits "$1" exit_with $?
}
exit_with() { return "$1"; }

workload_starts
for sig in TERM INT HUP QUIT USR1 ALRM WINCH; do
	kill -"$sig" "$guard_pid"
	check "SIG$sig reaches the workload" eventually got "$sig" 1
done
wait_status() { kill -USR2 "$guard_pid"; wait "$guard_pid"; }
wait_status
status=$?
check "SIGUSR2 ends it with the workload's status" test "$status" -eq 7
for sig in TERM INT HUP QUIT USR1 ALRM WINCH USR2; do
	check "SIG$sig came exactly once" got "$sig" 1
done

workload_starts
kill -TERM "$workload_pid"
check "a signal sent to the workload itself arrives" eventually got TERM 1
kill -STOP "$workload_pid"
check "guard stops with the workload" eventually state_is "$guard_pid" T
kill -CONT "$guard_pid"
check "and continues it" eventually not state_is "$workload_pid" T
check "the workload hears SIGCONT" eventually got CONT 1
wait_status
check "and ends as usual" test $? -eq 7

workload_starts
kill -STOP "$workload_pid"
eventually state_is "$guard_pid" T
kill -KILL "$workload_pid"
wait "$guard_pid"
check "a workload that is killed while stopped wakes guard" test $? -eq 137

# a supervisor that took over is not the parent of the workload
for how in CONT KILL; do
	workload_starts
	supervisor=$(supervisor_of "$guard_pid")
	kill -KILL "$supervisor"
	orphaned() { [ "$(sed -n 's/^PPid:\t//p' "/proc/$workload_pid/status")" -eq "$guard_pid" ] && supervisor_of "$guard_pid" >supervisor; }
	eventually orphaned
	kill -STOP "$workload_pid"
	check "restarted: guard stops with the workload" eventually state_is "$guard_pid" T
	kill -"$how" "$workload_pid"
	check "restarted: SIG$how of the workload wakes guard" eventually not state_is "$guard_pid" T
	kill -USR2 "$workload_pid" 2>/dev/null
	wait "$guard_pid"
	status=$?
	check "restarted: and guard ends with its status" test "$status" -eq "$([ $how = CONT ] && echo 7 || echo 137)"
done

# the first process has ended, others go on
start guarded sh -c "'$t_do' catch ready.left log.left & exit 4"
guard_pid=$!
eventually test -s ready.left
left=$(cat ready.left)
alone() { [ "$(sed -n 's/^PPid:\t//p' "/proc/$left/status")" -eq "$guard_pid" ]; }
eventually alone
kill -TERM "$guard_pid"
heard() { grep -qx "$1" log.left 2>/dev/null; }
check "who is left behind hears a signal to guard" eventually heard TERM
kill -USR2 "$guard_pid"
wait "$guard_pid"
check "and guard ends with the first one's status" test $? -eq 4

workload_starts
kill -KILL "$guard_pid"
wait "$guard_pid" 2>/dev/null
check "guard killed: the workload does not go on unwatched" eventually gone "$workload_pid"

# the whole tree goes, not only the first process
rm -f ready
start guarded bash -c "'$t_do' catch ready log & '$t_do' catch ready2 log2 & wait"
guard_pid=$!
eventually test -s ready && eventually test -s ready2
check "a tree is there" test -s ready -a -s ready2
kill -KILL "$guard_pid"
wait "$guard_pid" 2>/dev/null
for file in ready ready2; do
	check "guard killed: $file of the tree is gone" eventually gone "$(cat "$file")"
done

# a signal that comes before there is a workload is kept for it
early_end()
{
	local status n
	for n in {0..29}; do
		start guarded sleep 1000
		sleep "0.0$(printf %02d "$n")"
		kill -TERM "$!"
		wait "$!"
		status=$?
		[ "$status" -eq 143 ] || { echo "after $n ms: status $status"; return 1; }
	done
}
check "SIGTERM during the start ends guard" early_end

# SIGTERM to a workload that does not catch it
start guarded sleep 1000
guard_pid=$!
sleeper() { children "$(supervisor_of "$guard_pid")" | grep -q .; }
eventually sleeper
kill -TERM "$guard_pid"
wait "$guard_pid"
check "SIGTERM ends a plain program, status 143" test $? -eq 143
finish
