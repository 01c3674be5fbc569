#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# connect: the address, the descriptor and the waiting are turned against guard. The
# server that must not be reached counts. Exercises engine/connect, kernel/connect.
. "${srcdir:-.}/tests/live/tap.sh"
need jq
. "$srcdir/tests/attacks/contest.sh"
quota 1.5 50

for file in open shut; do
	start "$t_do" serve-tcp 127.0.0.1 "$file.port" "$file.count"
done
start "$t_do" serve-full 127.0.0.1 full.port
for file in open shut full; do
	eventually test -s "$file.port" || exit 99
done
open=$(cat open.port) shut=$(cat shut.port) full=$(cat full.port)

policy race <<END
  - id: shut
    expression: connect.addr.port == $shut
    actions:
      - block: {errno: EPERM}
  - id: seen
    expression: connect.addr.port == $open
END
guarded() { rm -f events; contest_timeout "$guard" run -q -p race.policy -o "file:$work/events" -- "$@"; }
reached() { cat shut.count; }


# the address: a thread changes the port between the look and the use
naive_loses()
{
	"$t_do" naive "$shut" "$t_do" race-address 0.5 "$open" "$shut" >/dev/null
	control=$(($(reached) - before))
	[ "$control" -gt 0 ]
}
# the server hangs up when it has counted
knock() { timeout 20 bash -c "cat </dev/tcp/127.0.0.1/$shut"; }
before=$(reached)
check "a naive supervisor is made to reach the shut port" eventually naive_loses
quiet knock
before=$(reached)
guarded "$t_do" race-address "$quota" "$open" "$shut" >score
quiet knock
said race-address $(($(reached) - before - knocks))
check "guard is not" test $(($(reached) - before)) -eq "$knocks"
check "and was tried often enough" test "$(field caught)" -ge "$wanted" -a "$(field refused)" -gt 10
check "each refusal is reported" all_reported

# the descriptor: a thread makes it another socket between the look and the use
naive_is_swapped()
{
	"$t_do" naive 1 "$t_do" race-descriptor 0.5 inet6 "$shut" >/dev/null
	control=$(($(reached) - before))
	[ "$control" -gt 0 ]
}
before=$(reached)
check "a naive supervisor lets another socket get there" eventually naive_is_swapped
quiet knock
before=$(reached)
guarded "$t_do" race-descriptor "$quota" inet6 "$shut" >score
quiet knock
said race-descriptor $(($(reached) - before - knocks))
check "another socket under the number does not get there" test $(($(reached) - before)) -eq "$knocks"
check "and it was often another one" test "$(field caught)" -ge "$wanted"

# a caller that is gone with its next call is reported all the same
check "thirty connect and are gone" prints "connected 30" guarded "$t_do" connect-and-go 30 "$open"
check "and each is reported" verdicts events seen detected 30

# connects that wait: signals get through as without guard
while read -r restart limit; do
	native=$("$t_do" connect-under-alarm "$full" "$restart" "$limit")
	check "alarms, SA_RESTART $restart, SO_SNDTIMEO $limit ms: as without guard" \
		prints "$native" guarded "$t_do" connect-under-alarm "$full" "$restart" "$limit"
done <<END
0 0
0 500
1 0
1 500
END

# connects that wait for ever, more than there are workers, more than there are slots
cat >beside <<'END'
#!/bin/bash
# beside COUNT FULL OPEN: while COUNT connects hang, the rest goes on
"$t_do" hang "$1" "$2" ready &
eventually_ready() { until [ -s ready ]; do sleep 0.05; done; }
eventually_ready
"$t_do" connect 127.0.0.1 "$3"
"$t_do" connect-nonblock 127.0.0.1 "$3" | tail -n 1
/bin/echo exec
kill -KILL $!
END
chmod +x beside
export t_do
for count in 70 600; do
	rm -f ready
	check "$count connects hang and others are made" prints $'ok\nok\nexec' guarded ./beside "$count" "$full" "$open"
done
# the supervisor keeps nothing of them
cat >leaks <<'END'
#!/bin/bash
descriptors() { ls "/proc/$PPID/fd" | wc -l; }
"$t_do" connect 127.0.0.1 "$2"
before=$(descriptors)
for round in 1 2 3; do
	rm -f ready
	"$t_do" hang 40 "$1" ready &
	until [ -s ready ]; do sleep 0.05; done
	kill -KILL $!
	wait
done
for ((tries = 0; tries < 100 && $(descriptors) > before + 8; tries++)); do sleep 0.05; done
after=$(descriptors)
[ "$after" -le $((before + 8)) ] || echo "descriptors: $before, then $after"
END
chmod +x leaks
check "no descriptor is left of connects that hung and died" prints ok guarded ./leaks "$full" "$open"
finish
