#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every expression of expressions.jsonl through `guard eval --batch`: result or
# error as expected. Exercises src/secl, src/model/recorded.c, src/cmd/eval.c.
cases=$srcdir/tests/rules/expressions.jsonl
answers=$(mktemp) || exit 99
trap 'rm -f "$answers"' EXIT

"$top_builddir/guard" eval --batch <"$cases" >"$answers"
status=$?

# id and outcome of each line, in the order of the input
outcome() {
	sed 's/^{"id":"\([^"]*\)".*"expect":"\{0,1\}\([a-z]*\).*/\1 \2/' "$cases"
}
answer() {
	sed -e 's/^{"id":"\([^"]*\)","result":\([a-z]*\)}$/\1 \2/' \
		-e 's/^{"id":"\([^"]*\)","error":.*}$/\1 error/' "$answers"
}

outcome >"$answers.want"
answer >"$answers.have"
trap 'rm -f "$answers" "$answers.want" "$answers.have"' EXIT

total=$(wc -l <"$cases")
echo "1..$((total + 2))"
if [ "$total" -ge 409 ]; then echo "ok 1 - all 409 cases are here"; else echo "not ok 1 - all 409 cases are here"; fi
if [ "$status" -eq 0 ]; then echo "ok 2 - batch ends with 0"; else echo "not ok 2 - batch ends with $status"; fi
n=2
while read -r id want <&3; do
	n=$((n + 1))
	have=
	read -r have <&4 || have=nothing
	if [ "$have" = "$id $want" ]; then
		echo "ok $n - $id"
	else
		echo "not ok $n - $id: expected $want, got $have"
	fi
done 3<"$answers.want" 4<"$answers.have"
