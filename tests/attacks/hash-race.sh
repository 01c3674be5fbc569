#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A program is written to while it is executed: what a rule forbids by its hash never
# runs. On a disk, where hashes are remembered, and in memory, where a mapping can be
# written to without a new time. Exercises engine/exec_hash, kernel/digest.
. "${srcdir:-.}/tests/live/tap.sh"
need jq sha256sum

seconds=1.5
[ "${TIER:-}" = full ] && seconds=60
guarded() { rm -f events; timeout -k 5 180 "$guard" run -q -p hashes.policy -o "file:$work/events" -- "$@"; }
field() { sed -n "s/.*\\b$1 \\([0-9]*\\).*/\\1/p" score; }
reported()
{
	events events "(map(select(.guard.verdict == \"blocked\")) | length == $(field denied)) and
		(map(select(.guard.verdict == \"killed\")) | length == $(field killed))"
}

{ cat "$t_do_static"; printf g; } >good
{ cat "$t_do_static"; printf e; } >evil
policy hashes <<END
  - id: evil
    expression: exec.file.hashes in ["sha256:$(sha256sum <evil | cut -d' ' -f1)"]
    actions:
      - block: {errno: EPERM}
END

# DIRECTORY: where the program lies
race()
{
	local how=$1 directory=$2 program=$2/program

	cp good "$program" && chmod +x "$program"
	rm -f marks
	if [ "$how" = write ]; then
		"$t_do" race-rewrite "$how" 0.5 "$program" "$work/marks" 0 >score &
		wait "$!"
		check "$how, $directory: without guard both run" grep -q 'g*e.*g\|e*g.*e' marks
		rm -f marks
	fi
	guarded "$t_do" race-rewrite "$how" "$seconds" "$program" "$work/marks" 10 >score
	echo "# $how, $directory: $(cat score)"
	check "$how, $directory: the forbidden content never ran" not grep -q e marks
	check "$how, $directory: it was tried and refused" test "$(field denied)" -ge 10
	check "$how, $directory: each refusal is reported" reported
	# while it changes all the time there may be no moment to hash it in
	cp good "$program"
	guarded "$program" look-at-self "$work/marks"
	check "$how, $directory: the other one runs" grep -q g marks
}

for how in write map times; do
	race "$how" "$work"
done
memory=$(mktemp -d /dev/shm/guard-test.XXXXXX 2>/dev/null) || memory=
if [ -n "$memory" ] && cp "$t_do_static" "$memory/try" 2>/dev/null && "$memory/try" status 0; then
	trap 'rm -rf "$memory"; tap_leave' EXIT
	for how in write map times; do
		race "$how" "$memory"
	done
else
	rm -rf "$memory"
	skip "in memory" "programs cannot be executed in /dev/shm"
fi
finish
