#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# exec: path, arguments, names and scripts change between the looks and the use, by a
# thread, another process or a peer in the same memory. The forbidden program notes
# that it ran. Exercises engine/exec, kernel/verify, kernel/resolve, kernel/script.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

seconds=1.5
[ "${TIER:-}" = full ] && seconds=60
cp "$t_do_static" good
cp "$t_do_static" evil
policy race <<END
  - id: path
    expression: exec.file.path == "$work/evil"
    actions:
      - block: {errno: EPERM}
  - id: argument
    expression: exec.argv in ["evil"]
    actions:
      - block: {errno: EPERM}
END
policy interpreter <<END
  - id: path
    expression: exec.interpreter.file.path == "$work/evil"
    actions:
      - block: {errno: EPERM}
END
guarded() { rm -f events; timeout -k 5 180 "$guard" run -q -p "$policy.policy" -o "file:$work/events" -- "$@"; }
field() { sed -n "s/.*\\b$1 \\([0-9]*\\).*/\\1/p" score; }

# The denials and kills that the racer saw are those that are reported, no more and no
# less; and none says of a program that it ran with what was refused.
reported()
{
	events events "(map(select(.guard.verdict == \"blocked\")) | length == $(field denied)) and
		(map(select(.guard.verdict == \"killed\")) | length == $(field killed)) and
		(map(select(.guard.verdict == \"killed\" and .guard.reason != \"changed_after_check\")) | length == 0)"
}

# lose NAME HOW GOOD EVIL [ARG]...: GOOD and EVIL take turns, and EVIL never runs. In
# two looks and one use it comes up often enough for all orders of them.
lose()
{
	local name=$1
	rm -f marks
	guarded "$t_do" race-exec "$2" "$seconds" "${@:3}" >score
	echo "# $name: $(cat score)"
	check "$name: the forbidden one never ran" test ! -e marks -a "$(field wins)" -eq 0
	check "$name: it was tried, refused and killed" \
		test "$(field denied)" -gt 10 -a "$(field killed)" -gt 0 -a "$(field ran)" -gt 0
	check "$name: each refusal is reported" reported
}

# control: without guard all forms run; a naive supervisor loses the race
policy=race
for how in thread-path thread-argument; do
	rm -f marks
	"$t_do" naive 1 "$t_do" race-exec "$how" 1 "$work/good" "$work/evil" mark "$work/marks" good >score
	echo "# naive, $how: $(cat score)"
	check "$how: a naive supervisor lets the forbidden one run" test -s marks
done

for how in thread-path thread-argument process-path process-argument peer-path peer-argument; do
	lose "$how" "$how" "$work/good" "$work/evil" mark "$work/marks" good
done

# a constant path, another file behind it: links change names
ln -s "$work/good" link.good
ln -s "$work/evil" link.evil
lose "links swapped" process-names "$work/link.good" "$work/link.evil" mark "$work/marks" good

# scripts: the forbidden interpreter runs at once, whatever the script says later
printf '#!%s mark-for\n' "$work/good" >script.good
printf '#!%s mark-for\n' "$work/evil" >script.evil
chmod +x script.good script.evil
check "the forbidden interpreter runs without guard" exits 33 ./script.evil "$work/control" good
policy=interpreter
lose "scripts swapped" process-names "$work/script.good" "$work/script.evil" "$work/marks" good
finish
