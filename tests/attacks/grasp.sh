#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The workload reaches for guard's own processes: by number, by group, by descriptor,
# from another namespace. It gets none of them, and bystanders get what they would
# get without guard. Exercises engine/kill, model/syscalls.def, kernel/filter.
. "${srcdir:-.}/tests/live/tap.sh"

policy never <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
guarded() { "$guard" run -q -p "$work/never.policy" -- "$@"; }
export guard t_do work
export -f guarded

# every process of guard, as the workload finds them
cat >inside <<'END'
#!/bin/bash
supervisor=$PPID
keeper=$(sed -n 's/^PPid:\t//p' "/proc/$supervisor/status")
case $1 in
keeper) set -- "${@:2}" "$keeper" ;;
supervisor) set -- "${@:2}" "$supervisor" ;;
recorder)
	for pid in $(cat "/proc/$keeper/task/"*/children); do
		[ "$pid" = "$supervisor" ] || recorder=$pid
	done
	set -- "${@:2}" "$recorder"
	;;
esac
"$t_do" "$@"
END
chmod +x inside
start sleep 1000
bystander=$!
all=$("$t_do" grasp "$bystander" | wc -l)
check "another process can be reached in $all ways" test "$all" -ge 15
for whom in keeper supervisor recorder; do
	check "guard's $whom in none, junk in the upper halves or not" prints "" \
		"$guard" run -q -o "file:$work/events" -p never.policy -- ./inside "$whom" grasp
done

# the supervisor's threads: a thread's id serves where a process's does
cat >threads <<'END'
#!/bin/bash
supervisor=$PPID
"$t_do" connect 127.0.0.1 "$(cat port)" >/dev/null # by a worker
for thread in "/proc/$supervisor/task"/*; do
	[ "${thread##*/}" = "$supervisor" ] || "$t_do" "$1" "${thread##*/}"
done
END
chmod +x threads
start "$t_do" serve-tcp 127.0.0.1 port count
eventually test -s port || exit 99
policy elsewhere <<END
  - id: elsewhere
    expression: connect.addr.port == 1
    actions:
      - block: {errno: EPERM}
END
count_threads() { "$guard" run -q -p elsewhere.policy -- bash -c '"$t_do" connect 127.0.0.1 "$(cat port)" >&2; ls "/proc/$PPID/task" | wc -l'; }
check "the supervisor has threads" test "$(count_threads 2>/dev/null)" -gt 1
# what holds, seizes or changes them; threads share what other calls would set
printf '[hardening]\nprotect_self = no\n' >open.conf
check "unprotected they can be reached" not prints "" timeout 120 "$guard" run -q --config open.conf -p elsewhere.policy -- ./threads grasp-thread
check "none of them can be reached" prints "" "$guard" run -q -p elsewhere.policy -- ./threads grasp-thread

# signals whose number is not a process but many; in a session of their own, for the
# test is a bystander as well
in_session() { timeout --foreground 120 setsid -w "$@"; }
# survives SIGNAL DEED...: guard and a workload that does not mind go on, status 7
survives()
{
	in_session bash -c "trap : ABRT SEGV TRAP SYS BUS FPE ILL TERM HUP INT QUIT
		guarded bash -c 'trap : ABRT SEGV TRAP SYS BUS FPE ILL TERM HUP INT QUIT
			\"\$t_do\" $2 $1; exit 7'"
	[ $? -eq 7 ]
}
for sig in 6 11 5 31 7 8 4 15 1 2 3; do
	check "signal $sig to the own group does not end guard" survives "$sig" kill-group
done

# kill(0, SIGKILL): the group dies, who stands by does not, guard sees the end of it
group_dies()
{
	in_session bash -c 'set -m
		sleep 100 & other=$!
		guarded bash -c "sleep 100 & exec \"$t_do\" kill-group 9"
		[ $? -eq 137 ] && kill -0 "$other" && kill "$other"'
}
check "kill(0, SIGKILL) ends the workload with 137, and no bystander" group_dies

# pidfd_send_signal to the group of a leader outside (Linux 6.9): guard is a member
if "$t_do" kill-group-pidfd "$bystander" 0 | grep -q EINVAL; then
	skip "a pidfd of the group's leader does not kill guard" "no such flag here"
else
	native_group() { in_session bash -c '(trap : TERM; sleep 0.1; echo alive >native) & exec "$t_do" kill-group-pidfd $$ 9'; sleep 0.3; [ ! -e native ]; }
	check "without guard such a pidfd kills the whole group" native_group
	cat >leader <<-'END'
		#!/bin/bash
		guarded ./witness $$
	END
	# in a session of its own, it lives to see whether the keeper does
	cat >witness <<-'END'
		#!/bin/bash
		[ "${2:-}" ] || { setsid "$0" "$1" $(sed -n 's/^PPid:\t//p' /proc/$PPID/status) & wait; }
		"$t_do" kill-group-pidfd "$1" 9
		sleep 0.2
		cat "/proc/$2/comm" >after.new
		mv after.new after
	END
	chmod +x leader witness
	led() { rm -f after; in_session ./leader; eventually test -e after && grep -q guard after; }
	check "a pidfd of the group's leader does not kill guard" led
fi

# a descriptor of /proc/PID is a pidfd to the kernel, wherever that procfs is mounted
for whom in keeper supervisor; do
	by_directory() { guarded bash -c "s=\$PPID; k=\$(sed -n 's/^PPid:\t//p' /proc/\$s/status); \"$t_do\" kill-directory \$([ $whom = keeper ] && echo \$k || echo \$s) 9"; }
	check "the directory of guard's $whom is no way to kill it" prints "errno EPERM" by_directory
done
sleep 1000 &
victim=$!
check "that of another process is" prints ok guarded "$t_do" kill-directory "$victim" 9
wait "$victim"
check "and it is killed" test $? -eq 137

# from a user and pid namespace of its own: everybody there is not everybody here.
# An outer namespace keeps the rest of this machine out of it.
cat >outer <<'END'
#!/bin/bash
sleep 1000 & other=$!
# shellcheck disable=SC2086
"$guard" run -q $2 -p "$work/never.policy" -- unshare "${3:--Urpf}" bash -c \
	'sleep 100 & victim=$!; sleep 100 & kill -KILL -- '"$1"'; wait $victim; echo victim $?'
echo "guard $?"
kill -0 "$other" && echo bystander lives
END
chmod +x outer
from_namespace() { timeout 120 unshare -pf --mount-proc ./outer "$@" 2>/dev/null; }
if unshare -pf --mount-proc unshare -Urpf true 2>/dev/null; then
	for options in "" "--user nobody"; do
		check "kill(-1) in a namespace of its own stays there ${options:-as root}" \
			prints $'victim 137\nguard 0\nbystander lives' from_namespace -1 "$options"
	done
	# there nobody has every capability, which counts for nobody's own processes
	check "kill(-1) by the root of a user namespace ends no process of another user" \
		prints $'victim 137\nguard 0\nbystander lives' from_namespace -1 "--user nobody" -Ur
else
	skip "kill(-1) in a namespace of its own stays there" "no user namespaces here"
fi
finish
