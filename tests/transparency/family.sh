#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a parent sees of its children under guard is what it would see without: every
# exit status, every deadly signal with its core flag, stops, orphans; and a signal at
# the death of guard's own parent. Exercises kernel/verify, engine/keeper.
. "${srcdir:-.}/tests/live/tap.sh"
. "$srcdir/tests/transparency/compare.sh"

policy blocking <<END
  - id: exec
    expression: exec.file.path == "/nowhere" || exec.argv in ["never"]
    actions:
      - block: {errno: EPERM}
END
(ulimit -c unlimited; timeout -k 1 120 "$t_do" probe-family) >native </dev/null 2>&1
rm -f core*
while read -r name options; do
	# shellcheck disable=SC2086 # several words
	(ulimit -c unlimited; timeout -k 1 120 "$guard" run -q $options -- "$t_do" probe-family) >under </dev/null 2>&1
	rm -f core*
	check "children, $name" same_but "all orphan" native under
done <<END
default-policy
blocking-policy -p blocking.policy
monitoring -p blocking.policy -m monitor
END
check "every status and signal was looked at" test "$(grep -c '^exit\.[0-9]* code 1 ' native)" -eq 256 -a \
	"$(grep -c '^signal\.[0-9]* code [23] ' native)" -gt 50
check_exceptions orphan

# guard's parent dies: what was asked for then comes to the command, once
for prefix in "env" "$guard run -q -p blocking.policy --"; do
	rm -f ready log end
	# shellcheck disable=SC2086 # several words
	start "$t_do" die-before 15 end $prefix "$t_do" catch ready log
	eventually test -s ready
	: >end
	heard() { [ "$(cat log)" = TERM ]; }
	check "a signal at the death of the parent: ${prefix%% *}" eventually heard
	kill -USR2 "$(cat ready)"
	gone() { [ ! -e "/proc/$1/root" ]; }
	check "and it comes once: ${prefix%% *}" eventually gone "$(cat ready)"
	check "nothing else came: ${prefix%% *}" prints $'TERM\nUSR2' cat log
done
finish
