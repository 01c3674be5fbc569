#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Kernels that lack something: where a promise needs it guard refuses to start, names it
# and runs nothing; without the rest every verdict is what it always is. An outer
# filter stands for the kernel. Exercises kernel/feature and each of its fallbacks.
. "${srcdir:-.}/tests/live/tap.sh"
need jq
! sanitized || export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

start "$t_do" serve-tcp 127.0.0.1 open.port open.count
start "$t_do" serve-tcp 127.0.0.1 shut.port shut.count
start "$t_do" serve-full 127.0.0.1 full.port
for server in open shut full; do
	eventually test -s "$server.port" || exit 99
done
open=$(cat open.port) shut=$(cat shut.port) full=$(cat full.port)
cp "$t_do" evil
policy both <<END
  - id: exec
    expression: exec.file.path == "$work/evil"
    every: 1ns
    actions:
      - block: {errno: EPERM}
  - id: connect
    expression: connect.addr.port == $shut
    every: 1ns
    actions:
      - block: {errno: EPERM}
END
policy connect <<END
  - id: connect
    expression: connect.addr.port == $shut
    actions:
      - block: {errno: EPERM}
END
policy exec <<END
  - id: exec
    expression: exec.file.path == "$work/evil"
    actions:
      - block: {errno: EPERM}
END
lacking() { "$t_do" without "$1" "$guard" run -q -p "$2.policy" -o "file:$work/events" -- "${@:3}"; }
doctor_misses() # WHAT
{
	"$t_do" without "$1" "$guard" doctor --json >report
	jq -e --arg name "$1" '[.features[] | select(.available | not) | .name] | index($name)' report >/dev/null ||
		{ cat report; return 1; }
}

cat >deeds.sh <<E2
./evil touch deed >/dev/null 2>&1; echo \$?
"$t_do" connect 127.0.0.1 $open
"$t_do" connect 127.0.0.1 $shut
"$t_do" connect-nonblock 127.0.0.1 $open
"$t_do" connect-interrupted 127.0.0.1 $full
(sleep 0.1; kill -USR1 \$\$) & trap 'echo caught' USR1; wait; wait
"$t_do" thread /bin/echo from a thread
E2
# the same on the whole kernel, where nothing is lacking
bare=$(bash deeds.sh 2>&1)
check "without guard all is done" test "$(grep -c 'errno EPERM' <<<"$bare")" -eq 0 -a -e deed
rm -f deed events
whole=$("$guard" run -q -p both.policy -o "file:$work/events" -- bash deeds.sh 2>&1)
check "with guard the forbidden is refused" test ! -e deed -a "$(head -n 1 <<<"$whole")" = 126 -a \
	"$(grep -c 'errno EPERM' <<<"$whole")" -eq 1
check "and the rest is as without guard" test "$(sed '1d; 3d' <<<"$whole")" = "$(sed '1d; 3d' <<<"$bare")"

for what in wait_killable sync_wake_up addfd pidfd_thread pidfd_info io_uring set_tid \
	fanotify_permission wait_killable,sync_wake_up,addfd,pidfd_thread,pidfd_info,io_uring,set_tid; do
	rm -f deed events
	before=$(cat shut.count)
	check "without $what: every verdict is the same" prints "$whole" lacking "$what" both bash deeds.sh
	check "without $what: nothing forbidden was done" test ! -e deed -a "$(cat shut.count)" -eq "$before"
	check "without $what: both are reported" verdicts events exec blocked 1
	check "without $what: and once" verdicts events connect blocked 1
	case $what in
	*,* | fanotify_permission) ;;
	*) check "without $what: doctor says so" doctor_misses "$what" ;;
	esac
done

refused() # WHAT POLICY
{
	rm -f deed
	exits 125 lacking "$1" "$2" "$t_do" touch "$work/deed" 2>refusal || return
	[ "$(wc -l <refusal)" -eq 1 ] && grep -q "^guard: ${3:-$1}, needed so that .*: ..*" refusal ||
		{ echo "says:"; cat refusal; return 1; }
	[ ! -e deed ] || { echo "the command has run"; return 1; }
}
while read -r what; do
	check "without $what: guard does not start, in one line" refused "$what" both
	check "without $what: doctor says so" doctor_misses "$what"
done <<END
process_vm_readv
pidfd
memfd
subreaper
ptrace
openat2
pidfd_getfd
END
check "without user_notification: guard does not start" refused user_notification both listener
check "without seccomp: guard does not start" refused seccomp both user_notification

# what only one kind of event needs is needed by its rules alone
runs() { rm -f deed; exits 0 lacking "$1" "$2" "$t_do" touch "$work/deed" && [ -e deed ]; }
check "rules about connect need no ptrace" runs ptrace connect
check "and hold without it" prints "errno EPERM" lacking ptrace connect "$t_do" connect 127.0.0.1 "$shut"
check "rules about exec need no pidfd_getfd" runs pidfd_getfd exec
check "and hold without it" exits 126 lacking pidfd_getfd exec sh -c ./evil

finish
