#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# bash scripts of all kinds do the same under guard, while every exec is judged.
# Exercises the exec path under pipelines, traps and background jobs.
. "${srcdir:-.}/tests/live/tap.sh"
need jq xargs

policy shell <<END
  - id: every_exec
    expression: exec.file.name != ""
    every: 1ns
  - id: refuse_false
    expression: exec.file.path in ["/bin/false", "/usr/bin/false"]
    actions:
      - block: {errno: EPERM}
END
guarded() { "$guard" run -q -p "$work/shell.policy" -o "file:$work/events" -- "$@"; }

same_script() # SCRIPT
{
	local native under
	native=$(bash -c "$1" 2>&1; echo "status $?")
	under=$(guarded bash -c "$1" 2>&1; echo "status $?")
	[ "$native" = "$under" ] || { diff <(echo "$native") <(echo "$under"); return 1; }
}
while IFS='|' read -r name script; do
	script=${script//¦/|}
	check "$name" same_script "$script"
done <<'END'
a pipeline and its statuses|seq 1000 ¦ sort -rn ¦ head -n 3; echo "${PIPESTATUS[@]}"
a long pipeline|seq 100 ¦ cat ¦ cat ¦ cat ¦ cat ¦ cat ¦ cat ¦ md5sum
process substitution|diff <(seq 10) <(seq 11); cat <(echo a) <(echo b)
a here-document|cat <<< "text $((6 * 7))"
background jobs and wait|for i in 1 2 3 4; do (sleep 0.0$i; exit $i) & p+=($!); done; for q in "${p[@]}"; do wait $q; echo $?; done
traps|trap 'echo got USR1' USR1; (kill -USR1 $$); wait; sleep 0.1; trap 'echo leaving' EXIT
subshell statuses|(exit 3); echo $?; ! true; echo $?; set -e; (exit 4); echo never
timeout|timeout 0.2 sleep 10; echo $?
parallel xargs|seq 40 ¦ xargs -P 4 -n 1 sh -c 'echo $((0 + $0))' ¦ sort -n ¦ md5sum
a coprocess|coproc cat; echo hello >&${COPROC[1]}; read -r -u ${COPROC[0]} x; echo "$x"
exec replaces the shell|exec printf 'one image %s\n' later
exec with another name|(exec -a other-name bash -c 'echo $0')
nested shells|bash -c 'sh -c "bash -c \"echo deep; exit 6\""'
command not found|no-such-command 2>/dev/null; echo $?
a killed child|exec 2>/dev/null; (kill -KILL $BASHPID); echo $?
many short programs|for i in {1..100}; do /bin/true ¦¦ echo failed; done; echo done
a fifo|mkfifo f.$$; (echo through >f.$$) & cat f.$$; rm f.$$
find and exec|find /etc/host* -maxdepth 0 -exec basename {} + ¦ sort
END

rm -f events
guarded bash -c 'seq 10 | sort | uniq -c | wc -l; /usr/bin/env true' >/dev/null
for name in seq sort uniq wc env true; do
	check "the exec of $name is reported once" events events \
		"map(select(.agent.rule_id == \"every_exec\" and (.process.executable.path | endswith(\"/$name\")))) | length == 1"
done
check "each event names the parent" events events \
	'map(select(.process.executable.path | endswith("/sort"))) | .[0].process.parent.executable.path | endswith("/bash")'

rm -f events
check "a refused command is status 126 in the shell, which goes on" prints $'126\non' \
	guarded bash -c '/bin/false 2>/dev/null; echo $?; echo on'
check "and one event" verdicts events refuse_false blocked 1
check "without guard it is status 1" prints 1 bash -c '/bin/false; echo $?'
finish
