#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How much of the language's reference holds: its cases are all here, each once, and so
# many of them pass. What one of them comes to is told by the tests that run them.
# Exercises expressions.jsonl, policy.jsonl, globs.jsonl, constants.tsv, fields.tsv.
. "${srcdir:-.}/tests/live/tap.sh"
rules=$srcdir/tests/rules

# ids FILE PREFIX FIRST LAST: one line for each number, in order
ids()
{
	seq -f "$2-%0${5}g" "$3" "$4" >want
	grep -o '^{"id": *"[^"]*"' "$rules/$1" | sed 's/.*"\(.*\)"/\1/' >have
	diff want have && [ "$(wc -l <"$rules/$1")" -eq "$(wc -l <have)" ]
}
check "expressions.jsonl is whole" ids expressions.jsonl secl 1 409 4
check "policy.jsonl is whole" ids policy.jsonl secl 410 429 4
check "globs.jsonl is whole" ids globs.jsonl glob 1 137 3

# by another way than expressions.sh: result and expectation side by side
expressions()
{
	"$guard" eval --batch <"$rules/expressions.jsonl" >answers || return 1
	jq -c '[.id, (if has("error") then "error" else .result end)]' answers >have
	jq -c '[.id, .expect]' "$rules/expressions.jsonl" >want
	diff want have >differs
	echo "$(($(wc -l <want) - $(grep -c '^<' differs))) of $(wc -l <want)"
	[ ! -s differs ]
}
# told PROGRAM FILTER PATTERN: the line in which a test says how many it found right
told()
{
	(cd "$builddir" && "tests/unit/$1" --verbose --filter "$2" 2>&1) | grep -oE "$3" | head -n 1
}
all() # TEXT: "N of N ..."
{
	[[ $1 =~ ^([0-9]+)\ of\ ([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -eq "${BASH_REMATCH[2]}" ]
}
export srcdir
if command -v jq >/dev/null; then
	count=$(expressions)
	check "$count expressions pass" all "$count"
else
	skip "expressions" "jq is not installed"
fi
count=$(told test_policy_cases 'policy/cases' 'Tested: [0-9]+ . Passing: [0-9]+' |
	sed -E 's/Tested: ([0-9]+) . Passing: ([0-9]+)/\2 of \1/')
check "$count policies pass" all "$count"
check "which are all of them" test "${count#* of }" = "$(wc -l <"$rules/policy.jsonl")"
count=$(told test_secl_match 'secl_match/reference' '[0-9]+ of [0-9]+ patterns')
check "$count pass" all "$count"
check "which are all of them" test "${count#* of }" = "$(wc -l <"$rules/globs.jsonl") patterns"
count=$(told test_field 'field/whole_list' '[0-9]+ of [0-9]+ fields')
check "$count compile" all "$count"
count=$(told test_field 'constants/whole_list' '[0-9]+ of [0-9]+ constants')
check "$count have their value" all "$count"
count=$(told test_consts 'consts/headers' '[0-9]+ of [0-9]+ constants')
check "$count are those of the system headers" test "${count%% *}" -ge 1187
finish
