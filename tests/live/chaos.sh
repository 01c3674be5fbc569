#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of the supervisor and of the recorder while programs start all the time:
# nothing runs unjudged, nothing fails save the execs in flight, every refusal is
# reported. Exercises engine/journal, engine/keeper.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

kills=20
rounds=400
[ "${TIER:-}" = full ] && { kills=200; rounds=20000; }
cp "$t_do" allowed
cp "$t_do" refused
policy chaos <<END
  - id: refuse
    expression: exec.file.path == "$work/refused"
    every: 1ns
    actions:
      - block: {errno: EPERM}
END

# A storm of both kinds: how often did which end how? It stops when `enough` exists.
cat >storm <<'END'
#!/bin/bash
ok=0; failed=0; killed=0; refused=0; ran=0; odd=0; n=0
while [ ! -e enough ] || [ "$n" -lt "$1" ]; do
	n=$((n + 1))
	./allowed status 0
	case $? in 0) ok=$((ok + 1)) ;; 137) killed=$((killed + 1)) ;; *) failed=$((failed + 1)) ;; esac
	./refused touch "deed.$n" >/dev/null 2>&1
	case $? in 126) refused=$((refused + 1)) ;; 0) ran=$((ran + 1)) ;; *) odd=$((odd + 1)) ;; esac
done
echo "n=$n ok=$ok failed=$failed killed=$killed refused=$refused ran=$ran odd=$odd" >result
END
chmod +x storm
storm()
{
	rm -f enough result events deed.*
	start "$guard" run -q -p chaos.policy -o "file:$work/events" -- ./storm "$rounds"
	guard_pid=$!
	eventually begun
}
begun() { [ -e events ] && [ "$(grep -c refuse events)" -ge 5 ]; }
# "pid start-time" of the process that FINDER finds: a successor may have the same pid
identity() # FINDER
{
	local pid
	pid=$("$1" "$guard_pid") && echo "$pid $(cut -d ' ' -f 22 "/proc/$pid/stat")"
}
another() # FINDER IDENTITY
{
	local now
	now=$(identity "$1" 2>/dev/null) && [ "$now" != "$2" ]
}

# kills the process that FINDER finds, again and again, each time a new one is there
kill_again_and_again() # FINDER
{
	local n victim=none
	for ((n = 0; n < kills; n++)); do
		eventually another "$1" "$victim" || return 1
		victim=$(identity "$1")
		sleep "0.0$((RANDOM % 9 + 1))" # a random point of its life
		kill -KILL "${victim% *}"
	done
	: >enough
}
result() { sed -n "s/.*\\b$1=\\([0-9]*\\).*/\\1/p" result; }

storm
check "the supervisor is killed $kills times, and comes back" kill_again_and_again supervisor_of
: >enough
wait "$guard_pid"
check "guard ends with the workload's status" test $? -eq 0
echo "# supervisor killed: $(cat result)"
check "no refused program ran" test "$(result ran)" -eq 0
check "none of them did its deed" not compgen -G 'deed.*'
check "no allowed exec failed" test "$(result failed)" -eq 0
check "at most the execs in flight were killed" test "$(($(result killed) + $(result odd)))" -le "$kills"
# a refusal that was written down and not yet answered when the supervisor died is
# judged and written down again: by its argument it is still one
check "each refusal is reported" events events \
	"map(select(.agent.rule_id == \"refuse\") | .process.args[1]) | unique | length == $(result refused)"
check "hardly any twice" events events \
	"map(select(.agent.rule_id == \"refuse\")) | length <= $(result refused) + $kills"
# one that is killed before it could say so is in the count of the next
check "the restarts are reported, and each is counted" internal events \
	"map(select(.agent.rule_id == \"supervisor_restarted\") | .restarts) | max == $kills and length > $kills / 2"
check "each exec that was killed is reported" internal events \
	"map(select(.agent.rule_id == \"supervisor_lost\")) | length >= $(($(result killed) + $(result odd)))"
check "numbers go on counting" events events \
	'map(.guard.seq | select(. != null)) | (unique | length) == length'

storm
check "the recorder is killed $kills times, and comes back" kill_again_and_again recorder_of
: >enough
wait "$guard_pid"
check "recorder: guard ends with the workload's status" test $? -eq 0
echo "# recorder killed: $(cat result)"
check "recorder: nothing failed" test "$(result failed) $(result killed) $(result ran) $(result odd)" = "0 0 0 0"
echo "# reported: $(jq -s 'map(select(.agent.rule_id == "refuse") | .guard.seq) | unique | length' events)"
check "recorder: each refusal is reported" events events \
	"map(select(.agent.rule_id == \"refuse\") | .guard.seq) | unique | length == $(result refused)"

# on_supervisor_loss = kill
printf '[run]\non_supervisor_loss = kill\n' >kill.conf
start "$guard" run -q --config kill.conf -p chaos.policy -- "$t_do" catch ready log
guard_pid=$!
eventually test -s ready
workload=$(cat ready)
kill -KILL "$(supervisor_of "$guard_pid")"
gone() { ! kill -0 "$1" 2>/dev/null; }
check "on_supervisor_loss = kill ends the workload" eventually gone "$workload"
gone "$workload" || kill -KILL "$workload" # and do not wait for ever
wait "$guard_pid"
check "on_supervisor_loss = kill ends with 137" test $? -eq 137
finish
