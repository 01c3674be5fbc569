#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The end of guard while its recorder does not move: refusals get their time, and what
# no sink has confirmed is counted. Exercises engine/supervisor, engine/act.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

cp "$t_do" refused
policy refuse <<END
  - id: refuse
    expression: exec.file.path == "$work/refused"
    every: 1ns
    actions:
      - block: {errno: EPERM}
END
state_is() { [ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" = "$2" ]; }
cat >script <<'END'
#!/bin/bash
echo $$ >ready
while [ ! -e go ]; do sleep 0.02; done
for _ in {1..7}; do ./refused status 0 2>/dev/null; done
: >done
END
chmod +x script
guarded() { exec "$guard" run -p refuse.policy -o "file:$work/events" -- ./script 2>said; }
begin() # the recorder is stopped before the first refusal
{
	rm -f ready go done events said
	start guarded
	guard_pid=$!
	eventually test -s ready || exit 99
	recorder=$(recorder_of "$guard_pid")
	kill -STOP "$recorder"
	eventually state_is "$recorder" T || exit 99
	: >go
	eventually test -e done
}
begin
check "guard waits for a recorder that does not move" state_is "$recorder" T
check "and is there" kill -0 "$guard_pid"
kill -CONT "$recorder"
wait "$guard_pid"
check "one that moves again gets all" verdicts events refuse blocked 7
check "and nothing is lost" not grep -q 'events lost' said

begin
wait "$guard_pid"
check "what nobody confirmed is counted as lost" grep -q '7 events lost' said
check "guard has ended by itself" not kill -0 "$guard_pid"
finish
