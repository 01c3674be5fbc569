#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The bench itself: every row and every arm still runs, with counts too small to
# mean anything. Exercises bench.py and what it starts.
. "${srcdir:-.}/tests/live/tap.sh"
need python3 jq strace
sanitized && skip_all "the figures are of guard as it is built for use"

export PYTHONDONTWRITEBYTECODE=1
bench() { python3 "$srcdir/tests/bench/bench.py" --build "$builddir" --quick "$@"; }
says_json() { jq -e "$2" "$1" >/dev/null || { echo "not so: $2"; jq -c .skipped "$1"; return 1; }; }

prints_decisions()
{
	python3 "$srcdir/tests/bench/mkrules.py" 250 >250.policy &&
		"$builddir/tests/bench/rules" 250.policy "$srcdir/tests/bench/events.ndjson" 2 >decisions &&
		grep -Eq "^250 rules, .* ns a decision, .* quiet of 256 events" decisions
}

check "the bench runs" bench --json bench.json
cp .said table
check "each row has a figure of guard, or a reason" says_json bench.json '
	[.skipped[].workload] as $s |
	all(.rows[]; .arms.guard.median > 0 or (.name as $n | any($s[]; . as $w | $n | startswith($w))))'
check "what is compared has a figure of bare" says_json bench.json '
	all(.rows[]; .arms.bare.median > 0 or (.name | test("^(supervisor|redis|nginx)")))'
check "guard, strace and the floor failed nowhere" says_json bench.json '
	[.skipped[] | select(.arm != "proot" and .arm != "bwrap" and .arm != "firejail")
	 | select(.reason | startswith("failed"))] == []'
check "every target names a row" says_json bench.json '
	[.rows[].name] as $r | all(.targets[]; .row as $t | any($r[]; . == $t))'
check "there is a table of ratios, of floors and of targets" \
	sh -c 'grep -q "^getppid " table && grep -q "^Distance to the floor" table && grep -q "^start <= 4" table'
check "the mechanism alone runs" bench --floor --json floor.json
check "its arms have figures" says_json floor.json '
	.rows[] | select(.name == "vfork-static") | .arms | .bare and .floor and .verify and .ptrace'
check "rows and arms can be chosen" bench --rows 'getppid' --arms bare,guard --json one.json
check "and nothing else runs" says_json one.json '[.rows[].name] == ["getppid"]'
check "decisions alone are measured" prints_decisions
check "an arm that does not exist is an error" exits 2 bench --arms nobody
finish
