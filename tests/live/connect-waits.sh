#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Connects that wait for their peer: each scene of t-wait.c goes under guard as it goes
# without, in a ring and in threads. Exercises kernel/ring, engine/connect_ring,
# engine/connect_wait.
. "${srcdir:-.}/tests/live/tap.sh"

policy waits <<END
  - id: shut
    expression: connect.addr.port == 9
    actions:
      - block: {errno: EPERM}
END
guarded() { timeout -k 5 120 "$guard" run -q -p waits.policy -- "$@"; }
in_threads() { timeout -k 5 120 "$t_do" without-io-uring "$guard" run -q -p waits.policy -- "$@"; }

has_ring() { "$1" doctor | grep -q '^io_uring  *yes   blocking'; }
without() { "$t_do" without-io-uring "$guard" "$@"; }
check "doctor says when connects wait in threads" not has_ring without
ways="in_threads"
if has_ring "$guard"; then
	ways="guarded in_threads"
else
	skip "scenes in a ring" "no io_uring on this machine"
fi

# as_without SCENE FILE: the line of SCENE is the same in FILE as without guard.
as_without()
{
	grep "^$1:" native >one
	grep "^$1:" "$2" >other
	[ -s one ] && diff one other
}
for protocol in tcp mptcp; do
	if ! timeout 60 "$t_do" waits "$protocol" >native 2>/dev/null; then
		skip "scenes with $protocol" "not in this kernel"
		continue
	fi
	for way in $ways; do
		$way "$t_do" waits "$protocol" >said
		while IFS=: read -r scene _; do
			check "$protocol, $way: $scene" as_without "$scene" said
		done <native
	done
done
# the sum of it, so that a native run that went wrong does not pass unseen
check "scenes have come to something" test "$(grep -c '=ok' native)" -ge 10
finish
