#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Rules that set variables and rules that read them, on real programs: what happened
# before decides, in one process, in its descendants, and over the death of the
# supervisor. Exercises engine/variables.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

cp /bin/true fetch
cp /bin/true other
policy vars <<END
  - id: fetched
    expression: exec.file.path == "$work/fetch"
    actions:
      - set: {name: seen, field: exec.file.name, append: true}
  - id: note
    expression: exec.file.name == "cat"
    actions:
      - set: {name: tainted, value: true, scope: process, inherited: true, scope_field: process.ppid}
      - set: {name: hidden, value: true, private: true}
      - set: {name: who, field: process.comm}
      - set: {name: args, field: exec.argv, append: true}
      - set: {name: environment, field: exec.envp, append: true}
  - id: refuse
    expression: exec.file.path == "$work/other" && "fetch" in \${seen}
    actions:
      - block: {errno: EACCES}
  - id: refuse_children
    expression: exec.file.name == "id" && \${process.tainted}
    actions:
      - block: {errno: EPERM}
  - id: once
    expression: exec.file.name == "uname" && !\${ran}
    every: 1ns
    actions:
      - set: {name: ran, value: true}
  - id: refused_once
    expression: exec.file.name == "whoami" && \${tries} < 1
    actions:
      - block: {errno: EPERM}
      - set: {name: tries, default_value: 0, expression: "\${tries} + 1"}
END
guarded()
{
	rm -f "$work/events"
	"$guard" run -q -p "$work/vars.policy" -o "file:$work/events" -- "$@"
}

check "before: allowed" guarded "$work/other"
check "after: refused" exits 126 guarded bash -c "'$work/fetch'; '$work/other'"
check "the event has the variable" events events \
	'any(.agent.rule_id == "refuse" and .evt.variables.seen == ["fetch"] and .guard.verdict == "blocked")'
check "each run begins anew" guarded "$work/other"

# the child's child is refused, because its grandparent's child read something
check "children: allowed" prints ok guarded bash -c 'bash -c "id >/dev/null && echo ok"; true'
check "children: refused" prints refused guarded bash -c \
	'cat /dev/null; bash -c "id >/dev/null 2>&1 || echo refused"; true'
check "the event has the variable of the process" events events \
	'any(.agent.rule_id == "note") and any(.agent.rule_id == "refuse_children")'
check "not those that are private" events events 'all(.evt.variables.hidden == null)'
check "but the others" events events 'any(.evt.variables.who == "cat")'

# secrets: as in arguments
check "a secret among arguments" guarded bash -c 'cat /dev/null --password=hunter2 2>/dev/null; SECRET_ENV=hunter3 cat /dev/null; true'
check "is masked" events events 'any(.evt.variables.args != null and (.evt.variables.args | any(contains("********"))))'
check "what comes of the environment is not written" events events 'all(.evt.variables.environment == null)'
check "neither is anywhere" not grep -q 'hunter[23]' events

# an exec is looked at twice and is one event
check "three times the same" guarded bash -c 'uname; uname; uname'
check "so one match" verdicts events once detected 1
check "a refused exec sets as well" prints "refused root" guarded bash -c \
	'whoami 2>/dev/null || echo -n "refused "; whoami'
check "and once" verdicts events refused_once blocked 1

# what was set is there after the supervisor's death
mkfifo go
start "$guard" run -q -p vars.policy -o file:after -- bash -c \
	"'$work/fetch'; echo ready >ready; read -r line <go; '$work/other'; echo \$? >status"
pid=$!
eventually test -s ready || exit 99
kill -KILL "$(supervisor_of "$pid")"
echo >go
check "refused by the next supervisor" eventually grep -qx 126 status
wait "$pid"
check "with the event" events after 'any(.agent.rule_id == "refuse" and .guard.verdict == "blocked")'
finish
