#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# net-probe with and without guard says the same, row by row: every errno and state
# that connect(2), bind(2) and send(2) document, as root and as nobody, under the
# default policy and under blocking ones that match nothing of it. In a network
# namespace of its own, with routes of every kind. Exercises engine/connect and kin.
if [ -z "${NET_NAMESPACE:-}" ] && unshare -n true 2>/dev/null; then
	NET_NAMESPACE=own exec unshare -n bash "$0" "$@"
fi
. "${srcdir:-.}/tests/live/tap.sh"
[ "${NET_NAMESPACE:-}" = own ] || skip_all "needs a network namespace of its own (root)"
need ip jq setpriv

prepare_network()
{
	ip link set lo up || return
	ip link add probe0 type dummy 2>/dev/null || ip tuntap add probe0 mode tun || return
	# what is sent there is lost
	ip address add 10.77.0.1/24 dev probe0 && ip link set probe0 up || return
	ip route add unreachable 10.99.0.0/16 && ip route add prohibit 10.98.0.0/16 &&
		ip route add blackhole 10.97.0.0/16 || return
}
prepare_network || skip_all "cannot set up a network here"

reachable_by_all
cp "$builddir/tests/transparency/net-probe" "$srcdir/tests/transparency/net.rows" bin/ || exit 99
probe=$work/bin/net-probe
mkdir served && chmod 755 served
start "$probe" serve "$work/served"
eventually test -s served/places || exit 99

# Rules about everything that the rows do, none of which is ever true.
policy inet <<END
  - id: no_address
    expression: connect.addr.ip in [203.0.113.0/24] || connect.addr.port == 1
    actions:
      - block: {errno: EPERM}
  - id: no_bind
    expression: bind.addr.ip in [203.0.113.0/24] || bind.addr.port == 1
    actions:
      - block: {errno: EPERM}
  - id: no_socket
    expression: socket.domain == 45 && socket.type == 77
    actions:
      - block: {errno: EPERM}
END
policy path <<END
$(sed 1,2d inet.policy)
  - id: no_path
    expression: connect.addr.path in ["/nowhere/at/all", "@nobody"]
    actions:
      - block: {errno: EPERM}
END

# speak USER POLICY|native|default FILE [ROW]...: what the rows say, to FILE.
speak()
{
	local command=()

	[ "$1" = root ] || command+=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	[ "$2" = native ] || command+=("$guard" run -q -o file:/dev/null)
	[ -e "$2.policy" ] && command+=(-p "$work/$2.policy")
	[ "$2" = native ] || command+=(--)
	"${command[@]}" "$probe" run "$work/bin/net.rows" "$work/served/places" "${@:4}" >"$3" 2>&1
	excused "$2" "$3" "$1"
}

# What guard(7) says a program can notice: the pid that an AF_UNIX server sees while a
# rule can refuse a connect.
excused() # ARM FILE USER
{
	# a message names guard's pid where guard may not name another's
	[ "$3" = root ] || [ "$1" = default ] || sed -i -E '/^send(to|msg)-unix/ s/pid-other/pid-own/' "$2"
	[ "$1" = default ] || sed -i -E '/^(unix|private)/ s/pid-other/pid-own/' "$2"
}

# A machine that is merely slow is no difference: a row counts that differs three times.
is_native() # USER ARM
{
	local again='' names tries

	speak "$1" "$2" "$1.$2"
	for tries in 1 2 3; do
		diff "${again:-$1.native}" "${again:+again.}$1.$2" >difference && return
		mapfile -t names < <(sed -n 's/^[<>] \([^:]*\):.*/\1/p' difference | sort -u)
		[ "$tries" -lt 3 ] && [ "${#names[@]}" -gt 0 ] || break
		again=again.native
		speak "$1" native again.native "${names[@]}"
		speak "$1" "$2" "again.$1.$2" "${names[@]}"
	done
	cat difference
	return 1
}
all_rows_run() # USER
{
	speak "$1" native "$1.native"
	[ "$(wc -l <"$1.native")" -eq "$rows" ] && ! grep -E 'TOO-LATE|exit=' "$1.native"
}
rows=$(grep -c '^[^#]' bin/net.rows)
while read -r user arms; do
	check "$user: all $rows rows without guard" all_rows_run "$user"
	for arm in $arms; do
		check "$user: under guard they say the same, policy $arm" is_native "$user" "$arm"
	done
done <<END
root   default inet path
nobody default path
END

# The comparison itself: rules that match are a difference.
policy opposite <<'END'
  - id: opposite
    expression: connect.addr.ip == 127.0.0.1
    actions:
      - block: {errno: EPERM}
END
speaks_otherwise()
{
	speak root opposite other tcp4-twice udp4-itself device-lo
	[ "$(grep -c 'connect=EPERM' other)" -eq 3 ]
}
check "a rule that does match is seen in what they say" speaks_otherwise
finish
