#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Messages: name, pointer and descriptor are changed between the look and the use, the
# supervisor dies between deed and answer. The server that must not be reached counts.
# Exercises engine/send, kernel/send.
. "${srcdir:-.}/tests/live/tap.sh"
need jq
. "$srcdir/tests/attacks/contest.sh"
quota 0.4 20

for file in open shut; do
	start "$t_do" serve-udp 127.0.0.1 "$file.port" "$file.count"
done
for file in open shut; do
	eventually test -s "$file.port" || exit 99
done
open=$(cat open.port) shut=$(cat shut.port)
policy race <<END
  - id: shut
    expression: connect.addr.port == $shut
    actions:
      - block: {errno: EPERM}
END
guarded() { rm -f events; contest_timeout "$guard" run -q -p race.policy -o "file:$work/events" -- "$@"; }
reached() { cat shut.count; }
# the server counts in order: when it answers, all that came before is counted, and the
# question as well
answers() { timeout 5 "$t_do" connect-udp 127.0.0.1 "$shut" >/dev/null; }

naive_loses() # CALL TARGET ACCOMPLICE
{
	local before
	before=$(reached)
	"$t_do" naive "$shut" "$t_do" race-send "$@" 0.4 "$open" "$shut" >/dev/null
	control=$(($(reached) - before))
	[ "$control" -gt 0 ]
}
while read -r call target accomplice; do
	name="$call, $target by $accomplice"
	check "$name: a naive supervisor is made to reach the shut port" \
		eventually naive_loses "$call" "$target" "$accomplice"
	eventually answers
	before=$(reached)
	guarded "$t_do" race-send "$call" "$target" "$accomplice" "$quota" "$open" "$shut" >score
	asked=0
	until answers; do asked=$((asked + 1)); [ "$asked" -lt 20 ] || break; done
	wins=$(($(reached) - before - asked - 1))
	said "$name" "$wins"
	check "$name: guard is not" test "$wins" -eq 0
	check "$name: and was tried often enough" \
		test "$(field caught)" -ge "$wanted" -a "$(field refused)" -gt 10 -a "$(field done)" -gt 10
	check "$name: each refusal is reported" all_reported
done <<END
sendto port thread
sendto port memory
sendto port process
sendmsg port thread
sendmmsg port process
sendmsg pointer thread
sendmmsg pointer process
sendto descriptor thread
sendmsg descriptor thread
sendmsg descriptor table
sendmmsg descriptor thread
END

# nothing is sent twice by a supervisor that takes over
start "$t_do" count-numbers numbers.port numbers
eventually test -s numbers.port
start "$guard" run -q -p race.policy -o "file:$work/events" -- "$t_do" send-numbers "$(cat numbers.port)" "$work/stop"
guard_pid=$!
# "pid start-time": a successor may have the same pid
identity() { local pid; pid=$(supervisor_of "$guard_pid") && echo "$pid $(cut -d ' ' -f 22 "/proc/$pid/stat")"; }
another() { found=$(identity 2>/dev/null) && [ "$found" != "$victim" ]; }
victim=none
kill_one()
{
	eventually another || return
	victim=$found
	sleep "0.0$((RANDOM % 9 + 1))"
	kill -KILL "${victim% *}"
}
kills=20
[ "${TIER:-}" = full ] && kills=500
all_killed() { for ((n = 0; n < kills; n++)); do kill_one || return; done; }
check "the supervisor of a sender is killed $kills times" all_killed
touch stop
check "the sender has seen no error" wait "$guard_pid"
check "the numbers are counted" eventually test -s numbers
echo "# $(cat numbers)"
check "and none came twice" grep -q 'twice 0$' numbers
check "and many came" test "$(sed 's/came \([0-9]*\) .*/\1/' numbers)" -ge 100

# a stream whose supervisor dies while it waits for room
start "$guard" run -q -p race.policy -o "file:$work/events" -- sh -c "'$t_do' send-slowly full go >said; echo \$? >>said"
guard_pid=$!
victim=none
eventually test -e full
check "the supervisor of a stream is killed" kill_one
check "and killed again" kill_one
touch go
check "guard ends" wait "$guard_pid"
check "all of the stream came, once" prints $'sent: all\nread: all\n0' cat said
finish
