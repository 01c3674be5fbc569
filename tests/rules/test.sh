#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# guard test: TAP, exit status, and what it says about mistakes. Exercises cmd/test.
. "${srcdir:-.}/tests/live/tap.sh"

mkdir policies
cat >policies/shop.policy <<'END'
version: 1.0.0
macros:
  - {id: TOOLS, values: [nc, ncat]}
rules:
  - id: no_netcat
    expression: exec.file.name in TOOLS && process.parent.comm == "sh"
    actions: [{block: {errno: EPERM}}]
  - id: shadow
    expression: open.file.path == "/etc/shadow" && open.flags & O_RDWR > 0
  - id: fim
    expression: fim.write.file.path in [~"/etc/**"]
  - id: broken
    expression: exec.file.nmae == "x"
  - id: windows
    filters: [os == "windows"]
    expression: exec.cmdline == "x"
END
# tests NAME: standard input becomes NAME.yaml
tests() { cat >"$1.yaml"; }
tests good <<'END'
# a comment before the first document
rule: no_netcat
policy: policies/shop.policy
event: exec
cases:
  - name: of a shell
    fields: {exec.file.name: nc, process.parent.comm: sh}
    expect: match
  - fields: {exec.file.name: nc, process.parent.comm: "sudo"}
    expect: no-match
  - name: a block that is no marker
    fields:
      exec.file.name: nc
      process.parent.comm: |-
        sh
        ---
    expect: no-match
  - name: of another type
    event: connect
    fields: {connect.addr.port: 25}
    expect: error
---
rule: shadow
policy: policies/shop.policy
cases:
  - {event: open, fields: {open.file.path: /etc/shadow, open.flags: 2}, expect: match}
  - {event: open, fields: {open.file.path: /etc/shadow}, expect: no-match}
---
rule: fim
policy: policies/shop.policy
cases:
  - {event: unlink, fields: {unlink.file.path: /etc/motd}, expect: match}
  - {event: chmod, fields: {chmod.file.path: /tmp/x}, expect: no-match}
---
rule: broken
policy: policies/shop.policy
cases: [{event: exec, expect: error}]
---
rule: windows
policy: policies/shop.policy
cases: [{event: exec, expect: error}]
---
expression: connect.addr.ip in [10.0.0.0/8] && ${allowed}
cases:
  - {fields: {connect.addr.ip: 10.1.2.3}, vars: {allowed: true}, expect: match}
  - {fields: {connect.addr.ip: 10.1.2.3}, vars: {allowed: false}, expect: no-match}
---
expression: exec.file.name in SET && process.created_at > 5s
macros: {SET: [a, b]}
cases:
  - {fields: {exec.file.name: b, process.created_at: {$now_s: -9}}, expect: match}
  - {fields: {exec.file.name: b, process.created_at: 0}, now: 10000000000, expect: match}
---
rule: passwd_execution
cases:
  - {event: exec, fields: {exec.file.path: /usr/bin/true}, expect: no-match}
END
tests wrong <<'END'
expression: exec.file.name == "a"
cases:
  - {name: right, fields: {exec.file.name: a}, expect: match}
  - {name: "wrong # SKIP", fields: {exec.file.name: b}, expect: match}
  - {name: an error, fields: {exec.file.name: 7}, expect: match}
END
prints_line() { grep -qE -e "$1" said || { cat said; return 1; }; }
# asks STATUS FILE...: what was said is in ./said
asks() { "$guard" test "${@:2}" >said 2>&1; [ $? -eq "$1" ] || { cat said; return 1; }; }

builtin_rule=$("$guard" check --json | jq -r 'first(.rules[] | select(.event == "exec")).id')
sed -i "s/passwd_execution/$builtin_rule/" good.yaml

check "as expected" asks 0 good.yaml
check "TAP: version" prints_line '^TAP version 13$'
check "TAP: plan" prints_line '^1\.\.15$'
check "TAP: name with file and line" prints_line '^ok 1 - good\.yaml:6: no_netcat: of a shell$'
check "a case without a name has a number" prints_line '^ok 2 - good\.yaml:9: no_netcat: case 2$'
check "lines go on in later documents" prints_line '^ok 5 - good\.yaml:26: shadow: case 1$'
check "nothing failed" not grep -q '^not ok' said
check "standard input" bash -c "'$guard' test - <wrong.yaml | grep -q '^not ok 2 - -:4: '"
check "not as expected: status 1" asks 1 wrong.yaml
check "what was expected" prints_line '^#   expected match, got no-match$'
check "a name begins no directive" prints_line 'wrong \\# SKIP$'
check "why it is an error" prints_line 'exec\.file\.name'
check "files follow each other" asks 1 good.yaml wrong.yaml
check "in one plan" prints_line '^1\.\.18$'
tests short <<'END'
rule: no_netcat
cases: [{event: exec, fields: {exec.file.name: ncat, process.parent.comm: sh}, expect: match}]
END
check "policies by option" asks 0 -p policies short.yaml

# mistake, what is said, the document
while IFS='|' read -r name text document; do
	printf '%b' "$document" >mistake.yaml
	check "$name: status 2" asks 2 -p policies mistake.yaml
	check "$name: says why" prints_line "$text"
	check "$name: is a failed case" prints_line '^not ok [12] - mistake\.yaml'
done <<'END'
no such rule|no rule 'no_netcut', did you mean 'no_netcat'|rule: no_netcut\ncases: [{expect: match}]\n
no such policy|nowhere.policy: No such file|rule: x\npolicy: nowhere.policy\ncases: [{expect: match}]\n
rule and expression|either rule or expression|rule: x\nexpression: "true"\ncases: [{expect: match}]\n
neither|either rule or expression|cases: [{expect: match}]\n
no cases|expected a list of cases|expression: exec.pid == 1\n
empty cases|expected a list of cases|expression: exec.pid == 1\ncases: []\n
misspelt key|unknown key 'exprssion', did you mean 'expression'|exprssion: exec.pid == 1\n
misspelt key of a case|unknown key 'expects', did you mean 'expect'|expression: exec.pid == 1\ncases: [{expects: match}]\n
no expectation|must be match, no-match or error|expression: exec.pid == 1\ncases: [{event: exec}]\n
case is a text|expected a mapping|expression: exec.pid == 1\ncases: [x]\n
no YAML|line 2: |rule: [\n
a list|line 1: expected a mapping|- rule\n
second document is no YAML|line 5: not valid YAML|expression: exec.pid == 1\ncases: [{expect: no-match}]\n---\nrule: "\n
alias|line 1: |rule: *x\n
empty|there is no test in it|\n
comment only|there is no test in it|# nothing\n---\n
no event type|"exce" is no event type|rule: no_netcat\nevent: exce\ncases: [{expect: match}]\n
END
check "no file: status 2" asks 2
check "no such file: status 2" asks 2 nowhere.yaml
check "it is named" prints_line 'cannot read nowhere\.yaml: No such file'
check "a directory" asks 2 policies
check "unknown option" asks 2 --frob
check "help" asks 0 --help
check "a full disk is noticed" bash -c "'$guard' test good.yaml >/dev/full 2>said; [ \$? -eq 2 ]"
finish
