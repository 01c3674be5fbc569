#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A blocking rule that rests on what guard cannot see: no start, or a degraded one
# that says so. Exercises policy/observe.c, cmd/run.c, engine/loaded.c.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

cat >value.policy <<'END'
rules:
  - {id: by_value, expression: exec.file.package.name == "", actions: [{block: {}}]}
  - {id: watch, expression: exec.file.package.name == ""}
  - {id: certain, expression: exec.file.name == "false", actions: [{block: {}}]}
END
cat >event.policy <<'END'
rules:
  - {id: by_event, expression: open.file.path == "/etc/passwd", actions: [{block: {}}]}
  - {id: certain, expression: exec.file.name == "false", actions: [{block: {}}]}
END
cat >watching.policy <<'END'
rules:
  - {id: watch, expression: exec.file.package.name == ""}
  - {id: unseen, expression: open.file.path == "/etc/passwd"}
END

# runs STATUS OPTION...: what it did is in ./ran, said in ./said, reported in ./events
runs()
{
	rm -f ran events
	"$guard" run -o file:events "${@:2}" -- sh -c 'touch ran; false' 2>said
	[ $? -eq "$1" ] || { cat said; return 1; }
}
event() { jq -se "map(select(.agent.rule_id == \"$1\") | $2) | any" events >/dev/null || { cat events; return 1; }; }
loaded() { event ruleset_loaded ".policies[].rules[] | select(.id == \"$1\") | $2"; }

for what in value event; do
	check "on a $what: no start" runs 125 -p $what.policy
	check "on a $what: nothing ran" test ! -e ran
	check "on a $what: the rule is named" grep -q "by_$what" said
	check "on a $what: and why" grep -q "cannot be enforced: not observable yet" said
	check "on a $what: what can be done" grep -q -e "--best-effort" said
	# control: the shell has a false of its own, so it ends with 1 all the same
	check "on a $what: --best-effort starts" runs 1 --best-effort -p $what.policy
	check "on a $what: it ran" test -e ran
	check "on a $what: said to be degraded" grep -q "DEGRADED: .*by_$what" said
	check "on a $what: reported" event degraded ".degraded.reason | contains(\"by_$what\")"
	check "on a $what: nothing is refused for it" test -z "$(jq -r 'select(.guard.verdict == "blocked").agent.rule_id' events)"
	check "on a $what: watched only is no matter" runs 1 -m monitor -p $what.policy
	check "on a $what: and not degraded" not grep -q DEGRADED said
done
check "a value that is not there reads as empty" runs 1 --best-effort -p value.policy
check "the rule only watches" event by_value '.guard.verdict == "detected" or .guard.verdict == "would_block"'
check "which the load reports" loaded by_value '.warnings[0] | contains("only watches")'
check "the rule without it blocks" bash -c "'$guard' run -q --best-effort -p value.policy -- env false; [ \$? -eq 126 ]"

check "a rule that watches starts" runs 1 -p watching.policy
check "one line for all of it" grep -q "2 things that rules look at cannot be observed" said
check "a field in the report of the load" loaded watch '.warnings[0] | startswith("not observable yet: ")'
check "an event type there" loaded unseen '.status == "filtered" and (.message | startswith("not observable yet: "))'
check "-q says nothing" runs 1 -q -p watching.policy
check "at all" test ! -s said
finish
