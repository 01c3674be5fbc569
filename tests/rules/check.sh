#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# guard check: its JSON, its exit status, and what it says to a person.
# Exercises policy/load, cmd/check.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

cat >good.policy <<'END'
version: 3.2.1
macros:
  - {id: TOOLS, values: [nc, ncat]}
rules:
  - id: watch
    expression: exec.file.name in TOOLS
  - id: refuse
    expression: connect.addr.port == 25
    protetcion: blocking
    actions:
      - block: {errno: EACCES}
  - id: later
    expression: open.file.path == "/etc/shadow"
  - id: other
    filters: [os == "windows"]
    expression: exec.cmdline == "x"
  - id: off
    expression: exec.pid == 1
    disabled: true
END
cat >bad.policy <<'END'
rules:
  - id: wrong
    expression: >-
      exec.file.name == "a" ||
      exec.file.nmae == "b"
  - id: right
    expression: exec.file.name == "c"
END
cat >action.policy <<'END'
rules:
  - id: half
    expression: exec.file.name == "c"
    actions: [{log: {level: loud}}]
END
: >empty.policy

# shows PATTERN COMMAND...: standard output has a line that matches.
shows() { "${@:2}" >shown; grep -Eq -e "$1" shown || { cat shown; return 1; }; }
json() { "$guard" check --json "$@" >json; }
# holds FILTER: the JSON document, seen through FILTER, is true.
holds() { jq -e "$1" json >/dev/null || { jq -c . json; return 1; }; }
rule() { holds ".rules[] | select(.id == \"$1\") | $2"; }

check "a good policy has status 0" json good.policy
check "the document is one line" test "$(wc -l <json)" -eq 1
check "it has the keys of the contract" holds '
	([.policies[0] | has("name", "version", "status")] | all) and (.macros | length == 1) and
	([.rules[] | has("id", "policy", "event", "status", "message", "line", "column",
		"protection", "guarantee", "needs", "warnings")] | all) and
	([.rules[].needs | has("syscalls", "paths")] | all)'
check "the policy is named" holds '.policies[0] | .name == "good.policy" and .version == "3.2.1" and .status == "loaded"'
check "a monitoring rule" rule watch '.status == "loaded" and .event == "exec" and .protection == "monitoring"'
check "it needs execve and execveat" rule watch '.needs.syscalls | index("execve") != null and index("execveat") != null'
check "it is verified" rule watch '.guarantee == "verified"'
check "a blocking rule" rule refuse '.protection == "blocking" and .guarantee == "emulated" and .event == "connect"'
check "it needs connect" rule refuse '.needs.syscalls | index("connect") != null'
check "the misspelt key is a warning" rule refuse '.warnings | length == 1 and (.[0] | contains("protection"))'
check "what is not watched is filtered" rule later '.status == "filtered" and (.message | contains("not enabled"))'
check "a rule for another system is filtered" rule other '.status == "filtered"'
check "a disabled rule" rule off '.status == "disabled" and .protection == "disabled"'

check "a broken rule has status 1" exits 1 json bad.policy
check "it is an error with its place" rule wrong '.status == "error" and .line == 5 and .column == 7'
check "the message has a hint" rule wrong '.message | contains("exec.file.name")'
check "the other rule is loaded" rule right '.status == "loaded"'
check "an action that is left out has status 1" exits 1 json action.policy
check "its rule is an error that says so" rule half '.status == "error" and (.message | contains("loaded without it"))'
check "an empty policy has status 1" exits 1 json empty.policy
check "its status is error" holds '.policies[0].status == "error"'
check "two policies" exits 1 json good.policy bad.policy
check "both are there" holds '.policies | length == 2'
check "a missing policy has status 1" exits 1 json no-such.policy
check "a bad option has status 1" exits 1 "$guard" check --jsn
check "and a hint" says "did you mean '--json'" "$guard" check --jsn
check "the built-in policy is right" "$guard" check --config /dev/null "$srcdir/conf/policies/default.policy"
check "the examples are right" "$guard" check "$srcdir/conf/policies/examples"

cat >fields.policy <<'EOF'
version: 1.0.0
rules:
  - id: unknown_value
    expression: exec.file.package.name == "x" && exec.file.name == "id"
  - id: unseen
    expression: open.file.path == "/etc/shadow"
  - id: name
    expression: connect.addr.hostname == "a.example"
    actions: [{block: {}}]
  - id: refuse_value
    expression: exec.file.package.name == "x"
    actions: [{block: {}}]
  - id: refuse_scope
    expression: exec.file.name == "x"
    actions: [{kill: {signal: SIGKILL}, filter: container.tags == "a"}]
  - id: refuse_unseen
    expression: open.file.path == "/etc/shadow"
    actions: [{block: {}}]
  - id: log_scope
    expression: exec.file.name == "x"
    actions: [{log: {level: info}, filter: container.tags == "a"}, {block: {}}]
  - id: wrong_event
    expression: connect.addr.port == 5 && network.size > 5
EOF
json fields.policy >/dev/null 2>&1
check "a field without a value is a warning" rule unknown_value '.status == "loaded" and
	.warnings == ["not observable yet: this version of guard does not know the value of exec.file.package.name: it reads as empty or 0"]'
check "an event type without a source is one, too" rule unseen '.status == "filtered" and .event == "open" and
	(.warnings | length == 1 and (.[0] | startswith("not observable yet: ")))'
check "names that only DNS knows are one" rule name '.status == "loaded" and .protection == "blocking" and
	(.warnings[0] | startswith("not observable yet: of connect.addr.hostname"))'
check "a blocking rule on such a field is an error" rule refuse_value '.status == "error" and
	(.message | startswith("cannot be enforced: not observable yet: ") and contains("exec.file.package.name"))'
check "one on such a scope" rule refuse_scope '.status == "error" and (.message | contains("container.tags"))'
check "one on such an event type" rule refuse_unseen '.status == "error" and .event == "open" and
	(.message | startswith("cannot be enforced: not observable yet: "))'
check "but not one that only logs so" rule log_scope '.status == "loaded" and .protection == "blocking" and (.warnings | length == 1)'
check "a field of other events is an error" rule wrong_event '.status == "error" and (.message | contains("network.size"))'

"$guard" check fields.policy >text
check "people are told, too" grep -q "^fields.policy:4:17: warning: rule 'unknown_value': not observable yet: " text
check "of what is filtered" grep -q "^fields.policy:5:5: rule 'unseen': not observable yet: " text

# where another supervisor answers already, guard cannot
printf 'rules:\n  - {id: none, expression: exec.pid == 0}\n' >none.policy
if "$guard" run -q -p none.policy -- true 2>/dev/null; then
	"$guard" run -q -p none.policy -o file:/dev/null -- "$guard" check --json good.policy >json
	check "not observable here: a warning" rule watch '.status == "loaded" and (.warnings[0] |
		startswith("not observable here: listener"))'
	check "not observable here: an error of what blocks" rule refuse '.status == "error" and .protection == "blocking" and
		(.message | startswith("cannot be enforced: not observable here: "))'
else
	skip "not observable here" "guard cannot run here"
fi

"$guard" check good.policy >text
check "a table" grep -Eq '^RULE +EVENT +PROTECTION +STATE +GUARANTEE +NEEDS$' text
check "a line for each rule" grep -Eq '^refuse +connect +blocking +loaded +emulated +connect,' text
check "of what is not loaded, too" grep -Eq '^later +open +- +filtered +- +-$' text
"$guard" check bad.policy >text
check "the place, as compilers write it" grep -q "^bad.policy:5:7: rule 'wrong': " text
check "the source line" grep -q '^ *exec.file.nmae == "b"$' text
check "the caret is below the error" awk '/nmae == "b"$/ { at = index($0, "exec") } /^ *\^$/ { caret = index($0, "^") }
	END { exit !(at && at == caret) }' text
check "the summary" grep -q '^1 rule loaded, 1 error$' text
"$guard" check good.policy >text
check "the summary of many" grep -q '^2 rules loaded (1 blocking), 2 filtered, 1 disabled, 1 warning$' text

check "a rule is explained" shows "block with EACCES" "$guard" check --explain refuse good.policy
check "its field is there" shows "connect.addr.port.*memory" "$guard" check --explain refuse good.policy
check "a rule that is not there" exits 1 "$guard" check --explain refsue good.policy
check "and the nearest one" says "did you mean 'refuse'" "$guard" check --explain refsue good.policy
check "a broken rule is explained by its error" shows "exec.file.nmae" "$guard" check --explain wrong bad.policy

# what is probably not meant, or dear
cat >advice.policy <<'EOF'
rules:
  - {id: suffix, expression: 'exec.file.path in [~"*/name", ~"**/other", ~"/etc/**"]'}
  - {id: prefix, expression: 'exec.file.path in [~"/usr/*", "/x"] && exec.comm =~ r"foo.*"'}
  - {id: plain, expression: 'exec.file.path in ["/usr/*"]'}
  - {id: dots, expression: 'exec.comm =~ r"^.$" && exec.file.name == "x"'}
  - {id: yes, expression: 'exec.pid == 1 || true'}
  - {id: no, expression: 'exec.pid == 1 && false'}
  - {id: range, expression: 'exec.pid > 5'}
  - {id: number, expression: 'exec.pid == 5'}
EOF
json advice.policy
warns() { rule "$1" ".warnings | length == ${3:-1} and any(contains(\"$2\"))"; }
check "a wildcard at the beginning" warns suffix 'wildcard prefix forces a full scan: ~\"'
check "once for a rule" rule suffix '.warnings[0] | endswith(" and 1 more")'
check "not one in the middle" rule prefix '.warnings == []'
check "a text that looks like a pattern" warns plain 'compared as it stands'
check "a regexp without a literal" warns dots 'regular expression without a literal'
check "a rule that is always true" warns yes 'always true' 2
check "a rule that is always false" warns no 'always false' 2
check "one that no index helps" warns range 'no index'
check "one that it does" rule number '.warnings == []'
"$guard" check --explain prefix advice.policy >text
check "the program" grep -q '^    all of, until one is false$' text
check "its first step" grep -Eq '^      exec.file.path is one of 1 text, 1 path pattern .weight [0-9]+.$' text
check "a single literal" grep -q 'exec.comm is r"foo\.\*"' text
check "the index" grep -Eq '^  index +of 8 rules about exec, [0-9]+ of which' text

cat >shared.policy <<'EOF'
macros: [{id: SHELLS, values: [sh, bash]}]
rules:
  - {id: one, expression: 'exec.comm in SHELLS && process.ancestors.file.name == "nginx"'}
  - {id: two, expression: 'exec.uid == 0 && exec.comm not in SHELLS'}
EOF
check "what rules have in common" shows "predicates +2, 1 of them shared, 1 inherited" "$guard" check --explain one shared.policy
check "and how often" shows "not on exec.comm: 2 uses" "$guard" check --explain two shared.policy

# whatever bytes a file holds, the document is JSON and the terminal is safe
printf 'rules:\n  - id: a\n    description: "\\e[2J"\n    expression: exec.file.name == "\342\200\256"\n' >odd.policy
check "odd bytes are JSON" json odd.policy
printf 'rules:\n  - id: a\n    "\\e[2J": 1\n    expression: exec.pid == 1\n' >odd.policy
no_escape() { "$guard" check odd.policy >text; ! grep -q $'\033' text; }
check "no escape reaches the terminal" no_escape
finish
