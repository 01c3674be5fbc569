#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Guard without privilege, workload of the same user: it may read guard's files and
# signal its processes, were it not for guard. Exercises the no-new-privs way of
# kernel/launch, engine/exec, engine/connect, engine/kill.
. "${srcdir:-.}/tests/live/tap.sh"
need jq setpriv

[ "$(id -u)" -eq 0 ] || skip_all "needs root, to become nobody"
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
reachable_by_all
chmod 777 .
cp "$t_do_static" doer
cp doer good
cp doer evil
chmod 755 doer good evil
as_nobody ./doer status 0 || skip_all "nobody cannot run programs here"
t_do=$work/doer
for file in open shut; do
	start "$t_do" serve-tcp 127.0.0.1 "$file.port" "$file.count"
done
for file in open shut; do
	eventually test -s "$file.port" || exit 99
done
open=$(cat open.port) shut=$(cat shut.port)
policy plain <<END
  - id: path
    expression: exec.file.path == "$work/evil"
    actions:
      - block: {errno: EPERM}
  - id: argument
    expression: exec.argv in ["evil"]
    actions:
      - block: {errno: EPERM}
  - id: shut
    expression: connect.addr.port == $shut
    actions:
      - block: {errno: EPERM}
END
guarded() { rm -f events; as_nobody timeout -k 5 180 "$guard" run -q -p plain.policy -o "file:$work/events" -- "$@"; }
field() { sed -n "s/.*\\b$1 \\([0-9]*\\).*/\\1/p" score; }

check "an allowed exec runs" exits 0 guarded "$t_do" execve "$work/good" status 0
check "a forbidden exec is refused" prints "errno EPERM" guarded "$t_do" execve "$work/evil" status 0
check "and reported" verdicts events path blocked 1
check "privileges cannot be gained any more" prints "NoNewPrivs:	1" \
	guarded grep NoNewPrivs /proc/self/status
for how in thread-path process-argument; do
	rm -f marks
	guarded "$t_do" race-exec "$how" 1.5 "$work/good" "$work/evil" mark "$work/marks" good >score
	echo "# $how: $(cat score)"
	check "$how: the forbidden one never ran" test ! -e marks -a "$(field wins)" -eq 0
	check "$how: it was tried, refused and killed" \
		test "$(field refused)" -gt 10 -a "$(field caught)" -gt 0 -a "$(field done)" -gt 0
done

check "an allowed connect is made" prints ok guarded "$t_do" connect 127.0.0.1 "$open"
before=$(cat shut.count)
check "a forbidden connect is refused" prints "errno EPERM" guarded "$t_do" connect 127.0.0.1 "$shut"
guarded "$t_do" race-address 1 "$open" "$shut" >score
echo "# race-address: $(cat score)"
check "the forbidden port never hears of it" test "$(cat shut.count)" -eq "$before"

# who cannot be looked into is refused, with the reason
check "a caller that hides does not run the forbidden" not exits 0 guarded "$t_do" undumpable "$work/evil" status 0
check "nor what is allowed, which cannot be known" prints "errno EPERM" guarded "$t_do" undumpable "$work/good" status 0
check "the event says why" events events 'any(.[]; .guard.reason == "target_unreadable")'
cp good secret
chown 65534 secret
chmod 111 secret
check "a program that cannot be read does not run" not exits 0 guarded "$t_do" execve "$work/secret" status 0
check "the event of that says why" events events 'any(.[]; .guard.reason == "target_unreadable")'

# guard's processes are of the same user
for whom in keeper supervisor; do
	cat >inside <<-'END'
		#!/bin/bash
		supervisor=$PPID
		keeper=$(sed -n 's/^PPid:\t//p' "/proc/$supervisor/status")
		"${@:2}" "${!1}"
	END
	chmod 755 inside
	check "guard's $whom cannot be reached" prints "" guarded ./inside $whom "$t_do" grasp
	opens() { guarded ./inside "$whom" "$t_do" proc-mem; }
	check "the memory of guard's $whom does not open" prints "errno EACCES" opens
done
everybody() { as_nobody "$guard" run -q -p plain.policy -- bash -c 'trap "" TERM; kill -KILL -- -1; "$0" execve "$1" status 0; exit 7' "$t_do" "$work/evil"; }
in_pidns() { unshare -pf --mount-proc timeout 120 bash -c "$(declare -f as_nobody everybody); $1"; }
export guard t_do work
if unshare -pf --mount-proc true 2>/dev/null; then
	check "kill(-1) does not end guard" exits 7 in_pidns everybody
fi

# what stands in a directory that guard may not enter is not let through for it
if as_nobody unshare -Urm true 2>/dev/null; then
	policy script <<-END
	  - id: name
	    expression: exec.interpreter.file.path == "$work/evil"
	    actions:
	      - block: {errno: EPERM}
	END
	printf '#!%s mark-for\n' "$work/evil" >script
	chmod 755 script
	hidden() # in its own user namespace the workload has the right to enter
	{
		as_nobody timeout 120 "$guard" run -q -p script.policy -- unshare -Urm bash -c \
			'mount -t tmpfs none /mnt && mkdir /mnt/d && cp script /mnt/d && chmod 000 /mnt/d && exec /mnt/d/script "$work/marks" good'
	}
	rm -f marks
	check "without guard the hidden script runs" exits 33 as_nobody unshare -Urm bash -c \
		'mount -t tmpfs none /mnt && mkdir /mnt/d && cp script /mnt/d && chmod 000 /mnt/d && exec /mnt/d/script "$work/marks" good'
	rm -f marks
	check "with guard it does not" not exits 33 hidden
	check "and has not" test ! -e marks
fi
finish
