#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Sockets of kinds that connect rules do not reach (packet, raw, netlink, vsock, MPTCP)
# are judged at socket(2), by its registers. Exercises engine/registers.c.
. "${srcdir:-.}/tests/live/tap.sh"
need jq python3

cat >"$work/kinds.py" <<'END'
import ctypes, errno, os, socket, sys
# the kernel sees an int: what is in the upper half of a register is nothing to it
domain, kind, protocol = (int(a, 0) for a in sys.argv[1:4])
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.syscall(ctypes.c_long(41 if os.uname().machine == "x86_64" else 198),
                  ctypes.c_ulong(domain), ctypes.c_ulong(kind), ctypes.c_ulong(protocol))
if fd < 0:
    print("errno", errno.errorcode[ctypes.get_errno()])
    sys.exit(1)
# it is the kind that was asked for
s = socket.socket(fileno=fd)
print("ok", s.family.value, s.type & 0xf)
END
sock() { python3 "$work/kinds.py" "$@"; }
guarded()
{
	rm -f "$work/events"
	"$guard" run -q -p "$work/socket.policy" -o "file:$work/events" -- python3 "$work/kinds.py" "$@"
}
policy socket <<'END'
  - id: no_packets
    expression: socket.domain in [AF_PACKET, AF_VSOCK, AF_NETLINK]
    actions:
      - block: {errno: EACCES}
  - id: no_raw
    expression: socket.type == SOCK_RAW && process.file.name =~ "python*"
    actions:
      - block: {errno: EPERM}
  - id: no_mptcp
    expression: socket.protocol == 262
    actions:
      - block: {errno: EPROTONOSUPPORT}
  - id: watch
    expression: socket.domain == AF_INET && socket.type == SOCK_STREAM
    every: 1ns
END

# what, domain, type (with SOCK_CLOEXEC, with junk above), protocol, natively, guarded, rule
sockets="
packet          17            3                      0x300 ok EACCES          no_packets
packet,-cloexec 17            0x80003                0x300 ok EACCES          no_packets
junk-above      0x500000011   0x700000003            0x300 ok EACCES          no_packets
raw-icmp        2             3                      1     ok EPERM           no_raw
raw,-nonblock   2             0x803                  1     ok EPERM           no_raw
raw,-IPv6       10            3                      58    ok EPERM           no_raw
netlink         16            2                      0     ok EACCES          no_packets
vsock           40            1                      0     ok EACCES          no_packets
mptcp           2             1                      262   ok EPROTONOSUPPORT no_mptcp
"
while read -r name domain kind protocol native error rule; do
	[ "$name" ] || continue
	said=$(sock "$domain" "$kind" "$protocol")
	if [[ $said == errno* ]]; then
		skip "$name" "not to be had here without guard either: ${said#errno }"
		continue
	fi
	check "$name: made without guard" prints "$native $((domain & 0xff)) $((kind & 0xf))" \
		sock "$domain" "$kind" "$protocol"
	check "$name: refused" prints "errno $error" guarded "$domain" "$kind" "$protocol"
	check "$name: the event tells the kind" events events \
		"any(.agent.rule_id == \"$rule\" and .guard.verdict == \"blocked\"
		 and .guard.guarantee == \"register\" and .guard.syscall == \"socket\"
		 and .guard.socket.domain and .evt.name == \"socket\")"
done <<<"$sockets"

check "a socket that no rule refuses is made" prints "ok 2 2" guarded 2 2 0
check "and leaves no event" events events 'length == 0'
check "one that is watched is made" prints "ok 2 1" guarded 2 1 0
check "and leaves an event" events events 'length == 1 and (.[0] | .agent.rule_id == "watch" and .guard.verdict == "detected"
	and .guard.socket == {"domain": "AF_INET", "type": "SOCK_STREAM", "protocol": "IPPROTO_IP"})'
check "what the kernel refuses is refused as ever" prints "errno EAFNOSUPPORT" guarded 77 1 0
check "an impossible type as well" prints "errno EINVAL" guarded 2 15 0
finish
