#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# sendto, sendmsg and sendmmsg in their forms: a message to a refused peer reaches
# nobody, every other one ends as the kernel alone would have ended it. Exercises
# engine/send, kernel/send.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

start "$t_do" serve-tcp 127.0.0.1 tcp-open.port tcp-open.count
start "$t_do" serve-tcp 127.0.0.1 tcp-shut.port tcp-shut.count
start "$t_do" serve-udp 127.0.0.1 udp-open.port udp-open.count
start "$t_do" serve-udp 127.0.0.1 udp-shut.port udp-shut.count
for file in tcp-open tcp-shut udp-open udp-shut; do
	eventually test -s "$file.port" || exit 99
done
port() { cat "$work/$1.port"; }
count() { cat "$work/$1.count"; }
counted() { [ "$(count "$1")" -eq "$2" ]; }

policy send <<END
  - id: no_port
    expression: connect.addr.port in [$(port tcp-shut), $(port udp-shut)] && connect.addr.ip == 127.0.0.1
    actions:
      - block: {errno: EPERM}
  - id: watch
    expression: connect.addr.port in [$(port tcp-open), $(port udp-open)] && connect.addr.ip == 127.0.0.1
    every: 1ns
END
guarded()
{
	rm -f "$work/events"
	"$guard" run -q -p "$work/send.policy" -o "file:$work/events" -- "$@"
}
reaches() # SERVER COMMAND...
{
	local before
	before=$(count "$1")
	"${@:2}" | grep -q 'ok$' || { echo "does not say ok"; return 1; }
	eventually counted "$1" "$((before + 1))"
}
reaches_not() # SERVER COMMAND...
{
	local before
	before=$(count "$1")
	prints "errno EPERM" "${@:2}" || return
	# a later one that is counted shows that an earlier one would have been
	"$t_do" "$([[ $1 == udp* ]] && echo connect-udp || echo connect)" 127.0.0.1 "$(port "$1")" >/dev/null
	eventually not counted "$1" "$before"
	counted "$1" "$((before + 1))" || { echo "the server counted it"; return 1; }
}

# form, address, kind of server, refusals
forms="
sendto            127.0.0.1        udp 1
sendto            ::ffff:127.0.0.1 udp 1
sendmsg           127.0.0.1        udp 1
sendmsg           ::ffff:127.0.0.1 udp 1
sendmmsg          127.0.0.1        udp 1
second            127.0.0.1        udp 2
high              127.0.0.1        udp 1
unspecified       127.0.0.1        udp 1
connected         127.0.0.1        udp 1
inet-on-inet6     127.0.0.1        udp 1
fastopen-sendto   127.0.0.1        tcp 1
fastopen-sendmsg  127.0.0.1        tcp 1
fastopen-sendmmsg 127.0.0.1        tcp 1
fastopen-nonblock 127.0.0.1        tcp 1
"
while read -r form address kind refusals; do
	[ -n "$form" ] || continue
	name="$form $address"
	check "$name: the refused port answers without guard" \
		reaches "$kind-shut" "$t_do" send-form "$form" "$address" "$(port "$kind-shut")"
	check "$name: the open port answers" \
		reaches "$kind-open" guarded "$t_do" send-form "$form" "$address" "$(port "$kind-open")"
	check "$name: it is reported once" verdicts events watch detected 1
	check "$name: the refused port is EPERM and unheard" \
		reaches_not "$kind-shut" guarded "$t_do" send-form "$form" "$address" "$(port "$kind-shut")"
	check "$name: the refusal is reported" verdicts events no_port blocked "$refusals"
	check "$name: with its system call" events events 'map(select(.agent.rule_id == "no_port"))
		| all(.guard.syscall | test("^send(to|msg|mmsg)$"))'
done <<<"$forms"
check "a deferred connect is judged when it is made" \
	reaches_not tcp-shut guarded "$t_do" send-deferred 127.0.0.1 "$(port tcp-shut)"
check "and goes through to the open port" \
	reaches tcp-open guarded "$t_do" send-deferred 127.0.0.1 "$(port tcp-open)"

# every error and state, on sockets that the program makes itself
as_native()
{
	local native under
	native=$("$@"; echo "status $?")
	under=$(guarded "$@"; echo "status $?")
	[ "$native" = "$under" ] || { diff <(echo "$native") <(echo "$under"); return 1; }
	echo "$native"
}
for state in $("$t_do" send-states list); do
	check "as without guard: $state" as_native "$t_do" send-states "$state"
done

# guard's own rights are not lent: SO_MARK in a control message takes one
reachable_by_all
as_nobody()
{
	local native under
	native=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$t_do" send-states control-messages)
	under=$("$guard" run -q -u nobody -g nogroup -p "$work/send.policy" -o "file:$work/events" -- \
		"$t_do" send-states control-messages)
	grep -q "^SO_MARK: EPERM" <<<"$native" || { echo "no right is needed here"; return 1; }
	[ "$native" = "$under" ] || { diff <(echo "$native") <(echo "$under"); return 1; }
}
if [ "$(id -u)" -eq 0 ]; then
	check "as without guard: control-messages of an unprivileged user" as_nobody
else
	skip "as without guard: control-messages of an unprivileged user" "needs root"
fi

# the killing form
policy kill <<END
  - id: doom
    expression: connect.addr.port == $(port udp-shut)
    actions:
      - kill: {signal: SIGKILL, scope: process}
END
doomed() { "$guard" run -q -p "$work/kill.policy" -o "file:$work/doom.events" -- "$@"; }
before=$(count udp-shut)
check "a message that kills" exits 137 doomed "$t_do" send-form sendmsg 127.0.0.1 "$(port udp-shut)"
check "reaches nobody" test "$(count udp-shut)" -eq "$before"
check "and is reported" verdicts doom.events doom killed 1

# rules that only watch see what is cheap to see
policy watch <<END
  - id: watch
    expression: connect.addr.port == $(port udp-open)
    every: 1ns
END
watched() { rm -f events; "$guard" run -q -p "$work/watch.policy" -o "file:$work/events" -- "$@"; }
check "sendto is watched" reaches udp-open watched "$t_do" send-form sendto 127.0.0.1 "$(port udp-open)"
check "and reported" verdicts events watch detected 1
check "sendmsg is not" reaches udp-open watched "$t_do" send-form sendmsg 127.0.0.1 "$(port udp-open)"
check "nor reported" verdicts events watch detected 0
needs() { "$guard" check --json "$1" | jq -e "[.rules[] | select(.id == \"$2\").needs.syscalls[]] | $3" >/dev/null; }
check "check says so of a rule that refuses" needs send.policy no_port 'contains(["sendto", "sendmsg", "sendmmsg"])'
check "and of one that watches" needs send.policy watch 'index("sendto") != null and index("sendmsg") == null'
finish
