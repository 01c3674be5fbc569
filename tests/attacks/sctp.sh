#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# sctp_connectx(3) and sctp_bindx(3) are no way past connect(2) and bind(2): where a rule can
# refuse those, their socket options are refused. (Whether the kernel has SCTP or not.) Exercises engine/sctp.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

policy shut <<END
  - id: shut
    expression: connect.addr.port == 9
    actions:
      - block: {errno: EACCES}
END
policy bound <<END
  - id: bound
    expression: bind.addr.port == 9
    actions:
      - block: {errno: EACCES}
END
policy seen <<END
  - id: seen
    expression: connect.addr.port == 9
END
guarded() # POLICY [OPTION]...
{
	rm -f events
	"$guard" run -q -p "$1.policy" "${@:2}" -o "file:$work/events" -- "$t_do" connect-packed 9
}
native=$("$t_do" connect-packed 9)
refused=$(echo "$native" | sed '/^connectx/s/:.*/: errno EPERM/')
check "without guard the kernel answers" test -n "$native"
check "it is something else than the refusal" test "$native" != "$refused"
check "a rule that refuses: EPERM, and other options are the kernel's" prints "$refused" guarded shut
check "each with an event" verdicts events shut blocked 4
check "that says why" events events \
	'map(select(.guard.reason == "unsupported" and .guard.guarantee == "register")) | length == 4'
check "and which call it was" events events 'map(.guard.syscall) | sort == ["getsockopt", "setsockopt", "setsockopt", "setsockopt"]'
check "a rule that refuses binds: the other option" prints "$(echo "$native" | sed '/^bindx/s/:.*/: errno EPERM/')" guarded bound
check "with its event" verdicts events bound blocked 1
check "a rule that reports leaves them to the kernel" prints "$native" guarded seen
check "and so does a guard that only watches" prints "$native" guarded shut -m monitor
shows() { "$guard" check --json shut.policy | jq -e '.rules[0].needs.syscalls | index("setsockopt") and index("getsockopt")'; }
check "guard check says what the rule needs" shows
finish
