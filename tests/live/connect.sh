#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# connect in its forms: performed on behalf of the program it gives what the kernel
# would have given; refused it reaches nobody. Exercises kernel/connect.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

start "$t_do" serve-tcp 127.0.0.1 open.port open.count
start "$t_do" serve-tcp 127.0.0.1 shut.port shut.count
start "$t_do" serve-udp 127.0.0.1 udp-open.port udp-open.count
start "$t_do" serve-udp 127.0.0.1 udp-shut.port udp-shut.count
start "$t_do" serve-full 127.0.0.1 full.port
for file in open shut udp-open udp-shut full; do
	eventually test -s "$file.port" || exit 99
done
port() { cat "$work/$1.port"; }
count() { cat "$work/$1.count"; }
counted() { [ "$(count "$1")" -eq "$2" ]; }

policy connect <<END
  - id: no_port
    expression: connect.addr.port in [$(port shut), $(port udp-shut)] && connect.addr.ip == 127.0.0.1
    actions:
      - block: {errno: EPERM}
  - id: watch
    expression: connect.addr.port in [$(port open), $(port udp-open)]
    every: 1ns
END
guarded()
{
	rm -f "$work/events"
	"$guard" run -q -p "$work/connect.policy" -o "file:$work/events" -- "$@"
}
# reaches SERVER COMMAND...: COMMAND says ok and SERVER has counted one more.
reaches()
{
	local before
	before=$(count "$1")
	"${@:2}" | grep -q 'ok$' || { echo "does not say ok"; return 1; }
	eventually counted "$1" "$((before + 1))"
}
# reaches_not SERVER TEXT COMMAND...: COMMAND says TEXT and SERVER has counted nothing.
reaches_not()
{
	local before
	before=$(count "$1")
	prints "$2" "${@:3}" || return
	# a later connect that is counted shows that an earlier one would have been
	"$t_do" "$([[ $1 == udp* ]] && echo connect-udp || echo connect)" 127.0.0.1 "$(port "$1")" >/dev/null
	eventually not counted "$1" "$before"
	counted "$1" "$((before + 1))" || { echo "the server counted it"; return 1; }
}

# form, address, open server, refused server
forms="
connect          127.0.0.1        open     shut
connect          ::ffff:127.0.0.1 open     shut
connect-udp      127.0.0.1        udp-open udp-shut
connect-udp      ::ffff:127.0.0.1 udp-open udp-shut
connect-nonblock 127.0.0.1        open     shut
"
for doer in "$t_do" "$t_do_static"; do
	kind=$(basename "$doer")
	while read -r form address open shut; do
		[ -n "$form" ] || continue
		name="$kind $form $address"
		check "$name: the refused port answers without guard" \
			reaches "$shut" "$doer" "$form" "$address" "$(port "$shut")"
		check "$name: the open port answers" reaches "$open" guarded "$doer" "$form" "$address" "$(port "$open")"
		check "$name: it is reported once" verdicts events watch detected 1
		check "$name: the refused port is EPERM and unheard" \
			reaches_not "$shut" "errno EPERM" guarded "$doer" "$form" "$address" "$(port "$shut")"
		check "$name: the refusal is reported once" verdicts events no_port blocked 1
	done <<<"$forms"
done

# as_native COMMAND...: the same words and status with and without guard.
as_native()
{
	local native under
	native=$("$@"; echo "status $?")
	under=$(guarded "$@"; echo "status $?")
	[ "$native" = "$under" ] || { diff <(echo "$native") <(echo "$under"); return 1; }
	echo "$native"
}
closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
while read -r name form address server; do
	check "as without guard: $name" as_native "$t_do" "$form" "$address" "$server"
done <<END
a-closed-port connect 127.0.0.1 $closed
a-closed-port,non-blocking connect-nonblock 127.0.0.1 $closed
a-closed-port,UDP connect-udp 127.0.0.1 $closed
connecting-twice connect-again 127.0.0.1 $(port open)
wrong-arguments connect-wrong 127.0.0.1 $(port open)
no-route connect 240.0.0.1 80
port-0 connect 127.0.0.1 0
broadcast connect 255.255.255.255 80
IPv6-loopback,closed connect ::1 $closed
a-full-queue,interrupted connect-interrupted 127.0.0.1 $(port full)
a-full-queue,SO_SNDTIMEO connect-timeout 127.0.0.1 $(port full)
END
check "an interrupted connect is EINTR" prints "errno EINTR" \
	guarded "$t_do" connect-interrupted 127.0.0.1 "$(port full)"
check "a timed-out connect is EINPROGRESS" prints "errno EINPROGRESS" \
	guarded "$t_do" connect-timeout 127.0.0.1 "$(port full)"
check "AF_UNIX goes its own way" as_native "$t_do" connect-unix /nowhere/socket

# a waiting connect holds up nobody else
waits_beside()
{
	guarded bash -c "'$t_do' connect-interrupted 127.0.0.1 $(port full) & '$t_do' connect 127.0.0.1 $(port open); wait" |
		head -n 1
}
check "while one waits another one connects" prints ok waits_beside

# the killing form
policy doom <<END
  - id: doom
    expression: connect.addr.port == $(port shut)
    actions:
      - kill: {signal: SIGKILL, scope: process}
END
doomed() { "$guard" run -q -p "$work/doom.policy" -o "file:$work/doom.events" -- "$@"; }
before=$(count shut)
check "a connect that kills" exits 137 doomed "$t_do" connect 127.0.0.1 "$(port shut)"
check "reaches nobody" test "$(count shut)" -eq "$before"
check "and is reported" verdicts doom.events doom killed 1
finish
