#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# exec: path, arguments, names and scripts change between the looks and the use, by a
# thread, another process or a peer in the same memory. The forbidden program notes
# that it ran. Exercises engine/exec, kernel/verify, kernel/resolve, kernel/script.
. "${srcdir:-.}/tests/live/tap.sh"

. "$srcdir/tests/attacks/contest.sh"
quota 1.5 20
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
guarded() { rm -f events; contest_timeout "$guard" run -p "$policy.policy" -o "file:$work/events" -- "$@" 2>told; }

# The denials and kills that the racer saw are those that guard counts and those that are
# reported, no more and no less; and none says of a program that it ran with what was
# refused.
reported()
{
	local refused killed late
	refused=$(lines '"verdict":"blocked"') killed=$(lines '"verdict":"killed"')
	late=$(grep '"verdict":"killed"' events | grep -vc '"reason":"changed_after_check"')
	echo "reported: $refused refused, $killed killed, $late of them for another reason, $(lost) lost"
	grep "^guard: $(field refused) refused, $(field caught) killed" told || { tail -n 1 told; return 1; }
	[ "$late" -eq 0 ] && accounted $((refused + killed)) $(($(field refused) + $(field caught)))
}

# lose NAME HOW GOOD EVIL [ARG]...: GOOD and EVIL take turns, and EVIL never runs. In
# two looks and one use it comes up often enough for all orders of them.
lose()
{
	local name=$1
	rm -f marks
	guarded "$t_do" race-exec "$2" "$quota" "${@:3}" >score
	said "$name" "$([ -e marks ] && wc -l <marks || echo 0)"
	check "$name: the forbidden one never ran" test ! -e marks -a "$(field wins)" -eq 0
	check "$name: it was tried, refused and killed" \
		test "$(field refused)" -gt 10 -a "$(field caught)" -ge "$wanted" -a "$(field done)" -gt 10
	check "$name: each refusal is reported" reported
}

# control: a naive supervisor loses each race
policy=race
naive_lets() # HOW GOOD EVIL [ARG]...
{
	rm -f marks
	contest_timeout "$t_do" naive 1 "$t_do" race-exec "$1" 0.5 "${@:2}" >score
	control=$(field wins)
	[ -s marks ]
}
for how in thread-path thread-argument process-path process-argument peer-path peer-argument; do
	check "$how: a naive supervisor lets the forbidden one run" \
		eventually naive_lets "$how" "$work/good" "$work/evil" mark "$work/marks" good
	lose "$how" "$how" "$work/good" "$work/evil" mark "$work/marks" good
done

# a constant path, another file behind it: links change names
ln -s "$work/good" link.good
ln -s "$work/evil" link.evil
check "links swapped: a naive supervisor lets the forbidden one run" \
	eventually naive_lets process-names "$work/link.good" "$work/link.evil" mark "$work/marks" good
lose "links swapped" process-names "$work/link.good" "$work/link.evil" mark "$work/marks" good

# scripts: the forbidden interpreter runs at once, whatever the script says later
printf '#!%s mark-for\n' "$work/good" >script.good
printf '#!%s mark-for\n' "$work/evil" >script.evil
chmod +x script.good script.evil
check "the forbidden interpreter runs without guard" exits 33 ./script.evil "$work/control" good
policy=interpreter
check "scripts swapped: a naive supervisor lets the forbidden one run" \
	eventually naive_lets process-names "$work/script.good" "$work/script.evil" "$work/marks" good
lose "scripts swapped" process-names "$work/script.good" "$work/script.evil" "$work/marks" good
finish
