#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# bind: refused it has not happened, allowed it ends as the kernel alone would have ended
# it, with the caller's rights and in its place. Exercises engine/bind, kernel/bind.
. "${srcdir:-.}/tests/live/tap.sh"
need jq python3
reachable_by_all

# two ports that nobody has
read -r open shut <<<"$(python3 -c '
import socket
s = [socket.socket() for _ in range(2)]
for x in s: x.bind(("127.0.0.1", 0))
print(*(x.getsockname()[1] for x in s))')"
policy bind <<END
  - id: no_port
    expression: bind.addr.port == $shut
    actions:
      - block: {errno: EPERM}
  - id: watch
    expression: bind.addr.port == $open && bind.addr.family in [AF_INET, AF_INET6]
    every: 1ns
END
guarded()
{
	rm -f "$work/events"
	"$guard" run -q -p "$work/bind.policy" -o "file:$work/events" -- "$@"
}
while read -r type address; do
	name="$type $address"
	check "$name: the refused port can be had without guard" prints ok "$t_do" bind "$type" "$address" "$shut"
	check "$name: the open port can be had" prints ok guarded "$t_do" bind "$type" "$address" "$open"
	check "$name: it is reported once" verdicts events watch detected 1
	protocol=${type/unspecified/tcp}
	check "$name: with the protocol" events events "all(.bind.protocol == \"IP_PROTO_${protocol^^}\")"
	check "$name: the refused port is EPERM and nobody's" prints "errno EPERM" \
		guarded "$t_do" bind "$type" "$address" "$shut"
	check "$name: the refusal is reported once" verdicts events no_port blocked 1
done <<END
tcp 127.0.0.1
tcp 0.0.0.0
tcp ::1
tcp ::ffff:127.0.0.1
udp 127.0.0.1
udp ::
unspecified 0.0.0.0
END

# the same words and files, whoever performs the call
compare() # NATIVE... -- GUARDED...
{
	local native=() result
	while [ "$1" != -- ]; do native+=("$1"); shift; done
	shift
	result=$("${native[@]}")
	[ "$result" = "$("$@")" ] || { diff <(echo "$result") <("$@"); return 1; }
	echo "$result"
}
as_nobody() (
	mkdir -p nobody && chown 65534:65534 nobody && cd nobody || return
	compare setpriv --reuid 65534 --regid 65534 --clear-groups "$t_do" bind-states "$1" -- \
		"$guard" run -q -u nobody -g nogroup -p "$work/bind.policy" -o "file:$work/events" -- "$t_do" bind-states "$1"
)
for state in $("$t_do" bind-states list); do
	check "as without guard: $state" compare "$t_do" bind-states "$state" -- guarded "$t_do" bind-states "$state"
	if [ "$(id -u)" -eq 0 ]; then
		check "as without guard: $state of an unprivileged user" as_nobody "$state"
	else
		skip "as without guard: $state of an unprivileged user" "needs root"
	fi
done
# a right that counts in a network of one's own
if unshare -Urn true 2>/dev/null; then
	check "a low port in a network of one's own" prints ok guarded unshare -Urn "$t_do" bind tcp 0.0.0.0 79
	if [ "$(id -u)" -eq 0 ]; then
		foreign() { guarded unshare -U --map-root-user "$t_do" bind tcp 0.0.0.0 79; }
		check "and not in the one outside" prints "errno EACCES" foreign
	else
		skip "and not in the one outside" "needs root"
	fi
else
	skip "a low port in a network of one's own" "no user namespaces"
fi

# the address changes while guard looks
naive_loses() { ! "$t_do" naive "$shut" "$t_do" race-bind 1 "$open" "$shut" >/dev/null; }
check "a naive supervisor is made to give the port away" eventually naive_loses
guarded "$t_do" race-bind 1 "$open" "$shut" >score
echo "# $(cat score)"
check "guard is not" grep -q 'wins 0$' score
check "and refused some" test "$(sed 's/.*caught \([0-9]*\) .*/\1/' score)" -ge 20

# rules that only watch
policy watch <<END
  - id: watch
    expression: bind.addr.family == AF_UNIX || bind.addr.port == $open
    every: 1ns
END
watched() { rm -f events; "$guard" run -q -p "$work/watch.policy" -o "file:$work/events" -- "$@"; }
check "AF_UNIX is left to the kernel" compare "$t_do" bind-states company -- watched "$t_do" bind-states company
check "and seen" events events 'map(select(.bind.addr.family == "AF_UNIX")) | length >= 9'
check "with the name" events events 'any(.guard.addr_path == "socket")'
check "the open port can be had" prints ok watched "$t_do" bind tcp 127.0.0.1 "$open"
check "and is reported" verdicts events watch detected 1
finish
